"""A two-input mixed cell of few channels on a CPU: the edges that leave one node are computed together.

A convolution of four channels fills a quarter of a processor's vectors, and a call costs as much as its work. Here the
filters of all edges that read the same node stand side by side in one convolution. Memory is channels-last: a row is
one pixel, with the channels of all edges. The pointwise convolutions of these edges are one matrix product with a
matrix of blocks. Operations without filters are one matrix product too. Large images are faster edge by edge
(`twoinput_mixed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .by_hand import EPSILON, by_torch
from .grouped_edges import Edge
from .rows import diagonals, images_of, rows_of
from .rows_by_hand import mix_by_hand
from .separable import DilatedDepthwise, FactorizedReduce

FEW = 16  # channels of a node, up to which its edges are computed together
SMALL = 2**13  # pixels in a batch, up to which they are: what is small waits for calls, not for memory


def are_small(images: Tensor) -> bool:
    """Return whether edges that read such images are faster together."""
    batch, channels, height, width = images.shape
    return images.device.type == "cpu" and channels <= FEW and batch * height * width <= SMALL


def mix_rows(edges: Sequence[Edge], x: Tensor, weights: Tensor) -> Tensor:
    """Compute what `grouped_edges.mix_leaving` does, from channels-last images."""
    total = None if by_torch.get() else mix_by_hand(edges, x, weights, mix_plainly)
    if total is None:
        total = mix_plainly(edges, x, weights)
    return total.unflatten(1, (len(edges), x.shape[1]))


def mix_plainly(edges: Sequence[Edge], x: Tensor, weights: Tensor) -> Tensor:
    """Compute the same by torch's own gradients: (batch, edges · channels, height, width)."""
    first, count = edges[0], len(edges)
    total: Tensor | None = None
    channels = x.shape[1]
    scales = weights.t().repeat_interleave(channels, 1).unbind()
    if first.convolved:
        total = _convolved(edges, x.relu(), scales)
    same = {i: x for i in first.others if isinstance(first.candidates[i], nn.Identity)}
    for i in first.pooled:
        same[i] = F.batch_norm(first.candidates[i](x), None, None, training=True, eps=EPSILON)
    for i, values in same.items():
        factor = diagonals(channels, count, x.dtype, x.device) * scales[i]
        mixed = rows_of(values) @ factor if total is None else torch.addmm(rows_of(total), rows_of(values), factor)
        total = images_of(mixed, values)
    for i in first.others:
        if isinstance(first.candidates[i], FactorizedReduce) and channels > 1:
            carried = F.batch_norm(_reduced(edges, i, x), None, None, scales[i], training=True, eps=EPSILON)
            total = carried if total is None else total + carried
        elif i not in same:
            carried = torch.cat([edge.candidates[i](x) for edge in edges], 1) * scales[i].view(1, -1, 1, 1)
            total = carried if total is None else total + carried
    if total is None:  # all candidates are zero
        total = torch.cat([edge.candidates[0](x) for edge in edges], 1)
    return total


def _convolved(edges: Sequence[Edge], active: Tensor, scales: Sequence[Tensor]) -> Tensor:
    """Return Σ weight × batch-norm over the convolutions, (batch, edges · channels, height, width).

    The dilated ones are computed, normalised and added in parts of half the resolution, which they share.
    """
    dilated = [i for i in edges[0].convolved if isinstance(_layers(edges[0], i)[1], DilatedDepthwise)]
    first = cast("DilatedDepthwise", _layers(edges[0], dilated[0])[1]) if dilated else None
    parts = first.split(active) if first else None
    if first is None or parts is None:
        return _mixed(edges, edges[0].convolved, active, scales)
    total = first.joined(_mixed(edges, dilated, parts, scales, apart=True), active)
    others = [i for i in edges[0].convolved if i not in dilated]
    return total + _mixed(edges, others, active, scales) if others else total


