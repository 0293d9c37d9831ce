"""The small elastic space: every choice acts, members are parts of one network, multiply-adds are counted as run."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasviz import datasets
from nasviz.datasets import load
from nasviz.nn import count
from nasviz.nn.single_path import recalibrate
from nasviz.space import Lacks
from nasviz.spaces import ElasticResNet, ElasticSpace
from nasviz.strategies import BigNas, OnceForAll, TrainSupernet
from nasviz.strategies.big_nas import SCHEDULES
from nasviz.strategies.train_supernet import fair, strata, stratified

SPACE = ElasticResNet()
SOME = [SPACE.largest, SPACE.smallest, *(SPACE.sample(np.random.default_rng(n)) for n in range(6))]
TINY = {"size": 16, "images": 64, "batch": 32}


@pytest.fixture(scope="module")
def images():
    return torch.randn(6, 1, 16, 16, generator=torch.Generator().manual_seed(1)).double()


@pytest.fixture
def network(images):
    """One whose statistics, scales and shifts are those of no untrained network."""
    generator = torch.Generator().manual_seed(0)
    network = SPACE.single_path(generator=generator).double().train()
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d) and layer.affine:
                layer.weight += 0.3 * torch.randn(layer.weight.shape, generator=generator)
                layer.bias += 0.3 * torch.randn(layer.bias.shape, generator=generator)
    recalibrate(network, SPACE.largest, [images + 1, images])
    return network


# --------------------------------------------------------------------------------------------------------- the space
def test_it_has_4374_members_and_each_is_written_and_read_back():
    archs = SPACE.distinct()
    assert len(archs) == len(set(archs)) == SPACE.size == 3 * 2 * (3 * 3) ** 3
    texts = [SPACE.to_text(arch) for arch in archs]
    assert len(set(texts)) == len(archs) and [SPACE.from_text(text) for text in texts] == archs
    assert "4,374" in SPACE.counting()


def test_a_text_with_an_error_is_refused_with_its_place():
    with pytest.raises(ValueError, match="position"):
        SPACE.from_text("r16 | k5 w12 d2 | w24 d2 | w47 d2")


def test_multiply_adds_are_those_of_the_network_that_runs():
    for arch in SOME:
        assert SPACE.madds(arch) == count.madds(SPACE.network(arch), (1, 16, 16))
    by_hand = 8 * 8 * 9 * 6 + 4 * 4 * 9 * 6 * 12 + 2 * 2 * 9 * 12 * 24 + 24 * 10
    assert SPACE.madds(SPACE.smallest) == by_hand
    costs = [SPACE.madds(arch) for arch in SPACE.distinct()]
    assert (min(costs), max(costs)) == (by_hand, SPACE.madds(SPACE.largest))


def test_the_graph_of_a_member_names_its_layers():
    graph = SPACE.graph(SPACE.from_text("r12 | k3 w8 d1 | w16 d0 | w48 d2"))
    assert graph.nodes == ("image", "1.1", "1.2", "2.1", "3.1", "3.2", "3.3", "classes")
    assert graph.ops[:3] == ("resize_12", "conv_k3_w8", "residual_k3_w8")
    assert len(SPACE.graph().nodes) == 2 + 9


# ------------------------------------------------------------------------------------------- every choice acts
@pytest.mark.parametrize("place", range(len(SPACE.choices)), ids=[choice.name for choice in SPACE.choices])
def test_each_option_of_each_choice_is_another_function_with_the_same_weights_on_the_images_of_the_lab(place):
    images = torch.from_numpy(load(size=16).normalized("train")[:32])
    network = SPACE.single_path()
    recalibrate(network, SPACE.largest, [images])
    for base in SOME:  # also where all else is small: no map is too small for a choice to act
        outputs = []
        for option in range(len(SPACE.choices[place].options)):
            arch = (*base[:place], option, *base[place + 1 :])
            recalibrate(network, arch, [images])
            with torch.no_grad():
                outputs.append(network(images, arch))
        for number, one in enumerate(outputs):
            assert all((one - other).abs().max() > 1e-2 for other in outputs[:number])


# --------------------------------------------------------------------------------------------- parts of one network
@pytest.mark.parametrize("arch", SOME, ids=SPACE.to_text)
def test_a_member_within_is_the_member_taken_out(network, images, arch):
    recalibrate(network, arch, [images])
    alone = network.extract(arch)
    assert torch.allclose(network(images, arch), alone(images), atol=1e-12)
    same = {name: tensor.shape for name, tensor in SPACE.network(arch).state_dict().items()}
    assert {name: tensor.shape for name, tensor in alone.state_dict().items()} == same


@pytest.mark.parametrize("arch", SOME, ids=SPACE.to_text)
def test_so_it_is_in_training_with_gradients_and_statistics(network, images, arch):
    alone = network.extract(arch).train()
    inside, outside = network.train()(images, arch), alone(images)
    assert torch.allclose(inside, outside, atol=1e-12)
    inside.square().sum().backward()
    outside.square().sum().backward()
    for mine, place in zip(list(alone)[1:], network.layers(arch), strict=True):
        whole = dict(network.whole[place].named_parameters())
        for name, weights in mine.named_parameters():
            slope, edge = whole[name].grad, (whole[name].shape[-1] - weights.shape[-1]) // 2 if weights.ndim == 4 else 0
            part = slope[tuple(map(slice, weights.shape[:2]))]
            if weights.ndim == 4:
                part = part[..., edge : edge + weights.shape[-1], edge : edge + weights.shape[-1]]
            assert torch.allclose(part, weights.grad, atol=1e-10)
            assert torch.allclose(slope.abs().sum(), weights.grad.abs().sum())  # nothing flows to other weights
    after = network.eval().extract(arch).state_dict()
    tracked = (name for name in after if "num_batches" not in name)
    assert all(torch.allclose(after[name], alone.state_dict()[name]) for name in tracked)


def test_each_dimension_is_a_slice_by_hand(network, images):
    arch = SPACE.from_text("r8 | k3 w6 d0 | w12 d0 | w24 d0")
    x = F.interpolate(images, (8, 8), mode="bilinear", antialias=True, align_corners=False)
    places = [places[0] for places in network.places]
    filters = [network.whole[place][0].weight for place in places]
    for number, (weights, wide) in enumerate(zip(filters, (6, 12, 24), strict=True)):
        middle = weights[:wide, : x.shape[1], 1:4, 1:4] if not number else weights[:wide, : x.shape[1]]
        norm = network.whole[places[number]][1]
        y = F.conv2d(F.max_pool2d(x, 2) if number else x, middle, padding=1)
        mean, deviation = y.mean((0, 2, 3), keepdim=True), y.var((0, 2, 3), unbiased=False, keepdim=True)
        y = (y - mean) / (deviation + norm.eps).sqrt()
        x = F.relu(y * norm.weight[:wide, None, None] + norm.bias[:wide, None, None])
    mean = x.mean((2, 3))
    features = (mean - mean.mean(0)) / (mean.var(0, unbiased=False) + 1e-5).sqrt() * 3 / 24**0.5
    classifier = network.whole[-1]
    logits = features @ classifier.weight[:, :24].T + classifier.bias
    assert torch.allclose(network.train()(images, arch), logits, atol=1e-8)  # with the batch's own statistics


def test_sorting_channels_changes_no_output_of_the_whole_and_brings_the_important_first(network, images):
    narrow = SPACE.normal([len(c.options) - 1 if "width" not in c.name else 0 for c in SPACE.choices])
    with torch.no_grad():
        whole, before = network(images, SPACE.largest), network(images, narrow)
        network.sort_channels()
        assert torch.allclose(network(images, SPACE.largest), whole, atol=1e-12)
        assert not torch.allclose(network(images, narrow), before, atol=1e-6)
    last = network.whole[-3].body[0].weight.abs().sum((0, 2, 3)) + network.whole[-4].body[0].weight.abs().sum((0, 2, 3))
    order = last + network.whole[-1].weight.abs().sum(0)
    assert (order[:-1] >= order[1:] - 1e-12).all()


# ----------------------------------------------------------------------------------------------------- its trainings
def test_strata_are_equally_wide_and_hold_every_member_once():
    groups = strata(SPACE)
    assert sorted(arch for group in groups for arch in group) == sorted(SPACE.distinct())
    costs = [np.log([SPACE.madds(arch) for arch in group]) for group in groups]
    width = (costs[-1].max() - costs[0].min()) / 12
    assert all(np.ptp(one) <= width + 1e-9 for one in costs)
    assert all(a.max() < b.min() for a, b in zip(costs, costs[1:], strict=False))


def test_stratified_draws_make_all_costs_equally_likely():
    rng, groups = np.random.default_rng(0), strata(SPACE)
    number = {arch: n for n, group in enumerate(groups) for arch in group}
    drawn = np.bincount([number[stratified(SPACE, rng)[0]] for _ in range(6000)], minlength=len(groups))
    expected = 6000 / len(groups)
    assert (abs(drawn - expected) < 5 * expected**0.5).all()
    free = np.bincount([number[SPACE.sample(rng)] for _ in range(6000)], minlength=len(groups))
    assert free.max() > 3 * expected / 2 > 3 * free.min()  # without strata they are not


def test_a_fair_step_holds_every_option_equally_often():
    archs = fair(SPACE, np.random.default_rng(0))
    assert len(archs) == 6
    for place, choice in enumerate(SPACE.choices):
        options = [arch[place] for arch in archs]
        assert sorted(options) == sorted(6 // len(choice.options) * list(range(len(choice.options))))


@pytest.mark.usefixtures("few_judged")
@pytest.mark.parametrize(
    "search",
    [
        BigNas(SPACE, epochs=1, **TINY),
        BigNas(SPACE, epochs=1, sampler="stratified", distillation=0.0, **TINY),
        OnceForAll(SPACE, epochs=(1, 1, 1, 1), **TINY),
        TrainSupernet(SPACE, epochs=1, sampler="fair", **TINY),
        TrainSupernet(SPACE, epochs=1, sampler="stratified", **TINY),
    ],
    ids=["sandwich", "stratified sandwich", "shrinking", "fair", "stratified"],
)
def test_every_training_runs_on_it_and_goes_on_where_it_was_killed(search):
    from dataclasses import replace

    steps = list(search)
    assert len(steps) == len(search) and np.isfinite([step.shows["loss"] for step in steps]).all()
    states = [step.state for step in steps if step.state]
    if len(states) > 1:
        again = list(replace(search, start=states[0]))
        assert again[-1].state == states[-1]


@pytest.mark.parametrize("training", [BigNas, TrainSupernet])
def test_an_unknown_sampler_is_refused_before_anything_is_loaded(training):
    with pytest.raises(ValueError, match="sampler must be one of .*got 'random'"):
        next(iter(training(SPACE, sampler="random")))


def test_what_big_nas_cannot_do_is_refused_before_anything_is_loaded(monkeypatch):
    monkeypatch.setattr(datasets, "load", lambda *_, **__: pytest.fail("images were loaded"))
    with pytest.raises(ValueError, match="schedule must be one of .*got 'linear'"):
        next(iter(BigNas(SPACE, schedule="linear")))
    for training in (BigNas, TrainSupernet):
        with pytest.raises(Lacks, match="has no madds"):
            next(iter(training(ElasticSpace(), sampler="stratified")))


def test_big_nas_lets_the_rate_fall_to_a_twentieth_or_along_a_cosine():
    falls = {name: BigNas(SPACE, epochs=2, images=640, batch=64, lr=0.2, schedule=name) for name in SCHEDULES}
    assert [falls[name].rate(0) for name in SCHEDULES] == pytest.approx([0.2, 0.2])
    assert falls["exponential"].rate(19) == pytest.approx(0.01)
    assert falls["cosine"].rate(10) == pytest.approx(0.1) and falls["cosine"].rate(20) == pytest.approx(0)
