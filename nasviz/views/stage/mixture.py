"""One edge of a supernet, relaxed by hand: sliders set α, and each move shows the validation loss."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np

from ...analysis.diagnosis import validation_loss
from ..colors import style
from . import panel
from .cell import cell_view, in_line
from .kinds.curve import CurveView
from .kinds.heat import HeatView
from .kinds.view import View
from .spec import Spec
from .widget import Stage

REACH = 5.0  # range of the sliders: a weight of e⁻⁵ is negligible beside one of e⁵


class Mixture(widgets.VBox):
    """Sliders for the architecture weights of one edge; each move becomes a step on the stage, with its loss.

    Parameters
    ----------
    strategy
        A `nasviz.strategies.Darts`.
    search
        Its `Bilevel`, whose weights are not changed: ``replace(darts, start=step.state).begin()``.
    edge : int
        Number of the edge: a row of α.
    images : int
        Number of images of the validation half on which the loss is computed at each move.

    Attributes
    ----------
    sliders : list of FloatSlider
        α of each operation on this edge.
    stage : Stage
        The supernet, the weights, and the loss of each try.
    best : float
        The lowest loss so far, nats.

    Raises
    ------
    ValueError
        If the space has no such edge.

    Examples
    --------
    >>> mixture = Mixture(darts, search, edge=2)  # doctest: +SKIP
    >>> mixture.set(0, 0, 0, 2, 0)  # doctest: +SKIP
    1.43
    """

    def __init__(self, strategy, search, edge: int = 0, images: int = 500):
        relaxed, self.edge = strategy.space.relaxed, edge
        if not 0 <= edge < len(relaxed):
            raise ValueError(f"{strategy.space.name} has the edges 0 to {len(relaxed) - 1}, not {edge!r}")
        self.strategy, self.alphas = strategy, search.alphas.detach().clone()
        self._loss, self.best, self._setting = validation_loss(strategy, search, images), np.inf, False
        self.options = relaxed[edge].options
        name = in_line(relaxed[edge].name)
        views: list[View] = []
        for cell, graph in strategy.space.cells().items():
            rows = [one.choice for one in graph.edges if one.choice is not None]
            if edge in rows:
                more = {"first": rows[0], "rows": len(rows)} if len(rows) < len(relaxed) else {}
                title = f"The supernet's {cell}: width is weight"
                views.append(cell_view(graph, "alphas", title=title, span=7, height=300, **more))
        title = "Validation loss of each try, and the lowest so far"
        views += [
            CurveView(
                array="loss", best=True, lower=True, title=title, span=5, height=300, xlabel="try", ylabel="loss, nats"
            ),
            HeatView(array="edge", labels=[name], title=f"Weights on {name}, %"),
        ]
        arrays = {"alphas": [len(relaxed), len(self.options)], "edge": [1, len(self.options)], "loss": []}
        self.stage = Stage(Spec(arrays=arrays, ops=[str(one) for one in self.options], views=views))
        self.sliders = []
        for option, value in zip(self.options, self.alphas[edge].tolist(), strict=True):
            slider = widgets.FloatSlider(
                min(max(value, -REACH), REACH), min=-REACH, max=REACH, step=0.1, description=f"α {style(option).label}",
                continuous_update=False, readout_format=".1f", style={"description_width": "110px"},
                layout={"width": "420px"},
            )  # fmt: skip
            slider.observe(self._moved, "value")
            self.sliders.append(slider)
        self.said = widgets.HTML()
        super().__init__([widgets.VBox(self.sliders), self.said, self.stage])
        self.add_class("nasviz-player")
        panel.changing(self)
        self._try()

    def set(self, *values: float) -> float:
        """Move all sliders of the edge, and return the validation loss, nats. ValueError for another number of them."""
        if len(values) != len(self.sliders):
            raise ValueError(f"this edge needs α of {', '.join(self.options)}: {len(values)} numbers are no α of it")
        self._setting = True
        for slider, value in zip(self.sliders, values, strict=True):
            slider.value = value
        self._setting = False
        return self._try()

    def _moved(self, change) -> None:
        if not self._setting:
            self._try()

    def _try(self) -> float:
        for option, slider in enumerate(self.sliders):
            self.alphas[self.edge, option] = slider.value
        loss = float(self._loss(self.alphas).detach())
        weights = self.strategy.strengths(self.alphas).numpy()
        self.best = min(self.best, loss)
        self.stage.append(alphas=weights, edge=weights[[self.edge]], loss=loss)
        self.said.value = f"validation loss <b>{loss:.3f}</b> nats, the lowest so far {self.best:.3f}"
        return loss

    def __repr__(self):
        return f"<Mixture on edge {self.edge}: {len(self.stage)} tries, lowest loss {self.best:.3f}>"

    def _repr_mimebundle_(self, **kwargs):
        return panel.with_still(super()._repr_mimebundle_(**kwargs), repr(self), self.stage)
