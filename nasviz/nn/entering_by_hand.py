"""The states of a two-input mixed cell on large images, as one function with its gradient written out.

A value of large images does not fit into a processor's cache, and what takes time is to fetch and to store values. So
they are used as soon as they are there, and as few as possible are stored:

- All edges that leave a node share its ReLU, its poolings, and the four images of half the size that its dilated
  convolutions read (`nasviz.nn.separable.DilatedDepthwise`).
- All operations on all edges that enter a node add to one sum; the dilated convolutions add to another one, still in
  four images.
- Of few channels, no 1×1 convolution writes its result before its batch-norm (`nasviz.nn.normed_products`).

A second derivative is that of the plain way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from .by_hand import (
    Pooling,
    again,
    asked_for,
    convolution_gradients,
    norm_gradients,
    normed,
    pooled,
    pooling_gradient,
    relu_gradient,
)
from .grouped_edges import Edge
from .normed_products import NormedProduct, StoredProduct, normed_product
from .ops import in_layout
from .rows import AveragePool3x3, images_of, rows_of
from .separable import DilatedDepthwise, FactorizedReduce, is_depthwise, is_pointwise

Plain = Callable[[list[Tensor], Tensor], list[Tensor]]
Product = NormedProduct | StoredProduct


class MixedCell(Protocol):
    """What is read of a `twoinput_mixed.MixedCell`."""

    states: list[tuple[range, bool]]
    edges: list[tuple[int, int]]
    operations: nn.ModuleList


def states_by_hand(cell: MixedCell, values: Sequence[Tensor], weights: Tensor, plain: Plain) -> list[Tensor] | None:
    """Return what ``plain(values, weights)`` does, both inputs and the states; None if it alone can compute them."""
    plan = vars(cell).get("_plan")
    if plan is None:
        plan = vars(cell)["_plan"] = _Plan(cell)
    filters = [layer._parameters["weight"] for layer in plan.layers]
    if not plan.known or not all(isinstance(one, nn.Parameter) for one in filters):  # another tensor, for one call
        return None
    if not torch.is_grad_enabled():
        return [*values, *_Forward(plan, weights, cast("list[Tensor]", filters), learns=False).states(values)]
    return [*values, *_States.apply(plan, plain, weights, *values, *filters)]


# ------------------------------------------------------------------------------------------------- what a cell holds
@dataclass
class _Edge:
    """The candidates of an edge by kind, each with its column of the weights.

    ``convolved``: of each separable convolution in it, the depthwise layer and the number of its filters, which are
    followed by those of the 1×1 convolution. ``reduced``: the number of the first of two filters.
    """

    source: int
    row: int
    target: int
    convolved: list[tuple[int, list[tuple[nn.Conv2d, int]]]] = field(default_factory=list)
    pooled: list[tuple[int, Pooling]] = field(default_factory=list)
    identities: list[int] = field(default_factory=list)
    reduced: list[tuple[int, int]] = field(default_factory=list)


class _Plan:
    """What is read of a cell's modules, once. ``known``: whether all operations are among those of DARTS."""

    def __init__(self, cell: MixedCell):
        self.known, self.states = True, len(cell.states)
        self.layers: list[nn.Conv2d] = []  # those with filters
        self.edges: list[_Edge] = []
        for target, (entering, _) in enumerate(cell.states, 2):
            for number in entering:
                edge, mixed = _Edge(*cell.edges[number], target), cast("Edge", cell.operations[number])
                for i in mixed.convolved:
                    layers = list(cast("nn.Sequential", mixed.candidates[i]))
                    edge.convolved.append((i, self._separable(layers[1:-1])))
                edge.pooled = [(i, cast("Pooling", mixed.candidates[i])) for i in mixed.pooled]
                for i in mixed.others:
                    self._add(edge, i, mixed.candidates[i])
                self.edges.append(edge)
            self.known &= any(e.convolved or e.pooled or e.identities or e.reduced for e in self.entering(target))

    def entering(self, target: int) -> list[_Edge]:
        return [edge for edge in self.edges if edge.target == target]

    def _separable(self, layers: list[nn.Module]) -> list[tuple[nn.Conv2d, int]]:
        """Note depthwise and 1×1 convolutions; between a pair and the next there are batch-norm and ReLU."""
        steps = []
        for depthwise, pointwise in zip(layers[::4], layers[1::4], strict=False):
            self.known &= is_depthwise(depthwise) and is_pointwise(pointwise)
            steps.append((cast("nn.Conv2d", depthwise), len(self.layers)))
            self.layers += [cast("nn.Conv2d", depthwise), cast("nn.Conv2d", pointwise)]
        between = zip(layers[2::4], layers[3::4], strict=False)
        normed = all(isinstance(a, nn.BatchNorm2d) and isinstance(b, nn.ReLU) for a, b in between)
        self.known &= len(layers) % 4 == 2 and normed
        return steps

    def _add(self, edge: _Edge, number: int, layer: nn.Module) -> None:
        if isinstance(layer, nn.Identity):
            edge.identities.append(number)
        elif isinstance(layer, FactorizedReduce) and layer.second is not None:
            edge.reduced.append((number, len(self.layers)))
            self.layers += [layer.first, layer.second]
        else:
            self.known = False


