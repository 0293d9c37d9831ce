"""The exercises of a lab as an assignment for nbgrader or Otter: to write, to check, and to grade in their ways.

    python -m nasviz course export evolution --format nbgrader OUT
    python -m nasviz course export evolution --format otter OUT

An assignment has the exercises without the lesson around them, so that a grader runs no search of the lesson. The mark
where a solution begins stands inside the function, so that its first line stays. What is graded calls `passes`
(`nasviz.course.grading.inside`), which a `check` that a student has defined anew does not reach. The graders run it in
the student's kernel: docs/grading.md says what that does not withstand.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from .. import sessions
from ..lesson import tags
from ..solutions import name_of
from . import pristine, source
from .pristine import Exercise

FORMATS = ("nbgrader", "otter")
CONFIG = """\
c = get_config()  # read by nbgrader
c.ExecutePreprocessor.timeout = 300
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError  # your code instead of this line"}
"""
MARKS = {"nbgrader": ("### BEGIN SOLUTION", "### END SOLUTION"), "otter": ("# BEGIN SOLUTION", "# END SOLUTION")}


def to_solve(exercise: Exercise, marks: tuple[str, str]) -> str:
    """The cell of an exercise with its solution between marks, which a grader cuts out.

    The marks stand inside the function that is to be written; what else the solution needs goes in there too. An
    experiment keeps the lines that the student was given, and has its solution below them.
    """
    begin, end = marks
    stub, solved = source.parsed(exercise.stub), source.parsed(exercise.solution)
    wanted = {one.name: one for one in stub.body if isinstance(one, ast.FunctionDef)}
    made = {one.name: one for one in solved.body if isinstance(one, ast.FunctionDef)}
    if not wanted or not wanted.keys() <= made.keys():
        return "\n".join([exercise.stub.rstrip(), begin, exercise.solution.rstrip(), end])
    lines, code = exercise.stub.split("\n"), exercise.solution.split("\n")
    inside = [one for one in solved.body if not (isinstance(one, ast.FunctionDef) and one.name in wanted)]
    for number, (name, function) in enumerate(reversed(wanted.items())):
        body = code[made[name].body[0].lineno - 1 : made[name].end_lineno]
        if number == len(wanted) - 1:  # the first function: it stands above what follows
            more = [f"    {line}" for one in inside for line in code[one.lineno - 1 : one.end_lineno]]
            body = [*more, *([""] if more else []), *body]
        first, last = function.body[0].lineno - 1, function.end_lineno
        lines[first:last] = [f"    {begin}", *body, f"    {end}"]
    return "\n".join(lines).rstrip()


def graded(exercise: Exercise, seed: int) -> str:
    """The cell that decides: the package's check of what the kernel has."""
    what = f"{sessions.topic(exercise.lab)!r}, {exercise.name!r}, globals(), seed={seed}"
    return f"from nasviz.course.grading import inside\n\ninside.passes({what})"


def _imports(lab: str) -> str:
    """All imports of a lab, each once."""
    found: dict[str, None] = {}
    for cell in pristine.lab(lab)["cells"]:
        if cell["cell_type"] == "code" and not tags(cell) & {"exercise", "solution"}:
            found |= dict.fromkeys(ast.unparse(one) for one in source.imports(cell["source"]).body)
    return "\n".join(found)


def _parts(lab: str) -> Iterator[tuple[Exercise, str]]:
    """The exercises of a lab, each with the text that stands above it."""
    cells = pristine.lab(lab)["cells"]
    for exercise in pristine.of(lab):
        place = next(n for n, c in enumerate(cells) if "exercise" in tags(c) and name_of(c) == exercise.name)
        above = cells[place - 1] if place else None
        tells = above is not None and above["cell_type"] == "markdown" and "solution" not in tags(above)
        yield exercise, above["source"] if tells and above is not None else ""


def assignment(lab: str, form: str, seed: int = 0):
    """The notebook of an assignment, with solutions: what nbgrader keeps in ``source``, and Otter calls the master.

    Parameters
    ----------
    lab : str
        The stem of an installed lab.
    form : str
        One of `FORMATS`.
    seed : int
        From which second inputs are drawn. It stands in the assignment: nbgrader gives it to students, Otter does not.

    Raises
    ------
    ValueError
        For another form.
    """
    from nbformat.v4 import new_notebook

    if form not in FORMATS:
        raise ValueError(f"there are the formats {', '.join(FORMATS)}, and none {form!r:.60}")
    cells = list(_nbgrader(lab, seed) if form == "nbgrader" else _otter(lab, seed))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "nasviz": {"lab": lab, "edition": form}})


def _title(lab: str):
    from nbformat.v4 import new_code_cell, new_markdown_cell

    head = pristine.lab(lab)["cells"][0]["source"].split("\n")[0]
    yield new_markdown_cell(f"{head}\n\nThe exercises of this lab. Run the cells from the top.", id="title")
    yield new_code_cell(_imports(lab), id="imports")


