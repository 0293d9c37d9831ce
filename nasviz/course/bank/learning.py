"""Questions for labs 03 and 04: searches that learn, what a reward teaches, who has children."""

from __future__ import annotations

from math import comb

import numpy as np

from ...analysis import stats
from ...objectives import Bounded, Penalised
from ...step import Evaluation
from .question import Drawn, Question, Wrong, asks, listed


def slope(logits: np.ndarray, option: int) -> np.ndarray:
    """The gradient of the logarithm of a softmax's probability of ``option``, in the logits."""
    p = np.exp(logits - logits.max())
    return np.eye(len(logits))[option] - p / p.sum()


@asks("reinforce", 1, "medium")
def gradient_with_a_baseline(rng: np.random.Generator) -> Drawn:
    """One component of the REINFORCE estimate for one choice."""
    chances = np.round(0.1 + 0.7 * rng.dirichlet([2, 2, 2]), 2)
    chances[2] = round(1 - chances[0] - chances[1], 2)
    drawn, asked = (int(one) for one in rng.choice(3, 2, replace=False))
    reward, baseline = round(rng.uniform(0.6, 0.85), 2), round(rng.uniform(0.4, 0.95), 2)
    found = (reward - baseline) * slope(np.log(chances), drawn)
    names = ("skip", "convolution", "pooling")
    told = ", ".join(f"{name} {p:.2f}" for name, p in zip(names, chances, strict=True))
    return Drawn(
        f"A controller makes one choice by a softmax. Its probabilities are: {told}. It draws {names[drawn]}, and the "
        f"reward is {reward:.2f}. The baseline is {baseline:.2f}. What is the REINFORCE estimate of the gradient in "
        "the "
        f"logit of {names[asked]}? Give four decimals.",
        float(found[asked]),
        "The estimate is (R − b) times the slope of ln P. The slope is 1 − p for the option drawn, and −p for another.",
        (
            Wrong(
                float(reward * slope(np.log(chances), drawn)[asked]),
                "The baseline was forgotten. The mean of the estimates is the same, and this estimate is not.",
            ),
            Wrong(
                float((reward - baseline) * (1 - chances[asked])),
                "This treats the option as the one that was drawn. Another one was, so its slope is −p.",
            ),
            Wrong(
                float(-found[asked]),
                "The sign is turned round. The estimate points where the expected reward grows.",
            ),
            Wrong(0.0, "The other logits move too, since the probabilities add up to 1."),
        ),
        tolerance=0.0006,
    )


@asks("reinforce", 2, "easy")
def progress_within_a_bound(rng: np.random.Generator) -> Drawn:
    """Late less early accuracy of the cells that keep the bound."""
    limit = int(rng.integers(8, 15)) * 10
    accuracies = np.round(rng.uniform(70, 80, 8), 1)
    costs = np.round(limit * rng.uniform(0.4, 1.5, 8)).astype(int)
    within = Bounded("cost", float(limit))
    keeps = np.array([within.allows(Evaluation((0,), {"cost": float(cost)})) for cost in costs])
    mean = lambda part, kept: float(accuracies[part][kept[part]].mean()) if kept[part].any() else float("nan")  # noqa: E731
    early, late, all_ = slice(0, 4), slice(4, 8), np.ones(8, bool)
    sound = 0 < keeps[early].sum() < 4 and 0 < keeps[late].sum() < 4
    value = mean(late, keeps) - mean(early, keeps) if sound else float("nan")
    lines = [f"{a:.1f} %, cost {c}" for a, c in zip(accuracies, costs, strict=True)]
    return Drawn(
        f"A search asked for eight cells, in this order:{listed(lines)}The bound is a cost of {limit}. Of the cells "
        "that "
        "keep the bound: by how many points are those among the last four more accurate than those among the first "
        "four, in the mean? Give two decimals.",
        value,
        "In each half one leaves out what is over the bound, and takes the mean of the rest.",
        (
            Wrong(
                mean(late, all_) - mean(early, all_),
                "Cells over the bound were counted. They show what the search gave up, not what it learned.",
            ),
            Wrong(-value, "This is early less late. A search that learns accuracy has a difference above 0."),
            Wrong(
                100 * (keeps[late].mean() - keeps[early].mean()),
                "This is the change in the share that keeps the bound. A search can learn that and lose accuracy.",
            ),
        ),
        tolerance=0.011,
        unit=" points",
    )


@asks("reinforce", 3, "medium")
def the_reward_prefers(rng: np.random.Generator) -> Drawn:
    """Which cell earns most under a penalty of a given weight?"""
    limit, weight = int(rng.integers(8, 15)) * 10_000, round(rng.choice([0.05, 0.1, 0.2, 0.4]), 2)
    shares = np.array([rng.uniform(0.3, 0.6), rng.uniform(0.75, 0.98), rng.uniform(1.1, 1.4), rng.uniform(1.6, 2.4)])
    accuracies = np.round(np.sort(rng.uniform(71, 83, 4)), 1)
    costs = np.round(limit * shares, -3).astype(int)
    swap = rng.permutation(4)
    accuracies, costs = accuracies[swap], costs[swap]
    told = [Evaluation((k,), {"accuracy": accuracies[k] / 100, "madds": float(costs[k])}) for k in range(4)]
    best = lambda reward: int(np.argmax([reward(one) for one in told]))  # noqa: E731
    name = [f"cell {letter}" for letter in "ABCD"]
    lines = [f"{n}: {a:.1f} %, {c:,} multiply-adds" for n, a, c in zip("ABCD", accuracies, costs, strict=True)]
    return Drawn(
        f"The bound is {limit:,} multiply-adds. Over it, the reward is the accuracy (0 to 1) less {weight:g} times the "
        f"relative excess, which is cost / bound − 1. Four cells were trained:{listed(lines)}Which one earns the "
        "highest "
        "reward?",
        name[best(Penalised("madds", float(limit), weight))],
        "One subtracts the penalty of each cell over the bound, and compares the four rewards.",
        (
            Wrong(
                name[best(Bounded("madds", float(limit)))],
                "This cell is the best within the bound. Under so small a penalty, a cell over it can earn more.",
            ),
            Wrong(
                name[int(accuracies.argmax())],
                "This cell is the most accurate, and its penalty is larger than its lead.",
            ),
            Wrong(
                name[int(costs.argmin())],
                "This cell is the cheapest. Within the bound, a lower cost earns nothing under this reward.",
            ),
        ),
    )


