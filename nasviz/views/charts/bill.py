"""The costs of searches, published ones and your own, on a logarithmic axis; sliders set the assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import ipywidgets as widgets
import numpy as np

from ...analysis.cost import HEADLINES, SEARCHES, UNITS, Assumptions, Published, ours, plain
from ..colors import AMBER, BLUE, GREY, MAGENTA
from ..raster import DIM, GRID
from .chart import Chart, drawn, figure, live

# field, words, from, to, step, what it is
SLIDERS = (
    ("watts", "W a device", 50, 500, 5, "Mean draw of an accelerator with its share of the computer, W"),
    ("core_watts", "W a core", 1, 50, 1, "Mean draw of one core of this machine, W"),
    ("pue", "PUE", 1.0, 2.5, 0.01, "What a data centre draws for each watt that computes"),
    ("intensity", "kg CO₂e a kWh", 0.0, 1.0, 0.005, "Of the grid: hydro 0.024, coal 0.82 (IPCC 2014, medians)"),
    ("price", "$ a device-hour", 0.1, 10, 0.02, "Price of renting an accelerator for an hour"),
    ("car", "kg CO₂e a car", 10_000, 100_000, 500, "What a car emits in its life, fuel included"),
)


class Bill(Chart):
    """A chart of published searches, and of your own, by their costs.

    Parameters
    ----------
    mine : sequence of (name, core-seconds) or (name, core-seconds, joules)
        Searches that ran here (`nasviz.run.Run.seconds`, `nasviz.analysis.cost.Meter`); joules if they were measured.
    searches : sequence of Published
    assume : Assumptions, optional
        The first values of the sliders.
    unit : str
        The first unit; one of `nasviz.analysis.cost.UNITS`.

    Attributes
    ----------
    assume : Assumptions
        The present values of the sliders.
    bills : list of nasviz.analysis.cost.Bill
        The bills under these assumptions, the cheapest first.
    sliders : dict of str to widget
    """

    def __init__(
        self,
        mine: Sequence[tuple] = (),
        searches: Sequence[Published] = SEARCHES,
        assume: Assumptions | None = None,
        unit: str = "days",
    ):
        self.mine, self.searches, self.start = list(mine), list(searches), assume or Assumptions()
        if any(not one[1] > 0 for one in self.mine):
            raise ValueError("what cost nothing has no place on a logarithmic axis: seconds must be above 0")
        self.unit = widgets.ToggleButtons(options=[(word, name) for name, word in UNITS.items()], value=unit)
        self.sliders = {}
        for name, word, low, high, step, help in SLIDERS:
            value = getattr(self.start, name)
            self.sliders[name] = widgets.FloatSlider(
                value, min=min(low, value), max=max(high, value), step=step, description=word, tooltip=help,
                continuous_update=False, readout_format=",.0f" if high > 40 else ".2f",
                style={"description_width": "110px"}, layout={"width": "370px"},
            )  # fmt: skip
        self.facts, self.said = widgets.HTML("Click a dot for its source."), widgets.HTML()
        self.figure = figure(
            height=90 + 27 * (len(self.searches) + len(self.mine)),
            showlegend=False,
            margin={"l": 190, "r": 70, "t": 10, "b": 50},
            xaxis={"type": "log", "dtick": 1, "exponentformat": "none"},
            yaxis={"type": "category", "automargin": True},
        )
        self.figure.add_scatter(
            mode="markers+text",
            textposition="middle right",
            cliponaxis=False,
            marker={"size": 12, "line": {"width": 1, "color": "#5b6270"}},
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
        for one in (self.unit, *self.sliders.values()):
            one.observe(lambda change: self._draw(), "value")
        self._draw()
        self.figure = live(self.figure)
        self.figure.data[0].on_click(lambda trace, points, state: self._clicked(points.point_inds))
        box = widgets.Box(list(self.sliders.values()), layout={"flex_flow": "row wrap"})
        super().__init__([self.unit, box, self.said, self.figure, self.facts])

    def _draw(self) -> None:
        # a slider rounds to its step, so only moved sliders are read
        moved = {n: s.value for n, s in self.sliders.items() if abs(s.value - getattr(self.start, n)) > s.step}
        self.assume = replace(self.start, **moved)
        own = [ours(name, seconds, self.assume, joules=energy[0] if energy else None)
               for name, seconds, *energy in self.mine]  # fmt: skip
        pairs = [(one.bill(self.assume), one) for one in self.searches] + [(one, None) for one in own]
        pairs.sort(key=lambda pair: pair[0][self.unit.value])
        self.bills, self._sources = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        values = np.array([max(one[self.unit.value], 1e-12) for one in self.bills])
        with self.figure.batch_update():
            dots = self.figure.data[0]
            dots.x, dots.y = values, [one.name for one in self.bills]
            dots.text = [plain(one[self.unit.value]) for one in self.bills]
            dots.marker.color = [color for color, _ in self._looks()]
            dots.marker.symbol = [symbol for _, symbol in self._looks()]
            self.figure.layout.xaxis.title = UNITS[self.unit.value]
            self.figure.layout.yaxis.categoryarray = [one.name for one in self.bills]
        a = self.assume
        each = ", ".join(f"{one.name} {plain(one[self.unit.value])}" for one in self.bills)
        self.text = (
            f"{UNITS[self.unit.value]} of searches, at {a.watts:.0f} W a device, {a.core_watts:.0f} W a core, PUE "
            f"{a.pue:.2f}, {a.intensity:.3f} kg CO₂e a kWh, {a.price:.2f} $ a device-hour, a car of {a.car:,.0f} kg "
            f"CO₂e: {each}."
        )
        self.said.value = (
            f"<p style='margin:2px 0'><b style='color:{AMBER}'>★</b> what ran here; "
            f"<b style='color:{BLUE}'>●</b> published by whose search it is; <b style='color:{GREY}'>◆</b> passed on, "
            "not traced. Device-days of different devices are no common unit.</p>"
        )

    def _looks(self) -> list[tuple[str, str]]:
        """Return colour and sign of each bill."""
        return [
            (AMBER, "star") if one is None else (BLUE, "circle") if one.traced else (GREY, "diamond")
            for one in self._sources
        ]

    def _clicked(self, points: list[int]) -> None:
        if points:
            self.tell(points[0])

    def tell(self, index: int) -> None:
        """Show one bill in all units, and its source."""
        one, source = self.bills[index], self._sources[index]
        numbers = "; ".join(f"{plain(one[unit])} {word}" for unit, word in UNITS.items())
        energy = "the machine's own counter" if one.measured else "estimated from the assumptions"
        why = source.source if source else f"Ran here, on one {one.device}. Energy: {energy}."
        self.facts.value = f"<b>{escape(one.name)}</b> ({escape(one.device)}): {numbers}.<br>{escape(why)}"

    def still(self) -> bytes:
        """Draw the bills as PNG."""
        tall = 27 * len(self.bills)

        def draw(pen):
            values = np.log10([max(one[self.unit.value], 1e-12) for one in self.bills])
            low, high = np.floor(values.min()), np.ceil(values.max() + 0.01)

            def at(log, row):
                return 200 + 590 * (log - low) / (high - low), 14 + 27 * (len(self.bills) - row - 0.5)

            gap = max(1, int((high - low) // 9 + 1))
            for power in np.arange(low, high + 1, gap):
                pen.line([(at(power, 0)[0], 14), (at(power, 0)[0], 14 + tall)], GRID, 1)
                pen.text(at(power, 0)[0], tall + 28, plain(10.0**power), 11, DIM)
            for row, (one, (color, symbol)) in enumerate(zip(self.bills, self._looks(), strict=True)):
                x, y = at(values[row], row)
                pen.line([at(low, row), (x, y)], color, 2)
                if symbol == "circle":
                    pen.dot(x, y, 6, color)
                else:
                    r = 9 if symbol == "star" else 7
                    pen.area([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], color)
                pen.text(190, y, one.name, 12, MAGENTA if symbol == "star" else DIM, "rm")
                pen.text(x + 12, y, plain(one[self.unit.value]), 11, anchor="lm")
            pen.text(495, tall + 48, UNITS[self.unit.value], 12, DIM)
            a = self.assume
            pen.text(
                8, tall + 68,
                f"{a.watts:.0f} W a device, {a.core_watts:.0f} W a core, PUE {a.pue:.2f}, {a.intensity:.3f} kg a kWh, "
                f"${a.price:.2f} a device-hour, a car of {a.car:,.0f} kg", 11, DIM, "lm",
            )  # fmt: skip

        return drawn(900, tall + 82, draw)


class Headlines(Chart):
    """A chart of two bills of one search, and one bill of another: `nasviz.analysis.cost.HEADLINES`, in cars."""

    def __init__(self):
        self.figure = figure(
            height=250, showlegend=False, margin={"l": 250, "r": 60, "t": 10, "b": 50},
            xaxis={"title": "car lifetimes of CO₂e", "range": [0, 5.6]}, yaxis={"automargin": True},
        )  # fmt: skip
        self.names = [f"{one.search}, by<br>{one.said_by}" for one in HEADLINES]
        self.cars = [one.bill().cars for one in HEADLINES]
        self.figure.add_bar(
            x=self.cars[::-1], y=self.names[::-1], orientation="h", marker={"color": [AMBER, BLUE, MAGENTA]},
            text=[f"{value:.2g}" for value in self.cars[::-1]], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )  # fmt: skip
        told = zip(self.names, self.cars, strict=True)
        self.text = "Car lifetimes of CO₂e. " + "; ".join(f"{n.replace('<br>', ' ')}: {c:.2g}" for n, c in told)
        self.figure = live(self.figure)
        super().__init__([self.figure])

    def still(self) -> bytes:
        """Draw the bars as PNG."""

        def draw(pen):
            for v in range(6):
                pen.line([(270 + 110 * v, 10), (270 + 110 * v, 150)], GRID, 1)
                pen.text(270 + 110 * v, 162, f"{v}", 11, DIM)
            for row, (name, value) in enumerate(zip(self.names, self.cars, strict=True)):
                y = 20 + 45 * row
                pen.box(270, y, 110 * value, 30, (MAGENTA, BLUE, AMBER)[row])
                for line, part in enumerate(name.split("<br>")):
                    pen.text(260, y + 7 + 15 * line, part, 11, anchor="rm")
                pen.text(276 + 110 * value, y + 15, f"{value:.2g}", 12, anchor="lm")
            pen.text(545, 182, "car lifetimes of CO₂e", 11, DIM)

        return drawn(900, 196, draw)
