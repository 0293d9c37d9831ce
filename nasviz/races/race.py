"""The race: any strategies, one space, one estimator, one objective, one budget, many seeds.

Each run searches on one seed's validation and is judged by what the search could not see: the test accuracy of *other*
trainings of the same architecture. `Race` runs and records, `nasviz.races.standings.Standings` says what came
out. Loads no torch.

    python -m nasviz.races.race record           # the searches that are slow, into data/races/models.jsonl
    python -m nasviz.races.race show FILE        # a table of a recorded race
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field, fields, is_dataclass, replace
from math import inf, isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from ..estimator import Estimator
from ..identity import IDENTITY, differences, identity
from ..lock import Writing, reported
from ..objectives import Bounded, accuracy
from ..ranges import Range, argument, check_fields, check_number, ranged
from ..space import Arch
from ..step import Evaluation, plain
from ..strategy import allows, evaluations_of, has_objective, objective_of, planned, worth
from ..workers import spread
from .standings import EVERYTHING, JUDGES, REFERENCE, UNITS, VERSION, Standings, Track, different, read

if TYPE_CHECKING:
    from ..estimators import Extrapolated, TableLookup
    from ..strategies import RandomSearch

NO_SECONDS = "does not say its seconds: race by evaluations, Race(…, unit='evaluations')"
CHUNK = 5  # runs a job: what a worker is sent and has to prepare serves several of them


@dataclass
class Race:
    """Every strategy with every seed, on one budget. Iterating it runs what is missing and yields each `Track`.

    Parameters
    ----------
    searches : mapping from str to strategy, or sequence of strategies
        As one makes them for a single search; by name, or named by their classes. All on the same space, the same
        estimator and, where they have one, the same objective. Their ``seed`` is replaced by the run's. Random search
        joins by itself if it is not among them.
    budget : float
        Of each run: full trainings (``unit="evaluations"``) or seconds of training, those that the table has on record.
        What would go beyond it does not count. An evaluation of a few epochs counts as its share of a full training; a
        search that shows ``trained`` (`nasviz.strategies.SuccessiveHalving`) says itself how many epochs it paid.
    unit : {"evaluations", "seconds"}
    seeds : int or sequence of int
        That many runs from seed 0, or these.
    path : path, optional
        The record: JSON Lines, a head and one line a run. Interrupted, the same race goes on where it was.
    executor : Executor, optional
        Where the runs run: None is `nasviz.workers.default_pool`, this machine's processes.
    command : str
        What makes the record again; stands in its head.

    Notes
    -----
    On a table, run i searches on the i-th training of each architecture, counted round, and stands on *one* landscape:
    asking twice gives the same answer twice. Judges are the other trainings, on the test images (`Table.truth`), so
    the regret says how far the winner truly is below the truly best one within the bound. A search that evaluates
    everything does not reach 0: it believes its validation. `Standings.references` has what it would reach, and what
    all 3×3 convolutions reach without any search. Where there is no table, the judge is the same training's
    ``"test_accuracy"``, and the best that any run found stands for the best.

    The best so far is the one of most epochs, and of these the one that the objective likes best, among those that the
    bound allows.

    Examples
    --------
    >>> race = Race([RandomSearch(space, estimate), LocalSearch(space, estimate)], budget=100)  # doctest: +SKIP
    >>> print(race.standings())  # doctest: +SKIP
    """

    searches: Mapping[str, object] | Sequence
    budget: float = ranged(500, above=0.0, whole=False)
    unit: str = "evaluations"
    seeds: int | Sequence[int] = 50
    path: str | Path | None = None
    executor: Executor | None = None
    command: str = ""
    tracks: list[Track] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self):
        from ..strategies import RandomSearch

        check_fields(self)
        given = self.searches
        self.searches = dict(given) if isinstance(given, Mapping) else {type(one).__name__: one for one in given}
        if not self.searches or len(self.searches) < len(given):
            raise ValueError("a race needs strategies under different names: Race({'small': …, 'large': …})")
        if self.unit not in UNITS:
            raise ValueError(f"a budget is a number of {' or '.join(UNITS)}, got {self.budget!r} {self.unit!r}")
        self.seeds = seeds_of(self.seeds)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"the seeds of a race must be some, and all different, got {self.seeds}")
        first = next(iter(self.searches.values()))
        self.space, self.estimate = first.space, first.estimate
        likes = [objective_of(one) for one in self.searches.values() if has_objective(one)]
        self.objective = likes[0] if likes else accuracy
        for name, search in self.searches.items():
            check_fields(search)
            for part in ("space", "estimate", "objective"):
                its, ours = getattr(search, part, getattr(self, part)), getattr(self, part)
                if its is not ours and differences(identity(its), identity(ours)):
                    raise ValueError(f"one race, one {part}: {name} has {its!r}, the first one {ours!r}")
        if not any(isinstance(one, RandomSearch) for one in self.searches.values()):
            most = max((count for one in self.searches.values() if (count := planned(one)) is not None), default=500)
            most = max(most, int(self.budget) if self.unit == "evaluations" else 0)
            random = RandomSearch(self.space, self.estimate, evaluations=most, objective=self.objective)
            self.searches = {"RandomSearch": random, **self.searches}
        self.table = table_of(self.estimate)
        if self.unit == "seconds" and self.table is not None:
            unknown = int((self.table.there & ~np.isfinite(self.table.seconds)).sum())
            if unknown:
                raise ValueError(f"{unknown:,} trainings of the table {NO_SECONDS}")
        self.head = self._head()

    @property
    def _searches(self) -> dict[str, RandomSearch]:
        """`searches` by name, as they are once it is made: to the type checker they are all the simplest one."""
        return cast("dict[str, RandomSearch]", self.searches)

    @property
    def _seeds(self) -> list[int]:
        """`seeds`, each of them, as they are once it is made."""
        return cast("list[int]", self.seeds)

    # ------------------------------------------------------------------ going
    def __iter__(self) -> Iterator[Track]:
        """What is on record, then each run as it ends, in order.

        Raises
        ------
        ValueError
            If the file is of another race.
        Occupied
            If somebody else writes it: see `nasviz.lock`.
        """
        if self.path is None:
            yield from self._go()
            return
        path = Path(self.path).expanduser()
        with reported(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with Writing(path) as file:
            yield from self._go(file)

    def _go(self, file: Writing | None = None) -> Iterator[Track]:
        self.tracks = []
        for track in self._recorded(file):
            self.tracks.append(track)
            yield track
        known = {(track.name, track.seed) for track in self.tracks}
        missing = {name: [seed for seed in self._seeds if (name, seed) not in known] for name in self.searches}
        starts = range(0, len(self._seeds), CHUNK)  # first seeds of all strategies first: a picture grows evenly
        jobs = [(name, tuple(todo[i : i + CHUNK])) for i in starts for name, todo in missing.items() if todo[i:]]
        names = (f"{name}, seeds {seeds[0]} to {seeds[-1]}" for name, seeds in jobs)
        told = dict(zip(jobs, names, strict=True))
        with closing(spread(self._job, jobs, executor=self.executor, text=told.__getitem__)) as results:
            for tracks in results:
                for track in tracks:
                    self._write(file, track)
                    self.tracks.append(track)
                    yield track

    def standings(self) -> Standings:
        """Run what is missing, and say what came out."""
        for _ in self:
            pass
        return Standings(self.head, self.tracks)

    def _job(self, job: tuple[str, tuple[int, ...]], *, epochs=None, seed=0) -> list[Track]:
        name, seeds = job
        return [self.run(name, seed) for seed in seeds]

    def run(self, name: str, seed: int) -> Track:
        """One strategy with one seed, here and now.

        Raises
        ------
        ValueError
            If it evaluates nothing, or ends by its own count before the budget is spent.
        """
        estimate = seeing(self.estimate, seed)
        search = replace(self._searches[name], estimate=estimate, seed=seed)
        allowed = allows(self.objective)
        whole, judge, count, failed, ended = whole_epochs(self.estimate), self._judge(estimate), 0, 0, True
        spent, top, at, found = {unit: 0.0 for unit in UNITS}, (-inf, -inf), [], []
        with closing(iter(search)) as steps:
            for step in steps:
                said = step.evaluation
                if said is None:
                    raise ValueError(f"{name} trains weights and evaluates nothing: it has no place in this race")
                said = plain(said)
                if self.unit == "seconds" and not isfinite(said.seconds):
                    raise ValueError(f"the evaluation of {said.arch} {NO_SECONDS}")
                share = step.shows.get("trained", said.epochs) / whole if whole else 1.0
                seconds = said.seconds if isfinite(said.seconds) else nan
                cost = {"evaluations": spent["evaluations"] + share, "seconds": spent["seconds"] + seconds}
                if cost[self.unit] > self.budget * (1 + 1e-9):
                    ended = False
                    break
                spent, count = cost, count + 1
                value = worth(self.objective, said)
                failed += value == -inf
                if value > -inf and allowed(said) and top < (key := (said.epochs, value)):
                    top = key
                    at.append((spent["evaluations"], spent["seconds"]))
                    found.append((said.arch, *judge(said)))
                if spent[self.unit] >= self.budget * (1 - 1e-9):
                    ended = False
                    break
        if ended and count == evaluations_of(search):
            raise ValueError(
                f"{name} ended after its {count:,} evaluations with {spent[self.unit]:,.0f} of {self.budget:,} "
                f"{self.unit} spent: give it more evaluations"
            )
        archs, *judged = zip(*found, strict=True) if found else ((), (), ())
        truths, paid = dict(zip(JUDGES, judged, strict=True)), (spent["evaluations"], spent["seconds"])
        return Track(name, seed, np.array(at).reshape(-1, 2), archs, truths, paid, count, ended, failed)

    def _judge(self, estimate: Estimator):
        """What `JUDGES` say of an evaluation that ``estimate`` gave: accuracies, 0 to 1; a failed training is 0."""
        if self.table is None:

            def judged(said: Evaluation) -> tuple[float, float]:
                if "test_accuracy" not in said.scores:
                    raise ValueError("nobody can judge this race: search on a table, or with Training(…, test=True)")
                test, validation = _or_nothing([said.scores[name] for name in ("test_accuracy", "accuracy")]).tolist()
                return test, validation

            return judged
        truths, row = self._truths(cast("int", _seed(estimate))), self.table.row
        return lambda said: tuple(truths[:, row(said.arch)].tolist())

    def _truths(self, seed: int) -> np.ndarray:
        """Of each row, what `JUDGES` say of it if its ``seed``-th training is searched on: float array (2, rows)."""
        lonely = self.table.there.sum(1) < 2
        if self.table.there.shape[1] > 1 and lonely.any():
            raise ValueError(
                f"{lonely.sum():,} rows of the table have one training only, so that no other could judge them: "
                "publish those that have two"
            )
        return _or_nothing([self.table.truth(seed), self.table.column("accuracy", seed)])

    # ------------------------------------------------------------------ the record
    def _head(self) -> dict:
        head: dict = {
            "nasviz_race": VERSION,
            "identity": IDENTITY,
            "space": identity(self.space),
            "estimate": identity(self.estimate),
            "objective": identity(self.objective),
            "budget": self.budget,
            "unit": self.unit,
            "searches": {name: identity(one) for name, one in self._searches.items()},
        }
        for one in head["searches"].values():
            for part in ("space", "estimate", "objective", "seed"):
                one.pop(part, None)
        head |= {"command": self.command, "coverage": "", "best": {}, "worst": {}, "references": {}}
        if self.table is not None:
            head |= {"coverage": self.table.coverage} | self._bounds()
        return head

    def _bounds(self) -> dict:
        """The best, the worst, and what one has without a search; by judge, then by training that is searched on."""
        table, own, fixed = self.table, _seed(self.estimate), self.all_conv3()
        allowed = allows(self.objective)
        seeds = range(table.there.shape[1]) if own is None else [own]
        empty: list[dict[str, list[float]]] = [{judge: [] for judge in JUDGES} for _ in range(4)]
        best, worst, everything, without = empty
        name = REFERENCE
        for seed in seeds:
            estimate, truths = seeing(self.estimate, seed), self._truths(seed)
            said = [estimate(arch) for arch in table.archs]
            inside = [i for i, one in enumerate(said) if allowed(one)]
            if not inside:
                raise ValueError(f"no architecture of the table ({table.coverage}) keeps to {self.objective}")
            winner = max(inside, key=lambda i: worth(self.objective, said[i]))
            if there := fixed is not None and fixed in table:
                name = REFERENCE + ("" if allowed(estimate(fixed)) else ", over the bound")
            for judge, truth in zip(JUDGES, truths, strict=True):
                best[judge].append(float(truth[inside].max()))
                worst[judge].append(float(truth[inside].min()))
                everything[judge].append(float(truth[winner]))
                without[judge] += [float(truth[table.row(fixed)])] if there else []
        references = {EVERYTHING: everything} | ({name: without} if without[JUDGES[0]] else {})
        return {"best": best, "worst": worst, "references": references}

    def all_conv3(self) -> Arch | None:
        """The architecture of 3×3 convolutions only, what every search must be compared with; None: there is none."""
        arch: Arch = ()
        for choice in self.space.choices:
            fits = [i for i, option in enumerate(choice.options) if re.search(r"conv_?3x3", str(option))]
            if not fits:
                return None
            arch += (fits[0],)
        return arch

    def _recorded(self, file: Writing | None) -> list[Track]:
        if file is None:
            return []
        path = file.path
        head, tracks, size = read(path)
        names = ("space", "estimate", "objective", "budget", "unit", "searches")
        if head is not None and (differs := different(head, self.head, names)):
            raise ValueError(f"{path} is the record of another race: {differs}. Choose another file name")
        file.cut(size)  # a torn last line: killed while writing it
        wanted = {(name, seed) for name in self._searches for seed in self._seeds}
        return [track for track in tracks if (track.name, track.seed) in wanted]

    def _write(self, file: Writing | None, track: Track) -> None:
        if file is not None:
            lines = [track.line()] if file.size else [self.head, track.line()]
            file.append("".join(json.dumps(line) + "\n" for line in lines).encode())


def _or_nothing(accuracies) -> np.ndarray:
    """Accuracies, 0 where a training failed."""
    accuracies = np.asarray(accuracies, float)
    return np.where(np.isfinite(accuracies), accuracies, 0.0)


def seeds_of(seeds) -> list[int]:
    """The seeds of a race, each of them. ValueError for what is neither a count from 1 nor numbers from 0."""
    if isinstance(seeds, str | bytes) or not isinstance(seeds, Iterable):
        return list(range(check_number("Race: seeds", seeds, 1)))
    return [int(seed) for seed in Range(0, whole=True, many=True).check("Race: seeds", list(seeds))]


# ---------------------------------------------------------------------- what an estimator hides
def table_of(estimate: Estimator | None):
    """The table that answers in the end, or None: `Extrapolated` and its like ask another estimator."""
    while estimate is not None and not hasattr(estimate, "table"):
        estimate = getattr(estimate, "estimate", None)
    return getattr(estimate, "table", None)


def seeing(estimate: Estimator, seed: int) -> Estimator:
    """The same estimator, looking up the ``seed``-th training of each architecture: one landscape that stands still."""
    if hasattr(estimate, "table") and (looked := cast("TableLookup", estimate)).seed is None:
        return replace(looked, seed=seed % looked.table.there.shape[1])
    if is_dataclass(estimate) and any(f.name == "estimate" for f in fields(estimate)):
        asking = cast("Extrapolated", estimate)  # or another that asks one
        return replace(asking, estimate=seeing(asking.estimate, seed))
    return estimate


def whole_epochs(estimate: Estimator) -> int:
    """Epochs of a full training; 0 where an evaluation is an evaluation."""
    table = table_of(estimate)
    recipe = getattr(estimate, "recipe", None) or getattr(getattr(estimate, "estimate", None), "recipe", None)
    return table.epochs if table is not None else recipe.epochs if recipe else 0


def _seed(estimate: Estimator) -> int | None:
    while not hasattr(estimate, "table"):
        estimate = cast("Extrapolated", estimate).estimate
    return cast("TableLookup", estimate).seed


# ---------------------------------------------------------------------- from a terminal
BOUND = 200_000  # multiply-adds, as the labs have it
CHEAP = ("RandomSearch", "LocalSearch", "RegularizedEvolution", "Reinforce", "SuccessiveHalving", "Hyperband")
MODELS = ("Bananas", "GaussianProcess")


def searches(names: Sequence[str], evaluations: int, bound: float = BOUND, table=None) -> dict[str, object]:
    """Strategies by name as the project races them: on the ground truth, inside what it knows, under a bound on MAdds.

    Successive halving and Hyperband get as many short trainings as the budget can pay, and go on where they stopped, as
    a table can tell. Models learn anew every ten evaluations.
    """
    from .. import strategies
    from ..estimators import TableLookup, nasbench201_table

    table = nasbench201_table() if table is None else table
    space, estimate, objective = table.known(), TableLookup(table), Bounded("madds", bound)
    out = {}
    for name in names:
        of = getattr(strategies, name)
        more = {"evaluations": evaluations}
        if issubclass(of, strategies.SuccessiveHalving):
            if not table.epochs:
                raise ValueError(f"{name} needs accuracies after fewer epochs, and this table has none")
            more = {"evaluations": evaluations * table.epochs, "epochs": table.epochs, "continued": True}
        elif name in MODELS:
            more["batch"] = 10
        out[name] = of(space, estimate, objective=objective, **more)
    return out


def main(arguments: list[str] | None = None) -> int:
    """``python -m nasviz.races.race``."""
    parser = argparse.ArgumentParser("python -m nasviz.races.race", description="Races on the ground truth, recorded.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record", help="run what is missing of a race")
    one.add_argument("path", type=Path, nargs="?", default=Path("data/races/models.jsonl"))
    one.add_argument("--strategies", nargs="+", default=["RandomSearch", *MODELS], metavar="NAME")
    one.add_argument("--evaluations", type=argument(1), default=150)
    one.add_argument("--seeds", type=argument(1), default=30)
    one.add_argument("--bound", type=argument(above=0.0, whole=False), default=BOUND, help="multiply-adds allowed")
    one.add_argument("--anew", action="store_true", help="throw away what the file holds: after the table has grown")
    commands.add_parser("show", help="the table of a recorded race").add_argument("path", type=Path)
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "record":
            if asked.anew and asked.path.exists():
                Writing(asked.path).close()  # not while somebody writes it
                asked.path.unlink()
            runs = searches(asked.strategies, asked.evaluations, asked.bound)
            words = " ".join(arguments or sys.argv[1:]).replace(" --anew", "")
            command = f"python -m nasviz.races.race {words} --anew"
            race = Race(runs, asked.evaluations, seeds=asked.seeds, path=asked.path, command=command)
            if asked.anew:
                asked.path.unlink(missing_ok=True)
            print(race.standings())
        else:
            from ..estimators import nasbench201_table

            told = Standings.load(asked.path)
            print(told)
            if reason := told.stale(nasbench201_table()):
                print(reason, file=sys.stderr)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