def win(places: int, size: int, rank: int) -> float:
    """The share of tournaments, drawn with replacement, that the member of a rank wins; rank 0 is the best."""
    return ((places - rank) / places) ** size - ((places - rank - 1) / places) ** size


@asks("evolution", 1, "medium")
def tournament(rng: np.random.Generator) -> Drawn:
    """How often does a member of a given rank win its tournament?"""
    places, size = int(rng.integers(6, 31)), int(rng.integers(2, 6))
    rank = int(rng.integers(1, 4))
    word = ("second", "third", "fourth")[rank - 1]
    once = comb(places - rank - 1, size - 1) / comb(places, size)
    return Drawn(
        f"A population has {places} members of different accuracy. A tournament draws {size} of them with replacement, "
        f"and the best one drawn wins. How often does the {word} best member win? Answer in percent, to two decimals.",
        100 * win(places, size, rank),
        "It wins if nobody better is drawn and it is drawn at least once. One takes the difference of two powers.",
        (
            Wrong(100 * once, "This is right for draws without replacement. Here the same one may come twice."),
            Wrong(
                100 * (1 - ((places - 1) / places) ** size),
                "This is how often it is drawn, or how often the very best one wins. It loses each tournament in "
                "which a better one is drawn too.",
            ),
            Wrong(100 * size / places, "Chances to be drawn were added, and the better members were forgotten."),
        ),
        tolerance=0.011,
        unit=" %",
    )


@asks("evolution", 2, "medium")
def last_word(rng: np.random.Generator) -> Drawn:
    """Which cell does a search return that asks for two trainings at least?"""
    counts = rng.permutation([1, 2, 2, 3])
    truths = rng.uniform(79, 82, 4)
    trainings = [np.round(truth + rng.normal(0, 0.9, count), 1) for truth, count in zip(truths, counts, strict=True)]
    lines = [f"{n}: {', '.join(f'{one:.1f}' for one in own)} %" for n, own in zip("ABCD", trainings, strict=True)]
    name = [f"cell {letter}" for letter in "ABCD"]
    best = lambda score: name[max(range(4), key=lambda k: score(trainings[k]))]  # noqa: E731
    twice = lambda score: lambda own: score(own) if len(own) > 1 else -np.inf  # noqa: E731
    return Drawn(
        f"A search trained four cells, some of them several times:{listed(lines)}It returns the cell with the best "
        "mean "
        "accuracy among those that were trained at least twice. Which one is it?",
        best(twice(np.mean)),
        "One leaves out what was trained once, and compares the means of the others.",
        (
            Wrong(best(np.max), "This cell has the highest single accuracy, which is the luckiest number of all."),
            Wrong(best(len), "This cell was trained most often. That makes its mean sure, and not high."),
            Wrong(
                best(lambda own: own[0] if len(own) == 1 else -np.inf),
                "This cell was trained once only, so that nobody knows how lucky its number is.",
            ),
        ),
    )


@asks("evolution", 3, "hard")
def permuted_signs(rng: np.random.Generator) -> Drawn:
    """The exact p-value of a handful of paired searches."""
    pairs = int(rng.integers(4, 7))
    first = np.round(rng.uniform(80, 82, pairs), 1)
    second = np.round(first - rng.choice([1, 2, 3, 4, 5, -1, -2], pairs) * 0.2 - 0.1, 1)
    p = stats.paired_permutation(first, second)
    differences = np.round(first - second, 1)
    lines = [f"seed {k}: {a:.1f} % and {b:.1f} %" for k, (a, b) in enumerate(zip(first, second, strict=True))]
    same = float(max((differences > 0).mean(), (differences < 0).mean()))
    return Drawn(
        f"Two searches ran on the same {pairs} seeds:{listed(lines)}Suppose the sign of each difference were a fair "
        "coin. How probable is a mean difference at least as far from 0 as the one observed, to either side? All signs "
        "can be tried. Give three decimals.",
        p,
        f"One tries all 2^{pairs} signs, and counts those with a sum at least as far from 0. The observed one is among "
        "them.",
        (
            Wrong(p / 2, "This counts one side only. A search that is as far behind is as surprising."),
            Wrong(2 / 2**pairs, "This is the least value that so few pairs can give: all differences of one sign."),
            Wrong(0.05, "This is a level to compare with, and not what the data say."),
            Wrong(1 - same, "This is the share of seeds on the other side. It ignores how large the differences are."),
        ),
        tolerance=0.0011,
    )


QUESTIONS: tuple[Question, ...] = (
    gradient_with_a_baseline,
    progress_within_a_bound,
    the_reward_prefers,
    tournament,
    last_word,
    permuted_signs,
)
