"""Local search: where it goes, what it never asks twice, when it starts anew, and that it works inside a table."""

import pytest
from toys import SPACES, Toy

from nasviz.estimators import TableLookup
from nasviz.estimators.table import Table
from nasviz.objectives import accuracy
from nasviz.spaces import NasBench201
from nasviz.strategies import LocalSearch


@pytest.mark.parametrize("space", SPACES[:2], ids=lambda space: space.name)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("batch", [1, 5])
def test_it_climbs(space, first, batch):
    """Whatever the mode: a step asks a neighbour of where it stands, moves only upwards, and asks nothing twice."""
    search = LocalSearch(space, Toy(space), evaluations=80, first=first, batch=batch, seed=3)
    steps = list(search)
    assert len(steps) == (80 if space is SPACES[0] else len(steps)) and steps == list(search)
    assert steps != list(LocalSearch(space, Toy(space), evaluations=80, first=first, batch=batch, seed=4))
    archs = [step.evaluation.arch for step in steps]
    value = [accuracy(step.evaluation) for step in steps]
    assert len(set(archs)) == len(archs)
    assert [step.evaluation.seed for step in steps] == list(range(len(steps)))
    assert all(space.why_invalid(arch) is None for arch in archs)
    moves = restarts = 0
    for number, step in enumerate(steps):
        parent, position = step.shows["parent"], step.shows["position"]
        if parent < 0:
            assert position == number
            restarts += 1
            continue
        assert archs[number] in set(space.neighbors(archs[parent]))
        assert value[position] >= value[parent]
        if position != parent:
            assert value[position] > value[parent]
            moves += 1
    assert moves and restarts > (space is SPACES[1])


def test_it_takes_the_best_of_all_neighbours_and_leaves_a_peak_only_by_restarting():
    space = SPACES[0]
    steps = list(LocalSearch(space, Toy(space), evaluations=300, seed=1))
    known = {}
    for number, step in enumerate(steps):
        parent = step.shows["parent"]
        if parent < 0 and number:
            here = steps[number - 1].shows["position"]  # the search before ended here: a peak
            around = list(space.neighbors(steps[here].evaluation.arch))
            assert all(known[arch] <= accuracy(steps[here].evaluation) for arch in around)
        known[step.evaluation.arch] = accuracy(step.evaluation)
        if 0 <= parent != step.shows["position"] and number < 299:  # it has moved: to the best of all neighbours
            around = list(space.neighbors(steps[parent].evaluation.arch))
            assert set(around) <= known.keys()
            assert accuracy(steps[step.shows["position"]].evaluation) == max(known[arch] for arch in around)


def test_the_first_better_neighbour_is_cheaper_than_the_best():
    space, cost = SPACES[0], {}
    for first in (False, True):
        steps = list(LocalSearch(space, Toy(space, noise=0.0), evaluations=400, first=first, seed=2))
        cost[first] = next(n for n, step in enumerate(steps) if step.evaluation.scores["accuracy"] > 0.99)
    assert cost[True] < cost[False]


def test_it_ends_when_everything_is_known():
    space = SPACES[2]
    archs = [step.evaluation.arch for step in LocalSearch(space, Toy(space), evaluations=10_000)]
    assert sorted(archs) == sorted((width, activation) for width in range(3) for activation in range(2))


def test_it_stays_inside_a_table():
    """Also where a row has no neighbour: then it starts anew."""
    space = NasBench201()
    alone = (2, 0, 4, 3, 0, 2)
    archs = [a for a in space.distinct() if a[0] == a[1] == a[2] == 3] + [alone]
    table = Table.of(space, [(arch, 0, {"accuracy": sum(arch) / 24}, 1.0) for arch in archs])
    steps = list(LocalSearch(table.known(), TableLookup(table), evaluations=60, seed=0))
    assert len(steps) == 60 and all(step.evaluation.arch in table for step in steps)
    starts = [step.evaluation.arch for step in steps if step.shows["parent"] < 0]
    assert len(starts) > 1 and max(step.evaluation.scores["accuracy"] for step in steps) == 21 / 24
