"""NAS-Bench-101: the authors' TFRecord files, and a CSV export of a part.

A TFRecord file is a row of records: eight bytes of length, four of checksum, the record, four of checksum. Each record
is one training, a JSON list of hash, epochs, matrix, operations, and a message in Google's Protocol Buffers that holds
accuracies before, half-way through and after the training. All three are simple enough to be read here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import struct
from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..space import Arch
from .cells101 import from_matrix, from_upper
from .format import Format, Numbering
from .lines import read as read_lines
from .rows import LARGEST, TEST, VALID, Rows, checked_accuracy

EPOCHS = 108
MOST = 2**20  # bytes of a record
SHORTER = (4, 12, 36)  # trainings of their own in the full file
MILLIONS = {"params": "parameters", "flops": "madds"}


class Training(NamedTuple):
    """One training's numbers: accuracies 0 to 1."""

    valid: float
    test: float
    halfway: float
    seconds: float
    parameters: float


def read(path: Path, dataset: str, numbering: Numbering) -> Rows:
    """Read a file: see `nasviz.published.format.Format`."""
    if ".csv" in path.name:
        return _csv(path)
    try:
        return _tfrecord(path)
    except (ValueError, struct.error, binascii.Error, RecursionError) as error:
        raise ValueError(f"{path} is no file of NAS-Bench-101: {error!s:.300}") from None


# ------------------------------------------------------------------------------------------------ the authors' files
def _tfrecord(path: Path) -> Rows:
    known: dict[Arch, dict[int, list[Training]]] = {}
    cells: dict[tuple[str, str], Arch] = {}
    digest = hashlib.sha256()
    for record in _records(path):
        digest.update(record)
        matrix, ops, epochs, training = _training(record)
        if (matrix, ops) not in cells:
            side = len(ops.split(","))
            if len(matrix) != side**2 or set(matrix) - set("01"):
                raise ValueError(f"the matrix {matrix:.60!r} has not {side} rows of 0 and 1")
            rows = [[int(bit) for bit in matrix[side * i : side * (i + 1)]] for i in range(side)]
            cells[matrix, ops] = from_matrix(rows, ops.split(","))
        known.setdefault(cells[matrix, ops], {}).setdefault(epochs, []).append(training)
    known = {arch: by_epochs for arch, by_epochs in known.items() if EPOCHS in by_epochs}
    if not known:
        raise ValueError(f"it holds no training of {EPOCHS} epochs")
    return _rows(known, digest.hexdigest())


def _records(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while head := file.read(12):
            (length,) = struct.unpack("<Q", head[:8]) if len(head) == 12 else (MOST + 1,)
            if length > MOST:
                raise ValueError("a record is cut short, or longer than any")
            record = file.read(length + 4)
            if len(record) != length + 4:
                raise ValueError("its last record is cut short")
            yield record[:-4]


def _training(record: bytes) -> tuple[str, str, int, Training]:
    """Matrix, operations, epochs and numbers of a record."""
    said = json.loads(record)
    if not isinstance(said, list) or len(said) != 5 or [type(one) for one in said[1:]] != [int, str, str, str]:
        raise ValueError("a record is a list of hash, epochs, matrix, operations and metrics")
    _, epochs, matrix, ops, metrics = said
    evaluations, parameters = [], nan
    for field, value in _message(base64.b64decode(metrics, validate=True)):
        if field == 1 and isinstance(value, bytes):
            evaluations.append({one: number for one, number in _message(value) if isinstance(number, float)})
        elif field == 2 and isinstance(value, int):
            parameters = float(value)
    if len(evaluations) != 3:
        raise ValueError(f"a training has three evaluations, this one {len(evaluations)}")
    _, half, end = evaluations
    seconds, valid, test, halfway = (one.get(field, nan) for one, field in ((end, 2), (end, 4), (end, 5), (half, 4)))
    if not all(0 <= share <= 1 for share in (valid, test, halfway)) or not 0 <= seconds < LARGEST:
        raise ValueError("an accuracy is not 0 to 1, or a time is none")
    return matrix, ops, epochs, Training(valid, test, halfway, seconds, parameters)


def _message(raw: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """The fields of a message of Protocol Buffers: whole numbers, doubles, bytes. ValueError for other kinds."""
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        kind = key & 7
        value: int | float | bytes
        if kind == 0:
            value, at = _varint(raw, at)
        elif kind == 1:
            (value,), at = struct.unpack_from("<d", raw, at), at + 8
        elif kind == 2:
            length, at = _varint(raw, at)
            if length > len(raw) - at:
                raise ValueError("a message is cut short")
            value, at = raw[at : at + length], at + length
        else:
            raise ValueError(f"a message has a field of the kind {kind}")
        yield key >> 3, value


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            break
        byte, at = raw[at], at + 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a whole number in a message has no end")


def _rows(known: dict[Arch, dict[int, list[Training]]], digest: str) -> Rows:
    trainings = [by_epochs[EPOCHS] for by_epochs in known.values()]
    shape = len(trainings), max(map(len, trainings))
    values, there = np.full((*shape, len(Training._fields)), nan), np.zeros(shape, bool)
    for row, several in enumerate(trainings):
        there[row, : len(several)] = True
        values[row, : len(several)] = several
    columns = {VALID: values[..., 0], TEST: values[..., 1], f"accuracy@{EPOCHS // 2}": values[..., 2]}
    columns |= {f"accuracy@{EPOCHS}": values[..., 0], "parameters": values[..., 4]}
    for epochs in SHORTER:
        means = [np.mean([one.valid for one in of.get(epochs, ())] or [nan]) for of in known.values()]
        if not np.isnan(means).all():
            columns[f"accuracy_{epochs}_epochs"] = np.where(there, np.array(means)[:, None], nan)
    return Rows(list(known), columns, digest, there, values[..., 3])


# ------------------------------------------------------------------------------------------------ an export
def _csv(path: Path) -> Rows:
    lines = read_lines(path)
    matrices, ops = (lines.cells[lines.first_of(name)] for name in ("adj_upper", "ops"))
    archs = []
    for row, (bits, digits) in enumerate(zip(matrices, ops, strict=True)):
        try:
            archs.append(from_upper(bits, digits))
        except ValueError as error:
            raise lines.wrong(row, str(error)) from None
    columns = {}
    for name in lines.cells:
        if name in ("adj_upper", "ops"):
            continue
        values = lines.numbers(name)[:, None]
        if name == f"valid_acc_{EPOCHS}":
            name, values = VALID, checked_accuracy(values, str(path))
        elif name in MILLIONS:
            name, values = MILLIONS[name], np.round(1e6 * values)
        columns[name] = values
    try:
        return Rows(archs, columns, lines.digest)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


FORMATS = (
    Format(
        name="NAS-Bench-101",
        benchmark="nasbench101",
        holds="accuracy",
        files=("nasbench_only108.tfrecord", "nasbench_full.tfrecord", "nb101_sample500.csv*"),
        datasets=("cifar10",),
        read=read,
        where="https://github.com/google-research/nasbench (nasbench_only108.tfrecord, nasbench_full.tfrecord)",
        size="0.5 or 2 GB",
        licence="Apache 2.0",
        paper="Ying et al. 2019, NAS-Bench-101, ICML",
    ),
)
