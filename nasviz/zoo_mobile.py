"""The zoo's networks for phones and what grew from them: found by search in spaces of inverted bottlenecks."""

from __future__ import annotations

from functools import partial

from .zoo_hand import torchvision
from .zoo_model import Model

MOBILE = (
    Model(
        "MnasNet-B1",
        "search",
        "mobile",
        partial(torchvision, "mnasnet1_0"),
        (3, 224, 224),
        4_383_312,
        True,
        315e6,
        74.5,
        "ImageNet",
        288.0,
        "Tan et al. 2019",
    ),
)
