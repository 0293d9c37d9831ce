"""What lab 07 reads off its records: small cases by hand, and the records themselves."""

from types import SimpleNamespace

import numpy as np
import pytest

from nasviz.lessons import darts_collapse as lab
from nasviz.space import Choice
from nasviz.strategies import WatchedDarts
from nasviz.strategies.remedies import RECIPE, SMALL_SPACES, remedies

SPACE = SMALL_SPACES["sep"]
TRAINED = np.array([[0.5, 0.5, 0.9, 0.9], [0.6, 0.6, 0.6, 0.6], [0.8, 0.8, 0.6, 0.6], [0.7, 0.7, 0.7, 0.7]])
TWO = SimpleNamespace(choices=tuple(Choice(name, ("skip_connect", "sep_conv_3x3")) for name in ("0→1", "0→2")))


class FourRows:
    """A table of two edges with two options each; its rows are their cells in order."""

    columns = {"test_accuracy": TRAINED}

    def column(self, name, seed):
        return TRAINED.mean(1)

    def row(self, arch):
        return 2 * arch[0] + arch[1]

    def rows(self, archs):
        return np.array([self.row(arch) for arch in archs])


TRUTH = lab.Truth(TWO, FourRows())


def test_a_percentile_counts_ties_half():
    every = np.array([70.0, 80.0, 75.0, 80.0])
    assert [lab.percentile(own, every) for own in every] == [12.5, 75, 37.5, 75]


def test_a_truth_by_hand():
    assert TRUTH.accuracies == pytest.approx([70, 60, 70, 70])
    assert TRUTH.skips.tolist() == [2, 1, 1, 0] and TRUTH.best == (0, 0)
    assert TRUTH.percentile((0, 1)) == 12.5 and TRUTH.percentile((1, 1)) == 62.5
    # Ranks by the first two seeds 0, 1, 3, 2, by the others 3, 0½, 0½, 2: percentiles 12.5 + 25 a rank.
    assert TRUTH.halves() == pytest.approx(25 * (3 + 0.5 + 2.5 + 0) / 4)
    assert lab.effects(TRUTH) == pytest.approx([(70 + 70 - 70 - 60) / 2, (60 + 70 - 70 - 70) / 2])
    assert "| 1 | 2 | 65.0 | 60.0 to 70.0 |" in lab.by_skips(TRUTH).data


def found(*cells, seed=0, eigenvalues=()):
    """A search that had these cells of six edges, epoch by epoch."""
    strengths = np.stack([1 - np.array(cells), np.array(cells)], 2)
    return lab.Found(seed, SPACE, cells[-1], strengths, np.array(eigenvalues, float))


NONE, ONE, THREE, SIX = (1,) * 6, (0, *(1,) * 5), (0,) * 3 + (1,) * 3, (0,) * 6


def test_a_recorded_search_knows_its_cells():
    one = found(NONE, THREE, ONE, SIX)
    assert one.skips == 6 and one.cell(1) == THREE and one.cell(-1) == SIX
    assert one.first_with(0) == 0 and one.first_with(2) == 1 and one.first_with(4) == 3
    assert found(NONE, ONE).first_with(3) == -1


def test_the_rule_answers_with_the_epoch_five_before_it_fires():
    cells = [NONE] * 12
    assert found(*cells, eigenvalues=[1] * 12).stop == 11  # it never fires
    assert found(*cells, eigenvalues=[1] * 5 + [1.5] * 7).stop == 4  # 1 / 1.5 < 0.75 after ten epochs
    # Means of five: 1.2 after ten epochs (1 / 1.2 = 0.83), 1.4 after eleven (1 / 1.4 = 0.71).
    assert found(*cells, eigenvalues=[1] * 9 + [2] * 3).stop == 5


