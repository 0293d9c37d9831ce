"""How fast is a training? The full recipe against a plain loop, step by step in turn; and all cores against one.

    python benchmarks/training.py [rounds, 100 if not given]

The plain loop is what one writes first: NCHW memory, ``torch.optim.SGD``, a permuted copy of each batch. Both make the
same steps; medians of the processor time of one step, taken alternately so that a busy machine disturbs both alike.
The floor is the time of a step's multiply-adds at the rate of a large product of matrices on this core.
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
from nasviz.nn import count
from nasviz.nn.descent import Nesterov
from nasviz.nn.plain import learning
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
    learn = learning(network, images, FULL.batch, 10, SPACE.to_text(arch))

    def step(chosen):
        loss = learn(images[chosen], labels[chosen])
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


def rate() -> float:
    """Multiply-adds a millisecond of one core in a product of two matrices of 512×512: the best of ten."""
    one, times = torch.randn(512, 512), []
    for _ in range(10):
        start = time.process_time()
        one @ one
        times.append(time.process_time() - start)
    return 512**3 / (1e3 * min(times))


def products(arch) -> float:
    """Multiply-adds of a step: forward, by the weights, and by the inputs, which the stem does not need."""
    cell = SPACE.network(arch).body[0]
    network = SPACE.network(tuple(op if i in cell.live else 0 for i, op in enumerate(arch)))
    size = {layer.name: layer.madds for layer in count.layers(network, (1, FULL.size, FULL.size))}
    return FULL.batch * (3 * size[""] - size["stem"])


def main(rounds: int = 100) -> None:
    torch.set_num_threads(1)
    data = datasets.load(size=FULL.size)
    images, labels = torch.from_numpy(data.normalized("train")), torch.from_numpy(data.train_labels.copy())
    rng, speed = np.random.default_rng(0), rate()
    print(f"one step of the full recipe, batch {FULL.batch}, one thread, median of {rounds}, ms of processor time\n")
    print(f"{'cell':16}{'plain':>8}{'ours':>8}{'ratio':>8}{'floor':>8}")
    for name, arch in CELLS.items():
        one, two = compared(arch, images, labels, rounds, rng)
        print(f"{name:16}{one:8.2f}{two:8.2f}{one / two:8.2f}{products(arch) / speed:8.2f}")
    cells = [SPACE.sample(np.random.default_rng((1, i))) for i in range(30)]
    both = np.array([compared(arch, images, labels, rounds // 3, rng) for arch in cells])
    one, two = both.mean(0)
    ratio = (both[:, 0] / both[:, 1]).mean()
    floor = np.mean([products(arch) for arch in cells]) / speed
    print(f"{'30 random':16}{one:8.2f}{two:8.2f}{ratio:8.2f}{floor:8.2f}   (means; {speed / 1e6:.0f} GMAC/s)\n")

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
