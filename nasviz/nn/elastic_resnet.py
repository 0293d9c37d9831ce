"""A small residual network whose widths, depths, kernels and image side are elastic: slices of one network's weights.

`residual_network` builds one member as a network of its own. `ElasticResidual` is the supernet of all members: it holds
the weights of the largest, and every other member uses a part of them:

==========  ==========================================================================================
width       the first channels of a stage; `ElasticResidual.sort_channels` moves the important ones there
depth       the first layers of a stage
kernel      the middle of the larger kernel
resolution  the whole network, on smaller images
==========  ==========================================================================================

Widths are sliced as in slimmable networks (Yu et al. 2019), the other dimensions as in Once-for-all (Cai et al. 2020),
whose learned matrices for smaller kernels are left out (`nasviz.nn.elastic` has them).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..space import Arch, SearchSpace
from .mobile import Resize, conv_bn, finished
from .ops import Linear

Stage = tuple[int, int, int]  # width, depth, kernel: see `nasviz.spaces.elastic_resnet.Stage`
SCALE = 3.0  # of the features that the classifier reads


class Residual(nn.Module):
    """ReLU of the sum of a layer's input and its output."""

    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """Return ``relu(x + body(x))``."""
        return F.relu(x + self.body(x))


class MeanFeatures(nn.Module):
    """The mean over the image, batch-normalised without scale and shift, over the square root of the channels.

    So the classifier reads features of one size, however many there are: members of all widths share its weights.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to (batch, channels)."""
        return _scaled(self.norm(x.mean((2, 3), keepdim=True)))


def residual_network(
    share: float, stages: Sequence[Stage], colors: int, classes: int, generator: torch.Generator | None
) -> nn.Sequential:
    """Build one member as a network of its own.

    A stage is a convolution with batch-norm and ReLU, then ``depth`` times `Residual` around another one. Between two
    stages, 2×2 max pooling halves the side (rounded down). A mean over the image and a linear classifier end it.

    Parameters
    ----------
    share : float
        Factor by which the sides of the images are scaled at the input.
    stages : sequence of Stage
    colors, classes : int
    generator : torch.Generator, optional
        Source of the weights. None: a generator with seed 0.
    """
    layers: list[nn.Module] = [Resize(share)]
    inputs = colors
    for number, (width, depth, kernel) in enumerate(stages):
        layers += [nn.MaxPool2d(2)] if number else []
        layers.append(conv_bn(inputs, width, kernel))
        layers += [Residual(conv_bn(width, width, kernel, activation=nn.Identity)) for _ in range(depth)]
        inputs = width
    return finished([*layers, MeanFeatures(inputs), Linear(inputs, classes)], generator)


