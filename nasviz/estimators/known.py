"""The space restricted to the rows of a table: searches sample and mutate among what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from ..objectives import Bounded
from ..space import Arch, SearchSpace

LISTED = 2**20  # spaces up to this size are sampled by drawing until a row is met: in larger ones that may never end


class TableLike(Protocol):
    """The part of `nasviz.estimators.table.Table` that a `KnownSpace` uses: see there."""

    @property
    def space(self) -> SearchSpace:
        """The space of the table, with all its members."""

    @property
    def digest(self) -> str:
        """A checksum of the table's content."""

    @property
    def archs(self) -> tuple[Arch, ...]:
        """The architectures that have a row, in the order of the rows."""

    @property
    def aliases(self) -> np.ndarray | None:
        """Row of each tuple of choices, or -1; None where nobody wrote that down."""

    @property
    def tuples(self) -> list[Arch]:
        """Every tuple of choices that has a row."""

    @property
    def row_of(self) -> Mapping[Arch, int]:
        """The rows that were looked for so far, -1 where there is none."""

    def find(self, arch: Sequence[int]) -> int:
        """The row of an architecture, or -1."""

    def nearest(self, arch: Arch) -> list[Arch]:
        """The rows that differ from an architecture in the fewest choices."""

    def column(self, name: str) -> np.ndarray:
        """The numbers called ``name``, one a row."""


class KnownSpace(SearchSpace):
    """What `nasviz.estimators.table.Table.known` returns: the members of a space that a table has a row for.

    With ``within``, it has only those that keep a bound. A cost such as multiply-adds is counted before anything is
    trained, so a search can leave out what is too costly, and needs no penalty.

    A mutation is any neighbour that has a row, all alike. Where there is none it changes more: it goes to one of the
    nearest rows. What an architecture means (its graph, text, network, canonical form) is as in the whole space, and so
    are its abilities.

    Parameters
    ----------
    table : Table
        Its space is the whole one.
    within : Bounded, optional
        The bound. Its score has to be a column of the table.

    Raises
    ------
    ValueError
        If the table has no such column.
    """

    def __init__(self, table: TableLike, within: Bounded | None = None):
        self.table, self.whole, self.within = table, table.space, within
        self.name = f"{self.whole.name}, {len(table.archs):,} rows"
        if within is not None:
            self.name += f", {within.score} at most {within.limit:,}"
            self._costs = table.column(within.score).tolist()
        self.choices, self.title = self.whole.choices, self.whole.title or self.whole.name
        self._around: dict[Arch, list[Arch]] = {}

    # ------------------------------------------------------------------ what the table decides
    def rule(self, arch: Arch) -> str | None:
        """That of the whole space, that the table has a row, and that the bound is kept, if there is one."""
        if reason := self.whole.rule(arch):
            return reason
        row = self.table.row_of.get(arch)  # asked very often: `find` would check the tuple each time
        row = self.table.find(arch) if row is None else row
        if row < 0:
            return "the table has no row for it"
        if self.within is not None and not self._costs[row] <= self.within.limit:  # nan: the cost is not known
            return f"its {self.within.score} are {self._costs[row]:,}, at most {self.within.limit:,} are allowed"
        return None

    def mutate(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """A neighbour with a row, or one of the nearest rows. ValueError if there is no other row."""
        if arch not in self._around:
            self._around[arch] = list(self.neighbors(arch)) or self._nearest(arch)
        around = self._around[arch]
        return around[int(rng.random() * len(around))]

    def sample(self, rng: np.random.Generator) -> Arch:
        """Uniform over the tuples that have a row; in a space too large to list, over the rows."""
        if self._members is None:
            return super().sample(rng)
        return self._members[int(rng.random() * len(self._members))]

    def _nearest(self, arch: Arch) -> list[Arch]:
        """The rows of this space that differ from an architecture in the fewest choices."""
        if self.within is None:
            return self.table.nearest(arch)
        others = [one for one in self.table.archs if one != arch and self.rule(one) is None]
        if not others:
            raise ValueError(f"{self.to_text(arch)} is the only row of {self.name}: there is nothing to mutate to")
        changes = (np.array(others) != np.array(arch)).sum(1)
        return [one for one, change in zip(others, changes, strict=True) if change == changes.min()]

    @cached_property
    def _members(self) -> list[Arch] | None:
        if self.table.aliases is not None and not self.whole.conditional:
            return self._kept(self.table.tuples)
        return self._kept(self.table.archs) if self.whole.size > LISTED else None

    def _kept(self, archs: Sequence[Arch]) -> list[Arch]:
        return list(archs) if self.within is None else [arch for arch in archs if self.rule(arch) is None]

    # ------------------------------------------------------------------ what the whole space says
    @property
    def size(self) -> int:
        """That of the whole space."""
        return self.whole.size

    def graph(self, *arch):
        """As in the whole space."""
        return self.whole.graph(*arch)

    def cells(self, *arch):
        """As in the whole space."""
        return self.whole.cells(*arch)

    def counting(self) -> str:
        """As in the whole space."""
        return self.whole.counting()

    def network(self, arch: Arch, **size):
        """As in the whole space."""
        return self.whole.network(arch, **size)

    def canonical(self, arch: Arch) -> str:
        """As in the whole space."""
        return self.whole.canonical(arch)

    def to_text(self, arch: Arch) -> str:
        """As in the whole space."""
        return self.whole.to_text(arch)

    def from_text(self, text: str) -> Arch:
        """As in the whole space; ValueError also where the table has no row."""
        return self.check(self.whole.from_text(text))

    def __getattr__(self, name: str):
        if name.startswith("__") or name == "whole":  # while it is copied or unpacked there is no whole yet
            raise AttributeError(name)
        return getattr(self.whole, name)

    def __eq__(self, other):
        return super().__eq__(other) and self.whole == other.whole and self.table.digest == other.table.digest

    __hash__ = SearchSpace.__hash__
