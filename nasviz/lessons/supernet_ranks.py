"""Lab 09: how well what children inherit from one supernet ranks them, beside one training and beside simple rules.

The children and their records are those of `nasviz.lessons.one_network`.
"""

from __future__ import annotations

import numpy as np

from ..analysis import stats
from ..analysis.stats import Interval
from ..estimators import ForestPredictor
from ..spaces import ElasticResNet
from ..step import Evaluation
from .one_network import ALL_COSTS, ONE_BUDGET, SEEDS, Judged, children, judged, lines, trained


def rankings(part: Judged) -> dict[str, list[Interval]]:
    """Kendall's τ with the truth: of each supernet, of each seed's training, of two simple rules.

    A training is judged by the two other seeds, and so knows less of its judge than the supernets do.
    """
    return {
        "inherited": [stats.tau_interval(one, part.truth) for one in part.inherited],
        "one training": [stats.tau_interval(*part.once(seed)) for seed in SEEDS],
        "more multiply-adds": [stats.tau_interval(part.madds, part.truth)],
        "larger image": [stats.tau_interval(part.side, part.truth)],
    }


def predicted() -> np.ndarray:
    """What a predictor says of the children at one budget, that has learned from one training of the sixty others."""
    learned = [
        Evaluation(arch, {"accuracy": float(accuracy) / 100})
        for arch, (accuracy, *_) in zip(children()[ALL_COSTS], trained(children()[ALL_COSTS], "accuracy"), strict=True)
    ]
    predictor = ForestPredictor(ElasticResNet()).fit(learned)
    return 100 * np.asarray(predictor.predict(list(children()[ONE_BUDGET]))[0])


def few(count: int, draws: int, seed: int = 0) -> np.ndarray:
    """How far τ of a few children is off: its distance from τ of all ninety, for each of ``draws`` drawn sets.

    Set number i is drawn by the seed (``seed``, i). The inherited accuracies are those of the first supernet.
    """
    part, found = judged(), []
    inherited, whole = part.inherited[0], stats.tau(part.inherited[0], part.truth)
    for number in range(draws):
        rng = np.random.default_rng((seed, number))
        drawn = rng.permutation(len(part.archs))[:count]
        found.append(abs(stats.tau(inherited[drawn], part.truth[drawn]) - whole))
    return np.array(found)


def ahead(part: Judged, rule) -> list[Interval]:
    """τ of each supernet less τ of a rule (n,), bootstrapped in pairs."""
    return [stats.tau_difference(one, rule, part.truth) for one in part.inherited]


def within_sides(part: Judged, scores, truth=None) -> Interval:
    """Kendall's τ of ``scores`` (n,) with ``truth`` (None: the children's), over pairs with images of the same side."""
    return stats.tau_interval(scores, part.truth if truth is None else truth, part.side)


def by_side(part: Judged) -> list[tuple[int, float, np.ndarray]]:
    """For each image side: pixels, mean validation accuracy alone, and the mean that children inherit, percent."""
    means = part.validation.mean(1)
    sides = {int(side): part.side == side for side in np.unique(part.side)}
    return [(side, float(means[here].mean()), part.inherited[:, here].mean(1)) for side, here in sides.items()]


def compared(way: str, part: slice, score: str = "inherited") -> tuple[np.ndarray, np.ndarray]:
    """τ with the truth, and the level in points, of each recorded supernet of a way."""
    archs = children()[part]
    truth, validation = trained(archs).mean(1), trained(archs, "accuracy").mean(1)
    scores = [100 * np.array(row[score])[part] for row in lines() if row["way"] == way]
    return np.array([stats.tau(one, truth) for one in scores]), np.array([(one - validation).mean() for one in scores])
