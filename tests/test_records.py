"""Records that were written once must load for ever: those in tests/records, and all that travel in data."""

import gzip
import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from old_records import RECORDS, copied
from records import make

from nasviz.course import capstone
from nasviz.estimators import FULL, Table, Training
from nasviz.estimators.tabulate import Work, join, parts_of, publish, status, trainings_in
from nasviz.hardware import LatencyTable
from nasviz.hardware.elastic_devices import load_elastic_devices
from nasviz.hardware.fitted_devices import load_devices
from nasviz.lessons.device_transfer import recorded_transfer
from nasviz.races.standings import Standings
from nasviz.run import Run
from nasviz.spaces import NasBench201

DATA = Path(__file__).parents[1] / "data"
every_run = pytest.mark.parametrize("name", make.RUNS)


def bytes_of(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True, scope="module")
def reading_does_not_write():
    folders = [DATA, *(RECORDS / name for name in ("runs", "parts", "tables", "races", "leaderboards"))]
    before = [bytes_of(folder) for folder in folders]
    assert all(before)
    yield
    assert [bytes_of(folder) for folder in folders] == before


def loaded(name):
    return Run.load(RECORDS / "runs" / f"{name}.jsonl", make.RUNS[name][0] if name == "own" else None)


# ------------------------------------------------------------------------------------------------------ runs
def test_every_record_of_a_run_is_here():
    assert {path.stem for path in (RECORDS / "runs").glob("*.jsonl")} == set(make.RUNS)


@every_run
def test_a_run_loads(name):
    search, turn, steps = make.RUNS[name]
    run = loaded(name)
    assert len(run) == len(list(run)) == steps and type(run.search) is type(search)
    assert run.turns == ([(6, turn)] if turn else [])
    for field in ("objective", "objectives", "space", "seed", "evaluations", "epochs"):
        assert getattr(run.search, field, None) == getattr(search, field, None)


@every_run
def test_a_run_goes_on(name, tmp_path):
    search, turn, steps = make.RUNS[name]
    again = Run(search, copied(name, tmp_path))
    list(again)
    assert again.steps[:steps] == loaded(name).steps
    assert len(again) == len(search)
    if name not in ("random", "darts", "supernet"):  # those were trained, and weights are those of one machine
        whole = Run(search)
        for _ in whole:
            if len(whole) == 6 and turn:
                whole.turn(**turn)
        assert again.steps == whole.steps and again.best == whole.best


# ------------------------------------------------------------------------------------- tables, and in the making
def test_parts_of_a_table_are_read_and_gone_on_from():
    parts = parts_of(RECORDS / "parts")
    assert [len(list(trainings_in(part, make.WORK.head))) for part in parts] == [7, 3]
    assert status(make.WORK, RECORDS / "parts").endswith("seed 1: 4 of 6 (66.7 %)")
    heads, trainings = join(parts)
    assert len(heads) == 2 and len(trainings) == 10


def test_parts_are_published_as_they_were(tmp_path):
    timings = parts_of(RECORDS / "parts" / "timings")
    table = publish(parts_of(RECORDS / "parts"), tmp_path / "now.npz", timings=timings)
    now, then = Table.load(tmp_path / "now.npz"), Table.load(RECORDS / "tables" / "published.npz")
    assert now.archs == then.archs and now.about == then.about == table.about and now.coverage == then.coverage
    assert now.columns.keys() == then.columns.keys()
    for name, column in then.columns.items():
        np.testing.assert_array_equal(now.columns[name], column)


def test_a_table_loads_with_every_number():
    path = RECORDS / "tables" / "forty.npz"
    table, made = Table.load(path), make.table()
    assert table.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert table.archs == made.archs and table.coverage == made.coverage and table.about == made.about
    np.testing.assert_array_equal(table.there, made.there)
    for name, column in made.columns.items():
        np.testing.assert_allclose(table.columns[name], column, rtol=1e-7)


def test_a_table_of_others_keeps_its_digest():
    table = Table.read_csv(RECORDS / "tables" / "forty.csv", make.SPACE, scores={"test": ("percent", 0.01)})
    assert table.digest == "b428b24da7f152652d84d8e59be10bf03d3273579a90a1974a16733b6bba101c"
    forty = Table.load(RECORDS / "tables" / "forty.npz")
    np.testing.assert_allclose(table.column("test"), [forty.judge(arch) for arch in table.archs])


