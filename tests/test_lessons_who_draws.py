"""The recorded ways to draw a supernet's paths: who chooses from what, on a small record, and the record itself."""

import numpy as np
import pytest

from nasviz.estimators import nasbench201_table
from nasviz.lessons import who_draws

TABLE = nasbench201_table()
GOOD, POOR = (3, 3, 3, 3, 3, 3), (0, 0, 0, 0, 0, 0)


def recorded(way):
    """Ten poor cells first and then a good one, which inherits most; entropies fall to 0.5."""
    archs = np.array([POOR] * 10 + [GOOD] + [POOR] * 2, "<i4")
    inherited = np.array([0.1] * 9 + [0.2] + [0.9, 0.3, 0.3])
    curves = np.array([[9.0, 0.1], [0.5, 0.2]])
    told = {"archs": archs, "inherited": inherited, "curves": curves}
    return {f"{seed}.{way}.{name}": value for seed in range(3) for name, value in told.items()}


def test_a_controller_chooses_from_what_it_derived_and_chance_from_what_was_drawn():
    by_controller, by_chance = (who_draws._told(recorded(way), way, TABLE) for way in (1, 3))
    good, poor = (100 * TABLE.judge(arch, 0) for arch in (GOOD, POOR))
    assert by_controller.inherits == pytest.approx([20] * 3) and by_controller.alone == pytest.approx([poor] * 3)
    assert by_chance.inherits == pytest.approx([90] * 3) and by_chance.alone == pytest.approx([good] * 3)
    assert by_controller.entropy.tolist() == [0.5] * 3
    assert by_chance.entropy == pytest.approx([np.log(5**6)] * 3)
    assert by_chance.drawn.shape == by_chance.truth.shape == (3, 3)
    assert [one.value for one in by_chance.ranks] == pytest.approx([1, 1, 1])


def test_all_ways_are_judged_on_the_same_hundred_cells():
    ways = who_draws.paths(TABLE)
    assert tuple(ways) == who_draws.WAYS
    first, *others = ways.values()
    assert first.truth.shape == (3, 100)
    assert all((one.truth == first.truth).all() for one in others)
    assert all(one.drawn.shape == (3, 100) and 20 < one.drawn.mean() < 80 for one in ways.values())  # percent
