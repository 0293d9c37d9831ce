"""Lab 00 as a student meets it: JupyterLab in a browser, all cells, all buttons, a slider during play, a reload."""

import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from nasviz.paths import labs_dir

LAB = "00-start-here.ipynb"
PATIENCE = 600_000            # ms for all cells, on a machine that does other things too

BROKEN = """
from dataclasses import dataclass
from typing import ClassVar
from nasviz.step import Step
from nasviz.strategies import RandomSearch

@dataclass
class Broken(RandomSearch):
    def __iter__(self):
        for number, step in enumerate(super().__iter__()):
            if number == 2:
                raise ZeroDivisionError("injected <by> the test")
            yield step

class Instant:
    def many(self, archs, *, epochs=None, seed=0):
        for arch in archs:
            yield Evaluation(arch, {"accuracy": sum(arch) / 24, "madds": 1e5})

broken = views.Player(Broken(space, Instant(), evaluations=5))
broken.play()
broken
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """JupyterLab on loopback, with a token, serving a copy of the lab whose last cell shows a search that breaks."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.read(Path(labs_dir(), LAB), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.cells.append(new_code_cell(BROKEN))
    nbformat.write(notebook, folder / LAB)
    token = secrets.token_hex(16)
    # Runtime and settings of its own; the kernel that belongs to this Python.
    private = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    env = os.environ | private | {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "NASVIZ_TEST": ""}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1", "--port=0",
               "--allow-root", f"--IdentityProvider.token={token}", "--expose-app-in-browser", "--LabApp.news_url=None",
               "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate"]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield f"{wait_for(folder / 'runtime', process, folder / 'log')}lab/tree/{LAB}?token={token}&reset"
        finally:
            process.terminate()
            process.wait(20)
            shutil.rmtree(folder, ignore_errors=True)


def wait_for(runtime: Path, process, log: Path) -> str:
    import json

    for _ in range(300):
        assert process.poll() is None, log.read_text()
        for path in runtime.glob("jpserver-*.json") if runtime.exists() else ():
            try:
                url = json.loads(path.read_text())["url"]
                urllib.request.urlopen(url + "static/favicons/favicon.ico", timeout=2).close()
                return url
            except (OSError, ValueError):
                pass
        time.sleep(0.2)
    raise AssertionError(log.read_text())


STATE = """() => {
  const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter((c) => c.model.type === "code");
  const outputs = cells.flatMap((c) => c.model.outputs.toJSON());
  return {
    done: cells.filter((c) => c.model.executionCount).length, all: cells.length,
    begun: cells.some((c) => c.model.executionCount || c.model.executionState === "running"),
    errors: outputs.filter((o) => o.output_type === "error").map((o) => o.evalue),
  };
}"""


@pytest.fixture
def page(browser, server):
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(60_000)
    page, page.complaints = context.new_page(), []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda m: page.complaints.append(m.text) if m.type == "error" else None)
    page.goto(server)
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    yield page
    context.close()


SCROLL = """(text) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.scrollToItem(content.widgets.findIndex((c) => c.model.sharedModel.getSource().includes(text)), "start");
}"""


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


def run_all(page):
    """Run All, again until a cell has begun: while JupyterLab still restores itself, the command does nothing."""
    for _ in range(20):
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_timeout(2000)
        if page.evaluate(STATE)["begun"]:
            return
    raise AssertionError("Run All does nothing")


def test_the_whole_lab(page):
    run_all(page)

    # every cell runs, and none ends in an error
    ended = f"() => {{ const s = ({STATE})(); return s.done === s.all || s.errors.length; }}"
    page.wait_for_function(ended, timeout=PATIENCE)
    state = page.evaluate(STATE)
    assert state["errors"] == [] and state["done"] == state["all"]

    # a slider is dragged while evolution plays: the search is told, and the time axis is flagged
    evolution = player(page, "evolution_player = views")
    evolution.wait_for()
    assert steps(evolution)[0] == 24
    evolution.locator(".widget-button", has_text="Reset").click()
    received(page, evolution, "=== 0")
    evolution.locator(".widget-button", has_text="Play").click()
    received(page, evolution, ">= 3")
    handle = evolution.locator(".noUi-handle").first
    handle.hover()                                           # in view, and still
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    handle.focus()
    page.keyboard.press("ArrowRight")                        # and by key
    flag = evolution.locator(".nasviz-stage .flag")
    flag.first.wait_for(state="attached")
    assert "population" in flag.first.get_attribute("title")
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
    page.wait_for_timeout(200)
    assert stage.screenshot() != before
    track = slider.bounding_box()
    page.mouse.click(track["x"] + track["width"] / 2, track["y"] + track["height"] / 2)
    page.wait_for_timeout(200)
    assert 9 <= steps(evolution)[1] <= 21

    # every button of a stage and of a player can be pressed; none breaks anything
    for button in stage.locator("button:visible").all():
        button.click()
    darts = player(page, "darts_player = views")
    for name in ("Pause", "Stop", "Reset"):
        darts.locator(".widget-button", has_text=name).click()
    received(page, darts, "=== 0")
    darts.locator(".widget-button", has_text="Step").click()
    received(page, darts, "=== 1")
    darts.locator(".widget-button", has_text="Play").click()
    received(page, darts, ">= 5")
    darts.locator(".widget-button", has_text="Pause").click()
    page.wait_for_timeout(1000)
    paused = steps(darts)[0]
    page.wait_for_timeout(1000)
    assert steps(darts)[0] == paused

    # saved, closed and opened again, everything is there as it was
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    for code, count in (("darts_player = views", paused), ("evolution_player = views", 24)):
        panel = player(page, code)
        panel.locator(".nasviz-stage").wait_for()
        panel.scroll_into_view_if_needed()
        page.wait_for_function("([e, n]) => e.stage.history.n === n",
                               arg=[panel.locator(".nasviz-stage").element_handle(), count])  # fmt: skip
    assert panel.locator(".nasviz-stage .flag").count() >= 1
    assert page.evaluate(STATE)["errors"] == []
    assert page.complaints == []
