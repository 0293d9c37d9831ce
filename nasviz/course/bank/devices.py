"""Questions for labs 10 and 11: milliseconds, what an exponent is worth, whose budget breaks; counts and fronts."""

from __future__ import annotations

from itertools import combinations
from math import log, log2

import numpy as np

from ...analysis import fronts
from ...objectives import Within
from ...step import Evaluation
from .question import Drawn, Question, Wrong, asks, listed


@asks("hardware-aware", 1, "easy")
def error_of_a_table(rng: np.random.Generator) -> Drawn:
    """The median error of a repaired table on networks that were held out."""
    a, b = round(rng.uniform(0.1, 0.3), 2), round(rng.uniform(1.1, 1.4), 2)
    sums = np.round(rng.uniform(0.3, 2.0, 5), 2)
    measured = np.round((a + b * sums) * (1 + rng.normal(0, 0.09, 5)), 2)
    relative = 100 * np.abs(a + b * sums - measured) / measured
    plain = 100 * np.abs(sums - measured) / measured
    lines = [f"sum {s:.2f} ms, measured {m:.2f} ms" for s, m in zip(sums, measured, strict=True)]
    return Drawn(
        f"A latency table is repaired to ms = {a:.2f} + {b:.2f} · (sum of the operations). Five networks were held "
        f"out:{listed(lines)}What is the median error of the repaired table, in percent of the measured time? Give one "
        "decimal.",
        float(np.median(relative)),
        "Each network has a relative error, and the third of the five in their order is the median.",
        (
            Wrong(
                float(relative.mean()),
                "This is the mean. One bad network moves it, and the question asks for the median.",
            ),
            Wrong(float(np.median(plain)), "This is the error of the plain sum, without the repair."),
            Wrong(
                float(100 * np.median(np.abs(a + b * sums - measured))),
                "This is an error in hundredths of a millisecond, and no share of the measured time.",
            ),
            Wrong(float(relative.max()), "This is the worst of the five."),
        ),
        tolerance=0.06,
        unit=" %",
    )


@asks("hardware-aware", 2, "hard")
def exchange_rate(rng: np.random.Generator) -> Drawn:
    """The exponent that makes a gain of accuracy worth a factor in time."""
    times, gain = round(rng.choice([1.5, 3, 4, 5]), 1), int(rng.integers(3, 16))
    w = -log(1 + gain / 100) / log(times)
    return Drawn(
        f"On your device, a cell that is {times:g} times as slow is worth as much if it has {gain} % more accuracy, "
        "relative to the other. Which exponent w says so in MnasNet's reward, ACC · (LAT / T)^w? Give four decimals.",
        w,
        f"From (1 + {gain / 100:g}) · {times:g}^w = 1 one gets w = −ln(1 + {gain / 100:g}) / ln {times:g}.",
        (
            Wrong(-log2(1 + gain / 100), "This is for a cell that is twice as slow, as in the paper."),
            Wrong(-w, "With an exponent above 0, slow cells would be paid for being slow."),
            Wrong(-gain / 100 / times, "A power was taken for a product."),
            Wrong(-log(gain / 100 + 1), "The factor in time is missing: this is for a cell that is e times as slow."),
        ),
        tolerance=0.0006,
    )


@asks("hardware-aware", 3, "medium")
def whose_budget(rng: np.random.Generator) -> Drawn:
    """Which cell wins on a device, and does it keep the budget of another?"""
    accuracies = np.round(rng.choice(np.arange(760, 830), 5, replace=False) / 10, 1)
    here, there = (np.round(rng.uniform(0.5, 2.5, 5), 2) for _ in range(2))
    limit, other = round(float(np.median(here)) + 0.2, 1), round(float(np.median(there)) + 0.2, 1)
    told = [
        Evaluation((k,), {"predicted": float(accuracies[k]), "here": float(here[k]), "there": float(there[k])})
        for k in range(5)
    ]
    pick = lambda name, most: int(np.argmax([Within(name, most, of="predicted")(one) for one in told]))  # noqa: E731
    winner, second = pick("here", limit), pick("there", other)
    keeps = there[winner] <= other
    say = lambda k, good: f"cell {'ABCDE'[k]}, and it {'keeps' if good else 'breaks'} the budget of device 2"  # noqa: E731
    lines = [
        f"{n}: {a:.1f} %, {h:.2f} ms on device 1, {t:.2f} ms on device 2"
        for n, a, h, t in zip("ABCDE", accuracies, here, there, strict=True)
    ]
    top = int(accuracies.argmax())
    return Drawn(
        f"Five cells were measured on two devices:{listed(lines)}Device 1 allows {limit:.1f} ms, and device 2 allows "
        f"{other:.1f} ms. A search on device 1 takes the most accurate cell that device 1 allows. Which one is it, and "
        "what about device 2?",
        say(winner, keeps),
        "One looks at the budget of device 1 alone to find the winner, and then at its time on device 2.",
        (
            Wrong(say(winner, not keeps), "This is the winner. Compare its time on device 2 with the budget there."),
            Wrong(say(second, True), "This is the winner of device 2. The search ran on device 1."),
            Wrong(say(top, there[top] <= other), "This is the most accurate of all, and device 1 does not allow it."),
        ),
    )


