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
    """DARTS whose architecture weights are drawn, each row from a Dirichlet distribution: Chen et al. 2021, "DrNAS".

    Its concentrations are elu(α) + 1, so that α = 0 is the uniform distribution over all mixtures; the gradient goes
    through the draw (pathwise derivative). Concentrations above 1 draw mixtures, those below 1 nearly one operation:
    so the amount of exploration is learned too. The paper's penalty on the distance from concentration 1 is the L2
    penalty on α that DARTS has anyway.

    Notes
    -----
    Steps show the mean of the distribution. The paper's partial channels and progressive pruning are left out.
    """

    def concentrations(self, alphas: Tensor) -> Tensor:
        """Return the concentrations of the distributions: positive, (edges, operations)."""
        return F.elu(alphas) + 1

    def strengths(self, alphas: Tensor) -> Tensor:
        """Return the mean of the distribution: each row of concentrations divided by its sum."""
        concentrations = self.concentrations(alphas)
        return concentrations / concentrations.sum(1, keepdim=True)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Draw from the distribution, differentiably in α."""
        return _Draw.apply(self.concentrations(alphas), search.generator)


class _Draw(torch.autograd.Function):
    """The draw of ``torch.distributions.Dirichlet.rsample``, from a generator that the caller gives."""

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
