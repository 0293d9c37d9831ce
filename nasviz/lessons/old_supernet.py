"""Lab 09's last exercise: four causes why the first elastic supernet of this course did not rank its children.

That supernet has the space of Once-for-all on images of 8×8 pixels. Its children, what they inherit and what they
reach alone were recorded (data/one-shot/). Kendall's τ of the two was -0.13.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from ..analysis import stats
from ..paths import data_dir
from ..run import Run
from ..space import Arch
from ..spaces import ElasticSpace

SHORT, LONG = 6, 20  # epochs of the children's trainings alone
SIDE = 8  # pixels of the images
LAYER = 2  # choices of a layer: kernel and expansion


@dataclass(frozen=True)
class Old:
    """The sixty children of the old supernet.

    Attributes
    ----------
    archs : list of n Arch
    inherited : array of shape (n,)
        Validation accuracies on its weights, percent.
    alone : array of shape (n,)
        Test accuracies after a training of six epochs alone, percent: the mean where there are two.
    side : array of shape (n,)
        Pixels of the image that enters.
    """

    archs: list[Arch]
    inherited: np.ndarray
    alone: np.ndarray
    side: np.ndarray


@cache
def trainings() -> dict[int, dict[Arch, list[float]]]:
    """Recorded test accuracies alone, percent, by the epochs of the training, then by child: one for each seed."""
    found: dict[int, dict[Arch, list[float]]] = {SHORT: {}, LONG: {}}
    for line in (data_dir() / "one-shot" / "alone.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["epochs"]].setdefault(tuple(row["arch"]), []).append(100 * row["scores"]["test_accuracy"])
    return found


def recorded() -> Old:
    """The children whose inherited accuracy and accuracy alone are known."""
    space, alone = ElasticSpace(), trainings()[SHORT]
    steps = Run.load(data_dir() / "one-shot" / "inherited.jsonl").steps
    found = [step.evaluation for step in steps if step.evaluation is not None]
    said = {one.arch: 100 * one.scores["inherited"] for one in found}
    archs = [arch for arch in alone if arch in said]
    return Old(
        archs,
        np.array([said[arch] for arch in archs]),
        np.array([np.mean(alone[arch]) for arch in archs]),
        np.array([round(SIDE * space.share(arch)) for arch in archs]),
    )


@torch.no_grad()
def idle_kernels(side: int = SIDE) -> tuple[int, int]:
    """Layers of the largest child whose kernels of 7×7 and 3×3 are the same function on such images, and all layers.

    In each layer in turn all but the middle 3×3 of the filters becomes 0, and the outputs are compared.
    """
    space = ElasticSpace()
    images = torch.randn(32, 1, side, side, generator=torch.Generator().manual_seed(0)).double()
    network = space.network(space.largest).double().train()  # with each batch's own statistics
    before, idle = network(images), 0
    large = [layer for layer in network.modules() if getattr(layer, "kernel_size", None) == (7, 7)]
    for layer in large:
        whole = layer.weight.clone()
        layer.weight.zero_()
        layer.weight[..., 2:5, 2:5] = whole[..., 2:5, 2:5]
        idle += torch.allclose(network(images), before, rtol=1e-9, atol=1e-9)
        layer.weight.copy_(whole)
    return idle, len(large)


def by_side(old: Old) -> list[tuple[int, int, float, float]]:
    """For each side of the image: side, children, mean inherited accuracy, mean accuracy alone."""
    return [
        (int(side), int(here.sum()), float(old.inherited[here].mean()), float(old.alone[here].mean()))
        for side in np.unique(old.side)
        if (here := old.side == side).any()
    ]


def middle_of_costs(space, cost, draws: int = 300, seed: int = 0) -> tuple[float, float]:
    """Ratio of the highest to the lowest cost: over the middle 80 % of uniform draws, and from smallest to largest."""
    rng = np.random.default_rng(seed)
    low, high = np.quantile([cost(space.sample(rng)) for _ in range(draws)], (0.1, 0.9))
    return float(high / low), cost(space.largest) / cost(space.smallest)


def truths() -> tuple[stats.Interval, float, float]:
    """τ between two short trainings of one child; the largest child's lead over the smallest, after 6 and 20 epochs."""
    short, long = trainings()[SHORT], trainings()[LONG]
    space = ElasticSpace()
    twice = np.array([scores[:2] for scores in short.values() if len(scores) > 1])
    early, late = (float(np.mean(of[space.largest]) - np.mean(of[space.smallest])) for of in (short, long))
    return stats.tau_interval(*twice.T), early, late
