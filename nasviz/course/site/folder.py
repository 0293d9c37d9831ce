"""The folder of a site: new, or written by an earlier build. What somebody else put there is never overwritten.

The folder remembers what was written (``.nasviz-site.json``: a SHA-256 of each file). A file that still is as it was
written is replaced, or removed if the site has it no more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from ... import __version__, textfile
from ..student import replace

MEMORY = ".nasviz-site.json"
MOST = 2**22  # bytes of it


class NotOurs(ValueError):
    """The error for a folder with files in it that no build has written, or that somebody has changed since."""


def digest(data: bytes) -> str:
    """What tells two files apart."""
    return hashlib.sha256(data).hexdigest()


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a site into a folder, new or written into before: what is not of it any more is removed.

    Parameters
    ----------
    files : mapping of str to bytes
        The files by their addresses in the folder, with ``/`` in them.
    folder : Path

    Raises
    ------
    NotOurs
        Before anything is written: a file is in the way that no build wrote, or that was changed since.
    OSError
    """
    given = check(folder)
    foreign = [
        name
        for name in sorted(files.keys() | given.keys())
        if (folder / name).exists() and not _is_ours(folder / name, given.get(name, ()))
    ]
    if foreign:
        more = f", and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        raise NotOurs(
            f"{folder}: no build of the site wrote {', '.join(foreign[:3])}{more}, or somebody changed it since. "
            "Name a new folder, or move it away."
        )
    now = {name: digest(data) for name, data in files.items()}
    kept = {name: sorted({*given.get(name, ()), now[name]}) for name in now}
    folder.mkdir(parents=True, exist_ok=True)
    _remember(folder, {**given, **kept})  # before the files: a build that is killed leaves files that are known as ours
    for name, data in files.items():
        if not (folder / name).exists() or digest((folder / name).read_bytes()) != now[name]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            replace(folder / name, data)
    for name in given.keys() - files.keys():
        (folder / name).unlink(missing_ok=True)
    _remember(folder, {name: [one] for name, one in now.items()})


def check(folder: Path) -> dict[str, list[str]]:
    """What was written into a folder: the digests of each file; nothing for one that is new or empty.

    Raises
    ------
    NotOurs
        If no build has written there, and it is not empty; or if what it remembers is damaged.
    """
    if not (folder / MEMORY).exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise NotOurs(f"{folder} exists already, and what is in it may be yours: name a new folder.")
        return {}
    try:
        found = textfile.json_object(textfile.read_text(folder / MEMORY, MOST))["files"]
        for name, digests in found.items():
            if not (isinstance(digests, list) and all(isinstance(one, str) for one in digests)):
                raise ValueError(f"what it says of {name!r:.60} is no list of digests")
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise ValueError(f"{name!r:.60} is outside of the folder")
    except (ValueError, KeyError, AttributeError) as error:
        raise NotOurs(f"{folder / MEMORY} is damaged ({error}): name a new folder.") from None
    return found


def _is_ours(path: Path, digests) -> bool:
    return path.is_file() and digest(path.read_bytes()) in digests


def _remember(folder: Path, files: Mapping[str, list[str]]) -> None:
    memory = {"version": 1, "nasviz": __version__, "files": dict(sorted(files.items()))}
    replace(folder / MEMORY, (json.dumps(memory, indent=1) + "\n").encode())
