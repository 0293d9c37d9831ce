"""Second-order DARTS against exact derivatives and a closed form; selection by perturbation."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasviz.run import Run
from nasviz.spaces import DartsSpace, NasBench201
from nasviz.strategies.bilevel import Batch, Bilevel
from nasviz.strategies.darts import Darts
from nasviz.strategies.darts_cuda_graphs import RecordedDarts
from nasviz.strategies.darts_pt import DartsPT
from nasviz.strategies.second_order import SecondOrderDarts

SPACE = NasBench201()
SMALL = dict(size=8, images=64, epochs=2, batch=16, network={"channels": 2})


class Quadratic(SecondOrderDarts):
    """The paper's own example (section 2.3): L_train = w² - 2αw + α², L_valid = αw - 2α + 1."""

    def alpha_loss(self, search, alphas, valid):
        loss = (alphas * search.network.weight).sum() - 2 * alphas.sum() + 1
        return loss, loss.detach()

    def weight_loss(self, search, alphas, train):
        return ((search.network.weight - alphas) ** 2).sum()

    def rate(self, search):
        return 0.3


class OneNumber(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[value]], dtype=torch.float64))


def at(w, alpha):
    nothing = Batch(torch.zeros(1), torch.zeros(1, dtype=torch.long))
    alphas = torch.tensor([[alpha]], dtype=torch.float64)
    return Bilevel(OneNumber(w), alphas, nothing, nothing, torch.Generator()), nothing


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("w", "alpha", "velocity"), [(-2.0, 2.0, 0.0), (0.5, -1.0, 0.7), (1.0, 1.0, 0.0)])
def test_on_a_quadratic_it_is_the_closed_form(exact, w, alpha, velocity):
    """w' = w - ξ(2(w - α) + 0.9 v + λw); d/dα (αw' - 2α + 1) = w' - 2 + α · 2ξ."""
    search, nothing = at(w, alpha)
    search.velocity[0] = velocity
    strategy = Quadratic(SPACE, exact=exact, weight_decay=0.1)
    gradient, loss, _ = strategy.alpha_gradient(search, nothing, nothing)
    ahead = w - 0.3 * (2 * (w - alpha) + 0.9 * velocity + 0.1 * w)
    assert gradient.item() == pytest.approx(ahead - 2 + 0.6 * alpha, abs=1e-9)
    assert loss.item() == pytest.approx(alpha * ahead - 2 * alpha + 1)
    assert search.weights[0].item() == w  # looking ahead moves nothing
    first, *_ = Darts.alpha_gradient(strategy, search, nothing, nothing)
    assert first.item() == pytest.approx(w - 2)  # α's own part only


def test_looking_ahead_finds_the_optimum_that_the_first_order_misses():
    """The bilevel optimum is α = w = 1; without looking ahead the descent ends at α = w = 2."""
    ends = {}
    for order in (Darts, SecondOrderDarts):
        search, nothing = at(-2.0, 2.0)
        toy = type("Toy", (Quadratic,), {"alpha_gradient": order.alpha_gradient})
        strategy = toy(SPACE, exact=True, weight_decay=0.0)
        strategy.rate = lambda search: 0.5  # then w' = α exactly
        for _ in range(300):
            gradient, *_ = strategy.alpha_gradient(search, nothing, nothing)
            with torch.no_grad():
                search.alphas -= 0.1 * gradient
                search.weights[0] -= 0.2 * 2 * (search.weights[0] - search.alphas[0, 0])
        ends[order] = search.alphas.item(), search.weights[0].item()
    assert ends[Darts] == pytest.approx((2, 2), abs=1e-3)
    assert ends[SecondOrderDarts] == pytest.approx((1, 1), abs=1e-3)


def smooth(search):
    """The same search in float64 with its weights halfway trained."""
    search.network.double()
    generator = torch.Generator().manual_seed(4)
    alphas = torch.randn(search.alphas.shape, generator=generator, dtype=torch.float64)
    halves = (Batch(half.images.double(), half.labels) for half in (search.train, search.valid))
    again = Bilevel(search.network, alphas, *halves, generator)
    again.velocity.normal_(generator=generator).mul_(0.05)
    return again


