"""The file behind a `Run`: JSON Lines, one head that says which search this is, then what it was told.

Nothing in a file is executed or looked up, except that `rebuild` follows the names of nasviz's own strategies. What is
not as it should be raises ValueError with the file and the line; no reader changes a file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np

from .estimator import Estimator
from .space import SearchSpace
from .step import Evaluation, Step

DTYPES = ("<f4", "<f8", "<i4", "<i8", "|i1", "|u1", "|b1")
FOREIGN = "{} is not a record of a search. Choose another file name"


class Named(Estimator):
    """Stands for the estimator of a record: known by what identifies it, answers nothing."""

    def __init__(self, identity):
        self.identity = identity


def identity(thing):
    """``thing`` as JSON that tells two searches apart: dataclasses by their compared fields, functions by name."""
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, np.generic):
        return thing.item()
    if isinstance(thing, SearchSpace):
        return {"space": thing.name}
    if isinstance(thing, Named):
        return thing.identity
    if isinstance(thing, bytes | np.ndarray):
        return {"sha256": hashlib.sha256(memoryview(thing).tobytes()).hexdigest()}
    if isinstance(thing, Mapping):
        return {str(key): identity(value) for key, value in thing.items()}
    if isinstance(thing, tuple | list):
        return [identity(value) for value in thing]
    if is_dataclass(thing) and not isinstance(thing, type):
        compared = (f.name for f in fields(thing) if f.compare)
        return {"type": type(thing).__name__} | {name: identity(getattr(thing, name)) for name in compared}
    return {"type": getattr(thing, "__qualname__", type(thing).__name__)}


def whole(path: Path, head: dict) -> int:
    """How many bytes of ``path`` are whole lines of the record that ``head`` begins.

    A last line without its end was torn by a kill and does not count. ValueError if the file is no record, or is the
    record of another search: the message names what differs.
    """
    raw = path.read_bytes()
    size = raw.rfind(b"\n") + 1
    if not size:
        if not json.dumps(head).encode().startswith(raw):         # a torn head may be written over, other files not
            raise ValueError(FOREIGN.format(path))
        return 0
    its = _head(path, raw[: raw.index(b"\n")])
    here, there = _flat(head), _flat(its)
    names = [name for name in {**here, **there} if here.get(name, "absent") != there.get(name, "absent")]
    if names:
        differs = ", ".join(f"{n.removeprefix('fields.')} is {there.get(n)} there, {here.get(n)} here" for n in names)
        raise ValueError(f"{path} is the record of another search: {differs}. Choose another file name")
    return size


def read(path: Path, space: SearchSpace, check_turn: Callable[[dict], dict]) -> Iterator[tuple[str, object]]:
    """What the whole lines after the head say, in order.

    Yields ("evaluation", Evaluation), ("turn", (before which step, {knob: value})) or ("step", (Step, seconds)).
    """
    raw = path.read_bytes()
    for number, line in enumerate(raw[: raw.rfind(b"\n") + 1].split(b"\n")[1:-1], 2):
        entry = _object(path, number, line)
        try:
            if "evaluation" in entry:
                yield "evaluation", _evaluation(entry["evaluation"], space)
            elif "turn" in entry:
                yield "turn", (int(_number(entry["at"])), check_turn(entry["turn"]))
            else:
                shows = {name: _unpack(value) for name, value in entry["step"].items()}
                yield "step", (Step(**shows), float(_number(entry["seconds"])))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f"{path}, line {number}: damaged record ({error}). Delete from this line on") from None


def pack(value):
    """A shown value as JSON: arrays as type, shape and base64."""
    if isinstance(value, np.ndarray):
        if value.dtype.str not in DTYPES:
            raise ValueError(f"a step shows arrays of {DTYPES}, got {value.dtype.str}")
        return [value.dtype.str, list(value.shape), base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()]
    return value.item() if isinstance(value, np.generic) else value


def rebuild(path: str | Path):
    """The strategy that a record names, made from its fields; its estimator is a name only.

    Raises
    ------
    ValueError
        If it is not one of nasviz's own.
    """
    from . import objectives, spaces, strategies  # a record names things downstream: only a reader follows the names

    with Path(path).open("rb") as file:
        head = _head(path, file.readline())
    own = {space.name: space for space in (getattr(spaces, name)() for name in spaces.__all__)}

    def made(value):
        """An objective, or several, from what `identity` said of it."""
        if isinstance(value, list):
            return tuple(map(made, value))
        kind = value.get("type", "") if isinstance(value, dict) else ""
        thing = getattr(objectives, kind) if kind in ("accuracy", "Bounded", "CubedBest", "Less", "Score") else None
        if not is_dataclass(thing):
            return thing or value
        return thing(**{k: made(v) for k, v in value.items() if k != "type"})

    try:
        if head["search"] not in strategies.__all__:
            raise KeyError(head["search"])
        values = {name: value for name, value in head["fields"].items() if name != "type"}
        for name, value in values.items():
            if name == "space":
                values[name] = own[value["space"]]
            elif name == "estimate":
                values[name] = Named(value)
            elif name in ("objective", "objectives"):
                values[name] = made(value)
        return getattr(strategies, head["search"])(**values)
    except (KeyError, TypeError, AttributeError) as error:
        reason = f"cannot rebuild the search from its record ({error!r}). Pass it: Run.load(path, search)"
        raise ValueError(f"{path}: {reason}") from None


# ---------------------------------------------------------------------- lines
def _flat(thing, name: str = "") -> dict:
    if isinstance(thing, Mapping):
        return {k: v for key, value in thing.items() for k, v in _flat(value, f"{name}.{key}" if name else key).items()}
    return {name: thing if not isinstance(thing, list) else json.dumps(thing)}


def _head(path: str | Path, line: bytes) -> dict:
    try:
        head = _object(path, 1, line)
        if "nasviz" in head:
            return head
    except ValueError:
        pass
    raise ValueError(FOREIGN.format(path))


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


def _evaluation(entry: dict, space: SearchSpace) -> Evaluation:
    scores = {str(name): _number(value) for name, value in entry["scores"].items()}
    epochs, seed = int(_number(entry["epochs"])), int(_number(entry["seed"]))
    return Evaluation(space.check(entry["arch"]), scores, float(_number(entry["seconds"])), epochs, seed)


def _unpack(value):
    if not isinstance(value, list):
        return _number(value)
    dtype, shape, text = value
    data = base64.b64decode(text, validate=True)
    if dtype not in DTYPES or math.prod(shape) * np.dtype(dtype).itemsize != len(data):
        raise ValueError("an array whose bytes do not match its shape")
    return np.frombuffer(data, dtype).reshape(shape)


def put_aside(path: Path) -> Path:
    """Rename a record, and the state beside it, to the first free numbered name: ``run-1.jsonl``."""
    number = 1
    while (new := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    for state in [p for p in path.parent.iterdir() if p.name.startswith(f"{path.name}.step")]:
        state.rename(state.with_name(new.name + state.name.removeprefix(path.name)))
    return path.rename(new)
