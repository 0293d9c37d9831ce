"""The space of small transformers: what is equal, what it costs, and its half-blocks alone and within the supernet."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from toys import Toy

from nasviz.nn import count
from nasviz.nn.elastic_transformer import take_part
from nasviz.nn.transformer import Attention, Averaging, FeedForward, Transformer, half
from nasviz.spaces import TransformerSpace
from nasviz.views import CellEditor, show

SPACE, SMALL = TransformerSpace(), TransformerSpace(blocks=2)
TINY = {"width": 16}
TEXTS = [
    "h4 f1 | h4 f1 | h4 f1 | h4 f1 | h4 f1 | h4 f1",
    "h4 f1/2 | mean f1 | h2 none | none none | h1 f1/8 | none f1/4",
    "mean none | none f1/8 | none none | mean none | none none | h2 f1",
    "none none | none none | none none | none none | none none | none none",
]


@pytest.fixture
def images():
    return torch.randn(6, 1, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def supernet():
    """One whose biases and norms are those of no untrained network."""
    generator = torch.Generator().manual_seed(0)
    network = SMALL.single_path(**TINY, generator=generator)
    with torch.no_grad():
        for weights in network.parameters():
            weights += 0.2 * torch.randn(weights.shape, generator=generator)
    return network.eval()


# ----------------------------------------------------------------------------------------------------- what is equal
def test_the_canonical_form_is_the_row_of_half_blocks_that_are_there():
    arch = SPACE.from_text(TEXTS[1])
    assert SPACE.canonical(arch) == "h4 f1/2 mean f1 h2 h1 f1/8 f1/4"
    assert SPACE.canonical(SPACE.smallest) == "nothing"
    apart = SMALL.from_text("h4 none | none f1"), SMALL.from_text("h4 f1 | none none")
    assert SMALL.canonical(apart[0]) == SMALL.canonical(apart[1]) == "h4 f1"
    assert SMALL.canonical(SMALL.from_text("none f1 | h4 none")) == "f1 h4"


def test_the_number_of_functions_is_that_of_the_canonical_forms():
    for blocks in (1, 2, 3):
        space = TransformerSpace(blocks)
        archs = product(*(range(5) for _ in space.choices))
        forms = len({space.canonical(arch) for arch in archs})
        assert f"{forms:,} rows" in space.counting()


def test_equal_forms_compute_equal_numbers_with_copied_weights_and_other_forms_do_not(images):
    archs = [SMALL.from_text(text) for text in ("h4 none | none f1", "h4 f1 | none none", "none none | h4 f1")]
    networks = [SMALL.network(arch, **TINY).eval() for arch in archs]
    for network in networks[1:]:
        there = [one for one in networks[0].halves if any(True for _ in one.parameters())]
        copies = [one for one in network.halves if any(True for _ in one.parameters())]
        for mine, its in zip(copies, there, strict=True):
            mine.load_state_dict(its.state_dict())
        for name in ("patches", "norm", "classifier"):
            getattr(network, name).load_state_dict(getattr(networks[0], name).state_dict())
    outputs = [network(images) for network in networks]
    assert all(torch.equal(one, outputs[0]) for one in outputs)
    turned = SMALL.network(SMALL.from_text("none f1 | h4 none"), **TINY).eval()
    turned.halves[1].load_state_dict(networks[0].halves[3].state_dict())
    turned.halves[2].load_state_dict(networks[0].halves[0].state_dict())
    for name in ("patches", "norm", "classifier"):
        getattr(turned, name).load_state_dict(getattr(networks[0], name).state_dict())
    assert not torch.allclose(turned(images), outputs[0], atol=1e-3)


# ----------------------------------------------------------------------------------------------------- what it costs
@pytest.mark.parametrize("text", TEXTS)
def test_multiply_adds_are_those_that_run_and_those_that_torch_counts(text):
    arch = SPACE.from_text(text)
    network = SPACE.network(arch).eval()
    assert SPACE.madds(arch) == count.madds(network, (1, 16, 16))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 1, 16, 16))
    assert 2 * SPACE.madds(arch) == counter.get_total_flops()
    sizes = {"width": 32, "patch": 2, "colors": 3, "classes": 7}
    assert SPACE.madds(arch, side=8, **sizes) == count.madds(SPACE.network(arch, side=8, **sizes), (3, 8, 8))


def test_the_parent_has_the_costs_of_the_published_formula():
    width, tokens = 64, 16
    block = tokens * (4 * width**2 + 8 * width**2) + 2 * tokens**2 * width  # projections, feed-forward, and products
    rest = tokens * 16 * width + 10 * width
    assert SPACE.madds(SPACE.largest) == 6 * block + rest == 4_932_224
    norms, biases = 2 * 2 * width, 4 * width + 5 * width
    parameters = 6 * (12 * width**2 + norms + biases) + 2 * width + (16 + 1 + tokens) * width + 10 * (width + 1)
    assert count.parameters(SPACE.network(SPACE.largest)) == parameters == 302_794


def test_the_cache_holds_a_key_and_a_value_of_each_head():
    assert SPACE.cache(SPACE.largest) == 6 * 2 * 64 * 4
    assert SPACE.cache(SPACE.from_text(TEXTS[1])) == 2 * (4 + 2 + 1) * 16 * 4  # a mean needs no more for more tokens
    assert SPACE.cache(SPACE.smallest) == 0


# --------------------------------------------------------------------------------------------- half-blocks by hand
def test_averaging_adds_to_each_token_the_same_map_of_their_mean():
    one, x = half("mean", 8), torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    nn.init.normal_(one.out.weight, generator=torch.Generator().manual_seed(1))
    nn.init.zeros_(one.out.bias)
    mean = F.layer_norm(x, (8,)).mean(1)
    assert torch.allclose(one(x)[:, 0], mean @ one.out.weight.T, atol=1e-6) and one(x).shape == (2, 1, 8)


def test_attention_of_two_heads_by_hand():
    one, x = Attention(8, 2), torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(0))
    for weights in one.parameters():
        nn.init.normal_(weights, generator=torch.Generator().manual_seed(weights.numel()))
    y = F.layer_norm(x[0], (8,), one.norm.weight, one.norm.bias)
    rows = (y @ one.qkv.weight.T + one.qkv.bias).detach().numpy()
    query, key, value = rows[:, :4], rows[:, 4:8], rows[:, 8:]
    read = []
    for head in (slice(0, 2), slice(2, 4)):
        shares = np.exp(query[:, head] @ key[:, head].T / 2**0.5)
        read.append(shares / shares.sum(1, keepdims=True) @ value[:, head])
    out = np.concatenate(read, 1) @ one.out.weight.detach().numpy().T + one.out.bias.detach().numpy()
    assert np.allclose(one(x)[0].detach().numpy(), out, atol=1e-4)


def test_nothing_adds_nothing_and_a_network_without_half_blocks_is_linear_in_its_patches(images):
    network = SMALL.network(SMALL.smallest, **TINY)
    assert torch.equal(network(images), network.answer(network.patches(images)))
    assert not half("none", 16)(torch.ones(1, 2, 16)).any()


def test_images_of_another_side_get_interpolated_places():
    network = SMALL.network(SMALL.smallest, **TINY).eval()
    place, blank = network.patches.place, torch.zeros(1, 1, 8, 8)
    tokens = network.patches(blank)[0] - network.patches.embed.bias
    assert tokens.shape == (4, 16)
    assert torch.allclose(tokens.mean(0), place.mean((0, 2, 3)), atol=0.02)
    assert not torch.allclose(tokens[0], tokens[3], atol=1e-4)


@pytest.mark.parametrize(
    ("size", "words"), [({"width": 18}, "width=18"), ({"side": 10}, "side=10"), ({"patch": 0}, "patch")]
)
def test_sizes_that_do_not_fit_are_refused(size, words):
    with pytest.raises(ValueError, match=words):
        SPACE.network(SPACE.largest, **size)


# --------------------------------------------------------------------------------------------- parts of one network
@pytest.mark.parametrize("text", ["h4 f1 | h4 f1", "h2 f1/8 | mean f1/2", "none f1/4 | h1 none", "mean none | mean f1"])
def test_a_member_within_is_the_member_taken_out(supernet, images, text):
    arch = SMALL.from_text(text)
    alone = supernet.extract(arch)
    assert torch.allclose(supernet(images, arch), alone(images), atol=1e-5)
    assert not torch.allclose(supernet(images, arch), supernet(images, SMALL.smallest), atol=1e-2)


def test_the_largest_within_is_bitwise_the_network_itself(supernet, images):
    assert torch.equal(supernet(images, SMALL.largest), supernet.whole(images))
    assert torch.equal(supernet.extract(SMALL.largest)(images), supernet.whole(images))


def test_members_share_the_first_heads_and_neurons(supernet):
    child = supernet.extract(SMALL.from_text("h2 f1/4 | none none"))
    attention, after = supernet.whole.halves[0], supernet.whole.halves[1]
    first = attention.qkv.weight.view(3, 4, 4, 16)[:, :2].reshape(24, 16)  # of queries, keys and values
    assert torch.equal(child.halves[0].qkv.weight, first)
    assert torch.equal(child.halves[1].widen.weight, after.widen.weight[:16])
    assert torch.equal(child.halves[1].out.weight, after.out.weight[:, :16])


def test_averaging_is_what_attention_does_when_all_tokens_are_read_equally(supernet):
    full = supernet.whole.halves[0]
    x = torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(5))
    small = take_part(Averaging(16), full)
    with torch.no_grad():
        full.qkv.weight[:32] = 0  # queries and keys: all products equal, so that all shares are
        full.qkv.bias[:32] = 0
        assert torch.allclose(full(x), small(x).expand(-1, 16, -1), atol=1e-5)
        assert torch.allclose(full.averaged(x), small(x), atol=1e-5)


def test_each_option_of_each_choice_is_another_function(supernet, images):
    for base in (SMALL.largest, SMALL.from_text("h1 f1/8 | mean f1/8")):
        for place in range(4):
            with torch.no_grad():
                outputs = [supernet(images, (*base[:place], option, *base[place + 1 :])) for option in range(5)]
            for number, one in enumerate(outputs):
                assert all((one - other).abs().max() > 1e-3 for other in outputs[:number])


def test_the_last_layers_of_half_blocks_begin_smaller():
    network = SPACE.network(SPACE.largest)
    assert isinstance(network, Transformer) and isinstance(network.halves[1], FeedForward)
    inner, last = network.halves[1].widen.weight, network.halves[1].out.weight
    assert inner.abs().max() <= 2 * 0.08 and not network.halves[1].out.bias.any()
    expected = 0.7 / 256**0.5 / 12**0.5
    assert abs(last.std() / expected - 0.88) < 0.02  # cut at two deviations, a normal's deviation is 0.88


# ------------------------------------------------------------------------------------------------- other options
def test_a_space_of_other_options_has_their_networks_and_costs():
    space = TransformerSpace(2, ("none", "h1", "h3", "h4"), ("none", "f3/64", "f11/32", "f1"))
    assert space.size == 4**4 and space.name != SMALL.name and space != SMALL
    arch = space.from_text("h3 f3/64 | none f11/32")
    network = space.network(arch)
    assert network.halves[0].heads == 3 and [network.halves[i].hidden for i in (1, 3)] == [12, 88]
    assert space.madds(arch) == count.madds(network, (1, 16, 16))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((("mean", "h4"), ("none", "f1")), "begin with none"),
        ((("none", "h4"), ("none", "f1/2")), "end with f1"),
        ((("none", "mean", "h4"), ("none", "f1")), "equally many"),
        ((("none", "x", "h4"), ("none", "f1/2", "f1")), "'x'"),
    ],
)
def test_options_that_make_no_space_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        TransformerSpace(2, *options)


# ------------------------------------------------------------------------------------------------------ pictures
def test_its_picture_names_the_half_blocks_that_are_there():
    text = show("h2 f1/8 | mean none", SMALL).text
    assert "1a: attention, 2 heads, 1f: feed-forward ⅛, 2a: mean of tokens" in text and "2f" not in text
    assert SMALL.graph(SMALL.smallest).nodes == ("image", "classes")
    assert [edge.choice for edge in SMALL.graph(SMALL.from_text("none f1 | h1 none")).edges] == [1, 2, None]
    assert len(SMALL.graph().nodes) == 2 + 4


def test_the_editor_changes_a_half_block_and_says_what_it_costs():
    editor = CellEditor(SMALL, Toy(SMALL), arch=SMALL.largest)
    editor.menus[2].value = 1
    assert SMALL.to_text(editor.arch) == "h4 f1 | mean f1"
    said = editor.describe()
    assert said["Computes"] == "h4 f1 mean f1"
    assert said["Parameters"] == f"{count.parameters(SMALL.network(editor.arch)):,}"
