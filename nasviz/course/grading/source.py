"""Source that is run: the imports of a lab, a student's cell, a check. No other module runs what a file says."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator

from ..solutions import code_of

LONGEST = 200_000  # letters of a cell
DEFINITIONS = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def run(tree: ast.Module, name: str, namespace: dict) -> dict:
    """Run Python in a namespace and return it; ``name`` stands for the file in what errors say."""
    exec(compile(tree, name, "exec"), namespace)
    return namespace


def shown(source: str, name: str) -> ast.Module:
    """A cell to run, whose lines errors show."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    return parsed(source)


def parsed(source: str) -> ast.Module:
    """The source of a cell, as Python.

    Raises
    ------
    SyntaxError
        If it is none, or longer than any cell that a person writes.
    """
    if len(source) > LONGEST:
        raise SyntaxError(f"the cell has {len(source):,} letters; {LONGEST:,} are allowed")
    try:
        return ast.parse(code_of(source))
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(f"the cell is no Python: {error or type(error).__name__}") from None


def definitions(source: str) -> ast.Module:
    """Of a cell, only the imports, functions and classes that it makes; nothing of what it does."""
    try:
        body: list[ast.stmt] = [one for one in parsed(source).body if isinstance(one, DEFINITIONS)]
    except SyntaxError:
        body = []
    return ast.Module(body, [])


def imports(source: str) -> ast.Module:
    """Of a cell, only its imports."""
    body: list[ast.stmt] = [one for one in parsed(source).body if isinstance(one, ast.Import | ast.ImportFrom)]
    return ast.Module(body, [])


def literals(source: str) -> dict[str, object]:
    """What a cell writes down as plain data: ``my_population, my_prediction = 20, 0.1``, a text, ``range(20)``.

    A name that is given a value anywhere else too, or by more than plain data, is not among them.
    """
    try:
        tree = parsed(source)
    except SyntaxError:
        return {}
    found = {}
    times: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            times[node.id] = times.get(node.id, 0) + 1
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            for target, value in _pairs(statement.targets[0], statement.value):
                try:
                    found[target] = _plain(value)
                except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                    continue
    return {name: value for name, value in found.items() if times[name] == 1}


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, its in zip(target.elts, value.elts, strict=True):
            if isinstance(one, ast.Name):
                yield one.id, its


def _plain(value: ast.expr) -> object:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "range":
        ends = [ast.literal_eval(one) for one in value.args]
        if value.keywords or not ends or not all(type(one) is int and abs(one) < 10**6 for one in ends):
            raise ValueError
        return range(*ends)
    return ast.literal_eval(value)
