"""FairDARTS: operations do not compete for one edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .bilevel import Batch, Bilevel
from .darts import Darts


@dataclass
class FairDarts(Darts):
    """DARTS with a sigmoid for each operation in place of a softmax over all: Chu et al. 2020, "Fair DARTS".

    Under a softmax, what one operation wins the others lose. Under sigmoids each stands for itself, and several may be
    near 1. A term is added to what α descends that is lowest when every sigmoid is 0 or 1 (`zero_one`), so that little
    is lost when the others are taken away.

    Parameters
    ----------
    zero_one_weight : float
        How much the zero-one loss counts. The paper: 10.

    Notes
    -----
    Rows of the ``alphas`` that steps show need not add up to 1.
    """

    zero_one_weight: float = 10.0

    def strengths(self, alphas: Tensor) -> Tensor:
        """σ(α)."""
        return alphas.sigmoid()

    def alpha_gradient(self, search: Bilevel, train: Batch, valid: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """The gradient of the validation loss plus the weighted zero-one loss; the former, and the logits."""
        loss, logits = self.alpha_loss(search, search.alphas, valid)
        total = loss + self.zero_one_weight * zero_one(self.strengths(search.alphas))
        (gradient,) = torch.autograd.grad(total, [search.alphas])
        return gradient, loss, logits


def zero_one(strengths: Tensor) -> Tensor:
    """−mean (σ − ½)²: 0 where all are ½, −¼ where each is 0 or 1 (Chu et al. 2020, eq. 4)."""
    return -torch.mean((strengths - 0.5) ** 2)


def kept(strengths, threshold: float = 0.85) -> np.ndarray:
    """Which operations the paper keeps, bool (edges, operations): those above the threshold.

    There may be several on an edge, or none. `SearchSpace.discretize` takes the strongest instead, where a space wants
    one on each.
    """
    return np.asarray(strengths) > threshold
