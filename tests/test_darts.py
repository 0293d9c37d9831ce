"""First-order DARTS: what it computes, that it goes on after a kill, and that knobs act."""

import subprocess
import sys
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from plain_mixed import PlainNetwork
from torch.nn import functional as F

from nasviz import datasets
from nasviz.knobs import knobs
from nasviz.run import Run
from nasviz.spaces import NasBench201
from nasviz.strategies.darts import Darts

SPACE = NasBench201()
CONV3 = SPACE.relaxed[0].options.index("nor_conv_3x3")
SMALL = dict(size=8, images=64, epochs=3, batch=16, network={"channels": 2})


def small(**changes):
    return Darts(SPACE, **SMALL | changes)


@pytest.fixture(scope="module")
def whole():
    return list(small())


def test_steps_say_what_happened(whole):
    search = small()
    assert len(whole) == len(search) == 3 * 64 // 16
    for number, step in enumerate(whole):
        assert set(step.shows) == set(search.shows)
        assert step.evaluation is None
        assert step.shows["alphas"].shape == (6, 5) and step.shows["alphas"].dtype == np.float32
        assert step.shows["alphas"].sum(1) == pytest.approx(np.ones(6), abs=1e-6)
        assert step.shows["epoch"] == number // 4
        assert (step.state is not None) == (number % 4 == 3)
        assert 0 <= step.shows["valid_accuracy"] <= 1
    first = whole[0].shows
    assert first["alphas"] == pytest.approx(0.2, abs=5e-3)
    assert first["loss"] == pytest.approx(np.log(10), abs=0.7) == first["valid_loss"]
    assert len({step.shows["alphas"].tobytes() for step in whole}) == len(whole)
    assert SPACE.why_invalid(SPACE.discretize(whole[-1].shows["alphas"])) is None


def test_two_steps_are_algorithm_1():
    """Against the plain supernet in a plain loop, in float32: the optimisers, the halves, the order of the updates."""
    search = small(weight_lr=0.05, alpha_lr=3e-2, weight_decay=1e-3, seed=5)
    draws = torch.Generator().manual_seed(5)
    network = PlainNetwork(SPACE.supernet(channels=2, generator=draws))
    alphas = (1e-3 * torch.randn(6, 5, generator=draws)).requires_grad_()
    sgd = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9, weight_decay=1e-3)
    adam = torch.optim.Adam([alphas], 3e-2, betas=(0.5, 0.999), weight_decay=1e-3)
    data = datasets.load("fashion16", size=8)
    images, labels = torch.tensor(data.normalized("train")), torch.tensor(data.train_labels)
    order = torch.randperm(64, generator=draws), 64 + torch.randperm(64, generator=draws)
    for number, step in zip(range(2), search, strict=False):
        train, valid = (half[16 * number : 16 * number + 16] for half in order)
        adam.zero_grad()
        valid_loss = F.cross_entropy(network(images[valid], alphas.softmax(1)), labels[valid])
        valid_loss.backward()
        adam.step()
        sgd.zero_grad()
        loss = F.cross_entropy(network(images[train], alphas.softmax(1)), labels[train])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5)
        sgd.step()
        assert step.shows["valid_loss"] == pytest.approx(valid_loss.item(), abs=1e-4)
        assert step.shows["loss"] == pytest.approx(loss.item(), abs=1e-4)
        assert step.shows["alphas"] == pytest.approx(alphas.softmax(1).detach().numpy(), abs=1e-4)


def test_the_learning_rate_of_the_weights_falls_as_a_cosine():
    search = Darts(SPACE, epochs=4, weight_lr=0.101)
    rates = [search.rate(SimpleNamespace(epoch=epoch)) for epoch in range(5)]
    half = 2**0.5 / 4
    assert rates == pytest.approx([0.101, 0.001 + 0.1 * (0.5 + half), 0.051, 0.001 + 0.1 * (0.5 - half), 0.001])


def test_the_same_seed_is_the_same_search_whatever_happens_outside(whole):
    search, again = small(), []
    global_state = torch.get_rng_state()
    for step in search:
        again.append(step)
        torch.rand(3)
        np.random.random()
    assert again == whole
    assert list(small(seed=1)) != whole
    torch.set_rng_state(global_state)
    list(small(epochs=1))
    assert torch.equal(torch.get_rng_state(), global_state)


