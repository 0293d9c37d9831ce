"""The fuzzer: good inputs of every reader, and what a reader may do with what `damage` makes of them.

A reader accepts an input, or refuses it with an error that its docstring names. `attacked` counts which it did, and
lists everything else: another error, more than a second, a message without end, a file that was changed, an
architecture that is none. One seed, one input.
"""

from __future__ import annotations

import json
import random
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from damage import damaged

RECORDS = Path(__file__).parent / "records"
SECOND = 1.0  # of processor time, an input
MOST = 3000  # letters of a message


# ------------------------------------------------------------------------------------------------ readers
@dataclass(frozen=True)
class Reader:
    """What is attacked: ``read(path)`` or, where ``text``, ``read(text)``; good inputs, and how they are built."""

    name: str
    good: Callable[[], list[bytes]]
    read: Callable
    kind: str = "bytes"
    suffix: str = ""
    refuses: tuple[type[Exception], ...] = (ValueError,)

    @property
    def text(self) -> bool:
        return not self.suffix


def _files(pattern: str) -> Callable[[], list[bytes]]:
    return lambda: [path.read_bytes() for path in sorted(RECORDS.glob(pattern))]


def readers() -> dict[str, Reader]:
    """All of them, by name. Imports what they need when they are asked for."""
    from nasviz import spaces
    from nasviz.course import capstone, notebooks, reporting
    from nasviz.estimators import Table, tabulate
    from nasviz.hardware import LatencyTable
    from nasviz.races.standings import Standings
    from nasviz.run import Run
    from nasviz.space import SearchSpace

    nas201 = spaces.NasBench201()
    found = [_text(getattr(spaces, name)()) for name in spaces.__all__]
    found += [_text(spaces.DartsSpace.restricted("S1"))]
    found += [_text(SearchSpace.from_choices({"width": (4, 6.5, "8"), "é": ("relu", None, True)}, name="own"))]

    def run(path):
        said = Run.load(path)
        assert len(said.steps) == len(said.costs)
        repr(said)

    def own(path):
        from records import make

        Run(make.RUNS["own"][0], path).recall()

    def evolution(path):
        from records import make

        Run(make.RUNS["evolution"][0], path).recall()

    def race(path):
        standings = Standings.load(path)
        str(standings), standings.pairs(), standings.references(), standings.curves(), standings.join(standings)
        standings.stale(_challenge().table)

    def part(path):
        with warnings.catch_warnings():
            tabulate.join([path])

    def publish(path):
        out = path.with_suffix(".npz")
        try:
            tabulate.publish([path], out, Few())
        finally:
            out.unlink(missing_ok=True)

    class Few(spaces.NasBench201):
        def distinct(self):
            return [(0,) * 6]

    def csv(path):
        table = Table.read_csv(path, nas201)
        assert table.there.any(1).all()

    def table(path):
        said = Table.load(path)
        said.column("accuracy"), said.coverage, repr(said)

    def leaderboard(path):
        capstone.collect([path], _challenge())
        list(capstone.read(path))

    found += [
        Reader("run record", _runs, run, "lines", ".jsonl"),
        Reader("run record, search given", _files("runs/evolution.jsonl"), evolution, "lines", ".jsonl"),
        Reader("run record with steps", _files("runs/own.jsonl"), own, "lines", ".jsonl"),
        Reader("race record", _files("races/*.jsonl"), race, "lines", ".jsonl"),
        Reader("table (.npz)", _files("tables/*.npz"), table, "npz", ".npz"),
        Reader("table of a CSV", _tables_as_text, csv, "csv", ".csv"),
        Reader("part of a table", _files("parts/*.jsonl"), part, "lines", ".jsonl"),
        Reader("part, packed", _files("parts/*.gz"), part, "gzip", ".jsonl.gz"),
        Reader("parts, published", _parts, publish, "lines", ".jsonl"),
        Reader("latency table", _files("tables/latency.json"), LatencyTable.load, "json", ".json"),
        Reader("leaderboard", _files("leaderboards/*.jsonl"), leaderboard, "lines", ".jsonl"),
        Reader("report", lambda: [reporting.sheet({"random": "91 % at 100"}).encode()], reporting.read, "bytes", ".md"),
        Reader("notebook", _notebooks, notebooks.read, "json", ".ipynb"),
    ]  # fmt: skip
    return {one.name: one for one in found + _published()}


