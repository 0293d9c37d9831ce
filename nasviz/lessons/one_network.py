"""The lab of the elastic network: its children, what they reach alone and what they inherit, and who ranks them best."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..estimators.training import Recipe
from ..paths import data_dir
from ..space import Arch
from ..spaces import ElasticResNet
from ..strategies.train_supernet import strata

SPACE = ElasticResNet()
FOLDER = "elastic-resnet"
SEEDS = (0, 1, 2)  # of the trainings alone
BUDGET, WIDE = 300_000, 0.07  # multiply-adds of the children of equal cost, and how far from it they may be
EACH, EQUAL = 5, 10  # children of each stratum of multiply-adds; of equal cost, for each side of the image
RECIPE = Recipe(size=16, images=8000, epochs=8, batch=64, lr=0.1)


def of_all_costs() -> list[Arch]:
    """Draw the sixty children of all costs: five from each of twelve strata of multiply-adds."""
    rng = np.random.default_rng(8)
    return [group[i] for group in strata(SPACE) for i in rng.permutation(len(group))[:EACH]]


def of_one_cost(budget: float = BUDGET) -> list[Arch]:
    """Draw the thirty children of one cost: ten for each side of the image, within 7 % of the budget."""
    rng, out = np.random.default_rng(9), []
    close = [arch for arch in SPACE.distinct() if abs(np.log(SPACE.madds(arch) / budget)) < WIDE]
    for side in range(len(SPACE.choices[0].options)):
        pool = [arch for arch in close if arch[0] == side]
        out += [pool[i] for i in rng.permutation(len(pool))[:EQUAL]]
    return out


def children() -> list[Arch]:
    """List the children that were trained alone: those of all costs, then those of one cost; none twice."""
    return list(dict.fromkeys([*of_all_costs(), *of_one_cost()]))
