"""Which published files are known, where they are looked for, and what is read from them. Nothing is downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..paths import published_dir
from ..space import Arch, SearchSpace
from ..spaces import NasBench101, NasBench201, NasBenchMacro
from . import help_devices, hw_nas_bench, nasbench101, nasbench201_csv, nasbench_macro, nats_bench, suite_zero
from .cells201 import numbered
from .format import Format, dataset_name
from .lines import read as read_lines
from .rows import Rows, joined, with_accuracy

FORMATS: tuple[Format, ...] = (
    *nats_bench.FORMATS, *nasbench201_csv.FORMATS, *hw_nas_bench.FORMATS, *help_devices.FORMATS, *suite_zero.FORMATS,
    *nasbench_macro.FORMATS, *nasbench101.FORMATS,
)  # fmt: skip
SPACES: dict[str, type[SearchSpace]] = {
    "nasbench201": NasBench201,
    "nasbench-macro": NasBenchMacro,
    "nasbench101": NasBench101,
}
NETWORKS = {"nasbench201": 15_625, "nasbench-macro": 3_969, "nasbench101": 423_624}  # rows of a whole table
EVERY = 2**14  # tables of spaces up to this size know the row of every tuple


def found(folder: Path) -> Iterator[tuple[Format, Path]]:
    """The published files in a folder, with their forms."""
    for form in FORMATS:
        for path in form.within(folder):
            yield form, path


def read(benchmark: str, path: str | Path | None, dataset: str, also: Sequence[str]) -> dict:
    """The fields of a table: see `nasviz.estimators.Table.published`."""
    if benchmark not in SPACES:
        raise ValueError(f"published benchmarks are {', '.join(SPACES)}, got {benchmark!r:.60}")
    dataset = dataset_name(dataset)
    forms = [form for form in FORMATS if form.benchmark == benchmark]
    if dataset not in (known := {name: None for form in forms for name in form.datasets}):
        raise ValueError(f"{benchmark} is known on {', '.join(known)}, got {dataset!r:.60}")
    if unknown := set(also) - {form.holds for form in forms}:
        holds = ", ".join(dict.fromkeys(form.holds for form in forms))
        raise ValueError(f"of {benchmark}, files hold {holds}; got {', '.join(sorted(unknown)):.100}")
    place = published_dir() if path is None else Path(path).expanduser()
    if not place.exists():
        raise FileNotFoundError(f"{place} is not there: `python -m nasviz tables` says which files are known")
    parts = [_chosen(forms, place, dataset)]
    folder = place if parts[0][1] != place else place.parent
    parts += [_holding(forms, folder, dataset, holds) for holds in also]
    rows, *others = [form.read(file, dataset, lambda: numbering(folder)) for form, file in parts]
    for other in others:
        rows = joined(rows, other)
    rows, told = with_accuracy(rows)
    about = {
        "published": benchmark,
        "dataset": dataset,
        "accuracy": told,
        "files": [file.name for _, file in parts],
        "papers": list(dict.fromkeys(form.paper for form, _ in parts)),
    }
    return table(benchmark, rows, about)


def _chosen(forms: Sequence[Format], place: Path, dataset: str) -> tuple[Format, Path]:
    """The file that makes the table: ``place`` itself if it is one, or the one in it that holds accuracies."""
    fitting = [form for form in forms if form.fits(place)]
    if fitting or not place.is_dir():
        form = next((form for form in fitting if dataset in form.datasets), None)
        if form is None:
            names = ", ".join(name for one in forms if dataset in one.datasets for name in one.files)
            raise ValueError(f"{place} is called as no file of it on {dataset} is; those are called {names}")
        return form, place
    return _holding(forms, place, dataset, "accuracy")


def _holding(forms: Sequence[Format], folder: Path, dataset: str, holds: str) -> tuple[Format, Path]:
    """The first file in a folder that holds what is asked."""
    able = [form for form in forms if form.holds == holds and dataset in form.datasets]
    for form in able:
        for path in form.within(folder):
            return form, path
    names = ", ".join(name for form in able for name in form.files) or "none that is known"
    raise FileNotFoundError(f"no file in {folder} holds {holds} on {dataset}; they are called {names}")


def numbering(folder: Path) -> list[Arch]:
    """The cells of NAS-Bench-201 by official number, from the first file in a folder that tells.

    ValueError if none does.
    """
    for path in sorted(folder.glob("nasbench201_200epochs.csv*")):
        lines = read_lines(path)
        if {"index", "architecture"} <= lines.cells.keys():
            pairs = zip(lines.indices("index", NETWORKS["nasbench201"]), lines.cells["architecture"], strict=True)
            return _numbered(path, [text for _, text in sorted(pairs)])
    for path in sorted(folder.glob("NATS-tss-*-simple/meta.pickle.pbz2")):
        return _numbered(path, nats_bench.texts(path))
    raise ValueError(
        f"this file names cells by their official number. {folder} has no file that says which is which: "
        "nasbench201_200epochs.csv with the columns index and architecture, or NATS-tss-*-simple/meta.pickle.pbz2"
    )


def _numbered(path: Path, texts) -> list[Arch]:
    try:
        return numbered(texts)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def table(benchmark: str, rows: Rows, about: dict) -> dict:
    """The fields of a table of ``rows``, in its order; for a small space also the row of every tuple that they know."""
    space = SPACES[benchmark]()
    order = sorted(range(len(rows.archs)), key=rows.archs.__getitem__)
    archs = tuple(rows.archs[row] for row in order)
    aliases = None
    if space.size <= EVERY and len(archs) == NETWORKS[benchmark]:
        aliases = _aliases(space, archs)
    said = f"{rows.digest} {about['published']} {about['dataset']} {list(rows.columns)}"
    return {
        "space": space,
        "digest": hashlib.sha256(said.encode()).hexdigest(),
        "archs": archs,
        "columns": {name: values[order] for name, values in rows.columns.items()},
        "there": rows.there[order],
        "seconds": rows.seconds[order],
        "total": NETWORKS[benchmark],
        "about": about,
        "aliases": aliases,
    }


def _aliases(space: SearchSpace, archs: Sequence[Arch]) -> np.ndarray:
    """The row of every tuple: its own, or that of the same network."""
    options = [len(choice.options) for choice in space.choices]
    rows = np.full(space.size, -1, np.int32)
    rows[np.ravel_multi_index(np.array(archs).T, options)] = np.arange(len(archs))
    if (rows < 0).any():
        by_text = {space.canonical(arch): row for row, arch in enumerate(archs)}
        every = np.array(np.unravel_index(np.flatnonzero(rows < 0), options)).T.tolist()
        rows[rows < 0] = [by_text.get(space.canonical(tuple(arch)), -1) for arch in every]
    return rows


def listing(folder: Path | None = None) -> str:
    """What is known, where it is looked for, and what was found, as text for a terminal."""
    place = published_dir() if folder is None else folder
    lines = [f"Published benchmarks are looked for in {place}"]
    lines += ["(NASVIZ_PUBLISHED names another folder; nothing is downloaded)", ""]
    there = list(found(place)) if place.is_dir() else []
    for benchmark in SPACES:
        lines.append(f"{benchmark}: Table.published({benchmark!r}, …)")
        for form in (form for form in FORMATS if form.benchmark == benchmark):
            paths = [path.name for one, path in there if one is form]
            lines.append(f"  {form.name}: {form.holds}; {', '.join(form.datasets)}")
            lines.append(f"    found: {', '.join(paths)}" if paths else f"    not found: {', '.join(form.files)}")
            lines.append(f"    {form.where}; {form.size}; licence: {form.licence}")
            lines.append(f"    cite: {form.paper}")
        lines.append("")
    return "\n".join(lines)
