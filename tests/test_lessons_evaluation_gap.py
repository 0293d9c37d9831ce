"""Lab 08's functions, on cases small enough to count by hand; the table's sample is looked at whole."""

from math import inf

import numpy as np
import pytest

from nasviz.analysis import stats
from nasviz.estimators import Table, nasbench201_table
from nasviz.lessons import evaluation_gap as gap
from nasviz.spaces import NasBench201

SPACE = NasBench201()
ARCHS = ((0, 0, 0, 0, 0, 1), (0, 0, 0, 0, 0, 3), (3, 3, 3, 3, 3, 3))
TEST = np.array([[70.0, 72.0, 74.0], [71.0, 71.0, 71.0], [80.0, 82.0, 78.0]])


def small(validation=TEST):
    inherited = np.array([[[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]])
    return gap.Sample(ARCHS, validation, TEST, np.array([1, 2, 3]), inherited)


def test_a_search_sees_one_seed_and_is_judged_by_the_two_others():
    assert small().seen(1).tolist() == [72, 71, 82]
    assert small().truth(1).tolist() == [72, 71, 79]


def test_the_sample_is_of_the_table_and_all_of_it_has_three_seeds():
    table = nasbench201_table()
    sample = gap.sample(table)
    assert 75 <= len(sample.archs) <= 100 and sample.inherited.shape == (4, 2, len(sample.archs))
    assert sample.truth(0)[3] == pytest.approx(100 * table.judge(sample.archs[3], 0))
    assert np.isfinite(sample.validation).all() and np.isfinite(sample.test).all()
    assert gap.three_seeds(table).shape == (table.there.all(1).sum(), 3)


def test_noise_of_a_comparison_leaves_out_what_a_seed_does_to_all():
    assert gap.pair_noise(np.array([[1.0, 5.0], [2.0, 6.0]])) == 0
    assert gap.pair_noise(np.array([[0.0, 2.0], [2.0, 0.0]])) == pytest.approx(np.sqrt(2))


def test_without_noise_every_training_ranks_perfectly_and_noise_costs_the_one_training_more():
    assert gap.noise_limits(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])) == (1, 1)
    noisy = np.random.default_rng(0).normal(0, 1, (40, 3)) + np.linspace(0, 3, 40)[:, None]
    one, none = gap.noise_limits(noisy, draws=20)
    assert 0 < one < none < 1


def test_the_best_are_chosen_by_a_seed_that_is_not_measured():
    scores = np.array([[0.0, 0.0, 0.0], [10.0, 1.0, 1.0], [1.0, 10.0, 3.0], [1.0, 1.0, 10.0]])
    # each seed picks its own best one; a single row has no noise once what seeds do to all is taken off
    assert gap.calm_noise(scores, best=0.25) == 0


def test_searches_take_the_best_that_they_saw():
    sample = small()
    assert set(gap.random_searches(sample, 3, 0, repeats=5)) == {80.0}
    assert set(gap.random_searches(sample, 1, 0, repeats=200)) == {71.0, 73.0, 80.0}
    assert gap.shared_search(sample, [3, 2, 1], 1, 0) == 73
    assert gap.shared_search(sample, [3, 2, 1], 2, 0) == 71  # seed 0 saw 71 above 70
    mean = (73 + 80) / 2  # the two supernets' winners
    assert gap.duel(sample, 1, 3)[0].tolist() == [mean, 80]


def table_of(validation, test):
    trainings = [
        (arch, s, {"accuracy": validation[i][s] / 100, "test_accuracy": test[i][s] / 100}, 1.0)
        for i, arch in enumerate(ARCHS)
        for s in gap.SEEDS
    ]
    return Table.of(SPACE, trainings)


def test_what_flatters_is_the_lead_that_the_other_seeds_do_not_see():
    fair = np.array([[70.0] * 3, [72.0] * 3, [77.0] * 3])
    assert gap.flattery(table_of(fair, fair - 3), 2, 6) == pytest.approx(0)
    lucky = fair + [[9, 0, 0], [0, 0, 0], [0, 0, 0]]  # seed 0 sees 79 of the worst: 3 above the mean of 76
    found = gap.flattery(table_of(lucky, fair), 3, 2)
    assert found == pytest.approx([79 - 76 - (70 - 73), 0])


def test_supernets_whose_errors_are_independent_agree_by_the_product():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=1000)
    alone = truth + rng.normal(size=(2, 1000))
    found = gap.agreement(alone, truth)
    assert found.each_other == pytest.approx(found.product, abs=0.08) and found.excess.low < 0.05
    shared = gap.agreement(truth + rng.normal(size=1000) + 0.1 * rng.normal(size=(2, 1000)), truth)
    assert shared.each_other > 0.9 and shared.excess.low > 0.3
    assert shared.product < shared.truth < 0.8


def test_tastes_are_counts_against_accuracies():
    by_name = {name: numbers for name, *numbers in gap.taste(SPACE, small())}
    assert list(by_name) == list(SPACE.operations)
    assert by_name["nor_conv_3x3"] == pytest.approx([stats.tau([0, 1, 6], [73, 71, 80]), -1, 1])


def test_the_good_ones_are_chosen_by_a_third_training():
    n = 40
    quality = np.arange(n, dtype=float)
    sample = gap.Sample(ARCHS, np.stack([quality] * 3, 1), np.stack([quality] * 3, 1), quality, np.zeros((1, 2, n)))
    found = gap.among_good(sample, [quality, quality, -quality])
    assert len(found) == 6
    assert [half.value for _, half in found] == [1, 1, 1, 1, -1, -1]


def test_contradictions_by_hand():
    test = np.array([[0.0, 0.0, 0.0], [0.4, -0.1, -0.1], [3.0, 3.0, 3.0]])
    assert gap.contradicted(test, 0, 0.5)[0] == 1  # seed 0 claims 0.4, the others say −0.1
    assert gap.contradicted(test)[0] == pytest.approx(1 / 3)
    lines = gap.contradictions(test)
    assert [line[:2] for line in lines][-1] == (2, inf)
    assert lines[1][2].value == 1 and lines[-1][2].value == 0
    # seeds (1, 2) agree; (0, 1) and (0, 2) contradict each other on one pair of three
    assert gap.one_against_one(test) == pytest.approx((0 + 1 / 3 + 1 / 3) / 3)
