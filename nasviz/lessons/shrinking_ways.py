"""Lab 14, which networks are recorded: ways to a small network, their recipes, members of supernets.

`benchmarks/transformer.py` and data/scripts/record_transformer.py make the records (`nasviz.lessons.shrinking_records`
reads them). What both need to say which network is meant, and how good it is, stands here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ..estimators import TRANSFORMER, Recipe
from ..space import Arch
from ..spaces import ElasticResNet, TransformerSpace
from ..step import Step

SEEDS = range(3)
TWICE = range(2)  # seeds of members of the entangled space, alone
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
    """A space in which every half-block stays, and heads and widths are chosen: AutoFormer's, but for its depth."""

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
    choice : {"programme", "uniform", "depth", "S", "convolutions"}
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


PUZZLE, UNIFORM, DEPTH, UNTRAINED = "programme", "uniform", "depth", "no local distillation"
SCRATCH, SAME, CONVOLUTIONS = "uniform from scratch", "programme's, from scratch", "CNN"
ALONE_S = "S from scratch"
WAYS = {
    PUZZLE: Way("programme", "library"),
    UNTRAINED: Way("programme", "cut"),
    UNIFORM: Way("uniform", "library"),
    DEPTH: Way("depth", "library"),
    SCRATCH: Way("uniform"),
    SAME: Way("programme"),
    CONVOLUTIONS: Way("convolutions"),
    ALONE_S: Way("S"),
}
MUST = (PUZZLE, UNIFORM, DEPTH, "magnitude")  # the ways that are recorded first, at each share
TRAININGS = (  # way and epochs, in the order in which they are made
    *((CONVOLUTIONS, 8), (SCRATCH, 12), (SAME, 12), (PUZZLE, 2), (UNIFORM, 2), (DEPTH, 2), (UNTRAINED, 2)),
    *((PUZZLE, 8), (UNIFORM, 8), (DEPTH, 8), (UNTRAINED, 8), (ALONE_S, 12), (PUZZLE, 30), (SCRATCH, 30)),
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


# --------------------------------------------------------------------------------------------------- making the records
def last_state(search: Iterable[Step]) -> bytes:
    """Run a search to its end, and return the last `Step.state`. ValueError if no step had one."""
    state = None
    for step in search:
        state = step.state or state
    if state is None:
        raise ValueError(f"no step of {search!r:.200} has a state")
    return state


def tested(network) -> float:
    """Accuracy of a network on all test images, percent."""
    from ..estimators.training import evaluated, tensors_of
    from ..nn.threads import one_thread

    with one_thread():
        return 100 * evaluated(network, *tensors_of("fashion16", 16, "test"))[0]
