"""Questions for lab 14: the transformers inside one, the choice that a budget allows, when a library pays."""

from __future__ import annotations

from math import floor

import numpy as np

from ...spaces.transformer import ATTENTION, FEED_FORWARD
from ...strategies.mixed_integer import Budget, exhaustive, greedy, harm_of
from .question import Drawn, Question, Wrong, asks, listed

TOPIC = "shrinking-a-transformer"


@asks(TOPIC, "count the networks inside a transformer, and say what counts as the same", "hard")
def functions_inside(rng: np.random.Generator) -> Drawn:
    """How many different functions hold a few blocks with halves that can be left out?"""
    blocks, heads, widths = int(rng.integers(2, 4)), int(rng.integers(2, 6)), int(rng.integers(2, 6))
    rows: set[tuple[str, ...]] = {()}  # the canonical form: the row of half-blocks that are there
    for _ in range(blocks):
        for options in (("none", *ATTENTION[6 - heads :]), ("none", *FEED_FORWARD[6 - widths :])):
            rows = {row if word == "none" else (*row, word) for row in rows for word in options}
    full = ((heads - 1) * (widths - 1)) ** blocks
    return Drawn(
        f"A transformer has {blocks} blocks. Each has an attention with {heads} options, then a feed-forward network "
        "with "
        f"{widths} options. One option of each is none, which computes nothing. Each half has weights of its own. How "
        "many different functions can be built, the empty one included?",
        len(rows),
        "A function is the row of halves that are there. Where the empty halves stood does not matter.",
        (
            Wrong(
                (heads * widths) ** blocks,
                "This counts tuples. Different places of none can leave the same row of halves.",
            ),
            Wrong(full, "This counts the rows in which no half is left out."),
            Wrong(full + 1, "Rows in which some halves are left out are missing."),
            Wrong(blocks * (heads + widths), "The halves choose independently, so their options are multiplied."),
        ),
    )


@asks(TOPIC, "choose a variant for each half-block within a budget", "medium")
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


@asks(TOPIC, "say when a library of variants pays, parent and all", "medium")
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


QUESTIONS: tuple[Question, ...] = (functions_inside, choice_within_a_budget, when_a_library_pays)
