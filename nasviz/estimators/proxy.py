"""Cheaper trainings, the full recipe with less of something: ``Training(space, proxy_recipe(epochs=4))``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..datasets import Dataset
from ..space import Arch, SearchSpace
from .training import FULL, Recipe, Training

NETWORK = ("channels", "cells")  # what of the reductions is the network's


def proxy_recipe(
    recipe: Recipe = FULL,
    *,
    epochs: int | None = None,
    images: int | None = None,
    size: int | None = None,
    channels: int | None = None,
    cells: int | None = None,
) -> Recipe:
    """``recipe`` with less of what is named; None leaves it.

    Parameters
    ----------
    recipe : Recipe
    epochs : int
        Of a schedule that *ends* there, the learning rate at 0. Other than ``estimate(arch, epochs=4)``, which stops
        the full schedule while the learning rate is high: the same price, another ranking.
    images : int
        Training images. Batches stay as large, so the network also takes fewer steps.
    size : int
        Height and width of the images, pixels. (``fashion16`` has 16 and 8; a `Dataset` is resized to any.)
    channels, cells : int
        Of the network: width of the first stage, and cells in each stage; where the space's ``network`` takes them.

    Raises
    ------
    ValueError
        Not a whole number from 1 to what the recipe has. (Where the recipe leaves the network's size to the space, the
        upper end is not known here: see what `proxy_cost` says.)

    Examples
    --------
    >>> proxy_recipe(epochs=4, images=1000)
    Recipe(size=8, images=1000, epochs=4, batch=64, lr=0.05, momentum=0.9, decay=0.0005, network={})
    """
    less = {"epochs": epochs, "images": images, "size": size, "channels": channels, "cells": cells}
    less = {name: value for name, value in less.items() if value is not None}
    for name, value in less.items():
        most = recipe.network.get(name) if name in NETWORK else getattr(recipe, name)
        if not isinstance(value, int) or value < 1 or (most is not None and value > most):
            raise ValueError(f"{name} must be a whole number from 1 to {most or 'the full size'}, got {value!r}")
    network = {**recipe.network, **{name: less.pop(name) for name in NETWORK if name in less}}
    return replace(recipe, network=network, **less)


def proxy_cost(
    space: SearchSpace, recipe: Recipe, archs: Iterable[Arch], full: Recipe = FULL, dataset: str | Dataset = "fashion16"
) -> float:
    """What a training by ``recipe`` costs, as a share of one by ``full``: epochs × images × multiply-adds an image.

    Both are summed over ``archs``, a sample that stands for the space. Seconds fall less than this says: a small
    network spends its time on calls, not on arithmetic. ValueError without architectures.
    """
    archs = list(archs)
    if not archs:
        raise ValueError("the cost needs architectures to count, got none")

    def work(recipe: Recipe) -> float:
        estimate = Training(space, recipe, dataset)
        return recipe.epochs * recipe.images * sum(estimate.size(arch)["madds"] for arch in archs)

    return work(recipe) / work(full)
