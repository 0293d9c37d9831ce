"""Once-for-all's space: counts, inactive layers, texts, and the network that its authors released."""

from itertools import product

import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz.nn import count
from nasviz.nn.mobile import Resize
from nasviz.spaces.elastic import FIELDS, RESOLUTIONS, STRIDES, ElasticSpace
from nasviz.views.colors import style
from nasviz.zoo.mobile import OFA_NOTE8

SPACE = ElasticSpace()
NOTE8 = SPACE.from_text(OFA_NOTE8)
LARGEST = SPACE.from_text(" | ".join(["r224"] + [" ".join(["k7e6"] * 4)] * 5))
SMALLEST = SPACE.from_text(" | ".join(["r128"] + ["k3e3 k3e3"] * 5))


def counted(arch, **size):
    with torch.device("meta"):
        network = SPACE.network(arch, **{"width": 1, "strides": STRIDES, "colors": 3, "classes": 1000} | size)
    return count.parameters(network), count.madds(network, (3, 224, 224))


def test_how_many_units_there_are_by_enumeration():
    """Normal forms of one unit, the others fixed: 9² + 9³ + 9⁴."""
    options = [range(len(c.options)) for c in SPACE.choices[1 : 1 + FIELDS]]
    rest = SMALLEST[1 + FIELDS :]
    units = {SPACE.normal((0, *unit, *rest))[1 : 1 + FIELDS] for unit in product(*options)}
    assert len(units) == 9**2 + 9**3 + 9**4 == 7371
    assert SPACE.size == 25 * 7371**5 and 7371**5 > 1e19 and len(RESOLUTIONS) == 25


def test_layers_beyond_the_depth_are_inactive():
    assert SMALLEST[0] == 0 and sum(SPACE.active(SMALLEST)) == 1 + 5 * 5
    assert sum(SPACE.active(LARGEST)) == len(SPACE.choices) == 46
    beyond = list(SMALLEST)
    beyond[6] = 1  # kernel of the third layer of the first unit
    assert "inactive" in SPACE.why_invalid(beyond) and SPACE.normal(beyond) == SMALLEST
    deeper = SPACE.normal((*SMALLEST[:1], 1, *SMALLEST[2:]))
    assert len(SPACE.units(deeper)[0]) == 3 and len(SPACE.graph(deeper).nodes) == len(SPACE.graph(SMALLEST).nodes) + 1


def test_the_released_network_has_the_published_size():
    parameters, madds = counted(NOTE8)
    assert parameters == 4_595_536 and round(parameters / 1e6, 1) == 4.6  # the repository's table: 4.6M, 101M
    assert round(madds / 1e6) == 101


def test_every_dimension_is_elastic():
    parameters, madds = counted(LARGEST)
    assert round(parameters / 1e6, 1) == 7.7
    for place, option in ((0, 0), (1, 0), (2, 0), (3, 0)):  # resolution, depth, kernel, expansion of the first unit
        other = SPACE.normal((*LARGEST[:place], option, *LARGEST[place + 1 :]))
        fewer, cheaper = counted(other)
        assert cheaper < madds and (fewer < parameters or place == 0 and fewer == parameters)
    assert counted(LARGEST, width=1.2)[0] > 1.3 * parameters


def test_images_are_scaled_by_the_resolution():
    x = torch.randn(1, 1, 28, 21, generator=torch.Generator().manual_seed(0))
    assert Resize(128 / 224)(x).shape == (1, 1, 16, 12) and Resize(1.0)(x) is x
    constant = Resize(128 / 224)(torch.full((1, 1, 16, 16), 3.0))
    assert constant.shape == (1, 1, 9, 9) and torch.allclose(constant, torch.tensor(3.0))
    with torch.device("meta"):
        assert Resize(152 / 224)(torch.empty(1, 3, 224, 224)).shape == (1, 3, 152, 152)


def test_the_first_layer_of_a_unit_alone_changes_channels():
    network = SPACE.network(LARGEST, width=1, strides=STRIDES)
    skipped = [type(layer).__name__ == "Skipped" for layer in network[2:23]]
    assert skipped == [True] + [False, True, True, True] * 5


def test_the_graph_is_a_chain_that_views_can_label():
    graph = SPACE.graph(NOTE8)
    assert [(e.source, e.target) for e in graph.edges] == [(i, i + 1) for i in range(len(graph.nodes) - 1)]
    assert graph.nodes[:5] == ("image", "stem", "1.1", "1.2", "2.1") and graph.nodes[-1] == "classes"
    assert graph.ops[2] == "mbconv_k5_e3" and graph.ops[4] == "mbconv_k5_e4_se" and graph.ops[0] == "resize_152"
    assert [style(op).label for op in graph.ops[2:5]] == ["MBConv 5×5 ×3", "MBConv 3×3 ×3", "MBConv 5×5 ×4"]
    for edge in graph.edges:
        if edge.choice is not None:
            assert SPACE.choices[edge.choice].name == "unit {}, layer {}: kernel".format(
                *graph.nodes[edge.target].split(".")
            )
    assert len(SPACE.graph().nodes) == 2 + 20 + 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("160", "position 0: expected 'r', found '160'"),
        ("r130", "position 1: expected one of 128, 132"),
        ("r160 | k3e3 | ", "position 11: expected ' k', as a unit has two to four layers"),
        ("r160 | k3e5 k3e3", "position 10: expected one of 3, 4, 6, found '5 k3e3'"),
        ("r160 | k3e3 k3e3 k3e3 k3e3 k3e3", "position 26: expected ' | '"),
        (OFA_NOTE8 + " | k3e3", f"position {len(OFA_NOTE8)}: expected the end"),
    ],
)
def test_messages_say_where_and_what(text, message):
    with pytest.raises(ValueError) as error:
        SPACE.from_text(text)
    assert message in str(error.value)


@given(st.integers(0, 2**32), st.integers(0, 130), st.integers(0, 9), st.text("rke |34567128", max_size=4))
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


@pytest.mark.parametrize("size", [{"width": 0}, {"strides": (1, 2)}, {"strides": (3,) * 6}, {"classes": 0}])
def test_wrong_sizes_are_errors(size):
    with pytest.raises(ValueError, match=next(iter(size))):
        SPACE.network(NOTE8, **size)


def test_dozens_of_members_build_without_memory_at_full_size():
    rng = np.random.default_rng(0)
    for _ in range(30):
        arch = SPACE.sample(rng)
        with torch.device("meta"):
            network = SPACE.network(arch, width=1, strides=STRIDES)
        assert len(network) == 3 + sum(map(len, SPACE.units(arch))) + 6
