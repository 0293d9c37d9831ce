"""Lab 03: REINFORCE under a bound, what it learned, and repairs of its reward."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product

import numpy as np

from ..analysis.stats import Interval, mean_band, mean_of
from ..estimators import TableLookup
from ..estimators.table import Table
from ..objectives import Bounded, CubedBest, Penalised, Weighted, accuracy
from ..paths import data_dir
from ..strategies import RandomSearch, RankedReinforce, Reinforce
from ..views import Stage
from ..views.colors import AMBER, BLUE, GREY, MAGENTA, TEAL, VIOLET
from ..views.stage.kinds.curve import CurveView, Series
from ..views.stage.kinds.view import View
from ..views.stage.spec import Spec

LIMIT = 106_000  # multiply-adds: the bound of the lab, which 61 % of all sentences keep
LENGTH, SEEDS = 300, range(30)  # look-ups of a search; seeds of the recorded ones
RECORD = "lab03-searches.npz"
PLACES = 5 ** np.arange(5, -1, -1)  # an architecture as one number: its six choices are the digits, base 5


def searches(table: Table) -> dict:
    """Return the searches that data/lab03-searches.npz holds, by name, with seed 0.

    All have 300 look-ups of each cell's first training. Those called "inside" sample within the bound only.
    """
    bound = Bounded("madds", LIMIT)
    known, inside = table.known(), table.known(bound)

    def of(kind, space, objective, **fields):
        answers = TableLookup(table, seed=0, curve=isinstance(objective, CubedBest))
        return kind(space, answers, evaluations=LENGTH, objective=objective, seed=0, **fields)

    return {
        "bounded": of(Reinforce, known, bound),
        "random": of(RandomSearch, known, bound),
        "soft": of(Reinforce, known, Weighted("madds", LIMIT)),
        "hard": of(Reinforce, known, Weighted("madds", LIMIT, below=0.0, above=-1.0)),
        "penalised": of(Reinforce, known, Penalised("madds", LIMIT)),
        "ranks": of(RankedReinforce, known, bound),
        "inside": of(Reinforce, inside, accuracy),
        "inside, ranks": of(RankedReinforce, inside, accuracy),
        "inside, random": of(RandomSearch, inside, accuracy),
        "inside, cubed": of(Reinforce, inside, CubedBest()),
        "inside, no baseline": of(Reinforce, inside, accuracy, baseline=0),
        "inside, lr 0.03": of(Reinforce, inside, accuracy, lr=0.03),
        "inside, entropy 0.1": of(Reinforce, inside, accuracy, entropy=0.1),
        "inside, clip 0.2": of(Reinforce, inside, accuracy, clip=0.2),
    }


REPAIRS = {  # recorded searches, and what the lab's table calls them
    "bounded": "the reward of section 2",
    "random": "random search",
    "soft": "a soft reward",
    "hard": "a hard reward",
    "penalised": "a small penalty",
    "ranks": "ranks",
    "inside": "a bound in the sampler",
    "inside, ranks": "ranks, bound in the sampler",
    "inside, random": "random search, bound in the sampler",
}
SETTINGS = {
    "inside": "default",
    "inside, no baseline": "no baseline",
    "inside, cubed": "accuracy cubed, as in the paper",
    "inside, lr 0.03": "learning rate 0.03, ten times the default",
    "inside, entropy 0.1": "entropy bonus 0.1",
    "inside, clip 0.2": "clipping (PPO)",
}


def codes_of(steps) -> np.ndarray:
    """Return the architectures of a search's steps as numbers (steps,), uint16: six digits, base 5."""
    return (np.array([step.evaluation.arch for step in steps]) @ PLACES).astype(np.uint16)


# ------------------------------------------------------------------------------------------------ what the record says
@dataclass(frozen=True)
class Cells:
    """What the table says of all 15,625 sentences of NAS-Bench-201, in the order of their numbers: arrays (15625, ...).

    Attributes
    ----------
    archs : int array (15625, 6)
    accuracy : float array
        Validation accuracy of the first training, %.
    truth : float array
        Mean test accuracy of the other trainings, %.
    madds : float array
        Multiply-adds of one image.
    kept : bool array
        Whether the bound, `LIMIT`, is kept.
    empty : bool array
        Whether no convolution is left between input and output: the cell costs what the rest of the network costs.
    """

    archs: np.ndarray
    accuracy: np.ndarray
    truth: np.ndarray
    madds: np.ndarray

    @classmethod
    def of(cls, table: Table) -> Cells:
        """Look all sentences up."""
        archs = np.array(list(product(range(5), repeat=6)))
        rows = table.rows(archs)
        accuracies, truth = 100 * table.column("accuracy")[rows], 100 * table.truth(0)[rows]
        return cls(archs, accuracies, truth, table.column("madds")[rows])

    @cached_property
    def kept(self) -> np.ndarray:
        return self.madds <= LIMIT

    @cached_property
    def empty(self) -> np.ndarray:
        return self.madds == self.madds.min()

    @cached_property
    def bounded(self) -> np.ndarray:
        """The reward of `nasviz.objectives.Bounded`: accuracy from 0 to 1, or minus the relative excess."""
        return np.where(self.kept, self.accuracy / 100, 1 - self.madds / LIMIT)


