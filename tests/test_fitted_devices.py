"""Models of real devices on NAS-Bench-201: what is run, what is fitted, and the file that travels."""

import json
from itertools import product

import numpy as np
import pytest

from nasviz.estimators import TableLookup, WithCost, nasbench201_table
from nasviz.hardware import EdgeCosts, published_device, published_devices
from nasviz.hardware.edge_costs import as_run, connected, design, longest_path, multiply_adds, without_dead
from nasviz.hardware.fitted_devices import FILE, about_devices, load_devices, save_devices
from nasviz.nn import count
from nasviz.objectives import Less, accuracy
from nasviz.paths import data_dir
from nasviz.run import Run
from nasviz.spaces import NasBench201
from nasviz.strategies import Nsga2

SPACE = NasBench201()
EVERY = np.array(list(product(range(5), repeat=6)))
RNG = np.random.default_rng(0)
COSTS = tuple((0.0, *row) for row in np.round(RNG.uniform(0.1, 3, (6, 4)), 2).tolist())


# --------------------------------------------------------------------------------------------------------- what is run
@pytest.mark.parametrize(
    "arch, unread, dead",
    [
        ((3, 0, 2, 3, 0, 0), (0, 0, 0, 3, 0, 0), (0, 0, 0, 3, 0, 0)),  # node 2 leads nowhere, so node 1 does neither
        ((0, 0, 2, 3, 4, 0), (0, 0, 0, 3, 4, 0), (0, 0, 0, 3, 0, 0)),  # node 1 is fed by nothing, and read
        ((0, 0, 2, 0, 0, 2), (0, 0, 2, 0, 0, 2), (0, 0, 0, 0, 0, 0)),  # the input is cut off
        ((3, 1, 2, 4, 3, 1), (3, 1, 2, 4, 3, 1), (3, 1, 2, 4, 3, 1)),
    ],
)
def test_what_a_device_skips(arch, unread, dead):
    assert as_run([arch], "nothing").tolist() == [list(arch)]
    assert as_run([arch], "unread").tolist() == [list(unread)]
    assert as_run([arch], "dead").tolist() == [list(dead)]


def test_what_is_dead_changes_no_function():
    assert connected(EVERY).sum() == 15_625 - 341  # published: 341 networks at chance
    assert without_dead(EVERY).sum() == 9_444
    some = EVERY[RNG.choice(len(EVERY), 200, replace=False)]
    for arch, run in zip(some.tolist(), as_run(some, "dead").tolist(), strict=True):
        assert SPACE.canonical(tuple(arch)) == SPACE.canonical(tuple(run))
    assert [SPACE.canonical(tuple(arch)) != "0" for arch in some.tolist()] == connected(some).tolist()


def test_counts_by_hand():
    chain, wide = (3, 0, 3, 0, 0, 3), (3, 1, 0, 4, 2, 2)
    assert longest_path([chain, wide, (0,) * 6, (1,) * 6]).tolist() == [3, 2, 0, 0]
    one = SPACE.network((0, 0, 0, 2, 0, 0), channels=16, cells=5, stages=3, colors=3)
    none = SPACE.network((0, 0, 0, 1, 0, 0), channels=16, cells=5, stages=3, colors=3)
    million = (count.madds(one, (3, 32, 32)) - count.madds(none, (3, 32, 32))) / 1e6
    assert multiply_adds([(0, 0, 0, 2, 0, 0)]) == pytest.approx(million)
    assert multiply_adds([wide]) == pytest.approx(11 * million)
    pixels = 5 * (16 * 32**2 + 32 * 16**2 + 64 * 8**2) / 1e6
    assert multiply_adds([wide], others=True) == pytest.approx(11 * million + 18 * pixels)


@pytest.mark.parametrize("archs", [[(0, 1, 2)], (0, 1, 2, 3, 4, 0), [(0, 0, 0, 0, 0, 5)], [(0.5,) * 6], [(-1,) * 6]])
def test_what_is_no_cell_is_refused(archs):
    with pytest.raises(ValueError, match="architectures of NAS-Bench-201|from 0 to 4"):
        connected(archs)


# ------------------------------------------------------------------------------------------------------------- the fit
def test_a_fit_finds_the_costs_that_made_the_numbers():
    model = EdgeCosts(2.5, costs=COSTS)
    cells = EVERY[RNG.choice(len(EVERY), 400, replace=False)]
    found = EdgeCosts.fit(cells, model.predict(cells))
    assert found.predict(EVERY) == pytest.approx(model.predict(EVERY))
    assert found.coefficients == pytest.approx(model.coefficients)
    assert model.predict([(3, 0, 1, 0, 0, 2)]) == pytest.approx(2.5 + COSTS[0][3] + COSTS[2][1] + COSTS[5][2])
    assert model.by_operation()[1:] == pytest.approx(np.mean(COSTS, 0)[1:])


def test_a_ridge_stays_at_its_prior_as_far_as_it_is_strong():
    prior, cells = EdgeCosts(1.0, costs=COSTS), EVERY[::3000]
    measured = 2 * prior.predict(cells)
    off = [np.abs(EdgeCosts.fit(cells, measured, prior=prior.coefficients, ridge=ridge).predict(cells) - measured).max()
           for ridge in (1e-6, 1.0, 1e6)]  # fmt: skip
    assert off[0] < 1e-3 < off[1] < off[2]
    stays = EdgeCosts.fit(cells, measured, prior=prior.coefficients, ridge=1e9)
    assert stays.coefficients == pytest.approx(prior.coefficients, abs=1e-5)
    assert design(cells).shape == (len(cells), 31)


