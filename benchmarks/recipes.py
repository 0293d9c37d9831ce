"""Do the recipes keep what design and documentation say of them? Accuracies, ranks, noise, and the size baseline.

    python benchmarks/recipes.py [number of architectures, 30 if not given]

Random connected NAS-Bench-201 cells, accuracy on the 10,000 test images: the full recipe with two seeds, the fast one
with a third. About 4.6 s of one core an architecture. The last column is what was measured on sixty others when the
recipes were chosen.
"""

import sys
import time

import numpy as np
from scipy.stats import kendalltau

from nasviz.estimators import FAST, FULL, Training
from nasviz.spaces import NasBench201

C1, C3 = 2, 3


def main(n: int = 30) -> None:
    space, rng = NasBench201(), np.random.default_rng(2024)
    archs: dict[tuple[int, ...], None] = {}
    while len(archs) < n:
        if space.canonical(arch := space.sample(rng)) != "0":
            archs[arch] = None
    full_recipe, fast_recipe = (Training(space, recipe, test=True, progress=True) for recipe in (FULL, FAST))
    start = time.perf_counter()
    first, second, fast = (
        np.array([(100 * e.scores["test_accuracy"], e.seconds) for e in estimate.many(archs, seed=seed)])
        for estimate, seed in ((full_recipe, 0), (full_recipe, 10_000), (fast_recipe, 20_000))
    )
    wall = time.perf_counter() - start
    one, two, quick = first[:, 0], second[:, 0], fast[:, 0]
    full, size = (one + two) / 2, np.array([9 * arch.count(C3) + arch.count(C1) for arch in archs], float)
    noise, spread = (one - two).std() / 2**0.5, full.std()
    seconds = first[:, 1].mean(), fast[:, 1].mean()

    print(f"{n} random connected architectures, {wall:.0f} s for three trainings of each\n")
    print(f"{'':34}{'measured':>10}  {'95 % bootstrap':>16}  {'on sixty':>10}")
    row("full: mean test accuracy, %", full.mean(), "", "79.5")
    row("full: noise of one seed, points", noise, "", "0.55")
    row("full: spread, points", spread, "", "2.4")
    row("full: seconds a training", seconds[0], "", "2.1")
    row("fast: mean test accuracy, %", quick.mean(), "", "")
    row("fast: seconds a training", seconds[1], "", "0.4")
    for name, x, y, expected in (
        ("τ full, seed to seed", one, two, "0.73"),
        ("τ fast with full", quick, full, "0.54"),
        ("τ size with full", size, full, "0.60"),
    ):
        low, high = interval(x, y)
        row(name, kendalltau(x, y).statistic, f"{low:.2f} to {high:.2f}", expected)
    print("\n'full' in the correlations is the mean of both seeds; size is 9 × the 3×3 convolutions plus the 1×1 ones.")


def interval(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of Kendall's τ: architectures drawn with replacement, 2,000 times."""
    rng = np.random.default_rng(0)
    drawn = (rng.integers(len(x), size=len(x)) for _ in range(2000))
    low, high = np.nanpercentile([kendalltau(x[i], y[i]).statistic for i in drawn], [2.5, 97.5])
    return float(low), float(high)


def row(name: str, value: float, interval: str, expected: str) -> None:
    print(f"{name:34}{value:10.2f}  {interval:>16}  {expected:>10}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
