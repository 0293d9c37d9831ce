"""Scores at initialisation: by hand, against finite differences and published values; and the estimator of them."""

import csv
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from math import inf, isfinite, log
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn
from torch.nn.functional import cross_entropy

from nasviz import datasets, spaces
from nasviz.estimator import watching
from nasviz.estimators.baselines import Baselines
from nasviz.estimators.training import Recipe, Training
from nasviz.estimators.zero_cost import (
    COUNTED,
    SCORES,
    ZeroCost,
    fisher,
    grad_norm,
    grasp,
    jacov,
    naswot,
    snip,
    synflow,
)
from nasviz.spaces import NasBench201

SPACE = NasBench201()
MIXED = (3, 1, 2, 4, 0, 3)
DEAD = (0, 0, 0, 0, 0, 0)
PUBLISHED = Path(__file__).parents[2] / "shared" / "published" / "nasbench201-200epochs-zerocost.csv"


def layer(weights) -> nn.Linear:
    weights = torch.tensor(weights, dtype=torch.float64)
    linear = nn.Linear(weights.shape[1], weights.shape[0], bias=False, dtype=torch.float64)
    linear.weight.data.copy_(weights)
    return linear


# -------------------------------------------------------------------------------------------------------------- by hand
@pytest.fixture
def linear():
    """One image (1, 2) of class 0 through logits (0, ln 3): probabilities (1/4, 3/4), ∂L/∂z = (−3/4, 3/4)."""
    network = nn.Sequential(nn.Flatten(), layer([[0, 0], [log(3), 0]]))
    return network, torch.tensor([[[[1.0, 2.0]]]], dtype=torch.float64), torch.tensor([0])


def test_scores_of_gradients_by_hand(linear):
    # g = (−3/4, 3/4)ᵀ (1, 2); the only weight that is not zero is ln 3, at input 1
    assert grad_norm(*linear) == pytest.approx((2 * 0.75**2 * 5) ** 0.5)
    assert snip(*linear) == pytest.approx(0.75 * log(3))
    assert fisher(*linear) == pytest.approx(0.5 * (0.75 * log(3)) ** 2)
    # g moves the logits by (−15/4, 15/4), so ∂L/∂z by 3/16 · (−15/2, 15/2), which meets the logit ln 3
    assert grasp(*linear) == pytest.approx(-log(3) * 3 / 16 * 15 / 2)


def test_gradients_are_of_the_mean_over_the_batch(linear):
    network, images, labels = linear
    twice = network, images.repeat(2, 1, 1, 1), labels.repeat(2)
    assert grad_norm(*twice) == pytest.approx(grad_norm(*linear))
    assert fisher(*twice) == pytest.approx(fisher(*linear) / 4)  # squares of 1/2, averaged over the images


def test_synflow_by_hand():
    first = nn.Conv2d(1, 2, 1, bias=False)
    first.weight.data = torch.tensor([1.0, -2.0]).reshape(2, 1, 1, 1)
    last = nn.Linear(2, 1, bias=False)
    last.weight.data = torch.tensor([[3.0, -4.0]])
    norm = nn.BatchNorm2d(2)
    norm.weight.data.fill_(100.0)  # must not matter: synflow is without batch-norm
    network = nn.Sequential(first, norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), last)
    # R = 1·3 + 2·4 = 11, and each of the two layers contributes R
    score = synflow(network, torch.full((5, 1, 4, 4), -7.0), torch.zeros(5, dtype=torch.long))
    assert score == pytest.approx(log(22))
    assert network[0].weight.flatten().tolist() == [1.0, -2.0] and network[1] is norm


def test_naswot_by_hand():
    network = nn.Sequential(nn.ReLU(), nn.Flatten(), layer([[1, 1, 1]]))
    images = torch.tensor([[1.0, 1, -1], [1, -1, -1]], dtype=torch.float64).reshape(2, 1, 1, 3)
    labels = torch.zeros(2, dtype=torch.long)
    assert naswot(network, images, labels) == pytest.approx(log(3 * 3 - 2 * 2))  # two of three ReLUs agree
    assert naswot(network, images[[0, 0]], labels) == -inf
    with pytest.raises(ValueError, match="ReLU"):
        naswot(network[1:], images, labels)


def test_jacov_by_hand():
    network = nn.Sequential(nn.ReLU(), nn.Flatten(), layer([[1, 2, 3]]))
    images = torch.tensor([[1.0, 1, 1], [1, -1, 1]], dtype=torch.float64).reshape(2, 1, 1, 3)
    r = 2 / (2 * 42 / 9) ** 0.5  # of the rows (1, 2, 3) and (1, 0, 3)
    expected = -sum(log(v + 1e-5) + 1 / (v + 1e-5) for v in (1 + r, 1 - r))
    assert jacov(network, images, torch.zeros(2, dtype=torch.long)) == pytest.approx(expected)


