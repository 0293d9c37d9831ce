"""Lab 04's functions: judges and outcomes by hand, families and ancestors, noise that is simulated, recorded rivals."""

import re

import numpy as np
import pytest

from nasviz.estimators import TableLookup, nasbench201_table
from nasviz.estimators.table import Table
from nasviz.lessons import evolution
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation, Step
from nasviz.strategies import RegularizedEvolution

SMALL, LARGE = (1, 1, 1, 1, 1, 1), (3, 3, 3, 3, 3, 3)


@pytest.fixture(scope="module")
def two():
    """A table of two cells, two trainings each; to the small one the test images are 2 points easier."""
    rows = [
        (SMALL, 0, {"accuracy": 0.70, "test_accuracy": 0.72, "madds": 10.0}, 1.0),
        (SMALL, 1, {"accuracy": 0.74, "test_accuracy": 0.76, "madds": 10.0}, 1.0),
        (LARGE, 0, {"accuracy": 0.80, "test_accuracy": 0.90, "madds": 99.0}, 1.0),
        (LARGE, 1, {"accuracy": 0.80, "test_accuracy": 0.90, "madds": 99.0}, 1.0),
    ]
    return Table.of(NasBench201(), rows)


def test_a_cell_at_the_bound_is_a_member_and_one_over_it_is_none(two):
    assert evolution.cheap(two, 99).rule(LARGE) is None
    assert "98" in evolution.cheap(two, 98).rule(LARGE) and evolution.cheap(two, 98).rule(SMALL) is None


def test_the_judge_takes_the_other_training_and_the_images_of_cheap_cells_alone(two):
    space = evolution.cheap(two, 50)
    assert evolution.shift(space) == pytest.approx(2.0)  # the large cell's ten points are no part of it
    seen = [Evaluation(SMALL, {}, seed=seed) for seed in (0, 1, 2)]
    assert evolution.judge_of(space)(seen) == pytest.approx([74.0, 70.0, 74.0])


def steps(accuracies, parents=None, alive=()):
    made = []
    for number, accuracy in enumerate(accuracies):
        more = {"parent": parents[number], "population": np.array(alive[number], "i4")} if parents else {}
        made.append(Step(Evaluation((number,), {"accuracy": accuracy}, seed=number), **more))
    return made


def test_an_outcome_by_hand():
    search = steps([0.5, 0.9, 0.7], [-1, -1, 0], [[0], [0, 1], [0, 2]])
    judge = lambda evaluations: np.array([60.0, 70.0, 80.0])[[one.seed for one in evaluations]]  # noqa: E731
    found = evolution.outcomes([search, search[:2]], judge)
    assert found.bred == pytest.approx([70, 65]) and found.returned == pytest.approx([70, 70])
    assert found.reported == pytest.approx([90, 90])
    assert found.luck == pytest.approx([-10, 5])  # alive are 0 and 2; then 0 and 1
    plain = evolution.outcomes([steps([0.5, 0.9, 0.7])], judge)
    assert plain.luck == pytest.approx([0])  # no population: the last hundred


def test_a_difference_is_that_of_pairs():
    apart = evolution.difference(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]))
    assert (apart.value, apart.low, apart.high) == (1, 1, 1)


def test_families_and_ancestors():
    parents = [-1, -1, 0, 2, 1]
    run = steps([0.5] * 5, parents, [[0], [0, 1], [1, 2], [2, 3], [3, 4]])
    assert evolution.families(run) == [1, 2, 2, 1, 2]
    assert evolution.ancestors(run, 3) == [2, 0] and evolution.ancestors(run, 1) == []


def test_a_roll_names_operations_and_accuracies():
    people = [Evaluation((0, 1, 2, 3, 4, 0), {"accuracy": 0.5}, seed=7)]
    text = evolution.roll(people, NasBench201()).data
    assert "#7: zero, skip, conv 1×1, conv 3×3, avg pool, zero" in text and "50.00 %" in text


