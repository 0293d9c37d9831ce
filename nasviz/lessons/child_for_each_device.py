"""Lab 09: a child of one supernet for each device, what it is worth beside other choices, and what each way costs.

Devices are budgets in milliseconds on the processor that was measured. The records are those of
`nasviz.lessons.one_network`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..analysis import stats
from ..analysis.stats import Interval
from ..estimator import Estimator
from ..hardware import LatencyTable
from ..objectives import Within
from ..paths import data_dir
from ..space import Arch
from ..spaces import ElasticResNet
from ..step import Evaluation
from ..strategies import RegularizedEvolution
from ..strategies.specialise import by_stage
from .one_network import SEEDS, everyone, folder, trained

IMAGE = (1, 16, 16)
DEVICES, DRAWN = (0.9, 1.4, 2.0, 3.0), 8  # milliseconds of four budgets; children of each that are drawn at random


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
