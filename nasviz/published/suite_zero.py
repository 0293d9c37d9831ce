"""NAS-Bench-Suite-Zero's JSON files: validation accuracies and zero-cost scores of architectures in NASLib's encoding.

Two forms are around. In one a score is a number, and a first level names the benchmark; in the other a score is an
object with ``score`` and ``time`` in seconds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from math import nan
from pathlib import Path

import numpy as np

from .. import textfile
from ..space import Arch
from .cells101 import from_naslib as cell101
from .cells201 import from_naslib as cell201
from .format import DATASETS, Format, Numbering
from .rows import VALID, Rows, checked_accuracy, number

KEY = re.compile(r"[(\[]\s*(\d{1,2}(\s*,\s*\d{1,2})*)\s*,?\s*[)\]]", re.ASCII)
NAME = re.compile(r"\w{1,40}", re.ASCII)
MOST_NAMES = 200
MILLIONS = {"params": "parameters", "flops": "madds"}


def read(
    path: Path, dataset: str, numbering: Numbering, *, benchmark: str, cell: Callable[[Sequence[int]], Arch]
) -> Rows:
    """Read the architectures of a data set: see `nasviz.published.format.Format`.

    Columns have the scores' names; ``synflow_seconds`` is what ``synflow`` took. nan where an architecture lacks one.
    All that is called an accuracy is in %.
    """
    raw = textfile.content(path)
    try:
        content = textfile.json_object(textfile.decoded(path, raw))
        entries = _of_dataset(content.get(benchmark, content), dataset)
        return _rows(entries, cell, hashlib.sha256(raw).hexdigest())
    except (ValueError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no file of NAS-Bench-Suite-Zero: {error!s:.300}") from None


def _of_dataset(content, dataset: str) -> dict:
    if isinstance(content, dict):
        for name in (dataset, DATASETS.get(dataset, dataset)):
            if isinstance(content.get(name), dict) and content[name]:
                return content[name]
    raise ValueError(f"it has no architectures of {dataset}")


def _rows(entries: dict, cell: Callable[[Sequence[int]], Arch], digest: str) -> Rows:
    archs, found = [], []
    for key, entry in entries.items():
        fits = KEY.fullmatch(key)
        if not fits:
            raise ValueError(f"{key!r:.80} is no architecture: numbers in brackets are expected")
        if not isinstance(entry, dict):
            raise ValueError(f"the architecture {key:.80} needs its scores")
        archs.append(cell([int(digits) for digits in fits[1].split(",")]))
        found.append(dict(_scores(entry)))
    names = dict.fromkeys(name for one in found for name in one)
    if len(names) > MOST_NAMES:
        raise ValueError(f"{len(names):,} different scores")
    columns = {name: np.array([one.get(name, nan) for one in found])[:, None] for name in names}
    for name in columns:
        if "accuracy" in name.lower():
            columns[name] = checked_accuracy(columns[name], name)
    return Rows(archs, columns, digest)


def _scores(entry: dict):
    """``(name, number)`` of all that an entry holds."""
    for name, value in entry.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r:.60} is no name of a score")
        if isinstance(value, dict):
            if value.get("time") is not None and "accuracy" not in name.lower():
                yield f"{name}_seconds", number(value["time"], f"the time of {name}")
            value = value.get("score")
        if value is None:
            continue
        value = number(value, name)
        if name in MILLIONS:
            yield MILLIONS[name], float(round(1e6 * value))
        else:
            yield VALID if name == "val_accuracy" else name, value


_SAID = {
    "where": "https://github.com/automl/NASLib, branch zerocost (its download script names the files)",
    "licence": "Apache 2.0",
    "paper": "Krishnakumar et al. 2022, NAS-Bench-Suite-Zero, NeurIPS",
}
FORMATS = (
    Format(
        "NAS-Bench-Suite-Zero, NAS-Bench-201", "nasbench201", "zero-cost", ("zc_nasbench201.json*",), tuple(DATASETS),
        partial(read, benchmark="nasbench201", cell=cell201), size="0.5 to 60 MB", **_SAID,
    ),
    Format(
        "NAS-Bench-Suite-Zero, NAS-Bench-101", "nasbench101", "accuracy", ("zc_nasbench101.json*",), ("cifar10",),
        partial(read, benchmark="nasbench101", cell=cell101), size="0.3 to 10 MB", **_SAID,
    ),
)  # fmt: skip