def recorded() -> dict[str, np.ndarray]:
    """Read the recorded searches: name to numbers of sentences (seeds, look-ups), int."""
    with np.load(data_dir() / RECORD) as file:
        return {name: array.astype(int) for name, array in file.items() if array.ndim == 2}


def kept_mean(codes: np.ndarray, cells: Cells, values: np.ndarray | None = None) -> np.ndarray:
    """Return the mean of ``values`` (accuracy, %) over the cells that keep the bound: one number for each row of codes.

    A row without such a cell gives nan.
    """
    kept, values = cells.kept[codes], cells.accuracy if values is None else values
    with np.errstate(invalid="ignore"):
        return np.where(kept, values[codes], 0).sum(1) / kept.sum(1)


def compared(first: np.ndarray, second: np.ndarray) -> Interval:
    """Return the mean of first − second over paired seeds, with its 95 % bootstrap interval."""
    return mean_of(first - second)


def told(interval: Interval) -> str:
    """Write a difference with its sign, and its interval: "+1.20 (0.80 to 1.60)"."""
    return f"{interval.value:+.2f} ({interval.low:.2f} to {interval.high:.2f})"


def repairs(runs: Mapping[str, np.ndarray], cells: Cells, names: Mapping[str, str], last: int = 50) -> list[list[str]]:
    """Return the rows of the lab's tables of searches.

    Parameters
    ----------
    runs : mapping
        As `recorded` returns them.
    names : mapping
        Name in ``runs`` to what the table calls it. Those that begin with "inside" are compared with the random search
        that samples within the bound, the others with the ordinary one, seed by seed.
    last : int
        How many look-ups count as late, and as early.

    Returns
    -------
    list of list of str
        Name; share of the late cells that keep the bound; their accuracy; late less early; late less random search's.
    """
    rows = []
    for name, label in names.items():
        codes, twin = runs[name], runs["inside, random" if name.startswith("inside") else "random"]
        early, late, chance = (kept_mean(part, cells) for part in (codes[:, :last], codes[:, -last:], twin[:, -last:]))
        beside = "" if codes is twin else told(compared(late, chance))
        share = 100 * cells.kept[codes[:, -last:]].mean()
        rows.append([label, f"{share:.0f} %", f"{late.mean():.1f} %", told(compared(late, early)), beside])
    return rows


def best_found(codes: np.ndarray, cells: Cells) -> np.ndarray:
    """Return the test accuracy, by other trainings, of the best cell within the bound that each search saw, % (seeds,).

    The best is the one of highest validation accuracy, the first where several are.
    """
    seen = np.where(cells.kept[codes], cells.accuracy[codes], -np.inf)
    return cells.truth[codes[np.arange(len(codes)), seen.argmax(1)]]


def decided(runs: Mapping[str, np.ndarray], cells: Cells, names: Mapping[str, str], last: int = 50) -> list[list[str]]:
    """Return the rows of the lab's table of settings, for searches that sample within the bound.

    Parameters
    ----------
    runs, names, last
        See `repairs`.

    Returns
    -------
    list of list of str
        Name; accuracy of the late cells; the same less random search's; how many of the late cells differ, on average;
        `best_found`, less random search's.
    """
    chance, rows = best_found(runs["inside, random"], cells), []
    for name, (label, _, late, _, gain) in zip(names, repairs(runs, cells, names, last), strict=True):
        different = np.mean([len(set(row)) for row in runs[name][:, -last:].tolist()])
        rows.append([label, late, gain, f"{different:.0f}", told(compared(best_found(runs[name], cells), chance))])
    return rows


# ------------------------------------------------------------------------------------------------ pictures
WINDOW = 25  # look-ups of one point of a curve


