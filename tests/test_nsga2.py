"""NSGA-II: its sort and its crowding against their definitions and against pymoo, its front against brute force."""

from itertools import islice

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from toys import SPACES, Toy

from nasviz.estimators import FULL, TableLookup, Training, nasbench201_table
from nasviz.estimators.table import Table
from nasviz.estimators.tabulate import Work
from nasviz.objectives import Less, accuracy
from nasviz.step import Evaluation
from nasviz.strategies import Nsga2
from nasviz.strategies.nsga2 import crowding, nondominated_sort

SPACE = SPACES[0]
points = st.integers(1, 24).flatmap(
    lambda n: arrays(float, (n, 2), elements=st.sampled_from([*range(8), -np.inf]).map(float))
)


def front_of(values):
    """Numbers of those that none dominates, from the definition."""
    return {
        i
        for i, a in enumerate(values)
        if not any(all(y >= x for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b) for b in values)
    }


@given(points)
@examples(150)
def test_the_sort_peels_off_one_front_after_the_other(values):
    ranks, left, rank = nondominated_sort(values), list(range(len(values))), 0
    while left:
        front = [left[i] for i in sorted(front_of([values[i] for i in left]))]
        assert sorted(np.flatnonzero(ranks == rank).tolist()) == front
        left = [i for i in left if i not in front]
        rank += 1
    assert ranks.max() == rank - 1


def test_crowding_is_the_share_of_the_range_that_the_neighbours_leave():
    values = np.array([[0.0, 10.0], [1.0, 4.0], [3.0, 3.0], [10.0, 0.0]])
    assert crowding(values).tolist() == [np.inf, 3 / 10 + 7 / 10, 9 / 10 + 4 / 10, np.inf]
    assert crowding(values[::-1]).tolist() == crowding(values)[::-1].tolist()
    assert crowding(values[:1]).tolist() == [np.inf] and crowding(values[:2]).tolist() == [np.inf] * 2
    same = crowding(np.ones((5, 2)))
    assert np.isinf(same[[0, -1]]).all() and not same[1:-1].any()  # equals have no room between them
    assert not np.isnan(crowding(np.array([[-np.inf, 1.0], [0.0, 1.0], [1.0, 0.0]]))).any()


def test_sort_and_crowding_agree_with_pymoo():
    pytest.importorskip("pymoo")
    from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    rng = np.random.default_rng(0)
    for size in (2, 7, 40, 150):
        values = rng.permutation(size * 2).reshape(size, 2) / size  # all different: ties are a matter of taste
        ranks = nondominated_sort(values)
        theirs = NonDominatedSorting().do(-values)  # pymoo minimises
        assert [sorted(front.tolist()) for front in theirs] == [
            np.flatnonzero(ranks == rank).tolist() for rank in range(ranks.max() + 1)
        ]
        front = values[ranks == 0]
        ours = crowding(front)
        inner = np.isfinite(ours)
        other = calc_crowding_distance(-front)
        assert (np.isfinite(other) == inner).all()
        np.testing.assert_allclose(other[inner], ours[inner] / 2)  # pymoo takes the mean over the objectives


def test_survival_agrees_with_pymoo():
    pytest.importorskip("pymoo")
    from pymoo.core.population import Population
    from pymoo.core.problem import Problem
    from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

    rng = np.random.default_rng(1)
    search = Nsga2(SPACE, Toy(SPACE), population=15)
    for _ in range(5):
        values = rng.permutation(120).reshape(60, 2).astype(float)
        ours = search._survivors([(i, ()) for i in range(60)], dict(enumerate(values.tolist())))
        pop = Population.new("F", -values, "number", np.arange(60))
        theirs = RankAndCrowding().do(Problem(n_var=1, n_obj=2), pop, n_survive=15)
        assert {number for number, _ in ours} == set(theirs.get("number").tolist())


