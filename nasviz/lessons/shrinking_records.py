"""Lab 14, what is recorded: several parents, trainings that go on for longer, networks without a parent, supernets.

`benchmarks/transformer.py` made the record of several parents, and data/scripts/record_transformer.py the rest;
`nasviz.lessons.shrinking_ways` says which networks are meant. Accuracies are in percent, on all test images; seconds
are those of one core's work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from ..analysis import stats
from ..analysis.stats import Interval
from ..hardware import HalfBlockTimes, LatencyTable, half_block_times
from ..paths import data_dir
from .shrinking_ways import ALONE_S as ALONE_S  # the lab names all ways by this module
from .shrinking_ways import (
    CONVOLUTIONS,
    DEPTH,
    NESTED,
    PUZZLE,
    SAME,
    SCRATCH,
    SPACE,
    TRAININGS,
    UNIFORM,
    UNTRAINED,
    WAYS,
    Entangled,
    mixes,
)
from .shrinking_ways import MUST as MUST


# ------------------------------------------------------------------------------------------------------------ reading
def folder():
    """Where the records of this lab are."""
    return data_dir() / "transformer"


@cache
def rows(name: str) -> tuple[dict, ...]:
    """All lines of ``"parents"``, ``"trainings"``, ``"supernets"`` or ``"alone"``; none if there is no such record."""
    path = folder() / f"{name}.jsonl"
    return tuple(map(json.loads, path.read_text(encoding="utf-8").splitlines())) if path.exists() else ()


@cache
def times() -> HalfBlockTimes:
    """Milliseconds of half-blocks for 500 images on one core, as they were measured once."""
    return half_block_times(SPACE, table=LatencyTable.load(data_dir() / "latency-transformer.json"))


def over(values: Iterable[float]) -> Interval:
    """Mean and 95 % interval (Student's t) over a few parents or seeds; of one value, no interval."""
    found = np.array(list(values), float)
    mean, n = float(found.mean()), len(found)
    if n < 2:
        return Interval(mean)
    wide = float(student.ppf(0.975, n - 1) * found.std(ddof=1) / n**0.5)
    return Interval(mean, mean - wide, mean + wide)


# --------------------------------------------------------------------------------------------------- several parents
def parents() -> dict[int, float]:
    """Test accuracy of each recorded parent by its seed, percent."""
    return {row["parent"]: row["test"] for row in rows("parents") if row["what"] == "accuracy"}


def recorded_harms(parent: int = 0) -> np.ndarray:
    """Harms of a recorded parent's variants, nats, (choices, options). Parent 0 is the one that comes with nasviz."""
    found = (row["kl"] for row in rows("parents") if (row["what"], row["parent"]) == ("scores", parent))
    return np.array(next(found))


def removals() -> list[tuple[int, str, str, str, str, str]]:
    """For each recorded parent: the half-block that is missed most, its harm, the others' sum; that missed least."""
    lines = []
    for parent in parents():
        out = recorded_harms(parent)[:, 0]
        most, least = int(out.argmax()), int(out.argmin())
        names = SPACE.choices[most].name, SPACE.choices[least].name
        others = f"{out.sum() - out[most]:.2f}"
        lines.append((parent, names[0], f"{out[most]:.2f}", others, names[1], f"{out[least]:.3f}"))
    return lines


class Compared(NamedTuple):
    """A way to choose at one share: mean test accuracies over parents before and after two epochs of distillation, and
    by how many points the programme's choice is ahead after them."""

    method: str
    parents: int
    before: float
    after: Interval
    ahead: Interval | None  # None for the programme


def networks(share: float) -> dict[str, dict[int, np.ndarray]]:
    """Recorded accuracies of each way at a share, by parent: the mean (before, after) over seeds, or over draws."""
    found: dict[str, dict[int, list]] = {}
    for row in rows("parents"):
        if row["what"] == "network" and row["share"] == share:
            method = "random" if row["method"].startswith("random") else row["method"]
            found.setdefault(method, {}).setdefault(row["parent"], []).append((row["before"], row["after"]))
    return {method: {seed: np.mean(pairs, 0) for seed, pairs in one.items()} for method, one in found.items()}


def shares() -> list[float]:
    """Recorded shares, the greatest first: those at which the programme's rivals are there, too."""
    there = {row["share"] for row in rows("parents") if row["what"] == "network"}
    return sorted((share for share in there if {PUZZLE, UNIFORM, DEPTH} <= set(networks(share))), reverse=True)


def compared(share: float) -> list[Compared]:
    """All recorded ways at a share, the programme first."""
    found = networks(share)
    best, out = found[PUZZLE], []
    for method, one in found.items():
        ahead = over(best[seed][1] - pair[1] for seed, pair in one.items() if seed in best)
        before = float(np.mean([pair[0] for pair in one.values()]))
        after = over(pair[1] for pair in one.values())
        out.append(Compared(method, len(one), before, after, None if method == PUZZLE else ahead))
    return out


def gaps(share: float, method: str) -> list[tuple[float, float]]:
    """For each recorded parent, how far a way is behind the programme's choice before the distillation, and after."""
    found = networks(share)
    both = found[PUZZLE].keys() & found.get(method, {}).keys()
    return [tuple((found[PUZZLE][seed] - found[method][seed]).tolist()) for seed in sorted(both)]


def gap(share: float, method: str) -> tuple[float, float]:
    """Mean over parents of `gaps`."""
    before, after = np.mean(gaps(share, method), 0).tolist()
    return before, after


def frontier(methods: Iterable[str]) -> dict[str, list[tuple[float, float, float, float]]]:
    """Lines of `nasviz.views.frontier`: share in percent, mean accuracy after distillation, its ends over parents."""
    lines: dict[str, list] = {}
    for share in shares():
        for one in compared(share):
            if one.method in methods:
                lines.setdefault(one.method, []).append((100 * share, one.after.value, *_ends(one.after)))
    return {method: lines[method] for method in methods if method in lines}


# --------------------------------------------------------------------------------------------- longer, and from nothing
def trained(way: str, epochs: int) -> list[dict]:
    """All recorded trainings of a way for so many epochs, seed by seed."""
    return [row for row in rows("trainings") if (row["way"], row["epochs"]) == (way, epochs)]


def longer(ways: Iterable[str] = (PUZZLE, UNTRAINED, UNIFORM, DEPTH)) -> dict[str, dict[int, Interval]]:
    """Test accuracy of ways that begin with a parent, by epochs of distillation; 0: before any."""
    found: dict[str, dict[int, Interval]] = {}
    for way in ways:
        by_epoch = {epochs: trained(way, epochs) for one, epochs in TRAININGS if one == way}
        there = {epochs: one for epochs, one in by_epoch.items() if one}
        if there:
            first = next(iter(there.values()))[0]["before"]
            found[way] = {0: Interval(first)} | {e: over(r["after"] for r in one) for e, one in sorted(there.items())}
    return found


def reached(way: str, epochs: int) -> Interval | str:
    """Test accuracy over seeds of a recorded training; a dash if there is none."""
    there = trained(way, epochs)
    return over(row["after"] for row in there) if there else "–"


def price(parent: int = 0) -> dict[str, float]:
    """Seconds of one core for a parent, its library and its scores."""
    return {
        row["what"]: row["seconds"]
        for row in rows("parents")
        if row["parent"] == parent and row["what"] in ("parent", "library", "scores")
    }


class Total(NamedTuple):
    """A way at `SHARE` of the work when no parent is given: all seconds that it takes, and its accuracy over seeds."""

    way: str
    epochs: int
    seconds: float
    accuracy: Interval
    seeds: int


def totals() -> list[Total]:
    """All recorded ways to a small network from nothing, the quickest first."""
    before, found = sum(price().values()), []
    for way, epochs in TRAININGS:
        if way in (PUZZLE, SCRATCH, SAME, CONVOLUTIONS) and (there := trained(way, epochs)):
            seconds = float(np.mean([row["seconds"] for row in there]))
            # the programme's choice takes a parent, its library and its scores, whatever trains it afterwards
            seconds += before if WAYS[way].choice == "programme" else 0
            found.append(Total(way, epochs, seconds, over(row["after"] for row in there), len(there)))
    return sorted(found, key=lambda one: one.seconds)


def total(way: str, epochs: int) -> Total:
    """One of `totals`. StopIteration if it is not recorded."""
    return next(one for one in totals() if (one.way, one.epochs) == (way, epochs))


def by_seconds() -> dict[str, list[tuple[float, float, float, float]]]:
    """Lines of `nasviz.views.frontier`: for each way all seconds, mean accuracy, its ends over seeds."""
    lines: dict[str, list] = {}
    for one in totals():
        lines.setdefault(one.way, []).append((one.seconds, one.accuracy.value, *_ends(one.accuracy)))
    return lines


def _ends(told: Interval) -> tuple[float, float]:
    """Both ends of an interval; of a single value, the value itself."""
    return (told.value, told.value) if np.isnan(told.low) else (told.low, told.high)


# ----------------------------------------------------------------------------------------------------------- supernets
def supernets(kind: str) -> int:
    """Number of recorded supernets of a kind: ``"nested"`` or ``"entangled"``."""
    return sum(row["kind"] == kind for row in rows("supernets"))


def inherits(name: str) -> list[float]:
    """What a nested member inherits from each recorded supernet, percent; ``name`` as in `NESTED`."""
    return [row["inherited"][SPACE.to_text(NESTED[name])] for row in rows("supernets") if row["kind"] == "nested"]


def nested() -> dict[str, tuple[float, Interval]]:
    """Nested members and mixes: multiply-adds as a share of XL, and test accuracy inherited, over supernets."""
    there = [row["inherited"] for row in rows("supernets") if row["kind"] == "nested"]
    members = {("XL" if name == "X" else name): arch for name, arch in NESTED.items()} | mixes()
    return {
        name: (SPACE.madds(arch) / SPACE.madds(SPACE.largest),
               over(one[SPACE.to_text(arch)] for one in there))
        for name, arch in members.items()
    }  # fmt: skip


@dataclass(frozen=True)
class Entanglement:
    """Members of entangled supernets, alone and inside: what there is to rank, and how well it is ranked.

    Attributes
    ----------
    members, seeds : int
        Members with so many trainings alone.
    spread, noise : float
        Standard deviations, in points: of the members' mean accuracies, and of one training of a member.
    between : Interval
        τ of one training with the mean of the others; the first of the seeds.
    inherited : list of Interval
        τ of each supernet with the mean of all trainings.
    counted : Interval
        τ of multiply-adds with it.
    """

    members: int
    seeds: int
    spread: float
    noise: float
    between: Interval
    inherited: list[Interval]
    counted: Interval


def entanglement() -> Entanglement | None:
    """Judge the recorded entangled supernets; None as long as fewer than five members have two trainings alone."""
    alone: dict[str, dict[int, float]] = {}
    for row in rows("alone"):
        alone.setdefault(row["arch"], {})[row["seed"]] = row["test_accuracy"]
    seeds = next((n for n in (3, 2) if sum(len(one) >= n for one in alone.values()) >= 5), 0)
    names = [name for name, one in alone.items() if len(one) >= seeds]
    supernets = [row["inherited"] for row in rows("supernets") if row["kind"] == "entangled"]
    if not seeds or not supernets:
        return None
    space, tests = Entangled(), np.array([[alone[name][seed] for seed in range(seeds)] for name in names])
    truth = tests.mean(1)
    return Entanglement(
        len(names), seeds, float(truth.std(ddof=1)), float(tests.var(1, ddof=1).mean() ** 0.5),
        stats.tau_interval(tests[:, 0], tests[:, 1:].mean(1)),
        [stats.tau_interval([one[name] for name in names], truth) for one in supernets],
        stats.tau_interval([space.madds(space.from_text(name)) for name in names], truth),
    )  # fmt: skip


def ranked() -> tuple[str, list[tuple]]:
    """What `entanglement` says: a sentence, and the lines of a table. As long as too little is recorded, no lines."""
    told = entanglement()
    if told is None:
        return "not recorded yet: python data/scripts/record_transformer.py alone, and supernets", []
    said = f"the means of {told.seeds} trainings of {told.members} members spread by {told.spread:.2f} points"
    return f"{said}, and trainings of one member by {told.noise:.2f}", [
        ("inherited accuracy", " · ".join(map(str, told.inherited))),
        ("multiply-adds", told.counted),
        ("one training, with the others", told.between),
    ]
