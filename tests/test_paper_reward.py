"""Zoph & Le's reward, the cubed best accuracy of the last epochs: by hand, under a bound, from tables and records."""

import math

import numpy as np
import pytest

from nasviz.estimator import Estimator
from nasviz.estimators import Recipe, Table, TableLookup, Training
from nasviz.objectives import Bounded, CubedBest
from nasviz.run import Run
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation
from nasviz.strategies import Reinforce


def test_cubed_best_of_the_last_epochs():
    scores = {"accuracy": 0.5, "madds": 3.0} | {f"accuracy@{n}": 0.9 if n % 2 else 0.1 for n in range(1, 13)}
    scores |= {"accuracy@10": math.nan, "accuracy@9": 0.4, "accuracy@11": 0.3}
    evaluation = Evaluation((0,), scores)
    assert CubedBest()(evaluation) == pytest.approx(0.4**3) and CubedBest(last=1)(evaluation) == pytest.approx(0.1**3)
    assert CubedBest(last=99)(evaluation) == pytest.approx(0.9**3)
    failed = Evaluation((0,), {f"accuracy@{n}": math.nan for n in range(3)})
    assert CubedBest()(failed) == -math.inf
    with pytest.raises(ValueError, match="curve=True"):
        CubedBest()(Evaluation((0,), {"accuracy": 0.5}))
    with pytest.raises(ValueError, match="CubedBest: last is 0"):
        CubedBest(last=0)


def test_cubed_best_under_a_bound():
    scores = {"accuracy@1": 0.5, "madds": 3.0}
    reward = CubedBest(bound=Bounded("madds", 2.0))
    assert reward(Evaluation((0,), scores)) == -0.5 and not reward.allows(Evaluation((0,), scores))
    assert reward(Evaluation((0,), scores | {"madds": 2.0})) == 0.125
    assert not hasattr(CubedBest(), "allows")


def test_the_paper_reward_from_a_table_and_from_a_training(tmp_path):
    space = NasBench201()
    rng = np.random.default_rng(0)
    archs = sorted({space.sample(rng) for _ in range(40)})
    names = ["accuracy", "test_accuracy", *(f"accuracy@{n}" for n in range(1, 5))]
    scores = [{name: 0.1 + 0.03 * sum(arch) for name in names} | {"madds": 1.0 * sum(arch)} for arch in archs]
    rows = [(arch, 0, one, 1.0) for arch, one in zip(archs, scores, strict=True)]
    table = Table.of(space, rows)
    reward = CubedBest(bound=Bounded("madds", 15.0))
    search = Reinforce(table.known(), TableLookup(table, curve=True), 40, objective=reward)
    run = Run(search, tmp_path / "run.jsonl")
    assert all(step.evaluation.arch in table for step in run)
    feasible = [step for step in run.steps if step.evaluation.scores["madds"] <= 15]
    assert feasible and all(step.shows["reward"] == step.evaluation.scores["accuracy@4"] ** 3 for step in feasible)
    again = Run.load(tmp_path / "run.jsonl", search)
    assert again.steps == run.steps and again.search.objective == reward
    trained = Training(space, Recipe(images=64, epochs=2, batch=32, network={"channels": 2, "stages": 1}), curve=True)
    assert 0 <= CubedBest()(trained((3,) * 6)) < 1


def test_a_record_names_the_paper_reward(tmp_path):
    space = NasBench201()

    class Curved(Estimator):
        def __call__(self, arch, *, epochs=None, seed=0):
            return Evaluation(tuple(arch), {"accuracy": 0.5, "accuracy@1": 0.5, "madds": 1.0}, 0.0, 1, seed)

    for name, objective in {"a": CubedBest(3), "b": CubedBest(bound=Bounded("madds", 0.5))}.items():
        run = Run(Reinforce(space, Curved(), 12, objective=objective), tmp_path / name)
        steps = list(run)
        loaded = Run.load(tmp_path / name)
        assert loaded.search.objective == objective and loaded.steps == steps
