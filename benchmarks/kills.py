"""20 kills at random moments of everything that writes a record: is the end as if nobody had died?

    python benchmarks/kills.py [--kills 20] [--only WORD]

What is killed, and how, is in tests/kills.py: SIGKILL at a moment drawn from a seed, every second record torn besides,
every third process killed twice, knobs turned. "equal" counts the ends that are those of a process that nobody killed.
`benchmarks/resume.py` kills by the clock, in fresh processes; it is for systems without fork, too.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # what is killed

import kills  # noqa: E402


def main(count: int, only: str) -> None:
    """A row for each case whose name or family holds ``only``."""
    print("| what | family | kills | equal | seconds |")
    print("| --- | --- | ---: | ---: | ---: |", flush=True)
    for name, case in kills.cases().items():
        if only in name or only in case.family:
            before = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                equal, killed = kills.survived(case, Path(folder), count)
            seconds = time.perf_counter() - before
            print(f"| {name} | {case.family} | {killed} | {equal} of {count} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    main(options.kills, options.only)
