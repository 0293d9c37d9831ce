"""Disk full, folder read-only, file vanished, clock set back: a sentence, and nothing lost that was on record."""

import errno
import json
import os
import random
import time
from pathlib import Path
from unittest import mock

import pytest
from kills import Here, Judged, few, raced, searched
from toys import SPACES, Toy, Walk

from nasviz import lock
from nasviz.course import capstone
from nasviz.estimators import tabulate
from nasviz.run import Run
from nasviz.strategies import RegularizedEvolution

SPACE = SPACES[0]
EVOLUTION = RegularizedEvolution(SPACE, Toy(SPACE), 10, 3, 30)
SEARCHES = {"asks": (EVOLUTION, 11, {"population": 4}), "keeps a state": (Walk(SPACE, epochs=4), 7, {"rate": 0.9})}
every_search = pytest.mark.parametrize("name", SEARCHES)


class Disk:
    """Has room for ``room`` bytes more; a write that needs more writes what fits, and the next one fails."""

    def __init__(self, monkeypatch, room, error=errno.ENOSPC):
        self.room, write = room, os.write

        def limited(fd, data):
            if len(data) and self.room <= 0:
                raise OSError(error, os.strerror(error))
            done = write(fd, bytes(data)[: self.room])
            self.room -= done
            return done

        def written(path, data):
            with path.open("wb") as file:
                fits = data[: max(self.room, 0)]
                file.write(fits)
                self.room -= len(data)
                if len(fits) < len(data):
                    raise OSError(error, os.strerror(error), str(path))

        monkeypatch.setattr(lock.os, "write", limited)
        monkeypatch.setattr(Path, "write_bytes", written)


def whole_lines(path):
    raw = path.read_bytes()
    assert raw.endswith(b"\n") or not raw
    return [json.loads(line) for line in raw.splitlines()]


# ------------------------------------------------------------------------------------------------ the disk is full
@every_search
@pytest.mark.parametrize("room", [0, 30, 900, 1500, 2477])
def test_a_run_on_a_full_disk_says_so_and_goes_on_when_there_is_room(name, room, tmp_path, monkeypatch):
    go, path = searched(*SEARCHES[name]), tmp_path / "run.jsonl"
    wanted = go(tmp_path / "whole.jsonl")
    with monkeypatch.context() as patch:
        Disk(patch, room)
        with pytest.raises(OSError, match=r"run\.jsonl\S* cannot be written: No space left.*Make room.*kept") as raised:
            go(path)
        assert raised.value.errno == errno.ENOSPC
    before = whole_lines(path) if path.exists() else []
    assert (len(before) > 1 or room < 1500) and not list(tmp_path.glob("*.part"))
    assert go(path) == wanted
    assert whole_lines(path)[: len(before)] == before


def test_a_run_object_goes_on_after_the_disk_was_full(tmp_path, monkeypatch):
    run = Run(EVOLUTION, tmp_path / "run.jsonl")
    with monkeypatch.context() as patch:
        Disk(patch, 2000)
        with pytest.raises(OSError, match="Make room"):
            list(run)
    assert len(list(run)) == 30 and run.steps == list(Run(EVOLUTION))
    assert Run.load(run.path).steps == run.steps


@pytest.mark.parametrize("room", [0, 500, 1300, 3000])
def test_a_race_on_a_full_disk(room, tmp_path, monkeypatch):
    wanted, path = raced(tmp_path / "whole.jsonl"), tmp_path / "race.jsonl"
    with monkeypatch.context() as patch:
        Disk(patch, room)
        with pytest.raises(OSError, match=r"race\.jsonl cannot be written.*Make room"):
            raced(path)
    before = whole_lines(path) if path.exists() else []
    assert raced(path) == wanted and whole_lines(path)[: len(before)] == before


@pytest.mark.parametrize("room", [0, 100, 1000, 2000])
def test_a_table_in_the_making_on_a_full_disk(room, tmp_path, monkeypatch):
    asked = []

    class Counted(Here):
        def submit(self, job, arch, seed):
            asked.append((arch, seed))
            return super().submit(job, arch, seed=seed)

    monkeypatch.setattr(tabulate, "default_pool", Counted)
    work = tabulate.Work(Judged(few()), 2)
    with monkeypatch.context() as patch:
        Disk(patch, room)
        with pytest.raises(OSError, match=r"part-000\.jsonl cannot be written.*Make room"):
            list(tabulate.run(work, tmp_path))
    there = tabulate.join(tabulate.parts_of(tmp_path))[1] if room > 1000 else {}
    asked.clear()
    list(tabulate.run(work, tmp_path))
    assert not there.keys() & {work.key(*one) for one in asked}
    heads, joined = tabulate.join(tabulate.parts_of(tmp_path))
    assert len(heads) == 1 + (room >= 1000) and len(joined) == 12


def test_a_leaderboard_on_a_full_disk(tmp_path, monkeypatch):
    path, entry = tmp_path / "board.jsonl", capstone.Entry("Éva", ("a",), "d", "c")
    capstone.hand_in(entry, path)
    with monkeypatch.context() as patch:
        Disk(patch, 20)
        with pytest.raises(OSError, match=r"board\.jsonl cannot be written.*Make room"):
            capstone.hand_in(entry, path)
    assert list(capstone.read(path)) == [entry]
    capstone.hand_in(entry, path)
    assert list(capstone.read(path)) == [entry, entry]


