"""Operations and networks of cells with two inputs."""

import pytest
import torch
from plain_darts import PlainDarts
from torch import nn

from nasviz.graph import Edge, Graph
from nasviz.nn import count, entering_by_hand, grouped_rows, normed_products, twoinput_mixed
from nasviz.nn.separable import DARTS, NASNET, DilatedDepthwise, FactorizedReduce, Noise
from nasviz.nn.twoinput import Cell
from nasviz.nn.twoinput_mixed import MixedCell
from nasviz.spaces import DartsSpace, NasNetSpace
from nasviz.weights import initialize

TABLES = {f"{label} {name}": f for label, t in (("darts", DARTS), ("nasnet", NASNET)) for name, f in t.items()}
every = pytest.mark.parametrize("factory", TABLES.values(), ids=list(TABLES))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(channels=4, size=8, seed=0):
    return torch.randn(3, channels, size, size, generator=seeded(seed))


def made(factory, *arguments):
    module = factory(*arguments)
    initialize(module, seeded(1))
    for layer in module.modules():
        if isinstance(layer, Noise):
            layer.generator = seeded(2)
    return module


@every
@pytest.mark.parametrize("size", [8, 7])
def test_stride_one_keeps_and_stride_two_halves(factory, size):
    assert made(factory, 4)(images(size=size)).shape == (3, 4, size, size)
    assert made(factory, 4, 2)(images(size=size)).shape == (3, 4, (size + 1) // 2, (size + 1) // 2)


@every
def test_other_channels_are_made_or_refused(factory):
    if factory in (DARTS["none"], DARTS["noise"]):
        with pytest.raises(ValueError, match="cannot make 4 of 6"):
            factory(4, 1, 6)
        return
    for stride in (1, 2):
        assert made(factory, 4, stride, 6)(images(6)).shape[1:3] == (4, 8 // stride)


def test_zero_is_zero_and_identity_its_input():
    x = images()
    assert not made(DARTS["none"], 4)(x).any() and not made(DARTS["none"], 4, 2)(x).any()
    assert made(DARTS["skip_connect"], 4)(x) is x and made(NASNET["identity"], 4)(x) is x


@every
def test_gradients_reach_every_weight_and_the_input(factory):
    for stride in (1, 2):
        module, x = made(factory, 4, stride), images().requires_grad_()
        out = module(x)
        if factory in (DARTS["none"], DARTS["noise"]):
            assert not out.requires_grad
            continue
        (out * images(size=out.shape[-1], seed=5)).sum().backward()
        assert x.grad.any() and all(weights.grad.any() for weights in module.parameters())


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("sep_conv_3x3", 2 * (9 * 8 + 8 * 8 + 2 * 8)),
        ("sep_conv_5x5", 2 * (25 * 8 + 8 * 8 + 2 * 8)),
        ("dil_conv_3x3", 9 * 8 + 8 * 8 + 2 * 8),
        ("dil_conv_5x5", 25 * 8 + 8 * 8 + 2 * 8),
        ("max_pool_3x3", 0),
        ("skip_connect", 0),
    ],
)
def test_weights_of_darts_operations_by_hand(name, weights):
    assert count.parameters(DARTS[name](8)) == weights


def test_a_dilated_kernel_of_three_sees_five_pixels():
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1
    module = made(DARTS["dil_conv_3x3"], 1)
    seen = module[1](x)[0, 0].nonzero()
    assert seen.min(0).values.tolist() == [2, 2] and seen.max(0).values.tolist() == [6, 6] and len(seen) == 9


def test_a_factorized_reduction_sees_both_diagonals_of_the_grid():
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 0, 0], x[0, 0, 3, 3] = 2.0, 3.0
    module = made(FactorizedReduce, 1, 2)
    nn.init.ones_(module.first.weight)
    nn.init.ones_(module.second.weight)
    module.norm = nn.Identity()
    assert module(x)[0].tolist() == [[[2, 0], [0, 0]], [[0, 0], [0, 3]]]


def test_noise_comes_from_its_own_generator_only():
    before, x = torch.get_rng_state(), images()
    one, same = made(DARTS["noise"], 4), made(DARTS["noise"], 4)
    drawn = one(x)
    assert torch.equal(drawn, same(x)) and not torch.equal(drawn, one(x)) and 0.5 < drawn.std() < 1.5
    assert torch.equal(before, torch.get_rng_state())
    with pytest.raises(RuntimeError, match="generator"):
        Noise()(x)


def take(way, monkeypatch):
    """Let supernets be computed in this way. "entering", "edge by edge": as large images; "grouped": as on a GPU."""
    if way == "rows":
        monkeypatch.setattr(grouped_rows, "mix_by_hand", lambda *one: None)
    elif way != "by hand":
        monkeypatch.setattr(grouped_rows, "SMALL", 0)
    if way == "edge by edge":
        monkeypatch.setattr(twoinput_mixed, "states_by_hand", lambda *one: None)
    if way == "entering, stored":
        monkeypatch.setattr(normed_products, "FEW", 0)
    if way == "grouped":
        monkeypatch.setattr(MixedCell, "grouped_on", ("cpu",))


