"""The DARTS space: its two forms, published text, symmetry, supernet."""

import re
from itertools import combinations, permutations, product

import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz.nn import count
from nasviz.spaces.darts import CELLS, EDGES, GENOTYPES, OPS, DartsSpace, count_cells, renamed
from nasviz.strategies.darts import Darts

SPACE = DartsSpace()
V2 = GENOTYPES["DARTS_V2"]
RESTRICTED = [DartsSpace.restricted(name) for name in ("S1", "S2", "S3", "S4")]
all_spaces = pytest.mark.parametrize("space", [SPACE, *RESTRICTED], ids=lambda space: space.name)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def samples(space, n, seed=0):
    rng = np.random.default_rng(seed)
    return [space.sample(rng) for _ in range(n)]


def test_sizes():
    assert len(SPACE.choices) == 24 and SPACE.size == (180 * 7**8) ** 2 == 1_037_664_180**2
    assert len(SPACE.relaxed) == 28 and {len(choice.options) for choice in SPACE.relaxed} == {8}
    assert f"{8**14:,}" in SPACE.counting()
    assert RESTRICTED[1].size == RESTRICTED[2].size == (180 * 2**8) ** 2


# ------------------------------------------------------------------------------------------------ text
@pytest.mark.parametrize("text", GENOTYPES.values(), ids=list(GENOTYPES))
def test_published_genotypes_are_read_and_printed_one_way(text):
    arch = SPACE.from_text(text)
    printed = SPACE.to_text(arch)
    assert SPACE.from_text(printed) == arch and printed.count("range(2, 6)") == 2
    # same pairs, whatever their order within a node
    published, ours = (pairs_of(one) for one in (text, printed))
    assert published == ours


def pairs_of(text):
    found = re.findall(r"\('(\w+)', (\d)\)", text)
    return [sorted(found[i : i + 2]) for i in range(0, len(found), 2)]


def test_white_space_quotes_and_both_ranges_are_accepted():
    other = V2.replace(", ", " ,\n ").replace("'", '"').replace("[2 ,\n 3", "[ 2,3")
    assert SPACE.from_text(other) == SPACE.from_text(V2.replace("[2, 3, 4, 5]", "range(2, 6)")) == SPACE.from_text(V2)


PUT = st.text(max_size=3) | st.sampled_from("()[],'=0235 ")


@given(st.integers(0, 999), st.integers(0, 480), st.integers(0, 14), PUT)
@examples(1500)
def test_mutilated_genotypes_raise_nothing_but_value_errors(seed, at, cut, put):
    text = SPACE.to_text(samples(SPACE, 1, seed)[0])
    try:
        arch = SPACE.from_text(text[:at] + put + text[at + cut :])
    except ValueError as error:
        assert "position" in str(error) and "expected" in str(error)
    else:
        assert SPACE.why_invalid(arch) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Genotype(", "Genotyp(", "position 0: expected 'Genotype'"),
        ("('sep_conv_3x3', 0)", "('sep_conv_9x9', 0)", "position 19: expected one of avg_pool_3x3"),
        ("0), ('sep_conv_3x3', 1)", "0), ('sep_conv_3x3', 0)", 'expected one of 1, found "0)'),
        ("('sep_conv_3x3', 1)", "('sep_conv_3x3', 2)", 'expected one of 1, found "2)'),
        ("normal_concat=[2, 3, 4, 5]", "normal_concat=[2, 3]", "expected ',', found ']"),
        ("normal_concat=[2, 3, 4, 5]", "normal_concat=2", "expected range(2, 6) or [2, 3, 4, 5]"),
        ("reduce_concat=[2, 3, 4, 5])", "reduce_concat=[2, 3, 4, 5]);", "expected the end, found ';'"),
        ("('sep_conv_3x3', 0)", "('none', 0)", "expected one of avg_pool_3x3"),
    ],
)
def test_messages_say_where_and_what(old, new, message):
    with pytest.raises(ValueError) as error:
        SPACE.from_text(V2.replace(old, new, 1))
    assert message in str(error.value)


# ------------------------------------------------------------------------------------------------ the two forms
def test_discretize_is_the_papers_rule():
    weights = np.full((28, 8), 0.01)
    weights[:, 0] = 0.9  # none is strongest everywhere and never wins
    for cell, _ in enumerate(CELLS):
        for edge, op, weight in (
            ((0, 2), 4, 0.05), ((1, 2), 3, 0.06), ((0, 3), 1, 0.03), ((2, 3), 7, 0.04),
            ((3, 4), 2, 0.05), ((1, 4), 2, 0.05), ((4, 5), 5, 0.02), ((2, 5), 6, 0.03),
        ):  # fmt: skip
            weights[14 * cell + EDGES.index(edge), op] = weight
    assert SPACE.nodes(SPACE.discretize(weights))["normal"] == (
        (("sep_conv_3x3", 0), ("skip_connect", 1)),
        (("max_pool_3x3", 0), ("dil_conv_5x5", 2)),
        (("avg_pool_3x3", 1), ("avg_pool_3x3", 3)),
        (("dil_conv_3x3", 2), ("sep_conv_5x5", 4)),
    )
    for wrong in (np.zeros((14, 8)), np.full((28, 8), np.nan)):
        with pytest.raises(ValueError, match="28, 8"):
            SPACE.discretize(wrong)