def test_a_fit_refuses_what_it_cannot_use():
    for measured in ([1.0], [1.0, np.nan], [[1.0, 2.0]]):
        with pytest.raises(ValueError, match="one finite measurement for each of 2"):
            EdgeCosts.fit(EVERY[:2], measured)
    with pytest.raises(ValueError, match="ridge"):
        EdgeCosts.fit(EVERY[:2], [1.0, 2.0], ridge=-1)
    with pytest.raises(ValueError, match="skips one of"):
        EdgeCosts(1.0, costs=COSTS, skipped="some")
    with pytest.raises(ValueError, match="of shape"):
        EdgeCosts(1.0, costs=COSTS[:5])
    with pytest.raises(ValueError, match="costs"):
        EdgeCosts(1.0, costs=((np.nan,) * 5, *COSTS[1:]))


# ------------------------------------------------------------------------------------------------------------ the file
def test_six_devices_travel_with_their_errors():
    devices = published_devices()
    assert [device.name for device in devices] == [
        "Raspberry Pi 4", "Pixel 3", "Edge GPU", "Edge TPU", "FPGA", "Eyeriss"]  # fmt: skip
    for device in devices:
        held = device.held_out["latency_ms"]
        assert held.median_error <= 0.07 and held.tau > 0.84
        assert held.tau > held.tau_counted > held.tau_madds  # counting is worse, however one counts
        assert held.fitted == (held.fitted + held.judged) // 10
        assert device.costs["latency_ms"].predict(EVERY).min() > 0
        assert device.times(EVERY[:3]).tolist() == [device.ms(tuple(arch)) for arch in EVERY[:3].tolist()]
        assert all(row[0] == 0 for model in device.costs.values() for row in model.costs)
    assert {device.name for device in devices if "energy_mj" in device.costs} == {"Edge GPU", "FPGA", "Eyeriss"}
    assert [device.how for device in devices].count("computed") == 2
    assert {"source", "paper", "licence", "command", "cells", "units"} <= about_devices().keys()


def test_the_file_tells_why_counting_fails():
    gpu, tpu, chip = (published_device(name).costs["latency_ms"] for name in ("edge gpu", "EDGE TPU", "Eyeriss"))
    skip, small, large, pool = gpu.by_operation()[1:]
    assert small == pytest.approx(large, rel=0.05) and skip > 0.3 * large  # nine times the multiply-adds, equal time
    assert tpu.by_operation().argmax() == 4 and tpu.skipped == "dead"  # pooling is its dearest
    assert chip.by_operation()[4] == pytest.approx(chip.by_operation()[3], rel=0.01)  # a pooling is a convolution
    assert gpu.skipped == "unread" and chip.skipped == "nothing"


def test_a_device_is_asked_by_its_name():
    pi = published_device("raspberrypi 4")
    arch = (3, 3, 0, 3, 0, 0)  # what enters node 1 and node 2 is read by nobody
    assert pi.ms(arch) == pytest.approx(pi.ms((0, 0, 0, 3, 0, 0)))
    assert pi.cost(arch) == {"latency_ms": pi.ms(arch)} and str(pi.target) == "Raspberry Pi 4 (fitted)"
    gpu = published_device("Edge GPU")
    assert gpu.cost(arch) == {"latency_ms": gpu.ms(arch), "energy_mj": gpu.mj(arch)}
    with pytest.raises(ValueError, match="no energy of Raspberry Pi 4: ask Edge GPU, FPGA, Eyeriss"):
        pi.mj(arch)
    with pytest.raises(ValueError, match="no published device is called 'phone'; there are Raspberry Pi 4"):
        published_device("phone")


def test_a_search_sees_a_real_device_and_its_record_goes_on(tmp_path):
    table, gpu = nasbench201_table(), published_device("edge gpu")
    search = Nsga2(
        SPACE, WithCost(TableLookup(table, seed=0), gpu.cost), evaluations=12, population=4, batch=4,
        objectives=(accuracy, Less("latency_ms")),
    )  # fmt: skip
    run = Run(search, tmp_path / "search.jsonl")
    steps = list(run)
    for step in steps:
        assert step.evaluation.scores["latency_ms"] == pytest.approx(gpu.ms(step.evaluation.arch))
    assert len(Run.load(tmp_path / "search.jsonl").steps) == len(steps) == 12


def test_what_is_written_is_read_back(tmp_path):
    save_devices(tmp_path / "some.json", published_devices()[:2], {"source": "a test"})
    assert load_devices(tmp_path / "some.json") == published_devices()[:2]


def damaged():
    whole = json.loads((data_dir() / FILE).read_text("utf-8"))
    model = whole["devices"][0]["models"]["latency_ms"]
    yield "no file", []
    yield "another version", {**whole, "version": 2}
    yield "no devices", {**whole, "devices": []}
    yield "a name that is none", {**whole, "devices": [{**whole["devices"][0], "name": 3}]}
    for name, value in (("base", "3"), ("base", None), ("costs", [[0.0] * 5] * 5), ("costs", 1), ("skipped", "x"),
                        ("held_out", {**model["held_out"], "tau": 2.0}), ("held_out", {})):  # fmt: skip
        entry = {**whole["devices"][0], "models": {"latency_ms": {**model, name: value}}}
        yield f"{name} {value!r:.20}", {**whole, "devices": [entry]}


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in damaged()])
def test_a_damaged_file_is_refused_with_its_name(tmp_path, content):
    (tmp_path / "devices.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"devices\.json"):
        load_devices(tmp_path / "devices.json")
