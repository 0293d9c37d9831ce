"""Lab 07: two spaces whose every cell was trained, recorded searches in them, and what is read off both.

A cell's worth is its percentile among all cells of its space (`Truth.percentile`). A recorded search (`Found`) knows
the weights of its operations at the end of each epoch, so that its cell of any epoch can be looked up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import torch
from IPython.display import Markdown

from ..analysis import diagnosis, stats
from ..course.claims import as_table
from ..estimators import Table, tabulate
from ..estimators.table import nasbench201_table
from ..paths import data_dir
from ..space import Arch, SearchSpace
from ..spaces import NasBench201
from ..strategies import Darts
from ..strategies.remedies import SMALL_SPACES, remedies
from ..strategies.robust_darts import BACK, sharpened

FOLDER = data_dir() / "darts-small"
SEEDS = 10  # recorded searches of a method
RATIO, MOST = 0.75, 3  # RobustDARTS's rule; the skips at which DARTS+ stops
USUAL, MORE = "DARTS", "DARTS, ten times the images"
LONGER = ("DARTS, longer and deeper", "DARTS, longer and deeper, 4,000 images")  # names in the set "deep"
CHANGES = {  # a remedy: its source, and what it changes
    "DARTS+": ("Liang et al. 2019", "stops when the cell has many skips"),
    "DARTS-ES": ("Zela et al. 2020", "stops when the largest eigenvalue has risen"),
    "L2 81e-4": ("Zela et al. 2020", "pulls the weights $w$ to zero 27 times as hard"),
    "DARTS-ADA": ("Zela et al. 2020", "pulls harder each time that the eigenvalue has risen"),
    "FairDARTS": ("Chu et al. 2020", "gives each operation a sigmoid of its own"),
    "DARTS-": ("Chu et al. 2021", "adds a skip to every edge, and fades it out"),
    "P-DARTS": ("Chen et al. 2019", "deepens the supernet in stages, and drops skips at random"),
    "SDARTS-RS": ("Chen & Hsieh 2020", "trains $w$ at α disturbed at random"),
    "SDARTS-ADV": ("Chen & Hsieh 2020", "trains $w$ at the worst α nearby"),
    "PC-DARTS": ("Xu et al. 2020", "mixes only some of the channels"),
    "GDAS": ("Dong & Yang 2019", "runs one drawn cell in each step"),
    "SNAS": ("Xie et al. 2019", "runs a soft draw of a cell in each step"),
    "DrNAS": ("Chen et al. 2021", "draws the mixture from a distribution that it learns"),
    "DARTS-PT": ("Wang et al. 2021", "chooses by taking operations away"),
}


def percentile(own: float, every: np.ndarray) -> float:
    """Return the percentage of ``every`` that is below ``own``, ties counted half: 50 on average over a random draw."""
    return 100 * float((every < own).mean() + (every == own).mean() / 2)


@dataclass(frozen=True)
class Truth:
    """A space of which every cell was trained.

    Attributes
    ----------
    space : SearchSpace
    table : Table
        Test accuracy (0 to 1) of each function from several seeds.
    """

    space: SearchSpace
    table: Table

    @cached_property
    def cells(self) -> np.ndarray:
        """All cells, (cells, edges); several may compute the same."""
        return np.array(list(np.ndindex(tuple(len(choice.options) for choice in self.space.choices))))

    @cached_property
    def accuracies(self) -> np.ndarray:
        """Test accuracy of each cell, %, the mean over its seeds."""
        return 100 * self.table.column("test_accuracy", None)[self.table.rows(self.cells)]

    @cached_property
    def skips(self) -> np.ndarray:
        """How many edges of each cell are skip connections."""
        options = [choice.options.index(diagnosis.SKIP) for choice in self.space.choices]
        return (self.cells == np.array(options)).sum(1)

    @property
    def best(self) -> Arch:
        """The cell of highest accuracy."""
        return tuple(self.cells[self.accuracies.argmax()].tolist())

    def accuracy(self, arch: Arch) -> float:
        """Return a cell's test accuracy, %."""
        return 100 * float(self.table.column("test_accuracy", None)[self.table.row(arch)])

    def percentile(self, arch: Arch) -> float:
        """Return a cell's `percentile` among all cells of the space."""
        return percentile(self.accuracy(arch), self.accuracies)

    def halves(self) -> float:
        """Return how far a cell's percentile by half of the seeds is from that by the others: the mean over cells."""
        scores = self.table.columns["test_accuracy"][self.table.rows(self.cells)]
        middle = scores.shape[1] // 2
        halves = (scores[:, :middle].mean(1), scores[:, middle:].mean(1))
        first, second = (np.array([percentile(own, half) for own in half]) for half in halves)
        return float(np.abs(first - second).mean())


