"""What is not finite never wins: in strategies, objectives, fronts, rankings, races, views and leaderboards."""

from concurrent.futures import ThreadPoolExecutor
from math import inf, isfinite, isnan, nan

import numpy as np
import pytest
from test_answers import ARCHS, OWN, Says
from toys import SPACES, Toy

from nasviz import strategies
from nasviz.analysis import stats
from nasviz.analysis.fronts import dominated, front
from nasviz.course.capstone import Challenge, Entry
from nasviz.estimators import Table, TableLookup
from nasviz.objectives import Bounded, CubedBest, Less, Penalised, Score, Weighted, Within, accuracy
from nasviz.races.race import Race
from nasviz.races.standings import Standings
from nasviz.run import Run, best_so_far
from nasviz.step import Evaluation
from nasviz.strategy import worth
from nasviz.views.stage.from_search import Rows

SPACE = SPACES[0]
FAILURES = (nan, inf, -inf)
OBJECTIVES = {
    "accuracy": accuracy,
    "score": Score("accuracy"),
    "less": Less("madds"),
    "bounded": Bounded("madds", 20.0),
    "within": Within("madds", 20.0, of="accuracy"),
    "penalised": Penalised("madds", 20.0),
    "weighted": Weighted("madds", 20.0),
    "hard": Weighted("madds", 20.0, 0.0, -1.0),
    "cubed": CubedBest(2, Bounded("madds", 20.0)),
    "own": lambda said: said.scores["accuracy"] - said.scores["madds"] / 100,
}


def says(arch, accuracy, madds, seed=0):
    scores = {"accuracy": accuracy, "madds": madds, "accuracy@1": accuracy, "accuracy@2": accuracy}
    return Evaluation(arch, scores, 1.0, 2, seed)


