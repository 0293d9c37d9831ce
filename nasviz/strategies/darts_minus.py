"""DARTS−: an auxiliary skip connection helps training, so that α need not favour skip connections for that help."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..analysis.diagnosis import SKIP
from ..ranges import ranged
from .bilevel import Bilevel
from .darts import Darts


@dataclass
class DartsMinus(Darts):
    """DARTS with an auxiliary skip connection on each edge, faded out: Chu et al. 2021, "DARTS−", eq. 5.

    A skip connection helps a supernet to train, whether or not the final cell needs it. The auxiliary connection, of
    weight β, gives that help to all operations alike, so that α judges only the operations themselves. β falls from
    ``beta`` to 0 in a straight line over the epochs: at the end nothing is added. With ``beta=0`` this is DARTS.

    Parameters
    ----------
    beta : float
        β at the start. The paper: 1.
    """

    beta: float = ranged(1.0, 0.0)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Return the strengths, with β added to that of every skip connection."""
        strengths, beta = self.strengths(alphas), self.beta * (1 - search.epoch / self.epochs)
        added = [[beta * (option == SKIP) for option in choice.options] for choice in self.space.relaxed]
        return strengths + strengths.new_tensor(added)
