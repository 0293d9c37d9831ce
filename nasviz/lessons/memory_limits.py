"""Lab 10's further section: networks for a microcontroller, which has two memories, and little of both.

Lin et al. 2020 ("MCUNet"): weights lie in flash memory, activations in RAM. A network must fit both. The paper first
chooses a space of networks (an image side and a width) in which the networks that fit compute much, and searches there.
The children are those of `nasviz.lessons.one_network`, with what they inherit from its first supernet.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from ..space import Arch
from ..spaces import ElasticResNet
from . import one_network

COLORS, CLASSES = 1, 10


class Footprint(NamedTuple):
    """Bytes of a network whose weights and activations are integers of one byte.

    Attributes
    ----------
    flash : int
        All weights. Batch-norms are folded into the convolutions: one number a channel.
    ram : int
        The most that a layer needs at once: its input and its output. (A residual layer adds its input to its output.)
    """

    flash: int
    ram: int


def footprint(arch: Arch) -> Footprint:
    """Count the bytes that a child of `ElasticResNet` needs, for one image."""
    space, flash, ram, inputs = ElasticResNet(), 0, 0, COLORS
    side = space.choices[0].options[arch[0]]
    for number, (width, depth, kernel) in enumerate(space.stages(arch)):
        if number:  # pooling reads the larger maps and writes the smaller ones
            ram = max(ram, inputs * (side**2 + (side // 2) ** 2))
            side //= 2
        for layer in range(1 + depth):
            reads = width if layer else inputs
            flash += width * (reads * kernel**2 + 1)
            ram = max(ram, (reads + width) * side**2)
        inputs = width
    return Footprint(flash + (inputs + 1) * CLASSES, ram)


@cache
def footprints() -> dict[Arch, Footprint]:
    """Of all children."""
    return {arch: footprint(arch) for arch in ElasticResNet().distinct()}


def fits(flash: float, ram: float) -> list[Arch]:
    """The children that need no more of both memories than this, in bytes."""
    return [arch for arch, needs in footprints().items() if needs.flash <= flash and needs.ram <= ram]


def best(flash: float, ram: float) -> Arch:
    """The child that fits and inherits the most. ValueError if none fits."""
    inherited = one_network.everyone()[0]
    return max(fits(flash, ram), key=inherited.__getitem__)


class Subspace(NamedTuple):
    """The children of one image side and one width of the first stage, of those that fit.

    Attributes
    ----------
    side, width : int
        Pixels, channels.
    children : int
        Children that fit.
    madds : float
        Their mean of multiply-adds.
    best : float
        The most that one of them inherits, percent.
    """

    side: int
    width: int
    children: int
    madds: float
    best: float


def subspaces(flash: float, ram: float) -> Iterator[Subspace]:
    """Divide the children that fit by image side and first width, as MCUNet divides its space; none is empty."""
    space, inherited, there = ElasticResNet(), one_network.everyone()[0], fits(flash, ram)
    sides, widths = space.choices[0].options, space.choices[2].options
    for i, side in enumerate(sides):
        for j, width in enumerate(widths):
            group = [arch for arch in there if (arch[0], arch[2]) == (i, j)]
            if group:
                madds = float(np.mean([space.madds(arch) for arch in group]))
                yield Subspace(side, width, len(group), madds, max(inherited[arch] for arch in group))
