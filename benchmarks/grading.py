"""How long a class takes to be graded: sixty submissions, all exercises of a lab, two at once.

    python benchmarks/grading.py                the lab on evolution
    python benchmarks/grading.py --lab darts    another one, by its topic; --students, --jobs

Each student hands in the solutions with a line of their own, so that no two answers are equal. Their experiments have
the same settings, so what those measure is computed once; with other settings, each adds what its experiment takes.
"""

from __future__ import annotations

import argparse
import copy
import resource
import tempfile
import time
from pathlib import Path

import nbformat

from nasviz.course import sessions, student
from nasviz.course.grading import command, pristine
from nasviz.course.grading.limits import Limits
from nasviz.course.lesson import tags
from nasviz.course.solutions import name_of, solutions


def hand_in(folder: Path, lab: str, students: int) -> None:
    """Write the notebooks of a class."""
    answers, book = solutions(pristine.lab(lab)), student.student(pristine.lab(lab), lab=lab)
    for number in range(students):
        own = copy.deepcopy(book)
        for cell in own.cells:
            if "exercise" in tags(cell) and name_of(cell) in answers:
                cell.source = f"# by student {number}\n{answers[name_of(cell)]}"
        (folder / f"student-{number}").mkdir()
        nbformat.write(own, folder / f"student-{number}" / f"{lab}.ipynb")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", default="evolution")
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    lab = next(one for one in pristine.labs() if sessions.topic(one) == asked.lab)
    with tempfile.TemporaryDirectory() as folder:
        hand_in(Path(folder), lab, asked.students)
        begin = time.perf_counter()
        done = command.grade(Path(folder), 1, Limits(), asked.jobs)
        seconds = time.perf_counter() - begin
    spent = [sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    right = sum(row.points == "1" for row in done.rows)
    graded = sum(bool(row.points) for row in done.rows)
    print(
        f"{lab}: {asked.students} students, {right} of {graded} right, {seconds:.1f} s of the clock, {asked.jobs} jobs"
    )
    print(f"computing: {spent[0]:.1f} s here with loading the package, {spent[1]:.1f} s in judges and their children")


if __name__ == "__main__":
    main()
