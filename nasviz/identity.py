"""What tells two searches apart, across changes of the code, and files of other versions.

`identity` says of a search, an estimator or an objective what its answers depend on, as JSON. `differences` compares
two such descriptions and knows what it means that a field is not there, so that a record outlives the code that wrote
it. `check_version` refuses files of a newer format. All files of the project are read with them: records of runs and
races, tables and their parts, leaderboards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import numpy as np

from .estimator import Estimator
from .space import SearchSpace

GONE = "{} is {!r:.60} there, and {} has no such field any more: use the version of nasviz that wrote it"


Find = Callable[[str], type | None]


class OtherVersion(ValueError):
    """A file is whole, but another version of nasviz wrote it, and this one cannot read it."""


def check_version(path: str | Path, version, newest: int) -> None:
    """Refuse a file of a newer format than ``newest``, instead of guessing what it means.

    Raises
    ------
    OtherVersion
        It says which version, which file, and what to do.
    ValueError
        If ``version`` is none.
    """
    if isinstance(version, int) and version > newest:
        reads = f"this nasviz reads up to version {newest}"
        raise OtherVersion(f"{path} has version {version} of its format, and {reads}. Update nasviz")
    if isinstance(version, bool) or version not in range(1, newest + 1):
        raise ValueError(f"{version!r:.40} is no version of a format")


class Named(Estimator):
    """Stands for the estimator of a record: known by what identifies it, answers nothing."""

    def __init__(self, identity):
        self.identity = identity


class _Fields(dict):
    """The fields of a dataclass as JSON; ``kind`` is the class, which says what it means that a field is missing."""

    def __init__(self, kind: type, said: Mapping):
        super().__init__(said)
        self.kind = kind


def identity(thing):
    """``thing`` as JSON that tells two searches apart: dataclasses by their compared fields, functions by name.

    A field may say itself what stands for its value: ``field(metadata={"identity": function of the value})``.
    """
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
        values = {
            f.name: f.metadata.get("identity", _itself)(getattr(thing, f.name)) for f in fields(thing) if f.compare
        }
        said = {name: identity(value) for name, value in values.items()}
        return _Fields(type(thing), {"type": type(thing).__name__} | said)
    return {"type": getattr(thing, "__qualname__", type(thing).__name__)}


def _itself(value):
    return value


def absent(kind: type) -> dict:
    """What a record means that lacks a field of a dataclass, because the field is newer than the record.

    It means the field's default, at which the search has to be the old one. Where it is not, the field says in its
    metadata what an old record meant: ``field(default=5, metadata={"absent": 0})``. A field that has neither is not in
    the answer, a dict of values by name.
    """
    meant = {}
    for one in fields(kind):
        if "absent" in one.metadata:
            meant[one.name] = one.metadata["absent"]
        elif one.default is not MISSING:
            meant[one.name] = one.default
        elif one.default_factory is not MISSING:
            meant[one.name] = one.default_factory()
    return meant


def differences(there, here, name: str = "", find: Find = lambda _: None) -> list[str]:
    """What two identities do not agree on, a sentence each; none if they are of the same search.

    A field that one of them lacks counts as `absent` says. A field that the class has no more is a difference.

    Parameters
    ----------
    there, here : JSON
        From a file, and from `identity` or another file.
    name : str
        Of what is compared: what the sentences begin with.
    find : callable
        ``find(name) -> dataclass or None``, where ``here`` is from a file too and only names its classes: they know
        what a missing field means. See `among`.
    """
    if there == here:
        return []
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        pairs = enumerate(zip(there, here, strict=True))
        return [line for i, (a, b) in pairs for line in differences(a, b, f"{name}[{i}]", find)]
    if not (isinstance(there, Mapping) and isinstance(here, Mapping)):
        return [f"{name} is {there} there, {here} here"]
    kind = _kind(there, here, find) if there.keys() != here.keys() else None
    known = {one.name: one.compare for one in fields(kind)} if kind else {}
    meant = {key: identity(value) for key, value in absent(kind).items()} if kind else {}
    lines = []
    for key in {**here, **there}:
        at = f"{name}.{key}" if name else key
        if not known.get(key, True):  # an old record says it, but it tells no searches apart now
            continue
        if (key in there and key in here) or key in meant:
            lines += differences(there.get(key, meant.get(key)), here.get(key, meant.get(key)), at, find)
        elif kind and key in there and key not in known:
            lines.append(GONE.format(at, there[key], kind.__name__))
        else:
            lines.append(f"{at} is {there.get(key)} there, {here.get(key)} here")
    return lines


def _kind(there: Mapping, here: Mapping, find: Find) -> type | None:
    """The dataclass that two identities are of; None if they are of different ones, or if nobody knows it."""
    if here.get("type") != there.get("type"):
        return None
    if isinstance(here, _Fields):
        return here.kind
    return find(here.get("type", ""))


def among(*parts) -> Find:
    """What finds a dataclass by name among those that some modules export."""

    def find(name: str) -> type | None:
        kind = next((getattr(part, name) for part in parts if name in part.__all__), None)
        return kind if isinstance(kind, type) and is_dataclass(kind) else None

    return find
