"""Architecture weights: what each edge prefers, in time and now."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..search import Run
from ..space import SearchSpace
from ..step import Step
from .stage import Stage


def alphas(steps: Run | Iterable[Step], space: SearchSpace | None = None) -> Stage:
    """Per edge, the softmax over its operations step by step, and beside it the table of the present step.

    Parameters
    ----------
    steps : Run, or iterable of Step
        Steps that show ``alphas``, float32 (choices, options), rows that sum to 1. Others are passed over.
    space : SearchSpace, optional
        Names edges and operations; taken from the run where there is one.

    Returns
    -------
    Stage
        Display it, drag its slider, or write it with `nasviz.views.replay.to_html`.

    Raises
    ------
    ValueError
        If no step shows alphas, or their shape is not that of the space's relaxed choices.

    Examples
    --------
    >>> alphas(Run.load("darts.jsonl"))  # doctest: +SKIP
    """
    if isinstance(steps, Run):
        steps, space = steps.steps, steps.search.space
    shown = [np.asarray(step.shows["alphas"]) for step in steps if "alphas" in step.shows]
    if not shown or space is None:
        raise ValueError("nothing to draw: no step shows 'alphas'" if space else "alphas(steps) also needs the space")
    edges = [choice.name for choice in space.relaxed]
    common = {"array": "alphas", "labels": edges}
    spec = {
        "arrays": {"alphas": [len(edges), len(space.relaxed[0].options)]},
        "ops": [str(option) for option in space.relaxed[0].options],
        "views": [
            {"kind": "traces", "title": "Weight of each operation, edge by edge", "span": 7, **common},
            {"kind": "heat", "title": "Weights at this step", "span": 5, **common},
        ],
    }
    return Stage(spec, ({"alphas": weights} for weights in shown))
