"""A two-input mixed cell on a GPU: the edges that leave one node are computed together.

A GPU needs a few microseconds for even the smallest kernel, and the loop over edges and operations launches tens of
thousands of kernels a step. Here an operation is one kernel for all edges that read the same node. The filters of these
edges are groups of one convolution. Their last batch-norms are one batch-norm, whose scale is the architecture weights.
Operations without filters are mixed by one matrix product. A CPU does not wait for launches, and is faster when each
edge is computed alone (`twoinput_mixed`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .by_hand import EPSILON


class Edge(Protocol):
    """What is read of a `twoinput_mixed.MixedEdge`."""

    candidates: nn.ModuleList
    convolved: list[int]
    pooled: list[int]
    others: list[int]


class _Cell(Protocol):
    """What is read of a `twoinput_mixed.MixedCell`."""

    states: list[tuple[range, bool]]
    edges: list[tuple[int, int]]
    operations: nn.ModuleList


Mix = Callable[[Sequence[Edge], Tensor, Tensor], Tensor]


def alike(cell: _Cell) -> bool:
    """Return whether all edges that leave a node have the same candidates; in S1 of RobustDARTS they differ."""
    edges = cast("Sequence[Edge]", cell.operations)
    return all(len({repr(edges[edge].candidates) for edge, _ in leaving}) == 1 for leaving in _leaving(cell))


def grouped_states(cell: _Cell, values: Sequence[Tensor], weights: Tensor, mix: Mix | None = None) -> list[Tensor]:
    """Compute the states of `twoinput_mixed.MixedCell.states_of`, node by node instead of edge by edge.

    ``mix`` computes the edges that leave one node: `mix_leaving`, if it is not given.
    """
    mix = mix or mix_leaving
    states: list[Tensor | None] = [*values, *[None] * len(cell.states)]
    rows, edges = weights.unbind(), cast("Sequence[Edge]", cell.operations)
    for source, leaving in enumerate(_leaving(cell)):
        of_edges = torch.stack([rows[cell.edges[edge][1]] for edge, _ in leaving])
        carried = mix([edges[edge] for edge, _ in leaving], cast("Tensor", states[source]), of_edges)
        for (_, target), x in zip(leaving, carried.unbind(1), strict=True):
            states[target] = x if states[target] is None else cast("Tensor", states[target]) + x
    return cast("list[Tensor]", states)


def _leaving(cell: _Cell) -> list[list[tuple[int, int]]]:
    """List, for each node with leaving edges, in order, these edges as pairs (edge, target node)."""
    leaving: dict[int, list[tuple[int, int]]] = {}
    for target, (entering, _) in enumerate(cell.states, 2):
        for edge in entering:
            leaving.setdefault(cell.edges[edge][0], []).append((edge, target))
    return [leaving[source] for source in sorted(leaving)]


def mix_leaving(edges: Sequence[Edge], x: Tensor, weights: Tensor) -> Tensor:
    """Compute the mixtures (batch, edges, channels, height, width) on edges that leave the node with value ``x``.

    ``edges``: `twoinput_mixed.MixedEdge` modules with the same candidates; ``weights``: (edges, candidates).
    """
    terms, columns, first = [], weights.unbind(1), edges[0]
    if first.convolved:
        terms.append(_convolved(edges, x.relu(), torch.stack([columns[i] for i in first.convolved], 1)))
    same = {i: x for i in first.others if isinstance(first.candidates[i], nn.Identity)}
    same |= {i: _normed(first.candidates[i](x)) for i in first.pooled}
    if same:
        values, scale = torch.stack(list(same.values()), 1), torch.stack([columns[i] for i in same], 1)
        # Not `@`: it would copy the values, to avoid a gradient that is only as large as (batch, edges, candidates).
        mixed = torch.bmm(scale.to(values.dtype).expand(len(x), -1, -1), values.flatten(2))
        terms.append(mixed.unflatten(2, values.shape[2:]))
    for i in first.others:
        if i not in same:
            terms.append(columns[i].view(-1, 1, 1, 1) * torch.stack([edge.candidates[i](x) for edge in edges], 1))
    return sum(terms[1:], terms[0])


def _convolved(edges: Sequence[Edge], active: Tensor, weights: Tensor) -> Tensor:
    """Return Σ weight × batch-norm over the convolutions, (batch, edges, channels, height, width).

    ``weights``: (edges, convolutions).
    """
    active = active.repeat(1, len(edges), 1, 1)
    candidates = [cast("Sequence[nn.Sequential]", edge.candidates) for edge in edges]
    branches = [_in_step([of[i] for of in candidates], active) for i in edges[0].convolved]
    joined = torch.stack([branch.unflatten(1, (len(edges), -1)) for branch in branches], 2)
    scale = weights[:, :, None].expand(-1, -1, joined.shape[3]).flatten()
    return _normed(joined.flatten(1, 3), scale).unflatten(1, joined.shape[1:4]).sum(2)


def _in_step(candidates: Sequence[nn.Sequential], x: Tensor) -> Tensor:
    """Run equal candidates from after the first ReLU to before the last batch-norm, each on its group of channels."""
    groups = len(candidates)
    for layers in zip(*(list(candidate)[1:-1] for candidate in candidates), strict=True):
        layer = layers[0]
        if isinstance(layer, nn.BatchNorm2d):
            x = _normed(x)
        elif isinstance(layer, nn.ReLU):
            x = x.relu_()
        else:
            filters = torch.cat([each.weight for each in layers])
            if layer.kernel_size == layer.stride == (1, 1) and layer.groups == 1:
                size = x.shape[2:]
                x = filters.flatten(1).unflatten(0, (groups, -1)) @ x.unflatten(1, (groups, -1)).flatten(3)
                x = x.flatten(1, 2).unflatten(2, size)
            else:
                x = F.conv2d(x, filters, None, layer.stride, layer.padding, layer.dilation, groups * layer.groups)
    return x


def _normed(x: Tensor, scale: Tensor | None = None) -> Tensor:
    return F.batch_norm(x, None, None, scale, training=True, eps=EPSILON)
