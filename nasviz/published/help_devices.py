"""HELP's latencies of NAS-Bench-201's cells: a folder with a file of torch for each device."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np

from .cells201 import COUNT
from .format import DATASETS, Format, Numbering
from .plainpickle import load
from .rows import Rows, column, number


def read(path: Path, dataset: str, numbering: Numbering) -> Rows:
    """Read all devices: see `nasviz.published.format.Format`. A column a device, such as ``pixel2_latency_ms``."""
    columns, digest = {}, hashlib.sha256()
    for file in sorted(path.glob("*.pt")):
        if not re.fullmatch(r"\w{1,40}", file.stem, re.ASCII):
            raise ValueError(f"{file} is called as no device is")
        content = load(file)
        values = content.tolist() if isinstance(content, np.ndarray) else content
        if not isinstance(values, list | tuple) or len(values) != COUNT:
            raise ValueError(f"{file} is expected to hold {COUNT:,} latencies in a list")
        try:
            columns[f"{file.stem}_latency_ms"] = column(number(value, "a latency") for value in values)
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from None
        if (columns[f"{file.stem}_latency_ms"] < 0).any():
            raise ValueError(f"{file}: a latency is less than 0")
        digest.update(columns[f"{file.stem}_latency_ms"].tobytes())
    if not columns:
        raise ValueError(f"{path} holds no device: they are files called NAME.pt")
    return Rows(numbering(), columns, digest.hexdigest())


FORMATS = (
    Format(
        name="HELP's devices",
        benchmark="nasbench201",
        holds="devices",
        files=("nasbench201/latency", "help/nasbench201/latency"),
        datasets=tuple(DATASETS),
        read=read,
        where="https://github.com/HayeonLee/HELP (the folder data/nasbench201/latency)",
        size="3 MB",
        licence="MIT",
        paper="Lee et al. 2021, HELP, NeurIPS",
    ),
)
