"""What does a zero-cost score cost? Each score of random NAS-Bench-201 cells, network included, on one thread.

    python benchmarks/zero_cost.py [architectures, 40 if not given]

Median and 90 % quantile in milliseconds of processor time, and as a share of one step of the full recipe, all measured
in turn so that a busy machine disturbs all alike. Wanted: a median of 50 ms or less.
"""

import sys
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from nasviz.estimators.zero_cost import SCORES, ZeroCost
from nasviz.spaces import NasBench201

SPACE = NasBench201()


def main(n: int = 40) -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    archs = [SPACE.sample(rng) for _ in range(n)]
    estimates = {name: ZeroCost(SPACE, (name,)) for name in SCORES}
    spent: dict[str, list[float]] = {name: [] for name in ("a training step", *SCORES)}
    for name in SCORES:
        estimates[name](archs[0])  # data and libraries are loaded
    for arch in archs:
        spent["a training step"].append(step(arch))
        for name, estimate in estimates.items():
            start = time.process_time()
            estimate(arch)
            spent[name].append(time.process_time() - start)
    unit = np.median(spent["a training step"])
    print(f"{n} random NAS-Bench-201 cells, 8×8, batch 64, one thread; ms of processor time\n")
    print(f"{'score':18}{'median':>8}{'90 %':>8}{'steps':>8}")
    for name, seconds in spent.items():
        middle, high = np.quantile(seconds, [0.5, 0.9])
        print(f"{name:18}{1e3 * middle:8.1f}{1e3 * high:8.1f}{middle / unit:8.1f}")


def step(arch) -> float:
    """Seconds of one forward and backward pass of the lab network."""
    network = SPACE.network(arch)
    images, labels = ZeroCost(SPACE)._batch(0)
    start = time.process_time()
    cross_entropy(network(images), labels).backward()
    return time.process_time() - start


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
