"""Lab 00 in a browser, as a student meets it."""

from pathlib import Path

import nbformat
from lab_page import LAB, PATIENCE, SCROLL, STATE, all_ran, becomes, drag, press, saved_and_loaded_again
from site_page import serious

from nasviz.paths import labs_dir


def player(page, code):
    """The panel of the cell whose source has ``code``: JupyterLab keeps only what is near the screen in the page."""
    page.evaluate(SCROLL, code)
    return page.locator(".jp-CodeCell").filter(has_text=code).locator(".nasviz-player").first


def steps(panel):
    """What the stage has received, and where it stands."""
    return panel.locator(".nasviz-stage").evaluate("(e) => [e.stage.history.n, Math.floor(e.stage.position())]")


def received(page, panel, count):
    """Wait until the stage has received as many steps as ``count`` says: "=== 24"."""
    handle = panel.locator(".nasviz-stage").element_handle()
    page.wait_for_function(f"(e) => e.stage.history.n {count}", arg=handle, timeout=PATIENCE)


OUTPUTS = ".jp-OutputArea-output"
# All cells in the page, not those near the screen alone.
ALL_OF_IT = """() => { const { content } = window.jupyterapp.shell.currentWidget;
  content.notebookConfig = { ...content.notebookConfig, windowingMode: "none" }; }"""
CLAIMS = """() => window.jupyterapp.shell.currentWidget.content.widgets.filter((c) => c.model.type === "code")
  .flatMap((c) => c.model.outputs.toJSON()).map((o) => o.metadata?.nasviz).filter((said) => said?.claim)"""


def test_the_whole_lab(opened):
    """The lab's only run in this suite: where this test runs, nbval skips it (tests/conftest.py)."""
    page = opened(LAB)
    all_ran(page)
    claims = page.evaluate(CLAIMS)
    lab = nbformat.read(Path(labs_dir(), LAB), as_version=4)
    claimed = sum(cell.source.count("claim(") for cell in lab.cells if cell.cell_type == "code")
    assert len(claims) == claimed > 0 and all(claim["holds"] for claim in claims), claims

    # a slider is dragged while evolution plays: the search is told, and the time axis is flagged
    evolution = player(page, "evolution_player = views")
    evolution.wait_for()
    assert steps(evolution)[0] == 24
    evolution.locator(".widget-button", has_text="Reset").click()
    received(page, evolution, "=== 0")
    speed = evolution.locator(".widget-dropdown select")
    speed.select_option(label="1 step/s")  # so that it is not over before the slider is told of
    evolution.locator(".widget-button", has_text="Play").click()
    received(page, evolution, ">= 3")
    handle = evolution.locator(".noUi-handle").first
    drag(page, handle)
    press(page, handle, "ArrowRight")  # and by key
    flag = evolution.locator(".nasviz-stage .flag")
    assert becomes(page, flag.count), (steps(evolution), handle.get_attribute("aria-valuenow"), evolution.inner_text())
    assert "population" in flag.first.get_attribute("title")
    speed.select_option(label="no limit")
    received(page, evolution, "=== 24")

    # what a search raised stands in its panel, whole and escaped
    alert = player(page, "broken = views").locator("[role=alert]")
    alert.wait_for()
    assert "ZeroDivisionError: injected <by> the test" in alert.inner_text() and "Traceback" in alert.inner_text()

    # scrub: by key, by pointer; the picture follows
    evolution = player(page, "evolution_player = views")
    stage = evolution.locator(".nasviz-stage")
    stage.scroll_into_view_if_needed()
    before = stage.screenshot()
    slider = stage.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("(e) => e.stage.position() === 0", arg=stage.element_handle())
    assert becomes(page, lambda: stage.screenshot() != before)
    track = slider.bounding_box()
    page.mouse.click(track["x"] + track["width"] / 2, track["y"] + track["height"] / 2)
    assert becomes(page, lambda: 9 <= steps(evolution)[1] <= 21)

    # every button of a stage and of a player can be pressed; none breaks anything
    for button in stage.locator("button:visible").all():
        button.click()
    darts = player(page, "darts_player = views")
    for name in ("Pause", "Stop", "Reset"):
        darts.locator(".widget-button", has_text=name).click()
    received(page, darts, "=== 0")
    darts.locator(".widget-button", has_text="Step").click()
    received(page, darts, "=== 1")
    darts.locator(".widget-dropdown select").select_option(label="5 steps/s")
    darts.locator(".widget-button", has_text="Play").click()
    received(page, darts, ">= 5")
    darts.locator(".widget-button", has_text="Pause").click()
    paused = None
    while paused != (paused := steps(darts)[0]):  # what was on its way when it was pressed still comes
        page.wait_for_timeout(2000)
    page.wait_for_timeout(1000)
    assert steps(darts)[0] == paused < 248

    # saved, closed and opened again, everything is there as it was
    saved_and_loaded_again(page)
    for code, count in (("darts_player = views", paused), ("evolution_player = views", 24)):
        panel = player(page, code)
        panel.locator(".nasviz-stage").wait_for()
        panel.scroll_into_view_if_needed()
        page.wait_for_function("([e, n]) => e.stage.history.n === n",
                               arg=[panel.locator(".nasviz-stage").element_handle(), count])  # fmt: skip
    assert panel.locator(".nasviz-stage .flag").count() >= 1
    assert page.evaluate(STATE)["errors"] == []

    # axe-core finds nothing serious in any output. What JupyterLab draws around them is its own.
    page.evaluate(ALL_OF_IT)
    assert page.locator(OUTPUTS).count() > 30
    page.locator(f"{OUTPUTS} .nasviz-stage canvas").first.wait_for()
    for theme in ("Light", "Dark"):
        page.evaluate(f"window.jupyterapp.commands.execute('apputils:change-theme', {{ theme: 'JupyterLab {theme}' }})")
        page.wait_for_function(f"document.body.dataset.jpThemeName === 'JupyterLab {theme}'")
        assert serious(page, f"{{ include: [...document.querySelectorAll('{OUTPUTS}')] }}") == []
    assert page.complaints == []
