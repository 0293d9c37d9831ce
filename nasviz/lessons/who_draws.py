"""Lab 08, further: who draws the paths of a supernet: a controller, uniform chance or strictly fair chance.

Accuracies are in percent. "In truth" is the mean test accuracy of the table's seeds but the first, as everywhere in lab
08.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..analysis import stats
from ..estimators.table import Table
from ..paths import data_dir

WAYS = ("ENAS, learning rate 0.001", "ENAS, learning rate 0.003", "uniform chance", "strictly fair chance")
SEEDS, DERIVED = range(3), 10
BEGINS = 6 * np.log(5)  # nats: five operations on each of six edges, all equally likely


@dataclass(frozen=True)
class Paths:
    """What came of one way to draw the paths: arrays with a row for each of three seeds.

    Attributes
    ----------
    entropy : array of shape (3,)
        Of the paths that were drawn at the end of the training, nats.
    inherits, alone : array of shape (3,)
        Accuracy of the cell that was chosen: on the shared weights, and in truth. A controller's is the best of ten
        that it derived; that of chance is the best of the hundred drawn. Both are chosen by what they inherit.
    drawn, truth : array of shape (3, 100)
        Accuracies of a hundred cells that were drawn uniformly, the same for all ways: inherited, and in truth.
    """

    entropy: np.ndarray
    inherits: np.ndarray
    alone: np.ndarray
    drawn: np.ndarray
    truth: np.ndarray

    @property
    def ranks(self) -> list[stats.Interval]:
        """Kendall's τ of what the drawn cells inherit with the truth, seed by seed."""
        return [stats.tau_interval(one, truth) for one, truth in zip(self.drawn, self.truth, strict=True)]


def paths(table: Table) -> dict[str, Paths]:
    """What was recorded of the four `WAYS`, by their names; ``table`` holds the truth."""
    with np.load(data_dir() / "lab08-enas.npz") as recorded:
        return {way: _told(dict(recorded), number, table) for number, way in enumerate(WAYS)}


def _told(recorded: dict[str, np.ndarray], way: int, table: Table) -> Paths:
    learns, rows = way < 2, []
    for seed in SEEDS:
        curves, archs, inherited = (recorded[f"{seed}.{way}.{name}"] for name in ("curves", "archs", "inherited"))
        truth = np.array([100 * table.judge(tuple(arch), 0) for arch in archs.tolist()])
        own = slice(DERIVED) if learns else slice(DERIVED, None)
        best = int(inherited[own].argmax())
        entropy = curves[-1, 0] if learns else BEGINS
        rows.append((entropy, 100 * inherited[own][best], truth[own][best], 100 * inherited[DERIVED:], truth[DERIVED:]))
    return Paths(*(np.array(column, float) for column in zip(*rows, strict=True)))
