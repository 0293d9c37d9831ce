"""Local search on the graph of one-edit neighbours: its position, the neighbours tried, and its path."""

from __future__ import annotations

from typing import cast

import numpy as np

from ...run import Run
from ...step import Evaluation
from .cell import cell_view, labels, options_view
from .from_search import Rows, option_matrix, rows_of
from .kinds.heat import HeatView
from .kinds.swarm import SwarmView
from .kinds.view import View
from .spec import Spec
from .widget import Stage


def neighborhood(run: Run) -> Stage:
    """Draw a local search: the neighbour that is tried, all known neighbours, and the path so far.

    The table has a row for each choice and a column for each option. A field holds the score of the architecture that
    has this option and otherwise equals the present one. The option of the present architecture has a field too.

    Parameters
    ----------
    run : Run
        The run of a search whose steps show ``evaluation``, ``parent`` and ``position``.

    Raises
    ------
    ValueError
        If the steps do not show these, or there are no steps yet.

    Examples
    --------
    >>> neighborhood(run)  # doctest: +SKIP
    """
    rows = rows_of(run, {"evaluation", "parent", "position"}, "does not walk")
    search, space = run.search, run.search.space
    widest = max((choice.options for choice in space.choices), key=len)
    same = all(choice.options == widest for choice in space.choices)
    named = labels(next(c for c in space.choices if c.options == widest)) if same else map(str, range(len(widest)))
    arrays = {name: rows.arrays[name] for name in rows.arrays} | {"around": [len(space.choices), len(widest)]}
    if rows.graph:
        arrays["here"] = arrays["arch"]
        words = "Tried now; its edit is marked"
        first: View = cell_view(rows.graph, "arch", title=words, span=5, height=300, against="here")
    else:
        first = options_view(space, "arch", title="Tried now", span=12)
    known = [100 * cast(Evaluation, step.evaluation).scores["accuracy"] for step in run.steps]
    low, high = np.nanpercentile(known, [5, 100]) / 100
    bound = " or over the bound" if rows.bound else ""
    table = HeatView(
        array="around",
        labels=[choice.name for choice in space.choices],
        columns=list(named),
        title=f"Accuracy of the neighbours, in % (–: not known{bound})",
        min=low,
        max=high,
        digits=1,
        span=7,
    )
    walk = SwarmView(
        array="accuracy",
        parent="parent",
        scale=100,
        unit="%",
        ylabel="validation accuracy, %",
        title="The walk: each fan is a neighbourhood, each new beginning a restart",
        total=len(search),
        height=280,
        feasible="feasible" if rows.bound else None,
    )
    spec = Spec(arrays=arrays, ops=rows.spec.ops, views=[first, table, walk], speed=5)
    return Stage(spec, _rows(run, rows, len(widest)))


def _rows(run: Run, rows: Rows, widest: int):
    """Yield the arrays of each step; ``around`` holds the known scores of the present architecture's neighbours."""
    known: dict[tuple, float] = {}
    for step, seconds in zip(run.steps, run.costs, strict=True):
        evaluation, row = cast(Evaluation, step.evaluation), rows.row(step, seconds)
        allowed = rows.bound is None or rows.bound(evaluation)
        known[evaluation.arch] = evaluation.scores["accuracy"] if allowed else np.nan
        parent = step.shows["parent"]
        here = cast(Evaluation, run.steps[parent].evaluation).arch if parent >= 0 else evaluation.arch
        around = np.full((len(here), widest), np.nan, "<f4")
        for choice, options in enumerate(rows.search.space.choices):
            for option in range(len(options.options)):
                around[choice, option] = known.get((*here[:choice], option, *here[choice + 1 :]), np.nan)
        row["around"] = around
        if rows.graph:
            row["here"] = option_matrix(here, widest)
        yield row
