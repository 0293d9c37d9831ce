"""Latency: refused when noisy, looked up as measured, repaired, never half written; and what searches make of it."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from nasviz import hardware
from nasviz.estimators import TableLookup, WithCost, nasbench201_table
from nasviz.hardware import LatencyTable, Noisy, Roofline, Target, by_choice, measure, target, units
from nasviz.nn import count
from nasviz.objectives import Weighted
from nasviz.spaces import ElasticSpace, MobileSpace, NasBench201
from nasviz.step import Evaluation
from nasviz.strategies import Darts, LatencyDarts, RandomSearch

SPACE, IMAGE = NasBench201(), (1, 16, 16)


def timed(module, shape):
    """In place of a clock: a millisecond for each weight and each thousand inputs."""
    return count.parameters(module) + np.prod(shape) / 1000


@pytest.fixture(scope="module")
def table():
    return LatencyTable.build([SPACE.network((o,) * 6) for o in range(1, 5)], IMAGE, timed=timed)


class Clock:
    """Advances by what work takes."""

    def __init__(self, *durations):
        self.now, self.durations, self.calls = 0.0, durations, 0

    def __call__(self):
        return self.now

    def work(self):
        self.now += self.durations[self.calls % len(self.durations)]
        self.calls += 1


# ------------------------------------------------------------------------------------------------------- measuring
def test_the_median_in_milliseconds_and_the_middle_half():
    clock = Clock(0.010, 0.010, 0.010, 0.011, 0.012)
    found = measure(clock.work, clock=clock, samples=25)
    assert found.ms == pytest.approx(10) and found.spread == pytest.approx(0.1) and found.samples == 25


def test_short_work_is_repeated_within_a_sample():
    clock = Clock(1e-5)
    assert measure(clock.work, clock=clock, samples=5).ms == pytest.approx(0.01)
    assert clock.calls >= 2000 + 5 * 100


def test_a_noisy_machine_is_refused_and_a_quiet_moment_suffices():
    clock = Clock(0.01, 0.03)
    with pytest.raises(Noisy, match="too noisy.*3 tries.*25 % is allowed"):
        measure(clock.work, clock=clock)
    clock = Clock(*[0.01, 0.03] * 30, *[0.01] * 1000)
    assert measure(clock.work, clock=clock).ms == pytest.approx(10)


@pytest.mark.parametrize("wrong", [{"samples": 4}, {"tries": 0}, {"tolerance": 0}])
def test_impossible_measurements_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        measure(lambda: None, **wrong)


def test_a_network_is_left_as_it_was():
    network, before = SPACE.network((3,) * 6).train(), torch.get_num_threads()
    state = {name: t.clone() for name, t in network.state_dict().items()}
    assert hardware.latency(network, (1, *IMAGE), tolerance=1e9, samples=5).ms > 0
    assert network.training and torch.get_num_threads() == before
    assert all(torch.equal(state[name], t) for name, t in network.state_dict().items())
    with pytest.raises(ValueError, match="shape like"):
        hardware.latency(network, (16,))
    assert network.training


def test_memory_is_counted():
    layer = nn.Conv2d(2, 3, 1, bias=False)
    assert hardware.memory(layer, (1, 2, 4, 4)) == {"weights": 24, "activations": 4 * (32 + 48)}


class Residual(nn.Module):
    def forward(self, x):
        return x.relu() + torch.cat([x[:, :1], x[:, 1:]], 1).relu_()


def test_peak_memory_is_what_lives_at_once():
    image = 4 * 2 * 8 * 8
    layers = nn.Sequential(nn.ReLU(), nn.ReLU(), nn.ReLU())
    assert hardware.peak_memory(layers, (1, 2, 8, 8)) == 2 * image  # a layer's input and output
    assert hardware.peak_memory(Residual(), (1, 2, 8, 8)) == 3 * image  # kept beside, its other side, their sum
    assert hardware.peak_memory(nn.Flatten(), (1, 2)) == 0  # a view
    one, eight = (hardware.peak_memory(SPACE.network((3,) * 6), (batch, *IMAGE)) for batch in (1, 8))
    assert one > hardware.memory(SPACE.network((3,) * 6), (1, *IMAGE))["activations"] and eight == 8 * one


class Thirsty(nn.Module):
    """Draws two millijoules a pass from a counter."""

    def __init__(self, counter):
        super().__init__()
        self.counter = counter

    def forward(self, x):
        self.counter.write_text(str(int(self.counter.read_text()) + 2000))
        return x


def test_energy_is_the_counters_by_the_pass(tmp_path):
    package = tmp_path / "intel-rapl:0"
    package.mkdir()
    (package / "energy_uj").write_text("5")
    (package / "max_energy_range_uj").write_text(str(10**12))
    network = Thirsty(package / "energy_uj")
    assert hardware.energy(network, (1, 4), seconds=0.01, root=tmp_path) == pytest.approx(0.002)
    assert hardware.energy(network, (1, 4), seconds=0.0, root=tmp_path) == pytest.approx(0.002)
    assert network.training and hardware.energy(nn.ReLU(), (1, 4), seconds=0.0, root=tmp_path / "none") is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card")
def test_a_graphics_card_is_waited_for_and_named(tmp_path):
    network = SPACE.network((3,) * 6)
    small, large = (hardware.latency(network, (batch, *IMAGE), device="cuda", tolerance=1e9).ms for batch in (1, 4096))
    assert large > 2 * small > 0 and next(network.parameters()).device.type == "cpu"
    assert hardware.peak_memory(network, (8, *IMAGE), device="cuda") > 0
    built = LatencyTable.build([nn.ReLU()], IMAGE, device="cuda")
    assert built.device == torch.cuda.get_device_name() and LatencyTable.load(built.save(tmp_path / "t.json")) == built


# --------------------------------------------------------------------------------------------------------- looking up
def test_units_are_what_runs_with_their_shapes():
    found = [unit.key for unit in units(SPACE.network((3, 0, 1, 4, 2, 0)), IMAGE)]
    assert found[:3] == [
        "conv 3×3 1→8, BN @ 1×16×16",
        "ReLU, conv 3×3 8→8, BN @ 8×16×16",
        "AvgPool2d(kernel_size=3, stride=1, padding=1) @ 8×16×16",
    ]
    assert found[-1] == "linear 16→10 @ 16" and len(found) == 10  # 2 × 3 in cells, stem, reduction, head, linear
    assert "ReLU, conv 3×3 stride 2 8→16, BN @ 8×16×16" in found


@pytest.mark.parametrize("space", [MobileSpace(), ElasticSpace()], ids=lambda s: s.name)
def test_every_convolution_of_a_space_is_in_one_unit(space):
    with torch.device("meta"):
        network = space.network(space.sample(np.random.default_rng(1)))
    found = units(network, IMAGE)
    assert sum(unit.madds for unit in found) == count.madds(network, IMAGE)


def test_the_sum_of_one_operation_is_its_entry(table):
    one = nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))
    assert table.predict(one, (8, 16, 16)) == table.ms["ReLU, conv 3×3 8→8, BN @ 8×16×16"]
    with pytest.raises(KeyError, match="never measured: linear 5→2"):
        table.predict(nn.Linear(5, 2), (5,))


def test_the_overhead_is_found_where_there_is_one(table):
    rng = np.random.default_rng(0)
    networks = [SPACE.network(SPACE.sample(rng)) for _ in range(30)]
    rows = [table.by_operation(network, IMAGE) for network in networks]
    true = [2.0 + 0.5 * sum(ms for _, ms in row) + 0.25 * len(row) for row in rows]
    fitted = table.fit(networks[:20], true[:20], IMAGE)
    assert fitted.overhead.fixed == pytest.approx(2) and fitted.overhead.each == pytest.approx(0.25)
    errors = np.abs(fitted.errors(networks[20:], true[20:], IMAGE))
    assert errors[:, 1].max() < 1e-9 < errors[:, 0].min()
    with pytest.raises(ValueError, match="10 networks or more"):
        table.fit(networks[:5], true[:5], IMAGE)


def test_a_table_reads_back_and_another_machine_is_named(table, tmp_path):
    path = table.save(tmp_path / "latency.json")
    assert LatencyTable.load(path) == table and table.note == ""
    replace(table, device="an abacus", made="1900-01-01").save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # from elsewhere: that is no fault
        note = LatencyTable.load(path).note
    assert "those of an abacus (1900-01-01)" in note and hardware.device_name() in note
    assert "\n" not in note and str(tmp_path) not in note


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"ms": {}}', "null", '{"overhead": {"x": 1}}'])
def test_a_damaged_file_is_a_clear_error(text, tmp_path):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(ValueError, match="t.json is no latency table"):
        LatencyTable.load(tmp_path / "t.json")


def test_an_interrupted_measurement_leaves_the_old_file(table, tmp_path):
    path, before = table.save(tmp_path / "t.json"), (tmp_path / "t.json").read_bytes()
    calls = []

    def broken(module, shape):
        calls.append(shape)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 1.0

    with pytest.raises(KeyboardInterrupt):
        LatencyTable.build([SPACE.network((3,) * 6)], IMAGE, timed=broken).save(path)
    with pytest.raises(TypeError):
        replace(table, ms={"a": object()}).save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_the_shipped_tables_are_read():
    from nasviz.paths import data_dir

    found = sorted(data_dir().glob("latency-*.json"))
    assert found
    for path in found:
        raw = json.loads(path.read_text("utf-8"))
        assert raw["device"] and raw["made"] and min(raw["ms"].values()) > 0


# ------------------------------------------------------------------------------------------------------------ devices
def test_a_roofline_is_the_slower_of_arithmetic_and_memory():
    layer = nn.Conv2d(4, 4, 1, bias=False)  # 16 weights; 4×4 images: 256 multiply-adds
    assert Roofline(madds=1e-6, bandwidth=1e9, launch=0).predict(layer, (4, 4, 4)) == pytest.approx(256.0)
    assert Roofline(madds=1e9, bandwidth=1e-6, launch=0).predict(layer, (4, 4, 4)) == pytest.approx(4 * (64 + 64 + 16))
    assert Roofline(madds=1e9, bandwidth=1e9, launch=5).predict(layer, (4, 4, 4)) == pytest.approx(0.005, rel=1e-3)


def test_a_target_says_where_its_numbers_come_from(table):
    simulated = target("phone", Roofline(20, 2, 5), SPACE, IMAGE)
    real = target("this CPU", table, SPACE, IMAGE)
    assert str(simulated) == "phone (simulated)" and str(real) == "this CPU (measured)"
    times = hardware.times([simulated, real], [(3,) * 6, (1,) * 6])
    assert times[1, 0] == table.predict(SPACE.network((3,) * 6), IMAGE)
    with pytest.raises(ValueError, match="measured, fitted, simulated or published"):
        Target("x", "guessed", lambda arch: 1.0)


def test_searches_see_the_latency(table):
    truth = nasbench201_table()
    estimate = WithCost(TableLookup(truth), target("here", table, SPACE, IMAGE).cost)
    search = RandomSearch(truth.known(), estimate, evaluations=5, objective=Weighted("latency_ms", 1e3))
    for step in search:
        arch = step.evaluation.arch
        assert step.evaluation.scores["latency_ms"] == table.predict(SPACE.network(arch), IMAGE)


# ------------------------------------------------------------------------------------- what searches make of latency
def reward(accuracy, ms, **w):
    return Weighted("latency_ms", 10.0, **w)(Evaluation((0,), {"accuracy": accuracy, "latency_ms": ms}))


def test_mnasnets_rewards_at_their_fixed_points():
    assert reward(0.5, 10.0) == 0.5 and reward(0.5, 10.0, below=0.0, above=-1.0) == 0.5  # at the target
    assert reward(0.5, 5.0, below=0.0, above=-1.0) == 0.5  # hard: fast is free
    assert reward(0.5, 20.0, below=0.0, above=-1.0) == 0.25
    w = -np.log2(1.05)  # doubling the latency for 5 % more accuracy is neutral
    assert reward(0.5 * 1.05, 20.0, below=w, above=w) == pytest.approx(0.5) and round(w, 2) == -0.07
    assert reward(float("nan"), 5.0) == -np.inf
    with pytest.raises(ValueError, match="Weighted: target is 0.0"):
        Weighted("latency_ms", 0.0)
    with pytest.raises(ValueError, match="no score 'latency_ms' to weigh"):
        Weighted("latency_ms", 1.0)(Evaluation((0,), {"accuracy": 0.5}))


def test_the_expected_latencys_gradient_against_finite_differences(table):
    small = {"images": 128, "batch": 64, "epochs": 1, "size": 8, "network": {"channels": 4}}
    ms = by_choice(target("here", table, SPACE, IMAGE).ms, SPACE, (1,) * 6)
    search = LatencyDarts(SPACE, latency=ms.tolist(), **small)
    state = search.begin()
    alphas = torch.randn(6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    state.alphas = alphas.clone().requires_grad_()
    (slope,) = torch.autograd.grad(search.expected(state), [state.alphas])
    for edge, option in ((0, 0), (3, 2), (5, 4)):
        ends = []
        for sign in (1, -1):
            state.alphas = alphas.clone()
            state.alphas[edge, option] += sign * 1e-5
            ends.append(search.expected(state).item())
        assert slope[edge, option].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-7)
    free = list(LatencyDarts(SPACE, latency=ms.tolist(), latency_weight=0.0, **small))
    assert free == list(Darts(SPACE, **small))  # worth nothing, it is DARTS
    with pytest.raises(ValueError, match="a row an edge"):
        list(LatencyDarts(SPACE, **small))


def test_what_a_choice_adds_is_what_the_table_says(table):
    ms = by_choice(target("here", table, SPACE, IMAGE).ms, SPACE, (1,) * 6)
    conv = table.ms["ReLU, conv 3×3 8→8, BN @ 8×16×16"] + table.ms["ReLU, conv 3×3 16→16, BN @ 16×8×8"]
    assert ms.shape == (6, 5) and np.allclose(ms[:, 3], conv) and (ms[:, :2] == 0).all()


def test_onnx_computes_the_same_if_it_is_there():
    pytest.importorskip("onnxruntime")
    from nasviz.hardware import onnx

    network = SPACE.network((3, 2, 4, 1, 0, 3))
    images = torch.randn(2, *IMAGE, generator=torch.Generator().manual_seed(1))
    said = onnx.session(network, images.shape)(images.numpy())
    assert np.abs(said - network.eval()(images).detach().numpy()).max() < 1e-5


def test_onnx_in_eight_bits_computes_nearly_the_same():
    pytest.importorskip("onnxruntime")
    from nasviz.hardware import onnx

    generator = torch.Generator().manual_seed(1)
    layer = nn.Conv2d(1, 4, 3, padding=1)
    with torch.no_grad():
        for weights in layer.parameters():
            weights.uniform_(-1 / 3, 1 / 3, generator=generator)
    images = 2 * torch.rand(2, *IMAGE, generator=generator) - 1  # within the range that was calibrated
    exact = layer(images).detach().numpy()
    said = onnx.session(layer, images.shape, int8=True)(images.numpy())
    off = np.abs(said - exact).max() / np.abs(exact).max()
    assert 1e-5 < off < 0.05  # rounded, and no more: sums that overflow 16 bits are 0.28 off