@lru_cache
def small_space(name: str) -> Truth:
    """Return the truth of a skip or a separable convolution (``"sep"``), or a skip or a 3×3 one (``"conv"``)."""
    space = SMALL_SPACES[name]
    _, trainings = tabulate.join(tabulate.parts_of(FOLDER / name))
    rows = ((space.from_text(text), seed, row["scores"], row["seconds"]) for (text, seed), row in trainings.items())
    return Truth(space, Table.of(space, rows, total=len(space.distinct())))


@lru_cache
def whole_space() -> Truth:
    """Return the truth of NAS-Bench-201 with all five operations: 15,625 cells."""
    return Truth(NasBench201(), nasbench201_table())


@dataclass(frozen=True)
class Found:
    """A recorded search.

    Attributes
    ----------
    seed : int
        Also of the draw of its images.
    space : SearchSpace
    arch : Arch
        What was found.
    strengths : array (epochs, edges, 2)
        At the end of each epoch, the weights of both operations; empty where it was not recorded.
    eigenvalues : array (epochs,)
        The largest eigenvalue of the validation loss's Hessian in α, likewise.
    """

    seed: int
    space: SearchSpace
    arch: Arch
    strengths: np.ndarray
    eigenvalues: np.ndarray

    def cell(self, epoch: int) -> Arch:
        """Return the cell at the end of an epoch, counted from 0; -1 is the last."""
        return self.space.discretize(self.strengths[epoch])

    @property
    def skips(self) -> int:
        """Number of skips in the cell that was found."""
        return diagnosis.skips(self.space, self.arch)

    @property
    def stop(self) -> int:
        """The epoch, from 0, whose cell RobustDARTS's early stopping would return: the last if the rule never fires."""
        values = torch.tensor(self.eigenvalues)
        ends = [end for end in range(len(values)) if sharpened(values[: end + 1], RATIO)]
        return ends[0] - BACK if ends else len(values) - 1

    def first_with(self, most: int) -> int:
        """Return the first epoch whose cell has so many skips: -1, the last, if there is none."""
        counts = [diagnosis.skips(self.space, self.cell(epoch)) for epoch in range(len(self.strengths))]
        return next((epoch for epoch, count in enumerate(counts) if count >= most), -1)


def searches(name: str) -> dict[str, list[Found]]:
    """Return recorded searches by method, in the order of their seeds.

    Each seed drew images of its own.

    Parameters
    ----------
    name : str
        ``"sep"`` or ``"conv"``: the remedies in a small space. ``"deep"``: longer searches on a wider supernet.
        ``"whole"``: all operations of NAS-Bench-201.
    """
    space = NasBench201() if name == "whole" else SMALL_SPACES["conv" if name == "conv" else "sep"]
    found: dict[str, list[Found]] = {}
    for row in map(json.loads, (FOLDER / f"searches-{name}.jsonl").read_text("utf-8").splitlines()):
        strengths = np.stack([row["skip"], row["other"]], 2) if "skip" in row else np.empty((0, 6, 2))
        arch, eigenvalues = space.from_text(row["arch"]), np.array(row.get("eigenvalue", []))
        found.setdefault(row["method"], []).append(Found(row["seed"], space, arch, strengths, eigenvalues))
    return {method: sorted(those, key=lambda one: one.seed) for method, those in found.items()}


def banded(values: Sequence[float], digits: int = 0) -> str:
    """Write a mean with its 95 % bootstrap interval: ``30 (14 to 47)``."""
    mean, low, high = stats.mean_band(values)
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


# ------------------------------------------------------------------------------------------------ tables of the page
def by_skips(truth: Truth) -> Markdown:
    """Tabulate accuracy by the number of skips in a cell: a Markdown table."""
    lines = []
    for count in range(len(truth.space.choices) + 1):
        some = truth.accuracies[truth.skips == count]
        lines.append((count, len(some), f"{some.mean():.1f}", f"{some.min():.1f} to {some.max():.1f}"))
    return as_table(["skips", "cells", "mean accuracy, %", "worst to best"], lines)


def by_seed(truth: Truth, found: Sequence[Found]) -> Markdown:
    """Tabulate what each seed found, and drawing at random: a Markdown table."""
    numbers = [(one.skips, truth.accuracy(one.arch), truth.percentile(one.arch)) for one in found]
    lines = [(one.seed, *_rounded(own)) for one, own in zip(found, numbers, strict=True)]
    lines.append(("*mean*", *_rounded(np.mean(numbers, 0))))
    lines.append(("*drawing at random*", f"{truth.skips.mean():.1f}", f"{truth.accuracies.mean():.1f}", "50"))
    return as_table(["seed", "skips", "accuracy, %", "percentile"], lines)