def test_exact_equals_differentiating_through_the_step_of_the_weights():
    """Against autograd through w'(α) itself, by torch.func, with no formula in between."""
    strategy = SecondOrderDarts(SPACE, **SMALL, exact=True)
    search = smooth(strategy.begin())
    train, valid = next(search.batches(16))
    gradient, loss, _ = strategy.alpha_gradient(search, train, valid)
    alphas = search.alphas.detach().clone().requires_grad_()
    names, layers = zip(*search.network.named_parameters(), strict=True)

    def logits(weights, images):
        named = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(search.network, named, (images, alphas.softmax(1)))

    slopes = torch.autograd.grad(F.cross_entropy(logits(layers, train.images), train.labels), layers, create_graph=True)
    moved = [
        w - strategy.rate(search) * (slope + 0.9 * velocity + strategy.weight_decay * w)
        for w, slope, velocity in zip(layers, slopes, search.parts(search.velocity), strict=True)
    ]
    expected_loss = F.cross_entropy(logits(moved, valid.images), valid.labels)
    (expected,) = torch.autograd.grad(expected_loss, [alphas])
    assert loss.item() == pytest.approx(expected_loss.item(), abs=1e-9)
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-9)
    first, *_ = Darts.alpha_gradient(strategy, search, train, valid)
    assert (first - expected).abs().max() > 1e-3  # there is something to get right


def test_the_finite_difference_approaches_the_exact_product(monkeypatch):
    strategy = SecondOrderDarts(SPACE, **SMALL)
    search = smooth(strategy.begin())
    batches = next(search.batches(16))
    exact, *_ = replace(strategy, exact=True).alpha_gradient(search, *batches)
    errors = []
    for radius in (1e-2, 1e-6):
        monkeypatch.setattr("nasviz.strategies.second_order.RADIUS", radius)
        gradient, *_ = strategy.alpha_gradient(search, *batches)
        errors.append(((gradient - exact).norm() / exact.norm()).item())
    assert errors[1] < 1e-9 and errors[0] > 1e-6


@pytest.mark.parametrize("changes", [{}, {"exact": True}], ids=str)
def test_a_second_order_search_goes_on_from_a_state(changes):
    search = SecondOrderDarts(SPACE, **SMALL, **changes)
    steps = list(search)
    assert len(steps) == len(search) == 8 and steps != list(Darts(SPACE, **SMALL))
    assert list(replace(search, start=steps[3].state)) == steps[4:]


# ------------------------------------------------------------------------------------------------------------- DARTS-PT
@pytest.fixture(scope="module")
def perturbed():
    return list(DartsPT(SPACE, **SMALL))


def test_edges_are_decided_one_after_the_other(perturbed):
    search = DartsPT(SPACE, **SMALL)
    assert len(perturbed) == len(search) == (2 + 6) * 4
    assert perturbed[:8] == list(Darts(SPACE, **SMALL))
    decided = [int((step.shows["alphas"].max(1) == 1).sum()) for step in perturbed[8:]]
    assert decided == [1 + number // 4 for number in range(24)]
    last = perturbed[-1].shows["alphas"]
    assert sorted(np.unique(last)) == [0, 1] and not last[:, 0].any()  # "none" cannot be selected
    for before, after in zip(perturbed[8:], perturbed[9:], strict=False):  # what is decided stays
        kept = before.shows["alphas"].max(1) == 1
        assert (after.shows["alphas"][kept] == before.shows["alphas"][kept]).all()


@pytest.mark.parametrize("epoch", [1, 2, 5])
def test_it_goes_on_from_a_state_between_decisions(perturbed, epoch):
    assert list(DartsPT(SPACE, **SMALL, start=perturbed[4 * epoch - 1].state)) == perturbed[4 * epoch :]


def test_the_operation_whose_loss_hurts_most_stays_whatever_its_weight():
    """Edges with one useful operation of small weight: magnitude would drop it, perturbation keeps it."""
    space = NasBench201(("skip_connect", "nor_conv_3x3"))
    strategy = DartsPT(space, **SMALL, alpha_lr=1e-4)

    class Network(nn.Module):
        def forward(self, images, weights):
            """Right exactly if all convolutions have weight."""
            on = (weights[:, 1] > 0).all().double()
            return on * F.one_hot(search.valid.labels[: len(images)], 10).double()

    search = strategy.begin()
    search.network = Network()
    search.valid = Batch(search.valid.images[:50], search.valid.labels[:50])
    search.alphas = torch.tensor([[2.0, -2.0]] * 6)
    assert space.discretize(strategy.strengths(search.alphas).numpy()) == (0,) * 6
    for _ in range(6):
        strategy._decide(search)
    assert search.memory["selected"].tolist() == [1] * 6


def test_a_space_that_chooses_edges_too_is_refused():
    with pytest.raises(ValueError, match="also chooses edges"):
        next(iter(DartsPT(DartsSpace(), **SMALL)))


def test_a_killed_selection_goes_on(tmp_path, perturbed):
    path = tmp_path / "pt.jsonl"
    for number, _ in enumerate(Run(DartsPT(SPACE, **SMALL), path)):
        if number == 13:
            break
    assert list(Run(DartsPT(SPACE, **SMALL), path)) == perturbed


def test_a_search_can_be_recorded_on_a_gpu_only():
    with pytest.raises(ValueError, match="device"):
        next(iter(RecordedDarts(SPACE, **SMALL)))
