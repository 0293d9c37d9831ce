"""An elastic supernet with controls for a sub-network ("child"): its place in the supernet and inherited accuracy."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import ipywidgets as widgets
import numpy as np

from ...objectives import Score
from ...space import Arch
from ...spaces.elastic import DEPTHS, EXPANSIONS, FIELDS, KERNELS, MOST, RESOLUTIONS, UNITS
from ..colors import AMBER, BLUE, GREY, TEAL
from ..raster import DIM, Axes, good_range, mixed
from .chart import Chart, drawn, figure, live, short

MIXED = "…"  # where the layers of a unit differ
ROWS = {"depth": DEPTHS, "kernel": KERNELS, "expansion": EXPANSIONS}


class Elastic(Chart):
    """Controls for depth, kernel and expansion of each unit, and for resolution; the child lights up in the supernet.

    A bar is a layer of the largest network; its height is the number of channels inside the bottleneck. The child has
    the lit part of it. The square below is the kernel, with the child's part lit. The child's inherited accuracy
    (without any training), its multiply-adds and, if ``ms`` is given, its latency appear at once. Below are all
    children so far.

    Parameters
    ----------
    inherited : Inherited
        An estimator on the weights of an elastic supernet: ``elastic_supernet()``, or your own.
    ms : callable, optional
        Function from an architecture to milliseconds: `nasviz.strategies.specialise.by_layer`.

    Attributes
    ----------
    controls : dict
        The widgets ``"resolution"``, and ``(unit, "depth")``, ``(unit, "kernel")``, ``(unit, "expansion")``, units
        from 0.
    arch : Arch
    tried : dict from Arch to dict
        The scores of all children so far: "inherited", "madds", "parameters" and, with ``ms``, "latency_ms".

    Examples
    --------
    >>> view = Elastic(elastic_supernet())  # doctest: +SKIP
    >>> view.set(view.space.smallest)["inherited"]  # doctest: +SKIP
    0.728
    """

    def __init__(self, inherited, ms: Callable[[Arch], float] | None = None):
        self.inherited, self.space, self.ms = inherited, inherited.space, ms
        self.tried: dict[Arch, dict[str, float]] = {}
        self._setting, self._rng = False, np.random.default_rng(0)
        wide = [[place.middle(e) for e in EXPANSIONS] for place in inherited.supernet.places]
        self.wide = np.array(wide)  # channels inside: (layers of the largest, expansions)
        self.controls: dict = {
            "resolution": widgets.SelectionSlider(
                options=[(str(r), i) for i, r in enumerate(RESOLUTIONS)], description="resolution",
                continuous_update=False, layout={"width": "420px"}, tooltip="Of 224: the image's share",
            )
        }  # fmt: skip
        grid = [widgets.HTML("")] + [widgets.HTML(f"<b>unit {unit + 1}</b>") for unit in range(UNITS)]
        for row, options in ROWS.items():
            grid.append(widgets.HTML(row))
            for unit in range(UNITS):
                shown = [(str(option), i) for i, option in enumerate(options)]
                more = [(MIXED, -1)] if row != "depth" else []
                one = widgets.Dropdown(
                    options=shown + more, layout={"width": "auto"}, tooltip=f"unit {unit + 1}: {row}"
                )
                self.controls[unit, row] = one
                grid.append(one)
        for one in self.controls.values():
            one.observe(self._moved, "value")
        buttons = []
        for name, choose in (
            ("largest", lambda: self.space.largest),
            ("smallest", lambda: self.space.smallest),
            ("random", lambda: self.space.sample(self._rng)),
        ):
            button = widgets.Button(description=name, layout={"width": "auto"}, tooltip=f"The {name} child")
            button.on_click(lambda _, choose=choose: self.set(choose()))
            buttons.append(button)
        self.said = widgets.HTML()
        self.figure = live(self._built())
        table = widgets.GridBox(
            grid, layout={"grid_template_columns": f"80px repeat({UNITS}, minmax(56px, 96px))", "grid_gap": "2px 8px"}
        )
        head = widgets.HBox([self.controls["resolution"], *buttons], layout={"flex_flow": "row wrap"})
        self.set(self.space.largest)
        super().__init__([head, table, self.said, self.figure])
        self.add_class("nasviz-player")

    # ------------------------------------------------------------------ the choice
    def set(self, arch: Arch) -> dict[str, float]:
        """Show this child, move the controls to it, and return its scores. ValueError if it is not in the space."""
        self.arch = self.space.check(arch)
        self._setting = True
        try:
            self.controls["resolution"].value = self.arch[0]
            for unit, layers in enumerate(self._units()):
                self.controls[unit, "depth"].value = self.arch[1 + unit * FIELDS]
                for row, column in (("kernel", 0), ("expansion", 1)):
                    options = {layer[column] for layer in layers}
                    same = ROWS[row].index(options.pop()) if len(options) == 1 else -1
                    self.controls[unit, row].value = same
        finally:
            self._setting = False
        return self._draw()

    def _moved(self, change) -> None:
        """Set a unit's layers after a move of one control. A control at … leaves its layers as they are."""
        if self._setting:
            return
        arch = list(self.arch)
        arch[0] = self.controls["resolution"].value
        for unit in range(UNITS):
            first = 1 + unit * FIELDS
            for place, row in ((1, "kernel"), (2, "expansion")):
                value = self.controls[unit, row].value
                for layer in range(MOST):  # a new layer is like the first
                    at = first + 2 * layer + place
                    new = layer > self.arch[first] + min(DEPTHS) - 1
                    arch[at] = value if value >= 0 else arch[first + place] if new else arch[at]
            arch[first] = self.controls[unit, "depth"].value
        self.set(self.space.normal(arch))

    def _units(self) -> list[list[tuple[int, int]]]:
        return self.space.units(self.arch)

    def _scores(self) -> dict[str, float]:
        if self.arch not in self.tried:
            scores = {"inherited": Score("inherited")(self.inherited(self.arch)), **self.inherited.cost(self.arch)}
            if self.ms is not None:
                scores["latency_ms"] = self.ms(self.arch)
            self.tried[self.arch] = scores
        return self.tried[self.arch]

    # ------------------------------------------------------------------ the drawing
    def _lit(self) -> tuple[list[int], list[int]]:
        """Return the child's channels and kernel in each layer of the largest network; 0 for layers that it lacks."""
        channels, kernels = [], []
        for unit, layers in enumerate(self._units()):
            for layer in range(MOST):
                kernel, expansion = layers[layer] if layer < len(layers) else (0, 0)
                kernels.append(kernel)
                channels.append(int(self.wide[unit * MOST + layer][EXPANSIONS.index(expansion)]) if expansion else 0)
        return channels, kernels

    def _built(self):
        """Return the figure, without a child yet."""
        most, count = self.wide[:, -1], len(self.wide)
        x = [n + n // MOST * 0.6 for n in range(count)]  # a gap between units
        self.x = np.array(x)
        names = [f"{n // MOST + 1}.{n % MOST + 1}" for n in range(count)]
        below = -0.16 * most.max()
        self.cost = "latency_ms" if self.ms else "madds"
        self.words = {"latency_ms": "latency, ms", "madds": "multiply-adds"}[self.cost]
        out = figure(
            height=520,
            showlegend=False,
            barmode="overlay",
            xaxis={"tickvals": x, "ticktext": names, "showgrid": False, "title": "layer: unit.number"},
            yaxis={"domain": [0.5, 1.0], "title": "channels inside", "rangemode": "tozero"},
            xaxis2={"anchor": "y2", "title": self.words},
            yaxis2={"domain": [0.0, 0.32], "title": "inherits, %", "anchor": "x2"},
        )
        out.add_bar(x=x, y=most, marker={"color": GREY, "opacity": 0.3}, width=0.8, hoverinfo="skip")
        out.add_bar(x=x, y=most, marker={"color": BLUE}, width=0.8, hovertemplate="%{y} channels<extra>%{x}</extra>")
        square = {"symbol": "square", "size": 16}
        out.add_scatter(
            x=x, y=[below] * count, mode="markers", marker=square | {"color": GREY, "opacity": 0.3}, hoverinfo="skip"
        )
        out.add_scatter(
            x=x, y=[below] * count, mode="markers", marker={"symbol": "square", "color": TEAL}, hovertemplate="%{text}"
        )
        out.add_scatter(
            mode="markers", xaxis="x2", yaxis="y2", marker={"color": GREY, "size": 8}, hovertemplate="%{text}"
        )
        star = {"color": AMBER, "size": 15, "symbol": "star", "line": {"width": 1, "color": "#5b4200"}}
        out.add_scatter(mode="markers", xaxis="x2", yaxis="y2", marker=star, hovertemplate="%{text}")
        return out

    def _draw(self) -> dict[str, float]:
        scores = self._scores()
        self._fill()
        self.text = self._sentence(scores)
        self.said.value = f"<p style='margin:2px 0'>{escape(self.text)}</p>"
        return scores

    def _fill(self) -> None:
        channels, kernels = self._lit()
        others = [arch for arch in self.tried if arch != self.arch]
        with self.figure.batch_update():
            _, bars, _, squares, dots, star = self.figure.data
            bars.y = channels
            squares.marker.size = [16 * kernel / max(KERNELS) for kernel in kernels]
            squares.text = [f"kernel {kernel}×{kernel}" if kernel else "left out" for kernel in kernels]
            dots.x, dots.y, dots.text = self._points(others)
            star.x, star.y, star.text = self._points([self.arch])

    def _points(self, archs) -> tuple[list[float], list[float], list[str]]:
        scores = [self.tried[arch] for arch in archs]
        texts = [self.space.to_text(arch).replace(" | ", "<br>") for arch in archs]
        return [one[self.cost] for one in scores], [100 * one["inherited"] for one in scores], texts

    def _sentence(self, scores: dict[str, float]) -> str:
        layers, side = sum(map(len, self._units())), self._side()
        spent = f", {scores['latency_ms']:.3g} ms" if self.ms else ""
        return (
            f"{layers} of {UNITS * MOST} layers on images of {side}×{side}: inherits "
            f"{100 * scores['inherited']:.1f} % (validation, not trained alone); {short(scores['madds'])} "
            f"multiply-adds, {short(scores['parameters'])} parameters{spent}."
        )

    def _side(self) -> int:
        return max(1, round(self.space.share(self.arch) * self.inherited.size))

    def still(self) -> bytes:
        """Draw the child inside the supernet, and the children so far, as PNG."""
        channels, kernels = self._lit()
        most = self.wide[:, -1]
        x, y, _ = self._points(list(self.tried))
        (star_x,), (star_y,), _ = self._points([self.arch])

        def draw(pen):
            pen.text(8, 12, self.text, 11, anchor="lm")
            axes = Axes(pen, (0, 26, 700, 230), (-0.6, self.x[-1] + 0.6), (0, 1.05 * most.max()), "", "channels inside")
            wide = axes.X(0.4) - axes.X(-0.4)
            low = axes.y + axes.h
            pen.box(axes.x - 4, low + 2, axes.w + 12, 40, "#ffffff")  # hides the numbers of an axis
            for n, at in enumerate(self.x):
                left = axes.X(at) - wide / 2
                for height, color in ((most[n], mixed(GREY, 0.3)), (channels[n], BLUE)):
                    pen.box(left, axes.Y(height), wide, low - axes.Y(height), color)
                for kernel, color in ((max(KERNELS), mixed(GREY, 0.3)), (kernels[n], TEAL)):
                    side = 16 * kernel / max(KERNELS)
                    pen.box(axes.X(at) - side / 2, low + 14 - side / 2, side, side, color)
                pen.text(axes.X(at), low + 32, f"{n // MOST + 1}.{n % MOST + 1}", 10, DIM)
            pen.text(axes.x + axes.w / 2, low + 48, "layer: unit.number; squares: kernels", 11, DIM)
            axes = Axes(pen, (0, 276, 700, 190), good_range(np.array([*x, 0.0]), False, False),
                        good_range(np.array(y), False, False), self.words, "inherits, %")  # fmt: skip
            for a, b in zip(x, y, strict=True):
                pen.dot(axes.X(a), axes.Y(b), 4, GREY)
            pen.dot(axes.X(star_x), axes.Y(star_y), 6, AMBER, "#5b4200")

        return drawn(700, 470, draw)
