"""What `nasviz.nn.grouped_rows` computes, as one function with its gradient written out.

The edges that leave one node have hundreds of small filters. Torch's own gradient of their mixture is a graph of
hundreds of entries, most of them for views. Here the steps of each operation are noted as they are computed, and the
gradient runs through them backwards. A second derivative is that of the plain way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

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
from .ops import in_layout
from .rows import add_product, diagonals, images_of, products, rows_of
from .separable import DilatedDepthwise, FactorizedReduce, is_depthwise, is_pointwise

Plain = Callable[[Sequence[Edge], Tensor, Tensor], Tensor]


def mix_by_hand(edges: Sequence[Edge], x: Tensor, weights: Tensor, plain: Plain) -> Tensor | None:
    """Return what ``plain`` does, which is `grouped_rows.mix_plainly`; None for edges that it alone can compute."""
    plan = vars(edges[0]).get("_plan")
    if plan is None:
        # each edge leaves one node, always with the same others
        plan = vars(edges[0])["_plan"] = _Plan(edges, x.shape[1])
    filters = [layer._parameters["weight"] for layer in plan.layers]
    if not plan.known or not all(isinstance(one, nn.Parameter) for one in filters):  # another tensor, for one call
        return None
    return cast("Tensor", _Mixture.apply(plan, plain, x, weights, *filters))


class _Plan:
    """What is read of the modules of the edges that leave a node, once.

    ``known``: whether all operations are among those of DARTS. ``layers``: those with filters, in the order of their
    use, for each those of all edges. ``groups``: the numbers of those of one shape, in steps of the number of edges.
    """

    def __init__(self, edges: Sequence[Edge], channels: int):
        first = edges[0]
        self.edges, self.channels = edges, channels
        others = [first.candidates[i] for i in first.others]
        self.inner = {i: list(_layers(first, i))[1:-1] for i in first.convolved}
        self.known = (
            channels > 1
            and bool(first.convolved or first.pooled or others)
            and all(is_depthwise(layers[0]) for layers in self.inner.values())
            and all(
                isinstance(layer, nn.BatchNorm2d | nn.ReLU) or is_depthwise(layer) or is_pointwise(layer)
                for layers in self.inner.values()
                for layer in layers
            )
            and all(isinstance(one, nn.Identity | FactorizedReduce) for one in others)
        )
        reduces = [i for i in first.others if isinstance(first.candidates[i], FactorizedReduce)]
        columns = [list(zip(*(edge.candidates[i].modules() for edge in edges), strict=True)) for i in self.inner]
        filtered = [of_edges for column in columns for of_edges in column if isinstance(of_edges[0], nn.Conv2d)]
        self.groups: dict[tuple, list[int]] = {}
        for number, of_edges in enumerate(filtered):
            self.groups.setdefault(tuple(of_edges[0].weight.shape), []).append(number)
        columns = [list(zip(*(edge.candidates[i].modules() for edge in edges), strict=True)) for i in reduces]
        filtered += [of_edges for column in columns for of_edges in column if isinstance(of_edges[0], nn.Conv2d)]
        self.layers = [layer for of_edges in filtered for layer in of_edges]


def _layers(edge: Edge, number: int) -> nn.Sequential:
    return cast("nn.Sequential", edge.candidates[number])


class _Mixture(torch.autograd.Function):
    """The mixtures on edges. Arguments: their plan, the plain way, the node, α (edges, operations), the filters."""

    @staticmethod
    def forward(ctx, plan, plain, x, weights, *filters):
        ctx.plain, ctx.fan = plain, _Fan(plan)
        total = ctx.fan.forward(x, weights, filters, ctx.needs_input_grad[3])
        ctx.save_for_backward(x, weights, *ctx.fan.given())
        return total

    @staticmethod
    def backward(ctx, grad):
        x, weights, *kept = ctx.saved_tensors
        plan = ctx.fan.plan
        if torch.is_grad_enabled():
            filters = [layer.weight for layer in plan.layers]
            tensors = x, weights, *filters
            return None, None, *again(lambda x, weights, *_: [ctx.plain(plan.edges, x, weights)], tensors, [grad])
        of_x, of_weights = asked_for(ctx, 0), asked_for(ctx, 1)
        of_filters = any(asked_for(ctx, 2 + number) for number in range(len(plan.layers)))
        carried, slopes, results = _Gradient(ctx.fan, kept, of_weights, of_filters).of(grad, x, of_x)
        return None, None, carried, slopes, *results


class _Fan:
    """The forward pass. What it keeps for `_Gradient` is known by its number in ``kept``."""

    def __init__(self, plan: _Plan):
        self.plan, self.count, self.channels = plan, len(plan.edges), plan.channels
        self.kept: list[Tensor] = []
        self.branches: list[tuple[int, bool, list[tuple], int]] = []  # operation, whether in parts, steps, statistics
        self.linear: list[tuple[int, tuple | None]] = []  # operation; a pooling's step
        self.reductions: list[tuple[int, int, int]] = []  # operation, number of the filters, place
        self.whole: DilatedDepthwise | None = None  # joins the parts
        self.given_filters: Sequence[Tensor] = ()
        self.filters: list[Tensor] = []
        self.scales: Sequence[Tensor] = ()

    def keep(self, *tensors: Tensor) -> int:
        """Keep tensors for the gradient and return the number of the first."""
        self.kept += tensors
        return len(self.kept) - len(tensors)

    def given(self) -> list[Tensor]:
        """Return what is kept, and hold it no longer: torch keeps it."""
        kept, self.kept, self.filters, self.given_filters, self.scales = self.kept, [], [], (), ()
        return kept

    def forward(self, x: Tensor, weights: Tensor, filters: Sequence[Tensor], learns: bool) -> Tensor:
        """Return the mixtures side by side, (batch, edges · channels, height, width). ``learns``: whether α does."""
        first = self.plan.edges[0]
        scales = weights.t().repeat_interleave(self.channels, 1)
        self.scales = scales.unbind()
        self.at_scales = self.keep(scales)
        self.given_filters, self.filters = filters, self.joined(filters)
        active = x.relu()
        self.at_active = self.keep(active)
        total = self.convolved(active)
        values: list[Tensor] = []
        for i in first.pooled:
            value, step = self.pooled(cast("Pooling", first.candidates[i]), x)
            values.append(value)
            self.linear.append((i, step))
        for i in first.others:
            if isinstance(first.candidates[i], nn.Identity):
                values.append(x)
                self.linear.append((i, None))
            else:
                carried = self.reduced(i, active)
                total = carried if total is None else total.add_(carried)
        if values:
            rows = rows_of(torch.cat(values, 1) if len(values) > 1 else values[0])
            unit = diagonals(self.channels, self.count, x.dtype, x.device)
            factor = torch.cat([unit * self.scales[i] for i, _ in self.linear])
            mixed = rows @ factor if total is None else add_product(rows_of(total), rows, factor)
            total = images_of(mixed, values[0])
            self.at_mixture = self.keep(factor, *([rows] if learns else []))
        return cast("Tensor", total)

    def joined(self, filters: Sequence[Tensor]) -> list[Tensor]:
        """Return each layer's filters of all edges; of a 1×1 convolution, the matrix (inputs, outputs) of blocks."""
        results: dict[int, Tensor] = {}
        for shape, numbers in self.plan.groups.items():
            each = torch.cat([filters[n * self.count + edge] for n in numbers for edge in range(self.count)])
            if shape[2] == 1:
                each = each.view(len(numbers), self.count, *shape[:2]).transpose(2, 3)[:, :, :, None]
                each = each * diagonals(self.count, 1, each.dtype, each.device)[:, None, :, None]
                each = each.reshape(len(numbers), self.count * shape[1], -1)
            else:
                each = each.view(len(numbers), -1, *shape[1:])
            results.update(zip(numbers, each.unbind(), strict=True))
        return [results[number] for number in range(len(results))]

    def convolved(self, active: Tensor) -> Tensor | None:
        """Return the mixture of the convolutions; the dilated ones are added in parts, which are then joined."""
        totals: list[Tensor | None] = [None, None]
        wide: list[Tensor | None] = [None, None]  # what all convolutions read, once for each edge
        number = 0
        for i, layers in self.plan.inner.items():
            apart = isinstance(layers[0], DilatedDepthwise)
            if apart and self.whole is None:
                parts = cast("DilatedDepthwise", layers[0]).split(active)
                if parts is not None:
                    self.whole, wide[1] = cast("DilatedDepthwise", layers[0]), torch.cat([parts] * self.count, 1)
            apart = apart and self.whole is not None
            if wide[apart] is None:
                wide[apart] = torch.cat([active] * self.count, 1)
            branch, steps = self.branch(layers, number, cast("Tensor", wide[apart]), apart)
            number += sum(isinstance(layer, nn.Conv2d) for layer in layers)
            carried, *statistics = normed(branch, self.scales[i])
            self.branches.append((i, apart, steps, self.keep(branch, *statistics)))
            before = totals[apart]
            totals[apart] = carried if before is None else before.add_(carried)
        if totals[1] is not None:
            joined = cast("DilatedDepthwise", self.whole).joined(totals[1], active)
            totals[0] = joined if totals[0] is None else totals[0].add_(joined)
        return totals[0]

    def branch(self, layers: list[nn.Module], number: int, x: Tensor, apart: bool) -> tuple[Tensor, list[tuple]]:
        """Run a candidate from after the first ReLU to before the last batch-norm, on all edges, and note its steps."""
        steps: list[tuple] = []
        for layer in layers:
            if isinstance(layer, nn.BatchNorm2d):
                before = x
                x, *statistics = normed(before)
                steps.append(("norm", self.keep(before, *statistics)))
            elif isinstance(layer, nn.ReLU):
                x = x.relu_()
                steps.append(("relu", self.keep(x)))
            else:
                layer, filters = cast("nn.Conv2d", layer), self.filters[number]
                if filters.dim() == 2:
                    steps.append(("pointwise", self.keep(x, filters), number))
                    x = images_of(rows_of(x) @ filters, x)
                else:
                    stride, padding, dilation = layer.stride[0], cast("int", layer.padding[0]), layer.dilation[0]
                    how = (1, padding // 2, 1) if apart else (stride, padding, dilation)
                    place = self.keep(filters) if not steps else self.keep(filters, x)  # the first input is made again
                    steps.append(("depthwise", place, number, how))
                    x = torch.conv2d(x, filters, None, *how, x.shape[1])
                number += 1
        return x, steps

    def pooled(self, layer: Pooling, x: Tensor) -> tuple[Tensor, tuple]:
        """Return a pooling and its batch-norm, and the step."""
        value, *places = pooled(layer, x)
        result, *statistics = normed(value)
        return result, (self.keep(value, *statistics, *places), layer)

    def reduced(self, number: int, active: Tensor) -> Tensor:
        """Return `FactorizedReduce` on all edges; of each edge, half of the outputs reads one image, half the other."""
        odd = nn.functional.pad(active, (0, 1, 0, 1))[:, :, 1::2, 1::2]
        both, count, channels = torch.cat([active[:, :, ::2, ::2], odd], 1), self.count, self.channels
        start = len(self.filters) + 2 * len(self.reductions)
        first, second = (self.given_filters[n * count : (n + 1) * count] for n in (start, start + 1))
        half = len(first[0])
        matrix = both.new_zeros(2, channels, count, channels)
        matrix[0, :, :, :half] = torch.stack(list(first)).flatten(2).permute(2, 0, 1)
        matrix[1, :, :, half:] = torch.stack(list(second)).flatten(2).permute(2, 0, 1)
        matrix = matrix.view(2 * channels, -1)
        result = images_of(rows_of(both) @ matrix, both)
        carried, *statistics = normed(result, self.scales[number])
        self.reductions.append((number, start, self.keep(both, matrix, result, *statistics)))
        return carried


class _Gradient:
    """The backward pass of a `_Fan`, by what it has ``kept``."""

    def __init__(self, fan: _Fan, kept: list[Tensor], of_weights: bool, of_filters: bool):
        self.fan, self.kept, self.of_weights, self.of_filters = fan, kept, of_weights, of_filters
        self.count, self.channels = fan.count, fan.channels
        self.scales = kept[fan.at_scales].unbind()
        self.active = kept[fan.at_active]
        self.slopes: dict[int, Tensor] = {}
        self.results: list[Tensor | None] = [None] * len(fan.plan.layers)
        self.matrices: dict[int, Tensor] = {}  # by number of the layer, Σ of all products of inputs and gradients

    def of(self, grad: Tensor, x: Tensor, of_x: bool) -> tuple[Tensor | None, Tensor | None, list[Tensor | None]]:
        """Return the gradients in the node, in α and in the filters; None for what is not wanted."""
        grad = grad.contiguous(memory_format=torch.channels_last)
        of_active = self.convolved(grad, of_x)
        for number, start, place in self.fan.reductions:
            of_active = self.reduced(grad, number, start, place, of_active if of_x else None, of_x)
        of_node = relu_gradient(of_active, self.active) if of_active is not None else None
        if self.fan.linear:
            of_node = self.mixed(grad, x, of_node, of_x)
        if self.matrices:
            self.pointwise()
        slopes = None
        if self.of_weights:
            zero = torch.zeros_like(self.scales[0])
            slopes = torch.stack([self.slopes.get(i, zero) for i in range(len(self.scales))])
            slopes = slopes.view(len(slopes), self.count, -1).sum(2).t()
        return of_node, slopes, self.results

    def normed(self, grad: Tensor, number: int, place: int) -> Tensor:
        """Return the gradient before the last batch-norm of an operation."""
        result, *statistics = self.kept[place : place + 3]
        of_result, slope = norm_gradients(grad, result, self.scales[number], statistics, self.of_weights)
        if slope is not None:
            self.slopes[number] = slope
        return of_result

    def convolved(self, grad: Tensor, of_x: bool) -> Tensor | None:
        """Return the gradient in the node's ReLU by way of the convolutions."""
        whole, grads, read = self.fan.whole, [grad, grad], [self.active, self.active]
        if whole is not None:
            read[1] = cast("Tensor", whole.split(self.active))
            if whole.stride == (1, 1):
                grads[1] = in_layout(cast("Tensor", whole.split(grad)))
        wide = [torch.cat([images] * self.count, 1) for images in read]
        totals: list[Tensor | None] = [None, None]
        for number, apart, steps, place in self.fan.branches:
            carried = self.branch(self.normed(grads[apart], number, place), steps, wide[apart], of_x)
            if carried is not None:
                before = totals[apart]
                totals[apart] = carried if before is None else before.add_(carried)
        sums = [None if one is None else one.unflatten(1, (self.count, -1)).sum(1) for one in totals]
        if whole is None or sums[1] is None:
            return sums[0]
        if whole.stride == (1, 1):
            joined = whole.joined(sums[1], self.active)
        else:
            joined = torch.zeros_like(self.active)
            joined[:, :, ::2, ::2] = sums[1]
        return joined if sums[0] is None else joined.add_(sums[0])

    def branch(self, grad: Tensor, steps: list[tuple], wide: Tensor, of_x: bool) -> Tensor | None:
        """Return the gradient in what a branch reads, ``wide``; put those in its filters where they belong."""
        for position, (kind, place, *how) in reversed(list(enumerate(steps))):
            x = self.kept[place]
            if kind == "norm":
                grad, _ = norm_gradients(grad, x, None, self.kept[place + 1 : place + 3])
            elif kind == "relu":
                grad = relu_gradient(grad, x)
            elif kind == "pointwise":
                rows = rows_of(grad)
                if self.of_filters:
                    self.matrices[how[0]] = products(rows_of(x), rows)
                grad = images_of(rows @ self.kept[place + 1].t(), grad)
            else:
                number, (stride, padding, dilation) = how
                filters, x = x, self.kept[place + 1] if position else wide
                of_this = of_x or position > 0
                carried, each = convolution_gradients(
                    grad, x, filters, padding, of_this, self.of_filters, stride, x.shape[1], dilation
                )
                if each is not None:
                    self.put(number, each.unflatten(0, (self.count, -1)))
                if carried is None:
                    return None
                grad = carried
        return grad

    def put(self, number: int, each: Tensor) -> None:
        """Put the gradients of the filters of a layer, (edges, …), where they belong."""
        self.results[number * self.count : (number + 1) * self.count] = each.unbind()

    def pointwise(self) -> None:
        """Take the gradients of the 1×1 convolutions from the sums of products: only those of one edge are wanted."""
        sums = torch.stack(list(self.matrices.values()))
        sums = sums.view(len(sums), self.count, self.channels, self.count, self.channels).diagonal(0, 1, 3)
        each = sums.permute(0, 3, 2, 1).contiguous()[..., None, None]
        for number, of_layer in zip(self.matrices, each.unbind(), strict=True):
            self.put(number, of_layer)

    def mixed(self, grad: Tensor, x: Tensor, of_node: Tensor | None, of_x: bool) -> Tensor | None:
        """Return the gradient in the node with what goes by way of the poolings and the identity."""
        factor, rows = self.kept[self.fan.at_mixture], rows_of(grad)
        if self.of_weights:
            unit = diagonals(self.channels, self.count, grad.dtype, grad.device)
            sums = products(self.kept[self.fan.at_mixture + 1], rows)
            each = (sums.view(-1, self.channels, sums.shape[1]) * unit).sum(1)
            self.slopes.update(zip((i for i, _ in self.fan.linear), each.unbind(), strict=True))
        if not of_x:
            return of_node
        parts = images_of(rows @ factor.t(), grad).split(self.channels, 1)
        for (_, step), part in zip(self.fan.linear, parts, strict=True):
            if step is not None:
                place, layer = step
                value, *statistics = self.kept[place : place + 3]
                part, _ = norm_gradients(in_layout(part), value, None, statistics)
                part = pooling_gradient(layer, part, x, *self.kept[place + 3 : place + 4])
            of_node = part if of_node is None else of_node.add_(part)
        return of_node

    def reduced(
        self, grad: Tensor, number: int, start: int, place: int, of_active: Tensor | None, of_x: bool
    ) -> Tensor | None:
        """Return the gradient in the node's ReLU with what goes by way of a `FactorizedReduce`."""
        both, matrix = self.kept[place : place + 2]
        of_result = self.normed(grad, number, place + 2)
        rows, count, channels = rows_of(of_result), self.count, self.channels
        if self.of_filters:
            each = products(rows_of(both), rows).view(2, channels, count, channels).permute(0, 2, 3, 1)[..., None, None]
            half = channels - channels // 2
            self.put(start, each[0, :, :half].contiguous())
            self.put(start + 1, each[1, :, half:].contiguous())
        if not of_x:
            return None
        of_active = torch.zeros_like(self.active) if of_active is None else of_active
        even, odd = images_of(rows @ matrix.t(), of_result).split(channels, 1)
        of_active[:, :, ::2, ::2] += even
        height, width = of_active[:, :, 1::2, 1::2].shape[2:]  # at an odd resolution one less: the last are padding
        of_active[:, :, 1::2, 1::2] += odd[:, :, :height, :width]
        return of_active
