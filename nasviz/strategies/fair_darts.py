"""FairDARTS: operations do not compete for one edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..ranges import ranged
from .bilevel import Batch, Bilevel
from .darts import Darts


@dataclass
class FairDarts(Darts):
    """DARTS with a sigmoid for each operation in place of a softmax over all: Chu et al. 2020, "Fair DARTS".

    Under a softmax one operation gains weight only if the others lose it. Sigmoids are independent, so that several may
    be near 1. The loss that α descends gets one more term (`zero_one`), lowest when every sigmoid is 0 or 1, so that
    little accuracy is lost when the weaker operations are removed.

    Parameters
    ----------
    zero_one_weight : float
        How much the zero-one loss counts. The paper: 10.

    Notes
    -----
    Rows of the ``alphas`` that steps show need not add up to 1.
    """

    zero_one_weight: float = ranged(10.0, 0.0)

    def strengths(self, alphas: Tensor) -> Tensor:
        """Return σ(α)."""
        return alphas.sigmoid()

    def alpha_gradient(self, search: Bilevel, train: Batch, valid: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradient of validation loss plus weighted zero-one loss, then validation loss and logits."""
        loss, logits = self.alpha_loss(search, search.alphas, valid)
        total = loss + self.zero_one_weight * zero_one(self.strengths(search.alphas))
        (gradient,) = torch.autograd.grad(total, [search.alphas])
        return gradient, loss, logits


def zero_one(strengths: Tensor) -> Tensor:
    """Return −mean (σ − ½)²: 0 where all strengths are ½, −¼ where each is 0 or 1 (Chu et al. 2020, eq. 4)."""
    return -torch.mean((strengths - 0.5) ** 2)


def kept(strengths, threshold: float = 0.85) -> np.ndarray:
    """Return a mask of the operations that the paper keeps, bool (edges, operations): those above the threshold.

    An edge may keep several operations, or none. Where a space needs one on each edge, `SearchSpace.discretize` takes
    the strongest instead.
    """
    return np.asarray(strengths) > threshold
