"""Views of spaces, of whole networks and of the zoo: what they say is what the space, the count and the papers say."""

from itertools import combinations

import numpy as np
import pytest
import torch
from toys import Elastic

from nasviz.analysis.fronts import front
from nasviz.graph import Edge, Graph
from nasviz.nn import count
from nasviz.space import Choice, SearchSpace
from nasviz.spaces import DartsSpace, MacroSpace, NasBench101, NasBench201
from nasviz.views import Compound, Network, Space, Zoo, compare, mutations, show, show_graph
from nasviz.views.charts.chart import beside, meet, short
from nasviz.views.charts.network import blocks_of
from nasviz.views.charts.zoo import BLANK, LEFT, LETTER, RIGHT, TALL
from nasviz.zoo import MODELS
from nasviz.zoo.scaling import RELEASED, compound

PNG = b"\x89PNG"
SPACES = [NasBench201(), NasBench101(), MacroSpace(), Elastic()]
every_space = pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)


# ------------------------------------------------------------------------------------------------------ a space
@every_space
def test_a_space_says_its_choices_and_size_and_deals_members(space):
    view = Space(space)
    table, counted = view.children[0].value, view.children[1].value
    assert space.choices[0].name in table
    assert f"{space.size:,}" in counted.replace("{,}", ",")
    assert view.shown and all(space.why_invalid(arch) is None for arch in view.shown)
    before, run = list(view.shown), view.gallery.get_state()["first"]["run"]
    view.button.click()
    assert view.shown != before and view.gallery.get_state()["first"]["run"] == run + 1
    data, _ = view._repr_mimebundle_()
    assert "image/png" in data and space.to_text(view.shown[0]) in data["text/plain"]


def test_the_same_seed_deals_the_same_members():
    assert Space(SPACES[0], seed=5).shown == Space(SPACES[0], seed=5).shown != Space(SPACES[0], seed=6).shown


def test_what_differs_is_marked_in_both_pictures():
    both = compare((3, 1, 2, 0, 1, 3), (3, 1, 2, 4, 1, 3), SPACES[0])
    assert [view["marked"] for view in both.spec["views"]] == [{"nodes": [], "edges": [3]}] * 2
    assert "differ in 1 of 6 choices: 0→3." in both.text and both.still().startswith(PNG)
    assert "Equal." in compare((3,) * 6, (3,) * 6, SPACES[0]).text


def test_choices_of_two_members_stand_beside_each_other_where_there_is_no_graph():
    both = compare((0, 1, 1, 0, 0), (2, 1, 1, 1, 1), Elastic())
    assert [view["kind"] for view in both.spec["views"]] == ["options"] * 2
    assert "3 of 5 choices: depth, kernel 3, kernel 4." in both.text
    assert both.columns()["arch 0"][0].tolist() == [0, 1, 1, -1, -1]


@every_space
def test_each_step_of_a_walk_is_one_mutation(space):
    arch = space.sample(np.random.default_rng(1))
    walk = mutations(arch, space, steps=12, seed=3)
    rows = walk.columns()["arch"]
    assert len(walk) == 13 and walk.still().startswith(PNG)
    changed = (rows[1:] != rows[:-1]).any(-1)
    if not space.conditional:
        assert (changed.reshape(12, -1).sum(1) == 1).all()  # one choice (or one edge of the cell) a step
    assert changed.reshape(12, -1).any(1).all()
    same = mutations(space.to_text(arch), space, steps=12, seed=3)
    np.testing.assert_array_equal(same.columns()["arch"], rows)


OPTIONS = ("skip_connect", "nor_conv_3x3")


class TwoCells(SearchSpace):
    """Two cells of one free edge each, of two that could be there; relaxed, both edges have an operation."""

    name = "two cells"
    choices = tuple(Choice(f"{cell} {what}", o) for cell in "ab" for what, o in (("input", (0, 1)), ("op", OPTIONS)))
    relaxed = tuple(Choice(f"{cell} {source}→2", OPTIONS) for cell in "ab" for source in (0, 1))

    def cells(self, arch=None):
        nodes, out = ("x", "y", "1"), {}
        for n, name in enumerate(("normal", "reduction")):
            if arch is None:
                edges = tuple(Edge(source, 2, None, 2 * n + source) for source in (0, 1))
            else:
                edges = (Edge(arch[2 * n], 2, OPTIONS[arch[2 * n + 1]], 2 * n + 1),)
            out[name] = Graph(nodes, edges)
        return out

    def discretize(self, weights):
        return (0, 0, 0, 0)


