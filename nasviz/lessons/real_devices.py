"""Lab 10: what operations cost on real devices, beside their multiply-adds; cells that two devices order differently.

All numbers come from fitted models of published latencies (`nasviz.hardware.published_devices`). Where the fit itself
is asked, the file of the models has the answer: tested on cells that were not fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np

from ..course import as_table
from ..hardware import FittedDevice, published_devices
from ..hardware.edge_costs import as_array, as_run, multiply_adds
from ..space import Arch
from ..spaces.nasbench201 import EDGES, OPS
from ..views.charts.chart import Chart, drawn, figure, live
from ..views.colors import BLUE, style
from ..views.raster import DIM, mixed

SHOWN = OPS[1:]  # "none" costs nothing
SPARED = {"nothing": "runs all of it", "unread": "skips what nobody reads", "dead": "skips that, and sums of zeros"}
CONV = OPS.index("nor_conv_3x3")


def costs(devices: Sequence[FittedDevice]) -> np.ndarray:
    """Milliseconds of skip, 1×1, 3×3 and pooling on each device, a mean over the six edges: (devices, 4)."""
    return np.array([device.costs["latency_ms"].by_operation()[1:] for device in devices])


def against_counting(devices: Sequence[FittedDevice]) -> np.ndarray:
    """How many times as long an operation takes as its multiply-adds say, if a 3×3 takes what they say: (devices, 4).

    Infinite for what counts nothing and takes more than a fiftieth of a 3×3; 0 for what counts nothing and takes less.
    """
    counted = multiply_adds([(option, *(0,) * (len(EDGES) - 1)) for option in range(len(OPS))])
    share = costs(devices) / costs(devices)[:, [CONV - 1]]
    expected = np.broadcast_to(counted[1:] / counted[CONV], share.shape)
    free = np.where(share > 0.02, np.inf, 0.0)
    return np.divide(share, expected, out=free, where=expected > 0)


class CostMap(Chart):
    """A heat map of devices and operations: milliseconds, or how far they are from what multiply-adds say.

    A row is coloured by shares of its dearest operation, since a chip and a small computer differ by a factor of fifty.

    Parameters
    ----------
    devices : sequence of FittedDevice, optional
        By default all that travel with nasviz.
    """

    def __init__(self, devices: Sequence[FittedDevice] | None = None):
        self.devices = list(devices or published_devices())
        self.ms, self.times = costs(self.devices), against_counting(self.devices)
        self.names = [style(name).label for name in SHOWN]
        self.what = widgets.ToggleButtons(
            options=["milliseconds", "times multiply-adds"],
            tooltips=["Cost of an operation on an edge, mean of six", "Against what a 3×3 of the device makes expect"],
            style={"button_width": "12em"},
        )
        self.what.observe(lambda change: self._draw(), "value")
        self.figure = figure(
            height=110 + 40 * len(self.devices),
            xaxis={"side": "top", "type": "category"},
            yaxis={"autorange": "reversed", "type": "category", "automargin": True},
        )
        self.figure.add_heatmap(
            x=self.names, y=[one.name for one in self.devices], zmin=0, zmax=1, showscale=False, xgap=3, ygap=3,
            colorscale=[[0, mixed(BLUE, 0.08)], [1, mixed(BLUE, 0.63)]], texttemplate="%{text}",
            textfont={"color": "#101828"},  # on each of these shades, in both themes
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
        )  # fmt: skip
        self._draw()
        self.figure = live(self.figure)
        super().__init__([self.what, self.figure])

    @property
    def shares(self) -> np.ndarray:
        """The colours: shares of the dearest operation of a device, (devices, 4)."""
        return np.clip(self.ms, 0, None) / self.ms.max(1, keepdims=True)

    def _texts(self) -> list[list[str]]:
        if self.what.value == "milliseconds":
            return [[f"{ms:.2f}" for ms in row] for row in np.round(self.ms, 2) + 0.0]  # no -0.00
        return [["counts 0, costs" if times == np.inf else f"{times:.1f}×" if times else "free" for times in row]
                for row in self.times]  # fmt: skip

    def _draw(self) -> None:
        with self.figure.batch_update():
            heat = self.figure.data[0]
            heat.z, heat.text = self.shares, self._texts()
        rows = "; ".join(
            f"{device.name}: " + ", ".join(f"{name} {text}" for name, text in zip(self.names, row, strict=True))
            for device, row in zip(self.devices, self._texts(), strict=True)
        )
        self.text = f"Cost of an operation on each device, {self.what.value}. {rows}."

    def still(self) -> bytes:
        """Draw the map as PNG."""
        wide, left = 130, 150

        def draw(pen):
            for j, name in enumerate(self.names):
                pen.text(left + wide * (j + 0.5), 14, name, 12, DIM)
            for i, (device, texts) in enumerate(zip(self.devices, self._texts(), strict=True)):
                pen.text(left - 10, 46 + 36 * i, device.name, 12, anchor="rm")
                for j, text in enumerate(texts):
                    shade = mixed(BLUE, 0.08 + 0.55 * self.shares[i, j])
                    pen.box(left + wide * j + 2, 30 + 36 * i, wide - 4, 32, shade)
                    pen.text(left + wide * (j + 0.5), 46 + 36 * i, text, 12)

        return drawn(left + wide * len(self.names) + 10, 40 + 36 * len(self.devices), draw)


def quality_of_fits(devices: Sequence[FittedDevice] | None = None):
    """A table of each model's error and rank correlation on cells that it was not fitted on, beside multiply-adds'.

    Multiply-adds stand there twice: the products of the convolutions, and these with poolings, ReLUs and batch-norms.
    """
    lines = []
    for device in devices or published_devices():
        held = device.held_out["latency_ms"]
        ranks = (held.tau_madds, held.tau_counted, held.tau_operation, held.tau)
        lines.append((device.name, device.how, *(f"{tau:.2f}" for tau in ranks), f"{held.median_error:.1%}"))
    head = ["device", "source", "τ of multiply-adds", "with pooling", "τ, a cost an operation", "τ, an edge too",
            "its median error"]  # fmt: skip
    return as_table(head, lines)


def by_edge(device: FittedDevice):
    """A table of milliseconds by edge and operation: where the place of an operation counts, rows differ."""
    head = ["edge", *(style(name).label for name in SHOWN)]
    rows = device.costs["latency_ms"].costs
    lines = [
        (f"{source}→{target}", *(f"{ms:.2f}" for ms in row[1:]))
        for (source, target), row in zip(EDGES, rows, strict=True)
    ]
    return as_table(head, lines)


def dead_work(arch: Arch, devices: Sequence[FittedDevice] | None = None):
    """A table of what each device does with the dead operations of a cell: milliseconds, and those of the cell without.

    The last column is the model's median error on connected cells with dead operations, none of which was fitted.
    """
    lines = []
    for device in devices or published_devices():
        skipped = device.costs["latency_ms"].skipped
        without = tuple(as_run([arch], "dead")[0].tolist())
        held = device.held_out["latency_ms"]
        ms = (f"{device.ms(arch):.2f}", f"{device.ms(without):.2f}")
        lines.append((device.name, SPARED[skipped], *ms, f"{held.dead_error:.1%}"))
    return as_table(["device", "dead operations", "ms of the cell", "ms without them", "error on such cells"], lines)


# ------------------------------------------------------------------------------------------------------- two devices
@dataclass(frozen=True)
class Opposite:
    """Two cells that two devices order differently: ``left`` is quicker on the first device, ``right`` on the second.

    Attributes
    ----------
    left, right : Arch
    ms : array (2, 2)
        Milliseconds by device and cell.
    """

    left: Arch
    right: Arch
    ms: np.ndarray

    @property
    def ratios(self) -> tuple[float, float]:
        """How many times as long the slower cell takes, on each device."""
        return float(self.ms[0, 1] / self.ms[0, 0]), float(self.ms[1, 0] / self.ms[1, 1])


def opposite(first: FittedDevice, second: FittedDevice, archs: Sequence[Arch]) -> Opposite:
    """Of all pairs of cells the one that two devices order most differently: the smaller of both ratios is greatest.

    ValueError if the devices order no pair differently.
    """
    cells = as_array(archs)
    logs = np.log([device.times(cells) for device in (first, second)])
    apart = np.minimum(logs[0][None, :] - logs[0][:, None], logs[1][:, None] - logs[1][None, :])
    left, right = np.unravel_index(apart.argmax(), apart.shape)
    if apart[left, right] <= 0:
        raise ValueError(f"{first.name} and {second.name} order no two of {len(cells)} cells differently")
    pair = [int(left), int(right)]
    ms = np.exp(logs[:, pair])
    return Opposite(tuple(cells[pair[0]].tolist()), tuple(cells[pair[1]].tolist()), ms)


def disagreement(devices: Sequence[FittedDevice], archs: Sequence[Arch]) -> np.ndarray:
    """Share of the pairs of cells that two devices order differently, 0 to 1: (devices, devices).

    Pairs that one of the devices does not tell apart by a thousandth are left out.
    """
    cells = as_array(archs)
    left, right = np.triu_indices(len(cells), 1)
    signs = []
    for device in devices:
        logs = np.log(device.times(cells))
        gap = logs[left] - logs[right]
        signs.append(np.where(np.abs(gap) < 1e-3, 0, np.sign(gap)))
    told = np.array([[np.count_nonzero(a * b) for b in signs] for a in signs])
    apart = np.array([[np.count_nonzero(a * b < 0) for b in signs] for a in signs])
    return apart / np.maximum(told, 1)


def pairs_apart(devices: Sequence[FittedDevice], archs: Sequence[Arch]):
    """`disagreement` as a table to display."""
    found = disagreement(devices, archs)
    lines = [
        (device.name, *(f"{share:.0%}" if i != j else "" for j, share in enumerate(row)))
        for i, (device, row) in enumerate(zip(devices, found, strict=True))
    ]
    return as_table(["ordered differently", *(device.name for device in devices)], lines)
