"""Questions for lab 14: what a replacement harms, the choice that a budget allows, when a library pays."""

from __future__ import annotations

from math import floor

import numpy as np

from ...strategies.mixed_integer import Budget, exhaustive, greedy, harm_of
from .question import Drawn, Question, Wrong, asks, listed

TOPIC = "shrinking-a-transformer"


@asks(TOPIC, 1, "medium")
def harm_of_a_replacement(rng: np.random.Generator) -> Drawn:
    """The divergence that one replacement causes, from two images."""
    parent, other = (np.round(0.1 + 0.7 * rng.dirichlet([1.5, 1.5, 1.5], 2), 2) for _ in range(2))
    for one in (parent, other):
        one[:, 2] = np.round(1 - one[:, 0] - one[:, 1], 2)
    each = (parent * np.log(parent / other)).sum(1)
    turned = (other * np.log(other / parent)).sum(1)
    show = lambda row: ", ".join(f"{p:.2f}" for p in row)  # noqa: E731
    lines = [f"image {k + 1}: {show(parent[k])} in the parent, {show(other[k])} with the replacement" for k in (0, 1)]
    return Drawn(
        f"One half-block is replaced. Two images have these probabilities of three classes:{listed(lines)}What is the "
        "harm of the replacement, the mean divergence from the parent's answers, in nats? Give three decimals.",
        float(each.mean()),
        "For each image one sums p · ln(p / q) over the classes, where p is the parent's. Then one takes the mean.",
        (
            Wrong(
                float(turned.mean()), "The two networks have changed places: the parent's answers weigh the logarithms."
            ),
            Wrong(float(each.sum()), "The harm is a mean over images. Summed, it would grow with their number."),
            Wrong(float(each.mean() / np.log(2)), "These are bits. Nats take the natural logarithm."),
            Wrong(
                float(np.abs(parent - other).sum(1).mean() / 2),
                "This is half the sum of absolute differences. It hardly sees a small p that becomes far smaller.",
            ),
        ),
        tolerance=0.0011,
        unit=" nats",
    )


@asks(TOPIC, 2, "medium")
def choice_within_a_budget(rng: np.random.Generator) -> Drawn:
    """The choice of least harm within a budget, which the greedy way misses."""
    halves, options = 3, 3
    costs = np.array(
        [np.sort(rng.choice(np.arange(1, 13), options, replace=False))[::-1] for _ in range(halves)], float
    )
    harms = np.sort(np.round(rng.uniform(0.05, 1.0, (halves, options)), 2), axis=1)
    harms[:, 0] = 0
    whole, least = costs[:, 0].sum(), costs[:, -1].sum()
    most = float(round(least + rng.uniform(0.3, 0.7) * (whole - least)))
    one = Budget(costs, most)
    best, stepwise = exhaustive(harms, [one]), greedy(harms, one)
    say = lambda arch: ", ".join(f"{n}{k + 1}" for n, k in zip("ABC", arch, strict=True))  # noqa: E731
    unique = sum(
        one.allows(arch) and harm_of(arch, harms) <= harm_of(best, harms) + 1e-6 for arch in np.ndindex(3, 3, 3)
    )
    levels = [arch for arch in [(k,) * halves for k in range(options)] if one.allows(arch)]
    even = levels[0] if levels else (2, 2, 2)
    lines = [
        f"{n}: " + ", ".join(f"{n}{k + 1} costs {costs[h, k]:.0f} and harms {harms[h, k]:.2f}" for k in range(options))
        for h, n in enumerate("ABC")
    ]
    return Drawn(
        f"Three half-blocks have three variants each. Harms add.{listed(lines)}The budget is a cost of {most:.0f}. "
        "Which "
        "choice has the least harm within it?",
        say(best) if unique == 1 else say(even),
        "With 27 choices one can try all that keep the budget. A mixed-integer programme finds the same for many.",
        (
            Wrong(
                say(stepwise),
                "This is the greedy way: step by step the change that harms least for what it saves. It can overshoot.",
            ),
            Wrong(
                say(even), "This takes the same variant everywhere. Some half-blocks can do with less, others cannot."
            ),
            Wrong(say((0,) * halves), "This is the parent, which breaks the budget."),
        ),
    )


@asks(TOPIC, 3, "medium")
def when_a_library_pays(rng: np.random.Generator) -> Drawn:
    """For how many budgets is a library cheaper than training each network alone?"""
    parent, library = int(rng.integers(40, 121)), int(rng.integers(30, 91))
    final, alone = int(rng.integers(3, 12)), int(rng.integers(20, 61))
    first = floor((parent + library) / (alone - final)) + 1
    given = floor(library / (alone - final)) + 1
    return Drawn(
        f"A parent is trained in {parent} seconds. A library of variants is distilled and scored in {library} seconds. "
        f"Each network chosen from it is then distilled for {final} seconds. Without all that, a network of the same "
        "size "
        f"is trained from scratch to the same accuracy in {alone} seconds. Nobody gives you a parent. What is the "
        "smallest number of budgets for which the library takes fewer seconds in total?",
        first,
        f"Each budget saves {alone - final} seconds. Together they have to save more than parent and library cost.",
        (
            Wrong(given, "The parent has to be trained too, since nobody gives you one."),
            Wrong(floor((parent + library) / alone) + 1, "The final distillation of each network was forgotten."),
            Wrong(floor(parent / (alone - final)) + 1, "The library is not free: it was distilled and scored."),
        ),
        tolerance=0.4,
        unit=" budgets",
    )


QUESTIONS: tuple[Question, ...] = (harm_of_a_replacement, choice_within_a_budget, when_a_library_pays)