def windows(codes: np.ndarray, value: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return ``value`` of each stretch of `WINDOW` look-ups: (mean, low, high) over the seeds, (3, stretches)."""
    parts = [value(part) for part in np.split(codes, codes.shape[1] // WINDOW, axis=1)]
    return mean_band(np.stack(parts, 1))


# Title, label of the axis, its ends (with room for the legend beside the data), factor, and what is measured.
MEASURES: dict[str, tuple[str, str, tuple[float, float], float, Callable]] = {
    "reward": ("Reward", "mean reward", (-0.6, 0.8), 1, lambda c, cells: cells.bounded[c].mean(1)),
    "kept": ("Cells that keep the bound", "share, %", (0, 100), 100, lambda c, cells: cells.kept[c].mean(1)),
    "accuracy": ("Accuracy of the cells that keep the bound", "accuracy, %", (66, 80), 1, kept_mean),
    "empty": (
        "Cells in which no convolution is left",
        "share, %",
        (0, 100),
        100,
        lambda c, cells: cells.empty[c].mean(1),
    ),
}


def curves(runs: Mapping[str, np.ndarray], cells: Cells, measures: Sequence[str]) -> Stage:
    """Draw measures of several searches against the look-ups: means over the seeds, and 95 % intervals behind them.

    Parameters
    ----------
    runs : mapping
        Label to numbers of sentences (seeds, look-ups).
    measures : sequence of str
        Of `MEASURES`, a panel each.
    """
    colors = (MAGENTA, GREY, BLUE, TEAL, AMBER, VIOLET)
    x = np.arange(WINDOW, LENGTH + 1, WINDOW)
    arrays: dict[str, np.ndarray] = {"look-ups": x}
    views: list[View] = []
    for measure in measures:
        title, ylabel, ends, scale, value = MEASURES[measure]
        bands: list[dict] = []
        series: list[Series] = []
        for (label, codes), color in zip(runs.items(), colors, strict=False):
            mean, low, high = windows(codes, partial(value, cells=cells))
            arrays[f"{measure}, {label}"] = mean
            bands.append({"x": x, "lo": low, "hi": high} | ({} if bands else {"label": "95 % intervals"}))
            series.append(Series(array=f"{measure}, {label}", label=label, color=color))
        views.append(
            CurveView(title=title, x="look-ups", series=series, band=bands, scale=scale, span=6, height=250,
                      ylabel=ylabel, xlabel="architectures evaluated", range=ends)
        )  # fmt: skip
    rows = [{name: values[i] for name, values in arrays.items()} for i in range(len(x))]
    return Stage(Spec(arrays={name: [] for name in arrays}, views=views, transport=False), rows)


# ------------------------------------------------------------------------------------------------ the cause
def slopes(reward: np.ndarray, cells: Cells) -> np.ndarray:
    """Return the exact gradient of the expected reward of a controller that is still undecided, (6, 5).

    The controller has a softmax for each choice, and all options are equally likely. The slope in the logit of an
    option is then the mean reward of all sentences with that option, less the mean of all, over five.

    Parameters
    ----------
    reward : float array (15625,)
        Of each sentence.
    """
    means = [[reward[cells.archs[:, choice] == option].mean() for option in range(5)] for choice in range(6)]
    return (np.array(means) - reward.mean()) / 5


def directions(cells: Cells, rewards: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """Compare the exact gradients of rewards, by `slopes`, with those of two things that one wants.

    Returns
    -------
    dict
        Name to two cosines: with the gradient of the probability that the bound is kept, and with that of the mean
        accuracy of the cells that keep it.
    """
    kept = cells.kept
    above = kept * (cells.accuracy - cells.accuracy[kept].mean())  # of a mean over a part, but for a positive factor
    wanted = slopes(kept.astype(float), cells), slopes(above, cells)
    ours = {name: slopes(reward, cells) for name, reward in rewards.items()}
    cosine = lambda a, b: float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)))  # noqa: E731
    return {name: (cosine(slope, wanted[0]), cosine(slope, wanted[1])) for name, slope in ours.items()}


# ------------------------------------------------------------------------------------------------ the exercise
def without_memory(reward: np.ndarray, seeds: Sequence[int], rate: float = 0.6, batch: int = 10) -> np.ndarray:
    """Search by REINFORCE with a controller without memory: a softmax of its own for each of the six choices.

    The advantages are the batch's rewards, less their mean, over their standard deviation; the step is plain gradient
    ascent. It takes milliseconds a search, and one seed gives the same search on every processor.

    Parameters
    ----------
    reward : float array (15625,)
        Of each sentence.
    seeds : sequence of int
    rate : float
        Learning rate.
    batch : int
        Architectures of one update.

    Returns
    -------
    int array (seeds, LENGTH)
        The sentences in order, as numbers.
    """
    found = np.zeros((len(seeds), LENGTH), int)
    for row, seed in enumerate(seeds):
        rng, logits = np.random.default_rng(seed), np.zeros((6, 5))
        for start in range(0, LENGTH, batch):
            chances = np.exp(logits - logits.max(1, keepdims=True))
            chances /= chances.sum(1, keepdims=True)
            passed = rng.random((min(batch, LENGTH - start), 6, 1)) > chances.cumsum(1)
            archs = passed.sum(2).clip(max=4)
            found[row, start : start + batch] = codes = archs @ PLACES
            gains = reward[codes] - reward[codes].mean()
            gains /= gains.std() + 1e-9
            logits += rate * (gains[:, None, None] * (np.eye(5)[archs] - chances)).mean(0)
    return found


def weighed(weight: float, seeds: Sequence[int], cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Search for accuracy − weight · excess over the bound, without memory, and look at the last 100 of 300 cells.

    Returns
    -------
    accuracy, share : float arrays (seeds,)
        Of the cells that keep the bound: mean accuracy, %; share of all, 0 to 1.
    """
    reward = cells.accuracy / 100 - weight * np.maximum(0, cells.madds / LIMIT - 1)
    late = without_memory(reward, seeds)[:, -100:]
    return kept_mean(late, cells), cells.kept[late].mean(1)
