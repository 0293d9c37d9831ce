"""DARTS on a GPU with gradients recorded as CUDA graphs, so that a step need not launch thousands of kernels singly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from ..nn.gpu import Graphed, device_of
from .bilevel import Batch, Bilevel
from .darts import Darts
from .second_order import SecondOrderDarts

if TYPE_CHECKING:
    Mixed = Darts  # what `Recorded` is mixed into
else:
    Mixed = object


class Recorded(Mixed):
    """A mixin that records a strategy's two gradients anew in each epoch: ``class Mine(Recorded, Darts)``.

    It is for strategies whose gradients draw nothing at random, and depend only on the batches, α, w, their momenta and
    the epoch: a recorded random draw would be the same in every step. A knob turned within an epoch acts on the
    descents at once, and on the gradients from the next epoch on.

    Raises
    ------
    ValueError
        When iterated, if ``network`` does not say ``"device": "cuda"``, and the strategy's own errors.
    """

    def begin(self) -> Bilevel:
        """Return the search, with α on the GPU too."""
        if device_of(self.network) == "cpu":
            raise ValueError(
                'CUDA graphs are of a GPU: say network={"device": "cuda", ...}, or take the strategy itself'
            )
        search = super().begin()
        device = search.weights.device
        search.alphas = search.alphas.detach().to(device).requires_grad_()
        search.mean, search.square = search.mean.to(device), search.square.to(device)
        search.recorded = {}
        return search

    def before_epoch(self, search: Bilevel) -> None:
        """Forget the graphs that were recorded in the epoch before."""
        super().before_epoch(search)
        search.recorded.clear()

    def alpha_gradient(self, search: Bilevel, train: Batch, valid: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Replay the strategy's own `alpha_gradient`."""
        compute = super().alpha_gradient
        if "alphas" not in search.recorded:
            search.recorded["alphas"] = Graphed(
                lambda *parts: compute(search, Batch(*parts[:2]), Batch(*parts[2:])), *train, *valid
            )
        return search.recorded["alphas"](*train, *valid)

    def weight_gradient(self, search: Bilevel, train: Batch) -> Tensor:
        """Replay the strategy's own `weight_gradient`."""

        def compute(*parts):
            loss = self.weight_loss(search, search.alphas.detach(), Batch(*parts))
            return *search.slopes(loss), loss

        if "weights" not in search.recorded:
            search.recorded["weights"] = Graphed(compute, *train)
        gradient, loss = search.recorded["weights"](*train)
        search.gradient.add_(gradient)
        return loss


@dataclass
class RecordedDarts(Recorded, Darts):
    """First-order `Darts` with recorded gradients."""


@dataclass
class RecordedSecondOrderDarts(Recorded, SecondOrderDarts):
    """`SecondOrderDarts` with recorded gradients."""
