"""Rank statistics against scipy, against definitions written out, and on what ties, failures and small samples do."""

from itertools import combinations
from math import isnan, nan

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from nasviz.analysis.stats import (
    bands,
    bootstrap,
    contradicted,
    power,
    precision,
    ranks,
    regret,
    rho,
    seed_ceiling,
    seed_noise,
    seeds_needed,
    tau,
    tau_difference,
    tau_interval,
    wrong,
)

pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30)


def columns(rows):
    return np.array(rows, float).T


def written_out(x, y, same=lambda i, j: True):
    """τ-b by its definition, over all pairs."""
    right, x_pairs, y_pairs = 0, 0, 0
    for i, j in combinations(range(len(x)), 2):
        if same(i, j):
            right += np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
            x_pairs += x[i] != x[j]
            y_pairs += y[i] != y[j]
    return right / np.sqrt(float(x_pairs * y_pairs)) if x_pairs and y_pairs else nan


@examples(150)
@given(pairs)
def test_correlations_are_scipys_on_ties(rows):
    x, y = columns(rows)
    constant = not np.ptp(x) or not np.ptp(y)
    if constant:
        assert isnan(tau(x, y)) and isnan(rho(x, y))
    else:
        assert tau(x, y) == pytest.approx(scipy_stats.kendalltau(x, y).statistic, abs=1e-12)
        assert tau(x, y) == pytest.approx(written_out(x, y), abs=1e-12)
        assert rho(x, y) == pytest.approx(scipy_stats.spearmanr(x, y).statistic, abs=1e-12)


@examples(50)
@given(pairs, st.integers(1, 3))
def test_within_groups_only_pairs_of_a_group_count(rows, count):
    x, y = columns(rows)
    groups = np.arange(len(x)) % count
    expected = written_out(x, y, lambda i, j: groups[i] == groups[j])
    assert tau(x, y, groups) == pytest.approx(expected, nan_ok=True, abs=1e-6)


def test_a_failure_is_below_every_number():
    np.testing.assert_array_equal(ranks([0.1, nan, -5, nan]), [4, 1.5, 3, 1.5])
    assert tau([1, 2, 3], [nan, 0.1, 0.2]) == 1
    assert tau([1, 2, 3], [-1e9, 0.1, 0.2]) == 1
    assert regret([3, 2, 1], [nan, 0.7, 0.8]) == np.inf
    assert regret([nan, 2, 1], [0.9, 0.7, 0.8]) == pytest.approx(0.2)


def test_the_interval_of_tau_is_that_of_drawing_again():
    rng = np.random.default_rng(3)
    x = rng.normal(size=70).round(1)
    y = (x + rng.normal(size=70)).round(1)
    found = tau_interval(x, y, resamples=2000)
    drawn = [tau(x[i], y[i]) for i in rng.integers(70, size=(700, 70))]
    assert found.value == pytest.approx(tau(x, y))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, (0.025, 0.975))), abs=0.04)
    whole = tau_interval(x, y, np.zeros(70, int), resamples=300)
    assert whole.value == pytest.approx(found.value)
    assert tau_interval(x, y, seed=5) == tau_interval(x, y, seed=5) != tau_interval(x, y, seed=6)


def test_pairs_are_counted_across_chunks():
    rng = np.random.default_rng(0)
    x = rng.integers(40, size=1300).astype(float)
    y = x + rng.normal(size=1300) * 20
    assert tau(x, y, np.zeros(1300)) == pytest.approx(tau(x, y), abs=1e-6)


def test_other_intervals_are_scipys():
    rng = np.random.default_rng(4)
    x = rng.normal(size=60)
    y = x + rng.normal(size=60)
    expected = scipy_stats.bootstrap((x, y), rho, paired=True, method="percentile", n_resamples=1500, rng=rng)
    found = bootstrap(rho, x, y, resamples=1500)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval), abs=0.03)
    assert found.low < found.value < found.high


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(5)
    truth = 2 / np.pi * np.arcsin(0.6)  # Kendall's τ of a bivariate normal of correlation 0.6
    covered = 0
    for _ in range(60):
        x = rng.normal(size=60)
        found = tau_interval(x, 0.6 * x + 0.8 * rng.normal(size=60), resamples=200)
        covered += found.low <= truth <= found.high
    assert 50 <= covered <= 60  # 95 % of 60 is 57; four standard deviations below


def test_precision_and_regret_by_hand():
    estimated, truth = [5, 4, 3, 2, 1], [0.7, 0.9, 0.8, 0.1, 0.2]
    assert precision(estimated, truth, 0.4) == 0.5  # {0, 1} of {1, 2}
    assert precision(estimated, truth, 0.01) == 0  # the best one is not the best
    assert regret(estimated, truth) == pytest.approx(0.2)
    assert regret(truth, truth) == 0 and precision(truth, truth, 0.6) == 1
    with pytest.raises(ValueError, match="share"):
        precision(estimated, truth, 5)


def test_ties_at_the_top_are_broken_by_lot():
    truth = [0.9, 0.5, 0.1, 0.3]
    assert regret([1, 1, 1, 0], truth) == pytest.approx(0.9 - 0.5)
    assert precision([1, 1, 1, 0], truth, 0.25) == pytest.approx(1 / 3)
    assert precision([7, 7, 7, 7], truth, 0.5) == pytest.approx(0.5)  # knowing nothing finds half of any half


