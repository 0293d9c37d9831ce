"""A `MixedCell` of NAS-Bench-201's operations as one function, with its gradient written out.

It computes what `MixedCell.plainly` computes, by the same kernels. A second derivative is that of the plain way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from .by_hand import again, asked_for, convolution_gradients, norm_gradients, normed, relu_gradient
from .rows import AveragePool3x3, add_product, diagonals, images_of, products, rows_of

IDENTITY, POINTWISE = "skip_connect", "nor_conv_1x1"


class MixedFan(Protocol):
    """What is read of a `mixed.MixedFan`."""

    operations: tuple[str, ...]
    channels: int
    convolutions: nn.ModuleDict
    convolved: list[int]
    linear: list[int]


class MixedCell(Protocol):
    """What is read of a `mixed.MixedCell`."""

    edges: tuple[tuple[int, int], ...]
    leaving: list[list[int]]
    fans: nn.ModuleList
    by_source: tuple[Tensor, Tensor, Tensor]

    def plainly(
        self, inputs: Sequence[Tensor], weights: Tensor, filters: Sequence[Tensor] | None = None
    ) -> list[Tensor]:
        """Compute the nodes by torch's own gradients."""


def cell_by_hand(cell: MixedCell, inputs: Sequence[Tensor], weights: Tensor) -> list[Tensor]:
    """Return what `MixedCell.forward` does."""
    filters = [one.weight for fan in _modules(cell) for one in fan.convolutions.values()]
    return list(_Cell.apply(cell, len(inputs), weights, *inputs, *filters))


def _modules(cell: MixedCell) -> list[MixedFan]:
    return [cast("MixedFan", fan) for fan in cell.fans]


class _Cell(torch.autograd.Function):
    """The nodes of a cell after its inputs. Arguments: the cell, the number of inputs, α, the inputs, the filters."""

    @staticmethod
    def forward(ctx, cell, inputs, weights, *tensors):
        ctx.set_materialize_grads(False)
        ctx.cell, ctx.inputs = cell, inputs
        ctx.fans = fans = _fans(cell, tensors[0], weights)
        nodes, start = dict(enumerate(tensors[:inputs])), inputs
        for fan in fans:
            fan.filters = tensors[start : start + fan.convolutions]
            start += fan.convolutions
            total = fan.forward(nodes[fan.node], ctx.needs_input_grad[2])
            for target, carried in zip(fan.targets, total.split(fan.channels, 1), strict=True):
                nodes[target] = nodes[target] + carried if target in nodes else carried
        kept = [tensor for fan in fans for tensor in fan.given()]
        ctx.save_for_backward(weights, *tensors, *kept)
        return tuple(nodes[node] for node in sorted(nodes)[inputs:])

    @staticmethod
    def backward(ctx, *gradients):
        cell, inputs, (weights, *saved) = ctx.cell, ctx.inputs, ctx.saved_tensors
        end = inputs + sum(fan.convolutions for fan in ctx.fans)
        tensors, kept = saved[:end], saved[end:]
        if torch.is_grad_enabled():

            def plain(weights, *tensors):
                return cell.plainly(tensors[:inputs], weights, tensors[inputs:])

            return None, None, *again(plain, (weights, *tensors), gradients)
        asked = [asked_for(ctx, number) for number in range(1 + end)]
        of_tensors, of_scales = [None] * end, []
        of_nodes = {inputs + number: gradient for number, gradient in enumerate(gradients) if gradient is not None}
        for fan in reversed(ctx.fans):
            start = end - fan.convolutions
            fan.filters = tensors[start:end]
            fan.take(kept)
            grad = _beside([of_nodes.get(target) for target in fan.targets], tensors[0])
            wanted = asked[0], fan.node >= inputs or asked[1 + fan.node], asked[1 + start : 1 + end]
            of_node, of_tensors[start:end], of_scale = fan.backward(grad, *wanted)
            if of_scale is not None:
                of_scales.insert(0, of_scale)
            if of_node is not None:
                of_nodes[fan.node] = of_nodes[fan.node] + of_node if fan.node in of_nodes else of_node
            end = start
        of_tensors[:inputs] = [of_nodes.get(node) for node in range(inputs)]
        return None, None, _of_weights(cell, weights, of_scales) if asked[0] else None, *of_tensors


def _fans(cell: MixedCell, like: Tensor, weights: Tensor) -> list[_Fan]:
    """Prepare the fans of a cell for nodes shaped like ``like``."""
    modules, pool = _modules(cell), AveragePool3x3(like)
    channels, first = modules[0].channels, modules[0]
    edge_of = cell.by_source[1]
    scales = weights.t().index_select(1, edge_of)  # for each operation, and each edge's channels
    units = diagonals(channels, len(weights), scales.dtype, scales.device)
    factor = torch.cat([units * scales[i] for i in first.linear]) if first.linear else None
    fans, start = [], 0
    for leaving, fan in zip(cell.leaving, modules, strict=True):
        here = slice(start, start := start + len(leaving) * channels)
        mixes = None if factor is None else factor[:, here]
        fans.append(
            _Fan(
                cell.edges[leaving[0]][0],
                [cell.edges[i][1] for i in leaving],
                [name == POINTWISE for name in fan.convolutions],
                [fan.operations[i] == IDENTITY for i in fan.linear],
                [scales[i, here] for i in fan.convolved],
                mixes,
                channels,
                pool,
            )
        )
    return fans


