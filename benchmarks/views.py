"""What it costs a search to be watched, on one torch thread: paired runs of the bare loop and of the player.

    python benchmarks/views.py               the kernel's side: rows, the status line; no one receives messages
    python benchmarks/views.py --browser     also with JupyterLab and Chromium on the same cores: wall time

Must hold: 3 % on the kernel's side, 10 % with the browser.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median

STEPS = 100


def bare(search, n: int, clock=time.perf_counter) -> float:
    """Seconds for n steps of a search after its first."""
    from nasviz.run import Run

    steps = iter(Run(search))
    next(steps)
    begin = clock()
    for _ in range(n):
        next(steps)
    seconds = clock() - begin
    steps.close()
    return seconds


def watched(player, n: int, clock=time.perf_counter) -> float:
    """The same through a player, which may be on a screen."""
    player.run(1)
    begin = clock()
    player.run(n)
    return clock() - begin


def pairs(make_search, make_player, n: int, rounds: int) -> list[tuple[float, float]]:
    """(bare, watched) seconds of this process's processor time, in turn: what else the machine does counts little."""
    out, clock = [], time.process_time
    for i in range(rounds):
        both = [lambda: bare(make_search(), n, clock), lambda: watched(make_player(), n, clock)]
        first, second = both if i % 2 == 0 else both[::-1]
        a, b = first(), second()
        out.append((a, b) if i % 2 == 0 else (b, a))
    return out


def row(name: str, n: int, times: list[tuple[float, float]]) -> None:
    ratio = median(b / a for a, b in times)
    slow, fast = (1000 * median(t[i] for t in times) / n for i in (0, 1))
    print(f"{name:44} {slow:8.2f} {fast:8.2f} {100 * (ratio - 1):+7.1f} %   {len(times)} pairs", flush=True)


def kernel(rounds: int) -> None:
    from nasviz.estimator import Estimator
    from nasviz.spaces import NasBench201
    from nasviz.step import Evaluation
    from nasviz.strategies import Darts, RegularizedEvolution
    from nasviz.views import Player

    class Instant(Estimator):
        """Takes 2 ms, as looking up a table and drawing a cell may."""

        def __call__(self, arch, *, epochs=None, seed=0):
            end = time.perf_counter() + 0.002
            while time.perf_counter() < end:
                pass
            return Evaluation(arch, {"accuracy": sum(arch) / 24, "madds": 1.0}, 0.002, 1, seed)

    space = NasBench201()

    def darts():
        return Darts(space, size=8, images=1000, epochs=20)

    def evolution():
        return RegularizedEvolution(space, Instant(), population=20, tournament=5, evaluations=2000)

    row("DARTS, kernel's side", STEPS, pairs(darts, lambda: Player(darts()), STEPS, rounds))
    row("evolution on 2 ms answers, kernel's side", 1000, pairs(evolution, lambda: Player(evolution()), 1000, rounds))


CELLS = """\
import sys; sys.path.insert(0, {benchmarks!r})
import views as bench
from nasviz.spaces import NasBench201
from nasviz.strategies import Darts
from nasviz.views import Player
from IPython.display import display
space = NasBench201()
def search():
    return Darts(space, size=8, images=1000, epochs=20)
player = Player(search()); display(player)
---
import json
times = []
for _ in range({rounds}):
    a = bench.bare(search(), {steps}); player.reset(); bench.time.sleep(.5)
    times.append((a, bench.watched(player, {steps})))
open({out!r}, "w").write(json.dumps(times))
"""


def browser(rounds: int) -> None:
    """JupyterLab and Chromium on the same cores; the kernel itself measures, the player being on the screen."""
    from playwright.sync_api import sync_playwright

    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from conftest import CHROMIUM, CHROMIUM_FLAGS

    chromium = next(filter(None, map(shutil.which, CHROMIUM)))
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "times.json")
        text = CELLS.format(benchmarks=str(Path(__file__).parent), rounds=rounds, steps=STEPS, out=out)
        blank = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        cells = [blank | {"id": f"c{i}", "source": source} for i, source in enumerate(text.split("---\n"))]
        kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = {"cells": cells, "metadata": {"kernelspec": kernelspec}, "nbformat": 4, "nbformat_minor": 5}
        Path(folder, "bench.ipynb").write_text(json.dumps(notebook))
        port = 9423
        options = ["--no-browser", "--allow-root", "--IdentityProvider.token=", "--expose-app-in-browser"]
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", *options, f"--port={port}", f"--ServerApp.root_dir={folder}"],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/api"), 60)
            with sync_playwright() as playwright:
                opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
                page = opened.new_page(viewport={"width": 1200, "height": 1300})
                page.goto(f"http://127.0.0.1:{port}/lab/tree/bench.ipynb", timeout=120_000)
                ready = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status == 'idle'"
                page.wait_for_function(ready, timeout=120_000)
                page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
                page.wait_for_selector(".nasviz-stage", timeout=120_000)
                while not os.path.exists(out):
                    page.wait_for_timeout(1000)
                opened.close()
            row("DARTS, with JupyterLab and a browser", STEPS, json.loads(Path(out).read_text()))
        finally:
            server.terminate()
            server.wait(30)


def _wait(call, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            call()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{'ms a step: median':44} {'bare':>8} {'watched':>8} {'cost':>9}")
    kernel(arguments.rounds)
    if arguments.browser:
        browser(arguments.rounds)