@pytest.mark.parametrize("way", ["edge by edge", "entering", "entering, stored", "by hand", "rows", "grouped"])
@pytest.mark.parametrize("size", [8, 12, 7])
@pytest.mark.parametrize("space", [DartsSpace(), *map(DartsSpace.restricted, ("S1", "S3"))], ids=lambda s: s.name)
def test_the_supernet_equals_the_plain_loop_over_operations(space, size, way, monkeypatch):
    """12 pixels become 6 and 3: of odd sizes, a dilated convolution is computed as such."""
    take(way, monkeypatch)
    network = space.supernet(channels=3, cells=3, generator=torch.Generator().manual_seed(0)).double()
    plain, draws = PlainDarts(network), torch.Generator().manual_seed(1)
    x = torch.randn(4, 1, size, size, generator=draws, dtype=torch.float64)
    alphas = torch.randn(28, len(space.relaxed[0].options), generator=draws, dtype=torch.float64).requires_grad_()
    results = []
    for each in (network, plain):
        logits, alphas.grad = each(x, alphas.softmax(1)), None
        torch.nn.functional.cross_entropy(logits, torch.arange(4)).backward()
        results.append([logits, alphas.grad, *(parameter.grad for parameter in each.parameters())])
    for mine, its in zip(*results, strict=True):
        torch.testing.assert_close(mine, its, rtol=0, atol=1e-10)


@pytest.mark.parametrize("wanted", ["α", "weights", "both"])
@pytest.mark.parametrize("way", ["by hand", "entering", "entering, stored"])
def test_gradients_by_hand_are_those_of_torch_and_so_are_their_own(way, wanted, monkeypatch):
    network = DartsSpace().supernet(channels=2, cells=3, generator=torch.Generator().manual_seed(0)).double()
    draws = torch.Generator().manual_seed(1)
    x = torch.randn(2, 1, 8, 8, generator=draws, dtype=torch.float64)
    alphas = torch.randn(28, 8, generator=draws, dtype=torch.float64).requires_grad_()
    layers = list(network.parameters())
    asked = {"α": [alphas], "weights": layers, "both": [*layers, alphas]}[wanted]
    results = []
    for one in (way, "rows"):
        with monkeypatch.context() as patch:
            take(one, patch)
            loss = torch.nn.functional.cross_entropy(network(x, alphas.softmax(1)), torch.arange(2))
            first = torch.autograd.grad(loss, asked, retain_graph=True)
            slopes = torch.autograd.grad(loss, asked, create_graph=True)
            results.append([*first, *slopes, *torch.autograd.grad(sum((one * one).sum() for one in slopes), [alphas])])
    for mine, its in zip(*results, strict=True):
        torch.testing.assert_close(mine, its, rtol=1e-9, atol=1e-9)


def test_a_weight_of_one_leaves_the_node_it_reads_as_it_was(monkeypatch):
    take("entering", monkeypatch)
    space = DartsSpace()
    network = space.supernet(channels=4, cells=3, generator=torch.Generator().manual_seed(0))
    weights = torch.zeros(28, 8)
    weights[:, list(space.relaxed[0].options).index("skip_connect")] = 1
    cell, x = network.body[0], torch.randn(2, 4, 8, 8).contiguous(memory_format=torch.channels_last)
    before = x.clone()
    states = cell.states_of([x, x], weights)
    assert torch.equal(x, before)
    torch.testing.assert_close(states[2], 2 * x)
    torch.testing.assert_close(states[5], 16 * x)


def test_edges_are_computed_together_where_images_are_small_and_nothing_is_drawn(monkeypatch):
    """Large images: all edges that enter a state, as one function."""
    mixed, entered = [], []
    monkeypatch.setattr(twoinput_mixed, "mix_rows", lambda *one: mixed.append(1) or grouped_rows.mix_rows(*one))
    by_hand = twoinput_mixed.states_by_hand
    monkeypatch.setattr(twoinput_mixed, "states_by_hand", lambda *one: entered.append(1) or by_hand(*one))
    sizes = {"S2": (8, 4), "S4": (8, 4), "large": (96, 1), "many channels": (8, 1)}
    together, at_states = [], []
    for name, (pixels, batch) in sizes.items():
        space = DartsSpace.restricted(name) if name in ("S2", "S4") else DartsSpace()
        network = space.supernet(channels=17 if name == "many channels" else 2, cells=1)
        weights = torch.full((28, len(space.relaxed[0].options)), 0.1)
        mixed.clear()
        entered.clear()
        network(torch.zeros(batch, 1, pixels, pixels), weights)
        if mixed:
            together.append(name)
        if entered:
            at_states.append(name)
    # S4 has noise, which would be drawn in another order
    assert together == ["S2"] and at_states == ["large", "many channels"]


