"""Layers of the networks for phones: inverted bottlenecks, squeeze-excitation, what is added around them.

An inverted bottleneck (MBConv; Sandler et al. 2018) widens with a 1×1 convolution, filters each channel alone with a
k×k one, and narrows with a 1×1 convolution that no activation follows. With expansion 1 the first is left out, and a
depthwise separable convolution remains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..weights import initialize
from .ops import Conv2d, Linear

Layer = Callable[[int, int, int, int, float], nn.Module]  # inputs, outputs, kernel, stride, squeeze ratio
Skip = Callable[[int, int, int], nn.Module]  # inputs, outputs, stride


def divisible(channels: float, divisor: int = 8) -> int:
    """``channels`` rounded to a multiple of ``divisor``, at least one, and never more than 10 % down.

    The rounding of the MobileNets' published code, and of all that descend from it.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * channels else rounded + divisor


def conv_bn(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, activation: type[nn.Module] = nn.ReLU
) -> nn.Sequential:
    """Convolution that keeps the resolution (divided by the stride), batch-norm, activation (nn.Identity for none)."""
    kind = Depthwise if groups == inputs == outputs else Conv2d
    convolution = kind(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    layers = [convolution, nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers) if activation is nn.Identity else nn.Sequential(*layers, activation())


class Depthwise(Conv2d):
    """A depthwise convolution that trains fast on tiny images too.

    torch's backward pass on a CPU takes three to five times as long where the kernel is larger than the image, as a 7×7
    one is on the labs' images of 2×2 to 4×4. There, while training, each channel is multiplied by the matrix that its
    filter is. The same sums, in another order.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, channels, ⌈height/stride⌉, ⌈width/stride⌉)."""
        height, width = x.shape[-2:]
        kernel, stride = self.kernel_size[0], self.stride[0]
        if x.device.type != "cpu" or not self.training or kernel <= min(height, width):
            return super().forward(x)
        taken, size = _taken(height, width, kernel, stride)
        filters = F.pad(self.weight.flatten(1), (0, 1))  # one more value, 0, for what lies beyond the filter
        matrices = filters.index_select(1, taken).view(len(filters), -1, height * width)
        y = x.transpose(0, 1).flatten(2) @ matrices.transpose(1, 2)
        return y.view(len(filters), -1, *size).transpose(0, 1).contiguous(memory_format=torch.channels_last)


@lru_cache(maxsize=64)
def _taken(height: int, width: int, kernel: int, stride: int) -> tuple[Tensor, tuple[int, int]]:
    """Which value of a padded kernel multiplies each input (fast) for each output, k² for none; the output's size."""
    size = -(-height // stride), -(-width // stride)
    rows, columns = (
        torch.arange(side) - stride * torch.arange(out)[:, None] + kernel // 2
        for side, out in zip((height, width), size, strict=True)
    )
    inside = [(0 <= steps) & (steps < kernel) for steps in (rows, columns)]
    value = kernel * rows[:, None, :, None] + columns[None, :, None, :]
    within = inside[0][:, None, :, None] & inside[1][None, :, None, :]
    return torch.where(within, value, kernel * kernel).flatten(), size


class SqueezeExcite(nn.Module):
    """Weights each channel by what the whole image holds (Hu et al. 2018): x · gate(W₂ relu(W₁ mean(x))).

    Parameters
    ----------
    channels, squeezed : int
        Of the input, and between the two linear maps.
    gate : class of nn.Module
        To [0, 1]: nn.Sigmoid, or nn.Hardsigmoid in MobileNetV3.
    """

    def __init__(self, channels: int, squeezed: int, gate: type[nn.Module] = nn.Sigmoid):
        super().__init__()
        self.weights = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), Conv2d(channels, squeezed, 1), nn.ReLU(), Conv2d(squeezed, channels, 1), gate()
        )

    def forward(self, x: Tensor) -> Tensor:
        """``x`` and the result: float (batch, channels, height, width)."""
        return x * self.weights(x)


def mbconv(
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int,
    *,
    middle: int,
    squeezed: int = 0,
    activation: type[nn.Module] = nn.ReLU,
    gate: type[nn.Module] = nn.Sigmoid,
) -> nn.Sequential:
    """An inverted bottleneck without what is added around it.

    ``middle`` channels inside; as many as ``inputs``: nothing is widened. ``squeezed`` channels inside the
    squeeze-excitation behind the depthwise convolution; 0: none.
    """
    widen = [conv_bn(inputs, middle, 1, activation=activation)] if middle != inputs else []
    excite = [SqueezeExcite(middle, squeezed, gate)] if squeezed else []
    return nn.Sequential(
        *widen,
        conv_bn(middle, middle, kernel, stride, groups=middle, activation=activation),
        *excite,
        conv_bn(middle, outputs, 1, activation=nn.Identity),
    )


