"""JupyterLab in a browser: lab 00 as a student meets it, and the charts of one-shot and hardware with a kernel."""

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
from charts import CHARTS
from nbformat.v4 import new_code_cell, new_notebook

from nasviz.paths import labs_dir

LAB = "00-start-here.ipynb"
LATE = "[anywidget] Failed to initialize model."
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
    """JupyterLab on loopback, with a token: the address of a notebook by its name.

    There are the charts, and a copy of the lab whose last cell shows a search that breaks.
    """
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.read(Path(labs_dir(), LAB), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.cells.append(new_code_cell(BROKEN))
    nbformat.write(notebook, folder / LAB)
    cells = [new_code_cell(source.strip()) for source in CHARTS.values()]
    nbformat.write(new_notebook(cells=cells, metadata=notebook.metadata), folder / "charts.ipynb")
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
            base = wait_for(folder / "runtime", process, folder / "log")
            yield lambda name: f"{base}lab/tree/{name}?token={token}&reset"
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


IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


GIVEN_UP = """const timeout = AbortSignal.timeout;
AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms === 2000 ? 0 : ms);"""


@pytest.fixture
def opened(browser, server):
    """opened(name, late): the page of a notebook, its kernel idle; in which anywidget gives up all widgets, if late."""
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(60_000)

    def go(name, late=False):
        page, complaints = context.new_page(), []
        if late:
            page.add_init_script(GIVEN_UP)
        page.complaints = complaints
        # anywidget says so of a widget that came late, on a busy machine: what such a one shows is looked at below
        page.on("pageerror", lambda error: LATE in str(error) or complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.goto(server(name))
        page.wait_for_function(IDLE)
        return page

    yield go
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


def saved_and_loaded_again(page):
    """As a student does who comes back: the notebook from its file, its kernel as it was."""
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    page.wait_for_function(IDLE)


def run_all(page):
    """Run All, again until a cell has begun: while JupyterLab still restores itself, the command does nothing."""
    for _ in range(20):
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_timeout(2000)
        if page.evaluate(STATE)["begun"]:
            return
    raise AssertionError("Run All does nothing")


def all_ran(page):
    """Every cell runs, and none ends in an error."""
    run_all(page)
    ended = f"() => {{ const s = ({STATE})(); return s.done === s.all || s.errors.length; }}"
    page.wait_for_function(ended, timeout=PATIENCE)
    state = page.evaluate(STATE)
    assert state["errors"] == [] and state["done"] == state["all"]


def test_the_whole_lab(opened):
    page = opened(LAB)
    all_ran(page)

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
    saved_and_loaded_again(page)
    for code, count in (("darts_player = views", paused), ("evolution_player = views", 24)):
        panel = player(page, code)
        panel.locator(".nasviz-stage").wait_for()
        panel.scroll_into_view_if_needed()
        page.wait_for_function("([e, n]) => e.stage.history.n === n",
                               arg=[panel.locator(".nasviz-stage").element_handle(), count])  # fmt: skip
    assert panel.locator(".nasviz-stage .flag").count() >= 1
    assert page.evaluate(STATE)["errors"] == []
    assert page.complaints == []


# --------------------------------------------------------------------------------------------------------------- charts
# The least contrast between the words of a chart and the page behind them: labels and legend, not what lies on tiles.
CONTRAST = """(plot) => {
  const light = (color) => {
    const linear = (v) => ((v /= 255) <= 0.04 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = color.match(/[\\d.]+/g).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = light(getComputedStyle(plot.closest(".jp-Notebook")).backgroundColor);
  const words = [...plot.querySelectorAll(".xtick text, .ytick text, .g-xtitle text, .g-ytitle text, .legendtext")];
  return Math.min(...words.map((word) => {
    const [low, high] = [light(getComputedStyle(word).fill), page].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }));
}"""
DOT = """(plot, [trace, point]) => {
  const { xaxis, yaxis } = plot._fullLayout, { left, top } = plot.getBoundingClientRect(), { x, y } = plot.data[trace];
  return [left + xaxis._offset + xaxis.l2p(x[point]), top + yaxis._offset + yaxis.l2p(y[point])];
}"""


class Shown:
    """A chart in the page, by the name of its variable."""

    def __init__(self, page, name):
        self.page = page
        page.evaluate(SCROLL, f"{name} = views")
        self.cell = page.locator(".jp-CodeCell").filter(has_text=f"{name} = views")
        self.plot = self.cell.locator(".js-plotly-plot").first
        self.plot.locator(".main-svg").first.wait_for()
        self.until("plot.data?.length && plot._fullLayout?.xaxis?.range")  # its lines come after its frame

    def told(self, what):
        """A JavaScript expression of ``plot``, which is looked for again: JupyterLab may have drawn the cell anew."""
        return self.plot.evaluate(f"(plot) => {what}")

    def until(self, what):
        """Wait for a JavaScript condition of ``plot``."""
        for _ in range(200):
            if self.told(what):
                return
            self.page.wait_for_timeout(200)
        handles = self.cell.locator(".noUi-handle").evaluate_all("(all) => all.map((handle) => handle.ariaValueText)")
        raise AssertionError(f"not so: {what}; its sliders: {handles}; complaints: {self.page.complaints}")

    def press(self, key, slider=0):
        """A key on one of its sliders, again if it went elsewhere: a cell that is drawn anew loses the focus."""
        handle = self.cell.locator(".noUi-handle").nth(slider)
        before = handle.get_attribute("aria-valuenow")
        for _ in range(10):                                  # where it stays, it was at that end already
            handle.focus()
            self.page.keyboard.press(key)
            self.page.wait_for_timeout(200)
            if handle.get_attribute("aria-valuenow") != before:
                return

    def click(self, trace, point):
        """A click on a dot, which brings a cell."""
        self.plot.scroll_into_view_if_needed()
        self.until(f"({DOT})(plot, [{trace}, {point}]).every(Number.isFinite)")   # it is drawn in several steps
        self.page.mouse.click(*self.plot.evaluate(DOT, [trace, point]))
        self.cell.locator(".nasviz-stage").first.wait_for()


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
def test_charts_of_one_shot_and_hardware(opened, late):
    page = opened("charts.ipynb", late)
    all_ran(page)

    # chosen before the page had the chart: all of it arrives, the kernels' squares and the star's size too
    elastic = Shown(page, "elastic")
    assert len(elastic.told("plot.data[3].x")) == 20 and elastic.told("plot.data[5].marker.size") == 15
    assert elastic.told("plot.data[1].y.filter((channels) => channels).length") == 10
    elastic.cell.locator(".widget-dropdown select").first.select_option("4")       # the first unit's depth
    elastic.until("plot.data[1].y.filter((channels) => channels).length === 12")
    elastic.press("End")                                                          # the resolution: 8×8 pixels
    elastic.cell.get_by_text("12 of 20 layers on images of 8×8").wait_for()
    elastic.until("plot.data[4].x.length === 3")                                  # what was tried before stays
    elastic.cell.locator("button", has_text="largest").click()
    elastic.until("plot.data[3].marker.size.every((side) => side === 16)")

    shrinking = Shown(page, "shrinking")
    assert shrinking.told("plot.data.map((line) => line.y.length)") == [4, 4, 4]
    assert shrinking.told("[...plot.querySelectorAll('.annotation-text')].map((t) => t.textContent)") == [
        "full", "kernel", "depth", "width",
    ]  # fmt: skip

    pareto = Shown(page, "pareto")
    front = pareto.told("plot.data[2].x.length")
    pareto.click(2, 0)
    pareto.press("Home")
    pareto.press("ArrowRight")
    pareto.until("plot.data[1].x.length === 1 && plot.data[2].x.length === 1")
    pareto.press("End")
    pareto.until(f"plot.data[2].x.length === {front}")

    latency = Shown(page, "latency")
    assert latency.told("[...plot.data[0].y]") == ["a", "b"]
    latency.cell.locator("button", has_text="by measured").click()
    latency.until("plot.data[0].y[0] === 'b'")

    counted = Shown(page, "counted")
    assert counted.told("plot.data[1].text.join('')") == "abc"
    counted.click(1, 0)

    devices = Shown(page, "devices")
    over = "plot.data[0].text.flat().filter((text) => text.includes('✗')).length"
    before = devices.told(over)
    devices.press("End")
    devices.until(f"{over} === 0")
    assert before > 0

    # words stand out from either theme's page
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        page.wait_for_function("(theme) => document.body.dataset.jpThemeName === theme", arg=theme)
        page.wait_for_timeout(500)
        contrast = {name: Shown(page, name).told(f"({CONTRAST})(plot)") for name in CHARTS}
        assert min(contrast.values()) > 3, contrast

    # the page loaded again: what a slider says and what its chart shows still agree
    saved_and_loaded_again(page)
    devices = Shown(page, "devices")
    slider = devices.cell.locator(".noUi-handle").first
    assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax") and devices.told(over) == 0
    assert page.complaints == []