def test_ways_to_stop_and_gains():
    truth = lab.small_space("sep")
    cells = [NONE] * 5 + [ONE] + [SIX] * 6
    ten = [found(*cells, seed=seed, eigenvalues=[1] * 5 + [1.5] * 7) for seed in range(3)]
    ways = lab.stopping(truth, ten)
    assert [*ways] == ["at the end", "stopped by the eigenvalue", "all stopped after epoch 5"]
    end, rule, clock = ways.values()
    assert end == [truth.percentile(SIX)] * 3 and rule == clock == [truth.percentile(NONE)] * 3
    gain = truth.percentile(ONE) - truth.percentile(SIX)
    assert lab.gained(truth, ten, 6) == pytest.approx([gain] * 3) and not lab.gained(truth, ten, 12).any()


def test_two_readings_of_one_search():
    truth = lab.small_space("sep")
    last = remedies(SPACE)["DARTS-PT"].epochs
    half = found(*[SIX] * last, THREE)  # by weight six skips; three of them are left when they are taken away
    read = lab.readings(truth, [half])
    assert (read.by_weight, read.by_removal, read.agreement) == (0, 50, 50)
    assert read.gain == pytest.approx([truth.percentile(THREE) - truth.percentile(SIX)])


def test_early_stops_are_read_off_the_searches_of_darts():
    one = found(*[ONE] * 5, *[NONE] * 2, *[THREE] * 4, SIX, eigenvalues=[1] * 5 + [1.5] * 7)
    got = lab.answers({"DARTS": [one], "GDAS": [found(ONE)]})
    assert got == {"DARTS": [SIX], "GDAS": [ONE], "DARTS-ES": [ONE], "DARTS+": [THREE]}


@pytest.mark.parametrize("name", ["sep", "conv", "deep", "whole"])
def test_every_recorded_method_has_ten_seeds(name):
    for method, those in lab.searches(name).items():
        assert [one.seed for one in those] == list(range(lab.SEEDS)), method


def test_the_remedies_are_those_recorded():
    names = {*lab.searches("sep")}
    assert names - {*lab.CHANGES} == {name for name in names if name == "DARTS" or name.startswith("DARTS, ")}
    assert {*lab.CHANGES} - names == {"DARTS-ES", "DARTS+"} and len(lab.CHANGES) == 14


def test_the_comparison_has_a_line_for_drawing_at_random():
    places = {name: [60.0] * 10 for name in ("GDAS", "SNAS")} | {"DARTS": [40.0] * 10}
    lines = lab.compared(places).data.splitlines()[2:]
    assert [line.split(" | ")[0] for line in lines] == ["| GDAS", "| SNAS", "| *drawing at random*", "| DARTS"]
    assert "60 (60 to 60)" in lines[0] and "Dong & Yang 2019" in lines[0]


def test_who_is_above_random_and_who_better_than_darts():
    rng = np.random.default_rng(0)
    places = {name: list(50 + rng.normal(size=10)) for name in lab.CHANGES} | {"DARTS": [50.0] * 10}
    places |= {"GDAS": [70.0] * 10, "DARTS-PT": [30.0] * 10, "DARTS-ES": [90.0] * 10}
    assert {"GDAS", "DARTS-ES"} <= {*lab.above_random(places)} and "DARTS-PT" not in lab.above_random(places)
    assert lab.better_than_darts(places) == ["GDAS"]  # DARTS-ES is DARTS, stopped: not compared


def test_deviations_are_read_off_the_searches():
    text = lab.deviations().data
    assert f"| all | learning rate of α | 0.0003 | {RECIPE['alpha_lr']:g} |" in text
    assert "| PC-DARTS | one channel is mixed in | 4 | 2 |" in text


def test_slices_and_removals_of_a_live_search():
    search = WatchedDarts(SPACE, **RECIPE | {"images": 32, "epochs": 2}, watched=8)
    states = [step.state for step in search if step.state is not None]
    surfaces = lab.slices(search, {"first": states[0], "last": states[1]}, images=8, points=3)
    assert [*surfaces] == ["first", "last"]
    assert all(one.losses.shape == (3, 3) and np.isfinite(one.losses).all() for one in surfaces.values())
    lines = lab.taken_away(lab.small_space("sep"), search, states[1]).data.splitlines()
    assert len(lines) == 8
    for line in lines[2:]:
        _, _, first, second, kept = (part.strip() for part in line.strip("|").split("|"))
        assert kept == ("tie" if first == second else "convolution" if int(second) < int(first) else "skip")