@all_spaces
def test_every_architecture_is_what_some_weights_mean(space):
    for arch in samples(space, 30):
        weights = np.zeros((28, len(space.relaxed[0].options)))
        for c, cell in enumerate(space.nodes(arch).values()):
            for node, pair in enumerate(cell, 2):
                for op, state in pair:
                    row = 14 * c + EDGES.index((state, node))
                    weights[row, space.relaxed[row].options.index(op)] = 1
        assert space.discretize(weights) == arch


def test_restrictions():
    s1, s2, s3, s4 = RESTRICTED
    assert s2.relaxed[0].options == ("skip_connect", "sep_conv_3x3") and s3.relaxed[5].options[0] == "none"
    assert {op for arch in samples(s4, 9) for cell in s4.nodes(arch).values() for p in cell for op, _ in p} == {
        "noise", "sep_conv_3x3"}  # fmt: skip
    assert [choice.options[1] for choice in s1.relaxed[:4]] == [
        "dil_conv_3x3", "dil_conv_5x5", "dil_conv_5x5", "sep_conv_3x3"]  # fmt: skip
    assert len({choice.options for choice in s1.relaxed}) > 5 and {len(c.options) for c in s1.relaxed} == {2}
    assert s2 != s3 and s2 == DartsSpace.restricted("S2") and hash(s2) == hash(DartsSpace.restricted("S2"))
    with pytest.raises(ValueError, match="S1, S2, S3, S4"):
        DartsSpace.restricted("S5")
    with pytest.raises(ValueError, match="from state 0"):
        s1.from_text(re.sub(r"\('\w+', 0\)", "('avg_pool_3x3', 0)", s1.to_text(samples(s1, 1)[0]), count=1))
    for wrong in (("none",), ("conv",), ("skip_connect",) * 2, [("skip_connect",)] * 27):
        with pytest.raises(ValueError, match="candidates"):
            DartsSpace(wrong)


@all_spaces
def test_text_goes_round_in_every_restriction(space):
    for arch in samples(space, 50, seed=3):
        assert space.from_text(space.to_text(arch)) == arch


# ------------------------------------------------------------------------------------------------ symmetry
def brute(nodes, operations):
    """Numbered cells, and how many there are up to renaming, by listing them all."""
    slots = [[tuple(zip(ops, pair, strict=True)) for pair in combinations(range(node), 2)
              for ops in product(range(operations), repeat=2)] for node in range(2, nodes + 2)]  # fmt: skip
    cells = list(product(*slots))
    return len(cells), len({min(renamed(cell)) for cell in cells})


@pytest.mark.parametrize(("nodes", "operations"), [(1, 3), (2, 2), (2, 7), (3, 1), (3, 2), (3, 3)])
def test_orbits_counted_are_orbits_listed(nodes, operations):
    assert count_cells(nodes, operations) == brute(nodes, operations)[1]


def test_the_number_of_distinct_cells():
    assert brute(2, 7)[0] == 7**4 * 3
    assert count_cells(4, 7) == 382_128_166
    assert "382,128,166" in SPACE.counting()


def test_canonical_is_the_same_for_renamed_nodes_and_only_for_those():
    for arch in samples(SPACE, 40, seed=1):
        cells = SPACE.nodes(arch)
        others = {SPACE.arch({"normal": n, "reduction": cells["reduction"]}) for n in renamed(cells["normal"])}
        assert arch in others and {SPACE.canonical(other) for other in others} == {SPACE.canonical(arch)}
        changed = arch[:1] + ((arch[1] + 1) % 7,) + arch[2:]
        assert (SPACE.canonical(changed) == SPACE.canonical(arch)) == (changed in others)


