"""The stage in a real browser: a page from a file without a network, and the widget's module with a stand-in kernel."""

import io

import numpy as np
import pytest
from PIL import Image
from stage_page import at, drawn
from test_stage import NODES, OPS, row, spec

from nasviz.views import replay
from nasviz.views.stage.widget import Stage

STEPS = 40


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    stage = Stage(spec(), (row(i) for i in range(STEPS)))
    return replay.to_html(stage, tmp_path_factory.mktemp("replay") / "run.html", "A recorded run")


def ink(page, selector):
    """For each canvas below ``selector``: the pixels that are not transparent."""
    return page.eval_on_selector_all(
        selector + " canvas",
        """(all) => all.map((c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data
            .reduce((n, v, i) => n + (i % 4 === 3 && v > 0), 0))""",
    )


def ribbons(page):
    return page.eval_on_selector(".cell canvas", "(c) => c.toDataURL()")


# ---------------------------------------------------------------------- a file
def test_a_recorded_run_opens_from_a_file_at_its_last_step(open_page, recorded):
    page = open_page(recorded)
    assert at(page) == STEPS - 1 and page.inner_text("h1") == "A recorded run"
    assert page.locator(".view").count() == 5
    for k in range(1, 6):
        assert max(ink(page, f".view:nth-child({k})")) > 500, f"view {k} is blank"
    assert page.get_by_role("button", name="live").count() == 0


def test_keys_and_slider_change_every_picture(open_page, recorded):
    page = open_page(recorded)
    seen = []
    page.click(".title >> nth=0")  # a click anywhere gives the stage the keyboard
    for key, step in (("Home", 0), ("ArrowRight", 1), ("PageUp", 11), ("ArrowLeft", 10), ("End", STEPS - 1)):
        page.keyboard.press(key)
        assert at(page) == step
        seen.append(
            (ribbons(page), page.locator(".view").nth(2).screenshot(), page.locator(".view").nth(3).screenshot())
        )
    for picture in zip(*seen, strict=True):
        assert len(set(picture)) == len(seen)
    page.get_by_role("slider", name="Step").fill("7")
    assert at(page) == 7 and page.get_by_role("slider").get_attribute("aria-valuetext") == f"7 / {STEPS - 1}"
    page.get_by_role("button", name="One step forward").click()
    assert at(page) == 8


def test_playing_tweens_and_stops_at_the_end(open_page, recorded):
    page = open_page(recorded)
    page.select_option("select", "20")
    page.keyboard.press("Tab")
    page.locator(".nasviz-stage").press("Home")
    page.locator(".nasviz-stage").press(" ")
    between = page.evaluate(
        """() => new Promise((done) => { const seen = []; const look = () => {
            seen.push(document.querySelector(".nasviz-stage").stage.position());
            seen.length < 20 ? requestAnimationFrame(look) : done(seen); }; look(); })"""
    )
    assert between == sorted(between) and any(t % 1 for t in between), "no position between two steps was shown"
    page.select_option("select", "200")
    page.locator(f".nasviz-stage[data-step='{STEPS - 1}']").wait_for()
    page.get_by_role("button", name="Play (space)").wait_for()


def test_reduced_motion_shows_whole_steps_only(open_page, recorded):
    page = open_page(recorded, motion="reduce")
    whole = set()
    for step in range(12):
        page.get_by_role("slider").fill(str(step))
        assert at(page) == step
        whole.add(ribbons(page))
    page.select_option("select", "5")
    shown = page.evaluate(  # every frame, since a slow machine moves half a step from one to the next
        """() => new Promise((done) => { const seen = []; const { stage } = document.querySelector(".nasviz-stage");
            const look = () => { seen.push(document.querySelector(".cell canvas").toDataURL());
            stage.position() < 8 ? requestAnimationFrame(look) : done(seen); }; stage.seek(0); stage.toggle(); look();
            })"""
    )
    assert len(set(shown)) >= 8 and set(shown) <= whole


def test_the_address_keeps_the_step(open_page, recorded):
    page = open_page(recorded, step="#step=12")
    assert at(page) == 12
    page.locator(".nasviz-stage").press("ArrowRight")
    page.wait_for_url("**/run.html#step=13")
    page.evaluate("location.hash = '#step=3'")
    page.locator(".nasviz-stage[data-step='3']").wait_for()


def test_screen_readers_hear_the_step_and_what_it_is(open_page, recorded):
    page = open_page(recorded)
    page.locator(".nasviz-stage").press("Home")
    status = page.get_by_role("status").filter(has_text="Step 0 of 39.")
    status.wait_for(state="attached")
    text = status.text_content()
    assert "0→1 " in text and "Architecture 0: 0.5" in text and status.get_attribute("aria-live") == "polite"
    assert page.get_by_role("img", name="Cell").count() == 1
    assert page.get_by_role("group", name="Playback").count() == 1


