"""NAS-Bench-Macro's space: its counts, its networks against the published sizes, and what is equal."""

from itertools import product

import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz.nn import count
from nasviz.spaces.nasbench_macro import STRIDES, NasBenchMacro

SPACE = NasBenchMacro()
PAPER = {"width": 1, "strides": STRIDES, "head": 1280, "colors": 3, "classes": 10}
ARCHS = list(product(range(3), repeat=8))


def at_full_size(text):
    with torch.device("meta"):
        network = SPACE.network(SPACE.from_text(text), **PAPER)
    return count.parameters(network), count.madds(network, (3, 32, 32))


def test_there_are_6561_strings_and_3969_networks():
    assert SPACE.size == len(ARCHS) == 6561
    distinct = SPACE.distinct()
    assert len(distinct) == len({SPACE.canonical(arch) for arch in ARCHS}) == 3 * 3 * (3 * 7) ** 2 == 3969
    assert {SPACE.canonical(arch) for arch in ARCHS} == {SPACE.to_text(arch) for arch in distinct}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("00000000", "00000000"), ("01001002", "01010020"), ("20120102", "20120120"), ("00102201", "00120210")],
)
def test_identities_go_to_the_end_of_their_stage_but_for_its_first_layer(text, canonical):
    assert SPACE.canonical(SPACE.from_text(text)) == canonical


def test_the_smallest_network_by_hand():
    """A 3×3 stem, three 1×1 convolutions with stride 2, a 1×1 convolution to 1280, a classifier."""
    channels = [32, 64, 128, 256]
    weights = [27 * 32, *(a * b for a, b in zip(channels, channels[1:], strict=False)), 256 * 1280]
    norms = 2 * (sum(channels) + 1280)
    sides = [32, 16, 8, 4, 4]
    madds = sum(side**2 * one for side, one in zip(sides, weights, strict=True)) + 12_800
    assert at_full_size("00000000") == (sum(weights) + norms + 12_810, madds) == (387_882, 7_713_280)


def test_a_layer_by_hand():
    """The second layer of the third stage as MBConv 3×3 e3: 256 → 768 → 768 → 256 channels on 4×4 pixels, a sum."""
    more = 2 * 256 * 768 + 9 * 768
    parameters, madds = at_full_size("00000010")
    assert parameters - 387_882 == more + 2 * (2 * 768 + 256) and madds - 7_713_280 == 16 * more
    layers = SPACE.network(SPACE.from_text("00000010"), width=1).eval()
    x = torch.randn(2, 256, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(layers[4](x), layers[4].body(x) + x)


@given(st.sampled_from(ARCHS), st.integers(0, 99))
@examples(20)
def test_equal_texts_are_equal_functions(arch, seed):
    x = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    canonical = SPACE.from_text(SPACE.canonical(arch))
    one, other = (SPACE.network(one, generator=torch.Generator().manual_seed(seed)).eval() for one in (arch, canonical))
    assert torch.equal(one(x), other(x))


def test_different_texts_are_different_functions():
    """Of networks that have equal weights where they have the same layer, no two have the same output."""
    x = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    texts = ["00000000", "01000000", "02000000", "10000000", "00110000", "00120000", "00121000", "00000012", "00000021"]
    outputs = [
        SPACE.network(SPACE.from_text(text), generator=torch.Generator().manual_seed(2)).eval()(x) for text in texts
    ]
    assert len({output.detach().numpy().tobytes() for output in outputs}) == len(texts)


def test_the_graph_is_the_chain_of_the_layers():
    graph = SPACE.graph(SPACE.from_text("01200000"))
    assert graph.nodes == ("image", "1.1", "1.2", "2.1", "2.2", "2.3", "3.1", "3.2", "3.3", "classes")
    assert graph.ops[1:6] == ("conv1x1_f64", "mbconv_k3_e3_f64", "mbconv_k5_e6_f128", "skip_connect", "skip_connect")
    assert [edge.choice for edge in graph.edges] == [*range(8), None]
    assert {edge.choice for edge in SPACE.cells()["network"].edges} == {*range(8), None}


@pytest.mark.parametrize("text", ["", "0000000", "000000000", "00000003", "0000 000", "٣0000000"])
def test_what_is_no_string_of_eight_digits_is_refused_with_its_place(text):
    with pytest.raises(ValueError, match=r"position \d"):
        SPACE.from_text(text)
