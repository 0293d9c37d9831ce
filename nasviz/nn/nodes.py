"""Networks of cells with operations on nodes: NAS-Bench-101."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor, nn

from ..graph import Graph
from ..ranges import check_sizes
from ..weights import initialize
from .ops import Conv2d, Factory, Linear


def conv1x1_bn_relu(channels: int) -> nn.Module:
    """Build a 1×1 convolution, batch-norm, ReLU (Ying et al. 2019, section 2.1)."""
    return _conv_bn_relu(channels, channels, 1)


def conv3x3_bn_relu(channels: int) -> nn.Module:
    """Build a 3×3 convolution, batch-norm, ReLU (Ying et al. 2019, section 2.1)."""
    return _conv_bn_relu(channels, channels, 3)


def max_pool3x3(channels: int) -> nn.Module:
    """Build the maximum of the 3×3 neighbours."""
    return nn.MaxPool2d(3, stride=1, padding=1)


NASBENCH101: Mapping[str, Factory] = MappingProxyType(
    {"conv3x3-bn-relu": conv3x3_bn_relu, "conv1x1-bn-relu": conv1x1_bn_relu, "maxpool3x3": max_pool3x3}
)


def node_channels(graph: Graph, channels: int) -> list[int]:
    """Return the channels of each node between input and output by the published rule (``compute_vertex_channels``).

    The output concatenates the nodes that feed it, so these nodes share its channels. If they do not divide evenly, the
    nodes with lower numbers get one channel more. Any other node has as many channels as the largest node that it
    feeds.

    Parameters
    ----------
    graph : Graph
        Node 0 is the input, the last the output; every node is on a path between them.
    channels : int
        Channels of the output.

    Returns
    -------
    list of int, one a node; ``channels`` for the output, 0 for the input, which the rule does not concern.

    Raises
    ------
    ValueError
        Fewer channels than nodes that feed the output.
    """
    last = len(graph.nodes) - 1
    feeding = sorted(edge.source for edge in graph.edges if edge.target == last and edge.source)
    if channels < len(feeding):
        raise ValueError(f"{len(feeding)} nodes feed the output: it needs as many channels at least, got {channels}")
    result = [0] * last + [channels]
    for number, node in enumerate(feeding):
        result[node] = channels // len(feeding) + (number < channels % len(feeding))
    for node in reversed(range(1, last)):
        if node not in feeding:
            result[node] = max(result[edge.target] for edge in graph.edges if edge.source == node)
    return result


class NodeCell(nn.Module):
    """One cell: a node applies its operation to the sum of its inputs; the output node concatenates its inputs.

    The cell's input passes a 1×1 convolution with batch-norm and ReLU on each of its edges; at the output it is *added*
    to the concatenation. If a node has more channels than the node it feeds, only its first channels are read (as in
    the code of Ying et al. 2019).

    Parameters
    ----------
    graph : Graph
        Every node on a path from node 0, the input, to the last, the output; ``ops`` names ``operations``.
    operations : mapping from str to factory
    inputs, channels : int
        Channels of the cell's input, and of its output.
    """

    def __init__(self, graph: Graph, operations: Mapping[str, Factory], inputs: int, channels: int):
        super().__init__()
        widths, last = node_channels(graph, channels), len(graph.nodes) - 1
        for node, op in enumerate(graph.ops[1:-1], 1):
            if op not in operations:
                raise ValueError(f"node {graph.nodes[node]}: no operation {op!r}, only {list(operations)}")
        self.sources = [[e.source for e in graph.edges if e.target == node] for node in range(last + 1)]
        self.widths = widths
        names = cast("tuple[str, ...]", graph.ops)  # at the nodes between input and output
        self.operations = nn.ModuleList(operations[names[node]](widths[node]) for node in range(1, last))
        self.projections = nn.ModuleDict(
            {str(node): _conv_bn_relu(inputs, widths[node], 1) for node, from_ in enumerate(self.sources) if 0 in from_}
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the output, with ``channels`` channels, for ``x``: float (batch, inputs, height, width)."""
        values, last = [x], len(self.widths) - 1
        for node in range(1, last):
            parts = [values[source][:, : self.widths[node]] for source in self.sources[node] if source]
            values.append(self.operations[node - 1](self._total(parts, x, node)))
        feeding = [values[source] for source in self.sources[last] if source]
        return self._total([torch.cat(feeding, 1)] if feeding else [], x, last)

    def _total(self, parts: list[Tensor], x: Tensor, node: int) -> Tensor:
        if str(node) in self.projections:
            parts = [*parts, self.projections[str(node)](x)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total


class NodeNetwork(nn.Module):
    """Stem, ``stacks`` × ``modules`` cells, classifier.

    A 3×3 convolution with batch-norm and ReLU to ``channels``; stacks of cells, between them a 2×2 max pooling, after
    which cells have twice the channels; mean over the image, linear classifier. NAS-Bench-101's own network is
    ``channels=128, modules=3, stacks=3, colors=3`` (Ying et al. 2019, section 2.1); the default is a small one.

    Parameters
    ----------
    graph : Graph
        The cell: see `NodeCell`.
    operations : mapping from str to factory
        The factory for each name on the nodes: `NASBENCH101`.
    channels : int
        Channels of the first stack. With a multiple of 12, isomorphic cells are the same function.
    modules : int
        Number of cells in each stack.
    stacks : int
    colors : int
        Channels of the images.
    classes : int
    generator : torch.Generator, optional
        The only source of the weights, which have torch's default distributions. None: a generator with seed 0.

    Raises
    ------
    ValueError
        A size below 1, fewer channels than nodes that feed the output, an unknown operation.
    """

    def __init__(
        self,
        graph: Graph,
        operations: Mapping[str, Factory],
        *,
        channels: int = 12,
        modules: int = 1,
        stacks: int = 2,
        colors: int = 1,
        classes: int = 10,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        check_sizes(channels=channels, modules=modules, stacks=stacks, colors=colors, classes=classes)
        self.stem = _conv_bn_relu(colors, channels, 3)
        self.body, inputs = nn.Sequential(), channels
        for stack in range(stacks):
            if stack:
                self.body.append(nn.MaxPool2d(2, stride=2, ceil_mode=True))
                channels *= 2
            for _ in range(modules):
                self.body.append(NodeCell(graph, operations, inputs, channels))
                inputs = channels
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = Linear(channels, classes)
        initialize(self, generator or torch.Generator().manual_seed(0))
        self.to(memory_format=torch.channels_last)  # for speed, as in `CellNetwork`

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (batch, classes) for float images (batch, colors, height, width)."""
        return self.classifier(self.head(self.body(self.stem(images))))


def _conv_bn_relu(inputs: int, outputs: int, kernel: int) -> nn.Module:
    return nn.Sequential(
        Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
