"""The compact file of a `nasviz.estimators.table.Table`. Those of others: `nasviz.estimators.csvfile`.

It is NumPy's ``.npz`` without pickle. ``header`` holds JSON as bytes: what was trained, how, on which
machines, and how each column is kept:

- ``counts``: accuracies that are counts out of 1,000 to 10,000 images, as uint16 (65535: nan), exactly;
- ``whole``: whole numbers that are the same for all seeds (parameters, multiply-adds), as uint32, exactly;
- ``floats``: everything else, as float32, as the seconds are;
- ``doubles``: numbers beyond the range of float32, exactly;
- ``same``: equal to another column, not kept twice.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from itertools import product
from math import nan, prod
from pathlib import Path
from tokenize import TokenError
from typing import Protocol

import numpy as np

from .. import spaces
from ..identity import OtherVersion, check_version
from ..space import Arch, SearchSpace

FORMAT, VERSION = "nasviz table of trainings", 1
IMAGES = (1000, 2000, 5000, 10_000)  # of which an accuracy may be a count
NAN = 65535
MOST = 2**30  # bytes of a file, unpacked
ALIASES = 2**17  # spaces up to this size: the row of every tuple of choices is kept, so that nobody derives it again
# What zipfile, NumPy and JSON raise on bytes that are not what they expect.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, TypeError, KeyError, IndexError,
    AttributeError, RuntimeError, OverflowError, NotImplementedError, MemoryError, TokenError,
)  # fmt: skip


class Trainings(Protocol):
    """What is written: the attributes of a `nasviz.estimators.table.Table`."""

    @property
    def space(self) -> SearchSpace:
        """Whose architectures they are."""

    @property
    def archs(self) -> tuple[Arch, ...]:
        """Those that are there."""

    @property
    def columns(self) -> Mapping[str, np.ndarray]:
        """The numbers by name: (rows, seeds)."""

    @property
    def there(self) -> np.ndarray:
        """Which trainings are there: (rows, seeds)."""

    @property
    def seconds(self) -> np.ndarray:
        """What each took: (rows, seeds)."""

    @property
    def total(self) -> int:
        """How many rows the finished table will have."""

    @property
    def about(self) -> Mapping:
        """How the numbers came about."""

    @property
    def coverage(self) -> str:
        """How much is there, in words."""

    @property
    def functions(self) -> Mapping[str, int]:
        """The first row of each function, by its canonical form."""


def write(table: Trainings, path: Path) -> None:
    """Write ``table``. FileExistsError rather than overwrite; the same table gives the same bytes."""
    columns: dict[str, dict] = {}
    arrays: dict[str, np.ndarray] = {}
    for number, (name, values) in enumerate(table.columns.items()):
        twin = next((n for n in list(columns) if np.array_equal(table.columns[n], values, equal_nan=True)), None)
        if twin is not None:
            columns[name] = {"kind": "same", "as": twin}
            continue
        columns[name], arrays[f"column {number}"] = _packed(values, table.there)
        columns[name]["array"] = f"column {number}"
    header = {
        "format": FORMAT,
        "version": VERSION,
        "space": table.space.name,
        "total": table.total,
        "coverage": table.coverage,
        "columns": columns,
        "about": dict(table.about),
    }
    arrays["archs"] = np.array(table.archs, np.int16)
    arrays["there"], arrays["seconds"] = table.there, table.seconds.astype(np.float32)
    if table.space.size <= ALIASES:
        arrays["aliases"] = _aliases(table)
    arrays["header"] = np.frombuffer(json.dumps(header, ensure_ascii=False).encode(), np.uint8)
    with path.open("xb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's stub: a name might be allow_pickle


def _packed(values: np.ndarray, there: np.ndarray) -> tuple[dict, np.ndarray]:
    """How a column is kept, and its array."""
    finite = values[there & ~np.isnan(values)]
    if ((finite >= 0) & (finite <= 1)).all():
        for images in IMAGES:
            if (np.round(finite * images) / images == finite).all():
                counts = np.full(values.shape, NAN, np.uint16)
                counts[~np.isnan(values)] = np.round(finite * images)
                return {"kind": "counts", "of": images}, counts
    first = values[np.arange(len(values)), there.argmax(1)]
    if (finite == np.round(finite)).all() and ((0 <= first) & (first < 2**32)).all():
        if np.array_equal(np.where(there, values, 0), np.where(there, first[:, None], 0)):
            return {"kind": "whole"}, first.astype(np.uint32)
    with np.errstate(over="ignore", under="ignore"):
        single = values.astype(np.float32)
    if not np.allclose(single.astype(float), values, rtol=1e-6, atol=0, equal_nan=True):  # too large or too small
        return {"kind": "doubles"}, values
    return {"kind": "floats"}, single


def _aliases(table: Trainings) -> np.ndarray:
    """Row of each tuple of choices, in the order of `itertools.product`; -1 where there is none."""
    space = table.space
    tuples = product(*(range(len(choice.options)) for choice in space.choices))
    exact = {arch: row for row, arch in enumerate(table.archs)}

    def row(arch: Arch) -> int:
        if arch in exact:
            return exact[arch]
        return -1 if space.why_invalid(arch) else table.functions.get(space.canonical(arch), -1)

    return np.fromiter(map(row, tuples), np.int32, space.size)


def read(path: Path, space: SearchSpace | None = None) -> dict:
    """The fields of the table in ``path``. ValueError says what is wrong: damaged, no table, too new."""
    raw = path.read_bytes()
    try:
        arrays = _unzipped(raw)
        header = json.loads(arrays.pop("header").tobytes())
        if header["format"] != FORMAT:
            raise ValueError(f"its format is {header['format']!r}")
        check_version(path, header["version"], VERSION)
        space = space or named_space(header["space"])
        if space.name != header["space"]:
            raise ValueError(f"it is of the space {header['space']!r}, not of {space.name!r}")
        archs = tuple(space.check(arch) for arch in arrays["archs"].tolist())
        there = _array(arrays, "there", (len(archs), len(arrays["there"][0])), bool)
        if len(set(archs)) < len(archs) or not there.any(1).all():
            raise ValueError("an architecture stands there twice, or without a training")
        columns: dict[str, np.ndarray] = {}
        for name, kept in header["columns"].items():
            columns[name] = columns[kept["as"]] if kept["kind"] == "same" else _unpacked(arrays, kept, there)
        aliases = None
        if "aliases" in arrays:
            aliases = _array(arrays, "aliases", (space.size,), np.int32)
            places = np.ravel_multi_index(np.array(archs).T, [len(choice.options) for choice in space.choices])
            if aliases.min() < -1 or aliases.max() >= len(archs) or (aliases[places] != np.arange(len(archs))).any():
                raise ValueError("its rows do not belong to its architectures")
        seconds = _array(arrays, "seconds", there.shape, np.float32).astype(float)
        total, about = int(header["total"]), dict(header["about"])
        if total < len(archs):
            raise ValueError(f"it has {len(archs)} rows of {total}")
    except OtherVersion:
        raise
    except DAMAGE as error:
        reason = f"{path} is no table of trainings, or is damaged ({type(error).__name__}: {error!s:.300})"
        again = "Get it back, or make it again: python -m nasviz.estimators.tabulate publish"
        raise ValueError(f"{reason}. {again}") from None
    return {
        "space": space, "digest": hashlib.sha256(raw).hexdigest(), "archs": archs, "columns": columns, "there": there,
        "seconds": seconds, "total": total, "about": about, "aliases": aliases,
    }  # fmt: skip


def _unzipped(raw: bytes) -> dict[str, np.ndarray]:
    """The arrays of an archive. None takes more memory than the archive holds, whatever it claims to be."""
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as file:
        if sum(one.file_size for one in file.infolist()) > MOST:
            raise ValueError(f"unpacked, it is larger than {MOST:,} bytes")
        for one in file.infolist():
            data = file.read(one)
            stream = io.BytesIO(data)
            if np.lib.format.read_magic(stream) != (1, 0):
                raise ValueError(f"its array {one.filename!r} is of another format")
            shape, _, kind = np.lib.format.read_array_header_1_0(stream)
            if not kind.hasobject and prod(shape) * kind.itemsize != len(data) - stream.tell():
                raise ValueError(f"its array {one.filename!r} is not as long as it claims")
            stream.seek(0)
            arrays[one.filename.removesuffix(".npy")] = np.lib.format.read_array(stream, allow_pickle=False)
    return arrays


def _unpacked(arrays: Mapping, kept: Mapping, there: np.ndarray) -> np.ndarray:
    if kept["kind"] == "whole":
        one = _array(arrays, kept["array"], (len(there),), np.uint32)
        return np.where(there, one[:, None].astype(float), nan)
    if kept["kind"] == "counts":
        counts, images = _array(arrays, kept["array"], there.shape, np.uint16), kept["of"]
        values = np.where(counts == NAN, nan, counts / images)
        if images not in IMAGES or np.nanmax(values, initial=0) > 1:
            raise ValueError(f"more right answers than images ({images!r})")
        return values
    if kept["kind"] == "doubles":
        return _array(arrays, kept["array"], there.shape, np.float64)
    if kept["kind"] != "floats":
        raise ValueError(f"a column of unknown kind {kept['kind']!r}")
    return _array(arrays, kept["array"], there.shape, np.float32).astype(float)


def _array(arrays: Mapping, name: str, shape: tuple, kind) -> np.ndarray:
    array = arrays[name]
    if array.shape != shape or array.dtype != kind:
        raise ValueError(f"its array {name!r} is {array.dtype} {array.shape}, not {np.dtype(kind)} {shape}")
    return array


def named_space(name: str) -> SearchSpace:
    """The space of nasviz that is called ``name``; ValueError if there is none."""
    for one in spaces.__all__:
        if (space := getattr(spaces, one)()).name == name:
            return space
    raise ValueError(f"nasviz knows no space {name!r:.60}: pass it as space")
