"""The macro space: the paper's rules, sizes by enumeration, text, canonical forms by copied weights."""

import pickle
from collections import Counter
from itertools import product

import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz.graph import Edge
from nasviz.nn import count
from nasviz.nn.macro import MacroNetwork, side_by_side
from nasviz.spaces.macro import MacroSpace

SPACE, STRIDED = MacroSpace(), MacroSpace(4, strides=(1, 2, 3))
TEXT = "3x5-24; 7x1-36(1); 1x3-48; 3x3-64(1,3)"


# --------------------------------------------------------------------------------------------------------------- space
def test_the_choices_of_a_layer_and_what_is_inactive():
    names = [choice.name for choice in MacroSpace(3).choices]
    assert names == ["layers", "height 1", "width 1", "filters 1", "height 2", "width 2", "filters 2", "1→2",
                     "height 3", "width 3", "filters 3", "1→3", "2→3"]  # fmt: skip
    assert "stride down 2" in [choice.name for choice in STRIDED.choices]
    shallow = SPACE.from_text("3x5-24; 7x1-36(1)")
    assert sum(SPACE.active(shallow)) == 1 + 3 + 4
    assert SPACE.why_invalid(shallow[:-1] + (1,)) == "choice 33 (5→6) is inactive here and must be 0"


@pytest.mark.parametrize("space", [MacroSpace(1), MacroSpace(2), MacroSpace(1, (1, 2, 3))], ids=lambda s: s.name)
def test_size_is_what_enumeration_finds(space):
    tuples = product(*(range(len(choice.options)) for choice in space.choices))
    assert len({space.normal(arch) for arch in tuples}) == space.size
    assert f"**{space.size:,}**" in space.counting()


def test_size_of_the_papers_depths():
    assert MacroSpace(3).size == 64 + 64**2 * 2 + 64**3 * 8
    assert MacroSpace(15).size - MacroSpace(14).size == 64**15 * 2**105
    assert MacroSpace(2, (1, 2, 3)).size == 576 + 576**2 * 2


def test_names_tell_spaces_apart_and_spaces_travel():
    assert MacroSpace() == SPACE != MacroSpace(4) and MacroSpace(4) != STRIDED and MacroSpace.name == "macro"
    again = pickle.loads(pickle.dumps(STRIDED))
    assert again == STRIDED and again.sample(np.random.default_rng(1)) == STRIDED.sample(np.random.default_rng(1))


WRONG = [{"layers": 0}, {"layers": 2.0}, {"strides": ()}, {"strides": (1, 1)}, {"strides": (0,)}]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_sizes_of_a_space_are_named(wrong):
    with pytest.raises(ValueError, match=f"MacroSpace: {next(iter(wrong))}"):
        MacroSpace(**wrong)


def test_depths_are_drawn_uniformly():
    rng = np.random.default_rng(0)
    counts = Counter(SPACE.sample(rng)[0] for _ in range(6000))
    assert len(counts) == 6 and max(abs(n - 1000) for n in counts.values()) < 5 * 1000**0.5


# ---------------------------------------------------------------------------------------------------------------- text
@pytest.mark.parametrize("space", [SPACE, STRIDED], ids=lambda s: s.name)
@given(st.integers(0, 2**32 - 1))
@examples(200)
def test_text_goes_round(space, seed):
    arch = space.sample(np.random.default_rng(seed))
    assert space.from_text(space.to_text(arch)) == arch
    assert space.why_invalid(arch) is None


CUTS = st.tuples(st.integers(0, len(TEXT)), st.integers(0, 9), st.text("0123456789x-/;(), ²٣", max_size=4))


