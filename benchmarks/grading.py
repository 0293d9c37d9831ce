"""How long a class takes to be graded: sixty submissions, all exercises of a lab, two at once.

    python benchmarks/grading.py                the lab on evolution
    python benchmarks/grading.py --lab darts    another one, by its topic; --students, --jobs

A third of the class hands in the solutions, a third usual mistakes (tests/mistakes), a third the stubs as they were.
Each writes a line of their own, so that no two answers are equal. What an experiment measures is computed once for
equal settings; each further setting adds what its experiment takes.
"""

from __future__ import annotations

import argparse
import copy
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import nbformat

from nasviz.course import sessions, student
from nasviz.course.grading import command, pristine
from nasviz.course.grading.limits import Limits
from nasviz.course.lesson import tags
from nasviz.course.solutions import name_of, solutions

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from mistakes import WRONG  # noqa: E402


def hand_in(folder: Path, lab: str, students: int) -> Counter:
    """Write the notebooks of a class; how many of each kind."""
    right, book = solutions(pristine.lab(lab)), student.student(pristine.lab(lab), lab=lab)
    wrong = {name: [answer for answer, _ in found] for (where, name), found in WRONG.items() if where == lab}
    kinds = ["honest", "mistaken", "stub"]
    for number in range(students):
        own, kind = copy.deepcopy(book), kinds[number % 3]
        for cell in own.cells:
            name = name_of(cell)
            if "exercise" in tags(cell) and name in right:
                mistakes = wrong.get(name, [right[name]])
                mistake = mistakes[number // 3 % len(mistakes)]
                source = {"honest": right[name], "mistaken": mistake, "stub": cell.source}[kind]
                cell.source = f"# by student {number}\n{source}"
        (folder / f"student-{number}-{kind}").mkdir()
        nbformat.write(own, folder / f"student-{number}-{kind}" / f"{lab}.ipynb")
    return Counter(kinds[number % 3] for number in range(students))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lab", default="evolution")
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    lab = next(one for one in pristine.labs() if sessions.topic(one) == asked.lab)
    with tempfile.TemporaryDirectory() as folder:
        kinds = hand_in(Path(folder), lab, asked.students)
        begin = time.perf_counter()
        done = command.grade(Path(folder), 1, Limits(), asked.jobs)
        seconds = time.perf_counter() - begin
    spent = [sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    graded = Counter((row.who.rpartition("-")[2], row.points) for row in done.rows if row.points)
    print(f"{lab}: {asked.students} students, {seconds:.1f} s of the clock, {asked.jobs} jobs")
    for kind, count in kinds.items():
        whole = sum(n for (which, _), n in graded.items() if which == kind)
        print(f"  {count} {kind}: {graded[kind, '1']} of {whole} exercises right")
    print(f"computing: {spent[0]:.1f} s here with loading the package, {spent[1]:.1f} s in judges and their children")


if __name__ == "__main__":
    main()
