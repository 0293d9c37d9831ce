"""The ground truth: trainings that were done once, by architecture and seed. Loads no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import nan
from pathlib import Path

import numpy as np

from ..objectives import Bounded
from ..paths import data_dir
from ..published import find
from ..space import Arch, SearchSpace
from ..step import Evaluation, plain
from . import csvfile, tablefile
from .known import KnownSpace

DENSE = 2**20  # spaces up to this size have an array with the row of each tuple of choices


@dataclass(frozen=True)
class Table:
    """What is known of the architectures of a space: numbers by name, seed by seed. It may know only some of them.

    Make one with `load`, `read_csv`, `published` or `of`. Rows are numbered from 0, in the order of `archs`.

    Attributes
    ----------
    space : SearchSpace
        Several architectures may be one function: a row answers for all that `space.canonical` calls the same.
    digest : str
        SHA-256 of the file or of the contents: what identifies the table in a recorded run.
    archs : tuple of Arch
        Those that are there.
    columns : mapping from str to float array of shape (rows, seeds)
        nan where a training is missing or failed. Names with ``@3`` hold the state after epoch 3.
    there : bool array of shape (rows, seeds)
        Which trainings are there.
    seconds : float array of shape (rows, seeds)
        What each training took.
    total : int
        How many rows the finished table will have.
    about : mapping
        How the numbers came about: recipe, machines.

    Examples
    --------
    >>> from nasviz.spaces import NasBench201
    >>> rows = [((3,) * 6, 0, {"accuracy": 0.8, "test_accuracy": 0.81}, 2.0)]
    >>> table = Table.of(NasBench201(), rows)
    >>> (3,) * 6 in table, table.column("accuracy")
    (True, array([0.8]))
    """

    space: SearchSpace
    digest: str
    archs: tuple[Arch, ...] = field(compare=False, repr=False)
    columns: Mapping[str, np.ndarray] = field(compare=False, repr=False)
    there: np.ndarray = field(compare=False, repr=False)
    seconds: np.ndarray = field(compare=False, repr=False)
    total: int = field(default=0, compare=False)
    about: Mapping = field(default_factory=dict, compare=False, repr=False)
    aliases: np.ndarray | None = field(default=None, compare=False, repr=False)  # tuple's number -> row or -1

    # ------------------------------------------------------------------ making one
    @classmethod
    def of(
        cls,
        space: SearchSpace,
        trainings: Iterable[tuple[Arch, int, Mapping[str, float], float]],
        total: int | None = None,
        about: Mapping | None = None,
        digest: str = "",
    ) -> Table:
        """A table from ``(architecture, seed, scores, seconds)`` each.

        Raises
        ------
        ValueError
            If there is none, one is no architecture of the space, stands there twice, or has other scores than the
            first.
        """
        known: dict[tuple[Arch, int], tuple] = {}
        names: list[str] | None = None
        for arch, seed, scores, seconds in trainings:
            arch = space.check(arch)
            said = plain(Evaluation(arch, scores, seconds, seed=seed))
            scores, seconds, seed = said.scores, said.seconds, said.seed
            names = list(scores) if names is None else names
            if scores.keys() != set(names):
                raise ValueError(
                    f"{space.to_text(arch)} has the scores {sorted(scores)!s:.300}, others {sorted(names)!s:.300}"
                )
            if (arch, seed) in known:
                raise ValueError(f"{space.to_text(arch)}, seed {seed}, stands there twice")
            known[arch, seed] = scores, seconds
        if names is None:
            raise ValueError("a table needs one training at least")
        archs = tuple(sorted({arch for arch, _ in known}))
        seeds = sorted({seed for _, seed in known})
        if seeds != list(range(len(seeds))):
            raise ValueError(f"the seeds of a table are 0, 1, 2, …, got {seeds}")
        place = {arch: row for row, arch in enumerate(archs)}
        shape = len(archs), len(seeds)
        columns = {name: np.full(shape, nan) for name in names}
        there, spent = np.zeros(shape, bool), np.full(shape, nan)
        for (arch, seed), (scores, seconds) in known.items():
            at = place[arch], seed
            there[at], spent[at] = True, seconds
            for name, value in scores.items():
                columns[name][at] = value
        if not digest:
            parts = [repr((archs, names)).encode(), there, spent, *columns.values()]
            digest = hashlib.sha256(b"".join(map(bytes, parts))).hexdigest()
        return cls(space, digest, archs, columns, there, spent, total or len(archs), about or {})

    @classmethod
    def load(cls, path: str | Path, space: SearchSpace | None = None) -> Table:
        """Read what ``python -m nasviz.estimators.tabulate publish`` wrote.

        ``space`` is needed for a space that nasviz does not know by name. ValueError if the file is damaged, or no
        table: it says what is wrong.
        """
        return cls(**tablefile.read(Path(path), space))

    def save(self, path: str | Path) -> None:
        """Write it to a file that does not exist yet: see `nasviz.estimators.tablefile` for what is kept exactly."""
        tablefile.write(self, Path(path))

    @classmethod
    def read_csv(
        cls,
        path: str | Path,
        space: SearchSpace,
        arch: str = "architecture",
        scores: Mapping[str, str | tuple[str, float]] | None = None,
        *,
        seed: str | None = None,
        seconds: str | None = None,
    ) -> Table:
        """Any benchmark as a ground truth: a file with one architecture a line, as ``space.to_text`` writes it.

        Parameters
        ----------
        path : path
            Names in the first line, fields separated by commas, semicolons or tabs; or JSON Lines, an object a line.
            UTF-8, or what the file's mark says; what gzip packed is unpacked. Decimal commas are read where they cannot
            be meant otherwise. Nothing, nan, NA, N/A, null, None and - stand for what is missing: nan.
        space : SearchSpace
        arch : str
            Column of the architectures.
        scores : mapping, optional
            ``{"accuracy": "c10val"}``: what a column is called here; ``("c10val", 0.01)`` also multiplies, since
            accuracies are 0 to 1. ``"accuracy@12"`` is the accuracy after 12 epochs, ``"test_accuracy"`` judges and is
            not shown to a search. By default all columns of numbers, under their own names; a warning names the
            columns of words, which are left out.
        seed, seconds : str, optional
            Columns of the seed (from 0) and of what the training took.

        Raises
        ------
        ValueError
            Naming the file, the line and what to do: no text, another number of fields, a name that two columns have, a
            column of numbers with a word in it, a percent sign, marks between thousands, an architecture that is not of
            the space or stands there twice with one seed.
        """
        path = Path(path).expanduser()
        trainings, digest = csvfile.read_csv(path, space, arch, scores, seed, seconds)
        try:
            return cls.of(space, trainings, about={"file": path.name}, digest=digest)
        except ValueError as error:
            raise ValueError(f"{path}, {error!s:.1000}") from None

    @classmethod
    def published(
        cls, benchmark: str, path: str | Path | None = None, dataset: str = "cifar10", also: Sequence[str] = ()
    ) -> Table:
        """A published benchmark, from a file or a folder in which you have it. Nothing is downloaded.

        ``python -m nasviz tables`` lists the files that are known, where they come from, and which of them are there.
        What their pickles hold is read without unpickling. Units are ours: accuracies 0 to 1, ``parameters`` and
        ``madds`` as counts, latencies in milliseconds, energies in millijoules.

        Parameters
        ----------
        benchmark : str
            ``"nasbench201"``, ``"nasbench-macro"`` or ``"nasbench101"``.
        path : path, optional
            A file called as its authors call it, or a folder that holds one. None: the folder that the environment
            variable NASVIZ_PUBLISHED names, or else ``shared/published`` beside the project, or
            ``~/.cache/nasviz/published``.
        dataset : str
            ``"cifar10"``, ``"cifar100"``, ``"imagenet16"`` (or ``"ImageNet16-120"``), ``"ninapro"``, ``"darcy"``.
        also : sequence of str
            What else is read from files beside it, as further columns: ``"hardware"``, ``"devices"``, ``"zero-cost"``,
            ``"12 epochs"``, ``"robustness"``. nan where they do not have an architecture.

        Returns
        -------
        Table
            ``accuracy`` is the validation accuracy where every training has one, else the test accuracy:
            ``table.about["accuracy"]`` says which. ``test_accuracy`` judges.

        Raises
        ------
        FileNotFoundError
            If no such file is there, with the names that are looked for.
        OSError
            If a file cannot be read.
        ValueError
            A benchmark, data set or kind of column that is not known; a file that is damaged or holds something else.
        """
        return cls(**find.read(benchmark, path, dataset, also))

    # ------------------------------------------------------------------ looking up
    @property
    def epochs(self) -> int:
        """Epochs of the recipe, as far as the columns tell; 0 if they do not."""
        return max((int(name.rpartition("@")[2]) for name in self.columns if "@" in name), default=0)

    @property
    def coverage(self) -> str:
        """How much is there, in words."""
        counts = ", ".join(f"{n:,}" for n in self.there.sum(0))
        return (
            f"{len(self.archs):,} of {self.total:,} rows ({100 * len(self.archs) / self.total:.1f} %); "
            f"trainings by seed: {counts}"
        )

    def row(self, arch: Sequence[int]) -> int:
        """The row of ``arch``, or of the one that computes the same.

        Raises
        ------
        KeyError
            If the table has none, with its coverage.
        ValueError
            If it is no architecture of the space.
        """
        row = self.find(arch)
        if row < 0:
            raise KeyError(f"no row for {self.space.to_text(tuple(arch))} in this table of {self.coverage}")
        return row

    def find(self, arch: Sequence[int]) -> int:
        """`row`, or -1 where there is none."""
        arch = self.space.check(arch)
        if arch not in self.row_of:
            unknown = self.aliases is not None  # the file knows all tuples that it has a row for
            self.row_of[arch] = -1 if unknown else self.functions.get(self.space.canonical(arch), -1)
        return self.row_of[arch]

    def rows(self, archs) -> np.ndarray:
        """Return the number of the row of each architecture, as `row` does for one: int array (n,).

        ``archs``: an int array (n, choices), or a sequence of n Arch. Raises the errors of `row`.
        """
        archs = np.asarray(archs)
        if self.space.size > DENSE:
            return np.fromiter((self.row(arch) for arch in archs.tolist()), int, len(archs))
        try:
            codes = np.ravel_multi_index(tuple(archs.T), self._options)
        except (ValueError, TypeError):
            for arch in archs.tolist():
                self.space.check(arch)  # says which one, and what is wrong with it
            raise
        rows = self._dense[codes]
        if rows.size and rows.min() < 0:
            for i in np.unique(codes[rows < 0], return_index=True)[1]:
                self._dense[codes[rows < 0][i]] = self.row(archs[rows < 0][i].tolist())
            rows = self._dense[codes]
        return rows

    def members(self) -> tuple[np.ndarray, np.ndarray]:
        """All tuples of choices that have a row, and their rows: int arrays (m, choices) and (m,).

        More than `archs`: also those that compute the same. (In a big space, or one read from a file of others, as far
        as they were looked up.)
        """
        known = [(arch, row) for arch, row in self.row_of.items() if row >= 0]
        return np.array([arch for arch, _ in known]), np.array([row for _, row in known])

    def __contains__(self, arch) -> bool:
        return self.find(arch) >= 0

    def column(self, name: str, seed: int | None = 0) -> np.ndarray:
        """The numbers called ``name``, one a row: ``table.column("accuracy")[table.rows(archs)]``.

        Parameters
        ----------
        name : str
            One of `columns`, or ``"seconds"``.
        seed : int or None
            Which of a row's trainings, counted round, as `nasviz.estimators.TableLookup` takes it. None: their mean.
        """
        if name != "seconds" and name not in self.columns:
            raise ValueError(f"the table has no column {name!r}; it has seconds, {', '.join(self.columns)}")
        values = self.seconds if name == "seconds" else self.columns[name]
        if seed is None:
            return np.where(self.there, values, 0).sum(1) / self.there.sum(1)
        return values[np.arange(len(values)), self._seed(seed)]

    def truth(self, seed: int = 0, name: str = "test_accuracy") -> np.ndarray:
        """What judges a search that saw ``seed``: the mean of ``name`` over the *other* seeds, one number a row.

        A search picks what was lucky on the images and on the seed that it saw. Other images and other seeds do not
        know of that luck. nan where a row has one training only, unless the whole table has one seed only: then the
        other images alone judge.
        """
        column = self.column(name, None)  # also says that there is no such column
        if self.there.shape[1] == 1:
            return column
        other = self.there.copy()
        other[np.arange(len(other)), self._seed(seed)] = False
        with np.errstate(invalid="ignore"):
            return np.where(other, self.columns[name], 0).sum(1) / other.sum(1)

    def judge(self, arch: Sequence[int], seed: int = 0, name: str = "test_accuracy") -> float:
        """`truth` of one architecture: ``table.judge(best.arch, best.seed)``.

        Raises
        ------
        KeyError
            If there is no row, or no training of another seed in it.
        """
        row = self.row(arch)
        others = self.there[row].sum() > 1 or self.there.shape[1] == 1
        if not others:
            text = self.space.to_text(tuple(arch))
            raise KeyError(f"no training of {text} with another seed than {seed} in this table of {self.coverage}")
        return float(self.truth(seed, name)[row])

    def known(self, within: Bounded | None = None) -> KnownSpace:
        """The space restricted to what the table has, and to what keeps a bound: strategies sample and mutate in it."""
        return KnownSpace(self, within)

    @property
    def tuples(self) -> list[Arch]:
        """Every tuple of choices that the file says has a row; several may be one function."""
        return [arch for arch, row in self.row_of.items() if row >= 0]

    def nearest(self, arch: Arch) -> list[Arch]:
        """The rows, other than that of ``arch``, that differ from it in the fewest choices."""
        changes = (np.array(self.archs) != np.array(arch)).sum(1)
        others = changes[np.arange(len(changes)) != self.find(arch)]
        if not len(others):
            raise ValueError(f"{self.space.to_text(arch)} is the only row of this table: there is nothing to mutate to")
        return [self.archs[i] for i in np.flatnonzero(changes == others.min()) if i != self.find(arch)]

    def _seed(self, seed: int) -> np.ndarray:
        """Which seed answers, in each row: the ``seed``-th of those there are, counted round."""
        nth = seed % self.there.sum(1) + 1
        return (self.there.cumsum(1) >= nth[:, None]).argmax(1)

    @cached_property
    def row_of(self) -> dict[Arch, int]:
        """Rows by tuple of choices; what `find` has looked for since is added, -1 where there is none."""
        rows = {}
        if self.aliases is not None:
            numbers = np.flatnonzero(self.aliases >= 0)
            archs = np.array(np.unravel_index(numbers, self._options)).T.tolist()
            rows = dict(zip(map(tuple, archs), self.aliases[numbers].tolist(), strict=True))
        return rows | {arch: row for row, arch in enumerate(self.archs)}

    @cached_property
    def _answers(self) -> dict:
        """What `TableLookup` prepared: kept here, so that every look-up of this table has it."""
        return {}

    @cached_property
    def functions(self) -> dict[str, int]:
        """The first row of each function: what architectures that stand not in the table themselves are sought by."""
        functions: dict[str, int] = {}
        for row, arch in enumerate(self.archs):
            functions.setdefault(self.space.canonical(arch), row)
        return functions

    @cached_property
    def _options(self) -> tuple[int, ...]:
        return tuple(len(choice.options) for choice in self.space.choices)

    @cached_property
    def _dense(self) -> np.ndarray:
        dense = np.full(self.space.size, -1, np.int32)
        for arch, row in self.row_of.items():
            dense[np.ravel_multi_index(arch, self._options)] = row
        return dense


@lru_cache(maxsize=1)
def nasbench201_table() -> Table:
    """NAS-Bench-201 on Fashion-MNIST: the project's ground truth, trained by its own estimator.

    Raises
    ------
    FileNotFoundError
        If it has not been made, with how to make it.
    """
    path = data_dir() / "nasbench201-fashion16.npz"
    if not path.exists():
        raise FileNotFoundError(
            f"the ground truth {path} is not there. Make it, in hours: `python -m nasviz.estimators.tabulate run "
            "FOLDER`, as often as it takes, then `python -m nasviz.estimators.tabulate publish FOLDER/*.jsonl "
            f"{path}`; a part of it will do"
        )
    return Table.load(path)
