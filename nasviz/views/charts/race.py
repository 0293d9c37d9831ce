"""A race of strategies in one picture: mean regret with its band against the cost, and the ranking at any moment."""

from __future__ import annotations

import time
from html import escape
from pathlib import Path
from typing import cast

import ipywidgets as widgets
import numpy as np

from ...analysis.stats import mean_band
from ...estimators.table import Table
from ...races.race import Race
from ...races.standings import JUDGES, WORDS, Standings, Track
from ..colors import REFERENCE, SOLID, strategy
from ..raster import DIM, GRID, TEXT, mixed, ticks
from .chart import Chart, Fit, drawn, figure, live, stroke

DASHES = (SOLID, (6, 3), (2, 3), (9, 3, 2, 3))
EVERY = 1.0  # seconds between two drawings while a race runs


class RaceChart(Chart):
    """A chart of regret with bands on the left, and of the ranking at the slider's moment on the right. See `race`.

    Attributes
    ----------
    standings : Standings or None
        The results; None before the first run has ended.
    moment : widget
        The slider: a position on the horizontal axis, 0 to 100 % of it.
    judge, unit : widget
        The source of the accuracies that count (see `nasviz.races.standings`), and the unit of the axis.
    """

    def __init__(self, raced: Race | Standings, table: Table | None = None):
        self.raced, self.table = raced, table
        self.standings = raced if isinstance(raced, Standings) else None
        wide = {"style": {"description_width": "80px"}}
        self.judge = widgets.ToggleButtons(options=[(f"by {j}", j) for j in JUDGES], **wide)
        self.unit = widgets.ToggleButtons(options=[(word, unit) for unit, word in WORDS.items()])
        self.unit.value = raced.unit
        self.moment = widgets.IntSlider(
            100, 1, 100, description="moment, %", readout=True, layout={"width": "460px"}, **wide
        )
        self.judge.observe(lambda change: self.draw(), "value")
        self.unit.observe(lambda change: self.draw(), "value")
        self.moment.observe(lambda change: self._place() if self.standings else None, "value")
        self.said, self.place = widgets.HTML(), widgets.VBox()
        self.names: list[str] = []
        boxes = widgets.Box([self.judge, self.unit], layout={"flex_flow": "row wrap"})
        super().__init__([boxes, self.moment, self.place, self.said])
        self._build()

    # ------------------------------------------------------------------ a race that goes on
    def follow(self, race: Race | None = None) -> Standings:
        """Do the missing runs of the race, draw each, and return the standings. Display the chart before."""
        race, before = race or cast(Race, self.raced), 0.0
        try:
            for _ in race:
                if time.monotonic() - before > EVERY:
                    self.show(Standings(race.head, race.tracks))
                    before = time.monotonic()
        finally:
            if race.tracks:
                self.show(Standings(race.head, race.tracks))
        return cast(Standings, self.standings)

    def append(self, track: Track) -> None:
        """Add a run."""
        tracks = self.standings.tracks if self.standings else []
        head = self.standings.head if self.standings else self.raced.head
        self.show(Standings(head, [*tracks, track]))

    def show(self, standings: Standings) -> None:
        """Draw these standings in place of the old ones."""
        self.standings = standings
        self.draw()

    # ------------------------------------------------------------------ drawing
    def looks(self) -> dict[str, tuple[str, tuple[int, ...], str]]:
        """Return colour, stroke pattern and label of each strategy; variants share the colour, not the pattern."""
        known, out = self._results.head.get("searches", {}), {}
        used: dict[str, int] = {}
        for name in self._results.names:
            kind = known.get(name, {}).get("type", name)
            style = strategy(kind)
            number = used[kind] = used.get(kind, -1) + 1
            dash = style.dash if number == 0 else [d for d in DASHES if d != style.dash][(number - 1) % 3]
            out[name] = style.color, dash, style.label if kind == name else name
        return out

    @property
    def _results(self) -> Standings:
        """The standings where there are some: nothing else asks before the first run has ended."""
        assert self.standings is not None
        return self.standings

    def _bands(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return positions (points,) and, in percentage points, mean, low and high (3, points) of each strategy."""
        grid, curves = self._told().curves(self.unit.value)
        return grid, {name: 100 * mean_band(of) for name, of in curves.items()}

    def _told(self) -> Standings:
        return self._results.by(self.judge.value)

    def draw(self) -> None:
        """Update the whole chart."""
        if self.standings and self.standings.names == self.names:
            self._measure()
            with self.figure.batch_update():
                self._curves()
        else:
            self._build()

    def _build(self) -> None:
        """Build a new figure, at the start or when the strategies have changed."""
        self.figure = figure(
            height=460,
            margin={"l": 60, "r": 20, "t": 30, "b": 50},
            xaxis={"domain": [0, 0.6], "title": WORDS[self.unit.value]},
            yaxis={"title": "regret, percentage points"},
            xaxis2={"domain": [0.78, 1], "title": "regret at this moment", "rangemode": "tozero"},
            yaxis2={"anchor": "x2", "showgrid": False},
            showlegend=False,
            hovermode="closest",
        )
        if self.standings is None:
            self.text = "The race has not begun."
        else:
            self._measure()
            self._fill()
        self.figure = live(self.figure)
        self.place.children = [self.figure, Fit()]

    def _measure(self) -> None:
        self.grid, self.bands = self._bands()
        self.names = list(self._results.names)
        self._say()

    def _fill(self) -> None:
        """Update the lines and dots of the strategies."""
        looks = self.looks()
        for name in self.names:
            color, dash, label = looks[name]
            edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "legendgroup": name}
            self.figure.add_scatter(**edge)
            r, g, b = (int(color[i : i + 2], 16) for i in (1, 3, 5))
            self.figure.add_scatter(fill="tonexty", fillcolor=f"rgba({r},{g},{b},.16)", **edge)
            line = {"color": color, "width": 2, "dash": stroke(dash)}
            hover = f"{escape(label)}: %{{y:.2f}} points after %{{x:,.0f}}<extra></extra>"
            self.figure.add_scatter(mode="lines", line=line, hovertemplate=hover)
        spans = {"type": "data", "symmetric": False, "thickness": 1.5, "width": 4}
        for name in self.names:
            color = looks[name][0]
            self.figure.add_scatter(
                mode="markers", marker={"color": color, "size": 10}, error_x=spans | {"color": color},
                xaxis="x2", yaxis="y2", hovertemplate="%{x:.2f}<extra></extra>",
            )  # fmt: skip
        self._curves()

    def _curves(self) -> None:
        for n, name in enumerate(self.names):
            mean, low, high = self.bands[name]
            for trace, values in zip(self.figure.data[3 * n : 3 * n + 3], (low, high, mean), strict=True):
                trace.x, trace.y = self.grid, values
        low, high = self._range()
        self.figure.layout.yaxis.range = [low, high]
        self.figure.layout.xaxis.title = WORDS[self.unit.value]
        self.figure.layout.xaxis.range = [0, self.grid[-1]]
        self._place()

    def _range(self) -> tuple[float, float]:
        """Return a vertical range without the first few evaluations, whose regret would flatten the rest."""
        early = max(1, len(self.grid) // 25)
        tops = [np.nanmax(band[0][early:]) for band in self.bands.values()]
        lines = [100 * regret for regret in self._told().references().values()]
        ends = [np.nanmin(band[0]) for band in self.bands.values()]
        low, high = min([0.0, *ends, *lines]), max([*tops, *lines])
        return low - 0.04 * (high - low), high + 0.06 * (high - low) or 1.0

    def _moment(self) -> tuple[float, dict[str, np.ndarray]]:
        """Return the slider's position on the axis, and mean, low, high of each strategy there, the best first."""
        at = min(len(self.grid) - 1, max(0, round(self.moment.value / 100 * len(self.grid)) - 1))
        here = {name: band[:, at] for name, band in self.bands.items() if not np.isnan(band[0, at])}
        return float(self.grid[at]), dict(sorted(here.items(), key=lambda item: item[1][0]))

    def _place(self) -> None:
        """Update the right side, the line of the moment and the text."""
        at, here = self._moment()
        looks, order = self.looks(), list(here)
        with self.figure.batch_update():
            for name, trace in zip(self.names, self.figure.data[3 * len(self.names) :], strict=True):
                mean, low, high = here.get(name, np.zeros(3)).tolist()
                there = name in here
                trace.x, trace.y = [mean] * there, [-order.index(name)] if there else []
                spread = there and low == low  # nan for fewer than three runs
                trace.error_x.array, trace.error_x.arrayminus = [high - mean] * spread, [mean - low] * spread
            axis = self.figure.layout.yaxis2
            axis.tickvals, axis.ticktext = [-n for n in range(len(order))], [looks[name][2] for name in order]
            axis.range = [-len(order) + 0.4, 0.6]
            line = {"type": "line", "xref": "x", "x0": at, "x1": at, "yref": "y domain", "y0": 0, "y1": 1}
            shapes, notes = [line | {"line": {"color": "#7d8590", "width": 1}}], []
            for name, regret in self._told().references().items():
                height, dash = 100 * regret, {"color": REFERENCE.color, "width": 1.5, "dash": "dot"}
                across = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": height, "y1": height}
                shapes.append(across | {"line": dash})
                beside = {"xref": "x domain", "x": 1, "xanchor": "right", "y": height, "yanchor": "bottom"}
                font = {"color": REFERENCE.color, "size": 11}
                notes.append(beside | {"text": escape(name), "showarrow": False, "font": font})
            self.figure.layout.shapes, self.figure.layout.annotations = shapes, notes
        self._say()

    def _say(self) -> None:
        (at, here), looks = self._moment(), self.looks()
        runs = sorted({sum(track.name == name for track in self._results.tracks) for name in self.names})
        each = ", ".join(f"{looks[name][2]} {values[0]:.2f}" for name, values in here.items())
        judged = {"test": "trainings that the search did not see", "validation": "the training that it saw"}
        coverage = self._results.head["coverage"]
        self.text = (
            f"Mean regret in percentage points after {at:,.0f} {WORDS[self.unit.value]}, judged by "
            f"{judged[self.judge.value]}: {each}. {' to '.join(map(str, runs[:1] + runs[1:][-1:]))} runs each; bands: "
            f"95 % of the mean (bootstrap).{f' Table: {coverage}.' if coverage else ''}"
        )
        stale = self._results.stale(self.table) if self.table else ""
        self.text = f"Careful: {stale}. {self.text}" if stale else self.text
        self.said.value = f"<p style='margin:2px 0'>{escape(self.text)}</p>"

    def still(self) -> bytes | None:
        """Draw the picture as PNG; None before the first run."""
        if self.standings is None:
            return None

        def draw(pen):
            (y0, y1), end, looks = self._range(), self.grid[-1], self.looks()
            at, here = self._moment()

            def place(x, y):
                return 56 + 470 * x / end, 30 + 330 * (1 - (min(max(y, y0), y1) - y0) / (y1 - y0))

            pen.text(56, 14, "regret, percentage points", 12, DIM, "lm")
            for v in ticks(y0, y1, 7):
                pen.line([place(0, v), place(end, v)], GRID, 1)
                pen.text(50, place(0, v)[1], f"{v:g}", 11, DIM, "rm")
            for v in ticks(0, end, 5):
                pen.text(place(v, y0)[0], 374, f"{v:,g}", 11, DIM)
            pen.text(291, 394, WORDS[self.unit.value], 12, DIM)
            for name, (_, low, high) in self.bands.items():
                seen = ~np.isnan(low) & (low < y1)
                above = [place(x, y) for x, y in zip(self.grid[seen], high[seen], strict=True)]
                below = [place(x, y) for x, y in zip(self.grid[seen], low[seen], strict=True)]
                pen.area([*above, *below[::-1]], mixed(looks[name][0], 0.16))
            for name, (mean, _, _) in self.bands.items():
                seen = ~np.isnan(mean) & (mean <= y1)
                points = [place(x, y) for x, y in zip(self.grid[seen], mean[seen], strict=True)]
                pen.line(points, looks[name][0], 2, looks[name][1])
            for name, regret in self._told().references().items():
                pen.line([place(0, 100 * regret), place(end, 100 * regret)], REFERENCE.color, 1.5, (2, 3))
                pen.text(524, place(0, 100 * regret)[1] - 8, name, 11, REFERENCE.color, "rm")
            pen.line([place(at, y0), place(at, y1)], DIM, 1)
            pen.text(560, 14, f"after {at:,.0f}", 12, DIM, "lm")
            for n, (name, (mean, low, high)) in enumerate(here.items()):
                color, dash, label = looks[name]
                y = 40 + 26 * n
                pen.line([(560, y), (592, y)], color, 2.5, dash)
                span = f" ({low:.2f} to {high:.2f})" if not np.isnan(low) else ""
                pen.text(600, y, f"{label}  {mean:.2f}{span}", 12, TEXT, "lm")

        return drawn(860, 410, draw)


def race(raced: Race | Standings | str | Path, table: Table | None = None) -> RaceChart:
    """Draw a race as a chart with a slider through time: which strategy leads, by how much, and with what certainty.

    Parameters
    ----------
    raced : Race, Standings or path
        A race to run (``chart = race(it); display(chart); chart.follow()``), the standings of a race, or its record.
    table : Table, optional
        The present table: the chart says so if the race was recorded on another table.

    Notes
    -----
    Lines are means over seeds; bands are bootstrap intervals of these means (95 %). Where two bands are apart, the
    means differ; where they overlap, see `Standings.pairs`. A run without a valid evaluation yet counts as the worst
    that the bound allows. Grey lines need no search.
    """
    return RaceChart(raced if isinstance(raced, Race | Standings) else Standings.load(raced), table)
