"""DARTS on a GPU, its gradients recorded as CUDA graphs: a step does not launch each of its thousands of kernels."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..nn.gpu import Graphed, device_of
from .bilevel import Batch, Bilevel
from .darts import Darts
from .second_order import SecondOrderDarts


class Recorded:
    """Put before a strategy: ``class Mine(Recorded, Darts)``. Its two gradients are recorded anew in each epoch.

    For strategies whose gradients draw nothing at random, and depend on nothing but batches, α, w, their momenta and
    the epoch: a recorded draw would be the same in every step. A knob turned within an epoch acts on the descents at
    once, on the gradients from the next epoch on.

    Raises
    ------
    ValueError
        When iterated: ``network`` does not say ``"device": "cuda"``; otherwise as the strategy.
    """

    def begin(self) -> Bilevel:
        """The search, with α on the GPU too."""
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
        """Forget what was recorded in the epoch before."""
        super().before_epoch(search)
        search.recorded.clear()

    def alpha_gradient(self, search: Bilevel, train: Batch, valid: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """That of the strategy, replayed."""
        compute = super().alpha_gradient
        if "alphas" not in search.recorded:
            search.recorded["alphas"] = Graphed(
                lambda *parts: compute(search, Batch(*parts[:2]), Batch(*parts[2:])), *train, *valid
            )
        return search.recorded["alphas"](*train, *valid)

    def weight_gradient(self, search: Bilevel, train: Batch) -> Tensor:
        """That of the strategy, replayed."""

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
    """First-order `Darts`, recorded."""


@dataclass
class RecordedSecondOrderDarts(Recorded, SecondOrderDarts):
    """`SecondOrderDarts`, recorded."""
