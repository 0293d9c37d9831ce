"""DARTS+: stop before the skip connections take over."""

from __future__ import annotations

from dataclasses import dataclass

from ..analysis.diagnosis import skips
from ..ranges import ranged
from .bilevel import Bilevel
from .darts import Darts


@dataclass
class DartsPlus(Darts):
    """DARTS with early stopping by counting: Liang et al. 2019, "DARTS+", criterion 1.

    The search ends after the first epoch at whose end the discretised cell has ``most`` skip connections. Until then
    the search is DARTS, so that the two results differ only in the epoch in which the search stopped.

    Parameters
    ----------
    most : int
        Number of skip connections that ends the search. The paper: 2 of the 8 edges that DARTS's cell keeps.
    """

    most: int = ranged(3, 0)

    def over(self, search: Bilevel) -> bool:
        """Return whether the cell found so far has too many skip connections."""
        found = self.space.discretize(self.strengths(search.alphas.detach()).numpy())
        return search.epoch > 0 and skips(self.space, found) >= self.most
