"""Packed trainings are the same trainings: float64 to rounding, each with its own seed, failures apart."""

from dataclasses import replace

import pytest
import torch

from nasviz.estimators import FULL, PackedTraining, Training, packed, tabulate, training
from nasviz.estimators.tabulate import Work, run_packed, trainings_in
from nasviz.nn.packed import PackedNetwork
from nasviz.nn.packed import packed as pack
from nasviz.spaces import NasBench201

SPACE, SEPARABLE = NasBench201(), NasBench201(operations=("none", "skip_connect", "sep_conv_3x3"))
# all operations, the same operation on different edges, a dead convolution (3 → none), nothing at all
ARCHS = [(3, 1, 4, 1, 2, 3), (2, 4, 0, 3, 1, 2), (1, 1, 3, 0, 4, 0), (0,) * 6]
SMALL = replace(FULL, images=80, epochs=2, batch=32)


@pytest.fixture
def double(monkeypatch):
    """Weights and images in float64; 200 images to judge by."""
    plain = training.tensors_of

    def tensors(dataset, size, part):
        images, labels = plain(dataset, size, part)
        return (images[:200].double(), labels[:200])

    monkeypatch.setattr(training, "tensors_of", tensors)
    monkeypatch.setattr(packed, "tensors_of", tensors)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("space, archs", [(SPACE, ARCHS), (SEPARABLE, [(2, 1, 2, 0, 2, 1), (1, 2, 2, 2, 0, 2)])])
def test_packed_in_float64_each_is_what_it_is_alone(double, space, archs):
    alone = Training(space, SMALL, test=True, curve=True)
    together = PackedTraining(alone, "cpu").train([(arch, 7 + i % 2) for i, arch in enumerate(archs)])
    for i, (arch, found) in enumerate(zip(archs, together, strict=True)):
        wanted = alone(arch, seed=7 + i % 2)
        assert (found.arch, found.seed, found.epochs) == (arch, wanted.seed, 2)
        assert found.scores == pytest.approx(wanted.scores, abs=1e-9)


def test_a_gradient_is_that_of_the_networks_own_loss(double):
    networks = [SPACE.network(arch, channels=2) for arch in ARCHS[:2]]
    together, images = PackedNetwork(networks), torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    both = together(images.transpose(0, 1).expand(2, 1, 5, 8, 8))
    (both[0].square().sum() + 3 * both[1].sum()).backward()
    networks[0](images).square().sum().backward()
    (3 * networks[1](images).sum()).backward()
    for number, network in enumerate(networks):
        torch.testing.assert_close(together.stem[0].weight.grad[number], network.stem[0].weight.grad)
        torch.testing.assert_close(together.classifier.bias.grad[number], network.classifier.bias.grad)


def test_one_that_breaks_down_takes_no_other_with_it(double, monkeypatch):
    asked = [(arch, 0) for arch in ARCHS]
    estimate = PackedTraining(Training(SPACE, replace(SMALL, images=32), curve=True), "cpu")
    sound = estimate.train(asked)
    build = NasBench201.network

    def damaged(self, arch, **how):
        network = build(self, arch, **how)
        if arch == ARCHS[1]:
            network.classifier.weight.data.fill_(float("inf"))
        return network

    monkeypatch.setattr(NasBench201, "network", damaged)
    found = estimate.train(asked)
    assert [e.scores["accuracy"] == e.scores["accuracy"] for e in found] == [True, False, True, True]
    assert all(found[i].scores == sound[i].scores for i in (0, 2, 3))
    wanted = Training(SPACE, replace(SMALL, images=32), curve=True)(ARCHS[1]).scores
    assert found[1].scores == pytest.approx(wanted, nan_ok=True)


def test_packs_of_any_size_give_the_same_and_answers_come_in_order():
    estimate = PackedTraining(Training(SPACE, replace(SMALL, images=32, epochs=1)), "cpu", networks=3)
    answers = list(estimate.many(ARCHS, seed=5))
    assert [(e.arch, e.seed) for e in answers] == [(arch, 5 + i) for i, arch in enumerate(ARCHS)]
    assert estimate(ARCHS[3], seed=8).scores == pytest.approx(answers[3].scores, abs=1e-6)


def test_what_cannot_be_packed_is_refused_by_name():
    with pytest.raises(ValueError, match="a ResidualReduction cannot be packed"):
        PackedNetwork([SPACE.network(ARCHS[0], reduction="residual")])
    with pytest.raises(ValueError, match="alike"):
        PackedNetwork([SPACE.network(ARCHS[0], channels=channels) for channels in (4, 8)])
    with pytest.raises(ValueError, match="no network"):
        PackedNetwork([])
    with pytest.raises(ValueError, match="bias"):
        pack([torch.nn.Conv2d(1, 1, 3)])


class Four(NasBench201):
    """The space with four architectures."""

    def distinct(self):
        return ARCHS


def test_a_table_filled_in_packs_goes_on_where_it_was(tmp_path, monkeypatch):
    work = Work(Training(Four(), replace(SMALL, images=32, epochs=1)), seeds=2)
    packs = PackedTraining(work.estimate, "cpu", networks=2)
    monkeypatch.setattr(tabulate, "BLOCK", 2)
    going = run_packed(work, tmp_path, packs, share=(0, 2))
    next(going)
    going.close()  # killed in its first pack: what was written stays
    assert len(list(run_packed(work, tmp_path, packs, share=(1, 2)))) == 3
    assert len(list(run_packed(work, tmp_path, packs))) == 4
    known = dict(key_row for part in tmp_path.glob("*.jsonl") for key_row in trainings_in(part, work.head))
    assert sorted(known) == sorted(work.key(arch, seed) for arch in ARCHS for seed in (0, 1))
    text = SPACE.to_text(ARCHS[0])
    assert known[text, 1]["scores"] == pytest.approx(work.estimate(ARCHS[0], seed=1).scores, abs=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_it_is_the_same_training_up_to_its_noise():
    alone = Training(SPACE, replace(SMALL, images=512, epochs=1))
    on_gpu = PackedTraining(alone).train([(arch, 0) for arch in ARCHS])
    for found in on_gpu:
        assert found.scores["train_loss"] == pytest.approx(alone(found.arch).scores["train_loss"], abs=1e-3)
