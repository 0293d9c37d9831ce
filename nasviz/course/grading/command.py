"""``python -m nasviz course grade``: a folder of notebooks in, a table and a page for each student out."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ... import __version__
from ...ranges import argument
from .. import student
from . import pool, pristine, report, submissions
from .judge import RIGHT, Answer
from .limits import Limits
from .report import Row

ABOUT = """\
Grade a folder of notebooks by the checks of the installed package.

SUBMISSIONS holds a folder for each student with notebooks in it, or notebooks whose names say whose they are
(04-evolution_zoe.ipynb). The table has a line for each student and exercise: who, lab, exercise, kind, points, of, what
the check says, file. Open questions have no points: a person reads them, on the student's page.

Each exercise runs in a process of its own, within limits. An answer has to pass the check of its lab, and then other
inputs, drawn from --seed. This is no sandbox: docs/grading.md says what it withstands.

The exit status is 0 if every file could be read and graded, 1 if not (what could not is listed), 2 if nothing was done.
"""


@dataclass(frozen=True)
class Graded:
    """What came out: the lines of the table, texts to be read, and what could not be read or graded."""

    rows: list[Row]
    texts: dict[tuple[str, str, str], str]
    problems: list[str]


def grade(folder: Path, seed: int, limits: Limits, jobs: int = 2, tell=lambda done, of: None) -> Graded:
    """Grade the submissions in a folder.

    Parameters
    ----------
    folder : Path
    seed : int
        From which second inputs are drawn: keep it to grade again alike.
    limits : Limits
        For each exercise.
    jobs : int
        Exercises at once.
    tell : callable
        Called with how many are done, and of how many.
    """
    import torch

    torch.set_num_threads(1)  # processes are forked from here
    found = list(submissions.read(folder))
    problems = [one for one in found if isinstance(one, str)]
    handed = [one for one in found if not isinstance(one, str)]
    rows: list[Row] = []
    places: list[int] = []
    answers: list[Answer] = []
    unfit = {}
    for lab in dict.fromkeys(one.lab for one in handed):
        for exercise in pristine.of(lab):
            if exercise.check and (wrong := pristine.wrong_with_the_solution(exercise)):
                unfit[exercise] = f"cannot be graded on this machine: the solution itself fails ({wrong})"
                problems.append(f"{lab}, {exercise.name}: {unfit[exercise]}")
    for one in handed:
        for exercise, answer in one.answers:
            row = Row(one.who, one.lab, exercise.name, exercise.kind, "", "1", report.OPEN, one.path.name)
            if exercise in unfit:
                row = replace(row, sentence=unfit[exercise])
            elif answer is None:
                row = replace(row, points="0", sentence="no cell answers it: its tags, its id and its names are gone")
            elif exercise.check:
                places.append(len(rows))
                answers.append(answer)
            else:
                words = len(one.texts[exercise.name].split())
                row = replace(row, of="", sentence=f"{report.OPEN}: {words} words" if words else "nothing written")
            rows.append(row)
    done = dict(_distinct(answers, seed, limits, jobs, tell))
    for number, place in enumerate(places):
        verdict = done[number]
        rows[place] = replace(rows[place], points=str(verdict.points), sentence=verdict.sentence)
    texts = {(one.who, one.lab, name): text for one in handed for name, text in one.texts.items() if text}
    return Graded(rows, texts, problems)


def _distinct(answers: list[Answer], seed: int, limits: Limits, jobs: int, tell):
    """The verdicts by number; equal answers are judged once."""
    first: dict[Answer, int] = {}
    same = [first.setdefault(answer, number) for number, answer in enumerate(answers)]
    order = list(first.values())
    verdicts = {}
    for number, verdict in pool.verdicts([answers[one] for one in order], seed, limits, jobs):
        verdicts[order[number]] = verdict
        tell(len(verdicts), len(order))
    for number, one in enumerate(same):
        yield number, verdicts[one]


def add_command(commands) -> None:
    """Add ``grade`` to a parser's subcommands."""
    import argparse

    one = commands.add_parser(
        "grade", help="grade a folder of notebooks", description=ABOUT, formatter_class=argparse.RawTextHelpFormatter
    )
    one.set_defaults(do=do_grade)
    one.add_argument("submissions", type=Path, help="a folder")
    one.add_argument("--out", type=Path, default=Path("grades.csv"), help="the table (default: grades.csv)")
    one.add_argument("--feedback", type=Path, help="a folder for a page for each student (HTML)")
    one.add_argument("--seed", type=argument(0), help="of the second inputs (default: drawn, and said)")
    one.add_argument("--jobs", type=argument(1), default=os.cpu_count() or 1, help="exercises at once (default: cores)")
    own = Limits()
    add_limits(one, own)


def add_limits(parser, own: Limits) -> None:
    """Add options for the limits of an exercise."""
    number = {"cpu": "seconds of computing", "wall": "seconds of the clock", "memory": "GB beyond the package's own"}
    for name, said in number.items():
        usual = getattr(own, name)
        parser.add_argument(f"--{name}", type=float, default=usual, help=f"{said}, an exercise (default: {usual})")


def limits_of(options) -> Limits:
    """The limits that options say. ValueError for one out of its range."""
    return Limits(cpu=options.cpu, wall=options.wall, memory=options.memory)


def do_grade(options) -> int:
    """Grade, write the table and the pages, say what could not be graded; the exit status."""
    if not options.submissions.is_dir():
        print(f"{options.submissions} is no folder", file=sys.stderr)
        return 2
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    try:
        limits = limits_of(options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    done = grade(options.submissions, seed, limits, options.jobs, _progress)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    student.replace(options.out, report.table(done.rows))
    about = f"nasviz {__version__}, second inputs of seed {seed}"
    if options.feedback:
        write_pages(done, options.feedback, f"nasviz {__version__}")
    people = {row.who for row in done.rows}
    sure = [row for row in done.rows if row.points]
    right = sum(row.sentence == RIGHT for row in sure)
    print(f"{options.out}: {len(people)} students, {len(sure)} exercises, {right} right ({about})")
    for problem in done.problems:
        print("to look at:", problem, file=sys.stderr)
    return int(bool(done.problems))


def write_pages(done: Graded, folder: Path, about: str) -> None:
    """A page for each student; one that is there is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    for who in dict.fromkeys(row.who for row in done.rows):
        own = [row for row in done.rows if row.who == who]
        texts = {(lab, name): text for (one, lab, name), text in done.texts.items() if one == who}
        student.replace(folder / report.file_name(who, taken), report.page(who, own, texts, about))


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {of}", end="\n" if done == of else "", file=sys.stderr, flush=True)
