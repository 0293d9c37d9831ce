"""Record what lab 00 shows beside its live searches.

    python data/scripts/record_lab00.py

Twelve random searches of 24 trainings, the fast recipe, under the lab's bound: data/lab00-random-SEED.jsonl; and four
seeds of the lab's DARTS: data/lab00-darts-SEED.jsonl. Interrupted, it goes on where it was.
"""

from pathlib import Path

from tqdm import tqdm

from nasviz.estimators import FAST, Training
from nasviz.objectives import Bounded
from nasviz.run import Run
from nasviz.spaces import NasBench201
from nasviz.strategies import Darts, RandomSearch

DATA = Path(__file__).parents[1]


def main() -> None:
    space = NasBench201()
    estimate, objective = Training(space, FAST), Bounded("madds", 200_000)
    searches = {
        f"lab00-random-{seed}": RandomSearch(space, estimate, evaluations=24, objective=objective, seed=seed)
        for seed in range(100, 112)
    } | {
        f"lab00-darts-{seed}": Darts(space, images=1000, batch=32, epochs=8, alpha_lr=0.02, seed=seed)
        for seed in range(4)
    }
    for name, search in tqdm(searches.items(), unit="search"):
        run = Run(search, DATA / f"{name}.jsonl").recall()
        for _ in run if len(run) < len(search) else ():
            pass
        for state in DATA.glob(f"{name}.jsonl.step*"):  # only a search that goes on needs it
            state.unlink()


if __name__ == "__main__":
    main()
