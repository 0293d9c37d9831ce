"""Files of fitted devices: JSON with a version, what is said of the whole, and an entry a device."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from ..identity import OtherVersion, check_version

VERSION = 1
WRONG = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


class Named(Protocol):
    """What all devices have."""

    @property
    def name(self) -> str:
        """The device's name, as its source writes it."""


Device = TypeVar("Device", bound=Named)


def read(path: str | Path, device: Callable[[dict], Device]) -> tuple[dict, tuple[Device, ...]]:
    """Return what a file says of itself, and its devices, of which ``device`` makes each from its entry.

    Raises
    ------
    ValueError
        If the file is none, damaged, or of a newer nasviz, with its name.
    OSError
        If it cannot be read.
    """
    try:
        raw = json.loads(Path(path).read_text("utf-8"))
        check_version(path, raw["version"], VERSION)
        if not isinstance(raw["about"], dict) or not isinstance(raw["devices"], list) or not raw["devices"]:
            raise ValueError("it has no devices, or says nothing about them")
        return raw["about"], tuple(device(entry) for entry in raw["devices"])
    except OtherVersion:
        raise
    except WRONG as error:
        why = f"{type(error).__name__}: {error!s:.300}"
        raise ValueError(f"{path} is no file of fitted devices: {why}") from None


def write(path: str | Path, about: Mapping, entries: Sequence[Mapping], device: Callable[[dict], Device]) -> None:
    """Write a file, with five significant digits of each number, and read it back.

    Raises
    ------
    ValueError
        If what was written does not read.
    """
    whole = {"version": VERSION, "about": dict(about), "devices": list(entries)}
    text = json.dumps(short(whole), indent=1, ensure_ascii=False)
    Path(path).write_text(_flat(text) + "\n", "utf-8")
    if len(read(path, device)[1]) != len(entries):
        raise ValueError(f"{path} does not read as it was written")


def texts(entry: Mapping, *names: str) -> list[str]:
    """Some texts of an entry; ValueError if one is none."""
    found = [entry[name] for name in names]
    if not all(isinstance(text, str) for text in found):
        raise ValueError(f"{', '.join(names)} are texts, got {found!r:.100}")
    return found


def plain(name: str) -> str:
    """A device's name without capitals and spaces."""
    return "".join(str(name).lower().split())


def short(value):
    """The same JSON with five significant digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {name: short(one) for name, one in value.items()}
    return [short(one) for one in value] if isinstance(value, list | tuple) else value


def _flat(text: str) -> str:
    """JSON whose lists of numbers stand on one line each."""
    return re.sub(r"\[\s+([-\d.e,\s]+?)\s+\]", lambda found: "[" + " ".join(found[1].split()) + "]", text)


def named(devices: Iterable[Device], name: str) -> Device | None:
    """Return the first device of this name, where capitals and spaces do not matter; None if there is none."""
    return next((device for device in devices if plain(device.name) == plain(name)), None)
