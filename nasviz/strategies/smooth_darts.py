"""SmoothDARTS: w is trained to work near α too, so that the loss is flat around α."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..ranges import ranged
from .bilevel import Batch, Bilevel
from .darts import Darts

FIRST, ASCENTS = 0.03, 7  # the radius at the start; steps of the adversary


@dataclass
class SmoothDarts(Darts):
    """DARTS whose weights w learn at perturbed architecture weights: Chen & Hsieh 2020, "SDARTS", eq. 4 to 6.

    Before each descent of w, every strength (after the softmax) is moved by up to a radius, then rows are scaled to sum
    to 1 again. α learns as in DARTS. The radius grows in a straight line over the epochs.

    Parameters
    ----------
    radius : float
        The radius at the end. The paper: 0.3, from 0.03.
    adversarial : bool
        True moves strengths to where the training loss is worst (seven steps of projected gradient ascent, SDARTS-ADV).
        False moves them at random (SDARTS-RS). An adversarial step costs seven gradients more.
    """

    radius: float = ranged(0.3, 0.0)
    adversarial: bool = False

    def reach(self, search: Bilevel) -> float:
        """Return the radius in this epoch."""
        return FIRST + (self.radius - FIRST) * search.epoch / self.epochs

    def weight_loss(self, search: Bilevel, alphas: Tensor, train: Batch) -> Tensor:
        """Return the training loss at perturbed strengths."""
        strengths, reach = self.mixture(search, alphas).detach(), self.reach(search)
        away = (2 * torch.rand(strengths.shape, generator=search.generator) - 1) * reach
        disturbed = rows_to_one(strengths + away)
        for _ in range(ASCENTS if self.adversarial else 0):
            disturbed.requires_grad_()
            loss = F.cross_entropy(search.network(train.images, disturbed), train.labels)
            (slope,) = torch.autograd.grad(loss, [disturbed])
            moved = disturbed.detach() + 2 * reach / ASCENTS * slope.sign()
            disturbed = rows_to_one(strengths + (moved - strengths).clamp(-reach, reach))
        return F.cross_entropy(search.network(train.images, disturbed), train.labels)


def rows_to_one(weights: Tensor) -> Tensor:
    """Cut weights to 0 … 1 and divide each row by its sum. A row of which nothing is left keeps its largest weight."""
    strongest = F.one_hot(weights.argmax(1), weights.shape[1]).to(weights)
    cut = weights.clamp(0, 1)
    cut = torch.where(cut.sum(1, keepdim=True) > 0, cut, strongest)
    return cut / cut.sum(1, keepdim=True)
