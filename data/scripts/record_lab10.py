"""Record what lab 10 shows of fronts: NSGA-II beside random search on a small budget, from twenty seeds.

    python data/scripts/record_lab10.py

Sixty evaluations of each search on the ground truth, with milliseconds from the shipped table of one image:
data/lab10-fronts.npz has, for each search, seed and evaluation, the milliseconds, the accuracy that the search saw, and
the accuracy of the trainings that it did not see. What the file has of a seed is kept. Some three minutes of one core.
"""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from nasviz.estimators import TableLookup, WithCost, nasbench201_table
from nasviz.hardware import LatencyTable, target
from nasviz.objectives import Less, accuracy
from nasviz.spaces import NasBench201
from nasviz.strategies import Nsga2, RandomSearch

OUT = Path(__file__).parents[1] / "lab10-fronts.npz"
SEEDS, EVALUATIONS, TRAINING = range(20), 60, 0
SEARCHES = ("NSGA-II", "random search")


def main() -> None:
    space, table = NasBench201(), nasbench201_table()
    latencies = LatencyTable.load(OUT.parent / "latency-torch.json")
    estimate = WithCost(TableLookup(table, seed=TRAINING), target("one image", latencies, space, (1, 16, 16)).cost)
    found = np.zeros((len(SEARCHES), len(SEEDS), EVALUATIONS, 3), np.float32)
    known: list[int] = []
    if OUT.exists():
        with np.load(OUT) as before:
            if str(before["table"]) == table.coverage:
                known = before["seeds"].tolist()
                found[:, : len(known)] = before["found"]
    for seed in tqdm(SEEDS[len(known) :], unit="seed"):
        size = {"evaluations": EVALUATIONS, "seed": seed}
        wide = {"population": 10, "batch": 10, "objectives": (accuracy, Less("latency_ms"))}
        for place, search in enumerate((Nsga2(space, estimate, **wide, **size), RandomSearch(space, estimate, **size))):
            for number, step in enumerate(search):
                scores = step.evaluation.scores
                truth = table.judge(step.evaluation.arch, TRAINING)
                found[place, seed, number] = scores["latency_ms"], scores["accuracy"], truth
        done = found[:, : seed + 1]
        np.savez_compressed(OUT, found=done, seeds=SEEDS[: seed + 1], searches=SEARCHES, table=table.coverage)


if __name__ == "__main__":
    main()
