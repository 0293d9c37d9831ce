"""Network morphisms preserve the function; a child that starts from its parent is judged by a short training."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from nasviz.estimators import FULL, Recipe, Training, WeightInheritance
from nasviz.estimators.morphism import SHORT
from nasviz.nn.morphism import deepen, inherit, widen
from nasviz.objectives import Score
from nasviz.run import Run
from nasviz.spaces import NasBench201
from nasviz.strategies import RandomSearch

SPACE = NasBench201()
NONE, SKIP, CONV1, CONV3, POOL = range(5)
PARENT = (CONV1, NONE, CONV1, SKIP, NONE, CONV1)
TINY = Recipe(images=256, epochs=2, network={"channels": 4})


def network(arch, seed=0, **size):
    """In float64, with batch-norms that have learned something."""
    generator = torch.Generator().manual_seed(seed)
    made = SPACE.network(arch, **size, generator=generator).double()
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight, layer.bias, layer.running_mean):
                tensor.data.normal_(generator=generator)
            layer.running_var.uniform_(0.5, 2, generator=generator)
    return made


def difference(a, b, train=False):
    """Greatest difference of the logits of random images."""
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    with torch.no_grad():
        return (a.train(train)(images) - b.train(train)(images)).abs().max().item()


# ------------------------------------------------------------------------------------------------------------- inherit
GROWN = {
    "the same": PARENT,
    "kernels grow": (CONV3, NONE, CONV3, SKIP, NONE, CONV3),
    "silent branches": (CONV1, CONV3, CONV1, SKIP, CONV1, CONV1),
    "all at once": (CONV3, CONV1, CONV3, SKIP, CONV3, CONV3),
}


@pytest.mark.parametrize("size", [{}, {"cells": 2, "stages": 3, "reduction": "residual"}], ids=["lab", "larger"])
@pytest.mark.parametrize("name", GROWN)
def test_a_grown_cell_has_its_parents_function(name, size):
    child, parent = network(GROWN[name], 1, **size), network(PARENT, 2, **size)
    assert difference(child, parent) > 1e-3
    assert inherit(child, parent) is True
    assert difference(child, parent) < 1e-9
    assert difference(child, parent, train=True) < 1e-9


def test_what_only_lay_there_may_come_alive():
    """Node 1 gets its first input, a silent convolution; what reads it adds zero: skip, pooling or convolution."""
    for reader in (SKIP, POOL, CONV3):
        parent = network((NONE, NONE, reader, SKIP, NONE, CONV3))
        child = network((CONV3, NONE, reader, SKIP, NONE, CONV3), 1)
        assert inherit(child, parent) and difference(child, parent) < 1e-9


def test_what_it_says_of_a_change_is_true():
    """On all changes of one edge of some parents: preserved if and only if the logits are the same."""
    said = []
    for seed in range(8):
        arch = SPACE.sample(np.random.default_rng(seed))
        parent = network(arch, seed, channels=8, stages=1)
        for other in SPACE.neighbors(arch):
            child = network(other, 50, channels=8, stages=1)
            said.append(inherit(child, parent))
            assert said[-1] == (difference(child, parent) < 1e-9), (arch, other)
    assert 0.1 < np.mean(said) < 0.9


def test_a_change_that_cannot_be_preserved_keeps_all_other_weights():
    child, parent = network((CONV1, NONE, CONV1, CONV3, NONE, CONV1), 1), network(PARENT, 2)
    fresh = child.body[0].operations[3][1].weight.clone()
    assert inherit(child, parent) is False
    assert torch.equal(child.body[0].operations[0][1].weight, parent.body[0].operations[0][1].weight)
    assert torch.equal(child.classifier.weight, parent.classifier.weight)
    assert torch.equal(child.body[0].operations[3][1].weight, fresh)


def test_a_silent_branch_learns():
    child, parent = network(GROWN["silent branches"], 1), network(PARENT, 2)
    inherit(child, parent)
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(9)).double()
    child.train()(images).square().sum().backward()
    assert child.body[0].operations[1][2].weight.grad.abs().max() > 1e-3


def test_networks_of_other_sizes_are_refused():
    for size in ({"cells": 2}, {"stages": 1}, {"channels": 4}):
        with pytest.raises(ValueError, match="inherit needs two networks with the same"):
            inherit(network(PARENT, **size), network(PARENT))


# ----------------------------------------------------------------------------------------------------- widen and deepen
@pytest.mark.parametrize("size", [{}, {"cells": 2, "stages": 3, "reduction": "residual"}], ids=["lab", "larger"])
@pytest.mark.parametrize("channels", [8, 9, 20])
@pytest.mark.parametrize("arch", [PARENT, (CONV3, POOL, CONV1, SKIP, CONV3, POOL)], ids=SPACE.to_text)
def test_a_wider_network_has_its_parents_function(arch, channels, size):
    child, parent = network(arch, 1, channels=channels, **size), network(arch, 2, channels=8, **size)
    widen(child, parent, torch.Generator().manual_seed(0))
    assert child.stem[0].out_channels == channels
    assert difference(child, parent) < 1e-9
    assert difference(child, parent, train=True) < 1e-9


@pytest.mark.parametrize("arch", [PARENT, (SKIP, CONV3, NONE, NONE, SKIP, POOL)], ids=SPACE.to_text)
@pytest.mark.parametrize("size", [{}, {"stages": 3, "reduction": "residual"}], ids=["lab", "larger"])
def test_a_deeper_network_has_its_parents_function(arch, size):
    child, parent = network(arch, 1, cells=3, **size), network(arch, 2, cells=1, **size)
    deepen(child, parent)
    assert difference(child, parent) < 1e-9
    assert difference(child, parent, train=True) < 1e-9


@pytest.mark.parametrize(
    "arch",
    [(CONV3,) * 6, (SKIP, NONE, NONE, SKIP, SKIP, NONE), (NONE, NONE, NONE, POOL, NONE, NONE)],
    ids=["no way", "two ways", "a pooling"],
)
def test_a_cell_that_cannot_be_the_identity_is_refused(arch):
    with pytest.raises(ValueError, match="cannot become the identity"):
        deepen(network(arch, cells=2), network(arch))


def test_a_child_must_not_be_smaller():
    generator = torch.Generator()
    with pytest.raises(ValueError, match="at least the parent's 8 channels, got 4"):
        widen(network(PARENT, channels=4), network(PARENT), generator)
    with pytest.raises(ValueError, match="differ in their channels only"):
        widen(network(GROWN["kernels grow"], channels=9, cells=2), network(PARENT), generator)
    with pytest.raises(ValueError, match="at least as many cells"):
        deepen(network(PARENT), network(PARENT, cells=2))


# ------------------------------------------------------------------------------------------------------------ estimator
@pytest.fixture(scope="module")
def family():
    return WeightInheritance.root(SPACE, PARENT, TINY, replace(TINY, epochs=1, lr=0.01))


def test_it_is_pure_and_names_what_it_measured(family):
    child = GROWN["kernels grow"]
    first = family(child, seed=3)
    assert family(PARENT) != first
    assert family(child, seed=3) == first and family(child, seed=4) != first
    assert WeightInheritance(SPACE, PARENT, family.weights, family.recipe)(child, seed=3) == first
    assert set(first.scores) == {"morphed", "morphed_loss", "preserved", "parameters", "madds"}
    assert first.scores["preserved"] == 1 and first.epochs == 1
    assert family((SKIP, *PARENT[1:])).scores["preserved"] == 0


def test_a_child_is_a_parent_in_its_turn(family):
    child = family.child(GROWN["kernels grow"], seed=3)
    assert child.parent == GROWN["kernels grow"] and child.weights != family.weights
    assert child == family.child(GROWN["kernels grow"], seed=3)
    still = replace(child, recipe=replace(child.recipe, lr=1e-12, decay=0.0))  # trains, but does not move
    before, after = (one(child.parent, seed=3).scores["morphed_loss"] for one in (family, still))
    assert after == pytest.approx(before, abs=0.3)  # the batch-norms' statistics do move


def test_starting_from_the_parent_beats_starting_from_nothing():
    recipe = replace(FULL, images=1000, network={"channels": 4})
    short = replace(SHORT, images=1000, epochs=1, network={"channels": 4})
    family = WeightInheritance.root(SPACE, PARENT, recipe, short)
    for child in (GROWN["kernels grow"], GROWN["silent branches"]):
        assert family(child).scores["morphed"] > Training(SPACE, short)(child).scores["accuracy"] + 0.1


def test_a_search_runs_on_it(family, tmp_path):
    run = Run(RandomSearch(SPACE, family, evaluations=3, objective=Score("morphed")), tmp_path / "run.jsonl")
    assert len(list(run)) == 3 and run.best.scores["morphed"] > 0


def test_weights_of_another_network_are_refused(family):
    with pytest.raises(ValueError, match="another network: it differs in"):
        replace(family, recipe=replace(family.recipe, network={"channels": 5}))(PARENT)
    with pytest.raises(ValueError, match="no architecture of nasbench201"):
        family.child((9,) * 6)
