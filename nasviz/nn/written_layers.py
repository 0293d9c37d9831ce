"""The layers of a written-out training step: filters, batch-norms, neighbours and poolings, forwards and backwards.

`nasviz.nn.written_out` makes networks of them, and says what a value is: a matrix with a row for each channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import cast

import torch
from torch import Tensor, nn

from .ops import Conv2d
from .rows import near

Shape = tuple[int, int, int, int]  # channels, height, width, batch


class Room:
    """Memory for what is soon used up: one tensor of each purpose and shape, which all layers share.

    What is as large as a layer is not allocated anew in each step: the system may take freed memory back, and fills
    what it gives again with zeros, which took a quarter of a step.
    """

    def __init__(self, like: Tensor):
        self.like = like
        self.tensors: dict[tuple[str, tuple[int, ...]], Tensor] = {}

    def take(self, purpose: str, shape: tuple[int, ...]) -> Tensor:
        if (purpose, shape) not in self.tensors:
            self.tensors[purpose, shape] = self.like.new_empty(shape)
        return self.tensors[purpose, shape]


class Learnt:
    """What a step adds to gradients, at its end and all at once."""

    def __init__(self) -> None:
        self.gradients: list[Tensor] = []
        self.parts: list[Tensor] = []

    def of(self, gradient: Tensor | None, part: Tensor) -> None:
        self.gradients.append(cast("Tensor", gradient))
        self.parts.append(part)

    def add(self) -> None:
        torch._foreach_add_(self.gradients, self.parts)
        self.gradients.clear()
        self.parts.clear()


class Filters:
    """Filters of one kernel size that read the same node, as rows of a matrix (outputs, neighbours · inputs)."""

    def __init__(self, layers: Sequence[Conv2d]):
        self.rows = [_rows(layer.weight.detach()) for layer in layers]
        self.gradients = [_rows(cast("Tensor", layer.weight.grad)) for layer in layers]
        self.outputs = sum(map(len, self.rows))

    def __bool__(self) -> bool:
        return bool(self.rows)

    def together(self) -> Tensor:
        """Return all filters, which stay as ``packed`` for the way back."""
        self.packed = self.rows[0] if len(self.rows) == 1 else torch.cat(self.rows)
        return self.packed

    def learn(self, slope: Tensor, learnt: Learnt) -> None:
        parts = [slope] if len(self.rows) == 1 else slope.split(len(self.rows[0]))
        for gradient, part in zip(self.gradients, parts, strict=True):
            learnt.of(gradient, part)


class Norms:
    """Batch-norms of one width, side by side. All that belongs to channels is a column.

    Attributes
    ----------
    rows : (channels of all, n)
        What is normalised, minus its means.
    mean, length, inverse, scale : (channels of all, 1)
        The means, the lengths of the centred rows, 1/√(variance + ε), and this times the weights.
    """

    def __init__(self, layers: Sequence[nn.BatchNorm2d]):
        self.layers, self.channels, self.eps = layers, layers[0].num_features, layers[0].eps
        self.weights, self.shifts = ([column(getattr(layer, name)) for layer in layers] for name in ("weight", "bias"))
        self.gradients = [column(cast("Tensor", w.grad)) for layer in layers for w in (layer.weight, layer.bias)]
        self.shift = self.shifts[0]

    def prepare(self, count: int, room: Room) -> None:
        self.count = count
        self.least = room.like.new_tensor(sqrt(count * self.eps))
        shape = len(self.layers) * self.channels, count
        self.rows = room.like.new_empty(shape)
        self.slope, self.work = room.take("slope", shape), room.take("work", shape)

    def parts(self, joined: Tensor) -> Sequence[Tensor]:
        """Split what belongs to all channels by the batch-norms."""
        return [joined] if len(self.layers) == 1 else joined.split(self.channels)

    def centre(self) -> None:
        """Take the statistics of ``rows``, and subtract their means."""
        self.mean = self.rows.mean(1, keepdim=True)
        self.rows.sub_(self.mean)
        self.length = torch.linalg.vector_norm(self.rows, dim=1, keepdim=True)
        self.inverse = torch.hypot(self.length, self.least).reciprocal_().mul_(sqrt(self.count))
        self.scale = self.inverse * (self.weights[0] if len(self.weights) == 1 else torch.cat(self.weights))

    def variance(self) -> Tensor:
        """Return the variance that is kept for evaluation: divided by n - 1."""
        return self.length.square().div_(self.count - 1)

    def back(self, slopes: Sequence[Tensor], total: Tensor, learnt: Learnt) -> Tensor:
        """Return the gradient by what was normalised, in memory that the next batch-norm uses again.

        ``slopes`` are those by the result of each batch-norm, and ``total`` (channels of all, 1) their sums.

        With z = rows · inverse and n columns: of a weight Σ slope·z, of a shift Σ slope, of the input
        scale · (slope − Σ slope / n − z · Σ slope·z / n).
        """
        slope = slopes[0] if len(slopes) == 1 else torch.cat(list(slopes), out=self.slope)
        of_weight = sums_of(torch.mul(slope, self.rows, out=self.work)).mul_(self.inverse)
        for i, (one, other) in enumerate(zip(self.parts(of_weight), self.parts(total), strict=True)):
            learnt.of(self.gradients[2 * i], one)
            learnt.of(self.gradients[2 * i + 1], other)
        factor = self.scale / -self.count
        along = (self.inverse * of_weight).mul_(factor)
        return torch.mul(slope, self.scale, out=self.work).add_(factor.mul_(total)).addcmul_(self.rows, along)


class Neighbours:
    """The 3×3 neighbours of each pixel, zeros outside the image, for values of one shape.

    Attributes
    ----------
    columns : (9 · channels, n)
        Rows of neighbours: first those above on the left. The memory is shared, and gathering them again on the way
        back is as fast as to fetch them from where they were kept.
    pixels : (channels, n)
        The rows of the pixels themselves, a part of ``columns``.
    size : (height, width)
        ⌈size/stride⌉.
    """

    def __init__(self, shape: Shape, stride: int, room: Room):
        channels, height, width, batch = self.shape = shape
        canvas = room.like.new_zeros(channels, height + 2, width + 2, batch)
        self.inside = canvas[:, 1:-1, 1:-1]
        self.size = rows, columns = -(-height // stride), -(-width // stride)
        channel, down, across, _ = canvas.stride()
        places = (3, 3, channels, rows, columns, batch)
        self.windows = canvas.as_strided(places, (down, across, channel, stride * down, stride * across, 1))
        filled = room.take("neighbours", places)
        self.filled, self.columns = filled, filled.view(9 * channels, -1)
        self.pixels = filled[1, 1].view(channels, -1)
        self.sums = room.take("sums", tuple(canvas.shape))
        ends = 1 + stride * (rows - 1), 1 + stride * (columns - 1)
        self.pairs = [
            (self.sums[:, i : i + ends[0] : stride, j : j + ends[1] : stride], filled[i, j])
            for i in range(3)
            for j in range(3)
        ]

    def read(self, x: Tensor, active: bool) -> None:
        """Take the values ``x``, after a ReLU if ``active``."""
        if active:
            torch.clamp_min(x.view(self.shape), 0, out=self.inside)
        else:
            self.inside.copy_(x)

    def gathered(self) -> Tensor:
        """Return ``columns``, filled with the neighbours of the values."""
        self.filled.copy_(self.windows)
        return self.columns

    def scattered(self) -> Tensor:
        """Return at each pixel the sum of what stands for it in ``columns``, in the shape of the values."""
        self.sums.zero_()
        for place, part in self.pairs:
            place.add_(part)
        return self.sums[:, 1:-1, 1:-1]


class Pooling:
    """Mean of the 3×3 neighbours inside the image: first across, then down, as products with two small matrices."""

    def __init__(self, shape: Shape, like: Tensor):
        self.shape = shape
        self.down, self.across = (_means(size, like) for size in shape[1:3])

    def __call__(self, x: Tensor) -> Tensor:
        return self._both(self.down, self.across, x)

    def back(self, slope: Tensor) -> Tensor:
        return self._both(self.down.t(), self.across.t(), slope)

    def _both(self, down: Tensor, across: Tensor, x: Tensor) -> Tensor:
        channels, height, width, batch = self.shape
        rows = torch.matmul(across, x.view(-1, width, batch))
        return torch.matmul(down, rows.view(channels, height, -1)).view(x.shape)


def _means(size: int, like: Tensor) -> Tensor:
    inside = near(like.new_ones(size, size))
    return inside / inside.sum(1, keepdim=True)


def _rows(filters: Tensor) -> Tensor:
    """Return filters (outputs, inputs, height, width), channels last, as a view (outputs, height · width · inputs)."""
    return filters.permute(0, 2, 3, 1).view(len(filters), -1)


def column(weights: Tensor) -> Tensor:
    return weights.detach()[:, None]


def sums_of(rows: Tensor) -> Tensor:
    return rows.sum(1, keepdim=True)
