"""What runs on a GPU, where there is one: the supernets, CUDA graphs, every DARTS-like search, shared weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch.nn import functional as F

from nasviz.estimators import Inherited
from nasviz.nn.gpu import Graphed, to_device
from nasviz.spaces import DartsSpace, ElasticSpace, NasBench201
from nasviz.strategies import (
    AdaptiveDarts,
    BigNas,
    Darts,
    DartsMinus,
    DartsPlus,
    DartsPT,
    DrNas,
    Enas,
    FairDarts,
    Gdas,
    OnceForAll,
    PcDarts,
    PDarts,
    RobustDarts,
    SecondOrderDarts,
    SmoothDarts,
    Snas,
    WatchedDarts,
)
from nasviz.strategies.darts_cuda_graphs import RecordedDarts, RecordedSecondOrderDarts

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use")
SIZE = {"channels": 4, "cells": 2, "device": "cuda"}
SHORT = {"size": 8, "images": 64, "epochs": 2, "batch": 32, "network": SIZE}
STRATEGIES = {
    strategy.__name__: (strategy, {})
    for strategy in (AdaptiveDarts, Darts, DartsMinus, DrNas, FairDarts, Gdas, PcDarts, RobustDarts)
    + (SecondOrderDarts, Snas, WatchedDarts)
} | {
    "DartsPlus": (DartsPlus, {"most": 7}),
    "DartsPT": (DartsPT, {"tuning": 1}),
    "PDarts": (PDarts, {"depths": (1, 2), "keep": (5, 2), "dropout": (0.0, 0.4)}),
    "SmoothDarts": (SmoothDarts, {"adversarial": True}),
    "exact second order": (SecondOrderDarts, {"exact": True}),
}


def both(space, device, **size):
    """Loss and gradients of the same supernet with the same batch, float64."""
    network = to_device(space.supernet(**size, generator=torch.Generator().manual_seed(0)).double(), device)
    draws = torch.Generator().manual_seed(1)
    images = torch.randn(4, 1, 8, 8, generator=draws, dtype=torch.float64).to(device)
    shape = len(space.relaxed), len(space.relaxed[0].options)
    alphas = torch.randn(shape, generator=draws, dtype=torch.float64).requires_grad_()
    loss = F.cross_entropy(network(images, alphas.softmax(1)), torch.arange(4).to(device))
    gradients = torch.autograd.grad(loss, [alphas, *network.parameters()])
    return [part.detach().cpu() for part in (loss, *gradients)]


@pytest.mark.parametrize("space", [NasBench201(), DartsSpace(), DartsSpace.restricted("S1")], ids=lambda s: s.name)
def test_a_supernet_computes_there_what_it_computes_here(space):
    for here, there in zip(both(space, "cpu", channels=4), both(space, "cuda", channels=4), strict=True):
        torch.testing.assert_close(there, here, rtol=0, atol=1e-10)


def test_a_recorded_function_sees_new_inputs_and_new_weights():
    weight = torch.full((3,), 2.0, device="cuda", requires_grad=True)
    gradient = Graphed(lambda x: torch.autograd.grad((weight * x).square().sum(), [weight])[0], torch.ones_like(weight))
    x = torch.arange(3.0, device="cuda")
    assert gradient(x).tolist() == [0, 4, 16]
    with torch.no_grad():
        weight.mul_(2)
    assert gradient(x).tolist() == [0, 8, 32] and gradient(x + 1).tolist() == [8, 32, 72]


@pytest.mark.parametrize("recorded", [RecordedDarts, RecordedSecondOrderDarts], ids=lambda s: s.__name__)
def test_recorded_searches_do_the_same_steps(recorded):
    """But for the order of sums, which a GPU does not promise."""
    space, short = DartsSpace(), SHORT | {"network": {"channels": 4, "cells": 3, "device": "cuda"}}
    for mine, its in zip(recorded(space, **short), recorded.__mro__[2](space, **short), strict=True):
        assert abs(mine.shows["alphas"] - its.shows["alphas"]).max() < 0.01
        assert abs(mine.shows["loss"] - its.shows["loss"]) < 0.05


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_search_runs_and_goes_on_from_its_state(name):
    strategy, fields = STRATEGIES[name]
    space = NasBench201()
    steps = list(strategy(space, **SHORT | fields))
    states = [step.state for step in steps if step.state is not None]
    *_, last = strategy(space, **SHORT | fields, start=states[0])
    assert last.shows["epoch"] == steps[-1].shows["epoch"]
    assert abs(last.shows["alphas"] - steps[-1].shows["alphas"]).max() < 0.02


@pytest.mark.parametrize(
    "search",
    [
        BigNas(ElasticSpace(), epochs=2, images=64, batch=32, network={"width": 0.1, "device": "cuda"}),
        OnceForAll(ElasticSpace(), epochs=(1, 1, 0, 1), images=64, batch=32, network={"width": 0.1, "device": "cuda"}),
        Enas(NasBench201(), epochs=2, images=64, batch=32, updates=2, network={"channels": 4, "device": "cuda"}),
    ],
    ids=lambda search: type(search).__name__,
)
def test_shared_weights_train_there_and_are_judged_here(search):
    states = [step.state for step in search if step.state]
    *_, last = replace(search, start=states[0])
    assert last.state and len(states) == len(search) // search.steps
    there, here = load(states[-1]), Inherited.of(search, states[-1], recalibrate=1)
    assert all(tensor.device.type == "cpu" for tensor in there.values())
    assert 0 <= here(search.space.sample(np.random.default_rng(0))).scores["inherited"] <= 1