def test_a_network_that_carries_nothing():
    scores = ZeroCost(SPACE, tuple(SCORES))(DEAD).scores
    assert scores["synflow"] == scores["naswot"] == scores["jacov"] == -inf
    assert scores["snip"] == scores["grad_norm"] == scores["grasp"] == 0


# --------------------------------------------------------------------------------------------------- finite differences
@pytest.fixture(scope="module")
def small():
    """A lab network of one channel in float64, with four images."""
    network = SPACE.network(MIXED, channels=1, generator=torch.Generator().manual_seed(3)).double()
    network.to(memory_format=torch.contiguous_format)  # whose weights can be walked as one vector
    data = datasets.load("fashion16", 8)
    images, labels = torch.from_numpy(data.normalized("train"))[:4].double(), data.train_labels[:4].copy()
    return network, images, torch.from_numpy(labels)


def loss(network, images, labels) -> float:
    with torch.no_grad():
        return float(cross_entropy(network.train()(images), labels))


def weights_of(network):
    return [m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]


def difference(vary, small, step=1e-6) -> float:
    """Central difference of the loss: ``vary(amount)`` changes the network."""
    vary(step)
    high = loss(*small)
    vary(-2 * step)
    low = loss(*small)
    vary(step)
    return (high - low) / (2 * step)


def test_snip_and_gradient_norm_are_finite_differences(small):
    total, norms = 0.0, 0.0
    for weights in weights_of(small[0]):
        flat, squares = weights.data.view(-1), 0.0
        for i in range(len(flat)):
            slope = difference(lambda amount, at=flat, i=i: at[i].add_(amount), small)
            total += abs(slope * float(flat[i]))
            squares += slope**2
        norms += squares**0.5
    assert snip(*small) == pytest.approx(total, rel=1e-5)
    assert grad_norm(*small) == pytest.approx(norms, rel=1e-5)


def test_grasp_is_a_finite_difference(small):
    network, images, labels = small
    weights = weights_of(network)

    def gradients():
        value = cross_entropy(network.train()(images), labels)
        return torch.autograd.grad(value, weights, allow_unused=True, materialize_grads=True)

    def move(amount):
        for w, d in zip(weights, along, strict=True):
            w.data.add_(d, alpha=amount)

    along, step = gradients(), 1e-6
    move(step)
    high = gradients()
    move(-2 * step)
    low = gradients()
    move(step)
    curved = [(h - b) / (2 * step) for h, b in zip(high, low, strict=True)]
    expected = -sum(float((w.detach() * c).sum()) for w, c in zip(weights, curved, strict=True))
    assert abs(expected) > 1e-4
    assert grasp(*small) == pytest.approx(expected, rel=1e-4)


def test_fisher_is_a_finite_difference(small):
    """Its inner sum is the slope of the loss when one channel of one image is scaled."""
    network, images, _ = small
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    total = 0.0
    for one in layers:
        seen = []
        one.register_forward_hook(lambda layer, inputs, output, seen=seen: seen.append(output)).remove()
        scale = torch.ones(len(images), one.weight.shape[0], dtype=torch.float64)

        def scaled(layer, inputs, output, scale=scale):
            return output * (scale[..., None, None] if output.ndim == 4 else scale)

        hook = one.register_forward_hook(scaled)
        flat = scale.view(-1)
        slopes = [difference(lambda amount, at=flat, i=i: at[i].add_(amount), small) for i in range(len(flat))]
        hook.remove()
        total += 0.5 * float(np.square(slopes).sum()) / len(images)
    assert fisher(*small) == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("name", SCORES)
def test_a_score_leaves_weights_and_gradients_as_they_were(name):
    network, (images, labels) = SPACE.network(MIXED), ZeroCost(SPACE)._batch(0)
    before = [w.detach().clone() for w in network.parameters()]
    hooks = sum(len(m._forward_hooks) for m in network.modules())
    first = SCORES[name](network, images, labels)
    assert SCORES[name](network, images, labels) == first
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert all(w.grad is None for w in network.parameters())
    assert sum(len(m._forward_hooks) for m in network.modules()) == hooks


# ----------------------------------------------------------------------------------------------------- published values
@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published scores are not part of the project")
def test_published_scores_rank_the_same():
    """Eight cells at paper scale, other weights, other images (ours, enlarged): the same ranking, about."""
    with PUBLISHED.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:8]]
    data = datasets.load("fashion16", 16)
    images = torch.from_numpy(data.normalized("train"))[:8].repeat(1, 3, 1, 1)
    images = images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    batch = images.contiguous(memory_format=torch.channels_last), torch.from_numpy(data.train_labels[:8].copy())
    columns = {score: score.__name__ for score in (synflow, snip, grad_norm, fisher, jacov)} | {naswot: "nwot"}
    ours = {score: [] for score in columns}
    for row in rows:
        sizes = {"channels": 16, "cells": 5, "stages": 3, "reduction": "residual", "colors": 3}
        network = SPACE.network(SPACE.from_text(row["architecture"]), **sizes)
        for score, values in ours.items():
            values.append(score(network, *batch))
    theirs = {score: [float(row[column]) for row in rows] for score, column in columns.items()}
    rho = {score: spearmanr(ours[score], theirs[score]).statistic for score in columns}
    assert rho[synflow] > 0.99 and rho[grad_norm] > 0.9 and rho[snip] > 0.85
    assert min(rho[fisher], rho[naswot], rho[jacov]) > 0.5
    # synflow sees no images: up to the weights drawn it is the published value, which is its logarithm
    assert np.allclose(ours[synflow], theirs[synflow], atol=0.3)