def test_its_front_on_the_table_is_the_front():
    """The search knows no point beyond the table's front, and finds a third of it and what lies beside the rest.

    A part of a table has few neighbours, so that not every point can be reached. Always the same part, however far the
    table has grown: the first that were trained.
    """
    whole = nasbench201_table()
    first = [arch for arch, _ in islice(Work(Training(whole.space, FULL), 1).all(), 100)]
    told, cost = (whole.column(name)[whole.rows(first)] for name in ("accuracy", "madds"))
    values = zip(first, told, cost, strict=True)
    rows = [(arch, 0, {"accuracy": float(a), "madds": float(m)}, 1.0) for arch, a, m in values]
    table = Table.of(whole.space, rows)
    points = [(scores["accuracy"], -scores["madds"]) for _, _, scores, _ in rows]
    front = {points[i] for i in front_of(points)}
    search = Nsga2(table.known(), TableLookup(table), population=40, batch=40, evaluations=600, seed=0)
    found = {(accuracy(step.evaluation), -step.evaluation.scores["madds"]) for step in search}
    assert found <= set(points) and len(found & front) >= len(front) / 3 > 1
    near = [max(a for a, m in found if m >= cost) for _, cost in front]
    assert np.mean([best - a for a, (best, _) in zip(near, front, strict=True)]) < 0.01


def test_parents_population_and_ranks_are_what_they_say():
    search = Nsga2(SPACE, Toy(SPACE), population=12, batch=9, evaluations=70, seed=5)
    steps = list(search)
    values = [[accuracy(s.evaluation), -s.evaluation.scores["madds"]] for s in steps]
    generations = [12, *range(21, 70, 9), 70]
    for number, step in enumerate(steps):
        alive, rank = step.shows["population"].tolist(), step.shows["rank"]
        assert rank.tolist() == nondominated_sort([values[n] for n in alive]).tolist()
        before = max([0, *(g for g in generations if g <= number)])
        for parent in step.shows["parents"].tolist():
            assert (parent == -1) if number < 12 else parent in steps[before - 1].shows["population"]
        if number + 1 in generations:
            assert len(alive) == 12
            before_it = steps[before - 1].shows["population"].tolist() if before else []
            pool = sorted({*before_it, *range(before, number + 1)})
            ranks = dict(zip(pool, nondominated_sort([values[n] for n in pool]).tolist(), strict=True))
            worst = max(ranks[n] for n in alive)
            assert all(n in alive for n in pool if ranks[n] < worst)  # whole fronts first
        else:
            assert number in alive


def test_crossover_takes_each_choice_from_a_parent():
    class Far(Toy):
        def __call__(self, arch, *, epochs=None, seed=0):
            return Evaluation(arch, {"accuracy": 0.5, "madds": 1.0}, 0.0, 1, seed)

    search = Nsga2(SPACE, Far(SPACE), population=30, batch=30, evaluations=600, crossover=1.0, seed=0)
    steps, inherited, changes, two = list(search), 0, 0, 0
    for step in steps[30:]:
        a, b = (steps[n].evaluation.arch for n in step.shows["parents"])
        new = [c for c, x, y in zip(step.evaluation.arch, a, b, strict=True) if c not in (x, y)]
        changes += len(new)
        inherited += 6 - len(new)
        two += step.shows["parents"][0] != step.shows["parents"][1]
    assert two > 400 and 0.08 < changes / (changes + inherited) < 0.2  # one in six mutates, some into the other's
    alone = list(Nsga2(SPACE, Far(SPACE), population=30, evaluations=300, crossover=0.0, seed=0))[30:]
    assert all(step.shows["parents"][0] == step.shows["parents"][1] for step in alone)


def test_what_it_takes_and_refuses():
    with pytest.raises(ValueError, match="two objectives or more: got 1"):
        next(iter(Nsga2(SPACE, Toy(SPACE), objectives=(accuracy,))))
    nan = Evaluation((0,), {"accuracy": float("nan"), "madds": float("nan")})
    assert accuracy(nan) == Less("madds")(nan) == -np.inf
    with pytest.raises(ValueError, match="no score 'watt' to keep low"):
        Less("watt")(nan)
    three = (accuracy, Less("madds"), lambda evaluation: -sum(evaluation.arch))
    assert len(list(Nsga2(SPACE, Toy(SPACE), objectives=three, population=10, batch=10, evaluations=40))) == 40
