"""A search with a memory: `Run` records, replays and resumes it."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import cached_property, partial
from math import inf
from pathlib import Path
from typing import cast

import numpy as np

from . import record
from .estimator import Estimator
from .identity import IDENTITY, identity
from .knobs import check_turn, knobs
from .lock import Writing, reported
from .ranges import check_fields
from .step import Evaluation, Step, plain
from .strategy import allows, estimator_of, keeps_state, objective_of, start_of, worth


class Run:
    """One search, recorded as it goes, resumed where it was.

    Iterating a run iterates its search: what is on record is not computed again, everything else follows from it.
    Without a ``path`` nothing is written, and the run only remembers.

    A record is one JSON Lines file that holds the search's *inputs*: who it is, each answer of its estimator as it
    arrives, each turned knob. A search that trains weights itself (it has a field ``start``) has no such answers: its
    steps are recorded whole, and the newest `Step.state` lies beside the record as safetensors, from which it goes on.

    Parameters
    ----------
    search : strategy
        A dataclass that yields `Step` when iterated. It is copied: the run turns the knobs of its copy.
    path : str or path, optional
        The record. A new file is made; an existing one must be of the same search.

    Attributes
    ----------
    steps : list of Step
        All steps so far, recorded and live.
    costs : list of float
        Seconds that the search had cost after each step: of its evaluations, or of the step where it has none.
    turns : list of (int, dict)
        Each turned knob: before which step, and what.
    best : Evaluation or None
        The best so far by the search's ``objective`` (accuracy, if it has none); None while all have failed.
    failed : int
        How many evaluations failed: those whose objective is not finite.

    Raises
    ------
    ValueError
        If the file is not a record, is damaged (the message gives the line), or is of another search (it names what
        differs), or of a newer nasviz (it names the version or the field). The file is left as it was.
    Occupied
        When iterated, if somebody else writes the record: another process, or another run or player of this one.

    Examples
    --------
    >>> run = Run(RegularizedEvolution(space, estimate), "evolution.jsonl")  # doctest: +SKIP
    >>> for step in run:  # doctest: +SKIP
    ...     print(run.best)
    """

    def __init__(self, search, path: str | Path | None = None):
        check_fields(search)  # now, before anything is written
        self.search, self.path = search, Path(path).expanduser() if path is not None else None
        self.answers: list[Evaluation] = []
        self.turns: list[tuple[int, dict]] = []
        self._rows: list[tuple[Step, float]] = []  # steps of a search that trains weights itself
        self._newest: tuple[int, bytes | None] = (0, start_of(search))  # after how many steps, state
        self._pending: deque[dict[str, float]] = deque()  # turned by any thread, taken by the one that iterates
        self._going = self._recorded_only = False
        self._file: Writing | None = None
        self._forget()
        if self.path is not None:
            _ = self.head  # what is searched now is what is recorded
        self._read()

    @cached_property
    def head(self) -> dict:
        """The first line of the record. ValueError if nothing tells a part of the search from another."""
        said = identity(self.search)
        return {"nasviz": record.VERSION, "search": type(self.search).__name__, "fields": said, "identity": IDENTITY}

    @classmethod
    def load(cls, path: str | Path, search=None) -> Run:
        """A finished or interrupted run as it was recorded: nothing is evaluated, iterating it ends with the record.

        ``search`` is needed only where the strategy or the space is not one of nasviz's own.
        """
        path = Path(path).expanduser()
        if not path.exists():
            raise ValueError(f"{path}: no such record")
        try:
            run = cls(search or record.rebuild(path), path).recall()
        except (TypeError, AttributeError, LookupError, ArithmeticError) as error:
            if search is not None:
                raise
            told = f"{path}: the search that it names cannot be run again ({error!r:.200}). Pass it"
            raise ValueError(f"{told}: Run.load(path, search)") from error
        run._recorded_only = True
        return run

    def recall(self) -> Run:
        """Go through what is on record, evaluating nothing, so that `steps` and `best` are there. Returns the run.

        Iterating it afterwards begins with the record again, and goes on live.
        """
        before, self._recorded_only = self._recorded_only, True
        try:
            for _ in self:
                pass
        finally:
            self._recorded_only = before
        return self

    def turn(self, **values: float) -> None:
        """Turn knobs, from any thread; acts between two steps. ValueError if a knob is unknown or out of range."""
        self._pending.append(check_turn(self.search, values))

    @property
    def value(self) -> dict[str, float]:
        """The knobs as they stand after the turns so far."""
        now = {name: getattr(self.search, name) for name in knobs(self.search)}
        for turned in [*(turned for _, turned in self.turns), *self._pending]:
            now |= turned
        return now

    @property
    def seconds(self) -> float:
        """What the search has cost so far."""
        return self.costs[-1] if self.costs else 0.0

    def __len__(self) -> int:
        return len(self.steps)

    # ------------------------------------------------------------------ going
    def __iter__(self) -> Iterator[Step]:
        if self._going:
            raise RuntimeError("this run is already going: one loop at a time, or make a second Run")
        self._forget()
        self._going = True
        try:
            with self._writing():
                yield from self._go()
        finally:
            self._going = False

    def _go(self) -> Iterator[Step]:
        search, past, stateful = replace(self.search), list(self.turns), self._stateful
        answered, asked = len(self.answers), None
        if (real := estimator_of(search)) is not None:
            search.estimate = asked = _Asked(real, self)
        if self._recorded_only and not (asked or stateful):
            return  # it asks nobody and keeps no state: nothing is on record
        if stateful:
            at, search.start = self._newest
            for step, seconds in self._rows[: None if self._recorded_only else at]:
                yield self._remember(step, seconds)
            if self._recorded_only:
                return
        with closing(iter(search)) as steps:
            while True:
                index = len(self.steps)
                while past and past[0][0] <= index:
                    vars(search).update(past.pop(0)[1])
                # a turn must not change what is already on record
                if self._pending and not (past or index < len(self._rows) or (asked and asked.count < answered)):
                    new: dict[str, float] = {}
                    while self._pending:
                        new |= self._pending.popleft()
                    vars(search).update(new)
                    self.turns.append((index, new))
                    self._write({"at": index, "turn": new})
                before = time.perf_counter()
                try:
                    step = next(steps)
                except (StopIteration, _EndOfRecord):
                    return
                if step.evaluation is not None and not asked:
                    step.evaluation = plain(step.evaluation)
                seconds = step.evaluation.seconds if step.evaluation else time.perf_counter() - before
                if stateful:
                    self._row(index, step, seconds)
                yield self._remember(step, seconds)

    def _row(self, index: int, step: Step, seconds: float) -> None:
        if step.state is not None and not isinstance(step.state, bytes):
            raise ValueError(
                f"the state of a step must be bytes, as safetensors.torch.save gives, got {step.state!r:.40}"
            )
        step.shows = record.plain_shows(step.shows)
        if index == len(self._rows):
            self._rows.append((step, seconds))
            line: dict = {"step": {name: record.pack(value) for name, value in step.shows.items()}, "seconds": seconds}
            self._write(line | ({"answer": vars(step.evaluation)} if step.evaluation else {}))
        elif self._rows[index][0] != step:  # between the newest state and the kill: computed again
            raise ValueError(
                f"{self.path}: step {index} came out otherwise than recorded, as it may on another machine or with "
                "other library versions. Choose another file name"
            )
        if step.state is not None:
            self._keep(step.state, index + 1)

    def _forget(self) -> None:
        self.steps: list[Step] = []
        self.costs: list[float] = []
        self.best: Evaluation | None = None
        self.failed, self._top, self._objective = 0, -inf, objective_of(self.search)

    def _remember(self, step: Step, seconds: float) -> Step:
        self.steps.append(step)
        costs = self.costs
        costs.append(costs[-1] + seconds if costs else seconds)
        if step.evaluation:
            value = worth(self._objective, step.evaluation)
            if value > self._top:
                self.best, self._top = step.evaluation, value
            elif value == -inf:
                self.failed += 1
        return step

    def __repr__(self):
        failed = f", {self.failed} failed" if self.failed else ""
        return f"<Run of {type(self.search).__name__}: {len(self)} steps{failed}>"

    # ------------------------------------------------------------------ the file
    @property
    def _stateful(self) -> bool:
        return keeps_state(self.search)

    def _write(self, record: dict) -> None:
        if self._file:
            self._file.append(json.dumps(record).encode() + b"\n")

    def _read(self) -> None:
        """Take in what is on record, and forget what was remembered of it. Changes nothing on disk."""
        self._whole = 0
        if self.path is None:  # nothing but memory, which is kept
            return
        self.answers, self.turns, self._rows = [], [], []
        if self.path.exists():
            self._whole = record.whole(self.path, self.head)
            for kind, value in record.read(self.path, partial(check_turn, self.search)):
                if kind == "evaluation":
                    self.answers.append(cast("Evaluation", value))
                elif kind == "turn":
                    self.turns.append(cast("tuple[int, dict]", value))
                else:
                    self._rows.append(cast("tuple[Step, float]", value))
            usable = {at: path for at, path in self._states().items() if at <= len(self._rows)}
            while usable:
                with suppress(FileNotFoundError):  # who writes the record has put a newer one there
                    self._newest = max(usable), usable[max(usable)].read_bytes()
                    break
                del usable[max(usable)]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the record open for writing, by this run alone, with what is on it read."""
        if self.path is None or self._recorded_only:
            self._read()
            yield
            return
        with reported(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with Writing(self.path) as file:  # first of all: until then somebody else may go on writing
            self._read()
            self._file = file
            try:
                file.cut(self._whole)  # a torn last line: killed while writing it
                if not self._whole:
                    self._write(self.head)
                yield
            finally:
                self._file = None

    def _keep(self, state: bytes, index: int) -> None:
        """Put the state beside the record, atomically, then drop the older one."""
        self._newest = (index, state)
        if self.path is None:
            return
        old, new = self._states(), self.path.with_name(f"{self.path.name}.step{index}.safetensors")
        part = new.with_suffix(".part")
        try:
            with reported(new):
                part.write_bytes(state)
                os.replace(part, new)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        for path in old.values():
            if path != new:
                path.unlink(missing_ok=True)

    def _states(self) -> dict[int, Path]:
        assert self.path is not None  # who has no file asks for none
        begin, end = f"{self.path.name}.step", ".safetensors"
        paths = [p for p in self.path.parent.glob("*" + end) if p.name.startswith(begin)]
        numbers = {p: p.name.removeprefix(begin).removesuffix(end) for p in paths}
        return {int(n): p for p, n in numbers.items() if n.isdecimal()}


class _EndOfRecord(Exception):
    """A replayed search asked for more than was recorded."""


class _Asked(Estimator):
    """Answers from the record first; what is new is written before it is returned."""

    def __init__(self, real: Estimator, run: Run):
        self.real, self.run, self.count = real, run, 0

    def __call__(self, arch, *, epochs=None, seed=0):
        run = self.run
        if (self.count < len(run.answers) or run._recorded_only) and (known := self._known(arch)):
            return known
        return self._new(self.real(arch, epochs=epochs, seed=seed), arch)

    def many(self, archs, *, epochs=None, seed=0):
        archs, done = list(archs), 0
        while done < len(archs) and (known := self._known(archs[done])):
            done += 1
            yield known
        if done < len(archs):
            answers = self.real.many(archs[done:], epochs=epochs, seed=seed + done)
            for arch, evaluation in zip(archs[done:], answers, strict=True):
                yield self._new(evaluation, arch)

    def _known(self, arch) -> Evaluation | None:
        if self.count == len(self.run.answers):
            if self.run._recorded_only:
                raise _EndOfRecord
            return None
        known = self.run.answers[self.count]
        if known.arch != tuple(arch):
            raise ValueError(
                f"{self.run.path}: answer {self.count} is about {known.arch}, but the search now asks {tuple(arch)}: "
                "its code has changed since. Choose another file name"
            )
        self.count += 1
        return known

    def _new(self, evaluation: Evaluation, arch) -> Evaluation:
        evaluation, run = plain(evaluation, tuple(arch)), self.run
        self.count += 1
        run.answers.append(evaluation)
        if run._file:
            run._file.append(record.line_of(evaluation))
        return evaluation


def best_so_far(run: Run, x: str = "evaluations") -> tuple[np.ndarray, np.ndarray]:
    """Where each evaluation of a run lies, and the accuracy of the best so far after it.

    Parameters
    ----------
    run : Run
    x : {"evaluations", "seconds"}
        Number of the evaluation, from 0, or what the search had cost when it was done.

    Returns
    -------
    (positions, best)
        float arrays of one length. ``best`` is the accuracy (0 to 1) of what the search's own objective likes best;
        nan while every training has failed or, under a bound, none kept to it.
    """
    if x not in ("evaluations", "seconds"):
        raise ValueError(f"x must be 'evaluations' or 'seconds', got {x!r}")
    objective = objective_of(run.search)
    allowed = allows(objective)
    positions: list[float] = []
    best: list[float] = []
    top = -np.inf
    for step, seconds in zip(run.steps, run.costs, strict=True):
        if step.evaluation:
            positions.append(seconds if x == "seconds" else len(positions))
            if allowed(step.evaluation):
                top = max(top, worth(objective, step.evaluation))
            best.append(top if np.isfinite(top) else np.nan)
    return np.array(positions, float), np.array(best, float)
