"""The minutes of a session: which sections of which labs fill ninety of them, and what is left for home.

    python -m nasviz course paths                  the paths, as Markdown
    python -m nasviz course paths --path 6         one of them
    python -m nasviz course paths --out course     write course/paths.md, and the minutes into course/notes/*.md

Which labs a session takes stands in `nasviz.course.sessions`, what a section takes is counted by
`nasviz.course.lesson`. So nothing of this is written by hand, and a lab that is rendered anew changes it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..paths import labs_dir
from . import lesson, notebooks, sessions
from .edition import add_path
from .student import replace

SESSION, OPENING, DISCUSSION = 90, 5, 20  # minutes: of a session; of its begin; the fewest that stay to discuss
FIRST, LAST = "<!-- minutes: python -m nasviz course paths --out course -->", "<!-- end of minutes -->"
ORDER = (("fill", "easy"), ("fill", "medium"), ("run", ""), ("fill", "hard"), ("open", ""))  # what a class does first


@dataclass(frozen=True)
class Section:
    """A section of a lab: from a heading of the first or second level to the next one.

    Attributes
    ----------
    title : str
        Its heading, without the marks.
    minutes : float
        By the model of `nasviz.course.lesson`, exercises included, computing not.
    further : bool
        Whether it can be skipped.
    exercises : tuple of `nasviz.course.lesson.Exercise`
    """

    title: str
    minutes: float
    further: bool
    exercises: tuple[lesson.Exercise, ...]


def sections(notebook) -> list[Section]:
    """The sections of a lab, in order; the first holds the title and what one should know."""
    groups: list[list[tuple[dict, bool]]] = []
    for cell, further in lesson.sections(notebook):
        begins = cell["cell_type"] == "markdown" and re.match(r"##? ", cell["source"])
        if begins or not groups:
            groups.append([])
        groups[-1].append((cell, further))
    return [_section(group) for group in groups]


def _section(cells: list[tuple[dict, bool]]) -> Section:
    first, further = cells[0]
    part = {"cells": [cell for cell, _ in cells], "metadata": {}}
    title = first["source"].splitlines()[0].lstrip("# ")
    return Section(title, sum(lesson.spent(part).values()), further, tuple(lesson.exercises(part)))


def headings(notebook) -> list[str]:
    """All headings of a lab, without their marks."""
    texts = (cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    return [match[1] for text in texts if (match := re.match(r"#+ (.*)", text))]


@dataclass(frozen=True)
class Row:
    """A part of a session: whole minutes, the stem of its lab ("" for none), and what is done in it."""

    minutes: int
    lab: str
    what: str


@dataclass(frozen=True)
class Plan:
    """A session: its rows, which make up `SESSION` minutes, and the exercises that are left, each with its lab."""

    rows: tuple[Row, ...]
    home: tuple[tuple[str, lesson.Exercise], ...]


def plan(parts: Iterable[tuple[str, list[Section]]]) -> Plan:
    """Fill a session with the sections of its labs.

    All sections are worked through. Of the exercises, a class does those that leave `DISCUSSION` minutes: first those
    to fill in, then the experiments, then what is hard or open. The others are homework. What takes less than half a
    minute has no row, and its time is in a later one.

    Parameters
    ----------
    parts : iterable of (stem, sections)
        The labs of the session, and of each what is worked through.
    """
    parts = list(parts)
    inside = sum(one.minutes for _, some in parts for one in some)
    exercises = [(stem, one) for stem, some in parts for section in some for one in section.exercises]
    left = SESSION - OPENING - DISCUSSION - inside + sum(one.minutes for _, one in exercises)
    done, home = set(), []
    for stem, one in sorted(exercises, key=lambda pair: _turn(pair[1])):
        if one.minutes <= left:
            done.add((stem, one.name))
            left -= one.minutes
    rows, clock = (
        [Row(OPENING, "", "Homework and open questions; in the first session, what is graded")],
        float(OPENING),
    )
    for stem, some in parts:
        for section in some:
            later = [one for one in section.exercises if (stem, one.name) not in done]
            home += [(stem, one) for one in later]
            names = ", ".join(f"`{one.name}`" for one in section.exercises if one not in later)
            clock += section.minutes - sum(one.minutes for one in later)
            if minutes := round(clock) - sum(row.minutes for row in rows):
                rows.append(Row(minutes, stem, section.title + (f": {names}" if names else "")))
    rows.append(Row(SESSION - sum(row.minutes for row in rows), "", "Questions to discuss, from the notes"))
    return Plan(tuple(rows), tuple(home))


def _turn(exercise: lesson.Exercise) -> int:
    """When a class does an exercise: its place in `ORDER`."""
    return next(n for n, (kind, level) in enumerate(ORDER) if kind == exercise.kind and level in ("", exercise.level))


def number(stem: str) -> str:
    """How a lab is called in short: ``04-evolution`` is ``lab 04``."""
    return f"lab {stem.partition('-')[0]}"


def plans(length: int, books: Mapping[Path, object]) -> Iterator[tuple[sessions.Session, list[str], Plan]]:
    """The sessions of a path, each with the stems of its labs and its plan.

    Raises
    ------
    ValueError
        If there is no such path, or it names a lab that is not among ``books``.
    """
    chosen = sessions.chosen(books, length)
    for n, session in enumerate(sessions.PATHS[length], 1):
        parts = [
            (one.path.stem, [part for part in sections(books[one.path]) if one.further or not part.further])
            for one in chosen
            if one.session == n
        ]
        yield session, [stem for stem, _ in parts], plan(parts)


def page(lengths: Iterable[int], books: Mapping[Path, object]) -> str:
    """Paths as Markdown: each session minute by minute, and its homework."""
    lines = [
        "# Paths of 90 minutes a session",
        "",
        "Written by `python -m nasviz course paths --out course`: do not edit this page. The minutes are a model of a",
        f"reader ([lesson.py](../nasviz/course/lesson.py)). A session of {SESSION} minutes begins with {OPENING} for",
        f"homework, and leaves about {DISCUSSION} or more to discuss. Exercises that do not fit are homework.",
        "Their names are those in the table of grades. A section of less than a minute may have no row: its time is in",
        "a later one.",
        "Computing, less than a minute for each lab, is not counted.",
        "",
        "`python -m nasviz course student OUT --path 6` hands out exactly these sections.",
    ]
    for length in lengths:
        lines += ["", f"## {length} sessions"]
        for n, (session, stems, made) in enumerate(plans(length, books), 1):
            lines += ["", f"### {n} of {length} · {session.title}", ""]
            lines += ["| minutes | lab | what |", "| ---: | --- | --- |"]
            lines += [f"| {row.minutes} | {number(row.lab) if row.lab else ''} | {row.what} |" for row in made.rows]
            notes = ", ".join(f"[{number(stem)}](notes/{stem}.md)" for stem in stems)
            told = [f"`{one.name}` of {number(stem)} ({one.kind}, {one.minutes:.0f} min)" for stem, one in made.home]
            lines += ["", f"Notes: {notes}. Homework:", ""]
            lines += [f"- {one}" for one in told] or ["- what is due of the project"]
    return "\n".join(lines) + "\n"


def minutes_of(notebook) -> str:
    """The minutes of a lab, section by section, as a table in Markdown."""
    said = lesson.minutes(notebook)
    seconds = notebook["metadata"].get("nasviz", {}).get("seconds", 0)
    rows = ["| minutes | section | exercises |", "| ---: | --- | --- |"]
    for one in sections(notebook):
        names = ", ".join(f"`{e.name}` ({e.kind}, {e.level}, {e.minutes:.0f})" for e in one.exercises)
        rows.append(f"| {max(1, round(one.minutes))} | {one.title} | {names} |")
    total = f"The core takes {said.core} minutes, what is further {said.further}. All cells compute for {seconds} s."
    return "\n".join([total, "", *rows])


def with_minutes(text: str, notebook) -> str:
    """The text of a lab's notes, with the table between `FIRST` and `LAST` as the lab has it now.

    Raises
    ------
    ValueError
        If the two marks are not there once each.
    """
    if (text.count(FIRST), text.count(LAST)) != (1, 1):
        raise ValueError(f"the notes need one line {FIRST!r}, and one line {LAST!r} below it")
    before, _, rest = text.partition(FIRST)
    return f"{before}{FIRST}\n{minutes_of(notebook)}\n{LAST}{rest.partition(LAST)[2]}"


def written(out: Path, books: Mapping[Path, object]) -> dict[Path, str]:
    """What the files of the folder ``course`` should hold: the paths, and the notes with their minutes.

    Raises
    ------
    OSError
        If notes cannot be read.
    ValueError
        If notes have no place for the minutes: the file is named.
    """
    found = {out / "paths.md": page(sessions.PATHS, books)}
    for path, book in books.items():
        notes = out / "notes" / f"{path.stem}.md"
        if notes.is_file():
            try:
                found[notes] = with_minutes(notes.read_text("utf-8"), book)
            except ValueError as error:
                raise ValueError(f"{notes}: {error}") from None
    return found


def read_labs(folder: Path) -> dict[Path, object]:
    """The labs of a folder, by path; a ValueError if there is none, or one is damaged."""
    books = {path: notebooks.read(path) for path in sorted(folder.glob("[0-9]*.ipynb"))}
    if not books:
        raise ValueError(f"there are no labs in {folder}: name the folder that holds them with --labs")
    return books


def do_paths(options) -> int:
    try:
        books = read_labs(options.folder)
        if options.out is None:
            print(page([options.path] if options.path else sessions.PATHS, books), end="")
            return 0
        if options.path:
            raise ValueError("--out writes all paths: leave --path out")
        if not options.out.is_dir():
            raise ValueError(f"{options.out} is no folder: name the folder course of a checkout")
        for path, text in written(options.out, books).items():
            if not path.is_file() or path.read_text("utf-8") != text:
                replace(path, text)
                print(path)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def add_command(commands) -> None:
    """Add ``paths`` to a parser's subcommands."""
    said = "say what each session of a path works through, minute by minute, and what is homework"
    one = commands.add_parser("paths", help=said, description=f"{said[0].upper()}{said[1:]}, as Markdown.")
    one.set_defaults(do=do_paths)
    add_path(one)
    one.add_argument("--out", type=Path, help="write paths.md and the minutes of notes/*.md in this folder instead")
    one.add_argument("--labs", dest="folder", type=Path, default=labs_dir(), help="the labs (default: nasviz's)")