# ------------------------------------------------------------------------------------------------------------ estimator
def test_the_same_question_has_the_same_answer():
    estimate = ZeroCost(SPACE, ("naswot", "snip", "synflow"))
    assert estimate(MIXED, seed=1) == estimate(MIXED, seed=1)
    assert estimate(MIXED, seed=1) != estimate(MIXED, seed=2)
    one = {name: ZeroCost(SPACE, (name,))(MIXED, seed=1).scores[name] for name in estimate.scores}
    assert estimate(MIXED, seed=1).scores == one  # whatever else is asked
    evaluation = estimate(MIXED)
    assert evaluation.seconds > 0 and evaluation.epochs == 0 and list(evaluation.scores) == list(estimate.scores)


def test_many_go_through_seeds_and_executors_alike():
    archs, estimate = [MIXED, (3,) * 6, DEAD], ZeroCost(SPACE, ("snip", "size"))
    alone = [estimate(arch, seed=5 + i) for i, arch in enumerate(archs)]
    assert list(estimate.many(archs, seed=5)) == alone
    with ThreadPoolExecutor(2) as pool:
        assert list(ZeroCost(SPACE, ("snip", "size"), executor=pool).many(archs, seed=5)) == alone


def test_it_is_the_first_step_of_the_training():
    """Same weights, same batch: what is scored is what would be trained."""
    recipe, losses = Recipe(images=200, epochs=1, batch=50), []
    with watching(lambda progress: losses.append(progress.loss), curve=False):
        Training(SPACE, recipe)(MIXED, seed=4)
    estimate = ZeroCost(SPACE, recipe=recipe)
    network = SPACE.network(MIXED, generator=torch.Generator().manual_seed(4))
    assert loss(network, *estimate._batch(4)) == pytest.approx(losses[0], rel=1e-6)


def test_what_cannot_be_asked():
    with pytest.raises(ValueError, match="synflow"):
        ZeroCost(SPACE, ("accuracy",))
    with pytest.raises(ValueError, match="tuple"):
        ZeroCost(SPACE, "snip")
    with pytest.raises(ValueError, match="before any training"):
        ZeroCost(SPACE)(MIXED, epochs=3)
    with pytest.raises(ValueError, match="choices"):
        ZeroCost(SPACE)(MIXED[:-1])
    with pytest.raises(ValueError, match="second derivatives"):
        elastic = spaces.ElasticSpace()
        ZeroCost(elastic, ("grasp",))(elastic.sample(np.random.default_rng(0)))


@pytest.mark.parametrize("name", spaces.__all__)
def test_every_space_can_be_scored(name):
    space = getattr(spaces, name)()
    scores = tuple(set(SCORES) - {"grasp"}) + COUNTED
    recipe = Recipe(batch=8)
    values = ZeroCost(space, scores, recipe)(space.sample(np.random.default_rng(1))).scores
    assert all(isfinite(value) for value in values.values()), values
    if name == "TransformerSpace":  # its half-blocks have no convolutions
        assert values["size"] == values["convolutions"] == 0
    else:
        assert values["size"] > values["convolutions"] > 0


# ------------------------------------------------------------------------------------------------------------ baselines
def test_baselines_by_hand():
    assert Baselines(SPACE)((3, 2, 2, 4, 1, 3)).scores == {"convolutions": 4, "conv3x3": 2, "size": 20}
    assert Baselines(SPACE)(DEAD).scores == {"convolutions": 0, "conv3x3": 0, "size": 0}
    nasnet = spaces.NasNetSpace()
    choices = [c.options.index("conv_1x7_7x1") if "conv_1x7_7x1" in c.options else 0 for c in nasnet.choices]
    scores = Baselines(nasnet)(nasnet.normal(choices)).scores
    assert scores == {"convolutions": 20, "conv3x3": 0, "size": 20 * 14}  # 5 blocks of 2, in two cells
    with pytest.raises(ValueError, match="before any training"):
        Baselines(SPACE)(DEAD, epochs=1)


def test_baselines_load_no_torch():
    program = """if True:
        import sys
        from nasviz.estimators.baselines import Baselines
        from nasviz.spaces import NasBench201
        print(Baselines(NasBench201())((3,) * 6).scores["size"], "torch" in sys.modules)
    """
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=60
    )
    assert ran.stdout.split() == ["54.0", "False"], ran.stderr