def test_what_canonical_calls_equal_is_equal_by_copied_weights():
    text = V2.replace("('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)",
                      "('sep_conv_5x5', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)")  # fmt: skip
    nodes = SPACE.nodes(SPACE.from_text(text))["normal"]
    graph = lambda n: SPACE.cells(SPACE.arch({"normal": n, "reduction": n}))["normal"]  # noqa: E731
    from nasviz.nn.separable import DARTS
    from nasviz.nn.twoinput import Cell
    from nasviz.weights import initialize

    one = Cell(graph(nodes), DARTS, (4, 4), 4)
    initialize(one, seeded())
    x, y = (torch.randn(2, 4, 6, 6, generator=seeded(i)) for i in (1, 2))
    compared = 0
    for order in permutations(range(4)):
        number = {0: 0, 1: 1} | {old + 2: new + 2 for new, old in enumerate(order)}
        moved = [tuple(sorted(((op, number[s]) for op, s in nodes[old]), key=lambda e: e[1])) for old in order]
        if any(s >= node for node, pair in enumerate(moved, 2) for _, s in pair):
            continue
        two = Cell(graph(moved), DARTS, (4, 4), 4)
        initialize(two, seeded(9))
        two.current.load_state_dict(one.current.state_dict())
        for new, old in enumerate(order):
            for slot, (op, state) in enumerate(moved[new]):
                was = [(o, number[s]) for o, s in nodes[old]].index((op, state))
                two.operations[2 * new + slot].load_state_dict(one.operations[2 * old + was].state_dict())
        blocks = one(x, y).split(4, 1)
        torch.testing.assert_close(two(x, y), torch.cat([blocks[old] for old in order], 1))
        compared += 1
    assert compared > 2


# ------------------------------------------------------------------------------------------------ networks
@pytest.mark.parametrize(
    ("name", "cifar", "imagenet"),
    [
        ("DARTS_V2", (3_349_342, 528.36), (4_718_752, 529.9)),
        ("PC_DARTS_cifar", (3_634_678, 556.7), (5_270_560, 571.1)),
    ],
)
def test_published_counts_to_the_last_parameter(name, cifar, imagenet):
    arch = SPACE.from_text(GENOTYPES[name])
    with torch.device("meta"):
        small = SPACE.network(arch, channels=36, cells=20, colors=3)
        large = SPACE.network(arch, channels=48, cells=14, layout="imagenet", colors=3, classes=1000)
    for network, image, (parameters, millions) in ((small, (3, 32, 32), cifar), (large, (3, 224, 224), imagenet)):
        assert count.parameters(network) == parameters
        assert count.madds(network, image) / 1e6 == pytest.approx(millions, abs=0.06)


def test_five_hundred_random_cells_build_on_the_meta_device():
    with torch.device("meta"):
        for arch in samples(SPACE, 500, seed=7):
            cell = SPACE.cells(arch)["normal"]
            from nasviz.nn.separable import DARTS
            from nasviz.nn.twoinput import Cell

            assert Cell(cell, DARTS, (4, 4), 4).width == 16


@all_spaces
def test_the_supernet_mixes_and_every_weight_gets_a_gradient(space):
    net = space.supernet(channels=4, cells=3, generator=seeded())
    weights = torch.full((28, len(space.relaxed[0].options)), 0.3, requires_grad=True)
    logits = net(torch.randn(4, 1, 8, 8, generator=seeded(1)), weights)
    logits.square().sum().backward()
    assert logits.shape == (4, 10) and all(w.grad is not None for w in net.parameters())
    columns = [[op != "none" for op in choice.options] for choice in space.relaxed]
    assert (weights.grad != 0).tolist() == columns
    norms = [m for m in net.body.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms and all(m.weight is None and m.running_mean is None for m in norms)


def test_a_supernet_with_one_hot_weights_computes_the_chosen_operations_only():
    space, images = RESTRICTED[1], torch.randn(2, 1, 8, 8, generator=seeded(1))
    net = space.supernet(channels=4, cells=3, generator=seeded())
    weights = torch.zeros(28, 2)
    weights[:, 0] = 1
    before = net(images, weights)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if "candidates.1" in name:
                parameter.zero_()
    torch.testing.assert_close(net(images, weights), before)


@pytest.mark.parametrize("space", [SPACE, RESTRICTED[3]], ids=lambda space: space.name)
def test_the_strategy_runs_on_it_and_goes_on_from_a_state(space):
    size = {"images": 16, "batch": 8, "epochs": 2, "size": 8, "network": {"channels": 2, "cells": 3}}
    steps = list(Darts(space, **size))
    assert steps[-1].shows["alphas"].shape == (28, len(space.relaxed[0].options))
    assert space.why_invalid(space.discretize(steps[-1].shows["alphas"])) is None
    rest = list(Darts(space, **size, start=steps[1].state))
    assert [s.shows["loss"] for s in rest] == [s.shows["loss"] for s in steps[2:]]
    np.testing.assert_array_equal(rest[-1].shows["alphas"], steps[-1].shows["alphas"])


def test_operations_are_named_in_the_published_order():
    assert SPACE.relaxed[0].options == ("none", *OPS)
