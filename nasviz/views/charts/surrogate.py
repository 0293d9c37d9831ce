"""The model of a Bayesian search: its predictions against the results, its candidates, and reasons of its choices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import cast

import ipywidgets as widgets
import numpy as np

from ...analysis import stats
from ...objectives import accuracy
from ...run import Run
from ...space import Arch, SearchSpace
from ...step import Evaluation, Step
from ...strategy import objective_of
from ..colors import BLUE, GREY, MAGENTA
from ..raster import Axes, good_range, mixed
from .chart import Chart, drawn, figure, live

LISTED = 10  # the most evaluated candidates of a round in the list


@dataclass
class Round:
    """One round of a Bayesian search: the model's predictions for its candidates, and the results of those evaluated.

    Attributes
    ----------
    shows : mapping
        See `nasviz.step.SHOWS`: ``candidates``, ``predicted``, ``uncertainty``, ``acquisition``.
    before : int
        Number of evaluations from which the model had learned.
    chosen : list of int
        Indices of the evaluated candidates, in the order of evaluation.
    came : list of float
        The measured objective of each of them.
    """

    shows: dict
    before: int
    chosen: list[int] = field(default_factory=list)
    came: list[float] = field(default_factory=list)


def surrogate(
    run: Run | Iterable[Step],
    truth: Callable[[Arch], float] | None = None,
    *,
    space: SearchSpace | None = None,
    objective: Callable[[Evaluation], float] | None = None,
) -> Surrogate:
    """Draw the model of a Bayesian search, round by round.

    Parameters
    ----------
    run : Run or iterable of Step
        A run has its space and its objective; for steps, give ``space``.
    truth : callable, optional
        Function from an architecture to its objective, as a table has it. With it the prediction of every candidate is
        compared, not only those of evaluated candidates. The search never sees it.
    space : SearchSpace, optional
    objective : callable, optional
        The function of an evaluation that the search maximises; accuracy by default.

    Returns
    -------
    Surrogate
        The chart. It is empty for a run without steps: ``for step in view.follow(run): ...`` draws during the search.

    Raises
    ------
    ValueError
        For steps without a space, or of a search without a model.

    Examples
    --------
    >>> run = Run(Bananas(space, estimate))                                                 # doctest: +SKIP
    >>> view = surrogate(run)                                                               # doctest: +SKIP
    >>> for step in view.follow(run): pass                                                  # doctest: +SKIP
    """
    if isinstance(run, Run):
        space, objective = space or run.search.space, objective or objective_of(run.search)
        run = run.steps
    if space is None:
        raise ValueError("steps do not say of which space they are: give space=..., or a Run")
    view = Surrogate(space, objective or accuracy, truth)
    for step in run:
        view.take(step)
    view.last()
    return view


class Surrogate(Chart):
    """The chart that `surrogate` returns.

    Attributes
    ----------
    rounds : list of Round
    round : widgets.IntSlider
        Number of the round that is shown, from 1.
    """

    def __init__(self, space: SearchSpace, objective: Callable[[Evaluation], float], truth=None):
        self.space, self.objective, self.truth = space, objective, truth
        self.rounds: list[Round] = []
        self._count, self._newest = 0, None
        self.round = widgets.IntSlider(1, min=1, max=1, description="round", continuous_update=False)
        self.round.observe(lambda change: self.draw(), "value")
        self.said, self.list = widgets.HTML(), widgets.HTML()
        self.figure = figure(
            height=430,
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            hovermode="closest",
            xaxis={"title": "predicted", "domain": [0, 0.44]},
            yaxis={"title": "came out"},
            xaxis2={"title": "candidates, by acquisition", "domain": [0.56, 1], "anchor": "y3"},
            yaxis2={"title": "predicted", "domain": [0.38, 1], "anchor": "x2"},
            yaxis3={"title": "acquisition", "domain": [0, 0.28], "anchor": "x2"},
        )
        right = {"xaxis": "x2", "yaxis": "y2"}
        below = {"xaxis": "x2", "yaxis": "y3"}
        self._lines("as predicted", GREY)
        self._dots("earlier rounds", GREY, "circle", 5, 0.5)
        self._dots("candidates, by the table", BLUE, "circle", 5, 0.6)
        self._dots("evaluated", MAGENTA, "square", 9, 1, error_x=_bars(MAGENTA))
        self._dots("not taken", BLUE, "circle", 5, 0.8, error_y=_bars(BLUE), showlegend=False, **right)
        self._dots("taken", MAGENTA, "square", 8, 1, error_y=_bars(MAGENTA), showlegend=False, **right)
        self._dots("not taken", BLUE, "circle", 5, 0.8, showlegend=False, **below)
        self._dots("taken", MAGENTA, "square", 8, 1, showlegend=False, **below)
        self.figure = live(self.figure)
        super().__init__([self.round, self.said, self.figure, self.list])
        self.draw()

    def _dots(self, name, color, symbol, size, opacity, **more) -> None:
        marker = {"color": color, "symbol": symbol, "size": size, "opacity": opacity}
        hover = "%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>"
        self.figure.add_scatter(x=[], y=[], mode="markers", name=name, marker=marker, hovertemplate=hover, **more)

    def _lines(self, name, color) -> None:
        line = {"color": color, "dash": "dot", "width": 1.5}
        self.figure.add_scatter(x=[], y=[], mode="lines", name=name, line=line, hoverinfo="skip")

    # ------------------------------------------------------------------ the data
    def take(self, step: Step) -> bool:
        """Add a step, without drawing. Return True if it begins a round."""
        if "chosen" not in step.shows:
            raise ValueError("these steps show no candidates: they are of a search without a model")
        begins = False
        if step.shows["chosen"] >= 0:
            begins = step.shows["candidates"] is not self._newest
            if begins:
                self.rounds.append(Round(step.shows, self._count))
                self._newest = step.shows["candidates"]
            self.rounds[-1].chosen.append(int(step.shows["chosen"]))
            self.rounds[-1].came.append(self.objective(cast(Evaluation, step.evaluation)))
        self._count += 1
        return begins

    def follow(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Yield steps, and draw each round when it is complete."""
        try:
            for step in steps:
                if self.take(step) and len(self.rounds) > 1:
                    self.last(len(self.rounds) - 1)
                yield step
        finally:
            self.last()

    def last(self, number: int | None = None) -> None:
        """Show the newest round, or the ``number``-th."""
        number = number or max(1, len(self.rounds))
        self.round.max = max(1, number, self.round.max)
        if self.round.value != number:
            self.round.value = number  # draws
        else:
            self.draw()

    def archs(self, one: Round) -> list[Arch]:
        """Return the candidates of a round."""
        return [tuple(row) for row in one.shows["candidates"].tolist()]

    # ------------------------------------------------------------------ the drawing
    def _numbers(self, one: Round) -> dict:
        """Return the numbers of a round by name, with its candidates in the order of acquisition."""
        shows = one.shows
        order = np.argsort(-shows["acquisition"], kind="stable")
        archs = self.archs(one)
        truths = np.array([self.truth(archs[i]) for i in order], float) if self.truth else np.full(len(order), np.nan)
        names = "predicted", "uncertainty", "acquisition"
        sorted_ = {name: shows[name][order].astype(float) for name in names}
        return sorted_ | {"taken": np.isin(order, one.chosen), "truth": truths,
                          "texts": [self.space.to_text(archs[i]) for i in order]}  # fmt: skip

    def _earlier(self) -> tuple[np.ndarray, np.ndarray]:
        """Return predictions and results of the rounds before the one that is shown."""
        before = self.rounds[: self.round.value - 1]
        told = [one.shows["predicted"][one.chosen] for one in before]
        return np.concatenate([*told, []]), np.array([value for one in before for value in one.came])

    def draw(self) -> None:
        """Update the chart."""
        if not self.rounds:
            self.text = "No model yet: the first architectures are random."
            self.said.value = f"<p style='margin:2px 0'>{self.text}</p>"
            return
        one = self.rounds[self.round.value - 1]
        now, (told, came), place = self._numbers(one), self._earlier(), np.arange(1, len(one.shows["predicted"]) + 1)
        taken, texts = now["taken"], np.array(now["texts"])
        self._sides = good_range(np.array([*now["predicted"], *one.came, *told, *came, *now["truth"]]))
        mine = one.shows["predicted"][one.chosen], np.array(one.came)
        archs = self.archs(one)
        with self.figure.batch_update():
            line, earlier, known, evaluated, *right = self.figure.data
            line.x = line.y = self._sides
            self.figure.layout.xaxis.range = self.figure.layout.yaxis.range = self._sides
            earlier.x, earlier.y, earlier.text = told, came, ["an earlier round"] * len(told)
            known.x, known.y, known.text = now["predicted"], now["truth"], texts
            known.visible = self.truth is not None
            evaluated.x, evaluated.y = mine
            evaluated.text = [self.space.to_text(archs[i]) for i in one.chosen]
            evaluated.error_x.array = one.shows["uncertainty"][one.chosen]
            for number, which in enumerate((~taken, taken)):
                above, below = right[number], right[2 + number]
                above.x, above.y, above.text = place[which], now["predicted"][which], texts[which]
                above.error_y.array = now["uncertainty"][which]
                below.x, below.y, below.text = place[which], now["acquisition"][which], texts[which]
        self.text = self._sentence(one, now)
        self.said.value = f"<p style='margin:2px 0'>{escape(self.text)}</p>"
        self.list.value = self._table(one)

    def _sentence(self, one: Round, now: dict) -> str:
        off = np.array(one.came) - one.shows["predicted"][one.chosen]
        off, sure = off[np.isfinite(off)], one.shows["uncertainty"][one.chosen]
        miss = f"{np.sqrt(np.mean(off**2)):.3g}" if len(off) else "nothing to compare"
        text = (
            f"Round {self.round.value} of {len(self.rounds)}: the model has learned {one.before} evaluations and looks "
            f"at {len(now['predicted'])} candidates. {len(one.chosen)} were evaluated; what came out was off by {miss} "
            f"(root mean square), and the uncertainty it stated was {np.mean(sure):.3g} on average."
        )
        if self.truth and np.isfinite(now["truth"]).sum() > 2:
            tau = stats.tau(now["predicted"], now["truth"])
            text += f" Kendall's τ of prediction and table, all candidates: {tau:.2f}."
        return text

    def _table(self, one: Round) -> str:
        style = "text-align:left; vertical-align:top; white-space:nowrap; padding:1px 14px 1px 0"
        shows, archs = one.shows, self.archs(one)
        place = places(shows["predicted"])
        heads = "acquisition", "predicted", "place by it", "came out", "evaluated"
        rows = [
            (
                f"{shows['acquisition'][i]:.4g}", f"{shows['predicted'][i]:.4g} ± {shows['uncertainty'][i]:.2g}",
                f"{place[i]} of {len(place)}", f"{came:.4g}", self.space.to_text(archs[i]),
            )
            for i, came in list(zip(one.chosen, one.came, strict=True))[:LISTED]
        ]  # fmt: skip
        head = "".join(f'<th scope="col" style="{style}">{escape(text)}</th>' for text in heads)
        body = "".join("<tr>" + "".join(f'<td style="{style}">{escape(t)}</td>' for t in row) + "</tr>" for row in rows)
        return f'<table style="font-size:.9em"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'

    def still(self) -> bytes | None:
        """Draw the shown round as PNG; None before the first."""
        if not self.rounds:
            return None
        one = self.rounds[self.round.value - 1]
        now, (told, came) = self._numbers(one), self._earlier()

        def draw(pen):
            axes = Axes(pen, (0, 26, 430, 400), self._sides, self._sides, "predicted", "came out")
            axes.line(self._sides, self._sides, GREY, 1.2, (4, 4))
            for x, y in zip(told, came, strict=True):
                if np.isfinite(y):
                    pen.dot(axes.X(x), axes.Y(y), 2.5, mixed(GREY, 0.6))
            for x, y in zip(now["predicted"], now["truth"], strict=True):
                if np.isfinite(y):
                    pen.dot(axes.X(x), axes.Y(y), 2.5, mixed(BLUE, 0.7))
            for i, y in zip(one.chosen, one.came, strict=True):
                x, s = one.shows["predicted"][i], one.shows["uncertainty"][i]
                if np.isfinite(y):
                    pen.line([(axes.X(x - s), axes.Y(y)), (axes.X(x + s), axes.Y(y))], MAGENTA, 1)
                    pen.box(axes.X(x) - 4, axes.Y(y) - 4, 8, 8, MAGENTA)
            count, taken = len(now["predicted"]), now["taken"]
            ends = now["predicted"] + np.outer([-1, 1], now["uncertainty"])
            high = good_range(ends.ravel())
            above = Axes(pen, (440, 26, 390, 266), (0, count + 1), high, "", "predicted ± uncertainty")
            below = Axes(pen, (440, 282, 390, 144), (0, count + 1), good_range(now["acquisition"], False, False),
                         "candidates, by acquisition", "acquisition")  # fmt: skip
            for i in range(count):
                color = MAGENTA if taken[i] else BLUE
                x = above.X(i + 1)
                pen.line([(x, above.Y(ends[0, i])), (x, above.Y(ends[1, i]))], color, 1)
                for axis, y in ((above, now["predicted"][i]), (below, now["acquisition"][i])):
                    symbol, size = ("square", 3.2) if taken[i] else ("circle", 2.2)
                    pen.sign(symbol, axis.X(i + 1), axis.Y(y), size, color)
            at = 52
            legend = [("earlier rounds", GREY), ("evaluated in this one", MAGENTA)]
            legend += [("candidates, by the table", BLUE)] if self.truth else [("candidates", BLUE)]
            for name, color in legend:
                pen.sign("square" if color == MAGENTA else "circle", at, 14, 4, color)
                pen.text(at + 10, 14, name, 11, anchor="lm")
                at += 30 + pen.wide(name, 11)
            pen.text(818, 14, f"round {self.round.value}: {one.before} evaluations learned", 12, anchor="rm")

        return drawn(830, 432, draw)


def places(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value, 1 for the greatest."""
    out = np.empty(len(values), int)
    out[np.argsort(-np.asarray(values), kind="stable")] = np.arange(1, len(values) + 1)
    return out


def _bars(color: str) -> dict:
    return {"type": "data", "array": [], "thickness": 1, "width": 0, "color": color}
