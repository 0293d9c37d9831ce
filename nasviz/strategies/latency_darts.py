"""DARTS with a penalty on latency: ProxylessNAS's differentiable latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..knobs import knob
from .bilevel import Batch, Bilevel
from .darts import Darts


@dataclass
class LatencyDarts(Darts):
    """DARTS whose α also descends the expected latency: Cai, Zhu & Han 2019, "ProxylessNAS", section 3.3.

    Measured latency has no gradient. A look-up table gives the time of each operation. The expected time of an edge
    whose operations are drawn with probabilities p is then Σ p · time, and the network's expected latency, the sum over
    the edges, is differentiable in α. α descends the validation loss plus ``latency_weight`` times this latency.

    (ProxylessNAS trains one sampled path at a time; this is its latency term on DARTS's mixture.)

    Parameters
    ----------
    latency : sequence of sequences of float
        Milliseconds, (edges, operations): `nasviz.hardware.by_choice` makes them from a table.
    latency_weight : float
        Loss in nats that a millisecond is worth: λ₂ in the paper.

    Raises
    ------
    ValueError
        When iterated, if ``latency`` does not have the shape of the space's relaxed choices, or as in `Darts`.
    """

    latency: Sequence[Sequence[float]] = ()
    latency_weight: float = knob(1.0, 0.0, 20.0, help="Loss that a millisecond of latency is worth: λ₂ in the paper")

    def expected(self, search: Bilevel) -> Tensor:
        """Return the expected milliseconds of the mixture: Σ over edges of Σ p · time."""
        strengths = self.strengths(search.alphas)
        try:
            times = torch.tensor(self.latency, dtype=strengths.dtype)
        except (TypeError, ValueError, RuntimeError) as error:  # a text, None, rows of different lengths
            raise ValueError(f"LatencyDarts: latency has to be milliseconds in rows of one length ({error})") from None
        if times.shape != strengths.shape:
            raise ValueError(
                f"latency must have a row an edge and a column an operation, {tuple(strengths.shape)}; got "
                f"{tuple(times.shape)}"
            )
        if not times.isfinite().all():
            raise ValueError("LatencyDarts: latency holds a number that is not finite")
        return (strengths * times).sum()

    def alpha_gradient(self, search: Bilevel, train: Batch, valid: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradient of validation loss plus weighted latency; then the validation loss and the logits."""
        loss, logits = self.alpha_loss(search, search.alphas, valid)
        total = loss + self.latency_weight * self.expected(search)
        (gradient,) = torch.autograd.grad(total, [search.alphas])
        return gradient, loss, logits
