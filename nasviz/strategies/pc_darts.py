"""PC-DARTS: only some channels are mixed, and edges have weights of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from ..ranges import ranged
from .bilevel import Bilevel
from .darts import Darts

if TYPE_CHECKING:
    from ..spaces import NasBench201


@dataclass
class PcDarts(Darts):
    """DARTS on partial channels: Xu et al. 2020, "PC-DARTS".

    On each edge one channel in ``share`` passes through the mixed operation, the other channels bypass it; then the
    channels are shuffled. This needs less memory, and operations without weights lose some of their advantage early in
    the search. As the mixed channels differ from edge to edge along a path, edges get weights β of their own: a softmax
    over the edges that enter a node (eq. 4). In the first epochs, a share ``still`` of them, only w learns.

    Parameters
    ----------
    share : int
        One channel in so many is mixed. It must divide the number of channels. The paper: 4.
    still : float
        The share of the epochs in which only w learns. The paper: 15 of 50 epochs.

    Raises
    ------
    ValueError
        When iterated, if the space is not NAS-Bench-201's cell, or ``share`` does not divide the channels.

    Notes
    -----
    Steps show the weights of the operations. In a space that chooses edges, β would decide which of them to keep; here
    all edges stay.
    """

    share: int = ranged(4, 1)
    still: float = ranged(0.3, 0.0, 1.0)

    def supernet(self, **size) -> nn.Module:
        """Return a supernet that mixes only some channels."""
        from ..nn.partial_channels import PartialNetwork

        if not self.space.can("operations"):
            raise ValueError(f"PC-DARTS is made for NAS-Bench-201's cell here, not for {self.space.name}")
        return PartialNetwork(cast("NasBench201", self.space).graph(), self.space.operations, self.share, **size)

    def first_alphas(self, generator: torch.Generator) -> Tensor:
        """Return α at the start, with β in the last column."""
        alphas = super().first_alphas(generator)
        return torch.cat([alphas, 1e-3 * torch.randn(len(alphas), 1, generator=generator)], 1)

    def strengths(self, alphas: Tensor) -> Tensor:
        """Return the softmax of α, without the column of β."""
        return alphas[:, :-1].softmax(1)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Return the softmax of α and, in the last column, the softmax of β over the edges that enter a node."""
        targets = torch.tensor([edge.target for edge in cast("NasBench201", self.space).graph().edges])
        entering = targets[:, None] == targets
        of_edges = alphas[:, -1].expand(len(alphas), -1).masked_fill(~entering, -torch.inf).softmax(1).diagonal()
        return torch.cat([self.strengths(alphas), of_edges[:, None]], 1)

    def alphas_learn(self, search: Bilevel) -> bool:
        """Return whether α learns in this epoch: it does not in the first epochs."""
        return search.epoch >= self.still * self.epochs
