"""Layers of the networks for phones: inverted bottlenecks, squeeze-excitation, and the skips around them.

An inverted bottleneck (MBConv; Sandler et al. 2018) widens with a 1×1 convolution, filters each channel alone with a
k×k one, and narrows with a 1×1 convolution without activation. With expansion 1 there is no first convolution: the rest
is a depthwise separable convolution.
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

Layer = Callable[..., nn.Module]  # inputs, outputs, kernel, stride, squeeze ratio
Skip = Callable[[int, int, int], nn.Module]  # inputs, outputs, stride


def divisible(channels: float, divisor: int = 8) -> int:
    """Round ``channels`` to a multiple of ``divisor``, at least ``divisor``, and at most 10 % down.

    This is the rounding in the published code of the MobileNets, and of the networks that derive from them.
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

    torch's backward pass on a CPU takes three to five times as long if the kernel is larger than the image, such as a
    7×7 kernel on the labs' images of 2×2 to 4×4. For such images, in training, each channel is multiplied by a matrix
    that does the same as its filter. The sums are the same, in another order.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to (batch, channels, ⌈height/stride⌉, ⌈width/stride⌉)."""
        height, width = x.shape[-2:]
        kernel, stride = self.kernel_size[0], self.stride[0]
        if x.device.type != "cpu" or not self.training or kernel <= min(height, width):
            return super().forward(x)
        taken, size = _taken(height, width, kernel, stride)
        filters = F.pad(self.weight.flatten(1), (0, 1))  # one more value, 0, for pixels outside the filter
        matrices = filters.index_select(1, taken).view(len(filters), -1, height * width)
        y = x.transpose(0, 1).flatten(2) @ matrices.transpose(1, 2)
        return y.view(len(filters), -1, *size).transpose(0, 1).contiguous(memory_format=torch.channels_last)


@lru_cache(maxsize=64)
def _taken(height: int, width: int, kernel: int, stride: int) -> tuple[Tensor, tuple[int, int]]:
    """Return the filter's value for each pair (output, input), inputs fastest, and the output's size.

    A value is given by its place in the flat filter; k² stands for an input outside the filter.
    """
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
    """A layer that weights each channel, from the whole image (Hu et al. 2018): x · gate(W₂ relu(W₁ mean(x))).

    Parameters
    ----------
    channels, squeezed : int
        Channels of the input, and channels between the two linear maps.
    gate : class of nn.Module
        Activation to [0, 1]: nn.Sigmoid, or nn.Hardsigmoid in MobileNetV3.
    """

    def __init__(self, channels: int, squeezed: int, gate: type[nn.Module] = nn.Sigmoid):
        super().__init__()
        self.weights = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), Conv2d(channels, squeezed, 1), nn.ReLU(), Conv2d(squeezed, channels, 1), gate()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted channels; ``x`` and the result are float (batch, channels, height, width)."""
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
    """Build an inverted bottleneck without a skip around it.

    It has ``middle`` channels inside; if these are as many as ``inputs``, there is no widening convolution. The
    squeeze-excitation behind the depthwise convolution has ``squeezed`` channels inside; 0 leaves it out.
    """
    widen = [conv_bn(inputs, middle, 1, activation=activation)] if middle != inputs else []
    excite = [SqueezeExcite(middle, squeezed, gate)] if squeezed else []
    return nn.Sequential(
        *widen,
        conv_bn(middle, middle, kernel, stride, groups=middle, activation=activation),
        *excite,
        conv_bn(middle, outputs, 1, activation=nn.Identity),
    )


# ------------------------------------------------------------------------------------------------- MnasNet's candidates
def _squeezed(inputs: int, ratio: float) -> int:
    """Return ``ratio`` times the channels that enter the block (not the widened channels); 0 for ratio 0."""
    return max(1, int(inputs * ratio)) if ratio else 0


def full_conv(inputs: int, outputs: int, kernel: int, stride: int, ratio: float) -> nn.Module:
    """Build a k×k convolution over all channels, batch-norm, ReLU, and squeeze-excitation unless ``ratio`` is 0."""
    convolution = conv_bn(inputs, outputs, kernel, stride)
    if ratio:
        convolution.append(SqueezeExcite(outputs, _squeezed(inputs, ratio)))
    return convolution


def expanded(expansion: int, inputs: int, outputs: int, kernel: int, stride: int, ratio: float) -> nn.Module:
    """Build an inverted bottleneck with ReLU, and ``expansion`` times the inputs' channels inside."""
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
    """The mean of the 3×3 neighbours at the layer's stride; missing channels are zero, surplus channels are cut."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.pool = nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)
        self.more = outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs, height, width) to (batch, outputs, ⌈height/stride⌉, ⌈width/stride⌉)."""
        return F.pad(self.pool(x), (0, 0, 0, 0, 0, self.more))  # a negative padding cuts


class Skipped(nn.Module):
    """The sum of a layer and of a skip around it."""

    def __init__(self, body: nn.Module, around: nn.Module):
        super().__init__()
        self.body, self.around = body, around

    def forward(self, x: Tensor) -> Tensor:
        """Return ``body(x) + around(x)``."""
        return self.body(x) + self.around(x)


def with_identity(layer: nn.Module) -> nn.Module:
    """Add a layer's input to its output; the layer must keep resolution and channels."""
    return Skipped(layer, nn.Identity())


# ------------------------------------------------------------------------------------------------------ whole networks
class Resize(nn.Module):
    """Bilinear scaling of images to ``share`` of their height and width, rounded: Once-for-all's elastic resolution."""

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Scale images (batch, colors, height, width)."""
        size = [max(1, round(side * self.share)) for side in x.shape[-2:]]
        if size == list(x.shape[-2:]):
            return x
        return F.interpolate(x, size, mode="bilinear", antialias=not x.is_meta, align_corners=False)


def classifier(inputs: int, head: int, classes: int) -> nn.Sequential:
    """Build a 1×1 convolution to ``head`` channels, batch-norm, ReLU, mean over the image, linear classifier."""
    return nn.Sequential(conv_bn(inputs, head, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(head, classes))


def finished(layers: list[nn.Module], generator: torch.Generator | None) -> nn.Sequential:
    """Join the layers in sequence; draw weights from ``generator`` (None: seed 0); set the faster memory format."""
    network = nn.Sequential(*layers)
    initialize(network, generator or torch.Generator().manual_seed(0))
    return network.to(memory_format=torch.channels_last)


def bottlenecks(blocks, stem: int, head: int, classes: int) -> list[nn.Module]:
    """Build the layers of a published network like MnasNet from its table, for images of three colors.

    Parameters
    ----------
    blocks : iterable of (kind, kernel, squeeze ratio, outputs, strides)
        One entry a layer, ``kind`` of `MNASNET`. If a layer keeps channels and resolution, its input is added.
    stem, head, classes : int
        Channels of the first convolution (3×3, stride 2), channels of the last convolution (1×1), number of classes.
    """
    layers: list[nn.Module] = [conv_bn(3, stem, 3, 2)]
    inputs = stem
    for kind, kernel, ratio, outputs, stride in blocks:
        layer = MNASNET[kind](inputs, outputs, kernel, stride, ratio)
        layers.append(with_identity(layer) if stride == 1 and inputs == outputs else layer)
        inputs = outputs
    return [*layers, classifier(inputs, head, classes)]
