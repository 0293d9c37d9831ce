"""From a trained elastic supernet to networks for devices: latency by layer, evolution within a bound, export."""

import numpy as np
import pytest
import torch

from nasviz.estimators import Inherited, LinearPredictor
from nasviz.hardware import LatencyTable, Overhead, Roofline, units
from nasviz.paths import data_dir
from nasviz.spaces import ElasticResNet, ElasticSpace
from nasviz.step import Evaluation
from nasviz.strategies import BigNas
from nasviz.strategies.specialise import Within, by_layer, by_stage, specialise

SPACE = ElasticSpace()
IMAGE = (1, 8, 8)


def cost(arch):
    """A made-up latency: layers, times how wide and how large they are."""
    layers = [kernel * expansion for unit in SPACE.units(arch) for kernel, expansion in unit]
    return SPACE.share(arch) * sum(layers) / 100


@pytest.fixture(scope="module")
def predictor():
    """One that likes what is large."""
    rng = np.random.default_rng(0)
    archs = [SPACE.sample(rng) for _ in range(120)]
    evaluations = [Evaluation(arch, {"inherited": 0.5 + cost(arch) / 20}) for arch in archs]
    return LinearPredictor(SPACE, score="inherited").fit(evaluations)


def test_the_best_within_the_target_is_near_it_and_better_than_chance(predictor):
    run = specialise(predictor, cost, 2.5, evaluations=600, seed=1)
    assert run.best.scores["latency_ms"] == cost(run.best.arch) <= 2.5 and len(run.steps) == 600
    drawn = [step.evaluation for step in run.steps[:100] if step.evaluation.scores["latency_ms"] <= 2.5]
    best = max(one.scores["predicted"] for one in drawn)
    assert run.best.scores["predicted"] > best + 0.01 and run.best.scores["latency_ms"] > 2.2
    faster = specialise(predictor, cost, 1.5, evaluations=600, seed=1).best
    assert faster.scores["latency_ms"] <= 1.5 and faster.scores["predicted"] < run.best.scores["predicted"]
    assert specialise(predictor, cost, 2.5, evaluations=600, seed=1).best == run.best


def test_a_target_that_none_reaches_is_a_sentence(predictor):
    with pytest.raises(ValueError, match=r"none of 40 architectures takes 0.01 ms or less; the fastest takes [\d.]+"):
        specialise(predictor, cost, 0.01, evaluations=40, population=20, tournament=5)


def test_within_ranks_the_feasible_first_then_by_excess():
    numbers = [(0.2, 10.0), (0.9, 11.0), (0.9, 20.0), (float("nan"), 1.0)]
    good, bad, worse, failed = (Evaluation((0,), {"predicted": p, "latency_ms": ms}) for p, ms in numbers)
    bound = Within("latency_ms", 10.0)
    assert bound(good) == 0.2 > bound(bad) > bound(worse) == -1.0 > bound(failed) == -np.inf


@pytest.mark.parametrize("source", ["simulated", "table"])
def test_latency_by_layer_is_that_of_the_network(source):
    rng = np.random.default_rng(2)
    archs = [SPACE.smallest, SPACE.largest, *(SPACE.sample(rng) for _ in range(1))]
    if source == "table":  # of made-up milliseconds: what counts is the sum and its repair
        keys = sorted({unit.key for arch in archs for unit in units(SPACE.network(arch), IMAGE)})
        ms = dict(zip(keys, rng.uniform(0.01, 0.1, len(keys)), strict=True))
        device = LatencyTable("nowhere", "torch", 1, 1, "2026-01-01", ms, Overhead(0.3, 0.9, 0.02))
    else:
        device = Roofline(madds=5.0, bandwidth=1.0, launch=2.0)
    fast = by_layer(device, SPACE, IMAGE)
    for arch in archs:
        assert fast(arch) == pytest.approx(device.predict(SPACE.network(arch), IMAGE), rel=1e-9)


@pytest.fixture(scope="module")
def inherited():
    search = BigNas(SPACE, images=64, network={"width": 0.1}, batch=64)  # untrained: what counts is where weights go
    return Inherited.of(search, search.begin().pack(), recalibrate=1)


def test_a_child_is_exported_with_the_same_outputs(inherited, tmp_path):
    """torch.export, no TorchScript; the resolution's scaling, and squeeze-excitation, among what is exported."""
    child = inherited.network_of(SPACE.sample(np.random.default_rng(4)))
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    program = torch.export.export(child, (images,))
    with torch.no_grad():
        assert torch.allclose(program.module()(images), child(images), atol=1e-5)


def test_a_child_taken_out_judges_as_it_did_inside(inherited):
    arch = SPACE.sample(np.random.default_rng(6))
    child, supernet = inherited.network_of(arch), inherited.supernet
    images = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(child(images), supernet.eval()(images, arch), atol=1e-6)
    assert not child.training


def test_a_child_is_written_as_onnx_with_the_same_outputs(inherited, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    from nasviz.hardware import onnx

    child = inherited.network_of(SPACE.smallest)
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    path = onnx.export(child, images.shape, tmp_path / "child.onnx")
    engine = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (told,) = engine.run(None, {engine.get_inputs()[0].name: images.numpy()})
    with torch.no_grad():
        assert np.abs(told - child(images).numpy()).max() < 1e-5


def test_milliseconds_by_stage_are_those_of_the_whole_network():
    space, table = ElasticResNet(), LatencyTable.load(data_dir() / "latency-elastic-resnet.json")
    ms, rng = by_stage(table, space, (1, 16, 16)), np.random.default_rng(3)
    archs = [space.smallest, space.largest, *(space.sample(rng) for _ in range(12))]
    for arch in archs:
        assert ms(arch) == pytest.approx(table.predict(space.network(arch), (1, 16, 16)))
    assert ms(space.smallest) == min(map(ms, archs)) and ms(space.largest) == max(map(ms, archs))