# ------------------------------------------------------------------------------------------------------- the function
class _States(torch.autograd.Function):
    """The states of a cell. Arguments: its plan, the plain way, α (rows, operations), both inputs, the filters."""

    @staticmethod
    def forward(ctx, plan, plain, weights, previous, current, *filters):
        ctx.set_materialize_grads(False)
        ctx.plain, ctx.way = plain, _Forward(plan, weights, filters)
        states = ctx.way.states((previous, current))
        ctx.save_for_backward(weights, previous, current, *filters, *ctx.way.given())
        return tuple(states)

    @staticmethod
    def backward(ctx, *gradients):
        end = 3 + len(ctx.way.plan.layers)
        (weights, *inputs), filters, kept = ctx.saved_tensors[:3], ctx.saved_tensors[3:end], ctx.saved_tensors[end:]
        if torch.is_grad_enabled():
            arguments = (weights, *inputs, *filters)
            return None, None, *again(lambda w, a, b, *_: ctx.plain([a, b], w)[2:], arguments, gradients)
        asked = [asked_for(ctx, number) for number in range(end)]
        return None, None, *_Backward(ctx.way, kept, filters, asked).of(gradients)


@dataclass
class _Branch:
    """An operation with convolutions on an edge, as it was computed.

    ``steps``: of each separable convolution the number of its filters; stride, padding and dilation; the product; and
    where the images that its 1×1 convolution reads are kept, followed by what the product keeps. What a depthwise
    convolution reads, but for the first, is kept right before. ``reads_parts``: whether the first one reads the parts
    of the node; ``in_parts``: whether the result is in parts too.
    """

    edge: _Edge
    column: int
    steps: list[tuple[int, tuple[int, int, int], Product, int]] = field(default_factory=list)
    reads_parts: bool = False
    in_parts: bool = False


@dataclass
class _Reduced:
    """A `FactorizedReduce` on an edge, as it was computed: numbers of its filters, product, where that keeps images."""

    edge: _Edge
    column: int
    number: int
    product: Product
    place: int


class _Node:
    """A node's value, and what all edges that leave it share; each is computed at its first use.

    ``parts``: what dilated convolutions read instead of its ReLU, as ``splits`` makes it; ``both``: the two images that
    `FactorizedReduce` reads, side by side, and where they are kept; ``pooled``: the same of each pooling.
    """

    def __init__(self, x: Tensor):
        self.x, self.active = x, x.relu()
        self.splits: DilatedDepthwise | None = None
        self.parts: Tensor | None = None
        self.both: tuple[Tensor, int] | None = None
        self.pooled: dict[type[nn.Module], tuple[Tensor, int]] = {}

    def split_by(self, layer: DilatedDepthwise) -> Tensor | None:
        """Return the parts; None at an odd resolution."""
        if self.splits is None:
            self.splits, self.parts = layer, layer.split(self.active)
        return self.parts


