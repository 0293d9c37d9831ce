"""Lab 01's functions, on cases that one can count by hand."""

import numpy as np
import pytest

from nasviz.estimators import nasbench201_table
from nasviz.lessons import search_spaces as lesson
from nasviz.spaces import NasBench201
from nasviz.spaces.nasbench201 import OPS
from nasviz.step import Evaluation


def test_a_distribution_by_hand():
    assert lesson.percent([Evaluation((0,), {"accuracy": a}) for a in (0.5, 0.25)]).tolist() == [50, 25]
    values, share = lesson.share_below([70, 40, 60, 90], 50, 80)
    assert values.tolist() == [50, 60, 70, 80] and share.tolist() == [12.5, 37.5, 62.5, 87.5]


def test_members_of_poorer_spaces_are_counted_and_looked_up():
    table = nasbench201_table()
    assert [len(lesson.members_without(table, *OPS[5 - n :])) for n in (0, 1, 3)] == [5**6, 4**6, 2**6]
    only = lesson.members_without(table, *OPS[:3], OPS[4])
    assert only.tolist() == [100 * table.column("test_accuracy", None)[table.row((3,) * 6)]]
    for wrong in (OPS, ("conv_9x9",)):
        with pytest.raises(ValueError, match="take away"):
            lesson.members_without(table, *wrong)


def test_a_space_that_lacks_nothing_is_as_good_as_itself():
    assert lesson.whole_less_poorer((), 5, 10) == (0, (0, 0))
    mean, (low, high) = lesson.whole_less_poorer(("nor_conv_3x3", "nor_conv_1x1"), 5, 10)
    assert 0 < low < mean < high


def test_a_space_of_one_member_has_that_member_for_its_best():
    table = nasbench201_table()
    mean, _ = lesson.whole_less_poorer((*OPS[:3], OPS[4]), 1000, 3, table)
    best = 100 * table.column("test_accuracy", None)
    assert mean <= best.max() - best[table.row((3,) * 6)] + 1e-9


def test_what_a_layer_costs_by_the_formula():
    found = lesson.prices(channels=4, size=5, images=2, rounds=2)
    madds = {"full": 25 * 9 * 16, "depthwise": 25 * 9 * 4, "pointwise": 25 * 16, "pooling": 0}
    assert {name: one.madds for name, one in found.items()} == madds
    assert found["full"].parameters == 9 * 16 and all(one.ms > 0 for one in found.values())
    known = {"full": lesson.Price(144, 1000, 0.5), "pooling": lesson.Price(0, 0, 0.25)}
    shown = lesson.priced(known, 10).data
    assert "| full | 144 | 1,000 | 0.50 | 50000 |" in shown and "| pooling | 0 | 0 | 0.25 | – |" in shown


def test_tables():
    assert "| nasbench201 | 6 | 15,625 | one cell |" in lesson.sizes({NasBench201(): "one cell"}).data
    assert "| fast | 60.0 | 64.0 | **62.0** | 2.8 |" in lesson.recipes({"fast": np.array([60.0, 64.0])}).data
