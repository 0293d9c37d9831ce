"""The zoo's networks for phones and their larger successors, found by search in spaces of inverted bottlenecks.

*MobileNetV3* was searched and then refined. MnasNet's search, with a reward made for small networks, gave the blocks;
NetAdapt (Yang et al. 2018) then shrank them layer by layer. NetAdapt repeats one step: it proposes, for each layer, a
version with fewer channels that is faster by at least some amount; it fine-tunes all proposals briefly, and keeps the
one that loses least accuracy for the time it saves. At the end people redesigned the costly first and last layers.

*EfficientNet-B0* was searched; B1 to B7 are deeper and wider versions of B0, for larger images (`nasviz.zoo.scaling`).
No search saw them: they count as scaled.
"""

from __future__ import annotations

from functools import partial

from .hand import torchvision
from .model import Model

MNASNET_A1 = (  # kind, kernel, squeeze ratio, channels, strides of its layers: Tan et al. 2019, figure 7a
    ("sepconv", 3, 0.0, 16, (1,)),
    ("mbconv6", 3, 0.0, 24, (2, 1)),
    ("mbconv3", 5, 0.25, 40, (2, 1, 1)),
    ("mbconv6", 3, 0.0, 80, (2, 1, 1, 1)),
    ("mbconv6", 3, 0.25, 112, (1, 1)),
    ("mbconv6", 5, 0.25, 160, (2, 1, 1)),
    ("mbconv6", 3, 0.0, 320, (1,)),
)
PROXYLESS_MOBILE = (  # expansion, channels, stride of the first layer, kernels: Cai et al. 2019, figure 4
    ((1,), 16, 1, (3,)),
    ((3, 3), 32, 2, (5, 3)),
    ((3, 3, 3, 3), 40, 2, (7, 3, 5, 5)),
    ((6, 3, 3, 3), 80, 2, (7, 5, 5, 5)),
    ((6, 3, 3, 3), 96, 1, (5, 5, 5, 5)),
    ((6, 6, 3, 3), 192, 2, (7, 7, 7, 7)),
    ((6,), 320, 1, (7,)),
)
OFA_NOTE8 = "r152 | k5e3 k3e3 | k5e4 k5e3 | k3e4 k3e4 k5e4 | k3e4 k5e3 k7e4 | k3e6 k3e3 k5e3 k5e3"
"""The network that Once-for-all's authors released for a Samsung Note8 at 31 ms, as a member of `ElasticSpace`."""


def mnasnet_a1():
    """Build MnasNet-A1. (Its fifth block has 112 channels, which are no option of `nasviz.spaces.MobileSpace`.)"""
    from torch import nn

    from ..nn.mobile import bottlenecks

    layers = [(kind, k, squeeze, outputs, s) for kind, k, squeeze, outputs, strides in MNASNET_A1 for s in strides]
    return nn.Sequential(*bottlenecks(layers, stem=32, head=1280, classes=1000))


def proxyless_mobile():
    """Build ProxylessNAS for a phone: a path through a chain in which each layer had its own candidates."""
    from torch import nn

    from ..nn.mobile import conv_bn, mbconv, with_identity
    from ..nn.ops import Linear

    inputs, layers = 32, [conv_bn(3, 32, 3, 2, activation=nn.ReLU6)]
    for expansions, outputs, stride, kernels in PROXYLESS_MOBILE:
        for layer, (expansion, kernel) in enumerate(zip(expansions, kernels, strict=True)):
            step = 1 if layer else stride
            body = mbconv(inputs, outputs, kernel, step, middle=expansion * inputs, activation=nn.ReLU6)
            layers.append(with_identity(body) if layer else body)
            inputs = outputs
    layers += [conv_bn(inputs, 1280, 1, activation=nn.ReLU6), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, Linear(1280, 1000))


def once_for_all():
    """Build the member `OFA_NOTE8` of the Once-for-all space as a network of its own."""
    from ..spaces.elastic import STRIDES, ElasticSpace

    space = ElasticSpace()
    return space.network(space.from_text(OFA_NOTE8), width=1, strides=STRIDES, colors=3, classes=1000)


