"""The estimator of the page: the ground truth with its noise turned up or down."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...estimator import Estimator
from ...estimators.table import Table
from ...estimators.table_lookup import TableLookup
from ...ranges import check_fields, ranged
from ...space import Arch, SearchSpace
from ...step import Evaluation


@dataclass(frozen=True)
class Noisy(Estimator):
    """An estimator that reports one training's accuracy, its distance from the mean of all trainings times ``level``.

    What trainings of one architecture differ by is the luck of their seeds. Level 1 reports trainings as they were, as
    `TableLookup` does. Level 0 reports their mean, without any luck. Other scores are those of the training.

    Parameters
    ----------
    table : Table
        It needs a column ``accuracy``.
    level : float
        At least 0; above 1, luck is exaggerated.

    Examples
    --------
    >>> from nasviz.spaces import NasBench201
    >>> cell = (3,) * 6
    >>> table = Table.of(NasBench201(), [(cell, seed, {"accuracy": a}, 2.0) for seed, a in enumerate((0.75, 0.25))])
    >>> [Noisy(table, level)(cell, seed=0).scores["accuracy"] for level in (0, 1, 1.5)]
    [0.5, 0.75, 0.875]
    """

    table: Table
    level: float = ranged(1.0, 0.0, whole=False)

    def __post_init__(self):
        check_fields(self)

    @property
    def space(self) -> SearchSpace:
        """The space of the table."""
        return self.table.space

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Look up one training, which the seed chooses. KeyError for an architecture without a row."""
        evaluation = TableLookup(self.table)(arch, epochs=epochs, seed=seed)
        if self.level == 1:
            return evaluation
        row = self.table.row(arch)
        mean = mean_of(self.table.columns["accuracy"][row][self.table.there[row]].tolist())
        noisy = mean + self.level * (evaluation.scores["accuracy"] - mean)
        return replace(evaluation, scores={**evaluation.scores, "accuracy": noisy})


def mean_of(values: list[float]) -> float:
    """Return the mean, summed in order with a rounding after each addition, as JavaScript does.

    ``sum`` rounds once from Python 3.12 on.
    """
    total = 0.0
    for value in values:
        total += value
    return total / len(values)
