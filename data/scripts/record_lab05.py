"""Record the searches of lab 05's race that fit a model or train a network: data/lab05-race.jsonl.

    python data/scripts/record_lab05.py [--anew]

A budget of 150 full trainings (1,200 epochs) each, 30 seeds, under a bound on multiply-adds. The cost is counted before
anything is trained, so cells over the bound are no part of the space, for nobody. A function is trained once, and a
repeat is free; where a name says so, a repeat is paid. The lab itself runs the searches that only look up. On the
ground truth: after the table has grown, record anew. Run i searches on the i-th training of each cell, counted round,
and the others judge it.
"""

import sys
from pathlib import Path

from nasviz.estimators import nasbench201_table
from nasviz.lessons.bayesian_optimisation import LIMIT, learners
from nasviz.races.race import Race

DATA = Path(__file__).parents[1]
BUDGET, SEEDS = 150, 30


def race(path: Path | None = DATA / "lab05-race.jsonl") -> Race:
    """What is raced."""
    runs = learners(nasbench201_table(), LIMIT, BUDGET)
    return Race(runs, BUDGET, seeds=SEEDS, path=path, command="python data/scripts/record_lab05.py --anew")


if __name__ == "__main__":
    if "--anew" in sys.argv:
        (DATA / "lab05-race.jsonl").unlink(missing_ok=True)
    print(race().standings())