def test_a_latency_table_loads():
    table = LatencyTable.load(RECORDS / "tables" / "latency.json")
    assert "an abacus" in table.note
    assert table.ms["linear 32→10 @ 32"] == 0.03125 and table.overhead(1.0, 2) == 1.875


# ------------------------------------------------------------------------------------------ races, leaderboards
def test_races_load_join_and_go_on(tmp_path):
    table = Table.load(RECORDS / "tables" / "forty.npz")
    two, three = (Standings.load(RECORDS / "races" / f"{name}.jsonl") for name in ("two", "three"))
    assert two.names == ["RandomSearch", "RegularizedEvolution"] and len(two.tracks) == 4
    assert two.join(three).names == [*two.names, "LocalSearch", "SuccessiveHalving"]
    assert two.stale(table) == three.stale(table) == ""
    for told, name in ((two, "two"), (three, "three")):
        path = shutil.copy(RECORDS / "races" / f"{name}.jsonl", tmp_path)
        race = make.race(table, told.names, path, seeds=3)
        race.executor = ThreadPoolExecutor(1)
        again = race.standings()
        assert len(again.tracks) == 3 * len(told.names)
        assert [t.line() for t in again.tracks[: len(told.tracks)]] == [t.line() for t in told.tracks]
        anew = make.race(table, told.names, seeds=2)
        anew.executor = race.executor
        assert [t.line() for t in anew] == [t.line() for t in told.tracks]


def test_a_leaderboard_is_ranked():
    path = RECORDS / "leaderboards" / "class.jsonl"
    table = Table.load(RECORDS / "tables" / "forty.npz")
    entries = list(capstone.read(path))
    assert [entry.name for entry in entries] == ["Éva 0", "Éva 1"] and len(entries[0].answers) == 4
    ranking, problems = capstone.collect([path], make.challenge(table))
    assert problems == [] and {name for name, _ in ranking} == {"Éva 0", "Éva 1"}
    assert make.challenge(table).play(make.chosen, "Éva 0") == entries[0]


# -------------------------------------------------------------------------------------------------- what travels
def read(path):
    """Read a file of data by the reader that it is for; what it was."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            names = file.files
        return "table" if "header" in names and Table.load(path).archs else "numbers"
    if path.suffix == ".json":
        readers = {"devices-nasbench201": load_devices, "devices-elastic": load_elastic_devices,
                   "device-transfer": recorded_transfer}  # fmt: skip
        if (reader := readers.get(path.stem)) is not None:
            return "latencies" if reader(path) else ""
        return "latencies" if LatencyTable.load(path).ms else ""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        head = json.loads(file.readline())
    if "nasviz" in head:
        return "run" if len(Run.load(path)) else ""
    if "nasviz_race" in head:
        return "race" if Standings.load(path).table() else ""
    if "nasviz table" in head:
        return "part" if sum(1 for _ in trainings_in(path)) else ""
    return "lines" if all(json.loads(line) for line in path.read_bytes().splitlines()) else ""


TRAVEL = sorted(path for path in DATA.rglob("*") if path.name.endswith((".jsonl", ".jsonl.gz", ".npz", ".json")))
# These are no records of the package: scripts in data/scripts wrote them, and the labs read them.
LINES = (
    "lab06-darts.jsonl",
    "alone.jsonl",
    "supernets.jsonl",
    "price.jsonl",
    "full-size.jsonl",
    "parents.jsonl",
    "trainings.jsonl",
    "searches-",
)
NUMBERS = ("fashion16.npz", "lab03-", "lab04-", "lab08-", "lab10-", "everyone-")


@pytest.mark.parametrize("path", TRAVEL, ids=lambda path: str(path.relative_to(DATA)))
def test_what_travels_is_read(path):
    known = {".npz": "numbers" if path.name.startswith(NUMBERS) else "table", ".json": "latencies"}
    if path.suffix in known:
        assert read(path) == known[path.suffix]
    else:
        assert read(path) in (["lines"] if path.name.startswith(LINES) else ["run", "race", "part"])


def test_the_ground_truth_can_be_gone_on_with():
    head = Work(Training(NasBench201(), FULL, test=True, curve=True), 3).head
    parts = parts_of(DATA / "nasbench201-fashion16")
    assert len(parts) >= 7
    assert all(next(trainings_in(part, head)) for part in parts)
