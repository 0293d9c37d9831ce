"""What elastic spaces have in common: the last option of each choice contains all others, so weights can be shared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..space import Arch, SearchSpace


class ElasticChoices(SearchSpace):
    """A space whose options are ordered by size: every member is a part of the largest (Cai et al. 2020).

    The last word of a choice's name is its dimension: ``"unit 2: depth"``.

    Attributes
    ----------
    dimensions : tuple of four str
        Names of the elastic dimensions, in the order in which progressive shrinking makes them elastic: of the image's
        resolution, of kernels, of depths and of widths.
    """

    dimensions: ClassVar[tuple[str, str, str, str]] = ("resolution", "kernel", "depth", "width")

    @cached_property
    def largest(self) -> Arch:
        """The architecture that contains all others as parts: the last option of each choice."""
        return tuple(len(choice.options) - 1 for choice in self.choices)

    @cached_property
    def smallest(self) -> Arch:
        """The architecture that is a part of all others: the first option of each choice."""
        return (0,) * len(self.choices)

    def sample(self, rng: np.random.Generator, least: Mapping[str, int] | None = None) -> Arch:
        """Draw an architecture: every active choice uniformly, from the options that ``least`` allows.

        Parameters
        ----------
        rng : numpy.random.Generator
        least : mapping, optional
            Index of the smallest allowed option for names in ``dimensions``, such as ``{"depth": 1}``; 0 for the
            others. Where a choice has fewer options, its largest is the only one. The stages of progressive shrinking
            are such bounds.

        Raises
        ------
        ValueError
            A name that is not among the dimensions.
        """
        if unknown := set(least or ()) - set(self.dimensions):
            raise ValueError(f"elastic are {', '.join(self.dimensions)}, not {', '.join(sorted(unknown))}")
        counts = [len(choice.options) for choice in self.choices]
        asked = [(least or {}).get(choice.name.split()[-1], 0) for choice in self.choices]
        lowest = [min(one, count - 1) for one, count in zip(asked, counts, strict=True)]
        return self.normal(rng.integers(lowest, counts).tolist())
