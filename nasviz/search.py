"""A search with a memory: `knob` marks what may be turned while it runs, `Run` records, replays and resumes it."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, asdict, field, fields, is_dataclass, replace
from pathlib import Path

import numpy as np

from .evaluate import Estimator
from .objectives import accuracy
from .space import SearchSpace
from .step import Evaluation, Step, same

DTYPES = ("<f4", "<f8", "<i4", "<i8", "|i1", "|u1", "|b1")


def knob(default: float, low: float, high: float, *, log: bool = False, help: str = ""):
    """A hyper-parameter that a slider may turn while the search runs.

    The strategy reads it at each use, so that a turn acts from the next step on.

    Parameters
    ----------
    default, low, high : number
        Low and high are the ends of the slider, both allowed. Whole numbers where the default is one.
    log : bool
        Whether the slider moves in powers of ten (low > 0).
    help : str
        One sentence for the slider's tooltip.
    """
    if not low <= default <= high or (log and low <= 0):
        raise ValueError(f"a knob needs low <= default <= high, and low > 0 if log: got {low}, {default}, {high}")
    return field(default=default, metadata={"low": low, "high": high, "log": log, "help": help})


def knobs(search) -> dict[str, Field]:
    """The fields of a strategy that `knob` marks, by name."""
    return {f.name: f for f in fields(search) if "low" in f.metadata}


def check_turn(search, values: Mapping[str, float]) -> dict[str, float]:
    """``values`` as the strategy's knobs take them; ValueError names what is unknown, out of range or not whole."""
    known, out = knobs(search), {}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"{type(search).__name__} has no knob {name!r}; its knobs: {sorted(known)}")
        low, high = known[name].metadata["low"], known[name].metadata["high"]
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not low <= value <= high:
            raise ValueError(f"{name} must be from {low} to {high}, got {value!r}")
        if isinstance(known[name].default, int):
            if value != int(value):
                raise ValueError(f"{name} must be a whole number, got {value!r}")
            out[name] = int(value)
        else:
            out[name] = float(value)
    return out


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
        The best so far by the search's ``objective`` (accuracy, if it has none).

    Raises
    ------
    ValueError
        If the file is not a record, is damaged (the message gives the line), or is of another search (it names what
        differs). The file is left as it was.

    Examples
    --------
    >>> run = Run(RegularizedEvolution(space, estimate), "evolution.jsonl")  # doctest: +SKIP
    >>> for step in run:  # doctest: +SKIP
    ...     print(run.best)
    """

    def __init__(self, search, path: str | Path | None = None):
        self.search, self.path = search, Path(path) if path is not None else None
        self.head = {"nasviz": 1, "search": type(search).__name__, "fields": identity(search)}
        self._pending: dict[str, float] = {}
        self._going = self._recorded_only = False
        self._clear()
        self._read()

    @classmethod
    def load(cls, path: str | Path, search=None) -> Run:
        """A finished or interrupted run as it was recorded: nothing is evaluated, iterating it ends with the record.

        ``search`` is needed only where the strategy or the space is not one of nasviz's own.
        """
        if not Path(path).exists():
            raise ValueError(f"{path}: no such record")
        run = cls(search or _rebuild(path), path)
        run._recorded_only = True
        for _ in run:
            pass
        return run

    def turn(self, **values: float) -> None:
        """Turn knobs, from any thread; acts between two steps. ValueError if a knob is unknown or out of range."""
        self._pending = self._pending | check_turn(self.search, values)

    @property
    def value(self) -> dict[str, float]:
        """The knobs as they stand after the turns so far."""
        now = {name: getattr(self.search, name) for name in knobs(self.search)}
        for _, turned in self.turns:
            now |= turned
        return now | self._pending

    @property
    def seconds(self) -> float:
        """What the search has cost so far."""
        return self.costs[-1] if self.costs else 0.0

    def to_html(self, path: str | Path) -> Path:
        """Write the run as one HTML file that replays it without a kernel and without a network."""
        from .views import replay                   # the one door from a run to its picture; opened on request only

        return replay.save(self, path)

    def __len__(self) -> int:
        return len(self.steps)

    # ------------------------------------------------------------------ going
    def __iter__(self) -> Iterator[Step]:
        if self._going:
            raise RuntimeError("this run is already going: one loop at a time, or make a second Run")
        self._clear()
        self._read()
        self._going = True
        try:
            self._open()
            yield from self._go()
        finally:
            self._going = False
            if self._file:
                self._file.close()

    def _go(self) -> Iterator[Step]:
        search, past, index = replace(self.search), list(self.turns), 0
        if hasattr(search, "estimate"):
            search.estimate = asked = _Asked(search.estimate, self)
        if self._stateful:
            at, search.start = self._state()
            for index in range(len(self._rows) if self._recorded_only else at):
                yield self._remember(*self._rows[index])
            index = len(self.steps)
            if self._recorded_only:
                return
        steps = iter(search)
        while True:
            while past and past[0][0] <= index:
                vars(search).update(past.pop(0)[1])
            replaying = past or index < len(self._rows) or (not self._stateful and asked.count < self._answered)
            if self._pending and not replaying:
                new, self._pending = self._pending, {}
                vars(search).update(new)
                self.turns.append((index, new))
                self._write({"at": index, "turn": new})
            before = time.perf_counter()
            try:
                step = next(steps)
            except (StopIteration, _EndOfRecord):
                return
            seconds = step.evaluation.seconds if step.evaluation else time.perf_counter() - before
            self._remember(step, seconds)
            if self._stateful:
                if index < len(self._rows):
                    if self._rows[index][0] != step:
                        raise ValueError(f"{self.path}: step {index} came out otherwise than recorded: another machine?")
                else:
                    self._write({"step": {name: _pack(v) for name, v in step.shows.items()}, "seconds": seconds})
                self._keep(step.state, index + 1)
            yield step
            index += 1

    def _clear(self) -> None:
        self.steps, self.costs, self.turns, self.best = [], [], [], None
        self.answers: list[Evaluation] = []
        self._rows: list[tuple[Step, float]] = []
        self._file = None

    def _remember(self, step: Step, seconds: float) -> Step:
        self.steps.append(step)
        self.costs.append(self.seconds + seconds)
        objective = getattr(self.search, "objective", accuracy)
        if step.evaluation and (self.best is None or objective(step.evaluation) > objective(self.best)):
            self.best = step.evaluation
        return step

    # ------------------------------------------------------------------ the file
    @property
    def _stateful(self) -> bool:
        return hasattr(self.search, "start")

    def _write(self, record: dict) -> None:
        if self._file:
            self._file.write(json.dumps(record).encode() + b"\n")
            self._file.flush()

    def _read(self) -> None:
        """Take in what is on record. Changes nothing on disk, and takes no line without its end."""
        self._whole = 0
        if self.path is None or not self.path.exists():
            return
        raw = self.path.read_bytes()
        self._whole = raw.rfind(b"\n") + 1
        head, *lines = raw[: self._whole].splitlines() or [b""]
        start = json.dumps(self.head).encode()
        if not self._whole and not start.startswith(raw):
            raise ValueError(f"{self.path} is not a record of a search; choose another file name")
        if self._whole:
            self._compare(_record(self.path, 1, head))
        for number, line in enumerate(lines, 2):
            record = _record(self.path, number, line)
            try:
                if "evaluation" in record:
                    self.answers.append(_evaluation(record["evaluation"], len(self.search.space.choices)))
                elif "turn" in record:
                    self.turns.append((int(record["at"]), check_turn(self.search, record["turn"])))
                else:
                    shows = {name: _unpack(value) for name, value in record["step"].items()}
                    self._rows.append((Step(**shows), float(record["seconds"])))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ValueError(f"{self.path}, line {number}: damaged record ({error}); delete from there on") from None
        self._answered = len(self.answers)

    _answered = 0

    def _compare(self, head: dict) -> None:
        if "nasviz" not in head:
            raise ValueError(f"{self.path} is not a record of a search; choose another file name")
        mine, its = _flat(self.head), _flat(head)
        if mine != its:
            names = [n for n in {**mine, **its} if not same(mine.get(n, "absent"), its.get(n, "absent"))]
            differs = ", ".join(f"{n.removeprefix('fields.')} is {its.get(n)} there, {mine.get(n)} here" for n in names)
            raise ValueError(f"{self.path} is the record of another search: {differs}. Choose another file name")

    def _open(self) -> None:
        if self.path is None or self._recorded_only:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab")
        self._file.truncate(self._whole)                       # a torn last line: killed while writing it
        if not self._whole:
            self._write(self.head)

    def _keep(self, state: bytes | None, index: int) -> None:
        """Put the state beside the record, atomically, then drop the older one."""
        if state is None or self.path is None:
            return
        old, new = self._states(), self.path.with_name(f"{self.path.name}.step{index}.safetensors")
        part = new.with_suffix(".part")
        part.write_bytes(state)
        os.replace(part, new)
        for path in old.values():
            if path != new:
                path.unlink()

    def _states(self) -> dict[int, Path]:
        if self.path is None:
            return {}
        begin, end = f"{self.path.name}.step", ".safetensors"
        paths = [p for p in self.path.parent.glob("*" + end) if p.name.startswith(begin)]
        numbers = {p: p.name.removeprefix(begin).removesuffix(end) for p in paths}
        return {int(n): p for p, n in numbers.items() if n.isdecimal()}

    def _state(self) -> tuple[int, bytes | None]:
        """The newest state that the record reaches, and after how many steps it was taken."""
        usable = {at: path for at, path in self._states().items() if at <= len(self._rows)}
        return (max(usable), usable[max(usable)].read_bytes()) if usable else (0, self.search.start)


class _EndOfRecord(Exception):
    """A replayed search asked for more than was recorded."""


class _Asked(Estimator):
    """Answers from the record first; what is new is written before it is returned."""

    def __init__(self, real: Estimator, run: Run):
        self.real, self.run, self.count = real, run, 0

    def __call__(self, arch, *, epochs=None, seed=0):
        if known := self._known(arch):
            return known
        return self._new(self.real(arch, epochs=epochs, seed=seed))

    def many(self, archs, *, epochs=None, seed=0):
        archs, done = list(archs), 0
        while done < len(archs) and (known := self._known(archs[done])):
            done += 1
            yield known
        for evaluation in self.real.many(archs[done:], epochs=epochs, seed=seed + done) if done < len(archs) else ():
            yield self._new(evaluation)

    def _known(self, arch) -> Evaluation | None:
        if self.count == len(self.run.answers):
            if self.run._recorded_only:
                raise _EndOfRecord
            return None
        known = self.run.answers[self.count]
        if known.arch != tuple(arch):
            raise ValueError(
                f"{self.run.path}: answer {self.count} is about {known.arch}, but the search now asks for {tuple(arch)}: "
                "its code or its estimator has changed since. Choose another file name"
            )
        self.count += 1
        return known

    def _new(self, evaluation: Evaluation) -> Evaluation:
        self.count += 1
        self.run.answers.append(evaluation)
        self.run._write({"evaluation": asdict(evaluation)})
        return evaluation


# ---------------------------------------------------------------------- what goes into a record
def identity(thing):
    """``thing`` as JSON that tells two searches apart: dataclasses by their compared fields, functions by name."""
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, np.generic):
        return thing.item()
    if isinstance(thing, SearchSpace):
        return {"space": thing.name}
    if isinstance(thing, bytes | np.ndarray):
        return {"sha256": hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()}
    if isinstance(thing, Mapping):
        return {str(key): identity(value) for key, value in thing.items()}
    if isinstance(thing, tuple | list):
        return [identity(value) for value in thing]
    if is_dataclass(thing):
        return {"type": type(thing).__name__} | {f.name: identity(getattr(thing, f.name)) for f in fields(thing) if f.compare}
    return {"type": getattr(thing, "__qualname__", type(thing).__name__)}


def _flat(thing, name: str = "") -> dict:
    if isinstance(thing, Mapping):
        return {k: v for key, value in thing.items() for k, v in _flat(value, f"{name}.{key}" if name else key).items()}
    return {name: thing if not isinstance(thing, list) else json.dumps(thing)}


def _record(path: Path, number: int, line: bytes) -> dict:
    try:
        record = json.loads(line)
        if isinstance(record, dict):
            return record
    except ValueError:
        pass
    if number == 1:
        raise ValueError(f"{path} is not a record of a search; choose another file name")
    raise ValueError(f"{path}, line {number}: damaged record (not a JSON object); delete from there on")


def _evaluation(record: dict, choices: int) -> Evaluation:
    evaluation = Evaluation(**record | {"arch": tuple(record["arch"])})
    numbers = [*evaluation.scores.values(), evaluation.seconds]
    if len(evaluation.arch) != choices or not all(isinstance(i, int) for i in evaluation.arch):
        raise ValueError(f"{evaluation.arch} is no architecture of this space")
    if not all(isinstance(n, int | float) for n in numbers):
        raise ValueError("a score that is not a number")
    return evaluation


def _pack(value):
    if isinstance(value, np.ndarray):
        if value.dtype.str not in DTYPES:
            raise ValueError(f"a step shows arrays of {DTYPES}, got {value.dtype.str}")
        return [value.dtype.str, list(value.shape), base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()]
    return value.item() if isinstance(value, np.generic) else value


def _unpack(value):
    if isinstance(value, list):
        dtype, shape, text = value
        if dtype not in DTYPES or math.prod(shape) * np.dtype(dtype).itemsize != len(data := base64.b64decode(text)):
            raise ValueError("an array whose bytes do not match its shape")
        return np.frombuffer(data, dtype).reshape(shape)
    if not isinstance(value, int | float):
        raise ValueError("a shown value that is not a number")
    return value


def _rebuild(path):
    """The strategy that a record names, from its fields. Only nasviz's own names are looked up; nothing is imported."""
    from . import objectives, spaces, strategies         # a record names things downstream: only `load` follows the name

    with Path(path).open("rb") as file:
        head = _record(Path(path), 1, file.readline())
    own = {space.name: space for space in map(lambda name: getattr(spaces, name), spaces.__all__)}
    try:
        cls = {name: getattr(strategies, name) for name in strategies.__all__}[head["search"]]
        values = dict(head["fields"])
        known = {f.name: f for f in fields(cls)}
        values["space"] = own[values["space"]["space"]]()
        values.pop("type")
        for name, value in values.items():
            if isinstance(value, dict) and hasattr(objectives, value.get("type", "")):
                thing = getattr(objectives, value["type"])
                values[name] = thing(**{k: v for k, v in value.items() if k != "type"}) if is_dataclass(thing) else thing
        if "estimate" in known:
            values["estimate"] = _Named(values["estimate"])
        return cls(**{n: v for n, v in values.items() if n in known or known[n].default is MISSING})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: cannot rebuild the search from its record ({error!r}); pass it: Run.load(path, search)") from None
