"""What lab 05 computes besides its lesson: the space inside the bound, one rule for repeats, what stopping costs.

A race is fair if every search pays for the same things. `Remembering` makes a repeated function free of charge, for
any search. `stopped` says what it costs to stop trainings early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..analysis.stats import Interval, mean_band, tau
from ..estimators import GaussianProcessPredictor, Table, TableLookup, coverage, nasbench201_table
from ..objectives import Bounded
from ..races.race import Race
from ..races.standings import Standings
from ..space import Arch
from ..step import Step
from ..strategies import (
    Bananas,
    Bohb,
    GaussianProcess,
    Hyperband,
    LocalSearch,
    RandomSearch,
    RegularizedEvolution,
    Reinforce,
    SuccessiveHalving,
)
from ..views import Stage, colors
from ..views.stage.kinds.curve import CurveView, Series
from ..views.stage.spec import Spec

LIMIT = 125_000  # multiply-adds of a cell: the bound of the lab
PAID = ", repeats paid"  # what a race adds to the name of a search that pays for repeats
IDLE = 200  # repeats in a row after which a search that remembers ends: it has converged
PATIENT = 1000  # how many evaluations, free ones included, a search that remembers may ask for, times its budget


class Remembering:
    """A search that never trains one function twice: it remembers what a training said, and a repeat costs nothing.

    A mixin, to stand before a strategy's class. The search is not told of it: it asks as often as it likes. Each step
    shows ``trained``, the epochs that were really trained: `nasviz.races.race.Race` counts these. An architecture that
    was trained for 2 epochs and is asked after 8 costs 6. True for a table that is asked for one training of each
    architecture. After `IDLE` free steps in a row the search ends.
    """

    def __iter__(self) -> Iterator[Step]:
        paid: dict[str, int] = {}
        idle = 0
        for step in super().__iter__():  # type: ignore[misc]
            said = step.evaluation
            key = self.space.canonical(said.arch)  # type: ignore[attr-defined]
            before = paid.get(key, 0)
            paid[key] = max(before, said.epochs)
            idle = 0 if paid[key] > before else idle + 1
            if idle > IDLE:
                return
            yield Step(said, **(step.shows | {"trained": paid[key] - before}))


class RememberingEvolution(Remembering, RegularizedEvolution):
    """Regularised evolution that trains each function once."""


class RememberingLocalSearch(Remembering, LocalSearch):
    """Local search that trains each function once."""


class RememberingReinforce(Remembering, Reinforce):
    """REINFORCE that trains each function once."""


class RememberingHalving(Remembering, SuccessiveHalving):
    """Successive halving that trains each function once."""


class RememberingHyperband(Remembering, Hyperband):
    """Hyperband that trains each function once."""


class RememberingBohb(Remembering, Bohb):
    """BOHB that trains each function once."""


# ------------------------------------------------------------------------------------------------ the race
def lookups(table: Table, limit: float, budget: int) -> dict[str, object]:
    """Make the searches that only look up, by name: once with free repeats, once with repeats that are paid.

    Parameters
    ----------
    limit : float
        The bound, in multiply-adds.
    budget : int
        The full trainings that each search can pay.
    """
    common, free, paid = _shared(table, limit, budget)
    evolution = {"population": 20, "tournament": 5}
    rungs = {"epochs": table.epochs, "continued": True}
    return {
        "RandomSearch": RandomSearch(**common, evaluations=budget, replacement=False),
        "RandomSearch" + PAID: RandomSearch(**common, evaluations=budget),
        "RegularizedEvolution": RememberingEvolution(**free, **evolution),
        "RegularizedEvolution" + PAID: RegularizedEvolution(**paid, **evolution),
        "LocalSearch": RememberingLocalSearch(**free),
        "LocalSearch" + PAID: LocalSearch(**paid),
        "SuccessiveHalving": RememberingHalving(**free, **rungs),
        "SuccessiveHalving" + PAID: SuccessiveHalving(**_short(paid, table), **rungs),
        "Hyperband": RememberingHyperband(**free, **rungs),
        "Hyperband" + PAID: Hyperband(**_short(paid, table), **rungs),
    }


def learners(table: Table, limit: float, budget: int) -> dict[str, object]:
    """Make the searches that fit a model or train a network, by name, as `lookups` does. A recorded race has these.

    BANANAS and both Gaussian processes never evaluate a function twice, so that they stand here once.
    """
    common, free, paid = _shared(table, limit, budget)
    once = common | {"evaluations": budget}
    rungs = {"epochs": table.epochs, "continued": True}
    return {
        "RandomSearch": RandomSearch(**once, replacement=False),
        "Bananas": Bananas(**once),
        "GaussianProcess": GaussianProcess(**once),
        "GP, graph": GaussianProcess(**once, encoding="weisfeiler-lehman"),
        "Reinforce": RememberingReinforce(**free),
        "Reinforce" + PAID: Reinforce(**paid),
        "Bohb": RememberingBohb(**free, **rungs),
        "Bohb" + PAID: Bohb(**_short(paid, table), **rungs),
    }


def _shared(table: Table, limit: float, budget: int) -> tuple[dict, dict, dict]:
    """Return what all searches share; the same with evaluations for free repeats; and for paid ones."""
    common = {
        "space": table.known(Bounded("madds", limit)),
        "estimate": TableLookup(table),
        "objective": Bounded("madds", limit),
    }
    return common, common | {"evaluations": budget * PATIENT}, common | {"evaluations": budget}


def _short(paid: Mapping, table: Table) -> dict:
    return dict(paid) | {"evaluations": paid["evaluations"] * table.epochs}  # as many trainings of one epoch


def standings_of(searches: Mapping[str, object], budget: int, seeds: int) -> Standings:
    """Run a race here and now, seed by seed."""
    race = Race(searches, budget, seeds=seeds)
    return Standings(race.head, [race.run(name, seed) for name in race.searches for seed in range(seeds)])


def one_rule(standings: Standings, paid: bool = False) -> Standings:
    """Return the part of a race in which a repeat is free, or in which it is paid.

    The searches that never repeat a function stand in both parts. In the second part names are without `PAID`. A search
    that remembers looks like the search that it is.
    """
    twice = {name.removesuffix(PAID) for name in standings.names if name.endswith(PAID)}
    tracks = [
        replace(track, name=track.name.removesuffix(PAID))
        for track in standings.tracks
        if track.name.endswith(PAID) == (paid and track.name.removesuffix(PAID) in twice)
    ]
    names = {track.name for track in tracks} & colors.STRATEGIES.keys()
    head = dict(standings.head) | {"searches": {name: {"type": name} for name in names}}
    return Standings(head, tracks, standings.judge)


def words(name: str) -> str:
    """Return a search's name in a race in the words of the page: "random search, repeats paid"."""
    return colors.strategy(name.removesuffix(PAID)).label + (PAID if name.endswith(PAID) else "")