@pytest.mark.parametrize("scheme, light", [("light", True), ("dark", False)])
def test_the_theme_of_the_reader_is_the_theme_of_the_page(open_page, recorded, scheme, light):
    page = open_page(recorded, scheme=scheme)
    back = page.evaluate("getComputedStyle(document.querySelector('.nasviz-stage')).backgroundColor")
    assert (sum(map(int, back[4:-1].split(","))) > 380) is light
    for k in range(1, 5):
        grey = np.asarray(Image.open(io.BytesIO(page.locator(".view").nth(k).screenshot())).convert("L"))
        assert bool(np.median(grey) > 128) is light  # the ground of every picture, and what is written on it
        assert grey.min() < 90 if light else grey.max() > 200


@pytest.mark.parametrize("width", [420, 600, 1200])
def test_labels_of_a_cell_meet_no_node_and_no_other_label(open_page, tmp_path, width):
    cell = {"kind": "cell", "array": "arch", "nodes": NODES, "edges": spec()["views"][0]["edges"]}
    stage = Stage({"arrays": {"arch": [6, 5]}, "ops": OPS, "views": [cell]})
    stage.remember(arch=np.eye(5)[[3, 3, 2, 4, 3, 2]])
    page = open_page(replay.to_html(stage, tmp_path / "cell.html"), width=width)
    boxes = page.eval_on_selector_all(
        ".node, .label:not([opacity='0'])",
        """(all) => all.map((g) => { const b = g.querySelector("rect").getBoundingClientRect();
            return [g.textContent, b.left, b.top, b.right, b.bottom]; })""",
    )
    assert sorted(b[0] for b in boxes) == sorted([*NODES, *["conv 3×3"] * 3, *["conv 1×1"] * 2, "avg pool"])
    for i, (_, *a) in enumerate(boxes):
        for _, *b in boxes[:i]:
            apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
            assert apart, (boxes[i], b)


def test_a_mark_has_a_flag_on_the_slider_and_on_the_axes(open_page, recorded, tmp_path):
    stage = Stage({**spec(), "marks": []}, (row(i) for i in range(STEPS)))
    without = open_page(replay.to_html(stage, tmp_path / "plain.html"))
    page = open_page(recorded)
    assert page.locator(".flag").get_attribute("title") == "step 3: population 20"
    assert without.locator(".flag").count() == 0
    for k in (1, 3, 4):
        assert page.locator(".view").nth(k).screenshot() != without.locator(".view").nth(k).screenshot()


# ---------------------------------------------------------------------- live
def curve():
    return {"arrays": {"loss": []}, "views": [{"kind": "curve", "array": "loss", "total": 20}]}


def test_a_view_that_appears_asks_for_the_run_and_follows_it(live):
    page = live(curve())
    page.wait_for_function("asked.length === 1")
    assert page.evaluate("asked[0]") == {"type": "need", "start": 0}
    assert page.inner_text("output") == "no steps yet"
    page.evaluate("tell({type: 'frames', run: 2, start: 0, count: 3, marks: []}, [[3, 2, 1]])")
    assert at(page) == 2
    page.evaluate("tell({type: 'frames', run: 2, start: 3, count: 2}, [[0.5, 0.4]])")
    assert at(page) == 4
    page.locator(".nasviz-stage").press("ArrowLeft")  # looking back: new steps no longer move the picture
    page.evaluate("tell({type: 'frames', run: 2, start: 5, count: 1}, [[0.3]])")
    assert at(page) == 3 and page.inner_text("output") == "3 / 5"
    page.get_by_role("button", name="live").click()
    assert at(page) == 5
    page.evaluate("tell({type: 'frames', run: 2, start: 6, count: 1}, [[0.2]])")
    assert at(page) == 6


def test_a_hole_is_asked_for_and_filled(live):
    page = live(curve())
    page.wait_for_function("asked.length === 1")
    page.evaluate("tell({type: 'frames', run: 0, start: 0, count: 2, marks: []}, [[2, 1.9]])")
    before = page.locator(".view").screenshot()
    page.evaluate("tell({type: 'frames', run: 0, start: 10, count: 1}, [[1]])")
    page.wait_for_function("asked.length === 2")
    assert page.evaluate("asked[1]") == {"type": "need", "start": 2}
    page.evaluate(
        "x => tell({type: 'frames', run: 0, start: 2, count: 9, marks: []}, [x])", [1.8 - i / 10 for i in range(9)]
    )
    page.wait_for_timeout(700)
    assert page.evaluate("asked.length") == 2 and page.locator(".view").screenshot() != before
    stored = page.evaluate("Array.from(document.querySelector('.nasviz-stage').stage.history.data.loss.slice(0, 11))")
    assert np.allclose(stored, np.linspace(2, 1, 11))


def test_reset_empties_every_view_and_a_second_view_shows_the_same(live):
    page = live(curve())
    page.evaluate("tell({type: 'frames', run: 0, start: 0, count: 4, marks: [{at: 1, label: 'lr'}]}, [[4, 3, 2, 1]])")
    page.evaluate("window.b = show('b')")
    drawn(page)
    assert [page.get_attribute(f"#{x} .nasviz-stage", "data-n") for x in "ab"] == ["4", "4"]
    pictures = page.eval_on_selector_all("canvas", "(all) => all.map((c) => c.toDataURL())")
    assert len(pictures) == 6 and pictures[:3] == pictures[3:] and len(set(pictures)) == 3
    page.evaluate("tell({type: 'frames', run: 1, start: 0, count: 0, marks: []})")
    at(page)
    assert [page.get_attribute(f"#{x} .nasviz-stage", "data-n") for x in "ab"] == ["0", "0"]
    assert page.locator(".flag").count() == 0
    page.evaluate("b.abort(); tell({type: 'frames', run: 1, start: 0, count: 1}, [[9]])")
    at(page)
    assert [page.get_attribute(f"#{x} .nasviz-stage", "data-n") for x in "ab"] == ["1", "0"]


