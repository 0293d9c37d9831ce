"""Lab 08: a sample whose truth is known, what noise allows, what searches cost and find, and what supernets share.

Accuracies are in percent here, and differences of them in points. A seed is one of the table's three trainings of an
architecture: a search sees one of them, and the two others judge it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from math import inf

import numpy as np

from ..analysis import stats
from ..paths import data_dir
from ..space import Arch, SearchSpace

SEEDS = range(3)
EDGES = (0, 0.25, 0.5, 1, 1.5, 2)  # points: the ranges of a claimed difference


@dataclass(frozen=True)
class Sample:
    """Architectures that were trained from three seeds, and what supernets say of them.

    Attributes
    ----------
    archs : tuple of Arch
    validation, test : array of shape (n, 3)
        Accuracies of each seed's training, percent.
    madds : array of shape (n,)
        Multiply-adds of each architecture.
    inherited : array of shape (supernets, 2, n)
        Accuracy on the shared weights of each recorded supernet, percent: as its batch-norms stand, and re-calibrated.
    """

    archs: tuple[Arch, ...]
    validation: np.ndarray
    test: np.ndarray
    madds: np.ndarray
    inherited: np.ndarray

    def seen(self, seed: int) -> np.ndarray:
        """Validation accuracy of one seed's training: what a search sees, (n,)."""
        return self.validation[:, seed]

    def truth(self, seed: int) -> np.ndarray:
        """Mean test accuracy of the two other seeds: what judges a search that saw ``seed``, (n,)."""
        return others(self.test, seed)


def others(scores, seed: int) -> np.ndarray:
    """The mean of ``scores`` (n, seeds) over all seeds but one."""
    return np.delete(scores, seed, 1).mean(1)


def sample(table) -> Sample:
    """Those of the recorded hundred architectures of which ``table`` (`nasviz.estimators.Table`) has three seeds."""
    with np.load(data_dir() / "lab08-inherited.npz") as recorded:
        drawn, inherited = [tuple(arch) for arch in recorded["archs"].tolist()], recorded["inherited"]
    known = np.array([arch in table and bool(table.there[table.row(arch)].all()) for arch in drawn])
    rows = table.rows([arch for arch, there in zip(drawn, known, strict=True) if there])
    validation, test = (100 * table.columns[name][rows] for name in ("accuracy", "test_accuracy"))
    archs = tuple(arch for arch, there in zip(drawn, known, strict=True) if there)
    shared = 100 * inherited[..., known].astype(float)
    return Sample(archs, validation, test, table.column("madds")[rows], shared)


def three_seeds(table, name: str = "test_accuracy") -> np.ndarray:
    """The column ``name`` of all rows of which ``table`` has three seeds, in percent: (rows, 3)."""
    return 100 * table.columns[name][table.there.all(1)]


# ------------------------------------------------------------------------------------------------ what noise allows
def noise_limits(test, draws: int = 200, seed: int = 0) -> tuple[float, float]:
    """Kendall's τ with the judge that noise between seeds allows: for one training, and for one without noise.

    The means of the seeds serve as true accuracies, drawn together by the share of their variance that is noise. The
    judge, the mean of two trainings, and one more training are these plus normal noise as large as between seeds.

    Parameters
    ----------
    test : array of shape (n, seeds)
        Accuracies; what all rows of one seed share is taken off.
    draws : int
        How often the noise is drawn; the results are means over the draws.
    """
    noise, rng = pair_noise(test), np.random.default_rng(seed)
    mean = np.mean(test, 1)
    kept = max(0.0, 1 - noise**2 / np.shape(test)[1] / mean.var(ddof=1))
    true, found = mean.mean() + kept * (mean - mean.mean()), []
    for _ in range(draws):
        judge = true + rng.normal(0, noise / np.sqrt(2), len(true))
        once = true + rng.normal(0, noise, len(true))
        found.append((stats.tau(once, judge), stats.tau(true, judge)))
    one, none = np.mean(found, 0)
    return float(one), float(none)


def pair_noise(scores) -> float:
    """Standard deviation between seeds as it blurs a comparison, in the unit of ``scores`` (n, seeds).

    What all rows of one seed have in common tells no two of them apart, and is taken off first.
    """
    scores = np.asarray(scores, float)
    return stats.seed_noise(scores - scores.mean(0))


def calm_noise(scores, best: float = 0.1) -> float:
    """`pair_noise` among the best: each seed in turn picks them, and the others are measured."""
    scores = np.asarray(scores, float)
    return float(np.mean([pair_noise(np.delete(scores, s, 1)[_best(scores[:, s], best)]) for s in SEEDS]))


def _best(values, share: float) -> np.ndarray:
    """Which values are among the best ``share`` (0 to 1) of them."""
    return values >= np.quantile(values, 1 - share)


# --------------------------------------------------------------------------------------- what searches cost and find
def random_searches(sample: Sample, trainings: int, seed: int, repeats: int = 2000) -> np.ndarray:
    """True accuracy of what random searches find: each trains so many of the sample, and takes the best it saw."""
    rng = np.random.default_rng(0)
    draws = rng.random((repeats, len(sample.archs))).argsort(1)[:, :trainings]
    best = sample.seen(seed)[draws].argmax(1)
    return sample.truth(seed)[draws[np.arange(repeats), best]]


