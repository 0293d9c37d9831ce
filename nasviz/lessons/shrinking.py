"""Lab 14, live: harms of half-blocks, their sums beside what is measured, the programme beside draws, a short tuning.

All of it stands on the parent and the library that come with nasviz. *Harm* is the divergence of a network's answers
from the parent's, on validation images, in nats. A *share* is one of the multiply-adds of the parent's half-blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np

from ..estimators import Assembled, replace_one, transformer_library
from ..estimators.training import evaluated, tensors_of
from ..nn.elastic_transformer import ElasticTransformer
from ..nn.saved_weights import take_over
from ..nn.threads import one_thread
from ..space import Arch
from ..strategies import Distillation
from ..strategies.distillation import weights_of
from ..strategies.mixed_integer import Budget, budget, harm_of, programme
from ..strategies.pruning import drawn as drawn_within
from ..strategies.pruning import uniform
from ..views import TransformerStack
from ..views.charts.chart import Chart, drawn, figure, live
from ..views.colors import COSTS, between
from ..views.raster import DIM, Axes
from .shrinking_records import recorded_harms, times
from .shrinking_ways import NESTED, REST, SPACE, WHOLE, recipe_of

SHARES = (0.75, 0.5, 0.35, 0.2, 0.12)
BAND = 0.07  # a drawn network spends its budget, or up to this share less
NAMES = {"none": "–", "mean": "m", "h1": "1", "h2": "2", "h4": "4", "f1/8": "⅛", "f1/4": "¼", "f1/2": "½", "f1": "1"}
EACH = 8  # networks drawn for each share
QUICK = replace(recipe_of("programme", 1), images=2000)  # of exercise 2: one short epoch


@cache
def parent() -> Assembled:
    """The parent that comes with nasviz, with its library of half-blocks."""
    return transformer_library()


@cache
def harms() -> dict[str, np.ndarray]:
    """What each variant of each half-block does alone, measured now: see `nasviz.estimators.replace_one`."""
    return replace_one(parent())


def limit(share: float) -> Budget:
    """The budget of a share of the parent's multiply-adds. ValueError for a share that is not within 0 and 1."""
    if not isinstance(share, int | float) or not 0 < share <= 1:
        raise ValueError(f"a share is above 0 and at most 1, got {share!r}")
    return budget(SPACE.madds, SPACE, REST + share * WHOLE)


def chosen(share: float) -> Arch:
    """The programme's choice within a share."""
    return programme(harms()["kl"], [limit(share)])


def measured(arch: Arch) -> float:
    """How far a network that is put together from the library is from the parent: nats."""
    return parent()(arch).scores["kl"]


def draws(share: float, count: int = EACH) -> list[Arch]:
    """Networks drawn at random that spend a share, or a little less: the same at each call."""
    one, rng = limit(share), np.random.default_rng((14, round(1000 * share)))
    return [drawn_within(SPACE, one, rng, one.most - BAND * share * WHOLE) for _ in range(count)]


def kind(place: int) -> str:
    """What a half-block is called in the first two questions: early or late, attention or feed-forward network."""
    return f"{'an early' if place < 6 else 'a late'} {'feed-forward network' if place % 2 else 'attention'}"


def share_of(arch: Arch) -> float:
    """Share of the parent's work that a network does."""
    return (SPACE.madds(arch) - REST) / WHOLE


# ------------------------------------------------------------------------------------------------- do harms add?
class Added(NamedTuple):
    """A network drawn at random: the sum of its half-blocks' harms, and its harm as it is measured."""

    share: float
    foretold: float
    measured: float


def added() -> list[Added]:
    """Draw networks of each of `SHARES`, and measure them."""
    return [
        Added(share, harm_of(arch, harms()["kl"]), measured(arch)) for share in SHARES for arch in draws(share)
    ]  # fmt: skip