def _mixed(edges: Sequence[Edge], numbers: Sequence[int], x: Tensor, scales: Sequence[Tensor], apart=False) -> Tensor:
    total: Tensor | None = None
    for i in numbers:
        branch = _in_step([_layers(edge, i) for edge in edges], x, apart)
        normed = F.batch_norm(branch, None, None, scales[i], training=True, eps=EPSILON)
        total = normed if total is None else total + normed
    return cast("Tensor", total)


def _layers(edge: Edge, number: int) -> nn.Sequential:
    return cast("nn.Sequential", edge.candidates[number])


def _reduced(edges: Sequence[Edge], number: int, x: Tensor) -> Tensor:
    """Compute `FactorizedReduce` up to its batch-norm on all edges: (batch, edges · channels, height, width)."""
    layers = [cast("FactorizedReduce", edge.candidates[number]) for edge in edges]
    x = x.relu()
    both = torch.cat([x[:, :, ::2, ::2], F.pad(x, (0, 1, 0, 1))[:, :, 1::2, 1::2]], 1)
    first = torch.stack([layer.first.weight.flatten(1) for layer in layers])  # (edges, outputs, inputs)
    second = torch.stack([cast("nn.Conv2d", layer.second).weight.flatten(1) for layer in layers])
    # A half of an edge's outputs reads one image, the other half the other
    filters = torch.cat([F.pad(first, (0, x.shape[1])), F.pad(second, (x.shape[1], 0))], 1)
    return images_of(rows_of(both) @ filters.flatten(0, 1).t(), both)


def _in_step(candidates: Sequence[nn.Sequential], x: Tensor, apart: bool) -> Tensor:
    """Run equal candidates from after the first ReLU, whose result ``x`` they share, to before the last batch-norm.

    Each has its group of channels in the result. ``apart``: whether ``x`` is what `DilatedDepthwise.split` makes.
    """
    groups, shared, by_channel = len(candidates), True, False
    for layers in zip(*(list(candidate)[1:-1] for candidate in candidates), strict=True):
        layer = layers[0]
        if isinstance(layer, nn.BatchNorm2d):
            x = F.batch_norm(x, None, None, training=True, eps=EPSILON)
        elif isinstance(layer, nn.ReLU):
            x = x.relu() if shared else x.relu_()
        elif shared and layer.groups == layer.in_channels:  # a depthwise one has the results of a channel side by side
            filters = torch.stack([each.weight for each in layers], 1).flatten(0, 1)
            if apart:
                x = layer.convolved(x, filters)
            else:
                x = F.conv2d(x, filters, None, layer.stride, layer.padding, layer.dilation, layer.groups)
            shared, by_channel = False, True
        else:
            filters, pointwise = (
                torch.cat([each.weight for each in layers]),
                layer.kernel_size == layer.stride == (1, 1),
            )
            if pointwise and layer.groups == 1 and not shared:
                x, by_channel = images_of(rows_of(x) @ _blocks(filters.flatten(1), groups, by_channel), x), False
                continue
            if by_channel:
                x, by_channel = _by_edge(x, groups), False
            times = 1 if shared else groups
            if shared and layer.groups > 1:
                x, times = x.repeat(1, groups, 1, 1), groups
            x = F.conv2d(x, filters, None, layer.stride, layer.padding, layer.dilation, times * layer.groups)
            shared = False
    return _by_edge(x, groups) if by_channel else x


def _by_edge(x: Tensor, groups: int) -> Tensor:
    """Put the channels of each edge side by side where the edges of each channel are."""
    return x.unflatten(1, (-1, groups)).transpose(1, 2).flatten(1, 2)


def _blocks(filters: Tensor, groups: int, by_channel: bool) -> Tensor:
    """Return the matrix (groups · inputs, groups · outputs) that applies each group's filters to its own channels.

    ``filters``: (groups · outputs, inputs). ``by_channel``: the rows are in the order (inputs, groups).
    """
    unit = diagonals(groups, 1, filters.dtype, filters.device)[:, None, :, None]  # (groups, 1, groups, 1)
    each = filters.view(groups, len(filters) // groups, -1).permute(0, 2, 1)[:, :, None]  # group, input, -, output
    blocks = each * unit
    return (blocks.transpose(0, 1) if by_channel else blocks).flatten(0, 1).flatten(1)
