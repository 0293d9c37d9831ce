"""DARTS+: stop before the skip connections take over."""

from __future__ import annotations

from dataclasses import dataclass

from ..analysis.diagnosis import skips
from .bilevel import Bilevel
from .darts import Darts


@dataclass
class DartsPlus(Darts):
    """DARTS with early stopping by counting: Liang et al. 2019, "DARTS+", criterion 1.

    The search ends after the first epoch at whose end the discretised cell has ``most`` skip connections. Everything
    before is DARTS, so that a result differs from it only in when one looked.

    Parameters
    ----------
    most : int
        The paper: 2 of the 8 edges that DARTS's cell keeps.
    """

    most: int = 3

    def over(self, search: Bilevel) -> bool:
        """Whether the cell found so far has too many skips."""
        found = self.space.discretize(self.strengths(search.alphas.detach()).numpy())
        return search.epoch > 0 and skips(self.space, found) >= self.most
