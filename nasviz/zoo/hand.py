"""The zoo's networks that people designed; searched networks are compared with them."""

from __future__ import annotations

from functools import partial

from .ghostnet import ghostnet
from .model import Model


def torchvision(name: str, **options):
    """Build torchvision's model called ``name``, without trained weights."""
    from torchvision import models

    return models.get_model(name, weights=None, **options)


def resnet(name: str):
    """Build a ResNet as in the paper: a bottleneck that halves the resolution has the stride in its first convolution.

    In torchvision's network the stride is in the 3×3 convolution behind this 1×1 convolution. Parameters are the same,
    but there are up to 6 % more multiply-adds.
    """
    network = torchvision(name)
    for block in network.modules():
        if hasattr(block, "conv3"):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return network


def regnet(depth: int, width: int, slope: float, step: float, group: int):
    """Build a RegNetY: widths on a line of ``slope``, rounded to powers of ``step`` (Radosavovic et al. 2020)."""
    import torch
    from torchvision.models.regnet import BlockParams, RegNet

    with torch.device("cpu"):  # torchvision computes the widths with tensors, also where the network needs no memory
        blocks = BlockParams.from_init_params(depth, width, slope, step, group, se_ratio=0.25)
    return RegNet(blocks)


def mobilenet_v1():
    """Build MobileNet: depthwise separable convolutions one after the other (Howard et al. 2017, table 1)."""
    from torch import nn

    from ..nn.mobile import conv_bn
    from ..nn.ops import Linear

    inputs, layers = 32, [conv_bn(3, 32, 3, 2)]
    table = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for outputs, stride in table:
        layers += [conv_bn(inputs, inputs, 3, stride, groups=inputs), conv_bn(inputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), Linear(inputs, 1000))


def _model(name, build, parameters, exact, madds, accuracy, source, reason="", side=224) -> Model:
    image = (3, side, side)
    return Model(name, "hand", None, build, image, parameters, exact, madds, accuracy, "ImageNet", None, source, reason)


_GHOST = "Han et al. 2020, table 7; its layers follow MobileNetV3-Large's; ours"
_REGNET = (
    "Radosavovic et al. 2020, as in the authors' model zoo (pycls): 100 epochs, simple recipe; digits by torchvision"
)
BY_HAND = (
    _model(
        "VGG-16", partial(torchvision, "vgg16"), 138_357_544, True, 15.3e9, 71.5,
        "Simonyan & Zisserman 2015, table 2 (138 M); other numbers as in Howard et al. 2017, table 8; torchvision",
    ),
    _model(
        "Inception-v3", partial(torchvision, "inception_v3", init_weights=False, aux_logits=False),
        23.8e6, False, 5.72e9, 78.8,
        "Szegedy et al. 2016; all three numbers as in Zoph et al. 2018, table 2; torchvision, no auxiliary head",
        side=299,
    ),
    _model(
        "ResNet-18", partial(resnet, "resnet18"), 11_689_512, True, 1.8e9, 69.76,
        "He et al. 2016, table 1; accuracy of one crop as torchvision gives it (the paper's 72.12 are of ten crops)",
    ),
    _model(
        "ResNet-50", partial(resnet, "resnet50"), 25_557_032, True, 3.8e9, 76.0,
        "He et al. 2016, table 1; accuracy as in Tan & Le 2019, table 2; torchvision with the paper's strides",
    ),
    _model(
        "ResNet-152", partial(resnet, "resnet152"), 60_192_808, True, 11.3e9, 77.8,
        "He et al. 2016, table 1; accuracy as in Tan & Le 2019, table 2; torchvision with the paper's strides",
    ),
    _model(
        "DenseNet-121", partial(torchvision, "densenet121"), 7_978_856, True, None, 74.98,
        "Huang et al. 2017, table 3, which prints no multiply-adds; torchvision",
    ),
    _model(
        "MobileNetV1", mobilenet_v1, 4.2e6, False, 569e6, 70.6,
        "Howard et al. 2017, table 8; ours",
    ),
    _model(
        "MobileNetV2", partial(torchvision, "mobilenet_v2"), 3.4e6, False, 300e6, 72.0,
        "Sandler et al. 2018, table 4; torchvision",
        "The paper prints 3.4 M; torchvision's has 3,504,872: unexplained",
    ),
    _model("GhostNet 0.5×", partial(ghostnet, 0.5), 2.6e6, False, 42e6, 66.2, _GHOST),
    _model("GhostNet 1.0×", ghostnet, 5.2e6, False, 141e6, 73.9, _GHOST),
    _model("GhostNet 1.3×", partial(ghostnet, 1.3), 7.3e6, False, 226e6, 75.7, _GHOST),
    _model("RegNetY-400MF", partial(regnet, 16, 48, 27.89, 2.09, 8), 4_344_144, True, 0.4e9, 74.1, _REGNET),
    _model("RegNetY-1.6GF", partial(regnet, 27, 48, 20.71, 2.65, 24), 11_202_430, True, 1.6e9, 78.0, _REGNET),
    _model("RegNetY-3.2GF", partial(regnet, 21, 80, 42.63, 2.66, 24), 19_436_338, True, 3.2e9, 79.0, _REGNET),
    _model(
        "ConvNeXt-T", partial(torchvision, "convnext_tiny"), 28_589_128, True, 4.5e9, 82.1,
        "Liu et al. 2022, table 1 (29 M); torchvision",
    ),
)  # fmt: skip
