"""Lab 09: what the children of one supernet inherit, and what they reach alone, as recorded.

Accuracies are in percent here, and differences of them in points. Truth is the mean test accuracy of a child's
trainings alone. A supernet judges on validation images, so no child is judged by the images that chose it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..estimators import Inherited, Recipe
from ..paths import data_dir
from ..space import Arch
from ..spaces import ElasticResNet
from ..strategies import BigNas, OnceForAll, TrainSupernet
from ..strategies.train_supernet import strata

SEEDS = range(3)
RECIPE = Recipe(size=16, images=8000, epochs=8, batch=64, lr=0.1)  # of a child alone
BUDGET, BAND = 300_000, 0.07  # multiply-adds, and by what share a child's may differ from them
SPREAD, INSIDE = 5, 10  # children of each stratum of cost; of each image side at the budget
BATCHES = 10  # of 64 images, from which a child's batch-norms take their statistics

# The supernets that are compared. All train about four thousand children, a batch each, on the same images.
_SAME: dict[str, Any] = {"size": 16, "images": 8000, "batch": 64, "epochs": 8, "lr": 0.1}
_EACH = _SAME | {"schedule": "cosine"}
_LABELS = _EACH | {"distillation": 0.0}
WAYS: dict[str, tuple[type, dict[str, Any]]] = {
    "four drawn": (BigNas, _LABELS | {"sandwich": False}),
    "four drawn, by cost": (BigNas, _LABELS | {"sandwich": False, "sampler": "stratified"}),
    "sandwich": (BigNas, _LABELS),
    "sandwich, by cost": (BigNas, _LABELS | {"sampler": "stratified"}),
    "sandwich, half distilled": (BigNas, _EACH | {"distillation": 0.5}),
    "sandwich, distilled": (BigNas, _EACH | {"distillation": 1.0}),
    "progressive shrinking": (OnceForAll, _SAME | {"epochs": (6, 2, 2, 5), "children": 3}),
    "one drawn": (TrainSupernet, _SAME | {"epochs": 32}),
    "six drawn, fairly": (TrainSupernet, _SAME | {"epochs": 5, "sampler": "fair"}),
}
CHOSEN_WAY = "one drawn"
LONG = 96  # epochs of the lab's supernets, trained in the chosen way
ALL_COSTS, ONE_BUDGET = slice(0, 60), slice(60, None)  # of `children`


def folder():
    """Where the records of this lab are."""
    return data_dir() / "elastic-resnet"


def training(way: str, seed: int, epochs: int | None = None):
    """The strategy that trains a supernet in one of `WAYS`."""
    kind, fields = WAYS[way]
    return kind(ElasticResNet(), seed=seed, **fields | {"epochs": epochs or fields["epochs"]})


def supernet(seed: int = 0) -> Inherited:
    """A recorded supernet of the lab, as an estimator of what children inherit."""
    weights = (folder() / f"supernet-{seed}.safetensors").read_bytes()
    return Inherited(ElasticResNet(), weights, BATCHES, size=16)


# ------------------------------------------------------------------------------------------------------- the children
@cache
def children() -> tuple[Arch, ...]:
    """The sixty children of all costs, and after them the thirty at one budget: the first 60 and the last 30.

    Five of each of twelve strata of multiply-adds; ten of each image side whose multiply-adds are within `BAND` of
    `BUDGET`. All are drawn once, and are different.
    """
    space, rng = ElasticResNet(), np.random.default_rng(9)
    spread = [group[i] for group in strata(space) for i in rng.permutation(len(group))[:SPREAD]]
    inside = [arch for arch in space.distinct() if abs(space.madds(arch) / BUDGET - 1) < BAND and arch not in spread]
    sides = [[arch for arch in inside if arch[0] == side] for side in range(len(space.choices[0].options))]
    return (*spread, *(group[i] for group in sides for i in rng.permutation(len(group))[:INSIDE]))


@cache
def alone() -> dict[Arch, dict[int, dict[str, float]]]:
    """All recorded trainings of children alone: scores by architecture and seed."""
    found: dict[Arch, dict[int, dict[str, float]]] = {}
    with (folder() / "alone.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            found.setdefault(tuple(row["arch"]), {})[row["seed"]] = row["scores"] | {"seconds": row["seconds"]}
    return found


def trained(archs: Iterable[Arch], score: str = "test_accuracy") -> np.ndarray:
    """A score of each seed's training alone, in percent: (children, seeds). KeyError for a child without a record."""
    return 100 * np.array([[alone()[arch][seed][score] for seed in SEEDS] for arch in archs])


def lines() -> list[dict]:
    """All recorded supernets: way, seed, seconds, and what `children` inherit, ``inherited`` and ``stale``."""
    return [json.loads(line) for line in (folder() / "supernets.jsonl").read_text(encoding="utf-8").splitlines()]


@dataclass(frozen=True)
class Judged:
    """Some children, what they reach alone, and what they inherit from the lab's three supernets.

    Attributes
    ----------
    archs : tuple of n Arch
    madds, side : array of shape (n,)
        Multiply-adds; pixels of the image.
    test, validation : array of shape (n, seeds)
        Accuracies alone, percent.
    inherited : array of shape (supernets, n)
        Validation accuracies, percent.
    """

    archs: tuple[Arch, ...]
    madds: np.ndarray
    side: np.ndarray
    test: np.ndarray
    validation: np.ndarray
    inherited: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        """Mean test accuracy over the seeds, (n,)."""
        return self.test.mean(1)

    def level(self) -> np.ndarray:
        """Each supernet's mean of inherited accuracy less accuracy alone, both on validation images: points."""
        return (self.inherited - self.validation.mean(1)).mean(1)

    def once(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """What one training says (validation), and the mean test accuracy of the others: its fair judge."""
        return self.validation[:, seed], np.delete(self.test, seed, 1).mean(1)


def judged(part: slice = slice(None)) -> Judged:
    """The children with all that is recorded of them. ``part``: `ALL_COSTS` or `ONE_BUDGET`."""
    space, archs = ElasticResNet(), children()[part]
    found = everyone()
    return Judged(
        archs,
        np.array([space.madds(arch) for arch in archs]),
        np.array([space.choices[0].options[arch[0]] for arch in archs]),
        trained(archs),
        trained(archs, "accuracy"),
        np.array([[one[arch] for arch in archs] for one in found]),
    )


@cache
def everyone() -> list[dict[Arch, float]]:
    """What all 4,374 children inherit from each of the lab's supernets, percent."""
    archs, found = ElasticResNet().distinct(), []
    for seed in SEEDS:
        with np.load(folder() / f"everyone-{seed}.npz") as saved:
            found.append(dict(zip(archs, (100 * saved["inherited"].astype(float)).tolist(), strict=True)))
    return found
