"""The file behind a `Run`: JSON Lines, one head that says which search this is, then what it was told.

Nothing in a file is executed, and its names are looked up among those that nasviz exports only. What is not as it
should be raises ValueError with the file and the line; no reader changes a file.

A record outlives the code that wrote it: see `nasviz.identity`.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np

from . import datasets, estimators, objectives, spaces, strategies
from .identity import (
    GONE,
    Named,
    OtherVersion,
    absent,
    among,
    check_version,
    differences,
    identity,
    of_version_one,
    today,
)
from .lock import Writing
from .space import SearchSpace
from .step import Evaluation, Step, choices_of, number

VERSION = 1  # of the format of a run's record
FIND = among(strategies, objectives, estimators)  # what a record may name
DTYPES = ("<f4", "<f8", "<i4", "<i8", "|i1", "|u1", "|b1")
FOREIGN = "{} is not a record of a search. Choose another file name"


def whole(path: Path, head: dict) -> int:
    """How many bytes of ``path`` are whole lines of the record that ``head`` begins.

    A last line without its end was torn by a kill and does not count. ValueError if the file is no record, or is the
    record of another search: the message names what differs.
    """
    raw = path.read_bytes()
    size = raw.rfind(b"\n") + 1
    if not size:
        if not json.dumps(head).encode().startswith(raw):  # a torn head may be written over, other files not
            raise ValueError(FOREIGN.format(path))
        return 0
    its = _head(path, raw[: raw.index(b"\n")])
    there, here = ({"fields": one.get("fields")} for one in (its, head))
    if lines := differences(there, here, find=FIND, old=of_version_one(its)):
        differs = ", ".join(line.removeprefix("fields.") for line in lines)
        raise ValueError(f"{path} is the record of another search: {differs:.2000}. Choose another file name")
    return size


def read(path: Path, check_turn: Callable[[dict], dict]) -> Iterator[tuple[str, object]]:
    """What the whole lines after the head say, in order.

    Yields ("evaluation", Evaluation), ("turn", (before which step, {knob: value})) or ("step", (Step, seconds)).
    """
    raw = path.read_bytes()
    for at, line in enumerate(raw[: raw.rfind(b"\n") + 1].split(b"\n")[1:-1], 2):
        entry = _object(path, at, line)
        try:
            if "evaluation" in entry:
                yield "evaluation", _evaluation(entry["evaluation"])
            elif "turn" in entry:
                yield "turn", (int(_number(entry["at"])), check_turn(entry["turn"]))
            else:
                shows = {name: _unpack(value) for name, value in entry["step"].items()}
                said = _evaluation(entry["answer"]) if "answer" in entry else None
                yield "step", (Step(said, **shows), float(_number(entry["seconds"])))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f"{path}, line {at}: damaged record ({error!s:.300}). Delete from this line on") from None


def plain_shows(shows: Mapping) -> dict:
    """What a step shows, in types that a record keeps: ints, floats, arrays. ValueError names what is none of these."""
    out = {}
    for name, value in shows.items():
        if isinstance(value, np.ndarray) and value.ndim and value.dtype.str not in DTYPES:
            raise ValueError(
                f"a step shows {name!r} as an array of {value.dtype.str}; one of {', '.join(DTYPES)} is kept"
            )
        kept = type(value) is int or (isinstance(value, np.ndarray) and value.dtype.str in DTYPES)
        out[name] = value if kept else number(value, f"what a step shows as {name!r}")
    return out


def line_of(evaluation: Evaluation) -> bytes:
    """Return the line of an answer as `nasviz.step.plain` gives it: what `json` writes, in less of the time."""
    scores = evaluation.scores
    if not math.isfinite(sum(scores.values(), evaluation.seconds)):  # JSON writes nan and infinities in its own way
        return json.dumps({"evaluation": vars(evaluation)}).encode() + b"\n"
    form = _form(tuple(scores))
    said = [_text(value) if value else repr(value) for value in (*scores.values(), evaluation.seconds)]
    return (form % (_list(evaluation.arch), *said, evaluation.epochs, evaluation.seed)).encode()


# Shortest digits take longer than all else of a line, and a table gives the same numbers again and again. Not for 0:
# 0.0 and -0.0 are one key.
_text = lru_cache(maxsize=2**14)(float.__repr__)


@lru_cache(maxsize=2**14)
def _list(arch: tuple[int, ...]) -> str:
    return repr([*arch])


@lru_cache(maxsize=64)
def _form(names: tuple[str, ...]) -> str:
    """Return the line of an answer with scores of these names, with a place for each number."""
    scores = ", ".join(json.dumps(name).replace("%", "%%") + ": %s" for name in names)
    head = '{"evaluation": {"arch": %s, "scores": {'
    return head + scores + '}, "seconds": %s, "epochs": %r, "seed": %r}}\n'


def pack(value):
    """A value of `plain_shows` as JSON: arrays as type, shape and base64."""
    if isinstance(value, np.ndarray):
        return [value.dtype.str, list(value.shape), base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()]
    return value


def rebuild(path: str | Path):
    """The strategy that a record names, made from its fields; its estimator is a name only.

    Raises
    ------
    ValueError
        If the search, its space or its objective is not one of nasviz's own, or a field of it is no more: it names it.
    """
    with Path(path).open("rb") as file:
        head = _head(path, file.readline())
    try:
        if head["search"] not in strategies.__all__:
            raise ValueError(f"its strategy {head['search']!r} is not one of nasviz's own")
        said = dict(today(head["fields"] | {"type": head["search"]}, FIND))
        own = {space.name: space for space in (getattr(spaces, name)() for name in spaces.__all__)}
        if (space := said["space"]["space"]) not in own or len(said["space"]) > 1:
            raise ValueError(f"its space {space!r} is not one of nasviz's own")
        for name in (
            "estimate",
            "data",
            "start",
            "parent",
            "weights",
            "teacher",
        ):  # a replayed search asks none of them
            of_path = name == "data" and datasets.as_folder(said.get(name)) is not None  # of older versions
            if isinstance(said.get(name), Mapping) or of_path:
                said[name] = Named(said[name])
        if isinstance(recipe := said.get("recipe"), Mapping):
            said["recipe"] = _built(estimators.Recipe, {name: one for name, one in recipe.items() if name != "type"})
        if isinstance(method := said.get("mutation"), str):
            said["mutation"] = _method(own[space], method)
        values = {name: _objective(value) for name, value in said.items() if name not in ("type", "space")}
        for name in values.keys() & {"objective", "objectives"}:
            if not all(map(callable, values[name] if name == "objectives" else (values[name],))):
                raise ValueError(f"its {name} is {said[name]!r:.60}, none of nasviz's")
        return _built(getattr(strategies, said["type"]), values | {"space": own[space]})
    except OtherVersion as error:
        raise OtherVersion(f"{path}: {error!s:.2000}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = error if type(error) is ValueError else repr(error)
        told = f"{path}: cannot rebuild the search from its record ({reason!s:.300}). Pass it: Run.load(path, search)"
        raise ValueError(told) from None


def _objective(said):
    """An objective, or several, from what `identity` said of it; numbers and texts are what they are."""
    if isinstance(said, list):
        return tuple(map(_objective, said))
    said = today(said, FIND)
    if not isinstance(said, Mapping) or "type" not in said:
        return said
    if said["type"] not in objectives.__all__:
        raise ValueError(f"{said['type']!r} is not one of nasviz's objectives")
    kind = getattr(objectives, said["type"])
    return _built(kind, {name: _objective(value) for name, value in said.items() if name != "type"})


def _method(space: SearchSpace, name: str):
    """A method of ``space``, from what `identity` said of it."""
    if not space.can(name) or identity(getattr(space, name)) != name:
        raise ValueError(f"the space {space.name} has no method {name!r}")
    return getattr(space, name)


def _built(kind, values: Mapping):
    """An object of ``kind`` from the fields that a record has of it, or a function itself."""
    if not is_dataclass(kind):
        return kind
    of = cast("type", kind)
    for name in sorted(values.keys() - {one.name for one in fields(of)}):
        raise OtherVersion(GONE.format(name, values[name], of.__name__))
    return of(**{**absent(of), **values})


# ---------------------------------------------------------------------- lines
def _head(path: str | Path, line: bytes) -> dict:
    try:
        head = _object(path, 1, line)
        check_version(path, head.get("nasviz"), VERSION)
        return head
    except OtherVersion:
        raise
    except ValueError:
        raise ValueError(FOREIGN.format(path)) from None


def _object(path: str | Path, number: int, line: bytes) -> dict:
    try:
        entry = json.loads(line)
        if isinstance(entry, dict):
            return entry
    except (ValueError, RecursionError):
        pass
    raise ValueError(f"{path}, line {number}: damaged record (not a JSON object). Delete from this line on")


def _number(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r:.40} is not a number")
    return value


def _evaluation(entry: dict) -> Evaluation:
    scores = {str(name): number(value, name) for name, value in entry["scores"].items()}
    epochs, seed = int(_number(entry["epochs"])), int(_number(entry["seed"]))
    return Evaluation(choices_of(entry["arch"]), scores, float(_number(entry["seconds"])), epochs, seed)


def _unpack(value):
    if not isinstance(value, list):
        return value if type(value) is int else number(value, "what a step shows")
    dtype, shape, text = value
    data = base64.b64decode(text, validate=True)
    if not isinstance(shape, list) or any(type(axis) is not int or axis < 0 for axis in shape):
        raise ValueError(f"an array's shape is {shape!r:.60}: a list of whole numbers from 0 is needed")
    if dtype not in DTYPES or math.prod(shape) * np.dtype(dtype).itemsize != len(data):
        raise ValueError("an array whose bytes do not match its shape")
    return np.frombuffer(data, dtype).reshape(shape)


def put_aside(path: Path) -> Path:
    """Rename a record, and the state beside it, to the first free numbered name: ``run-1.jsonl``.

    `nasviz.lock.Occupied` if somebody writes it.
    """
    Writing(path).close()
    number = 1
    while (new := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    for state in [p for p in path.parent.iterdir() if p.name.startswith(f"{path.name}.step")]:
        state.rename(state.with_name(new.name + state.name.removeprefix(path.name)))
    return path.rename(new)
