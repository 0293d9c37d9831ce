"""Two searches in lock-step as one search, so that they can be drawn side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import Field, dataclass, field, make_dataclass, replace
from typing import Any, ClassVar, Protocol, cast

from ...knobs import knobs
from ...space import SearchSpace
from ...step import Step


class Pair(Step):
    """A step of two searches: the newest step of each, and the cost of each so far.

    Attributes
    ----------
    sides : (Step, Step)
    costs : (float, float)
        Seconds of evaluations; nan for a search without evaluations.
    """

    __slots__ = ("sides", "costs")

    def __init__(self, sides: tuple[Step, Step], costs: tuple[float, float]):
        super().__init__()
        self.sides, self.costs = sides, costs

    def __eq__(self, other):
        return self.sides == other.sides if isinstance(other, Pair) else NotImplemented

    __hash__ = None


class _Planned(Protocol):
    """A strategy that says how many steps it plans."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]  # what `replace` asks for
    space: SearchSpace

    def __len__(self) -> int: ...

    def __iter__(self) -> Generator[Step, None, None]: ...


@dataclass
class _Together:
    """The search that `together` returns."""

    first: _Planned
    second: _Planned
    names: tuple[str, str] = ("first", "second")

    shows = ()

    @property
    def space(self):
        """The space of the first search."""
        return self.first.space

    def __len__(self) -> int:
        return max(len(self.first), len(self.second))

    def __iter__(self) -> Iterator[Pair]:
        searches = [replace(self.first), replace(self.second)]
        newest: list[Step | None] = [None, None]
        done, costs, over, total = [0, 0], [0.0, 0.0], [False, False], len(self)
        with ExitStack() as stack:
            going = [stack.enter_context(closing(iter(search))) for search in searches]
            for number in range(1, total + 1):
                for side, search in enumerate(searches):
                    vars(search).update({name: getattr(self, name) for name in knobs(self)})
                    while done[side] * total < number * len(search):  # until both are equally far in their plans
                        done[side] += 1
                        if (step := next(going[side], None)) is None:  # it ended early, and keeps its last step
                            over[side] = True
                            continue
                        newest[side] = step
                        costs[side] += step.evaluation.seconds if step.evaluation else float("nan")
                if all(over):
                    return
                yield Pair(cast("tuple[Step, Step]", tuple(newest)), (costs[0], costs[1]))


def together(first, second, names: tuple[str, str] = ("first", "second")) -> _Together:
    """Return one search that runs two others in lock-step.

    Each of its steps is a `Pair`. The longer search does one step, and the shorter one as many as keep both equally far
    in their plans. (500 images take fewer steps an epoch than 4,000, yet both are in the same epoch.) Knobs that both
    searches have with the same value are knobs of the pair; other knobs keep their values. Each search gives exactly
    the steps that it gives alone.

    Parameters
    ----------
    first, second : strategy
    names : (str, str)
        Names of the two searches, for pictures.
    """
    mine, its = knobs(first), knobs(second)
    shared = [name for name in mine if name in its and getattr(first, name) == getattr(second, name)]
    more = [
        (name, float, field(default=getattr(first, name), metadata=mine[name].metadata))
        for name in shared
        if mine[name].metadata == its[name].metadata
    ]
    return make_dataclass("Together", more, bases=(_Together,))(first, second, tuple(names))
