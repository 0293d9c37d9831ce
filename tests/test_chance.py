"""A training is a function of its question: whatever its layers draw follows from the seed, and nobody else notices."""

import os
import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasviz import SearchSpace
from nasviz.chance import Draws, drawn_from, may_draw
from nasviz.datasets import Dataset
from nasviz.estimator import Cancelled, watching
from nasviz.estimators import Recipe, Timing, Training, ZeroCost
from nasviz.spaces import DartsSpace, ElasticSpace, NasBench201
from nasviz.strategies import Darts, TrainSupernet

TINY = Recipe(images=96, epochs=2, batch=48)
PIXELS = np.random.default_rng(0).integers(0, 256, (96, 1, 8, 8), dtype=np.uint8)
LABELS = np.arange(96) % 10
DATA = Dataset("noise", tuple("0123456789"), PIXELS, LABELS, PIXELS[:40], LABELS[:40], PIXELS[40:80], LABELS[40:80])


class DropPath(nn.Module):
    """Stochastic depth: a branch that is left out for some images."""

    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        return x + self.branch(x) * (torch.rand(len(x), 1, 1, 1) < 0.5) if self.training else x + self.branch(x)


class Noisy(nn.Module):
    """Draws from everything that draws, in evaluation too."""

    def forward(self, x):
        x = x * (1 + 0.1 * torch.randn_like(x)) + 0.1 * float(np.random.normal())
        return x.flip(-1) if random.random() < 0.5 else x


class Held(nn.Module):
    """Has a generator of its own, and counts its calls."""

    def __init__(self):
        super().__init__()
        self.generator, self.rng, self.calls = torch.Generator().manual_seed(3), np.random.default_rng(4), 0

    def forward(self, x):
        self.calls += 1
        return x + 0.1 * torch.randn(x.shape, generator=self.generator) + 0.1 * self.rng.normal() / self.calls


class Skipped(nn.Module):
    """Leaves its branch out of whole steps."""

    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        return x if self.training and random.random() < 0.5 else x + self.branch(x)


LAYERS = {
    "plain": nn.Identity,
    "dropout": lambda: nn.Dropout(0.3),
    "dropout2d": lambda: nn.Dropout2d(0.3),
    "alpha": lambda: nn.AlphaDropout(0.3),
    "feature alpha": lambda: nn.FeatureAlphaDropout(0.3),
    "rrelu": nn.RReLU,
    "fractional": lambda: nn.FractionalMaxPool2d(2, output_ratio=0.5),
    "droppath": lambda: DropPath(nn.Conv2d(4, 4, 3, padding=1)),
    "skipped": lambda: Skipped(nn.Conv2d(4, 4, 3, padding=1)),
    "noisy": Noisy,
    "held": Held,
}


