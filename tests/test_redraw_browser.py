"""Other pictures in the same place, several cells beside each other, nodes that compute: in a real browser."""

from stage_page import at
from test_stage import NODES, OPS, spec

from nasviz.views.stage.widget import Stage


def test_another_picture_takes_the_place_of_the_first(live):
    page = live(spec())
    page.evaluate("window.b = window.show('b')")
    other = Stage(
        {
            "arrays": {"arch": [2]},
            "views": [
                {
                    "kind": "options",
                    "array": "arch",
                    "choices": [
                        {"name": "depth", "options": ["2", "3"], "colors": ["#1a6fd4"] * 2},
                        {"name": "kernel", "options": ["3×3", "5×5"], "colors": ["#1a6fd4"] * 2},
                    ],
                }
            ],
        }
    )
    page.evaluate("([spec, columns]) => window.redraw(spec, 5, 2, columns)", [other.spec, [[0, 1, 1, -1]]])
    assert at(page) == 1
    for id in "ab":  # every view of the widget
        assert page.locator(f"#{id} .nasviz-stage").count() == 1 and page.locator(f"#{id} canvas").count() == 0
        rows = page.locator(f"#{id} .options > div")
        assert [rows.nth(i).inner_text().split() for i in (0, 1)] == [["depth", "3"], ["kernel", "not", "in", "use"]]
        assert "new" in rows.nth(1).get_attribute("class") and rows.nth(0).locator("i.on").count() == 1
    # steps of the new picture go on where it began, those of the old one are not mixed in
    page.evaluate("window.tell({ type: 'frames', run: 5, start: 2, count: 1 }, [[0, 0]])")
    assert at(page) == 2 and page.locator("#a .options > div").nth(1).inner_text().split() == ["kernel", "3×3"]
    # a view that was closed is not drawn again
    page.evaluate("window.b.abort()")
    page.evaluate("document.getElementById('b').replaceChildren()")
    page.evaluate("([spec, columns]) => window.redraw(spec, 6, 1, columns)", [other.spec, [[1, 1]]])
    assert page.locator("#b .nasviz-stage").count() == 0 and page.locator("#a .nasviz-stage").count() == 1


def test_a_click_says_which_picture_it_was_in(live):
    cells = [
        {"kind": "cell", "array": name, "nodes": NODES[:3], "edges": [[0, 1], [1, 2]], "editable": True, "span": 6}
        for name in ("normal", "reduction")
    ]
    two = {"arrays": {"normal": [2, len(OPS)], "reduction": [2, len(OPS)]}, "ops": OPS, "views": cells}
    page = live(two)
    weights = [1.0, *[0.0] * (len(OPS) - 1)] * 2
    page.evaluate("(w) => window.tell({ type: 'frames', run: 0, start: 0, count: 1 }, [w, w])", weights)
    at(page)
    page.locator("#a .view").nth(1).locator(".edge").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.evaluate("window.asked.at(-1)") == {"type": "edge", "edge": 1, "view": 1}


def test_nodes_that_compute_are_boxes_in_their_colour_with_wires_between_them(live):
    cell = {"kind": "cell", "nodes": ["in", "1", "out"], "edges": [[0, 1], [0, 2], [1, 2]], "fixed": [0, 1, 2]}
    cell |= {"node_ops": [None, "conv3x3-bn-relu", None], "marked": {"nodes": [1], "edges": [2]}}
    page = live({"arrays": {"shown": []}, "views": [cell]})
    page.evaluate("window.tell({ type: 'frames', run: 0, start: 0, count: 1 }, [[1]])")
    at(page)
    box = page.locator("#a .node.op")
    assert box.count() == 1 and box.text_content() == "conv 3×3"
    assert box.locator("rect").last.evaluate("(e) => getComputedStyle(e).stroke") == "rgb(26, 111, 212)"
    assert page.locator("#a .wire").count() == page.locator("#a .head").count() == 3
    assert page.locator("#a path.marked").count() == page.locator("#a rect.marked").count() == 1
