"""The DARTS supernet: every candidate operation on every edge at once, mixed by architecture weights.

On an edge, the mixed operation is the sum of all operations, each times its weight (Liu et al. 2019, eq. 2). A plain
loop over them runs one small kernel after the other, most of them bound by memory. Here the candidates on all edges
that leave one node are computed together: they share the node's ReLU and its pooling, and for each kernel size one
convolution has the filters of all edges side by side. An architecture weight is the scale of the operation's
batch-norm. The identity and the pooling are mixed by one matrix product. The operation "none" costs nothing. On a CPU
a cell of such operations has its gradient written out (`nasviz.nn.mixed_by_hand`).
`benchmarks/darts_step.py` measures this against the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..graph import Graph
from .by_hand import EPSILON, by_torch
from .cells import CellNetwork
from .mixed_by_hand import IDENTITY, POINTWISE, cell_by_hand
from .ops import Conv2d
from .rows import AveragePool3x3, diagonals, images_of, rows_of

NORMED = {POINTWISE: 1, "nor_conv_3x3": 3}  # ReLU, convolution of this kernel size, batch-norm
SEPARABLE = "sep_conv_3x3"  # ReLU, depthwise and pointwise convolution, batch-norm; this sequence twice
LINEAR = (IDENTITY, "avg_pool_3x3")  # linear functions of the node, without weights
ZERO = "none"


class MixedNetwork(CellNetwork):
    """A `CellNetwork` whose cells hold all operations on all edges: ``network(images, weights)``.

    Batch-norm in the mixed operations has no learned scale, so that it cannot undo an architecture weight (Liu et al.
    2019, section 3.1). No batch-norm of the supernet keeps running statistics: it uses the statistics of the batch, in
    evaluation too, because statistics gathered under other architecture weights would be of no use.

    Parameters
    ----------
    graph : Graph
        The cell with its edges undecided.
    operations : sequence of str
        The candidates on each edge, from `NORMED`, `SEPARABLE`, `LINEAR`, `ZERO`; in the order of the weights' columns.
    **size
        ``channels``, ``cells``, ``stages``, ``reduction``, ``colors``, ``classes``, ``generator`` of `CellNetwork`.

    Raises
    ------
    ValueError
        An unknown operation, an operation that is named twice; a size as in `CellNetwork`.

    Examples
    --------
    >>> from nasviz.spaces import NasBench201
    >>> network = NasBench201().supernet(channels=4)
    >>> network(torch.zeros(2, 1, 8, 8), torch.full((6, 5), 1 / 5)).shape
    torch.Size([2, 10])
    """

    def __init__(self, graph: Graph, operations: Sequence[str], **size):
        known = (ZERO, *LINEAR, *NORMED, SEPARABLE)
        if unknown := [name for name in operations if name not in known]:
            raise ValueError(f"the supernet cannot mix {unknown}; it can mix {list(known)}")
        if len(set(operations)) < len(operations):
            raise ValueError(f"an operation is named twice among {list(operations)}: weights would be ambiguous")
        super().__init__(graph, operations, **size)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.track_running_stats = False
                layer.running_mean = layer.running_var = layer.num_batches_tracked = None

    def cell(self, graph: Graph, operations: Sequence[str], channels: int) -> MixedCell:
        """Build one cell of the stack, with all candidates on each edge."""
        return MixedCell([(edge.source, edge.target) for edge in graph.edges], operations, channels)

    def forward(self, images: Tensor, weights: Tensor) -> Tensor:  # type: ignore[override]  # a supernet needs weights
        """Return the logits (batch, classes) of a batch.

        Parameters
        ----------
        images : float (batch, colors, height, width)
        weights : (edges, operations)
            Weights after the softmax, the same for all cells. They may be on another device than the images, or of
            another precision.
        """
        weights = weights.to(images.device, images.dtype)
        x = self.stem(images).contiguous(memory_format=torch.channels_last)
        for layer in self.body:
            x = layer([x], weights)[-1] if isinstance(layer, MixedCell) else layer(x)
        return self.classifier(self.head(x))


class MixedCell(nn.Module):
    """A cell of mixed operations. A node is the sum of its incoming edges.

    Parameters
    ----------
    edges : sequence of (int, int)
        Source and target of each edge, the source the smaller one. Nodes that no edge enters are the cell's inputs, and
        come first: one in NAS-Bench-201, two in DARTS's own space.
    operations : sequence of str
        The candidates on each edge.
    channels : int
        Channels of every node.
    """

    def __init__(self, edges: Sequence[tuple[int, int]], operations: Sequence[str], channels: int):
        super().__init__()
        self.edges = tuple(edges)
        sources = sorted({source for source, _ in edges})
        self.leaving = [[i for i, (source, _) in enumerate(edges) if source == node] for node in sources]
        self.fans = nn.ModuleList(MixedFan(len(leaving), operations, channels) for leaving in self.leaving)
        order = torch.tensor([edge for leaving in self.leaving for edge in leaving], device="cpu")
        fan = cast("MixedFan", self.fans[0])
        places = {operation: row for row, operation in enumerate(fan.linear + fan.convolved)}
        rows = torch.tensor([places.get(i, len(places)) for i in range(len(operations))], device="cpu")
        # For `cell_by_hand`, where linear operations are first: each operation's row, each channel's and edge's place
        self.by_source = rows, order.repeat_interleave(channels), order.argsort()

    def forward(self, inputs: Sequence[Tensor], weights: Tensor) -> list[Tensor]:
        """Return the values of the nodes after the inputs, in order.

        The last value is the output of a NAS-Bench-201 cell; a DARTS cell concatenates all of them. ``inputs``: float
        (batch, channels, height, width) each; ``weights``: (edges, operations), edges in the order of the graph.
        """
        fan = cast("MixedFan", self.fans[0])
        known = len(fan.linear) + len(fan.convolved) > 0 and SEPARABLE not in fan.operations
        if known and inputs[0].device.type == "cpu" and not by_torch.get():
            return cell_by_hand(self, inputs, weights)
        return self.plainly(inputs, weights)

    def plainly(
        self, inputs: Sequence[Tensor], weights: Tensor, filters: Sequence[Tensor] | None = None
    ) -> list[Tensor]:
        """Return the same by torch's own gradients, with other ``filters`` if they are given, in the fans' order."""
        nodes, given = dict(enumerate(inputs)), iter(filters or [])
        pool = AveragePool3x3(inputs[0])
        rows = weights.unbind()
        for leaving, module in zip(self.leaving, self.fans, strict=True):
            source, fan = self.edges[leaving[0]][0], cast("MixedFan", module)
            of_fan = [next(given) for _ in fan.convolutions] if filters else None
            carried_by = fan(nodes[source], torch.stack([rows[i] for i in leaving]), pool, of_fan)
            for i, carried in zip(leaving, carried_by, strict=True):
                target = self.edges[i][1]
                nodes[target] = nodes[target] + carried if target in nodes else carried
        return [nodes[node] for node in sorted(nodes)[len(inputs) :]]


class MixedFan(nn.Module):
    """The mixed operations on all edges that leave one node, computed together.

    Parameters
    ----------
    edges : int
        Number of edges that leave the node.
    operations : sequence of str
        The candidates on each edge.
    channels : int

    Attributes
    ----------
    convolutions : ModuleDict
        Module for each operation's name. It computes the operation on all edges, up to the last batch-norm; the
        channels of its output are in the order of the edges.
    """

    def __init__(self, edges: int, operations: Sequence[str], channels: int):
        super().__init__()
        self.operations, self.channels = tuple(operations), channels
        self.convolutions = nn.ModuleDict()
        for name in operations:
            if name in NORMED:
                kernel = NORMED[name]
                self.convolutions[name] = Conv2d(channels, edges * channels, kernel, padding=kernel // 2, bias=False)
            elif name == SEPARABLE:
                self.convolutions[name] = SeparableFan(edges, channels)
        self.convolved = [self.operations.index(name) for name in self.convolutions]
        self.linear = [self.operations.index(name) for name in LINEAR if name in operations]

    def forward(
        self, x: Tensor, weights: Tensor, pool: AveragePool3x3, filters: Sequence[Tensor] | None = None
    ) -> list[Tensor]:
        """Return the mixture on each edge, for the node ``x`` (batch, channels, height, width).

        ``weights``: (edges, operations); ``pool`` is made for images shaped like ``x``; ``filters``: others than those
        of `convolutions`, in their order.
        """
        edges, channels = len(weights), self.channels
        of = dict(zip(self.operations, weights.t().repeat_interleave(channels, 1).unbind(), strict=True))
        total: Tensor | None = None
        active = x.relu() if self.convolutions else x
        for number, (name, convolution) in enumerate(self.convolutions.items()):
            if name == SEPARABLE:
                branch = convolution(active)
            else:
                of_one = filters[number] if filters else cast("Tensor", convolution.weight)
                branch = (
                    _times(active, of_one)
                    if name == POINTWISE
                    else F.conv2d(active, of_one, padding=of_one.shape[2] // 2)
                )
            normed = F.batch_norm(branch, None, None, of[name], training=True, eps=EPSILON)
            total = normed if total is None else total + normed
        linear = [self.operations[i] for i in self.linear]
        if linear:
            values = rows_of(torch.cat([x if name == IDENTITY else pool(x) for name in linear], 1))
            units = diagonals(channels, edges, x.dtype, x.device)
            factor = torch.cat([units * of[name] for name in linear])
            total = images_of(values @ factor if total is None else torch.addmm(rows_of(total), values, factor), x)
        return [torch.zeros_like(x)] * edges if total is None else list(total.split(channels, 1))


def _times(images: Tensor, filters: Tensor) -> Tensor:
    """Return a 1×1 convolution. For few channels a matrix product is faster."""
    return F.linear(images.permute(0, 2, 3, 1), filters.flatten(1)).permute(0, 3, 1, 2)


class SeparableFan(nn.Module):
    """DARTS's separable convolution on all edges that leave one node, up to its last batch-norm.

    There is no operation between a depthwise convolution and the pointwise one after it. The two are thus one full
    convolution with filters pointwise × depthwise. For the few channels of a lab this is twice as fast as computing
    them one after the other; from 16 channels on it is no longer faster.
    """

    def __init__(self, edges: int, channels: int):
        super().__init__()
        self.edges, self.channels, wide = edges, channels, edges * channels
        self.depthwise = nn.ModuleList(Conv2d(wide, wide, 3, groups=wide, bias=False) for _ in range(2))
        self.pointwise = nn.ModuleList(Conv2d(wide, wide, 1, groups=edges, bias=False) for _ in range(2))

    def forward(self, active: Tensor) -> Tensor:
        """Map a node after its ReLU, (batch, channels, height, width), to (batch, edges · channels, height, width)."""
        first = F.conv2d(active, self._filters(0), padding=1)
        middle = F.batch_norm(first, None, None, training=True, eps=EPSILON).relu_()
        return F.conv2d(middle, self._filters(1), padding=1, groups=self.edges)

    def _filters(self, number: int) -> Tensor:
        depthwise = cast("Tensor", self.depthwise[number].weight)
        pointwise = cast("Tensor", self.pointwise[number].weight)
        product = pointwise.unflatten(0, (self.edges, -1)) * depthwise.view(self.edges, 1, self.channels, 3, 3)
        return product.flatten(0, 1)


# ------------------------------------------------------------------------------------------------- normalise and mix
def normed_mixture(weights: Tensor, *branches: Tensor) -> Tensor:
    """Return Σ weight × batch-norm over branches. The batch-norms have no scale and no shift.

    Parameters
    ----------
    weights : (branches, edges)
        One number for each branch on each edge.
    *branches : (batch, edges · channels, height, width) each
        Normalised by the batch's mean and variance (divided by n), epsilon 1e-5, each channel for itself.

    Returns
    -------
    tensor of the shape of one branch. It can be differentiated twice.
    """
    return _NormedMixture.apply(weights, *branches)


class _NormedMixture(torch.autograd.Function):
    """The function `normed_mixture` and its gradient.

    Torch's batch-norms and then a weighted sum took twice as long, most of it for memory access.
    """

    @staticmethod
    def forward(ctx, weights, *branches):
        statistics, out = [], None
        for weight, branch in zip(_per_channel(weights, branches[0]), branches, strict=True):
            centred, mean, scale = _statistics(rows_of(branch))
            out = centred.mul_(scale * weight) if out is None else out.addcmul_(centred, scale * weight)
            statistics += mean, scale
        ctx.save_for_backward(weights, *branches, *statistics)
        return images_of(out, branches[0])

    @staticmethod
    def backward(ctx, grad):
        # With z = (branch - mean) · scale, normalised, and g = the gradient of the mixture:
        #   of a weight: Σ g·z;   of a branch: weight · scale · (g - mean(g) - z · mean(g·z))
        weights, *saved = ctx.saved_tensors
        branches, statistics = saved[: len(weights)], saved[len(weights) :]
        g = rows_of(grad)
        g_mean = g.mean(0)
        of_weights, of_branches = [], []
        for i, weight in enumerate(_per_channel(weights, grad)):
            rows = rows_of(branches[i])
            if torch.is_grad_enabled():  # for a second derivative, the statistics need gradients too
                centred, _, scale = _statistics(rows)
            else:
                centred, scale = rows - statistics[2 * i], statistics[2 * i + 1]
            gz_mean = (g * centred).mean(0) * scale
            of_weights.append(gz_mean.view(weights.shape[1], -1).sum(1) * len(g))
            of_branch = None
            if ctx.needs_input_grad[1 + i]:
                factor = scale * weight
                of_branch = torch.addcmul(-factor * g_mean, g, factor)
                of_branch = images_of(of_branch.addcmul_(centred, -factor * scale * gz_mean), grad)
            of_branches.append(of_branch)
        return torch.stack(of_weights), *of_branches


def _statistics(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the rows minus their mean, the mean, and 1/√(variance + ε)."""
    mean = rows.mean(0)
    centred = rows - mean
    return centred, mean, torch.rsqrt((centred * centred).mean(0) + EPSILON)


def _per_channel(weights: Tensor, images: Tensor) -> Tensor:
    channels = images.shape[1] // weights.shape[1]
    return weights[:, :, None].expand(-1, -1, channels).reshape(len(weights), -1)