def _of_weights(cell: MixedCell, weights: Tensor, of_scales: Sequence[Tensor]) -> Tensor:
    """Return the gradient of α from those of the fans' scales: (linear operations and convolutions, channels) each."""
    rows, _, columns = cell.by_source
    by_edge = torch.cat(list(of_scales), 1).unflatten(1, (len(weights), -1)).sum(2)
    by_edge = torch.cat([by_edge, by_edge.new_zeros(1, len(weights))])  # the last is that of zero
    return by_edge.index_select(0, rows).index_select(1, columns).t()


def _beside(gradients: Sequence[Tensor | None], like: Tensor) -> Tensor:
    """Return the gradients of the targets side by side; zeros for a node that nothing has read."""
    parts = [torch.zeros_like(like) if gradient is None else gradient for gradient in gradients]
    joined = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
    return joined.contiguous(memory_format=torch.channels_last)


@dataclass
class _Fan:
    """The mixtures on all edges that leave a node, and their gradients.

    ``pointwise``: for each convolution, whether it is 1×1; ``identity``: for each linear operation, whether it is the
    identity, or the pooling; ``scales``: for each convolution the architecture weights of its channels; ``factor``: the
    matrix (linear operations · channels, edges · channels) of those of the linear operations.
    """

    node: int
    targets: list[int]
    pointwise: list[bool]
    identity: list[bool]
    scales: list[Tensor]
    factor: Tensor | None
    channels: int
    pool: AveragePool3x3
    filters: Sequence[Tensor] = ()
    kept: list[Tensor | None] = field(default_factory=list)  # what the gradient needs of the forward pass

    @property
    def convolutions(self) -> int:
        return len(self.pointwise)

    def given(self) -> list[Tensor | None]:
        """Return what is kept, and hold it no longer: torch keeps it."""
        kept, self.kept, self.filters = self.kept, [], ()
        return kept

    def take(self, kept: list[Tensor | None]) -> None:
        """Take what is kept from the end of a list."""
        size = 2 + 3 * self.convolutions
        self.kept = kept[-size:]
        del kept[-size:]

    def forward(self, x: Tensor, learns: bool) -> Tensor:
        """Return the mixtures side by side, (batch, edges · channels, height, width). ``learns``: whether α does."""
        total: Tensor | None = None
        kept: list[Tensor | None] = []
        active = x.relu() if self.pointwise else x
        for pointwise, filters, scale in zip(self.pointwise, self.filters, self.scales, strict=True):
            if pointwise:
                branch = images_of(rows_of(active) @ filters.flatten(1).t(), x)
            else:
                branch = torch.conv2d(active, filters, None, 1, filters.shape[2] // 2)
            carried, mean, deviation = normed(branch, scale)
            total = carried if total is None else total.add_(carried)
            kept += [branch, mean, deviation]
        values = None
        if self.factor is not None:
            values = rows_of(torch.cat([x if identity else self.pool.of(x) for identity in self.identity], 1))
            mixed = values @ self.factor if total is None else add_product(rows_of(total), values, self.factor)
            total = images_of(mixed, x)
        known = learns and any(self.identity)  # then the node is among the values, and its ReLU need not be kept
        self.kept = [None if known else active, values if learns else None, *kept]
        return cast("Tensor", total)

    def backward(
        self, grad: Tensor, of_scales: bool, of_x: bool, of_filters: Sequence[bool]
    ) -> tuple[Tensor | None, list[Tensor | None], Tensor | None]:
        """Return the gradients in the node, in the filters, and in the scales; None for what is not wanted.

        The scales' gradient: (linear operations and convolutions, edges · channels).
        """
        active, values, *kept = cast("list[Tensor]", self.kept)  # values are None only where nobody asks for of_scales
        self.kept = []
        pixels, channels = rows_of(grad), self.channels
        if active is None:
            start = self.identity.index(True) * channels
            node = images_of(values, grad)[:, start : start + channels]
            active = node.relu() if self.pointwise else node
        results: list[Tensor | None] = []
        rows: list[Tensor] = []
        of_node: Tensor | None = None
        of_active: Tensor | None = None
        for number, (pointwise, filters, scale) in enumerate(
            zip(self.pointwise, self.filters, self.scales, strict=True)
        ):
            branch, *statistics = kept[3 * number : 3 * number + 3]
            of_branch, of_scale = norm_gradients(grad, branch, scale, statistics, of_scales)
            wanted = of_filters[number]
            if pointwise:
                carried = rows_of(of_branch)
                part: Tensor | None = images_of(carried @ filters.flatten(1), active) if of_x else None
                of_one = products(rows_of(active), carried).t().reshape(filters.shape) if wanted else None
            else:
                pad = filters.shape[2] // 2
                part, of_one = convolution_gradients(of_branch, active, filters, pad, of_x, wanted)
            results.append(of_one)
            if of_scale is not None:
                rows.append(of_scale)
            if part is not None:
                of_active = part if of_active is None else of_active.add_(part)
        if of_active is not None:
            of_node = relu_gradient(of_active, active)
        if self.factor is not None and of_x:
            parts = images_of(pixels @ self.factor.t(), grad).split(channels, 1)
            for identity, part in zip(self.identity, parts, strict=True):
                part = part if identity else self.pool.transposed(part)
                of_node = part if of_node is None else of_node.add_(part)
        if not of_scales:
            return of_node, results, None
        if self.factor is not None:
            unit = diagonals(channels, grad.shape[1] // channels, grad.dtype, grad.device)
            linear = (products(values, pixels).unflatten(0, (-1, channels)) * unit).sum(1)
            return of_node, results, torch.cat([linear, torch.stack(rows)]) if rows else linear
        return of_node, results, torch.stack(rows)
