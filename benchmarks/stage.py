"""The stage: what a step costs the kernel, how fast a browser draws it, what a notebook full of stages weighs.

    python benchmarks/stage.py            # kernel side, playback and scrubbing in a page
    python benchmarks/stage.py --lab      # also six stages in JupyterLab

Data are invented, of the size of DARTS's cell: 14 edges of 8 operations, 400 steps. All but the kernel side needs
Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import views  # beside this file

from nasviz.views.stage.replay import to_html
from nasviz.views.stage.widget import Stage

OPS = ["none", "max_pool_3x3", "avg_pool_3x3", "skip_connect"] + [
    f"{k}_conv_{s}" for k in ("sep", "dil") for s in ("3x3", "5x5")
]
NODES = ["c_{k-2}", "c_{k-1}", "0", "1", "2", "3", "c_{k}"]
FREE = [(i, j) for j in range(2, 6) for i in range(j)]
STEPS = 400
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def spec():
    """The cell of DARTS with every edge's trajectories below it."""
    cell = {"kind": "cell", "array": "alphas", "nodes": NODES, "edges": FREE + [(j, 6) for j in range(2, 6)]}
    cell |= {"fixed": range(14, 18), "keep": 2, "ignore": [0]}
    traces = {"kind": "traces", "array": "alphas", "labels": [f"{a}→{b}" for a, b in FREE], "total": STEPS}
    return {"arrays": {"alphas": [14, 8]}, "ops": OPS, "views": [cell, traces]}


def weights(seed=0):
    """Softmax weights that drift: float32 (400, 14, 8)."""
    rng = np.random.default_rng(seed)
    drift = rng.normal(0, 1.5, (14, 8)) * np.linspace(0, 1, STEPS)[:, None, None]
    x = np.exp(drift + np.cumsum(rng.normal(0, 0.05, (STEPS, 14, 8)), 0))
    return (x / x.sum(-1, keepdims=True)).astype("<f4")


def report(name, value, bound):
    print(f"{name:<58} {value:>14}   (must: {bound})")


def kernel():
    """One step: remembered, put into a message, handed to the comm."""
    stage, sizes, times = Stage(spec()), [], []
    real = stage.send
    stage.send = lambda message, buffers=(): (
        sizes.append(len(json.dumps(message)) + sum(map(len, buffers))),
        real(message, buffers),
    )
    for frame in weights():
        start = time.perf_counter()
        stage.append(alphas=frame)
        times.append(time.perf_counter() - start)
    report("one step of 14 × 8 weights, kernel, median ms", f"{1e3 * statistics.median(times):.3f}", "≤ 1")
    report("  its message, bytes", f"{statistics.median(sizes):.0f}", "≤ 2,000")
    made = len(json.dumps(stage.spec)) + len(stage._esm.encode())
    report("  creating the stage, bytes", f"{made:,}", "–")
    start = time.perf_counter()
    size = len(stage.still())
    report("  its still picture, bytes; ms", f"{size:,}; {1e3 * (time.perf_counter() - start):.0f}", "≤ 60,000")


def watching(rounds=3):
    """Whole searches, bare and watched in turn (`views.py` has more of it)."""
    darts, evolution = views.kernel(rounds)
    report(
        "watching costs DARTS; evolution on 2 ms answers, %", f"{100 * darts:.1f}; {100 * evolution:.1f}", "≤ 3 both"
    )


def chromium(playwright):
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    return playwright.chromium.launch(executable_path=path, args=FLAGS) if path else None


def page_of(browser, path):
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    start = time.perf_counter()
    page.goto(f"file://{path}")
    page.wait_for_selector(".nasviz-stage[data-n='400']")
    return page, time.perf_counter() - start


