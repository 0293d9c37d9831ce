"""PC-DARTS: only some channels are mixed, and edges have weights of their own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .bilevel import Bilevel
from .darts import Darts


@dataclass
class PcDarts(Darts):
    """DARTS on partial channels: Xu et al. 2020, "PC-DARTS".

    On each edge one channel in ``share`` passes through the mixed operation and the others around it; then the channels
    are shuffled. That costs less memory, and takes from the operations without weights some of their advantage early in
    the search. Since other channels are mixed on each step of a node's way, edges get weights β of their own: a softmax
    over the edges that enter a node (eq. 4). For the first ``still`` of the epochs only w learns.

    Parameters
    ----------
    share : int
        Must divide the channels. The paper: 4.
    still : float
        The paper: 15 of 50 epochs.

    Raises
    ------
    ValueError
        When iterated: a space whose supernet is not that of NAS-Bench-201's cell; a ``share`` that does not divide.

    Notes
    -----
    Steps show the weights of the operations. β would decide which edges to keep where a space chooses; here all stay.
    """

    share: int = 4
    still: float = 0.3

    def supernet(self, **size) -> nn.Module:
        """One that mixes some channels."""
        from ..nn.partial_channels import PartialNetwork

        if not self.space.can("operations"):
            raise ValueError(f"PC-DARTS is made for NAS-Bench-201's cell here, not for {self.space.name}")
        return PartialNetwork(self.space.graph(), self.space.operations, self.share, **size)

    def first_alphas(self, generator: torch.Generator) -> Tensor:
        """α, and β in the last column."""
        alphas = super().first_alphas(generator)
        return torch.cat([alphas, 1e-3 * torch.randn(len(alphas), 1, generator=generator)], 1)

    def strengths(self, alphas: Tensor) -> Tensor:
        """The softmax of α."""
        return alphas[:, :-1].softmax(1)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """The softmax of α, and in the last column that of β over the edges that enter a node."""
        targets = torch.tensor([edge.target for edge in self.space.graph().edges])
        entering = targets[:, None] == targets
        of_edges = alphas[:, -1].expand(len(alphas), -1).masked_fill(~entering, -torch.inf).softmax(1).diagonal()
        return torch.cat([self.strengths(alphas), of_edges[:, None]], 1)

    def alphas_learn(self, search: Bilevel) -> bool:
        """Not in the first epochs."""
        return search.epoch >= self.still * self.epochs