def _nbgrader(lab: str, seed: int) -> Iterator:
    from nbformat.v4 import new_code_cell, new_markdown_cell

    def said(name: str, **more) -> dict:
        usual = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
        return {"nbgrader": usual | {"grade_id": name} | more}

    yield from _title(lab)
    for exercise, text in _parts(lab):
        name, own = exercise.name, ["exercise", f"for:{exercise.name}"]
        if text:
            yield new_markdown_cell(text, id=f"about-{name}"[:64])
        if not exercise.check:
            yield new_markdown_cell(exercise.stub, id=f"open-{name}"[:64])
            words = said(f"answer_{name}", grade=True, solution=True, points=1)
            yield new_markdown_cell("*Write your answer here.*", metadata=words, id=f"answer-{name}"[:64])
            continue
        cell = to_solve(exercise, MARKS["nbgrader"])
        yield new_code_cell(cell, metadata=said(name, solution=True) | {"tags": own}, id=f"do-{name}"[:64])
        folded = {"tags": ["check", f"for:{name}"], "jupyter": {"source_hidden": True}}
        yield new_code_cell(exercise.check, metadata=folded, id=f"check-{name}"[:64])
        decides = said(f"grade_{name}", grade=True, locked=True, points=1)
        yield new_code_cell(graded(exercise, seed), metadata=decides, id=f"grade-{name}"[:64])


def _otter(lab: str, seed: int) -> Iterator:
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

    yield new_raw_cell("# ASSIGNMENT CONFIG\nexport_cell: false\ncheck_all_cell: false\n", id="config")
    yield from _title(lab)
    for exercise, text in _parts(lab):
        name, by_hand = exercise.name, not exercise.check
        manual = "manual: true\n" if by_hand else ""
        yield new_raw_cell(f"# BEGIN QUESTION\nname: {name}\npoints: 1\n{manual}", id=f"begin-{name}"[:64])
        about = exercise.stub if by_hand else text or f"Exercise: {name}"
        yield new_markdown_cell(about, id=f"about-{name}"[:64])
        yield new_raw_cell("# BEGIN SOLUTION", id=f"solve-{name}"[:64])
        if by_hand:
            yield new_markdown_cell("*Read by a person.*", id=f"do-{name}"[:64])
        else:
            yield new_code_cell(to_solve(exercise, MARKS["otter"]), id=f"do-{name}"[:64])
        yield new_raw_cell("# END SOLUTION", id=f"solved-{name}"[:64])
        if not by_hand:
            yield new_raw_cell("# BEGIN TESTS", id=f"tests-{name}"[:64])
            hidden = f'""" # BEGIN TEST CONFIG\nhidden: true\n""" # END TEST CONFIG\n{graded(exercise, seed)}'
            right = [new_output("execute_result", data={"text/plain": "True"}, execution_count=1)]
            yield new_code_cell(hidden, outputs=right, execution_count=1, id=f"test-{name}"[:64])
            yield new_raw_cell("# END TESTS", id=f"tested-{name}"[:64])
        yield new_raw_cell("# END QUESTION", id=f"end-{name}"[:64])


def add_command(commands) -> None:
    """Add ``export`` to a parser's subcommands."""
    import argparse

    said = "write the exercises of a lab as an assignment for nbgrader or Otter"
    raw = argparse.RawDescriptionHelpFormatter
    one = commands.add_parser("export", help=said, description=__doc__, formatter_class=raw)
    one.set_defaults(do=do_export)
    one.add_argument("lab", help="its topic, such as evolution")
    one.add_argument("out", type=Path, help="a folder; nothing in it is overwritten")
    one.add_argument("--format", dest="form", choices=FORMATS, required=True)
    one.add_argument("--seed", type=int, default=0, help="of the second inputs (default: 0)")


def do_export(options) -> int:
    """Write an assignment; 2 if that is not possible."""
    import nbformat

    from ..student import write

    labs = {sessions.topic(one): one for one in pristine.labs()} | {one: one for one in pristine.labs()}
    if options.lab not in labs:
        print(f"there is no lab {options.lab}; there are {', '.join(map(sessions.topic, pristine.labs()))}")
        return 2
    text = nbformat.writes(assignment(labs[options.lab], options.form, options.seed)) + "\n"
    name = sessions.topic(labs[options.lab])
    try:
        if options.form == "nbgrader":
            made = write({f"{name}.ipynb": text}, options.out / "source" / name)
            if not (options.out / "nbgrader_config.py").exists():
                made += write({"nbgrader_config.py": CONFIG}, options.out)
        else:
            made = write({f"{name}.ipynb": text}, options.out)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    print(*made, sep="\n")
    return 0
