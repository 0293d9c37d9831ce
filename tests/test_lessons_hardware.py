"""Lab 10's functions, on cases that one can count by hand."""

import numpy as np
import pytest

from nasviz.analysis.fronts import dominated
from nasviz.analysis.stats import Interval
from nasviz.lessons import hardware as lab


def test_the_pair_that_is_least_alike_has_equal_madds():
    madds, ms = [100, 105, 300, 310], [1.0, 1.5, 9.0, 4.0]
    assert lab.least_alike(madds, ms) == (2, 3, 2.25)
    assert lab.least_alike([100, 105], [1.5, 1.0]) == (0, 1, 1.5)


def test_milliseconds_of_operations_by_least_squares():
    operations = [{"a": 1, "b": 0}, {"a": 2, "b": 1}, {"a": 0, "b": 3}, {"a": 4, "b": 2}]
    ms = [0.5 + 2 * one["a"] + 3 * one["b"] for one in operations]
    found = lab.by_operation(operations, ms, ["a", "b"])
    assert found == pytest.approx({"a": 2, "b": 3})


def test_fronts_lack_what_all_found_together():
    ms = np.array([[[1.0, 2.0]], [[1.0, 1.5]]])
    accuracy = np.array([[[0.80, 0.90]], [[0.78, 0.85]]])
    fronts, reference = lab.Fronts(ms, accuracy), (3.0, 70.0)
    first = (3 - 1) * (80 - 70) + (3 - 2) * (90 - 80)  # two corners
    assert fronts.areas(2, reference)[0, 0] == pytest.approx(first)
    assert fronts.areas(1, reference)[:, 0] == pytest.approx([20, 16])
    whole = dominated([1, 2, 1, 1.5], [80, 90, 78, 85], reference)
    assert fronts.best(reference) == pytest.approx(whole) and whole > first
    assert lab.missing_area(fronts, 2, reference)[0, 0] == pytest.approx(1 - first / whole)


def test_the_recorded_fronts_are_of_twenty_seeds_and_differ():
    fronts = lab.recorded_fronts()
    assert fronts.ms.shape == fronts.accuracy.shape == (2, 20, 60)
    lacks = lab.missing_area(fronts, 40, (2.3, 75))
    assert (0 <= lacks).all() and (lacks < 1).all() and np.ptp(lacks) > 0.05  # searches can differ under this reference
    assert (lab.missing_area(fronts, 60, (2.3, 75)) <= lacks + 1e-9).all()


def test_an_interval_says_one_of_three_things():
    options = ["first", "no one", "second"]
    assert [lab.told(Interval(0, *one), options) for one in ((-2, -1), (-1, 1), (1, 2))] == options


def test_a_winner_breaks_a_budget_only_where_devices_differ():
    quality = np.arange(50.0)
    ms = np.arange(50.0)
    assert not lab.broken(quality, ms, ms, 0.5, draws=20).any()  # one device twice
    assert lab.broken(quality, ms, -ms, 0.4, draws=20, cells=20).mean() == 1  # slow there is fast here
    share, (low, high) = lab.share_interval([1, 1, 0, 1])
    assert share == 75 and 0 < low < 75 < high < 100


def test_what_a_table_showed_is_said():
    good = lab.Held(None, 0.2, 0.04, 0.1, 0.9, 0.8)
    assert "from 20% down to 4%" in lab.verdict(good) and "0.90" in lab.verdict(good)
    bad = lab.Held(None, 0.2, 0.3, 0.1, 0.2, 0.8)
    assert "does not help" in lab.verdict(bad) and "quiet machine" in lab.verdict(bad)
    assert "| the sum, repaired | 4% | 0.90 |" in lab.errors(good).data
