"""What cannot be trained is said before the first epoch; frozen weights stay; no weight moves without a gradient."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasviz import SearchSpace
from nasviz.datasets import Dataset
from nasviz.estimators import PackedTraining, Recipe, Timing, Training, WeightInheritance, ZeroCost
from nasviz.estimators.training import Nesterov
from nasviz.nn.trial import as_it_was, batch_of_one, tried
from nasviz.spaces import ElasticSpace, NasBench201
from nasviz.strategies import Darts

TINY = Recipe(images=96, epochs=2, batch=48, decay=1e-2, network={})
PIXELS = np.random.default_rng(0).integers(0, 256, (96, 1, 8, 8), dtype=np.uint8)
LABELS = np.arange(96) % 10
DATA = Dataset("noise", tuple("0123456789"), PIXELS, LABELS, PIXELS[:40], LABELS[:40], PIXELS[40:80], LABELS[40:80])


def space_of(layers):
    """A space with one architecture, of the layers that ``layers(colors, classes)`` returns, and what it has built."""
    made = []

    def build(one, colors, classes):
        made.append(nn.Sequential(*layers(colors, classes)))
        return made[-1]

    return SearchSpace.from_choices({"one": (1,)}, build), made


def trained(layers, recipe=TINY):
    """Train such a network. Return it, its first values, and the evaluation."""
    space, made = space_of(layers)
    first = space.network((0,), classes=10, generator=torch.Generator().manual_seed(0)).state_dict()
    first = {name: tensor.clone() for name, tensor in first.items()}
    evaluation = Training(space, recipe, DATA)((0,))
    return made[-1], first, evaluation


class Module(nn.Module):
    """A module of a function and of whatever else it is given."""

    def __init__(self, function, **held):
        super().__init__()
        self.function = function
        for name, value in held.items():
            setattr(self, name, value)

    def forward(self, x):
        return self.function(self, x)


# ------------------------------------------------------------------------------------------------------ frozen weights
def test_frozen_weights_keep_the_values_that_build_gave_them():
    sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])

    def layers(colors, classes):
        fixed, norm, bias = nn.Conv2d(colors, 2, 3), nn.BatchNorm2d(2), nn.Linear(72, classes)
        fixed.weight.data.copy_(sobel.expand(2, 1, 3, 3))
        fixed.requires_grad_(False)
        norm.weight.data.fill_(0.5)
        norm.requires_grad_(False)
        bias.bias.requires_grad_(False)
        return fixed, norm, nn.ReLU(), nn.Flatten(), bias

    network, first, evaluation = trained(layers)
    for name in ("0.weight", "0.bias", "1.weight", "1.bias", "4.bias"):
        assert torch.equal(network.state_dict()[name], first[name]), name
    assert torch.equal(network[0].weight[1, 0], sobel) and (network[1].weight == 0.5).all()
    assert not torch.equal(network[4].weight, first["4.weight"]) and 0 < evaluation.scores["loss"] < 10


def sgd(network, recipe):
    return torch.optim.SGD(network.parameters(), recipe["lr"], recipe["momentum"], weight_decay=0.01, nesterov=True)


def test_nesterov_is_torchs_with_branches_that_rest():
    """A branch that gets a gradient in some steps only, one that never does, one that is frozen on the way."""

    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.sometimes, self.never, self.later, self.always = (nn.Linear(5, 5) for _ in range(4))

        def forward(self, x, step):
            x = self.later(self.always(x))
            return self.sometimes(x) if step in (1, 2, 5) else x

    theirs, ours = Branches().double(), Branches().double()
    ours.load_state_dict(theirs.state_dict())
    first = theirs.never.weight.clone()
    reference = sgd(theirs, {"lr": 0.05, "momentum": 0.9})
    descent, x = Nesterov(ours, 0.9, 0.01), torch.randn(4, 5, generator=torch.Generator().manual_seed(0)).double()
    for step in range(8):
        for network in (theirs, ours):
            network.later.requires_grad_(step < 4)
            network(x, step).square().mean().backward()
        reference.step()
        reference.zero_grad()
        descent.step(0.05)
        for (name, one), two in zip(theirs.named_parameters(), ours.parameters(), strict=True):
            assert torch.allclose(one, two, atol=1e-12), (step, name)
    assert torch.equal(ours.never.weight, first)


def test_an_unused_branch_stays():
    def layers(colors, classes):
        yield nn.Flatten()
        yield Module(lambda self, x: self.used(x), used=nn.Linear(64, classes), unused=nn.Linear(64, classes))

    network, first, _ = trained(layers)
    assert torch.equal(network[1].unused.weight, first["1.unused.weight"])
    assert not torch.equal(network[1].used.weight, first["1.used.weight"])


class Frozen(NasBench201):
    """NAS-Bench-201 whose first convolution, or whose cells' convolutions, do not learn."""

    def __init__(self, what="stem"):
        super().__init__()
        self.what = what

    def freeze(self, network):
        (network.stem if self.what == "stem" else network.body[0]).requires_grad_(False)
        return network

    def network(self, arch, **size):
        return self.freeze(super().network(arch, **size))

    def supernet(self, **size):
        return self.freeze(super().supernet(**size))


