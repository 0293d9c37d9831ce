"""The loss of a small `CellNetwork` on a batch and its gradient, written out without automatic differentiation.

At the size of the labs a layer computes for some microseconds, and its module and its node in torch's graph take as
long. Three things make a step faster here. The results differ by rounding only:

- A value is a matrix with a row for each channel; its columns are the pixels, and for each pixel the images of the
  batch. So statistics, sums and parts of the channels are contiguous, and a shift by one pixel moves a whole batch.
- A convolution is one matrix product with the 3×3 neighbours of each pixel as rows (Chellapilla et al. 2006, "High
  performance convolutional neural networks for document processing").
- All convolutions that read one node share its ReLU, its neighbours, one product for each kernel, and the passes of
  batch-norm. All poolings that read one node are one pooling.

Which networks these are is said in `nasviz.nn.plain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

import torch
from torch import Tensor, nn

from .cells import Cell, CellNetwork
from .ops import Conv2d, Linear
from .written_layers import Filters, Learnt, Neighbours, Norms, Pooling, Room, Shape, column, sums_of

MOMENTUM = 0.1  # share of a batch in the running statistics
_where_positive = torch.ops.aten.threshold_backward.default


class WrittenOut:
    """``step(images, labels)`` returns the mean cross-entropy in training mode, and adds to the weights' gradients.

    The running statistics of batch-norms move as in a pass through the network. Weights on which the loss does not
    depend keep their gradients untouched.

    Parameters
    ----------
    network : CellNetwork
        One that is plain (`nasviz.nn.plain.is_plain`). Its weights have gradients, and neither the weights nor the
        gradients become other tensors later.
    """

    def __init__(self, network: CellNetwork):
        self.network = network
        self.shape: tuple[int, ...] = ()  # of the images for which there is memory
        self.stem = _Fan([cast("nn.Sequential", network.stem)])
        self.body = [
            _WrittenCell(layer) if isinstance(layer, Cell) else _Fan([cast("nn.Sequential", layer)])
            for layer in network.body
        ]
        self.norm = Norms([cast("nn.BatchNorm2d", cast("nn.Sequential", network.head)[0])])
        self.norms = [self.stem.norm]
        for layer in self.body:
            self.norms += [fan.norm for fan in layer.fans.values()] if isinstance(layer, _WrittenCell) else [layer.norm]
        self.norms.append(self.norm)
        layers = [layer for norms in self.norms for layer in norms.layers]
        self.running = [column(getattr(layer, name)) for name in ("running_mean", "running_var") for layer in layers]
        self.counts = [cast("Tensor", layer.num_batches_tracked) for layer in layers]
        self.learnt = Learnt()

    @torch.no_grad()
    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """Images: float (batch, colors, height, width); labels: whole numbers (batch). Return the loss, a scalar."""
        if self.shape != images.shape:
            self._prepare(images)
        x = self.stem.through(images.permute(1, 2, 3, 0))
        for layer in self.body:
            x = layer.through(x)
        loss, slope = self._judged(x, labels)
        for layer in reversed(self.body):
            if slope is not None:  # which it is behind a cell without a way through it
                slope = layer.back(slope, self.learnt)
        if slope is not None:
            self.stem.learn([slope], [sums_of(slope)], self.learnt)
        self.learnt.add()
        self._run()
        return loss

    def _prepare(self, images: Tensor) -> None:
        """Make the memory for batches of this shape; an earlier shape's is given back."""
        self.shape, room = images.shape, Room(images)
        batch, colors, height, width = images.shape
        shape = self.stem.prepare((colors, height, width, batch), room)
        for layer in self.body:
            shape = layer.prepare(shape, room)
        self.norm.prepare(prod(shape[1:]), room)

    def _judged(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the loss, and its gradient by ``x``, the output of the last cell."""
        classifier = cast("Linear", self.network.classifier)
        weight, bias, batch = classifier.weight, classifier.bias, len(labels)
        self.norm.rows.copy_(x)
        self.norm.centre()
        active = (self.norm.rows * self.norm.scale).add_(self.norm.shift).relu_().view(len(x), -1, batch)
        features = active.mean(1)
        logs = torch.addmm(bias[:, None], weight, features).log_softmax(0)
        right = labels[None]
        loss = logs.gather(0, right).mean().neg()
        slope = logs.exp_().scatter_add_(0, right, logs.new_full((1, batch), -1.0)).div_(batch)
        self.learnt.of(bias.grad, slope.sum(1))
        self.learnt.of(weight.grad, slope @ features.t())
        of_mean = (weight.t() @ slope).div_(active.shape[1])
        of_active = _where_positive(of_mean[:, None].expand_as(active), active, 0).view(x.shape)
        return loss, self.norm.back([of_active], sums_of(of_active), self.learnt).clone()

    def _run(self) -> None:
        """Move the running means and variances (divided by n - 1)."""
        means = [part for norms in self.norms for part in norms.parts(norms.mean)]
        variances = [part for norms in self.norms for part in norms.parts(norms.variance())]
        torch._foreach_lerp_(self.running, means + variances, MOMENTUM)
        torch._foreach_add_(self.counts, 1)


class _WrittenCell:
    """The live edges of a `Cell`, by the nodes that they leave."""

    def __init__(self, cell: Cell):
        self.last = cell.nodes - 1
        self.sources = sorted({cell.edges[i][0] for i in cell.live})
        branches: dict[int, list[tuple[int, nn.Sequential]]] = {}
        self.skips: dict[int, list[int]] = {}  # target nodes, by source
        self.pools: dict[int, list[int]] = {}
        self.shifts: dict[int, list[Tensor]] = {}  # of all batch-norms that add to a node
        for i in cell.live:
            (source, target), operation = cell.edges[i], cell.operations[i]
            if isinstance(operation, nn.Sequential):
                branches.setdefault(source, []).append((target, operation))
                self.shifts.setdefault(target, []).append(column(cast("Tensor", operation[-1].bias)))
            elif isinstance(operation, nn.AvgPool2d):
                self.pools.setdefault(source, []).append(target)
            else:
                self.skips.setdefault(source, []).append(target)
        self.fans: dict[int, _Fan] = {}
        self.targets: dict[int, list[int]] = {}
        for source, leaving in branches.items():
            leaving.sort(key=lambda edge: -_kernel(edge[1]))
            self.targets[source] = [target for target, _ in leaving]
            self.fans[source] = _Fan([branch for _, branch in leaving])

    def prepare(self, shape: Shape, room: Room) -> Shape:
        self.pooling = Pooling(shape, room.like)
        for fan in self.fans.values():
            fan.prepare(shape, room)
        return shape

    def through(self, x: Tensor) -> Tensor:
        values: list[Tensor | None] = [x] + [None] * self.last
        for source in self.sources:
            value = self._complete(values, source)
            if source in self.fans:
                fan = self.fans[source]
                fan.normed(value)
                for target, rows, scale in zip(
                    self.targets[source], fan.norm.parts(fan.norm.rows), fan.norm.parts(fan.norm.scale), strict=True
                ):
                    sum_ = values[target]
                    values[target] = rows * scale if sum_ is None else sum_.addcmul_(rows, scale)
            carried = [(target, value) for target in self.skips.get(source, ())]
            if source in self.pools:
                pooled = self.pooling(value)
                carried += [(target, pooled) for target in self.pools[source]]
            for target, part in carried:
                sum_ = values[target]
                values[target] = part.clone() if sum_ is None else sum_.add_(part)
        return self._complete(values, self.last) if self.sources else torch.zeros_like(x)

    def _complete(self, values: Sequence[Tensor | None], node: int) -> Tensor:
        """Return the value of a node, all of whose entering edges have been added."""
        value = cast("Tensor", values[node])
        return value.add_(_sum(self.shifts[node])) if node in self.shifts else value

    def back(self, slope: Tensor, learnt: Learnt) -> Tensor | None:
        """Return the gradient by the input; None if the output does not depend on it."""
        if not self.sources:
            return None
        slopes = {self.last: slope}
        sums: dict[int, Tensor] = {}
        for source in reversed(self.sources):
            parts = [slopes[target] for target in self.skips.get(source, ())]
            if source in self.pools:
                parts.append(self.pooling.back(_sum([slopes[target] for target in self.pools[source]])))
            if source in self.fans:
                targets = self.targets[source]
                sums |= {target: sums_of(slopes[target]) for target in targets if target not in sums}
                parts.append(
                    self.fans[source].back_through([slopes[t] for t in targets], [sums[t] for t in targets], learnt)
                )
            slopes[source] = _sum(parts)
        return slopes[0]


class _Fan:
    """Branches that read one node: ReLU (the stem has none), convolution, batch-norm. Those with 3×3 kernels first."""

    def __init__(self, branches: Sequence[nn.Sequential]):
        self.active = isinstance(branches[0][0], nn.ReLU)
        self.norm = Norms([cast("nn.BatchNorm2d", branch[-1]) for branch in branches])
        filters = [cast("Conv2d", branch[-2]) for branch in branches]
        self.stride = filters[0].stride[0]
        self.wide, self.narrow = (
            Filters([layer for layer in filters if layer.kernel_size[0] == side]) for side in (3, 1)
        )

    def prepare(self, shape: Shape, room: Room) -> Shape:
        """Make the memory for values of this shape, and return the shape of a branch's output."""
        self.neighbours = Neighbours(shape, self.stride, room) if self.wide else None
        size = self.neighbours.size if self.neighbours else shape[1:3]
        result = (self.norm.channels, *size, shape[3])
        self.norm.prepare(prod(result[1:]), room)
        return result

    def through(self, x: Tensor) -> Tensor:
        """Return the output of the only branch. The stem's ``x`` has the four dimensions of its shape."""
        self.normed(x)
        return (self.norm.rows * self.norm.scale).add_(self.norm.shift)

    def back(self, slope: Tensor, learnt: Learnt) -> Tensor:
        """Return the gradient by the input of the only branch."""
        return self.back_through([slope], [sums_of(slope)], learnt)

    def normed(self, x: Tensor) -> None:
        """Leave in ``norm`` the convolved and centred rows of all branches, and the factors that normalise them."""
        self.x, wide, narrow = x, self.wide, self.narrow
        if self.neighbours:
            self.neighbours.read(x, self.active)
            columns = self.neighbours.gathered()
            self.pixels = self.neighbours.pixels
            torch.mm(wide.together(), columns, out=self.norm.rows[: wide.outputs])
        else:
            self.pixels = x.relu()
        if narrow:
            torch.mm(narrow.together(), self.pixels, out=self.norm.rows[wide.outputs :])
        self.norm.centre()

    def learn(self, slopes: Sequence[Tensor], sums: Sequence[Tensor], learnt: Learnt) -> tuple[Tensor, Tensor]:
        """Note the gradients of all weights, from those by the branches' outputs and their sums over the columns.

        Return the gradients by the results of the 3×3 and of the 1×1 convolutions.
        """
        total = sums[0] if len(sums) == 1 else torch.cat(list(sums))
        rows = self.norm.back(slopes, total, learnt)
        of_wide, of_narrow = rows[: self.wide.outputs], rows[self.wide.outputs :]
        if self.neighbours:
            self.wide.learn(of_wide @ self.neighbours.gathered().t(), learnt)
        if self.narrow:
            self.narrow.learn(of_narrow @ self.pixels.t(), learnt)
        return of_wide, of_narrow

    def back_through(self, slopes: Sequence[Tensor], sums: Sequence[Tensor], learnt: Learnt) -> Tensor:
        """Do what `learn` does, and return the gradient by the node."""
        of_wide, of_narrow = self.learn(slopes, sums, learnt)
        of_pixels = self.narrow.packed.t() @ of_narrow if self.narrow else None
        if not self.neighbours:
            return _where_positive(cast("Tensor", of_pixels), self.x, 0)
        # the columns have served, so that their gradient takes their memory
        torch.mm(self.wide.packed.t(), of_wide, out=self.neighbours.columns)
        result = self.neighbours.scattered()
        if of_pixels is not None:
            result.add_(of_pixels.view(result.shape))
        return _where_positive(result, self.x.view(result.shape), 0).view(self.x.shape)


def _sum(parts: Sequence[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _kernel(branch: nn.Sequential) -> int:
    return cast("Conv2d", branch[-2]).kernel_size[0]
