"""How long until a student can start: a fresh clone until JupyterLab answers, the second start, ``import nasviz``.

    python benchmarks/setup.py            # clones into a temporary folder with a space in its path; needs 6 GB of disk
    python benchmarks/setup.py --quick    # only the import

The packages come from wherever pip finds them: with a warm cache the first start is unpacking, not downloading. Only
what is committed is cloned.
"""

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]


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
    rows = [
        ("import nasviz", seconds_to_import("import nasviz"), 0.4),
        ("…, space and evolution", seconds_to_import("from nasviz.strategies import RegularizedEvolution"), None),
    ]
    if not quick:
        with tempfile.TemporaryDirectory(prefix="nas viz ") as folder:
            clone = Path(folder) / "clone"
            subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
            rows.append(("fresh clone → make lab serving", seconds_until_serving(clone), 180))
            rows.append(("second start", statistics.median(seconds_until_serving(clone) for _ in range(3)), 10))
    print("| what | seconds | at most |\n| --- | --- | --- |")
    for what, seconds, bound in rows:
        print(f"| {what} | {seconds:.2f} | {bound or ''} |")


if __name__ == "__main__":
    main()
