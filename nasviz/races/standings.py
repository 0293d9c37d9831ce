"""What came out of a race: curves of regret, ranks, tests, time to a named quality; and the file it is read from.

Regret: accuracy of the truly best within the bound, less that of the winner so far; 0 to 1 here, shown in percentage
points. Two judges: the *test* accuracy of trainings that the search did not see, which is what counts; and the
*validation* accuracy of the one that it saw, which says how well it maximised what it was given.

What is paired: runs with the same seed. They searched on the same training of each architecture and have the same
judges, and those that begin at random begin with the same architectures, as they draw from equal generators. Beyond
that runs are independent. Seeds are repetitions, not data sets: a critical-difference diagram, which takes its blocks
for different problems, would claim more than one table can say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, isfinite
from operator import index
from pathlib import Path

import numpy as np

from .. import estimators, objectives, strategies
from ..analysis.stats import Interval, holm, mean_band, paired_permutation, ranks
from ..identity import OtherVersion, among, check_version, differences, of_version_one
from ..step import choices_of, number

VERSION = 1  # of the format of a race's record
FIND = among(strategies, objectives, estimators)  # what a race of a file may name
BEGIN = b'{"nasviz_race": '  # in every version
REFERENCE, EVERYTHING = "all conv 3×3", "everything evaluated"
JUDGES = ("test", "validation")
UNITS = ("evaluations", "seconds")
WORDS = {"evaluations": "full trainings", "seconds": "seconds of training"}
POINTS = 250  # of a curve
# The commands in records from before version 0.2: what moved since.
MOVED = {"python data/record_": "python data/scripts/record_", "-m nasviz.race ": "-m nasviz.races.race "}


@dataclass(frozen=True)
class Track:
    """One run of one strategy: when it found a new best, and how good that truly was.

    Attributes
    ----------
    name, seed : str, int
    at : float array (k, 2)
        What had been spent when the best so far changed: full trainings, seconds.
    archs : list of Arch
        The best so far from then on.
    truths : dict of str to sequence of float
        What each of `JUDGES` says of it, 0 to 1.
    spent : (float, float)
        In all: full trainings, seconds.
    evaluations : int
        Answers asked for, short trainings included.
    ended : bool
        Whether the search had nothing more to ask before the budget was spent.
    failed : int
        Answers whose objective is not finite; 0 where an old record does not say.
    """

    name: str
    seed: int
    at: np.ndarray
    archs: Sequence
    truths: Mapping[str, Sequence[float]]
    spent: tuple[float, float]
    evaluations: int
    ended: bool
    failed: int = 0

    def line(self) -> dict:
        """The track as one line of a record."""
        at = np.round(self.at, 4).tolist()
        truths = {judge: [round(t, 6) for t in said] for judge, said in self.truths.items()}
        spent = [round(s, 4) for s in self.spent]
        said = vars(self) | {"at": at, "archs": [list(a) for a in self.archs], "truths": truths, "spent": spent}
        return said if self.failed else {name: value for name, value in said.items() if name != "failed"}

    @classmethod
    def of(cls, line: Mapping) -> Track:
        """From `line`. KeyError, TypeError or ValueError if it is none."""
        at = np.array(line["at"], float).reshape(-1, 2)
        truths = {judge: list(map(float, line["truths"][judge])) for judge in JUDGES}
        archs, spent = list(map(choices_of, line["archs"])), tuple(map(float, line["spent"]))
        if not len(at) == len(archs) == len(truths["test"]) == len(truths["validation"]) or len(spent) != 2:
            raise ValueError("a track whose parts do not match")
        known = [*truths["test"], *truths["validation"], *at[:, 0], spent[0]]
        seconds = [*at[:, 1], spent[1]]  # those that nobody measured are nan
        if not (np.isfinite(known).all() and (np.isfinite(seconds) | np.isnan(seconds)).all()):
            raise ValueError("a track with a number that is none")
        seed, count, failed = (int(index(said)) for said in (line["seed"], line["evaluations"], line.get("failed", 0)))
        name, ended = line["name"], line["ended"]
        if not isinstance(name, str) or not isinstance(ended, bool):
            raise ValueError("a track without the name of its strategy, or that does not say whether it ended")
        return cls(name, seed, at, archs, truths, spent, count, ended, failed)


@dataclass(frozen=True)
class Pair:
    """Two strategies compared: how much more regret the first has, and whether chance explains it.

    ``p`` is corrected for the number of pairs (Holm); ``single`` is the same test alone.
    """

    first: str
    second: str
    difference: Interval
    p: float
    single: float


class Standings:
    """What a race, or several on one table, came to.

    Parameters
    ----------
    head : mapping
        `nasviz.races.race.Race.head`.
    tracks : sequence of Track
    judge : {"test", "validation"}

    Attributes
    ----------
    names : list of str
        The strategies, as the race named them.
    budgets : dict of str to float
        Of each, in ``unit``.
    """

    def __init__(self, head: Mapping, tracks: Sequence[Track], judge: str = "test"):
        if not tracks:
            raise ValueError("nobody has run yet: iterate the race first")
        if judge not in JUDGES:
            raise ValueError(f"the judge is one of {JUDGES}, got {judge!r}")
        self.judge = judge
        self.head, self.tracks, self.unit = head, list(tracks), head["unit"]
        self.names = list(dict.fromkeys(track.name for track in tracks))
        self.budgets = dict.fromkeys(self.names, float(head["budget"]))

    # ------------------------------------------------------------------ files
    @classmethod
    def load(cls, path: str | Path) -> Standings:
        """A recorded race. ValueError if the file is none, or damaged."""
        head, tracks, _ = read(path)
        if head is None:
            raise ValueError(f"{path} is empty: no race was recorded")
        return cls(head, tracks)

    def by(self, judge: str) -> Standings:
        """The same races before another judge: see the head of this file."""
        out = Standings(self.head, self.tracks, judge)
        out.budgets = self.budgets
        return out

    def stale(self, table) -> str:
        """The sentence that says why these numbers are not those of ``table``; empty if they are."""
        there = _table(self.head["estimate"]).get("digest")
        if there == table.digest:
            return ""
        again = _command(self.head) or "the race again"
        return (
            f"recorded on another table ({self.head['coverage']}) than the present one ({table.coverage}). "
            f"Record it again: {again}"
        )

    def join(self, other: Standings) -> Standings:
        """Both, where they are one race run in two parts: budgets may differ. Who ran in both counts as here.

        Raises
        ------
        ValueError
            If they were run on different tables, spaces, estimators, objectives or units: it names what differs.
        """
        if differs := different(other.head, self.head, ("space", "estimate", "objective", "unit")):
            again = _command(other.head) or "one of them again"
            raise ValueError(f"these two races cannot stand in one picture: {differs}. Record again: {again}")
        mine = set(self.names)
        out = Standings(self.head, [*self.tracks, *(t for t in other.tracks if t.name not in mine)], self.judge)
        out.budgets = other.budgets | self.budgets
        return out

    # ------------------------------------------------------------------ regret
    def best(self, seed: int) -> float:
        """Accuracy of the truly best, by those who judge this seed; where no table knows, of the best any found."""
        if known := self.head["best"].get(self.judge):
            return known[seed % len(known)]
        return max((max(t.truths[self.judge]) for t in self.tracks if len(t.at)), default=0.0)

    def _nothing(self, seed: int) -> float:
        """The regret of who has nothing to show yet: that of the worst which the bound allows."""
        known = self.head["worst"].get(self.judge)
        return self.best(seed) - (known[seed % len(known)] if known else 0.0)

    def regret(self, track: Track, spent, x: str | None = None) -> np.ndarray:
        """Regret of a run after ``spent`` (array) of ``x``, by default the race's unit."""
        best = self.best(track.seed)
        known = np.array([self._nothing(track.seed), *(best - truth for truth in track.truths[self.judge])])
        return known[np.searchsorted(track.at[:, UNITS.index(x or self.unit)], np.asarray(spent) + 1e-9, "right")]

    def _measured(self, x: str) -> None:
        if x == "seconds" and any(np.isnan(track.spent[1]) for track in self.tracks):
            raise ValueError("nobody measured the seconds of this race: look at it by evaluations")

    def end(self, name: str, x: str | None = None) -> float:
        """Up to where all runs of a strategy are known."""
        x = x or self.unit
        self._measured(x)
        if x == self.unit:
            return self.budgets[name]
        mine = [track for track in self.tracks if track.name == name]
        goes_on = [track.spent[UNITS.index(x)] for track in mine if not track.ended]
        return min(goes_on, default=max(track.spent[UNITS.index(x)] for track in mine))

    def curves(self, x: str | None = None, points: int = POINTS) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Positions (points,) on ``x``, and of each strategy the regrets (runs, points), nan beyond its budget."""
        if x is not None and x not in UNITS:
            raise ValueError(f"x must be one of {UNITS}, got {x!r}")
        grid = np.linspace(0, max(self.end(name, x) for name in self.names), points + 1)[1:]
        out = {}
        for name in self.names:
            curves = np.stack([self.regret(track, grid, x) for track in self.tracks if track.name == name])
            out[name] = np.where(grid <= self.end(name, x) + 1e-9, curves, np.nan)
        return grid, out

    def references(self) -> dict[str, float]:
        """Regret without any search: of all 3×3 convolutions, and of who evaluated everything. May be below 0: over
        the bound, better is possible."""
        best = self.head["best"].get(self.judge, ())
        each = self.head["references"].items()
        return {name: float(np.mean(np.subtract(best, truths[self.judge]))) for name, truths in each}

    # ------------------------------------------------------------------ who is better
    @property
    def budget(self) -> float:
        """The budget that all strategies have: of the smallest, where races were joined."""
        return min(self.budgets.values())

    def final(self, at: float | None = None) -> dict[str, dict[int, float]]:
        """Regret by strategy and seed after ``at`` of the unit (the common budget)."""
        at = self.budget if at is None else at
        out: dict[str, dict[int, float]] = {name: {} for name in self.names}
        for track in self.tracks:
            out[track.name][track.seed] = float(self.regret(track, at))
        return out

    def _shared(self, names: Sequence[str], at: float | None) -> np.ndarray:
        """Regrets (names, seeds) for the seeds that all of ``names`` ran."""
        final = self.final(at)
        seeds = sorted(set.intersection(*(set(final[name]) for name in names)))
        return np.array([[final[name][seed] for seed in seeds] for name in names]).reshape(len(names), -1)

    def ranks(self, at: float | None = None) -> dict[str, Interval]:
        """Mean rank, 1 the best, among all strategies within each seed; equal regrets share their ranks."""
        regrets = self._shared(self.names, at)
        if not regrets.size:
            raise ValueError("no seed was run by all strategies: there are no ranks yet")
        each = mean_band(ranks(regrets.T)).T
        return {name: Interval(*map(float, numbers)) for name, numbers in zip(self.names, each, strict=True)}

    def pairs(self, at: float | None = None) -> list[Pair]:
        """Each two strategies, on the seeds that both ran: permutation tests, corrected for their number by Holm."""
        twos = list(combinations(self.names, 2))
        regrets = [self._shared(two, at) for two in twos]
        kept = [(two, a - b) for two, (a, b) in zip(twos, regrets, strict=True) if len(a)]
        single = [paired_permutation(d, np.zeros_like(d)) for _, d in kept]
        means = [Interval(*map(float, mean_band(d))) for _, d in kept]
        each = zip(kept, means, holm(single), single, strict=True)
        return [Pair(*two, mean, float(p), alone) for (two, _), mean, p, alone in each]

    def reach(self, regret: float, x: str | None = None) -> dict[str, tuple[float, float]]:
        """How much it took until the regret was at most ``regret``, for good or not.

        Returns
        -------
        dict
            By strategy: the median over runs, infinite if fewer than half got there, and the share that did.
        """
        out = {}
        self._measured(x or self.unit)
        for name in self.names:
            firsts = []
            for track in (t for t in self.tracks if t.name == name):
                good = np.flatnonzero(self.best(track.seed) - np.array(track.truths[self.judge]) <= regret + 1e-12)
                firsts.append(track.at[good[0], UNITS.index(x or self.unit)] if len(good) else inf)
            share = float(np.isfinite(firsts).mean())
            out[name] = float(np.sort(firsts)[(len(firsts) - 1) // 2]) if share >= 0.5 else inf, share
        return out

    def table(self, regret: float = 0.01) -> list[tuple[str, ...]]:
        """Lines of words: a head, then the strategies, the best mean regret first."""
        final, placed, reached = self.final(), self.ranks(), self.reach(regret)
        against = {}
        for pair in self.pairs():
            if "RandomSearch" in (pair.first, pair.second):
                other = pair.first if pair.second == "RandomSearch" else pair.second
                sign = 1 if pair.second == "RandomSearch" else -1
                against[other] = f"{100 * sign * pair.difference.value:+.2f} (p {_p(pair.p)})"
        unit = WORDS[self.unit]
        head = ("strategy", f"regret after {self.budget:,.0f} {unit}, points", "rank", "less random search", "runs")
        lines: list[tuple[str, ...]] = [(*head[:4], f"{unit} to {100 * regret:g} points", head[4])]
        for name in sorted(self.names, key=lambda name: np.mean(list(final[name].values()))):
            mean, low, high = 100 * mean_band(list(final[name].values()))
            took, share = reached[name]
            when = f"{took:,.0f}" if took < inf else "not by half"
            rank = placed[name]
            lines.append((
                name, f"{mean:.2f} ({low:.2f} to {high:.2f})", f"{rank.value:.1f} ({rank.low:.1f} to {rank.high:.1f})",
                against.get(name, ""), f"{when} ({100 * share:.0f} % of runs)", str(len(final[name])),
            ))  # fmt: skip
        return lines

    def failed(self) -> dict[str, int]:
        """How many evaluations of each strategy failed, all its runs together."""
        return {name: sum(track.failed for track in self.tracks if track.name == name) for name in self.names}

    def __str__(self):
        lines = self.table()
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        out = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
        out += [f"{name}: {100 * regret:+.2f} points" for name, regret in self.references().items()]
        out += [f"{name}: {count:,} failed" for name, count in self.failed().items() if count]
        return "\n".join([*out, self.head["coverage"]]).rstrip()


def read(path: str | Path) -> tuple[dict | None, list[Track], int]:
    """Head and tracks of a record, and how many of its bytes are whole lines; no head where it was torn.

    Raises
    ------
    ValueError
        If it is not the record of a race, a line is damaged, or a newer nasviz wrote it: which one, and what to do.
    """
    raw = Path(path).expanduser().read_bytes()
    size = raw.rfind(b"\n") + 1
    if not raw.startswith(BEGIN[: len(raw)]):
        raise ValueError(f"{path} is not a record of a race. Choose another file name")
    if not size:
        return None, [], 0
    head, tracks = None, []
    for at, line in enumerate(raw[: size - 1].split(b"\n"), 1):
        try:
            entry = json.loads(line)
            if at == 1:
                check_version(path, entry["nasviz_race"], VERSION)
                head = _head(entry)
            else:
                tracks.append(Track.of(entry))
        except OtherVersion:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{path}, line {at}: damaged record ({error!r:.300}). Delete from this line on") from None
    return head, tracks, size


def _head(entry: Mapping) -> dict:
    """The head of a record. KeyError, TypeError or ValueError if a part is missing or is not what it must be."""
    for name in ("space", "estimate", "objective", "searches", "best", "worst", "references"):
        if not isinstance(entry[name], Mapping):
            raise ValueError(f"its {name!r} is {entry[name]!r:.60}, and must be a JSON object")
    if entry["unit"] not in UNITS or not 0 < number(entry["budget"], "the budget") < inf:
        told = f"{entry['budget']!r:.40} {entry['unit']!r:.40}"
        raise ValueError(f"a budget is a number above 0 of {' or '.join(UNITS)}, got {told}")
    for name in ("command", "coverage"):
        if not isinstance(entry.get(name, ""), str):
            raise ValueError(f"its {name!r} is no text")
    trainings = {len(each) for name in ("best", "worst") for each in _accuracies(entry[name]).values()}
    for each in entry["references"].values():
        if trainings | {len(one) for one in _accuracies(each).values()} != trainings:
            raise ValueError("its references are not of as many trainings as its best")
    return {"command": "", "coverage": ""} | dict(entry)  # of what need not be there


def _accuracies(said: Mapping) -> Mapping:
    """Accuracies by judge, one for each training: of `JUDGES`, or nothing where no table knows them."""
    for judge in JUDGES if said else ():
        if not (isinstance(said[judge], list) and said[judge]) or len(said[judge]) != len(said[JUDGES[0]]):
            raise ValueError(f"there must be as many accuracies of {' as of '.join(JUDGES)}")
        if not all(isfinite(number(value, "an accuracy")) for value in said[judge]):
            raise ValueError("an accuracy is no finite number")
    return said


def _command(head: Mapping) -> str:
    """Return the command that made a record, as one types it today; empty if the record does not say it."""
    said = head.get("command", "")
    for old, new in MOVED.items():
        said = said.replace(old, new)
    return said


def different(there: Mapping, here: Mapping, names: Sequence[str]) -> str:
    """What two heads do not agree on, in words; empty if they do."""
    old = of_version_one(there, here)
    return ", ".join(line for name in names for line in differences(there[name], here[name], name, FIND, old))


def _table(identity) -> Mapping:
    """What identifies the table inside of what identifies an estimator."""
    while isinstance(identity, Mapping) and "table" not in identity:
        identity = identity.get("estimate")
    said = identity["table"] if isinstance(identity, Mapping) else {}
    return said if isinstance(said, Mapping) else {}


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
