"""What it costs a search to be watched, on one torch thread: paired runs of the bare loop and of the player.

    python benchmarks/views.py               the kernel's side, alone and in a kernel that nobody looks at
    python benchmarks/views.py --browser     also with JupyterLab and Chromium on the same cores: wall time

The kernel's side is read off a clock of the thread that takes the steps: processor time within a step, and between two
steps, where the watcher works; with what other threads of the process spend meanwhile, such as the one that sends
messages. What else the machine does counts little so.

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
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

STEPS = 100


def bare(search, n: int) -> float:
    """Seconds for n steps of a search after its first."""
    from nasviz.run import Run

    steps = iter(Run(search))
    next(steps)
    begin = time.perf_counter()
    for _ in range(n):
        next(steps)
    seconds = time.perf_counter() - begin
    steps.close()
    return seconds


def watched(player, n: int) -> float:
    """The same through a player, which may be on a screen."""
    player.run(1)
    begin = time.perf_counter()
    player.run(n)
    return time.perf_counter() - begin


def row(name: str, n: int, times: list[tuple[float, float]]) -> None:
    """Print seconds of n steps, (bare, watched) each."""
    ratio = median(b / a for a, b in times)
    slow, fast = (1000 * median(t[i] for t in times) / n for i in (0, 1))
    print(
        f"{name:44} {slow:8.2f} ms bare, {fast:8.2f} watched {100 * (ratio - 1):+7.1f} %   {len(times)} pairs",
        flush=True,
    )


def timed(search, log: list[tuple[float, float, float]]):
    """The same search, whose steps note when they begin and end: processor time of their thread, and of all threads."""

    class Timed(type(search)):
        def __iter__(self):
            steps = super().__iter__()
            while True:
                begin = time.thread_time()
                try:
                    step = next(steps)
                except StopIteration:
                    return
                log.append((begin, time.thread_time(), time.process_time()))
                yield step

    Timed.__name__ = type(search).__name__
    return Timed(**{one.name: getattr(search, one.name) for one in fields(search) if one.init})


def within_and_beside(log: list[tuple[float, float, float]], first: int = 5) -> tuple[float, float]:
    """Seconds within a step (the median), and beside it: between two, or in other threads (the mean)."""
    log = log[first:]
    between = mean(after[0] - before[1] for before, after in pairwise(log))
    own, all_threads = (log[-1][clock] - log[0][clock] for clock in (1, 2))
    return median(end - begin for begin, end, _ in log), between + (all_threads - own) / (len(log) - 1)


def cost(name: str, make, n: int, rounds: int) -> float:
    """Print what watching costs; return its share of a step."""
    from nasviz.views import Player

    ways = {"bare": lambda search: bare(search, n), "watched": lambda search: watched(Player(search), n)}
    found: dict[str, list] = {way: [] for way in ways}
    for i in range(rounds):
        for way in ways if i % 2 == 0 else reversed(ways):
            log: list[tuple[float, float, float]] = []
            ways[way](timed(make(), log))
            found[way].append(within_and_beside(log))
    step, before, same, after = (median(times[i] for times in found[way]) for way in ways for i in (0, 1))
    share = (after - before) / min(step, same)
    print(
        f"{name:44} {1e3 * step:8.2f} ms a step, {1e6 * before:5.0f} µs beside it; watched {1e3 * same:8.2f} ms, "
        f"{1e6 * after:5.0f} µs: {100 * share:+5.2f} %",
        flush=True,
    )
    return share


def kernel(rounds: int, where: str = "") -> list[float]:
    """Print what it costs DARTS as in lab 06, and evolution as in lab 04 on answers of 2 ms; return the shares."""
    from nasviz.estimator import Estimator
    from nasviz.spaces import NasBench201
    from nasviz.step import Evaluation
    from nasviz.strategies import Darts, RegularizedEvolution

    class Instant(Estimator):
        """Takes 2 ms of the processor, as looking up a table and drawing a cell may."""

        def __call__(self, arch, *, epochs=None, seed=0):
            end = time.thread_time() + 0.002
            while time.thread_time() < end:
                pass
            return Evaluation(arch, {"accuracy": sum(arch) / 24, "madds": 1.0}, 0.002, 1, seed)

    space = NasBench201()

    def darts():
        return Darts(space, images=1000, batch=32, epochs=8, alpha_lr=0.02)

    def evolution():
        return RegularizedEvolution(space, Instant(), population=30, tournament=8, evaluations=1000)

    return [
        cost(f"watched: DARTS{where}", darts, STEPS, rounds),
        cost(f"watched: evolution on 2 ms answers{where}", evolution, 500, rounds),
    ]


def in_a_kernel(rounds: int) -> None:
    """The same in a kernel of Jupyter, whose messages are packed, signed and sent, with nobody who draws them."""
    from jupyter_client.manager import start_new_kernel

    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        here = str(Path(__file__).parent)
        code = f"import sys; sys.path.insert(0, {here!r}); import views; views.kernel({rounds}, ', in a kernel')"
        asked = client.execute(code)
        while True:
            message = client.get_iopub_msg(timeout=600)
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                print(message["content"]["text"], end="", flush=True)
            if message["msg_type"] == "error":
                raise RuntimeError("\n".join(message["content"]["traceback"]))
            idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
            if idle and message["parent_header"].get("msg_id") == asked:
                return
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


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
    kernel(arguments.rounds)
    in_a_kernel(arguments.rounds)
    if arguments.browser:
        browser(arguments.rounds)