def bend(found: Sequence[Added]) -> list[tuple[float, float, float]]:
    """For each share, the mean harm that is foretold, and the mean that is measured."""
    lines = []
    for share in dict.fromkeys(one.share for one in found):
        told, came = np.mean([one[1:] for one in found if one.share == share], 0).tolist()
        lines.append((share, told, came))
    return lines


class Additive(Chart):
    """Measured harm against the sum of harms, on logarithmic axes; on the line, harms would add."""

    def __init__(self, found: Sequence[Added]):
        self.found = list(found)
        values = [value for one in found for value in one[1:]]
        self.ends = 0.8 * min(values), 1.25 * max(values)
        self.colors = {
            share: between(COSTS, i / (len(SHARES) - 1))
            for i, share in enumerate(dict.fromkeys(one.share for one in found))
        }
        out = figure(
            height=440, hovermode="closest", xaxis={"title": "sum of harms, nats", "type": "log"},
            yaxis={"title": "measured harm, nats", "type": "log"},
            legend={"orientation": "h", "yref": "container", "y": 0.99, "yanchor": "top", "x": 0},
            margin={"l": 60, "r": 20, "t": 54, "b": 50},
        )  # fmt: skip
        out.add_scatter(x=self.ends, y=self.ends, mode="lines", name="harms add", hoverinfo="skip",
                        line={"color": "#8a919c", "dash": "4px,4px", "width": 1.5})  # fmt: skip
        for share, color in self.colors.items():
            x, y = np.array([one[1:] for one in self.found if one.share == share]).T
            out.add_scatter(x=x, y=y, mode="markers", name=f"{share:.0%} of the work",
                            marker={"size": 9, "color": color},
                            hovertemplate="foretold %{x:.2f}, measured %{y:.2f}")  # fmt: skip
        self.figure = live(out)
        rows = "; ".join(f"{share:.0%}: {told:.2f} foretold, {came:.2f} measured" for share, told, came in bend(found))
        self.text = f"Measured harm against the sum of harms, {len(self.found)} networks. Means by share: {rows}."
        super().__init__([self.figure])

    def still(self) -> bytes:
        """Draw the dots as PNG."""
        low, high = np.log10(self.ends)

        def draw(pen):
            names = "log10 of the sum of harms, nats", "log10 of the measured harm, nats"
            axes = Axes(pen, (8, 8, 520, 400), (low, high), (low, high), *names)
            axes.line((low, high), (low, high), DIM, 1.2, (4, 4))
            for one in self.found:
                pen.dot(axes.X(np.log10(one.foretold)), axes.Y(np.log10(one.measured)), 4, self.colors[one.share])
            for place, (share, color) in enumerate(self.colors.items()):
                pen.dot(545, 40 + 22 * place, 4, color)
                pen.text(556, 40 + 22 * place, f"{share:.0%} of the work", 11, anchor="lm")

        return drawn(680, 410, draw)


# ----------------------------------------------------------------------------------------------- a network by hand
def stack(arch: Arch | str | None = None) -> TransformerStack:
    """The parent as a stack to click, with harms, multiply-adds and milliseconds of each variant."""
    costs: dict[str, Callable[[Arch], float]] = {"multiply-adds": SPACE.madds, "milliseconds": times()}
    return TransformerStack(SPACE, harms()["kl"], costs, arch, NAMES)


