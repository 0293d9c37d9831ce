"""Once-for-all's progressive shrinking and BigNAS's sandwich: who learns what when, and going on after a kill."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from nasviz.estimators import Inherited
from nasviz.knobs import knobs
from nasviz.nn.descent import Nesterov
from nasviz.run import Run
from nasviz.spaces import ElasticSpace, NasBench201
from nasviz.strategies import BigNas, OnceForAll
from nasviz.strategies.shared_weights import Shared

SPACE = ElasticSpace()
TINY = {"images": 32, "batch": 16, "network": {"width": 0.1}}
SEARCHES = [OnceForAll(SPACE, epochs=(1, 1, 1, 1), **TINY), BigNas(SPACE, epochs=2, **TINY)]
pytestmark = pytest.mark.usefixtures("few_judged")
both = pytest.mark.parametrize("search", SEARCHES, ids=lambda search: type(search).__name__)


@pytest.fixture(scope="module")
def runs(few_judged):
    """The steps of each search."""
    return {type(search).__name__: list(search) for search in SEARCHES}


def drawn(search, epoch, steps=15):
    """Which architectures would learn in an epoch: step by step, without a network."""
    ran = []

    def network(images, arch):
        ran.append(arch)
        return torch.zeros(len(images), 10)

    memory = {"teacher": torch.full((4, 10), 0.1)}
    shared = SimpleNamespace(network=network, epoch=epoch, images=torch.zeros(4, 1), labels=torch.zeros(4).long())
    shared.memory, rng = memory, np.random.default_rng(epoch)
    return [[ran.pop(0) for _ in list(search.losses(shared, torch.arange(4), rng))] for _ in range(steps)]


def taken(archs):
    """Depths, kernels and expansions that occur."""
    units = [unit for arch in archs for unit in SPACE.units(arch)]
    return {len(unit) for unit in units}, {k for unit in units for k, _ in unit}, {e for unit in units for _, e in unit}


# ------------------------------------------------------------------------------------------------------ Once-for-all
def test_stages_open_one_dimension_after_the_other():
    search = replace(SEARCHES[0], epochs=(1, 1, 2, 2), children=3)
    epochs = [drawn(search, epoch) for epoch in range(6)]
    assert [{len(archs) for archs in epoch} for epoch in epochs] == [{1}] + [{3}] * 5
    assert [search.stage(epoch) for epoch in range(6)] == [0, 1, 2, 2, 3, 3]
    assert [taken(sum(epoch, [])) for epoch in epochs] == [
        ({4}, {7}, {6}),
        ({4}, {3, 5, 7}, {6}),
        ({3, 4}, {3, 5, 7}, {6}),
        ({2, 3, 4}, {3, 5, 7}, {6}),
        ({2, 3, 4}, {3, 5, 7}, {4, 6}),
        ({2, 3, 4}, {3, 5, 7}, {3, 4, 6}),
    ]
    assert len({arch[0] for (arch,) in epochs[0]}) > 8  # the resolution from the start


def test_the_teacher_is_the_trained_largest_and_stays_so(runs):
    from safetensors.torch import load

    steps = runs["OnceForAll"]
    states = [load(step.state) for step in steps if step.state]
    assert states[0]["memory.teacher"].isnan().all()
    teacher = states[1]["memory.teacher"]
    assert teacher.shape == (32, 10) and torch.allclose(teacher.sum(1), torch.ones(32))
    assert all(torch.equal(state["memory.teacher"], teacher) for state in states[2:])
    search = replace(SEARCHES[0], start=steps[1].state)
    whole = search.begin()
    alone = whole.network.extract(SPACE.largest).train()
    for layer in alone.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None
    with torch.no_grad():
        for part in whole.images.split(16):
            alone(part)
        assert torch.allclose(alone.eval()(whole.images).softmax(1), teacher, atol=1e-5)


def test_channels_are_sorted_when_the_width_becomes_elastic(runs):
    steps = runs["OnceForAll"]
    shared = replace(SEARCHES[0], start=steps[5].state).begin()  # the end of the stage of depth

    def sorted_layers():
        layers = [getattr(layer, "body", layer) for layer in list(shared.network.whole)[3:23]]
        norms = [layer[-1][0].weight.abs().sum((0, 2, 3)) for layer in layers]
        return [bool((one[:-1] >= one[1:]).all()) for one in norms]

    assert not any(sorted_layers())
    SEARCHES[0].before_epoch(shared)
    assert all(sorted_layers()) and not any(v.any() for v in shared.velocity.values())


def test_each_stage_begins_at_its_rate_and_falls():
    search = replace(SEARCHES[0], epochs=(1, 1, 2, 2))
    rates = [search.rate(step) for step in range(len(search))]
    assert rates[0] == search.lr and rates[2] == rates[4] == rates[8] == search.lr / 2
    assert all(later < sooner for a, b in ((0, 2), (2, 4), (4, 8), (8, 12)) for sooner, later in
               zip(rates[a:b], rates[a + 1 : b], strict=False))  # fmt: skip
    assert len(search) == 12


# -------------------------------------------------------------------------------------------------------------- BigNAS
def test_a_sandwich_holds_the_largest_and_the_smallest():
    steps = drawn(SEARCHES[1], 0)
    assert all(archs[:2] == [SPACE.largest, SPACE.smallest] and len(archs) == 4 for archs in steps)
    assert len({arch for archs in steps for arch in archs[2:]}) == 2 * len(steps)
    assert {len(archs) for archs in drawn(replace(SEARCHES[1], sandwich=False), 0)} == {4}


def test_a_step_follows_the_sum_of_four_gradients_of_which_one_has_labels():
    search = replace(SEARCHES[1], lr=0.1, weight_decay=0.0, seed=2)
    shared, reference = search.begin(), search.begin()
    chosen, network = torch.arange(16), reference.network
    images, labels = reference.images[chosen], reference.labels[chosen]
    rng = np.random.default_rng(0)
    archs = [SPACE.largest, SPACE.smallest, SPACE.sample(rng), SPACE.sample(rng)]
    answers = network(images, archs[0])
    losses = [F.cross_entropy(answers, labels)]
    soft = answers.detach().softmax(1)
    losses += [-(soft * network(images, arch).log_softmax(1)).sum(1).mean() for arch in archs[1:]]
    sum(losses).backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5)
    got = shared.descend(search.losses(shared, chosen, np.random.default_rng(0)), search.rate(0), 0.0)
    assert got == pytest.approx([loss.item() for loss in losses], abs=1e-5)
    for name, weights in network.named_parameters():
        moved = weights.detach() - 0.1 * (0 if weights.grad is None else weights.grad)
        assert torch.allclose(dict(shared.network.named_parameters())[name], moved, atol=1e-5), name


def test_shared_weights_descend_as_those_of_a_member_trained_alone():
    draws = torch.Generator().manual_seed(0)
    inputs, lone = torch.randn(3, 8, 4, generator=draws), torch.nn.Linear(4, 2)
    weights = {name: torch.nn.Parameter(w.detach().clone()) for name, w in lone.named_parameters()}
    velocity = {name: torch.zeros_like(w) for name, w in weights.items()}
    shared, descent = SimpleNamespace(weights=weights, velocity=velocity, square={}), Nesterov(lone, 0.9, 0.01)
    for x in inputs:
        loss = F.linear(x, weights["weight"], weights["bias"]).square().mean()
        Shared.descend(shared, [loss], 0.1, 0.01, BigNas.momentum)
        lone(x).square().mean().backward()
        descent.step(0.1)
    for name, expected in lone.named_parameters():
        assert torch.allclose(weights[name], expected, atol=1e-6), name


def test_without_the_sandwich_four_are_drawn_and_learn_from_labels():
    search = replace(SEARCHES[1], sandwich=False, distillation=1.0)
    shared, rng = search.begin(), np.random.default_rng(3)
    losses = [loss.item() for loss in search.losses(shared, torch.arange(16), np.random.default_rng(3))]
    for loss in losses:
        logits = shared.network(shared.images[:16], SPACE.sample(rng))
        assert loss == pytest.approx(F.cross_entropy(logits, shared.labels[:16]).item(), abs=1e-5)
    assert len(losses) == 4


# --------------------------------------------------------------------------------------------------------- both of them
@both
def test_steps_say_what_happened(search, runs):
    steps = runs[type(search).__name__]
    assert len(steps) == len(search)
    for number, step in enumerate(steps):
        assert set(step.shows) == set(search.shows) and step.evaluation is None
        losses = step.shows["losses"][~np.isnan(step.shows["losses"])]
        assert step.shows["loss"] == pytest.approx(losses.mean(), abs=1e-5)
        last = number % 2 == 1
        assert (step.state is not None) == last == bool(np.isfinite(step.shows["children"]).all())
    assert list(knobs(search))[:2] == ["lr", "weight_decay"] and "distillation" in knobs(search)


@both
def test_all_that_descends_is_where_the_network_computes(search):
    there = replace(search, network=search.network | {"device": "meta"}).begin()  # a device that every machine has
    tensors = [*there._tensors().values(), there.images, there.labels, *there.valid, *there.weights.values()]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert Inherited.of(replace(search, network=search.network | {"device": "cuda"}), b"").network == {"width": 0.1}


@both
def test_children_are_judged_as_inherited_does(search, runs):
    steps = runs[type(search).__name__]
    estimate = replace(Inherited.of(search, steps[-1].state), recalibrate=0)
    supernet, shared = estimate.supernet, replace(search, start=steps[-1].state).begin()
    for arch, shown in zip(search.watched, steps[-1].shows["children"], strict=True):
        accuracy = search.accuracy(shared, arch)
        assert accuracy == pytest.approx(shown, abs=1e-6)
        alone = shared.network.extract(arch).eval()
        images, labels = shared.valid
        assert accuracy == pytest.approx(float((alone(images).argmax(1) == labels).float().mean()))
    assert search.watched[:2] == [SPACE.largest, SPACE.smallest]
    assert torch.equal(supernet.matrices["3_5"], shared.network.matrices["3_5"])


@both
def test_going_on_from_a_state_equals_never_having_stopped(search, runs):
    steps = runs[type(search).__name__]
    at = len(steps) - 2
    rest = list(replace(search, start=steps[at - 1].state))
    assert rest == steps[at:] and [step.state for step in rest] == [step.state for step in steps[at:]]


def test_a_killed_run_goes_on_with_its_turned_knob(tmp_path):
    short = replace(SEARCHES[0], epochs=(1, 1, 0, 0), children=1)

    def run(path, stop=None):
        run = Run(short, path)
        for _ in run:
            if len(run) == 1 and not run.turns:
                run.turn(distillation=0.9, lr=0.02)
            if len(run) == stop:
                break
        return run.steps

    whole = run(tmp_path / "a.jsonl")
    assert run(tmp_path / "b.jsonl", stop=3) == whole[:3] and run(tmp_path / "b.jsonl") == whole
    assert Run.load(tmp_path / "a.jsonl").steps == whole


@both
def test_a_loss_that_is_no_number_ends_it_with_a_sentence(search):
    search, steps = replace(search), []
    with pytest.raises(FloatingPointError, match=r"step \d \(epoch \d\): the loss is nan with lr=1e\+38. Start again"):
        for step in search:
            steps.append(step)
            search.lr = 1e38
    assert len(steps) < 4 and not np.isfinite(steps[-1].shows["loss"])


def test_what_is_wrong_says_so():
    for search, changes, words in [
        (SEARCHES[0], {"epochs": (0, 1, 1, 1)}, "the first from 1"),
        (SEARCHES[0], {"epochs": (1, 1)}, "full, kernel, depth, width"),
        (SEARCHES[1], {"space": NasBench201()}, "has no largest"),
        (SEARCHES[1], {"images": 9000}, "8000 training images"),
    ]:
        with pytest.raises(ValueError, match=words):
            next(iter(replace(search, **changes)))
