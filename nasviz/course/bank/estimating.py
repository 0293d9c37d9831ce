"""Questions for labs 02 and 05: estimators, models, what stopping saves."""

from __future__ import annotations

from math import floor

import numpy as np

from ...analysis import stats
from ...strategies.gaussian_process import expected_improvement
from ...strategies.successive_halving import rungs
from .question import Drawn, Question, Wrong, asks, listed


@asks("performance-estimation", 1, "medium")
def kendalls_tau(rng: np.random.Generator) -> Drawn:
    """Kendall's τ of five cells, by hand."""
    said = np.round(np.sort(rng.choice(np.arange(30, 95), 5, replace=False)) / 10, 1)
    truth = np.round(rng.choice(np.arange(700, 830), 5, replace=False) / 10, 1)
    value = stats.tau(said, truth)
    lines = [f"{n}: score {s:.1f}, judge {t:.1f} %" for n, s, t in zip("ABCDE", said, truth, strict=True)]
    neighbours = float(np.sign(np.diff(truth)).mean())
    return Drawn(
        f"An estimator gives five cells a score, and a judge gives them an accuracy:{listed(lines)}What is Kendall's τ "
        "between the two? Give two decimals.",
        value,
        "Of ten pairs, τ takes those in the same order less those in opposite order, divided by ten.",
        (
            Wrong((value + 1) / 2, "This is the share of pairs in the right order. τ is twice this share, less 1."),
            Wrong(float(stats.rho(said, truth)), "This is Spearman's ρ, the correlation of the ranks. τ counts pairs."),
            Wrong(-value, "The sign is turned round. Here a higher score and a higher accuracy are both better."),
            Wrong(neighbours, "Only the four pairs of neighbours were counted. Every pair counts, and there are ten."),
        ),
        tolerance=0.011,
    )


@asks("performance-estimation", 2, "medium")
def predictor_or_proxy(rng: np.random.Generator) -> Drawn:
    """From how many cells on is a predictor cheaper than a proxy?"""
    paid, share = int(rng.integers(40, 160)), int(rng.choice([4, 6, 8, 12, 15, 20, 25, 30]))
    first = floor(paid * 100 / share) + 1
    return Drawn(
        f"A predictor learns from {paid} full trainings, and then answers at no cost. A proxy costs {share} % of a "
        "full "
        "training for each cell. A search asks for N cells. What is the smallest N for which the predictor is cheaper?",
        first,
        f"The proxy costs {share / 100:g} · N trainings. It has to cost more than {paid}.",
        (
            Wrong(paid + 1, "This compares the predictor with full trainings, and not with the proxy."),
            Wrong(
                floor(paid * 100 / (100 - share)) + 1, "This divides by what the proxy saves, and not by what it costs."
            ),
            Wrong(floor(paid * share / 100) + 1, "The price of a cell was multiplied where one has to divide by it."),
        ),
        tolerance=0.49,
    )


@asks("performance-estimation", 3, "hard")
def paired_difference(rng: np.random.Generator) -> Drawn:
    """What two overlapping intervals say, and what the interval of the difference says."""
    n = int(rng.integers(30, 51))
    truth = rng.normal(size=n)
    shared = rng.normal(size=n)
    first = truth + rng.uniform(0.5, 0.8) * shared + rng.normal(0, 0.15, n)
    second = truth + rng.uniform(0.8, 1.3) * shared + rng.normal(0, 0.25, n)
    one, two = (stats.tau_interval(x, truth, resamples=199) for x in (first, second))
    less = stats.tau_difference(first, second, truth, resamples=199)
    overlap = one.low < two.high and two.low < one.high
    clear = round(less.low, 2) > 0
    options = {
        True: "A ranks these cells better, and another sample would most likely say so too",
        False: "this sample does not show which of the two ranks better",
        "equal": "A and B rank equally well",
        "overlap": "the two intervals decide it: "
        f"{'they overlap, so nothing is shown' if clear else 'A has the higher τ'}",
    }
    fine = overlap and abs(less.low) > 0.012 and less.value > 0.02
    why = {
        True: "The interval of the difference holds 0. So B may as well be the better one.",
        False: "The interval of the difference lies above 0. Pairing takes away what is easy for both.",
        "equal": "The interval of the difference lies above 0, so that they differ."
        if clear
        else "An interval that holds 0 shows no equality. It says how large a difference may be.",
        "overlap": "Each interval says how τ varies by itself. Both estimators judged the same cells, so only the "
        "difference decides.",
    }
    names: list = [key for key in options if key is not clear]
    return Drawn(
        f"Two estimators rank the same {n} cells. A has a τ of {one}, B has a τ of {two}. The interval of the "
        f"difference, A less B, is {less}. Both were resampled together. What follows?",
        options[clear],
        "The interval of the difference answers the question, and it is "
        + ("above 0." if clear else "not on one side of 0."),
        tuple(Wrong(options[key if fine else clear], why[key]) for key in names),
    )


