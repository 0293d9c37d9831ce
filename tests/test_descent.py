"""Descents and schedules: the same as torch's where torch has them, and the printed formulas."""

from math import exp

import pytest
import torch

from nasviz.nn.descent import (
    AdamW,
    Nesterov,
    adam,
    adam_with_decay,
    cosine,
    cosine_between,
    exponential,
    heavy_ball,
    linear,
    nesterov,
    warmed,
)
from nasviz.spaces import NasBench201

SPACE = NasBench201()


def test_nesterov_on_a_network_is_torchs():
    recipe = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}
    networks = [SPACE.network((3, 2, 4, 1, 3, 1)).double() for _ in range(2)]
    theirs, ours = torch.optim.SGD(networks[0].parameters(), **recipe), Nesterov(networks[1], 0.9, 0.01)
    images = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    for _ in range(4):
        for network in networks:
            network(images).square().sum().backward()
        theirs.step()
        theirs.zero_grad()
        ours.step(0.1)
    unused = {id(w) for op in networks[0].body[0].unused() for w in op.parameters()}
    assert not unused  # torch leaves weights without a gradient alone, ours lets them decay
    for (name, one), two in zip(networks[0].named_parameters(), networks[1].parameters(), strict=True):
        assert torch.allclose(one, two, atol=1e-10), name


def by_torch(optimizer, **options):
    """The weights after each of five steps on a bowl that is steeper along some axes."""
    weights = torch.linspace(-1, 2, 7, dtype=torch.float64).requires_grad_()
    descent, steep = optimizer([weights], **options), torch.arange(1, 8)
    for _ in range(5):
        descent.zero_grad()
        (steep * weights**2).sum().backward()
        descent.step()
        yield weights.detach().clone()


def by_us(move):
    """The same by ``move(weights, gradient, step, tensor, tensor)``; the tensors are 0 before the first step."""
    weights = torch.linspace(-1, 2, 7, dtype=torch.float64)
    kept = torch.zeros_like(weights), torch.zeros_like(weights)
    for step in range(1, 6):
        move(weights, 2 * torch.arange(1, 8) * weights, step, *kept)
        yield weights.clone()


@pytest.mark.parametrize(
    "theirs, ours",
    [
        (
            by_torch(torch.optim.SGD, lr=0.02, momentum=0.9),
            by_us(lambda w, g, step, v, _: w.sub_(heavy_ball(v, g), alpha=0.02)),
        ),
        (
            by_torch(torch.optim.SGD, lr=0.02, momentum=0.9, nesterov=True),
            by_us(lambda w, g, step, v, _: w.sub_(nesterov(v, g), alpha=0.02)),
        ),
        (
            by_torch(torch.optim.Adam, lr=0.1, betas=(0.5, 0.999)),
            by_us(lambda w, g, step, m, s: adam(w, g, m, s, step, 0.1, (0.5, 0.999))),
        ),
        (
            by_torch(torch.optim.AdamW, lr=0.1, weight_decay=0.5),
            by_us(lambda w, g, step, m, s: adam_with_decay(w, g, m, s, step, 0.1, 0.5)),
        ),
    ],
    ids=["heavy ball", "nesterov", "adam", "adam with decay"],
)
def test_a_step_is_torchs(theirs, ours):
    for one, two in zip(theirs, ours, strict=True):
        assert torch.allclose(one, two, rtol=1e-9)


def test_schedules_go_where_they_say():
    assert [round(cosine(i, 4), 4) for i in range(5)] == [1, 0.8536, 0.5, 0.1464, 0]
    assert [cosine_between(3, 1, share) for share in (0, 0.5, 1)] == pytest.approx([3, 2, 1])
    assert [linear(i, 4) for i in range(5)] == [1, 0.75, 0.5, 0.25, 0]
    assert [exponential(i, 4, 2.0, 0.3) for i in range(5)] == pytest.approx([1, exp(-0.5), exp(-1), 0.3, 0.3])


def test_adamw_on_a_network_is_torchs_with_cut_gradients_and_without_decay_of_biases():
    networks = [SPACE.network((3, 2, 4, 1, 3, 1)).double() for _ in range(2)]
    flat, deep = ([w for w in networks[0].parameters() if (w.ndim > 1) == is_deep] for is_deep in (False, True))
    groups = [{"params": flat, "weight_decay": 0.0}, {"params": deep, "weight_decay": 0.3}]
    theirs, ours = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.98)), AdamW(networks[1], 0.3)
    images = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    for _ in range(4):
        for network in networks:
            network(images).square().sum().backward()
        norm = torch.nn.utils.clip_grad_norm_(networks[0].parameters(), 1.0)
        theirs.step()
        theirs.zero_grad()
        ours.step(0.01)
    assert norm > 1  # otherwise nothing was cut
    for (name, one), two in zip(networks[0].named_parameters(), networks[1].parameters(), strict=True):
        assert torch.allclose(one, two, atol=1e-9), name


def test_adamw_leaves_a_weight_without_gradient_and_a_frozen_one_alone():
    layers = torch.nn.ModuleList(torch.nn.Linear(2, 2) for _ in range(3))
    layers[2].requires_grad_(False)
    before = [layer.weight.clone() for layer in layers]
    descent = AdamW(layers, 0.5)
    for used in (True, False):
        if used:
            layers[1](torch.ones(1, 2)).sum().backward()
        descent.step(0.1)
    assert torch.equal(layers[0].weight, before[0]) and torch.equal(layers[2].weight, before[2])
    assert not torch.equal(layers[1].weight, before[1])


def test_a_warm_up_rises_along_a_line_and_stays():
    assert [warmed(step, 20, 0.2) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert warmed(0, 20, 0.0) == 1.0
