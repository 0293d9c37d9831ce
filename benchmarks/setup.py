"""How long until a student can start: a fresh clone until JupyterLab answers, the second start, ``import nasviz``.

    python benchmarks/setup.py            # clones into a temporary folder with a space in its path; needs 6 GB of disk
    python benchmarks/setup.py --quick    # only the import

The packages come from wherever pip finds them: with a warm cache the first start is unpacking, not downloading. Only
what is committed is cloned. Beside the seconds on the clock stand those of the processors, which a busy machine changes
less. The parts of the first start are told by the times of the Makefile's stamps. Two ways to install are compared in
turn: `UV=` before the command keeps to pip.
"""

import argparse
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


PARTS = {"python": "the environment", "torch": "torch, and most of the rest", "lab": "what is left of the rest"}


def seconds_until_serving(folder: Path) -> float:
    """Runs ``make lab`` in ``folder`` until its JupyterLab answers, then stops it. RuntimeError if make ends first."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.perf_counter()
    command = ["make", "lab", f"LAB_ARGS=--no-browser --port={port} --ServerApp.port_retries=0"]
    lab = subprocess.Popen(command, cwd=folder, start_new_session=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    try:
        while not answers(f"http://127.0.0.1:{port}/lab"):
            if lab.poll() is not None:
                raise RuntimeError(f"make lab ended with status {lab.returncode}, see above")
            time.sleep(0.1)
        return time.perf_counter() - start
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        lab.wait()


def answers(address: str) -> bool:
    """Whether something answers there, be it with a refusal: without its token JupyterLab shows its login."""
    try:
        urllib.request.urlopen(address, timeout=5).close()
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def computing() -> float:
    """Seconds that the processors worked so far for what this process started, and which has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def parts(folder: Path, begin: float, end: float) -> Iterator[tuple[str, float]]:
    """What a first start spent its time with: from ``begin`` to ``end``, seconds since 1970."""
    for stamp, what in PARTS.items():
        done = (folder / ".venv" / f"{stamp}.stamp").stat().st_mtime
        yield f"…, {what}", done - begin
        begin = done
    yield "…, the labs and JupyterLab", end - begin


def seconds_to_import(statement: str, repeats: int = 9) -> float:
    """Median over fresh interpreters of what ``statement`` adds to starting Python."""

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        return time.perf_counter() - start

    run(statement)  # bytecode
    pairs = [(run("pass"), run(statement)) for _ in range(repeats)]
    return statistics.median(with_it - bare for bare, with_it in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="measure the import alone")
    quick = parser.parse_args().quick
    rows: list[tuple[str, float, float | None]] = [
        ("import nasviz", seconds_to_import("import nasviz"), 0.4),
        ("…, space and evolution", seconds_to_import("from nasviz.strategies import RegularizedEvolution"), None),
    ]
    if not quick:
        with tempfile.TemporaryDirectory(prefix="nas viz ") as folder:
            clone = Path(folder) / "clone"
            subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
            before, begin = computing(), time.time()
            seconds = seconds_until_serving(clone)
            rows.append(("fresh clone → make lab serving", seconds, 90))
            rows += [(what, spent, None) for what, spent in parts(clone, begin, begin + seconds)]
            rows.append(("…, the processors' seconds", computing() - before, None))
            rows.append(("second start", statistics.median(seconds_until_serving(clone) for _ in range(3)), 10))
    print("| what | seconds | at most |\n| --- | --- | --- |")
    for what, seconds, bound in rows:
        print(f"| {what} | {seconds:.2f} | {bound or ''} |")


if __name__ == "__main__":
    main()