def both_rules(standings: Standings) -> list[list[str]]:
    """Return lines of a table: each search's mean regret in points with its 95 % interval, under both rules.

    The race has both variants of the searches that repeat functions. The lines are sorted by the first rule.
    """
    final = standings.final()

    def written(name: str) -> str:
        if name not in final:
            return "never repeats"
        mean, low, high = 100 * mean_band(list(final[name].values()))
        return f"{mean:.2f} ({low:.2f} to {high:.2f})"

    free = sorted((n for n in final if not n.endswith(PAID)), key=lambda name: np.mean(list(final[name].values())))
    return [[words(name), written(name), written(name + PAID)] for name in free]


def difference(standings: Standings, first: str, second: str) -> Interval:
    """Return the mean of first's regret less second's, in points, over the seeds of both, with its 95 % interval."""
    final = standings.final()
    seeds = sorted(final[first].keys() & final[second].keys())
    return Interval(*(100 * mean_band([final[first][seed] - final[second][seed] for seed in seeds])).tolist())


def verdict(standings: Standings, first: str, second: str) -> str:
    """Say in a sentence what the seeds of both searches allow to say of their regrets: `difference` with its names."""
    found, one, other = difference(standings, first, second), words(first), words(second)
    one = one[0].upper() + one[1:]
    numbers = f"{found.value:+.2f} points ({found.low:+.2f} to {found.high:+.2f})"
    if found.low > 0:
        return f"{one} has a larger regret than {other}: {numbers}."
    if found.high < 0:
        return f"{one} has a smaller regret than {other}: {numbers}."
    return f"{one}: the seeds are too few to tell it from {other}: {numbers}."