def test_a_disk_that_breaks_leaves_a_torn_line_that_is_cut(tmp_path, monkeypatch):
    """Nothing may be changed any more, not even taken back: the next one begins behind the last whole line."""
    run, path = Run(EVOLUTION, tmp_path / "run.jsonl"), tmp_path / "run.jsonl"
    with monkeypatch.context() as patch:
        Disk(patch, 2010, errno.EIO)
        truncate, broken = os.ftruncate, OSError(errno.EIO, "broken")
        patch.setattr(lock.os, "ftruncate", mock.Mock(side_effect=[truncate, *[broken] * 9]))
        with pytest.raises(OSError, match=r"run\.jsonl cannot be written"):
            list(run)
    assert path.stat().st_size == 2010 and not path.read_bytes().endswith(b"\n")
    assert len(list(Run(EVOLUTION, path))) == 30
    assert len(whole_lines(path)) == 31


# ------------------------------------------------------------------------------------------------ nobody may write
def writers(path):
    return {
        "run": lambda: list(Run(EVOLUTION, path)),
        "race": lambda: raced(path),
        "leaderboard": lambda: capstone.hand_in(capstone.Entry("a", (), "d", "c"), path),
    }


@pytest.mark.parametrize("what", ["run", "race", "leaderboard"])
@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_where_one_may_not_write_it_is_said(what, code, tmp_path, monkeypatch):
    path, opened = tmp_path / "here.jsonl", os.open

    def refused(name, flags, *more, **options):
        if Path(name) == path and flags & (os.O_RDWR | os.O_WRONLY):
            raise OSError(code, os.strerror(code), str(name))
        return opened(name, flags, *more, **options)

    monkeypatch.setattr(lock.os, "open", refused)
    with pytest.raises(OSError, match=r"here\.jsonl cannot be written.*in a folder where you may write") as raised:
        writers(path)[what]()
    assert raised.value.errno == code and not path.exists()


@pytest.mark.parametrize("what", ["run", "leaderboard"])
def test_a_file_where_a_folder_is_needed(what, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match=r"x\.jsonl cannot be written: .*Choose another file name"):
        writers(tmp_path / "file" / "x.jsonl")[what]()
    assert (tmp_path / "file").read_text() == "mine"


def test_a_table_where_one_may_not_write(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="file cannot be written"):
        list(tabulate.run(tabulate.Work(Judged(few()), 2), tmp_path / "file"))


# ------------------------------------------------------------------------------------------------ what vanishes
@pytest.mark.skipif(os.name == "nt", reason="Windows removes no file that is open")
@pytest.mark.parametrize("with_folder", [False, True])
@every_search
def test_a_record_that_is_removed_meanwhile_is_put_back(name, with_folder, tmp_path):
    search = SEARCHES[name][0]
    wanted, path = list(Run(search)), tmp_path / "folder" / "run.jsonl"
    run = Run(search, path)
    with pytest.warns(UserWarning, match="was removed while it is being written: it is there again"):
        for _ in run:
            if len(run) == 8:
                for one in path.parent.iterdir():
                    one.unlink()
                if with_folder:
                    path.parent.rmdir()
    assert run.steps == wanted and Run.load(path, search).steps == wanted
    assert len(whole_lines(path)) == 1 + len(wanted)


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no file that is open")
def test_a_record_that_another_file_replaced_is_not_written_over(tmp_path):
    run = Run(EVOLUTION, tmp_path / "run.jsonl")
    with pytest.raises(OSError, match="another file stands there"):
        for _ in run:
            if len(run) == 8:
                run.path.unlink()
                run.path.write_text("mine")
    assert run.path.read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no file that is open")
def test_a_race_and_a_table_are_put_back_too(tmp_path, monkeypatch):
    from nasviz.races.race import Race
    from nasviz.strategies import LocalSearch

    race = Race(
        [LocalSearch(SPACE, Judged(SPACE), evaluations=8)], 8, seeds=7, path=tmp_path / "r.jsonl", executor=Here()
    )
    with pytest.warns(UserWarning, match="r.jsonl was removed"):
        for number, _ in enumerate(race):
            if number == 2:
                race.path.unlink()
    assert len(whole_lines(race.path)) == 15
    monkeypatch.setattr(tabulate, "default_pool", Here)
    work = tabulate.Work(Judged(few()), 2)
    with pytest.warns(UserWarning, match="part-000.jsonl was removed"):
        for number, _ in enumerate(tabulate.run(work, tmp_path / "t")):
            if number == 2:
                (tmp_path / "t" / "part-000.jsonl").unlink()
    assert len(tabulate.join(tabulate.parts_of(tmp_path / "t"))[1]) == 12


def test_who_vanishes_between_two_looks_is_named(tmp_path):
    for read in (Run.load, capstone.read):
        with pytest.raises((ValueError, OSError), match=r"gone\.jsonl"):
            list(read(tmp_path / "gone.jsonl"))


# ------------------------------------------------------------------------------------------------ the clock
@every_search
def test_a_clock_that_is_set_back_changes_nothing(name, tmp_path, monkeypatch):
    go, rng = searched(*SEARCHES[name]), random.Random(0)
    wanted = go(tmp_path / "whole.jsonl")
    for function in ("time", "time_ns"):
        monkeypatch.setattr(time, function, lambda: rng.choice((0, 10**9, -5)))
    assert go(tmp_path / "run.jsonl") == wanted == go(tmp_path / "run.jsonl")
    run = Run.load(tmp_path / "run.jsonl", SEARCHES[name][0])
    assert run.steps == wanted[0] and all(b >= a >= 0 for a, b in zip(run.costs, run.costs[1:], strict=False))
