"""Weight sharing: the single-path supernet, its training, what an architecture inherits, and a search on it."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from toys import OWN, Elastic

from nasviz import datasets
from nasviz.estimators import Inherited
from nasviz.knobs import knobs
from nasviz.nn.cells import Cell
from nasviz.nn.single_path import PathCell, recalibrate
from nasviz.objectives import Score
from nasviz.run import Run
from nasviz.space import SearchSpace
from nasviz.spaces import NasBench201
from nasviz.strategies import RandomSearch, RegularizedEvolution, TrainSupernet
from nasviz.strategies.train_supernet import fair, uniform

SPACE = NasBench201()
SMALL = dict(images=64, epochs=3, batch=16, network={"channels": 2})
ARCHS = [SPACE.sample(np.random.default_rng(i)) for i in range(30)] + [(0,) * 6, (1,) * 6, (3,) * 6]


def small(**changes):
    return TrainSupernet(SPACE, **SMALL | changes)


@pytest.fixture(scope="module")
def whole():
    return list(small())


@pytest.fixture(scope="module")
def trained():
    """A supernet that has learned something, and its last state."""
    search = TrainSupernet(SPACE, images=2000, epochs=4, network={"channels": 4})
    *_, last = search
    return search, last.state


# ------------------------------------------------------------------------------------------------------------- network
def alone(supernet, arch, **size):
    """``arch`` as a network of its own, with the supernet's weights."""
    network = SPACE.network(arch, **size).double()
    for name in ("stem", "head", "classifier"):
        getattr(network, name).load_state_dict(getattr(supernet, name).state_dict())
    for mine, its in zip(network.body, supernet.body, strict=True):
        if isinstance(mine, Cell):
            for operation, candidates, option in zip(mine.operations, its.candidates, arch, strict=True):
                operation.load_state_dict(candidates[option].state_dict())
        else:
            mine.load_state_dict(its.state_dict())
    return network


def test_a_path_is_the_network_of_its_architecture():
    size = {"channels": 3, "cells": 2, "stages": 2}
    generator = torch.Generator().manual_seed(1)
    supernet = SPACE.single_path(**size, generator=generator).double()
    images = torch.randn(5, 1, 8, 8, generator=generator).double()
    for arch in ARCHS:
        network = alone(supernet, arch, **size).train()
        ours, its = supernet.train()(images, arch), network(images)
        assert torch.allclose(ours, its, atol=1e-12)
        assert torch.allclose(supernet.eval()(images, arch), network.eval()(images), atol=1e-12)


def test_only_what_lies_on_the_path_gets_a_gradient():
    supernet = SPACE.single_path(channels=2)
    arch = (3, 0, 1, 0, 0, 2)
    supernet(torch.ones(2, 1, 8, 8), arch).sum().backward()
    cells = [layer for layer in supernet.body if isinstance(layer, PathCell)]
    for cell in cells:
        for edge, candidates in enumerate(cell.candidates):
            for option, operation in enumerate(candidates):
                got = [weights.grad is not None for weights in operation.parameters()]
                assert all(got) if (edge, option) in {(0, 3), (5, 2)} else not any(got)
    assert len(cells) == 2


def test_recalibrated_statistics_are_the_mean_over_the_batches():
    supernet = SPACE.single_path(channels=2, generator=torch.Generator().manual_seed(0)).double()
    images = torch.randn(48, 1, 8, 8, generator=torch.Generator().manual_seed(1)).double()
    supernet.train()(3 + images, (3,) * 6)  # another path, and other images, before
    recalibrate(supernet, (2, 1, 0, 3, 4, 1), images.split(16))
    stem = supernet.stem[0](images).detach()
    means = torch.stack([part.mean((0, 2, 3)) for part in stem.split(16)]).mean(0)
    variances = torch.stack([part.transpose(0, 1).flatten(1).var(1) for part in stem.split(16)]).mean(0)
    assert torch.allclose(supernet.stem[1].running_mean, means) and not supernet.training
    assert torch.allclose(supernet.stem[1].running_var, variances)
    assert {m.momentum for m in supernet.modules() if isinstance(m, nn.BatchNorm2d)} == {0.1}
    unused = supernet.body[0].candidates[0][3][2]
    assert unused.running_mean.abs().max() == 0 and (unused.running_var == 1).all()