# ------------------------------------------------------------------------------------------- what MnasNet chooses from
def _squeezed(inputs: int, ratio: float) -> int:
    """Of the channels that enter the block, not of the widened ones; 0 for ratio 0."""
    return max(1, int(inputs * ratio)) if ratio else 0


def full_conv(inputs: int, outputs: int, kernel: int, stride: int, ratio: float) -> nn.Module:
    """k×k convolution over all channels, batch-norm, ReLU."""
    convolution = conv_bn(inputs, outputs, kernel, stride)
    if ratio:
        convolution.append(SqueezeExcite(outputs, _squeezed(inputs, ratio)))
    return convolution


def expanded(expansion: int, inputs: int, outputs: int, kernel: int, stride: int, ratio: float) -> nn.Module:
    """Inverted bottleneck with ReLU, ``expansion`` times the inputs' channels inside."""
    middle = expansion * inputs
    return mbconv(inputs, outputs, kernel, stride, middle=middle, squeezed=_squeezed(inputs, ratio))


MNASNET: Mapping[str, Layer] = MappingProxyType(
    {
        "conv": full_conv,
        "sepconv": partial(expanded, 1),
        "mbconv3": partial(expanded, 3),
        "mbconv6": partial(expanded, 6),
    }
)


class PooledSkip(nn.Module):
    """Mean of the 3×3 neighbours at the layer's stride; channels beyond the input's are zero, those too many cut."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.pool = nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
        self.more = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, ⌈height/stride⌉, ⌈width/stride⌉)."""
        return F.pad(self.pool(x), (0, 0, 0, 0, 0, self.more))  # a negative padding cuts


class Skipped(nn.Module):
    """A layer plus what leads around it."""

    def __init__(self, body: nn.Module, around: nn.Module):
        super().__init__()
        self.body, self.around = body, around

    def forward(self, x: Tensor) -> Tensor:
        """``body(x) + around(x)``."""
        return self.body(x) + self.around(x)


def with_identity(layer: nn.Module) -> nn.Module:
    """A layer that keeps resolution and channels, plus its input."""
    return Skipped(layer, nn.Identity())


# ------------------------------------------------------------------------------------------------------ whole networks
class Resize(nn.Module):
    """Images at ``share`` of their height and width, rounded, bilinear: the elastic resolution of Once-for-all."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """(batch, colors, height, width) to the same at the smaller size."""
        size = [max(1, round(side * self.share)) for side in x.shape[-2:]]
        if size == list(x.shape[-2:]):
            return x
        return F.interpolate(x, size, mode="bilinear", antialias=not x.is_meta, align_corners=False)


def classifier(inputs: int, head: int, classes: int) -> nn.Sequential:
    """1×1 convolution to ``head`` channels, batch-norm, ReLU, mean over the image, linear."""
    return nn.Sequential(conv_bn(inputs, head, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(head, classes))


def finished(layers: list[nn.Module], generator: torch.Generator | None) -> nn.Sequential:
    """The layers in sequence, weights drawn from ``generator`` (None: one with seed 0), in the faster memory format."""
    network = nn.Sequential(*layers)
    initialize(network, generator or torch.Generator().manual_seed(0))
    return network.to(memory_format=torch.channels_last)


def bottlenecks(blocks, stem: int, head: int, classes: int) -> list[nn.Module]:
    """A published network of MnasNet's kind, from its table, for images of three colors.

    Parameters
    ----------
    blocks : iterable of (kind, kernel, squeeze ratio, outputs, strides)
        One a layer, ``kind`` of `MNASNET`. Where a layer keeps channels and resolution, its input is added.
    stem, head, classes : int
        Channels of the 3×3 convolution of stride 2 that begins, of the 1×1 convolution that ends, and classes.
    """
    layers: list[nn.Module] = [conv_bn(3, stem, 3, 2)]
    inputs = stem
    for kind, kernel, ratio, outputs, stride in blocks:
        layer = MNASNET[kind](inputs, outputs, kernel, stride, ratio)
        layers.append(with_identity(layer) if stride == 1 and inputs == outputs else layer)
        inputs = outputs
    return [*layers, classifier(inputs, head, classes)]
