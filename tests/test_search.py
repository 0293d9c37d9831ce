"""Run: record, replay, resume. Whatever happens to the process or the file, the search is the same or says why not."""

import json
import random
import threading

import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from toys import SPACES, Elastic, Toy, Walk

from nasviz.knobs import check_turn, knob, knobs
from nasviz.objectives import Bounded
from nasviz.run import Run
from nasviz.strategies import (
    BatchedEvolution,
    Enas,
    LocalSearch,
    Nsga2,
    RandomSearch,
    RegularizedEvolution,
    Reinforce,
    Spos,
    TrainSupernet,
)

SPACE = SPACES[0]


def evolution(**changes):
    return RegularizedEvolution(SPACE, Toy(SPACE), **{"population": 10, "tournament": 3, "evaluations": 60} | changes)


SEARCHES = {
    "evolution": (evolution(), {"population": 4, "tournament": 6}),
    "without aging": (evolution(aging=False), {"population": 4}),
    "bounded, conditional": (
        RegularizedEvolution(Elastic(), Toy(Elastic()), 8, 3, 60, objective=Bounded("madds", 9.0)),
        {"tournament": 1},
    ),
    "evolution in batches": (
        BatchedEvolution(SPACE, Toy(SPACE), 10, 3, evaluations=60, batch=7),
        {"population": 4, "tournament": 6},
    ),
    "nsga2": (Nsga2(SPACE, Toy(SPACE), population=10, batch=8, evaluations=60), {"population": 5, "crossover": 0.2}),
    "spos": (Spos(SPACE, Toy(SPACE), population=8, evaluations=60), {"population": 5, "top": 3, "mutation": 0.5}),
    "local search": (LocalSearch(SPACE, Toy(SPACE), evaluations=60), {}),
    "local search, first": (LocalSearch(SPACE, Toy(SPACE), evaluations=60, first=True, batch=3), {}),
    "random": (RandomSearch(SPACE, Toy(SPACE), evaluations=60), {}),
    "random without replacement": (RandomSearch(SPACE, Toy(SPACE), evaluations=60, replacement=False), {}),
    "reinforce": (Reinforce(SPACE, Toy(SPACE), 60, batch=7, hidden=8), {"batch": 4, "lr": 0.05, "baseline": 0}),
    "with a state": (Walk(SPACE, epochs=12), {"rate": 0.9}),
    "supernet": (
        TrainSupernet(SPACE, images=32, epochs=15, batch=8, network={"channels": 1, "stages": 1}),
        {"lr": 0.02},
    ),
    "enas": (
        Enas(SPACE, images=144, epochs=3, batch=8, network={"channels": 1, "stages": 1}, updates=2, samples=2),
        {"lr": 0.02, "samples": 3, "controller_lr": 0.01},
    ),
}
every_search = pytest.mark.parametrize("name", SEARCHES)


def go(search, path, turn_at=None, turn=None, kill_at=None, noise=False):
    """Iterate a run as a program would that is killed after ``kill_at`` steps of its own."""
    run = Run(search, path)
    steps = iter(run)
    for _ in steps:
        if noise:
            random.random(), np.random.rand(), torch.rand(1)
        if len(run) == turn_at and turn and not run.turns:
            run.turn(**turn)
        if len(run) == kill_at:
            break
    steps.close()
    return run


@every_search
def test_killed_and_resumed_is_equal(name, tmp_path):
    search, turn = SEARCHES[name]
    whole = go(search, tmp_path / "whole.jsonl", turn_at=20, turn=turn)
    assert len(whole) == len(search) and bool(turn) == bool(whole.turns)
    rng = random.Random(1)
    for trial in range(5):
        path = tmp_path / f"{trial}.jsonl"
        for kill in sorted(rng.sample(range(1, 60), 3)):
            go(search, path, turn_at=20, turn=turn, kill_at=kill, noise=True)
            if kill % 2:
                with path.open("a") as file:
                    file.write('{"evaluation": {"arch": [1, 2')
        again = go(search, path, turn_at=20, turn=turn, noise=True)
        assert again.steps == whole.steps and again.turns == whole.turns and again.best == whole.best


