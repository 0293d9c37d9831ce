"""What tells two searches apart, across changes of the code, and files of other versions.

Records from before `IDENTITY` 2 know a space, a function and a class by name alone. They are read as they were meant:
what they do not say is no difference, but for the choices of a space of one's own.

`identity` says of a search, an estimator or an objective what its answers depend on, as JSON. `differences` compares
two such descriptions and knows what it means that a field is not there, or is there no more, so that a record outlives
the code that wrote it. `check_version` refuses files of a newer format. All files of the project are read with them:
records of runs and races, tables and their parts, leaderboards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .estimator import Estimator
from .fingerprint import CODE, Unknown, fingerprint, is_own, made_with, of_class, same_code
from .space import OwnSpace, SearchSpace

IDENTITY = 2  # stands in the head of a record: how much an identity says
LATER = {CODE, "of", "with", "closure", "globals", "defaults", "keywords", "module", "function", "arguments", "table",
         "shape", "dtype", "again", "identity", "values"}  # what version 1 did not say  # fmt: skip
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
        raise OtherVersion(f"{path} has version {version!s:.40} of its format, and {reads}. Update nasviz")
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
    """``thing`` as JSON that tells two searches apart.

    Dataclasses are told by their compared fields, functions and classes of one's own by their code and what they read,
    those of nasviz and of libraries by name. A field may say itself what stands for its value, as folders of images do:
    ``field(metadata={"identity": function of the value})``. An attribute ``identity`` overrules all
    this: a text or number that changes whenever the answers do.

    Raises
    ------
    ValueError
        If nothing tells it apart. The message says how to name it.
    """
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    if isinstance(thing, np.generic) and isinstance(thing.item(), bool | int | float | str):
        return thing.item()
    if isinstance(getattr(thing, "__self__", None), SearchSpace):  # a method of a space
        return thing.__name__
    if isinstance(thing, Named):
        return thing.identity
    if isinstance(thing, bytes):
        return {"sha256": hashlib.sha256(thing).hexdigest()}
    if id(thing) in (around := _around.get()):  # a function that calls itself, objects that know each other
        return {"again": type(thing).__name__}
    inside = _around.set((*around, id(thing)))
    try:
        return _parts(thing)
    except RecursionError:
        raise Unknown(
            f"{thing!r:.60} is nested too deep to be told from another. Give it an attribute identity"
        ) from None
    finally:
        _around.reset(inside)


_around: ContextVar[tuple[int, ...]] = ContextVar("nasviz_identity", default=())


def _parts(thing):
    """`identity` of what has parts."""
    if isinstance(thing, SearchSpace):
        return _space(thing)
    if isinstance(thing, np.ndarray) and not thing.dtype.hasobject:
        digest = hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()
        return {"sha256": digest, "shape": list(thing.shape), "dtype": thing.dtype.str}
    if isinstance(thing, Mapping):
        said = {str(key): identity(value) for key, value in thing.items()}
        if len(said) < len(thing):
            raise Unknown(f"a mapping has keys that are different, but equal as texts: {list(thing)!r:.80}")
        return said
    if isinstance(thing, tuple | list):
        return [identity(value) for value in thing]
    if isinstance(thing, set | frozenset):
        return {"type": "set", "with": sorted((identity(value) for value in thing), key=json.dumps)}
    if isinstance(thing, Enum):
        return {"type": type(thing).__name__, "with": thing.name}
    if not isinstance(thing, type) and (given := getattr(thing, "identity", None)) is not None:
        name = getattr(thing, "__qualname__", type(thing).__name__)
        return {"type": name, "identity": identity(given() if callable(given) else given)}
    if is_dataclass(thing) and not isinstance(thing, type):
        said = {f.name: _field(thing, f) for f in fields(thing) if f.compare}
        return _Fields(type(thing), {"type": type(thing).__name__} | said | of_class(type(thing), identity))
    return fingerprint(thing, identity)


def _field(thing, one: Field):
    """`identity` of a field's value, or of what the field says stands for it."""
    value = one.metadata.get("identity", _itself)(getattr(thing, one.name))
    return str(value) if isinstance(value, Path) else identity(value)


