"""A population step by step: age and accuracy of its members, births and deaths, the ancestors of the best."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...run import Run
from .cell import cell_view, labels, options_view
from .from_search import Rows, rows_of, turned
from .kinds.people import AgesView, FamilyView, NamedChoice
from .kinds.view import View
from .spec import Spec
from .widget import Stage


def population(run: Run) -> Stage:
    """Draw the population of a search step by step, the family of the best, and the mutation of each step in the cell.

    Upper left, each member of the population is a dot at its age and its accuracy. It starts at the left, moves right
    with its age, and becomes a fading ring when it dies. The best of all steps and its ancestors are magenta. Upper
    right are the ancestors of the best so far, one generation per row, with the edit that made each. Their siblings are
    grey; architectures over the bound are hollow. Below are the parent and its child, with the change marked.

    Parameters
    ----------
    run : Run
        The run of a search whose steps show ``evaluation``, ``parent`` and ``population``.

    Raises
    ------
    ValueError
        If the steps do not show these, or there are no steps yet.

    Examples
    --------
    >>> population(Run.load("evolution.jsonl"))  # doctest: +SKIP
    """
    rows = rows_of(run, {"evaluation", "parent", "population"}, "has no population to draw")
    space = run.search.space
    names = [NamedChoice(name=choice.name, options=labels(choice)) for choice in space.choices]
    common: dict[str, Any] = {
        "array": "accuracy", "parent": "parent", "feasible": "feasible" if rows.bound else None,
        "scale": 100, "unit": "%", "ylabel": "validation accuracy, %", "span": 6, "height": 360,
    }  # fmt: skip
    views: list[View] = [
        AgesView(population="population", title="The living, by age", **common),
        FamilyView(arch="arch", choices=names, title="The line of the best so far", **common),
    ]
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
    spec = Spec(arrays=arrays, ops=rows.spec.ops, views=views, speed=5)
    stage = Stage(spec, _rows(run, rows, before))
    for at, values in run.turns:
        stage.mark(at, turned(values))
    return stage


def _rows(run: Run, rows: Rows, before: str):
    """Yield the arrays of each step, with its parent's architecture beside its own (nan where there is no parent)."""
    archs = []
    for step, seconds in zip(run.steps, run.costs, strict=True):
        row = rows.row(step, seconds)
        archs.append(row["arch"])
        if before != "arch":
            parent = step.shows["parent"]
            row[before] = archs[parent] if parent >= 0 else np.full_like(row["arch"], np.nan)
        yield row
