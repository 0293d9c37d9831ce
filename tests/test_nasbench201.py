"""NAS-Bench-201: published counts, published text, and which strings are the same function."""

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz.spaces import NasBench201
from nasviz.spaces.nasbench201 import EDGES, OPS, published_unique

SPACE = NasBench201()
ALL = list(product(range(5), repeat=6))
archs = st.tuples(*[st.integers(0, 4)] * 6)
PAPER = "|nor_conv_1x1~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|nor_conv_3x3~0|skip_connect~1|skip_connect~2|"


@given(archs)
@examples(500)
def test_text_goes_round(arch):
    assert SPACE.from_text(SPACE.to_text(arch)) == arch


def test_the_published_order_of_edges():
    assert SPACE.from_text(PAPER) == tuple(
        OPS.index(op)
        for op in ("nor_conv_1x1", "nor_conv_1x1", "nor_conv_3x3", "nor_conv_3x3", "skip_connect", "skip_connect")
    )
    edges = SPACE.graph(SPACE.from_text(PAPER)).edges
    assert [(e.source, e.target, e.op) for e in edges][2] == (1, 2, "nor_conv_3x3")
    assert [e.choice for e in edges] == [0, 1, 2, 3, 4, 5]


@given(
    st.text(alphabet="|+~0123_abcdefnorvx ", max_size=130)
    | st.text(max_size=60)
    | st.just(PAPER).flatmap(
        lambda text: st.tuples(st.integers(0, len(text)), st.integers(0, 9), st.text(max_size=3)).map(
            lambda cut: text[: cut[0]] + cut[2] + text[cut[0] + cut[1] :]
        )
    )
)
@examples(1500)
def test_malformed_text_is_a_value_error_with_a_position(text):
    try:
        arch = SPACE.from_text(text)
    except ValueError as error:
        assert "position" in str(error) and "expected" in str(error)
    else:
        assert SPACE.to_text(arch) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("|nor_conv_1x1~1|", r"position 13: expected '~0', found '~1|'"),
        ("|conv~0|", "position 1: expected one of none, skip_connect"),
        ("|none~0|none~0", r"position 8: expected '+|', found 'none~0'"),
        ("", "position 0: expected '|', found the end"),
        (PAPER + "|", f"position {len(PAPER)}: expected the end, found '|'"),
    ],
)
def test_messages_say_where_and_what(text, message):
    with pytest.raises(ValueError) as error:
        SPACE.from_text(text)
    assert message in str(error.value)


def test_published_counts():
    assert SPACE.size == len(ALL) == 15_625
    assert len({published_unique(arch, zeros=False) for arch in ALL}) == 12_751
    assert len({published_unique(arch, zeros=True) for arch in ALL}) == 6_466


def test_the_number_of_functions():
    assert len({SPACE.canonical(arch) for arch in ALL}) == 5_044
    assert len({SPACE._canonical(arch, pooling_is_linear=False) for arch in ALL}) == 5_260


def test_the_published_rule_errs_both_ways():
    twice, two = (2, 0, 1, 0, 1, 1), (0, 2, 0, 2, 0, 1)  # one convolution used twice; two convolutions
    assert published_unique(twice, zeros=True) == published_unique(two, zeros=True)
    assert (SPACE.canonical(twice), SPACE.canonical(two)) == ("2·conv1×1(x)", "conv1×1(x) + conv1×1(x)")
    alone, dead = (0, 0, 0, 3, 0, 0), (0, 0, 0, 3, 0, 1)  # a skip from a node that only zeros reach
    assert published_unique(alone, zeros=True) != published_unique(dead, zeros=True)
    assert SPACE.canonical(alone) == SPACE.canonical(dead) == "conv3×3(x)"


