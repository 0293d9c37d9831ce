"""Lab 09: what the children of one supernet inherit, what they reach alone, and what a child for each device is worth.

Accuracies are in percent here, and differences of them in points. Truth is the mean test accuracy of a child's
trainings alone. A supernet judges on validation images, so no child is judged by the images that chose it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..analysis import stats
from ..analysis.stats import Interval
from ..estimator import Estimator
from ..estimators import ForestPredictor, Inherited, Recipe
from ..hardware import LatencyTable
from ..objectives import Within
from ..paths import data_dir
from ..space import Arch
from ..spaces import ElasticResNet
from ..step import Evaluation
from ..strategies import BigNas, OnceForAll, RegularizedEvolution, TrainSupernet
from ..strategies.specialise import by_stage
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
IMAGE = (1, 16, 16)
ALL_COSTS, ONE_BUDGET = slice(0, 60), slice(60, None)  # of `children`
DEVICES, DRAWN = (0.9, 1.4, 2.0, 3.0), 8  # milliseconds of four budgets; children of each that are drawn at random


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


# ------------------------------------------------------------------------------------------ what ranks, and how well
def rankings(part: Judged) -> dict[str, list[Interval]]:
    """Kendall's τ with the truth: of each supernet, of each seed's training, of two simple rules.

    A training is judged by the two other seeds, and so knows less of its judge than the supernets do.
    """
    return {
        "inherited": [stats.tau_interval(one, part.truth) for one in part.inherited],
        "one training": [stats.tau_interval(*part.once(seed)) for seed in SEEDS],
        "more multiply-adds": [stats.tau_interval(part.madds, part.truth)],
        "larger image": [stats.tau_interval(part.side, part.truth)],
    }


def predicted() -> np.ndarray:
    """What a predictor says of the children at one budget, that has learned from one training of the sixty others."""
    learned = [
        Evaluation(arch, {"accuracy": float(accuracy) / 100})
        for arch, (accuracy, *_) in zip(children()[ALL_COSTS], trained(children()[ALL_COSTS], "accuracy"), strict=True)
    ]
    predictor = ForestPredictor(ElasticResNet()).fit(learned)
    return 100 * np.asarray(predictor.predict(list(children()[ONE_BUDGET]))[0])


def few(count: int, draws: int, seed: int = 0) -> np.ndarray:
    """How far τ of a few children is off: its distance from τ of all ninety, for each of ``draws`` drawn sets.

    Set number i is drawn by the seed (``seed``, i). The inherited accuracies are those of the first supernet.
    """
    part, found = judged(), []
    inherited, whole = part.inherited[0], stats.tau(part.inherited[0], part.truth)
    for number in range(draws):
        rng = np.random.default_rng((seed, number))
        drawn = rng.permutation(len(part.archs))[:count]
        found.append(abs(stats.tau(inherited[drawn], part.truth[drawn]) - whole))
    return np.array(found)


def ahead(part: Judged, rule) -> list[Interval]:
    """τ of each supernet less τ of a rule (n,), bootstrapped in pairs."""
    return [stats.tau_difference(one, rule, part.truth) for one in part.inherited]


def within_sides(part: Judged, scores, truth=None) -> Interval:
    """Kendall's τ of ``scores`` (n,) with ``truth`` (None: the children's), over pairs with images of the same side."""
    return stats.tau_interval(scores, part.truth if truth is None else truth, part.side)


def by_side(part: Judged) -> list[tuple[int, float, np.ndarray]]:
    """For each image side: pixels, mean validation accuracy alone, and the mean that children inherit, percent."""
    means = part.validation.mean(1)
    sides = {int(side): part.side == side for side in np.unique(part.side)}
    return [(side, float(means[here].mean()), part.inherited[:, here].mean(1)) for side, here in sides.items()]


def compared(way: str, part: slice, score: str = "inherited") -> tuple[np.ndarray, np.ndarray]:
    """τ with the truth, and the level in points, of each recorded supernet of a way."""
    archs = children()[part]
    truth, validation = trained(archs).mean(1), trained(archs, "accuracy").mean(1)
    scores = [100 * np.array(row[score])[part] for row in lines() if row["way"] == way]
    return np.array([stats.tau(one, truth) for one in scores]), np.array([(one - validation).mean() for one in scores])


# ------------------------------------------------------------------------------------------- a child for each device
@cache
def milliseconds() -> dict[Arch, float]:
    """What each child takes for 64 images on the processor that was measured, by its blocks' table: milliseconds."""
    space, table = ElasticResNet(), LatencyTable.load(data_dir() / "latency-elastic-resnet.json")
    ms = by_stage(table, space, IMAGE)
    return {arch: ms(arch) for arch in space.distinct()}


def best_within(budget: float, score: Callable[[Arch], float | tuple]) -> Arch:
    """The child of the highest score among those that take ``budget`` milliseconds or less."""
    return max((arch for arch, ms in milliseconds().items() if ms <= budget), key=score)


