"""The network that Once-for-all makes elastic: MobileNetV3-Large's layers (Howard et al. 2019; Cai et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import nn

from .mobile import Resize, conv_bn, divisible, finished, mbconv, with_identity
from .ops import Conv2d, Linear


def mobilenet_v3(
    units: Iterable[tuple[Sequence[tuple[int, int]], int, int, bool]],
    share: float,
    stride: int,
    width: float,
    colors: int,
    classes: int,
    generator: torch.Generator | None,
) -> nn.Sequential:
    """A MobileNetV3 as Once-for-all builds it: squeezed channels a quarter of the widened ones, plain last layers.

    Parameters
    ----------
    units : iterable of (layers, channels, stride, squeeze-excitation)
        Layers are (kernel, expansion). The first two units have ReLU, the others h-swish.
    share : float
        Of the images' sides, as which they enter.
    stride : int
        Of the stem.
    width : float
        Times all channels.
    colors, classes : int
    generator : torch.Generator, optional
    """
    inputs = divisible(16 * width)
    first = mbconv(inputs, inputs, 3, 1, middle=inputs)
    layers = [Resize(share), conv_bn(colors, inputs, 3, stride, activation=nn.Hardswish), with_identity(first)]
    for unit, (chosen, channels, unit_stride, excited) in enumerate(units):
        outputs = divisible(channels * width)
        for layer, (kernel, expansion) in enumerate(chosen):
            middle = divisible(inputs * expansion)
            body = mbconv(
                inputs,
                outputs,
                kernel,
                1 if layer else unit_stride,
                middle=middle,
                squeezed=divisible(middle // 4) if excited else 0,
                activation=nn.ReLU if unit < 2 else nn.Hardswish,
                gate=nn.Hardsigmoid,
            )
            layers.append(with_identity(body) if inputs == outputs and (layer or unit_stride == 1) else body)
            inputs = outputs
    last, mixed = divisible(960 * width), divisible(1280 * width)
    layers += [conv_bn(inputs, last, 1, activation=nn.Hardswish), nn.AdaptiveAvgPool2d(1)]
    layers += [Conv2d(last, mixed, 1, bias=False), nn.Hardswish(), nn.Flatten(), Linear(mixed, classes)]
    return finished(layers, generator)
