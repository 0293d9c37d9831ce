"""Record what lab 00 shows beside a live search: 200 random architectures, the fast recipe.

    python data/record_lab00.py

Writes data/lab00-random.jsonl, from which the lab draws its random-search band. Interrupted, it goes on where it was.
"""

from pathlib import Path

from tqdm import tqdm

from nasviz.estimators import FAST, Training
from nasviz.search import Run
from nasviz.spaces import NasBench201
from nasviz.strategies import RandomSearch


def main() -> None:
    space = NasBench201()
    search = RandomSearch(space, Training(space, FAST), evaluations=200, seed=1000)
    run = Run(search, Path(__file__).with_name("lab00-random.jsonl"))
    for _ in tqdm(run, total=len(search), unit="architecture"):
        pass
    print(f"{len(run)} architectures, best {run.best.scores['accuracy']:.1%}, {run.seconds:.0f} s of training")


if __name__ == "__main__":
    main()
