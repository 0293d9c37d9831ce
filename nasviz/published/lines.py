"""CSV files of published numbers: named columns, read fast, or refused with the line."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np

from .. import textfile
from .rows import LARGEST, repeated

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
MISSING = ("", "nan")


@dataclass(frozen=True)
class Lines:
    """The cells of a CSV file by column, as texts."""

    path: Path
    cells: dict[str, Sequence[str]]
    digest: str

    def first_of(self, *names: str) -> str:
        """The first of the names that is a column; ValueError if none is."""
        found = next((name for name in names if name in self.cells), None)
        if found is None:
            there = ", ".join(self.cells)
            raise ValueError(f"{self.path} has no column {' or '.join(names)}; its columns: {there:.300}")
        return found

    def numbers(self, name: str) -> np.ndarray:
        """The numbers of a column, (rows,); nan where nothing stands. ValueError names the line of what is none."""
        cells = self.cells[name]
        for row, cell in enumerate(cells):
            if not NUMBER.fullmatch(cell) and cell not in MISSING:
                raise self.wrong(row, f"{cell!r:.60} in the column {name!r:.60} is no number")
        values = np.array([float(cell) if cell else nan for cell in cells])
        if (too_large := np.abs(values) >= LARGEST).any():
            raise self.wrong(int(too_large.argmax()), f"too large a number in the column {name!r:.60}")
        return values

    def indices(self, name: str, count: int) -> list[int]:
        """The whole numbers of a column, 0 to ``count`` − 1, none twice. ValueError names the line."""
        found: list[int] = []
        for row, cell in enumerate(self.cells[name]):
            if not re.fullmatch(r"\d{1,9}", cell, re.ASCII) or int(cell) >= count:
                raise self.wrong(row, f"the column {name!r:.60} holds 0 to {count - 1}, got {cell!r:.40}")
            found.append(int(cell))
        if len(set(found)) < len(found):
            row = repeated(found)
            raise self.wrong(row, f"{name} {found[row]} stands there twice")
        return found

    def wrong(self, row: int, why: str) -> ValueError:
        """The error for a row, numbered from 0: the first line of the file holds the names."""
        return ValueError(f"{self.path}, line {row + 2}: {why}")


def read(path: Path) -> Lines:
    """Read a CSV file with commas, packed by gzip or not.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        No text, no line below the names, a name twice, another number of fields than names.
    """
    raw = textfile.content(path)
    text = textfile.decoded(path, raw)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV file: {error!s:.200}") from None
    if len(rows) < 2:
        raise ValueError(f"{path} has no line below its names")
    names = [name.strip() for name in rows[0]]
    if len(set(names)) < len(names):
        raise ValueError(f"{path}, line 1: two columns have one name")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise ValueError(f"{path}, line {number}: {len(row)} fields, and the first line has {len(names)} names")
    return Lines(path, dict(zip(names, zip(*rows[1:], strict=True), strict=True)), hashlib.sha256(raw).hexdigest())
