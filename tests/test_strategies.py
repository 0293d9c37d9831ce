"""What holds for every strategy on every space, and what each paper says of its own."""

from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
from toys import SPACES, Toy

from nasviz.objectives import Bounded, accuracy
from nasviz.spaces import TransformerSpace
from nasviz.step import SHOWS, Evaluation, Step
from nasviz.strategies import (
    Bananas,
    BatchedEvolution,
    Bohb,
    GaussianProcess,
    Hyperband,
    Nsga2,
    RandomSearch,
    RegularizedEvolution,
    Reinforce,
    Spos,
    SuccessiveHalving,
)

BLACK_BOX = [Bananas, GaussianProcess, Nsga2, RandomSearch, Reinforce, RegularizedEvolution, SuccessiveHalving]
BLACK_BOX += [BatchedEvolution, Bohb, Hyperband, Spos]
QUICK = {Bananas: {"batch": 35, "epochs": 10}, GaussianProcess: {"batch": 35}}  # two fits of the model a search
SEARCHED = [*SPACES, TransformerSpace(blocks=2)]
suite = [pytest.param(cls, space, id=f"{cls.__name__}-{space.name}") for cls in BLACK_BOX for space in SEARCHED]


@pytest.mark.parametrize(("cls", "space"), suite)
def test_every_strategy_on_every_space(cls, space):
    quick = QUICK.get(cls, {})
    search = cls(space, Toy(space), evaluations=80, seed=3, **quick)
    steps = list(search)
    assert len(steps) == len(search) == 80
    assert all(space.why_invalid(step.evaluation.arch) is None for step in steps)
    assert set(cls.shows) <= {"evaluation", *SHOWS}
    assert all({"evaluation", *step.shows} == set(cls.shows) for step in steps)
    assert [step.evaluation.seed for step in steps] == list(range(80))  # the call number is the seed
    np.random.seed(0)  # noise from outside changes nothing
    assert steps == list(search) == list(cls(space, Toy(space), evaluations=80, seed=3, **quick))
    assert steps != list(cls(space, Toy(space), evaluations=80, seed=4, **quick))
    assert "seed" in {f.name for f in fields(cls)}


def test_aging_kills_exactly_the_oldest():
    steps = list(RegularizedEvolution(SPACES[0], Toy(SPACES[0]), population=10, tournament=3, evaluations=50))
    for number, step in enumerate(steps):
        assert step.shows["population"].tolist() == list(range(max(0, number - 9), number + 1))


def test_without_aging_the_worst_dies():
    search = RegularizedEvolution(SPACES[0], Toy(SPACES[0]), 10, 3, evaluations=60, aging=False)
    fitness, alive = [], set()
    for number, step in enumerate(search):
        fitness.append(accuracy(step.evaluation))
        alive.add(number)
        if len(alive) > 10:
            alive.remove(min(alive, key=lambda n: (fitness[n], n)))
        assert set(step.shows["population"].tolist()) == alive


def test_a_child_is_one_mutation_from_a_living_parent():
    steps = list(RegularizedEvolution(SPACES[0], Toy(SPACES[0]), 10, 3, evaluations=60))
    assert all(step.shows["parent"] == -1 for step in steps[:10])
    for number in range(10, 60):
        parent = steps[number].shows["parent"]
        assert parent in steps[number - 1].shows["population"]
        assert steps[number].evaluation.arch in set(SPACES[0].neighbors(steps[parent].evaluation.arch))


def test_tournament_probabilities_with_replacement():
    """P(the rank-r of P individuals wins S draws with replacement) = ((P−r)^S − (P−r−1)^S) / P^S, r from 0."""

    class Still(Toy):  # the child never enters: the population stays, so that draws repeat
        def __call__(self, arch, *, epochs=None, seed=0):
            return Evaluation(arch, {"accuracy": 1 - seed / 10 if seed < 5 else -1.0})

    search = RegularizedEvolution(SPACES[0], Still(SPACES[0]), 5, tournament=3, evaluations=8005, aging=False)
    wins = Counter(step.shows["parent"] for step in list(search)[5:])
    for rank in range(5):
        expected = 8000 * ((5 - rank) ** 3 - (4 - rank) ** 3) / 5**3
        assert abs(wins[rank] - expected) < 5 * expected**0.5


def test_random_search_without_replacement_sees_every_function_once():
    space = SPACES[0]
    archs = [s.evaluation.arch for s in RandomSearch(space, Toy(space), evaluations=400, replacement=False)]
    assert len({space.canonical(arch) for arch in archs}) == 400
    few = SPACES[1]
    steps = list(RandomSearch(few, Toy(few), evaluations=400, replacement=False))
    count = len({few.normal(arch) for arch in np.ndindex(3, 3, 3, 3, 3) if few.why_invalid(few.normal(arch)) is None})
    assert len(steps) == count < 400


def test_failures_lose_every_comparison():
    nan, low = (Evaluation((0,), {"accuracy": value, "madds": 1.0}) for value in (float("nan"), 0.1))
    assert max([nan, low], key=accuracy) is low
    assert Bounded("madds", 2.0)(nan) == -np.inf


def test_bounded_ranks_feasible_first_then_by_excess():
    numbers = [(0.2, 10.0), (0.9, 11.0), (0.9, 20.0)]
    good, bad, worse = (Evaluation((0,), {"accuracy": a, "madds": m}) for a, m in numbers)
    bound = Bounded("madds", 10.0)
    assert bound(good) == 0.2 and bound(good) > bound(bad) > bound(worse) == -1.0
    assert bound.allows(good) and not bound.allows(bad)
    with pytest.raises(ValueError, match="no score 'latency_ms'"):
        Bounded("latency_ms", 1.0)(good)
    with pytest.raises(ValueError, match="Bounded: limit is nan"):
        Bounded("madds", float("nan"))


def test_a_step_shows_only_what_is_known():
    with pytest.raises(ValueError, match=r"cannot show \['alpha'\]"):
        Step(alpha=1)
    assert Step(loss=float("nan")) == Step(loss=float("nan")) != Step(loss=1.0)
    a, b = (Evaluation((1,), {"accuracy": float("nan")}, seconds=s) for s in (1, 2))
    assert a == b and Step(a) != Step()
