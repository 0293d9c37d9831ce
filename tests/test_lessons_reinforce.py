"""What lab 03 computes besides its lesson: on a small table by hand, and on the record."""

import numpy as np
import pytest

from nasviz.estimators import nasbench201_table
from nasviz.lessons import reinforce as lesson
from nasviz.lessons.reinforce import LENGTH, LIMIT, Cells

CHEAP, DEAR = LIMIT - 1.0, LIMIT * 3.0


def cells(accuracy, madds, truth=None):
    """Cells of as many sentences as numbers are given."""
    archs = np.array(list(np.ndindex(*(5,) * 6)))[: len(accuracy)]
    return Cells(archs, np.array(accuracy), np.array(truth or accuracy), np.array(madds))


FOUR = cells([60.0, 70.0, 90.0, 50.0], [CHEAP, LIMIT, DEAR, CHEAP - 7], [61.0, 69.0, 91.0, 52.0])


def test_cells_by_hand():
    assert FOUR.kept.tolist() == [True, True, False, True] and FOUR.empty.tolist() == [False, False, False, True]
    assert FOUR.bounded.tolist() == pytest.approx([0.6, 0.7, -2.0, 0.5])


def test_means_of_what_is_kept_by_hand():
    codes = np.array([[0, 1, 2], [2, 2, 2], [3, 3, 1]])
    assert lesson.kept_mean(codes, FOUR)[[0, 2]].tolist() == pytest.approx([65, 170 / 3])
    assert np.isnan(lesson.kept_mean(codes, FOUR)[1])
    assert lesson.kept_mean(codes[:1], FOUR, FOUR.truth).tolist() == [65.0]
    assert lesson.best_found(codes[[0, 2]], FOUR).tolist() == [69.0, 69.0]
    assert lesson.told(lesson.compared(np.array([3.0, 3.0, 3.0]), np.ones(3))) == "+2.00 (2.00 to 2.00)"


def test_the_row_of_a_search_by_hand():
    runs = {"bounded": np.array([[0, 2, 1, 1]] * 3), "random": np.array([[0, 0, 3, 2]] * 3)}
    first, second = lesson.repairs(runs, FOUR, {"bounded": "ours", "random": "chance"}, last=2)
    assert first == ["ours", "100 %", "70.0 %", "+10.00 (10.00 to 10.00)", "+20.00 (20.00 to 20.00)"]
    assert second == ["chance", "50 %", "50.0 %", "-10.00 (-10.00 to -10.00)", ""]


def test_the_row_of_a_setting_by_hand():
    runs = {"inside, fast": np.array([[0, 3, 1, 1]] * 3), "inside, random": np.array([[0, 0, 3, 3]] * 3)}
    (row,) = lesson.decided(runs, FOUR, {"inside, fast": "fast"}, last=2)
    assert row == ["fast", "70.0 %", "+20.00 (20.00 to 20.00)", "1", "+8.00 (8.00 to 8.00)"]


def test_curves_have_a_point_a_window():
    codes = np.tile(np.repeat([0, 1], LENGTH // 2), (4, 1))
    mean, low, high = lesson.windows(codes, lambda part: lesson.kept_mean(part, FOUR))
    half = LENGTH // 2 // lesson.WINDOW
    assert mean.tolist() == low.tolist() == high.tolist() == [60.0] * half + [70.0] * half
    stage = lesson.curves({"one": codes, "two": codes}, FOUR, ["accuracy", "kept"])
    assert len(stage) == LENGTH // lesson.WINDOW


@pytest.fixture(scope="module")
def whole():
    return Cells.of(nasbench201_table())


def test_the_cells_of_the_table(whole):
    assert len(whole.archs) == 5**6 and whole.archs[lesson.PLACES[0] * 3].tolist() == [3, 0, 0, 0, 0, 0]
    names = nasbench201_table().space.canonical
    some = np.random.default_rng(0).choice(5**6, 200, replace=False)
    for code in some:  # a cell without a convolution is one whose function has none
        assert whole.empty[code] == ("conv" not in names(tuple(whole.archs[code].tolist())))


def test_slopes_are_those_of_the_expected_reward(whole):
    """Against differences of the expected reward itself, with the probabilities multiplied out."""
    rng = np.random.default_rng(0)
    reward = rng.random(5**6)

    def expected(logits):
        chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        return reward @ np.prod([chances[choice, whole.archs[:, choice]] for choice in range(6)], axis=0)

    exact = lesson.slopes(reward, whole)
    for choice, option in ((0, 0), (2, 3), (5, 4)):
        step = np.zeros((6, 5))
        step[choice, option] = 1e-4
        assert exact[choice, option] == pytest.approx((expected(step) - expected(-step)) / 2e-4, abs=1e-8)


def test_a_reward_that_is_one_of_the_wanted_things_points_there(whole):
    kept = whole.kept
    inside = np.where(kept, whole.accuracy, whole.accuracy[kept].mean())
    found = lesson.directions(whole, {"bound": kept.astype(float), "inside": inside, "bounded": whole.bounded})
    assert found["bound"][0] == pytest.approx(1) and found["inside"][1] == pytest.approx(1)
    assert found["bounded"][0] > 0.9 > 0 > found["bounded"][1]


def test_without_memory_it_learns_what_it_is_paid_for_and_follows_from_the_seed(whole):
    first = (whole.archs[:, 0] == 2).astype(float)  # paid for one token alone
    codes = lesson.without_memory(first, range(5))
    assert codes.shape == (5, LENGTH)
    assert first[codes[:, -50:]].mean() > 0.8 and first[codes[:, :50]].mean() < 0.5
    assert (codes[3] == lesson.without_memory(first, [3])[0]).all()
    assert not (codes[3] == codes[4]).all()


def test_a_larger_penalty_keeps_the_bound_more(whole):
    accuracy, share = lesson.weighed(1.0, range(5), whole)
    other, less = lesson.weighed(0.05, range(5), whole)
    assert accuracy.shape == share.shape == (5,) and share.mean() > less.mean() + 0.1 and other.mean() > accuracy.mean()


def test_the_record_has_every_search():
    table, runs = nasbench201_table(), lesson.recorded()
    assert runs.keys() == lesson.searches(table).keys()
    assert all(codes.shape == (len(lesson.SEEDS), LENGTH) for codes in runs.values())
    kept = Cells.of(table).kept
    assert all(kept[codes].all() for name, codes in runs.items() if name.startswith("inside"))


def test_the_recorded_random_searches_are_made_again():
    searches, runs = lesson.searches(nasbench201_table()), lesson.recorded()
    for name in ("random", "inside, random"):
        assert lesson.codes_of(searches[name]).tolist() == runs[name][0].tolist()
