"""The supernet computed edge-together against the loop over operations, and its gradients against differences."""

import numpy as np
import pytest
import torch
from plain_mixed import PlainCell, PlainNetwork, each_filter
from torch.nn import functional as F

from nasviz.nn import mixed, mixed_by_hand
from nasviz.nn.by_hand import convolution_gradients, twice
from nasviz.nn.mixed import MixedCell, MixedNetwork, normed_mixture
from nasviz.nn.rows import AveragePool3x3
from nasviz.spaces import NasBench201
from nasviz.weights import initialize

SPACE = NasBench201()
OPERATIONS = SPACE.relaxed[0].options
SKIPS = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def mixed_cell(edges, operations, channels):
    cell = MixedCell(edges, operations, channels)
    initialize(cell, generator())
    return cell.double()


def batch(size=5, colors=1, pixels=8, dtype=torch.float64):
    images = torch.randn(size, colors, pixels, pixels, generator=generator(1), dtype=dtype)
    return images, torch.randint(10, (size,), generator=generator(2))


def alphas(edges=6, operations=5, dtype=torch.float64):
    return torch.randn(edges, operations, generator=generator(3), dtype=dtype).requires_grad_()


def learn(network, images, labels, alphas):
    """Logits, and the gradient of the loss in the architecture weights; those in the weights are left in ``grad``."""
    logits = network(images, alphas.softmax(1))
    alphas.grad = None
    F.cross_entropy(logits, labels).backward()
    return logits.detach(), alphas.grad


def close(a, b):
    torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("size", [{}, {"cells": 2, "colors": 3, "stages": 3, "reduction": "residual"}], ids=str)
def test_outputs_and_gradients_are_those_of_the_plain_loop(size):
    network = SPACE.supernet(channels=4, generator=generator(), **size).double()
    reference = PlainNetwork(network)
    images, labels = batch(colors=size.get("colors", 1))
    a = alphas()
    logits, by_alphas = learn(network, images, labels, a)
    expected, expected_by_alphas = learn(reference, images, labels, a)
    close(logits, expected)
    close(by_alphas, expected_by_alphas)
    assert by_alphas[:, 0].abs().min() > 0  # through the softmax a zero, too, has a gradient
    compared = 0
    for mine, its in zip(network.body, reference.body, strict=True):
        if isinstance(mine, MixedCell):
            for edge, place, gradient in each_filter(mine, lambda weight: weight.grad):
                close(gradient, its.convolution(edge, place).weight.grad)
                compared += 1
        else:
            for a_weight, its_weight in zip(mine.parameters(), its.parameters(), strict=True):
                close(a_weight.grad, its_weight.grad)
    assert compared == 12 * size.get("cells", 1) * size.get("stages", 2)
    for part in ("stem", "head", "classifier"):
        for a_weight, its_weight in zip(
            getattr(network, part).parameters(), getattr(reference, part).parameters(), strict=True
        ):
            close(a_weight.grad, its_weight.grad)


def test_separable_convolutions_have_the_gradients_of_the_plain_loop():
    network = NasBench201(("skip_connect", "sep_conv_3x3")).supernet(channels=3, generator=generator()).double()
    reference, a, compared = PlainNetwork(network), alphas(operations=2), 0
    images, labels = batch()
    logits, by_alphas = learn(network, images, labels, a)
    expected, expected_by_alphas = learn(reference, images, labels, a)
    close(logits, expected)
    close(by_alphas, expected_by_alphas)
    for mine, its in zip(network.body, reference.body, strict=True):
        if isinstance(mine, MixedCell):
            for edge, place, gradient in each_filter(mine, lambda weight: weight.grad):
                close(gradient, its.convolution(edge, place).weight.grad)
                compared += gradient.abs().max() > 1e-6
    assert compared == 2 * 6 * 4


@pytest.mark.parametrize(
    "operations",
    [
        ("skip_connect", "nor_conv_3x3"),
        ("sep_conv_3x3", "avg_pool_3x3"),
        ("none", "avg_pool_3x3"),
        ("nor_conv_1x1",),
        ("none",),
    ],
    ids=" ".join,
)
def test_any_choice_of_operations_equals_the_plain_loop(operations):
    cell = mixed_cell([(0, 1), (0, 2), (1, 2)], operations, 3)
    x = torch.randn(2, 3, 5, 7, generator=generator(), dtype=torch.float64)
    weights = torch.rand(3, len(operations), generator=generator(), dtype=torch.float64)
    for mine, its in zip(cell([x], weights), PlainCell(cell)([x], weights), strict=True):
        close(mine, its)


