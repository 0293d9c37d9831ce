"""The supernet of two-input cells: every candidate operation on every edge, mixed by architecture weights.

The edges that leave one node share its ReLU and its poolings, which are computed once. One operation normalises, scales
and adds the results of all convolutions that enter one node. There are faster ways for what is usual. Where channels
and pixels are few, all edges that leave a node are computed at once (`nasviz.nn.grouped_rows`), and on a GPU always
(`nasviz.nn.grouped_edges`). On larger images all states of a cell are one function (`nasviz.nn.entering_by_hand`).
`benchmarks/darts_step.py` measures them against the loop over operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .by_hand import EPSILON, by_torch
from .entering_by_hand import states_by_hand
from .grouped_edges import alike, grouped_states
from .grouped_rows import are_small, mix_rows
from .mixed import normed_mixture
from .ops import Zero
from .separable import Factory, Noise
from .twoinput import Cell, Network


class MixedEdge(nn.Module):
    """All candidates of an edge, mixed: Σ weight × operation (Liu et al. 2019, eq. 2).

    As in the authors' code, no batch-norm has a learned scale, which could undo a weight, and a batch-norm follows each
    pooling. The operation zero is not computed, because it adds nothing.

    Attributes
    ----------
    convolved, pooled, others : list of int
        Numbers of the candidates of each kind: ReLU, convolutions and batch-norm; a pooling; any other but zero.
    """

    def __init__(self, factories: Sequence[Factory], channels: int, stride: int, inputs: int):
        super().__init__()
        self.candidates = nn.ModuleList(factory(channels, stride, inputs) for factory in factories)
        self.convolved: list[int] = []
        self.pooled: list[int] = []
        self.others: list[int] = []
        for i, candidate in enumerate(self.candidates):
            layers = list(candidate.children())
            if isinstance(candidate, nn.MaxPool2d | nn.AvgPool2d):
                self.pooled.append(i)
            elif layers and isinstance(layers[0], nn.ReLU) and isinstance(layers[-1], nn.BatchNorm2d):
                self.convolved.append(i)
                for layer in layers[1:]:
                    if isinstance(layer, nn.ReLU):
                        layer.inplace = True  # safe: the gradient of the batch-norm before does not need its output
            elif not any(isinstance(layer, Zero) for layer in candidate.modules()):
                self.others.append(i)


class Shared:
    """The values that all edges leaving a node share: its ReLU and its poolings. Each is computed at its first use."""

    def __init__(self, x: Tensor):
        self.x = x
        self._made: dict[type[nn.Module], Tensor] = {}

    def active(self) -> Tensor:
        """Return the node's value after a ReLU."""
        if nn.ReLU not in self._made:
            self._made[nn.ReLU] = self.x.relu()
        return self._made[nn.ReLU]

    def pooled(self, pool: nn.Module) -> Tensor:
        """Return the node's value after pooling and batch-norm. All edges that leave a node have the same stride."""
        if type(pool) not in self._made:
            self._made[type(pool)] = F.batch_norm(pool(self.x), None, None, training=True, eps=EPSILON)
        return self._made[type(pool)]


class MixedCell(Cell):
    """A cell that holds all candidates on all edges.

    ``operations``: for each row of the weights, the factories of its columns; an edge's row is its `Edge.choice`.
    ``grouped_on``: the kinds of device on which all edges that leave a node are computed at once, if they are alike.
    """

    grouped_on = ("cuda",)

    @cached_property
    def alike(self) -> bool:
        """Return whether all edges that leave one node have the same candidates."""
        return alike(self)

    @cached_property
    def any_order(self) -> bool:
        """Return whether edges may be computed in another order: what draws noise must draw it in the same one."""
        return not any(isinstance(layer, Noise) for layer in self.modules())

    def operation(self, edge, operations, channels, stride, inputs):
        """Build the mixture of an edge."""
        return MixedEdge(operations[edge.choice], channels, stride, inputs)

    def states_of(self, values: list[Tensor], weights: Tensor | None) -> list[Tensor]:
        """Return both inputs and the states; a state is the sum over all candidates of all edges that enter it."""
        weights = cast("Tensor", weights)
        if values[0].device.type in self.grouped_on and self.alike:
            return grouped_states(self, values, weights)
        if are_small(values[0]) and self.any_order and self.alike:
            return grouped_states(self, values, weights, mix_rows)
        if values[0].device.type == "cpu" and not are_small(values[0]) and self.any_order and not by_torch.get():
            states = states_by_hand(self, values, weights, self._plainly)
            if states is not None:
                return states
        return self._plainly(values, weights)

    def _plainly(self, values: Sequence[Tensor], weights: Tensor) -> list[Tensor]:
        """Compute the same by torch's own gradients."""
        shared = [Shared(value) for value in values]
        for entering, _ in self.states:
            shared.append(Shared(self._mixed(entering, shared, weights)))
        return [one.x for one in shared]

    def _mixed(self, entering, shared: list[Shared], weights: Tensor) -> Tensor:
        branches, of_branches, terms = [], [], []
        for edge in entering:
            source, row = self.edges[edge]
            mixed, node, weight = self.operations[edge], shared[source], weights[row].unbind()
            for i in mixed.convolved:
                layers = list(mixed.candidates[i])
                x = node.active()
                for layer in layers[1:-1]:
                    x = layer(x)
                branches.append(x)
                of_branches.append(weight[i])
            terms += [(weight[i], node.pooled(mixed.candidates[i])) for i in mixed.pooled]
            terms += [(weight[i], mixed.candidates[i](node.x)) for i in mixed.others]
        total = normed_mixture(torch.stack(of_branches)[:, None], *branches) if branches else None
        for weight, x in terms:
            total = weight * x if total is None else torch.addcmul(total, weight, x)
        if total is None:  # all candidates are zero
            total = sum(self.operations[edge].candidates[0](shared[self.edges[edge][0]].x) for edge in entering)
        return total


class Supernet(Network):
    """A network with all candidates on all edges: ``network(images, weights)``.

    ``weights``: (edges, candidates) after the softmax, the normal cell's edges first. No batch-norm of the cells has a
    learned scale (Liu et al. 2019, section 3.1). No batch-norm keeps running statistics, because they would belong to
    other weights: it uses the statistics of the batch, in evaluation too.
    """

    cell = MixedCell

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.track_running_stats = False
                layer.running_mean = layer.running_var = layer.num_batches_tracked = None
        for layer in self.body.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.affine = False
                layer.weight = layer.bias = None

    def forward(self, images: Tensor, weights: Tensor) -> Tensor:  # type: ignore[override]  # a supernet needs weights
        """Return logits (batch, classes) for float images (batch, colors, height, width); weights on any device."""
        return super().forward(images, weights.to(images.device, images.dtype))
