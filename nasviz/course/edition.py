"""Editions of the labs: rendered for reading, without solutions for students, with solutions filled in for who teaches.

    python -m nasviz course render labs/*.ipynb         run, store pictures and durations, drop widget state
    python -m nasviz course form labs/*.ipynb           minutes, long sentences, long cells, what is missing
    python -m nasviz course claims labs/*.ipynb         which claims hold on other processors too
    python -m nasviz course readme labs/*.ipynb         write seconds and minutes into the README's table
    python -m nasviz course student OUT                 what is handed out: `nasviz.course.student`
    python -m nasviz course instructor OUT              what is taught from: `nasviz.course.instructor`

``--help`` says the rest. ``python -m nasviz.course.edition`` has the first four too, and ``student LABS OUT``.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from ..paths import labs_dir
from ..ranges import argument
from . import instructor, lesson, notebooks, rendering, roundings, sessions, student
from .lesson import tags
from .rendering import WIDGET, in_place, strip
from .solutions import solutions, without_solutions

__all__ = ["WIDGET", "in_place", "main", "render", "solutions", "stated", "strip", "tags", "without_solutions"]


def render(path: Path) -> float:
    """Run a lab head to tail and store it with its pictures, its duration and its minutes. Seconds of computing."""
    import nbformat

    notebook = notebooks.read(path)
    seconds, beyond = rendering.execute(notebook, path.parent)
    said = notebook["metadata"].setdefault("nasviz", {})
    said["seconds"], said["seconds_further"] = round(seconds), round(beyond)
    said["minutes"], said["further"] = (spent := lesson.minutes(notebook)).core, spent.further
    first = notebook["cells"][0]
    first["source"] = re.sub(r"(\*\*Time\*\* )\d+ minutes", rf"\g<1>{spent.core} minutes", first["source"])
    nbformat.write(notebook, path)
    return seconds


def stated(readme: str, name: str, notebook) -> str:
    """The README's text, with the seconds and the minutes of one lab in its row as its notebook has them."""
    said = notebook["metadata"]["nasviz"]
    further = f", and {said['further']} for what is beyond" if said.get("further") else ""
    numbers = f"| {said['seconds']} s on two slow cores | {said['minutes']} min{further} |"
    return re.sub(rf"(\(labs/{re.escape(name)}\).*?)\| \d+ s on [^|]*\| \d+ min[^|]*\|", rf"\g<1>{numbers}", readme)


# ------------------------------------------------------------------------------------------------------- the commands
def readable(paths) -> tuple[dict, bool]:
    """The notebooks that can be read, and whether there was another; why it cannot be is said on the terminal."""
    damaged: list[str] = []
    found = notebooks.read_all(paths, damaged.append)
    print(*damaged, sep="\n", end="\n" if damaged else "", file=sys.stderr)
    return found, bool(damaged)


def do_render(options) -> int:
    found, damaged = readable(options.labs)
    for path in found:
        print(f"{path}: {render(path):.0f} s, {path.stat().st_size / 1000:.0f} kB")
    return int(damaged)


def do_form(options) -> int:
    found, damaged = readable(options.labs)
    wrong = 0
    for path, notebook in found.items():
        faults, spent = list(lesson.faults(notebook)), lesson.minutes(notebook)
        print(f"{path}: {spent.core} minutes, further {spent.further}; {len(faults)} faults")
        print(*(f"  {fault}" for fault in faults), sep="\n", end="\n" if faults else "")
        wrong += len(faults)
    return int(bool(wrong or damaged))


def do_readme(options) -> int:
    found, damaged = readable(options.labs)
    for path, notebook in found.items():
        readme = path.resolve().parents[1] / "README.md"
        readme.write_text(stated(readme.read_text("utf-8"), path.name, notebook), "utf-8")
    return int(damaged)


def do_claims(options) -> int:
    found, damaged = readable(options.labs)
    asked = options.rounding or list(roundings.ROUNDINGS)
    status = roundings.main(list(found), asked, options.record, options.out, options.jobs)
    return status or int(damaged)


def do_student(options) -> int:
    unread: list[str] = []
    try:
        made = student.write(student.edition(options.folder, options.path, unread), options.out)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(*made, sep="\n")
    print(*unread, sep="\n", end="\n" * bool(unread), file=sys.stderr)
    return int(bool(unread))


def do_instructor(options) -> int:
    try:
        if options.out.exists() and any(options.out.iterdir()):
            raise FileExistsError(f"{options.out} exists and is not empty; choose an empty folder")
        for name, text in instructor.edition(options.folder, options.run):
            print(*student.write({name: text}, options.out), flush=True)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def add_commands(commands) -> None:
    """Add the commands that work on the labs' own files to a parser's subcommands."""
    for name, do, said in (
        ("render", do_render, "run labs and store them with pictures, without widget state"),
        ("form", do_form, "count what labs ask of their readers, and say what is wrong with their form"),
        ("readme", do_readme, "write seconds and minutes of labs into README.md beside their folder"),
        ("claims", do_claims, "run labs as other processors round, and say which claims hold"),
    ):
        one = commands.add_parser(name, help=said, description=f"{said[0].upper()}{said[1:]}.")
        one.add_argument("labs", nargs="+", type=Path, help="notebooks")
        one.set_defaults(do=do)
    one.add_argument("--rounding", action="append", choices=roundings.ROUNDINGS, help="one of them (default: all)")
    one.add_argument("--record", type=Path, help="a file that remembers what was run (JSON Lines)")
    one.add_argument("--out", type=Path, help="write the table there too, in Markdown")
    one.add_argument("--jobs", type=argument(1), default=2, help="labs at once, one core each (default: 2)")


def add_editions(commands) -> None:
    """Add the commands that make editions."""
    said = "make the edition for students: no solutions, no revealed answer, no output that gives away a prediction"
    two = commands.add_parser("student", help=said, description=f"{said[0].upper()}{said[1:]}. {STUDENT}")
    two.set_defaults(do=do_student)
    two.add_argument("out", type=Path, help="a folder; no file in it is overwritten")
    add_path(two)
    said = "make the edition for who teaches: solutions filled in, notes, all outputs"
    three = commands.add_parser("instructor", help=said, description=f"{said[0].upper()}{said[1:]}.")
    three.set_defaults(do=do_instructor)
    three.add_argument("out", type=Path, help="a folder that is new or empty")
    three.add_argument("--run", action="store_true", help="run each lab with its solutions (some minutes in all)")
    for one in two, three:
        one.add_argument("--labs", dest="folder", type=Path, default=labs_dir(), help="the labs (default: nasviz's)")


def add_path(parser) -> None:
    """Add the option that chooses a path through the labs."""
    lengths = sorted(sessions.PATHS)
    said = "only what a course of so many sessions of 90 minutes works through (default: all)"
    parser.add_argument("--path", type=int, choices=lengths, metavar=f"{{{','.join(map(str, lengths))}}}", help=said)


STUDENT = "Pages that the labs link to are copied too. Tags say what is core and what is further."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m nasviz.course.edition", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    add_commands(commands)
    two = commands.add_parser("student", help="make the edition for students of a folder of labs", description=STUDENT)
    two.add_argument("folder", type=Path, help="the labs")
    two.add_argument("out", type=Path, help="a folder; no file in it is overwritten")
    add_path(two)
    two.set_defaults(do=do_student)
    options = parser.parse_args()
    return options.do(options)


if __name__ == "__main__":
    sys.exit(main())
