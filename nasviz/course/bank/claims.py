"""Questions for labs 12 and 13: a bill, several tests, a search that is stopped, another table's answer."""

from __future__ import annotations

from math import asin, ceil, pi, sqrt

import numpy as np

from ...analysis import cost, stats
from ...objectives import Bounded
from ...step import Evaluation
from .question import Drawn, Question, Wrong, asks, listed


@asks("the-bill-and-the-claims", 1, "easy")
def a_bill(rng: np.random.Generator) -> Drawn:
    """Emissions of a search, from devices, days and assumptions."""
    devices, days, watts = int(rng.integers(4, 65)), int(rng.integers(2, 15)), int(rng.integers(20, 41)) * 10
    pue, intensity = round(rng.uniform(1.08, 1.7), 2), round(rng.uniform(0.02, 0.8), 2)
    assume = cost.Assumptions(watts=float(watts), pue=pue, intensity=intensity)
    found = cost.bill("a search", float(devices * days), assume)
    return Drawn(
        f"A search ran for {days} days on {devices} accelerators. Each draws {watts} W. The data centre has a PUE of "
        f"{pue:.2f}, and the grid emits {intensity:.2f} kg CO₂e a kWh. How many kg CO₂e is that? One percent off is "
        "near "
        "enough.",
        found.kg,
        "Device-days times 24 hours, times watts, times PUE, divided by 1000, are kWh. The grid turns them into kg.",
        (
            Wrong(found.kg / pue, "The PUE is missing: cooling and the rest of the data centre draw power too."),
            Wrong(found.kg / 24, "Days were taken for hours. That slip has been printed and copied."),
            Wrong(found.kg / devices, "All accelerators draw power at once."),
            Wrong(found.kwh, "This is the energy in kWh. The grid says what a kWh emits."),
        ),
        tolerance=max(0.01 * found.kg, 1e-6),
        unit=" kg",
    )


@asks("the-bill-and-the-claims", 2, "medium")
def after_correction(rng: np.random.Generator) -> Drawn:
    """How many of several comparisons remain after Holm's correction?"""
    count = int(rng.integers(6, 10))
    p = np.round(np.sort(np.concatenate([rng.uniform(0.001, 0.02, 4), rng.uniform(0.02, 0.4, count - 4)])), 3)
    remain = int((stats.holm(p) < 0.05).sum())
    raw, all_alike = int((p < 0.05).sum()), int((p * count < 0.05).sum())
    each = int(sum(value * (count - place) < 0.05 for place, value in enumerate(p)))
    shown = ", ".join(f"{value:.3f}" for value in rng.permutation(p))
    return Drawn(
        f"{count} searches are compared with one rule, on paired seeds. The p-values are {shown}. How many differences "
        "remain at a level of 5 % after Holm's correction?",
        remain,
        f"In order of size, the p-values are multiplied by {count}, {count - 1} and so on. One stops at the first that "
        "reaches 0.05.",
        (
            Wrong(raw, "These are the values below 0.05 without a correction. Some of them are luck, most likely."),
            Wrong(all_alike, f"All values were multiplied by {count}. Holm's factor falls by one at each step."),
            Wrong(count, "Not all of the differences are shown."),
            *([Wrong(each, "Holm stops at the first value that fails. Later ones fail with it.")] * (each != remain)),
        ),
        tolerance=0.4,
    )


@asks("the-bill-and-the-claims", 3, "medium")
def stopped_at_any_time(rng: np.random.Generator) -> Drawn:
    """What a search is worth whose end is drawn."""
    limit, asked = 200, 6
    accuracies = np.round(rng.uniform(74, 83, asked), 1)
    costs = np.round(rng.uniform(90, 290, asked)).astype(int)
    costs[0] = int(rng.integers(90, 200))
    within = Bounded("cost", float(limit))
    rewards = [
        within(Evaluation((k,), {"accuracy": accuracies[k] / 100, "cost": float(costs[k])})) for k in range(asked)
    ]
    best = [accuracies[int(np.argmax(rewards[: k + 1]))] for k in range(asked)]
    lines = [f"{a:.1f} %, cost {c}" for a, c in zip(accuracies, costs, strict=True)]
    return Drawn(
        f"A search asks for six cells, in this order:{listed(lines)}The bound is a cost of {limit}. The search yields "
        "its "
        "best cell within the bound after each question. It is stopped after one to six questions, each number alike. "
        "How accurate is its last answer, on average? Give two decimals.",
        float(np.mean(best)),
        "After each question one writes down the best cell within the bound so far. The six numbers have a mean.",
        (
            Wrong(float(best[-1]), "This is the answer after all six questions. Mostly the search is stopped earlier."),
            Wrong(
                float(np.maximum.accumulate(accuracies).mean()),
                "Cells over the bound were taken as answers. They count as the worst there is.",
            ),
            Wrong(float(accuracies.mean()), "This is the mean of what was asked. The search keeps the best."),
            Wrong(
                float(np.mean([accuracies[k] for k in range(asked) if costs[k] <= limit])),
                "This is the mean of the cells within the bound. The search keeps the best so far.",
            ),
        ),
        tolerance=0.011,
        unit=" %",
    )