@every_search
def test_nothing_recorded_is_asked_again(name, tmp_path):
    search, _ = SEARCHES[name]
    go(search, tmp_path / "run.jsonl", kill_at=30)
    lines = (tmp_path / "run.jsonl").read_text()
    again = go(search, tmp_path / "run.jsonl")
    assert (tmp_path / "run.jsonl").read_text().startswith(lines)
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 1 + len(again)


@every_search
def test_load_replays_without_an_estimator(name, tmp_path):
    search, turn = SEARCHES[name]
    run = go(search, tmp_path / "run.jsonl", turn_at=20, turn=turn, kill_at=45)
    own = search if isinstance(search.space, Elastic) or isinstance(search, Walk) else None
    loaded = Run.load(tmp_path / "run.jsonl", own)
    assert loaded.steps == run.steps and loaded.turns == run.turns and loaded.best == run.best
    assert len(list(loaded)) == 45
    assert loaded.costs == run.costs


@every_search
def test_a_run_in_memory_goes_again(name):
    search, _ = SEARCHES[name]
    run = Run(search)
    first = iter(run)
    seen = [next(first) for _ in range(31)]
    first.close()
    asked = len(run.answers)
    steps = list(run)
    assert steps[:31] == seen and len(steps) == len(search)
    assert asked == 0 or run.answers[:asked] == [s.evaluation for s in steps[:asked]]


def test_a_turned_knob_acts_between_steps_and_is_recorded(tmp_path):
    run = Run(evolution(), tmp_path / "run.jsonl")
    for _ in run:
        if len(run) == 30:
            run.turn(population=4)
            run.turn(tournament=7)
    assert run.turns == [(30, {"population": 4, "tournament": 7})]
    assert run.value == {"population": 4, "tournament": 7}
    sizes = [len(step.shows["population"]) for step in run.steps]
    assert sizes[29] == 10 and set(sizes[30:]) == {4}
    assert run.search.population == 10


def test_turns_wait_until_the_record_is_replayed(tmp_path):
    go(evolution(), tmp_path / "run.jsonl", kill_at=30)
    run = Run(evolution(), tmp_path / "run.jsonl")
    run.turn(population=5)
    list(run)
    assert run.turns == [(30, {"population": 5})]


def test_turns_from_other_threads_are_not_lost():
    run = Run(evolution(evaluations=400))
    threads = [threading.Thread(target=run.turn, kwargs={n: 5}) for n in ("population", "tournament") for _ in range(9)]
    for _ in run:
        if len(run) == 10:
            for thread in threads:
                thread.start()
        if len(run) == 50:
            for thread in threads:
                thread.join()
    assert run.value == {"population": 5, "tournament": 5}


def test_a_turn_that_is_wrong_says_so():
    run = Run(evolution())
    for values, words in [
        ({"size": 3}, r"RegularizedEvolution has no knob 'size'; its knobs: \['population', 'tournament'\]"),
        ({"population": 0}, "RegularizedEvolution: population is 0, and has to be a whole number"),
        ({"population": float("nan")}, "population is nan"),
        ({"population": "9"}, "population is '9'"),
        ({"population": 9.5}, "population is 9.5, and has to be a whole number"),
    ]:
        with pytest.raises(ValueError, match=words):
            run.turn(**values)
    assert check_turn(evolution(), {"population": 1000}) == {"population": 1000}  # beyond the slider, but allowed
    assert check_turn(evolution(), {"population": 9.0}) == {"population": 9}
    with pytest.raises(ValueError, match="low <= default <= high"):
        knob(3, 4, 5)
    with pytest.raises(ValueError, match="within what is allowed"):
        knob(3, 1, 5, least=2)
    assert list(knobs(evolution())) == ["population", "tournament"]