def test_two_input_nodes_as_in_darts_own_cell():
    edges = [(source, target) for target in (2, 3, 4, 5) for source in range(target)]
    cell = mixed_cell(edges, OPERATIONS, 3)
    inputs = [torch.randn(2, 3, 4, 4, generator=generator(seed), dtype=torch.float64) for seed in (0, 1)]
    weights = alphas(len(edges)).softmax(1)
    mine, its = cell(inputs, weights), PlainCell(cell)(inputs, weights)
    assert len(mine) == 4
    for a, b in zip(mine, its, strict=True):
        close(a, b)


@pytest.mark.parametrize(
    "operations", [OPERATIONS, ("avg_pool_3x3", "nor_conv_3x3"), ("nor_conv_3x3", "nor_conv_1x1")], ids=" ".join
)
@pytest.mark.parametrize("wanted", ["α", "images", "filters", "all"])
def test_each_gradient_by_hand_is_that_of_torch_and_so_is_its_own(operations, wanted):
    edges = [(source, target) for target in (2, 3, 4) for source in range(target)]
    cell = mixed_cell(edges, operations, 4)
    filters = list(cell.parameters())
    images = [
        torch.randn(2, 4, 4, 4, generator=generator(seed), dtype=torch.float64).requires_grad_() for seed in (0, 1)
    ]
    weights = alphas(len(edges), len(operations))
    asked = {"α": [weights], "images": images, "filters": filters, "all": [weights, *images, *filters]}[wanted]
    along = [torch.randn(2, 4, 4, 4, generator=generator(seed), dtype=torch.float64) for seed in (2, 3)]
    results = []
    for compute in (cell, cell.plainly):
        nodes = compute([x * 2 for x in images], weights.softmax(1))
        reached = (nodes[0] * along[0]).sum() + (nodes[2].tanh() * along[1]).sum()  # nobody reads nodes[1]
        first = torch.autograd.grad(reached, asked, retain_graph=True, allow_unused=True, materialize_grads=True)
        slopes = torch.autograd.grad(reached, asked, create_graph=True, allow_unused=True, materialize_grads=True)
        curved = sum((slope * slope).sum() for slope in slopes)
        second = torch.autograd.grad(curved, [weights], allow_unused=True, materialize_grads=True)
        results.append([*nodes, *first, *slopes, *second])
    for mine, its in zip(*results, strict=True):
        close(mine, its)


def test_a_gradient_that_nobody_asks_for_is_not_computed(monkeypatch):
    computed = []

    def counted(grad, x, filters, padding, of_x, of_filters, **how):
        computed.append((of_x, of_filters))
        return convolution_gradients(grad, x, filters, padding, of_x, of_filters, **how)

    monkeypatch.setattr(mixed_by_hand, "convolution_gradients", counted)
    network = SPACE.supernet(channels=2, generator=generator()).double()
    (images, _), a = batch(), alphas()
    torch.autograd.grad(network(images, a.softmax(1)).sum(), [a])
    assert computed == [(True, False)] * 5 + [
        (False, False)
    ]  # two cells of three fans; nothing learns before the first
    computed.clear()
    network(images, a.detach().softmax(1)).sum().backward()
    assert computed == [(True, True)] * 6  # the stem learns


def test_what_is_differentiated_twice_can_be_left_to_torch(monkeypatch):
    cells = []
    monkeypatch.setattr(mixed, "cell_by_hand", lambda cell, *rest: cells.append(1) or cell.plainly(*rest))
    network, (images, _) = SPACE.supernet(channels=2, generator=generator()).double(), batch()
    with twice():
        network(images, alphas().softmax(1))
    assert cells == []
    network(images, alphas().softmax(1))
    assert cells == [1, 1]


def test_alpha_gradient_equals_finite_differences():
    network = SPACE.supernet(channels=3, generator=generator()).double()
    images, labels = batch()
    a = alphas()
    _, gradient = learn(network, images, labels, a)
    for edge, operation in np.ndindex(6, 5):
        losses = []
        for shift in (1e-5, -1e-5):
            moved = a.detach().clone()
            moved[edge, operation] += shift
            losses.append(F.cross_entropy(network(images, moved.softmax(1)), labels).item())
        assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(gradient[edge, operation].item(), abs=1e-8)


