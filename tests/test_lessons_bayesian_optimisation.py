"""What lab 05 computes, by hand on small cases."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from toys import SPACES, Toy

from nasviz.estimators import nasbench201_table
from nasviz.lessons import bayesian_optimisation as lesson
from nasviz.objectives import Bounded
from nasviz.races.standings import Standings, Track
from nasviz.step import Evaluation, Step
from nasviz.strategies import RandomSearch

SPACE = SPACES[0]
LIMIT = lesson.LIMIT


@pytest.fixture(scope="module")
def table():
    return nasbench201_table()


@pytest.fixture(scope="module")
def cells(table):
    return [arch for arch, cost in zip(table.archs, table.column("madds"), strict=True) if cost <= LIMIT]


class Script:
    """A search that says what it was told to say: (architecture, epochs) in turn."""

    space, asked = SPACE, ()

    def __iter__(self):
        for arch, epochs in self.asked:
            yield Step(Evaluation(arch, {"accuracy": 0.5}, 1.0, epochs, 0), trained=epochs)


class RememberingScript(lesson.Remembering, Script):
    pass


def test_a_repeat_is_free_and_a_longer_training_costs_the_rest(monkeypatch):
    rng = np.random.default_rng(0)
    one, other = SPACE.sample(rng), SPACE.sample(rng)
    assert SPACE.canonical(one) != SPACE.canonical(other)
    search = RememberingScript()
    search.asked = [(one, 2), (other, 2), (one, 2), (one, 8), (other, 1), (one, 4), (other, 4)]
    assert [step.shows["trained"] for step in search] == [2, 2, 0, 6, 0, 0, 2]
    monkeypatch.setattr(lesson, "IDLE", 3)
    search.asked = [(one, 2)] * 9
    assert [step.shows["trained"] for step in search] == [2, 0, 0, 0]  # nothing new comes


def test_a_search_that_remembers_is_the_search_itself():
    own = lesson.RememberingEvolution(SPACE, Toy(SPACE), population=5, tournament=2, evaluations=40, seed=1)
    steps = list(own)
    assert len(steps) == 40
    keys = [SPACE.canonical(step.evaluation.arch) for step in steps]
    first = [key not in keys[:i] for i, key in enumerate(keys)]
    assert [step.shows["trained"] > 0 for step in steps] == first
    assert [step.evaluation.arch for step in lesson.RegularizedEvolution(**vars(own))] == [
        step.evaluation.arch for step in steps
    ]


def test_inside_is_what_keeps_the_bound(table, cells):
    space = table.known(Bounded("madds", LIMIT))
    rng = np.random.default_rng(0)
    assert all(table.archs[table.row(space.sample(rng))] in set(cells) for _ in range(20))
    assert "at most 125,000" in space.rule((3,) * 6)


def test_the_searches_of_the_race_share_what_they_must(table):
    both = lesson.lookups(table, LIMIT, 150) | lesson.learners(table, LIMIT, 150)
    for name, search in both.items():
        assert search.objective.limit == LIMIT and search.space.within.limit == LIMIT
        assert not name.endswith(lesson.PAID) or name.removesuffix(lesson.PAID) in both
        assert not name.endswith(lesson.PAID) or not isinstance(search, lesson.Remembering)
    assert both["RandomSearch" + lesson.PAID].replacement and not both["RandomSearch"].replacement


def standings(**regrets):
    """Of a race whose best has 1: one evaluation of each search and seed, by the regrets given."""
    head = {"unit": "evaluations", "budget": 1, "best": {"test": [1.0]}, "worst": {"test": [0.0]}, "references": {}}
    tracks = [
        Track(name, seed, np.array([[1.0, 1.0]]), [(0,)], {"test": [1 - r], "validation": [1 - r]}, (1.0, 1.0), 1, True)
        for name, numbers in regrets.items()
        for seed, r in enumerate(numbers)
    ]
    return Standings(head, tracks)


def test_the_two_rules_of_a_race():
    told = standings(**{"A": [0.1, 0.3] * 4, "A" + lesson.PAID: [0.4] * 8, "B": [0.1] * 8})
    free, paid = lesson.one_rule(told).final(), lesson.one_rule(told, paid=True).final()
    assert list(free["A"].values()) == pytest.approx([0.1, 0.3] * 4)
    assert list(paid["A"].values()) == pytest.approx([0.4] * 8)
    assert set(free) == set(paid) == {"A", "B"} and free["B"] == paid["B"]
    lines = lesson.both_rules(told)
    assert [line[0] for line in lines] == ["B", "A"]
    assert lines[0][1:] == ["10.00 (10.00 to 10.00)", "never repeats"] and lines[1][2] == "40.00 (40.00 to 40.00)"
    found = lesson.difference(told, "A" + lesson.PAID, "A")
    assert found.value == pytest.approx(20) and 10 - 1e-9 <= found.low < found.high <= 30 + 1e-9
    assert lesson.verdict(told, "A" + lesson.PAID, "A").startswith("A, repeats paid has a larger regret than A: +20.00")
    assert lesson.verdict(told, "B", "A" + lesson.PAID).startswith("B has a smaller regret")
    assert "A: the seeds are too few to tell it from B" in lesson.verdict(
        standings(A=[0.1, 0.3] * 4, B=[0.3, 0.1] * 4), "A", "B"
    )
    assert lesson.words("RandomSearch" + lesson.PAID) == "random search, repeats paid"


def test_different_functions_are_counted():
    search = RandomSearch(SPACE, Toy(SPACE), evaluations=60)
    counts = lesson.distinct(search, seeds=3)
    assert (counts <= 60).all() and len(set(counts.tolist())) > 1
    assert (lesson.distinct(replace(search, evaluations=5, replacement=False), seeds=3) == 5).all()


def test_stopping_by_hand():
    curves = np.array([[0.1, 0.9], [0.4, 0.8], [0.3, 0.5], [0.2, 0.1]])
    assert lesson.stopped(curves, 1, top=0.25) == 1.0  # the best was last after the first epoch
    assert lesson.stopped(curves, 1, top=0.5) == 0.5 and lesson.stopped(curves, 2, top=0.5) == 0.0
    assert lesson.stopped(curves, 1, keep=1.0) == 0.0
    assert lesson.stopped(curves, 1, final=np.array([0, 1, 0, 0]), top=0.25) == 0.0


def test_learning_curves_are_those_of_the_table(table, cells):
    curves = lesson.learning_curves(table, cells[:5], seed=1)
    answer = lesson.TableLookup(table, seed=1)(cells[3], epochs=4)
    assert curves.shape == (5, table.epochs) and curves[3, 3] == answer.scores["accuracy"]


def test_the_picture_ends_each_curve_where_it_was_stopped(table, cells):
    steps = [SimpleNamespace(evaluation=Evaluation(arch, {}, 1.0, 2, 0)) for arch in cells[:4]]
    steps += [SimpleNamespace(evaluation=Evaluation(arch, {}, 1.0, 4, 0)) for arch in cells[:2]]
    view = lesson.halving_picture(steps, table).spec["views"][0]
    curves = lesson.learning_curves(table, cells[:2])
    assert sorted(len(other["x"]) for other in view["others"]) == [2, 2, 4]
    other = next(other for other in view["others"] if len(other["x"]) == 4)
    assert other["y"] == pytest.approx(curves[curves[:, 3].argmin(), :4].tolist())


def test_luck_by_hand():
    told, true = np.array([0.5, 0.9, 0.7]), np.array([0.6, 0.6, 0.6])
    small = SimpleNamespace(
        column=lambda name, seed: told, truth=lambda seed, name: true, rows=lambda archs: np.array(archs)
    )
    np.testing.assert_allclose(lesson.truth_of_first(small, [0, 1, 2]), 0.7)
    assert lesson.luck(small, [0, 1, 2], count=3, draws=4) == pytest.approx(20)
    assert lesson.luck(small, [0, 1, 2], count=1, draws=600) == pytest.approx(0, abs=2)


def test_a_model_that_knows_the_truth_ranks_all(table, cells):
    class Oracle:
        def fit(self, seen):
            return self

        def predict(self, archs):
            return table.truth(0)[table.rows(archs)], np.full(len(archs), 9.0)

    known = lesson.knowledge({"oracle": Oracle}, table, cells, counts=(10,), draws=2)
    taus, held = known["oracle", 10]
    assert taus == pytest.approx([1, 1], abs=0.01) and held == [1, 1]


def test_a_duel_is_paired_and_depends_on_the_settings():
    found = lesson.duel(epochs=80, seeds=3, architectures=8, least=2, eta=2)
    assert found.shape == (3,) and np.isfinite(found).all()
    same = lesson.duel(epochs=80, seeds=3, architectures=8, least=2, eta=2)
    other = lesson.duel(epochs=80, seeds=3, architectures=1, least=8, eta=2)
    assert found.tolist() == same.tolist() != other.tolist()