def shared_search(sample: Sample, scores, trained: int, seed: int) -> float:
    """True accuracy of what a search finds that trains the first few by ``scores`` (n,), and takes the best it saw."""
    first = np.argsort(-np.asarray(scores), kind="stable")[:trained]
    return float(sample.truth(seed)[first[sample.seen(seed)[first].argmax()]])


def duel(sample: Sample, trained: int, trainings: int) -> np.ndarray:
    """Each seed's mean of the recorded supernets' searches, and of random searches that train so many: (3, 2)."""
    return np.array(
        [
            (
                np.mean([shared_search(sample, scores, trained, seed) for scores in sample.inherited[:, 1]]),
                random_searches(sample, trainings, seed).mean(),
            )
            for seed in SEEDS
        ]
    )


def flattery(table, trainings: int, searches: int) -> np.ndarray:
    """By how many points each of so many random searches is flattered by the number that it chose by: (searches,).

    A search trains so many architectures once, and takes the best. Its lead over the mean architecture is read twice:
    as it saw it, and in truth. The result is the first lead less the second. Search number i draws with seed i; it
    sees the table's seeds in turn.
    """
    validation, test = three_seeds(table, "accuracy"), three_seeds(table)
    seen = validation - validation.mean(0)
    true = np.stack([others(test, s) - others(test, s).mean() for s in SEEDS], 1)
    found = np.zeros(searches)
    for number in range(searches):
        seed, rng = number % len(SEEDS), np.random.default_rng(number)
        drawn = rng.choice(len(seen), trainings, replace=False)
        winner = drawn[seen[drawn, seed].argmax()]
        found[number] = seen[winner, seed] - true[winner, seed]
    return found


# ------------------------------------------------------------------------------------------------ what supernets share
@dataclass(frozen=True)
class Agreement:
    """Spearman's ρ of supernets, on average: with the truth, and of two with each other.

    ``product`` is what the second would be if their errors were independent. ``excess`` is the second less that, with
    its interval over architectures.
    """

    truth: float
    product: float
    each_other: float
    excess: stats.Interval


def agreement(scores, truth) -> Agreement:
    """How far supernets agree: ``scores`` (supernets, n) against ``truth`` (n,), with two supernets at least."""
    scores, truth = np.asarray(scores, float), np.asarray(truth, float)

    def parts(drawn, judge):  # (..., n, supernets) and (..., n)
        columns = np.moveaxis(drawn, -1, 0)
        own = [stats.rho(column, judge) for column in columns]
        pairs = list(combinations(range(len(columns)), 2))
        product = np.mean([own[i] * own[j] for i, j in pairs], 0)
        return np.mean(own, 0), product, np.mean([stats.rho(columns[i], columns[j]) for i, j in pairs], 0)

    def excess(drawn, judge):
        _, product, each_other = parts(drawn, judge)
        return each_other - product

    mean, product, each_other = map(float, parts(scores.T, truth))
    return Agreement(mean, product, each_other, stats.bootstrap(excess, scores.T, truth))


def taste(space: SearchSpace, sample: Sample) -> list[tuple[str, float, float, float]]:
    """Each operation: its name, τ of its count in a cell with the truth, and the supernets' least and greatest τ."""
    lines = []
    for option, name in enumerate(space.choices[0].options):
        count = [arch.count(option) for arch in sample.archs]
        theirs = [stats.tau(count, scores) for scores in sample.inherited[:, 1]]
        lines.append((name, stats.tau(count, sample.truth(0)), min(theirs), max(theirs)))
    return lines


def among_good(sample: Sample, scores: Sequence, best: float = 0.5) -> list[tuple[stats.Interval, stats.Interval]]:
    """τ of ``scores`` with one training, over all and among the best that *another* training chose: six pairs.

    One seed is for the scores, one chooses, one judges, in all six orders. ``scores`` has one array (n,) for each
    seed; the same thrice for an estimator that has no seed.
    """
    found = []
    for seen, chooser, judge in permutations(SEEDS):
        good = _best(sample.test[:, chooser], best)
        estimate, truth = np.asarray(scores[seen]), sample.test[:, judge]
        found.append((stats.tau_interval(estimate, truth), stats.tau_interval(estimate[good], truth[good])))
    return found


# ------------------------------------------------------------------------------------------------ what one seed claims
def contradictions(test, seed: int = 0, some: int = 1000) -> list[tuple[float, float, stats.Interval]]:
    """How often the mean of the other seeds contradicts what one seed claims, by the size of the claim.

    Each line holds the least and the greatest difference (points; the last is inf) and the share of the claims, with
    its interval, of ``some`` rows of ``test`` (rows, seeds) drawn at random.
    """
    rng = np.random.default_rng(0)
    drawn = rng.permutation(test)[:some]
    spans = zip(EDGES, (*EDGES[1:], inf), strict=True)
    return [(low, high, stats.contradicted(drawn[:, seed], others(drawn, seed), low, high)) for low, high in spans]


def contradicted(test, low: float = 0.0, high: float = inf) -> list[float]:
    """The same share over all rows, for claims of ``low`` to ``high`` points, with each seed as the claimant."""
    return [stats.contradicted(test[:, s], others(test, s), low, high, resamples=2).value for s in SEEDS]


def one_against_one(test, best: float = 1.0) -> float:
    """Which share of one seed's claims a second contradicts, among the best rows by the third: the mean over thirds."""
    shares = []
    for chooser in SEEDS:
        first, second = np.delete(test, chooser, 1)[_best(test[:, chooser], best)].T
        shares.append(stats.contradicted(first, second, resamples=2).value)
    return float(np.mean(shares))
