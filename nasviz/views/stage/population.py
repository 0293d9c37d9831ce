"""A population as it lives: who is how old and how good, who is born and dies, from whom the best descends."""

from __future__ import annotations

import numpy as np

from ...run import Run
from .cell import cell_view, labels, options_view
from .from_search import Rows, rows_of, turned
from .widget import Stage


def population(run: Run) -> Stage:
    """The population of a search step by step, the family of the best, and the mutation of each step in the cell.

    Upper left, each living individual is a dot at its age and its accuracy: it is born at the left, moves right as it
    ages, and leaves as a fading ring. The best of all steps and its ancestors are magenta. Upper right, the line of the
    best so far, one generation a row, with the edit that made it; grey are brothers and sisters, hollow those over the
    bound. Below, the parent and its child, what was changed marked.

    Parameters
    ----------
    run : Run
        Of a search whose steps show ``evaluation``, ``parent`` and ``population``.

    Raises
    ------
    ValueError
        If they do not, or there are none yet.

    Examples
    --------
    >>> population(Run.load("evolution.jsonl"))  # doctest: +SKIP
    """
    rows = rows_of(run, {"evaluation", "parent", "population"}, "has no population to draw")
    space = run.search.space
    names = [{"name": choice.name, "options": labels(choice)} for choice in space.choices]
    score = {"array": "accuracy", "scale": 100, "unit": "%", "parent": "parent"}
    score |= {"feasible": "feasible"} if rows.bound else {}
    views = [
        {"kind": "ages", "population": "population", "title": "The living, by age", "span": 6}
        | score | {"ylabel": "validation accuracy, %", "height": 360},
        {"kind": "family", "arch": "arch", "choices": names, "title": "The line of the best so far", "span": 6}
        | score | {"ylabel": "validation accuracy, %", "height": 360},
    ]  # fmt: skip
    arrays, before = dict(rows.arrays), "arch"
    if rows.graph:
        before = "before"
        arrays[before] = arrays["arch"]
        views += [
            cell_view(rows.graph, before, title="The parent", span=6, height=230),
            cell_view(rows.graph, "arch", title="Its child: marked, the mutation", span=6, height=230, against=before),
        ]
    else:
        views.append(options_view(space, "arch", title="The architecture of this step", span=12))
    spec = {"arrays": arrays, "ops": rows.spec["ops"], "views": views}
    stage = Stage(spec | {"speed": 5}, _rows(run, rows, before))
    for at, values in run.turns:
        stage.mark(at, turned(values))
    return stage


def _rows(run: Run, rows: Rows, before: str):
    """The arrays of each step, with the architecture of its parent beside its own (nan where it has none)."""
    archs = []
    for step, seconds in zip(run.steps, run.costs, strict=True):
        row = rows.row(step, seconds)
        archs.append(row["arch"])
        if before != "arch":
            parent = step.shows["parent"]
            row[before] = archs[parent] if parent >= 0 else np.full_like(row["arch"], np.nan)
        yield row
