"""Lab 02's functions: the judge, the gains of training longer and the limit of τ, on cases counted by hand."""

import numpy as np
import pytest

from nasviz import estimators as est
from nasviz.lessons import performance_estimation as lesson

ARCHS = [(option,) * 6 for option in range(4)]


@pytest.fixture
def judge():
    truth = np.array([0.1, 0.2, 0.3, 0.4])
    return lesson.Judge(ARCHS, np.array([0, 0, 1, 1.0]), [truth] * 3, [truth, truth[::-1], truth])


def test_a_judge_ranks_by_the_truth_of_seed_0(judge):
    found = judge("good", [1, 2, 3, 4], 2.0)
    assert (found.tau.value, found.within.value, found.seconds) == (1, 1, 2)
    assert judge("bad", [4, 3, 2, 1], 0).tau.value == -1
    # of six pairs counting tells four apart, all in the right order: 4 / √(4 · 6)
    assert found.baselines["size"].tau.value == pytest.approx(4 / 24**0.5)
    assert (judge.tau("bad"), judge.tau("counting")) == (-1, found.baselines["size"].tau.value)
    assert judge.found["bad"].baselines is found.baselines and found.baselines["another seed"].tau.value == 1


def test_a_difference_has_an_interval_for_each_truth(judge):
    judge("good", [1, 2, 3, 4], 0)
    judge("bad", [4, 3, 2, 1], 0)
    assert [gap.value for gap in judge.less("good", "bad")] == [2, -2, 2]
    counted = 4 / 24**0.5
    gaps = [gap.value for gap in judge.less("good", "size")]
    assert gaps == pytest.approx([1 - counted, counted - 1, 1 - counted])


def test_a_table_shows_what_was_judged_and_counting(judge):
    judge("good", [1, 2, 3, 4], 0.5)
    lines = judge.table("good").data.splitlines()
    assert len(lines) == 4 and lines[2].startswith("| good | 0.5 | 1.00") and lines[3].startswith("| *counting* | 0 |")


def test_the_price_is_that_of_the_cell_of_middling_size(judge):
    judge.size = np.array([5, 9, 1, 2.0])
    assert judge.typical == ARCHS[0]


def test_the_judge_of_the_lab_holds_the_recorded_cells():
    judge, table = lesson.Judge.load(), est.nasbench201_table()
    assert len(judge.archs) == len(judge.size) == 100
    row = table.row(judge.archs[7])
    assert [one[7] for one in judge.trained] == [table.column("accuracy", seed)[row] for seed in range(3)]
    assert [one[7] for one in judge.truths] == [table.truth(seed)[row] for seed in range(3)]
    known = {one.arch for one in lesson.strangers(judge, 60)}
    assert len(known) == 60 and not known & set(judge.archs)


def test_curves_end_with_the_accuracy_itself():
    table = est.nasbench201_table()
    curves = lesson.by_epoch(table)
    whole = [lesson.tau(table.column("accuracy", seed), table.truth(seed)) for seed in range(3)]
    assert curves.shape == (3, 8) and curves[:, -1].tolist() == whole


def test_training_longer_gains_what_the_two_epochs_differ():
    assert not lesson.gains(5, 5, cells=50, samples=3).any()
    longer = lesson.gains(1, 8, samples=6)
    assert (longer == -lesson.gains(8, 1, samples=6)).all() and (longer > 0).all()
    with pytest.raises(ValueError, match="late"):
        lesson.gains(4, 9)


def test_without_noise_everybody_reaches_the_limit():
    means = np.arange(10.0)
    assert lesson.limit(np.stack([means, means, means], axis=1)) == pytest.approx((1, 1))


def test_the_limit_is_that_of_normal_noise():
    rng = np.random.default_rng(0)
    exact = rng.normal(0, 1, 2000)
    scores = exact[:, None] + rng.normal(0, 1, (2000, 3))
    scores[:500, 2] = np.nan  # some have two trainings
    one, best = lesson.limit(scores)
    # ρ = 1/√(2·1.5) and 1/√1.5 for normal numbers, and τ = 2/π · arcsin ρ
    assert one == pytest.approx(2 / np.pi * np.arcsin(1 / 3**0.5), abs=0.05)
    assert best == pytest.approx(2 / np.pi * np.arcsin(1 / 1.5**0.5), abs=0.05)


def test_a_forest_of_many_trainings_is_better_than_one_of_few():
    found = lesson.forests([10, 200], draws=1)
    assert found.keys() == {10, 200} and found[10][0].value < found[200][0].value
