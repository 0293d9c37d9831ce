"""DrNAS: architecture weights are drawn from a distribution that is learned."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .bilevel import Bilevel
from .darts import Darts


@dataclass
class DrNas(Darts):
    """Each row of architecture weights is a draw from a Dirichlet distribution: Chen et al. 2021, "DrNAS".

    Its concentrations are elu(α) + 1, so that α = 0 is the uniform distribution over all mixtures; the gradient goes
    through the draw (pathwise derivative). Concentrations above 1 draw mixtures, below 1 nearly one operation: how much
    is tried out is learned too. The paper's penalty on the distance from concentration 1 is the L2 penalty on α that
    DARTS has anyway.

    Notes
    -----
    Steps show the mean of the distribution. Without the paper's partial channels and progressive pruning.
    """

    def concentrations(self, alphas: Tensor) -> Tensor:
        """Positive, (edges, operations)."""
        return F.elu(alphas) + 1

    def strengths(self, alphas: Tensor) -> Tensor:
        """The mean: concentrations by their row's sum."""
        concentrations = self.concentrations(alphas)
        return concentrations / concentrations.sum(1, keepdim=True)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """A draw, differentiable in α."""
        return _Draw.apply(self.concentrations(alphas), search.generator)


class _Draw(torch.autograd.Function):
    """What ``torch.distributions.Dirichlet.rsample`` computes, with a generator of one's own."""

    @staticmethod
    def forward(ctx, concentrations, generator):
        draw = torch._sample_dirichlet(concentrations, generator)
        ctx.save_for_backward(draw, concentrations)
        return draw

    @staticmethod
    def backward(ctx, grad):
        draw, concentrations = ctx.saved_tensors
        total = concentrations.sum(1, keepdim=True).expand_as(concentrations)
        along = grad - (draw * grad).sum(1, keepdim=True)
        return torch._dirichlet_grad(draw, concentrations, total) * along, None
