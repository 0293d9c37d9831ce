"""MnasNet's space and its layers: hand-computed cases, the counts, and what is equal."""

import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from nasviz.nn import count, mobile
from nasviz.spaces.mobile import LAYERS, MNASNET_A1, STRIDES, MobileSpace
from nasviz.views.colors import style
from nasviz.weights import initialize

SPACE = MobileSpace()
A1 = SPACE.from_text(MNASNET_A1)
PAPER = {"width": 1, "strides": STRIDES, "head": 1280, "colors": 3, "classes": 1000}


def images(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def drawn(module, seed=0):
    initialize(module, torch.Generator().manual_seed(seed))
    return module.eval()


def member(**changes):
    """A1 with options of the first block changed: ``skip="identity"``."""
    places = {"kind": 0, "kernel": 1, "squeeze": 2, "skip": 3, "channels": 4, "layers": 5}
    arch = list(A1)
    for name, option in changes.items():
        arch[places[name]] = SPACE.choices[places[name]].options.index(option)
    return tuple(arch)


# --------------------------------------------------------------------------------------------- layers
@pytest.mark.parametrize(
    ("channels", "rounded"), [(83, 80), (84, 88), (3, 8), (12, 16), (11.9, 16), (72, 72), (11, 16), (90, 88)]
)
def test_divisible_never_loses_more_than_a_tenth(channels, rounded):
    assert mobile.divisible(channels) == rounded


def test_squeeze_excitation_by_hand():
    layer = mobile.SqueezeExcite(2, 1, nn.Hardsigmoid)
    _, down, _, up, _ = layer.weights
    given = ((down.weight, [1.0, 2.0]), (down.bias, [-1.0]), (up.weight, [3.0, -6.0]), (up.bias, [0.0, 1.0]))
    for weights, values in given:
        weights.data = torch.tensor(values).reshape(weights.shape)
    x = torch.tensor([[[[0.0, 2.0]], [[0.25, 0.75]]]])  # means 1 and 0.5: relu(1 + 1 - 1) = 1; then 3 and -5
    assert torch.allclose(layer(x), torch.tensor([[[[0.0, 2.0]], [[0.0, 0.0]]]]))  # h-sigmoid(3) = 1, (-5) = 0
    up.bias.data[1] = 6.0  # h-sigmoid(0) = 1/2
    assert torch.allclose(layer(x)[0, 1], x[0, 1] / 2)


def test_h_swish_by_hand():
    activation = mobile.conv_bn(1, 1, 1, activation=nn.Hardswish)[2]
    assert activation(torch.tensor([-4.0, -3, 0, 1, 3, 5])).tolist() == pytest.approx([0, 0, 0, 4 / 6, 3, 5])


def test_an_inverted_bottleneck_widens_filters_and_narrows_linearly():
    layer = mobile.mbconv(4, 6, 5, 2, middle=12, squeezed=1)
    shapes = [tuple(m.weight.shape) for m in layer.modules() if isinstance(m, nn.Conv2d)]
    assert shapes == [(12, 4, 1, 1), (12, 1, 5, 5), (1, 12, 1, 1), (12, 1, 1, 1), (6, 12, 1, 1)]
    y = drawn(layer)(images(2, 4, 7, 7))
    assert y.shape == (2, 6, 4, 4) and (y < 0).any(), "no activation follows the last convolution"
    plain = mobile.mbconv(4, 6, 3, 1, middle=4)
    assert len([m for m in plain.modules() if isinstance(m, nn.Conv2d)]) == 2, "nothing is widened"


def test_squeezed_channels_are_a_quarter_of_what_enters():
    excite = mobile.MNASNET["mbconv6"](8, 8, 3, 1, 0.25)[2]
    assert excite.weights[1].weight.shape == (2, 48, 1, 1)


def test_identity_adds_exactly_the_input():
    body, x = drawn(mobile.MNASNET["mbconv3"](4, 4, 3, 1, 0.0)), images(1, 4, 5, 5)
    assert torch.equal(mobile.with_identity(body)(x), body(x) + x)


def test_pooled_skip_halves_and_cuts_or_fills_channels():
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    wide = mobile.PooledSkip(1, 3, 2)(x)
    assert wide.shape == (1, 3, 2, 2) and wide[0, 0, 0, 0] == (0 + 1 + 3 + 4) / 4 and not wide[0, 1:].any()
    x = images(1, 3, 4, 4)
    assert torch.equal(mobile.PooledSkip(3, 2, 1)(x), mobile.PooledSkip(3, 3, 1)(x)[:, :2])


# --------------------------------------------------------------------------------------------- the space
def test_a_block_has_the_papers_432_members():
    sizes = [np.prod([len(c.options) for c in SPACE.choices[i : i + 6]]) for i in range(0, 42, 6)]
    assert sizes == [288, 432, 432, 432, 432, 432, 288]
    assert SPACE.size == 288**2 * 432**5 == 1_247_968_747_541_495_808


def test_the_number_of_functions_of_a_block_by_enumeration():
    """Forms of one block, counted; the text of `counting` multiplies them."""
    for block, expected in ((0, 240), (1, 384), (2, 432), (6, 240)):
        forms, options = set(), [len(c.options) for c in SPACE.choices[6 * block : 6 * block + 6]]
        for inside in np.ndindex(*options):
            forms.add(SPACE.canonical((*A1[: 6 * block], *inside, *A1[6 * block + 6 :])))
        assert len(forms) == expected
    assert f"{240**2 * 384 * 432**4:,}" in SPACE.counting()


def test_identity_in_a_block_of_one_layer_is_no_skip():
    one, other = member(skip="none"), member(skip="identity")
    assert SPACE.canonical(one) == SPACE.canonical(other) != SPACE.canonical(member(skip="pool"))
    assert SPACE.canonical(member(skip="none", layers=2)) != SPACE.canonical(member(skip="identity", layers=2))

    def logits(arch):  # in training, where batch-norms keep the signal large
        with torch.no_grad():
            return SPACE.network(arch, generator=torch.Generator().manual_seed(1))(images(8, 1, 8, 8))

    assert torch.equal(logits(one), logits(other))
    none, identity, pool = (logits(member(skip=skip, layers=2)) for skip in ("none", "identity", "pool"))
    assert not torch.allclose(none, identity) and not torch.allclose(none, pool) and not torch.allclose(identity, pool)


def test_the_nearest_member_to_mnasnet_a1():
    with torch.device("meta"):
        network = SPACE.network(A1, **PAPER)
    assert count.parameters(network) == 3_945_250  # the published one, with 112 channels, has 3,887,038
    assert [n for *_, n in SPACE.blocks(A1)] == [1, 2, 3, 4, 2, 3, 1]
    assert [len(b) for b in SPACE.blocks(A1)] == [6] * 7 and LAYERS == (1, 2, 3, 4, 3, 3, 1)


def test_the_graph_is_a_chain_that_views_can_label():
    graph = SPACE.graph(A1)
    assert [(e.source, e.target) for e in graph.edges] == [(i, i + 1) for i in range(len(graph.nodes) - 1)]
    assert graph.nodes[:4] == ("image", "1.1", "2.1", "2.2") and graph.ops[1] == "sepconv_k3_f16"
    assert graph.ops[2:5] == ("mbconv_k3_e6_f24", "mbconv_k3_e6_f24_id", "mbconv_k5_e3_se_f40")
    assert [style(graph.ops[i]).label for i in (1, 2, 4)] == ["sep conv 3×3", "MBConv 3×3 ×6", "MBConv 5×5 ×3"]
    assert len(SPACE.graph().nodes) == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "position 0: expected one of conv, sepconv, mbconv3, mbconv6, found the end"),
        ("sepconv k7 se0", "position 9: expected one of 3, 5, found '7 se0'"),
        ("sepconv k3 se0.0 none f18 n1", "position 23: expected one of 12, 16, 20, found '18 n1'"),
        (MNASNET_A1 + " ", f"position {len(MNASNET_A1)}: expected the end"),
    ],
)
def test_messages_say_where_and_what(text, message):
    with pytest.raises(ValueError) as error:
        SPACE.from_text(text)
    assert message in str(error.value)


@given(st.integers(0, 2**32), st.integers(0, 400), st.integers(0, 9), st.text("conv |k35se0.f16n", max_size=3))
@examples(2000)
def test_mutilated_text_is_a_value_error_with_a_position(seed, at, cut, more):
    text = SPACE.to_text(SPACE.sample(np.random.default_rng(seed)))
    text = text[:at] + more + text[at + cut :]
    try:
        arch = SPACE.from_text(text)
    except ValueError as error:
        assert "position" in str(error) and "expected" in str(error)
    else:
        assert SPACE.to_text(arch) == text


@pytest.mark.parametrize("size", [{"width": 0}, {"strides": (1, 2)}, {"strides": (3,) * 8}, {"head": 0}])
def test_wrong_sizes_are_errors(size):
    with pytest.raises(ValueError, match=next(iter(size))):
        SPACE.network(A1, **size)


def test_dozens_of_members_build_without_memory_at_full_size():
    rng = np.random.default_rng(0)
    for _ in range(50):
        with torch.device("meta"):
            network = SPACE.network(SPACE.sample(rng), **PAPER)
        assert 1e6 < count.parameters(network) < 1e8