def test_a_walk_in_two_cells_is_drawn_within_the_supernet():
    walk = mutations((0, 1, 1, 0), TwoCells(), steps=5)
    columns = walk.columns()
    assert columns["normal"].shape == columns["reduction"].shape == (6, 2, 2)
    assert columns["normal"][0].tolist() == [[0, 1], [0, 0]] and columns["reduction"][0].tolist() == [[0, 0], [1, 0]]
    assert (columns["normal"].sum((1, 2)) == 1).all()


def test_two_cells_are_shown_beside_each_other_discrete_and_relaxed():
    cell = show((0, 1, 1, 0), TwoCells())
    assert [view["title"] for view in cell.spec["views"]] == ["normal cell", "reduction cell"]
    assert "Normal of two cells. x→1: conv 3×3" in cell.text and cell.still().startswith(PNG)
    weights = np.array([[0.25, 0.75], [0.5, 0.5], [1, 0], [0, 1]])
    relaxed = show(weights, TwoCells())
    np.testing.assert_array_equal(relaxed.columns()["reduction"][0], weights[2:])
    assert "a 0→2: conv 3×3 75 %" in relaxed.text


# ------------------------------------------------------------------------------------------------------ a network
PAPER = {"channels": 16, "cells": 5, "stages": 3, "reduction": "residual", "colors": 3}


def network():
    with torch.device("meta"):
        return NasBench201().network((3, 1, 2, 0, 1, 3), **PAPER)


def test_layers_add_up_from_the_operations_to_the_whole():
    layers = {layer.name: layer for layer in count.layers(network(), (3, 32, 32))}
    assert layers[""].madds == count.madds(network(), (3, 32, 32))
    assert layers[""].parameters == count.parameters(network())
    assert layers["body.0.operations.0"].madds == 32 * 32 * 16 * 16 * 9 and layers["body.6"].shape == (32, 16, 16)
    cell = [layer for name, layer in layers.items() if name.startswith("body.0.operations.") and name.count(".") == 3]
    assert layers["body.0"].madds == sum(layer.madds for layer in cell)
    assert count.layers(network(), (3, 32, 32), "nasbench201")[0].madds > layers[""].madds


def test_a_network_shows_its_blocks_and_all_of_it():
    view = Network(network(), (3, 32, 32), "NAS-Bench-201")
    names = [block.name for block in view.blocks]
    assert names == ["stem", *(f"body.{i}" for i in range(17)), "head", "classifier"]
    assert sum(block.madds for block in view.blocks) == view.layers[0].madds
    assert list(view.bars.data[1].x) == [block.parameters for block in view.blocks]
    boxes = view.boxes.data[0]
    value, within = dict(zip(boxes.ids, boxes.values, strict=True)), {}
    for one, parent in zip(boxes.ids, boxes.parents, strict=True):
        within[parent] = within.get(parent, 0) + value[one]
    assert within[""] == value["/"] and all(value[name] >= parts for name, parts in within.items() if name)
    view.choice.value = "parameters"
    assert view.boxes.data[0].values[0] == view.layers[0].parameters
    assert "587 k parameters" in view.text and view.still().startswith(PNG)


def test_a_network_whose_stem_gives_two_states_has_blocks():
    space = DartsSpace()
    view = Network(space.network(space.sample(np.random.default_rng(0)), layout="imagenet"), (1, 32, 32))
    assert [block.kind for block in view.blocks] == ["Stem", "Cell", "Cell", "Cell", "Linear"]


def test_a_graph_of_no_space_is_drawn_and_said():
    graph = Graph(("in", "a", "out"), (Edge(0, 1, "conv_1x1"), Edge(1, 2, "conv_3x3"), Edge(0, 2)))
    cell = show_graph(graph, "by hand")
    assert cell.text == "in→a: conv 1×1, a→out: conv 3×3"
    assert cell.spec["views"][0]["fixed"] == [2] and cell.spec["ops"] == ["conv_1x1", "conv_3x3"]


def test_a_long_sequence_stays_one_block():
    sequence = torch.nn.Sequential(*(torch.nn.Conv2d(1, 1, 1) for _ in range(40)))
    layers = count.layers(torch.nn.Sequential(sequence, torch.nn.Conv2d(1, 1, 1)), (1, 2, 2))
    assert [block.name for block in blocks_of(layers)] == ["0", "1"]


# ---------------------------------------------------------------------------------------------------------- the zoo
def test_the_front_holds_what_nothing_beats_in_both():
    assert front([1, 2, 3, 3], [70, 75, 74, 80]) == [0, 1, 3]
    assert front([2, 1, 1], [70, 70, 60]) == [1]


def test_the_zoo_shows_published_numbers_and_tells_of_one():
    view = Zoo()
    assert all(m.dataset == "ImageNet" and m.madds and m.accuracy for m in view.shown)
    traces = view.figure.data[1:]
    dots = {n: (x, y) for t in traces for n, x, y in zip(t.customdata, t.x, t.y, strict=True)}
    for model in view.shown:
        assert dots[model.name.removesuffix(" (ImageNet)")] == (model.madds, model.accuracy)
    view.cost.value = "parameters"
    for trace, by in zip(traces, ("search", "scaling", "hand"), strict=True):
        assert set(trace.x) == {m.parameters for m in view.shown if m.designed_by == by} and trace.x
    model = view.shown[0]
    view.tell(model)
    assert model.name in view.facts.value and f"{model.accuracy:g} %" in view.facts.value
    assert view.still().startswith(PNG)


def test_names_in_the_picture_of_the_zoo_do_without_its_data_set():
    said = {name for trace in Zoo().figure.data[1:] for name in trace.customdata}
    assert {"DARTS V2", "NASNet-A (6 @ 4032)"} <= said and "DARTS V2 (ImageNet)" not in said


def test_a_narrow_picture_of_the_zoo_has_fewer_names_and_none_of_them_collide():
    view, seen = Zoo(), {}
    for wide in (500, 700, 1100):
        view.fit.width = wide
        seen[wide] = {name for trace in view.figure.data[1:] for name in trace.text if name != BLANK}
        places = {}
        for trace in view.figure.data[1:]:
            for name, side, x, y, size in zip(
                trace.text, trace.textposition, trace.x, trace.y, trace.marker.size, strict=True
            ):
                if name != BLANK:
                    (low, high), (bottom, top) = view.figure.layout.xaxis.range, view.figure.layout.yaxis.range
                    across = (wide - LEFT - RIGHT) * (np.log10(x) - low) / (high - low)
                    up = TALL * (y - bottom) / (top - bottom)
                    places[name] = beside(across, up, LETTER * len(name), size / 2 + 2)[side]
        assert all(meet(a, b) < 8 for a, b in combinations(places.values(), 2))
        assert all(box[0] >= 0 and box[2] <= wide - LEFT for box in places.values())
    assert 10 < len(seen[500]) < len(seen[700]) < len(seen[1100])
    line = view.figure.data[0]
    on_line = set(zip(line.x, line.y, strict=True))
    best = {m.name.removesuffix(" (ImageNet)") for m in view.shown if (m.madds, m.accuracy) in on_line}
    assert len(best & seen[700]) > len(best) / 2  # who is on the line chooses first
    before = seen[1100]
    view.cost.value = "parameters"
    assert before != {name for trace in view.figure.data[1:] for name in trace.text if name != BLANK}


def test_a_zoo_of_nothing_is_refused():
    with pytest.raises(ValueError, match="CIFAR-10"):
        Zoo([m for m in MODELS if m.dataset == "ImageNet"], dataset="CIFAR-10")


def test_scaling_counts_the_network_at_phi_and_says_whether_it_fits_the_budget():
    view = Compound()
    assert view.counted == compound(1.0).parameters_and_madds()
    assert "α·β²·γ² = 1.92" in view.text and "within the budget of 1 G" in view.text
    view.sliders["phi"].value = 3.0
    assert view.counted == compound(3.0).parameters_and_madds() and "over the budget" in view.text
    star = view.figure.data[2]
    assert star.x[0] == view.counted[1] and star.y[0] == compound(3.0).depth
    assert list(view.figure.data[9].y) == [one.resolution for one in RELEASED.values()]
    assert view.still().startswith(PNG)


def test_numbers_are_written_short():
    assert [short(n) for n in (12, 1234, 5_288_548, 3.8e9)] == ["12", "1.23 k", "5.29 M", "3.8 G"]
