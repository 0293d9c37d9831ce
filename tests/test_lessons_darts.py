"""Lab 06: luck and its price, what is kept in memory, counted by hand; the recorded searches, read."""

import numpy as np
import pytest
import torch
from torch import nn

from nasviz.estimators import nasbench201_table
from nasviz.lessons import darts as lesson
from nasviz.spaces import NasBench201


class Rows:
    """A table of three functions: the one that looks best is not the best."""

    def column(self, name, seed):
        assert (name, seed) == ("accuracy", 0)
        return np.array([0.5, 0.9, 0.7])

    def truth(self, seed):
        return np.array([0.6, 0.7, 0.8])

    def row(self, arch):
        return arch


def test_luck_keeps_what_looks_best_and_is_judged_by_the_truth():
    assert set(lesson.luck(Rows(), 50, 20)) == {70.0}  # in fifty draws the row that looks best is always there
    one = lesson.luck(Rows(), 1, 3000)
    assert {*one} == {60.0, 70.0, 80.0} and abs(one.mean() - 70) < 1
    assert (one == lesson.luck(Rows(), 1, 3000)).all() and (one != lesson.luck(Rows(), 1, 3000, seed=1)).any()
    with pytest.raises(ValueError, match="at least one training, not 0"):
        lesson.luck(Rows(), 0)


def test_share_below_counts_what_is_worse():
    assert lesson.share_below(Rows(), [0, 2]) == pytest.approx([0, 200 / 3])


def test_agreement_counts_equal_decisions_over_all_pairs():
    assert lesson.agreement([(1, 3, 2), (1, 3, 4), (2, 3, 2)]) == pytest.approx((2 + 2 + 1) / 3)


def test_slow_searches_are_those_of_lab_00_and_have_not_decided():
    weights = lesson.slow_weights()
    assert [one.shape for one in weights] == [(6, 5)] * 4 and all(one.sum(1) == pytest.approx(1) for one in weights)
    assert max(one.max() for one in weights) < 0.6


def test_recorded_searches_have_moved_far_on_every_seed():
    edges = [row["largest"] for row in lesson.recorded()]
    assert all(len(row) == 6 and all(1 / 5 < weight < 1 for weight in row) for row in edges)
    assert all(sum(weight > 0.6 for weight in row) >= 4 for row in edges)


def test_what_the_bank_says_of_the_winners_is_what_was_recorded():
    """A 3×3 wins more than twice as many edges as a 1×1; poolings win few."""
    skip, one, three, pool = ([o for row in lesson.recorded() for o in row["arch"]].count(i) for i in (1, 2, 3, 4))
    assert three > 2 * one and three > 2 * skip and three > 3 * pool


def test_differences_are_those_of_recorded_cells_and_of_luck_with_their_seeds():
    table, rows = nasbench201_table(), lesson.recorded()
    found = lesson.over_luck(4)
    assert [row["seed"] for row in rows] == list(range(11)) and found.shape == (11,)
    third = 100 * table.truth(0)[table.row(rows[3]["arch"])] - lesson.luck(table, 4, 1, seed=3)[0]
    assert found[3] == pytest.approx(third)


def test_bytes_kept_for_the_backward_pass_by_hand():
    image = torch.zeros(2, 3, requires_grad=True)  # 24 bytes
    assert lesson.kept_bytes(nn.Linear(3, 5), image) == 0  # keeps its input and its weights: both were there before
    assert lesson.kept_bytes(nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 4)), image) == 2 * 5 * 4  # between the layers
    assert lesson.kept_bytes(nn.Sequential(nn.Linear(3, 5), nn.Sigmoid(), nn.Sigmoid()), image) == 2 * 2 * 5 * 4


def test_a_mixture_keeps_more_than_any_of_its_cells():
    space, images = NasBench201(), torch.zeros(2, 1, 8, 8)
    mixture = lesson.kept_bytes(space.supernet(channels=4, cells=1), images, torch.full((6, 5), 0.2))
    assert mixture > lesson.kept_bytes(space.network((3,) * 6, channels=4, cells=1).train(), images)


class Ticking:
    """A strategy whose step moves the clock by three seconds."""

    batch, now = 50, 0.0

    def begin(self):
        return self

    def batches(self, batch):
        return [(0, 0)] * 12

    def step(self, search, train, valid):
        self.now += 3

    def alpha_gradient(self, search, train, valid):
        return torch.full((6, 5), float(train)), None, None


def test_seconds_of_a_step_are_a_mean():
    ticking = Ticking()
    assert lesson.seconds_of_step(ticking, 4, clock=lambda: ticking.now) == 3
    assert ticking.now == 12


def test_gradients_are_stacked_by_way_and_by_pair():
    found = lesson.gradients({"one": Ticking()}, None, [(1, 0), (2, 0)])
    assert found["one"].shape == (2, 30) and found["one"][:, 0].tolist() == [1, 2]