def distinct(search, seeds: int) -> np.ndarray:
    """Count the different functions that a search evaluates, for each of ``seeds`` seeds: int array (seeds,)."""
    runs = ([step.evaluation.arch for step in replace(search, seed=seed)] for seed in range(seeds))
    return np.array([len({search.space.canonical(arch) for arch in archs}) for archs in runs])


# ------------------------------------------------------------------------------------------------ models
def shuffled(cells: Sequence[Arch], draw: int) -> list[Arch]:
    """Return the cells in an order that depends on the number of the draw alone."""
    rng = np.random.default_rng(draw)
    return [cells[i] for i in rng.permutation(len(cells))]


def knowledge(
    models: Mapping[str, Callable], table: Table, cells: Sequence[Arch], counts: Iterable[int], draws: int = 3
) -> dict[tuple[str, int], tuple[list[float], list[float]]]:
    """Fit models to few trainings, and ask them about 300 cells that they have not seen.

    Parameters
    ----------
    models : mapping from str to callable
        ``make()`` returns a model with ``fit(evaluations)`` and ``predict(archs)``, by its name.
    counts : iterable of int
        Numbers of cells seen, each at most 100.
    draws : int
        How often, each time with other cells.

    Returns
    -------
    dict
        By name and count: Kendall's τ with the accuracy of other trainings, and the share (0 to 1) of trainings that
        lie in the model's 80 % intervals; a list of ``draws`` numbers each.
    """
    answers = TableLookup(table, seed=0)
    told = table.column("accuracy", 0)
    out: dict[tuple[str, int], tuple[list[float], list[float]]] = {}
    for draw in range(draws):
        order = shuffled(cells, draw)
        asked = order[100:400]
        truth = table.truth(0)[table.rows(asked)]
        for name, make in models.items():
            for count in counts:
                mean, deviation = make().fit([answers(arch) for arch in order[:count]]).predict(asked)
                taus, held = out.setdefault((name, count), ([], []))
                taus.append(float(tau(mean, truth)))
                held.append(coverage(mean, deviation, told[table.rows(asked)], levels=[0.8])[0.8])
    return out


def truth_of_first(table: Table, cells: Sequence[Arch]) -> np.ndarray:
    """Return what the first trainings would say without their luck: validation accuracies, one a row of the table.

    It is the mean of the other trainings, moved by what first trainings of all ``cells`` have less or more on average.
    """
    truth, rows = table.truth(0, "accuracy"), table.rows(cells)
    return truth + (table.column("accuracy", 0)[rows] - truth[rows]).mean()


def luck(table: Table, cells: Sequence[Arch], count: int, draws: int = 300) -> float:
    """Return by how many points the best of ``count`` accuracies exceeds the truth of its cell, on average of draws."""
    told, truth, rows = table.column("accuracy", 0), truth_of_first(table, cells), table.rows(cells)
    generators = map(np.random.default_rng, range(draws))
    drawn = (rows[rng.permutation(len(rows))[:count]] for rng in generators)
    best = np.array([some[told[some].argmax()] for some in drawn])
    return float(100 * (told[best] - truth[best]).mean())


def optimism(space, table: Table, cells: Sequence[Arch], count: int, draws: int) -> np.ndarray:
    """Measure how far two values that stand for "the best so far" lie above the truth: points, array (draws, 2).

    ``count`` cells are trained once each. The first value is the best accuracy that was seen, the second the highest
    posterior mean of a Gaussian process at the cells seen. The truth is what `truth_of_first` says of the cell to which
    the value belongs.
    """
    answers = TableLookup(table, seed=0)
    truth, out = truth_of_first(table, cells), []
    for draw in range(draws):
        seen = [answers(arch) for arch in shuffled(cells, draw)[:count]]
        rows = table.rows([said.arch for said in seen])
        told = table.column("accuracy", 0)[rows]
        mean = GaussianProcessPredictor(space).fit(seen).predict_without_noise([said.arch for said in seen])[0]
        out.append([values.max() - truth[rows[values.argmax()]] for values in (told, mean)])
    return 100 * np.array(out)


