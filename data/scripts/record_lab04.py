"""Record the searches of equal budgets that lab 04 compares: data/lab04-rivals.npz.

    python data/scripts/record_lab04.py

Random search, evolution and REINFORCE, 500 evaluations each, 30 seeds, on the ground truth and under the lab's bound:
after the table has grown, record anew. Both that have settings are tuned first, as Real et al. 2019 did: a few settings
each, on seeds that are not recorded, by the mean of all accuracies that such a search sees. Recorded because REINFORCE
trains a network: its choices depend on a processor's rounding. It takes about two minutes of one core.
"""

from pathlib import Path

import numpy as np

from nasviz.estimators import TableLookup, nasbench201_table
from nasviz.lessons.evolution import RECORD, UNIT, cheap, judge_of
from nasviz.strategies import RandomSearch, RegularizedEvolution, Reinforce

DATA = Path(__file__).parents[1]
BUDGET, SEEDS, TUNING = 500, range(30), range(1000, 1010)
SETTINGS = {
    "RandomSearch": [{}],
    "RegularizedEvolution": [
        {"population": p, "tournament": s} for p, s in ((20, 5), (20, 20), (50, 10), (50, 25), (100, 25))
    ],
    "Reinforce": [{"lr": lr, "batch": 5} for lr in (0.001, 0.003, 0.01, 0.03, 0.1)],
}
MAKE = {"RandomSearch": RandomSearch, "RegularizedEvolution": RegularizedEvolution, "Reinforce": Reinforce}


def main() -> None:
    table = nasbench201_table()
    space, estimate = cheap(table), TableLookup(table)
    judge = judge_of(space)

    def run(name, settings, seed):
        return [step.evaluation for step in MAKE[name](space, estimate, evaluations=BUDGET, seed=seed, **settings)]

    def accuracies(evaluations):
        return [one.scores["accuracy"] for one in evaluations]

    reported, true, tried, means = [], [], [], []
    for name, settings in SETTINGS.items():
        seen = [np.mean([accuracies(run(name, one, seed)) for seed in TUNING]) for one in settings]
        best = settings[int(np.argmax(seen))]
        tried += [f"{name}: " + ", ".join(f"{key} {value:g}" for key, value in one.items()) for one in settings]
        means += seen
        print(*map("{}: {:.4f}".format, tried[-len(seen) :], seen), sep="\n", flush=True)
        runs = [run(name, best, seed) for seed in SEEDS]
        reported.append([accuracies(one) for one in runs])
        true.append([judge(one) / 100 for one in runs])
    numbers = {"reported": reported, "true": true}
    numbers = {key: np.round(UNIT * np.array(values)).astype(np.uint16) for key, values in numbers.items()}
    np.savez_compressed(DATA / RECORD, names=list(SETTINGS), tried=tried, means=means, **numbers)


if __name__ == "__main__":
    main()
