"""The zoo's networks that people designed: what searched networks have to beat."""

from __future__ import annotations

from functools import partial

from .zoo_model import Model

IMAGENET = (3, 224, 224)


def torchvision(name: str, **options):
    """torchvision's model called ``name``, without weights."""
    from torchvision import models

    return models.get_model(name, weights=None, **options)


def _resnet(name: str):
    """As in the paper: a bottleneck that halves the resolution does so in its first 1×1 convolution.

    torchvision's does it in the 3×3 convolution behind, which has as many parameters and costs 3 to 6 % more.
    """
    network = torchvision(name)
    for block in network.modules():
        if hasattr(block, "conv3"):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return network


BY_HAND = (
    Model(
        "ResNet-18",
        "hand",
        None,
        partial(torchvision, "resnet18"),
        IMAGENET,
        11_689_512,
        True,
        1.8e9,
        72.12,
        "ImageNet",
        None,
        "He et al. 2016: multiply-adds table 1; accuracy table 2, mean of ten crops. Parameters: torchvision",
    ),
)
