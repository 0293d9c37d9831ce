"""The parameters and multiply-adds of a whole network, from the network down to one operation."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from ..colors import AMBER, BLUE, GREY, MAGENTA, TEAL, VIOLET
from ..raster import DIM, mixed
from .chart import Chart, drawn, figure, live, short

BLOCKS = 30  # bars at most
KINDS = (  # part of a module's class name, and the colour of such operations
    ("Conv", BLUE),
    ("Linear", VIOLET),
    ("Pool", AMBER),
    ("Identity", MAGENTA),
    ("Norm", GREY),
    ("Cell", TEAL),
    ("MB", TEAL),
)
FACTS = (("madds", "multiply-adds"), ("parameters", "parameters"))


class Network(Chart):
    """A chart of a network: bars of its blocks in order, and below the same as nested boxes that open by a click.

    Parameters
    ----------
    network : torch.nn.Module
        The network, which is not changed. Built inside ``with torch.device("meta"):`` it takes no memory.
    image : tuple of int
        Shape of an image: (colors, height, width).
    title : str

    Attributes
    ----------
    layers : list of nasviz.nn.count.Layer
        All modules that run.
    blocks : list of nasviz.nn.count.Layer
        The modules that have a bar.

    Examples
    --------
    >>> Network(NasBench201().network((3,) * 6), (1, 8, 8))  # doctest: +SKIP
    """

    def __init__(self, network, image: tuple[int, int, int], title: str = ""):
        from ...nn import count  # loads torch: not before it is needed

        self.layers = count.layers(network, image)
        self.blocks = blocks_of(self.layers)
        whole = self.layers[0]
        self.title = title or whole.kind
        total = f"{short(whole.parameters)} parameters, {short(whole.madds)} multiply-adds"
        self.text = f"{self.title} for images of {_shape(image)}: {total}. " + "; ".join(
            f"{_name(block)} → {_shape(block.shape)}, {short(block.parameters)}, {short(block.madds)}"
            for block in self.blocks
        )
        self.bars, self.boxes = self._bars(total), self._boxes()
        self.choice = widgets.ToggleButtons(
            options=[(f"boxes: {word}", name) for name, word in FACTS],
            tooltips=["Area is multiply-adds", "Area is parameters"],
        )
        self.choice.style.button_width = "auto"
        self.choice.observe(self._chosen, "value")
        super().__init__([self.bars, self.choice, self.boxes])

    def _bars(self, total: str):
        names = [f"{_name(block)}  → {_shape(block.shape)}" for block in self.blocks]
        out = figure(
            title={"text": f"{self.title}: {total}", "font": {"size": 15}},
            height=90 + 22 * len(names),
            barmode="overlay",
            showlegend=False,
            xaxis={"domain": [0, 0.48], "title": "multiply-adds"},
            xaxis2={"domain": [0.52, 1], "title": "parameters"},
            yaxis={"autorange": "reversed", "automargin": True},
        )
        for axis, (fact, word) in zip(("x", "x2"), FACTS, strict=True):
            values = [getattr(block, fact) for block in self.blocks]
            out.add_bar(
                x=values,
                y=names,
                xaxis=axis,
                orientation="h",
                marker_color=[_color(block.kind) for block in self.blocks],
                text=[short(value) for value in values],
                textposition="auto",
                hovertemplate="%{y}<br>%{x:,} " + word + "<extra></extra>",
            )
        return live(out)

    def _boxes(self):
        import plotly.graph_objects as go

        known = {layer.name for layer in self.layers}
        shown = [layer for layer in self.layers if layer.madds or layer.parameters]
        chart = go.Icicle(
            ids=[layer.name or "/" for layer in shown],
            labels=[f"{_name(layer)}<br>{_shape(layer.shape)}" for layer in shown],
            parents=["" if not layer.name else _parent(layer.name, known) or "/" for layer in shown],
            values=[layer.madds for layer in shown],
            branchvalues="total",
            customdata=[[f"{layer.parameters:,}", f"{layer.madds:,}", layer.kind] for layer in shown],
            hovertemplate="%{label}<br>%{customdata[2]}<br>%{customdata[0]} parameters"
            "<br>%{customdata[1]} multiply-adds<extra></extra>",
            marker={"colors": [mixed(_color(layer.kind), 0.55) for layer in shown]},
            maxdepth=3,
            tiling={"orientation": "v"},
            textfont={"color": "#16181d"},
        )
        out = figure(height=300, margin={"l": 10, "r": 10, "t": 25, "b": 10})
        out.add_trace(chart)
        return live(out)

    def _chosen(self, change) -> None:
        shown = [layer for layer in self.layers if layer.madds or layer.parameters]
        self.boxes.data[0].values = [getattr(layer, change["new"]) for layer in shown]

    def still(self) -> bytes:
        """Draw the bars as PNG."""

        def draw(pen):
            left = max(pen.wide(f"{_name(b)}  → {_shape(b.shape)}", 11) for b in self.blocks) + 16
            pen.text(8, 14, self.text.split(". ")[0], 14, anchor="lm")
            room = (900 - left - 20) / 2
            for column, (fact, word) in enumerate(FACTS):
                start, most = left + column * (room + 10), max(getattr(b, fact) for b in self.blocks) or 1
                pen.text(start, 34, word, 12, DIM, "lm")
                for i, block in enumerate(self.blocks):
                    value, y = getattr(block, fact), 46 + 20 * i
                    wide = (room - 60) * value / most
                    if wide > 0.5:
                        pen.box(start, y, wide, 15, _color(block.kind))
                    pen.text(start + wide + 5, y + 8, short(value), 11, anchor="lm")
            for i, block in enumerate(self.blocks):
                pen.text(left - 8, 54 + 20 * i, f"{_name(block)}  → {_shape(block.shape)}", 11, anchor="rm")

        return drawn(900, 56 + 20 * len(self.blocks), draw)


def blocks_of(layers: Sequence) -> list:
    """Return the blocks of a network: its top modules, where a sequence that holds most of it is replaced by its parts.

    There are at most `BLOCKS` blocks, in order. Parts without parameters and multiply-adds are left out.
    """
    known = {layer.name for layer in layers}
    inside: dict[str, list] = {}
    for layer in layers[1:]:
        inside.setdefault(_parent(layer.name, known), []).append(layer)
    blocks = [layer for layer in inside.get("", []) if layer.madds or layer.parameters]
    while True:
        largest = max(blocks, key=lambda block: block.madds, default=None)
        if largest is None or largest.kind != "Sequential" or largest.madds < layers[0].madds / 3:
            return blocks
        parts = [layer for layer in inside.get(largest.name, []) if layer.madds or layer.parameters]
        if not parts or len(blocks) - 1 + len(parts) > BLOCKS:
            return blocks
        at = blocks.index(largest)
        blocks[at : at + 1] = parts


def _parent(name: str, known: set[str]) -> str:
    """Return the closest module around this one that runs: lists of modules do not run themselves."""
    while name:
        name = name.rpartition(".")[0]
        if name in known:
            return name
    return ""


def _name(layer) -> str:
    return f"{layer.name} {layer.kind}" if layer.name else layer.kind


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _color(kind: str) -> str:
    return next((color for part, color in KINDS if part in kind), "#7a7aa8")