def by_inheritance(budget: float, supernet: int) -> Arch:
    """The child within a budget that inherits the most from one of the lab's supernets."""
    return best_within(budget, everyone()[supernet].__getitem__)


@dataclass(frozen=True)
class Recorded(Estimator):
    """What children inherit from one of the lab's supernets, and their milliseconds, as recorded: answers at once."""

    supernet: int = 0

    @property
    def space(self) -> ElasticResNet:
        """The small elastic space."""
        return ElasticResNet()

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Return the scores "inherited" (0 to 1) and "latency_ms" (of 64 images)."""
        scores = {"inherited": everyone()[self.supernet][arch] / 100, "latency_ms": milliseconds()[arch]}
        return Evaluation(arch, scores, 0.0, 0, seed)


def by_evolution(budget: float, supernet: int, asked: int = 300) -> Arch:
    """The child within a budget that evolution finds, which asks what ``asked`` children inherit; its seed is 0."""
    bound = Within("latency_ms", budget, of="inherited")
    search = RegularizedEvolution(
        ElasticResNet(), Recorded(supernet), population=50, tournament=10, evaluations=asked, objective=bound
    )
    return max((step.evaluation for step in search if step.evaluation is not None), key=bound).arch


def by_size(budget: float) -> Arch:
    """The child within a budget that has the most multiply-adds."""
    return best_within(budget, ElasticResNet().madds)


def by_rule(budget: float) -> Arch:
    """The child within a budget that has the largest image, and of those the one with the most multiply-adds."""
    space = ElasticResNet()
    return best_within(budget, lambda arch: (arch[0], space.madds(arch)))


def by_chance(budget: float) -> list[Arch]:
    """Children drawn at random among those that take the budget, or up to a tenth less."""
    near = [arch for arch, ms in milliseconds().items() if 0.9 * budget <= ms <= budget]
    rng = np.random.default_rng(17)
    return [near[i] for i in rng.permutation(len(near))[:DRAWN]]


def to_train() -> list[Arch]:
    """All children that are chosen for some device, by any way: each once."""
    shared = {b: [by(b, s) for by in (by_inheritance, by_evolution) for s in SEEDS] for b in DEVICES}
    found = [(*by_chance(b), by_size(b), by_rule(b), *shared[b]) for b in DEVICES]
    return list(dict.fromkeys(arch for archs in found for arch in archs))


@dataclass(frozen=True)
class Worth:
    """What is chosen for one device, alone, test accuracy in percent: mean over seeds, and over what is chosen.

    Attributes
    ----------
    budget : float
        Milliseconds.
    inherited, evolved : array of shape (supernets,)
        Of the child that each supernet chooses: of all children, and of those that evolution asks.
    chance : array of shape (drawn,)
        Of children drawn at random.
    size, rule : float
        Of the child with the most multiply-adds; of that among those with the largest image.
    trained : float
        Of what random search finds that trains all drawn children and takes the best by one seed's validation; the mean
        over the seed that it sees, judged by the other seeds.
    """

    budget: float
    inherited: np.ndarray
    evolved: np.ndarray
    chance: np.ndarray
    size: float
    rule: float
    trained: float


def worth(budget: float) -> Worth:
    """Judge what each way chooses for a device."""
    drawn = by_chance(budget)
    seen, judge = trained(drawn, "accuracy"), trained(drawn)
    found = [np.delete(judge[seen[:, seed].argmax()], seed).mean() for seed in SEEDS]
    return Worth(
        budget,
        trained([by_inheritance(budget, supernet) for supernet in SEEDS]).mean(1),
        trained([by_evolution(budget, supernet) for supernet in SEEDS]).mean(1),
        judge.mean(1),
        float(trained([by_size(budget)]).mean()),
        float(trained([by_rule(budget)]).mean()),
        float(np.mean(found)),
    )


def gains(found: Sequence[Worth], supernet: int) -> Interval:
    """Mean over the devices of one supernet's choice less a random choice: points, with an interval over the drawn."""
    lead = np.array([[one.inherited[supernet] - chance for chance in one.chance] for one in found])
    return stats.mean_of(lead.mean(0))


def seconds() -> dict[str, float]:
    """What each way costs, in seconds of one core: the lab's supernets, and trainings alone near the limits."""
    spent = []
    for seed in SEEDS:
        with np.load(folder() / f"everyone-{seed}.npz") as saved:
            spent.append(saved["seconds"].astype(float))
    training, judging = np.mean(spent, 0)
    told = (folder() / "price.jsonl").read_text(encoding="utf-8").splitlines()
    each = float(np.mean([json.loads(line)["seconds"] for line in told]))
    return {
        "to train the supernet": float(training),
        "to judge all its children": float(judging),
        "one training alone, mean of the limits": each,
        f"the best of {DRAWN} trainings, for one limit": DRAWN * each,
    }
