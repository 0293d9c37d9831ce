"""JupyterLab in a browser with a kernel, as a student has it: fixtures and gestures that browser tests share."""

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
PATIENCE = 600_000  # ms for all cells, on a machine that does other things too

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
    """JupyterLab on loopback, with a token: the address of a new copy of a notebook, by its name.

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

    def address(name):
        """Of a copy: a test that saves it, and its kernel, leave nothing to the next."""
        copy = f"{secrets.token_hex(4)}-{name}"
        shutil.copy(folder / name, folder / copy)
        return f"{base}lab/tree/{copy}?token={token}&reset"

    # No save but those that a test asks for: where two meet, JupyterLab may ask about a file that has changed on disk.
    settings = folder / "settings/@jupyterlab/docmanager-extension/plugin.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"autosave": false}')
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
            yield address
        finally:
            process.terminate()
            process.wait(120)  # it ends its kernels first
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
    warnings: outputs.filter((o) => o.name === "stderr").map((o) => o.text),
  };
}"""


RUN_ALL = "notebook:run-all-cells"
IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


GIVEN_UP = """const timeout = AbortSignal.timeout;
AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms === 2000 ? 0 : ms);"""


@pytest.fixture
def opened(browser, server):
    """opened(name, late): the page of a notebook, its kernel idle; in which anywidget gives up all widgets, if late."""
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    context.set_default_timeout(180_000)

    def go(name, late=False):
        page, complaints = context.new_page(), []
        if late:
            page.add_init_script(GIVEN_UP)
        page.complaints = complaints
        # anywidget says so of a widget that came late, on a busy machine: what such a one shows is tested too
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


def becomes(page, true, seconds=120):
    """Whether ``true()`` is so, now or within so many seconds."""
    for _ in range(5 * seconds):
        if true():
            return True
        page.wait_for_timeout(200)
    return False


def until_moved(page, handle, gesture):
    """A gesture on a slider's handle, again if it went elsewhere: a cell that JupyterLab draws anew loses the focus."""
    before = handle.get_attribute("aria-valuenow")
    for _ in range(3):  # where it stays, it was at that end already
        gesture()
        if becomes(page, lambda: handle.get_attribute("aria-valuenow") != before, seconds=2):
            return


def press(page, handle, key):
    until_moved(page, handle, lambda: (handle.focus(), page.keyboard.press(key)))


def drag(page, handle, by=52):
    """To the right, by so many pixels."""

    def gesture():
        handle.hover()  # in view, and still
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + by, y, steps=5)
        page.mouse.up()

    until_moved(page, handle, gesture)


def saved_and_loaded_again(page):
    """As a student does who comes back: the notebook from its file, its kernel as it was."""
    page.evaluate("void window.jupyterapp.commands.execute('docmanager:save')")  # waited for below, not for ever
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    page.reload()
    page.wait_for_function(IDLE)


def run_all(page):
    """Run All, once: a cell that ran twice would take its first outputs from whoever looks at them."""
    page.wait_for_function(f"window.jupyterapp.commands.isEnabled('{RUN_ALL}') && ({STATE})().all")
    page.evaluate(f"void window.jupyterapp.commands.execute('{RUN_ALL}')")
    page.wait_for_function(f"({STATE})().begun")


def all_ran(page):
    """Every cell runs, and none ends in an error."""
    run_all(page)
    ended = f"() => {{ const s = ({STATE})(); return s.done === s.all || s.errors.length; }}"
    page.wait_for_function(ended, timeout=PATIENCE)
    state = page.evaluate(STATE)
    assert state["errors"] == state["warnings"] == [] and state["done"] == state["all"]
