"""The remedies for DARTS's collapse: what defines each of them, and that each goes on after a kill."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import nasviz.strategies as strategies
from nasviz.analysis.diagnosis import hessian, skips, validation_loss
from nasviz.nn.partial_channels import shuffle
from nasviz.paths import data_dir
from nasviz.spaces import DartsSpace, NasBench201
from nasviz.strategies import (
    AdaptiveDarts,
    Darts,
    DartsMinus,
    DartsPlus,
    DrNas,
    FairDarts,
    Gdas,
    PcDarts,
    PDarts,
    RobustDarts,
    SmoothDarts,
    Snas,
    WatchedDarts,
)
from nasviz.strategies.fair_darts import kept, zero_one
from nasviz.strategies.remedies import SMALL_SPACES, drawn, longer, remedies
from nasviz.strategies.robust_darts import sharpened
from nasviz.strategies.smooth_darts import rows_to_one

RECORDED = data_dir() / "darts-small"
SPACE = NasBench201(operations=("skip_connect", "sep_conv_3x3"))
SMALL = dict(size=8, images=16, epochs=3, batch=8, network={"channels": 4, "stages": 1})
REMEDIES = {
    "DartsPlus": {"most": 7},
    "FairDarts": {},
    "WatchedDarts": {"watched": 8},
    "RobustDarts": {"watched": 8},
    "AdaptiveDarts": {"watched": 8},
    "DartsMinus": {},
    "PDarts": {"depths": (1, 2), "keep": (2, 1), "dropout": (0.0, 0.5)},
    "SmoothDarts": {"adversarial": True},
    "PcDarts": {},
    "Gdas": {},
    "Snas": {},
    "DrNas": {},
}


def test_the_comparison_is_the_recorded_one_and_gives_all_as_many_updates():
    for name in ("sep", "conv"):
        searches = remedies(SMALL_SPACES[name])
        assert {len(search) for search in searches.values()} == {240}
        lines = (RECORDED / f"searches-{name}.jsonl").read_text("utf-8").splitlines()
        assert {json.loads(line)["method"] for line in lines} == searches.keys()
    searches = longer(SMALL_SPACES["sep"])
    assert {len(search) for search in searches.values()} == {375}
    lines = (RECORDED / "searches-deep.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["method"] for line in lines} == searches.keys()


def test_each_seed_draws_images_of_its_own_and_the_same_weights():
    one, again, other = (drawn(small(), seed).begin() for seed in (1, 1, 2))
    plain = replace(small(), seed=1).begin()
    assert torch.equal(one.train.images, again.train.images)
    assert not torch.equal(one.train.images, other.train.images)
    assert not torch.equal(one.train.images, plain.train.images) and torch.equal(one.weights, plain.weights)


def small(cls=Darts, **changes):
    return cls(SPACE, **SMALL | changes)


@pytest.mark.parametrize("name", REMEDIES)
def test_each_yields_steps_as_darts_does_and_goes_on_after_a_kill(name):
    search = small(getattr(strategies, name), **REMEDIES[name])
    steps = list(search)
    assert list(small(getattr(strategies, name), **REMEDIES[name])) == steps
    assert len(steps) == len(search) == search.passes * 2
    for step in steps:
        assert set(Darts.shows) <= set(step.shows)
        assert step.shows["alphas"].shape == (6, 2)
        assert 0 <= step.shows["alphas"].min() and step.shows["alphas"].max() <= 1
        assert math.isfinite(step.shows["loss"]) and math.isfinite(step.shows["valid_loss"])
    for number in range(1, len(steps) - 1, 2):
        rest = list(replace(search, start=steps[number].state))
        assert rest == steps[number + 1 :], number
        assert [step.state for step in rest] == [step.state for step in steps[number + 1 :]]


# ------------------------------------------------------------------------------------------------ DARTS+ and DARTS−
def test_darts_plus_ends_with_too_many_skips_and_is_darts_until_then():
    whole = list(small())
    counts = [skips(SPACE, SPACE.discretize(step.shows["alphas"])) for step in whole]
    for most in range(7):
        steps = list(small(DartsPlus, most=most))
        assert steps == whole[: len(steps)]
        ends = [number for number in (1, 3, 5) if counts[number] >= most]
        assert len(steps) == (ends[0] + 1 if ends else 6)


def test_darts_minus_without_its_skip_is_darts_and_the_skip_fades():
    assert list(small(DartsMinus, beta=0.0)) == list(small())
    assert list(small(DartsMinus)) != list(small())
    search, alphas = small(DartsMinus, epochs=4), torch.randn(6, 2)
    added = [search.mixture(SimpleNamespace(epoch=epoch), alphas) - alphas.softmax(1) for epoch in range(5)]
    for values, beta in zip(added, (1, 0.75, 0.5, 0.25, 0), strict=True):
        assert values[:, 0].numpy() == pytest.approx(np.full(6, beta), abs=1e-6)
        assert not values[:, 1].any()


# ------------------------------------------------------------------------------------------------ FairDARTS
def test_the_zero_one_loss_at_its_extremes():
    assert zero_one(torch.full((6, 2), 0.5)) == 0
    corners = torch.randint(2, (6, 2), generator=torch.Generator().manual_seed(0)).float()
    assert zero_one(corners) == -0.25
    assert zero_one(torch.full((1, 1), 0.9)).item() == pytest.approx(-0.16)


def test_under_sigmoids_operations_do_not_compete():
    alphas = torch.tensor([[3.0, 3.0], [-3.0, -3.0]], requires_grad=True)
    strengths = FairDarts(SPACE).strengths(alphas)
    assert kept(strengths.detach()).tolist() == [[True, True], [False, False]]
    (gradient,) = torch.autograd.grad(strengths[0, 0], [alphas])
    assert gradient[0, 0] > 0 and not gradient[0, 1] and not gradient[1].any()


def test_a_heavy_zero_one_loss_drives_every_sigmoid_to_an_end():
    free, driven = (
        list(small(FairDarts, zero_one_weight=weight, epochs=6, alpha_lr=0.1))[-1].shows["alphas"]
        for weight in (0.0, 1000.0)
    )
    assert abs(driven - 0.5).min() > 0.2 > abs(free - 0.5).min()


# ------------------------------------------------------------------------------------------------ RobustDARTS
def test_sharpened_compares_means_five_epochs_apart():
    flat, rising = torch.ones(12), torch.cat([torch.ones(5), torch.full((5,), 1.5)])
    assert not sharpened(flat, 0.75)
    assert not sharpened(rising[:9], 0.75)
    assert sharpened(rising, 0.75)  # 1 / 1.5 < 0.75
    assert not sharpened(rising, 0.6)
    assert not sharpened(-rising, 0.75) and not sharpened(rising.flip(0), 0.75)
    assert not sharpened(torch.cat([torch.full((5,), torch.nan), rising[:9]]), 0.75)


def test_watching_changes_nothing_and_shows_the_true_eigenvalue():
    search, steps = small(WatchedDarts, watched=16), list(small(WatchedDarts, watched=16))
    for step, plain in zip(steps, small(), strict=True):
        assert all(np.array_equal(step.shows[name], plain.shows[name]) for name in Darts.shows)
    for step in steps[1::2]:
        after = replace(search, start=step.state).begin()
        exact = np.linalg.eigvalsh(hessian(validation_loss(search, after, 16), after.alphas))
        assert step.shows["eigenvalue"] == pytest.approx(exact.max(), rel=1e-3)
        assert step.shows["discrete_accuracy"] * 16 % 1 == 0


class Rising:
    """Eigenvalues that are told instead of measured: they double at epoch 5."""

    def after_epoch(self, search, step):
        step.shows["eigenvalue"] = 1.0 if search.epoch < 5 else 2.0


class RisingRobust(Rising, RobustDarts):
    def after_epoch(self, search, step):
        keep, WatchedDarts.after_epoch = WatchedDarts.after_epoch, Rising.after_epoch
        try:
            RobustDarts.after_epoch(self, search, step)
        finally:
            WatchedDarts.after_epoch = keep


class RisingAdaptive(RisingRobust, AdaptiveDarts):
    pass


def test_early_stopping_answers_with_alpha_of_five_epochs_before():
    plain = list(small(epochs=12, images=8))
    steps = list(small(RisingRobust, epochs=12, images=8))
    # Means of five: 1 up to epoch 4, then 1.2, 1.4, …; 1 / 1.4 < 0.75 first at epoch 6, but five epochs before there
    # were not yet five values: the first comparison is at epoch 9.
    assert len(steps) == 10
    assert [step.shows["loss"] for step in steps] == [step.shows["loss"] for step in plain[:10]]
    assert np.array_equal(steps[-1].shows["alphas"], plain[4].shows["alphas"])
    assert np.array_equal(steps[-2].shows["alphas"], plain[8].shows["alphas"])
    assert list(replace(small(RisingRobust, epochs=12, images=8), start=steps[-1].state)) == []


def test_adapting_goes_back_and_regularises_ten_times_as_much():
    search = small(RisingAdaptive, epochs=12, images=8, weight_decay=1e-3)
    plain, steps = list(small(epochs=12, images=8, weight_decay=1e-3)), list(search)
    assert len(steps) == 12
    assert [step.shows["loss"] for step in steps[:10]] == [step.shows["loss"] for step in plain[:10]]
    assert steps[10].shows["loss"] != plain[10].shows["loss"]
    before, after = (replace(search, start=step.state).begin() for step in (steps[4], steps[9]))
    assert torch.equal(before.weights, after.weights) and torch.equal(before.alphas, after.alphas)
    assert search.decay(before) == 1e-3 and search.decay(after) == pytest.approx(1e-2)
    after.memory["factor"].fill_(1000)
    assert search.decay(after) == 3e-2


# ------------------------------------------------------------------------------------------------ P-DARTS
def test_candidates_per_stage_and_depth():
    space = NasBench201()
    search = PDarts(space, size=8, images=16, epochs=2, batch=16, network={"channels": 2}, depths=(1, 2, 3))
    steps = list(search)
    assert len(steps) == len(search) == 6
    left = [(step.shows["alphas"] > 0).sum(1).tolist() for step in steps]
    assert left == 2 * [[5] * 6] + 2 * [[3] * 6] + 2 * [[2] * 6]
    assert all(step.shows["alphas"].sum(1) == pytest.approx(np.ones(6), abs=1e-6) for step in steps)
    gone = [set(zip(*np.nonzero(step.shows["alphas"] == 0), strict=True)) for step in steps]
    assert gone[2] < gone[4]
    first, last = replace(search, start=steps[1].state).begin(), replace(search, start=steps[5].state).begin()
    cells = [sum(type(layer).__name__ == "MixedCell" for layer in s.network.body) for s in (first, last)]
    assert cells == [2, 6]


def test_skips_are_dropped_at_the_stated_rate_and_alpha_waits():
    search = small(PDarts, epochs=10, depths=(1, 1), keep=(2, 2), dropout=(0.0, 0.5))
    state, alphas = search.begin(), torch.zeros(6, 2)
    assert torch.equal(search.mixture(state, alphas), torch.full((6, 2), 0.5))  # stage 0 drops nothing
    state.epoch = 10
    assert search.drop_rate(state) == pytest.approx(0.45)
    draws = torch.stack([search.mixture(state, alphas) for _ in range(500)])
    assert (draws[:, :, 1] == 0.5).all()
    assert (draws[:, :, 0] == 0).double().mean().item() == pytest.approx(0.45, abs=0.04)
    assert draws[:, :, 0].mean().item() == pytest.approx(0.5, abs=0.04)  # the rest makes up for it
    learns = []
    for state.epoch in range(10, 20):
        learns.append(search.alphas_learn(state))
    assert learns == 4 * [False] + 6 * [True]


@pytest.mark.parametrize("wrong", [{"keep": (1, 2)}, {"keep": (2,)}, {"keep": (5, 3)}], ids=str)
def test_stages_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="keep falling from all 2 candidates"):
        next(iter(small(PDarts, **{"depths": (1, 2), "dropout": (0.0, 0.0)} | wrong)))


# ------------------------------------------------------------------------------------------------ SmoothDARTS
def test_rows_to_one():
    rows = rows_to_one(torch.tensor([[0.7, 0.5], [-0.1, 0.4], [-0.2, -0.1], [1.5, 0.5]]))
    expected = [[7 / 12, 5 / 12], [0, 1], [0, 1], [2 / 3, 1 / 3]]
    assert rows.numpy() == pytest.approx(np.array(expected), abs=1e-6)


def test_disturbances_stay_in_their_radius_and_the_adversary_is_worse():
    losses = {}
    for adversarial in (False, True):
        search = small(SmoothDarts, adversarial=adversarial, images=64, batch=64)
        state, seen = search.begin(), []
        state.epoch = 2
        reach = search.reach(state)
        assert reach == pytest.approx(0.03 + 0.27 * 2 / 3)
        network = state.network

        def watch(images, weights, network=network, seen=seen):
            seen.append(weights.detach().clone())
            return network(images, weights)

        state.network = watch
        losses[adversarial] = search.weight_loss(state, state.alphas.detach(), state.train).item()
        plain = state.alphas.detach().softmax(1)
        assert len(seen) == (8 if adversarial else 1)
        for weights in seen:
            assert weights.sum(1).numpy() == pytest.approx(np.ones(6), abs=1e-5)
            assert (weights - plain).abs().max() <= 1.3 * reach  # a row's sum may stretch it
        assert (seen[-1] - plain).abs().max() > reach / 4
    assert losses[True] > losses[False]


# ------------------------------------------------------------------------------------------------ PC-DARTS
def test_the_channel_shuffle_is_undone_by_its_other():
    images = torch.arange(24.0).view(1, 12, 1, 2)
    assert not torch.equal(shuffle(images, 4), images)
    assert torch.equal(shuffle(shuffle(images, 4), 3), images)
    assert shuffle(images, 4)[0, :5, 0, 0].tolist() == [0, 6, 12, 18, 2]  # one of each group, in turn
    assert torch.equal(shuffle(images, 1), images)


def test_what_is_not_mixed_passes_and_edges_share_a_node():
    search = small(PcDarts)
    state = search.begin()
    weights = search.mixture(state, torch.randn(6, 3, generator=torch.Generator().manual_seed(1)))
    assert weights.shape == (6, 3)
    targets = np.array([edge.target for edge in SPACE.graph().edges])
    for target in (1, 2, 3):
        assert weights[targets == target, 2].sum().item() == pytest.approx(1, abs=1e-6)
    cell, x = state.network.body[0], torch.randn(2, 4, 8, 8)
    first, *_ = cell([x], weights)  # node 1: one edge, from the input
    passed = [0, 1, 2, 3]
    passed.remove(0)  # channel 0 is mixed; groups of one channel stay in place
    assert torch.allclose(first[:, passed], x[:, passed])
    assert not torch.allclose(first[:, 0], x[:, 0])
    skips_only = torch.tensor([[1.0, 0.0, 1.0]]).expand(6, 3)
    assert torch.allclose(cell([x], skips_only)[0], x)


def test_partial_channels_ask_for_the_right_space_and_share():
    with pytest.raises(ValueError, match="share must divide the 4 channels"):
        next(iter(small(PcDarts, share=3)))
    with pytest.raises(ValueError, match="not for darts"):
        next(iter(PcDarts(DartsSpace(), **SMALL)))


# ------------------------------------------------------------------------------------------------ GDAS, SNAS, DrNAS
def draws(search, alphas, count, epoch=0):
    state = SimpleNamespace(epoch=epoch, generator=torch.Generator().manual_seed(0))
    return torch.stack([search.mixture(state, alphas) for _ in range(count)])


def test_gumbel_samples_have_the_softmax_as_their_frequencies():
    alphas = torch.tensor([[0.0, 1.0], [2.0, -1.0], [0.0, 0.0]])
    hard = draws(Gdas(SPACE), alphas, 4000)
    assert set(hard.unique().tolist()) == {0.0, 1.0} and (hard.sum(2) == 1).all()
    assert hard.mean(0).numpy() == pytest.approx(alphas.softmax(1).numpy(), abs=0.03)
    soft = draws(Snas(SPACE), alphas, 200)
    assert soft.sum(2).numpy() == pytest.approx(np.ones((200, 3)), abs=1e-5)
    late = draws(Snas(SPACE), alphas, 200, epoch=19)
    assert late.max(2).values.mean() > soft.max(2).values.mean() + 0.1  # colder is harder
    assert torch.equal(soft.argmax(2), late.argmax(2))


def test_a_hard_sample_has_the_gradient_of_the_soft_one():
    alphas, factor = torch.randn(6, 2, requires_grad=True), torch.randn(6, 2)
    of_hard, of_soft = (
        torch.autograd.grad((factor * draws(search, alphas, 1, epoch=3)[0]).sum(), [alphas])[0]
        for search in (Gdas(SPACE, first_temperature=2.0), Snas(SPACE, first_temperature=2.0))
    )
    assert of_hard.abs().max() > 0 and torch.allclose(of_hard, of_soft)


def test_snas_has_one_level():
    """α's gradient does not know the validation batch."""
    search = small(Snas)
    gradients = []
    for shift in (0, 1):
        state = search.begin()
        train, valid = next(search_batches(state))
        valid = valid._replace(labels=(valid.labels + shift) % 10)
        gradients.append(search.alpha_gradient(state, train, valid))
    assert torch.equal(gradients[0][0], gradients[1][0]) and gradients[0][1] != gradients[1][1]


def search_batches(state):
    return state.batches(16)


def test_dirichlet_draws_and_their_gradient():
    search, alphas = DrNas(SPACE), torch.tensor([[0.0, 0.0], [1.0, -0.5]])
    concentrations = search.concentrations(alphas)
    assert concentrations.tolist()[0] == [1, 1] and (concentrations > 0).all()
    some = draws(search, alphas, 4000)
    assert some.sum(2).numpy() == pytest.approx(np.ones((4000, 2)), abs=1e-5)
    assert some.mean(0).numpy() == pytest.approx(search.strengths(alphas).numpy(), abs=0.03)
    # d E[x₀] / dα, from many pathwise gradients, against that of the mean itself.
    wide, mean = alphas.repeat(2000, 1).requires_grad_(), alphas.clone().requires_grad_()
    state = SimpleNamespace(epoch=0, generator=torch.Generator().manual_seed(1))
    (pathwise,) = torch.autograd.grad(search.mixture(state, wide)[:, 0].sum(), [wide])
    (exact,) = torch.autograd.grad(search.strengths(mean)[:, 0].sum(), [mean])
    assert pathwise.view(2000, 2, 2).mean(0).numpy() == pytest.approx(exact.numpy(), abs=0.02)