class _Total:
    """A sum of images; None before the first."""

    def __init__(self) -> None:
        self.images: Tensor | None = None

    def add(self, images: Tensor) -> None:
        """Add images, which may be overwritten later."""
        self.images = images if self.images is None else self.images.add_(images)

    def add_times(self, images: Tensor, alpha: float) -> None:
        """Add alpha × images."""
        self.images = images * alpha if self.images is None else self.images.add_(images, alpha=alpha)


class _Forward:
    """The forward pass. What it keeps for `_Backward` is known by its number in ``kept``.

    ``branches``: by the state that they enter. By node: ``shared``, where its value and its ReLU are kept; ``splits``,
    the layer that made parts of it; ``both``, where the two images side by side are kept; ``pools``, by kind where a
    pooling's value, two statistics and the normalised value are kept, and of a maximum the place.
    """

    def __init__(self, plan: _Plan, weights: Tensor, filters: Sequence[Tensor], learns: bool = True):
        self.plan, self.filters, self.learns = plan, filters, learns
        self.alphas: list[list[float]] = weights.tolist()
        channels = len(filters[1]) if filters else 1
        self.scales = weights[:, :, None].expand(-1, -1, channels).contiguous()
        self.kept: list[Tensor] = []
        self.nodes: dict[int, _Node] = {}
        self.branches: dict[int, list[_Branch | _Reduced]] = {}
        self.shared: dict[int, int] = {}

    def keep(self, *tensors: Tensor) -> int:
        """Keep tensors for the gradient, if one will be asked for, and return the number of the first."""
        self.kept += tensors if self.learns else ()
        return len(self.kept) - len(tensors)

    def given(self) -> list[Tensor]:
        """Return what is kept, and hold no images any longer: torch keeps them."""
        kept, self.kept, self.filters, self.nodes = self.kept, [], (), {}
        return kept

    def states(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the states."""
        values = list(inputs)
        for target in range(2, 2 + self.plan.states):
            entering = self.plan.entering(target)
            for source in sorted({edge.source for edge in entering} - self.nodes.keys()):
                self.nodes[source] = node = _Node(values[source])
                self.shared[source] = self.keep(node.x, node.active)
            values.append(self.state(target, entering))
        nodes = self.nodes.items()
        self.splits = {source: node.splits for source, node in nodes if node.parts is not None}
        self.both = {source: node.both[1] for source, node in nodes if node.both is not None}
        self.pools = {source: {kind: place for kind, (_, place) in node.pooled.items()} for source, node in nodes}
        return values[2:]

    def state(self, target: int, entering: Sequence[_Edge]) -> Tensor:
        """Return the sum of all operations on the edges that enter a state."""
        total, in_parts, shift = _Total(), _Total(), torch.zeros_like(self.scales[0, 0])
        branches = self.branches[target] = []
        whole: _Node | None = None
        for edge in entering:
            node, alphas = self.nodes[edge.source], self.alphas[edge.row]
            for column, layers in edge.convolved:
                branch, images = self.branch(node, edge, column, layers)
                self.mix(branch, branch.steps[-1][2], images, in_parts if branch.in_parts else total, shift)
                whole = node if branch.in_parts else whole
                branches.append(branch)
            for column, number in edge.reduced:
                reduced, images = self.reduced(node, edge, column, number)
                self.mix(reduced, reduced.product, images, total, shift)
                branches.append(reduced)
            for column, layer in edge.pooled:
                total.add_times(self.pooled(node, layer), alphas[column])
            for column in edge.identities:
                total.add_times(node.x, alphas[column])
        if whole is not None:
            total.add(cast("DilatedDepthwise", whole.splits).joined(cast("Tensor", in_parts.images), whole.active))
        return cast("Tensor", total.images).add_(shift[:, None, None])

    def branch(
        self, node: _Node, edge: _Edge, column: int, layers: Sequence[tuple[nn.Conv2d, int]]
    ) -> tuple[_Branch, Tensor]:
        """Compute an operation up to what its last 1×1 convolution reads, which is returned too."""
        branch, x = _Branch(edge, column), node.active
        for position, (layer, number) in enumerate(layers):
            how = layer.stride[0], cast("int", layer.padding[0]), layer.dilation[0]
            parts = node.split_by(layer) if position == 0 and isinstance(layer, DilatedDepthwise) else None
            if parts is not None:
                x, how = parts, (1, how[1] // 2, 1)
                branch.reads_parts, branch.in_parts = True, layer.stride[0] == 1
            if position:
                before = branch.steps[-1][2]
                x = images_of(before.normed(rows_of(x)).relu_(), x)
                self.keep(*before.kept(), x)
            x = torch.conv2d(x, self.filters[number], None, *how, len(self.filters[number]))
            product = normed_product(rows_of(x), self.filters[number + 1].flatten(1), x)
            branch.steps.append((number, how, product, self.keep(x)))
        return branch, x

    def reduced(self, node: _Node, edge: _Edge, column: int, number: int) -> tuple[_Reduced, Tensor]:
        """Prepare `FactorizedReduce`: half of its outputs reads one image, half the other. Return what it reads."""
        if node.both is None:
            odd = nn.functional.pad(node.active, (0, 1, 0, 1))[:, :, 1::2, 1::2]
            both = in_layout(torch.cat([node.active[:, :, ::2, ::2], odd], 1))
            node.both = both, self.keep(both)
        images, filters = node.both[0], torch.block_diag(*(self.filters[n].flatten(1) for n in (number, number + 1)))
        return _Reduced(edge, column, number, normed_product(rows_of(images), filters, images), len(self.kept)), images

    def mix(self, branch: _Branch | _Reduced, product: Product, images: Tensor, total: _Total, shift: Tensor) -> None:
        """Add a branch's last batch-norm, times its weight."""
        before, scale = total.images, self.scales[branch.edge.row, branch.column]
        rows = product.add_to(None if before is None else rows_of(before), shift, rows_of(images), scale)
        total.images = images_of(rows, images)
        self.keep(*product.kept())

    def pooled(self, node: _Node, layer: Pooling) -> Tensor:
        """Return a pooling and its batch-norm; all edges that leave a node have the same stride."""
        if type(layer) not in node.pooled:
            if _is_plain(layer):
                value, *places = (AveragePool3x3(node.x).of(node.x),)
            else:
                value, *places = pooled(layer, node.x)
            result, *statistics = normed(value)
            node.pooled[type(layer)] = result, self.keep(value, *statistics, result, *places)
        return node.pooled[type(layer)][0]


def _is_plain(layer: Pooling) -> bool:
    """Return whether a mean is one that `AveragePool3x3` computes, which is faster."""
    how = layer.kernel_size, layer.stride, layer.padding
    inside = isinstance(layer, nn.AvgPool2d) and not layer.count_include_pad and layer.divisor_override is None
    return inside and how == (3, 1, 1)


class _Backward:
    """The backward pass. ``asked``: which gradients are wanted, of α, of both inputs, and of the filters."""

    def __init__(self, way: _Forward, kept: Sequence[Tensor], filters: Sequence[Tensor], asked: Sequence[bool]):
        self.way, self.kept, self.filters = way, kept, filters
        self.of_alphas, self.of_filters = asked[0], asked[3:]
        self.of_nodes = {source: source > 1 or asked[1 + source] for source in way.shared}
        self.slopes: dict[tuple[int, int], Tensor] = {}  # by row and column
        self.results: list[Tensor | None] = [None] * len(filters)
        self.read: dict[int, Tensor] = {}  # the parts of each node, made again
        # Gradients of what the edges that leave a node share:
        self.actives, self.parts, self.both = ({source: _Total() for source in way.shared} for _ in range(3))
        self.linear = {source: {kind: _Total() for kind in (*kinds, None)} for source, kinds in way.pools.items()}
        self.layers: dict[tuple[int, type[nn.Module]], Pooling] = {
            (edge.source, type(layer)): layer for edge in way.plan.edges for _, layer in edge.pooled
        }

    def of(self, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Return the gradients in α, in both inputs, and in the filters; None for what is not wanted."""
        for state in reversed(range(len(gradients))):
            total, outside = self.of_node(state + 2), gradients[state]
            if outside is not None:
                total = outside if total is None else total.add_(outside)
            if total is not None:
                self.state(state + 2, total.contiguous(memory_format=torch.channels_last))
        of_alphas = None
        if self.of_alphas:
            of_alphas = torch.zeros_like(self.way.scales[:, :, 0])
            for (row, column), slope in self.slopes.items():
                of_alphas[row, column] = slope
        return [of_alphas, self.of_node(0), self.of_node(1), *self.results]

    def state(self, target: int, grad: Tensor) -> None:
        """Take a state's gradient to all that the state is the sum of."""
        parts, mean = None, rows_of(grad).mean(0)
        for branch in reversed(self.way.branches[target]):
            if isinstance(branch, _Reduced):
                self.reduced(branch, grad, mean)
                continue
            if branch.in_parts and parts is None:
                splits = cast("DilatedDepthwise", self.way.splits[branch.edge.source])
                parts = in_layout(cast("Tensor", splits.split(grad)))
            self.branch(branch, cast("Tensor", parts) if branch.in_parts else grad, mean)
        for edge in self.way.plan.entering(target):
            pools, alphas = self.way.pools[edge.source], self.way.alphas[edge.row]
            for column, layer in edge.pooled:
                self.linear_term(edge, column, type(layer), pools[type(layer)] + 3, grad, alphas[column])
            for column in edge.identities:
                self.linear_term(edge, column, None, self.way.shared[edge.source], grad, alphas[column])

    def linear_term(
        self, edge: _Edge, column: int, kind: type[nn.Module] | None, place: int, grad: Tensor, alpha: float
    ) -> None:
        """Take the gradient of a pooling of a ``kind``, or of the identity, None, to its weight and to the node."""
        if self.of_alphas:
            values = in_layout(self.kept[place])
            self.slopes[edge.row, column] = torch.dot(rows_of(grad).reshape(-1), rows_of(values).reshape(-1))
        if self.of_nodes[edge.source]:
            self.linear[edge.source][kind].add_times(grad, alpha)

    def branch(self, branch: _Branch, grad: Tensor, mean: Tensor) -> None:
        """Take the gradient of an operation to its weight, its filters, and what its node's edges share."""
        source, scale = branch.edge.source, self.way.scales[branch.edge.row, branch.column]
        for position, (number, (stride, padding, dilation), product, place) in reversed(list(enumerate(branch.steps))):
            images, last = self.kept[place], position == len(branch.steps) - 1
            of_rows, of_each, of_scale = product.gradients(
                rows_of(grad),
                mean if last else None,
                rows_of(images),
                scale if last else None,
                self.of_filters[number + 1],
                *self.kept[place + 1 : place + 1 + product.keeps],
            )
            if last and self.of_alphas:
                self.slopes[branch.edge.row, branch.column] = cast("Tensor", of_scale).sum()
            filters = self.filters[number]
            if of_each is not None:
                self.results[number + 1] = of_each.view_as(self.filters[number + 1])
            read = self.kept[place - 1] if position else self.read_by(branch)
            of_read, self.results[number] = convolution_gradients(
                images_of(of_rows, images),
                read,
                filters,
                padding,
                position > 0 or self.of_nodes[source],
                self.of_filters[number],
                stride,
                len(filters),
                dilation,
            )
            if position:
                grad = relu_gradient(cast("Tensor", of_read), read)
            elif of_read is not None:
                (self.parts if branch.reads_parts else self.actives)[source].add(of_read)

    def read_by(self, branch: _Branch) -> Tensor:
        """Return what the first convolution of a branch has read."""
        source = branch.edge.source
        active = self.kept[self.way.shared[source] + 1]
        if not branch.reads_parts:
            return active
        if source not in self.read:
            splits = cast("DilatedDepthwise", self.way.splits[source])
            self.read[source] = cast("Tensor", splits.split(active))
        return self.read[source]

    def reduced(self, branch: _Reduced, grad: Tensor, mean: Tensor) -> None:
        """Take the gradient of a `FactorizedReduce` to its weight, its filters, and the images that it reads."""
        source, scale = branch.edge.source, self.way.scales[branch.edge.row, branch.column]
        images, product, number = self.kept[self.way.both[source]], branch.product, branch.number
        kept, wanted = self.kept[branch.place : branch.place + product.keeps], self.of_filters[number : number + 2]
        of_rows, of_each, of_scale = product.gradients(rows_of(grad), mean, rows_of(images), scale, any(wanted), *kept)
        if self.of_alphas:
            self.slopes[branch.edge.row, branch.column] = cast("Tensor", of_scale).sum()
        if of_each is not None:
            first, second = self.filters[number : number + 2]
            outputs, inputs = first.shape[:2]
            self.results[number] = of_each[:outputs, :inputs].reshape_as(first)
            self.results[number + 1] = of_each[outputs:, inputs:].reshape_as(second)
        if self.of_nodes[source]:
            self.both[source].add(images_of(of_rows, images))

    def of_node(self, source: int) -> Tensor | None:
        """Return the gradient in a node's value, by way of all edges that leave it; None for none or one not wanted."""
        if not self.of_nodes.get(source):
            return None
        x, active = self.kept[self.way.shared[source] : self.way.shared[source] + 2]
        total, of_node = self.actives[source], _Total()
        if (parts := self.parts[source].images) is not None:
            splits = cast("DilatedDepthwise", self.way.splits[source])
            if splits.stride == (1, 1):
                total.add(splits.joined(parts, active))
            else:
                _add_at(total, active, 0, parts)
        if (both := self.both[source].images) is not None:
            for start, images in enumerate(both.chunk(2, 1)):
                _add_at(total, active, start, images)
        if total.images is not None:
            of_node.add(relu_gradient(total.images, active))
        for kind, given in self.linear[source].items():
            if given.images is not None:
                of_node.add(given.images if kind is None else self.pooled(source, kind, given.images, x))
        return of_node.images

    def pooled(self, source: int, kind: type[nn.Module], grad: Tensor, x: Tensor) -> Tensor:
        """Return the gradient in a node by way of a pooling."""
        layer, place = self.layers[source, kind], self.way.pools[source][kind]
        value, *statistics = self.kept[place : place + 3]
        grad, _ = norm_gradients(grad, value, None, statistics)
        if _is_plain(layer):
            return AveragePool3x3(x).transposed(grad)
        return pooling_gradient(layer, grad, x, *self.kept[place + 4 : place + 5])


def _add_at(total: _Total, like: Tensor, start: int, images: Tensor) -> None:
    """Add images to every second row and column of a total of images shaped like ``like``, from ``start`` on."""
    if total.images is None:
        total.images = torch.zeros_like(like)
    here = total.images[:, :, start::2, start::2]
    here += images[:, :, : here.shape[2], : here.shape[3]]  # at an odd resolution the last of the second are padding
