"""A library of block variants as a heat map: what each variant of each half-block loses when it alone is put in."""

from __future__ import annotations

from math import log10

import numpy as np

from ...spaces import TransformerSpace
from ..colors import COSTS, between
from ..raster import BACK, DIM
from .chart import Chart, drawn, figure, live

DECADES = 3.0  # that the colours span, below the greatest harm
DARK = "#16181d"
LEFT, WIDE, TALL, HEAD = 62, 62, 26, 54  # of the still, px


class Scale:
    """Colours of harms by their logarithm: three powers of ten, up to the greatest. No harm has the lowest colour."""

    def __init__(self, harms: np.ndarray):
        positive = harms[harms > 0]
        self.top = log10(float(positive.max())) if len(positive) else 0.0
        self.low = max(self.top - DECADES, log10(float(positive.min()))) if len(positive) else -1.0
        if self.low == self.top:
            self.low -= 1.0

    def place(self, harm: float) -> float:
        """Return the logarithm at which a harm is drawn: within the scale."""
        return min(max(log10(harm), self.low), self.top) if harm > 0 else self.low

    def share(self, harm: float) -> float:
        """Return where a harm stands on the scale, 0 to 1."""
        return (self.place(harm) - self.low) / (self.top - self.low)

    def color(self, harm: float) -> str:
        """Return the colour of a harm."""
        return between(COSTS, self.share(harm))

    def ink(self, harm: float) -> str:
        """Return the colour of words that lie on a harm's colour: white or dark, whichever is read better."""
        red, green, blue = (int(self.color(harm)[i : i + 2], 16) for i in (1, 3, 5))
        return BACK if 0.3 * red + 0.59 * green + 0.11 * blue < 120 else DARK


def said(harm: float) -> str:
    """Return a harm in two digits: ``"0.0034"``, ``"1.5"``, ``"0"``."""
    return f"{harm:.1e}".replace("-", "−") if 0 < abs(harm) < 1e-4 else f"{float(f'{harm:.2g}'):g}".replace("-", "−")


def brief(harm: float) -> str:
    """Return a harm in five letters or fewer, for a narrow cell: ``"0.003"``, ``"1.5"``, ``"<.001"``, ``"0"``."""
    if 0 < harm < 0.001:
        return "<.001"
    return said(round(harm, 3) + 0.0)  # + 0.0: no minus before a zero


