"""The student edition: what is handed out. No solution, no revealed answer, no output that gives away a prediction.

    python -m nasviz course student OUT              all labs
    python -m nasviz course student OUT --path 6     the labs and sections of a course of six sessions

What a code cell printed or showed when the labs were rendered goes, since much of it answers the question above it. A
picture stays where its cell is tagged ``keep``. Each cell says by a tag whether it is of the ``core`` or ``further``. A
question without a single answer gets a cell to answer in. Pages that the labs link to come along.
"""

from __future__ import annotations

import copy
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import lesson, notebooks, sessions
from .lesson import tags
from .solutions import name_of, without_solutions

PICTURES = ("image/png", "image/jpeg", "image/svg+xml", "text/plain")  # the last is the text alternative
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")
REVEALS = re.compile(r"\.reveal\(|\bclaim\(|\bon_your_run\(")
SKIP = "*Further: what follows can be skipped. Nothing in the core needs it.*"
ANSWER = "*Write your answer here.*"


def student(notebook, *, further: bool = True, lab: str = ""):
    """The edition of one lab for students, as a new notebook.

    Parameters
    ----------
    notebook : notebook
        The lab as it is stored, in format 4.
    further : bool
        Whether the sections that can be skipped stay.
    lab : str
        The stem of its file: who grades knows a notebook by it, whatever its file is called then.

    Raises
    ------
    ValueError
        If a cell that reveals an answer is tagged ``keep``.
    """
    made = without_solutions(copy.deepcopy(notebook))
    cells = []
    was = False
    for cell, beyond in list(lesson.sections(made)):
        if beyond and not further:
            continue
        own = tags(cell) - {"core", "further"} | {"further" if beyond else "core"}
        cell["metadata"]["tags"] = sorted(own)
        if beyond and not was and cell["cell_type"] == "markdown":
            cell["source"] = re.sub(r"\n*\Z", f"\n\n{SKIP}", cell["source"], count=1)
        was = beyond
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = list(_kept(cell)), None
        cells.append(cell)
        if "exercise" in own and cell["cell_type"] == "markdown":
            cells.append(_answer(cell, name_of(cell), "further" if beyond else "core"))
    made["cells"] = cells
    made["metadata"]["nasviz"] = made["metadata"].get("nasviz", {}) | {"lab": lab, "edition": "student"}
    return made


def _answer(question, name: str, part: str):
    """The cell below an open question that a student writes in."""
    from nbformat.v4 import new_markdown_cell

    cell = new_markdown_cell(ANSWER, metadata={"tags": sorted({"answer", f"for:{name}", part})})
    if question.get("id"):
        cell["id"] = f"{question['id'][:56]}-answer"
    else:
        cell.pop("id", None)
    return cell


def _kept(cell) -> Iterator[dict]:
    """The outputs of a cell that a student sees before running it: pictures, where the cell is tagged ``keep``."""
    if "keep" not in tags(cell):
        return
    if REVEALS.search(cell["source"]):
        raise ValueError(f"a cell tagged keep reveals an answer: {cell['source'].splitlines()[0]!r:.100}. Untag it")
    for output in cell["outputs"]:
        data = {kind: value for kind, value in output.get("data", {}).items() if kind in PICTURES}
        if any(kind.startswith("image/") for kind in data):
            yield type(output)(output_type="display_data", data=data, metadata={})


def linked(text: str) -> set[str]:
    """The files that a page links to: addresses within the folder, without their anchors."""
    return {match[2] for match in LINK.finditer(text) if "/" not in match[2]}


def unlinked(text: str, there: set[str]) -> str:
    """A page whose links to files that are not there are their words."""
    return LINK.sub(lambda match: match[0] if "/" in match[2] or match[2] in there else match[1], text)


def edition(folder: Path, path: int | None = None, unread: list[str] | None = None) -> dict[str, str]:
    """The whole student edition of a folder of labs: the text of each file, by its name.

    Parameters
    ----------
    folder : Path
        The labs as they are stored: notebooks, and the pages that they link to.
    path : int, optional
        Only what a course of so many sessions works through (`nasviz.course.sessions`), with a page ``sessions.md``.
    unread : list of str, optional
        Gets what is wrong with each lab that cannot be read: it is left out, and the others are made.

    Raises
    ------
    ValueError
        If there are no labs, one cannot be read and ``unread`` is None, a path is not there, or a picture to be kept
        would reveal an answer.
    """
    import nbformat

    labs = sorted(folder.glob("*.ipynb"))
    if not labs:
        raise ValueError(f"there are no notebooks in {folder}")
    wanted = {one.path: one.further for one in sessions.chosen(labs, path)} if path else dict.fromkeys(labs, True)
    books: dict = {}
    for file, more in wanted.items():
        try:
            read = notebooks.read(file)
        except ValueError as error:
            if unread is None:
                raise
            unread.append(str(error))
        else:
            books[file.name] = student(read, further=more, lab=file.stem)
    pages: dict[str, str] = {}
    todo = [name for book in books.values() for cell in book["cells"] for name in sorted(linked(cell["source"]))]
    while todo:
        name = todo.pop()
        file = folder / name
        if name in books or name in pages or not file.is_file():
            continue
        if file.suffix == ".ipynb":
            if sessions.topic(file) != file.stem:  # a lab that the path leaves out
                continue
            books[name] = student(notebooks.read(file), lab=file.stem)
            todo += [one for cell in books[name]["cells"] for one in linked(cell["source"])]
        else:
            pages[name] = file.read_text("utf-8")
            todo += linked(pages[name])
    if path:
        pages["sessions.md"] = page(path, sessions.chosen(labs, path), books)
    there = books.keys() | pages.keys()
    for book in books.values():
        for cell in book["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = unlinked(cell["source"], there)
    texts = {name: nbformat.writes(book) + "\n" for name, book in books.items()}
    return texts | {name: unlinked(text, there) for name, text in pages.items()}


def page(length: int, labs: list[sessions.Chosen], books: Mapping) -> str:
    """What is worked through in which session, as Markdown, with the minutes of the model."""
    lines = [f"# {length} sessions of 90 minutes", ""]
    for number, session in enumerate(sessions.PATHS[length], 1):
        lines += [f"## {number} · {session.title}", ""]
        for one in (one for one in labs if one.session == number):
            spent = lesson.minutes(books[one.path.name])
            more = f", and {spent.further} for what is further" if one.further and spent.further else ""
            title = books[one.path.name]["cells"][0]["source"].splitlines()[0].lstrip("# ")
            lines.append(f"- [{title}]({one.path.name}): {spent.core} minutes{more}")
        lines.append("")
    return "\n".join(lines)


def write(texts: Mapping[str, str], out: Path) -> list[Path]:
    """Write the files of an edition into a folder; FileExistsError, before anything is written, if one is there."""
    for name in texts:
        if (out / name).exists():
            raise FileExistsError(f"{out / name} exists; choose an empty folder")
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        with (out / name).open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return [out / name for name in texts]


def replace(path: Path, content: str | bytes) -> None:
    """Give a file another text, or other bytes, all at once: a kill leaves the old ones or the new ones."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
