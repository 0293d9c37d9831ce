"""Lab 14: harms and their sums, the programme by slider, and what is made of the records, by hand on small ones."""

import json

import numpy as np
import pytest

from nasviz.lessons import shrinking as lab
from nasviz.lessons import shrinking_records as recorded
from nasviz.lessons import shrinking_ways as ways
from nasviz.lessons.shrinking_ways import REST, SPACE, WHOLE


@pytest.fixture
def measured_once(monkeypatch):
    """Harms as they are recorded, so that no test measures them."""
    monkeypatch.setattr(lab, "harms", lambda: {"kl": recorded.recorded_harms()})


# ------------------------------------------------------------------------------------------------------------- live
def test_a_share_is_one_of_the_half_blocks_work():
    assert lab.share_of(SPACE.largest) == 1 and lab.share_of(SPACE.smallest) == 0
    assert lab.limit(1).allows(SPACE.largest) and not lab.limit(0.99).allows(SPACE.largest)
    for wrong in (0, 1.5, "0.5", -0.1):
        with pytest.raises(ValueError, match="share"):
            lab.limit(wrong)


def test_half_blocks_are_told_by_their_places():
    assert [lab.kind(place) for place in (0, 5, 6, 11)] == [
        "an early attention", "an early feed-forward network", "a late attention", "a late feed-forward network"
    ]  # fmt: skip


def test_networks_are_drawn_near_their_budget_and_the_same_again():
    for share in lab.SHARES:
        archs = lab.draws(share, 3)
        assert archs == lab.draws(share, 3)
        assert all((1 - lab.BAND) * share <= lab.share_of(arch) + 1e-9 <= share + 2e-9 for arch in archs)


def test_means_of_a_share_and_the_chart_that_shows_them():
    found = [lab.Added(0.5, 0.1, 0.2), lab.Added(0.5, 0.3, 0.6), lab.Added(0.2, 1.0, 3.0)]
    assert lab.bend(found) == [(0.5, pytest.approx(0.2), pytest.approx(0.4)), (0.2, 1.0, 3.0)]
    chart = lab.Additive(found)
    assert "50%: 0.20 foretold, 0.40 measured" in chart.text and chart.still().startswith(b"\x89PNG")
    assert len(chart.figure.data) == 3, "a line, and dots of two shares"


def test_the_slider_solves_the_programme_in_either_unit(measured_once):
    slider = lab.BudgetSlider(0.2)
    assert slider.arch == slider.stack.arch == lab.chosen(0.2) and lab.share_of(slider.arch) <= 0.2
    slider.share.value = 1.0
    assert lab.share_of(slider.arch) > 0.7, "a whole budget is spent, but for variants that do no harm"
    slider.unit.value, slider.share.value = "milliseconds", 0.3
    ms = recorded.times()
    assert ms(slider.arch) - ms.rest <= 0.3 * (ms(SPACE.largest) - ms.rest) * (1 + 1e-6)
    assert "30% of the milliseconds" in slider.text and slider.still().startswith(b"\x89PNG")


def test_the_programme_does_no_more_harm_in_sum_than_draws(measured_once):
    harms = recorded.recorded_harms()
    best = lab.harm_of(lab.chosen(0.35), harms)
    assert all(best <= lab.harm_of(arch, harms) for arch in lab.draws(0.35))


def test_the_parent_cut_to_its_full_size_is_the_parent():
    cut = lab.truncated()
    assert list(cut) == ["S", "M", "L", "XL"]
    assert cut["XL"] == pytest.approx(lab.tested(SPACE.largest, lab.parent().parent), abs=0.05)
    assert cut["S"] < cut["XL"] - 2, "nobody trained the first neurons to work alone"


def test_a_lead_needs_a_share_and_seeds():
    for wrong in ((0.05, 5), (0.3, 0), (0.3, 2.5), (0.3, 21), ("0.3", 5)):
        with pytest.raises(ValueError, match="share is|seeds is"):
            lab.lead(*wrong)


# --------------------------------------------------------------------------------------------------------- recorded
def test_what_is_recorded_is_what_is_asked_for():
    asked = set(ways.TRAININGS)
    for row in recorded.rows("trainings"):
        assert (row["way"], row["epochs"]) in asked and row["seed"] in ways.SEEDS and 50 < row["after"] < 100
        share = (row["madds"] - REST) / WHOLE
        assert share <= ways.SHARE + 1e-6 or row["way"] == ways.ALONE_S
    assert {ways.PUZZLE, ways.UNIFORM, ways.DEPTH} <= set(recorded.networks(0.2))
    assert SPACE.madds(SPACE.largest) == REST + WHOLE and recorded.recorded_harms().shape == (12, 5)


