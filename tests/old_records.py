"""The records in this folder, where a test may write, and classes as they may be one day."""

import shutil
from dataclasses import field, fields, make_dataclass
from pathlib import Path

from records import make

RECORDS = Path(__file__).parent / "records"
OWN = [name for name in make.RUNS if name != "own"]


def changed(cls, new=None):
    """``cls`` as it may be one day: the same name, and one field more, ``freeze``, by default 0."""
    frozen = cls.__dataclass_params__.frozen
    new = new or field(default=0)
    return make_dataclass(cls.__name__, [("freeze", int, new)], bases=(cls,), frozen=frozen)


def moved(thing, cls, **more):
    """``thing`` as one of a class with more fields."""
    return cls(**{one.name: getattr(thing, one.name) for one in fields(thing)}, **more)


def copied(name, folder):
    """A record and the state beside it, where a test may write."""
    folder.mkdir(exist_ok=True)
    for path in (RECORDS / "runs").glob(f"{name}.jsonl*"):
        shutil.copy(path, folder)
    return folder / f"{name}.jsonl"
