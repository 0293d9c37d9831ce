"""How far does a short DARTS search move, and what does it find? The largest weight of each edge, by seed.

    python benchmarks/decides.py [--seeds 10] [--first 0] [--size 16] [--images 1000] [--batch 32] [--epochs 26]
        [--alpha-lr 0.4]

A line a seed: how many of the six edges have a weight above 60 %, the largest weight of each edge, the architecture's
mean test accuracy in the table, and the share of the table's rows that are no better. Then the means over the seeds,
and on how many of the six edges two seeds agree: 1.5 for cells drawn at random from the four operations that
`discretize` may choose. What was tried stands in benchmarks/decides.md.
"""

import argparse
import time

import numpy as np

from nasviz.estimators import nasbench201_table
from nasviz.lessons.darts import agreement
from nasviz.spaces import NasBench201
from nasviz.strategies import Darts

DECIDED = 0.6


def main(seeds: int, first: int, **fields) -> None:
    space, table = NasBench201(), nasbench201_table()
    truth = table.column("test_accuracy", None)
    found, archs = [], []
    for seed in range(first, first + seeds):
        before = time.process_time()
        *_, last = Darts(space, seed=seed, **fields)
        seconds, weights = time.process_time() - before, last.shows["alphas"]
        archs.append(space.discretize(weights))
        accuracy = truth[table.row(archs[-1])]
        found.append([(weights.max(1) > DECIDED).sum(), accuracy, np.mean(truth <= accuracy), seconds])
        edges = " ".join(f"{100 * weight:3.0f}" for weight in weights.max(1))
        decided, _, share, _ = found[-1]
        print(
            f"seed {seed}: {decided:.0f} of {len(weights)} edges above 60 % ({edges} %), accuracy {accuracy:.4f}, "
            f"percentile {100 * share:.0f}, {seconds:.0f} s of processor   {space.to_text(archs[-1])}",
            flush=True,
        )
    decided, accuracy, share, seconds = np.array(found, float).T
    print(
        f"four edges or more: {(decided >= 4).sum()} of {seeds} seeds; accuracy {accuracy.mean():.4f}, percentile "
        f"{100 * share.mean():.0f} ({100 * share.min():.0f} to {100 * share.max():.0f}), two seeds agree on "
        f"{agreement(archs):.1f} of {len(space.relaxed)} edges, {seconds.mean():.0f} s"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    defaults = (("seeds", 10), ("first", 0), ("size", 16), ("images", 1000), ("batch", 32), ("epochs", 26))
    for name, default in defaults:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--alpha-lr", type=float, default=0.4)
    parser.add_argument("--weight-lr", type=float, default=0.1)
    main(**vars(parser.parse_args()))