@pytest.mark.parametrize(
    ("arch", "formula"),
    [
        ((0, 0, 0, 0, 0, 0), "0"),
        ((1, 1, 1, 1, 1, 1), "4·x"),
        ((3, 0, 1, 0, 1, 2), "a + conv1×1(a), a = conv3×3(x)"),
        ((3, 3, 0, 0, 0, 1), "conv3×3(x)"),
        ((0, 4, 3, 0, 2, 4), "pool(pool(x))"),
        ((4, 0, 4, 1, 0, 2), "conv1×1(pool(pool(x))) + x"),
        ((3, 1, 4, 0, 1, 4), "a + pool(pool(a)) + pool(x), a = conv3×3(x)"),
    ],
)
def test_formulas_by_hand(arch, formula):
    assert SPACE.canonical(arch) == formula


def value(arch, weights, x):
    """The cell as the paper defines it, on float64, operations on a dead node skipped: independent of nasviz.nn."""
    import torch.nn.functional as F

    nodes = [x, None, None, None]
    for (source, target), option, weight in zip(EDGES, arch, weights, strict=True):
        out = nodes[source]
        if out is None or OPS[option] == "none":
            continue
        if OPS[option] == "avg_pool_3x3":
            out = F.avg_pool2d(out, 3, 1, 1, count_include_pad=False)
        elif OPS[option] != "skip_connect":
            kernel = weight[OPS[option]]
            out = F.conv2d(out.relu(), kernel, padding=kernel.shape[-1] // 2)
            out = F.batch_norm(out, None, None, weight["scale"], weight["shift"], training=True)
        nodes[target] = out if nodes[target] is None else nodes[target] + out
    return x * 0 if nodes[3] is None else nodes[3]


def same_function(a, b, weights, x):
    """Whether b computes what a computes under some assignment of a's convolution weights to b's edges."""
    import torch

    wanted, ours = value(a, weights, x), [i for i in range(6) if OPS[a[i]].startswith("nor")]
    theirs = [i for i in range(6) if OPS[b[i]].startswith("nor")]
    spare = [i for i in range(6) if i not in ours]
    for order in permutations(ours + spare, len(theirs)):
        placed = list(weights)
        for edge, source in zip(theirs, order, strict=True):
            placed[edge] = weights[source]
        if torch.allclose(value(b, placed, x), wanted, rtol=1e-9, atol=1e-9):
            return True
    return False


def test_equal_canonical_form_is_equal_output_of_copied_weights():
    import torch

    g, rng = torch.Generator().manual_seed(0), np.random.default_rng(0)

    def draw(*shape):
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    weights = [
        {"nor_conv_1x1": draw(2, 2, 1, 1), "nor_conv_3x3": draw(2, 2, 3, 3), "scale": draw(2), "shift": draw(2)}
        for _ in range(6)
    ]
    x = draw(2, 2, 4, 4)
    classes = {}
    for arch in ALL:
        classes.setdefault(SPACE.canonical(arch), []).append(arch)
    within = [group for group in classes.values() if len(group) > 1 and group[0] != (0,) * 6]
    for group in [within[i] for i in rng.choice(len(within), 60, replace=False)]:
        a, b = (group[i] for i in rng.choice(len(group), 2, replace=False))
        assert same_function(a, b, weights, x), (a, b)
    names = sorted(classes)
    for i, j in rng.choice(len(names), (60, 2)):
        if i != j:  # and between near neighbours, where a rule too coarse would fail
            assert not same_function(classes[names[i]][0], classes[names[j]][0], weights, x)
    for arch in [ALL[i] for i in rng.choice(len(ALL), 30)]:
        for other in list(SPACE.neighbors(arch))[::5]:
            same = SPACE.canonical(arch) == SPACE.canonical(other)
            assert same_function(arch, other, weights, x) is same, (arch, other)


def test_discretize_takes_the_strongest_that_is_not_zero():
    weights = np.eye(5)[[3, 2, 1, 2, 4, 3]] + 9 * np.eye(5)[[1, 0, 0, 0, 0, 0]] * [[0], [1], [1], [1], [1], [1]]
    assert SPACE.discretize(weights) == (3, 2, 1, 2, 4, 3)  # zero is far the strongest on five edges
    with pytest.raises(ValueError, match=r"shape \(6, 5\)"):
        SPACE.discretize(weights[:5])
    with pytest.raises(ValueError, match="NaN"):
        SPACE.discretize(weights * np.nan)


def expression(arch):
    """The cell as a graph of its convolutions, by enumerating paths: a program of its own beside `canonical`.

    An edge says how often its source's value arrives (by paths over skips and pools), for each number of pools passed.
    """
    import networkx as nx

    into = {target: [i for i in range(6) if EDGES[i][1] == target] for target in range(4)}

    def arrivals(node, pools=0):
        """(where a path that ends in ``node`` began, how many pools it passed), once a path."""
        if node == 0:
            yield "in", pools
        for i in into[node]:
            op = OPS[arch[i]]
            if op in ("skip_connect", "avg_pool_3x3"):
                yield from arrivals(EDGES[i][0], pools + (op == "avg_pool_3x3"))
            elif op != "none" and any(True for _ in alive(EDGES[i][0])):
                yield i, pools

    def alive(node):
        """Something for each path from the input that no zero cuts."""
        if node == 0:
            yield node
        for i in into[node]:
            if OPS[arch[i]] != "none":
                yield from alive(EDGES[i][0])

    graph, todo = nx.DiGraph(), [("out", 3)]
    graph.add_node("out", label="out")
    while todo:
        name, node = todo.pop()
        counts = Counter(arrivals(node))
        for source in {source for source, _ in counts}:
            if source not in graph:
                graph.add_node(source, label="in" if source == "in" else OPS[arch[source]])
                if source != "in":
                    todo.append((source, EDGES[source][0]))
            label = tuple(sorted((pools, n) for (other, pools), n in counts.items() if other == source))
            graph.add_edge(source, name, label=str(label))
    return graph


def test_the_functions_counted_by_a_second_program():
    import networkx as nx

    def alike(a, b):
        return a["label"] == b["label"]

    found = {}
    for arch in ALL:
        graph = expression(arch)
        kinds = graph.nodes(data="label")
        ends = (kinds[a] + label + kinds[b] for a, b, label in graph.edges(data="label"))
        same_ends = found.setdefault(" ".join(sorted(ends)), [])
        for other, formula in same_ends:
            if nx.is_isomorphic(graph, other, node_match=alike, edge_match=alike):
                assert formula == SPACE.canonical(arch)
                break
        else:
            same_ends.append((graph, SPACE.canonical(arch)))
    formulas = [formula for group in found.values() for _, formula in group]
    assert len(formulas) == len(set(formulas)) == 5_044


# --------------------------------------------------------------------------------------------- fewer operations an edge
@pytest.mark.parametrize("conv", ["nor_conv_3x3", "sep_conv_3x3"])
def test_skip_or_a_convolution_are_64_texts_and_39_functions(conv):
    space = NasBench201(("skip_connect", conv))
    functions = {space.canonical(arch) for arch in product((0, 1), repeat=6)}
    assert space.size == 64 and len(space.distinct()) == len(functions) == 39
    assert space.discretize([[0.4, 0.6]] * 5 + [[0.6, 0.4]]) == (1, 1, 1, 1, 1, 0)
    for arch in product((0, 1), repeat=6):
        assert space.from_text(space.to_text(arch)) == arch
        if conv in OPS:  # names, not numbers of options, say what a function is
            assert SPACE.canonical(SPACE.from_text(space.to_text(arch))) == space.canonical(arch)
    with pytest.raises(ValueError, match="one of skip_connect"):
        space.from_text(PAPER)


def test_spaces_of_other_operations_are_other_spaces():
    skips, again, convs = (NasBench201(("skip_connect", f"{kind}_conv_3x3")) for kind in ("sep", "sep", "nor"))
    assert skips == again and hash(skips) == hash(again)
    assert len({skips, convs, SPACE}) == 3 == len({skips.name, convs.name, SPACE.name})
    assert NasBench201(list(OPS)) == SPACE and SPACE.name == "nasbench201"


@pytest.mark.parametrize("operations", [("none",), ("skip_connect",) * 2, ("skip_connect", "conv_9x9"), ()], ids=str)
def test_operations_that_make_no_space_are_refused(operations):
    with pytest.raises(ValueError, match="operation|candidate"):
        NasBench201(operations)
