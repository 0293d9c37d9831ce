"""A student's own folder of labs: handed out once, brought up to date later, and what was written in stays.

    python -m nasviz labs my-labs            the first time, and after each update of nasviz

The folder remembers what was given (``.nasviz-labs.json``: a SHA-256 of each text). A file that still is as it was
given is replaced by its newer edition. One that was written in stays as it is, and the newer edition is put beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from .. import __version__, textfile
from .student import replace, write

MEMORY = ".nasviz-labs.json"
MOST = 2**22  # bytes of it


class NotOurs(ValueError):
    """The error for a folder with files in it that no edition was given into."""


def digest(text: str) -> str:
    """What tells two texts apart."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def hand_out(texts: Mapping[str, str], folder: Path, path: int | None = None) -> Iterator[tuple[str, str]]:
    """Give an edition into a folder, new or given into before. What happened to each file whose text changed.

    Parameters
    ----------
    texts : mapping of str to str
        An edition: the text of each file, by its name (`nasviz.course.student.edition`).
    folder : Path
    path : int, optional
        Which path the edition is of; remembered for the next time.

    Yields
    ------
    (name, word)
        ``new``, ``updated``, or ``beside``: the student's stays, and its newer edition has the name that is given.

    Raises
    ------
    NotOurs
        Before anything is written: the folder holds files and no edition was given into it, or its memory is damaged.
    OSError
    """
    given = remembered(folder)["files"] if (folder / MEMORY).exists() else {}
    if not given and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotOurs(f"{folder} exists already, and what is in it may be yours: name a new folder.")
    now = {name: digest(text) for name, text in texts.items()}
    kept = {
        name: [*given.get(name, ()), *([now[name]] if now[name] not in given.get(name, ()) else [])] for name in now
    }
    folder.mkdir(parents=True, exist_ok=True)
    memory = {"version": 1, "nasviz": __version__, "path": path, "files": given | kept}
    # Before the files: one that is new, but not yet remembered as given, would pass for the student's.
    replace(folder / MEMORY, json.dumps(memory, indent=1) + "\n")
    for name, text in texts.items():
        file = folder / name
        if not file.exists():
            write({name: text}, folder)
            yield name, "new"
        elif (there := digest(file.read_bytes().decode("utf-8", "surrogateescape").replace("\r\n", "\n"))) == now[name]:
            continue
        elif there in given.get(name, ()):
            replace(file, text)
            yield name, "updated"
        elif now[name] not in given.get(name, ()):  # else it was put there before
            beside = _beside(folder, name)
            write({beside: text}, folder)
            yield beside, "beside"


def _beside(folder: Path, name: str) -> str:
    """A name for a newer edition that is not taken."""
    stem, _, end = name.rpartition(".")
    names = (f"{stem}-new{number or ''}.{end}" for number in range(10_000))
    return next(one for one in names if not (folder / one).exists())


def remembered(folder: Path) -> dict:
    """What was given into a folder: ``{"path": …, "files": {name: [digests]}}``; `NotOurs` if its memory is damaged."""
    file = folder / MEMORY
    try:
        found = textfile.json_object(textfile.read_text(file, MOST))
        files, path = found["files"], found.get("path")
        if not (path is None or type(path) is int) or not isinstance(files, dict):
            raise ValueError("its entries are of other kinds")
        for name, digests in files.items():
            if not (isinstance(digests, list) and all(isinstance(one, str) for one in digests)):
                raise ValueError(f"what it says of {name!r:.60} is no list of digests")
    except (ValueError, KeyError) as error:
        raise NotOurs(f"{file} is damaged ({error}): name a new folder, and copy your work into it.") from None
    return {"path": path, "files": files}
