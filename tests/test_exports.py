"""Assignments for nbgrader and Otter: their form; and, where these are installed, what they make of them.

``NASVIZ_GRADERS`` may name the folder of programs of another environment, in which they are installed beside nasviz.
"""

import ast
import csv
import json
import os
import shutil
import subprocess

import nbformat
import pytest

from nasviz.course import commands
from nasviz.course.grading import exports, inside, limits, pristine, source
from nasviz.course.solutions import solutions

LAB = next(lab for lab in pristine.labs() if lab.endswith("-evolution"))
EXERCISES = [one for lab in pristine.labs() for one in pristine.of(lab) if one.check]
CHECKED = [one for one in pristine.of(LAB) if one.check]
CHEAT = "def check(exercise):\n    return exercise\nfrom nasviz import course\ncourse.check = check\n"


def program(name):
    folder = os.environ.get("NASVIZ_GRADERS")
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed: pip install 'nasviz[graders]'")
    return found


def run(command, folder):
    path = os.pathsep.join([os.path.dirname(command[0]), os.environ["PATH"]])  # nbgrader looks for programs beside it
    env = os.environ | {"NASVIZ_TEST": "", "PATH": path}
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-3000:]
    return ran.stdout


@pytest.mark.parametrize("form", exports.FORMATS)
@pytest.mark.parametrize("one", EXERCISES, ids=lambda one: one.name)
def test_a_solution_stands_between_marks_and_leaves_the_first_line(one, form):
    begin, end = exports.MARKS[form]
    cell = exports.to_solve(one, (begin, end))
    lines = cell.split("\n")
    inner = [n for n, line in enumerate(lines) if line.strip() in (begin, end)]
    assert len(inner) == 2
    ast.parse(cell)
    left = lines[: inner[0]] + [lines[inner[0]].replace(begin, "raise NotImplementedError")] + lines[inner[1] + 1 :]
    asked = ast.parse("\n".join(left))
    wanted = [node for node in ast.parse(one.stub).body if isinstance(node, ast.FunctionDef)]
    found = [node for node in asked.body if isinstance(node, ast.FunctionDef)]
    assert [(n.name, ast.dump(n.args)) for n in found] == [(n.name, ast.dump(n.args)) for n in wanted]
    if one.kind == "fill":
        assert not any(
            line.strip() and line in one.solution for line in left if "def " not in line and "import" not in line
        )


@pytest.mark.skipif(not limits.FORKS, reason="the labs' imports take long")
def test_what_decides_takes_the_solution_and_refuses_the_stub():
    for one in CHECKED[:2]:
        right = source.run(source.parsed(one.solution), "solution", dict(pristine.imported(LAB)))
        assert inside.passes("evolution", one.name, right | {"check": None})
        stub = source.run(source.parsed(one.stub), "stub", dict(pristine.imported(LAB)))
        with pytest.raises(AssertionError, match="not written yet"):
            inside.passes("evolution", one.name, stub)
        with pytest.raises(AssertionError, match="is not there yet"):
            inside.passes("evolution", one.name, {})
    with pytest.raises(ValueError, match="no installed lab on 'evolution' has an exercise 'x'"):
        inside.passes("evolution", "x", {})


@pytest.mark.parametrize("form", exports.FORMATS)
def test_every_lab_becomes_an_assignment(form, tmp_path, capsys):
    for lab in pristine.labs():
        book = exports.assignment(lab, form)
        nbformat.validate(book)
        names = [one.name for one in pristine.of(lab) if one.check]
        text = "\n".join(cell.source for cell in book.cells)
        assert all(name in text for name in names) and len({cell.id for cell in book.cells}) == len(book.cells)
    assert commands.main(["export", "evolution", str(tmp_path), "--format", form]) == 0
    assert commands.main(["export", "evolution", str(tmp_path), "--format", form]) == 2
    assert commands.main(["export", "none", str(tmp_path), "--format", form]) == 2
    assert "there is no lab none" in capsys.readouterr().out


def answered(path, answers, first=""):
    """A student's copy of a released notebook: the stubs replaced by answers, found by what they define."""
    book = nbformat.read(path, as_version=4)
    book.cells[1].source += f"\n{first}"
    for cell in book.cells:
        for one in CHECKED:
            if one.name in answers and cell.id == f"do-{one.name}":
                cell.source = answers[one.name]
    return book


def test_nbgrader_gives_stubs_nothing_and_honest_answers_all(tmp_path):
    nbgrader = program("nbgrader")
    assert commands.main(["export", "evolution", str(tmp_path), "--format", "nbgrader"]) == 0
    run([nbgrader, "generate_assignment", "evolution"], tmp_path)
    released = tmp_path / "release" / "evolution" / "evolution.ipynb"
    text = released.read_text()
    assert "SOLUTION" not in text and "def my_tournament(fitness, size, rng):" in text
    for who, answers, first in (("stub", {}, ""), ("honest", solutions(pristine.lab(LAB)), ""), ("cheat", {}, CHEAT)):
        folder = tmp_path / "submitted" / who / "evolution"
        folder.mkdir(parents=True)
        nbformat.write(answered(released, answers, first), folder / "evolution.ipynb")
    run([nbgrader, "autograde", "evolution", "--create"], tmp_path)
    run([nbgrader, "export"], tmp_path)
    with (tmp_path / "grades.csv").open() as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {"stub": 0, "honest": len(CHECKED), "cheat": 0}


def test_otter_gives_stubs_nothing_and_honest_answers_all(tmp_path):
    otter = program("otter")
    assert commands.main(["export", "evolution", str(tmp_path), "--format", "otter"]) == 0
    run([otter, "assign", "evolution.ipynb", "out", "--no-run-tests", "--no-pdfs"], tmp_path)
    released = tmp_path / "out" / "student" / "evolution.ipynb"
    text = released.read_text()
    assert "SOLUTION" not in text and "def my_tournament(fitness, size, rng):" in text and "inside.passes" not in text
    (config,) = (tmp_path / "out" / "autograder").glob("*.zip")
    scores = {}
    for who, answers, first in (("stub", {}, ""), ("honest", solutions(pristine.lab(LAB)), ""), ("cheat", {}, CHEAT)):
        book = nbformat.read(released, as_version=4)
        for cell in book.cells:
            for one in CHECKED:
                if (
                    cell.cell_type == "code"
                    and one.stub.split("\n")[0].split(" = ")[0] in cell.source
                    and one.name in answers
                ):
                    cell.source = answers[one.name]
        book.cells[2].source += f"\n{first}"
        folder = tmp_path / who
        folder.mkdir()
        nbformat.write(book, folder / "evolution.ipynb")
        run([otter, "run", "-a", str(config), str(folder / "evolution.ipynb"), "-o", str(folder)], folder)
        found = json.loads((folder / "results.json").read_text())
        scores[who] = sum(test.get("score", 0) for test in found["tests"])
    assert scores == {"stub": 0, "honest": len(CHECKED), "cheat": 0}