class ElasticResidual(nn.Module):
    """The supernet of `nasviz.spaces.ElasticResNet`: every member uses a part of the weights of the largest.

    Parameters
    ----------
    space : ElasticResNet
        It describes each member (``share``, ``stages``, ``largest``), and builds it as a network of its own
        (``network``).
    colors, classes, generator
        As in ``space.network``; the generator draws the weights of the largest member.

    Attributes
    ----------
    whole : nn.Sequential
        The largest member, `residual_network`.

    Examples
    --------
    >>> from nasviz.spaces import ElasticResNet
    >>> space = ElasticResNet()
    >>> network = space.single_path()
    >>> images, small = torch.zeros(2, 1, 16, 16), space.smallest
    >>> network(images, small).shape
    torch.Size([2, 10])
    >>> bool((network.eval()(images, small) == network.extract(small).eval()(images)).all())
    True
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        colors: int = 1,
        classes: int = 10,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        self.space, self.size = space, {"colors": colors, "classes": classes}
        self.whole = space.network(space.largest, **self.size, generator=generator)
        self.places: list[list[int]] = []  # of the convolutions of each stage, in the whole network
        for place, layer in enumerate(self.whole):
            if isinstance(layer, nn.Sequential):
                self.places.append([place])
            elif isinstance(layer, Residual):
                self.places[-1].append(place)
        self.select(space.largest)

    def select(self, arch: Arch) -> ElasticResidual:
        """Select ``arch`` as the architecture that later calls compute; return this network."""
        self.arch = self.space.check(arch)
        return self

    def forward(self, images: Tensor, arch: Arch | None = None) -> Tensor:
        """Return logits (batch, classes) for images (batch, colors, height, width); ``arch`` None: the selected one."""
        if arch is not None:
            self.select(arch)
        x = Resize(self.space.share(self.arch))(images)
        for number, ((width, depth, kernel), places) in enumerate(
            zip(self.space.stages(self.arch), self.places, strict=True)
        ):
            x = F.max_pool2d(x, 2) if number else x
            for layer, place in enumerate(places[: 1 + depth]):
                y = self._convolved(place, x, width, kernel)
                x = F.relu(x + y if layer else y)
        features, classifier = self.whole[-2:]
        x = _scaled(_normalised(features.norm, x.mean((2, 3), keepdim=True)))
        return F.linear(x, classifier.weight[:, : x.shape[1]], classifier.bias)

    def layers(self, arch: Arch) -> list[int]:
        """List the places in the whole network of the layers that ``arch`` uses. Place 0, which resizes, is left out.

        Pooling has places too. A slice of the layer at each place is the member's.
        """
        left_out = {
            place
            for (_, depth, _), places in zip(self.space.stages(self.space.check(arch)), self.places, strict=True)
            for place in places[1 + depth :]
        }
        return [place for place in range(1, len(self.whole)) if place not in left_out]

    @torch.no_grad()
    def extract(self, arch: Arch) -> nn.Sequential:
        """Return ``arch`` as a network of its own, ``space.network(arch)``, with copies of its part of the weights.

        Its batch-norms copy the statistics of this network as they are: re-calibrate them before
        (`nasviz.nn.single_path.recalibrate`).
        """
        child = self.space.network(arch, **self.size).to(next(self.parameters()))
        for mine, place in zip(list(child)[1:], self.layers(arch), strict=True):
            held = self.whole[place].state_dict()
            mine.load_state_dict({name: _part(held[name], like) for name, like in mine.state_dict().items()})
        return child.train(self.training)

    @torch.no_grad()
    def sort_channels(self) -> None:
        """Sort the channels of each stage by importance; the outputs of the whole network stay the same.

        The importance of a channel is the L1 norm of all weights that read it: those of the stage's residual layers,
        and those of the layer after the stage (Cai et al. 2020, section 3.3, where one layer reads a channel).
        """
        last = self.whole[-1]
        for number, places in enumerate(self.places):
            convolutions = [_convolution(self.whole[place]) for place in places]
            following = self.places[number + 1 : number + 2]
            reader = _convolution(self.whole[following[0][0]])[0] if following else last
            readers = [*(convolution for convolution, _ in convolutions[1:]), reader]
            order = torch.stack([_read(one.weight) for one in readers]).sum(0).argsort(descending=True, stable=True)
            for convolution, norm in convolutions:
                convolution.weight.copy_(convolution.weight[order])
                for tensor in norm.state_dict().values():
                    if tensor.ndim:  # all but the number of batches
                        tensor.copy_(tensor[order])
            for one in readers:
                one.weight.copy_(one.weight[:, order])
        features = self.whole[-2].norm
        for tensor in (features.running_mean, features.running_var):
            tensor.copy_(tensor[order])

    def _convolved(self, place: int, x: Tensor, width: int, kernel: int) -> Tensor:
        convolution, norm = _convolution(self.whole[place])
        edge = (convolution.weight.shape[-1] - kernel) // 2
        middle = slice(edge, edge + kernel)
        weight = convolution.weight[:width, : x.shape[1], middle, middle]
        return _normalised(norm, F.conv2d(x, weight, padding=kernel // 2))


def _convolution(layer: nn.Module) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """Return the convolution and the batch-norm of a layer of the whole network."""
    convolution, norm, *_ = cast("nn.Sequential", getattr(layer, "body", layer))
    return cast("nn.Conv2d", convolution), cast("nn.BatchNorm2d", norm)


def _read(weight: Tensor) -> Tensor:
    """Return the L1 norm of the weights that read each input channel."""
    return weight.abs().flatten(2).sum(2).sum(0) if weight.ndim == 4 else weight.abs().sum(0)


def _part(whole: Tensor, like: Tensor) -> Tensor:
    """Return the first entries of ``whole`` along each axis, as many as in ``like``; of filters the middle."""
    part = [slice(size) for size in like.shape]
    for axis in (2, 3) if like.ndim == 4 else ():
        edge = (whole.shape[axis] - like.shape[axis]) // 2
        part[axis] = slice(edge, edge + like.shape[axis])
    return whole[tuple(part)]


def _scaled(features: Tensor) -> Tensor:
    """Flatten normalised features (batch, channels, 1, 1), and divide them by the square root of the channels."""
    return features.flatten(1) * (SCALE / features.shape[1] ** 0.5)


def _normalised(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Normalise ``x`` with the first channels of a batch-norm, and update these channels' statistics in training."""
    channels = x.shape[1]
    factor = norm.momentum
    if norm.training and norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
        factor = 1 / float(norm.num_batches_tracked) if factor is None else factor  # None: a plain mean
    weight, bias = (None if one is None else one[:channels] for one in (norm.weight, norm.bias))
    mean, variance = (cast("Tensor", one)[:channels] for one in (norm.running_mean, norm.running_var))
    return F.batch_norm(x, mean, variance, weight, bias, norm.training, factor or 0.0, norm.eps)
