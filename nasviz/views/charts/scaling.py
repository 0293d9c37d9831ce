"""EfficientNet's compound scaling, with its coefficients as sliders."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np

from ... import zoo
from ...zoo.scaling import RELEASED, RESOLUTION, compound, growth
from ..colors import AMBER, BLUE, GREY, MAGENTA
from ..raster import DIM, GRID, ticks
from .chart import Chart, drawn, figure, live, short

PANELS = (("depth", "depth, × B0"), ("width", "width, × B0"), ("resolution", "resolution, pixels"))
LINE = np.linspace(0, 7, 50)  # φ


class Compound(Chart):
    """A chart of depth, width and resolution against multiply-adds: by the rule, and of the released B0 to B7.

    The line is the rule for the α, β, γ of the sliders; its multiply-adds are B0's times (α·β²·γ²)^φ. The star is the
    network at φ, built without memory and counted. The dots are the released networks at their published multiply-adds.
    No φ gives a network whose dot is off the line.

    Attributes
    ----------
    sliders : dict of str to widget
        ``phi``, ``alpha``, ``beta``, ``gamma``, ``budget`` (multiply-adds, a power of ten).
    counted : tuple of int
        Parameters and multiply-adds of the network at φ.
    """

    def __init__(self):
        self.base = zoo.model("EfficientNet-B0").madds
        self.published = [zoo.model(f"EfficientNet-{name}").madds for name in RELEASED]

        def slider(name, value, low, high, help):
            return widgets.FloatSlider(
                value, min=low, max=high, step=0.01 if name != "φ" else 0.1, description=name, tooltip=help,
                continuous_update=False, readout_format=".2f", layout={"width": "340px"},
            )  # fmt: skip

        self.sliders = {
            "phi": slider("φ", 1.0, 0.0, 7.0, "How much larger than B0"),
            "alpha": slider("α", 1.2, 1.0, 2.0, "Depth grows as α^φ"),
            "beta": slider("β", 1.1, 1.0, 1.5, "Width grows as β^φ"),
            "gamma": slider("γ", 1.15, 1.0, 1.5, "Resolution grows as γ^φ"),
            "budget": widgets.FloatLogSlider(
                1e9, base=10, min=8.5, max=10.7, step=0.05, description="budget", readout_format=".2g",
                tooltip="Multiply-adds allowed", continuous_update=False, layout={"width": "340px"},
            ),
        }  # fmt: skip
        for one in self.sliders.values():
            one.observe(lambda change: self._draw(), "value")
        self.said = widgets.HTML()
        gap = 0.05
        wide = (1 - 2 * gap) / 3
        axes = {}
        for n, (_, word) in enumerate(PANELS):
            number = "" if n == 0 else str(n + 1)
            start = n * (wide + gap)
            axes[f"xaxis{number}"] = {"type": "log", "domain": [start, start + wide], "title": "multiply-adds"}
            axes[f"yaxis{number}"] = {"anchor": f"x{number}", "title": {"text": word, "standoff": 4}}
        self.figure = figure(height=340, showlegend=False, **axes)
        for n, (name, _) in enumerate(PANELS):
            at = {"xaxis": f"x{n + 1}" if n else "x", "yaxis": f"y{n + 1}" if n else "y"}
            self.figure.add_scatter(mode="lines", line={"color": BLUE}, hoverinfo="skip", **at)
            self.figure.add_scatter(
                x=self.published,
                y=[getattr(one, name) for one in RELEASED.values()],
                text=list(RELEASED),
                mode="markers+text",
                textposition="top left",
                marker={"color": MAGENTA, "size": 8},
                hovertemplate="%{text}: %{y}, %{x:.3s}<extra>released</extra>",
                **at,
            )
            star = {"color": AMBER, "size": 15, "symbol": "star", "line": {"width": 1, "color": "#5b4200"}}
            said = "%{y:.3g}, %{x:.3s}<extra>φ</extra>"
            self.figure.add_scatter(mode="markers", marker=star, hovertemplate=said, **at)
            self.figure.add_scatter(mode="lines", line={"color": GREY, "dash": "dash"}, hoverinfo="skip", **at)
        self._draw()
        self.figure = live(self.figure)
        box = widgets.Box(list(self.sliders.values()), layout={"flex_flow": "row wrap"})
        super().__init__([box, self.said, self.figure])

    def _draw(self) -> None:
        values = {name: slider.value for name, slider in self.sliders.items()}
        budget = values.pop("budget")
        scaling, factors = compound(**values), [values[name] for name in ("alpha", "beta", "gamma")]
        self.counted = scaling.parameters_and_madds()
        self.rule = [compound(phi, *factors) for phi in LINE]
        self.spent = self.base * growth(*factors) ** LINE
        with self.figure.batch_update():
            for n, (name, _) in enumerate(PANELS):
                line, _, star, limit = self.figure.data[4 * n : 4 * n + 4]
                line.x, line.y = self.spent, [getattr(one, name) for one in self.rule]
                star.x, star.y = [self.counted[1]], [getattr(scaling, name)]
                most = max(getattr(one, name) for one in [*RELEASED.values(), *self.rule])
                limit.x, limit.y = [budget, budget], [getattr(RELEASED["B0"], name), most]
        verdict = "within" if self.counted[1] <= budget else "over"
        self.text = (
            f"φ = {values['phi']:.1f}: depth × {scaling.depth:.2f}, width × {scaling.width:.2f}, {scaling.resolution} "
            f"pixels (B0: {RESOLUTION}). {short(self.counted[0])} parameters, {short(self.counted[1])} multiply-adds, "
            f"{verdict} the budget of {short(budget)}. α·β²·γ² = {growth(*factors):.2f}: the paper asks for about 2."
        )
        self.said.value = f"<p style='margin:2px 0'>{self.text}</p>"

    def still(self) -> bytes:
        """Draw the three panels as PNG."""

        def draw(pen):
            pen.text(8, 12, self.text.split(". ")[0], 12, anchor="lm")
            low, high = 8.5, 10.8
            for n, (name, word) in enumerate(PANELS):
                left, wide, values = 48 + 292 * n, 236, [getattr(one, name) for one in self.rule]
                dots = [getattr(one, name) for one in RELEASED.values()]
                y0, y1 = min(values), max([*values, *dots])

                def at(madds, value, left=left, wide=wide, y0=y0, y1=y1):
                    along = (np.log10(madds) - low) / (high - low)
                    return left + wide * min(1, along), 50 + 200 * (1 - (value - y0) / (y1 - y0 or 1))

                pen.text(left, 34, word, 11, DIM, "lm")
                for v in ticks(y0, y1, 4):
                    pen.line([at(10**low, v), at(10**high, v)], GRID, 1)
                    pen.text(left - 6, at(10**low, v)[1], f"{v:g}", 10, DIM, "rm")
                for v in (1e9, 1e10):
                    pen.text(at(v, y0)[0], 262, short(v), 10, DIM)
                pen.line([at(a, b) for a, b in zip(self.spent, values, strict=True)], BLUE, 2)
                for (label, madds), value in zip(zip(RELEASED, self.published, strict=True), dots, strict=True):
                    x, y = at(madds, value)
                    pen.dot(x, y, 4, MAGENTA)
                    pen.text(x - 8, y - 9, label, 10)
            pen.text(450, 280, "multiply-adds; line: the rule; dots: as released", 11, DIM)

        return drawn(900, 292, draw)