def test_the_record_of_another_search_is_refused_and_kept(tmp_path):
    path = tmp_path / "run.jsonl"
    go(evolution(), path, kill_at=20)
    before = path.read_bytes()
    for other, words in [
        (evolution(seed=3), "seed is 0 there, 3 here"),
        (evolution(population=11), "population is 10 there, 11 here"),
        (RandomSearch(SPACE, Toy(SPACE)), "type is RegularizedEvolution there, RandomSearch here"),
        (RegularizedEvolution(SPACE, Toy(SPACE, noise=0.1), 10, 3, 60), "estimate.noise is 0.05 there, 0.1 here"),
        (evolution(objective=Bounded("madds", 5.0)), "objective.limit is None there, 5.0 here"),
    ]:
        with pytest.raises(ValueError, match=words):
            Run(other, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"my notes", b"my notes\n", b'{"a": 1}\n', b"[1]\n", b"\xff\xfe\n", b"1\n2\n"])
def test_a_foreign_file_is_refused_and_kept(content, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a record of a search"):
        Run(evolution(), path)
    with pytest.raises(ValueError, match="not a record of a search"):
        Run.load(path)
    assert path.read_bytes() == content


def test_a_head_torn_while_it_was_written_is_begun_again(tmp_path):
    path = tmp_path / "run.jsonl"
    go(evolution(), path, kill_at=5)
    path.write_bytes(path.read_bytes()[:40])
    assert len(list(Run(evolution(), path))) == 60


def test_one_loop_at_a_time():
    run = Run(evolution())
    steps = iter(run)
    next(steps)
    with pytest.raises(RuntimeError, match="already going"):
        next(iter(run))


def test_changed_code_is_noticed(tmp_path, monkeypatch):
    go(evolution(), tmp_path / "run.jsonl", kill_at=20)
    monkeypatch.setattr(type(SPACE), "sample", lambda space, rng: (1,) * 6)
    with pytest.raises(ValueError, match="its code has changed since"):
        list(Run(evolution(), tmp_path / "run.jsonl"))


RECORDS = {}


@pytest.fixture(scope="module", autouse=True)
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    for name, search in {"answers": evolution(evaluations=12), "rows": Walk(SPACE, epochs=2)}.items():
        go(search, folder / name, turn_at=5, turn={"population": 5} if name == "answers" else {"rate": 0.5})
        RECORDS[name] = search, (folder / name).read_bytes()


records_made = st.sampled_from(["answers", "rows"])
damage = st.tuples(records_made, st.integers(0, 10**6), st.integers(0, 30), st.binary(max_size=6))
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
names = st.sampled_from(["evaluation", "arch", "scores", "turn", "at", "step", "seconds", "x"])
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner))
swap = st.tuples(records_made, st.integers(1, 10), trees)


@given(damage)
@examples(700)
def test_damaged_bytes_give_value_errors_only(tmp_path_factory, damage):
    name, at, cut, new = damage
    search, raw = RECORDS[name]
    at %= len(raw)
    read_damaged(tmp_path_factory, search, raw[:at] + new + raw[at + cut :])


@given(swap)
@examples(700)
def test_lines_of_other_json_give_value_errors_only(tmp_path_factory, swap):
    name, number, entry = swap
    search, raw = RECORDS[name]
    lines = raw.splitlines(keepends=True)
    lines[number] = json.dumps(entry).encode() + b"\n"
    read_damaged(tmp_path_factory, search, b"".join(lines))


def read_damaged(tmp_path_factory, search, raw):
    path = tmp_path_factory.getbasetemp() / "damaged.jsonl"
    path.write_bytes(raw)
    for state in path.parent.glob("damaged.jsonl.step*"):
        state.unlink()
    try:
        run = Run(search, path)
    except ValueError as error:
        assert "damaged.jsonl" in str(error)
        assert path.read_bytes() == raw
    else:
        assert all(step.shows for step, _ in run._rows)
