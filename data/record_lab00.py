"""Record what lab 00 draws behind a live search: twelve random searches, the fast recipe, under the lab's bound.

    python data/record_lab00.py

Writes data/lab00-random-SEED.jsonl for seeds 100 to 111, 48 trainings each. Interrupted, it goes on where it was.
"""

from pathlib import Path

from tqdm import tqdm

from nasviz.estimators import FAST, Training
from nasviz.objectives import Bounded
from nasviz.search import Run
from nasviz.spaces import NasBench201
from nasviz.strategies import RandomSearch

SEEDS = range(100, 112)


def main() -> None:
    space = NasBench201()
    estimate, objective = Training(space, FAST), Bounded("madds", 200_000)
    for seed in tqdm(SEEDS, unit="search"):
        search = RandomSearch(space, estimate, evaluations=48, objective=objective, seed=seed)
        run = Run(search, Path(__file__).with_name(f"lab00-random-{seed}.jsonl"))
        for _ in run:
            pass
        tqdm.write(f"seed {seed}: best {run.best.scores['accuracy']:.1%}, {run.seconds:.0f} s of training")


if __name__ == "__main__":
    main()