class Failing(Toy):
    """The first answer and every third one fail, in one score after the other and in both."""

    def __call__(self, arch, *, epochs=None, seed=0):
        rng = np.random.default_rng((seed, *arch))
        good, cost = 0.5 + 0.4 * sum(arch) / 24, 1.0 + sum(arch)
        if rng.random() < 0.4 or seed == 0:
            bad = FAILURES[seed % 3]
            good, cost = ((bad, cost), (good, bad), (bad, FAILURES[(seed + 1) % 3]))[seed // 3 % 3]
        return says(arch, good, cost, seed)


BLACK_BOX = {
    "RandomSearch": {}, "LocalSearch": {}, "RegularizedEvolution": {"population": 8, "tournament": 3},
    "BatchedEvolution": {"population": 8, "tournament": 3, "batch": 4},
    "RankedReinforce": {"batch": 5, "hidden": 8}, "Reinforce": {"batch": 5, "hidden": 8},
    "Spos": {"population": 8, "top": 4},
    "SuccessiveHalving": {"epochs": 4, "architectures": 6}, "Hyperband": {"epochs": 4}, "Bohb": {"epochs": 4},
    "Bananas": {"batch": 10, "initial": 10, "members": 2, "epochs": 5}, "GaussianProcess": {"batch": 10, "initial": 10},
}  # fmt: skip


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("name", BLACK_BOX)
def test_the_best_of_every_strategy_is_finite(name, objective, tmp_path):
    search = getattr(strategies, name)(
        SPACE, Failing(SPACE), evaluations=30, objective=OBJECTIVES[objective], **BLACK_BOX[name]
    )
    run = Run(search, tmp_path / "run.jsonl")
    values = [worth(search.objective, step.evaluation) for step in run]
    assert isfinite(max(values)) and worth(search.objective, run.best) == max(values)
    assert run.failed == values.count(-inf) > 0
    assert f"{run.failed} failed" in repr(run) and f"{run.failed} failed" in Rows(search).words(run)
    again = Run(search, tmp_path / "run.jsonl").recall()
    assert again.steps == run.steps and again.best == run.best and again.failed == run.failed
    _, best = best_so_far(run)
    assert not np.isinf(best).any()


def test_every_strategy_that_asks_an_estimator_is_walked_over():
    asking = {name for name in strategies.__all__ if "estimate" in getattr(strategies, name).__dataclass_fields__}
    assert asking == {*BLACK_BOX, "Nsga2"}


def test_a_failure_is_on_no_front_of_nsga2():
    search = strategies.Nsga2(SPACE, Failing(SPACE), population=8, batch=8, evaluations=40)
    steps, evaluations = list(search), []
    for step in steps:
        evaluations.append(step.evaluation)
        good = [all(isfinite(worth(o, evaluations[n])) for o in search.objectives) for n in step.shows["population"]]
        assert not any(good) or all(ok for ok, rank in zip(good, step.shows["rank"], strict=True) if rank == 0)
    assert all(good)  # those that failed have died


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("bad", FAILURES)
def test_an_objective_of_failures_is_minus_infinity(objective, bad):
    objective = OBJECTIVES[objective]
    good = worth(objective, says((0,), 0.5, 10.0))
    assert isfinite(good)
    assert worth(objective, says((0,), bad, bad)) == -inf
    for said in (says((0,), bad, 10.0), says((0,), 0.5, bad)):
        value = worth(objective, said)
        assert value == -inf or value == good  # it does not ask for the score that failed


@pytest.mark.parametrize("value", [nan, inf, -inf, np.float32(nan), np.array(inf)])
def test_what_a_function_of_ones_own_returns_is_made_finite(value):
    assert worth(lambda said: value, says((0,), 0.5, 1.0)) == -inf
    assert type(worth(lambda said: np.float32(0.5), says((0,), 0.5, 1.0))) is float
    with pytest.raises(ValueError, match="what the objective returns is None"):
        worth(lambda said: None, says((0,), 0.5, 1.0))


def test_a_failure_costs_nothing_and_wins_nothing():
    assert (
        worth(Weighted("madds", 10.0), says((0,), 0.5, 0.0))
        == worth(Weighted("madds", 10.0), says((0,), 0.5, -1.0))
        == -inf
    )
    assert not Bounded("madds", 10.0).allows(says((0,), 0.5, -inf))
    run = Run(strategies.RandomSearch(SPACE, Says(SPACE, lambda arch, seed: says(arch, nan, 1.0)), evaluations=3))
    assert len(list(run)) == run.failed == 3 and run.best is None and Rows(run.search).words(run) == "3 failed"


def test_fronts_leave_failures_out_and_count_them():
    costs, values = [nan, 1, 2, -inf, 3, 2, 0], [99, 5, nan, 99, 7, inf, -inf]
    assert front(costs, values) == [1, 4]
    assert dominated(costs, values, (4, 0)) == dominated([1, 3], [5, 7], (4, 0)) == 17
    assert front([nan], [1]) == [] and front([], []) == []


def test_rankings_put_failures_last():
    assert stats.ranks([nan, 2, inf, -inf, 1]).tolist() == [2, 5, 2, 2, 4]
    assert stats.regret([inf, 2, 1], [0.1, 0.7, 0.9]) == pytest.approx(0.2)
    assert stats.regret([3, 2, 1], [0.5, inf, 0.9]) == pytest.approx(0.4)
    assert stats.precision([inf, 3, 2, 1], [0.1, 0.9, 0.5, 0.2], 0.25) == 1
    assert np.isfinite(stats.seed_noise([[1, 2], [inf, 3], [4, 5]]))
    assert np.isfinite(stats.seed_ceiling([[1, 2], [inf, 3], [4, 5], [2, 4]]))


def table(spoilt):
    """Nine rows with two seeds; the trainings of ``spoilt`` failed in one way or another."""
    rows = []
    for arch in ARCHS:
        for seed in range(2):
            good = 0.1 * sum(arch) if arch not in spoilt else FAILURES[(sum(arch) + seed) % 3]
            rows.append((arch, seed, {"accuracy": good, "test_accuracy": good, "madds": 1.0 + sum(arch)}, 1.0))
    return Table.of(OWN, rows)


def test_a_race_counts_failures_and_shows_them(tmp_path):
    look = TableLookup(table({(0, 0), (0, 1), (2, 2)}))
    path = tmp_path / "race.jsonl"
    race = Race(
        [strategies.RandomSearch(OWN, look, evaluations=9)], 9, seeds=3, path=path, executor=ThreadPoolExecutor(1)
    )
    told = race.standings()
    assert told.best(0) == pytest.approx(0.3) and told.failed()["RandomSearch"] > 0
    assert all(0 <= truth <= 0.3 + 1e-9 for track in told.tracks for truth in track.truths["test"])
    words = f"RandomSearch: {told.failed()['RandomSearch']} failed"
    assert words in str(told) and words in str(Standings.load(path))


def test_an_answer_that_failed_is_the_worst_of_a_leaderboard():
    spoilt = (2, 2)
    challenge = Challenge(table({spoilt}), limit=9.0, rounds=2, low=1, high=2)
    good, bad, none = (
        challenge.score(Entry("x", (text,) * 2, challenge.table.digest, challenge.name))
        for text in (OWN.to_text((1, 2)), OWN.to_text(spoilt), "")
    )
    assert good == pytest.approx(0) and bad == none == pytest.approx(30)
    assert not isnan(bad)


def test_a_chart_of_two_objectives_says_what_failed():
    from nasviz.views import Pareto

    chart = Pareto(SPACE, "madds", "MAdds")
    for accuracy_, madds in ((0.5, 1.0), (nan, 1.0), (0.9, nan), (inf, 0.5), (0.6, 2.0)):
        chart.append(says((1,) * 6, accuracy_, madds))
    assert chart.failed == 3 and len(chart.front) == 2
    assert "3 failed" in chart.said.value and "3 failed" in chart.text
