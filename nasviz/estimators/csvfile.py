"""Tables that others wrote as text: CSV with any usual separator, and JSON Lines.

A file is read right or refused. Nothing is guessed that could be meant in two ways, and nothing is left out in silence:
an error names the file, the line, the column and the remedy.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite, isinf, isnan, nan
from pathlib import Path

from .. import textfile
from ..space import SearchSpace

Columns = Mapping[str, str | tuple[str, float]]

SEPARATORS = ",;\t"
MISSING = {"", "-", "--", "?", "nan", "+nan", "-nan", "na", "n/a", "#n/a", "<na>", "null", "nil", "none", "missing"}
POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.ASCII | re.I)
COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
THOUSAND = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)  # 1,234 is one thousand or one point two
# What a reader takes for a number, and this one cannot: its value and why.
GROUPED = re.compile(r"[+-]?\d{1,3}([ .,'_’\u00a0\u202f]\d{3})+([.,]\d*)?|[+-]?\d+(_\d+)+(\.\d*)?", re.ASCII)
PERCENT = re.compile(r"[+-]?[\d.,]+\s*%", re.ASCII)


def read_csv(
    path: Path, space: SearchSpace, arch: str, scores: Columns | None, seed: str | None, seconds: str | None
) -> tuple[Iterator[tuple], str]:
    """Return the trainings in a file, as `Table.of` takes them, and what identifies them: see `Table.read_csv`."""
    raw = textfile.content(path)
    text = textfile.decoded(path, raw)
    lines = _json_lines(path, text) if text.lstrip().startswith(("{", "[")) else _csv_lines(path, text, arch)
    names = lines.names
    wanted = {name: (column, 1.0) if isinstance(column, str) else column for name, column in (scores or {}).items()}
    for name in filter(None, (arch, seed, seconds, *(column for column, _ in wanted.values()))):
        if name not in names:
            there = ", ".join(names) if names else "none, since the file is empty"
            hint = "The first line names the columns, separated by commas, semicolons or tabs"
            raise ValueError(f"{path} has no column {name!r}; its columns: {there:.400}. {hint}")
    if not scores:
        wanted = {name: (name, 1.0) for name in _numeric(path, lines, (arch, seed, seconds))}
    read = {*(column for column, _ in wanted.values()), *filter(None, (seed, seconds))}
    numbers = {column: _numbers(path, lines, column) for column in read}
    _one_mark(path, lines, read)

    def trainings() -> Iterator[tuple]:
        first: dict[tuple, int] = {}
        for at, number in enumerate(lines.numbers):
            try:
                cell = lines.cells[arch][at]
                if not cell:
                    raise ValueError(f"the column {arch!r} is empty: every line needs its architecture")
                one = space.from_text(cell)
                which = _whole(numbers[seed][at], seed) if seed else 0
                values = {name: _score(name, numbers[column][at], column, by) for name, (column, by) in wanted.items()}
                spent = numbers[seconds][at] if seconds else nan
                if spent < 0:
                    raise ValueError(f"a training takes no {spent:g} seconds")
                if (one, which) in first:
                    again = "Keep one of them" if seed else "Keep one of them, or name the column of the seed"
                    raise ValueError(f"{cell} stands there twice: also in line {first[one, which]}. {again}")
                first[one, which] = number
                yield one, which, values, spent
            except (ValueError, TypeError) as error:
                raise ValueError(f"line {number}: {error}") from None

    return trainings(), hashlib.sha256(raw + repr((arch, wanted, seed, seconds)).encode()).hexdigest()


# ------------------------------------------------------------------------------------------------ lines and cells
@dataclass
class Lines:
    """What a file holds, column by column, all of it text without the blanks around it."""

    names: list[str]
    numbers: list[int] = field(default_factory=list)  # the line of each row
    cells: dict[str, list[str]] = field(default_factory=dict)


def _csv_lines(path: Path, text: str, arch: str) -> Lines:
    separator = _separator(text, arch)
    source = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for row in source:
            if len(row) > 1 or any(map(str.strip, row)):  # blank lines stand for nothing
                rows.append((before + 1, [cell.strip() for cell in row]))
            before = source.line_num
    except csv.Error as error:
        hint = "Check the quotation marks: a field that holds one stands between two, and doubles it"
        raise ValueError(f"{path}, line {source.line_num}: {error}. {hint}") from None
    if not rows:
        return Lines([])
    first, names = rows.pop(0)
    for number, row in rows:
        if len(row) != len(names):
            raise ValueError(f"{path}, line {number}: {_other_length(row, names, separator)}")
    columns = [[row[place] for _, row in rows] for place in range(len(names))]
    while names and not names[-1] and not any(columns[-1]):  # each line ends with a separator: nothing is behind it
        names, columns = names[:-1], columns[:-1]
    for name in names:
        if names.count(name) > 1:
            told = f"two columns are called {name!r}" if name else "two columns have no name"
            raise ValueError(f"{path}, line {first}: {told}. Give each its own name")
    return Lines(names, [number for number, _ in rows], dict(zip(names, columns, strict=True)))


def _separator(text: str, arch: str) -> str:
    """The separator that finds the column ``arch`` in the first line that is not blank, or the most columns."""
    begin = text.lstrip("\n ")[:100_000]

    def columns(separator: str) -> tuple[bool, int]:
        try:
            names = next(csv.reader(io.StringIO(begin, newline=""), delimiter=separator, skipinitialspace=True), [])
        except csv.Error:
            return False, 0
        return arch in map(str.strip, names), len(names)

    return max(SEPARATORS, key=columns)


def _other_length(row: list[str], names: list[str], separator: str) -> str:
    told = f"{len(row)} fields, and the first line has {len(names)} names"
    if len(row) < len(names):
        return f"{told}. Is the line cut short? What is missing is written as nothing between two separators"
    if not any(row[len(names) :]):
        return f"{told}. The line ends with separators too many: take them away"
    if separator == ",":
        return f"{told}. If numbers have decimal commas, write points, or separate the fields by semicolons"
    return f"{told}. A field that holds {separator!r} stands between quotation marks"


def _json_lines(path: Path, text: str) -> Lines:
    lines: Lines | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = textfile.json_object(line)
            if lines is None:
                lines = Lines(list(row), [], {name: [] for name in row})
            if row.keys() != lines.cells.keys():
                other = ", ".join(sorted(map(repr, row.keys() ^ lines.cells.keys())))
                raise ValueError(f"it and the first line do not have the same names: {other}. null stands for missing")
            for name, value in row.items():
                lines.cells[name].append(_cell(value))
            lines.numbers.append(number)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: no line of JSON Lines: {error}") from None
    return lines or Lines([])


def _cell(value) -> str:
    """A value of JSON as the text of a cell: numbers read back equal, and what is no number is none."""
    return "" if value is None else value.strip() if isinstance(value, str) else repr(value)


# ------------------------------------------------------------------------------------------------ numbers
def _is_number(cell: str) -> bool:
    return bool(POINT.fullmatch(cell) or COMMA.fullmatch(cell))


def _odd(cell: str) -> str:
    """Why a cell that looks like a number is none; empty if it does not look like one."""
    if PERCENT.fullmatch(cell):
        return "it has a percent sign. Take the signs away, and give the factor: scores={'accuracy': ('column', 0.01)}"
    if GROUPED.fullmatch(cell) and not _is_number(cell):
        return "its digits stand in groups. Write numbers without signs between thousands, with a decimal point"
    return ""


def _numeric(path: Path, lines: Lines, others: tuple[str | None, ...]) -> list[str]:
    """The columns of numbers, other than ``others``. Columns of words are left out, with a warning that names them.

    ValueError for a column that holds both, or what looks like numbers and is none; and if there is no such column.
    """
    numeric, left = [], []
    for name in lines.names:
        there = [cell for cell in set(lines.cells[name]) if cell.lower() not in MISSING]
        if name in others:
            continue
        if any(_is_number(cell) or _odd(cell) for cell in there):
            _numbers(path, lines, name)
            if not name:
                remedy = "Give it one in the first line, or name the columns of scores: scores={…}"
                raise ValueError(f"{path}, line 1: a column of numbers has no name. {remedy}")
            numeric.append(name)
        else:
            left.append(name)
    told = f"{path}: left out, since no numbers stand there: {', '.join(map(repr, left)):.400}"
    if lines.numbers and not numeric:
        raise ValueError(f"{told}. A table needs a column of numbers" if left else f"{path} has no column of numbers")
    if left and lines.numbers:
        warnings.warn(f"{told}. To say which columns are read: scores={{…}}", stacklevel=4)
    return numeric


def _numbers(path: Path, lines: Lines, name: str) -> list[float]:
    """The numbers of a column; nan where a word for missing stands. ValueError names the first cell that is none."""
    values: list[float] = []
    known: dict[str, float] = {}
    for number, cell in zip(lines.numbers, lines.cells[name], strict=True):
        if cell not in known:
            if cell.lower() in MISSING:
                known[cell] = nan
            elif _is_number(cell):
                known[cell] = float(cell.replace(",", "."))
                if isinf(known[cell]) and "inf" not in cell.lower():
                    raise ValueError(f"{path}, line {number}: {cell:.60} in the column {name!r} is too large a number")
            else:
                why = _odd(cell) or (
                    f"Words for missing are nan, NA, null, None and -, or nothing. Mend the cell, or leave the column "
                    f"{name!r} out: scores={{…}} says which are read"
                )
                raise ValueError(
                    f"{path}, line {number}: could not convert {cell!r:.60} in the column {name!r} to a number: {why}"
                )
        values.append(known[cell])
    return values


def _one_mark(path: Path, lines: Lines, names: set[str]) -> None:
    """Refuse a file that has decimal points and decimal commas, or commas that may be either.

    ``1,234`` alone is one thousand in London and less than two in Berlin. One ``0,91`` in the file settles it.
    """
    points: list[tuple[int, str, str]] = []  # line, column, cell
    commas: list[tuple[int, str, str]] = []
    sure = False
    for name in sorted(names):
        for number, cell in zip(lines.numbers, lines.cells[name], strict=True):
            if "," in cell and _is_number(cell):
                commas.append((number, name, cell))
                sure |= not THOUSAND.fullmatch(cell)
            elif "." in cell and _is_number(cell):
                points.append((number, name, cell))
    if not commas:
        return
    number, name, cell = min(commas)
    told = f"{path}, line {number}: {cell!r} in the column {name!r}"
    if points:
        other, column, point = min(points)
        raise ValueError(
            f"{told} has a comma, and {point!r} in line {other}, column {column!r}, has a point. Write decimal points "
            "everywhere, and nothing between thousands"
        )
    if not sure:
        raise ValueError(f"{told} may be a decimal comma or a thousand. Write decimal points, and no sign at thousands")


def _whole(value: float, column: str) -> int:
    if not isfinite(value) or value != int(value) or value < 0:
        raise ValueError(f"a seed is a whole number from 0, the column {column!r} has {value:g}")
    return int(value)


def _score(name: str, number: float, column: str, factor: float) -> float:
    value = factor * number
    if re.match(r"(test_)?accuracy(@|$)", name) and not (isnan(value) or 0 <= value <= 1):
        raise ValueError(f"an accuracy is 0 to 1, got {value:g}; if in %: scores={{{name!r}: ({column!r}, 0.01)}}")
    return value