def _model(
    name,
    space,
    build,
    parameters,
    exact,
    madds,
    accuracy,
    gpu_days,
    source,
    reason="",
    side=224,
    architecture="",
    by="search",
) -> Model:
    image, data = (3, side, side), "ImageNet"
    numbers = (parameters, exact, madds, accuracy, data, gpu_days)
    return Model(name, by, space, build, image, *numbers, source, reason, architecture)


def _efficientnet(number, parameters, printed, madds, accuracy, side, reason="") -> Model:
    name, build = f"EfficientNet-B{number}", partial(torchvision, f"efficientnet_b{number}")
    source = f"Tan & Le 2019, table 2 ({printed}); search cost not published; torchvision"
    by = "scaling" if number else "search"
    return _model(name, "mobile", build, parameters, True, madds, accuracy, None, source, reason, side, by=by)


_TPU = "search: 64 TPUv2 for 4.5 days, in TPU-days"
_DIGITS = "The paper prints two digits of the multiply-adds; beyond their rounding the difference is unexplained"
MOBILE = (
    _model(
        "MnasNet-A1", "mobile", mnasnet_a1, 3_887_038, True, 312e6, 75.2, 288.0,
        f"Tan et al. 2019, table 1 (3.9 M); {_TPU}; all digits of the parameters as timm counts; ours",
    ),
    _model(
        "MnasNet-B1", "mobile", partial(torchvision, "mnasnet1_0"), 4_383_312, True, None, 73.46, 288.0,
        f"Tan et al. 2019, without squeeze-excitation; accuracy and parameters as torchvision gives them; {_TPU}",
    ),
    _model(
        "ProxylessNAS mobile", None, proxyless_mobile, 4_080_512, True, 320e6, 74.6, 8.3,
        "Cai et al. 2019, table 2 (accuracy; search 200 GPU-hours); parameters as pytorchcv counts the released"
        " network, multiply-adds as Cai et al. 2020 print them; ours",
    ),
    _model(
        "MobileNetV3-Large", "mobile", partial(torchvision, "mobilenet_v3_large"), 5.4e6, False, 219e6, 75.2, None,
        "Howard et al. 2019, table 3; search cost not published; torchvision",
        "The paper prints 5.4 M; torchvision's has 5,483,032: unexplained",
    ),
    _model(
        "MobileNetV3-Small", "mobile", partial(torchvision, "mobilenet_v3_small"), 2_542_856, True, 56e6, 67.4, None,
        "Howard et al. 2019, table 3 (2.5 M); search cost not published; torchvision",
    ),
    _efficientnet(0, 5_288_548, "5.3 M", 0.39e9, 77.1, 224),
    _efficientnet(1, 7_794_184, "7.8 M", 0.70e9, 79.1, 240),
    _efficientnet(2, 9_109_994, "9.2 M", 1.0e9, 80.1, 260),
    _efficientnet(3, 12_233_232, "12 M", 1.8e9, 81.6, 300),
    _efficientnet(4, 19_341_616, "19 M", 4.2e9, 82.9, 380, _DIGITS),
    _efficientnet(5, 30_389_784, "30 M", 9.9e9, 83.6, 456, _DIGITS),
    _efficientnet(6, 43_040_704, "43 M", 19e9, 84.0, 528),
    _efficientnet(7, 66_347_960, "66 M", 37e9, 84.3, 600, _DIGITS),
    _model(
        "EfficientNetV2-S", None, partial(torchvision, "efficientnet_v2_s"), 21_458_488, True, 8.8e9, 83.9, None,
        "Tan & Le 2021, table 7 (22 M); searched for fast training; search cost not published; torchvision",
        "The paper prints 8.8 G multiply-adds; torchvision's network has 5 % fewer: unexplained", side=384,
    ),
    _model(
        "Once-for-all, Note8 31 ms", "elastic", once_for_all, 4.6e6, False, 101e6, 72.8, 51.7,
        "Cai et al. 2020, table in their repository; search: 1,200 GPU-hours that train the shared weights, once for"
        " all devices, and 40 that search; fine-tuned for 25 epochs; 152 pixels (images are scaled from 224); ours",
        architecture=OFA_NOTE8,
    ),
)  # fmt: skip
