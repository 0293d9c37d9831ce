"""NAS-Bench-Macro: the authors' JSON, or a CSV export of it; three trainings of each network, judged on test images."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np

from .. import textfile
from ..space import Arch
from ..spaces.nasbench_macro import NasBenchMacro
from .format import Format, Numbering
from .lines import read as read_lines
from .rows import TEST, Rows, checked_accuracy, number

SPACE = NasBenchMacro()
TRAININGS = 3
ENTRY = {"test_acc", "params", "flops"}


def read(path: Path, dataset: str, numbering: Numbering) -> Rows:
    """Read a row for each distinct network, in the published text with identities at the end of a stage.

    ValueError also if two texts of one network have other numbers: its authors copied them.
    """
    entries, digest = _csv(path) if ".csv" in path.name else _json(path)
    known: dict[str, tuple[float, ...]] = {}
    for text, numbers in entries.items():
        try:
            canonical = SPACE.canonical(SPACE.from_text(text))
        except ValueError as error:
            raise ValueError(f"{path}: {error!s:.300}") from None
        if known.setdefault(canonical, numbers) != numbers:
            raise ValueError(f"{path}: {text} is the network {canonical}, and has other numbers")
    values = np.array(list(known.values()))
    accuracy = checked_accuracy(values[:, :TRAININGS], str(path))
    archs: list[Arch] = [SPACE.from_text(text) for text in known]
    costs = {name: np.repeat(values[:, [3 + i]], TRAININGS, 1) for i, name in enumerate(("parameters", "madds"))}
    return Rows(archs, {TEST: accuracy, **costs}, digest)


def _json(path: Path) -> tuple[dict[str, tuple[float, ...]], str]:
    raw = textfile.content(path)
    try:
        content = textfile.json_object(textfile.decoded(path, raw))
        found = {}
        for text, entry in content.items():
            if not isinstance(entry, dict) or not entry.keys() >= ENTRY:
                raise ValueError(f"{text!r:.40} needs {', '.join(sorted(ENTRY))}")
            trainings = entry["test_acc"]
            if not isinstance(trainings, list) or len(trainings) != TRAININGS:
                raise ValueError(f"{text!r:.40} needs {TRAININGS} accuracies")
            found[text] = tuple(number(one, f"of {text!r:.40}, a number") for one in _numbers(entry))
        if not found:
            raise ValueError("it holds no network")
    except (ValueError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no file of NAS-Bench-Macro: {error!s:.300}") from None
    return found, hashlib.sha256(raw).hexdigest()


def _numbers(entry: dict) -> list:
    return [*entry["test_acc"], entry["params"], entry["flops"]]


def _csv(path: Path) -> tuple[dict[str, tuple[float, ...]], str]:
    lines = read_lines(path)
    names = [*(f"test_acc_{n + 1}" for n in range(TRAININGS)), "params", "flops"]
    columns = [lines.numbers(lines.first_of(name)) for name in names]
    texts = lines.cells[lines.first_of("arch")]
    for row, text in enumerate(texts):
        if not re.fullmatch("[012]{8}", text):
            raise lines.wrong(row, f"eight digits 0 to 2 are expected, got {text!r:.40}")
        if any(np.isnan(values[row]) for values in columns):
            raise lines.wrong(row, "a number is missing")
    if len(set(texts)) < len(texts):
        raise ValueError(f"{path}: a network stands there twice")
    return dict(zip(texts, zip(*(values.tolist() for values in columns), strict=True), strict=True)), lines.digest


FORMATS = (
    Format(
        name="NAS-Bench-Macro",
        benchmark="nasbench-macro",
        holds="accuracy",
        files=("nas-bench-macro_cifar10.json*", "nasbench_macro.csv*"),
        datasets=("cifar10",),
        read=read,
        where="https://github.com/xiusu/NAS-Bench-Macro (data/nas-bench-macro_cifar10.json)",
        size="1 MB",
        licence="Apache 2.0",
        paper="Su et al. 2021, Prioritized Architecture Sampling with Monto-Carlo Tree Search, CVPR",
    ),
)
