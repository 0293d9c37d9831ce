"""The written-out training step: the numbers of torch's differentiation, and only where it computes the network."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from nasviz.estimators import Recipe, Training
from nasviz.nn import plain
from nasviz.nn.descent import AdamW, Nesterov
from nasviz.spaces import NasBench201

SPACE = NasBench201()
ZERO, SKIP, C1, C3, POOL = range(5)
CELLS = [
    (C3,) * 6,
    (C1, C3, C3, C1, C3, C1),  # both kernels leave a node
    (SKIP, POOL, SKIP, C1, POOL, C3),
    (POOL,) * 6,
    (SKIP,) * 6,
    (ZERO, C3, C3, SKIP, C1, C3),  # node 1 is dead
    (C3, C3, ZERO, POOL, ZERO, ZERO),  # nodes 1 and 2 lead nowhere
    (ZERO, C3, C3, ZERO, C3, ZERO),  # no way through
]


def batch(count, colors=1, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(count, colors, size, size, generator=generator, dtype=torch.float64)
    return images, torch.randint(10, (count,), generator=generator)


@pytest.mark.parametrize("arch", CELLS, ids=SPACE.to_text)
@pytest.mark.parametrize(
    ("size", "shape"),
    [({}, {}), ({"channels": 3, "cells": 2, "stages": 3, "colors": 3}, {"colors": 3, "size": 7})],
    ids=["small", "odd"],
)
def test_steps_are_those_of_torch(arch, size, shape):
    networks = [SPACE.network(arch, **size).double() for _ in range(2)]
    descents = [Nesterov(network, 0.9, 0.01) for network in networks]
    written = plain.written_out(networks[1], batch(6, **shape)[0], 6)
    for step, count in enumerate((6, 6, 3, 6)):  # the last batch of an epoch is smaller
        images, labels = batch(count, **shape, seed=step)
        loss = cross_entropy(networks[0](images), labels)
        loss.backward()
        assert written(images, labels).item() == pytest.approx(loss.item(), rel=1e-9)
        for descent in descents:
            descent.step(0.1)
    theirs, ours = (network.state_dict() for network in networks)
    for name, values in theirs.items():
        assert torch.allclose(ours[name], values, rtol=1e-7, atol=1e-9), name


def test_gradients_are_added():
    network, (images, labels) = SPACE.network(CELLS[2]).double(), batch(4)
    Nesterov(network, 0.9, 0.0)
    written = plain.written_out(network, images, 4)
    written(images, labels)
    once = [w.grad.clone() for w in network.parameters()]
    written(images, labels)
    for one, w in zip(once, network.parameters(), strict=True):
        assert torch.allclose(w.grad, 2 * one, atol=1e-12)


def test_weights_before_a_cell_without_a_way_through_rest():
    network, (images, labels) = SPACE.network(CELLS[-1]).double(), batch(4)
    before = {name: w.detach().clone() for name, w in network.named_parameters()}
    descent = Nesterov(network, 0.9, 0.5)
    plain.written_out(network, images, 4)(images, labels)
    descent.step(0.1)
    after = dict(network.named_parameters())
    assert torch.equal(after["stem.0.weight"], before["stem.0.weight"])
    assert not torch.equal(after["classifier.bias"], before["classifier.bias"])


def test_in_single_precision_the_loss_is_nearly_the_same():
    networks = [SPACE.network((C3, C1, POOL, SKIP, C3, C1)) for _ in range(2)]
    descents = [AdamW(network, 0.01) for network in networks]
    images, labels = batch(64)
    images = images.float()
    written = plain.written_out(networks[1], images, 64)
    for _ in range(3):
        loss = cross_entropy(networks[0](images), labels)
        loss.backward()
        assert written(images, labels).item() == pytest.approx(loss.item(), rel=1e-4)
        for descent in descents:
            descent.step(1e-3)


def hooked(network):
    network.body[0].register_forward_hook(lambda *_: None)


def frozen(network):
    network.stem[0].weight.requires_grad_(False)


def patched(network):
    network.head[1].forward = torch.tanh


def slower_statistics(network):
    network.stem[1].momentum = 0.01


def other_filters(network):
    network.body[0].operations[0][1] = torch.nn.Conv2d(8, 8, 5, padding=2, bias=False)


def dilated(network):
    network.body[0].operations[0][1].dilation = (2, 2)


def zeros_count(network):
    network.body[0].operations[1].count_include_pad = True


@pytest.mark.parametrize(
    "change", [hooked, frozen, patched, slower_statistics, other_filters, dilated, zeros_count, None]
)
def test_a_network_that_was_changed_is_not_written_out(change):
    network = SPACE.network((C3, POOL, SKIP, SKIP, C1, C3))
    if change:
        change(network)
    Nesterov(network, 0.9, 0.0)
    assert plain.is_plain(network) == (change is None)


def test_what_else_is_not_written_out():
    class Own(type(SPACE.network((C3,) * 6))):
        """A network whose forward may be another."""

    own = SPACE.network((C3,) * 6)
    own.__class__ = Own
    others = [own, SPACE.network((C3,) * 6, reduction="residual"), torch.nn.Linear(2, 2)]
    separable = NasBench201(("skip_connect", "sep_conv_3x3"))
    others.append(separable.network((1,) * 6))
    for network in others:
        Nesterov(network, 0.9, 0.0)
        assert not plain.is_plain(network)
    assert not plain.is_plain(SPACE.network((C3,) * 6))  # its weights have no gradients
    network = SPACE.network((C3,) * 6)
    Nesterov(network, 0.9, 0.0)
    assert plain.written_out(network, torch.zeros(1, 1, 8, 8), 64)
    assert not plain.written_out(network, torch.zeros(1, 1, 16, 16), 64)  # large: modules are faster
    assert not plain.written_out(network, torch.zeros(1, 1, 8, 8, dtype=torch.float64), 64)


def test_a_training_differs_by_rounding_from_one_by_modules(monkeypatch):
    training = Training(SPACE, replace(Recipe(), images=80, epochs=2, batch=32, network={"channels": 4}))
    written = training((C3, C1, POOL, SKIP, C3, C1), seed=1)
    monkeypatch.setattr(plain, "LARGEST", 0)
    by_modules = training((C3, C1, POOL, SKIP, C3, C1), seed=1)
    assert written != by_modules  # so that the one was written out, and the other not
    assert written.scores["train_loss"] == pytest.approx(by_modules.scores["train_loss"], rel=1e-3)