@pytest.mark.parametrize("what", ["stem", "cell"])
def test_packed_networks_keep_frozen_weights_and_learn_like_others(what):
    estimate = Training(Frozen(what), replace(TINY, network={"channels": 4}), DATA)
    archs = [(3, 1, 3, 1, 1, 3), (2, 3, 1, 0, 3, 1)]
    for one, arch in zip(PackedTraining(estimate, "cpu").many(archs), archs, strict=True):
        assert one.scores["train_loss"] == pytest.approx(
            estimate(arch, seed=archs.index(arch)).scores["train_loss"], 1e-3
        )
    free = replace(estimate, space=NasBench201())
    assert free(archs[0]).scores["train_loss"] != estimate(archs[0]).scores["train_loss"]


def test_a_pack_refuses_layers_that_only_look_like_those_it_knows():
    class Halved(nn.Conv2d):
        def forward(self, x):
            return super().forward(x) / 2

    class Own(NasBench201):
        def network(self, arch, **size):
            network = super().network(arch, **size)
            network.stem[0] = Halved(1, 8, 3, padding=1, bias=False)
            return network

    with pytest.raises(ValueError, match="a Halved cannot be packed"):
        PackedTraining(Training(Own(), TINY, DATA), "cpu")((3,) * 6)


def test_darts_keeps_frozen_weights():
    search = Darts(Frozen(), size=8, images=64, epochs=1, batch=32)
    first = search.begin().network.state_dict()
    state = [step for step in search][-1].state
    last = replace(search, start=state).begin()
    assert torch.equal(last.network.stem[0].weight, first["stem.0.weight"])
    assert sum(w.numel() for w in last.layers) < sum(w.numel() for w in last.network.parameters())


# --------------------------------------------------------------------------------------------------------- trial passes
def head(inputs, classes):
    return nn.Flatten(), nn.Linear(inputs, classes)


WRONG = {
    "classes": (lambda c, k: head(64, 7), r"must return float numbers of shape \(batch, classes\), here \(2, 10\), and "
                r"returns float32 numbers of shape \(2, 7\).* as `classes`"),
    "pixels": (lambda c, k: [nn.Conv2d(c, k, 3)], r"returns float32 numbers of shape \(2, 10, 6, 6\)"),
    "squeezed": (lambda c, k: [*head(64, k), Module(lambda self, x: x.argmax(1))], r"returns int64 numbers of shape"),
    "tuple": (lambda c, k: [*head(64, k), Module(lambda self, x: (x, x))], "returns a tuple"),
    "nothing": (lambda c, k: [*head(64, k), Module(lambda self, x: None)], "returns a NoneType"),
    "nan": (lambda c, k: [*head(64, k), Module(lambda self, x: x * nan)], "returns nan before any training"),
    "root": (lambda c, k: [*head(64, k), Module(lambda self, x: (-1 - x.abs()).sqrt())], "returns nan before any"),
    "no weights": (lambda c, k: [nn.AdaptiveAvgPool2d((1, 10)), nn.Flatten()], "has no weights, and nothing can be"),
    "all frozen": (lambda c, k: [layer.requires_grad_(False) for layer in head(64, k)], "has only frozen weights"),
    "detached": (lambda c, k: [*head(64, k), Module(lambda self, x: x.detach())], "depends on none of its weights"),
    "shapes": (lambda c, k: head(63, k), r"cannot compute images of shape \(2, 1, 8, 8\): RuntimeError: .*mat1"),
    "own error": (lambda c, k: [Module(lambda self, x: self.lost), *head(64, k)], "AttributeError: .*has no attribute"),
    "meta": (lambda c, k: [nn.Flatten(), nn.Linear(64, k, device="meta")], "without memory: 1.weight, 1.bias. Build"),
    "plain tensor": (lambda c, k: [Module(lambda self, x: x * self.scale, scale=torch.ones(1, requires_grad=True)),
                                   *head(64, k)], "0.scale is a tensor that is not trained: make it a torch.nn.Param"),
    "lazy and unused": (lambda c, k: [Module(lambda self, x: x, aside=nn.LazyLinear(3)), *head(64, k)],
                        "layers that never run, .*: 0.aside.weight, 0.aside.bias"),
    "mixed types": (lambda c, k: [nn.Flatten(), nn.Linear(64, 8).double(), nn.Linear(8, k)], "cannot compute images"),
}  # fmt: skip


