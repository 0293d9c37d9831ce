"""The exercises of the installed labs: what a student was given, what checks it, and what passes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

from ...paths import labs_dir
from .. import exercises, notebooks
from ..lesson import tags
from ..solutions import defined, name_of, solutions
from . import source


@dataclass(frozen=True)
class Exercise:
    """An exercise as the installed lab has it.

    Attributes
    ----------
    lab, name : str
        The stem of the lab's file, and the name in the cells' tags.
    kind : str
        ``fill``, ``run`` or ``open``.
    stub, cell : str
        What the student was given, and the id of that cell.
    check : str
        The source of its check; empty for an open question.
    solution : str
        Code that passes; empty for an open question.
    """

    lab: str
    name: str
    kind: str
    stub: str
    cell: str
    check: str
    solution: str

    @property
    def asked(self) -> list[str]:
        """The names of the student's that the check looks at."""
        names = set().union(*(_names(one) for one in [compile(check_tree(self), self.name, "exec")]))
        return sorted(defined(self.stub) & names)


def _names(code: CodeType) -> set[str]:
    inner = [_names(one) for one in code.co_consts if isinstance(one, CodeType)]
    return set(code.co_names).union(*inner)


def check_tree(exercise: Exercise) -> ast.Module:
    """The check's cell, with the check as a function that is not yet called."""
    tree = ast.parse(exercise.check)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = [one for one in node.decorator_list if ast.unparse(one) != "check"]
    return tree


@lru_cache
def lab(stem: str):
    """An installed lab's notebook. OSError or ValueError if it cannot be read."""
    return notebooks.read(labs_dir() / f"{stem}.ipynb")


@lru_cache
def labs() -> tuple[str, ...]:
    """The stems of the installed labs, in order."""
    return tuple(path.stem for path in sorted(Path(labs_dir()).glob("[0-9]*.ipynb")))


@lru_cache
def of(stem: str) -> tuple[Exercise, ...]:
    """The exercises of an installed lab, in order."""
    book = lab(stem)
    checks = {name_of(one): one["source"] for one in book["cells"] if "check" in tags(one)}
    answers = solutions(book)
    return tuple(
        Exercise(
            stem,
            name_of(one),
            "open" if one["cell_type"] == "markdown" else one["metadata"].get("nasviz", {}).get("kind", "fill"),
            one["source"],
            one.get("id", ""),
            checks.get(name_of(one), ""),
            answers.get(name_of(one), ""),
        )
        for one in book["cells"]
        if "exercise" in tags(one)
    )


@lru_cache
def imported(stem: str) -> dict:
    """The names after all imports of an installed lab, wherever they stand: exercises need nothing else. Read only."""
    names: dict[str, Any] = {}
    for cell in lab(stem)["cells"]:
        if cell["cell_type"] == "code":
            source.run(source.imports(cell["source"]), stem, names)
    return names


def check_of(exercise: Exercise, values: dict[str, Any]) -> Callable:
    """The check as a function, which looks at ``values`` where it names what a student wrote."""
    names = source.run(check_tree(exercise), f"check of {exercise.name}", imported(exercise.lab) | values)
    return names[exercise.name]


@lru_cache
def right(exercise: Exercise) -> SimpleNamespace:
    """The names that the solution defines, each as it is after the solution ran."""
    names = source.run(ast.parse(exercise.solution), f"solution of {exercise.name}", dict(imported(exercise.lab)))
    return SimpleNamespace(**{name: names[name] for name in exercise.asked if name in names})


def wrong_with_the_solution(exercise: Exercise) -> str:
    """What the check says of the package's own solution: nothing, or this machine cannot grade the exercise.

    It also reads what checks need once: tables, recorded runs. Processes that are forked later have them.
    """
    return exercises.judge(check_of(exercise, vars(right(exercise))))