def test_sizes_gain_nothing_over_themselves_and_zero_is_no_size():
    assert evolution.gains(50, 10, seeds=2).tolist() == [0, 0]
    with pytest.raises(ValueError, match="population"):
        evolution.gains(0, 10)
    with pytest.raises(ValueError, match="tournament"):
        evolution.gains(10, 0)


def test_the_gains_are_those_of_searches_on_the_table():
    table = nasbench201_table()
    space = evolution.cheap(table)
    judge = evolution.judge_of(space)
    searches = ([RegularizedEvolution(space, TableLookup(table), *sizes, 300, seed=1)] for sizes in ((20, 5), (50, 10)))
    ours, usual = (evolution.outcomes(one, judge).returned[0] for one in searches)
    assert evolution.gains(20, 5, seeds=2)[1] == pytest.approx(ours - usual)


@pytest.mark.parametrize("fresh", [True, False])
def test_noise_is_drawn_anew_or_stays(two, fresh):
    world = evolution.Simulated(two, fresh, seed=0)
    told = [world(SMALL, seed=n).scores["accuracy"] for n in range(400)]
    assert (len(set(told)) > 390) == fresh and (len(set(told)) == 1) != fresh
    assert world.judge([world(SMALL), world(LARGE)]) == pytest.approx([72, 80])
    if fresh:
        assert np.mean(told) == pytest.approx(0.72, abs=4 * world.noise / 20)
        assert np.std(told) == pytest.approx(world.noise, rel=0.2)
    assert evolution.Simulated(two, fresh, seed=0)(SMALL).scores["accuracy"] == told[0]


def test_a_simulated_search_keeps_to_the_space():
    space = evolution.cheap(nasbench201_table())
    found = evolution.simulated(space, fresh=True, aging=True, seeds=2, evaluations=60)
    assert found.returned.shape == (2,) and (found.reported > found.returned - 3).all()


@pytest.fixture
def rivals(tmp_path):
    numbers = {"reported": [[[0.5, 0.6]], [[0.8, 0.7]]], "true": [[[0.55, 0.5]], [[0.6, 0.7]]]}
    units = {key: np.round(evolution.UNIT * np.array(values)).astype("u2") for key, values in numbers.items()}
    tried = ["RandomSearch: ", "Reinforce: lr 0.1", "Reinforce: lr 0.2"]
    np.savez(tmp_path / "it.npz", names=["RandomSearch", "Reinforce"], tried=tried, means=[0.5, 0.6, 0.7], **units)
    return evolution.Rivals.load(tmp_path / "it.npz")


def test_rivals_by_hand(rivals):
    assert rivals.returned("RandomSearch") == pytest.approx([50]) and rivals.returned("Reinforce") == pytest.approx(
        [60]
    )
    assert rivals.during("Reinforce", 0, 2) == pytest.approx([65])
    less = rivals.less("Reinforce", "RandomSearch")
    assert {part: one.value for part, one in less.items()} == pytest.approx(
        {"first hundred": 12.5, "last hundred": 12.5, "returned": 10}
    )
    assert rivals.tried["Reinforce"] == pytest.approx({"lr 0.1": 60, "lr 0.2": 70})


def test_the_recorded_rivals_are_within_the_bounds_of_the_table():
    found = evolution.Rivals.load()
    assert {true.shape for true in found.true.values()} == {(30, 500)}
    for name, means in found.tried.items():
        assert name == "RandomSearch" or len(means) == 5
        assert found.reported[name].min() > 5 and found.reported[name].max() < 90


def test_their_courses_are_drawn(rivals):
    made = evolution.Courses(evolution.Rivals.load(), block=50)
    assert made.still().startswith(b"\x89PNG") and len(made.at) == 10 and made.at[0] == 25
    assert len(re.findall(r"\d+\.\d+ %", made.text)) == 3
    assert evolution._blocks(np.arange(7.0)[None], 3).tolist() == [[1, 4]]
