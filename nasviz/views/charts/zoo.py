"""The famous architectures: accuracy against the cost of a network, and the cost of its search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import sqrt

import ipywidgets as widgets
import numpy as np

from ... import spaces
from ...analysis.fronts import front
from ...space import SearchSpace
from ...zoo import MODELS, Model
from ...zoo.one_recipe import Trained
from ..colors import AMBER, BLUE, GREY, MAGENTA
from ..raster import DIM, GRID, TEXT, mixed, ticks
from ..stage.cell import show
from .chart import Chart, beside, drawn, figure, live, meet, short

LOOK = {
    "search": ("found by search", BLUE, "circle"),
    "scaling": ("a found one, scaled by a rule", AMBER, "square"),
    "hand": ("designed by hand", MAGENTA, "diamond"),
}
COSTS = (("madds", "multiply-adds"), ("parameters", "parameters"))
LEFT, RIGHT, TALL = 60, 40, 360  # pixels beside the plot, and its height with a legend of four lines
NARROW = 500  # pixels of the chart before a page has shown it
LETTER = 5.9  # pixels of a letter of a name, on average
BLANK = " "  # a name without room: plotly loses track of texts that are empty for a while


class Zoo(Chart):
    """A chart of top-1 accuracy against multiply-adds or parameters (logarithmic axis); a click shows a model's cells.

    All numbers are the published ones (`nasviz.zoo.table` has ours beside them). The area of a dot is the cost of the
    search in days of one accelerator, where it is published. The line joins the models that no other beats in both.
    Names stand where there is room, those on the line first; a dot says its name to a mouse that points at it.

    Parameters
    ----------
    models : iterable of Model or of Trained
        The models; `nasviz.zoo.one_recipe` has others than the zoo. Only those of ``dataset`` with all numbers
        published are drawn.
    dataset : {"ImageNet", "CIFAR-10"}

    Attributes
    ----------
    shown : list of Model
    """

    def __init__(self, models: Iterable[Model | Trained] = MODELS, dataset: str = "ImageNet"):
        known = [m for m in models if m.dataset == dataset and m.accuracy and m.parameters and m.madds]
        if not known:
            raise ValueError(f"none of these models has accuracy, parameters and multiply-adds published on {dataset}")
        self.dataset, self.shown = dataset, sorted(known, key=lambda m: m.madds or 0)
        best = ", ".join(self.shown[i].name for i in front(self._values("madds"), self._values("accuracy")))
        self.text = f"{len(known)} models on {dataset}; none is both cheaper and better than: {best}"
        self.cost = widgets.ToggleButtons(options=[(word, name) for name, word in COSTS])
        self.cost.observe(lambda change: self._draw(), "value")
        self.wide = NARROW  # pixels of the chart
        self.facts = widgets.HTML("Click a dot.")
        self.cells = widgets.Box()
        self.figure = figure(
            height=520,
            margin={"l": LEFT, "r": RIGHT, "t": 40, "b": 50},
            xaxis={"type": "log"},
            yaxis={"title": f"top-1 accuracy on {dataset}, %, as published"},
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            hovermode="closest",
        )
        self.figure.add_scatter(mode="lines", name="not beaten in both", line={"color": GREY, "dash": "dot"})
        self.groups = [[m for m in self.shown if m.designed_by == by] for by in LOOK]
        for group, (word, color, symbol) in zip(self.groups, LOOK.values(), strict=True):
            marker = {"color": color, "symbol": symbol, "opacity": 0.75, "line": {"width": 1.5, "color": color}}
            self.figure.add_scatter(
                mode="markers+text",
                cliponaxis=False,
                name=word,
                customdata=[self._called(m) for m in group],
                textfont={"size": 10},
                marker=marker | {"size": [_size(m) for m in group]},
                hovertemplate="%{customdata}<br>%{x:.3s}, %{y:.1f} %<extra></extra>",
            )
        self._draw()
        self.figure = live(self.figure)
        for trace, group in zip(self.figure.data[1:], self.groups, strict=True):
            trace.on_click(lambda trace, points, state, g=group: self._clicked(g, points.point_inds))
        super().__init__([self.cost, self.figure, self.facts, self.cells])
        self.fit.observe(self._resized, "width")

    def _called(self, model: Model | Trained) -> str:
        """Return the model's name in the picture, without its data set."""
        return model.name.removesuffix(f" ({self.dataset})")

    def _values(self, name: str) -> list[float]:
        return [getattr(m, name) for m in self.shown]

    def _draw(self) -> None:
        cost = self.cost.value
        best = front(self._values(cost), self._values("accuracy"))
        (x, across), (y, up) = (_spread(v) for v in (np.log10(self._values(cost)), np.array(self._values("accuracy"))))
        places = self._named((self.wide - LEFT - RIGHT) * x, TALL * y, best)
        with self.figure.batch_update():
            self.figure.layout.xaxis.title = f"{dict(COSTS)[cost]}, as published"
            self.figure.layout.xaxis.range, self.figure.layout.yaxis.range = across, up
            for trace, group in zip(self.figure.data, [[self.shown[i] for i in best], *self.groups], strict=True):
                trace.x, trace.y = [getattr(m, cost) for m in group], [m.accuracy for m in group]
            for trace, group in zip(self.figure.data[1:], self.groups, strict=True):
                trace.text = [self._called(m) if m.name in places else BLANK for m in group]
                trace.textposition = [places.get(m.name, "top center") for m in group]

    def _resized(self, change) -> None:
        self.wide = change.new
        self._draw()

    def _named(self, x: np.ndarray, y: np.ndarray, first: Sequence[int]) -> dict[str, str]:
        """Return the models whose names have room, by their names: on which side of the dot, as plotly says it.

        ``x`` and ``y`` are the dots' pixels, y upwards; ``first`` the models, by number, that choose before the others.
        """
        radii = [_size(m) / 2 for m in self.shown]
        taken = [(a - r, b - r, a + r, b + r) for a, b, r in zip(x, y, radii, strict=True)]
        places = {}
        for i in [*first, *(i for i in range(len(self.shown)) if i not in first)]:
            boxes = beside(x[i], y[i], LETTER * len(self._called(self.shown[i])), radii[i] + 2)
            for side, box in boxes.items():
                inside = box[0] >= 0 and box[1] >= 0 and box[2] <= self.wide - LEFT and box[3] <= TALL
                if inside and sum(meet(box, other) for other in taken) < 8:  # square pixels: corners may touch
                    places[self.shown[i].name] = side
                    taken.append(box)
                    break
        return places

    def _clicked(self, group: list[Model | Trained], points: list[int]) -> None:
        if points:
            self.tell(group[points[0]])

    def tell(self, model: Model | Trained) -> None:
        """Show the facts of one model, and its cells if it has any."""
        assert model.parameters is not None and model.madds is not None  # so is every model that is shown
        days = "not published" if model.gpu_days is None else f"{model.gpu_days:,g} days of one accelerator"
        lines = {
            "Architecture": LOOK[model.designed_by][0],
            "Accuracy": f"{model.accuracy:g} % on {model.dataset}",
            "Parameters": short(model.parameters),
            "Multiply-adds": short(model.madds),
            "Search": days if model.designed_by == "search" else "none of its own",
            "Source": model.source,
        }
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left; padding-right:14px; vertical-align:top">{name}</th>'
            f'<td style="text-align:left">{escape(value)}</td></tr>'
            for name, value in lines.items()
        )
        self.facts.value = f"<b>{escape(model.name)}</b><table>{rows}</table>"
        self.cells.children = [show(model.architecture, _space(model.space))] if model.architecture else []

    def still(self) -> bytes:
        """Draw accuracy against multiply-adds as PNG."""
        x, (x0, x1) = _spread(np.log10(self._values("madds")))
        y, (y0, y1) = _spread(np.array(self._values("accuracy")))

        def at(i):
            return 60 + 820 * x[i], 30 + 440 * (1 - y[i])

        def draw(pen):
            for v in ticks(y0, y1, 8):
                place = 30 + 440 * (1 - (v - y0) / (y1 - y0))
                pen.line([(60, place), (880, place)], GRID, 1)
                pen.text(54, place, f"{v:g}", 11, DIM, "rm")
            for v in [a + b for a in range(6, 12) for b in (0, np.log10(2), np.log10(5))]:
                if x0 <= v <= x1:
                    pen.text(60 + 820 * (v - x0) / (x1 - x0), 486, short(10**v), 11, DIM)
            pen.text(470, 506, "multiply-adds, as published", 12, DIM)
            pen.text(60, 14, f"top-1 accuracy on {self.dataset}, %, as published", 12, DIM, "lm")
            line = front(self._values("madds"), self._values("accuracy"))
            pen.line([at(i) for i in line], DIM, 1.3, (3, 3))
            taken = []
            for i, model in enumerate(self.shown):
                (px, py), (_, color, _) = at(i), LOOK[model.designed_by]
                r = _size(model) / 2
                taken.append((px - min(r, 6), py - min(r, 6), px + min(r, 6), py + min(r, 6)))
                if model.designed_by == "hand":
                    pen.area([(px - r, py), (px, py - r), (px + r, py), (px, py + r)], color)
                elif model.designed_by == "scaling":
                    pen.area(
                        [(px - r, py - r), (px + r, py - r), (px + r, py + r), (px - r, py + r)], mixed(color, 0.6)
                    )
                else:
                    pen.dot(px, py, r, mixed(color, 0.5), color)
            for i, model in enumerate(self.shown):
                (px, py), name = at(i), self._called(model)
                w, r = pen.wide(name, 10), _size(model) / 2
                sides = [(px, py - r - 7), (px, py + r + 8), (px + r + 4 + w / 2, py), (px - r - 4 - w / 2, py)]
                sides += [(px + dx, py + dy) for dy in (22, -22, 36, -36, 50, 64, 78) for dx in (0, w / 2, -w / 2)]
                boxes = [(x - w / 2, y - 6, x + w / 2, y + 6) for x, y in sides]
                box = min(boxes, key=lambda box: _outside(box, 900) + sum(meet(box, other) for other in taken))
                taken.append(box)
                x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
                if boxes.index(box) > 3:  # away from its dot: a line leads back
                    pen.line([(px, py), (x, y - 6 if y > py else y + 6)], DIM, 0.6)
                pen.text(x, y, name, 10, TEXT)
            for (word, color, symbol), left in zip(LOOK.values(), (400, 530, 730), strict=True):
                pen.sign(symbol, left, 14, 6, mixed(color, 0.5), color)
                pen.text(left + 12, 14, word, 12, anchor="lm")

        return drawn(900, 520, draw)


def _spread(values: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Return the places of values on an axis that shows all of them, from 0 to 1, and the ends of the axis."""
    gap = 0.08 * np.ptp(values) or 1.0
    low, high = float(values.min() - gap), float(values.max() + gap)
    return (values - low) / (high - low), (low, high)


def _outside(box: tuple, wide: float) -> float:
    """Return a penalty for a part of a box outside a picture of this width: it is greater than for any overlap."""
    return 100 * (max(0.0, 4 - box[0]) + max(0.0, box[2] - wide + 4))


def _space(name: str | None) -> SearchSpace:
    classes = [getattr(spaces, one) for one in spaces.__all__]
    return next(one() for one in classes if one.name == name)


def _size(model: Model | Trained) -> float:
    """Return the diameter of a dot in pixels: the area is proportional to the cost of the search, with a minimum."""
    return sqrt(81 + 1.1 * (model.gpu_days or 0))
