"""The gradient of depthwise filters where oneDNN, with which torch computes it on a CPU, has no fast kernel.

Each of the two ways below takes a half to a tenth of the time of the kernel that oneDNN falls back to (oneDNN 3.12).
"""

from __future__ import annotations

from functools import cache, lru_cache

import torch
from torch import Tensor

from .ops import in_layout

_convolution_backward = torch.ops.aten.convolution_backward.default
FEW = 16  # pixels of an image, up to which all pairs of pixels are few
LARGE = 2**16  # numbers in a batch, from which five more calls of torch take less time than they save


def depthwise_filters_gradient(grad: Tensor, x: Tensor, filters: Tensor, padding: int) -> Tensor | None:
    """Return the gradient of square filters, (channels, 1, side, side), with stride 1; None where torch's is fast.

    ``grad``, ``x``: (batch, channels, height, width), channels-last, of the result and of what was convolved.
    """
    side, (height, width) = filters.shape[3], x.shape[2:]
    if x.device.type != "cpu" or padding != side // 2:
        return None
    if side > min(height, width):
        return _by_pairs(grad, x, side) if height * width <= FEW else None
    large = x.dtype == torch.float32 and x.numel() >= LARGE
    return _by_columns(grad, x, filters) if side == 5 and large and _has_small_registers() else None


def _by_pairs(grad: Tensor, x: Tensor, side: int) -> Tensor:
    """Return the gradient from the products of all pairs of pixels: an image is smaller than the filters.

    Of a channel: M = Σ over images of g·xᵀ, (pixels, pixels); each weight of the filter belongs to some of the pairs.
    """
    batch, channels, height, width = x.shape
    of_result = grad.permute(1, 2, 3, 0).reshape(channels, -1, batch)
    images = x.permute(1, 0, 2, 3).reshape(channels, batch, -1)
    pairs = torch.bmm(of_result, images).view(channels, -1)
    return (pairs @ _weights_of_pairs(height, width, side, x.dtype)).view(channels, 1, side, side)


@lru_cache(maxsize=64)
def _weights_of_pairs(height: int, width: int, side: int, dtype: torch.dtype) -> Tensor:
    """Return (pairs of pixels, weights of a filter): 1 where the weight takes the second pixel to the first."""
    with torch.inference_mode(False):
        down, across = (_weights_in_line(size, side, dtype) for size in (height, width))
        return torch.einsum("abi,cdj->acbdij", down, across).reshape(-1, side * side)


def _weights_in_line(size: int, side: int, dtype: torch.dtype) -> Tensor:
    """Return (pixels, pixels, weights) of a line of pixels."""
    place = torch.arange(size, device="cpu")
    weight = place - place[:, None] + side // 2
    return (weight[:, :, None] == torch.arange(side, device="cpu")).to(dtype)


@cache
def _has_small_registers() -> bool:
    """Return whether oneDNN's fast kernel takes filters of three columns at most, as with the registers of AVX2."""
    return torch.backends.cpu.get_cpu_capability() == "AVX2"


def _by_columns(grad: Tensor, x: Tensor, filters: Tensor) -> Tensor:
    """Return the gradient of filters 5×5: of the three columns in the middle, and of each of the others.

    What a column at the side reads is the image, moved by two pixels.
    """
    parts = []
    for columns, images, of_result in (
        (slice(0, 1), x[..., :-2], grad[..., 2:]),
        (slice(1, 4), x, grad),
        (slice(4, 5), x[..., 2:], grad[..., :-2]),
    ):
        some = filters[..., columns].contiguous()
        how = [1, 1], [2, some.shape[3] // 2], [1, 1], False, [0, 0], len(filters)
        images, of_result = in_layout(images), in_layout(of_result)
        parts.append(_convolution_backward(of_result, images, some, None, *how, [False, True, False])[1])
    return torch.cat(parts, 3)