@asks("does-it-hold", 1, "easy")
def another_table_answers(rng: np.random.Generator) -> Drawn:
    """How often do other tables answer as ours does?"""
    tables = int(rng.integers(5, 8))
    middles = np.round(rng.choice([0.15, 0.02, -0.12], tables, p=[0.5, 0.3, 0.2]) + rng.normal(0, 0.03, tables), 2)
    half = np.round(rng.uniform(0.03, 0.1, tables), 2)
    ours = round(rng.uniform(0.06, 0.2), 2)
    low, high = np.round(middles - half, 2), np.round(middles + half, 2)
    same, opposite = int((low > 0).sum()), int((high < 0).sum())
    point = int((middles > 0).sum())
    say = lambda a, b: f"{a} the same, {b} the opposite, {tables - a - b} open"  # noqa: E731
    lines = [f"{a:.2f} to {b:.2f} points".replace("-", "−") for a, b in zip(low, high, strict=True)]
    return Drawn(
        f"On our table, aging is {ours:.2f} points ahead of elitism, and the whole interval is above 0. On {tables} "
        "other "
        f"tables the lead has these 95 % intervals:{listed(lines)}How do the other tables answer?",
        say(same, opposite),
        "An interval above 0 is the same answer, one below 0 the opposite one. One that touches 0 leaves it open.",
        (
            Wrong(say(point, tables - point), "Only the middles were read. An interval that touches 0 says neither."),
            Wrong(say(same, tables - same), "An open answer is no opposite one. It says that the seeds do not tell."),
            Wrong(say(tables - opposite, opposite), "An open answer is no confirmation. The lead may be below 0."),
        ),
    )


@asks("does-it-hold", 2, "hard")
def tau_of_a_noisy_training(rng: np.random.Generator) -> Drawn:
    """With which τ can one training rank, given its noise?"""
    spread, noise = round(rng.uniform(0.8, 2.5), 1), round(rng.uniform(0.3, 1.5), 1)
    r = spread / sqrt(spread**2 + noise**2)
    return Drawn(
        f"True accuracies of a space are normal, with a standard deviation of {spread:.1f} points. One training adds "
        f"normal noise of {noise:.1f} points. For two normal variables with correlation r, Kendall's τ is "
        "(2/π) · arcsin r. With which τ does one training rank, if the judge has no noise? Give two decimals.",
        2 / pi * asin(r),
        "The correlation of a training with the truth is S / √(S² + σ²). The formula turns it into τ.",
        (
            Wrong(r, "This is the correlation r. Kendall's τ is lower than it."),
            Wrong(
                2 / pi * asin(r * r),
                "This is the τ of two trainings with each other. Here only one of the two is noisy.",
            ),
            Wrong(1 - noise / spread, "A ratio of the two deviations is no τ. Variances add, and deviations do not."),
            Wrong(2 / pi * asin(spread / (spread + noise)), "Variances add, and deviations do not."),
        ),
        tolerance=0.006,
    )


@asks("does-it-hold", 3, "medium")
def fresh_seeds(rng: np.random.Generator) -> Drawn:
    """How many seeds make the interval of a gain as narrow as one needs it?"""
    gain, spread = round(rng.uniform(0.05, 0.3), 2), round(rng.uniform(0.4, 1.2), 2)
    count = ceil((1.96 * spread / gain) ** 2 - 1e-9)
    return Drawn(
        f"Differences of paired searches have a standard deviation of {spread:.2f} points between seeds. You expect a "
        f"gain of {gain:.2f} points. How many pairs are needed, so that half the width of the 95 % interval of the "
        "mean "
        "(1.96 standard errors) is no larger than this gain? Two percent off is near enough.",
        count,
        "The standard error is the deviation divided by √n. So n has to reach (1.96 · deviation / gain)².",
        (
            Wrong(
                ceil(1.96 * spread / gain), "The interval narrows with the root of n. So the ratio has to be squared."
            ),
            Wrong(
                ceil((spread / gain) ** 2), "This makes one standard error as large as the gain: an interval of 68 %."
            ),
            Wrong(
                ceil((2 * 1.96 * spread / gain) ** 2),
                "This makes the whole width as large as the gain, and not the half.",
            ),
            Wrong(
                ceil(2 * (1.96 * spread / gain) ** 2),
                "The noise was doubled. The deviation is that of differences, which hold the noise of both searches.",
            ),
        ),
        tolerance=max(0.6, 0.02 * count),
        unit=" pairs",
    )


QUESTIONS: tuple[Question, ...] = (
    a_bill,
    after_correction,
    stopped_at_any_time,
    another_table_answers,
    tau_of_a_noisy_training,
    fresh_seeds,
)