@pytest.mark.parametrize("layers, words", WRONG.values(), ids=WRONG)
def test_what_cannot_be_trained_is_said_before_training(layers, words):
    space, _ = space_of(layers)
    with pytest.raises(ValueError, match=f"^the network of 1 .*{words}|^the network of 1: {words}"):
        Training(space, TINY, DATA)((0,))


@pytest.mark.parametrize("make", [Timing, lambda training: ZeroCost(training.space, ("snip",), TINY, DATA)])
def test_other_estimators_say_it_too(make):
    space, _ = space_of(WRONG["classes"][0])
    with pytest.raises(ValueError, match="the network of 1 must return float numbers"):
        make(Training(space, TINY, DATA))((0,))


def test_what_comes_out_only_in_training_is_said_in_the_first_step():
    space, _ = space_of(lambda c, k: [*head(64, k), Module(lambda self, x: (x, x) if self.training else x)])
    with pytest.raises(ValueError, match="the network of 1 must return .* and returns a tuple"):
        Training(space, TINY, DATA)((0,))


RIGHT = {
    "lazy": lambda c, k: [nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(k)],
    "constants": lambda c, k: [Module(lambda self, x: x * self.mask, mask=torch.rand(8, 8) < 0.5), *head(64, k)],
    "rates": lambda c, k: [nn.Dropout(torch.linspace(0, 0.2, 3)[1].item()), *head(64, k)],
    "buffers": lambda c, k: [nn.Flatten(), nn.BatchNorm1d(64), nn.LayerNorm(64), nn.PReLU(), nn.Linear(64, k)],
    "transposed": lambda c, k: [nn.ConvTranspose2d(c, 2, 2, stride=2), *head(512, k)],
    "weight norm": lambda c, k: [nn.Flatten(), nn.utils.parametrizations.weight_norm(nn.Linear(64, k))],
    "spectral norm": lambda c, k: [nn.Flatten(), nn.utils.parametrizations.spectral_norm(nn.Linear(64, k))],
    "parameter": lambda c, k: [nn.Flatten(), Module(lambda self, x: x @ self.w, w=nn.Parameter(torch.rand(64, k)))],
    "attention": lambda c, k: [Module(lambda self, x: self.a(x[:, 0], x[:, 0], x[:, 0])[0],
                                      a=nn.MultiheadAttention(8, 2, 0.1, batch_first=True)), *head(64, k)],
    "all left out": lambda c, k: [nn.Flatten(), Module(lambda self, x: x[:, :10] if self.training else self.last(x),
                                                       last=nn.Linear(64, k))],
    "deep, with norms": lambda c, k: [*(nn.Sequential(nn.Conv2d(c, c, 1), nn.BatchNorm2d(c)) for _ in range(9)),
                                      *head(64, k)],
}  # fmt: skip