def test_recorded_harms_are_those_of_the_parent_that_comes_along():
    place, option = 1, 0  # the first feed-forward network, left out
    arch = tuple(option if i == place else best for i, best in enumerate(SPACE.largest))
    assert lab.measured(arch) == pytest.approx(recorded.recorded_harms()[place, option], rel=1e-3)


def test_an_interval_over_three_is_students():
    told = recorded.over([1, 2, 3])
    assert (told.value, told.high - told.value) == (2, pytest.approx(4.3027 / 3**0.5, abs=1e-3))
    assert np.isnan(recorded.over([5]).low) and recorded.over([5]).value == 5


def of(monkeypatch, **records):
    monkeypatch.setattr(recorded, "rows", lambda name: tuple(records.get(name, ())))


def network(parent, method, before, after, seed=0):
    return {"what": "network", "parent": parent, "share": 0.2, "method": method, "seed": seed, "before": before,
            "after": after}  # fmt: skip


def test_ways_are_compared_parent_by_parent(monkeypatch):
    lines = [network(0, "programme", 70, 80), network(0, "programme", 70, 82, 1), network(1, "programme", 72, 84),
             network(0, "depth", 30, 78), network(1, "depth", 42, 83),
             network(0, "random 0", 20, 70), network(0, "random 1", 30, 72)]  # fmt: skip
    of(monkeypatch, parents=lines)
    found = {one.method: one for one in recorded.compared(0.2)}
    assert found["programme"].after.value == 82.5 and found["programme"].ahead is None
    assert (found["depth"].parents, found["depth"].before, found["depth"].ahead.value) == (2, 36, 2)
    assert (found["random"].parents, found["random"].after.value) == (1, 71)
    assert recorded.gaps(0.2, "depth") == [(40, 3), (30, 1)] and recorded.gap(0.2, "depth") == (35, 2)
    assert recorded.shares() == [], "uniform is not there yet"
    assert recorded.frontier(["depth"]) == {}


def training(way, epochs, after, seconds, seed=0):
    return {"way": way, "epochs": epochs, "seed": seed, "before": 60.0, "after": after, "seconds": seconds}


def test_who_needs_a_parent_pays_for_it(monkeypatch):
    stages = [{"parent": 0, "what": what, "seconds": s} for what, s in (("parent", 60), ("library", 12), ("scores", 8))]
    lines = [training(ways.SCRATCH, 12, 84, 20), training(ways.SCRATCH, 12, 86, 30, 1),
             training(ways.PUZZLE, 2, 83, 5), training(ways.SAME, 12, 84, 20),
             training(ways.CONVOLUTIONS, 8, 86, 12)]  # fmt: skip
    of(monkeypatch, parents=stages, trainings=lines)
    assert {one.way: one.seconds for one in recorded.totals()} == {
        ways.CONVOLUTIONS: 12, ways.SCRATCH: 25, ways.PUZZLE: 85, ways.SAME: 100
    }  # fmt: skip
    assert recorded.total(ways.SCRATCH, 12).accuracy.value == 85
    assert recorded.by_seconds()[ways.PUZZLE] == [(85, 83, 83, 83)]
    assert {e: t.value for e, t in recorded.longer()[ways.PUZZLE].items()} == {0: 60, 2: 83}


def test_members_alone_are_spread_and_noisy(monkeypatch):
    names = [ways.Entangled().to_text(arch) for arch in ways.children()[:5]]
    lines = [{"arch": name, "seed": seed, "test_accuracy": 80.0 + place + seed} for place, name in enumerate(names)
             for seed in (0, 1)]  # fmt: skip
    inside = [{"kind": "entangled", "inherited": {name: 70.0 - place for place, name in enumerate(names)}}]
    of(monkeypatch, alone=lines, supernets=inside)
    told = recorded.entanglement()
    assert (told.members, told.seeds) == (5, 2) and told.spread == pytest.approx(2.5**0.5)
    assert told.noise == pytest.approx(0.5**0.5)
    assert (told.between.value, told.inherited[0].value) == (pytest.approx(1), pytest.approx(-1))
    of(monkeypatch, alone=lines[:6], supernets=inside)
    assert recorded.entanglement() is None, "three members are too few"


def test_every_half_block_of_an_entangled_member_stays():
    space = ways.Entangled()
    assert all(min(arch) > 0 for arch in ways.children()) and space.rule((0, *[1] * 11))
    assert len(set(ways.children())) == 24


def test_records_are_lines_of_json():
    for path in recorded.folder().glob("*.jsonl"):
        assert all(isinstance(json.loads(line), dict) for line in path.read_text("utf-8").splitlines()), path
