"""Whatever is written is read back: answers of every type that estimators give, in runs, races, tables and parts."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import inf, isnan, nan

import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from toys import SPACES, Toy, Walk

from nasviz.estimator import Estimator
from nasviz.estimators import Table, TableLookup, tabulate
from nasviz.lock import Writing
from nasviz.races.race import Race
from nasviz.races.standings import Standings
from nasviz.run import Run
from nasviz.space import SearchSpace
from nasviz.step import Evaluation, Step, plain, same
from nasviz.strategies import RandomSearch, RegularizedEvolution

SPACE = SPACES[0]


class Says(Estimator):
    """Answers what a function says."""

    def __init__(self, space, say):
        self.space, self.say = space, say

    def __call__(self, arch, *, epochs=None, seed=0):
        return self.say(arch, seed)


def run(say, path=None, count=3):
    return Run(RandomSearch(SPACE, Says(SPACE, say), evaluations=count), path)


floats = st.floats(width=32)
numbers = st.one_of(
    st.booleans(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.fractions(),
    st.decimals(),
    floats.map(np.float32),
    st.floats(width=16).map(np.float16),
    st.floats().map(np.float64),
    st.floats().map(np.longdouble),
    st.integers(-(2**31), 2**31 - 1).map(np.int64),
    st.booleans().map(np.bool_),
    st.floats().map(np.array),
    st.integers(0, 255).map(lambda n: np.array(n, np.uint8)),
    floats.map(torch.tensor),
    floats.map(lambda x: torch.tensor(x, requires_grad=True)),
    st.integers(-9, 9).map(torch.tensor),
    st.booleans().map(torch.tensor),
)
others = st.one_of(
    st.none(),
    st.text(max_size=4),
    st.binary(max_size=4),
    st.complex_numbers(),
    st.just(np.array([0.5])),
    st.just(torch.tensor([0.5, 0.6])),
    st.just(np.str_("0.5")),
    st.just(np.timedelta64(3, "ns")),
    st.just(np.array(None)),
    st.just(Decimal("1e999")),
    st.just(Decimal("sNaN")),
    st.just([0.5]),
    st.just({"top1": 0.5}),
    st.just(object()),
    st.just(len),
)


@given(numbers | others, st.booleans())
@examples(300)
def test_a_score_is_read_back_equal_or_refused_with_its_name(tmp_path_factory, value, first):
    path = tmp_path_factory.getbasetemp() / "score.jsonl"
    path.unlink(missing_ok=True)
    say = lambda arch, seed: Evaluation(arch, {"accuracy": 0.5, "top": value if first or seed else 0.25}, seed=seed)  # noqa: E731
    live = run(say, path)
    try:
        steps = list(live)
    except ValueError as error:
        assert "'top'" in str(error)
        kept = path.read_bytes()
        assert kept.count(b"\n") == 1 + (not first)  # the refused answer left nothing behind
        assert len(Run(live.search, path).answers) == (not first)
        with pytest.raises(ValueError, match="'top'"):
            list(run(say))  # without a path as well
    else:
        assert all(type(score) is float for step in steps for score in step.evaluation.scores.values())
        again = run(say, path).recall()
        assert again.steps == steps == list(run(say)) and again.answers == live.answers


@pytest.mark.parametrize(
    ("value", "kept"),
    [(True, 1.0), (np.float32(0.1), float(np.float32(0.1))), (Decimal("0.5"), 0.5), (Fraction(1, 4), 0.25),
     (torch.tensor(0.5), 0.5), (np.array(3), 3.0), (nan, nan), (-inf, -inf), (2**60, 2.0**60)],
)  # fmt: skip
def test_numbers_of_all_kinds_become_floats(value, kept, tmp_path):
    (step, *_) = run(lambda arch, seed: Evaluation(arch, {"accuracy": value}), tmp_path / "run.jsonl")
    assert type(step.evaluation.scores["accuracy"]) is float and same(step.evaluation.scores["accuracy"], kept)


@pytest.mark.parametrize("seconds", [nan, None, np.float32(2.0), Decimal("0.5"), 3])
def test_seconds_may_be_unknown(seconds, tmp_path):
    say = lambda arch, seed: Evaluation(arch, {"accuracy": 0.5}, seconds, None, np.int64(seed))  # noqa: E731
    live = run(say, tmp_path / "run.jsonl")
    list(live)
    again = run(say, tmp_path / "run.jsonl").recall()
    assert again.steps == live.steps and same(again.costs, live.costs) and type(again.answers[0].seconds) is float
    assert again.answers[0].epochs == 0 and again.answers[2].seed == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.5, "answered 0.5"),
        (None, "answered None"),
        ({"accuracy": 0.5}, "Let it return an Evaluation"),
        (Evaluation((1,) * 6, {"accuracy": 0.5}), "answered about"),
        (Evaluation("123456", {"accuracy": 0.5}), "is no architecture"),
        (Evaluation((0.5,) * 6, {"accuracy": 0.5}), "is no architecture"),
        (Evaluation(None, {"accuracy": 0.5}), "is no architecture"),
    ],
)
def test_what_is_no_answer_is_refused(answer, words, tmp_path):
    for path in (None, tmp_path / "run.jsonl"):
        with pytest.raises(ValueError, match=words):
            list(run(lambda arch, seed: answer, path))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": 0.5}, "must be a dict"),
        ({"scores": {1: 0.5}}, "is named 1"),
        ({"seconds": "fast"}, "the seconds of"),
        ({"epochs": 2.5}, "the epochs of .* not a whole number"),
        ({"seed": None}, "the seed of"),
    ],
)
def test_what_is_wrong_in_an_answer_is_named(change, words):
    with pytest.raises(ValueError, match=words):
        list(run(lambda arch, seed: Evaluation(arch, **{"scores": {"accuracy": 0.5}} | change)))


@pytest.mark.parametrize("kind", [list, np.array, lambda a: tuple(map(np.int64, a)), torch.tensor])
def test_choices_of_all_kinds_become_whole_numbers(kind, tmp_path):
    say = lambda arch, seed: Evaluation(kind(arch), {"accuracy": 0.5})  # noqa: E731
    steps = list(run(say, tmp_path / "run.jsonl"))
    assert all(type(choice) is int for step in steps for choice in step.evaluation.arch)
    assert run(say, tmp_path / "run.jsonl").recall().steps == steps


def test_the_answers_of_a_whole_batch_are_as_many_as_were_asked():
    class Short(Says):
        def many(self, archs, *, epochs=None, seed=0):
            return map(self, list(archs)[:-1])

    short = Short(SPACE, lambda arch, seed: Evaluation(arch, {"accuracy": 0.5}))
    with pytest.raises(ValueError, match="shorter"):
        list(Run(RandomSearch(SPACE, short, evaluations=3)))


def test_an_answer_that_is_no_member_of_the_space_is_read_back(tmp_path):
    class Astray(RandomSearch):
        def _draw(self, rng):
            yield from [(9,) * 6, (1, 2)]

    search = Astray(SPACE, Says(SPACE, lambda arch, seed: Evaluation(arch, {"accuracy": 0.5})), evaluations=2)
    steps = list(Run(search, tmp_path / "run.jsonl"))
    assert Run(search, tmp_path / "run.jsonl").recall().steps == steps


# ------------------------------------------------------------------------------------------------ what steps show
@pytest.mark.parametrize(
    "value", [True, np.float16(0.5), np.float32(0.5), torch.tensor(0.5), Decimal("0.5"), np.array(0.5), 7, nan]
)
def test_what_a_step_shows_is_read_back(value, tmp_path):
    steps = list(Run(Shows(SPACE, value=value), tmp_path / "run.jsonl"))
    again = Run(Shows(SPACE, value=value), tmp_path / "run.jsonl").recall()
    assert again.steps == steps and len(steps) == 2


@pytest.mark.parametrize("value", [None, "x", [1.0], torch.ones(2), np.array(["a"]), np.ones(2, np.float16), 1j])
def test_what_a_step_cannot_show_is_named_before_it_is_written(value, tmp_path):
    with pytest.raises(ValueError, match="'loss'"):
        list(Run(Shows(SPACE, value=value), tmp_path / "run.jsonl"))
    assert len(Run(Shows(SPACE, value=value), tmp_path / "run.jsonl").recall()) == 0


def test_a_search_that_keeps_states_and_evaluates_is_read_back_and_goes_on(tmp_path):
    search, path = Judges(SPACE, epochs=3), tmp_path / "run.jsonl"
    going = iter(Run(search, path))
    for _ in range(8):  # three steps after the newest state
        next(going)
    going.close()
    run = Run(search, path)
    assert list(run) == list(Run(search)) and run.best.scores == {"accuracy": 14.0}
    assert Run(search, path).recall().best == run.best


@dataclass
class Judges(Walk):
    """A walk that judges what it passes."""

    def __iter__(self):
        for number, step in enumerate(
            super().__iter__(), 5 * (json.loads(self.start)["epoch"] + 1) if self.start else 0
        ):
            yield Step(Evaluation((1,) * 6, {"accuracy": np.float32(number)}), step.state, **step.shows)


def test_a_state_must_be_bytes(tmp_path):
    with pytest.raises(ValueError, match="state of a step must be bytes"):
        list(Run(Shows(SPACE, value=1.0, state="text"), tmp_path / "run.jsonl"))
    assert len(Run(Shows(SPACE, value=1.0), tmp_path / "run.jsonl").recall()) == 0


@dataclass
class Shows(Walk):
    """Two steps that show one value as their loss."""

    value: object = field(default=None, compare=False)
    state: object = field(default=b"{}", compare=False)

    def __iter__(self):
        for _ in range(2):
            yield Step(state=self.state, loss=self.value)


# ------------------------------------------------------------------------------------------------ races and tables
OWN = SearchSpace.from_choices({"width": (1, 2, 3), "depth": (1, 2, 3)}, name="nine")
ARCHS = [(a, b) for a in range(3) for b in range(3)]


def table(value=0.5, seconds=1.0, seeds=2):
    rows = [(arch, s, {"accuracy": 0.1 * sum(arch), "test_accuracy": 0.1 * sum(arch), "more": value}, seconds)
            for arch in ARCHS for s in range(seeds)]  # fmt: skip
    return Table.of(OWN, rows)


@given(numbers | others)
@examples(100)
def test_a_number_of_a_table_is_read_back_equal_or_refused(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "table.npz"
    path.unlink(missing_ok=True)
    try:
        made = table(value)
    except ValueError as error:
        assert "'more'" in str(error)
    else:
        made.save(path)
        again = Table.load(path, OWN).columns["more"]
        kept = made.columns["more"]
        assert np.array_equal(np.isfinite(again), np.isfinite(kept))
        np.testing.assert_allclose(again, kept, rtol=1e-6)


@pytest.mark.parametrize("seconds", [nan, None])
def test_a_race_without_seconds_is_read_back_and_none_by_seconds_begins(seconds, tmp_path):
    look = TableLookup(table(seconds=seconds))
    searches = [RandomSearch(OWN, look, evaluations=6), RegularizedEvolution(OWN, look, 2, 1, evaluations=6)]
    race = Race(searches, 6, seeds=2, path=tmp_path / "race.jsonl", executor=ThreadPoolExecutor(1))
    told = race.standings()
    again = Standings.load(tmp_path / "race.jsonl")
    assert [str(t.line()) for t in again.tracks] == [str(t.line()) for t in told.tracks]
    assert "RandomSearch" in str(again) and isnan(again.tracks[0].spent[1])
    assert len(list(Race(searches, 6, seeds=2, path=tmp_path / "race.jsonl"))) == 4
    for ask in (lambda: again.curves("seconds"), lambda: again.reach(0.1, "seconds")):
        with pytest.raises(ValueError, match="nobody measured the seconds of this race"):
            ask()
    with pytest.raises(ValueError, match="does not say its seconds: race by evaluations"):
        Race(searches, 6, "seconds")
    unknown = Says(OWN, lambda arch, seed: Evaluation(arch, {"accuracy": 0.5, "test_accuracy": 0.5}, nan))
    with pytest.raises(ValueError, match="does not say its seconds"):
        Race([RandomSearch(OWN, unknown, evaluations=6)], 6, "seconds").run("RandomSearch", 0)


@pytest.mark.parametrize("value", [np.float32(0.5), torch.tensor(0.5), Decimal("0.5"), True, nan, inf])
def test_a_race_reads_its_own_record_whatever_was_answered(value, tmp_path):
    judged = Says(OWN, lambda arch, seed: Evaluation(arch, {"accuracy": value, "test_accuracy": value}, np.float32(1)))
    path, pool = tmp_path / "race.jsonl", ThreadPoolExecutor(1)
    searches = [RandomSearch(OWN, judged, evaluations=4)]
    told = Race(searches, np.int64(4), seeds=np.arange(2), path=path, executor=pool).standings()
    assert [t.line() for t in Standings.load(path).tracks] == [t.line() for t in told.tracks]
    assert len(list(Race(searches, 4, seeds=2, path=path))) == 2


@given(numbers | others)
@examples(100)
def test_a_line_of_a_part_is_read_back_equal_or_refused(tmp_path_factory, value):
    work = tabulate.Work(Toy(SPACE), seeds=1)
    part = tmp_path_factory.getbasetemp() / "part.jsonl"
    part.unlink(missing_ok=True)
    with Writing(part) as file:
        file.append(json.dumps(work.head).encode() + b"\n")
        try:
            said = Evaluation((1,) * 6, {"accuracy": value}, None)
            tabulate._write(file, work, said)
        except ValueError as error:
            assert "'accuracy'" in str(error)
            said = None
    lines = list(tabulate.trainings_in(part, work.head))
    assert len(lines) == bool(said)
    if said:
        assert same(lines[0][1]["scores"]["accuracy"], plain(said).scores["accuracy"])
