"""The comparison of remedies for DARTS's collapse: which searches lab 07 shows, on which spaces, with which settings.

The collapse: DARTS goes on searching, and its cells fill with skip connections (Zela et al. 2020, section 3). Each
remedy has a file of its own in this folder. Here they stand side by side. All have the same number of updates, so that
a comparison is about the remedy alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import datasets
from ..space import SearchSpace
from ..spaces import NasBench201
from .darts import Darts
from .darts_minus import DartsMinus
from .darts_pt import DartsPT
from .dr_nas import DrNas
from .fair_darts import FairDarts
from .gumbel_darts import Gdas, Snas
from .p_darts import PDarts
from .pc_darts import PcDarts
from .robust_darts import AdaptiveDarts, WatchedDarts
from .smooth_darts import SmoothDarts

# Two candidates an edge: 64 cells, of which each can be trained. Which cell is the best is then known, not guessed.
SMALL_SPACES = {
    "sep": NasBench201(operations=("skip_connect", "sep_conv_3x3")),
    "conv": NasBench201(operations=("skip_connect", "nor_conv_3x3")),
}
RECIPE: dict[str, Any] = dict(
    size=8, images=192, epochs=40, batch=32, weight_lr=0.1, alpha_lr=0.03, network={"channels": 4}
)
DEEP = {"channels": 4, "cells": 2}


def remedies(space: SearchSpace) -> dict[str, Darts]:
    """Return DARTS and its remedies on ``space``, by name: 240 updates each, with the `RECIPE` but for what is said.

    DARTS+ and RobustDARTS's early stopping are not among them. They are DARTS up to where they stop, and are read off
    its record.

    Returns
    -------
    dict of str to Darts
        Searches with seed 0 on the first images: `drawn` makes others. Two of them measure sharpness (``watched``).
    """
    return {
        "DARTS": WatchedDarts(space, **RECIPE, watched=64),
        "DARTS, ten times the images": Darts(space, **RECIPE | {"images": 1920, "epochs": 4}),
        "DARTS, two cells a stage": Darts(space, **RECIPE | {"network": DEEP}),
        "DARTS, two cells a stage, ten times the images": Darts(
            space, **RECIPE | {"network": DEEP, "images": 1920, "epochs": 4}
        ),
        "L2 81e-4": Darts(space, **RECIPE, weight_decay=81e-4),
        "FairDARTS": FairDarts(space, **RECIPE),
        "DARTS-": DartsMinus(space, **RECIPE),
        "DARTS-PT": DartsPT(space, **RECIPE | {"epochs": 34}),
        "SDARTS-RS": SmoothDarts(space, **RECIPE),
        "PC-DARTS": PcDarts(space, **RECIPE, share=2),
        "GDAS": Gdas(space, **RECIPE),
        "SNAS": Snas(space, **RECIPE),
        "DrNAS": DrNas(space, **RECIPE),
        "P-DARTS": PDarts(space, **RECIPE | {"epochs": 20}, depths=(1, 2), keep=(2, 2), dropout=(0.0, 0.4)),
        "SDARTS-ADV": SmoothDarts(space, **RECIPE, adversarial=True),
        "DARTS-ADA": AdaptiveDarts(space, **RECIPE, watched=64),
    }


def longer(space: SearchSpace) -> dict[str, Darts]:
    """Return two searches of 375 updates on a deeper and wider supernet: 25 passes over 500 images, or 3 over 4,000."""
    search = Darts(space, **RECIPE | {"network": {"channels": 8, "cells": 2}})
    return {
        "DARTS, longer and deeper": replace(search, images=500, epochs=25),
        "DARTS, longer and deeper, 4,000 images": replace(search, images=4000, epochs=3),
    }


def drawn(search: Darts, seed: int) -> Darts:
    """Return the same search from another seed, on images that are drawn by this seed.

    Without this all seeds would share the first images of the data, and a mean over seeds would speak of one sample.
    """
    return replace(search, seed=seed, data=datasets.shuffled(search.data, seed, search.size))