def test_begun_anew_every_view_is_as_before_the_first_step(live):
    every, choices = spec(), [{"name": f"c{e}", "options": OPS, "colors": ["#888"] * 5} for e in range(6)]
    ages = {"array": "accuracy", "parent": "parent", "population": "alive", "feasible": "allowed"}
    kin = {"array": "accuracy", "parent": "parent", "arch": "alphas", "choices": choices, "feasible": "allowed"}
    every["views"] += [ages | {"kind": "ages"}, kin | {"kind": "family"},
                       {"kind": "options", "array": "chosen", "choices": choices}]  # fmt: skip
    every["arrays"]["chosen"] = [6]
    page = live(every | {"marks": []})
    labels = "(all) => all.map((g) => Number(g.getAttribute('opacity')))"

    def seen():
        at(page)
        pictures = page.eval_on_selector_all("canvas", "(all) => all.map((c) => c.toDataURL())")
        return pictures, page.locator(".options .on").count(), page.eval_on_selector_all(".cell .label", labels)

    before = seen()
    rows = [row(i) | {"chosen": np.arange(6) % 5} for i in range(6)]
    columns = [np.nan_to_num([one[name] for one in rows], nan=0.5).ravel().tolist() for name in every["arrays"]]
    page.evaluate("x => tell({type: 'frames', run: 0, start: 0, count: 6, marks: []}, x)", columns)
    shown = seen()
    assert shown[1] == 6 and 1 in shown[2]
    # all but the middle layers, on which some views draw nothing at any step, say something of the steps
    assert sum(a != b for a, b in zip(before[0], shown[0], strict=True)) >= 8
    page.evaluate("tell({type: 'frames', run: 1, start: 0, count: 0, marks: []})")
    after = seen()
    assert after[1:] == (0, [0] * 6) and after[0] == before[0]


def test_a_turned_knob_shows_at_once(live):
    page = live(curve())
    page.evaluate("tell({type: 'frames', run: 0, start: 0, count: 4, marks: []}, [[4, 3, 2, 1]])")
    at(page)
    before = page.locator(".view").screenshot()
    page.evaluate("tell({type: 'mark', marks: [{at: 2, label: 'lr 0.1'}]})")
    at(page)
    assert page.locator(".flag").get_attribute("title") == "step 2: lr 0.1"
    assert page.locator(".view").screenshot() != before


def test_edges_are_picked_by_mouse_and_by_keyboard(live):
    cell = {**spec()["views"][0], "array": "arch", "editable": True}
    tell_arch = "([start, x]) => tell({type: 'frames', run: 0, start, count: 1}, [x])"
    page = live({"arrays": {"arch": [6, 5]}, "ops": OPS, "views": [cell], "transport": False})
    page.evaluate(tell_arch, [0, np.eye(5)[[3] * 6].ravel().tolist()])
    at(page)
    names = page.eval_on_selector_all("[role=button]", "(all) => all.map((e) => e.getAttribute('aria-label'))")
    assert names[0] == "edge 0→1: conv 3×3" and len(names) == 6
    page.evaluate("asked.length = 0")
    x, y = page.eval_on_selector(
        "[data-edge='3'] .hit",
        """(p) => { const at = p.getPointAtLength(p.getTotalLength() / 2).matrixTransform(p.getScreenCTM());
            return [at.x, at.y]; }""",
    )
    page.mouse.click(x, y)
    page.focus("[data-edge='5']")
    page.keyboard.press("Enter")
    page.focus("[data-edge='0']")
    page.keyboard.press(" ")
    picked = page.evaluate("asked.filter((m) => m.type === 'edge').map((m) => m.edge)")
    assert picked == [3, 5, 0]
    page.evaluate(tell_arch, [1, np.eye(5)[[1] + [3] * 5].ravel().tolist()])
    at(page)
    assert page.get_attribute("[data-edge='0']", "aria-label") == "edge 0→1: skip"
    assert not page.is_visible(".bar")


def test_keys_of_the_stage_do_not_reach_the_notebook(live):
    page = live(curve())
    page.evaluate("window.leaked = []; document.addEventListener('keydown', (e) => leaked.push(e.key + e.ctrlKey))")
    page.evaluate("tell({type: 'frames', run: 0, start: 0, count: 4, marks: []}, [[4, 3, 2, 1]])")
    for key in ("ArrowLeft", "a", "d", "Enter", "Control+s"):
        page.locator(".nasviz-stage").press(key)
    assert page.evaluate("leaked") == ["Controltrue", "strue"]
