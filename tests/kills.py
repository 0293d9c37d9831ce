"""Kill a process that writes a record, at any moment, and let another go on: is the end as if nobody had died?

The process is a fork, so that a kill costs no import. The moment is a number of events (calls and returns of functions,
also of built-in ones), drawn from a seed: as many fall between two writes as code runs there, and one seed is one
moment, however busy the machine is. SIGKILL is what no process can answer.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from toys import SPACES, Elastic, Toy, Walk

from nasviz import strategies
from nasviz.lock import Writing
from nasviz.run import Run
from nasviz.spaces import DartsSpace, ElasticSpace, NasBench201
from nasviz.strategies import elastic_training

SPACE = SPACES[0]
TWO = NasBench201(operations=("skip_connect", "sep_conv_3x3"))
SMALL = {"size": 8, "images": 16, "epochs": 3, "batch": 8, "network": {"channels": 2, "stages": 1}}
ELASTIC = {"images": 32, "batch": 16, "network": {"width": 0.1}}


class Curved(Toy):
    """With accuracies by epoch, as halving asks for them."""

    def __call__(self, arch, *, epochs=None, seed=0):
        said = super().__call__(arch, epochs=epochs, seed=seed)
        for epoch in range(1, said.epochs + 1):
            said.scores[f"accuracy@{epoch}"] = said.scores["accuracy"] * epoch / said.epochs
        return said


class Here(Executor):
    """Works in this process, at once."""

    _max_workers = 1

    def submit(self, job, /, *args, **kwargs):
        future: Future = Future()
        try:
            future.set_result(job(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class Case:
    """Something that writes a file: ``go(path)`` does it to the end, or goes on; its result is compared."""

    family: str
    go: Callable[[Path], object]
    record: Callable[[Path], list[Path]] = field(default=lambda path: [path])


# ------------------------------------------------------------------------------------------------ what is killed
def searched(search, at: int, turn: dict) -> Callable[[Path], object]:
    """Run a search to its end; its knobs are turned after step ``at``."""

    def go(path):
        run = Run(search, path)
        if isinstance(search, strategies.OnceForAll | strategies.BigNas):
            elastic_training.JUDGED, elastic_training.WATCHED = 20, 1  # judging children costs most of an epoch here
        for _ in run:
            if turn and len(run) == at and not run.turns:
                run.turn(**turn)
        assert not turn or run.turns
        return run.steps, run.turns, run.best, len(run)

    return go


def raced(path: Path):
    """Race three strategies."""
    from nasviz.races.race import Race

    path.parent.mkdir(exist_ok=True)
    field = [strategies.LocalSearch(SPACE, Judged(SPACE), evaluations=8),
             strategies.RegularizedEvolution(SPACE, Judged(SPACE), 4, 2, 8)]  # fmt: skip
    race = Race(field, 8, seeds=7, path=path, executor=Here())
    tracks = sorted(race, key=lambda track: (track.name, track.seed))
    return [track.line() for track in tracks], race.standings().table()


class Judged(Toy):
    """With a test accuracy, so that a race can be judged without a table."""

    def __call__(self, arch, *, epochs=None, seed=0):
        said = super().__call__(arch, epochs=epochs, seed=seed)
        return type(said)(said.arch, {**said.scores, "test_accuracy": said.scores["accuracy"]}, 1.0, 1, seed)


class Few(NasBench201):
    """Seven functions only."""

    def distinct(self):
        return super().distinct()[100:2500:400]


def tabulated(folder: Path):
    """Fill a table, and join its parts."""
    from unittest import mock

    from nasviz.estimators import tabulate

    with mock.patch.object(tabulate, "default_pool", Here), mock.patch.object(tabulate, "BLOCK", 4):
        list(tabulate.run(tabulate.Work(Judged(few()), 3), folder))
    heads, joined = tabulate.join(tabulate.parts_of(folder))
    return heads[0], sorted((key, repr(row["scores"])) for key, row in joined.items())


@cache
def few() -> Few:
    return Few()


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def cases() -> dict[str, Case]:
    """All of them, by name."""
    toy, curved, s = Toy(SPACE), Curved(SPACE), strategies
    sampled = {
        "random search": (s.RandomSearch(SPACE, toy, evaluations=30), {}),
        "evolution": (s.RegularizedEvolution(SPACE, toy, 10, 3, 40), {"population": 4, "tournament": 6}),
        "evolution in batches": (s.BatchedEvolution(SPACE, toy, 10, 3, 40, batch=7), {"population": 4}),
        "conditional evolution": (s.RegularizedEvolution(Elastic(), Toy(Elastic()), 8, 3, 40), {"tournament": 1}),
        "local search": (s.LocalSearch(SPACE, toy, evaluations=40), {}),
        "NSGA-II": (s.Nsga2(SPACE, toy, population=10, batch=8, evaluations=40), {"population": 5, "crossover": 0.2}),
        "SPOS's evolution": (s.Spos(SPACE, toy, population=8, evaluations=40), {"top": 3, "mutation": 0.5}),
        "halving": (s.SuccessiveHalving(SPACE, curved, 60, epochs=12), {}),
        "Hyperband": (s.Hyperband(SPACE, curved, evaluations=60, epochs=9), {}),
    }
    guessed = {
        "BANANAS": (s.Bananas(SPACE, toy, evaluations=30, batch=10, members=2, epochs=10), {"batch": 4}),
        "Gaussian process": (s.GaussianProcess(SPACE, toy, evaluations=30, batch=10), {"batch": 4}),
    }
    learned = {"REINFORCE": (s.Reinforce(SPACE, toy, 40, batch=7, hidden=8), {"batch": 4, "lr": 0.05})}
    shared = {
        "a walk with a state": (Walk(SPACE, epochs=6), {"rate": 0.9}),
        "supernet": (s.TrainSupernet(SPACE, images=32, epochs=4, batch=8, network=SMALL["network"]), {"lr": 0.02}),
        "ENAS": (
            s.Enas(SPACE, images=144, epochs=3, batch=8, network=SMALL["network"], updates=2, samples=2),
            {"lr": 0.02},
        ),
        "once for all": (s.OnceForAll(ElasticSpace(), epochs=(1, 1, 1, 1), **ELASTIC), {}),
        "BigNAS": (s.BigNas(ElasticSpace(), epochs=2, **ELASTIC), {}),
        "DARTS": (s.Darts(SPACE, **SMALL), {"weight_lr": 0.05}),
        "DARTS, second order": (s.SecondOrderDarts(SPACE, **SMALL), {"weight_lr": 0.05}),
        "DARTS, its own space": (s.Darts(DartsSpace(), **SMALL | {"epochs": 2, "network": {"channels": 2}}), {}),
        "DARTS+": (s.DartsPlus(TWO, most=7, **SMALL), {}),
        "FairDARTS": (s.FairDarts(TWO, **SMALL), {}),
        "RobustDARTS": (s.RobustDarts(TWO, watched=8, **SMALL), {}),
        "DARTS-": (s.DartsMinus(TWO, **SMALL), {}),
        "P-DARTS": (s.PDarts(TWO, depths=(1, 2), keep=(2, 1), dropout=(0.0, 0.5), **SMALL), {}),
        "SmoothDARTS": (s.SmoothDarts(TWO, adversarial=True, **SMALL), {}),
        "PC-DARTS": (s.PcDarts(TWO, **SMALL | {"network": {"channels": 4, "stages": 1}}), {}),
        "GDAS": (s.Gdas(TWO, **SMALL), {}),
        "SNAS": (s.Snas(TWO, **SMALL), {}),
        "DrNAS": (s.DrNas(TWO, **SMALL), {}),
    }  # fmt: skip
    families = {"samples": sampled, "predicts": guessed, "learns": learned, "keeps weights": shared}
    found = {
        name: Case(family, searched(search, 2 if family == "keeps weights" else 11, turn))
        for family, all in families.items()
        for name, (search, turn) in all.items()
    }
    found["a race"] = Case("races", raced)
    found["a table in the making"] = Case("tables", tabulated, parts)
    return found


# ------------------------------------------------------------------------------------------------ killing
def watched(go: Callable[[Path], object], path: Path, last: int | None) -> int:
    """Do it in a fork that dies at its event number ``last``. How many events it had; -1: it was killed.

    Events count from when it has its record in hand: before that, there is nothing to lose.
    """
    pipe = os.pipe()
    child = os.fork()
    if not child:
        code, events = 1, 0

        def count(*_):
            nonlocal events
            events += 1
            if events == last:
                os.kill(os.getpid(), signal.SIGKILL)

        def begun(writing, take=Writing._take):
            done = take(writing)
            sys.setprofile(count)
            return done

        try:
            Writing._take = begun  # in this process only
            go(path)
            sys.setprofile(None)
            os.write(pipe[1], str(events).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(pipe[1])
    with os.fdopen(pipe[0], "rb") as said:
        events = said.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return -1
    assert status == 0, f"the process ended with status {status}"
    return int(events)


def tear(path: Path, rng: random.Random) -> None:
    """Cut the last line of a record, as a kill in the middle of a write does."""
    raw = path.read_bytes()
    begin = raw[:-1].rfind(b"\n") + 1
    if len(raw) > begin:
        path.write_bytes(raw[: rng.randrange(begin, len(raw))])


def survived(case: Case, folder: Path, kills: int, seed: int = 0) -> tuple[int, int]:
    """Kill ``kills`` times, and finish after each: how many ends were equal, and how many processes were killed.

    Every second record is torn besides, and every third is killed again before it may finish.
    """
    whole = case.go(folder / "whole")
    events = watched(case.go, folder / "counted", None)
    rng, equal, killed = random.Random(seed), 0, 0
    for trial in range(kills):
        path = folder / f"{trial}"
        for _ in range(2 if trial % 3 == 2 else 1):
            killed += watched(case.go, path, rng.randint(1, events)) == -1
            if trial % 2 and (there := [one for one in case.record(path) if one.exists()]):
                tear(there[-1], rng)
        equal += case.go(path) == whole
    return equal, killed
