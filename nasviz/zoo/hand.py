"""The zoo's networks that people designed; searched networks are compared with them."""

from __future__ import annotations

from functools import partial

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
        "ResNet-18", partial(resnet, "resnet18"), 11_689_512, True, 1.8e9, 72.12,
        "He et al. 2016, table 1; accuracy table 2, ten crops; torchvision",
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
)  # fmt: skip
