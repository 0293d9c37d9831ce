"""What tells two searches apart, across changes of the code, and files of other versions.

`identity` says of a search, an estimator or an objective what its answers depend on, as JSON. `differences` compares
two such descriptions and knows what it means that a field is not there, or is there no more, so that a record outlives
the code that wrote it. `check_version` refuses files of a newer format. All files of the project are read with them:
records of runs and races, tables and their parts, leaderboards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import NamedTuple

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


class Retired(NamedTuple):
    """What old records say of a field that a class has no more: ``retired: ClassVar = {"field": Retired(…)}``.

    Attributes
    ----------
    meant : JSON
        The value at which the search is the one that the class is now. A record with it is read as if it lacked the
        field.
    instead : str
        The class that has the field now. A record with another value is read as one of that class. Empty: no class
        has it, and such a record is refused.
    """

    meant: object
    instead: str = ""


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
    """``thing`` as JSON that tells two searches apart: dataclasses by their compared fields, functions by name."""
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, np.generic):
        return thing.item()
    if isinstance(thing, SearchSpace):
        return {"space": thing.name}
    if isinstance(getattr(thing, "__self__", None), SearchSpace):  # a method of a space
        return thing.__name__
    if isinstance(thing, Named):
        return thing.identity
    if isinstance(thing, bytes | np.ndarray):
        return {"sha256": hashlib.sha256(memoryview(thing).tobytes()).hexdigest()}
    if isinstance(thing, Mapping):
        return {str(key): identity(value) for key, value in thing.items()}
    if isinstance(thing, tuple | list):
        return [identity(value) for value in thing]
    if is_dataclass(thing) and not isinstance(thing, type):
        said = {f.name: identity(getattr(thing, f.name)) for f in fields(thing) if f.compare}
        return _Fields(type(thing), {"type": type(thing).__name__} | said)
    return {"type": getattr(thing, "__qualname__", type(thing).__name__)}


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


def today(said, find: Find):
    """What a record says of an object, as today's classes say it; anything but the fields of a dataclass as it is.

    A retired field goes, or turns the object into one of another class: see `Retired`. A field whose default was
    written otherwise says so in its metadata: with ``field(default=None, metadata={"formerly": "mutate"})`` the text
    "mutate" in a record means None.

    Parameters
    ----------
    said : JSON
    find : callable
        See `differences`.
    """
    if not isinstance(said, Mapping):
        return said
    kind = said.kind if isinstance(said, _Fields) else find(said.get("type", ""))
    if kind is None:
        return said
    now, known = dict(said), {one.name: one for one in fields(kind)}
    for name in now.keys() & known.keys():
        if "formerly" in known[name].metadata and now[name] == known[name].metadata["formerly"]:
            now[name] = identity(known[name].default)
    heir = ""
    for name, old in getattr(kind, "retired", {}).items():
        if name in now and name not in known:
            if now[name] == old.meant:
                del now[name]
            else:
                heir = heir or old.instead
    if heir:
        return today(now | {"type": heir}, find)
    return _Fields(kind, now) if isinstance(said, _Fields) else now


def differences(there, here, name: str = "", find: Find = lambda _: None) -> list[str]:
    """What two identities do not agree on, a sentence each; none if they are of the same search.

    Both are read as `today` says. A field that one of them lacks counts as `absent` says. A field that the class has
    no more is a difference.

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
    find_here = _with(here, find)
    there, here = today(there, find_here), today(here, find)
    same = there.get("type") == here.get("type") and there.keys() != here.keys()
    kind = find_here(here.get("type", "")) if same else None
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


def _with(here: Mapping, find: Find) -> Find:
    """What finds the class of ``here`` itself before it asks ``find``."""
    if isinstance(here, _Fields):
        return lambda name: here.kind if name == here.get("type") else find(name)
    return find


def among(*parts) -> Find:
    """What finds a dataclass by name among those that some modules export."""

    def find(name: str) -> type | None:
        kind = next((getattr(part, name) for part in parts if name in part.__all__), None)
        return kind if isinstance(kind, type) and is_dataclass(kind) else None

    return find
