"""Questions for labs 06 and 07: what architecture weights feel, where two nested descents end, what a collapse is."""

from __future__ import annotations

from math import ceil, log

import numpy as np

from ...analysis import stats
from .question import Drawn, Question, Wrong, asks, listed


@asks("darts", 1, "medium")
def alpha_gradient(rng: np.random.Generator) -> Drawn:
    """One component of the gradient of a mixed operation in its architecture weights."""
    p = np.round(0.1 + 0.7 * rng.dirichlet([2, 2, 2]), 2)
    p[2] = round(1 - p[0] - p[1], 2)
    g = np.round(rng.uniform(-1.5, 1.5, 3), 1)
    place = int(rng.integers(3))
    found = float(p[place] * (g[place] - p @ g))
    names = ("skip", "conv 3×3", "avg pool")
    lines = [f"{name}: weight {a:.2f}, slope {b:.1f}".replace("-", "−") for name, a, b in zip(names, p, g, strict=True)]
    return Drawn(
        "An edge mixes three operations. Behind each stands its weight p after the softmax, and the slope g of the "
        "loss "
        f"in this weight:{listed(lines)}What is the slope of the loss in the α of {names[place]}? Give three decimals.",
        found,
        "The slope in α is p times the difference between the operation's own g and the mean g of the mixture.",
        (
            Wrong(float(g[place]), "This is the slope in the weight p. The softmax lies between α and p."),
            Wrong(float(p[place] * g[place]), "The mean slope is missing: when one weight grows, the others shrink."),
            Wrong(
                float(p[place] * (g[place] - g.mean())),
                "The mean slope has to be weighted by p. An operation that is hardly mixed in hardly counts.",
            ),
            Wrong(
                float(p[place] * (1 - p[place]) * g[place]),
                "This is the operation's effect on itself only. Its α also moves the other weights.",
            ),
        ),
        tolerance=0.0011,
    )


@asks("darts", 2, "hard")
def where_it_ends(rng: np.random.Generator) -> Drawn:
    """The end of two nested descents on another pair of losses than the lab's."""
    c, k, xi = (
        round(rng.choice([0.5, 1.5, 2, 2.5, 3]), 1),
        int(rng.integers(2, 10)),
        round(rng.choice([0.05, 0.1, 0.2, 0.25]), 2),
    )
    return Drawn(
        f"The training loss is (w − {c:g}α)², and the validation loss is αw − {k}α + 1. α descends the validation loss "
        f"after one step of w, whose length is ξ = {xi:g}: w' = w − ξ · 2(w − {c:g}α). It knows how w' depends on α. "
        "Both descend until nothing moves. At which α do they end? Give three decimals.",
        k / (c * (1 + 2 * xi)),
        f"At the end w = w' = {c:g}α. The slope in α is w' − {k} + α · 2ξ · {c:g}, and it has to be 0.",
        (
            Wrong(k / c, "This is first order, ξ = 0. It does not ask what moving α does to w."),
            Wrong(
                k / (2 * c), "This is the exact answer of the two nested problems. One short step does not reach it."
            ),
            Wrong(2 / (1 + 2 * xi), "This is the end in the lab's own example. Here the losses are others."),
            Wrong(k / (1 + 2 * xi), f"This takes w = α at the end. The training loss is least at w = {c:g}α."),
        ),
        tolerance=0.0011,
    )


@asks("darts", 3, "medium")
def luck_at_a_price(rng: np.random.Generator) -> Drawn:
    """How many random cells does it take to beat a found one, most likely?"""
    worse, chance = int(rng.integers(70, 97)), int(rng.choice([80, 90, 95]))
    q, c = worse / 100, chance / 100
    count = ceil(log(1 - c) / log(q) - 1e-12)
    return Drawn(
        f"A search found a cell that is better than {worse} % of all cells. Random search draws cells independently "
        "and "
        "keeps the truly best one. How many draws are needed at least, so that this one is better than the found cell "
        f"with a chance of {chance} % or more?",
        count,
        f"All n draws are worse with chance {q:g}^n. This has to fall to {1 - c:.2f} or below.",
        (
            Wrong(
                ceil(1 / (1 - q) - 1e-9), "So many draws contain one better cell in the mean. Often they contain none."
            ),
            Wrong(ceil(c / (1 - q) - 1e-9), "Chances of single draws were added. Two hits in one search count once."),
            Wrong(
                ceil(log(1 - q) / log(c) - 1e-12),
                "The two chances have changed places: each draw fails in the larger part.",
            ),
        ),
        tolerance=0.4,
    )


