"""Lab 14, what is recorded: several parents, trainings that go on for longer, networks without a parent, supernets.

`benchmarks/transformer.py` made the record of several parents, and data/scripts/record_transformer.py the rest. What
both need to say which network is meant stands here. Accuracies are in percent, on all test images; seconds are those of
one core's work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ..analysis import stats
from ..analysis.stats import Interval
from ..estimators import TRANSFORMER, Recipe
from ..paths import data_dir
from ..space import Arch
from ..spaces import ElasticResNet, TransformerSpace

SEEDS = range(3)
SHARE = 0.2  # of the parent's multiply-adds: the budget of most records here
SPACE = TransformerSpace()
# Equal blocks that spend the whole budget need widths that the space does not have.
EVEN = TransformerSpace(6, SPACE.attention, ("none", "f3/64", "f11/64", "f13/32", "f1"))
EVEN_BLOCKS = EVEN.from_text(" | ".join(6 * ["h1 f11/64"]))
REST = SPACE.madds(SPACE.smallest)  # patches and classifier, which no choice removes
WHOLE = SPACE.madds(SPACE.largest) - REST
CNN = Recipe(size=16, images=8000, epochs=8, batch=64, lr=0.1)  # that of lab 09
NESTED = dict(zip("SMLX", SPACE.nested, strict=True))  # MatFormer's names; its XL is the parent's size


class Entangled(TransformerSpace):
    """A space in which every half-block stays: heads and widths alone are chosen, as in AutoFormer without its depth."""

    def __init__(self) -> None:
        super().__init__(6, ("none", "h1", "h2", "h4"), ("none", "f1/4", "f1/2", "f1"))

    def rule(self, arch: Arch) -> str | None:
        """Each half-block stays."""
        return None if min(arch) else "every half-block stays"


@dataclass(frozen=True)
class Way:
    """How a small network comes about, at `SHARE` of the parent's work.

    Attributes
    ----------
    choice : {"programme", "equal", "depth", "S", "convolutions"}
        Who chooses the network.
    first : {"library", "cut", ""}
        Where its first weights are from: distilled half-blocks, half-blocks as they were cut, or chance.
    """

    choice: str
    first: str = ""

    @property
    def parent(self) -> bool:
        """Whether it needs a trained parent, whose answers it then learns."""
        return bool(self.first)


PUZZLE, EQUAL, DEPTH, UNTRAINED = "the programme", "equal blocks", "fewer blocks", "no local distillation"
SCRATCH, SAME, CONVOLUTIONS = "equal blocks from scratch", "the programme's choice from scratch", "a small CNN"
ALONE_S = "S from scratch"
WAYS = {
    PUZZLE: Way("programme", "library"),
    UNTRAINED: Way("programme", "cut"),
    EQUAL: Way("equal", "library"),
    DEPTH: Way("depth", "library"),
    SCRATCH: Way("equal"),
    SAME: Way("programme"),
    CONVOLUTIONS: Way("convolutions"),
    ALONE_S: Way("S"),
}
TRAININGS = (  # way and epochs, in the order in which they are made
    *((CONVOLUTIONS, 8), (SCRATCH, 12), (SAME, 12), (PUZZLE, 2), (EQUAL, 2), (DEPTH, 2), (UNTRAINED, 2)),
    *((PUZZLE, 8), (EQUAL, 8), (DEPTH, 8), (UNTRAINED, 8), (ALONE_S, 12), (PUZZLE, 30), (SCRATCH, 30)),
)


def recipe_of(way: str, epochs: int) -> Recipe:
    """The recipe of a training: gentler where the weights come from a parent."""
    if WAYS[way].choice == "convolutions":
        return replace(CNN, epochs=epochs)
    return replace(TRANSFORMER, epochs=epochs, **({"lr": 1e-3, "decay": 0.01} if WAYS[way].parent else {}))


def convolutions() -> Arch:
    """The child of lab 09's space with the most multiply-adds among those that keep to the budget of `SHARE`."""
    space = ElasticResNet()
    return max((arch for arch in space.distinct() if space.madds(arch) <= REST + SHARE * WHOLE), key=space.madds)


def mixes() -> dict[str, Arch]:
    """Members of mixed sizes: narrow blocks first, or last."""
    small, large = NESTED["S"][:6], NESTED["X"][:6]
    return {"S then XL": small + large, "XL then S": large + small}


@cache
def children() -> tuple[Arch, ...]:
    """Twenty-four members of `Entangled`, drawn once."""
    space, rng = Entangled(), np.random.default_rng(14)
    drawn = dict.fromkeys(space.sample(rng) for _ in range(24))
    assert len(drawn) == 24
    return tuple(drawn)


# ------------------------------------------------------------------------------------------------------------ reading
def folder():
    """Where the records of this lab are."""
    return data_dir() / "transformer"


@cache
def rows(name: str) -> tuple[dict, ...]:
    """All lines of a record: ``"parents"``, ``"trainings"``, ``"supernets"`` or ``"alone"``; none if it is not there."""
    path = folder() / f"{name}.jsonl"
    return tuple(map(json.loads, path.read_text(encoding="utf-8").splitlines())) if path.exists() else ()