@pytest.mark.parametrize("space", [SPACE, STRIDED], ids=lambda s: s.name)
@given(st.text(max_size=30) | CUTS.map(lambda cut: TEXT[: cut[0]] + cut[2] + TEXT[cut[0] + cut[1] :]))
@examples(1500)
def test_malformed_text_is_a_value_error_with_a_position(space, text):
    try:
        arch = space.from_text(text)
    except ValueError as error:
        assert "position" in str(error) and "expected" in str(error)
    else:
        assert space.to_text(arch) == text.replace("/1x1", "") and space.why_invalid(arch) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "position 0: expected one of 1, 3, 5, 7, found the end"),
        ("3x5-24;3x3-24", "position 6: expected '; ', found ';3x3-24'"),
        ("3x5-24, 3x3-24", "position 6: expected the end, found ', 3x3-24'"),
        ("3x4-24", "position 2: expected one of 1, 3, 5, 7, found '4-24'"),
        ("3x3-25", "position 4: expected one of 24, 36, 48, 64"),
        ("3x3-24/2x2", "position 6: expected the end, found '/2x2'"),
        ("3x3-24; 3x3-24(2)", r"position 15: expected one of 1, found '2\)'"),
        ("3x3-24; 3x3-24; 3x3-24(2,1)", r"position 24: expected '\)', found ',1\)'"),
        ("3x3-24(1)", r"position 6: expected the end, found '\(1\)'"),
        ("; ".join(7 * ["3x3-24"]), "position 48: expected no layer: this space has 6 at most"),
    ],
)
def test_what_is_wrong_is_said_where(text, words):
    with pytest.raises(ValueError, match=words):
        SPACE.from_text(text)


def test_strides_are_read_where_there_are_any_to_choose():
    assert STRIDED.to_text(STRIDED.from_text("3x5-24/1x1; 3x3-24/2x1(1)")) == "3x5-24; 3x3-24/2x1(1)"
    never_one = MacroSpace(2, strides=(2, 3))
    assert never_one.to_text(never_one.from_text("3x5-24/3x2")) == "3x5-24/3x2"
    with pytest.raises(ValueError, match="position 6: expected '/', found the end"):
        never_one.from_text("3x5-24")
    with pytest.raises(ValueError, match="position 7: expected one of 1, 2, 3, found '4x1'"):
        STRIDED.from_text("3x5-24/4x1")


