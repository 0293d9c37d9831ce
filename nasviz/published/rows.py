"""What a reader of a published file returns: architectures, and numbers of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np

from ..space import Arch

ACCURACY = "accuracy"
VALID, TEST = "valid_accuracy", "test_accuracy"
LARGEST = 1e100  # of a number in a file: in units of a millionth it is still one


@dataclass(frozen=True)
class Rows:
    """Numbers of architectures, as a file has them: in our units, under our names.

    Attributes
    ----------
    archs : sequence of Arch
        No one twice.
    columns : mapping from str to float array of shape (rows, seeds)
        nan where a number is missing. Accuracies are 0 to 1.
    digest : str
        SHA-256 of the file, or of the files.
    there : bool array of shape (rows, seeds)
        Which trainings are there; all, by default.
    seconds : float array of shape (rows, seeds)
        What each training took; nan where nobody says, the default.
    """

    archs: Sequence[Arch]
    columns: Mapping[str, np.ndarray]
    digest: str
    there: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool))
    seconds: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self):
        if not self.archs or not self.columns:
            raise ValueError("no architecture with a number is in it")
        if len(set(self.archs)) < len(self.archs):
            raise ValueError(f"the architecture {self.archs[repeated(self.archs)]} stands there twice")
        shape = next(iter(self.columns.values())).shape
        if not self.there.size:
            object.__setattr__(self, "there", np.ones(shape, bool))
        if not self.seconds.size:
            object.__setattr__(self, "seconds", np.full(shape, nan))


def repeated(values: Sequence) -> int:
    """The place of the first value that stands there before."""
    seen = set()
    for place, value in enumerate(values):
        if value in seen:
            return place
        seen.add(value)
    raise ValueError("each value is there once")


def column(values: Iterable[float]) -> np.ndarray:
    """A column of one training a row: float array (rows, 1)."""
    return np.fromiter(values, float)[:, None]


def checked_accuracy(values: np.ndarray, where: str) -> np.ndarray:
    """Return accuracies in per cent as shares. ValueError if one is no number from 0 to 100; nan may be missing."""
    shares = 0.01 * values
    wrong = ~(np.isnan(values) | ((values >= 0) & (values <= 100)))
    if wrong.any():
        raise ValueError(f"{where}: an accuracy in % is 0 to 100, got {values[wrong].flat[0]:g}")
    return shares


def number(value, what: str) -> float:
    """Return a finite number that a file holds. ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} is expected to be a number, found {type(value).__name__}")
    try:
        value = float(value)
    except OverflowError:
        raise ValueError(f"{what} is too large a number") from None
    if not abs(value) < LARGEST:  # nan too
        raise ValueError(f"{what} is {value}")
    return value


def joined(first: Rows, more: Rows) -> Rows:
    """Add the columns of ``more`` to the rows of ``first``: nan for architectures that ``more`` does not have.

    ValueError if both have a column of one name. Trainings of ``more`` are averaged: what it adds are costs and scores.
    """
    both = sorted(first.columns.keys() & more.columns.keys())
    if both:
        raise ValueError(f"two files have a column {both[0]!r:.60}")
    place = {arch: row for row, arch in enumerate(more.archs)}
    at = np.array([place.get(arch, -1) for arch in first.archs])
    seeds = first.there.shape[1]
    columns = dict(first.columns)
    for name, values in more.columns.items():
        mean = np.where(more.there, values, 0).sum(1) / more.there.sum(1)
        taken = np.where(at >= 0, mean[at], nan)
        columns[name] = np.where(first.there, np.repeat(taken[:, None], seeds, 1), nan)
    return Rows(first.archs, columns, first.digest + more.digest, first.there, first.seconds)


def with_accuracy(rows: Rows) -> tuple[Rows, str]:
    """Give the rows the column ``accuracy``, which a search maximises, and say what it is.

    It is the validation accuracy where every training has one. If not, it is the test accuracy: `Table.truth` then
    judges by what the search saw, unless there are several seeds.
    """
    columns = dict(rows.columns)
    if VALID in columns and not np.isnan(columns[VALID][rows.there]).any():
        columns = {ACCURACY: columns.pop(VALID), **columns}
        return Rows(rows.archs, columns, rows.digest, rows.there, rows.seconds), "validation accuracy"
    if TEST in columns:
        columns = {ACCURACY: columns[TEST], **{n: v for n, v in columns.items() if not n.startswith("accuracy@")}}
        told = "test accuracy, since a validation accuracy is not known of every row"
        return Rows(rows.archs, columns, rows.digest, rows.there, rows.seconds), told
    if VALID in columns:
        columns = {ACCURACY: columns.pop(VALID), **columns}
        told = "validation accuracy, missing in some rows"
        return Rows(rows.archs, columns, rows.digest, rows.there, rows.seconds), told
    return rows, "not in these files"
