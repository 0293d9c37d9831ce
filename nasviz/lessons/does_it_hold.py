"""Lab 13: the labs' findings beside published truths, and the experiments that ask why small and large disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..analysis.stats import Interval, tau, tau_interval
from ..estimators import Baselines, nasbench201_table
from ..paths import data_dir
from ..published.rows import TEST
from ..textfile import json_object, read_text
from ..views.charts.findings import NO, OPEN, YES, Finding, Findings, Told
from . import full_size
from .full_size import OURS, PUBLISHED, ZERO_COST, Figure, Truth

TRUTHS = (OURS, *PUBLISHED)
LABELS = {
    "nwot": "NASWOT", "synflow": "SynFlow", "jacov": "Jacobian covariance", "snip": "SNIP", "fisher": "Fisher",
    "grad_norm": "gradient norm", "grasp": "GraSP", "l2_norm": "L2 norm", "epe_nas": "EPE-NAS", "plain": "plain score",
    "zen": "Zen score",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A finding of a lab as a question, the figures that answer it (the first that a truth has), and the bound."""

    question: str
    lab: str  # its number
    figures: tuple[str, ...]
    bound: float
    above: bool = True


ROWS = {
    "size": Row("Does size rank above τ = 0.5?", "02", ("size",), 0.5),
    "parameters": Row("Do parameters rank above τ = 0.5?", "02", ("parameters",), 0.5),
    "madds": Row("Do multiply-adds rank above τ = 0.5?", "02", ("madds",), 0.5),
    "one training": Row("Does one training rank above τ = 0.8?", "08", ("a twin's training", "one training"), 0.8),
    "training or size": Row("Does one training rank better than size?", "02", ("one training less size",), 0),
    "few epochs": Row("Do few epochs rank better than size?", "02", ("few epochs less size",), 0),
    "predictor": Row("Does a predictor (50 trainings) beat size?", "02", ("predictor, 50 trainings, less size",), 0),
    **{name: Row(f"Does {LABELS[name]} rank better than size?", "02", (f"{name} less size",), 0)
       for name in ZERO_COST},
    "evolution": Row("Does evolution beat random search?", "04", ("evolution gains over random search",), 0),
    "local search": Row("Does local search beat random search?", "04", ("local search gains over random search",), 0),
    "aging": Row("Is aging better than elitism?", "04", ("evolution gains over elitism",), 0),
    "patience": Row("Does local search gain by patience?", "04",
                    ("local search gains over local search, first better",), 0),
    "seeds": Row("Do five seeds show that evolution is better?", "08", ("seeds for evolution above random search",),
                 5.5, above=False),
    "noise": Row("Is seed noise larger than the best tenth's spread?", "08",
                 ("variance between trainings, of that of the best tenth",), 1),
}  # fmt: skip
NOTES = {
    "a twin's training": "One string's training ranks that of another string of the same network.",
    "few epochs less size": "Short is 12 epochs of 200, and 2 of 8 in the small world.",
    "variance between trainings, of that of the best tenth": "Variances, as a ratio.",
}
SPECIAL = {
    ("one training less size", "ImageNet16-120"): "The same trainings judge, on other images.",
    ("one training less size", "CIFAR-10"): "The mean of two trainings is seen, on other images than those that judge.",
}


# ---------------------------------------------------------------------------------------------------- the matrix
@lru_cache(maxsize=1)
def sources() -> dict[str, str]:
    """Return the paper or the project from which each truth comes, as recorded."""
    return json_object(read_text(data_dir() / full_size.RECORD).splitlines()[0])["sources"]


@lru_cache(maxsize=1)
def known() -> dict[tuple[str, str], Figure]:
    """Return the recorded figures by finding and truth."""
    return {(one.finding, one.truth): one for one in full_size.recorded()}


def figure(finding: str, truth: str) -> Interval:
    """Return one recorded figure with its interval. KeyError if the truth has none."""
    one = known()[finding, truth]
    return Interval(one.value, one.low, one.high)


def finding(name: str) -> Finding:
    """Return one of `ROWS` with what each truth says of it."""
    row, told, unit = ROWS[name], {}, ""
    for truth in TRUTHS:
        one = next((known()[key, truth] for key in row.figures if (key, truth) in known()), None)
        if one is not None:
            note = SPECIAL.get((one.finding, truth), NOTES.get(one.finding, ""))
            told[truth] = Told(one.value, one.low, one.high, one.architectures, one.seeds, note)
            unit = one.unit
    return Finding(f"{row.lab} · {row.question}", row.bound, row.above, unit, told)


