"""GDAS and SNAS: architectures are sampled by the Gumbel trick, so that a gradient passes through the draw."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..ranges import ranged
from .bilevel import Batch, Bilevel
from .darts import Darts


@dataclass
class Gdas(Darts):
    """DARTS that runs one sampled cell in each step: Dong & Yang 2019, "GDAS".

    On each edge one operation is drawn with the softmax of α as probabilities: the largest of log p + Gumbel noise
    (eq. 3). Forward, the chosen one has weight 1 and the others 0; backward, the gradient is that of the softmax of the
    same noisy numbers at a temperature (eq. 4), which falls in a straight line over the epochs.

    Parameters
    ----------
    first_temperature, last_temperature : float
        Temperature in the first and in the last epoch. The authors' code: 10 to 0.1.

    Notes
    -----
    The paper skips the operations that were not drawn. Here they are computed and multiplied by 0: this gives the same
    numbers at more cost, on a supernet that computes all operations together anyway.
    """

    first_temperature: float = ranged(10.0, above=0.0)
    last_temperature: float = ranged(0.1, above=0.0)

    def temperature(self, search: Bilevel) -> float:
        """Return the temperature in this epoch."""
        share = search.epoch / max(1, self.epochs - 1)
        return self.first_temperature + (self.last_temperature - self.first_temperature) * share

    def soft(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Draw from the concrete distribution, (edges, operations): the softmax of noisy log-probabilities."""
        draws = torch.rand(alphas.shape, generator=search.generator).clamp(1e-10, 1 - 1e-7)
        noise = -torch.log(-torch.log(draws))
        return ((alphas.log_softmax(1) + noise) / self.temperature(search)).softmax(1)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Return one-hot rows that have the gradient of the soft rows."""
        soft = self.soft(search, alphas)
        return F.one_hot(soft.argmax(1), soft.shape[1]).to(soft) + (soft - soft.detach())


@dataclass
class Snas(Gdas):
    """DARTS whose α and w learn from the same batch, at soft samples: Xie et al. 2019, "SNAS".

    The mixture is itself a draw from the concrete distribution, whose rows come close to one-hot as the temperature
    falls, and the search has one level: α descends the *training* loss.

    Notes
    -----
    The paper's penalty on the cost of the cell is left out. Our temperature falls in a straight line, from 1 to 0.1.
    Nothing learns from the validation batch: its loss is only shown.
    """

    first_temperature: float = ranged(1.0, above=0.0)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Return the soft draw."""
        return self.soft(search, alphas)

    def alpha_gradient(self, search: Bilevel, train: Batch, valid: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradient of the training loss in α, then loss and logits of the validation batch."""
        (gradient,) = torch.autograd.grad(self.weight_loss(search, search.alphas, train), [search.alphas])
        with torch.no_grad():
            return gradient, *self.alpha_loss(search, search.alphas, valid)