def test_normed_mixture_has_first_and_second_derivatives():
    weights = torch.rand(2, 3, generator=generator(), dtype=torch.float64).requires_grad_()
    branches = [torch.randn(3, 6, 2, 2, generator=generator(i), dtype=torch.float64).requires_grad_() for i in (0, 1)]
    assert torch.autograd.gradcheck(normed_mixture, (weights, *branches))
    assert torch.autograd.gradgradcheck(normed_mixture, (weights, *branches))


def test_normalising_survives_a_mean_that_dwarfs_the_deviation():
    x = 1000 + torch.randn(8, 2, 8, 8, generator=generator())
    expected = F.batch_norm(x.double(), None, None, training=True)
    torch.testing.assert_close(normed_mixture(torch.ones(1, 1), x).double(), expected, rtol=0, atol=1e-3)


def test_pooling_counts_only_pixels_inside():
    image = torch.arange(9.0).view(1, 1, 3, 3)
    assert AveragePool3x3(image)(image)[0, 0].tolist() == [[2, 2.5, 3], [3.5, 4, 4.5], [5, 5.5, 6]]


@pytest.mark.parametrize("height, width", [(3, 3), (4, 4), (2, 9)])
def test_pooling_without_torchs_gradient_is_the_same_and_its_transpose_is_its_gradient(height, width):
    x, along = torch.randn(2, 2, 3, height, width, generator=generator(), dtype=torch.float64)
    pool = AveragePool3x3(x)
    close(pool.of(x), F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))
    (gradient,) = torch.autograd.grad(pool(x.requires_grad_()), [x], along)
    close(pool.transposed(along), gradient)


def test_one_operation_with_all_weight_is_that_operation_alone():
    network = SPACE.supernet(channels=4, generator=generator()).double()
    images, _ = batch()
    one_hot = F.one_hot(torch.tensor(SPACE.from_text(SKIPS)), 5).double()
    stem = network.stem(images)
    (*_, out) = network.body[0]([stem], one_hot)
    close(out, 4 * stem)  # 0→3, 0→1→3, 0→2→3, 0→1→2→3: as many paths of skips


def test_evaluation_uses_the_batch_as_training_does():
    network = SPACE.supernet(channels=4, generator=generator())
    images, _ = batch(dtype=torch.float32)
    weights = alphas(dtype=torch.float32).softmax(1)
    with torch.no_grad():
        first = network(images, weights)
        network(3 + 5 * images, weights)  # would shift running statistics, if there were any
        assert torch.equal(network.eval()(images, weights), first)


def test_weights_come_from_the_generator_alone():
    before = torch.get_rng_state()
    first, again, other = (SPACE.supernet(channels=2, generator=generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    flat = [torch.cat([p.flatten() for p in network.parameters()]) for network in (first, again, other)]
    assert torch.equal(flat[0], flat[1]) and not torch.equal(flat[0], flat[2])


def test_filters_start_as_those_of_a_separate_convolution_would():
    fan = mixed_cell([(0, 1), (0, 2)], OPERATIONS, 16).fans[0]
    for name, inputs in (("nor_conv_1x1", 16), ("nor_conv_3x3", 144)):
        largest = fan.convolutions[name].weight.abs().max().item()
        assert 0.95 * inputs**-0.5 < largest <= inputs**-0.5


@pytest.mark.parametrize(
    "operations, said", [(("none", "sep_conv_5x5"), "sep_conv_5x5"), (("none", "none"), "named twice")]
)
def test_operations_that_cannot_be_mixed_are_refused_by_name(operations, said):
    with pytest.raises(ValueError, match=said):
        MixedNetwork(SPACE.graph(), operations, channels=2)


def test_the_slope_of_a_slope_counts_each_way_to_a_weight_once():
    """Two cells: what the second reads depends on the weights too."""
    network = NasBench201().supernet(channels=2, cells=2, generator=generator(0)).double()
    images = torch.randn(3, 1, 8, 8, generator=generator(1), dtype=torch.float64)
    weights, results = alphas(6, 5), []
    for each in (network, PlainNetwork(network)):
        loss = torch.nn.functional.cross_entropy(each(images, weights.softmax(1)), torch.arange(3))
        (slope,) = torch.autograd.grad(loss, [weights], create_graph=True)
        results.append([slope, *torch.autograd.grad((slope * slope).sum(), [weights])])
    for mine, its in zip(*results, strict=True):
        close(mine, its)