@examples(60)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(1, 6))
def test_bands_part_no_equals_and_follow_size(sizes, count):
    found = bands(sizes, count)
    assert len(set(found)) <= count and set(found) == set(range(max(found) + 1))
    order = np.argsort(sizes, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert all(len({found[i] for i, s in enumerate(sizes) if s == size}) == 1 for size in set(sizes))


def test_bands_hold_about_as_many():
    assert np.bincount(bands(np.arange(100), 4)).tolist() == [25] * 4
    assert bands([], 3).shape == (0,)


def test_the_ceiling_and_the_noise_of_seeds():
    rng = np.random.default_rng(6)
    truth = rng.normal(size=(3000, 1))
    scores = truth + 0.5 * rng.normal(size=(3000, 3))
    assert seed_noise(scores) == pytest.approx(0.5, rel=0.05)
    two = seed_ceiling(scores[:, :2])
    assert two == pytest.approx(tau(scores[:, 0], scores[:, 1]))
    assert two < seed_ceiling(scores)  # the mean of two is a better truth than one
    scores[:10, 0] = nan
    assert seed_ceiling(scores) == pytest.approx(seed_ceiling(scores[10:]))
    with pytest.raises(ValueError, match="two seeds"):
        seed_ceiling(scores[:, :1])


def test_small_samples_have_no_interval_and_shapes_are_checked():
    assert isnan(tau_interval([1, 2], [1, 2]).low) and tau_interval([1, 2], [1, 2]).value == 1
    assert isnan(tau([1], [1])) and isnan(bootstrap(rho, [1, 2], [3, 4]).high)
    assert str(tau_interval([1, 2], [1, 2])) == "1.00"
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        tau([1, 2], [1, 2, 3])


# ------------------------------------------------------------------ two estimators, two seeds
def test_the_difference_of_two_taus_is_bootstrapped_in_pairs():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=60)
    first = truth + rng.normal(size=60)
    second = first + 0.2 * rng.normal(size=60)  # nearly the same estimator: what makes a sample easy, cancels
    found = tau_difference(first, second, truth)
    assert found.value == pytest.approx(tau(first, truth) - tau(second, truth))
    assert found.low <= found.value <= found.high
    alone = tau_interval(first, truth)
    assert found.high - found.low < 0.6 * (alone.high - alone.low)
    assert tau_difference(first, first, truth) == type(found)(0.0, 0.0, 0.0)


def test_a_difference_that_is_there_is_found_and_reverses():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=80)
    good, bad = truth + 0.3 * rng.normal(size=80), rng.normal(size=80)
    assert tau_difference(good, bad, truth).low > 0
    assert tau_difference(bad, good, truth).high < 0
    assert isnan(tau_difference([1, 2], [2, 1], [1, 2]).low)


def test_contradictions_by_definition():
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 9, 30) / 4, rng.integers(0, 9, 30) / 4
    x[3], y[7] = nan, nan
    for low, high in ((0, np.inf), (0.25, 0.75), (1, 1.5)):
        claims = against = 0.0
        for i, j in combinations(range(30), 2):
            if low < abs(x[i] - x[j]) <= high and not isnan(y[i] + y[j]):
                claims += 1
                against += (1 - np.sign((x[i] - x[j]) * (y[i] - y[j]))) / 2
        assert contradicted(x, y, low, high).value == pytest.approx(against / claims)


def test_contradictions_have_an_interval_and_may_have_no_pairs():
    rng = np.random.default_rng(3)
    quality = rng.normal(size=1000)
    x, y = quality + 0.5 * rng.normal(size=1000), quality + 0.5 * rng.normal(size=1000)
    some = contradicted(x[:100], y[:100])
    assert some.low < contradicted(x, y).value < some.high and some.low < some.value < some.high
    assert isnan(contradicted(x, y, 100).value) and isnan(contradicted([1.0], [2.0]).value)
    with pytest.raises(ValueError, match="0 <= low < high"):
        contradicted(x, y, 2, 1)
    with pytest.raises(ValueError, match="one number an architecture"):
        contradicted(x, y[:3])


def test_what_is_wrong_lies_between_its_bounds():
    rng = np.random.default_rng(4)
    quality = rng.normal(size=400)
    x, y = quality + 0.7 * rng.normal(size=400), quality + 0.7 * rng.normal(size=400)
    low, high = wrong(contradicted(x, y).value)
    truly = contradicted(x, quality).value
    assert low < truly < high
    assert wrong(0.0) == (0.0, 0.0) and wrong(0.5) == (0.5, 0.5)
    with pytest.raises(ValueError, match="half"):
        wrong(0.6)


def test_power_is_the_share_of_simulated_tests_that_find_it():
    rng = np.random.default_rng(5)
    for difference, noise, seeds in ((0.5, 0.6, 10), (1.0, 0.5, 3), (0.0, 1.0, 4)):
        a, b = rng.normal(difference, noise, (20000, seeds)), rng.normal(0, noise, (20000, seeds))
        found = (scipy_stats.ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1))
        assert power(difference, noise, seeds) == pytest.approx(found.mean(), abs=0.012)
    assert np.all(np.diff(power(0.5, 0.6, np.arange(2, 50))) > 0)
    for wrongly in ((0.5, 0.0, 5), (0.5, 0.6, 1)):
        with pytest.raises(ValueError, match="at least 2 seeds"):
            power(*wrongly)


def test_seeds_needed_is_the_least_number_that_suffices():
    for difference, noise in ((0.5, 0.6), (0.25, 0.6), (5.0, 0.1), (1.0, 1.0)):
        n = seeds_needed(difference, noise)
        assert power(difference, noise, n) >= 0.8
        assert n == 2 or power(difference, noise, n - 1) < 0.8
    assert seeds_needed(0.1, 0.6) == pytest.approx(2 * (1.96 + 0.8416) ** 2 * 36, rel=0.01)  # normal approximation
    with pytest.raises(ValueError, match="difference > 0"):
        seeds_needed(0.0, 0.6)
