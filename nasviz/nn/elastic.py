"""The network that Once-for-all makes elastic: MobileNetV3-Large's layers (Howard et al. 2019; Cai et al. 2020).

`mobilenet_v3` builds one member as a network of its own. `ElasticNetwork` is the supernet of all members: it holds the
weights of the largest, and every other member uses a part of them:

==========  ===========================================================================================================
depth       the first layers of a unit
expansion   the first of the widened channels; `ElasticNetwork.sort_channels` moves the important channels there
kernel      the middle of the larger kernel, times a learned matrix, which starts as the identity
resolution  the whole network, on smaller images
==========  ===========================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from ..space import Arch, SearchSpace
from .mobile import Resize, conv_bn, divisible, finished, mbconv, with_identity
from .ops import Conv2d, Linear

Layers = Sequence[tuple[int, int]]  # (kernel, expansion) of each layer of a unit
Unit = tuple[Layers, int, int, bool]  # layers, channels, stride, whether it has squeeze-excitation


@dataclass(frozen=True)
class Place:
    """The place of a layer in the network, with all properties of the layer that are not searched.

    Attributes
    ----------
    unit, layer : int
    inputs, outputs, stride : int
    excited : bool
        Whether it has squeeze-excitation.
    """

    unit: int
    layer: int
    inputs: int
    outputs: int
    stride: int
    excited: bool

    def middle(self, expansion: int) -> int:
        """Return the number of channels inside the layer."""
        return divisible(self.inputs * expansion)

    def build(self, kernel: int, expansion: int) -> nn.Module:
        """Build the layer: ReLU in the first two units, h-swish later. The input is added if it has the same shape."""
        middle = self.middle(expansion)
        body = mbconv(
            self.inputs,
            self.outputs,
            kernel,
            self.stride,
            middle=middle,
            squeezed=divisible(middle // 4) if self.excited else 0,
            activation=nn.ReLU if self.unit < 2 else nn.Hardswish,
            gate=nn.Hardsigmoid,
        )
        return with_identity(body) if self.inputs == self.outputs and self.stride == 1 else body


def places(units: Sequence[Unit], width: float) -> Iterator[tuple[Place, int, int]]:
    """Yield ``(place, kernel, expansion)`` of each layer, in order."""
    inputs = divisible(16 * width)
    for unit, (layers, channels, stride, excited) in enumerate(units):
        for layer, (kernel, expansion) in enumerate(layers):
            outputs = divisible(channels * width)
            yield Place(unit, layer, inputs, outputs, 1 if layer else stride, excited), kernel, expansion
            inputs = outputs


def mobilenet_v3(
    units: Sequence[Unit],
    share: float,
    stride: int,
    width: float,
    colors: int,
    classes: int,
    generator: torch.Generator | None,
) -> nn.Sequential:
    """Build a MobileNetV3 as in Once-for-all: squeezed channels are a quarter of the widened; last layers are plain.

    Parameters
    ----------
    units : sequence of (layers, channels, stride, squeeze-excitation)
        Each layer is a pair (kernel, expansion).
    share : float
        Factor by which the sides of the images are scaled at the input.
    stride : int
        Stride of the stem.
    width : float
        Factor of all numbers of channels.
    colors, classes : int
    generator : torch.Generator, optional
    """
    inputs, outputs = divisible(16 * width), divisible(units[-1][1] * width)
    first = mbconv(inputs, inputs, 3, 1, middle=inputs)
    layers = [Resize(share), conv_bn(colors, inputs, 3, stride, activation=nn.Hardswish), with_identity(first)]
    layers += [place.build(kernel, expansion) for place, kernel, expansion in places(units, width)]
    last, mixed = divisible(960 * width), divisible(1280 * width)
    layers += [conv_bn(outputs, last, 1, activation=nn.Hardswish), nn.AdaptiveAvgPool2d(1)]
    layers += [Conv2d(last, mixed, 1, bias=False), nn.Hardswish(), nn.Flatten(), Linear(mixed, classes)]
    return finished(layers, generator)


BEFORE, AFTER = 3, 6  # numbers of layers of `mobilenet_v3` before and after the searched ones


class ElasticNetwork(nn.Module):
    """The supernet of an elastic space: every member uses the weights of the largest (Cai et al. 2020, section 3.3).

    Parameters
    ----------
    space : ElasticSpace
        Space that describes each member (``units``, ``largest``), and builds it as a network of its own (``network``).
    width, strides, colors, classes, generator
        As in `ElasticSpace.network`; the generator draws the weights of the largest member.

    Attributes
    ----------
    whole : nn.Sequential
        The largest member, `mobilenet_v3`.
    matrices : nn.ParameterDict
        Matrix of each layer and kernel, named like ``"4_5"``: float (k², k²). It maps the middle of the next larger
        kernel to this kernel, in all channels alike.

    Examples
    --------
    >>> from nasviz.spaces import ElasticSpace
    >>> space = ElasticSpace()
    >>> network = space.single_path()
    >>> images, small = torch.zeros(2, 1, 8, 8), space.smallest
    >>> network(images, small).shape
    torch.Size([2, 10])
    >>> bool((network.eval()(images, small) == network.extract(small).eval()(images)).all())
    True
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        width: float,
        strides: Sequence[int],
        colors: int = 1,
        classes: int = 10,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        self.space, self.size = space, {"width": width, "strides": strides, "colors": colors, "classes": classes}
        self.whole = space.network(space.largest, **self.size, generator=generator)
        self.places = [place for place, _, _ in places(space.plan(space.largest, strides), width)]
        self.matrices = nn.ParameterDict(
            {
                f"{number}_{kernel}": nn.Parameter(torch.eye(kernel * kernel))
                for number in range(BEFORE, BEFORE + len(self.places))
                for kernel in space.kernels[:-1]
            }
        )
        self.skeleton = cache(self.skeleton)  # type: ignore[method-assign]  # a cache for each network
        self.select(space.largest)

    def select(self, arch: Arch) -> ElasticNetwork:
        """Select ``arch`` as the architecture that later calls compute; return this network."""
        self.arch = self.space.check(arch)
        return self

    def forward(self, images: Tensor, arch: Arch | None = None) -> Tensor:
        """Return logits (batch, classes) for images (batch, colors, height, width); ``arch`` None: the selected one."""
        if arch is not None:
            self.select(arch)
        x = Resize(self.space.share(self.arch))(images)
        for place, layer in self.layers(self.arch):
            x = self.whole[place](x) if layer is None else self._run(place, layer, x)
        return x

    def layers(self, arch: Arch) -> list[tuple[int, tuple[int, int] | None]]:
        """List the layers of the whole network that ``arch`` uses: (number in the whole, (kernel, expansion)).

        The pair is None for layers that are not searched. Layer 0, which resizes the images, is left out.
        """
        chosen = iter(self.space.units(arch))
        layers: list[tuple[int, tuple[int, int] | None]] = [(number, None) for number in range(1, BEFORE)]
        for number, place in enumerate(self.places, BEFORE):
            if not place.layer:
                unit = next(chosen)
            if place.layer < len(unit):
                layers.append((number, unit[place.layer]))
        return layers + [(number, None) for number in range(len(self.whole) - AFTER, len(self.whole))]

    def part(self, place: int, layer: tuple[int, int] | None) -> dict[str, Tensor]:
        """Return the weights and statistics of one layer of a member by name, as views of the whole network's.

        Changes to these views change the whole network too. Only the weights of a smaller kernel are no views: they
        are computed from the larger kernel, and gradients flow back to it.
        """
        held = dict(self.whole[place].named_parameters()) | dict(self.whole[place].named_buffers())
        if layer is None:
            return held
        kernel, expansion = layer
        out = {}
        for name, like in self.skeleton(place, kernel, expansion).state_dict().items():
            tensor = held[name]
            if tensor.ndim == 4 and tensor.shape[-1] > 1:  # only the depthwise filters are larger than 1×1
                tensor = self._filters(place, kernel, tensor)
            out[name] = tensor[tuple(map(slice, like.shape))]
        return out

    @torch.no_grad()
    def extract(self, arch: Arch) -> nn.Sequential:
        """Return ``arch`` as a network of its own, ``space.network(arch)``, with copies of its part of the weights.

        Its batch-norms copy the statistics of this network as they are: re-calibrate them before
        (`nasviz.nn.single_path.recalibrate`).
        """
        child = self.space.network(arch, **self.size).to(next(self.parameters()))
        for mine, (place, layer) in zip(list(child)[1:], self.layers(arch), strict=True):
            mine.load_state_dict(self.part(place, layer))
        return child.train(self.training)

    @torch.no_grad()
    def sort_channels(self) -> None:
        """Sort the widened channels of each layer by importance; the outputs of the whole network stay the same.

        The importance of a channel is the L1 norm of the weights by which the following 1×1 convolution reads it (Cai
        et al. 2020, section 3.3). The squeezed channels of squeeze-excitation are sorted in the same way, by the
        weights of its second map.
        """
        for number, _ in enumerate(self.places, BEFORE):
            layer = self.whole[number]
            widen, filters, *excite, narrow = getattr(layer, "body", layer)
            order = _importance(narrow[0])
            for convolution, norm in (widen[:2], filters[:2]):
                convolution.weight.copy_(convolution.weight[order])
                for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                    tensor.copy_(tensor[order])
            narrow[0].weight.copy_(narrow[0].weight[:, order])
            for _, reduce, _, expand, _ in (one.weights for one in excite):
                squeezed = _importance(expand)
                reduce.weight.copy_(reduce.weight[squeezed][:, order])
                reduce.bias.copy_(reduce.bias[squeezed])
                expand.weight.copy_(expand.weight[order][:, squeezed])
                expand.bias.copy_(expand.bias[order])

    def _filters(self, place: int, kernel: int, filters: Tensor) -> Tensor:
        """Shrink depthwise filters (channels, 1, k, k): for each smaller kernel, take the middle times its matrix."""
        for smaller in reversed([one for one in self.space.kernels if kernel <= one < filters.shape[-1]]):
            edge = (filters.shape[-1] - smaller) // 2
            middle = filters[..., edge : edge + smaller, edge : edge + smaller]
            filters = (middle.flatten(1) @ self.matrices[f"{place}_{smaller}"].T).view_as(middle)
        return filters

    def skeleton(self, place: int, kernel: int, expansion: int) -> nn.Module:
        """Return a layer of a member without memory for weights (on the meta device); ``__init__`` caches this."""
        with torch.device("meta"):
            return self.places[place - BEFORE].build(kernel, expansion)

    def _run(self, place: int, layer: tuple[int, int], x: Tensor) -> Tensor:
        skeleton = self.skeleton(place, *layer).train(self.training)
        momentum = next(one.momentum for one in self.whole[place].modules() if isinstance(one, nn.BatchNorm2d))
        for norm in skeleton.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.momentum = momentum  # re-calibration of batch-norms changes it
        return torch.func.functional_call(skeleton, self.part(place, layer), (x,))


def _importance(reads: nn.Conv2d) -> Tensor:
    """Return the order of a 1×1 convolution's inputs by the L1 norm of their weights, largest first."""
    return reads.weight.abs().sum((0, 2, 3)).argsort(descending=True, stable=True)