# ------------------------------------------------------------------------------------------------------------ training
def test_steps_say_what_happened(whole):
    assert len(whole) == len(small()) == 3 * 64 // 16
    for number, step in enumerate(whole):
        assert set(step.shows) == set(TrainSupernet.shows) and step.evaluation is None
        assert step.shows["epoch"] == number // 4
        assert (step.state is not None) == (number % 4 == 3)
    assert whole[0].shows["loss"] == pytest.approx(np.log(10), abs=0.7)


def test_its_training_is_drawn(whole):
    from nasviz.views.stage.from_search import Rows

    rows = Rows(small())
    (curve,) = rows.spec.views
    assert curve.series[0]["array"] == "loss" and curve.total == len(whole)
    assert rows.row(whole[3], 1.0) == {"loss": whole[3].shows["loss"]}


def test_a_step_is_torchs_descent_of_what_the_path_uses():
    search = small(seed=5, lr=0.2, weight_decay=1e-3, epochs=2)
    network = SPACE.single_path(channels=2, generator=torch.Generator().manual_seed(5)).train()
    descent = torch.optim.SGD(network.parameters(), 0.2, momentum=0.9, weight_decay=1e-3)
    data, rng = datasets.load("fashion16", size=8), np.random.default_rng((5, 0))
    images, labels = torch.tensor(data.normalized("train")), torch.tensor(data.train_labels)
    order = rng.permutation(64)
    for number, step in zip(range(4), search, strict=False):
        chosen = order[16 * number : 16 * number + 16]
        loss = F.cross_entropy(network(images[chosen], SPACE.sample(rng)), labels[chosen])
        descent.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5)
        descent.param_groups[0]["lr"] = 0.2 * (1 - number / 8)
        descent.step()
        assert step.shows["loss"] == pytest.approx(loss.item(), abs=1e-4)


def test_the_same_seed_is_the_same_training_whatever_happens_outside(whole):
    search, again = small(), []
    for step in search:
        again.append(step)
        torch.rand(3)
        np.random.random()
    assert again == whole == list(small()) and list(small(seed=1)) != whole
    assert [step.state for step in again] == [step.state for step in whole]
    assert list(zip(small(), small(seed=1), strict=True)) == list(zip(whole, list(small(seed=1)), strict=True))


@pytest.mark.parametrize("sampler", ["uniform", "fair"])
@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_going_on_from_a_state_equals_never_having_stopped(epoch, sampler):
    steps = list(small(sampler=sampler))
    rest = list(small(sampler=sampler, start=steps[4 * epoch - 1].state))
    assert rest == steps[4 * epoch :]
    assert [step.state for step in rest] == [step.state for step in steps[4 * epoch :]]


@pytest.mark.parametrize("killed", [1, 4, 6, 11])
def test_a_killed_run_goes_on_with_its_turned_knob(tmp_path, killed):
    def run(path, stop=None):
        run = Run(small(), path)
        for _ in run:
            if len(run) == 2 and not run.turns:
                run.turn(lr=0.01)
            if len(run) == stop:
                break
        return run.steps

    whole = run(tmp_path / "a.jsonl")
    assert run(tmp_path / "b.jsonl", stop=killed) == whole[:killed]
    assert run(tmp_path / "b.jsonl") == whole


def test_a_knob_acts_from_the_next_step_on(whole):
    for name, value in (("lr", 0.5), ("weight_decay", 0.01)):
        search, turned = small(), []
        for step in search:
            turned.append(step)
            if len(turned) == 6:
                setattr(search, name, value)
        assert turned[:6] == whole[:6] and turned[8:] != whole[8:], name
    assert list(knobs(small())) == ["lr", "weight_decay"] and len(fields(TrainSupernet)) <= 13


def test_samplers():
    rng = np.random.default_rng(0)
    for _ in range(20):
        archs = fair(SPACE, rng)
        assert len(archs) == 5
        for column in zip(*archs, strict=True):
            assert sorted(column) == list(range(5))
    assert len({fair(SPACE, rng)[0] for _ in range(20)}) > 15
    counts = np.bincount([uniform(SPACE, rng)[0][2] for _ in range(1000)], minlength=5)
    assert counts.min() > 150
    many = SearchSpace.from_choices({"a": range(5), "b": range(7)})
    for space in (Elastic(), many):
        with pytest.raises(ValueError, match="fair sampling needs choices that are always active"):
            fair(space, rng)


