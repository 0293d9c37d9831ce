"""REINFORCE whose advantages are ranks: only the order of a batch's rewards counts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..nn.controller import Controller, Sequences
from .reinforce import Reinforce


@dataclass
class RankedReinforce(Reinforce):
    """REINFORCE that follows the ranks of the rewards in their batch, in place of R − b.

    The worst of a batch of m counts −1/2, the best +1/2, those between them lie at equal distances, and ties share
    their mean. So neither a penalty that is large beside all accuracies, nor one training that failed, decides the
    direction. Any increasing function of the reward gives the same search: nothing is left for `CubedBest`'s cube to
    do. Evolution strategies shape their fitness in this way (Wierstra et al. 2014, with other weights).
    The estimate is no longer that of the gradient of the expected reward.

    Parameters
    ----------
    space, estimate, evaluations, batch, lr, entropy, clip, hidden, objective, seed
        See `Reinforce`.
    baseline, decay
        What the steps show as the baseline; ranks do not depend on it.
    """

    def ascend(self, controller: Controller, batch: Sequences, advantages: Tensor) -> None:
        """Move θ as `Reinforce` does, by centred ranks of the advantages."""
        super().ascend(controller, batch, centred_ranks(advantages))


def centred_ranks(values: Tensor) -> Tensor:
    """Return ranks (m,) from −1/2 for the lowest to 1/2 for the highest; equal values share their mean rank.

    A single value has the rank 0.

    Examples
    --------
    >>> centred_ranks(torch.tensor([0.8, -3.0, 0.7, 0.7, 0.1])).tolist()
    [0.5, -0.5, 0.125, 0.125, -0.25]
    """
    above = torch.sign(values[:, None] - values).sum(1)
    return above / (2 * max(len(values) - 1, 1))
