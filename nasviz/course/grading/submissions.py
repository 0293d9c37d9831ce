"""What was handed in: whose notebook of which lab each file is, and which cell answers which exercise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import notebooks, sessions
from ..lesson import tags
from ..solutions import defined, name_of
from . import pristine
from .judge import Answer
from .pristine import Exercise

MOODLE = re.compile(r"_\d+_assignsubmission_\w*$")
PACKED = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")


@dataclass(frozen=True)
class Submission:
    """A notebook that was handed in.

    Attributes
    ----------
    who : str
        The folder below the one that is graded, or what a file's name says besides the lab.
    lab : str
        The stem of the installed lab.
    path : Path
    answers : tuple of (Exercise, Answer or None)
        Of each exercise; None where no cell answers it.
    texts : mapping
        What was written below each open question.
    """

    who: str
    lab: str
    path: Path
    answers: tuple[tuple[Exercise, Answer | None], ...]
    texts: dict[str, str]


def read(folder: Path) -> Iterator[Submission | str]:
    """The submissions in a folder, and a sentence for each file that cannot be read, in the order of the files."""
    seen: dict[tuple[str, str], Path] = {}
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and ".ipynb_checkpoints" not in one.parts):
        if path.suffix.lower() in PACKED:
            yield f"{path} is packed: unpack it, and grade again"
        if path.suffix.lower() != ".ipynb":
            continue
        try:
            book = notebooks.read(path)
        except (OSError, ValueError) as error:
            yield str(error)
            continue
        if not (lab := lab_of(book, path)):
            yield f"{path} is of none of the labs that are installed: none of their exercises is in it"
            continue
        who = who_of(path.relative_to(folder), lab)
        if (who, lab) in seen:
            yield f"{path}: {who} has handed in {lab} twice, also as {seen[who, lab]}: both are graded"
        seen[who, lab] = path
        found = tuple((one, answer_to(one, book)) for one in pristine.of(lab))
        yield Submission(who, lab, path, found, {one.name: text_below(one, book) for one, _ in found})


def lab_of(book, path: Path) -> str:
    """The installed lab that a notebook is of: as its metadata says, by its exercises, by its file's name; or empty."""
    said = book["metadata"].get("nasviz", {})
    if isinstance(said, dict) and said.get("lab") in pristine.labs():
        return said["lab"]
    marks = {name_of(cell) for cell in book["cells"]} | {cell.get("id") for cell in book["cells"]} - {None}
    marks.discard("")
    known = {
        lab: {mark for one in pristine.of(lab) for mark in (one.name, one.cell) if mark} for lab in pristine.labs()
    }
    best = max(pristine.labs(), key=lambda lab: len(known[lab] & marks))
    if known[best] & marks:
        return best
    stem = path.stem.lower()
    return next((lab for lab in pristine.labs() if sessions.topic(lab) in stem), "")


def who_of(relative: Path, lab: str) -> str:
    """Who handed in a file: the first folder of its path; or its name, without the lab's."""
    if len(relative.parts) > 1:
        return MOODLE.sub("", relative.parts[0])
    rest = relative.stem
    for part in (lab, sessions.topic(lab)):
        rest = rest.replace(part, "")
    return rest.strip("-_. ") or relative.stem


def answer_to(exercise: Exercise, book) -> Answer | None:
    """A student's answer: the cell with the exercise's tags, or its id, or one that defines its names; the last."""
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    tagged = [cell for cell in code if {"exercise", f"for:{exercise.name}"} <= tags(cell)]
    by_id = [cell for cell in code if exercise.cell and cell.get("id") == exercise.cell]
    if exercise.kind == "open" or not exercise.check:
        return Answer(exercise, "")
    found = tagged or by_id
    if not found:
        wanted = set(exercise.asked)
        found = [cell for cell in code if "check" not in tags(cell) and wanted & defined(cell["source"])]
    if not found:
        return None
    written = [cell for cell in found if cell["source"].strip() != exercise.stub.strip()] or found
    known = {cell.get("id") for cell in pristine.lab(exercise.lab)["cells"]}
    sources = {cell["source"].strip() for cell in pristine.lab(exercise.lab)["cells"]}
    own = [
        cell["source"]
        for cell in code
        if cell.get("id") not in known
        and cell["source"].strip() not in sources
        and not {"check", "exercise"} & tags(cell)
    ]
    return Answer(exercise, written[-1]["source"], tuple(own))


def text_below(exercise: Exercise, book) -> str:
    """What a student wrote to an open question: the cell that was given for it, and texts that were added below it."""
    if exercise.kind != "open":
        return ""
    known = {cell["source"].strip() for cell in pristine.lab(exercise.lab)["cells"]}
    given = {f"{exercise.cell}-answer", ""}
    found, open_ = [], False
    for cell in book["cells"]:
        if name_of(cell) == exercise.name and "exercise" in tags(cell):
            open_ = True
            if cell["source"].strip() != exercise.stub.strip():
                found.append(cell["source"])
        elif name_of(cell) == exercise.name and "answer" in tags(cell):
            found.append(cell["source"])
        elif cell["source"].strip() in known or cell["cell_type"] == "code":
            open_ = False
        elif open_ and cell["cell_type"] == "markdown" and cell.get("id") not in given:
            found.append(cell["source"])
    return "\n\n".join(text for text in found if text.strip() not in ("", "*Write your answer here.*"))
