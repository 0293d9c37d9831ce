"""Kill a recorded search at random moments and resume it: is the finished run equal to one that was never killed?

    python benchmarks/resume.py [--kills 20]

Each search runs in a process of its own that is killed without warning (SIGKILL, or TerminateProcess on Windows), also
in the middle of writing a line; its knobs are turned at fixed steps. Prints a row a search.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nasviz.knobs import knobs
from nasviz.run import Run
from nasviz.spaces import NasBench201


def searches():
    from nasviz.estimators import FAST, Training
    from nasviz.strategies import Darts, RandomSearch, RegularizedEvolution

    space = NasBench201()
    train = Training(space, FAST)
    return {
        "random search": RandomSearch(space, train, evaluations=8),
        "evolution": RegularizedEvolution(space, train, population=4, tournament=2, evaluations=12),
        "DARTS": Darts(space, epochs=3),
    }


TURNS = {"evolution": (6, {"population": 3}), "DARTS": (20, {"alpha_lr": 0.02})}


def go(name: str, path: str) -> Run:
    """One process's life: run the search to its end, turning its knob where it is to be turned."""
    run = Run(searches()[name], path)
    at, turn = TURNS.get(name, (0, {}))
    assert turn.keys() <= knobs(run.search).keys()
    for _ in run:
        if turn and len(run) == at and not run.turns:
            run.turn(**turn)
    return run


def main(kills: int) -> None:
    rng = random.Random(0)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    print(f"{'search':16}{'steps':>7}{'kills':>7}{'equal':>10}{'seconds whole':>15}")
    for name in searches():
        with tempfile.TemporaryDirectory() as folder:
            before = time.perf_counter()
            whole = go(name, f"{folder}/whole.jsonl")
            seconds, equal = time.perf_counter() - before, 0
            for trial in range(kills):
                path = Path(folder, f"{trial}.jsonl")
                command = [sys.executable, __file__, "--go", name, str(path)]
                child = subprocess.Popen(command, env=environment)
                try:
                    child.wait(rng.uniform(2.0, 3.0 + seconds))  # two seconds to start, then any moment
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
                if path.exists() and trial % 2:
                    path.write_bytes(path.read_bytes()[: -rng.randrange(1, 20)])  # a line torn by the kill
                again = go(name, str(path))
                equal += again.steps == whole.steps and again.turns == whole.turns
            print(f"{name:16}{len(whole):7}{kills:7}{equal:5} of {kills:<3}{seconds:13.1f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--go", nargs=2, metavar=("SEARCH", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.go:
        go(*options.go)
    else:
        main(options.kills)
