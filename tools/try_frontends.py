"""Open a lab in Notebook 7 or in Voilà, run all of it, and look:  python tools/try_frontends.py notebook OUT

The front end must be installed beside nasviz's `lab` and `test` extras (pip install notebook, or voila), and Chromium
must be on the PATH. It prints how many cells ran and how many widgets are shown, and what the browser complained of. A
screenshot of each cell with a widget is put into OUT: look at them. docs/where-classes-run.md says what was seen last.
"""

import argparse
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

from nasviz.course import student
from nasviz.paths import labs_dir

LAB = "00-start-here.ipynb"
PATIENCE = 600  # seconds for all cells
BAD = ("Error displaying widget", "model not found", "Loading widget", "Traceback (most recent call last)")
DONE = """() => {
  const cells = window.jupyterapp?.shell.currentWidget?.content?.widgets?.filter((c) => c.model.type === "code") ?? [];
  return cells.length > 0 && cells.every((c) => c.model.executionCount);
}"""
WIDGETS = """() => window.jupyterapp.shell.currentWidget.content.widgets.map((c) => c.model.type === "code" &&
  c.model.outputs.toJSON().some((o) => "application/vnd.jupyter.widget-view+json" in (o.data ?? {})))"""
IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def command(front_end: str, port: int, token: str) -> tuple[list[str], str]:
    """How a front end is started on this machine only, and the address of the lab in it."""
    common = [sys.executable, "-m", front_end, "--no-browser", f"--port={port}"]
    if front_end == "notebook":
        options = ["--ServerApp.ip=127.0.0.1", "--allow-root", "--expose-app-in-browser"]
        asked = f"--IdentityProvider.token={token}"
        return [*common, *options, asked], f"http://127.0.0.1:{port}/notebooks/{LAB}?token={token}"
    options = ["--Voila.ip=127.0.0.1", "--strip_sources=False", f"--token={token}", "--Voila.log_level=WARN", LAB]
    return [*common, *options], f"http://127.0.0.1:{port}/?token={token}"


def wait_for(address: str, process: subprocess.Popen) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the front end ended")
        try:
            urllib.request.urlopen(address.replace("notebooks/", "tree?"), timeout=2).close()
            return
        except TimeoutError:
            return  # Voilà answers when it has computed
        except OSError as error:
            if getattr(error, "code", None):
                return
            time.sleep(0.3)
    raise RuntimeError("the front end did not start")


def run_notebook(page, out: Path) -> tuple[int, int]:
    """Run all cells, as its menu does; look at those with a widget. Return how many ran, and widgets shown."""
    page.wait_for_function(IDLE, timeout=120_000)
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(DONE, timeout=1000 * PATIENCE)
    cells = page.evaluate(WIDGETS)
    shown = 0
    for number, widget in enumerate(cells):
        if widget:
            page.evaluate(f"window.jupyterapp.shell.currentWidget.content.scrollToItem({number}, 'start')")
            page.wait_for_timeout(1200)
            cell = page.locator(f".jp-Cell[data-windowed-list-index='{number}']")
            shown += cell.locator(".jupyter-widgets, .js-plotly-plot").count() > 0
            page.screenshot(path=out / f"notebook-{number:02d}.png")
    return len(cells), shown


def run_voila(page, out: Path) -> tuple[int, int]:
    """Wait until Voilà has run the notebook; look at each output with a widget. Return the outputs, and the widgets."""
    page.wait_for_selector(".jupyter-widgets", timeout=1000 * PATIENCE)
    page.wait_for_timeout(15_000)
    outputs = page.locator(".jp-OutputArea-output")
    shown = outputs.filter(has=page.locator(".jupyter-widgets, .js-plotly-plot"))
    for number in range(shown.count()):  # the page scrolls in a part of itself
        shown.nth(number).evaluate("one => one.scrollIntoView()")
        page.wait_for_timeout(1200)
        page.screenshot(path=out / f"voila-{number:02d}.png")
    return outputs.count(), shown.count()


def complain(what: str) -> None:
    print(f"the browser: {what}", flush=True)


def look(front_end: str, out: Path, first: int | None = None) -> int:
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp())
    student.write(student.edition(labs_dir(), 3), folder / "labs")
    lab = folder / "labs" / LAB
    notebook = json.loads(lab.read_text("utf-8"))
    lab.write_text(json.dumps(notebook | {"cells": notebook["cells"][:first]}), "utf-8")
    private = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "RUNTIME")}
    port, token = free_port(), secrets.token_hex(16)
    start, address = command(front_end, port, token)
    process = subprocess.Popen(start, cwd=folder / "labs", env=os.environ | private, stdin=subprocess.DEVNULL)
    try:
        wait_for(address, process)
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1300, "height": 1000})
            page.on("pageerror", lambda error: complain(f"error: {error}"))
            page.on("console", lambda m: complain(f"console: {m.text}") if m.type == "error" else None)
            page.on("requestfailed", lambda r: complain(f"no answer: {r.url[:100]}"))
            page.goto(address, timeout=1000 * PATIENCE)
            cells, shown = {"notebook": run_notebook, "voila": run_voila}[front_end](page, out)
            text = page.inner_text("body")
            browser.close()
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{front_end}: {cells} cells or outputs, {shown} with widgets shown")
    bad = [word for word in BAD if word in text]
    print(*bad, sep="\n")
    return int(bool(bad) or not shown)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("front_end", choices=("notebook", "voila"))
    parser.add_argument("out", type=Path, help="a folder for the screenshots")
    parser.add_argument("--cells", type=int, help="only the first so many cells of the lab (default: all)")
    options = parser.parse_args()
    sys.exit(look(options.front_end, options.out, options.cells))