def build(layer, colors, classes):
    return nn.Sequential(
        nn.Conv2d(colors, 4, 3, padding=1), nn.BatchNorm2d(4), LAYERS[layer](), nn.Tanh(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(4, classes)
    )  # fmt: skip


SPACE = SearchSpace.from_choices({"layer": tuple(LAYERS)}, build)


def generators():
    return torch.get_rng_state().tolist(), [part.tolist() if isinstance(part, np.ndarray) else part
                                            for part in np.random.get_state()], random.getstate()  # fmt: skip


@pytest.mark.parametrize("number", range(len(LAYERS)), ids=list(LAYERS))
def test_same_question_same_answer_and_the_generators_are_as_before(number):
    estimate = Training(SPACE, TINY, DATA, test=True, curve=True)
    np.random.standard_normal()  # leaves half a pair in the generator
    before = generators()
    first = estimate((number,), seed=5)
    assert generators() == before
    torch.rand(3), np.random.random(), random.random()
    assert estimate((number,), seed=5) == first
    assert estimate((number,), seed=6).scores != first.scores
    plain = replace(estimate, curve=False)((number,), seed=5).scores
    assert plain == {name: first.scores[name] for name in plain}  # looking on draws nothing from the steps' numbers
    stopped = estimate((number,), seed=5, epochs=1).scores
    assert {name: stopped[name] for name in ("loss@1", "train_loss@1")} == {
        name: first.scores[name] for name in ("loss@1", "train_loss@1")
    }


def test_layers_that_draw_do_draw():
    losses = {layer: Training(SPACE, TINY, DATA)((i,)).scores["train_loss"] for i, layer in enumerate(LAYERS)}
    assert len(set(losses.values())) == len(LAYERS)
    networks = [SPACE.network((i,)) for i in range(len(LAYERS))]
    assert [may_draw(network) for network in networks] == [False] + [True] * (len(LAYERS) - 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_threads_and_processes_give_the_same():
    archs = [(1,), (9,), (7,), (9,), (0,), (8,)]
    estimate = Training(SPACE, TINY, DATA)
    alone = [estimate(arch, seed=i) for i, arch in enumerate(archs)]
    with ThreadPoolExecutor(3) as threads:
        assert list(replace(estimate, executor=threads).many(archs)) == alone
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as processes:
        assert list(replace(estimate, executor=processes).many(archs[:3])) == alone[:3]


def test_an_error_or_a_stop_puts_the_generators_back():
    class Breaks(nn.Module):
        def forward(self, x):
            if self.training and np.random.random() < 2:
                raise RuntimeError("broken")
            return x + torch.rand(1)

    def broken(depth, colors, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(64 * colors, classes), Breaks())

    def stop(progress):
        if progress.batch == 2:
            raise Cancelled

    before = generators()
    with pytest.raises(RuntimeError, match="broken"):
        Training(SearchSpace.from_choices({"depth": (1,)}, broken), TINY, DATA)((0,))
    with watching(stop), pytest.raises(Cancelled):
        Training(SPACE, TINY, DATA)((9,))
    assert generators() == before


def test_a_watcher_sees_and_may_use_the_generators_between_steps():
    torch.manual_seed(7)
    wanted, seen = [torch.rand(1).item() for _ in range(3)], []
    torch.manual_seed(7)
    with watching(lambda progress: seen.append(torch.rand(1).item())):
        watched = Training(SPACE, TINY, DATA)((1,))
    assert seen[:3] == wanted and watched == Training(SPACE, TINY, DATA)((1,))


def test_what_build_draws_follows_from_the_seed():
    def drawn(width, colors, classes):
        network = nn.Sequential(nn.Flatten(), nn.Linear(64 * colors, width), nn.PReLU(), nn.Linear(width, classes))
        network[2].weight.data.fill_(random.random() + float(np.random.random()) + float(torch.rand(1)))
        network.register_buffer("mask", torch.rand(3))
        network.constant = torch.rand(2)
        return network

    space, before = SearchSpace.from_choices({"width": (4,)}, drawn), generators()
    one, two, other = (space.network((0,), generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert generators() == before
    for a, b, c in zip(one.state_dict().values(), two.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b) and not torch.equal(a, c)
    assert torch.equal(one.constant, two.constant) and not one.constant.is_meta


class Careless(SearchSpace):
    """A space whose network takes its weights from torch's global generator, whatever generator it is given."""

    name, choices = "careless", SPACE.choices

    def network(self, arch, *, colors=1, classes=10, generator=None):
        return nn.Sequential(nn.Flatten(), nn.Linear(64 * colors, classes), nn.Dropout(0.1))


@pytest.mark.parametrize("cls", [Training, ZeroCost])
def test_a_space_that_ignores_the_generator_is_a_function_of_the_seed_too(cls):
    estimate, before = cls(Careless(), recipe=TINY, dataset=DATA), generators()
    answers = [estimate((0,), seed=seed).scores for seed in (1, 1, 2)]
    assert answers[0] == answers[1] != answers[2] and generators() == before


def test_a_zero_cost_score_is_the_same_alone_and_among_others():
    alone = ZeroCost(SPACE, ("grad_norm",), TINY, DATA)((1,))
    both, before = ZeroCost(SPACE, ("snip", "grad_norm"), TINY, DATA), generators()
    assert both((1,)).scores["grad_norm"] == alone.scores["grad_norm"] and both((1,)) == both((1,))
    Timing(Training(SPACE, TINY, DATA), steps=2)((1,))
    assert generators() == before


# ----------------------------------------------------------------------------------------------------------- supernets
class WithDropout(NasBench201):
    """NAS-Bench-201 whose supernets drop values, and scale them by chance."""

    def supernet(self, **size):
        network = super().supernet(**size)
        network.stem.append(nn.Dropout(0.2))
        network.stem.append(Noisy())
        return network

    def single_path(self, **size):
        network = super().single_path(**size)
        network.stem.append(nn.Dropout2d(0.2))
        return network


@pytest.mark.parametrize(
    "search",
    [
        Darts(WithDropout(), size=8, images=64, epochs=2, batch=32),
        TrainSupernet(WithDropout(), images=64, epochs=2, batch=32),
    ],
    ids=["darts", "single path"],
)
def test_a_supernet_with_dropout_is_repeated_and_resumed(search):
    before = generators()
    steps = list(search)
    assert generators() == before
    losses = [step.shows["loss"] for step in steps]
    torch.rand(2), np.random.random(), random.random()
    assert [step.shows["loss"] for step in search] == losses
    state = next(step.state for step in steps if step.state)
    assert [step.shows["loss"] for step in replace(search, start=state)] == losses[len(losses) // 2 :]
    other = replace(search, seed=1)
    assert [step.shows["loss"] for step in other] != losses


def test_between_the_steps_of_a_search_nothing_is_lent():
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    steps = iter(Darts(WithDropout(), size=8, images=64, epochs=1, batch=32))
    next(steps)
    assert torch.equal(torch.rand(1), wanted)
    steps.close()


# ------------------------------------------------------------------------------------------------------- the lent ones
def test_networks_of_the_library_cost_nothing():
    for space in (NasBench201(), DartsSpace(), ElasticSpace()):
        assert not may_draw(space.network(space.sample(np.random.default_rng(0))))
    assert not may_draw(NasBench201().supernet()) and not may_draw(NasBench201().single_path())
    hooked = nn.Sequential(nn.ReLU())
    hooked[0].register_forward_hook(lambda layer, inputs, output: F.dropout(output))
    assert may_draw(hooked)


def test_keys_differ_and_nested_loans_end_in_turn():
    def draws():
        return torch.rand(1).item(), np.random.random(), random.random()

    values = {}
    for key in [(0,), (1,), (0, 1), (0, 1, 0, 1), (0, 1, 1)]:
        with drawn_from(*key):
            values[key] = draws()
            with drawn_from(9):
                inner = draws()
            after = draws()
        with drawn_from(*key):
            assert (values[key], after) == (draws(), draws())
        with drawn_from(9):
            assert inner == draws()
    assert len(set(values.values())) == len(values)


def test_steps_that_are_closed_close_what_makes_them():
    ended = []

    def steps():
        try:
            yield from range(5)
        finally:
            ended.append(True)

    each = Draws(nn.Dropout(), 0).each(steps(), 0)
    assert next(each) == 0
    each.close()
    assert ended == [True] and list(Draws(nn.ReLU(), 0).each(steps(), 0)) == [0, 1, 2, 3, 4]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_can_draw():
    with drawn_from(1):
        child = os.fork()
        if not child:
            with drawn_from(2):
                os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_generators_of_gpus_are_lent_too():
    torch.rand(1, device="cuda")
    before = torch.cuda.get_rng_state()
    with drawn_from(1):
        one = torch.rand(3, device="cuda")
    with drawn_from(1):
        assert torch.equal(one, torch.rand(3, device="cuda"))
    assert torch.equal(before, torch.cuda.get_rng_state())
