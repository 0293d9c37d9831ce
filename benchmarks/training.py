"""How fast is a training? The full recipe against a plain loop, step by step in turn; and all cores against one.

    python benchmarks/training.py [rounds, 100 if not given]

The plain loop is what one writes first: NCHW memory, ``torch.optim.SGD``, a permuted copy of each batch. Both make the
same steps; medians of the processor time of one step, taken alternately so that a busy machine disturbs both alike.
"""

import os
import sys
import time
from statistics import median

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from nasviz import datasets
from nasviz.estimators import FULL, Training
from nasviz.nn.descent import Nesterov
from nasviz.spaces import NasBench201
from nasviz.workers import workers

SPACE = NasBench201()
CELLS = {
    "all conv3×3": (3, 3, 3, 3, 3, 3),
    "all conv1×1": (2, 2, 2, 2, 2, 2),
    "all pooling": (4, 4, 4, 4, 4, 4),
    "all skip": (1, 1, 1, 1, 1, 1),
    "mixed": (3, 1, 2, 4, 1, 3),
}


def plain(arch, images, labels):
    """A step of the plain loop."""
    network = SPACE.network(arch).to(memory_format=torch.contiguous_format)
    images = images.contiguous()
    optimizer = torch.optim.SGD(network.parameters(), FULL.lr, FULL.momentum, weight_decay=FULL.decay, nesterov=True)

    def step(chosen):
        loss = cross_entropy(network(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def ours(arch, images, labels):
    """A step as `Training` makes it."""
    network = SPACE.network(arch)
    images = images.contiguous(memory_format=torch.channels_last)
    descent = Nesterov(network, FULL.momentum, FULL.decay)

    def step(chosen):
        loss = cross_entropy(network(images[chosen]), labels[chosen])
        loss.backward()
        descent.step(FULL.lr)
        return loss.item()

    return step


def compared(arch, images, labels, rounds: int, rng) -> tuple[float, float]:
    """Median milliseconds of a step, plain and ours, taken in turn."""
    steps = plain(arch, images, labels), ours(arch, images, labels)
    times: tuple[list[float], list[float]] = [], []
    for _ in range(rounds):
        chosen = torch.from_numpy(rng.integers(FULL.images, size=FULL.batch))
        losses = []
        for step, spent in zip(steps, times, strict=True):
            start = time.process_time()
            losses.append(step(chosen))
            spent.append(time.process_time() - start)
        if len(times[0]) == 1 and abs(losses[0] - losses[1]) > 1e-4:
            raise SystemExit(f"{arch}: the first losses differ, {losses}: the two do not do the same")
    one, two = (1e3 * median(spent) for spent in times)
    return one, two


def main(rounds: int = 100) -> None:
    torch.set_num_threads(1)
    data = datasets.load(size=FULL.size)
    images, labels = torch.from_numpy(data.normalized("train")), torch.from_numpy(data.train_labels.copy())
    rng = np.random.default_rng(0)
    print(f"one step of the full recipe, batch {FULL.batch}, one thread, median of {rounds}, ms of processor time\n")
    print(f"{'cell':16}{'plain':>8}{'ours':>8}{'ratio':>8}")
    for name, arch in CELLS.items():
        one, two = compared(arch, images, labels, rounds, rng)
        print(f"{name:16}{one:8.2f}{two:8.2f}{one / two:8.2f}")
    both = np.array([compared(SPACE.sample(rng), images, labels, rounds // 3, rng) for _ in range(30)])
    one, two = both.mean(0)
    ratio = (both[:, 0] / both[:, 1]).mean()
    print(f"{'30 random':16}{one:8.2f}{two:8.2f}{ratio:8.2f}   (means)\n")

    archs = [SPACE.sample(rng) for _ in range(8)]
    estimate = Training(SPACE, FULL)
    list(estimate.many(archs[:2] * workers(), epochs=1))  # warm
    start = time.perf_counter()
    alone = [estimate(arch, seed=i) for i, arch in enumerate(archs)]
    one = time.perf_counter() - start
    start = time.perf_counter()
    together = list(estimate.many(archs))
    all_of_them = time.perf_counter() - start
    if together != alone:
        raise SystemExit("the workers' results differ from those of this process")
    print(f"{len(archs)} full trainings: one core {one:.1f} s, {workers()} workers {all_of_them:.1f} s, ", end="")
    load = f"; load of the machine {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"ratio {one / all_of_them:.2f}; same results{load}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
