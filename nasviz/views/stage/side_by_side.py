"""Two searches beside each other, in lock-step, under one player."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

from ...run import Run
from ..colors import AMBER, BLUE
from .from_search import Rows
from .player import Player
from .together import Pair, together

COLORS, STROKES = (BLUE, AMBER), ([], [6, 3])
NAMES = ("array", "parent", "population", "feasible", "x")      # entries of a view that name an array


class SideRows:
    """What the stage of two searches looks like, and the row of each of their steps: `Rows` twice.

    Parameters
    ----------
    search
        What `nasviz.views.stage.together.together` returns.

    Raises
    ------
    ValueError
        If the two search among other operations, or nothing of what they show can be drawn.
    """

    def __init__(self, search, band=(), x: str = "evaluations"):
        self.names, self.shows = search.names, [type(one).shows for one in (search.first, search.second)]
        self.sides = [Rows(one, band, x) for one in (search.first, search.second)]
        first, second = (side.spec for side in self.sides)
        if first["ops"] != second["ops"] or [v["kind"] for v in first["views"]] != [v["kind"] for v in second["views"]]:
            raise ValueError(
                "two searches are shown side by side if both choose among the same operations and show the same: "
                f"{first['ops']} and {second['ops']}"
            )
        arrays = {
            named(number, name): shape
            for number, side in enumerate(self.sides)
            for name, shape in side.spec["arrays"].items()
        }
        views: list[dict] = []
        for pair in zip(first["views"], second["views"], strict=True):
            views += self._beside(pair)
        self.spec = {"arrays": arrays, "ops": first["ops"], "views": views}

    def _beside(self, pair: tuple[Mapping, Mapping]) -> list[dict]:
        """Curves of both searches on the same axes; all other pictures beside each other."""
        if pair[0]["kind"] == "curve" and "series" in pair[0]:
            series = [                                                      # a colour a search, a stroke a half
                renamed(number, one)
                | {"label": f"{self.names[number]}: {one['label']}", "color": COLORS[number], "dash": STROKES[i % 2]}
                for number, view in enumerate(pair)
                for i, one in enumerate(view["series"])
            ]
            xlabel = {"xlabel": "step of the longer search"}
            return [dict(pair[0]) | {"series": series, "total": max(view["total"] for view in pair)} | xlabel]
        both = {"span": 6} | ({"total": max(view["total"] for view in pair)} if "total" in pair[0] else {})
        return [
            renamed(number, view) | both | {"title": f"{name}: {view['title'][0].lower()}{view['title'][1:]}"}
            for number, (name, view) in enumerate(zip(self.names, pair, strict=True))
        ]

    def row(self, step: Pair, seconds: float) -> dict:
        """The arrays of one step of both."""
        return {
            named(number, name): value
            for number, (side, one, cost) in enumerate(zip(self.sides, step.sides, step.costs, strict=True))
            for name, value in side.row(one, cost).items()
        }

    def words(self, run: Run) -> str:
        """What both favour now."""
        if not run.steps:
            return ""
        newest = zip(self.sides, run.steps[-1].sides, strict=True)
        said = [side.words(SimpleNamespace(best=None, steps=[one])) for side, one in newest]
        return "; ".join(f"{name}: {words}" for name, words in zip(self.names, said, strict=True) if words)


def named(number: int, array: str) -> str:
    """The array's name in the stage of both."""
    return f"{number}.{array}"


def renamed(number: int, view: Mapping) -> dict:
    """A view, or a series, of one search with the arrays' names in the stage of both."""
    return {
        key: named(number, value) if key in NAMES and isinstance(value, str) else value for key, value in view.items()
    }


class SideBySide(Player):
    """Runs two searches in lock-step: one set of buttons, one time, both drawn beside each other.

    A slider turns a knob of both; knobs that only one has, or that differ at the start, are what is compared and have
    no slider. Each search makes exactly the steps that it makes alone. Nothing is recorded: record each by itself.

    Parameters
    ----------
    first, second : strategy
        Over spaces with the same operations; they show the same kinds of things.
    names : (str, str)
        Of the two.

    Raises
    ------
    ValueError
        If they cannot be drawn side by side.

    Examples
    --------
    >>> few = Darts(space, images=500)  # doctest: +SKIP
    >>> SideBySide(few, replace(few, images=4000), ("500 images", "4,000 images")).run()  # doctest: +SKIP
    """

    rows = SideRows

    def __init__(self, first, second, names: tuple[str, str] = ("first", "second")):
        super().__init__(together(first, second, names))

    def steps_of(self, number: int) -> list:
        """The steps of the first (0) or the second (1) search, as far as it went."""
        steps = [pair.sides[number] for pair in self.run_.steps]
        return [step for i, step in enumerate(steps) if i == 0 or step is not steps[i - 1]]
