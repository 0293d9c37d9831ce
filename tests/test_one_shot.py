"""One-shot by single paths: fair and uniform sampling, ENAS's two learners in turns, and a search within a bound."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from nasviz.estimators import Inherited, WithCost
from nasviz.knobs import knobs
from nasviz.nn.controller import Controller
from nasviz.spaces import NasBench201
from nasviz.strategies import Enas, RandomSearch, RegularizedEvolution, TrainSupernet
from nasviz.strategies import enas as module
from nasviz.strategies.specialise import Within
from nasviz.strategies.train_supernet import uniform

SPACE = NasBench201()
SMALL = {"images": 48, "epochs": 2, "batch": 16, "network": {"channels": 2, "stages": 1}}
TINY = Enas(SPACE, updates=2, samples=3, **SMALL)


@pytest.fixture(scope="module")
def steps():
    return list(TINY)


# ------------------------------------------------------------------------------------------------------------ sampling
def test_a_fair_step_runs_each_option_of_each_edge_once(monkeypatch):
    search, ran = TrainSupernet(SPACE, sampler="fair", **SMALL), []
    shared = search.begin()
    monkeypatch.setattr(shared.network, "select", ran.append)
    rng = np.random.default_rng(0)
    for _ in range(4):
        ran.clear()
        for _ in search.losses(shared, torch.arange(4), rng):
            pass
        assert Counter((edge, option) for arch in ran for edge, option in enumerate(arch)) == dict.fromkeys(
            ((edge, option) for edge in range(6) for option in range(5)), 1
        )


def test_a_fair_step_follows_the_sum_of_its_paths_gradients():
    search = TrainSupernet(SPACE, sampler="fair", lr=0.1, weight_decay=0.0, seed=1, **SMALL)
    shared, reference = search.begin(), search.begin().network
    images, labels = shared.images[:16], shared.labels[:16]
    columns = [rng.permutation(5) for rng in [np.random.default_rng(2)] for _ in range(6)]
    summed = {name: torch.zeros_like(weight) for name, weight in reference.named_parameters()}
    for arch in zip(*columns, strict=True):
        loss = F.cross_entropy(reference(images, tuple(int(option) for option in arch)), labels)
        for (name, _), slope in zip(
            reference.named_parameters(),
            torch.autograd.grad(loss, list(reference.parameters()), allow_unused=True, materialize_grads=True),
            strict=True,
        ):
            summed[name] += slope
    norm = sum((slope**2).sum() for slope in summed.values()).sqrt()
    before = {name: weight.detach().clone() for name, weight in shared.network.named_parameters()}
    shared.descend(search.losses(shared, torch.arange(16), np.random.default_rng(2)), 0.1, 0.0)
    for name, weight in shared.network.named_parameters():
        expected = before[name] - 0.1 * summed[name] * min(1, 5 / norm)
        assert torch.allclose(weight, expected, atol=1e-5), name
    assert norm > 0.1


def test_uniform_paths_are_uniform_and_independent():
    rng, draws = np.random.default_rng(0), 6000
    archs = np.array([uniform(SPACE, rng)[0] for _ in range(draws)])
    for edge in range(6):
        counts, expected = np.bincount(archs[:, edge], minlength=5), draws / 5
        assert ((counts - expected) ** 2 / expected).sum() < 23  # chi-squared, 4 degrees of freedom: 1 in 10,000
    pairs, expected = np.bincount(5 * archs[:, 0] + archs[:, 5], minlength=25), draws / 25
    assert ((pairs - expected) ** 2 / expected).sum() < 62  # 24 degrees of freedom


# ---------------------------------------------------------------------------------------------------------------- ENAS
def test_enas_alternates_and_says_so(steps):
    assert len(steps) == len(TINY) == 2 * (3 + 2)
    assert [step.shows["stage"] for step in steps] == 2 * [0, 0, 0, 1, 1]
    assert [step.shows["epoch"] for step in steps] == 5 * [0] + 5 * [1]
    assert [step.state is not None for step in steps] == 2 * [False, False, False, False, True]
    for step in steps:
        shows = step.shows
        assert set(shows) == set(Enas.shows) and step.evaluation is None
        assert np.isfinite(shows["loss"]) != np.isfinite(shows["reward"]) == bool(shows["stage"])
        assert shows["marginals"].shape == (6, 5) and np.allclose(shows["marginals"].sum(1), 1, atol=1e-5)
        assert 0 < shows["entropy"] <= 6 * np.log(5) + 1e-5
    rewards, baseline = [step.shows["reward"] for step in steps if step.shows["stage"]], None
    for step, reward in zip((s for s in steps if s.shows["stage"]), rewards, strict=True):
        baseline = reward if baseline is None else baseline
        assert step.shows["baseline"] == pytest.approx(baseline, abs=1e-6)
        baseline = 0.95 * baseline + 0.05 * reward
    assert np.isnan(steps[0].shows["baseline"])
    assert list(knobs(TINY)) == ["lr", "weight_decay", "samples", "controller_lr"]


def test_only_one_of_the_two_learns_at_a_time():
    search = replace(TINY, epochs=1)
    shared = search.begin()
    search.begin = lambda: shared

    def now():
        weights = torch.cat([weight.detach().flatten() for weight in shared.network.parameters()])
        return weights, torch.cat([p.detach().flatten() for p in shared.controller.parameters()])

    before, buffers = now(), None
    for step in search:
        after = now()
        moved = [not torch.equal(*pair) for pair in zip(before, after, strict=True)]
        assert moved == ([False, True] if step.shows["stage"] else [True, False])
        kept = [buffer.clone() for buffer in shared.network.buffers()]
        if step.shows["stage"]:  # rewards leave no trace in the statistics
            assert all(map(torch.equal, kept, buffers))
        before, buffers = after, kept


def test_the_controller_follows_reinforces_gradient(monkeypatch):
    seen = {}

    def rewarded(self, shared, rng):
        seen["drawn"] = shared.controller.sample(4, rng)
        return seen["drawn"], torch.tensor([0.1, 0.9, 0.4, 0.2])

    def descend(self, loss, lr):
        seen["slopes"] = torch.autograd.grad(loss, list(self.parameters()), materialize_grads=True)

    shared = TINY.begin()
    shared.memory["baseline"].fill_(0.3)
    monkeypatch.setattr(Enas, "rewarded", rewarded)
    monkeypatch.setattr(Controller, "descend", descend)
    monkeypatch.setattr(module, "ENTROPY", 0.0)
    next(TINY.after_epoch(shared, np.random.default_rng(0)))
    controller = shared.controller
    expected = [torch.zeros_like(weight) for weight in controller.parameters()]
    for arch, gain in zip(seen["drawn"].archs, (-0.2, 0.6, 0.1, -0.1), strict=True):
        logs = controller([arch]).logs.sum()
        slopes = torch.autograd.grad(logs, list(controller.parameters()), materialize_grads=True)
        for total, slope in zip(expected, slopes, strict=True):
            total -= gain * slope / 4
    for ours, its in zip(seen["slopes"], expected, strict=True):
        assert torch.allclose(ours, its, atol=1e-6)
    assert max(float(slope.abs().max()) for slope in expected) > 1e-3


def test_rewards_are_accuracies_on_validation_images():
    shared = replace(TINY, batch=48, samples=2).begin()
    rng = np.random.default_rng(5)
    drawn, rewards = replace(TINY, batch=48, samples=2).rewarded(shared, np.random.default_rng(5))
    archs = shared.controller.sample(2, rng).archs
    images, labels = shared.valid
    chosen = rng.choice(len(labels), 48, replace=False)
    assert drawn.archs == archs and len(labels) == 2000
    for arch, reward in zip(archs, rewards, strict=True):
        right = shared.network.train()(images[chosen], arch).argmax(1) == labels[chosen]
        assert reward == pytest.approx(right.float().mean().item())


def test_going_on_from_a_state_equals_never_having_stopped(steps):
    rest = list(replace(TINY, start=steps[4].state))
    assert rest == steps[5:] and rest[-1].state == steps[-1].state
    assert list(TINY) == steps != list(replace(TINY, seed=1))


def test_the_controller_learns_what_the_reward_is(monkeypatch):
    def skips(self, shared, rng):  # the reward is the share of edges that skip
        drawn = shared.controller.sample(self.samples, rng)
        return drawn, torch.tensor([arch.count(1) / 6 for arch in drawn.archs])

    monkeypatch.setattr(Enas, "rewarded", skips)
    search = replace(TINY, epochs=1, updates=60, samples=10, controller_lr=0.01)
    *_, last = search
    assert last.shows["marginals"][:, 1].mean() > 0.8
    archs = search.derive(last.state, 8)
    assert np.mean([arch.count(1) for arch in archs]) > 4 and archs == search.derive(last.state, 8)
    with pytest.raises(ValueError, match="another network"):
        search.derive(next(s for s in TrainSupernet(SPACE, **SMALL) if s.state).state)


# -------------------------------------------------------------------------------------------------- a search in a bound
def test_evolution_on_what_is_inherited_keeps_to_a_bound(steps):
    inherited = Inherited.of(TINY, steps[-1].state, recalibrate=1)
    limit = 0.4 * inherited.cost((3,) * 6)["madds"]
    estimate, bound = WithCost(inherited, inherited.cost), Within("madds", limit, of="inherited")
    search = RegularizedEvolution(SPACE, estimate, 6, 3, evaluations=24, objective=bound)
    evaluations = [step.evaluation for step in search]
    best = max(evaluations, key=bound)
    assert bound.allows(best) and best.scores.keys() == {"inherited", "inherited_loss", "parameters", "madds"}
    assert best.scores["inherited"] == max(e.scores["inherited"] for e in evaluations if bound.allows(e))
    assert any(not bound.allows(e) for e in evaluations)
    one = evaluations[3]
    assert one.scores == {**inherited(one.arch).scores, **inherited.cost(one.arch)}
    baseline = [step.evaluation for step in RandomSearch(SPACE, estimate, evaluations=6, objective=bound)]
    assert {e.arch for e in baseline} == {e.arch for e in evaluations[:6]}