@pytest.mark.parametrize("layers", RIGHT.values(), ids=RIGHT)
def test_what_can_be_trained_is_trained_and_repeated(layers):
    space, _ = space_of(layers)
    estimate = Training(space, TINY, DATA)
    evaluation = estimate((0,))
    assert not isnan(evaluation.scores["loss"]) and evaluation.scores["parameters"] > 0
    assert estimate((0,)) == evaluation
    with ThreadPoolExecutor(2) as pool:
        assert list(replace(estimate, executor=pool).many([(0,), (0,)], seed=0))[0] == evaluation


def test_the_trial_leaves_no_trace():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls, self.rng = 0, np.random.default_rng(0)
            self.generator, self.state = torch.Generator().manual_seed(1), np.random.RandomState(2)
            self.register_buffer("mean", torch.zeros(1))

        def forward(self, x):
            self.calls += 1
            self.mean += 1
            return x + self.rng.random() + torch.rand(1, generator=self.generator) + self.state.rand()

    network = nn.Sequential(Counter(), nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 10))
    network[2].eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    tried(network, torch.rand(2, 1, 8, 8), 10, "it", "")
    with pytest.raises(ValueError, match="it cannot be trained on one image alone .*Take more"):
        tried(network, torch.rand(2, 1, 8, 8), 10, "it", "Take more")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    fresh = Counter()
    assert network[0].calls == 0 and network[0].rng.random() == fresh.rng.random()
    assert network[0].state.rand() == fresh.state.rand()
    assert torch.equal(network[0].generator.get_state(), fresh.generator.get_state())
    assert network.training and not network[2].training and all(w.grad is None for w in network.parameters())
    with pytest.raises(KeyError), as_it_was(network):
        network[0].calls = 7
        raise KeyError
    assert network[0].calls == 0


# ---------------------------------------------------------------------------------------------------- one image alone
@pytest.mark.parametrize("images, batch", [(65, 64), (129, 64), (3, 2), (2, 1), (7, 1), (1, 1), (1, 64), (13, 12)])
def test_what_is_proposed_against_a_batch_of_one_helps(images, batch):
    told = batch_of_one(images, batch)
    for name, value in (part.split("=") for part in told.replace(",", "").split() if "=" in part):
        other = {"images": images, "batch": batch} | {name: int(value)}
        assert batch_of_one(**other) == "" or images == 1, told


@pytest.mark.parametrize("images, batch", [(64, 64), (66, 64), (2, 64), (2, 2)])
def test_no_batch_of_one_no_words(images, batch):
    assert batch_of_one(images, batch) == ""


def test_a_last_batch_of_one_is_refused_before_work_begins():
    recipe = Recipe(images=65, epochs=1)
    words = r"cannot be trained on one image alone \(Expected more than 1 value.*leave.*take batch=65, or images=64"
    space = ElasticSpace()
    for estimate in (Training(space, recipe), Timing(Training(space, recipe))):
        with pytest.raises(ValueError, match=f"the network of .*{words}"):
            estimate(space.smallest)
    with pytest.raises(ValueError, match="one image alone .*batches have one image each: take batch=2"):
        ZeroCost(space, ("snip",), Recipe(batch=1))(space.smallest)
    small, pixels = Recipe(size=2, images=33, batch=32, epochs=1), replace(DATA, **{
        f"{part}_images": getattr(DATA, f"{part}_images")[:, :, :2, :2].copy() for part in ("train", "valid", "test")
    })  # fmt: skip
    with pytest.raises(ValueError, match="one image alone .*take batch=33, or images=32"):
        PackedTraining(Training(NasBench201(), small, pixels), "cpu")((3,) * 6)
    with pytest.raises(ValueError, match="one image alone"):
        WeightInheritance.root(NasBench201(), (3,) * 6, small, dataset=pixels)


def test_a_batch_of_one_is_fine_where_nothing_needs_more():
    assert not isnan(Training(NasBench201(), Recipe(images=33, batch=32, epochs=1), DATA)((1,) * 6).scores["loss"])
    space, _ = space_of(lambda c, k: [Module(lambda self, x: F.layer_norm(x, (8, 8))), *head(64, k)])
    assert not isnan(Training(space, Recipe(images=3, batch=1, epochs=1), DATA)((0,)).scores["loss"])
