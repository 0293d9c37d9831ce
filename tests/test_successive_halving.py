"""Successive halving and Hyperband, against the papers' tables and by hand."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from toys import SPACES, Toy

from nasviz.objectives import Bounded, accuracy
from nasviz.run import Run
from nasviz.step import Evaluation
from nasviz.strategies import Hyperband, SuccessiveHalving
from nasviz.strategies.successive_halving import rungs

SPACE = SPACES[0]


class Curve(Toy):
    """A training's accuracy rises with its epochs, and cost one second each."""

    def __call__(self, arch, *, epochs=None, seed=0):
        said = super().__call__(arch, epochs=epochs, seed=seed)
        scores = said.scores | {"accuracy": said.scores["accuracy"] * said.epochs / 12}
        return replace(said, scores=scores, seconds=float(said.epochs))


def of(cls, **more):
    return cls(SPACE, Curve(SPACE), **more)


def test_the_brackets_of_the_paper():
    """Li et al. 2018, table 1: R = 81, η = 3."""
    table = [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ]
    assert of(Hyperband, eta=3, epochs=81).brackets() == table
    assert of(SuccessiveHalving).brackets() == [[(8, 1), (4, 2), (2, 4), (1, 8)]]
    assert rungs(1, 1, 12, 3) == [(1, 1), (1, 3), (1, 9)]  # one goes on, whatever is left out


@pytest.mark.parametrize("continued", [False, True])
@pytest.mark.parametrize("cls", [SuccessiveHalving, Hyperband])
def test_exactly_the_best_of_a_rung_go_on(cls, continued):
    search = of(cls, evaluations=150, continued=continued, objective=Bounded("madds", 30.0))
    asked = defaultdict(list)
    for step in search:
        asked[step.shows["bracket"], step.shows["rung"]].append(step)
    assert max(bracket for bracket, _ in asked) > 4
    for (bracket, rung), steps in list(asked.items())[:-1]:  # the last may be cut by the budget
        plan = search.brackets()[bracket % len(search.brackets())]
        assert len(steps) == plan[rung][0] and {s.evaluation.epochs for s in steps} == {plan[rung][1]}
        if rung:
            before = asked[bracket, rung - 1]
            values = [search.objective(s.evaluation) for s in before]
            kept = sorted(sorted(range(len(before)), key=lambda i: -values[i])[: len(steps)])
            assert [s.evaluation.arch for s in steps] == [before[i].evaluation.arch for i in kept]


def test_going_on_costs_the_further_epochs_of_the_same_training():
    new, same = list(of(SuccessiveHalving, evaluations=30)), list(of(SuccessiveHalving, evaluations=30, continued=True))
    assert [s.evaluation.seed for s in new] == list(range(30))  # each a training of its own
    assert [s.shows["trained"] for s in new[:15]] == [1] * 8 + [2] * 4 + [4] * 2 + [8]
    assert [s.shows["trained"] for s in same[:15]] == [1] * 8 + [1] * 4 + [2] * 2 + [4]
    assert all(s.evaluation.seconds == s.shows["trained"] for s in (*new, *same))
    assert sum(s.evaluation.seconds for s in new) == 2 * 32 and sum(s.evaluation.seconds for s in same) == 2 * 20
    first = {(s.evaluation.arch, s.evaluation.seed) for s in same[:8]}
    assert {(s.evaluation.arch, s.evaluation.seed) for s in same[8:15]} <= first


def test_a_failed_training_does_not_go_on():
    class Fails(Toy):
        def __call__(self, arch, *, epochs=None, seed=0):
            return Evaluation(arch, {"accuracy": np.nan if seed < 6 else 0.1 * seed}, 1.0, epochs, seed)

    steps = list(SuccessiveHalving(SPACE, Fails(SPACE), evaluations=10, continued=True))
    assert [s.evaluation.seed for s in steps[8:10]] == [0, 1] or {6, 7} <= {s.evaluation.seed for s in steps[8:12]}
    steps = list(SuccessiveHalving(SPACE, Fails(SPACE), evaluations=15, continued=True))
    assert [s.evaluation.seed for s in steps[12:14]] == [6, 7] and steps[14].evaluation.seed == 7


@pytest.mark.parametrize("continued", [False, True])
def test_a_record_goes_on_where_it_was(tmp_path, continued):
    search = of(Hyperband, evaluations=60, continued=continued, seed=2)
    whole = list(Run(search))
    for stop in (3, 9, 33):
        run = Run(search, tmp_path / "run.jsonl")
        for _, step in zip(range(stop), run, strict=False):
            assert step
        with open(run.path, "ab") as file:
            file.write(b'{"evalu')
    assert list(Run(search, tmp_path / "run.jsonl")) == whole
    assert max(whole, key=lambda s: accuracy(s.evaluation)).evaluation == Run.load(run.path, search).best


@pytest.mark.parametrize("more", [{"eta": 1}, {"least": 0}, {"least": 9}, {"architectures": 0}])
def test_numbers_out_of_range_are_refused(more):
    with pytest.raises(ValueError, match="needs eta from 2|SuccessiveHalving: "):
        next(iter(of(SuccessiveHalving, **more)))
