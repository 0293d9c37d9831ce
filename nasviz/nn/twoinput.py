"""Networks of cells with two inputs: the outputs of the two cells before (Zoph et al. 2018, Liu et al. 2019).

A cell is drawn and built from one `Graph`: nodes 0 and 1 are the inputs c_{k-2} and c_{k-1}, the last node is the
output, and the nodes between are states. Edges with an operation lead into states, which add or concatenate their
inputs; edges without operation lead to the output, which concatenates its inputs. A normal cell keeps the resolution.
A reduction cell halves it: its operations on the inputs have stride 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ..graph import Edge, Graph
from ..ranges import check_sizes
from ..weights import initialize
from .ops import Conv2d, Linear, in_layout
from .separable import FactorizedReduce, Factory, Noise, relu_conv_bn

CONCAT = "concat"  # marks, in Graph.ops, a state that concatenates


class Cell(nn.Module):
    """One cell with two inputs, normal or reduction.

    Parameters
    ----------
    graph : Graph
        The cell as described at the head of this file; an edge leads from an earlier state to a later one.
    operations : mapping from str to factory
        The factory for each name on the edges: ``factory(channels, stride, inputs)``.
    widths : (int, int)
        Channels of c_{k-2} and c_{k-1}.
    channels : int
        Number of channels that each operation returns.
    stride : {1, 2}
        2 in a reduction cell.
    previous : nn.Module, optional
        Layer that brings c_{k-2} to ``channels`` and to the resolution of c_{k-1}. None: c_{k-2} stays unchanged, with
        its ``widths[0]`` channels. c_{k-1} always passes a ReLU, 1×1 convolution and batch-norm.

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
        self.states: list[tuple[range, bool]] = []
        self.edges: list[tuple[int, int]] = []
        self.operations = nn.ModuleList()
        width = [channels if previous is not None else widths[0], channels]
        for state in range(2, last):
            entering = [edge for edge in graph.edges if edge.target == state]
            if not entering or any(edge.source >= state for edge in entering):
                raise ValueError(f"state {graph.nodes[state]} needs edges, all of them from nodes before it")
            concatenates = bool(graph.ops) and graph.ops[state] == CONCAT
            self.states.append((range(len(self.edges), len(self.edges) + len(entering)), concatenates))
            for edge in entering:
                self.edges.append((edge.source, cast("int", edge.choice)))  # None is never read: see `MixedCell`
                here = stride if edge.source < 2 else 1
                self.operations.append(self.operation(edge, operations, channels, here, width[edge.source]))
            width.append(channels * len(entering) if concatenates else channels)
        self.joined = [edge.source for edge in graph.edges if edge.target == last]
        self.reduced = nn.ModuleDict(
            {str(i): FactorizedReduce(width[i], channels) for i in self.joined if i < 2 and stride == 2}
        )
        self.width = sum(channels if str(i) in self.reduced else width[i] for i in self.joined)

    def operation(self, edge: Edge, operations, channels: int, stride: int, inputs: int) -> nn.Module:
        """Build the operation of an edge."""
        if edge.op not in operations:
            raise ValueError(f"no operation {edge.op!r}, only {list(operations)}")
        return operations[edge.op](channels, stride, inputs)

    def states_of(self, values: list[Tensor], weights: Tensor | None) -> list[Tensor]:
        """Return both inputs, followed by the states. Only a mixed cell uses ``weights``; otherwise they are None."""
        values = list(values)
        for entering, concatenates in self.states:
            carried = [self.operations[i](values[self.edges[i][0]]) for i in entering]
            values.append(torch.cat(carried, 1) if concatenates else sum(carried[1:], carried[0]))
        return values

    def forward(self, previous: Tensor, current: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the output (batch, width, height / stride, width / stride) for c_{k-2} and c_{k-1}.

        Only a mixed cell uses ``weights``.
        """
        values = [previous if self.previous is None else self.previous(previous), self.current(current)]
        values = self.states_of(values, weights)
        joined = [self.reduced[str(i)](values[i]) if str(i) in self.reduced else values[i] for i in self.joined]
        return torch.cat(joined, 1)


class Network(nn.Module):
    """A stem, cells that each read the two cells before, the mean over the image, a linear classifier.

    Parameters
    ----------
    cells : mapping from str to Graph
        The cells "normal" and "reduction".
    operations
        The operations in the form that ``cell`` takes.
    layout : tuple
        A stem and the sequence of cells, as `darts_cifar` and the other layouts of this file return them.
    last : nn.Module
        Layer before the mean: an identity (DARTS) or a ReLU (NASNet).
    classes : int
    generator : torch.Generator, optional
        Source of the weights, and later of the noise of `Noise`. None: a generator with seed 0.
    cell : type
        Class of the cells: `Cell`, or `MixedCell` in a `Supernet` (`nasviz.nn.twoinput_mixed`).

    Notes
    -----
    There is no drop-path and no auxiliary classifier: both help only in the papers' long trainings.
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
        check_sizes(classes=classes)
        self.stem, plan = layout
        self.body = nn.ModuleList()
        states = list(self.stem.outputs)  # (channels, times halved) of the two cells before; one at the start
        for kind, channels in plan:
            (before, halved_before), (now, halved) = states[0], states[-1]
            previous = None
            if len(states) == 2:
                adjust = FactorizedReduce if halved_before < halved else relu_conv_bn
                previous = adjust(before, channels)
            reduces = kind == "reduction"
            cell = self.cell(cells[kind], operations, (before, now), channels, 2 if reduces else 1, previous)
            self.body.append(cell)
            states = [states[-1], (cell.width, halved + reduces)]
        self.head = nn.Sequential(last, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = Linear(states[-1][0], classes)
        generator = generator or torch.Generator().manual_seed(0)
        initialize(self, generator)
        for layer in self.modules():
            if isinstance(layer, Noise):
                layer.generator = generator
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return logits (batch, classes) for float images (batch, colors, height, width).

        Only a `Supernet` takes ``weights``.
        """
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
    """Build DARTS's network of normal and reduction cells.

    Parameters
    ----------
    graphs : mapping from str to Graph
        The normal and the reduction cell.
    operations
        The operations in the form that ``network`` takes: a table of factories, or those of a `Supernet`.
    channels : int
        Channels of a node of the first cells. The paper: 16 while searching, 36 (CIFAR-10), 48 (ImageNet).
    cells : int
        Number of all cells. The paper: 8 while searching, 20 (CIFAR-10), 14 (ImageNet).
    layout : {"cifar", "imagenet"}
        See `darts_cifar`, `darts_imagenet`.
    colors, classes, generator
        Channels of the images, number of classes, and source of the weights, as in all networks.

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
    """Build NASNet's network of normal and reduction cells.

    Parameters
    ----------
    graphs : mapping from str to Graph
        The normal and the reduction cell.
    operations : mapping from str to factory
    channels : int
        F, the channels of a state in the first normal cells. NASNet-A (6 @ 4032): 168, (4 @ 1056): 44. (The number in
        the name is the number of channels of the last cell's output.)
    normal : int
        N, the number of normal cells in each of three groups.
    layout : {"cifar", "imagenet"}
        See `nasnet_cifar`, `nasnet_imagenet`.
    stem : int
        Channels of the stem's convolution, for the layout "imagenet" only: 96, but 32 in (4 @ 1056).
    colors, classes, generator
        Channels of the images, number of classes, and source of the weights, as in all networks.

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
    """The layers before the cells.

    Parameters
    ----------
    outputs : sequence of (int, int)
        For each of the one or two states that the first cell reads: channels, and how often the resolution was halved.
    first : nn.Module
        Layer that computes the first state from the images.
    second : nn.Module, optional
        Layer that computes the second state from the first. None, with two ``outputs``: both states are the same.
    """

    def __init__(self, outputs: Sequence[tuple[int, int]], first: nn.Module, second: nn.Module | None = None):
        super().__init__()
        self.outputs, self.first, self.second = outputs, first, second

    def forward(self, images: Tensor) -> list[Tensor]:
        x = self.first(in_layout(images))
        return [x] * len(self.outputs) if self.second is None else [x, self.second(x)]


def darts_cifar(channels: int, cells: int, colors: int):
    """Return stem and cells: a 3×3 convolution to three times the channels, then ``cells`` cells. Those at 1/3 and 2/3
    of the depth are reductions and double the channels (Liu et al. 2019, section 3.1 and authors' code). ENAS's
    networks have this shape too."""
    check_sizes(channels=channels, cells=cells, colors=colors)
    stem = Stem([(3 * channels, 0)] * 2, nn.Sequential(*_conv_bn(colors, 3 * channels)))
    return stem, _thirds(channels, cells)


def darts_imagenet(channels: int, cells: int, colors: int):
    """Return stem and cells: three 3×3 convolutions of stride 2, then cells as in `darts_cifar`. Images of 224×224
    pixels thus reach the cells as 28×28 (Liu et al. 2019, section 3.4 and authors' code)."""
    check_sizes(channels=channels, cells=cells, colors=colors)
    half = max(1, channels // 2)
    first = nn.Sequential(*_conv_bn(colors, half, 2), nn.ReLU(), *_conv_bn(half, channels, 2))
    second = relu_conv_bn(channels, channels, 3, stride=2)
    return Stem([(channels, 2), (channels, 3)], first, second), _thirds(channels, cells)


def nasnet_cifar(channels: int, cells: int, colors: int):
    """Return stem and cells: a 3×3 convolution to three times the channels, then three groups of ``cells`` normal
    cells. Between groups a reduction doubles the channels (Zoph et al. 2018, figure 2 left)."""
    check_sizes(channels=channels, cells=cells, colors=colors)
    stem = Stem([(3 * channels, 0)] * 2, nn.Sequential(*_conv_bn(colors, 3 * channels)))
    return stem, _groups(channels, cells)


def nasnet_imagenet(channels: int, cells: int, colors: int, stem: int = 96):
    """Return stem and cells: a 3×3 convolution of stride 2 to ``stem`` channels, without padding; two reduction cells
    with a quarter and a half of the channels; then cells as in `nasnet_cifar` (Zoph et al. 2018, figure 2 right;
    released code). Both inputs of the first cell are the stem's output, and c_{k-2} keeps its channels there."""
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
