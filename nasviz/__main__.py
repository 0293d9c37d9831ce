"""``python -m nasviz``: what one does with nasviz from a terminal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import __version__
from .paths import labs_dir


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; without a command, print the help."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["course"]:  # a family of its own, which loads more
        from .course import commands as course

        return course.main(words[1:])
    parser = argparse.ArgumentParser(prog="python -m nasviz", description="An interactive lab on architecture search.")
    parser.add_argument("--version", action="version", version=f"nasviz {__version__}")
    commands = parser.add_subparsers(dest="command", title="commands")
    commands.add_parser("doctor", help="check this installation, time this machine, predict how long the labs take")
    labs = commands.add_parser(
        "labs", help="put the notebooks of the labs into a folder of yours, or update them there"
    )
    labs.add_argument("folder", type=Path, nargs="?", default=Path("labs"), help="yours (default: ./labs)")
    labs.add_argument("--path", type=int, help="only what a course of 3, 6 or 13 sessions works through")
    tables = commands.add_parser("tables", help="list the published benchmarks that can be read, and which are there")
    tables.add_argument("folder", type=Path, nargs="?", help="where to look (default: where NASVIZ_PUBLISHED says)")
    commands.add_parser("course", help="for who teaches: hand out, grade, keep in form (course --help)")
    asked = parser.parse_args(words)
    if asked.command == "doctor":
        from .doctor import report

        return report()
    if asked.command == "labs":
        return give_labs(asked.folder, asked.path)
    if asked.command == "tables":
        from .published.find import listing

        print(listing(asked.folder))
        return 0
    parser.print_help()
    return 0


def give_labs(folder: Path, path: int | None = None) -> int:
    """Put the student edition into ``folder``, or bring it up to date: what a student wrote is never overwritten.

    Without a path, an update keeps to the path that was chosen before.
    """
    source = labs_dir()
    if not source.is_dir():
        print(f"This installation carries no labs: {source} is missing. Install nasviz again.", file=sys.stderr)
        return 1
    from .course import folder as students
    from .course import student

    try:
        if path is None and (folder / students.MEMORY).exists():
            path = students.remembered(folder)["path"]
        texts = student.edition(source, path)
        for name, what in students.hand_out(texts, folder, path):
            if what == "updated":
                print(f"{name}: brought up to date; you had not changed it")
            elif what == "beside":
                print(f"{name}: a newer edition; yours stays as it is beside it")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    first = next(name for name in texts if name.endswith(".ipynb"))
    print(f'The labs lie in {folder}. Open them with: jupyter lab "{folder / first}"')
    return 0


if __name__ == "__main__":
    sys.exit(main())