def _space(space: SearchSpace) -> dict:
    """What tells a space apart: its name, where it is one of nasviz; else its choices, its rule and its code too."""
    said: dict = {"space": space.name}
    if (given := vars(space).get("identity")) is not None:
        return said | {"identity": identity(given)}
    if is_own(type(space)) and (made := made_with(space)):
        said["with"] = {name: identity(value) for name, value in made.items() if name not in ("name", "choices")}
    kinds = {one.__name__ for one in type(space).__mro__ if not is_own(one)}
    if "KnownSpace" in kinds:
        said["table"] = identity(vars(space)["table"])
    elif not _by_name(space):
        said["choices"] = [
            {"name": one.name, "options": identity(one.options)} | ({"when": identity(one.when)} if one.when else {})
            for one in (*space.choices, *(space.relaxed if space.can("relaxed") else ()))
        ]
    if isinstance(space, OwnSpace):
        said |= {name: identity(part) for name, part in (("build", space._build), ("rule", space._rule)) if part}
    return said | of_class(type(space), identity)


def _by_name(space: SearchSpace) -> bool:
    """Whether the name says all about a space's choices: where nasviz has a space of this name with these choices."""
    kind = next(one for one in type(space).__mro__ if not is_own(one))
    if kind in (SearchSpace, OwnSpace):
        return False
    if not is_own(type(space)):
        return getattr(space, "named", True)
    try:
        known = kind()
    except TypeError:
        return False
    return known.name == space.name and known.choices == space.choices


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


def differences(there, here, name: str = "", find: Find = lambda _: None, old: bool = False) -> list[str]:
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
    old : bool
        Whether one of them is from before `IDENTITY` 2, so that it does not say all.
    """
    if there == here or (there != there and here != here):  # nan is nan
        return []
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        pairs = enumerate(zip(there, here, strict=True))
        return [line for i, (a, b) in pairs for line in differences(a, b, f"{name}[{i}]", find, old)]
    if old and (folder := _folder_of(there, here)):
        return [] if folder[0] == folder[1] else [f"{name} is {folder[0]} there, {folder[1]} here"]
    if not (isinstance(there, Mapping) and isinstance(here, Mapping)):
        return [_apart(name, there, here)]
    find_here = _with(here, find)
    there, here = today(there, find_here), today(here, find)
    same = there.get("type") == here.get("type") and there.keys() != here.keys()
    kind = find_here(here.get("type", "")) if same else None
    known = {one.name: one.compare for one in fields(kind)} if kind else {}
    meant = {key: identity(value) for key, value in absent(kind).items()} if kind else {}
    lines = []
    for key in {**here, **there}:
        at = f"{name}.{key}" if name else key
        if key in LATER and key not in known and not (key in there and key in here):
            if not old:
                lines.append(_apart(at, there.get(key), here.get(key)))
            continue
        if key == CODE:
            if not same_code(there[key], here[key]):
                lines.append(f"the code of {name or 'the search'} is another there")
            continue
        if key == "folder":  # where it lies does not matter, what is in it does
            continue
        if not known.get(key, True):  # an old record says it, but it tells no searches apart now
            continue
        if (key in there and key in here) or key in meant:
            lines += differences(there.get(key, meant.get(key)), here.get(key, meant.get(key)), at, find, old)
        elif kind and key in there and key not in known:
            lines.append(GONE.format(at, there[key], kind.__name__))
        else:
            lines.append(_apart(at, there.get(key), here.get(key)))
    return lines


def _apart(name: str, there, here) -> str:
    texts = [text if len(text := str(one)) <= 200 else f"{text[:200]}…" for one in (there, here)]
    return f"{name} is {texts[0]} there, {texts[1]} here"


def _folder_of(there, here) -> tuple | None:
    """The paths of a folder of images that one identity knows by its content, and an old one by its path."""
    if isinstance(there, Mapping) == isinstance(here, Mapping):
        return None
    paths = tuple(one.get("folder") if isinstance(one, Mapping) else one for one in (there, here))
    return None if None in paths else paths


def of_version_one(*heads: Mapping) -> bool:
    """Whether one of some heads is from before `IDENTITY` 2."""
    return any(head.get("identity", 1) == 1 for head in heads)


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
