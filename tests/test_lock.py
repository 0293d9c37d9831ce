"""One writer a file, whoever comes second: another process, a thread, another name of the file, a player."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_answers import table
from toys import SPACES, Elastic, Toy, Walk

from nasviz.course import capstone
from nasviz.estimators import TableLookup, tabulate
from nasviz.lock import Occupied, Writing, same_file
from nasviz.races.race import Race
from nasviz.record import put_aside
from nasviz.run import Run
from nasviz.strategies import LocalSearch, RandomSearch, RegularizedEvolution

SPACE = SPACES[0]
POSIX = pytest.mark.skipif(os.name == "nt", reason="of POSIX")
HOLD = """
import sys, time
sys.path[:0] = sys.argv[2:]
from toys import SPACES, Toy
from nasviz.run import Run
from nasviz.strategies import RegularizedEvolution
steps = iter(Run(RegularizedEvolution(SPACES[0], Toy(SPACES[0]), 10, 3, 60), sys.argv[1]))
for _ in range(7): next(steps)
print("going", flush=True)
time.sleep(60)
"""


def search(**more):
    return RegularizedEvolution(SPACE, Toy(SPACE), 10, 3, 60, **more)


@pytest.fixture
def holder(tmp_path):
    """Another process that is in the middle of a run."""
    here = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "run.jsonl", *here], stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"going"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_another_process_is_named_and_a_kill_gives_the_record_back(holder, tmp_path):
    path = tmp_path / "run.jsonl"
    before = path.read_bytes()
    with pytest.raises(
        Occupied, match=rf"another process writes this record \(process {holder.pid} on .*, since 20"
    ) as told:
        list(Run(search(), path))
    assert isinstance(told.value, ValueError) and "choose another file name" in str(told.value)
    assert len(Run(search(), path).recall()) == len(Run.load(path)) == 7  # who reads needs no right
    with pytest.raises(Occupied):
        put_aside(path)
    assert path.read_bytes() == before
    holder.kill()
    holder.wait()
    run = Run(search(), path)
    list(run)
    assert run.steps == list(Run(search())) and path.read_bytes().startswith(before)
    assert os.listdir(tmp_path) == ["run.jsonl"]


@POSIX
def test_two_names_of_a_file_are_one(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    going = iter(Run(search(), path))
    next(going)
    (tmp_path / "link.jsonl").symlink_to(path)
    os.link(path, tmp_path / "hard.jsonl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (
        tmp_path / "link.jsonl",
        tmp_path / "hard.jsonl",
        Path("run.jsonl"),
        "~/run.jsonl",
        "./x/../run.jsonl",
    ):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(Occupied, match="another run, race or player of this process writes this record"):
            list(Run(search(), name))
    going.close()
    assert len(list(Run(search(), "~/run.jsonl"))) == 60 and not (tmp_path / "~").exists()
    assert len(Run.load("~/run.jsonl")) == 60
    assert same_file(path, tmp_path / "hard.jsonl") and not same_file(path, tmp_path / "no.jsonl")


def test_threads_write_one_after_the_other(tmp_path):
    ended, refused = [], []

    def work():
        try:
            ended.append(list(Run(search(), tmp_path / "run.jsonl")))
        except Occupied as error:
            refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended and len(ended) + len(refused) == 4 and all(steps == ended[0] for steps in ended)
    assert len(Run.load(tmp_path / "run.jsonl")) == 60


def test_what_was_dropped_half_way_writes_no_more(tmp_path):
    for count in (5, 9):
        for number, _ in enumerate(Run(search(), tmp_path / "run.jsonl"), 1):
            if number == count:
                break
    circle = [iter(Run(search(), tmp_path / "run.jsonl"))]  # only the collector frees it
    next(circle[0])
    circle.append(circle)
    del circle
    run = Run(search(), tmp_path / "run.jsonl")
    assert len(list(run)) == 60


def test_a_refused_writer_may_come_again(tmp_path):
    run, other = Run(search(), tmp_path / "run.jsonl"), Run(search(), tmp_path / "run.jsonl")
    first = iter(run)
    for _ in range(11):
        next(first)
    with pytest.raises(Occupied):
        next(iter(other))
    first.close()
    steps = list(other)  # it reads again what was written meanwhile
    assert steps == list(Run(search())) and len(other.answers) == 60


@POSIX
def test_a_forked_child_does_not_keep_the_lock(tmp_path):
    held = Writing(tmp_path / "file")
    child = multiprocessing.get_context("fork").Process(target=signal.pause)
    child.start()
    held.close()
    Writing(tmp_path / "file").close()
    child.kill()
    child.join()


def test_where_nothing_was_written_nothing_stays(tmp_path):
    with Writing(tmp_path / "file"):
        assert (tmp_path / "file").exists()
    assert not (tmp_path / "file").exists()
    (tmp_path / "file").touch()
    Writing(tmp_path / "file").close()
    assert (tmp_path / "file").exists()


def test_a_search_that_keeps_states_has_one_writer_too(tmp_path):
    walk = Walk(SPACE, epochs=3)
    going = iter(Run(walk, tmp_path / "run.jsonl"))
    for _ in range(7):
        next(going)
    with pytest.raises(Occupied):
        list(Run(walk, tmp_path / "run.jsonl"))
    assert len(Run(walk, tmp_path / "run.jsonl").recall()) == 7
    del going
    assert list(Run(walk, tmp_path / "run.jsonl")) == list(Run(walk))


def test_a_race_has_one_writer(tmp_path):
    look = TableLookup(table())

    def race():
        searches = [RandomSearch(look.space, look, evaluations=4), LocalSearch(look.space, look, evaluations=4)]
        return Race(searches, 4, seeds=7, path=tmp_path / "a" / "race.jsonl", executor=ThreadPoolExecutor(1))

    going = iter(race())
    next(going)
    with pytest.raises(Occupied, match=r"race.jsonl: another run, race or player"):
        next(iter(race()))
    going.close()
    assert len(list(race())) == 14


def test_a_table_in_the_making_has_one_writer_and_shares_go_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr(tabulate, "default_pool", lambda: ThreadPoolExecutor(1))
    work = tabulate.Work(Few(SPACE), seeds=1)
    going = tabulate.run(work, tmp_path)
    next(going)
    with pytest.raises(Occupied, match="part-000.jsonl"):
        next(tabulate.run(work, tmp_path))
    assert [path.name for path in tabulate.parts_of(tmp_path)] == ["part-000.jsonl"]
    with tabulate._new_part(tmp_path, work.head, alone=False):
        pass
    going.close()
    assert len(list(tabulate.run(work, tmp_path))) == 5
    assert len(tabulate.join(tabulate.parts_of(tmp_path))[1]) == 6


class FewSpace(Elastic):
    """Six architectures."""

    def distinct(self):
        return [(0, a, b, 0, 0) for a in range(3) for b in range(2)]


class Few(Toy):
    def __init__(self, space):
        super().__init__(FewSpace())


def entry(number):
    return capstone.Entry(f"search {number}", ("|",) * 3, "digest", "challenge")


def test_a_class_hands_in_to_one_file_at_once(tmp_path):
    path = tmp_path / "all.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: capstone.hand_in(entry(number), path), range(40)))
    assert sorted(one.name for one in capstone.read(path)) == sorted(entry(n).name for n in range(40))


@pytest.mark.parametrize(("tail", "kept"), [(b'{"version": 1, "na', 1), (b"", 1), (None, 2)])
def test_a_torn_last_line_of_a_leaderboard_spoils_nothing(tail, kept, tmp_path):
    path = capstone.hand_in(entry(0), tmp_path / "all.jsonl")
    whole = path.read_bytes()
    path.write_bytes(b"\xef\xbb\xbf" + whole + (whole.rstrip() if tail is None else tail))  # with an editor's mark
    capstone.hand_in(entry(1), path)
    assert [one.name for one in capstone.read(path)] == ["search 0"] * kept + ["search 1"]


def test_a_player_closes_an_older_one_and_a_run_beside_it_is_refused(tmp_path):
    from nasviz.views import Player

    path = tmp_path / "run.jsonl"
    first = Player(search(), path)
    first.run(5)
    with pytest.raises(Occupied, match="player.close"):
        list(Run(search(), path))
    second = Player(search(), tmp_path / "." / "run.jsonl")
    second.run(5)
    assert len(second.steps) == 10
    second.reset()
    while len(second.steps):
        time.sleep(0.01)
    second.run(3)
    assert len(second.steps) == 3 and len(Run.load(tmp_path / "run-1.jsonl")) == 10
    second.close()
    assert len(list(Run(search(), path))) == 60


def test_random_search_is_free_at_its_end(tmp_path):
    simple = RandomSearch(SPACE, Toy(SPACE), evaluations=5)
    for _ in range(3):
        assert len(list(Run(simple, tmp_path / "run.jsonl"))) == 5
