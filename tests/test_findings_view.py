"""The matrix of findings and truths: answers by hand, what the page is told, and the page under mouse and keys."""

import base64
import json

import pytest

from nasviz.views import Findings
from nasviz.views.charts.findings import NO, NONE, OPEN, YES, Finding, Told


def told(low, high, **more):
    return Told((low + high) / 2, low, high, 100, 1, **more)


RISES = Finding("Does it rise?", 0.5, True, "τ", {"ours": told(0.6, 0.7), "A": told(0.1, 0.2), "B": told(0.4, 0.6)})
FEW = Finding("Do few suffice?", 5.5, False, "seeds", {"ours": told(1, 3, note="Draws."), "A": told(9, 20)})
SOURCES = {"ours": "this project", "A": "A & B 2020", "B": "B 2021"}


@pytest.fixture
def view():
    return Findings([RISES, FEW], list(SOURCES), SOURCES)


def test_an_answer_needs_an_interval_on_one_side():
    assert [RISES.answer(one) for one in SOURCES] == [YES, NO, OPEN]
    assert [FEW.answer(one) for one in SOURCES] == [YES, NO, NONE]
    touching = Finding("?", 0.0, True, "points", {"ours": told(0.0, 0.0), "A": told(0.0, 1.0)})
    assert touching.answer("ours") == touching.answer("A") == OPEN
    assert [RISES.opposite(one, "ours") for one in SOURCES] == [False, True, False]
    assert not FEW.opposite("B", "ours")


def test_a_matrix_is_said_in_words_and_drawn(view):
    assert view.text.splitlines() == ["Does it rise? ours yes, A no, B open.", "Do few suffice? ours yes, A no."]
    assert view.still().startswith(b"\x89PNG")
    view.set(1, "A")
    assert view.picture.chosen == [1, 1]
    for wrong in ((2, "A"), (0, "C")):
        with pytest.raises(ValueError, match="2 rows"):
            view.set(*wrong)


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(ValueError, match="0 and 3"):
        Findings([], list(SOURCES), SOURCES)
    with pytest.raises(ValueError, match="'B' has none"):
        Findings([RISES], list(SOURCES), {**SOURCES, "B": ""})


KERNEL = """
const state = { matrix: MATRIX, chosen: [] };
window.state = state;
const model = {
  get: (name) => state[name],
  set: (name, value) => (state[name] = value),
  save_changes: () => {},
  on: () => {},
  off: () => {},
};
widget.render({ model, el: document.getElementById("a"), signal: new AbortController().signal });
"""


def test_a_cell_opens_its_chart_by_mouse_and_by_keys(view, open_page, tmp_path):
    module = base64.b64encode(view.picture._esm.encode()).decode()
    path = tmp_path / "findings.html"
    path.write_text(
        "<!doctype html><meta charset='utf-8'><div id=a></div><script type=module>"
        f"import widget from 'data:text/javascript;base64,{module}';"
        f"{KERNEL.replace('MATRIX', json.dumps(view.picture.matrix))}</script>",
        encoding="utf-8",
    )
    page = open_page(path, width=900)
    cells = page.locator(".findings tbody button")
    assert cells.all_text_contents() == ["✓", "✗ ≠", "?", "✓", "✗ ≠", "–"]
    cells.nth(1).click()
    chart = page.locator(".findings .chart")
    text = chart.text_content()
    assert "A: no, the opposite of the small world" in text and "100 architectures" in text and "A & B 2020" in text
    assert chart.locator("circle").count() == 3 and chart.locator(".own text").first.text_content() == "A"
    assert cells.nth(1).get_attribute("aria-expanded") == "true"
    # keys: down to the next row, left to ours; Enter opens, and closes again
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert page.evaluate("state.chosen") == [1, 0] and "Draws." in chart.text_content()
    page.keyboard.press("ArrowLeft")  # there is nothing further left
    page.keyboard.press("Enter")
    assert page.evaluate("state.chosen") == [] and chart.count() == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert "no figure" in chart.text_content()
    assert page.locator(".findings button[tabindex='0']").count() == 1, "one stop for the tab key"
