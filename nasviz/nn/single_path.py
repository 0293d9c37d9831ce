"""The single-path supernet: all operations on all edges hold weights, and one architecture at a time runs on them.

Guo et al. 2020 ("Single path one-shot neural architecture search with uniform sampling"). A DARTS supernet computes
all operations at each step (`nasviz.nn.mixed`); a single-path supernet computes only those of one architecture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from ..graph import Graph
from ..space import Arch
from .cells import Cell, CellNetwork
from .ops import Factory


class PathCell(Cell):
    """A `Cell` that can become the cell of any architecture; `select` sets the architecture.

    Attributes
    ----------
    candidates : ModuleList of ModuleList
        The operations with their weights: a list of the options for each edge.
    """

    def __init__(self, graph: Graph, operations: Mapping[str, Factory], channels: int):
        nn.Module.__init__(self)  # not Cell's: it would build the operations of one architecture
        self.edges = [(edge.source, edge.target) for edge in graph.edges]
        self.candidates = nn.ModuleList(
            nn.ModuleList(factory(channels) for factory in operations.values()) for _ in graph.edges
        )
        self.nodes = len(graph.nodes)
        self.select((0,) * len(self.edges))

    def select(self, arch: Arch) -> None:
        """Make this the cell of ``arch``, which holds one option for each edge."""
        edges = cast("Iterable[nn.ModuleList]", self.candidates)
        self.operations = [candidates[option] for candidates, option in zip(edges, arch, strict=True)]
        self.live = self._live()


class PathNetwork(CellNetwork):
    """A `CellNetwork` with all operations on all edges, of which one runs on each edge: ``network(images, arch)``.

    Every architecture computes as the network that `CellNetwork` would build, but on the shared weights.

    Parameters
    ----------
    graph : Graph
        The cell with its edges undecided.
    operations : mapping from str to factory
        The candidates on each edge, in the order of the options.
    **size
        ``channels``, ``cells``, ``stages``, ``reduction``, ``colors``, ``classes``, ``generator`` of `CellNetwork`.

    Examples
    --------
    >>> from nasviz.spaces import NasBench201
    >>> network = NasBench201().single_path(channels=4)
    >>> network(torch.zeros(2, 1, 8, 8), (3, 0, 1, 0, 0, 2)).shape
    torch.Size([2, 10])
    """

    cell = PathCell

    def select(self, arch: Arch) -> PathNetwork:
        """Select ``arch`` as the architecture that later calls compute; return this network."""
        for layer in self.body:
            if isinstance(layer, PathCell):
                layer.select(arch)
        return self

    def forward(self, images: Tensor, arch: Arch | None = None) -> Tensor:
        """Return logits (batch, classes) for images (batch, colors, height, width); ``arch`` None: the selected one."""
        if arch is not None:
            self.select(arch)
        return super().forward(images)


@torch.no_grad()
def recalibrate(network: PathNetwork, arch: Arch, batches: Iterable[Tensor]) -> None:
    """Set the statistics of the batch-norms to those of ``arch``: the mean over ``batches`` of training images.

    The statistics from the supernet's training are a mixture over all architectures that ran (Guo et al. 2020, section
    3.4). The statistics of operations that ``arch`` does not use are reset.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # in torch, None means a plain mean over all batches
    network.train()
    for images in batches:
        network(images, arch)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.eval()


class same_statistics:
    """A context that restores the batch-norms' statistics at its end, for training to go on after a re-calibration."""

    def __init__(self, network: nn.Module):
        self.network = network

    def __enter__(self):
        self.kept = {name: tensor.clone() for name, tensor in self.network.named_buffers()}

    def __exit__(self, *_):
        for name, tensor in self.network.named_buffers():
            tensor.copy_(self.kept[name])
        self.network.train()