@asks("bayesian-optimisation", 1, "medium")
def coverage(rng: np.random.Generator) -> Drawn:
    """How many trainings do the intervals of a model hold?"""
    means = np.round(rng.uniform(74, 82, 10), 1)
    deviations = np.round(rng.uniform(0.4, 1.2, 10), 1)
    came = np.round(means + deviations * rng.normal(0, 1.6, 10), 1)
    z = np.abs(came - means) / deviations
    shares = {width: 100 * float((z <= width).mean()) for width in (1.28, 1.0, 1.96)}
    lines = [f"{m:.1f} ± {d:.1f} %: {c:.1f} %" for m, d, c in zip(means, deviations, came, strict=True)]
    near = min(abs(z - width).min() for width in (1.28, 1.0, 1.96)) < 0.03  # a matter of rounding: draw again
    return Drawn(
        "A model predicts ten cells by a mean and a standard deviation. Behind each stands what one training gave:"
        f"{listed(lines)}An interval of 80 % reaches 1.28 standard deviations to both sides. What share of the "
        "trainings do the model's intervals of 80 % hold, in percent?",
        shares[1.28],
        "One counts how many trainings are at most 1.28 of their standard deviations away from the mean.",
        (
            Wrong(shares[1.28] if near else shares[1.0], "This counts one standard deviation, an interval of 68 %."),
            Wrong(shares[1.96], "This counts 1.96 standard deviations, an interval of 95 %."),
            Wrong(80.0, "This is what the model promises. Whether it keeps the promise has to be counted."),
            Wrong(100 - shares[1.28], "This is the share outside the intervals."),
        ),
        tolerance=0.5,
        unit=" %",
    )


@asks("bayesian-optimisation", 2, "hard")
def improvement(rng: np.random.Generator) -> Drawn:
    """Expected improvement of a candidate, from the right value."""
    best = round(rng.uniform(80, 83), 1)
    mean, deviation = round(best - rng.uniform(0.4, 2.0), 1), round(rng.uniform(0.8, 2.5), 1)
    lucky = round(best + rng.uniform(0.6, 1.5), 1)
    value = lambda start: float(expected_improvement(np.array(mean), np.array(deviation), start))  # noqa: E731
    from scipy.special import ndtr

    half = float((mean - best) * ndtr((mean - best) / deviation))
    return Drawn(
        f"The highest accuracy that was seen is {lucky:.1f} %, in one noisy training. The highest posterior mean of a "
        f"cell that was trained is {best:.1f} %. A candidate is predicted at {mean:.1f} % with a standard deviation of "
        f"{deviation:.1f} points, without the noise of a training. What is its expected improvement, in points, "
        "counted "
        "as lab 05 advises? Give three decimals.",
        value(best),
        "One improves on the highest posterior mean. With z = (μ − f*) / σ, the improvement is (μ − f*)Φ(z) + σφ(z).",
        (
            Wrong(value(lucky), "The best accuracy seen was lucky. Counted from there, honest candidates look poor."),
            Wrong(mean - best, "This is the expected difference, in which losses count too. A loss counts as 0."),
            Wrong(half, "The term σφ(z) is missing. It pays for uncertainty."),
            Wrong(mean + deviation - best, "This is an upper bound of one deviation, less f*: another rule of choice."),
        ),
        tolerance=0.006,
        unit=" points",
    )


@asks("bayesian-optimisation", 3, "easy")
def price_of_halving(rng: np.random.Generator) -> Drawn:
    """How many epochs does a bracket of successive halving pay?"""
    eta, steps, least = int(rng.choice([2, 3])), int(rng.integers(2, 4)), int(rng.integers(1, 4))
    count = int(rng.integers(1, 4)) * eta**steps
    bracket = rungs(count, least, least * eta**steps, eta)
    most, before = bracket[-1][1], 0
    paid = 0
    for alive, epochs in bracket:
        paid += alive * (epochs - before)
        before = epochs
    return Drawn(
        f"A bracket of successive halving begins with {count} trainings of {least} epochs. At each rung the best "
        f"1/{eta} go on until they have {eta} times as many epochs, and the last ones have {most}. A training that "
        "goes "
        "on continues where it stopped. How many epochs does the bracket pay in all?",
        paid,
        "At each rung, those who are left pay the epochs that are new to them.",
        (
            Wrong(
                sum(alive * epochs for alive, epochs in bracket),
                "This starts each training anew at each rung. They continue, so earlier epochs are paid already.",
            ),
            Wrong(count * most, "This trains all of them to the end: nothing is stopped."),
            Wrong(count * least, "This is the first rung only."),
        ),
    )


QUESTIONS: tuple[Question, ...] = (
    kendalls_tau,
    predictor_or_proxy,
    paired_difference,
    coverage,
    improvement,
    price_of_halving,
)
