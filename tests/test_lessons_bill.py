"""Lab 12: two bills factor by factor, searches beside a rule, spaces and cells of one size, by small cases."""

import numpy as np
import pytest

from nasviz.analysis import cost
from nasviz.estimators import nasbench201_table
from nasviz.lessons import bill
from nasviz.paths import labs_dir


def test_the_factors_of_two_bills_multiply_to_their_ratio():
    parts = bill.factors()
    first, second = (one.bill().kg for one in cost.HEADLINES[:2])
    assert np.prod(list(parts.values())) == pytest.approx(first / second)
    smaller = parts["a smaller model in the search"] * parts["a smaller batch in the search"]
    assert smaller == pytest.approx(18.7, abs=0.05)  # as Patterson et al. print it
    assert parts["a smaller model in the search"] == pytest.approx((84 / 300_000) / (12 / 100_000))


class Small:
    """A table of five cells: two edges would do, six are expected."""

    archs = ((3, 3, 0, 0, 0, 0), (3, 3, 3, 1, 1, 0), (4, 4, 2, 1, 1, 1), (3, 3, 3, 3, 3, 3), (2, 2, 2, 2, 2, 4))

    def column(self, name, seed=0):
        return {"madds": np.array([90_000, 200_000, 90_000, 300_000, 80_000]), "accuracy": np.arange(5.0)}[name]


def test_spaces_and_rule_of_a_small_table():
    assert bill.allowed(Small()).tolist() == [True, True, True, False, True]
    assert np.flatnonzero(bill.largest(Small())).tolist() == [1]
    found = {name: np.flatnonzero(inside).tolist() for name, inside in bill.narrowed(Small()).items()}
    assert found == {"everything": [0, 1, 2, 4], "an expert's": [1], "a beginner's": [2, 4]}
    assert bill.of_one_size(Small()).tolist() == [0, 2]
    scores = bill.readers(Small())
    assert scores["3×3 convolutions, counted"].tolist() == [2, 3, 0, 6, 0]
    assert scores["poolings, counted (fewer is better)"].tolist() == [0, 0, -2, 0, -1]


def test_finds_keep_what_looks_best_among_different_rows():
    seen, truth, inside = np.array([5, 1, 2, 9.0]), np.array([50, 10, 20, 90.0]), np.array([True, True, True, False])
    assert set(bill.finds(seen, truth, inside, 3, 40)) == {50}
    two = bill.finds(seen, truth, inside, 2, 3000)
    assert set(two) == {50, 20} and np.mean(two == 20) == pytest.approx(1 / 3, abs=0.03)
    with pytest.raises(ValueError, match="1 to 3 of them, not 4"):
        bill.finds(seen, truth, inside, 4)


def test_spread_out_goes_from_the_worst_to_the_best():
    truth = np.array([3, 9, 1, 7, 5.0])
    picked = bill.spread_out(truth, np.array([0, 1, 2, 3]), 3)
    assert {*truth[picked]} <= {1, 3, 7, 9} and {1, 9} <= {*truth[picked]} and len(picked) == 3


def test_a_lead_is_the_find_less_the_rule_judged_by_the_same_seeds():
    table = nasbench201_table()
    found = bill.leads("random search", 3, 2)
    assert found.shape == (2,) and np.isfinite(found).all()
    accuracy = table.truth(1)[bill.largest(table)].mean() + found[1] / 100
    assert np.abs(table.truth(1) - accuracy).min() < 1e-9  # of some cell of the table


def test_again_keeps_to_the_bound_and_repeats_itself():
    one, two = bill.again(2, 12), bill.again(2, 12)
    assert [best.arch for best in one] == [best.arch for best in two]
    assert all(best.scores["madds"] <= bill.LIMIT for best in one)


def test_seconds_are_those_of_the_labs():
    seconds = bill.seconds_of_labs()
    assert seconds.keys() == {path.stem for path in labs_dir().glob("[0-9]*-*.ipynb")}
    assert len(seconds) >= 15 and all(value > 0 for value in seconds.values())