def matrix() -> Findings:
    """Return the view of all rows and truths."""
    return Findings([finding(name) for name in ROWS], TRUTHS, sources())


@dataclass(frozen=True)
class Count:
    """On how many published truths a finding was asked, and how many of them answer what."""

    asked: int
    yes: int
    no: int
    open: int


def count(name: str) -> Count:
    """Count the published answers to one of `ROWS`."""
    one = finding(name)
    answers = [one.answer(truth) for truth in one.told if truth != OURS]
    return Count(len(answers), *(answers.count(what) for what in (YES, NO, OPEN)))


@dataclass(frozen=True)
class Tally:
    """How many published answers there are, and how many are the same as ours, the opposite, or open."""

    asked: int
    same: int
    opposite: int
    open: int


def tally() -> Tally:
    """Hold the published answers beside ours, over all rows that our world answers with yes or no."""
    found = [finding(name) for name in ROWS]
    pairs = [(one, truth) for one in found if one.answer(OURS) != OPEN for truth in one.told if truth != OURS]
    opposite = sum(one.opposite(truth, OURS) for one, truth in pairs)
    unsure = sum(one.answer(truth) == OPEN for one, truth in pairs)
    return Tally(len(pairs), len(pairs) - opposite - unsure, opposite, unsure)


# ---------------------------------------------------------------------------------------------------- why: epochs
@dataclass(frozen=True)
class Epoch:
    """What one training says after an epoch: its τ with the judge, with another training, and of the mean of two."""

    epoch: int
    steps: int
    one: Interval
    two: float
    between: float


def by_epoch(judge: int = 2) -> tuple[list[Epoch], float]:
    """Return how trainings of the small world rank after each epoch, and the τ of counting kernels.

    The seed ``judge`` (0 to 2) judges, by its test accuracy at the end. The two others are seen. The networks are those
    of the sample with three trainings.
    """
    table, truth = nasbench201_table(), Truth(OURS, "this project", nasbench201_table())
    archs = [arch for arch in truth.sample if table.there[table.row(arch)].all()]
    rows = table.rows(np.array(archs))
    true = table.columns[TEST][rows, judge]
    a, b = (seed for seed in range(3) if seed != judge)
    recipe = table.about["estimate"]["recipe"]
    steps = int(np.ceil(recipe["images"] / recipe["batch"]))
    found = []
    for epoch in range(1, recipe["epochs"] + 1):
        seen = table.columns[f"accuracy@{epoch}"][rows]
        mean = tau(seen[:, [a, b]].mean(1), true)
        one = tau_interval(seen[:, a], true, resamples=full_size.RESAMPLES)
        found.append(Epoch(epoch, epoch * steps, one, mean, tau(seen[:, a], seen[:, b])))
    size = [Baselines(table.space)(arch).scores["size"] for arch in archs]
    return found, tau(size, true)


# ---------------------------------------------------------------------------------------------------- why: aging
def aging_gains(seeds: int, first: int = 0) -> np.ndarray:
    """Return by how many points aging's choice is better than elitism's, for each seed: array (seeds,).

    300 evaluations each, population 50, tournaments of 10, on our table. A search sees one training of each cell; the
    other trainings judge. With 40 seeds from 0 on, these are the searches of the record.

    Raises
    ------
    ValueError
        If ``seeds`` is no whole number from 1 to 200, or ``first`` none from 0 on.
    """
    if not isinstance(seeds, int) or not 1 <= seeds <= 200:
        raise ValueError(f"seeds is a whole number from 1 to 200, got {seeds!r}")
    if not isinstance(first, int) or first < 0:
        raise ValueError(f"first is a whole number from 0 on, got {first!r}")
    return full_size.aging_gains(Truth(OURS, "this project", nasbench201_table()), range(first, first + seeds))


# ---------------------------------------------------------------------------------------------------- with the files
def again(truths: Sequence[Truth]) -> list[tuple[str, str, Interval, Interval]]:
    """Measure counting anew on the truths at hand: truth, finding, what is found now, what is recorded."""
    found = []
    for truth in truths:
        for one in full_size.counting(truth):
            now = Interval(one.value, one.low, one.high)
            found.append((truth.name, one.finding, now, figure(one.finding, truth.name)))
    return found