def _published() -> list[Reader]:
    """The readers of published files, each with what they are good for: a table, and a look at all of its numbers."""
    import pickle
    from itertools import product

    import published_files as made

    from nasviz.estimators import Table
    from nasviz.published import find
    from nasviz.published.rows import with_accuracy

    official = list(product(range(5), repeat=6))
    forms = {form.name: form for form in find.FORMATS}

    def reader(name, kind, suffix, good, dataset="cifar10", folder=False):
        form = forms[name]

        def read(path):
            rows = form.read(path.parent if folder else path, dataset, lambda: official)
            rows, told = with_accuracy(rows)
            said = {"published": form.benchmark, "dataset": dataset, "accuracy": told}
            table = Table(**find.table(form.benchmark, rows, said))
            assert table.there.any(1).all() and all(map(table.space.check, table.archs))
            for column, values in table.columns.items():
                assert values.shape == table.there.shape and not np.isinf(values).any(), column
                if "accuracy" in column:
                    assert not ((values < 0) | (values > 1)).any(), column

        return Reader(f"published: {name} {suffix}", good, read, kind, suffix)

    latencies = [1.0 + place / 7 for place in range(len(official))]
    cells = [pickle.dumps(dict(made.cell(place)), protocol) for place, protocol in ((0, 4), (1, 2), (2, 0))]
    return [
        reader("NATS-Bench, topology", "pickle", ".pickle.pbz2",
               lambda: [*list(made.nats_files().values())[:2], *cells]),
        reader("NATS-Bench, topology", "pickle", ".pth", lambda: [
            made.torch_file(made.nasbench201(), True), made.torch_file(made.nasbench201(), False)]),
        reader("HW-NAS-Bench", "pickle", ".pickle", lambda: [made.hardware(protocol) for protocol in (4, 3, 2)]),
        reader("HELP's devices", "pickle", ".pt", lambda: [made.torch_file(latencies, False)], folder=True),
        reader("NAS-Bench-Suite-Zero, NAS-Bench-201", "json", ".json",
               lambda: [made.suite_zero(True), made.suite_zero(False)], "cifar100"),
        reader("NAS-Bench-Suite-Zero, NAS-Bench-101", "json", ".json",
               lambda: [made.suite_zero(False, "nasbench101", made.CELLS101)]),
        reader("NAS-Bench-Macro", "json", ".json", lambda: [made.macro_json()]),
        reader("NAS-Bench-Macro", "csv", ".csv", lambda: [made.macro_csv()]),
        reader("NAS-Bench-101", "bytes", ".tfrecord", lambda: [made.nasbench101()]),
        reader("NAS-Bench-101", "csv", ".csv", lambda: [made.CSV101]),
        reader("accuracies after 200 epochs, CSV", "csv", ".csv", lambda: [made.csv201()]),
        reader("HW-NAS-Bench, CSV, cifar10", "csv", ".csv", lambda: [made.by_number()]),
    ]  # fmt: skip


def _parts() -> list[bytes]:
    head, *rows = (RECORDS / "parts" / "part-001.jsonl").read_bytes().splitlines(keepends=True)
    return [head + b"".join(row.replace(b'"seed": 1', b'"seed": 0') + row for row in rows)]


@cache
def _runs() -> list[bytes]:
    """Records of tests/records, and of strategies that have none there."""
    from toys import SPACES, Toy

    from nasviz.run import Run
    from nasviz.strategies import Bananas, GaussianProcess, Reinforce

    space, toy = SPACES[0], Toy(SPACES[0])
    searches = [
        Bananas(space, toy, evaluations=14, initial=5, batch=4, candidates=10, members=2, epochs=2),
        GaussianProcess(space, toy, evaluations=9, initial=5, batch=4, candidates=10),
        Reinforce(space, toy, 12, batch=4, hidden=4),
    ]
    found = [path.read_bytes() for path in sorted((RECORDS / "runs").glob("*.jsonl")) if path.stem != "own"]
    with tempfile.TemporaryDirectory() as folder:
        for number, search in enumerate(searches):
            run = Run(search, Path(folder, f"{number}.jsonl"))
            list(run)
            found.append(run.path.read_bytes())
    return found


