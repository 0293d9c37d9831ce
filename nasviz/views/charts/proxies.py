"""A cheaper training set by sliders and tried on a sample: its cost and its ranking."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from ... import datasets
from ...estimators.quality import Quality, quality, scores_of
from ...space import Arch, SearchSpace
from .chart import Chart
from .correlation import Correlation

KNOBS = {"epochs": (1, 2, 4, 8), "images": (500, 1000, 2000, 4000), "size": (4, 6, 8), "channels": (2, 4, 6, 8)}
WORDS = {"epochs": "epochs", "images": "images", "size": "pixels", "channels": "channels"}
COUNTED = 6  # architectures counted for the cost of the sample: counting all would delay the slider


class Proxies(Chart):
    """Sliders that reduce the quantities of a proxy training, and a button that trains a sample by this proxy.

    Parameters
    ----------
    space : SearchSpace
        A space whose networks take ``channels``.
    archs : sequence of n Arch
        The sample. It is trained one by one in this process, so it should be small.
    truth : array of shape (n,)
        True accuracies, 0 to 1, to judge the proxy.
    sizes : array of shape (n,), optional
        See `nasviz.estimators.quality.quality`.
    seed : int
        Seed of every training.

    Attributes
    ----------
    tried : list of Quality
        One quality for each press of the button, named by the reduced quantities.
    view : Correlation
        The chart of the last trial.
    """

    def __init__(self, space: SearchSpace, archs: Sequence[Arch], truth, sizes=None, seed: int = 0):
        self.space, self.archs, self.truth, self.sizes, self.seed = space, list(archs), truth, sizes, seed
        self.data = datasets.load("fashion16", 16)  # averaged down to any size
        self.tried: list[Quality] = []
        wide = {"style": {"description_width": "80px"}, "layout": {"width": "340px"}, "continuous_update": False}
        self.knobs = {
            name: widgets.SelectionSlider(options=KNOBS[name], value=KNOBS[name][-1], description=WORDS[name], **wide)
            for name in KNOBS
        }
        for knob in self.knobs.values():
            knob.observe(lambda change: self._count(), "value")
        self.cost, self.results = widgets.HTML(), widgets.HTML()
        self.button = widgets.Button(description=f"Train {len(self.archs)} cells", icon="play")
        self.button.on_click(lambda _: self.run())
        self.place = widgets.VBox()
        self._count()
        super().__init__([*self.knobs.values(), self.cost, self.button, self.results, self.place])

    @property
    def less(self) -> dict[str, int]:
        """The quantities that the sliders reduce: ``{"epochs": 2}``; empty for the full recipe."""
        return {name: knob.value for name, knob in self.knobs.items() if knob.value != KNOBS[name][-1]}

    @property
    def name(self) -> str:
        """The proxy in words: ``"2 epochs, 1,000 images"``."""
        words = (f"{value:,} {WORDS[name]}" for name, value in self.less.items())
        return ", ".join(words).replace("1 epochs", "1 epoch") or "the full recipe"

    def set(self, **less: int) -> None:
        """Move the named sliders to these values, and the others back to the full recipe."""
        for name, knob in self.knobs.items():
            knob.value = less.get(name, KNOBS[name][-1])

    def _count(self) -> None:
        from ...estimators.proxy import proxy_cost, proxy_recipe  # they load torch
        from ...estimators.training import FULL

        share = proxy_cost(self.space, proxy_recipe(FULL, **self.less), self.archs[:COUNTED], dataset=self.data)
        self.cost.value = f"{self.name}: <b>{100 * share:.3g} %</b> of the full recipe's multiplications"

    def run(self) -> Quality:
        """Train the sample by the sliders' recipe, draw it dot by dot, and return the proxy's quality."""
        from ...estimators.proxy import proxy_recipe
        from ...estimators.training import FULL, Training

        estimate, name = Training(self.space, proxy_recipe(FULL, **self.less), self.data), self.name
        truth = dict(zip(self.archs, self.truth, strict=True))
        self.view = Correlation(self.space, name)
        self.place.children = [self.view]
        self.button.disabled = True
        try:  # one by one, in this process: their seconds count
            answers = (estimate(arch, seed=self.seed) for arch in self.archs)
            said, seconds = scores_of(self.view.follow(answers, truth.__getitem__, "accuracy"), "accuracy")
        finally:
            self.button.disabled = False
        found = quality(said, self.truth, cost=seconds, size=self.sizes, name=name)
        self.tried.append(found)
        self.results.value = "".join(
            f"<div>{one.name}: τ = {one.tau}, {one.seconds:.2g} s each</div>" for one in self.tried
        )
        self.text = f"{self.view.text} {found.seconds:.2g} s each."
        return found

    def still(self) -> bytes | None:
        """Draw the dots of the last trial as PNG; None before the first."""
        return self.view.still() if self.tried else None