class HarmsMap(Chart):
    """A heat map of harms: attention on the left, feed-forward networks on the right. See `harms_map`."""

    def __init__(self, harms, space: TransformerSpace, measured=None):
        self.space = space
        shape = len(space.choices), len(space.choices[0].options)
        self.harms, self.measured = np.asarray(harms, float), None if measured is None else np.asarray(measured, float)
        for name, array in (("harms", self.harms), ("measured", self.measured)):
            if array is not None and (array.shape != shape or not np.isfinite(array).all()):
                raise ValueError(f"{name} are finite numbers (choices, options) = {shape}, got shape {array.shape}")
        self.scale = Scale(self.harms)
        self.blocks = [choice.name.partition(": ")[0] for choice in space.choices[::2]]
        self.figure = live(self._filled())
        self.text = self._sentence()
        super().__init__([self.figure])

    def _filled(self):
        ends = range(int(np.floor(self.scale.low)), int(np.ceil(self.scale.top)) + 1)
        ticks = [times * 10.0**power for power in ends for times in (1, 3)]
        ticks = [one for one in ticks if self.scale.low - 0.01 <= log10(one) <= self.scale.top + 0.01]
        out = figure(
            height=90 + 34 * len(self.blocks),
            margin={"l": 70, "r": 10, "t": 44, "b": 30},
            xaxis={"domain": [0, 0.485], "title": {"text": "attention", "standoff": 6}, "side": "top"},
            xaxis2={"domain": [0.515, 1], "title": {"text": "feed-forward", "standoff": 6}, "side": "top"},
            yaxis={"domain": [0, 1]},
            yaxis2={"anchor": "x2", "matches": "y", "showticklabels": False},
            coloraxis={
                "colorscale": [[i / (len(COSTS) - 1), color] for i, color in enumerate(COSTS)],
                "cmin": self.scale.low, "cmax": self.scale.top,
                "colorbar": {"title": {"text": "harm"}, "thickness": 12, "len": 1.05, "x": 1.01,
                             "tickvals": [log10(one) for one in ticks], "ticktext": [said(one) for one in ticks]},
            },
        )  # fmt: skip
        for half in (0, 1):
            harms = self.harms[half::2]
            out.add_heatmap(
                z=[[self.scale.place(harm) for harm in row] for row in harms.tolist()],
                x=list(self.space.choices[half].options), y=self.blocks,
                text=[[brief(harm) for harm in row] for row in harms.tolist()], texttemplate="%{text}",
                textfont={"size": 13}, customdata=self._hovers(half), hovertemplate="%{customdata}<extra></extra>",
                coloraxis="coloraxis", xgap=2, ygap=2, xaxis=f"x{half + 1}" if half else "x",
                yaxis="y2" if half else "y",
            )  # fmt: skip
        out.update_xaxes(type="category", showgrid=False)
        out.update_yaxes(type="category", showgrid=False)
        return out

    def _hovers(self, half: int) -> list[list[str]]:
        out = []
        for place in range(half, len(self.harms), 2):
            choice = self.space.choices[place]
            out.append([f"{choice.name}: {word}<br>harm {said(float(self.harms[place, option]))}"
                        + ("" if self.measured is None else f"<br>measured {said(float(self.measured[place, option]))}")
                        for option, word in enumerate(choice.options)])  # fmt: skip
        return out

    def _sentence(self) -> str:
        """Say the harm of each half-block left out, and which of them is the least and the most needed."""
        gone = self.harms[:, 0]
        names = [choice.name for choice in self.space.choices]
        listed = ", ".join(f"{name} {said(harm)}" for name, harm in zip(names, gone.tolist(), strict=True))
        least, most = (names[int(at)] for at in (gone.argmin(), gone.argmax()))
        return f"Harm of each half-block left out: {listed}. Least needed: {least}; most: {most}."

    def still(self) -> bytes:
        """Draw the map as PNG, light background."""
        options = self.harms.shape[1]
        apart = WIDE * options + 14

        def draw(pen):
            for half, title in enumerate(("attention", "feed-forward")):
                left = LEFT + half * apart
                pen.text(left + WIDE * options / 2, 14, title, 12)
                for option, word in enumerate(self.space.choices[half].options):
                    pen.text(left + WIDE * (option + 0.5), 38, word, 11, DIM)
                for row, harms in enumerate(self.harms[half::2].tolist()):
                    y = HEAD + TALL * (len(self.blocks) - 1 - row)
                    if not half:
                        pen.text(LEFT - 6, y + TALL / 2, self.blocks[row], 11, DIM, "rm")
                    for option, harm in enumerate(harms):
                        x = left + WIDE * option
                        pen.box(x + 1, y + 1, WIDE - 2, TALL - 2, self.scale.color(harm))
                        pen.text(x + WIDE / 2, y + TALL / 2, brief(harm), 11, self.scale.ink(harm), plain=True)

        return drawn(LEFT + 2 * apart, HEAD + TALL * len(self.blocks) + 8, draw)


def harms_map(harms, space: TransformerSpace, measured=None) -> HarmsMap:
    """Return a heat map of a library: blocks by variants, with the harm written in each cell, on a logarithmic scale.

    Parameters
    ----------
    harms : float array (choices, options)
        What each variant loses alone, as `nasviz.estimators.replace_one` says it.
    space : TransformerSpace
    measured : float array (choices, options), optional
        Another measure of the same variants, such as the fall of accuracy; it is said beside the harm on hovering.

    Returns
    -------
    Chart
        Its ``figure`` is plotly's. Block 1, which sees the image first, stands at the bottom.

    Raises
    ------
    ValueError
        Arrays of another shape, or numbers that are not finite.

    Examples
    --------
    >>> from nasviz.estimators.assembled import replace_one, transformer_library
    >>> assembled = transformer_library()  # doctest: +SKIP
    >>> harms_map(replace_one(assembled)["kl"], assembled.space)  # doctest: +SKIP
    """
    return HarmsMap(harms, space, measured)