def test_two_searches_side_by_side_equal_each_alone(whole):
    other = list(small(seed=1))
    assert list(zip(small(), small(seed=1), strict=True)) == list(zip(whole, other, strict=True))


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_going_on_from_a_state_equals_never_having_stopped(whole, epoch):
    rest = list(small(start=whole[4 * epoch - 1].state))
    assert rest == whole[4 * epoch :]
    assert [step.state for step in rest] == [step.state for step in whole[4 * epoch :]]


def test_a_knob_acts_from_the_next_step_on(whole):
    for name, value in (("alpha_lr", 0.1), ("weight_lr", 0.5), ("weight_decay", 0.01)):
        search, turned = small(), []
        for step in search:
            turned.append(step)
            if len(turned) == 6:
                setattr(search, name, value)
        assert turned[:6] == whole[:6]
        assert turned[7:] != whole[7:], name
        assert all(a != b for a, b in zip(turned[7:], whole[7:], strict=True)), name


@pytest.mark.parametrize("killed", [1, 4, 6, 11])
def test_a_killed_run_goes_on_with_its_turned_knob(tmp_path, killed):
    def run(path, stop=None):
        steps, run = [], Run(small(), path)
        for step in run:
            steps.append(step)
            if len(steps) == 2 and not run.turns:
                run.turn(alpha_lr=0.1)
            if len(steps) == stop:
                break
        return steps

    uninterrupted = run(tmp_path / "a.jsonl")
    assert run(tmp_path / "b.jsonl", stop=killed) == uninterrupted[:killed]
    assert run(tmp_path / "b.jsonl") == uninterrupted


def test_a_start_of_another_search_is_refused(whole):
    with pytest.raises(ValueError, match="another search: it differs in velocity, weights"):
        next(iter(small(network={"channels": 4}, start=whole[3].state)))
    with pytest.raises(ValueError, match="no state of a search"):
        next(iter(small(start=whole[3].state[:100])))


def test_a_loss_that_is_not_finite_stops_with_a_sentence():
    search, steps = small(weight_lr=0.1), []
    with pytest.raises(FloatingPointError, match=r"step 6 \(epoch 1\): the training loss is nan.*weight_lr=1e\+38"):
        for step in search:
            steps.append(step)
            if len(steps) == 5:
                search.weight_lr = 1e38
    assert len(steps) == 7
    assert np.isnan(steps[-1].shows["loss"]) and steps[-1].state is None
    assert all(np.isfinite(step.shows["loss"]) for step in steps[:-1])


@pytest.mark.parametrize("wrong", [{"images": 5000}, {"batch": 65}], ids=str)
def test_data_that_do_not_suffice_are_refused(wrong):
    with pytest.raises(ValueError, match="8000 training images"):
        next(iter(small(**wrong)))


def test_a_data_set_may_be_passed_instead_of_its_name(whole):
    assert list(small(data=datasets.load("fashion16", size=8))) == whole
    data = datasets.load("fashion16", size=8)
    shuffled = replace(data, train_images=np.array(data.train_images[::-1]))
    assert list(small(data=shuffled)) != whole


def test_the_two_halves_share_no_image_and_leave_validation_and_test_alone(whole):
    data = datasets.load("fashion16", size=8)
    rest = {part: np.zeros_like(getattr(data, part)) for part in ("valid_images", "test_images")}
    images = np.array(data.train_images)
    mean, std = data.mean, data.std
    images[128:] = 0
    blank = replace(data, train_images=images, **rest)
    blank.__dict__.update(mean=mean, std=std)  # normalised as before
    assert list(small(data=blank)) == whole


def test_convolutions_win_weight_on_real_images():
    """Few steps, but clear: a convolution is worth more than a zero; what nothing flows through loses weight."""
    search = Darts(
        SPACE, size=8, images=1000, epochs=4, batch=32, network={"channels": 4}, weight_lr=0.1, alpha_lr=2e-2
    )
    *_, last = search
    start, end = 0.2, last.shows["alphas"]
    assert end[:, CONV3].mean() > start + 0.03
    assert last.shows["valid_loss"] < 1.4
    assert SPACE.discretize(end).count(SPACE.relaxed[0].options.index("skip_connect")) <= 2  # healthy: no collapse


def test_threads_are_given_back_between_steps():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for _ in small(epochs=1):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_knobs_and_size_of_the_dataclass():
    assert list(knobs(Darts(SPACE))) == ["weight_lr", "alpha_lr", "weight_decay"]
    assert len(fields(Darts)) <= 12


def test_naming_the_other_strategies_loads_no_torch():
    code = (
        "import sys, nasviz.strategies as s; s.RandomSearch, s.RegularizedEvolution; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
