"""The NASNet space: tokens, text, symmetry, published networks."""

import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz.nn import count
from nasviz.nn.separable import NASNET
from nasviz.nn.twoinput import Cell
from nasviz.spaces.nasnet import AMOEBANET_A, ENAS, NASNET_A, OPS, NasNetSpace

SPACE = NasNetSpace()


def samples(n, seed=0):
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(n)]


def test_tokens_and_size():
    assert len(OPS) == 13 and set(OPS) == set(NASNET) and len(SPACE.choices) == 2 * 5 * 5
    assert SPACE.size == (720**2 * 13**10 * 2**5) ** 2
    first = SPACE.from_text(NASNET_A.text)[:5]
    assert [SPACE.choices[i].options[token] for i, token in enumerate(first)] == [
        1, 0, "sep_conv_5x5", "sep_conv_3x3", "add"]  # fmt: skip


@pytest.mark.parametrize("cell", [NASNET_A, AMOEBANET_A, ENAS])
def test_published_cells_go_round(cell):
    assert SPACE.to_text(SPACE.from_text(cell.text)) == cell.text


PUT = st.text(max_size=3) | st.sampled_from("()&;+|: 0257")


@given(st.integers(0, 999), st.integers(0, 420), st.integers(0, 14), PUT)
@examples(1500)
def test_mutilated_texts_raise_nothing_but_value_errors(seed, at, cut, put):
    text = SPACE.to_text(samples(1, seed)[0])
    try:
        arch = SPACE.from_text(text[:at] + put + text[at + cut :])
    except ValueError as error:
        assert "position" in str(error) and "expected" in str(error)
    else:
        assert SPACE.to_text(arch) == text[:at] + put + text[at + cut :]


def test_messages_say_where_and_what():
    for old, new, message in (
        ("normal", "Normal", "position 0: expected 'normal: '"),
        ("sep_conv_5x5(1)", "sep_conv_5x5(2)", "position 21: expected one of 0, 1, found '2) + "),
        (" + ", " - ", "position 23: expected one of  + ,  & , found ' - sep"),
    ):
        with pytest.raises(ValueError) as error:
            SPACE.from_text(NASNET_A.text.replace(old, new, 1))
        assert message in str(error.value)


def test_states_that_no_block_takes_are_joined_unless_a_release_joins_others():
    arch = SPACE.from_text(NASNET_A.text)
    joined = {name: [e.source for e in g.edges if e.target == 7] for name, g in SPACE.cells(arch).items()}
    assert joined == {"normal": [2, 3, 4, 5, 6], "reduction": [4, 5, 6]}
    released = SPACE.cells(arch, NASNET_A.joined)
    assert [e.source for e in released["normal"].edges if e.target == 7] == [0, 2, 3, 4, 5, 6]
    with pytest.raises(NotImplementedError, match="give an architecture"):
        SPACE.cells()


def test_canonical_forgets_order_of_halves_and_of_independent_blocks():
    arch = SPACE.from_text(NASNET_A.text)
    blocks = SPACE.blocks(arch)
    (i, j, a, b, how), second, *rest = blocks["normal"]
    swapped = SPACE.arch(blocks | {"normal": (second, (j, i, b, a, how), *rest)})
    assert swapped != arch and SPACE.canonical(swapped) == SPACE.canonical(arch)
    other = SPACE.arch(blocks | {"normal": ((i, j, b, a, how), second, *rest)})  # operations exchanged, states not
    assert SPACE.canonical(other) != SPACE.canonical(arch)
    concat = SPACE.arch(blocks | {"normal": ((i, j, a, b, "concat"), second, *rest)})
    assert SPACE.canonical(concat) != SPACE.canonical(arch)


def test_random_cells_build_on_the_meta_device_and_are_as_wide_as_they_say():
    x = torch.zeros(1, 4, 8, 8, device="meta")
    for arch in samples(40, seed=3):
        for stride, graph in zip((1, 2), SPACE.cells(arch).values(), strict=True):
            with torch.device("meta"):
                cell = Cell(graph, NASNET, (4, 4), 4, stride)
            if arch[0] == 0:
                assert cell(x, x).shape == (1, cell.width, 8 // stride, 8 // stride)


def test_nasnet_a_is_as_published_without_memory():
    arch = SPACE.from_text(NASNET_A.text)
    with torch.device("meta"):
        large = SPACE.network(
            arch, joined=NASNET_A.joined, channels=168, normal=6, layout="imagenet", colors=3, classes=1000
        )
    assert count.parameters(large) == 88_753_150
    assert count.madds(large, (3, 331, 331)) == pytest.approx(23.8e9, rel=2e-3)
    assert all(weights.is_meta for weights in large.state_dict().values())


def test_the_mobile_network_is_as_published():
    arch = SPACE.from_text(NASNET_A.text)
    with torch.device("meta"):
        network = SPACE.network(
            arch, joined=NASNET_A.joined, channels=44, normal=4, stem=32, layout="imagenet", colors=3, classes=1000
        )
    assert count.parameters(network) == pytest.approx(5.3e6, rel=0.005)
    assert count.madds(network, (3, 224, 224)) == pytest.approx(564e6, rel=0.001)
    assert network.classifier.in_features == 1056