def _rounded(numbers: Iterable[float]) -> tuple[str, ...]:
    count, accuracy, place = numbers
    return f"{count:.3g}", f"{accuracy:.1f}", f"{place:.0f}"


def by_setting(found: Mapping[str, Sequence[Found]]) -> Markdown:
    """Tabulate the skips of several searches, seed by seed: a Markdown table."""
    lines = [
        (name, ", ".join(str(one.skips) for one in those), banded([one.skips for one in those], 1))
        for name, those in found.items()
    ]
    return as_table(["search", "skips, seed by seed", "mean (95 %)"], lines)


def stopping(truth: Truth, found: Sequence[Found]) -> dict[str, list[float]]:
    """Return percentiles of the searches' cells: at the end, stopped by the eigenvalue, and stopped by the clock.

    The clock stops all searches at the median epoch of the eigenvalue's stops, without looking at any.
    """
    clock = int(np.median([one.stop for one in found]))
    return {
        "at the end": [truth.percentile(one.cell(-1)) for one in found],
        "stopped by the eigenvalue": [truth.percentile(one.cell(one.stop)) for one in found],
        f"all stopped after epoch {clock + 1}": [truth.percentile(one.cell(clock)) for one in found],
    }


def gained(truth: Truth, found: Sequence[Found], epochs: int) -> np.ndarray:
    """Return how many percentile points each search's cell after so many epochs is above its cell at the end."""
    return np.array([truth.percentile(one.cell(epochs - 1)) - truth.percentile(one.cell(-1)) for one in found])


@dataclass(frozen=True)
class Readings:
    """What two ways of reading the same searches choose: by weight, and by taking away. Arrays have a number a search.

    Attributes
    ----------
    by_weight, by_removal : array
        The share of the edges on which a convolution is chosen, %.
    agreement : array
        The share of the edges on which both choose the same, %.
    gain : array
        How many percentile points the cell by removal is above the cell by weight.
    """

    by_weight: np.ndarray
    by_removal: np.ndarray
    agreement: np.ndarray
    gain: np.ndarray


def readings(truth: Truth, found: Sequence[Found]) -> Readings:
    """Compare both readings of recorded searches by DARTS-PT: its weights before its first decision, and its answer.

    DARTS-PT's search is that of DARTS. An exact tie counts for the first operation there, the skip.
    """
    last = remedies(truth.space)["DARTS-PT"].epochs - 1
    weight, removal = (np.array(cells) for cells in ([one.cell(last) for one in found], [one.arch for one in found]))
    gain = [truth.percentile(one.arch) - truth.percentile(one.cell(last)) for one in found]
    return Readings(
        100 * weight.mean(1), 100 * removal.mean(1), 100 * (weight == removal).mean(1), np.array(gain)
    )  # an option's number is 0 for the skip, 1 for the convolution


def effects(truth: Truth) -> np.ndarray:
    """Return, for each edge, how many points cells with a convolution there are better than those with a skip."""
    chosen = truth.cells == 1
    return np.array([
        truth.accuracies[chosen[:, edge]].mean() - truth.accuracies[~chosen[:, edge]].mean()
        for edge in range(chosen.shape[1])
    ])  # fmt: skip


def answers(found: Mapping[str, Sequence[Found]]) -> dict[str, list[Arch]]:
    """Return what each method finds, seed by seed; DARTS-ES and DARTS+ are DARTS, stopped, and are read off it."""
    out = {name: [one.arch for one in those] for name, those in found.items()}
    out["DARTS-ES"] = [one.cell(one.stop) for one in found[USUAL]]
    out["DARTS+"] = [one.cell(one.first_with(MOST)) for one in found[USUAL]]
    return out


def placed(truth: Truth, found: Mapping[str, Sequence[Found]]) -> dict[str, list[float]]:
    """Return the percentiles of `answers`, by method, the best mean first."""
    places = {name: [truth.percentile(arch) for arch in archs] for name, archs in answers(found).items()}
    return dict(sorted(places.items(), key=lambda item: -np.mean(item[1])))


def compared(*spaces: Mapping[str, Sequence[float]]) -> Markdown:
    """Tabulate remedies, and DARTS, with their source, what they change, and their percentiles in each space."""

    def overall(name: str) -> float:
        return -float(sum(np.mean(places[name]) for places in spaces))

    lines: dict[str, tuple[str, ...]] = {"*drawing at random*": ("", "", *["50"] * len(spaces))}
    for name in spaces[0]:
        source, change = CHANGES.get(name, ("", "plain DARTS" if name == USUAL else "plain DARTS, another setting"))
        lines[name] = (source, change, *(banded(places[name]) for places in spaces))
    order = sorted(lines, key=lambda name: overall(name) if name in spaces[0] else -50.0 * len(spaces))
    heads = ["separable: percentile (95 %)", "3×3: percentile (95 %)"][: len(spaces)]
    return _texts(["method", "source", "what it changes", *heads], [(name, *lines[name]) for name in order])


