"""Every estimator in one plane of ranking quality against cost: *the* picture of performance estimation."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets
import numpy as np

from ...analysis.fronts import front
from ...estimators.quality import CEILING, Quality
from ..colors import AMBER, BLUE, GREY, MAGENTA
from ..raster import DIM, GRID, ticks
from .chart import Chart, drawn, figure, live, short, sides

MEASURES = (("tau", "τ, all"), ("within", "τ, equal size"), ("rho", "ρ"), ("precision", "best found"))
CHEAPEST = 1e-5  # seconds: a cost of 0 has no place on a logarithmic axis


class CostQuality(Chart):
    """A chart of rank correlation, with intervals, against seconds per architecture on a logarithmic axis.

    The line joins the estimators that no other one beats in both (the Pareto front). The horizontal lines come from the
    first estimator's quality: the baselines, which cost nothing, and the ceiling that the noise of seeds sets. An
    estimator is worth its seconds only above the baselines. Above the ceiling stands only an estimator that has less
    noise than one training.

    Parameters
    ----------
    *qualities : Quality
        See `nasviz.estimators.quality.quality`. Only qualities on the same sample are comparable.

    Attributes
    ----------
    qualities : list of Quality
    """

    def __init__(self, *qualities: Quality):
        self.qualities: list[Quality] = []
        self.measure = widgets.ToggleButtons(options=[(word, name) for name, word in MEASURES])
        self.measure.observe(lambda change: self.draw(), "value")
        self.facts = widgets.HTML("Click a dot.")
        self.figure = figure(
            height=460,
            margin={"l": 60, "r": 130, "t": 30, "b": 50},
            xaxis={"type": "log", "title": "seconds an architecture", "dtick": 1, "exponentformat": "none"},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            hovermode="closest",
        )
        self.figure.add_scatter(mode="lines", name="not beaten in both", line={"color": GREY, "dash": "dot"})
        self.figure.add_scatter(
            mode="markers+text",
            cliponaxis=False,
            marker={"color": BLUE, "size": 10},
            error_y={"type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": BLUE},
            textfont={"size": 11},
            showlegend=False,
            hovertemplate="%{text}<br>%{x:.2g} s, %{y:.2f}<extra></extra>",
        )
        for one in qualities:
            self._add(one)
        self.draw()
        self.figure = live(self.figure)
        self.figure.data[1].on_click(lambda trace, points, state: self._clicked(points.point_inds))
        super().__init__([self.measure, self.figure, self.facts])

    def append(self, quality: Quality) -> None:
        """Add an estimator, or replace that of the same name. ValueError if its sample has another size."""
        self._add(quality)
        self.draw()

    def _add(self, quality: Quality) -> None:
        if self.qualities and quality.count != self.qualities[0].count:
            raise ValueError(
                f"{quality.name} was judged on {quality.count:,} architectures, the others on "
                f"{self.qualities[0].count:,}: judge all on the same ones"
            )
        self.qualities = [one for one in self.qualities if one.name != quality.name] + [quality]

    def _numbers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return seconds (n,), values (n,) and intervals (n, 2) of the estimators."""
        found = [getattr(one, self.measure.value) for one in self.qualities]
        seconds = np.array([max(one.seconds, CHEAPEST) for one in self.qualities])
        spans = np.array([(one.low, one.high) for one in found]).reshape(-1, 2)
        return seconds, np.array([one.value for one in found]), spans

    def _lines(self) -> list[tuple[str, float, str]]:
        """Return the horizontal lines: name, height, colour."""
        baselines = self.qualities[0].baselines if self.qualities else {}
        found = [(name, getattr(one, self.measure.value).value) for name, one in baselines.items()]
        return [(n, v, MAGENTA if n == CEILING else AMBER) for n, v in found if not np.isnan(v)]

    def _front(self) -> list[int]:
        seconds, values, _ = self._numbers()
        return front(seconds, np.where(np.isnan(values), -np.inf, values))

    def draw(self) -> None:
        """Update the chart."""
        seconds, values, spans = self._numbers()
        best, word = self._front(), dict(MEASURES)[self.measure.value]
        names = [one.name for one in self.qualities]
        shapes, notes = [], []
        for name, height, color in self._lines():
            dash = "dash" if name == CEILING else "dot"
            line = {"color": color, "width": 1.5, "dash": dash}
            shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height, "line": line})
            place = {"xref": "paper", "x": 1.01, "y": height, "xanchor": "left", "showarrow": False}
            notes.append({"text": escape(name), "font": {"color": color, "size": 11}, **place})
        _part(notes)
        with self.figure.batch_update():
            self.figure.layout.shapes, self.figure.layout.annotations = shapes, notes
            self.figure.layout.yaxis.title = word
            if len(seconds):  # room for names beside the first and the last
                logs = np.log10(seconds)
                self.figure.layout.xaxis.range = [logs.min() - 0.6, logs.max() + 0.6]
            line, dots = self.figure.data
            line.x, line.y = seconds[best], values[best]
            dots.x, dots.y, dots.text = seconds, values, names
            x, y = 130 * np.log10(seconds), 400 * np.nan_to_num(values)
            dots.textposition = sides(x, y, names, [12] * len(names))
            dots.error_y.array, dots.error_y.arrayminus = spans[:, 1] - values, values - spans[:, 0]
        each = zip(names, values, seconds, strict=True)
        told = ", ".join(f"{name} {value:.2f} at {cost:.2g} s" for name, value, cost in each)
        lines = ", ".join(f"{name} {height:.2f}" for name, height, _ in self._lines())
        unbeaten = ", ".join(names[i] for i in best)
        self.text = f"{word} against seconds an architecture: {told}. Lines: {lines or 'none'}. Unbeaten: {unbeaten}."

    def _clicked(self, points: list[int]) -> None:
        if points:
            self.tell(self.qualities[points[0]])

    def tell(self, quality: Quality) -> None:
        """Show all numbers of one estimator, with its baselines and ceiling."""
        style = "text-align:left; vertical-align:top; padding:1px 14px 1px 0"
        head, *lines = quality.table()
        cells = "".join(f'<th scope="col" style="{style}">{escape(text)}</th>' for text in head)
        body = "".join(
            "<tr>" + "".join(f'<td style="{style}">{escape(text)}</td>' for text in line) + "</tr>" for line in lines
        )
        bands = "; ".join(f"{short(b.low)} to {short(b.high)}: {b.tau:.2f} ({b.count:,})" for b in quality.bands)
        more = f"<p style='margin:4px 0'>τ by size (architectures): {bands}</p>" if bands else ""
        self.facts.value = f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>{more}"

    def still(self) -> bytes | None:
        """Draw the plane as PNG; None while it is empty."""
        if not self.qualities:
            return None

        def draw(pen):
            seconds, values, spans = self._numbers()
            lines, logs = self._lines(), np.log10(seconds)
            x0, x1 = np.floor(logs.min() - 0.3), logs.max() + 0.6  # room for the last name
            heights = np.array([*values, *spans.ravel(), *(height for _, height, _ in lines)])
            y0, y1 = np.nanmin(heights) - 0.05, np.nanmax(heights) + 0.05

            def at(log, value):
                return 56 + 560 * (log - x0) / (x1 - x0), 30 + 340 * (1 - (value - y0) / (y1 - y0))

            for v in ticks(y0, y1, 7):
                pen.line([at(x0, v), at(x1, v)], GRID, 1)
                pen.text(50, at(x0, v)[1], f"{v:g}", 11, DIM, "rm")
            for power in range(int(x0), int(np.floor(x1)) + 1):
                pen.line([at(power, y0), at(power, y1)], GRID, 1)
                pen.text(at(power, y0)[0], 384, f"{10.0**power:g}", 11, DIM)
            pen.text(336, 404, "seconds an architecture", 12, DIM)
            pen.text(56, 14, dict(MEASURES)[self.measure.value], 12, DIM, "lm")
            free = np.inf
            for name, height, color in sorted(lines, key=lambda line: line[1]):  # names from below, apart
                pen.line([at(x0, height), at(x1, height)], color, 1.5, (5, 3))
                free = min(at(x0, height)[1], free - 16)
                pen.text(622, free, name, 11, color, "lm")
            pen.line([at(logs[i], values[i]) for i in self._front()], DIM, 1.2, (2, 3))
            names = [one.name for one in self.qualities]
            places = [at(*one) for one in zip(logs, values, strict=True)]
            stand = sides([x for x, _ in places], [-y for _, y in places], names, [12] * len(names))
            offsets = {"top center": (0, -13, "mm"), "bottom center": (0, 13, "mm"),
                       "middle right": (10, 0, "lm"), "middle left": (-10, 0, "rm")}  # fmt: skip
            for i, name in enumerate(names):
                if np.isnan(values[i]):
                    continue
                pen.line([at(logs[i], spans[i, 0]), at(logs[i], spans[i, 1])], BLUE, 1)
                pen.dot(*places[i], 5, BLUE)
                dx, dy, anchor = offsets[stand[i]]
                pen.text(places[i][0] + dx, places[i][1] + dy, name, 11, anchor=anchor)

        return drawn(760, 420, draw)


def _part(notes: list[dict], gap: float = 15.0) -> None:
    """Shift the names of close lines to a distance of ``gap`` pixels, so that all can be read."""
    free = -np.inf
    for note in sorted(notes, key=lambda note: note["y"]):
        place = 400 * note["y"]
        note["yshift"] = max(0.0, free - place)
        free = max(place, free) + gap