# ------------------------------------------------------------------------------------------------ stopping
def learning_curves(table: Table, cells: Sequence[Arch], seed: int = 0) -> np.ndarray:
    """Return validation accuracies after each epoch of one training of each cell: float array (cells, epochs)."""
    rows = table.rows(cells)
    return np.stack([table.column(f"accuracy@{e}", seed)[rows] for e in range(1, table.epochs + 1)], axis=1)


def stopped(curves: np.ndarray, epoch: int, final: np.ndarray | None = None, keep: float = 0.5, top: float = 0.1):
    """Return the share (0 to 1) of the truly best that is stopped where the better part goes on after ``epoch``.

    Parameters
    ----------
    curves : float array (cells, epochs)
    epoch : int
        After which one compares, from 1.
    final : float array (cells,), optional
        By which the best are the best; None: the last column.
    keep, top : float
        The share that goes on; the share that counts as best. Both round down, but at least to one.
    """
    final = curves[:, -1] if final is None else final
    order = np.argsort(-curves[:, epoch - 1], kind="stable")
    best = np.argsort(-final, kind="stable")[: max(1, int(top * len(curves)))]
    gone = order[max(1, int(keep * len(curves))) :]
    return float(np.isin(best, gone).mean())


def halving_picture(steps: Iterable[Step], table: Table, seed: int = 0) -> Stage:
    """Draw one bracket of successive halving: each training's curve, which ends where it was stopped.

    The longer a training went on, the stronger its colour: grey, blue, amber, and magenta for the best of those that
    were trained fully.
    """
    ends: dict[Arch, int] = {}
    for answer in (step.evaluation for step in steps):
        assert answer is not None  # each step of halving is a training
        ends[answer.arch] = max(ends.get(answer.arch, 0), answer.epochs)
    archs = sorted(ends, key=lambda arch: ends[arch])
    curves = learning_curves(table, archs, seed)
    lengths = sorted(set(ends.values()))
    winner = max((i for i, arch in enumerate(archs) if ends[arch] == lengths[-1]), key=lambda i: curves[i, -1])
    looks = dict(zip(lengths, (colors.GREY, colors.BLUE, colors.AMBER)[-len(lengths) :], strict=True))
    others = [
        {"x": range(1, ends[arch] + 1), "y": curves[i, : ends[arch]], "color": looks[ends[arch]]}
        for i, arch in enumerate(archs)
        if i != winner
    ]
    view = CurveView(
        title="each curve ends where its training was stopped", x="epoch", others=others, scale=100, span=12,
        series=[Series(array="winner", label="winner", color=colors.MAGENTA)], height=340, unit="%",
        xlabel="epochs", ylabel="validation accuracy, %",
    )  # fmt: skip
    rows = [{"epoch": e, "winner": float(curves[winner, e - 1])} for e in range(1, lengths[-1] + 1)]
    return Stage(Spec(arrays={"epoch": [], "winner": []}, views=[view], transport=False), rows)


def duel(epochs: int, seeds: int, **settings) -> np.ndarray:
    """Race successive halving against random search, both with free repeats: differences in points, array (seeds,).

    On the project's table, inside the lab's bound, `LIMIT`.

    Parameters
    ----------
    epochs : int
        The budget of each, in epochs. A full training costs `Table.epochs` of them.
    settings
        Fields of `SuccessiveHalving`: ``architectures``, ``least``, ``eta``.

    Returns
    -------
    array
        Regret of successive halving less that of random search, by the accuracy that the searches saw: below 0,
        halving is better.
    """
    table = nasbench201_table()
    budget = epochs / table.epochs
    common, free, _ = _shared(table, LIMIT, int(np.ceil(budget)))
    halving = RememberingHalving(**free, epochs=table.epochs, continued=True, **settings)
    rivals = {"RandomSearch": RandomSearch(**common, evaluations=int(np.ceil(budget)), replacement=False)}
    told = standings_of(rivals | {"SuccessiveHalving": halving}, budget, seeds).by("validation").final()
    return 100 * np.array([told["SuccessiveHalving"][s] - told["RandomSearch"][s] for s in range(seeds)])
