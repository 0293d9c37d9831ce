"""Lab 13: what the record answers, the experiments that ask why, and what is measured anew."""

import numpy as np
import pytest
from test_lessons_full_size import macro_truth

from nasviz.analysis.stats import Interval
from nasviz.lessons import does_it_hold as lab
from nasviz.lessons import full_size
from nasviz.views.charts.findings import NONE, OPEN


def test_at_least_twelve_findings_are_asked_of_three_published_truths():
    counts = {name: lab.count(name) for name in lab.ROWS}
    assert sum(one.asked >= 3 for one in counts.values()) >= 12
    for one in lab.known().values():
        assert one.low <= one.value <= one.high and one.architectures > 0 and one.seeds > 0, one
        assert lab.sources()[one.truth]


def test_every_figure_of_a_row_is_one_that_is_recorded():
    recorded = {name for name, _ in lab.known()}
    for row in lab.ROWS.values():
        assert set(row.figures) <= recorded, row


def test_answers_are_counted_beside_ours(monkeypatch):
    ours, first, second, third = lab.TRUTHS[:4]
    ends = {ours: (0.1, 0.3), first: (0.2, 0.3), second: (-0.3, -0.1), third: (-0.1, 0.1)}
    made = {
        ("evolution gains over elitism", truth): full_size.Figure("f", truth, 0.0, low, high, "points", 10, 40)
        for truth, (low, high) in ends.items()
    }
    monkeypatch.setattr(lab, "known", lambda: made)
    assert lab.count("aging") == lab.Count(asked=3, yes=1, no=1, open=1)
    told = lab.finding("aging")
    assert told.answer(third) == OPEN and told.answer(lab.TRUTHS[4]) == NONE and told.unit == "points"
    assert lab.tally() == lab.Tally(asked=3, same=1, opposite=1, open=1)
    made["evolution gains over elitism", ours] = full_size.Figure("f", ours, 0.0, -0.1, 0.1, "points", 10, 40)
    assert lab.tally().asked == 0, "where ours is open, no answer is the same or the opposite"


def test_epochs_are_counted_in_steps_and_judged_by_a_seed_that_is_not_seen():
    epochs, size = lab.by_epoch(1)
    assert [one.steps for one in epochs] == [63 * n for n in range(1, 9)], "4,000 images in batches of 64"
    assert 0.5 < size < 0.8 and epochs[7].one.low > epochs[1].one.high and epochs[7].between > epochs[1].between
    assert all(one.one.low <= one.one.value <= one.one.high for one in epochs)


def test_the_first_forty_seeds_and_the_fresh_ones_are_those_of_the_record():
    gains = lab.aging_gains(40)
    assert gains.shape == (40,)
    assert gains.mean() == pytest.approx(lab.figure("evolution gains over elitism", lab.OURS).value, abs=1e-3)
    assert (lab.aging_gains(2, 1) == gains[1:3]).all()
    again = lab.figure("evolution gains over elitism, fresh seeds", lab.OURS)
    assert lab.aging_gains(160, 1000).mean() == pytest.approx(again.value, abs=1e-3)
    for wrong in ((0,), (201,), (2.0,), (5, -1)):
        with pytest.raises(ValueError, match="whole number"):
            lab.aging_gains(*wrong)


def test_a_truth_at_hand_is_measured_beside_the_record(monkeypatch):
    monkeypatch.setattr(lab, "figure", lambda finding, truth: Interval(0.5))
    found = {finding: (now, then) for _, finding, now, then in lab.again([macro_truth()])}
    assert found["madds"][0].value == pytest.approx(1) and found["madds"][1].value == 0.5
    assert lab.again([]) == []


def test_the_matrix_shows_all_rows():
    view = lab.matrix()
    assert len(view.findings) == len(lab.ROWS) and tuple(view.truths) == lab.TRUTHS
    assert view.still().startswith(b"\x89PNG") and np.all([one.told for one in view.findings])
