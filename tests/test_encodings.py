"""Encodings: what each column means, on every space; equal graphs look equal, however they are written."""

from collections import Counter
from itertools import pairwise

import networkx
import numpy as np
import pytest
from toys import ALL_SPACES, OWN, SPACES, Elastic

from nasviz.encodings import ENCODINGS, encoder, flow, matrix, one_hot, path_encoding, weisfeiler_lehman
from nasviz.graph import Edge, Graph
from nasviz.space import Choice, SearchSpace
from nasviz.spaces import DartsSpace, NasBench101, NasBench201

SPACE = NasBench201()
CONV = SPACE.from_text("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|")
DRAWN = [SPACE.sample(np.random.default_rng(i)) for i in range(200)]
GRAPHS = [space for space in ALL_SPACES if space is not OWN]
every_graph = pytest.mark.parametrize("space", GRAPHS, ids=lambda space: space.name)


@pytest.mark.parametrize("space", [*ALL_SPACES, *SPACES, Elastic()], ids=lambda space: space.name)
def test_one_hot_on_every_space(space):
    archs = [space.sample(np.random.default_rng(i)) for i in range(20)]
    vectors = one_hot(space, archs)
    assert vectors.shape == (20, sum(len(choice.options) for choice in space.choices)) and vectors.dtype == np.float32
    ends = np.cumsum([0] + [len(choice.options) for choice in space.choices])
    for arch, vector in zip(archs, vectors, strict=True):
        for option, active, (start, end) in zip(arch, space.active(arch), pairwise(ends), strict=True):
            assert vector[start:end].tolist() == [float(active and i == option) for i in range(end - start)]
    assert one_hot(space, []).shape == (0, ends[-1])
    assert one_hot(space, iter(archs)).tolist() == vectors.tolist()
    with pytest.raises(ValueError, match="choices, these architectures"):
        one_hot(space, [archs[0] + (0,)])


def test_half_the_squared_distance_of_one_hot_is_the_hamming_distance():
    vectors = one_hot(SPACE, DRAWN)
    for i, j in zip(range(100), range(100, 200), strict=True):
        hamming = sum(a != b for a, b in zip(DRAWN[i], DRAWN[j], strict=True))
        assert ((vectors[i] - vectors[j]) ** 2).sum() == 2 * hamming


def test_a_flow_has_no_sums_no_zeros_and_nothing_dead():
    chain = flow(SPACE, CONV)
    assert chain.labels == ("in", "nor_conv_3x3", "skip_connect", "nor_conv_1x1", "out")
    assert chain.incoming == ((), (0,), (1,), (2,), (3,))
    nothing = flow(SPACE, (3, 3, 3, 0, 0, 0))  # three convolutions that nobody reads
    assert (nothing.labels, nothing.incoming) == (("out",), ((),))
    dead = flow(SPACE, (0, 1, 0, 1, 3, 0))  # a convolution of nothing, a skip to nowhere
    assert (dead.labels, dead.incoming) == (("in", "skip_connect", "out"), ((), (0,), (1,)))
    shared = flow(SPACE, (3, 0, 1, 0, 1, 2))  # one convolution, read by two skips
    assert shared.labels == ("in", "nor_conv_3x3", "skip_connect", "skip_connect", "nor_conv_1x1", "out")
    assert shared.incoming == ((), (0,), (1,), (1,), (2,), (3, 4))


@every_graph
def test_flows_are_graphs_in_order_with_all_operations(space):
    for seed in range(20):
        arch = space.sample(np.random.default_rng(seed))
        graph = flow(space, arch)
        assert all(source < node for node, sources in enumerate(graph.incoming) for source in sources)
        names = {"in", "out"}  # of nodes that have a number only
        for cell in space.cells(arch).values():
            names |= {edge.op for edge in cell.edges} | set(cell.ops) | set(cell.nodes)
        assert {label.split(": ")[-1] for label in graph.labels} <= names
        read = {i for sources in graph.incoming for i in sources}
        ends = [i for i in range(len(graph.labels)) if i not in read]
        assert len(ends) == len(space.cells(arch))  # all else is read by somebody


@every_graph
def test_paths_are_those_that_networkx_finds(space):
    for seed in range(10):
        arch = space.sample(np.random.default_rng(seed))
        graph = flow(space, arch)
        net = networkx.DiGraph([(j, i) for i, sources in enumerate(graph.incoming) for j in sources])
        net.add_nodes_from(range(len(graph.labels)))
        starts = [i for i in net if not net.in_degree(i)]
        ends = [i for i in net if not net.out_degree(i)]
        ways = [way for s in starts for e in ends if s != e for way in networkx.all_simple_paths(net, s, e)]
        assert path_encoding(space, arch) == Counter({" › ".join(graph.labels[i] for i in way): 1 for way in ways})


