"""Diagnoses of a supernet against dense derivatives, known functions and what they must not change."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from nasviz.analysis import diagnosis
from nasviz.spaces import DartsSpace, NasBench201
from nasviz.strategies.darts import Darts

SPACE = NasBench201()
SMALL = dict(size=8, images=64, epochs=1, batch=16, network={"channels": 2})


def quadratic(matrix):
    return lambda alphas: 0.5 * alphas.flatten() @ matrix @ alphas.flatten() + alphas.sum()


@pytest.fixture(scope="module")
def matrix():
    draws = torch.randn(6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return draws + draws.T


@pytest.fixture(scope="module")
def trained():
    """A search after an epoch, and its loss in float64."""
    strategy = Darts(SPACE, **SMALL)
    *_, last = strategy
    search = replace(strategy, start=last.state).begin()
    search.network.double()
    search.valid = type(search.valid)(search.valid.images.double(), search.valid.labels)
    search.alphas = search.alphas.detach().double().requires_grad_()
    return strategy, search, diagnosis.validation_loss(strategy, search)


def test_of_a_quadratic_the_hessian_is_its_matrix(matrix):
    alphas = torch.ones(3, 2, dtype=torch.float64)
    assert diagnosis.hessian(quadratic(matrix), alphas) == pytest.approx(matrix.numpy(), abs=1e-12)
    values = np.linalg.eigvalsh(matrix)
    largest = values[np.abs(values).argmax()]
    found = diagnosis.dominant_eigenvalue(quadratic(matrix), alphas, iterations=500, tolerance=1e-9)
    assert found == pytest.approx(largest, rel=1e-5)
    flipped = diagnosis.dominant_eigenvalue(quadratic(-matrix), alphas, iterations=500, tolerance=1e-9)
    assert flipped == pytest.approx(-largest, rel=1e-5)  # with its sign
    assert diagnosis.dominant_eigenvalue(lambda a: 3 * a.sum() + 0 * (a * a).sum(), alphas) == 0


def test_of_a_supernet_the_hessian_is_what_differences_of_gradients_say(trained):
    _, search, loss = trained
    matrix = diagnosis.hessian(loss, search.alphas)
    assert np.allclose(diagnosis.hessian(loss, search.alphas, at_once=7), matrix, rtol=1e-9, atol=1e-12)
    assert matrix.shape == (30, 30)
    for edge, option in ((0, 3), (3, 1), (5, 4)):
        gradients = []
        for shift in (1e-4, -1e-4):
            moved = search.alphas.detach().clone()
            moved[edge, option] += shift
            moved.requires_grad_()
            gradients.append(torch.autograd.grad(loss(moved), [moved])[0].flatten().numpy())
        expected = (gradients[0] - gradients[1]) / 2e-4
        assert matrix[5 * edge + option] == pytest.approx(expected, abs=2e-5 + 1e-2 * np.abs(expected).max())


def test_power_iteration_finds_the_dense_eigenvalue(trained):
    _, search, loss = trained
    values = np.linalg.eigvalsh(diagnosis.hessian(loss, search.alphas))
    found = diagnosis.dominant_eigenvalue(loss, search.alphas, iterations=100, tolerance=1e-4)
    assert abs(found) == pytest.approx(np.abs(values).max(), rel=2e-2)
    again = diagnosis.dominant_eigenvalue(loss, search.alphas, iterations=100, tolerance=1e-4, seed=1)
    assert again == pytest.approx(found, rel=2e-2)


def test_a_softmax_is_blind_to_a_shift_of_an_edge(trained):
    _, search, loss = trained
    product = diagnosis.hessian_product(loss, search.alphas)
    shift = torch.zeros_like(search.alphas)
    shift[2] = 1
    assert product(shift).abs().max() < 1e-10


def test_looking_changes_nothing():
    strategy = Darts(SPACE, **SMALL)
    *_, last = strategy
    search = replace(strategy, start=last.state).begin()
    loss = diagnosis.validation_loss(strategy, search, images=32)
    diagnosis.dominant_eigenvalue(loss, search.alphas, iterations=2)
    diagnosis.loss_surface(loss, search.alphas, points=3)
    diagnosis.discretisation_gap(strategy, search, images=32)
    diagnosis.operation_gradients(strategy, search, images=32)
    assert search.pack() == last.state
    assert not search.gradient.any() and search.alphas.grad is None


# ------------------------------------------------------------------------------------------------------------- surfaces
def test_the_surface_of_a_quadratic(matrix):
    alphas = torch.ones(3, 2, dtype=torch.float64)
    values, vectors = np.linalg.eigh(matrix.numpy())
    first, second = np.argsort(-np.abs(values))[:2]
    along = diagnosis.sharpest(quadratic(matrix), alphas)
    assert [float((d * d).sum()) for d in along] == pytest.approx([1, 1])
    surface = diagnosis.loss_surface(quadratic(matrix), alphas, along, reach=0.5, points=5)
    assert surface.steps.tolist() == [-0.5, -0.25, 0, 0.25, 0.5]
    assert surface.losses[2, 2] == pytest.approx(quadratic(matrix)(alphas).item())
    bends = [losses @ [1, 0, -2, 0, 1] / 0.25 for losses in (surface.losses[2], surface.losses[:, 2])]
    assert bends == pytest.approx([values[first], values[second]])


def test_random_directions_are_at_right_angles_and_of_the_seed():
    alphas = torch.zeros(6, 5)
    a, b = diagnosis.directions(alphas)
    assert [float(a.norm()), float(b.norm()), float((a * b).sum())] == pytest.approx([1, 1, 0], abs=1e-6)
    assert torch.equal(a, diagnosis.directions(alphas)[0]) and not torch.equal(a, diagnosis.directions(alphas, 1)[0])


@pytest.mark.parametrize("points", [1, 4])
def test_a_surface_without_a_middle_is_refused(points):
    with pytest.raises(ValueError, match="odd"):
        diagnosis.loss_surface(lambda a: a.sum(), torch.zeros(1, 2), points=points)


# -------------------------------------------------------------------------------------------------------------- weights
def test_entropy_and_shares():
    assert diagnosis.entropy(np.full((6, 5), 0.2)) == pytest.approx(np.log(5))
    assert diagnosis.entropy(np.eye(5)[[0, 1, 2, 3, 4, 1]]) == pytest.approx(0, abs=1e-9)
    assert diagnosis.skip_share(SPACE, np.eye(5)[[1, 1, 0, 3, 3, 1]]) == 0.5
    assert diagnosis.skips(SPACE, (1, 0, 1, 3, 3, 1)) == 3
    darts = DartsSpace()
    assert diagnosis.skip_share(darts, np.full((28, 8), 1 / 8)) == pytest.approx(1 / 8)


@pytest.mark.parametrize("space", [SPACE, DartsSpace(), DartsSpace.restricted("S1")], ids=lambda space: space.name)
def test_one_hot_weights_discretise_to_their_architecture(space):
    for seed in range(5):
        arch = space.sample(np.random.default_rng(seed))
        if "none" in space.relaxed[0].options and space is SPACE:
            arch = tuple(max(1, option) for option in arch)
        weights = diagnosis.supernet_weights(space, arch)
        assert space.discretize(weights) == arch
        assert set(np.unique(weights)) <= {0, 1} and weights.sum() == sum(
            edge.op is not None for graph in space.cells(arch).values() for edge in graph.edges
        )


def test_the_gap_is_that_of_two_forward_passes(trained):
    strategy, search, _ = trained
    gap = diagnosis.discretisation_gap(strategy, search)
    arch = SPACE.discretize(search.alphas.detach().softmax(1).numpy())
    for weights, accuracy in (
        (search.alphas.softmax(1), gap.mixture),
        (torch.from_numpy(diagnosis.supernet_weights(SPACE, arch)).double(), gap.discrete),
    ):
        right = search.network(search.valid.images, weights).argmax(1) == search.valid.labels
        assert accuracy == pytest.approx(right.double().mean().item())
    assert gap.points == pytest.approx(100 * (gap.mixture - gap.discrete))


def test_gradients_of_operations_are_differences_of_the_loss(trained):
    strategy, search, _ = trained
    gradients = diagnosis.operation_gradients(strategy, search)
    assert gradients.shape == (6, 5) and not gradients[:, 0].any()  # a zero adds nothing
    weights = search.alphas.detach().softmax(1)
    losses = []
    for shift in (1e-5, -1e-5):
        moved = weights.clone()
        moved[4, 2] += shift
        logits = search.network(search.valid.images, moved)
        losses.append(torch.nn.functional.cross_entropy(logits, search.valid.labels).item())
    assert gradients[4, 2] == pytest.approx(abs(losses[0] - losses[1]) / 2e-5, rel=1e-4, abs=1e-7)


def test_an_operation_is_taken_away_by_a_weight_of_zero(trained):
    strategy, search, _ = trained
    counts = diagnosis.right_without(strategy, search, images=32)
    assert counts.shape == (6, 5) and counts.min() >= 0 and counts.max() <= 32
    whole = search.network(search.valid.images[:32], search.alphas.softmax(1)).argmax(1) == search.valid.labels[:32]
    assert (counts[:, 0] == whole.sum().item()).all()  # a zero adds nothing
    weights = search.alphas.detach().softmax(1)
    weights[4, 2] = 0
    right = search.network(search.valid.images[:32], weights).argmax(1) == search.valid.labels[:32]
    assert counts[4, 2] == right.sum().item()
