"""Operations, with one factory each: ``factory(channels)`` returns a module that keeps channels and resolution.

Operations of the same name differ between papers (ReLU first or last, batch-norm with weights or without), so each
space has its own table from its names to these factories, and no factory has a switch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

Factory = Callable[[int], nn.Module]
LAYOUTS = {"cuda": torch.contiguous_format}  # devices where channels-last is not the fastest: depthwise layers on a GPU


def in_layout(images: Tensor) -> Tensor:
    """Return images (batch, channels, height, width) in the memory layout that is the fastest on their device."""
    return images.contiguous(memory_format=LAYOUTS.get(images.device.type, torch.channels_last))


class Conv2d(nn.Conv2d):
    """torch's convolution, but only `nasviz.weights.initialize` sets its weights: no global generator is used."""

    def reset_parameters(self) -> None:
        pass


class Linear(nn.Linear):
    """torch's linear layer, but only `nasviz.weights.initialize` sets its weights: no global generator is used."""

    def reset_parameters(self) -> None:
        pass


class Zero(nn.Module):
    """A missing connection: zeros of the input's shape. `CellNetwork` skips such edges instead of adding zeros."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(x.shape)


def zero(channels: int) -> nn.Module:
    """Build the operation "none"."""
    return Zero()


def identity(channels: int) -> nn.Module:
    """Build a skip connection."""
    return nn.Identity()


def relu_conv1x1_bn(channels: int) -> nn.Module:
    """Build ReLU, 1×1 convolution, batch-norm with learned scale and shift (Dong & Yang 2020, section 2.1)."""
    return _relu_conv_bn(channels, channels, kernel=1)


def relu_conv3x3_bn(channels: int) -> nn.Module:
    """Build ReLU, 3×3 convolution, batch-norm with learned scale and shift (Dong & Yang 2020, section 2.1)."""
    return _relu_conv_bn(channels, channels, kernel=3)


def average_pool3x3(channels: int) -> nn.Module:
    """Build the mean of the 3×3 neighbours inside the image: at a border there are fewer, and no padded zeros."""
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


NASBENCH201: Mapping[str, Factory] = MappingProxyType(
    {
        "none": zero,
        "skip_connect": identity,
        "nor_conv_1x1": relu_conv1x1_bn,
        "nor_conv_3x3": relu_conv3x3_bn,
        "avg_pool_3x3": average_pool3x3,
    }
)


# ------------------------------------------------------------------------------------------------------ between stages
def plain_reduction(channels: int) -> nn.Module:
    """Build ReLU, 3×3 convolution of stride 2, batch-norm: twice the channels at half the resolution."""
    return _relu_conv_bn(channels, 2 * channels, kernel=3, stride=2)


class ResidualReduction(nn.Module):
    """NAS-Bench-201's reduction to twice the channels at half the resolution, a basic residual block.

    It adds two branches (Dong & Yang 2020, section 2.1; He et al. 2016). One is two ReLU-convolution-batch-norms, the
    first of stride 2. The other is the input, averaged 2×2 and widened by a 1×1 convolution.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.first = plain_reduction(channels)
        self.second = relu_conv3x3_bn(2 * channels)
        # ceil_mode: an odd resolution is rounded up, as in the strided convolution
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, stride=2, ceil_mode=True), Conv2d(channels, 2 * channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.second(self.first(x))


REDUCTIONS: Mapping[str, Factory] = MappingProxyType({"plain": plain_reduction, "residual": ResidualReduction})


def _relu_conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(),
        Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )
