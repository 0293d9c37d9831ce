"""NAS-Bench-101: published counts and parameters, its hash against graph isomorphism, its text."""

import importlib.util
from collections import Counter
from itertools import product
from pathlib import Path

import networkx
import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz.graph import Edge, Graph
from nasviz.nn import count
from nasviz.nn.nodes import NASBENCH101, NodeCell, node_channels
from nasviz.spaces.nasbench101 import CELLS, EDGES, OPS, NasBench101, hash_cell

SPACE = NasBench101()
FULL = {"channels": 128, "modules": 3, "stacks": 3, "colors": 3}
C3, C1, POOL = OPS
# Ying et al. 2019's example of a cell: Inception's, each 5×5 convolution two of 3×3
INCEPTION = f"0111010/0000001/0000001/0000100/0000001/0000001/0000000 input,{C1},{C3},{C3},{C3},{POOL},output"
LEAST = "0100000/0011110/0000001/0000001/0000001/0000001/0000000 input," + 5 * f"{POOL}," + "output"
MOST = "0111001/0010000/0001000/0000100/0000010/0000001/0000000 input," + 5 * f"{C3}," + "output"

counting_script = Path(__file__).parents[1] / "benchmarks" / "nasbench101_count.py"
spec = importlib.util.spec_from_file_location("nasbench101_count", counting_script)
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


def cell(text):
    return SPACE.from_text(text)


# ------------------------------------------------------------------------------------------------------------- counts
def test_423624_cells_by_symmetries_alone():
    """No hash in this count: unlabelled graphs, and Burnside's lemma for the operations on them."""
    counts = {nodes: int(script.structures(nodes)[1].sum()) for nodes in CELLS}
    assert counts == CELLS and sum(counts.values()) == 423_624


def test_as_many_published_hashes():
    assert [script.hashes(nodes) for nodes in (2, 3, 4, 5)] == [1, 6, 84, 2441]


def test_the_same_by_brute_force_with_networkx():
    """Every labelled graph of up to five nodes against every class found so far; up to four nodes all, then some."""
    rng = np.random.default_rng(0)
    for nodes, expected in ((3, 6), (4, 84), (5, None)):
        cells = [(m, ops) for m in script.full(nodes) for ops in product(range(3), repeat=nodes - 2)]
        if nodes == 5:
            cells = [cells[i] for i in rng.permutation(len(cells))[:400]]
        classes, hashed = [], []
        for matrix, ops in cells:
            edges = list(zip(*map(np.ndarray.tolist, np.nonzero(matrix)), strict=True))
            graph = networkx.DiGraph(edges)
            networkx.set_node_attributes(graph, dict(enumerate((-1, *ops, -2))), "op")
            new = hash_cell(edges, (-1, *ops, -2))
            same = [
                i for i, other in enumerate(classes)
                if other.size() == graph.size()
                and networkx.is_isomorphic(graph, other, node_match=lambda a, b: a["op"] == b["op"])
            ]  # fmt: skip
            assert [hashed[i] for i in same] == [new] * len(same) and (same or new not in hashed)
            if not same:
                classes.append(graph)
                hashed.append(new)
        assert expected in (None, len(classes))


def test_373754169_tuples_are_valid_and_sampled_uniformly():
    """Against all 2^21 matrices: how many have so many nodes and edges once pruned."""
    every = script.matrices(7)
    alive = script.live(every)
    edges = (every & alive[:, :, None] & alive[:, None]).sum((1, 2))
    valid = alive[:, -1] & (edges <= 9)
    assert valid.sum() * 3**5 == 373_754_169
    expected = Counter(zip(alive[valid].sum(1).tolist(), edges[valid].tolist(), strict=True))
    rng, n = np.random.default_rng(1), 5000
    graphs = [SPACE.graph(SPACE.sample(rng)) for _ in range(n)]
    drawn = Counter((len(graph.nodes), len(graph.edges)) for graph in graphs)
    assert set(drawn) <= set(expected)
    for key, matrices in expected.items():
        share = matrices / valid.sum()
        assert abs(drawn[key] - n * share) < 5 * (n * share) ** 0.5 + 1, key


# --------------------------------------------------------------------------------------------------------------- hash
@given(st.integers(0, 2**32 - 1), st.permutations(range(5)))
@examples(200)
def test_the_hash_does_not_see_how_nodes_are_numbered(seed, order):
    graph = SPACE.graph(SPACE.sample(np.random.default_rng(seed)))
    inner = [1 + node for node in order if node < len(graph.nodes) - 2]
    place = {node: new for new, node in enumerate([0, *inner, len(graph.nodes) - 1])}
    labels = [-1, *(OPS.index(op) for op in graph.ops[1:-1]), -2]
    moved = [labels[node] for node in sorted(place, key=place.get)]
    edges = [(edge.source, edge.target) for edge in graph.edges]
    assert hash_cell([(place[a], place[b]) for a, b in edges], moved) == hash_cell(edges, labels)


def test_what_is_pruned_does_not_matter():
    cells = ["011/001/000 input,{},output", "0100/0001/0001/0000 input,{},maxpool3x3,output"]
    a, b = (cell(text.format(C1)) for text in cells)
    assert SPACE.canonical(a) != SPACE.canonical(b)  # the first has an edge past its node
    dead_end = cell(f"0110/0001/0000/0000 input,{C1},{POOL},output")
    assert SPACE.canonical(b) == SPACE.canonical(dead_end) == SPACE.canonical(cell(f"010/001/000 input,{C1},output"))
    edges = Edge(0, 1, None, 0), Edge(1, 2, None, EDGES.index((1, 6)))
    assert SPACE.graph(dead_end) == Graph(("in", "1", "out"), edges, (None, C1, None))


def test_isomorphic_cells_compute_the_same_with_the_weights_of_their_nodes():
    rng, images = np.random.default_rng(3), torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    checked = 0
    while checked < 25:
        arch = SPACE.sample(rng)
        order = (0, *(1 + rng.permutation(5)).tolist(), 6)
        moved = {(order[a], order[b]) for (a, b), bit in zip(EDGES, arch, strict=False) if bit}
        if not moved <= set(EDGES):
            continue
        ops = dict(zip(order[1:-1], arch[21:], strict=True))
        other = tuple(int(edge in moved) for edge in EDGES) + tuple(ops[node] for node in range(1, 6))
        assert SPACE.canonical(other) == SPACE.canonical(arch)
        one, two = (SPACE.network(a, generator=torch.Generator().manual_seed(5)) for a in (arch, other))
        renamed = [n if n in ("in", "out") else str(order[int(n)]) for n in SPACE.graph(arch).nodes]
        match = {i: SPACE.graph(other).nodes.index(name) for i, name in enumerate(renamed)}
        two.stem, two.classifier = one.stem, one.classifier
        for a, b in zip(one.body, two.body, strict=True):
            if isinstance(a, NodeCell):
                for i, operation in enumerate(a.operations, 1):
                    b.operations[match[i] - 1] = operation
                for i, projection in a.projections.items():
                    b.projections[str(match[int(i)])] = projection
                last = len(a.widths) - 1
                feeding = [s for s in a.sources[last] if s]
                if [match[s] for s in feeding] != sorted(match[s] for s in feeding):
                    break  # the output's channels come in another order, and so would the next cell's weights
        else:
            torch.testing.assert_close(two.eval()(images), one.eval()(images))
            checked += 1


# ---------------------------------------------------------------------------------------------------------------- text
PARTS = st.tuples(st.integers(0, len(INCEPTION)), st.integers(0, 9), st.text("01/ ,-abcinoptux", max_size=3))


@given(st.text(max_size=60) | st.text("01/ ,", max_size=70)
       | PARTS.map(lambda cut: INCEPTION[: cut[0]] + cut[2] + INCEPTION[cut[0] + cut[1] :]))  # fmt: skip
@examples(1200)
def test_malformed_text_is_a_value_error_that_says_where(text):
    try:
        arch = SPACE.from_text(text)
    except ValueError as error:
        assert "position" in str(error) and "expected" in str(error) or "no architecture of nasbench101" in str(error)
    else:
        assert SPACE.canonical(SPACE.from_text(SPACE.to_text(arch))) == SPACE.canonical(arch)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "position 0: expected a first row of 2 to 7 digits"),
        ("01/10 input,output", r"position 3: expected 0 for 1→0: edges lead from lower to higher numbers"),
        ("01/00/00 input,output", r"position 5: expected ' ', found '/00 input,ou'"),
        ("011/001/000 input,conv,output", "position 18: expected one of conv3x3-bn-relu, conv1x1"),
        ("01/00 input,output ", "position 18: expected the end"),
        ("010/000/000 input,maxpool3x3,output", "no path leads from the input to the output"),
        (LEAST.replace("0100000", "0111110"), None),
        (MOST.replace("0111001", "0111101"), "10 edges lie on paths from input to output, at most 9 may"),
    ],
)
def test_what_is_wrong_is_said_where(text, words):
    if words is None:
        words = "13 edges lie on paths"
    with pytest.raises(ValueError, match=words):
        SPACE.from_text(text)


def test_a_text_that_is_none():
    with pytest.raises(ValueError, match="written as a text, got int"):
        SPACE.from_text(3)


# ------------------------------------------------------------------------------------------------------------- network
@pytest.mark.parametrize(
    ("text", "published"),
    [(INCEPTION, 2_694_282), (LEAST, 227_274), (MOST, 49_979_274)],
    ids=["the example of the paper's code", "the smallest", "the largest"],
)
def test_published_parameters(text, published):
    with torch.device("meta"):
        assert count.parameters(SPACE.network(cell(text), **FULL)) == published


def test_madds_by_hand():
    with torch.device("meta"):
        network = SPACE.network(cell(f"011/001/000 input,{C3},output"), channels=8, modules=1, stacks=2, colors=1)
    stem = 9 * 1 * 8 * 64
    cells = (8 * 8 * 2 + 9 * 8 * 8) * 64 + (8 * 16 * 2 + 9 * 16 * 16) * 16
    assert count.madds(network, (1, 8, 8)) == stem + cells + 16 * 10


def test_channels_are_shared_as_published():
    graph = SPACE.graph(cell(INCEPTION))
    assert node_channels(graph, 128) == [0, 32, 32, 32, 32, 32, 128]
    assert node_channels(graph, 130) == [0, 33, 33, 32, 32, 32, 130]  # node 3 feeds node 4
    chain = SPACE.graph(cell(MOST))
    assert node_channels(chain, 20) == [0] + [20] * 6
    with pytest.raises(ValueError, match="4 nodes feed the output: it needs as many channels at least, got 3"):
        node_channels(graph, 3)


def test_a_node_adds_its_inputs_cut_to_its_channels_and_the_output_concatenates():
    """In → 1 → 2, 1 → 3, 2 and 3 → out, with poolings: checked against the sentence, written out."""
    text = f"01001/00110/00001/00001/00000 input,{POOL},{POOL},{POOL},output"
    made = NodeCell(SPACE.graph(cell(text)), NASBENCH101, 6, 5).eval()
    assert made.widths == [0, 3, 3, 2, 5]
    x = torch.randn(2, 6, 4, 4, generator=torch.Generator().manual_seed(1))
    for layer in made.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(2))
    pool = NASBENCH101[POOL](1)
    one = pool(made.projections["1"](x))
    expected = torch.cat([pool(one), pool(one[:, :2])], 1) + made.projections["4"](x)
    torch.testing.assert_close(made(x), expected)


def test_wrong_sizes_and_operations_are_named():
    arch = cell(INCEPTION)
    with pytest.raises(ValueError, match="channels is 0, and has to be a whole number of 1 or more"):
        SPACE.network(arch, channels=0)
    with pytest.raises(ValueError, match="node 1: no operation 'conv9x9'"):
        NodeCell(Graph(("in", "1", "out"), (Edge(0, 1), Edge(1, 2)), (None, "conv9x9", None)), NASBENCH101, 1, 1)


def test_a_mutation_can_bring_a_node_back():
    """From the smallest cell, single changes that leave the cell valid reach cells of every size."""
    rng, sizes = np.random.default_rng(0), Counter()
    arch = cell("01/00 input,output")
    for _ in range(2000):
        arch = SPACE.mutate(arch, rng)
        sizes[len(SPACE.graph(arch).nodes)] += 1
    assert set(sizes) == set(CELLS)