# --------------------------------------------------------------------------------------------------------------- graph
def test_the_papers_rules_in_the_graph():
    """No inputs: the image. Read by none: the output."""
    graph = SPACE.graph(SPACE.from_text(TEXT))
    place = {choice.name: i for i, choice in enumerate(SPACE.choices)}
    assert graph.nodes == ("image", "1", "2", "3", "4", "out")
    assert graph.ops == (None, "conv3x5_24", "conv7x1_36", "conv1x3_48", "conv3x3_64", None)
    assert graph.edges == (
        Edge(0, 1), Edge(1, 2, None, place["1→2"]), Edge(0, 3), Edge(1, 4, None, place["1→4"]),
        Edge(3, 4, None, place["3→4"]), Edge(2, 5), Edge(4, 5),
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- canonical
def renumbered(layers, order):
    """The same network with its layers in another order, or None if one would stand before its input."""
    place = {old: new for new, old in enumerate(order, 1)}
    moved = [(layers[old - 1][0], tuple(sorted(place[i] for i in layers[old - 1][1]))) for old in order]
    return moved if all(i < n for n, (_, inputs) in enumerate(moved, 1) for i in inputs) else None


def text_of(space, layers):
    words = []
    for (height, width, down, across, filters), inputs in layers:
        strides = f"/{down}x{across}" if (down, across) != (1, 1) else ""
        words.append(f"{height}x{width}-{filters}{strides}" + (f"({','.join(map(str, inputs))})" if inputs else ""))
    return space.from_text("; ".join(words))


@given(st.integers(0, 2**32 - 1), st.permutations(range(1, 7)))
@examples(300)
def test_renumbered_layers_have_one_canonical_form(seed, order):
    arch = SPACE.sample(np.random.default_rng(seed))
    layers = SPACE.specification(arch)
    moved = renumbered(layers, [n for n in order if n <= len(layers)])
    if moved:
        other = text_of(SPACE, moved)
        assert SPACE.canonical(other) == SPACE.canonical(arch)
    form = SPACE.from_text(SPACE.canonical(arch))
    assert SPACE.canonical(form) == SPACE.canonical(arch) == SPACE.to_text(form)


def test_canonical_forms_by_brute_force():
    """All networks of three layers with two kernels: as many forms as classes under all renumberings."""
    kernels = [(1, 1, 1, 1, 24), (3, 1, 1, 1, 24)]
    forms, classes = set(), set()
    for chosen in product(kernels, repeat=3):
        for skips in product((0, 1), repeat=3):
            layers = list(zip(chosen, [(), (1,) * skips[0], tuple(i for i in (1, 2) if skips[i])], strict=True))
            orders = [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]
            classes.add(min(moved for order in orders if (moved := tuple(renumbered(layers, order) or ()))))
            forms.add(SPACE.canonical(text_of(SPACE, layers)))
    assert len(forms) == len(classes) < 64


@pytest.mark.parametrize("seed", range(8))
def test_equal_canonical_forms_are_equal_functions_by_copied_weights(seed):
    rng = np.random.default_rng(seed)
    while True:
        layers = STRIDED.specification(STRIDED.sample(rng))
        order = (1 + rng.permutation(len(layers))).tolist()
        moved = renumbered(layers, order)
        if len(layers) > 2 and moved and order != sorted(order):
            break
    assert STRIDED.canonical(text_of(STRIDED, moved)) == STRIDED.canonical(text_of(STRIDED, layers))
    one, two = (MacroNetwork(some, generator=torch.Generator().manual_seed(seed)) for some in (layers, moved))
    widths = [1] + [layer[0].out_channels for layer in one.layers]

    def columns(inputs, wanted):
        """Where the channels of ``inputs``, as numbered in ``one``, stand; in the order ``wanted``."""
        starts = dict(zip(inputs, np.cumsum([0] + [widths[i] for i in inputs]).tolist(), strict=False))
        return [starts[i] + channel for i in wanted for channel in range(widths[i])]

    for new, old in enumerate(order, 1):
        source, target = one.layers[old - 1], two.layers[new - 1]
        wanted = [order[i - 1] if i else 0 for i in two.inputs[new - 1]]
        target[0].weight.data = source[0].weight.data[:, columns(one.inputs[old - 1], wanted)]
        target[1] = source[1]
    wanted = [order[i - 1] for i in two.loose]
    two.classifier.weight.data = one.classifier.weight.data[:, columns(one.loose, wanted)]
    two.classifier.bias = one.classifier.bias
    images = torch.randn(5, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(two.eval()(images), one.eval()(images))


# ------------------------------------------------------------------------------------------------------------- network
def test_smaller_inputs_are_padded_with_zeros():
    a, b = torch.ones(1, 2, 3, 4), torch.full((1, 1, 5, 2), 7.0)
    joined = side_by_side([a, b])
    assert joined.shape == (1, 3, 5, 4)
    assert joined[:, :2].sum() == 24 and (joined[:, :2, :3] == 1).all() and (joined[0, 2, :, :2] == 7).all()
    assert joined[0, 2, :, 2:].sum() == 0


def test_sizes_parameters_and_madds_by_hand():
    arch = STRIDED.from_text("3x5-24/2x3; 7x1-36(1); 1x3-48; 3x3-64(1,3)")
    network = STRIDED.network(arch, width=1.0, colors=3, classes=10)
    shapes = []
    for layer in network.layers:
        layer.register_forward_hook(lambda module, inputs, output: shapes.append(tuple(output.shape[1:])))
    network(torch.zeros(2, 3, 8, 8))
    assert shapes == [(24, 4, 3), (36, 4, 3), (48, 8, 8), (64, 8, 8)]
    convolutions = [15 * 3 * 24, 7 * 24 * 36, 3 * 3 * 48, 9 * 72 * 64]
    assert count.parameters(network) == sum(convolutions) + 2 * (24 + 36 + 48 + 64) + 100 * 10 + 10
    pixels = [12, 12, 64, 64]
    assert count.madds(network, (3, 8, 8)) == sum(c * p for c, p in zip(convolutions, pixels, strict=True)) + 1000


def test_a_network_of_one_layer_by_hand():
    network = SPACE.network(SPACE.from_text("3x5-24")).eval()
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    written = network.layers[0][0](images) / (1 + 1e-5) ** 0.5  # a new batch-norm in evaluation
    torch.testing.assert_close(network(images), network.classifier(written.relu().mean((2, 3))))


def test_wrong_networks_are_named():
    kernel = (3, 3, 1, 1, 24)
    for layers, words in (([], "a layer at least"), ([(kernel, (1,))], r"layer 1 can read layers 1 to 0, not \[1\]")):
        with pytest.raises(ValueError, match=words):
            MacroNetwork(layers)
    with pytest.raises(ValueError, match="width is 0, and has to be a number above 0"):
        MacroNetwork([(kernel, ())], width=0)