@asks("darts-collapse", 1, "easy")
def percentile(rng: np.random.Generator) -> Drawn:
    """The percentile of a cell among ten, with ties."""
    accuracies = np.round(rng.choice(np.arange(740, 760), 7, replace=False) / 10, 1)
    found = accuracies[int(rng.integers(7))]
    every = rng.permutation(np.append(accuracies, [found] * 3))
    worse, equal = int((every < found).sum()), int((every == found).sum())
    return Drawn(
        f"A space has ten cells. Their true accuracies are {', '.join(f'{one:.1f}' for one in every)} %. A search "
        "found "
        f"one of {found:.1f} %. What is its percentile, if equal cells count half?",
        100 * (worse + equal / 2) / 10,
        f"{worse} cells are worse. {equal} are equally good, the found one among them, and count half.",
        (
            Wrong(
                100 * worse / 10, "Equal cells were left out. A cell drawn at random would then not get 50 on average."
            ),
            Wrong(100 * (worse + equal) / 10, "Equal cells were counted as worse ones."),
            Wrong(100 * (10 - worse - equal / 2) / 10, "This counts the better cells. A high percentile is good."),
        ),
        tolerance=0.1,
    )


@asks("darts-collapse", 2, "medium")
def sharpest_bend(rng: np.random.Generator) -> Drawn:
    """The eigenvalue of largest magnitude of a small Hessian, with its sign."""
    a, d, b = (round(float(one), 1) for one in rng.uniform([-3, -3, 0.5], [3, 3, 3]))
    values = np.linalg.eigvalsh([[a, b], [b, d]])
    value = float(values[np.abs(values).argmax()])
    other = float(values[np.abs(values).argmin()])
    one, two = (f"{number:.1f}".replace("-", "−") for number in (a, d))
    return Drawn(
        f"The validation loss has two architecture weights. Its second derivatives are {one} and {two}, and the mixed "
        "one "
        f"is {b:.1f}. To which number does power iteration converge, if it returns vᵀHv of the last v? Give two "
        "decimals.",
        value,
        "Power iteration finds the eigenvalue of largest magnitude, and vᵀHv has its sign. The eigenvalues are "
        "(a + d) / 2 ± √((a − d)² / 4 + b²).",
        (
            Wrong(-value, "The sign is lost: the length of Hv is no eigenvalue."),
            Wrong(other, "This is the eigenvalue of smaller magnitude. Each product with H shrinks its share."),
            Wrong(
                a if abs(a) > abs(d) else d, "This is an entry of the matrix. The mixed derivative bends the loss too."
            ),
            Wrong(a + d, "This is the sum of both eigenvalues, the trace."),
        ),
        tolerance=0.011,
    )


@asks("darts-collapse", 3, "hard")
def rule_or_clock(rng: np.random.Generator) -> Drawn:
    """What ten searches say of a rule, once it is held against a blind control."""
    end = np.clip(np.round(rng.normal(35, 14, 10)), 1, 99)
    clock = np.clip(np.round(end + rng.normal(rng.choice([3, 28]), 9, 10)), 1, 99)
    rule = np.clip(np.round(clock + rng.normal(rng.choice([0, 18]), 8, 10)), 1, 99)
    gain, lead = stats.mean_of(rule - end), stats.mean_of(rule - clock)
    helped, knows = gain.low > 0, lead.low > 0
    sound = min(abs(gain.low), abs(lead.low)) > 1 and lead.high > 0 and (helped or not knows)
    said = {
        (True, True): "stopping helps, and the rule knows more than the epoch",
        (True, False): "stopping helps, and nothing shows that the rule knows more than the epoch",
        (False, False): "not even a gain by stopping is shown",
        "cause": "what the rule watches causes the collapse",
    }
    why = {
        (True, True): "The interval of rule less clock does not lie above 0. So a blind clock may do as well.",
        (True, False): "The interval of rule less clock lies above 0, so the rule is better than the blind control.",
        (False, False): "The interval of rule less end lies above 0: a gain is shown.",
        "cause": "No cause was changed here. A rule that stops well shows at most a good sign.",
    }
    if not helped:
        why[True, True] = why[True, False] = "The interval of rule less end holds 0, so no gain is shown."
    right = (helped, knows)
    names: list = [one for one in said if one != right]
    lower = f"{gain} percentile points for rule less end, and {lead} for rule less clock".replace("-", "−")
    return Drawn(
        "Ten searches are stopped in three ways: at the end, by a rule that watches the Hessian, and by a clock that "
        f"stops all at one epoch. The mean differences of ten pairs, with 95 % intervals, are {lower}. What follows?",
        said.get(right, ""),
        "The first interval says whether stopping helps. The second says whether the rule beats a blind control.",
        tuple(Wrong(said[one if sound else "cause"], why[one]) for one in names),
    )


QUESTIONS: tuple[Question, ...] = (
    alpha_gradient,
    where_it_ends,
    luck_at_a_price,
    percentile,
    sharpest_bend,
    rule_or_clock,
)
