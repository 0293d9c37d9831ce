"""Whole networks, layer by layer, with skip connections: Zoph & Le 2017."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ..ranges import check_number, check_sizes
from ..weights import initialize
from .ops import Conv2d, Linear

Kernel = tuple[int, int, int, int, int]  # height, width, stride down, stride across, filters


class MacroNetwork(nn.Module):
    """A network of convolutions that read the outputs of earlier ones, with a classifier at the end.

    A layer concatenates its inputs: those smaller than the largest get zeros below and on the right. Convolution,
    batch-norm and ReLU follow; the padding is such that stride 1 keeps the size and stride s gives ⌈size/s⌉. A layer
    without inputs reads the image. All outputs that no layer reads are concatenated the same way, averaged over the
    image, and classified. (Zoph & Le 2017, sections 3.3 and 4.1. The paper does not give the side on which zeros are
    added, the order of batch-norm and ReLU, nor the average before the classifier: these are our choices.)

    Parameters
    ----------
    layers : sequence of ((height, width, stride down, stride across, filters), inputs)
        Inputs are numbers of earlier layers, from 1.
    width : float
        Factor of each layer's number of filters; the product is rounded, and at least 1. In the paper it is 1.
    colors : int
        Channels of the images.
    classes : int
    generator : torch.Generator, optional
        The only source of the weights, which have torch's default distributions. None: a generator with seed 0.

    Raises
    ------
    ValueError
        No layer, a layer that reads itself or a later one, a size out of range.
    """

    def __init__(
        self,
        layers: Sequence[tuple[Kernel, Sequence[int]]],
        *,
        width: float = 0.25,
        colors: int = 1,
        classes: int = 10,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        check_number("width", width, above=0.0, whole=False)
        check_sizes(colors=colors, classes=classes)
        if not layers:
            raise ValueError("a network needs a layer at least")
        self.inputs: list[list[int]] = []
        channels = [colors]
        self.layers = nn.ModuleList()
        for number, (kernel, inputs) in enumerate(layers, 1):
            if not all(1 <= earlier < number for earlier in inputs):
                raise ValueError(f"layer {number} can read layers 1 to {number - 1}, not {list(inputs)}")
            self.inputs.append(list(inputs) or [0])
            height, across, *strides, filters = kernel
            outputs = max(1, round(width * filters))
            self.layers.append(_layer(sum(channels[i] for i in self.inputs[-1]), outputs, (height, across), strides))
            channels.append(outputs)
        read = {earlier for inputs in self.inputs for earlier in inputs}
        self.loose = [number for number in range(1, len(layers) + 1) if number not in read]
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = Linear(sum(channels[number] for number in self.loose), classes)
        initialize(self, generator or torch.Generator().manual_seed(0))
        self.to(memory_format=torch.channels_last)  # for speed, as in `CellNetwork`

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (batch, classes) for float images (batch, colors, height, width)."""
        values = [images]
        for layer, inputs in zip(self.layers, self.inputs, strict=True):
            values.append(layer(side_by_side([values[i] for i in inputs])))
        return self.classifier(self.head(side_by_side([values[i] for i in self.loose])))


def side_by_side(images: Sequence[Tensor]) -> Tensor:
    """Concatenate images (batch, channels, height, width) by channels; smaller ones get zeros below and right."""
    height, width = (max(image.shape[side] for image in images) for side in (-2, -1))
    return torch.cat([pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2])) for x in images], 1)


def _layer(inputs: int, outputs: int, kernel: tuple[int, int], strides: Sequence[int]) -> nn.Module:
    (height, width), (down, across) = kernel, strides
    padding = (height // 2, width // 2)
    convolution = Conv2d(inputs, outputs, kernel, (down, across), padding=padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())
