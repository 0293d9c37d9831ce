"""For each device the best architecture within its latency budget, and its latency on the other devices."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets
import numpy as np
from scipy.stats import kendalltau, rankdata

from ...space import Arch, SearchSpace
from ..colors import BLUE, MAGENTA
from ..raster import DIM, mixed
from ..stage.cell import show
from .chart import Chart, drawn, figure, live


class Devices(Chart):
    """A table of latency percentiles: each device's winner has a row, each device has a column.

    The budget is a percentile too, the same for all devices; the slider sets it. On each device the architecture of the
    greatest quality within the budget wins. On the diagonal each winner keeps to its own budget. Elsewhere a number
    above the slider means that the winner of one device is too slow on another. The list shows a winner's cell.

    Parameters
    ----------
    space : SearchSpace
    targets : sequence of Target
        See `nasviz.hardware.target`; the source of their milliseconds stands beside their names.
    archs : sequence of Arch
    quality : array (architectures,)
        Accuracies, 0 to 1, or other numbers where greater is better.
    ms : array (targets, architectures)
        The milliseconds, from `nasviz.hardware.times`.
    percent : int
        The first value of the slider.

    Attributes
    ----------
    winners : list of int
        Number of each target's winner.
    percentiles : array (targets, targets)
        For the winner of the row: percent of the architectures that are at most as slow on the device of the column.
    tau : array (targets, targets)
        Kendall's rank correlation between the latencies of two devices.
    """

    def __init__(self, space: SearchSpace, targets: Sequence, archs: Sequence[Arch], quality, ms, percent: int = 30):
        self.space, self.targets, self.archs = space, list(targets), list(archs)
        self.quality, self.ms = np.asarray(quality, float), np.asarray(ms, float)
        if self.ms.shape != (len(self.targets), len(self.archs)) or len(self.quality) != len(self.archs):
            raise ValueError(
                f"needs a row of milliseconds for each of {len(self.targets)} targets and a column for each of "
                f"{len(self.archs)} architectures, and as many qualities; got {self.ms.shape}, {len(self.quality)}"
            )
        self.ranks = np.array([100 * rankdata(row, "max") / len(row) for row in self.ms])
        self.tau = np.array([[kendalltau(a, b).statistic for b in self.ms] for a in self.ms])
        self.percent = widgets.IntSlider(percent, min=1, max=100, description="budget, %", continuous_update=False,
                                         tooltip="Each device allows the latency of so many percent")  # fmt: skip
        self.percent.observe(lambda change: self._draw(), "value")
        names = [str(one) for one in self.targets]
        self.choice = widgets.Dropdown(options=[(name, i) for i, name in enumerate(names)], description="winner of")
        self.choice.observe(lambda change: self._tell(), "value")
        self.facts, self.cells = widgets.HTML(), widgets.VBox()
        self.figure = figure(
            height=130 + 44 * len(self.targets),
            xaxis={"title": "runs on", "side": "top", "type": "category"},
            yaxis={"title": "best for", "autorange": "reversed", "type": "category", "automargin": True},
        )
        self.figure.add_heatmap(
            x=[one.name for one in self.targets], y=names, zmin=0, zmax=100, colorscale=[[0, "#eaf2fc"], [1, BLUE]],
            showscale=False, xgap=3, ygap=3, texttemplate="%{text}", hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
        self._draw()
        self.figure = live(self.figure)
        super().__init__([self.percent, self.figure, self.choice, self.facts, self.cells])

    def _draw(self) -> None:
        self.winners = []
        for ranks in self.ranks:
            inside = np.flatnonzero(ranks <= max(self.percent.value, ranks.min()))
            self.winners.append(int(inside[np.argmax(self.quality[inside])]))
        self.percentiles = self.ranks[:, self.winners].T
        with self.figure.batch_update():
            heat = self.figure.data[0]
            heat.z, heat.text = self.percentiles, self._texts()
        rows = "; ".join(
            f"best for {one} ({100 * self.quality[w]:.1f} %): "
            + ", ".join(f"{other.name} {p:.0f}" for other, p in zip(self.targets, line, strict=True))
            for one, w, line in zip(self.targets, self.winners, self.percentiles, strict=True)
        )
        low = min((self.tau[i, j], i, j) for i in range(len(self.tau)) for j in range(i + 1))
        self.text = (
            f"Percentile of latency of each device's winner on each device, budget {self.percent.value} %: {rows}. "
            f"Least alike: {self.targets[low[1]]} and {self.targets[low[2]]}, Kendall's τ {low[0]:.2f}."
        )
        self._tell()

    def _texts(self) -> list[list[str]]:
        return [
            [f"{p:.0f}{' ✗' if p > self.percent.value else ''}<br>{self.ms[j, w]:.3g} ms" for j, p in enumerate(line)]
            for w, line in zip(self.winners, self.percentiles, strict=True)
        ]

    def _tell(self) -> None:
        one = self.winners[self.choice.value]
        self.facts.value = (
            f"<b>{escape(self.space.to_text(self.archs[one]))}</b><br>{100 * self.quality[one]:.1f} %; a number is the "
            "percentile of its latency on a device; ✗: over the budget there"
        )
        self.cells.children = [show(self.archs[one], self.space)]

    def still(self) -> bytes:
        """Draw the table as PNG."""
        count = len(self.targets)

        def draw(pen):
            left = 20 + max(pen.wide(str(t), 11) for t in self.targets)
            wide = (740 - left) / count
            pen.text(left - 8, 14, "best for ↓   runs on →", 11, DIM, "rm")
            for j, one in enumerate(self.targets):
                for line, word in enumerate(_two(one.name) if pen.wide(one.name, 11) > wide - 6 else [one.name]):
                    pen.text(left + wide * (j + 0.5), 9 + 13 * line, word, 11)
            for i, texts in enumerate(self._texts()):
                pen.text(left - 8, 46 + 40 * i, str(self.targets[i]), 11, anchor="rm")
                for j, text in enumerate(texts):
                    over = self.percentiles[i, j] > self.percent.value
                    shade = mixed(BLUE, 0.08 + 0.5 * self.percentiles[i, j] / 100)
                    pen.box(left + wide * j + 2, 28 + 40 * i, wide - 4, 36, shade, MAGENTA if over else None, 1.5)
                    for line, word in enumerate(text.split("<br>")):
                        pen.text(left + wide * (j + 0.5), 38 + 40 * i + 15 * line, word, 11)

        return drawn(750, 36 + 40 * count, draw)


def _two(name: str) -> list[str]:
    """Split a name into two lines whose lengths are as equal as its words allow."""
    words = name.split()
    cut = min(range(1, len(words) + 1), key=lambda n: max(len(" ".join(words[:n])), len(" ".join(words[n:]))))
    return [" ".join(words[:cut]), " ".join(words[cut:])]