def test_what_is_wrong_says_so(whole):
    for changes, words in [
        ({"sampler": "random"}, r"sampler must be one of \['uniform', 'fair', 'stratified', 'nested'\], got 'random'"),
        ({"images": 9000}, "8000 training images"),
        ({"batch": 65}, "8000 training images"),
        ({"space": OWN}, "has no single_path"),
        ({"network": {"channels": 4}, "start": whole[3].state}, "another network: it differs in network.stem"),
        ({"start": whole[3].state[:100]}, "no state of a search"),
    ]:
        with pytest.raises(ValueError, match=words):
            next(iter(replace(small(), **changes)))
    search, steps = small(), []
    with pytest.raises(FloatingPointError, match=r"step 5 \(epoch 1\): the loss is nan with lr=1e\+38"):
        for step in search:
            steps.append(step)
            if len(steps) == 4:
                search.lr = 1e38
    assert len(steps) == 6 and steps[-1].state is None


# ----------------------------------------------------------------------------------------------------------- inherited
def test_inherited_is_the_accuracy_of_the_path_on_the_validation_images(trained):
    search, state = trained
    data = datasets.load("fashion16", size=8)
    images, labels = torch.tensor(data.normalized("valid")), torch.tensor(data.valid_labels)
    estimate = Inherited.of(search, state, recalibrate=0)
    from safetensors.torch import load

    supernet = SPACE.single_path(channels=4)
    saved = {name.removeprefix("network."): t for name, t in load(state).items() if name.startswith("network.")}
    supernet.load_state_dict(saved)
    for arch in ARCHS[:4]:
        with torch.no_grad():
            right = (supernet.eval()(images, arch).argmax(1) == labels).double().mean().item()
        evaluation = estimate(arch, seed=4)
        assert evaluation.scores["inherited"] == pytest.approx(right, abs=1e-3)
        assert set(evaluation.scores) == {"inherited", "inherited_loss"} and evaluation.seed == 4


@pytest.mark.parametrize("batches", [0, 3])
def test_the_same_question_has_the_same_answer_whatever_was_asked_before(trained, batches):
    estimate = Inherited.of(*trained, recalibrate=batches)
    first = [estimate(arch) for arch in ARCHS[:5]]
    assert [estimate(arch) for arch in reversed(ARCHS[:5])] == first[::-1]
    assert [Inherited.of(*trained, recalibrate=batches)(arch) for arch in ARCHS[:5]] == first


def test_recalibration_helps(trained):
    archs = [arch for arch in ARCHS if 3 in arch][:12]
    means = [np.mean([Inherited.of(*trained, n)(arch).scores["inherited"] for arch in archs]) for n in (0, 10)]
    assert 0.2 < means[0] + 0.02 < means[1]


def test_a_trained_supernet_knows_more_than_an_untrained_one(trained):
    search, state = trained
    first = next(step for step in replace(search, images=64, epochs=1) if step.state)
    archs = [(3, 1, 3, 1, 1, 3), (2, 1, 3, 3, 0, 2)]
    for arch in archs:
        late, early = (Inherited.of(search, s)(arch).scores["inherited"] for s in (state, first.state))
        assert late > early + 0.05


def test_any_strategy_searches_on_it(trained, tmp_path):
    estimate, score = Inherited.of(*trained, recalibrate=2), Score("inherited")
    search = RegularizedEvolution(SPACE, estimate, 6, 3, evaluations=15, objective=score)
    run = Run(search, tmp_path / "run.jsonl")
    list(run)
    assert run.best.scores["inherited"] == max(step.evaluation.scores["inherited"] for step in run.steps)
    assert Run.load(tmp_path / "run.jsonl").best == run.best
    assert len(list(RandomSearch(SPACE, estimate, evaluations=3, objective=score))) == 3
    other = Inherited.of(trained[0], next(step.state for step in small() if step.state), recalibrate=2)
    with pytest.raises(ValueError, match="another search: estimate.state"):
        Run(replace(search, estimate=other), tmp_path / "run.jsonl")


def test_a_state_of_another_network_is_refused(trained):
    search, state = trained
    with pytest.raises(ValueError, match="another network: it differs in network"):
        Inherited(SPACE, state, network={"channels": 8})((1,) * 6)
    with pytest.raises(ValueError, match="no state of a search"):
        Inherited(SPACE, state[:50], network={"channels": 4})((1,) * 6)
    with pytest.raises(ValueError, match="Inherited: recalibrate is -1"):
        Inherited.of(search, state, recalibrate=-1)
    with pytest.raises(ValueError, match="from 0 to 125"):
        Inherited.of(search, state, recalibrate=126)((1,) * 6)
    with pytest.raises(ValueError, match="no architecture of nasbench201"):
        Inherited.of(search, state)((9,) * 6)