def test_paths_of_nasbench201():
    assert list(path_encoding(SPACE, CONV)) == ["in › nor_conv_3x3 › skip_connect › nor_conv_1x1 › out"]
    skips = [" › ".join(["in", *["skip_connect"] * length, "out"]) for length in (1, 2, 3)]
    assert path_encoding(SPACE, (1, 1, 1, 1, 1, 1)) == Counter(skips)  # of length two there are two: they count as one
    assert path_encoding(SPACE, (0, 0, 0, 0, 0, 0)) == Counter()
    chains = [(a, 0, b, 0, 0, c) for a in range(5) for b in range(5) for c in range(5)]
    assert len({column for arch in chains for column in path_encoding(SPACE, arch)}) == 4**3


def test_paths_with_two_inputs_and_two_cells_say_where_they_are():
    space = DartsSpace()
    arch = space.sample(np.random.default_rng(0))
    starts = {path.split(" › ")[0] for path in path_encoding(space, arch)}
    assert starts <= {f"{cell}: c_{{k-{i}}}" for cell in ("normal", "reduction") for i in (1, 2)} and len(starts) >= 3


def test_weisfeiler_lehman_counts_operations_first():
    for arch in DRAWN[:50]:
        counts = weisfeiler_lehman(SPACE, arch, rounds=0)
        assert counts == Counter(flow(SPACE, arch).labels)
    two = weisfeiler_lehman(SPACE, CONV, rounds=2)
    assert two["nor_conv_1x1(skip_connect(nor_conv_3x3))"] == 1 and two["out"] == 1
    assert sum(two.values()) == 3 * 5
    with pytest.raises(ValueError, match="rounds"):
        weisfeiler_lehman(SPACE, CONV, rounds=-1)


def test_isomorphic_cells_have_the_same_features():
    class Renamed(NasBench101):
        """The same cell with its nodes in another topological order."""

        def cells(self, arch):
            (graph,) = super().cells(arch).values()
            net = networkx.DiGraph([(edge.source, edge.target) for edge in graph.edges])
            order = list(networkx.lexicographical_topological_sort(net, key=lambda node: -node))
            place = {node: i for i, node in enumerate(order)}
            edges = tuple(Edge(place[e.source], place[e.target], e.op, e.choice) for e in reversed(graph.edges))
            return {"cell": Graph(tuple(graph.nodes[n] for n in order), edges, tuple(graph.ops[n] for n in order))}

    plain, renamed = NasBench101(), Renamed()
    moved = 0
    for seed in range(60):
        arch = plain.sample(np.random.default_rng(seed))
        moved += renamed.cells(arch)["cell"].nodes != plain.cells(arch)["cell"].nodes
        assert path_encoding(renamed, arch) == path_encoding(plain, arch)
        assert weisfeiler_lehman(renamed, arch) == weisfeiler_lehman(plain, arch)
    assert moved > 10


def test_weisfeiler_lehman_tells_apart_what_operations_alone_do_not():
    first, second = (3, 0, 2, 0, 0, 1), (2, 0, 3, 0, 0, 1)  # conv3×3 then conv1×1, and the other way round
    assert weisfeiler_lehman(SPACE, first, 0) == weisfeiler_lehman(SPACE, second, 0)
    assert weisfeiler_lehman(SPACE, first, 1) != weisfeiler_lehman(SPACE, second, 1)


@every_graph
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encoders_have_fixed_columns(space, encoding):
    rng = np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(12)]
    encode = encoder(encoding, space, archs[:8])
    known, others = encode(archs[:8]), encode(archs[8:])
    assert known.shape[1] == others.shape[1] and known.dtype == np.float32
    assert (known.sum(1) > 0).all()
    assert np.array_equal(encoder(encoding, space, archs[7::-1])(archs[:8]), known)


def test_what_was_never_seen_is_left_out():
    assert matrix([Counter(a=2, b=1), Counter()], ["b", "c"]).tolist() == [[1, 0], [0, 0]]
    with pytest.raises(ValueError, match="encoding must be one of"):
        encoder("two-hot", SPACE, [])


def test_an_operation_on_the_last_node_counts():
    class Last(SearchSpace):
        name, choices = "last", (Choice("op", ("a", "b")),)

        def graph(self, arch):
            return Graph(("in", "out"), (Edge(0, 1),), (None, "ab"[arch[0]]))

    assert list(path_encoding(Last(), (1,))) == ["in › b › out"]
