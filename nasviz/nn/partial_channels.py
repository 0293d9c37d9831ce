"""PC-DARTS's supernet: only some channels of each node pass through the mixed operations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..graph import Graph
from .mixed import MixedCell, MixedNetwork
from .rows import AveragePool3x3


class PartialNetwork(MixedNetwork):
    """A `MixedNetwork` whose edges mix operations on one channel in ``share``: ``network(images, weights)``.

    Xu et al. 2020, section 3.2. ``weights`` has one more column than there are operations. The last column holds the
    weight of each edge among all edges that enter the same node (the paper's edge normalisation, section 3.3).

    Raises
    ------
    ValueError
        If ``share`` does not divide the channels; otherwise as `MixedNetwork`.
    """

    def __init__(self, graph: Graph, operations: Sequence[str], share: int = 4, **size):
        self.share = share
        super().__init__(graph, operations, **size)

    def cell(self, graph: Graph, operations: Sequence[str], channels: int) -> PartialCell:
        """Build one cell of the stack, which mixes one channel in ``share``."""
        return PartialCell([(edge.source, edge.target) for edge in graph.edges], operations, channels, self.share)


class PartialCell(MixedCell):
    """A `MixedCell` that mixes the first of ``share`` equal parts of the channels; the others pass unchanged."""

    def __init__(self, edges: Sequence[tuple[int, int]], operations: Sequence[str], channels: int, share: int):
        if share < 1 or channels % share:
            raise ValueError(f"one channel in share={share} is mixed: share must divide the {channels} channels")
        super().__init__(edges, operations, channels // share)
        self.share = share

    def forward(self, inputs: Sequence[Tensor], weights: Tensor) -> list[Tensor]:
        """Return the values of the nodes as `MixedCell` does; ``weights``: (edges, operations + 1)."""
        nodes = dict(enumerate(inputs))
        mixed = inputs[0].shape[1] // self.share
        pool, rows, counts = AveragePool3x3(inputs[0][:, :mixed]), weights[:, :-1].unbind(), weights[:, -1].unbind()
        for leaving, fan in zip(self.leaving, self.fans, strict=True):
            node = nodes[self.edges[leaving[0]][0]]
            carried_by = fan(node[:, :mixed], torch.stack([rows[i] for i in leaving]), pool)
            for i, carried in zip(leaving, carried_by, strict=True):
                target = self.edges[i][1]
                whole = counts[i] * shuffle(torch.cat([carried, node[:, mixed:]], 1), self.share)
                nodes[target] = nodes[target] + whole if target in nodes else whole
        return [nodes[node] for node in sorted(nodes)[len(inputs) :]]


def shuffle(images: Tensor, groups: int) -> Tensor:
    """Shuffle the channels of ``groups`` equal groups: take one from each in turn (Zhang et al. 2018, ShuffleNet).

    ``shuffle(shuffle(x, g), channels // g)`` is ``x``.
    """
    return images.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)
