"""Which networks have their training step written out: those of NAS-Bench-201, small, on a CPU, as they were built."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .cells import Cell, CellNetwork
from .ops import Conv2d, Linear, Zero
from .trial import check_outputs
from .written_out import MOMENTUM, WrittenOut

LARGEST = 300_000  # numbers in the neighbours of a batch's pixels: beyond, they leave the cache, and modules are faster
KINDS = (CellNetwork, Cell, Conv2d, Linear, Zero, nn.Sequential, nn.ModuleList, nn.BatchNorm2d, nn.ReLU, nn.Identity,
         nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Flatten)  # fmt: skip
HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")


def learning(
    network: nn.Module, images: Tensor, batch: int, classes: int, what: str
) -> Callable[[Tensor, Tensor], Tensor]:
    """Return ``step(images, labels)``: it returns the mean cross-entropy, and adds its gradient to the weights.

    The step is written out if the network is plain and small; otherwise torch differentiates it.

    Parameters
    ----------
    network : nn.Module
        In training mode. Its weights have gradients already, as those that a `nasviz.nn.descent.Nesterov` moves.
    images : float (images, colors, height, width)
        What it will be trained on.
    batch : int
        Images in a batch, at most.
    classes : int
        The output must be (batch, classes): see `nasviz.nn.trial.check_outputs` for the error, which begins with
        ``what``.
    """
    if written := written_out(network, images, batch):
        return written

    def step(images: Tensor, labels: Tensor) -> Tensor:
        logits = network(images)
        check_outputs(logits, len(images), classes, what)
        loss = cross_entropy(logits, labels)
        if loss.requires_grad:  # not if chance left out every layer with weights
            loss.backward()
        return loss.detach()

    return step


def written_out(network: nn.Module, images: Tensor, batch: int) -> WrittenOut | None:
    """Return the written-out step of a network; None if it is another network, or a larger one."""
    if not is_plain(network):
        return None
    network = cast("CellNetwork", network)
    _, colors, height, width = images.shape
    numbers = 9 * max(colors, cast("Conv2d", network.stem[0]).out_channels) * height * width * batch
    like = network.classifier.weight
    fits = numbers <= LARGEST and (images.dtype, images.device) == (like.dtype, like.device)
    return WrittenOut(network) if fits else None


def is_plain(network: nn.Module) -> bool:
    """Return whether a network computes what `WrittenOut` computes, and nothing else.

    Its reductions are plain; it has no other layers, no hooks, and no frozen weights or weights without a gradient.
    """
    if type(network) is not CellNetwork or not all(map(_is_known, network.modules())):
        return False
    weights, like = list(network.parameters()), network.classifier.weight
    if like.device.type != "cpu" or not torch.is_floating_point(like):
        return False
    if any(w.grad is None or not w.requires_grad or w.dtype != like.dtype for w in weights):
        return False
    cells = [layer for layer in network.body if isinstance(layer, Cell)]
    branches = [network.stem, *(layer for layer in network.body if not isinstance(layer, Cell))]
    return all(map(_is_branch, branches)) and all(map(_is_plain_cell, cells))


def _is_known(layer: nn.Module) -> bool:
    if type(layer) not in KINDS or any(getattr(layer, name) for name in HOOKS) or "forward" in vars(layer):
        return False
    if isinstance(layer, nn.BatchNorm2d):
        return layer.affine and layer.track_running_stats and layer.momentum == MOMENTUM
    return True


def _is_plain_cell(cell: Cell) -> bool:
    for i in cell.live:
        (source, target), operation = cell.edges[i], cell.operations[i]
        if source >= target:
            return False
        if isinstance(operation, nn.Sequential):
            if not _is_branch(operation) or len(operation) != 3 or cast("Conv2d", operation[1]).stride != (1, 1):
                return False
        elif isinstance(operation, nn.AvgPool2d):
            how = operation.kernel_size, operation.stride, operation.padding, operation.ceil_mode
            if how != (3, 1, 1, False) or operation.count_include_pad or operation.divisor_override is not None:
                return False
        elif not isinstance(operation, nn.Identity):
            return False
    return True


def _is_branch(layer: nn.Module) -> bool:
    """Return whether a layer is a convolution of 1×1 or 3×3 and a batch-norm, or a ReLU before them."""
    kinds = [type(one) for one in layer.children()]
    if type(layer) is not nn.Sequential or kinds not in ([Conv2d, nn.BatchNorm2d], [nn.ReLU, Conv2d, nn.BatchNorm2d]):
        return False
    filters = cast("Conv2d", layer[-2])
    side, stride = filters.kernel_size[0], filters.stride[0]
    how = filters.kernel_size, filters.stride, filters.padding, filters.dilation, filters.groups
    if how != ((side, side), (stride, stride), (side // 2, side // 2), (1, 1), 1) or filters.padding_mode != "zeros":
        return False
    if side not in (1, 3) or (side == 1 and stride != 1) or filters.bias is not None:
        return False
    return filters.weight.permute(0, 2, 3, 1).is_contiguous() and not cast("nn.ReLU", layer[0]).__dict__.get("inplace")
