"""Few measurements on a new device: each way on devices whose answer is known, and what was recorded of real ones."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from nasviz.hardware import EdgeCosts
from nasviz.hardware.edge_costs import multiply_adds, without_dead
from nasviz.hardware.new_device import WAYS, Known, alone, counting, judge, nearest, towards_mean, towards_others
from nasviz.lessons import device_transfer as lab
from nasviz.paths import data_dir

RNG = np.random.default_rng(0)
EVERY = np.array(list(product(range(5), repeat=6)))
CELLS = EVERY[without_dead(EVERY)][::40]
FEW = np.arange(0, len(CELLS), len(CELLS) // 12)[:12]


def device(base, skip, small, large, pool, spread=0.0):
    """A device whose costs are those of operations, with a difference between edges."""
    row = (0.0, skip, small, large, pool)
    costs = tuple(tuple(ms * (1 + spread * RNG.normal()) for ms in row) for _ in range(6))
    return EdgeCosts(base, costs=costs).predict(CELLS)


OTHERS = np.array([device(2, 0.1, 1, 6, 1, 0.1), device(3, 0.4, 1, 1, 0.8, 0.1), device(1, 0, 0.4, 1.5, 1.5, 0.1),
                   device(5, 0.2, 2, 9, 3, 0.1)])  # fmt: skip
KNOWN = Known(CELLS, OTHERS)


def off(way, new, cells=FEW):
    """The median relative error of a way."""
    return np.median(np.abs(way(KNOWN, cells, new[cells]) / new - 1))


def test_a_line_through_the_multiply_adds_is_exact_where_they_tell():
    assert off(counting, 3 + 0.2 * multiply_adds(CELLS)) < 1e-9
    falls = counting(KNOWN, FEW, 9 - 0.02 * multiply_adds(CELLS)[FEW])
    assert (np.argsort(falls, kind="stable") == np.argsort(multiply_adds(CELLS), kind="stable")).all()


def test_six_numbers_are_exact_where_only_operations_count():
    assert off(alone, device(4, 0.3, 0.7, 2.0, 0.1)) < 1e-9 < off(alone, device(4, 0.3, 0.7, 2.0, 0.1, 0.2))


def test_the_nearest_device_is_found_whatever_its_scale():
    assert off(nearest, 7 + 0.3 * OTHERS[2]) < 1e-9
    assert nearest(Known(CELLS, np.ones((2, len(CELLS)))), FEW, OTHERS[0][FEW]) == pytest.approx(OTHERS[0][FEW].mean())


@pytest.mark.parametrize("way", [towards_mean, towards_others])
def test_a_prior_is_kept_with_few_measurements_and_left_with_many(way):
    mean = KNOWN.columns @ KNOWN.models[0].mean(0)
    assert off(way, 30 * mean) < 1e-6  # it is a device of the mean's kind, thirty times as slow
    new = device(4, 0.1, 3, 3, 0.2, 0.3)
    many = np.arange(len(CELLS))[::2]
    assert off(way, new, many) < 0.5 * off(way, new, FEW[:4])


def test_what_is_known_of_others_helps_where_measurements_are_few():
    new = device(3, 0.15, 1.4, 7, 1.8, 0.1)
    few = {name: np.median([abs(judge(KNOWN, new, 4, (draw,), np.arange(50))[name][1]) for draw in range(8)])
           for name in WAYS}  # fmt: skip
    assert few["31 numbers, as others differ"] < few["six numbers, no other device"]


def test_a_judgement_is_drawn_by_its_seed_and_sees_no_judge():
    new = device(3, 0.15, 1.4, 7, 1.8, 0.1)
    held_out = np.arange(0, len(CELLS), 2)
    first = judge(KNOWN, new, 6, (1,), held_out)
    assert first == judge(KNOWN, new, 6, (1,), held_out) != judge(KNOWN, new, 6, (2,), held_out)
    other = new.copy()
    other[held_out] = RNG.permutation(other[held_out])  # what a way is told does not change
    again = judge(KNOWN, other, 6, (1,), held_out)
    assert again.keys() == first.keys() == WAYS.keys() and again != first
    for measured in (2, len(CELLS), 3.0):
        with pytest.raises(ValueError, match="measured"):
            judge(KNOWN, new, measured, (1,), held_out)


def test_known_devices_must_be_measured_everywhere():
    with pytest.raises(ValueError, match="a finite number for each"):
        Known(CELLS, OTHERS[:, 1:])
    with pytest.raises(ValueError, match="a finite number for each"):
        Known(CELLS, np.where(OTHERS > 0, np.nan, OTHERS))
    some = KNOWN.only([0, 2])
    assert some.models[0] == pytest.approx(Known(CELLS, OTHERS[[0, 2]]).models[0])


# ---------------------------------------------------------------------------------------------------- what was recorded
def test_a_device_is_left_out_with_its_batches():
    assert [lab.card(name) for name in ("1080ti_256", "titan_rtx_1", "silver_4114", "essential_ph_1", "pixel2")] == [
        "1080ti", "titan_rtx", "silver_4114", "essential_ph", "pixel2"]  # fmt: skip
    assert {lab.kind(name) for name in ("titanx_1", "2080ti_32")} == {"graphics card"}
    assert lab.kind("gold_6226") == "server processor" and lab.kind("samsung_s7") == "phone"
    columns = ("titanx_1", "titanx_32", "2080ti_1", "pixel2")
    study = lab.Study(columns, Known(CELLS, OTHERS))
    found = study.drawn("titanx_1", 5, "the device", draws=3)
    only = lab.Study(columns, KNOWN).known.only([2, 3])
    held_out = np.arange(len(CELLS) // 2)
    assert found[1].tolist() == [list(pair) for pair in judge(only, OTHERS[0], 5, (1, 0), held_out).values()]
    with pytest.raises(ValueError, match="the columns of HELP are titanx_1"):
        study.drawn("raspi4", 5, "the device")


def test_the_record_is_whole_and_says_what_suffices():
    transfer = lab.recorded_transfer()
    assert len(transfer.columns) == 23 and len(set(transfer.devices)) == 13
    assert transfer.measured == lab.MEASURED and transfer.ways == tuple(WAYS)
    assert transfer.tau.shape == (2, 7, 5, 23) and transfer.tau.max() <= 1 and transfer.error.min() > 0
    assert transfer.by_device().shape == (2, 7, 5, 13)
    six, near, others = "six numbers, no other device", "the nearest device", "31 numbers, as others differ"
    assert transfer.less("the device", 3, others, six).low > 0  # three measurements: the others help
    assert transfer.less("all of its kind", 20, six, near).low > 0  # twenty: a model of one's own is better
    assert transfer.enough("the device", six) == 20 and transfer.enough("the device", "multiply-adds") is None
    one = transfer.interval("the device", 10, six)
    assert one.low < one.value < one.high
    table = lab.errors(transfer, "all of its kind", "tau").data
    assert (
        len(table.splitlines()) == 2 + 5 and f"{transfer.interval('all of its kind', 3, six, 'tau').value:.2f}" in table
    )


def test_the_curves_follow_their_buttons():
    view = lab.TransferCurves(lab.recorded_transfer())
    before, first = view.still(), view.text
    assert list(view.figure.data[2].y) == pytest.approx(view.bands["multiply-adds"][0].tolist())
    view.what.value = "tau"
    assert view.text != first and view.still() != before and max(view.figure.data[2].y) < 1
    view.left_out.value = "all of its kind"
    nearest_last = view.transfer.interval("all of its kind", 300, "the nearest device", "tau").value
    assert view.figure.data[14].y[-1] == pytest.approx(nearest_last)


@pytest.mark.parametrize("change", [{"version": 2}, {"tau": [1.0]}, {"ways": ["one"]}, {"about": 3}, {"measured": None},
                                    {"devices": ["x"]}], ids=str)  # fmt: skip
def test_a_damaged_record_is_refused(tmp_path, change):
    whole = json.loads((data_dir() / lab.FILE).read_text("utf-8"))
    (tmp_path / "bad.json").write_text(json.dumps({**whole, **change}))
    with pytest.raises(ValueError, match=r"bad\.json"):
        lab.recorded_transfer(tmp_path / "bad.json")
    transfer = lab.recorded_transfer()
    assert replace(transfer, error=transfer.error + 1).enough("the device", "multiply-adds", 2.0) == 3