def _text(space) -> Reader:
    def good() -> list[bytes]:
        rng = np.random.default_rng(0)
        return [space.to_text(space.sample(rng)).encode() for _ in range(6)]

    def read(text):
        arch = space.from_text(text)
        assert space.from_text(space.to_text(space.check(arch))) == arch

    return Reader(f"text of {space.name}", good, read)


def _tables_as_text() -> list[bytes]:
    percent = (RECORDS / "tables" / "forty.csv").read_bytes()
    rows = [line.decode().split(",") for line in percent.split()[1:]]
    lines = [json.dumps({"architecture": arch, "accuracy": float(value) / 100}) for arch, value in rows]
    return [percent, percent.replace(b",", b";"), "\n".join(lines).encode()]


def _notebooks() -> list[bytes]:
    cells = [
        {"cell_type": "markdown", "source": ["# é\n", "x"], "metadata": {}, "id": "a"},
        {"cell_type": "code", "source": "x = 1", "metadata": {"tags": ["check"]}, "outputs": [
            {"output_type": "stream", "name": "stdout", "text": ["1\n"]},
            {"output_type": "display_data", "data": {"text/plain": "1"}, "metadata": {}},
        ], "execution_count": 1, "id": "b"},
    ]  # fmt: skip
    four = {"cells": cells, "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
    old = [
        {
            "cell_type": "code",
            "input": ["x = 1"],
            "language": "python",
            "metadata": {},
            "outputs": [],
            "prompt_number": 1,
        }
    ]
    three = {
        "worksheets": [{"cells": old, "metadata": {}}],
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
    }
    return [json.dumps(one).encode() for one in (four, three)]


@cache
def _challenge():
    from nasviz.course.capstone import Challenge
    from nasviz.estimators import Table

    return Challenge(Table.load(RECORDS / "tables" / "forty.npz"), limit=9000, rounds=4, low=3, high=12)


# ------------------------------------------------------------------------------------------------ the attack
class Hangs(BaseException):
    """An input takes far longer than it may."""


@contextmanager
def deadline(seconds: float, error: type[BaseException] | BaseException = Hangs):
    """Raise an error after so many seconds of processor time, where the system has such a clock."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_):
        raise error

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass
class Outcome:
    """What an attack came to. ``wrong``: seed, what happened, and the input, for each undocumented one."""

    accepted: int = 0
    refused: int = 0
    slowest: float = 0.0
    wrong: list[tuple[int, str, bytes]] = field(default_factory=list)
    why: Counter = field(default_factory=Counter)


def inputs(reader: Reader, seeds: range) -> Iterator[tuple[int, bytes]]:
    """One damaged input for each seed, with the seed."""
    goods = reader.good()
    assert goods, f"no good input of {reader.name}"
    for seed in seeds:
        rng = random.Random(f"{reader.name} {seed}")
        yield seed, damaged(rng.choice(goods), reader.kind, rng)


def attacked(reader: Reader, folder: Path, seeds: range) -> Outcome:
    """Give a reader one damaged input for each seed."""
    outcome = Outcome()
    for seed, raw in inputs(reader, seeds):
        one(reader, folder, seed, raw, outcome)
    return outcome


def one(reader: Reader, folder: Path, seed: int, raw: bytes, outcome: Outcome) -> None:
    """Give a reader one input."""
    path = folder / f"input{reader.suffix}"
    if reader.text:
        given = raw.decode("utf-8", "surrogateescape")
    else:
        path.write_bytes(raw)
        given = path
    before = time.process_time()
    try:
        with deadline(5 * SECOND), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader.read(given)
        outcome.accepted += 1
    except reader.refuses as error:
        outcome.refused += 1
        if not str(error) or len(str(error)) > MOST:
            outcome.wrong.append((seed, f"a message of {len(str(error)):,} letters", raw))
    except (Exception, Hangs) as error:
        outcome.why[type(error).__name__] += 1
        outcome.wrong.append((seed, f"{type(error).__name__}: {error}"[:200], raw))
    spent = time.process_time() - before
    outcome.slowest = max(outcome.slowest, spent)
    if spent > SECOND:
        outcome.wrong.append((seed, f"took {spent:.1f} s", raw))
    if not reader.text and path.exists() and path.read_bytes() != raw:
        outcome.wrong.append((seed, "the file was changed", raw))
