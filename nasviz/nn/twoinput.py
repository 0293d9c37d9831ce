"""Networks of cells with two inputs: the outputs of the two cells before (Zoph et al. 2018, Liu et al. 2019).

A cell is drawn and built from one `Graph`: nodes 0 and 1 are the inputs c_{k-2} and c_{k-1}, the last node is the
output, those between are states. Edges with an operation lead into states, which add or concatenate what they get;
edges without one lead to the output, which concatenates. A normal cell keeps the resolution, a reduction cell halves
it: there the operations on the inputs have stride 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..graph import Edge, Graph
from ..weights import initialize
from .cells import check_sizes
from .ops import Conv2d, Linear, in_layout
from .separable import FactorizedReduce, Factory, Noise, relu_conv_bn

CONCAT = "concat"  # the entry of Graph.ops of a state that concatenates


class Cell(nn.Module):
    """One cell.

    Parameters
    ----------
    graph : Graph
        As above; every state that an operation reads comes before the state that it leads to.
    operations : mapping from str to factory
        What the names on the edges mean: ``factory(channels, stride, inputs)``.
    widths : (int, int)
        Channels of c_{k-2} and c_{k-1}.
    channels : int
        What an operation makes.
    stride : {1, 2}
        2 in a reduction cell.
    previous : nn.Module, optional
        What brings c_{k-2} to ``channels`` and to the resolution of c_{k-1}. None: it stays as it is, with its
        ``widths[0]`` channels. c_{k-1} always passes a ReLU, 1×1 convolution and batch-norm.

    Attributes
    ----------
    width : int
        Channels of the output.

    Raises
    ------
    ValueError
        An operation that is not among ``operations``; an edge against the order of nodes; a state that nothing enters.
    """

    def __init__(
        self,
        graph: Graph,
        operations: Mapping[str, Factory],
        widths: tuple[int, int],
        channels: int,
        stride: int = 1,
        previous: nn.Module | None = None,
    ):
        super().__init__()
        last = len(graph.nodes) - 1
        self.previous = previous
        self.current = relu_conv_bn(widths[1], channels)
        self.states, self.edges, self.operations = [], [], nn.ModuleList()
        width = [channels if previous is not None else widths[0], channels]
        for state in range(2, last):
            entering = [edge for edge in graph.edges if edge.target == state]
            if not entering or any(edge.source >= state for edge in entering):
                raise ValueError(f"state {graph.nodes[state]} needs edges, all of them from nodes before it")
            concatenates = bool(graph.ops) and graph.ops[state] == CONCAT
            self.states.append((range(len(self.edges), len(self.edges) + len(entering)), concatenates))
            for edge in entering:
                self.edges.append((edge.source, edge.choice))
                here = stride if edge.source < 2 else 1
                self.operations.append(self.operation(edge, operations, channels, here, width[edge.source]))
            width.append(channels * len(entering) if concatenates else channels)
        self.joined = [edge.source for edge in graph.edges if edge.target == last]
        self.reduced = nn.ModuleDict(
            {str(i): FactorizedReduce(width[i], channels) for i in self.joined if i < 2 and stride == 2}
        )
        self.width = sum(channels if str(i) in self.reduced else width[i] for i in self.joined)

    def operation(self, edge: Edge, operations, channels: int, stride: int, inputs: int) -> nn.Module:
        """What an edge computes."""
        if edge.op not in operations:
            raise ValueError(f"no operation {edge.op!r}, only {list(operations)}")
        return operations[edge.op](channels, stride, inputs)

    def states_of(self, values: list[Tensor], weights: Tensor | None) -> list[Tensor]:
        """Both inputs and, after them, the states. ``weights``: None, but of a mixed cell."""
        values = list(values)
        for entering, concatenates in self.states:
            carried = [self.operations[i](values[self.edges[i][0]]) for i in entering]
            values.append(torch.cat(carried, 1) if concatenates else sum(carried[1:], carried[0]))
        return values

    def forward(self, previous: Tensor, current: Tensor, weights: Tensor | None = None) -> Tensor:
        """The output (batch, width, height, width / stride) of c_{k-2} and c_{k-1}; ``weights`` of a mixed cell."""
        values = [previous if self.previous is None else self.previous(previous), self.current(current)]
        values = self.states_of(values, weights)
        joined = [self.reduced[str(i)](values[i]) if str(i) in self.reduced else values[i] for i in self.joined]
        return torch.cat(joined, 1)


class Network(nn.Module):
    """A stem, cells each of which sees the two before it, the mean over the image, a linear classifier.

    Parameters
    ----------
    cells : mapping from str to Graph
        "normal" and "reduction".
    operations
        What ``cell`` takes.
    layout : tuple
        A stem and the sequence of cells: what `darts_cifar` and the other layouts of this file return.
    last : nn.Module
        Before the mean: an identity (DARTS) or a ReLU (NASNet).
    classes : int
    generator : torch.Generator, optional
        Draws the weights, and later the noise of `Noise`. None: one with seed 0.
    cell : type
        `Cell`, or `MixedCell`, which `Supernet` stacks (`nasviz.nn.twoinput_mixed`).

    Notes
    -----
    Neither drop-path nor an auxiliary classifier: both serve the papers' long trainings only.
    """

    cell: type[Cell] = Cell

    def __init__(
        self,
        cells: Mapping[str, Graph],
        operations,
        layout: tuple[Stem, Sequence[tuple[str, int]]],
        last: nn.Module,
        classes: int = 10,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        if classes < 1:
            raise ValueError(f"classes must be a whole number from 1, got {classes!r}")
        self.stem, plan = layout
        self.body = nn.ModuleList()
        states = list(self.stem.outputs)  # (channels, how often halved) of the two cells before; one at the very start
        for kind, channels in plan:
            (before, halved_before), (now, halved) = states[0], states[-1]
            previous = None
            if len(states) == 2:
                adjust = FactorizedReduce if halved_before < halved else relu_conv_bn
                previous = adjust(before, channels)
            reduces = kind == "reduction"
            self.body.append(
                self.cell(cells[kind], operations, (before, now), channels, 2 if reduces else 1, previous)
            )
            states = [states[-1], (self.body[-1].width, halved + reduces)]
        self.head = nn.Sequential(last, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = Linear(states[-1][0], classes)
        generator = generator or torch.Generator().manual_seed(0)
        initialize(self, generator)
        for layer in self.modules():
            if isinstance(layer, Noise):
                layer.generator = generator
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor, weights: Tensor | None = None) -> Tensor:
        """Logits (batch, classes) of float images (batch, colors, height, width); ``weights`` only of a `Supernet`."""
        states = self.stem(images)
        for cell in self.body:
            states = [states[-1], cell(states[0], states[-1], weights)]
        return self.classifier(self.head(states[-1]))


def darts_network(
    graphs: Mapping[str, Graph],
    operations,
    *,
    channels: int = 4,
    cells: int = 3,
    layout: str = "cifar",
    colors: int = 1,
    classes: int = 10,
    generator: torch.Generator | None = None,
    network: type[Network] = Network,
) -> Network:
    """DARTS's network of normal and reduction cells.

    Parameters
    ----------
    graphs : mapping from str to Graph
        The normal and the reduction cell.
    operations
        What ``network`` takes: a table of factories, or those of a `Supernet`.
    channels : int
        Of a node of the first cells. The paper: 16 while searching, 36 (CIFAR-10), 48 (ImageNet).
    cells : int
        Cells in all. The paper: 8 while searching, 20 (CIFAR-10), 14 (ImageNet).
    layout : {"cifar", "imagenet"}
        See `darts_cifar`, `darts_imagenet`.
    colors, classes, generator
        As everywhere.

    Raises
    ------
    ValueError
        A size below 1, an unknown layout or operation.
    """
    layouts = {"cifar": darts_cifar, "imagenet": darts_imagenet}
    if layout not in layouts:
        raise ValueError(f"layout must be one of {list(layouts)}, got {layout!r}")
    return network(graphs, operations, layouts[layout](channels, cells, colors), nn.Identity(), classes, generator)


def nasnet_network(
    graphs: Mapping[str, Graph],
    operations: Mapping[str, Factory],
    *,
    channels: int = 4,
    normal: int = 1,
    layout: str = "cifar",
    stem: int = 96,
    colors: int = 1,
    classes: int = 10,
    generator: torch.Generator | None = None,
) -> Network:
    """NASNet's network of normal and reduction cells.

    Parameters
    ----------
    graphs : mapping from str to Graph
        The normal and the reduction cell.
    operations : mapping from str to factory
    channels : int
        F, of a state of the first normal cells. NASNet-A (6 @ 4032): 168, (4 @ 1056): 44. (The number in the name is
        that of the last cell's output.)
    normal : int
        N, normal cells in each of three groups.
    layout : {"cifar", "imagenet"}
        See `nasnet_cifar`, `nasnet_imagenet`.
    stem : int
        Channels of the stem's convolution, layout "imagenet" only: 96, in (4 @ 1056) 32.
    colors, classes, generator
        As everywhere.

    Raises
    ------
    ValueError
        A size below 1, an unknown layout or operation.
    """
    if layout not in ("cifar", "imagenet"):
        raise ValueError(f"layout must be one of ['cifar', 'imagenet'], got {layout!r}")
    plan = (
        nasnet_cifar(channels, normal, colors) if layout == "cifar" else nasnet_imagenet(channels, normal, colors, stem)
    )
    return Network(graphs, operations, plan, nn.ReLU(), classes, generator)


# -------------------------------------------------------------------------------------------------------------- layouts
class Stem(nn.Module):
    """What comes before the cells.

    Parameters
    ----------
    outputs : sequence of (int, int)
        Channels, and how often the resolution was halved, of the one or two states that the first cell sees.
    first : nn.Module
    second : nn.Module, optional
        Computes the second state from the first. None, with two ``outputs``: both states are the same.
    """

    def __init__(self, outputs: Sequence[tuple[int, int]], first: nn.Module, second: nn.Module | None = None):
        super().__init__()
        self.outputs, self.first, self.second = outputs, first, second

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.first(in_layout(images))
        return [x] * len(self.outputs) if self.second is None else [x, self.second(x)]


def darts_cifar(channels: int, cells: int, colors: int):
    """A 3×3 convolution to three times the channels; of ``cells`` cells those at 1/3 and 2/3 of the depth reduce and
    double the channels (Liu et al. 2019, section 3.1 and authors' code). ENAS's networks have this shape too."""
    check_sizes(channels=channels, cells=cells, colors=colors)
    stem = Stem([(3 * channels, 0)] * 2, nn.Sequential(*_conv_bn(colors, 3 * channels)))
    return stem, _thirds(channels, cells)


def darts_imagenet(channels: int, cells: int, colors: int):
    """Three 3×3 convolutions of stride 2, then cells as in `darts_cifar`: 224×224 pixels come to the cells as 28×28
    (Liu et al. 2019, section 3.4 and authors' code)."""
    check_sizes(channels=channels, cells=cells, colors=colors)
    half = max(1, channels // 2)
    first = nn.Sequential(*_conv_bn(colors, half, 2), nn.ReLU(), *_conv_bn(half, channels, 2))
    second = relu_conv_bn(channels, channels, 3, stride=2)
    return Stem([(channels, 2), (channels, 3)], first, second), _thirds(channels, cells)


def nasnet_cifar(channels: int, cells: int, colors: int):
    """A 3×3 convolution to three times the channels; three groups of ``cells`` normal cells, between them a reduction
    that doubles the channels (Zoph et al. 2018, figure 2 left)."""
    check_sizes(channels=channels, cells=cells, colors=colors)
    stem = Stem([(3 * channels, 0)] * 2, nn.Sequential(*_conv_bn(colors, 3 * channels)))
    return stem, _groups(channels, cells)


def nasnet_imagenet(channels: int, cells: int, colors: int, stem: int = 96):
    """A 3×3 convolution of stride 2 to ``stem`` channels, without padding, and two reduction cells with a quarter and a
    half of the channels come first (Zoph et al. 2018, figure 2 right; released code). The very first cell has no cell
    before the one before it: both of its inputs are the stem's output, and c_{k-2} keeps its channels."""
    check_sizes(channels=channels, cells=cells, colors=colors, stem=stem)
    first = nn.Sequential(Conv2d(colors, stem, 3, stride=2, bias=False), nn.BatchNorm2d(stem))
    stems = [("reduction", max(1, channels // 4)), ("reduction", max(1, channels // 2))]
    return Stem([(stem, 1)], first), stems + _groups(channels, cells)


def _conv_bn(inputs: int, outputs: int, stride: int = 1):
    return Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs)


def _thirds(channels: int, cells: int) -> list[tuple[str, int]]:
    plan = []
    for number in range(cells):
        reduces = number in (cells // 3, 2 * cells // 3)
        channels *= 2 if reduces else 1
        plan.append(("reduction" if reduces else "normal", channels))
    return plan


def _groups(channels: int, cells: int) -> list[tuple[str, int]]:
    normal = [[("normal", channels * 2**group)] * cells for group in range(3)]
    return [*normal[0], ("reduction", channels * 2), *normal[1], ("reduction", channels * 4), *normal[2]]
