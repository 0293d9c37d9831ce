"""``python -m nasviz course histogram``: what a class predicted, on a page and on the terminal."""

from __future__ import annotations

import sys
from pathlib import Path

from ...paths import labs_dir
from ..bank import labs, predictions
from ..student import replace
from . import count, page

ABOUT = """\
Count what a class predicted in a lab. FOLDER holds the files that students wrote by course.share(): one each, named by
a random number, without a name in it. Folders in it are searched too.

  python -m nasviz course histogram collected --lab 3                            on the terminal
  python -m nasviz course histogram collected --lab 3 --out lab03.html           a page for the projector
  python -m nasviz course histogram collected --lab 3 --answers --out after.html the same, with what was measured

The exit status is 0 if every file could be read and counted, 1 if not (what could not is listed), 2 if nothing was
done.
"""


def add_command(commands) -> None:
    """Add ``histogram`` to a parser's subcommands."""
    import argparse

    one = commands.add_parser(
        "histogram",
        help="count what a class predicted: a page, and text",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.set_defaults(do=do_histogram)
    one.add_argument("answers_of", metavar="FOLDER", type=Path, help="students' files (ID.jsonl)")
    one.add_argument("--lab", required=True, help="the lab's number or topic")
    one.add_argument("--out", type=Path, help="write a page too (an earlier page is written over, nothing else is)")
    one.add_argument("--answers", action="store_true", help="mark what was measured when the lab was rendered")
    one.add_argument("--labs", dest="folder", type=Path, default=labs_dir(), help="the labs (default: nasviz's)")


def do_histogram(options) -> int:
    """Count, print, write the page; 1 if something is to be looked at, 2 if nothing was done."""
    try:
        lab = labs.chosen(labs.find(options.folder), options.lab, {})
        if not options.answers_of.is_dir():
            raise ValueError(f"{options.answers_of} is no folder: name the one that holds the students' files")
        files = sorted(options.answers_of.rglob("*.jsonl"))
        if not files:
            raise ValueError(f"there are no files of answers (ID.jsonl) in {options.answers_of}")
        counted, students, problems = count.count(files, predictions.read(lab))
        if options.out is not None:
            refuse_another(options.out)
            replace(options.out, page.html(named(lab), counted, students, options.answers))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(page.text(named(lab), counted, students, options.answers), end="")
    print(*(f"to look at: {one}" for one in problems), sep="\n", end="\n" * bool(problems), file=sys.stderr)
    return int(bool(problems))


def named(lab: labs.Lab) -> str:
    """A lab's number and title: ``Lab 3: REINFORCE``; a title that has its number keeps it."""
    return lab.title if lab.number is None or lab.title[:1].isdigit() else f"Lab {lab.number}: {lab.title}"


def refuse_another(path: Path) -> None:
    """Raise a FileExistsError if a file is there that is no histogram of ours."""
    if path.exists() and page.MARK not in path.read_text("utf-8", errors="replace")[:200]:
        raise FileExistsError(f"{path} exists and is no histogram: name another file")
