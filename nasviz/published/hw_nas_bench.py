"""HW-NAS-Bench's own file: latency and energy of each cell of NAS-Bench-201 on six devices."""

from __future__ import annotations

import hashlib
import re
from math import nan
from pathlib import Path

import numpy as np

from ..space import Arch
from .cells201 import COUNT, from_text
from .format import DATASETS, Format, Numbering
from .plainpickle import load
from .rows import Rows, number

MEASURED = re.compile(r"[a-z0-9]+_(latency|energy|arithmetic_intensity)")
UNITS = {"latency": "_ms", "energy": "_mj", "arithmetic_intensity": ""}
MISSING = -1  # what stands where a device could not run a cell


def read(path: Path, dataset: str, numbering: Numbering) -> Rows:
    """Read the pickle: see `nasviz.published.format.Format`. Columns are called ``pixel3_latency_ms``."""
    content = load(path)
    try:
        return _rows(content, DATASETS[dataset], numbering, path)
    except ValueError as error:
        raise ValueError(f"{path} is no file of HW-NAS-Bench: {error!s:.300}") from None


def _rows(content, dataset: str, numbering: Numbering, path: Path) -> Rows:
    found = content
    for name in ("nasbench201", dataset):
        if not isinstance(found, dict) or name not in found:
            raise ValueError(f"it has no {name!r}")
        found = found[name]
    if not isinstance(found, dict):
        raise ValueError(f"{dataset} is expected to be a dict")
    columns = {}
    for name, values in found.items():
        if not isinstance(name, str) or not (fits := MEASURED.fullmatch(name)):
            continue
        columns[name + UNITS[fits[1]]] = _numbers(values, name)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"its columns have {sorted(lengths)} numbers, they should have one number a cell each")
    archs = _cells(found.get("config"), lengths.pop(), numbering)
    return Rows(archs, columns, hashlib.sha256(path.read_bytes()).hexdigest())


def _numbers(values, name: str) -> np.ndarray:
    """A column, (cells, 1), of a list or an array."""
    values = values.tolist() if isinstance(values, np.ndarray) else values
    if not isinstance(values, list | tuple):
        raise ValueError(f"{name} is expected to be a list")
    found = np.array([number(value, name) for value in values])
    if ((found < 0) & (found != MISSING)).any():
        raise ValueError(f"{name} is less than 0 somewhere")
    return np.where(found == MISSING, nan, found)[:, None]


def _cells(configurations, count: int, numbering: Numbering) -> list[Arch]:
    """The cells: by the text in each configuration, or by official number."""
    if isinstance(configurations, list) and len(configurations) == count:
        return [from_text(one.get("arch_str") if isinstance(one, dict) else None) for one in configurations]
    if count != COUNT:
        raise ValueError(f"it has {count:,} cells, and does not say which: all {COUNT:,} are expected")
    return numbering()


FORMATS = (
    Format(
        name="HW-NAS-Bench",
        benchmark="nasbench201",
        holds="hardware",
        files=("HW-NAS-Bench-*.pickle*",),
        datasets=tuple(DATASETS),
        read=read,
        where="https://github.com/GATECH-EIC/HW-NAS-Bench (HW-NAS-Bench-v1_0.pickle)",
        size="some MB",
        licence="MIT",
        paper="Li et al. 2021, HW-NAS-Bench, ICLR",
    ),
)
