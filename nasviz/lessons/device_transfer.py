"""Lab 10: how few measurements suffice for a new device? Recorded on the devices of HELP, and live where they are.

HELP (Lee et al. 2021) has 23 columns of latencies: thirteen devices, the graphics cards with three sizes of a batch. A
device is left out with all of its batches, since they are alike; or its whole kind is. The ways are those of
`nasviz.hardware.new_device`. ``data/scripts/record_transfer.py`` records what `study` says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets
import numpy as np

from ..analysis.stats import Interval, mean_of
from ..course import as_table
from ..estimators import Table
from ..hardware.edge_costs import without_dead
from ..hardware.new_device import WAYS, Known, judge
from ..hardware.published_latencies import latencies
from ..identity import OtherVersion, check_version
from ..paths import data_dir
from ..views.charts.chart import Chart, drawn, figure, live, stroke
from ..views.raster import DASHES, SERIES, Axes, mixed

FILE, VERSION = "device-transfer.json", 1
MEASURED, DRAWS, CELLS, JUDGES = (3, 5, 10, 20, 50, 100, 300), 20, 4000, 1000
KINDS = {"titan": "graphics card", "80ti": "graphics card", "silver": "server processor", "gold": "server processor"}


def card(column: str) -> str:
    """The device of a column of HELP: its name without the batch."""
    name, _, batch = column.rpartition("_")
    return name if batch in ("1", "32", "256") else column


def kind(column: str) -> str:
    """Graphics card, server processor, or phone."""
    return next((word for part, word in KINDS.items() if part in column), "phone")


LEFT_OUT: dict[str, Callable[[str], str]] = {"the device": card, "all of its kind": kind}


@dataclass(frozen=True, eq=False)
class Study:
    """The published latencies of some cells on all devices, of which one after the other is new.

    Attributes
    ----------
    columns : tuple of str
        HELP's names.
    known : Known
        All of them; the first `JUDGES` cells judge.
    """

    columns: tuple[str, ...]
    known: Known

    @classmethod
    def published(cls, folder: str | Path | None = None) -> Study:
        """Read HELP's latencies: arguments and errors as of `nasviz.estimators.Table.published`."""
        archs, costs = latencies(Table.published("nasbench201", folder, also=["devices"]))
        rng = np.random.default_rng(0)
        some = rng.permutation(np.flatnonzero(without_dead(archs)))[:CELLS]
        columns = tuple(name.removesuffix("_latency_ms") for name in costs)
        return cls(columns, Known(archs[some], np.array([column[some] for column in costs.values()])))

    def drawn(self, column: str, measured: int, left_out: str, draws: int = DRAWS) -> np.ndarray:
        """Judge all ways on one column that is new.

        Parameters
        ----------
        column : str
            HELP's name.
        measured : int
            Number of cells that are measured on it, 3 or more.
        left_out : {"the device", "all of its kind"}
        draws : int
            How often they are drawn.

        Returns
        -------
        float array (draws, ways, 2)
            Kendall's τ and the median relative error.
        """
        if column not in self.columns:
            raise ValueError(f"the columns of HELP are {', '.join(self.columns)}, got {column!r:.60}")
        group, new = LEFT_OUT[left_out], self.columns.index(column)
        known = self.known.only([n for n, name in enumerate(self.columns) if group(name) != group(column)])
        held_out, ms = np.arange(min(JUDGES, len(self.known.archs) // 2)), self.known.ms[new]
        found = [judge(known, ms, measured, (draw, new), held_out) for draw in range(draws)]
        return np.array([[one[way] for way in WAYS] for one in found])


@dataclass(frozen=True, eq=False)
class Transfer:
    """What was recorded: means over draws, by what was left out, number of measurements, way and column.

    Attributes
    ----------
    about : dict
        Source, paper, licence, command.
    left_out, ways, columns, devices, kinds : tuple of str
    measured : tuple of int
    tau, error : float array (left out, measured, ways, columns)
        Kendall's τ with the measurements, and the median relative error (0.05: 5 %).
    """

    about: dict
    left_out: tuple[str, ...]
    ways: tuple[str, ...]
    columns: tuple[str, ...]
    devices: tuple[str, ...]
    kinds: tuple[str, ...]
    measured: tuple[int, ...]
    tau: np.ndarray
    error: np.ndarray

    def by_device(self, what: str = "error") -> np.ndarray:
        """Means over the batches of a device: (left out, measured, ways, devices), devices in alphabetical order."""
        values = getattr(self, what)
        names = np.array(self.devices)
        return np.stack([values[..., names == name].mean(-1) for name in sorted(set(self.devices))], -1)

    def interval(self, left_out: str, measured: int, way: str, what: str = "error") -> Interval:
        """The mean over the devices, and its 95 % interval (bootstrap over devices), of ``"error"`` or ``"tau"``."""
        place = self.left_out.index(left_out), self.measured.index(measured), self.ways.index(way)
        return mean_of(self.by_device(what)[place])

    def less(self, left_out: str, measured: int, first: str, second: str, what: str = "error") -> Interval:
        """How much less ``first`` is than ``second``, device by device: the mean, and its 95 % interval."""
        place = self.left_out.index(left_out), self.measured.index(measured)
        values = self.by_device(what)[place]
        return mean_of(values[self.ways.index(second)] - values[self.ways.index(first)])

    def enough(self, left_out: str, way: str, error: float = 0.05) -> int | None:
        """The fewest measurements from which on the mean error is at most ``error``; None if 300 are too few."""
        means = self.by_device()[self.left_out.index(left_out), :, self.ways.index(way)].mean(-1)
        good = np.logical_and.accumulate(means[::-1] <= error)[::-1]
        return self.measured[int(good.argmax())] if good.any() else None


def recorded_transfer(path: str | Path | None = None) -> Transfer:
    """Read data/device-transfer.json.

    Raises
    ------
    ValueError
        If the file is none, damaged, of a newer nasviz, or not complete, with its name.
    """
    path = Path(path or data_dir() / FILE)
    try:
        raw = json.loads(path.read_text("utf-8"))
        check_version(path, raw.pop("version"), VERSION)
        names = ("left_out", "ways", "columns", "devices", "kinds")
        left_out, ways, columns, devices, kinds = (tuple(map(str, raw[name])) for name in names)
        measured, tau, error = tuple(raw["measured"]), np.array(raw["tau"], float), np.array(raw["error"], float)
        shape = len(left_out), len(measured), len(ways), len(columns)
        if any(array.shape != shape or not np.isfinite(array).all() for array in (tau, error)):
            raise ValueError(f"it has to hold finite numbers for {shape} settings; record the rest by its command")
        if len(devices) != len(columns) or len(kinds) != len(columns):
            raise ValueError("each column has a device and a kind")
        return Transfer(dict(raw["about"]), left_out, ways, columns, devices, kinds, measured, tau, error)
    except OtherVersion:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is no record of device transfer: {error!s:.300}") from None


def errors(transfer: Transfer, left_out: str = "the device", what: str = "error"):
    """A table of the mean over devices, with 95 % intervals, by way and number of measurements."""
    lines = []
    for way in transfer.ways:
        found = [transfer.interval(left_out, n, way, what) for n in transfer.measured]
        lines.append((way, *(_said(one, what) for one in found)))
    return as_table([f"{left_out} is left out; measured →", *transfer.measured], lines)


def _said(found: Interval, what: str) -> str:
    if what == "tau":
        return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
    return f"{found.value:.1%} ({100 * found.low:.1f} to {100 * found.high:.1f})"


class TransferCurves(Chart):
    """Curves with 95 % bands over devices: error, or rank correlation, against the number of measurements."""

    def __init__(self, transfer: Transfer):
        self.transfer = transfer
        self.what = widgets.ToggleButtons(options=[("median error", "error"), ("Kendall's τ", "tau")])
        self.left_out = widgets.ToggleButtons(options=transfer.left_out, description="left out")
        for one in (self.what, self.left_out):
            one.observe(lambda change: self._draw(), "value")
        self.figure = figure(
            height=470,
            xaxis={"title": "measurements on the new device", "type": "log"},
            legend={"orientation": "h", "y": -0.2, "traceorder": "normal"},
        )
        for way, color, dash in zip(transfer.ways, SERIES, DASHES, strict=False):
            edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
            self.figure.add_scatter(**edge)
            r, g, b = (int(color[i : i + 2], 16) for i in (1, 3, 5))
            self.figure.add_scatter(fill="tonexty", fillcolor=f"rgba({r},{g},{b},.14)", **edge)
            line = {"color": color, "width": 2, "dash": stroke(dash)}
            self.figure.add_scatter(mode="lines+markers", line=line, name=way)
        self.figure.update_xaxes(tickvals=list(transfer.measured), ticktext=[str(n) for n in transfer.measured])
        self._draw()
        self.figure = live(self.figure)
        super().__init__([self.what, self.left_out, self.figure])

    def _bands(self) -> dict[str, np.ndarray]:
        """Mean, low and high by way: (3, measured)."""
        factor = 100 if self.what.value == "error" else 1
        bands = {}
        for way in self.transfer.ways:
            found = [
                self.transfer.interval(self.left_out.value, n, way, self.what.value) for n in self.transfer.measured
            ]
            bands[way] = factor * np.array([[one.value, one.low, one.high] for one in found]).T
        return bands

    def _draw(self) -> None:
        self.bands = self._bands()
        self.title = "median error, %" if self.what.value == "error" else "Kendall's τ with the measurements"
        with self.figure.batch_update():
            self.figure.layout.yaxis.title = self.title
            for place, (mean, low, high) in enumerate(self.bands.values()):
                for line, values in zip(self.figure.data[3 * place : 3 * place + 3], (low, high, mean), strict=True):
                    line.x, line.y = self.transfer.measured, values
        ends = "; ".join(
            f"{way}: " + ", ".join(f"{n} → {y:.3g}" for n, y in zip(self.transfer.measured, band[0], strict=True))
            for way, band in self.bands.items()
        )
        self.text = f"{self.title}, by measurements on the new device, {self.left_out.value} left out. {ends}."

    def still(self) -> bytes:
        """Draw the curves as PNG, their names at the right."""

        def draw(pen):
            at = np.log(self.transfer.measured)
            marks = [(x, str(n)) for x, n in zip(at, self.transfer.measured, strict=True)]
            high = max(band.max() for band in self.bands.values())
            low = min(band.min() for band in self.bands.values()) if self.what.value == "tau" else 0
            axes = Axes(pen, (8, 8, 600, 340), (at[0], at[-1]), (low, high), "measurements on the new device",
                        self.title, marks)  # fmt: skip
            for band, color in zip(self.bands.values(), SERIES, strict=False):
                edge = [*zip(at, band[2], strict=True), *list(zip(at, band[1], strict=True))[::-1]]
                pen.area([(axes.X(x), axes.Y(y)) for x, y in edge], mixed(color, 0.12))
            for place, (way, band) in enumerate(self.bands.items()):
                axes.line(at, band[0], SERIES[place], 2, DASHES[place])
                pen.line([(612, 40 + 22 * place), (636, 40 + 22 * place)], SERIES[place], 2.5, DASHES[place])
                pen.text(642, 40 + 22 * place, way, 11, anchor="lm")

        return drawn(900, 350, draw)
