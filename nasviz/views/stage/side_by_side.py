"""Two searches beside each other, in lock-step, under one player."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, cast

from ...run import Run
from ...step import Step
from ..colors import AMBER, BLUE
from .from_search import Rows
from .kinds.curve import CurveView, Series
from .kinds.view import View
from .player import Player
from .spec import Spec
from .together import Pair, together

COLORS = (BLUE, AMBER)
STROKES: tuple[list[int], list[int]] = ([], [6, 3])


class SideRows:
    """The spec of the stage of two searches, and the rows of their steps: two `Rows` together.

    Parameters
    ----------
    search
        The result of `nasviz.views.stage.together.together`.

    Raises
    ------
    ValueError
        If the two spaces have different operations, or none of the quantities shown can be drawn.
    """

    def __init__(self, search, band=(), x: str = "evaluations"):
        self.names = search.names
        self.sides = [Rows(one, band, x) for one in (search.first, search.second)]
        first, second = (side.spec for side in self.sides)
        if first.ops != second.ops or [view.kind for view in first.views] != [view.kind for view in second.views]:
            raise ValueError(
                "two searches are shown side by side if both choose among the same operations and show the same: "
                f"{first.ops} and {second.ops}"
            )
        arrays = {
            named(number, name): shape
            for number, side in enumerate(self.sides)
            for name, shape in side.spec.arrays.items()
        }
        views: list[View] = []
        for pair in zip(first.views, second.views, strict=True):
            views += self._beside(pair)
        self.spec = Spec(arrays=arrays, ops=first.ops, views=views)

    def _beside(self, pair: tuple[View, View]) -> list[View]:
        """Return one view with the curves of both searches on the same axes, or other views beside each other."""
        one, other = pair
        more: dict[str, Any] = {}
        if hasattr(one, "total"):
            more["total"] = max(one.total, getattr(other, "total", 0))
        if isinstance(one, CurveView) and isinstance(other, CurveView) and not one.array:
            series = [  # colours: searches; strokes: series
                Series(
                    array=named(number, line["array"]),
                    label=f"{self.names[number]}: {line['label']}",
                    color=COLORS[number],
                    dash=STROKES[i % 2],
                    points=line.get("points", False),
                    best=line.get("best", False),
                )
                for number, view in enumerate((one, other))
                for i, line in enumerate(view.series)
            ]
            return [replace(one, series=series, xlabel="step of the longer search", **more)]
        titles = [
            f"{name}: {view.title[0].lower()}{view.title[1:]}" for name, view in zip(self.names, pair, strict=True)
        ]
        return [
            replace(view.renamed(partial(named, number)), title=titles[number], span=6, **more)
            for number, view in enumerate(pair)
        ]

    def row(self, step: Step, seconds: float) -> dict:
        """Return the arrays of one step of both searches."""
        pair = cast(Pair, step)
        return {
            named(number, name): value
            for number, (side, one, cost) in enumerate(zip(self.sides, pair.sides, pair.costs, strict=True))
            for name, value in side.row(one, cost).items()
        }

    def words(self, run: Run) -> str:
        """Describe the architectures that the two searches favour now."""
        if not run.steps:
            return ""
        newest = zip(self.sides, cast(Pair, run.steps[-1]).sides, strict=True)
        said = [side.favoured(one) for side, one in newest]
        return "; ".join(f"{name}: {words}" for name, words in zip(self.names, said, strict=True) if words)


def named(number: int, array: str) -> str:
    """Return the name that an array of one search has in the common stage."""
    return f"{number}.{array}"


class SideBySide(Player):
    """A player of two searches in lock-step, drawn beside each other, with common buttons and a common time.

    A slider turns a knob of both searches. Knobs that only one search has, or that differ at the start, are the object
    of the comparison and have no slider. Each search makes exactly the steps that it makes alone. Nothing is recorded:
    for a record, run each search by itself.

    Parameters
    ----------
    first, second : strategy
        Two searches over spaces with the same operations, which show the same quantities.
    names : (str, str)
        Names of the two searches.

    Raises
    ------
    ValueError
        If the searches cannot be drawn side by side.

    Examples
    --------
    >>> few = Darts(space, images=500)  # doctest: +SKIP
    >>> SideBySide(few, replace(few, images=4000), ("500 images", "4,000 images")).run()  # doctest: +SKIP
    """

    rows = SideRows

    def __init__(self, first, second, names: tuple[str, str] = ("first", "second")):
        super().__init__(together(first, second, names))

    def steps_of(self, number: int) -> list:
        """Return the steps so far of the first (0) or the second (1) search."""
        steps = [pair.sides[number] for pair in cast("list[Pair]", self.recorded_run.steps)]
        return [step for i, step in enumerate(steps) if i == 0 or step is not steps[i - 1]]