def _texts(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Markdown:
    """A table of texts: all columns to the left."""
    rows = [head, ["---"] * len(head), *lines]
    return Markdown("\n".join("| " + " | ".join(row) + " |" for row in rows))


def above_random(places: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the remedies whose whole 95 % interval lies above drawing at random."""
    return [name for name in CHANGES if stats.mean_band(places[name])[1] > 50]


def better_than_darts(places: Mapping[str, Sequence[float]]) -> list[str]:
    """Return the remedies that are better than DARTS, p < 0.05 after Holm's correction for all that were compared.

    DARTS-ES and DARTS+ are not among those compared: they are parts of the same searches.
    """
    tried = [name for name in CHANGES if name not in ("DARTS-ES", "DARTS+")]
    chances = stats.holm(np.array([stats.paired_permutation(places[name], places[USUAL]) for name in tried]))
    means = {name: np.mean(values) for name, values in places.items()}
    return [name for name, p in zip(tried, chances, strict=True) if p < 0.05 and means[name] > means[USUAL]]


def deviations() -> Markdown:
    """Tabulate where the comparison's settings leave the papers': a Markdown table. Ours are read off the searches."""
    made = {name: vars(search) for name, search in remedies(SMALL_SPACES["sep"]).items()}
    darts, depths, dropout = made[USUAL], made["P-DARTS"]["depths"], made["P-DARTS"]["dropout"]
    updates = f"{darts['epochs']} epochs of {darts['images'] // darts['batch']}"
    lines = [
        ("all", "learning rate of α", "0.0003", f"{darts['alpha_lr']:g}"),
        ("all", "learning rate of $w$", "0.025", f"{darts['weight_lr']:g}"),
        ("all", "images in each half", "25,000", f"{darts['images']:,}"),
        ("all", "images in a batch", "64", f"{darts['batch']}"),
        ("all", "updates", "50 epochs of 390", updates),
        ("all", "supernet", "8 cells, 16 channels", f"one cell a stage, {darts['network']['channels']} channels"),
        ("PC-DARTS", "one channel is mixed in", "4", f"{made['PC-DARTS']['share']}"),
        ("P-DARTS", "depths of its stages, cells", "5, 11, 17", ", ".join(map(str, depths)) + " a stage"),
        ("P-DARTS", "dropout of skips", "0, 0.4, 0.7", ", ".join(f"{rate:g}" for rate in dropout)),
        ("DARTS-PT", "epochs after each decision", "5", f"{made['DARTS-PT']['tuning']}"),
        ("DARTS+", "skips at which it stops", "2 of 8 edges", f"{MOST} of 6 edges"),
        ("SNAS", "penalty on the cell's cost", "yes", "none"),
        ("DrNAS", "partial channels, pruning", "yes", "none"),
    ]
    return _texts(["method", "setting", "paper", "here"], lines)


# ------------------------------------------------------------------------------------------------ the live search
def slices(strategy: Darts, states: Mapping[str, bytes], *, images: int = 64, reach: float = 1.5, points: int = 9):
    """Compute the validation loss around α along the two directions of largest curvature, at several moments.

    Parameters
    ----------
    strategy : Darts
    states : mapping from str to bytes
        `Step.state` of each moment, by name.
    images, reach, points : int, float, int
        The loss is of the first so many validation images; α moves up to ``reach``, in ``points`` steps.

    Returns
    -------
    dict of str to `nasviz.analysis.diagnosis.Surface`
    """
    out = {}
    for name, state in states.items():
        search = replace(strategy, start=state).begin()
        loss = diagnosis.validation_loss(strategy, search, images)
        along = diagnosis.sharpest(loss, search.alphas)
        out[name] = diagnosis.loss_surface(loss, search.alphas, along, reach=reach, points=points)
    return out


def taken_away(truth: Truth, strategy: Darts, state: bytes) -> Markdown:
    """Tabulate, edge by edge, what one supernet's weights say, what taking away says, and the truth."""
    search = replace(strategy, start=state).begin()
    weights, right = strategy.strengths(search.alphas.detach()), diagnosis.right_without(strategy, search)
    names = ["skip", "convolution"]
    lines = []
    for edge, choice in enumerate(truth.space.choices):
        first, second = right[edge]
        kept = "tie" if first == second else names[int(second < first)]
        lines.append((choice.name, f"{weights[edge, 0]:.2f}", str(first), str(second), kept))
    heads = ["edge", f"weight of the {names[0]}", f"right without the {names[0]}", f"right without the {names[1]}"]
    return as_table([*heads, "taking away keeps"], lines)
