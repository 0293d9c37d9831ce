"""Questions for labs 00 and 01: what a space holds, what a search returns, what luck gave it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod

import numpy as np

from ...objectives import Bounded
from ...space import Choice, SearchSpace
from ...spaces import NasBench201
from ...step import Evaluation
from .question import Drawn, Question, Wrong, asks, listed

NAMES = ("no operation", "a skip", "a 1×1 convolution", "a 3×3 convolution", "average pooling")
EDGES = ("0→1", "0→2", "1→2", "0→3", "1→3", "2→3")


@asks("start-here", 1, "easy")
def random_search_within(rng: np.random.Generator) -> Drawn:
    """Which of the cells that a random search trained does it return under a bound?"""
    limit = int(rng.integers(12, 30)) * 10_000
    costs = np.round(limit * rng.permutation([0.35, 0.7, 0.92, 1.15, 1.4]) * rng.uniform(0.95, 1.02, 5), -3).astype(int)
    accuracies = np.round(rng.choice(np.arange(660, 760), 5, replace=False) / 10, 1)
    within = Bounded("madds", limit)
    rewards = [
        within(Evaluation((place,), {"accuracy": accuracy / 100, "madds": float(cost)}))
        for place, (accuracy, cost) in enumerate(zip(accuracies, costs, strict=True))
    ]
    name = "ABCDE"
    there = [place for place in range(5) if costs[place] <= limit]
    lines = [f"{n}: {a:.1f} %, {c:,} multiply-adds" for n, a, c in zip(name, accuracies, costs, strict=True)]
    return Drawn(
        f"A random search trained five cells, in this order:{listed(lines)}The bound is {limit:,} multiply-adds. "
        "Which cell does the search return?",
        f"cell {name[int(np.argmax(rewards))]}",
        "Of the cells within the bound, the search keeps the one with the highest accuracy.",
        (
            Wrong(
                f"cell {name[int(accuracies.argmax())]}", "This cell is the most accurate, but it is over the bound."
            ),
            Wrong(
                f"cell {name[int(costs.argmin())]}", "This cell is the cheapest. The bound asks for no more than that."
            ),
            Wrong(
                f"cell {name[max(there, key=lambda place: costs[place])]}",
                "This cell is the largest within the bound. A search believes its trainings, not the size.",
            ),
        ),
    )


@asks("start-here", 2, "medium")
def one_mutation(rng: np.random.Generator) -> Drawn:
    """How many architectures can one mutation reach?"""
    sizes = [int(n) for n in rng.integers(2, 7, int(rng.integers(4, 7)))]
    space = SearchSpace.from_choices({f"choice_{place}": tuple(range(size)) for place, size in enumerate(sizes)})
    reached = len(set(space.neighbors((0,) * len(sizes))))
    options = ", ".join(map(str, sizes[:-1]))
    return Drawn(
        f"An architecture is a tuple of {len(sizes)} choices. They have {options} and {sizes[-1]} options. A mutation "
        "changes exactly one choice to another of its options. How many different tuples can one mutation reach?",
        reached,
        "Each choice can change to all of its options but the present one. These numbers are added.",
        (
            Wrong(sum(sizes), "This sum counts the present option of each choice as a change."),
            Wrong(prod(sizes) - 1, "This is the number of all other tuples. Most of them differ in several choices."),
            Wrong(prod(size - 1 for size in sizes), "This product changes all choices at once."),
            Wrong(len(sizes), "This counts the choices, and not what each of them can change to."),
        ),
    )


@asks("start-here", 3, "medium")
def lucky_report(rng: np.random.Generator) -> Drawn:
    """By how much did luck raise the report of a winner?"""
    truth = rng.uniform(68, 76)
    report = round(truth + rng.uniform(0.9, 2.4), 1)
    others = np.round(truth + rng.normal(0, 0.6, 4), 1)
    runner = round(report - rng.uniform(0.1, 0.4), 1)
    told = ", ".join(f"{one:.1f}" for one in others)
    return Drawn(
        f"A search trained 24 cells once each. Its winner had {report:.1f} %, and the second cell had {runner:.1f} %. "
        f"The winner was then trained again from four other seeds: {told} %. By how many points does its report exceed "
        "your best estimate of its worth? Give two decimals.",
        round(report - others.mean(), 4),
        "The four new trainings did not choose the winner. So their mean is an honest estimate, and the report less "
        "this mean is luck.",
        (
            Wrong(
                round(report - np.append(others, report).mean(), 4),
                "This mean contains the report itself, which was chosen because it was high.",
            ),
            Wrong(round(report - others.min(), 4), "One training is noisy too. The lowest of four is an unlucky one."),
            Wrong(round(report - others.max(), 4), "The highest of the new trainings is again a lucky one."),
            Wrong(round(report - runner, 4), "The distance to the second cell says nothing of the winner's own noise."),
        ),
        tolerance=0.011,
        unit=" points",
    )


def told(arch) -> str:
    """A cell of NAS-Bench-201, edge by edge."""
    return "; ".join(f"{edge} {NAMES[option]}" for edge, option in zip(EDGES, arch, strict=True))


@asks("search-spaces", 1, "hard")
def the_same_function(rng: np.random.Generator) -> Drawn:
    """Which of four cells computes the same as a given one?"""
    space = NasBench201()
    first, second, out, left, right = (int(one) for one in rng.integers(1, 5, 5))
    given = (first, second, 0, out, left, right)
    twin = (second, first, 0, out, right, left)
    half = (second, first, 0, out, left, right)
    joined = (first, second, 1, out, left, right)
    other = (first, second, 0, left, out, right)
    forms = {arch: space.canonical(arch) for arch in (given, twin, half, joined, other)}
    # two wrong cells that are one function would both be as good, or as bad, as the other: draw again
    unlike = [half, joined, other]
    wrong = [arch for arch in unlike if forms[arch] != forms[given]]
    fine = given != twin and forms[given] == forms[twin] and len(wrong) == 3
    why = (
        "Only the inputs of nodes 1 and 2 were exchanged. What leaves these nodes must move with them.",
        "A skip from node 1 to node 2 adds what node 1 holds. No operation adds nothing.",
        "The edges 0→3 and 1→3 start at different nodes, so their operations cannot change places.",
    )
    return Drawn(
        f"A cell of NAS-Bench-201 has these edges: {told(given)}. Nodes add up what arrives. Which cell computes the "
        "same function, up to the names of its weights?",
        told(twin),
        "Nodes 1 and 2 have changed places, with all that enters and leaves them. No edge joins the two.",
        tuple(Wrong(told(arch if fine else twin), one) for arch, one in zip(unlike, why, strict=True)),
    )


def deeper(place: int) -> Callable[[tuple[int, ...]], bool]:
    """Whether a network has the layer ``place``: its first choice is the depth, from 0."""
    return lambda prefix: prefix[0] >= place


@asks("search-spaces", 2, "medium")
def inactive_choices(rng: np.random.Generator) -> Drawn:
    """How many architectures has a space whose depth is a choice?"""
    deepest, begin, options = int(rng.integers(3, 6)), int(rng.integers(2, 7)), int(rng.integers(2, 5))
    layers = [
        Choice(
            f"layer {place}",
            tuple(map(str, range(options if place else begin))),
            deeper(place),
        )
        for place in range(deepest)
    ]
    space = SearchSpace()
    space.choices = (Choice("depth", tuple(map(str, range(1, deepest + 1)))), *layers)
    every = {space.normal(arch) for arch in product(*(range(len(choice.options)) for choice in space.choices))}
    return Drawn(
        f"You write a space of your own. Its first choice is the depth, 1 to {deepest}. The first layer then chooses "
        f"one of {begin} operations, and each later layer one of {options}. Layers beyond the depth do not exist, so "
        "that their choices do not matter. How many different architectures has it?",
        len(every),
        f"A network of depth d has {begin} · {options}^(d − 1) architectures, and the depths are added.",
        (
            Wrong(space.size, "This product counts tuples that differ only in layers which do not exist."),
            Wrong(begin * options ** (deepest - 1), "These are the deepest networks only."),
            Wrong(
                sum(begin + options * depth for depth in range(deepest)),
                "Layers choose independently, so their options are multiplied and not added.",
            ),
        ),
    )


@asks("search-spaces", 3, "medium")
def best_of_some(rng: np.random.Generator) -> Drawn:
    """How often does a random search meet a good member of a space?"""
    share, draws = int(rng.integers(2, 9)), int(rng.integers(10, 31))
    p = share / 100
    return Drawn(
        f"In a space, {share} % of all members are within half a point of the best one. A random search draws {draws} "
        "members, independently. How often is at least one of them so good? Answer in percent, to one decimal.",
        100 * (1 - (1 - p) ** draws),
        "All draws miss with the product of their chances to miss. Otherwise at least one of them hits.",
        (
            Wrong(float(draws * share), "Added chances count a search twice that hits twice. They can exceed 100 %."),
            Wrong(100 * (1 - p) ** draws, "This is how often no draw hits."),
            Wrong(float(share), "This is the chance of one draw only."),
            Wrong(100 * draws * p * (1 - p) ** (draws - 1), "This is how often exactly one draw hits."),
        ),
        tolerance=0.2,
        unit=" %",
    )


QUESTIONS: tuple[Question, ...] = (
    random_search_within,
    one_mutation,
    lucky_report,
    the_same_function,
    inactive_choices,
    best_of_some,
)
