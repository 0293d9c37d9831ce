"""The milliseconds of a network by operation, stacked; the table's prediction beside the measured latency."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import ipywidgets as widgets

from ..colors import AMBER, GREY, MAGENTA, style
from ..raster import DIM, GRID, ticks
from .chart import Chart, drawn, figure, live

OTHER = "stem, reduction, classifier"


def kind(words: str) -> str:
    """Return the kind of an operation of a latency table, in two words: the key of its colour.

    >>> kind("ReLU, conv 3×3 8→8, BN @ 8×16×16"), kind("linear 16→10 @ 16")
    ('conv 3×3', 'stem, reduction, classifier')
    """
    found = re.search(r"conv (\d)×\1( depthwise)? (\d+)→\3,", words)
    if found:
        return f"conv {found[1]}×{found[1]}{found[2] or ''}"
    return "pooling" if words.startswith("AvgPool") else OTHER


class Latency(Chart):
    """A bar chart of networks: the time of their operations by kind, the overhead model's prediction, the measurement.

    Parameters
    ----------
    rows : mapping from str to sequence of (str, float)
        Operations and milliseconds by the network's name, from `nasviz.hardware.LatencyTable.by_operation`.
    predicted : mapping from str to float
        Predictions of `LatencyTable.predict`.
    measured : mapping from str to float
        Measurements of `nasviz.hardware.latency`; networks may be missing.

    Attributes
    ----------
    totals : dict of str to dict of str to float
        Milliseconds by network and kind.
    """

    def __init__(
        self,
        rows: Mapping[str, Sequence[tuple[str, float]]],
        predicted: Mapping[str, float],
        measured: Mapping[str, float] | None = None,
    ):
        if not rows or set(rows) != set(predicted):
            raise ValueError("the stacks and the predictions must be of the same networks, at least one")
        self.names, self.predicted, self.measured = list(rows), dict(predicted), dict(measured or {})
        self.totals: dict[str, dict[str, float]] = {}
        for name, parts in rows.items():
            sums = self.totals.setdefault(name, {})
            for words, ms in parts:
                sums[kind(words)] = sums.get(kind(words), 0.0) + ms
        found = {one for sums in self.totals.values() for one in sums}
        self.kinds = sorted(found, key=lambda one: (one == OTHER, one))
        self.order = widgets.ToggleButtons(options=["by measured", "as given"], value="as given")
        self.order.observe(lambda change: self._draw(), "value")
        self.figure = figure(
            height=110 + 34 * len(self.names), barmode="stack", xaxis={"title": "ms"},
            yaxis={"type": "category", "autorange": "reversed", "automargin": True},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        )  # fmt: skip
        for one in self.kinds:
            self.figure.add_bar(orientation="h", name=one, marker={"color": self._color(one)})
        for name, symbol, color in (("table, repaired", "diamond", AMBER), ("measured", "line-ns-open", MAGENTA)):
            size, line = 15 if "ns" in symbol else 9, {"width": 3, "color": color}
            marker = {"symbol": symbol, "size": size, "color": color, "line": line}
            self.figure.add_scatter(mode="markers", name=name, marker=marker)
        self._draw()
        self.figure = live(self.figure)
        super().__init__([self.order, self.figure])

    @staticmethod
    def _color(one: str) -> str:
        names = {"pooling": "avg_pool_3x3", "conv 1×1": "nor_conv_1x1", "conv 3×3": "nor_conv_3x3"}
        if one == "conv 1×1":
            return "#7fb0ea"  # the family's hue: bars have no stroke pattern
        return GREY if one == OTHER else style(names.get(one, "mbconv")).color

    def _sorted(self) -> list[str]:
        if self.order.value == "as given":
            return self.names
        return sorted(self.names, key=lambda name: self.measured.get(name, self.predicted[name]))

    def _draw(self) -> None:
        names = self._sorted()
        with self.figure.batch_update():
            for trace, one in zip(self.figure.data, self.kinds, strict=False):
                trace.y, trace.x = names, [self.totals[name].get(one, 0.0) for name in names]
            said, seen = self.figure.data[-2:]
            said.y, said.x = names, [self.predicted[name] for name in names]
            seen.y, seen.x = names, [self.measured.get(name) for name in names]
        each = "; ".join(
            f"{name}: operations {sum(self.totals[name].values()):.2f}, table {self.predicted[name]:.2f}"
            + (f", measured {self.measured[name]:.2f}" if name in self.measured else "")
            for name in names
        )
        self.text = f"Milliseconds. {each}."

    def still(self) -> bytes:
        """Draw the bars as PNG."""
        names, tall = self._sorted(), 30 * len(self.names)

        def draw(pen):
            most = max([*(sum(s.values()) for s in self.totals.values()), *self.predicted.values(),
                        *self.measured.values()]) * 1.04  # fmt: skip
            left = 20 + max(pen.wide(name, 11) for name in names)

            def at(ms):
                return left + (700 - left) * ms / most

            for v in ticks(0, most, 7):
                pen.line([(at(v), 34), (at(v), 38 + tall)], GRID, 1)
                pen.text(at(v), 50 + tall, f"{v:g}", 11, DIM)
            pen.text((left + 700) / 2, 68 + tall, "ms", 11, DIM)
            across = left
            marks = {"◆ table, repaired": AMBER, "▮ measured": MAGENTA}
            for word, color in {**{f"■ {one}": self._color(one) for one in self.kinds}, **marks}.items():
                pen.text(across, 14, word, 11, color, "lm")
                across += pen.wide(word, 11) + 14
            for i, name in enumerate(names):
                y, done = 38 + 30 * i, 0.0
                pen.text(left - 8, y + 13, name, 11, anchor="rm")
                for one in self.kinds:
                    ms = self.totals[name].get(one, 0.0)
                    pen.box(at(done), y + 4, at(done + ms) - at(done), 18, self._color(one))
                    done += ms
                x = at(self.predicted[name])
                pen.area([(x - 6, y + 13), (x, y + 7), (x + 6, y + 13), (x, y + 19)], AMBER)
                if name in self.measured:
                    pen.box(at(self.measured[name]) - 1.5, y + 1, 3, 24, MAGENTA)

        return drawn(720, 84 + tall, draw)
