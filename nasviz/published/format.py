"""What a published file is: its names, where to get it, who wrote it, and the function that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..space import Arch
from .rows import Rows

Numbering = Callable[[], list[Arch]]  # the cells by official number; ValueError where no file beside it tells
DATASETS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16": "ImageNet16-120"}  # ours: the authors'


@dataclass(frozen=True)
class Format:
    """A published file in one of the forms in which people have it.

    Attributes
    ----------
    name : str
        Of this form.
    benchmark : str
        The benchmark that it belongs to, as `nasviz.estimators.Table.published` calls it.
    holds : str
        ``"accuracy"`` for what makes a table by itself; the others add columns: ``"hardware"``, ``"devices"``,
        ``"zero-cost"``, ``"12 epochs"``, ``"robustness"``.
    files : tuple of str
        Patterns of its name in a folder; also of a folder's name, where it is one.
    datasets : tuple of str
        The data sets of which it holds numbers.
    read : callable
        ``read(path, dataset, numbering) -> Rows``. It raises OSError or ValueError, with the path.
    where, size, licence, paper : str
        Where its authors put it, how large it is, under which terms, and what to cite.
    """

    name: str
    benchmark: str
    holds: str
    files: tuple[str, ...]
    datasets: tuple[str, ...]
    read: Callable[[Path, str, Numbering], Rows]
    where: str
    size: str
    licence: str
    paper: str

    def within(self, folder: Path) -> Iterator[Path]:
        """The files in ``folder`` that are called as this form is, in alphabetical order."""
        for pattern in self.files:
            yield from sorted(folder.glob(pattern))

    def fits(self, path: Path) -> bool:
        """Whether a file is called as this form is."""
        return any(path.match(pattern) for pattern in self.files)


def dataset_name(dataset: str) -> str:
    """Return our name of a data set: ``imagenet16`` for the authors' ``ImageNet16-120``."""
    asked = dataset.lower()
    return next((ours for ours, theirs in DATASETS.items() if asked == theirs.lower()), asked)
