"""Operations, the cell network, its initialisation, and counting: against hand cases and published figures."""

import csv
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from nasviz.graph import Edge, Graph
from nasviz.nn import count, ops
from nasviz.nn.cells import Cell, CellNetwork
from nasviz.spaces import NasBench201
from nasviz.weights import initialize

SPACE = NasBench201()
ZERO, SKIP, C1, C3, POOL = range(5)
PAPER = {"channels": 16, "cells": 5, "stages": 3, "reduction": "residual", "colors": 3}
PUBLISHED = Path(os.environ.get("NASVIZ_PUBLISHED", "published")) / "nasbench201-200epochs-zerocost.csv"


def cell(*arch, channels=4, seed=0):
    built = Cell(SPACE.graph(arch), ops.NASBENCH201, channels)
    initialize(built, torch.Generator().manual_seed(seed))
    return built


def images(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_pooling_averages_over_what_lies_inside():
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    pooled = ops.average_pool3x3(1)(x)[0, 0]
    assert pooled[1, 1] == 4  # mean of 0..8
    assert pooled[0, 0] == (0 + 1 + 3 + 4) / 4  # the corner has four neighbours, not nine
    assert pooled[0, 1] == (0 + 1 + 2 + 3 + 4 + 5) / 6


def test_convolution_is_relu_then_convolution_then_batchnorm():
    op = ops.relu_conv3x3_bn(2).eval()
    nn.init.zeros_(op[1].weight)
    op[1].weight.data[0, 1, 0, 2] = 2.0  # output 0 = twice channel 1, from above right
    x = images(1, 2, 5, 5)
    y = op(x)
    expected = 2 * x[0, 1, 1, 3].clamp(min=0) / (1 + op[2].eps) ** 0.5
    assert torch.allclose(y[0, 0, 2, 2], expected)
    assert (y[0, 1] == 0).all()


@pytest.mark.parametrize("name", ops.NASBENCH201)
def test_operations_keep_shape_and_have_the_right_gradient(name):
    op = ops.NASBENCH201[name](3)
    initialize(op, torch.Generator().manual_seed(0))
    op = op.double().eval()
    x = images(2, 3, 5, 4).double().requires_grad_()
    assert op(x).shape == x.shape
    assert torch.autograd.gradcheck(op, x, check_undefined_grad=False)


@pytest.mark.parametrize("reduction", ops.REDUCTIONS)
@pytest.mark.parametrize("size", [8, 7])
def test_reductions_halve_also_an_odd_resolution(reduction, size):
    assert ops.REDUCTIONS[reduction](4)(images(2, 4, size, size)).shape == (2, 8, 4, 4)


def test_cell_is_the_sum_over_its_edges():
    built, x = cell(SKIP, POOL, SKIP, ZERO, POOL, SKIP).eval(), images(2, 4, 6, 6)
    pool = ops.average_pool3x3(4)
    one = x
    two = pool(x) + one
    assert torch.allclose(built(x), pool(one) + two)


def test_cell_matches_every_operation_run_one_by_one():
    built, x = cell(C3, C1, C3, POOL, C1, C3).double(), images(4, 4, 6, 6).double()
    run = built.operations
    one = run[0](x)
    two = run[1](x) + run[2](one)
    assert torch.allclose(built(x), run[3](x) + run[4](one) + run[5](two), atol=1e-12)


@pytest.mark.parametrize(
    ("arch", "live"),
    [
        ((ZERO, C3, C3, ZERO, C3, C3), [1, 5]),  # node 1 is dead: what reads it must not run
        ((C3, C3, ZERO, C3, ZERO, ZERO), [3]),  # nodes 1 and 2 lead nowhere
        ((ZERO, C3, C3, ZERO, C3, ZERO), []),  # the output is dead
        ((C3, C1, SKIP, POOL, SKIP, C3), [0, 1, 2, 3, 4, 5]),
    ],
)
def test_only_live_operations_run(arch, live):
    built = cell(*arch)
    ran = []
    for i, op in enumerate(built.operations):
        op.register_forward_hook(lambda *_, i=i: ran.append(i))
    built(images(2, 4, 6, 6))
    assert sorted(ran) == live == sorted(built.live)


def test_what_reads_a_dead_node_adds_nothing_whatever_its_batchnorm_shift():
    alone, fed = cell(ZERO, SKIP, ZERO, ZERO, ZERO, SKIP), cell(ZERO, SKIP, C3, ZERO, C1, SKIP)
    for i in (2, 4):
        nn.init.constant_(fed.operations[i][2].bias, 7.0)
    x = images(2, 4, 6, 6)
    assert torch.equal(alone(x), fed(x)) and torch.equal(fed(x), x)


def test_disconnected_network_gives_every_image_the_same_logits():
    network = SPACE.network((ZERO,) * 6).eval()
    logits = network(images(5, 1, 8, 8))
    assert logits.shape == (5, 10) and torch.equal(logits, logits[:1].expand(5, 10))


def test_edges_in_any_order_give_the_same_liveness():
    edges = [Edge(1, 2, "skip_connect"), Edge(0, 1, "skip_connect")]  # the later edge first
    chain = Cell(Graph(("in", "1", "out"), tuple(edges)), ops.NASBENCH201, 2)
    assert sorted(chain.live) == [0, 1]


@pytest.mark.parametrize(("size", "colors", "classes", "dtype"), [(8, 1, 10, "float32"), (13, 3, 7, "float64")])
@pytest.mark.parametrize("reduction", ops.REDUCTIONS)
def test_network_of_any_size(size, colors, classes, dtype, reduction):
    network = SPACE.network(
        (C3, C1, POOL, SKIP, C3, C1), channels=4, cells=2, stages=3, colors=colors, classes=classes, reduction=reduction
    ).to(getattr(torch, dtype))
    logits = network(images(3, colors, size, size).to(getattr(torch, dtype)))
    assert logits.shape == (3, classes) and logits.dtype == getattr(torch, dtype)
    logits.sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize(("wrong", "word"), [({"channels": 0}, "channels"), ({"reduction": "max"}, "reduction")])
def test_wrong_sizes_are_named(wrong, word):
    with pytest.raises(ValueError, match=word):
        SPACE.network((0,) * 6, **wrong)


def test_unknown_operation_is_named():
    graph = Graph(("in", "out"), (Edge(0, 1, "conv_7x7"),))
    with pytest.raises(ValueError, match="0→1.*conv_7x7"):
        CellNetwork(graph, ops.NASBENCH201)


# ------------------------------------------------------------------------------------------------------- initialisation
def test_weights_come_from_the_generator_alone():
    before = torch.random.get_rng_state()
    first, again, other = (
        SPACE.network((C3,) * 6, generator=torch.Generator().manual_seed(seed)).state_dict() for seed in (1, 1, 2)
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["stem.0.weight"], other["stem.0.weight"])


def test_initialisation_has_torchs_default_distributions():
    torch_own = nn.Conv2d(64, 64, 3, bias=False)
    built = SPACE.network((C3,) * 6, channels=64, cells=1, stages=1)
    ours = built.body[0].operations[0][1]
    bound = 1 / (64 * 9) ** 0.5
    for weights in (torch_own.weight, ours.weight):
        assert weights.abs().max() <= bound and weights.abs().max() > 0.99 * bound
        assert abs(weights.std() / (bound / 3**0.5) - 1) < 0.02
    assert built.classifier.bias.abs().max() <= 64**-0.5 and built.classifier.bias.std() > 0
    norm = built.stem[1]
    state = {name: set(values.flatten().tolist()) for name, values in norm.state_dict().items()}
    assert state == {"weight": {1}, "bias": {0}, "running_mean": {0}, "running_var": {1}, "num_batches_tracked": {0}}


def test_a_layer_without_initialisation_is_refused():
    with pytest.raises(ValueError, match="PReLU"):
        initialize(nn.Sequential(nn.PReLU()), torch.Generator())


# ------------------------------------------------------------------------------------------------------------- counting
def on_meta(arch, **size):
    with torch.device("meta"):
        return SPACE.network(arch, **size)


def test_size_of_the_published_example():
    text = "|nor_conv_1x1~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|nor_conv_3x3~0|skip_connect~1|skip_connect~2|"
    network = on_meta(SPACE.from_text(text), **PAPER)
    assert count.parameters(network) == 615_386
    assert count.madds(network, (3, 32, 32), "nasbench201") == 88_307_392


def test_parameters_and_madds_of_all_published_rows():
    if not PUBLISHED.exists():
        pytest.skip(f"no published figures at {PUBLISHED}")
    seen = {}
    for row in csv.DictReader(PUBLISHED.open()):
        arch = SPACE.from_text(row["architecture"])
        counts = tuple(map(arch.count, (C3, C1, POOL)))  # dead operations count as well: nothing else matters
        if counts not in seen:
            network = SPACE.network(arch, **PAPER)
            seen[counts] = count.parameters(network), count.madds(network, (3, 32, 32), "nasbench201")
        parameters, madds = seen[counts]
        assert parameters == int(row["params"]), row["architecture"]
        assert madds == round(float(row["madds_millions"]) * 1e6), row["architecture"]


def test_madds_by_hand():
    graph = Graph(("in", "out"), (Edge(0, 1, "nor_conv_3x3"),))
    network = CellNetwork(graph, ops.NASBENCH201, channels=4, stages=1, classes=3)
    convolutions = 8 * 8 * (4 * 9 + 4 * 4 * 9) + 4 * 3
    assert count.madds(network, (1, 8, 8)) == convolutions
    extras = 8 * 8 * 4 * (2 + 1 + 2 + 2 + 1)  # stem's norm; the cell's ReLU and norm; the head's norm and ReLU
    extras += 4 * 9 * 9  # global pooling of 8×8, counted as windows of 9×9
    assert count.madds(network, (1, 8, 8), "nasbench201") == convolutions + extras
    assert network.training and not any(layer._forward_hooks for layer in network.modules())  # left as it was
    with pytest.raises(ValueError, match="conv_linear"):
        count.madds(network, (1, 8, 8), "macs")


def test_dead_operations_count_and_no_memory_is_taken():
    size = {"channels": 2**14, "cells": 1, "stages": 1}  # 6 × 9.7 GB if it were real
    live, dead = on_meta((C3,) * 6, **size), on_meta((ZERO, C3, C3, C3, C3, C3), **size)
    assert count.madds(live, (1, 8, 8)) - count.madds(dead, (1, 8, 8)) == 8 * 8 * 9 * 2**28
    assert count.parameters(live) - count.parameters(dead) == 9 * 2**28 + 2 * 2**14
