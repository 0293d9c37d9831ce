"""Exercises and their solutions, as the cells of a lab hold them: found by tags, then by ids, then by names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .lesson import tags


def name_of(cell) -> str:
    """The exercise that a cell belongs to: what follows ``for:`` in its tags; empty if it belongs to none."""
    return next((tag.removeprefix("for:") for tag in sorted(tags(cell)) if tag.startswith("for:")), "")


def solutions(notebook) -> dict[str, str]:
    """Code of each folded solution, by the name of its exercise.

    A solution is a markdown cell tagged ``solution`` and ``for:NAME`` with one block of Python in it; the cell that
    the student fills in is tagged ``exercise`` and ``for:NAME``. The solution of an exercise of the kind ``open`` is
    text, and is not among them.
    """
    opened = {
        name_of(cell)
        for cell in notebook["cells"]
        if "exercise" in tags(cell) and cell["metadata"].get("nasviz", {}).get("kind") == "open"
    }
    found = {}
    for cell in notebook["cells"]:
        if "solution" in tags(cell):
            name = name_of(cell)
            block = re.search(r"```python\n(.*?)```", cell["source"], re.S)
            if block is None and name in opened:
                continue
            assert block is not None, f"the solution of {name} has no block of Python"
            found[name] = block.group(1)
    return found


def without_solutions(notebook):
    """A copy of ``notebook`` whose solution cells are gone."""
    kept = [cell for cell in notebook["cells"] if "solution" not in tags(cell)]
    return type(notebook)(notebook | {"cells": kept})


def code_of(source: str) -> str:
    """The source of a cell as Python: lines for the notebook alone (``%time``, ``!ls``, ``?name``) become empty."""
    return "\n".join("" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.split("\n"))


def defined(source: str) -> set[str]:
    """The names that a cell gives a value on its outermost level: functions, classes, variables; no imports.

    A cell that is no Python defines none.
    """
    try:
        body = ast.parse(code_of(source)).body
    except (SyntaxError, ValueError):
        return set()
    return {name for statement in body for name in _names(statement)}


def _names(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for part in (part for target in targets for part in ast.walk(target)):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id