def test_without_a_gradient_the_states_are_the_same_and_nothing_is_kept(monkeypatch):
    take("entering", monkeypatch)
    space = DartsSpace()
    network = space.supernet(channels=4, cells=3, generator=torch.Generator().manual_seed(0))
    x, weights = images(channels=1), torch.full((28, 8), 1 / 8)
    ways, states = [], entering_by_hand._Forward.states
    monkeypatch.setattr(entering_by_hand._Forward, "states", lambda way, one: ways.append(way) or states(way, one))
    with torch.no_grad():
        without = network(x, weights)
    assert len(ways) == 3 and not any(way.kept for way in ways)
    assert torch.equal(without, network(x, weights))


def test_only_the_mean_of_3x3_neighbours_inside_is_computed_as_such():
    inside = {"count_include_pad": False}
    others = (
        nn.AvgPool2d(3, 1, 1),
        nn.AvgPool2d(3, 2, 1, **inside),
        nn.AvgPool2d(3, 1, 1, divisor_override=4, **inside),
        nn.MaxPool2d(3, 1, 1),
    )
    assert entering_by_hand._is_plain(nn.AvgPool2d(3, 1, 1, **inside))
    assert not any(map(entering_by_hand._is_plain, others))


def test_edges_are_grouped_where_they_have_the_same_candidates():
    same, other = ([cell.alike for cell in DartsSpace.restricted(name).supernet().body] for name in ("S2", "S1"))
    assert all(same) and not any(other)


def test_noise_takes_part_in_a_supernet():
    space = DartsSpace.restricted("S4")
    network = space.supernet(channels=2, cells=3, generator=torch.Generator().manual_seed(0))
    weights = torch.zeros(28, 2)
    weights[:, 0] = 1
    first, other = (network(images(channels=1), weights) for _ in range(2))
    assert first.isfinite().all() and not torch.equal(first, other)  # another call, other noise


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 1), (3, 2), (5, 2)])
@pytest.mark.parametrize("shape", [(8, 6), (7, 8), (5, 5), (2, 2)], ids=str)
def test_a_dilated_convolution_in_phases_is_a_dilated_convolution(kernel, stride, shape):
    layer = DilatedDepthwise(3, 3, kernel, stride, kernel // 2 * 2, 2, groups=3, bias=False).double()
    torch.nn.init.uniform_(layer.weight, -1, 1, generator=torch.Generator().manual_seed(0))
    x = torch.randn(2, 3, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = torch.nn.functional.conv2d(x, layer.weight, None, stride, kernel // 2 * 2, 2, 3)
    torch.testing.assert_close(layer(x), expected)


def cell_of_skips(joined=(2,), ops=()):
    return Graph(("a", "b", "0", "out"), (Edge(0, 2, "skip_connect"), Edge(1, 2, "skip_connect"),
                                           *(Edge(i, 3) for i in joined)), ops)  # fmt: skip


def test_a_cell_of_skips_adds_its_inputs_and_joins_what_it_should():
    x, y = images(seed=1), images(seed=2)
    cell = made(Cell, cell_of_skips(), DARTS, (4, 4), 4)
    torch.testing.assert_close(cell(x, y), x + cell.current(y))
    cell = made(Cell, cell_of_skips((0, 2), (None, None, "concat", None)), DARTS, (4, 4), 4)
    assert cell.width == 12
    torch.testing.assert_close(cell(x, y), torch.cat([x, x, cell.current(y)], 1))
    reducing = made(Cell, cell_of_skips((0, 2)), DARTS, (4, 4), 4, 2)
    assert reducing(x, y).shape == (3, reducing.width, 4, 4)


def test_a_cell_says_what_is_wrong_with_its_graph():
    with pytest.raises(ValueError, match="no operation 'skip_connect'"):
        Cell(cell_of_skips(), NASNET, (4, 4), 4)
    with pytest.raises(ValueError, match="state 0 needs edges"):
        Cell(Graph(("a", "b", "0", "out"), (Edge(2, 3),)), DARTS, (4, 4), 4)


@pytest.mark.parametrize("space", [DartsSpace(), NasNetSpace()], ids=lambda space: space.name)
@pytest.mark.parametrize("wrong", [{"channels": 0}, {"layout": "mars"}, {"classes": 0}, {"colors": 1.5}])
def test_impossible_sizes_are_refused(space, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        space.network((0,) * len(space.choices), **wrong)


@pytest.mark.parametrize("space", [DartsSpace(), NasNetSpace()], ids=lambda space: space.name)
def test_the_imagenet_layout_runs_small(space):
    network = space.network((0,) * len(space.choices), layout="imagenet").eval()
    assert network(torch.zeros(1, 1, 64, 64)).shape == (1, 10)
