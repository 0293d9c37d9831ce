"""Cheaper recipes and what they cost; where learning curves end, and when to stop one."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz import datasets
from nasviz.estimator import Estimator
from nasviz.estimators import FULL, Recipe, Table, TableLookup, Training, proxy_cost, proxy_recipe
from nasviz.estimators.curve import FAMILIES, Extrapolated, above_median, forecast, may_win, survivors
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation

SPACE = NasBench201()
ARCH = (3, 1, 2, 4, 0, 3)
# Validation accuracies after each of eight epochs: trainings of random cells by the full recipe
CURVES = np.array(
    [
        [0.6455, 0.7210, 0.7485, 0.7420, 0.7825, 0.7855, 0.7940, 0.7955],
        [0.5085, 0.6670, 0.6870, 0.7280, 0.7485, 0.7615, 0.7745, 0.7850],
        [0.5875, 0.7295, 0.7685, 0.7945, 0.7975, 0.8170, 0.8170, 0.8180],
        [0.6655, 0.7240, 0.7000, 0.7715, 0.8120, 0.8190, 0.8245, 0.8225],
        [0.5070, 0.7140, 0.7435, 0.7765, 0.7970, 0.7950, 0.8135, 0.8150],
        [0.4875, 0.7375, 0.7375, 0.7835, 0.8110, 0.8045, 0.8220, 0.8180],
        [0.6415, 0.6680, 0.7260, 0.7685, 0.8045, 0.8025, 0.8165, 0.8210],
        [0.6240, 0.7315, 0.7165, 0.7785, 0.7870, 0.7965, 0.8050, 0.8130],
        [0.5190, 0.6630, 0.7315, 0.7235, 0.7545, 0.7680, 0.7780, 0.7740],
        [0.6060, 0.7105, 0.7160, 0.7465, 0.7690, 0.7745, 0.7930, 0.7880],
        [0.7120, 0.7265, 0.7290, 0.8015, 0.8050, 0.8110, 0.8220, 0.8230],
        [0.4880, 0.7000, 0.7480, 0.7020, 0.7770, 0.7860, 0.7960, 0.8005],
    ]
)
WORST, BEST = CURVES[8], CURVES[10]


# ---------------------------------------------------------------------------------------------------------------- proxy
def test_each_knob_reduces_what_it_says():
    wide = replace(FULL, size=16, network={"channels": 16, "cells": 2, "stages": 2})
    less = proxy_recipe(wide, epochs=4, images=1000, size=8, channels=4, cells=1)
    assert (less.epochs, less.images, less.size, less.batch, less.lr) == (4, 1000, 8, FULL.batch, FULL.lr)
    assert dict(less.network) == {"channels": 4, "cells": 1, "stages": 2}
    assert proxy_recipe() == FULL and proxy_recipe(wide) == wide


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"epochs": 9}, {"images": 4001}, {"images": 10.0}, {"size": 16}, {"channels": 9}, {"cells": 0}],
)
def test_a_proxy_is_smaller(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        proxy_recipe(replace(FULL, network={"channels": 8}), **wrong)


def test_what_a_proxy_costs():
    archs = [ARCH, (3,) * 6, (1,) * 6]
    assert proxy_cost(SPACE, FULL, archs) == 1
    assert proxy_cost(SPACE, proxy_recipe(epochs=2), archs) == pytest.approx(1 / 4)
    assert proxy_cost(SPACE, proxy_recipe(images=1000, epochs=4), archs) == pytest.approx(1 / 8)
    large = replace(FULL, size=16)
    # the classifier's multiplications do not shrink with the image, hence not exactly a quarter
    assert proxy_cost(SPACE, proxy_recipe(large, size=8), archs, large) == pytest.approx(1 / 4, rel=0.01)
    assert 1 / 4 < proxy_cost(SPACE, proxy_recipe(channels=4), archs) < 1 / 2  # convolutions a quarter, the stem half
    with pytest.raises(ValueError, match="none"):
        proxy_cost(SPACE, FULL, [])


def test_a_proxy_trains_and_any_resolution_is_there():
    data = datasets.load("fashion16")
    recipe = proxy_recipe(replace(FULL, size=16), size=4, images=256, epochs=2, channels=4)
    evaluation = Training(SPACE, recipe, data)(ARCH)
    assert evaluation.epochs == 2 and 0 <= evaluation.scores["accuracy"] <= 1


def test_a_short_schedule_is_not_a_long_one_stopped():
    recipe = Recipe(images=256, epochs=4, network={"channels": 4})
    stopped = Training(SPACE, recipe)(ARCH, epochs=2)
    short = Training(SPACE, proxy_recipe(recipe, epochs=2))(ARCH)
    assert stopped.epochs == short.epochs and stopped.scores["loss"] != short.scores["loss"]


# ------------------------------------------------------------------------------------------------------------- forecast
@pytest.mark.parametrize("family", FAMILIES)
def test_a_curve_of_a_family_is_continued(family):
    """Noise-free curves of each family, continued by that family, end where they end."""
    x, rng = np.arange(1, 21.0), np.random.default_rng(0)
    for shape in FAMILIES[family][:: max(1, len(FAMILIES[family]) // 4)]:
        fall = (shape(x) - shape(20.0)) / (shape(1.0) - shape(20.0))
        low, end = sorted(rng.uniform(0.2, 0.95, 2))
        curve = end - (end - low) * fall
        said = forecast(curve[:12], 20, {family: FAMILIES[family]})
        assert abs(said.mean - end) < max(0.01, 2 * said.deviation)
        assert said.deviation < 0.06


def test_more_epochs_make_it_surer():
    deviations = [forecast(BEST[:seen], 8).deviation for seen in (2, 4, 6, 7)]
    assert deviations == sorted(deviations, reverse=True)
    errors = [np.mean([abs(forecast(c[:seen], 8).mean - c[-1]) for c in CURVES]) for seen in (3, 7)]
    assert errors[1] < errors[0]


def test_real_curves_have_the_right_level():
    """Nearer to the end than the last accuracy is, and as sure as it says."""
    ends = [forecast(curve[:4], 8) for curve in CURVES]
    errors = np.array([end.mean for end in ends]) - CURVES[:, -1]
    assert abs(errors.mean()) < 0.02 < (CURVES[:, -1] - CURVES[:, 3]).mean()
    assert (np.abs(errors) < 2 * np.array([end.deviation for end in ends])).mean() > 0.8


@examples(60)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=7), st.integers(8, 30))
def test_whatever_the_curve_it_is_a_probability(curve, epochs):
    said = forecast(curve, epochs)
    assert said.probability.min() >= 0 and said.probability.sum() == pytest.approx(1)
    assert 0 <= said.mean <= 1 and 0 <= said.deviation <= 0.5
    above = [said.above(a) for a in np.linspace(0, 1, 23)]
    assert all(0 <= b <= a + 1e-12 <= 1 + 2e-12 for a, b in zip(above, above[1:], strict=False))


def test_above_is_the_upper_part_of_the_probability():
    said = forecast(BEST[:5], 8)
    assert said.above(-0.1) == 1 and said.above(1.1) == pytest.approx(0)
    assert said.above(float(said.ends[160])) == pytest.approx(said.probability[161:].sum() + said.probability[160] / 2)


@pytest.mark.parametrize("curve", [[], [0.5], [0.1] * 8, [0.5, math.nan], [0.5, 1.2], [[0.1, 0.2]]])
def test_what_cannot_be_continued(curve):
    with pytest.raises(ValueError, match="curve|accuracies"):
        forecast(curve, 8)


# ------------------------------------------------------------------------------------------------------- stopping early
def test_a_hopeless_training_is_stopped_and_a_good_one_is_not():
    assert not may_win(WORST[:6], best=0.83, epochs=8)
    assert may_win(BEST[:6], best=0.82, epochs=8)
    assert may_win(WORST[:6], best=0.75, epochs=8)
    assert may_win(WORST[:6], best=0.83, epochs=8, threshold=0)
    assert may_win([0.1], best=0.9, epochs=8) and not may_win([0.5, math.nan], best=0.1, epochs=8)


def test_stopping_keeps_the_best_and_saves_epochs():
    best, spent = 0.0, 0
    for curve in CURVES:
        stop = next((seen for seen in range(2, 8) if not may_win(curve[:seen], best, 8)), 8)
        spent += stop
        best = max(best, curve[-1]) if stop == 8 else best
    assert best == CURVES[:, -1].max()
    assert spent < 0.95 * CURVES.size


def test_the_median_rule_by_hand():
    others = [[0.2, 0.4, 0.6], [0.4, 0.6, 0.8], [0.1, 0.3], [0.6, 0.8, 1.0]]  # means up to epoch 3: 0.4, 0.6, 0.8
    assert above_median([0.1, 0.6, 0.5], others)
    assert not above_median([0.1, 0.59, 0.5], others)
    assert above_median([0.01], []) and above_median([0.0] * 4, others)  # nobody to compare with
    assert not above_median([math.nan], []) and above_median([0.1], [[math.nan]])


def test_a_rung_of_successive_halving():
    curves = [curve[:4] for curve in CURVES]
    assert survivors(curves, 3) == sorted(np.argsort([-curve[-1] for curve in curves])[:3])
    level = survivors(curves, 3, score=lambda curve: forecast(curve, 8).mean)
    assert len(level) == 3 and level != survivors(curves, 3)
    assert survivors([[0.5], [math.nan], [0.5], [0.4]], 1) == [0]
    assert survivors([[0.5], [math.nan], [0.5]], 2) == [0, 2]
    assert survivors([[0.5], [math.nan]], 5) == [0, 1]
    with pytest.raises(ValueError, match="at least 1"):
        survivors(curves, 0)
    with pytest.raises(ValueError, match="equal length"):
        survivors([[0.1], [0.1, 0.2]], 1)


# ------------------------------------------------------------------------------------------------------------ estimator
@dataclass(frozen=True)
class Recorded(Estimator):
    """Answers from `CURVES`: a table in small."""

    space: NasBench201 = SPACE
    curve: bool = True
    failed: int = 9  # the epoch from which a training has no more accuracies

    def __call__(self, arch, *, epochs=None, seed=0):
        values = CURVES[sum(arch) % len(CURVES)][: epochs or 8].tolist()
        values = [value if i < self.failed else math.nan for i, value in enumerate(values)]
        scores = {f"accuracy@{i + 1}": value for i, value in enumerate(values) if self.curve}
        return Evaluation(arch, {"accuracy": values[-1], "loss": 1.0, "madds": 5.0} | scores, 0.25, epochs, seed)


def test_extrapolated_predicts_and_does_not_pose_as_accuracy():
    estimate = Extrapolated(Recorded(), after=4, to=8)
    answer = estimate(ARCH, seed=3)
    end = forecast(CURVES[sum(ARCH) % len(CURVES)][:4], 8)
    assert answer.scores["predicted"] == end.mean and answer.scores["uncertainty"] == end.deviation
    assert "accuracy" not in answer.scores and "loss" not in answer.scores and answer.scores["madds"] == 5.0
    assert (answer.epochs, answer.seed, answer.seconds) == (4, 3, 0.25)
    assert estimate.space is SPACE
    assert estimate(ARCH, epochs=6).epochs == 6 and estimate(ARCH, epochs=6) != answer
    assert list(estimate.many([ARCH, ARCH[::-1]], seed=3)) == [answer, estimate(ARCH[::-1], seed=4)]


def test_a_failed_training_has_no_prediction():
    answer = Extrapolated(Recorded(failed=2), after=4, to=8)(ARCH)
    assert math.isnan(answer.scores["predicted"]) and math.isnan(answer.scores["uncertainty"])


def test_extrapolated_trains_only_the_first_epochs():
    training = Training(SPACE, Recipe(images=256, epochs=6, network={"channels": 4}), curve=True)
    answer = Extrapolated(training, after=3)(ARCH, seed=2)
    whole = training(ARCH, seed=2)
    assert answer.scores["accuracy@3"] == whole.scores["accuracy@3"] and "accuracy@4" not in answer.scores
    seen = [whole.scores[f"accuracy@{epoch}"] for epoch in (1, 2, 3)]
    assert answer.scores["predicted"] == forecast(seen, 6).mean


def test_extrapolated_from_a_table_is_free():
    def scores(curve):
        return {f"accuracy@{i + 1}": value for i, value in enumerate(curve)} | {"accuracy": curve[-1], "madds": 5.0}

    archs = [(i, 3, 0, 0, 0, 3) for i in (1, 2, 3)]
    table = Table.of(SPACE, [(a, 0, scores(c), 8.0) for a, c in zip(archs, CURVES.tolist(), strict=False)])
    estimate = Extrapolated(TableLookup(table, curve=True), after=4)
    for arch, curve in zip(archs, CURVES, strict=False):
        answer = estimate(arch)
        assert answer.scores["predicted"] == forecast(curve[:4], 8).mean and answer.seconds == 4.0
        assert set(answer.scores) - {f"accuracy@{i}" for i in (1, 2, 3, 4)} == {"predicted", "uncertainty", "madds"}
    whole = TableLookup(table, curve=True)(archs[0]).scores
    assert whole == scores(CURVES[0].tolist())


def test_what_extrapolated_refuses():
    with pytest.raises(ValueError, match="to="):
        Extrapolated(Recorded())
    with pytest.raises(ValueError, match="2 to 7"):
        Extrapolated(Training(SPACE), after=8)
    with pytest.raises(ValueError, match="2 to 7"):
        Extrapolated(Recorded(), to=8)(ARCH, epochs=1)
    with pytest.raises(ValueError, match="curve=True"):
        Extrapolated(Recorded(curve=False), to=8)(ARCH)
