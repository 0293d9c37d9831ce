"""Operations of the two-input cells, DARTS's and NASNet's: ``factory(channels, stride, inputs) -> Module``.

The module of a factory maps ``inputs`` channels (by default ``channels``) to ``channels``; it divides the resolution by
``stride``, 1 or 2, rounded up. Two tables hold the factories for the papers' names: `DARTS` for Liu et al. 2019 and its
successors, `NASNET` for the 13 operations of Zoph et al. 2018. ENAS and AmoebaNet use some of these 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .ops import Conv2d, Zero, in_layout

Factory = Callable[..., nn.Module]


# ------------------------------------------------------------------------------------------------------ building blocks
def relu_conv_bn(inputs: int, outputs: int, kernel: int | tuple[int, int] = 1, **how) -> nn.Sequential:
    """Build ReLU, convolution, batch-norm, padded so that stride 1 keeps the resolution. ``how``: stride, dilation."""
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    dilation = how.get("dilation", 1)
    padding = (height // 2 * dilation, width // 2 * dilation)
    convolution = Conv2d(inputs, outputs, (height, width), padding=padding, bias=False, **how)
    return nn.Sequential(nn.ReLU(), convolution, nn.BatchNorm2d(outputs))


def relu_separable_bn(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Build ReLU, a depthwise convolution of each channel, a 1×1 convolution across channels, batch-norm."""
    padding = kernel // 2 * dilation
    kind = Conv2d if dilation == 1 else DilatedDepthwise
    depthwise = kind(inputs, inputs, kernel, stride, padding, dilation, groups=inputs, bias=False)
    return nn.Sequential(nn.ReLU(), depthwise, Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


class DilatedDepthwise(Conv2d):
    """A depthwise convolution with dilation 2, computed as ordinary convolutions.

    With dilation 2, pixels of even and of odd rows never meet, and columns likewise. The image is thus split into four
    images of half the size, which are convolved without dilation. Torch's gradient of a dilated depthwise convolution
    takes several times as long on a CPU. With stride 2 only the image of even rows and columns is needed. On a GPU,
    torch's own dilated convolution is used.
    """

    padding: tuple[int, int]  # torch allows words too

    def forward(self, x: Tensor) -> Tensor:
        parts = None if x.is_cuda else self.split(x)
        return super().forward(x) if parts is None else self.joined(self.convolved(parts, self.weight), x)

    def split(self, x: Tensor) -> Tensor | None:
        """Return the images of half the size that are convolved without dilation; None at an odd resolution."""
        batch, channels, height, width = x.shape
        if self.stride == (2, 2):
            return x[:, :, ::2, ::2].contiguous(memory_format=torch.channels_last)
        if height % 2 or width % 2:
            return None
        rows = x.permute(0, 2, 3, 1).reshape(batch, height // 2, 2, width // 2, 2, channels)
        phases = rows.permute(2, 4, 0, 1, 3, 5).reshape(4 * batch, height // 2, width // 2, channels)
        return phases.permute(0, 3, 1, 2)

    def convolved(self, parts: Tensor, filters: Tensor) -> Tensor:
        """Convolve what `split` made with ``filters``, one for each of its channels."""
        return F.conv2d(parts, filters, padding=self.padding[0] // 2, groups=parts.shape[1])

    def joined(self, parts: Tensor, like: Tensor) -> Tensor:
        """Put the parts of the result of an image shaped like ``like`` together."""
        if self.stride == (2, 2):
            return parts
        batch, _, height, width = like.shape
        out = parts.permute(0, 2, 3, 1).reshape(2, 2, batch, height // 2, width // 2, -1).permute(2, 3, 0, 4, 1, 5)
        return out.reshape(batch, height, width, -1).permute(0, 3, 1, 2)


class FactorizedReduce(nn.Module):
    """Half the resolution: ReLU; two 1×1 convolutions of stride 2, the second shifted by one pixel in both directions,
    each to half of the channels; batch-norm.

    It follows the code of DARTS's authors, and equals NASNet's path of two shifted subsamplings. At an odd resolution
    the shifted image is padded by a row and a column of zeros (the code of DARTS stops with an error there).
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.every_second = Subsampled()
        self.first = Conv2d(inputs, outputs - outputs // 2, 1, bias=False)
        self.second = Conv2d(inputs, outputs // 2, 1, bias=False) if outputs > 1 else None
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = x.relu()
        halves = [self.first(self.every_second(x))]
        if self.second is not None:
            halves.append(self.second(self.every_second(F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:])))
        return self.norm(torch.cat(halves, 1))


class Subsampled(nn.Module):
    """Every second pixel in both directions. Before a 1×1 convolution it has the effect of a stride of 2 in it.

    A stride of 2 in the convolution itself is avoided: its gradient writes outside of its memory, with fewer than 8
    channels, channels last, on a CPU (torch 2.14).
    """

    def forward(self, x: Tensor) -> Tensor:
        return in_layout(x[:, :, ::2, ::2])


class Noise(nn.Module):
    """Standard normal noise in the shape of the input: an operation of RobustDARTS's space S4 (Zela et al. 2020).

    Attributes
    ----------
    generator : torch.Generator or None
        Generator on the CPU, from which each call draws, in evaluation too. The network sets it to the generator of its
        weights. A search that keeps that generator's state thus draws the same noise after a resume. A call without a
        generator raises RuntimeError.
    """

    generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if x.is_meta:
            return torch.empty_like(x)
        if self.generator is None:
            raise RuntimeError("this noise has no generator to draw from: set its `generator`")
        return torch.randn(x.shape, generator=self.generator, dtype=x.dtype).to(x.device)


def is_depthwise(layer: nn.Module) -> bool:
    """Return whether a layer convolves each channel by itself; one channel alone does not count."""
    return isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels == layer.out_channels > 1


def is_pointwise(layer: nn.Module) -> bool:
    """Return whether a layer is a 1×1 convolution across all channels, with stride 1."""
    return isinstance(layer, nn.Conv2d) and layer.kernel_size == layer.stride == (1, 1) and layer.groups == 1


# ------------------------------------------------------------------------------------------------------------ factories
def zero(channels: int, stride: int = 1, inputs: int | None = None) -> nn.Module:
    """Build the missing connection, whose output is zero."""
    if (inputs or channels) != channels:
        raise ValueError(f"zero keeps the number of channels, it cannot make {channels} of {inputs}")
    return Zero() if stride == 1 else nn.Sequential(Subsampled(), Zero())


def noise(channels: int, stride: int = 1, inputs: int | None = None) -> nn.Module:
    """Build noise that replaces the input: see `Noise`."""
    if (inputs or channels) != channels:
        raise ValueError(f"noise keeps the number of channels, it cannot make {channels} of {inputs}")
    return Noise() if stride == 1 else nn.Sequential(Subsampled(), Noise())


def skip(channels: int, stride: int = 1, inputs: int | None = None) -> nn.Module:
    """Build the identity, or the simplest layer that changes resolution or channels if they must change.

    At stride 2 this is a `FactorizedReduce` (DARTS, ENAS), for other channels ReLU, 1×1 convolution, batch-norm.
    """
    inputs = inputs or channels
    if stride == 2:
        return FactorizedReduce(inputs, channels)
    return nn.Identity() if inputs == channels else relu_conv_bn(inputs, channels)


def average_pool3x3(channels: int, stride: int = 1, inputs: int | None = None) -> nn.Module:
    """Build the mean of the 3×3 neighbours inside the image: at a border there are fewer, and no padded zeros."""
    return _widened(nn.AvgPool2d(3, stride, padding=1, count_include_pad=False), channels, inputs)


def max_pool(kernel: int) -> Factory:
    """Return a factory of the maximum of ``kernel``×``kernel`` neighbours."""

    def factory(channels: int, stride: int = 1, inputs: int | None = None) -> nn.Module:
        return _widened(nn.MaxPool2d(kernel, stride, padding=kernel // 2), channels, inputs)

    return factory


def separable_twice(kernel: int) -> Factory:
    """Return a factory of two separable convolutions in a row, as in all papers; only the first has the stride."""

    def factory(channels: int, stride: int = 1, inputs: int | None = None) -> nn.Module:
        first = relu_separable_bn(inputs or channels, channels, kernel, stride)
        return nn.Sequential(*first, *relu_separable_bn(channels, channels, kernel))

    return factory


def dilated_separable(kernel: int) -> Factory:
    """Return a factory of one separable convolution with dilation 2 (DARTS)."""

    def factory(channels: int, stride: int = 1, inputs: int | None = None) -> nn.Module:
        return relu_separable_bn(inputs or channels, channels, kernel, stride, dilation=2)

    return factory


def convolution(kernel: int, dilation: int = 1) -> Factory:
    """Return a factory of ReLU, a full convolution, batch-norm."""

    def factory(channels: int, stride: int = 1, inputs: int | None = None) -> nn.Module:
        if kernel == 1 and stride == 2:
            return nn.Sequential(Subsampled(), *relu_conv_bn(inputs or channels, channels))
        return relu_conv_bn(inputs or channels, channels, kernel, stride=stride, dilation=dilation)

    return factory


def factorized(kernel: int) -> Factory:
    """Return a factory of a 1×``kernel`` and then a ``kernel``×1 convolution, each ReLU, convolution, batch-norm."""

    def factory(channels: int, stride: int = 1, inputs: int | None = None) -> nn.Module:
        row = relu_conv_bn(inputs or channels, channels, (1, kernel), stride=(1, stride))
        return nn.Sequential(*row, *relu_conv_bn(channels, channels, (kernel, 1), stride=(stride, 1)))

    return factory


def _widened(pool: nn.Module, channels: int, inputs: int | None) -> nn.Module:
    """Return the pooling; if the channels must change, a ReLU, 1×1 convolution and batch-norm follow it."""
    return pool if inputs in (None, channels) else nn.Sequential(pool, *relu_conv_bn(inputs, channels))


DARTS: Mapping[str, Factory] = MappingProxyType(
    {
        "none": zero,
        "max_pool_3x3": max_pool(3),
        "avg_pool_3x3": average_pool3x3,
        "skip_connect": skip,
        "sep_conv_3x3": separable_twice(3),
        "sep_conv_5x5": separable_twice(5),
        "dil_conv_3x3": dilated_separable(3),
        "dil_conv_5x5": dilated_separable(5),
        "noise": noise,
    }
)
NASNET: Mapping[str, Factory] = MappingProxyType(
    {
        "identity": skip,
        "conv_1x3_3x1": factorized(3),
        "conv_1x7_7x1": factorized(7),
        "dil_conv_3x3": convolution(3, dilation=2),
        "avg_pool_3x3": average_pool3x3,
        "max_pool_3x3": max_pool(3),
        "max_pool_5x5": max_pool(5),
        "max_pool_7x7": max_pool(7),
        "conv_1x1": convolution(1),
        "conv_3x3": convolution(3),
        "sep_conv_3x3": separable_twice(3),
        "sep_conv_5x5": separable_twice(5),
        "sep_conv_7x7": separable_twice(7),
    }
)
