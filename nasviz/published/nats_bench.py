"""NATS-Bench's topology space and NAS-Bench-201, as their authors pack them: trainings one by one, with their curves.

NATS-Bench comes as a folder with a file for each cell (``000000.pickle.pbz2`` and so on; ``meta.pickle.pbz2`` lists the
texts), NAS-Bench-201 as one file of torch. Both hold the same records: for each recipe (``"12"`` and ``"200"`` epochs,
in the older file ``"less"`` and ``"full"``) the trainings of a cell by data set and seed. A single large file takes
more memory than a laptop has, and is refused by its size: the folder holds the same trainings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from math import nan
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..space import Arch
from .cells201 import from_text
from .format import DATASETS, Format, Numbering
from .plainpickle import load
from .rows import TEST, VALID, Rows, checked_accuracy, number

EPOCHS = 200
CURVE = (1, 3, 6, 12, 25, 50, 100, 200)  # epochs after which a table has the validation accuracy
FULL, SHORT = ("200", "full"), ("12", "less")
# data set and split of the validation accuracy, and of the test accuracy. CIFAR-10's are of separate trainings: one on
# half of the training set, one on all of it.
SPLITS = {
    "cifar10": (("cifar10-valid", "x-valid"), ("cifar10", "ori-test")),
    "cifar100": (("cifar100", "x-valid"), ("cifar100", "x-test")),
    "imagenet16": (("ImageNet16-120", "x-valid"), ("ImageNet16-120", "x-test")),
}


class Training(NamedTuple):
    """One row's training: numbers by column, and its seconds."""

    scores: dict[str, float]
    seconds: float


def read(path: Path, dataset: str, numbering: Numbering) -> Rows:
    """Read a folder of NATS-Bench, one of its files, or a file of NAS-Bench-201: see `Format`."""
    digest = hashlib.sha256()
    known: dict[Arch, list[Training]] = {}
    for file in sorted(path.glob("[0-9]*.pickle.pbz2")) if path.is_dir() else [path]:
        content = load(file)
        try:
            for recipes in _cells(content):
                arch, trainings = _cell(recipes, dataset)
                if arch in known:
                    raise ValueError(f"the cell {arch} is there twice")
                known[arch] = trainings
        except ValueError as error:
            raise ValueError(f"{file} is no file of NATS-Bench: {error!s:.300}") from None
        digest.update(repr(known[arch]).encode())
    if not known:
        raise ValueError(f"{path} holds no file of NATS-Bench: they are called 000000.pickle.pbz2 and so on")
    try:
        return _rows(known, digest.hexdigest(), path)
    except ValueError as error:
        raise ValueError(f"{path}: {error!s:.300}") from None


def texts(path: Path) -> list:
    """The cells' texts by official number, of ``meta.pickle.pbz2``. OSError, or ValueError if it has none."""
    content = load(path)
    if not isinstance(content, dict) or not isinstance(content.get("meta_archs"), list):
        raise ValueError(f"{path} has no list of cells, meta_archs")
    return content["meta_archs"]


# ------------------------------------------------------------------------------------------------ one file
def _dict(value, what: str) -> dict:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is expected to be a dict, found {type(value).__name__}")
    return value


def _cells(content) -> Iterator[dict]:
    """The recipes of each cell in a file."""
    found = _dict(content, "a cell")
    if "arch2infos" not in found:
        yield found
        return
    cells = _dict(found["arch2infos"], "arch2infos")
    if not cells:
        raise ValueError("it has no cell")
    for one in cells.values():
        yield _dict(one, "a cell")


def _recipe(recipes: dict, names: tuple[str, ...]) -> dict | None:
    """The record of a recipe, which has one of the names."""
    found = next((recipes[name] for name in names if name in recipes), None)
    return None if found is None else _dict(found, f"the recipe {names[0]}")


