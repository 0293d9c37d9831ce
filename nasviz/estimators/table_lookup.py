"""The ground truth as an estimator: recorded results of trainings, in microseconds. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..estimator import Estimator
from ..ranges import check_fields, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation
from .table import Table


@dataclass(frozen=True)
class TableLookup(Estimator):
    """An estimator that looks scores up in a table, with the seconds of the training: hours of search take a second.

    The seed of a call chooses one of an architecture's trainings: the ``seed``-th, modulo their number. Judge a
    search's winner by the other trainings: ``table.judge(best.arch, best.seed)``. Scores whose names begin with
    ``test_`` are not shown to a search.

    Parameters
    ----------
    table : Table
    seed : int, optional
        The seed used in all calls, whatever seed they give. Each architecture then always has the same scores.
    curve : bool
        True also gives the scores after each epoch up to the one asked: ``"accuracy@1"``, ``"accuracy@2"``, …, as
        `Training` does. `Extrapolated` needs them.

    Notes
    -----
    ``estimate(arch, epochs=3)`` is the full recipe stopped after epoch 3, at 3 / `Table.epochs` of its seconds: a proxy
    that needs no table of its own. KeyError for an architecture without a row; ``table.known()`` is the space of the
    architectures that have one.
    """

    table: Table
    seed: int | None = ranged(None, 0, whole=True)
    curve: bool = False

    def __post_init__(self):
        check_fields(self)

    @property
    def space(self) -> SearchSpace:
        """The space of the table."""
        return self.table.space

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Look up one training."""
        answers = self._answers.get(epochs) or self._prepare(epochs)
        try:
            row = self._row_of[arch]
        except (KeyError, TypeError):
            row = -1
        of_row = answers[row if row >= 0 else self.table.row(arch)]
        asked = seed if self.seed is None else self.seed
        scores, seconds, after = of_row[asked % len(of_row)]
        return Evaluation(tuple(arch), scores.copy(), seconds, after, seed)

    @cached_property
    def _row_of(self) -> dict[Arch, int]:
        return self.table.row_of

    @cached_property
    def _answers(self) -> dict[int | None, list]:
        return self.table._answers.setdefault(self.curve, {})

    def _prepare(self, epochs: int | None) -> list[list[tuple[dict, float, int]]]:
        """Prepare all results after ``epochs`` epochs: for each row, the (scores, seconds, epochs) of its trainings."""
        table, last = self.table, self.table.epochs
        if epochs is None:
            names = {name: name for name in table.columns if "@" not in name and not name.startswith("test_")}
        else:
            names = {n.partition("@")[0]: n for n in table.columns if n.endswith(f"@{epochs}")}
            names = {name: n for name, n in names.items() if not name.startswith("test_")}
            if not names:
                known = sorted({int(n.rpartition("@")[2]) for n in table.columns if "@" in n})
                raise ValueError(f"the table knows its architectures after {known} epochs, not after {epochs!r}")
            names |= {name: name for name in ("parameters", "madds") if name in table.columns}
        if self.curve:
            after = (n for n in table.columns if "@" in n and not n.startswith("test_"))
            names |= {n: n for n in after if int(n.rpartition("@")[2]) <= (epochs or last)}
        share = 1.0 if epochs is None else epochs / last
        values = np.stack([table.columns[column] for column in names.values()], -1).tolist()
        spent, there = (table.seconds * share).tolist(), table.there.tolist()
        self._answers[epochs] = [
            [
                (dict(zip(names, numbers, strict=True)), seconds, last if epochs is None else int(epochs))
                for numbers, seconds, one in zip(*of_row, strict=True)
                if one
            ]
            for of_row in zip(values, spent, there, strict=True)
        ]
        return self._answers[epochs]
