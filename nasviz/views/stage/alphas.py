"""Architecture weights in full size: the supernet with edges as wide as weights, every edge in time, and a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ...run import Run
from ...space import SearchSpace
from ...step import Step
from .cell import in_line, supernet_view
from .kinds.heat import HeatView
from .kinds.traces import TracesView
from .kinds.view import View
from .shown import showing
from .spec import Spec
from .widget import Stage


def alphas(steps: Run | Iterable[Step], space: SearchSpace | None = None, ordered: bool = True) -> Stage:
    """Draw the architecture weights of a DARTS-like search, step by step.

    Each cell of the supernet has edges as wide as their operations' weights. Where an operation has just become the
    strongest on an edge, its name stands there. Below are each edge in time, and the present step's weights as a table.

    Parameters
    ----------
    steps : Run, or iterable of Step
        Steps that show ``alphas``, float32 (choices, options). Other steps are left out.
    space : SearchSpace, optional
        The space that names edges and operations; by default that of the run.
    ordered : bool
        True sorts the edges of each cell by their greatest weight at the end, the greatest first. False keeps the order
        of ``space.relaxed``.

    Returns
    -------
    Stage
        A stage to display, to move by its slider, or to write with `nasviz.views.stage.replay.to_html`.

    Raises
    ------
    ValueError
        If no step shows alphas, or their shape is not that of the space's relaxed choices.

    Examples
    --------
    >>> alphas(Run.load("darts.jsonl"))  # doctest: +SKIP
    """
    with_alphas, space = showing(steps, space, "alphas")
    shown = [np.asarray(step.shows["alphas"]) for step in with_alphas]
    shape = (len(space.relaxed), len(space.relaxed[0].options))
    if shown[-1].shape != shape:
        raise ValueError(f"weights of {space.name} have shape {shape}, these steps show {shown[-1].shape}")
    sure = shown[-1].max(1)
    cells = space.cells()
    views: list[View] = []
    order: list[int] = []
    for name, graph in cells.items():
        free = [edge for edge in graph.edges if edge.choice is not None]
        rows = sorted(free, key=lambda edge: -sure[edge.choice]) if ordered else free
        graph = replace(graph, edges=(*rows, *(edge for edge in graph.edges if edge.choice is None)))
        part = {"first": len(order), "rows": len(rows)} if len(cells) > 1 else {}
        views.append(supernet_view(graph, name, len(cells) == 1, span=12 // len(cells), height=330, **part))
        order += [edge.choice for edge in rows if edge.choice is not None]
    labels = [in_line(space.relaxed[row].name) for row in order]
    wide = (7, 5) if len(cells) == 1 else (12, 12)
    title = "Weight of each operation, edge by edge" + (", the most decided first" if ordered else "")
    views += [
        TracesView(array="alphas", labels=labels, title=title, span=wide[0]),
        HeatView(array="alphas", labels=labels, title="Weights at this step", span=wide[1]),
    ]
    ops = [str(option) for option in space.relaxed[0].options]
    return Stage(Spec(arrays={"alphas": shape}, ops=ops, views=views), ({"alphas": one[order]} for one in shown))