class BudgetSlider(Chart):
    """A budget by slider, in multiply-adds or in milliseconds: the programme's choice as a stack, solved at each move.

    Attributes
    ----------
    share : FloatSlider
        Of the parent's multiply-adds, or of its milliseconds.
    unit : ToggleButtons
    arch : Arch
        The programme's choice.
    """

    def __init__(self, share: float = 0.35):
        self.share = widgets.FloatSlider(share, min=0.05, max=1, step=0.01, readout_format=".0%", description="budget",
                                         layout={"width": "95%"})  # fmt: skip
        self.unit = widgets.ToggleButtons(options=["multiply-adds", "milliseconds"])
        self.said, self.stack = widgets.HTML(), stack()
        self._solve()
        for one in (self.share, self.unit):
            one.observe(lambda change: self._solve(), "value")
        super().__init__([self.unit, self.share, self.said, self.stack])

    def _solve(self) -> None:
        self.arch = self.stack.arch = programme(harms()["kl"], [self._budget()])
        self.text = f"The programme's choice within {self.share.value:.0%} of the {self.unit.value}: {self.stack.text}"
        self.said.value = f"The programme's choice within {self.share.value:.0%} of the parent's {self.unit.value}:"

    def _budget(self) -> Budget:
        if self.unit.value == "multiply-adds":
            return limit(self.share.value)
        ms = times()
        return Budget(ms.ms, self.share.value * (ms(SPACE.largest) - ms.rest))

    def still(self) -> bytes | None:
        """Draw the stack."""
        return self.stack.still()


@dataclass(frozen=True)
class Rivals:
    """Harms measured at one share: of the programme's choice, of equal blocks, and of networks drawn at random."""

    share: float
    programme: float
    uniform: float
    drawn: tuple[float, ...]


def rivals(shares: Iterable[float] = SHARES[2:]) -> list[Rivals]:
    """Measure, at each share, the programme's choice beside what needs no measurement."""
    return [
        Rivals(share, measured(chosen(share)), measured(uniform(SPACE, limit(share))),
               tuple(map(measured, draws(share))))
        for share in shares
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------- training
def tuned(arch: Arch, epochs: int = 2, seed: int = 0) -> tuple[float, float]:
    """Distil a network that is put together from the library; its test accuracy before and after, %."""
    first = parent().weights(arch)
    search = Distillation(SPACE, arch, first, parent().parent, 1.0, recipe_of("programme", epochs), seed=seed)
    *_, last = search
    return tested(arch, first), tested(arch, weights_of(last.state))


def tested(arch: Arch, weights: bytes) -> float:
    """Test accuracy of a network with some weights, %."""
    network = SPACE.network(arch)
    take_over(weights, network.state_dict())
    with one_thread():
        return 100 * evaluated(network, *tensors_of("fashion16", 16, "test"))[0]


def truncated() -> dict[str, float]:
    """Test accuracy of the parent cut to the first neurons of all its feed-forward networks, by nested size, %."""
    network = ElasticTransformer(SPACE)
    take_over(parent().parent, network.whole.state_dict())
    test = tensors_of("fashion16", 16, "test")
    with one_thread():
        return {
            ("XL" if name == "X" else name): 100 * evaluated(network.select(arch), *test)[0]
            for name, arch in NESTED.items()
        }


def lead(share: float, seeds: int) -> np.ndarray:
    """By how many points the programme's choice is better than equal blocks after a short distillation: (seeds,).

    Both begin with half-blocks of the library, and learn the parent's answers on 2,000 images once. Accuracies are
    those on validation images. About two seconds a seed at a third of the work; the same again is known at once.

    Raises
    ------
    ValueError
        If the share is not within 0.1 and 0.9, or ``seeds`` no whole number from 1 to 20.
    """
    if not isinstance(seeds, int) or not 1 <= seeds <= 20:
        raise ValueError(f"seeds is a whole number from 1 to 20, got {seeds!r}")
    if not isinstance(share, int | float) or not 0.1 <= share <= 0.9:
        raise ValueError(f"share is a number from 0.1 to 0.9, got {share!r}")
    return np.array(_leads(float(share), seeds))


@cache
def _leads(share: float, seeds: int) -> tuple[float, ...]:
    found = np.zeros((2, seeds))
    best = programme(recorded_harms(), [limit(share)])  # of the same parent: nobody waits for a second measurement
    for row, arch in enumerate((best, uniform(SPACE, limit(share)))):
        for seed in range(seeds):
            *_, last = Distillation(SPACE, arch, parent().weights(arch), parent().parent, 1.0, QUICK, seed=seed)
            found[row, seed] = 100 * last.shows["valid_accuracy"]
    return tuple((found[0] - found[1]).tolist())