def _cell(recipes: dict, dataset: str) -> tuple[Arch, list[Training]]:
    """A cell and its trainings. They are paired by their order where validation and test are of separate ones."""
    full = _recipe(recipes, FULL)
    if full is None:
        raise ValueError(f"it has no training of {EPOCHS} epochs, only {', '.join(map(repr, recipes)):.100}")
    arch, ((valid, valid_split), (test, test_split)) = from_text(full.get("arch_str")), SPLITS[dataset]
    tested = _trainings(full, test)
    validated = _trainings(full, valid)
    if not tested:
        raise ValueError(f"the cell {full['arch_str']} has no training on {test}")
    short = _short(recipes, valid, valid_split)
    found = []
    for place, record in enumerate(tested):
        other = validated[place] if place < len(validated) else None
        if other is None and validated:
            break
        scores = {TEST: _accuracy(record, test_split, EPOCHS), **_costs(record)}
        if other is not None:
            scores[VALID] = _accuracy(other, valid_split, EPOCHS)
            scores |= {f"accuracy@{epoch}": _accuracy(other, valid_split, epoch) for epoch in CURVE}
        scores["accuracy_12_epochs"] = short
        found.append(Training(scores, _seconds(record if other is None else other)))
    return arch, found


def _trainings(recipe: dict, dataset: str) -> list[dict]:
    """The records of the trainings on a data set, by seed."""
    results = _dict(recipe.get("all_results"), "all_results")
    found: dict[int, dict] = {}
    for key, record in results.items():
        if isinstance(key, tuple) and len(key) == 2 and key[0] == dataset:
            found[int(number(key[1], "a seed"))] = _dict(record, "a training")
    return [found[seed] for seed in sorted(found)]


def _short(recipes: dict, dataset: str, split: str) -> float:
    """The mean validation accuracy of the 12-epoch trainings, in %; nan where there is none."""
    recipe = _recipe(recipes, SHORT)
    trainings = _trainings(recipe, dataset) if recipe else []
    values = [_accuracy(record, split, int(number(record.get("epochs"), "epochs"))) for record in trainings]
    return float(np.mean(values)) if values else nan


def _accuracy(record: dict, split: str, epoch: int) -> float:
    """The accuracy in % after an epoch, counted from 1; nan where it was not taken."""
    value = _dict(record.get("eval_acc1es"), "eval_acc1es").get(f"{split}@{epoch - 1}")
    return nan if value is None else number(value, f"the accuracy {split}@{epoch - 1}")


def _costs(record: dict) -> dict[str, float]:
    return {
        "parameters": round(1e6 * number(record.get("params"), "params")),
        "madds": round(1e6 * number(record.get("flop"), "flop")),
    }


def _seconds(record: dict) -> float:
    """What a training took; nan where nobody wrote it down."""
    times = record.get("train_times")
    if not isinstance(times, dict) or not times:
        return nan
    spent = sum(number(value, "a time") for value in times.values())
    if spent < 0:
        raise ValueError(f"a training takes no {spent:g} seconds")
    return spent


# ------------------------------------------------------------------------------------------------ all files
def _rows(known: dict[Arch, list[Training]], digest: str, path: Path) -> Rows:
    """All cells as one array a column. A column that no training has is left out."""
    shape = len(known), max(map(len, known.values()))
    names = dict.fromkeys(name for trainings in known.values() for one in trainings for name in one.scores)
    columns = {name: np.full(shape, nan) for name in names}
    there, seconds = np.zeros(shape, bool), np.full(shape, nan)
    for row, trainings in enumerate(known.values()):
        for seed, one in enumerate(trainings):
            there[row, seed], seconds[row, seed] = True, one.seconds
            for name, value in one.scores.items():
                columns[name][row, seed] = value
    for name in [name for name in columns if "accuracy" in name]:
        columns[name] = checked_accuracy(columns[name], f"the column {name}")
    whole = {name: values for name, values in columns.items() if not np.isnan(values).all()}
    whole = {n: v for n, v in whole.items() if "@" not in n or not np.isnan(v[there]).any()}
    return Rows(list(known), whole, digest, there, seconds)


FORMATS = (
    Format(
        name="NATS-Bench, topology",
        benchmark="nasbench201",
        holds="accuracy",
        files=("NATS-tss-*-simple", "NATS-tss-*.pickle.pbz2", "NAS-Bench-201-*.pth"),
        datasets=tuple(DATASETS),
        read=read,
        where="https://github.com/D-X-Y/NATS-Bench (NATS-tss-v1_0-3ffb9-simple.tar, unpacked)",
        size="about 1 GB packed",
        licence="MIT",
        paper="Dong et al. 2021, NATS-Bench, TPAMI; Dong & Yang 2020, NAS-Bench-201, ICLR",
    ),
)
