"""Lab 11's functions, on cases that one can count by hand."""

import numpy as np

from nasviz import zoo
from nasviz.lessons import famous
from nasviz.spaces import DartsSpace
from nasviz.spaces.genotypes import GENOTYPES

SPACE = DartsSpace()
DARTS = SPACE.from_text(GENOTYPES["DARTS_V2"])


def operations(arch):
    return [[operation for operation, _ in node] for node in SPACE.nodes(arch)["normal"]]


def test_edges_from_the_inputs_of_published_cells():
    assert famous.from_inputs(SPACE, DARTS) == 7  # one of its eight edges reads node 0, state 2
    assert famous.from_inputs(SPACE, SPACE.from_text(GENOTYPES["PC_DARTS_image"])) == 6


def test_a_random_edge_comes_from_the_inputs_as_often_as_one_counts():
    # the first node has both inputs; node n chooses two of n + 2 states: 2 * 2 / (n + 2) of them are inputs
    expected = sum(2 * 2 / (node + 2) for node in range(4))
    assert abs(famous.depths(SPACE, 2000).mean() - expected) < 0.1
    assert np.array_equal(famous.depths(SPACE, 20, seed=3), famous.depths(SPACE, 20, seed=3))


def test_rewired_cells_keep_operations_and_counts_and_compute_something_else():
    rng = np.random.default_rng(0)
    others = [famous.rewired(SPACE, DARTS, rng) for _ in range(4)]
    assert all(operations(other) == operations(DARTS) for other in others)
    assert all(SPACE.nodes(other)["reduction"] == SPACE.nodes(DARTS)["reduction"] for other in others)
    assert len({SPACE.canonical(other) for other in [DARTS, *others]}) > 3
    published = zoo.model("DARTS V2 (CIFAR-10)").parameters_and_madds()
    assert {famous.sizes(SPACE, other) for other in [DARTS, others[0]]} == {published}


def test_what_training_says_of_the_found_pair():
    clear = famous.told(np.array([[70.0, 71], [80, 81], [70, 70], [69, 70]]), place=1)
    assert "comes first" in clear and "seem to tell" in clear
    close = famous.told(np.array([[70.0, 74], [72, 73], [73, 75], [71, 72]]), place=0)
    assert "comes third" in close and "cannot tell" in close


def test_tables_say_what_differs():
    rows = list(zoo.table(map(zoo.model, ["MobileNetV2", "EfficientNet-B1"])))
    text = famous.counted(rows).data
    assert "unexplained" in text and "scaled by a rule" in text and "3,504,872" in text
    both = famous.two_recipes(["EfficientNet-B4", "RegNetY-4.0GF"]).data
    assert "| EfficientNet-B4 | 82.9 % | 78.8 % |" in both and "| the same | 79.4 % |" in both


def test_of_the_released_networks_only_b0_is_on_the_rule():
    found = famous.on_the_rule(steps=801)
    assert 224 in found["B0"] and not found["B7"]
    assert "no φ" in famous.beside_the_rule(found).data and "| B2 | 1.00 | 1.00 | 1.07 |" in famous.phis().data