@asks("famous-architectures", 1, "medium")
def bottleneck_count(rng: np.random.Generator) -> Drawn:
    """The weights of an inverted bottleneck."""
    inputs, outputs = (int(one) * 8 for one in rng.choice(np.arange(2, 15), 2, replace=False))
    widen, kernel = int(rng.choice([3, 4, 6])), int(rng.choice([3, 5, 7]))
    inside = widen * inputs
    first, depthwise, last = inputs * inside, kernel**2 * inside, inside * outputs
    return Drawn(
        f"An inverted bottleneck has {inputs} input channels and {outputs} output channels. It widens by {widen}, "
        "filters "
        f"depthwise with {kernel}×{kernel}, and projects. How many weights do its three convolutions have, without "
        "biases?",
        first + depthwise + last,
        f"Inside there are {inside} channels. The three steps have {inputs} · {inside}, {kernel}² · {inside} and "
        f"{inside} · {outputs} weights.",
        (
            Wrong(
                first + kernel**2 * inside * inside + last,
                "The middle step was taken for a full convolution. Depthwise, each channel has one filter.",
            ),
            Wrong(first + depthwise, "The projection was forgotten."),
            Wrong(
                kernel**2 * inputs + inputs * outputs,
                "The widening was forgotten: this is a depthwise separable convolution.",
            ),
            Wrong(kernel**2 * inputs * outputs, "This is one full convolution from the inputs to the outputs."),
        ),
    )


@asks("famous-architectures", 2, "medium")
def the_front(rng: np.random.Generator) -> Drawn:
    """Which networks stand on the Pareto front?"""
    costs = np.round(np.sort(rng.uniform(0.2, 6.0, 6)), 1)
    accuracies = np.round(70 + 3.5 * np.log1p(costs) * 1.5 + rng.normal(0, 1.4, 6), 1)
    order = rng.permutation(6)
    costs, accuracies = costs[order], accuracies[order]
    best = fronts.front(costs, accuracies)
    beaten = [k for k in range(6) if k not in best]
    names = lambda which: ", ".join(sorted("ABCDEF"[k] for k in which))  # noqa: E731
    fine = len(set(costs)) == 6 and len(set(accuracies)) == 6 and 3 <= len(best) <= 5
    near = max(beaten, key=lambda k: accuracies[k], default=0)
    top = sorted(range(6), key=lambda k: -accuracies[k])[: len(best)]
    lines = [f"{n}: {c:.1f} G multiply-adds, {a:.1f} %" for n, c, a in zip("ABCDEF", costs, accuracies, strict=True)]
    return Drawn(
        f"Six networks were all trained by one recipe:{listed(lines)}Which of them stand on the Pareto front?",
        names(best),
        "From the cheapest on, a network is on the front if it is more accurate than all cheaper ones.",
        (
            Wrong(
                names(best[1:] if fine else best),
                "The cheapest network is missing. Nothing is cheaper, so nothing dominates it.",
            ),
            Wrong(names([*best, near]), f"Network {'ABCDEF'[near]} is dominated: a cheaper one is more accurate."),
            Wrong(names(top), "These are the most accurate ones. The front also asks what each costs."),
        ),
    )


@asks("famous-architectures", 3, "hard")
def shallow_by_chance(rng: np.random.Generator) -> Drawn:
    """How many edges of a random cell come from the cell's inputs?"""
    nodes, inputs = int(rng.integers(3, 10)), int(rng.integers(2, 5))
    expected = 0.0
    for node in range(nodes):
        pairs = list(combinations(range(inputs + node), 2))
        expected += sum((one < inputs) + (two < inputs) for one, two in pairs) / len(pairs)
    edges = 2 * nodes
    return Drawn(
        f"A cell has {inputs} inputs and {nodes} nodes, one after the other. Each node reads two different earlier "
        "states, which are inputs or earlier nodes, all pairs alike. How many of a random cell's "
        f"{edges} edges come from the cell's inputs, on average? Give two decimals.",
        expected,
        f"Node i (from 0) has {inputs} + i states to read from. On average 2 · {inputs} / ({inputs} + i) of its edges "
        "come from inputs.",
        (
            Wrong(edges / 2, "Half would be right if each edge chose between an input and a node by a fair coin."),
            Wrong(
                edges * inputs / (inputs + nodes),
                "This takes all states as there from the start. Early nodes have few nodes to read.",
            ),
            Wrong(
                edges * inputs / (inputs + nodes - 1), "This counts for each node what is true of the last node only."
            ),
            Wrong(float(edges), "So shallow are some found cells. A random cell reads other nodes too."),
        ),
        tolerance=0.011,
        unit=" edges",
    )


QUESTIONS: tuple[Question, ...] = (
    error_of_a_table,
    exchange_rate,
    whose_budget,
    bottleneck_count,
    the_front,
    shallow_by_chance,
)
