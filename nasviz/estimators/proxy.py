"""Cheaper trainings by a reduced recipe: ``Training(space, proxy_recipe(epochs=4))``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..datasets import Dataset
from ..space import Arch, SearchSpace
from .training import FULL, Recipe, Training

NETWORK = ("channels", "cells")  # the reductions that change the network


def proxy_recipe(
    recipe: Recipe = FULL,
    *,
    epochs: int | None = None,
    images: int | None = None,
    size: int | None = None,
    channels: int | None = None,
    cells: int | None = None,
) -> Recipe:
    """Return ``recipe`` with smaller values for the named quantities; None keeps the recipe's value.

    Parameters
    ----------
    recipe : Recipe
    epochs : int
        Length of a schedule that *ends* there with a learning rate of 0. ``estimate(arch, epochs=4)`` is different: it
        stops the full schedule while the learning rate is high. The cost is the same, the ranking is not.
    images : int
        Training images. The batch size stays, so the network also takes fewer steps.
    size : int
        Height and width of the images, pixels. (``fashion16`` has 16 and 8; a `Dataset` is resized to any.)
    channels, cells : int
        The network's width in the first stage, and its cells in each stage, if the space's ``network`` takes them.

    Raises
    ------
    ValueError
        If a value is not a whole number from 1 to the recipe's value. (If the recipe leaves the network's size to the
        space, there is no check of an upper end here: `proxy_cost` shows whether the network became smaller.)

    Examples
    --------
    >>> recipe = proxy_recipe(epochs=4, images=1000)
    >>> recipe.images, recipe.epochs, recipe.batch
    (1000, 4, 64)
    """
    asked = {"epochs": epochs, "images": images, "size": size, "channels": channels, "cells": cells}
    less: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    for name, value in less.items():
        most = recipe.network.get(name) if name in NETWORK else getattr(recipe, name)
        if not isinstance(value, int) or value < 1 or (most is not None and value > most):
            raise ValueError(f"{name} must be a whole number from 1 to {most or 'the full size'}, got {value!r}")
    network = {**recipe.network, **{name: less.pop(name) for name in NETWORK if name in less}}
    return replace(recipe, network=network, **less)


def proxy_cost(
    space: SearchSpace, recipe: Recipe, archs: Iterable[Arch], full: Recipe = FULL, dataset: str | Dataset = "fashion16"
) -> float:
    """Return the cost of a training by ``recipe`` as a share of ``full``'s: epochs × images × multiply-adds an image.

    Both costs are summed over ``archs``, a sample that represents the space. Seconds fall less than this share: a small
    network spends its time on calls, not on arithmetic. ValueError without architectures.
    """
    archs = list(archs)
    if not archs:
        raise ValueError("the cost needs architectures to count, got none")

    def work(recipe: Recipe) -> float:
        estimate = Training(space, recipe, dataset)
        return recipe.epochs * recipe.images * sum(estimate.size(arch)["madds"] for arch in archs)

    return work(recipe) / work(full)