def replayed(browser, folder):
    path = to_html(Stage(spec(), ({"alphas": w} for w in weights())), folder / "run.html")
    page, seconds = page_of(browser, path)
    report("recorded run as one file, bytes", f"{path.stat().st_size:,}", "–")
    report("  opened and drawn, s", f"{seconds:.2f}", "–")
    play = """() => new Promise((done) => {
      const { stage } = document.querySelector(".nasviz-stage");
      const rate = document.querySelector(".nasviz-stage select");
      rate.value = "60"; rate.dispatchEvent(new Event("change"));
      stage.seek(0);
      requestAnimationFrame(() => {
        const [draws, ms, start] = [stage.stats.draws, stage.stats.ms, performance.now()];
        stage.toggle();
        const look = () => stage.position() < 399 ? requestAnimationFrame(look)
          : done([stage.stats.draws - draws, stage.stats.ms - ms, performance.now() - start]);
        look();
      }); })"""
    runs = [page.evaluate(play) for _ in range(3)]
    frames = statistics.median(1e3 * draws / elapsed for draws, _, elapsed in runs)
    each = statistics.median(ms / draws for draws, ms, _ in runs)
    report("playing 400 steps, frames/s; script ms a frame", f"{frames:.0f}; {each:.1f}", "≥ 50")
    slider = page.get_by_role("slider")
    for step in np.random.default_rng(1).integers(0, STEPS, 60):
        slider.fill(str(step))
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    latency = page.evaluate("document.querySelector('.nasviz-stage').stage.stats.latency")
    report("scrub to paint, median; worst ms", f"{statistics.median(latency):.0f}; {max(latency):.0f}", "≤ 40")


CELL = """import sys; sys.path[:0] = {paths!r}
from stage import Stage, spec, weights
stages = [Stage(spec(), ({{"alphas": w}} for w in weights(seed))) for seed in range(6)]"""


def lab(browser, folder):
    """A notebook of six stages in JupyterLab: seconds until all are drawn, bytes that its socket carried."""
    here = Path(__file__).resolve().parent
    cells = [CELL.format(paths=[str(here), str(here.parent)])] + [f"stages[{i}]" for i in range(6)]
    code = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [], "source": s, "execution_count": None}
        for i, s in enumerate(cells)
    ]
    named = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": code, "metadata": named, "nbformat": 4, "nbformat_minor": 5}
    (folder / "six.ipynb").write_text(json.dumps(notebook))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--expose-app-in-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
    home = {"JUPYTER_CONFIG_DIR": str(folder / "config"), "IPYTHONDIR": str(folder / "ipython")}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options], cwd=folder, env=os.environ | home, stderr=subprocess.DEVNULL
    )
    try:
        page, carried = browser.new_page(viewport={"width": 1200, "height": 4000}), []

        def count(socket_):
            socket_.on("framereceived", lambda data: carried.append(len(data)))

        page.on("websocket", count)
        for _ in range(100):
            try:
                page.goto(f"http://127.0.0.1:{port}/lab/tree/six.ipynb")
                break
            except Exception:  # the server is still starting
                time.sleep(0.3)
        kernel = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
        page.wait_for_function(kernel + "?.status === 'idle'", timeout=60_000)
        page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        page.locator(".jp-Cell .jp-InputPrompt").first.filter(has_text="[1]:").wait_for(timeout=60_000)
        start = time.perf_counter()  # the first cell has made the stages; the others show them
        page.wait_for_function(
            "document.querySelectorAll(\".nasviz-stage[data-step='399']\").length === 6",
            timeout=60_000,
        )
        report("six stages in JupyterLab, s until all are drawn", f"{time.perf_counter() - start:.2f}", "≤ 3")
        report("  bytes on the socket", f"{sum(carried):,}", "≤ 3,000,000")
        page.screenshot(path=os.environ.get("NASVIZ_SCREENSHOT", str(folder / "six.png")))
    finally:
        server.terminate()
        server.wait(20)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--lab", action="store_true", help="also measure six stages in JupyterLab")
    options = parser.parse_args()
    kernel()
    watching()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = chromium(playwright)
        if browser is None:
            return print("no Chromium found: the browser side is not measured")
        replayed(browser, Path(folder))
        if options.lab:
            lab(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
