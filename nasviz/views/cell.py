"""One architecture as a picture: a still cell, or a supernet with every candidate as wide as its weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..space import Graph, SearchSpace
from .colors import style
from .rows import cell_view
from .stage import Stage


class Cell(Stage):
    """A stage that holds one cell and says in words what it shows.

    Attributes
    ----------
    text : str
        The picture for who cannot see it: ``"Cell of nasbench201. 0→1: conv 3×3, 0→2: zero, …"``.
    """

    def __init__(self, spec: dict, text: str, **arrays):
        self.text = text
        super().__init__(spec, [arrays])

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return data | {"text/plain": self.text}, metadata


def show(what: Sequence | str | np.ndarray, space: SearchSpace, title: str = "") -> Cell:
    """Draw an architecture, or architecture weights.

    Parameters
    ----------
    what : Arch, str, or array of shape (choices, options)
        An architecture, its text, or weights (as a step's ``alphas``): then every candidate operation of an edge is
        drawn, as wide and as strong as its weight.
    space : SearchSpace
    title : str
        Above the picture; by default the architecture's text.

    Returns
    -------
    Cell
        Displays as a live picture where widgets run, and as PNG and text elsewhere (nbviewer, GitHub).

    Raises
    ------
    ValueError
        If ``what`` is not an architecture of the space, or has not the shape of its weights.

    Examples
    --------
    >>> show((3, 0, 1, 0, 0, 2), NasBench201()).text  # doctest: +SKIP
    'Cell of nasbench201. 0→1: conv 3×3, 0→2: zero, 1→2: skip, 0→3: zero, 1→3: zero, 2→3: conv 1×1'
    """
    if isinstance(what, str):
        what = space.from_text(what)
    weights = np.asarray(what, dtype=float)
    if weights.ndim == 2:
        return _supernet(weights, space, title)
    arch = space.check(what)
    graph = space.graph(arch)
    free = [edge for edge in graph.edges if edge.choice is not None]
    options = {choice.options for choice in space.choices}
    ops = list(options.pop()) if len(options) == 1 else sorted({edge.op for edge in free})
    if not {edge.op for edge in free} <= set(ops):
        ops = sorted({edge.op for edge in free})
    hot = np.array([[float(edge.op == op) for op in ops] for edge in free])
    return _picture(graph, space, ops, hot, title or space.to_text(arch))


def _supernet(weights: np.ndarray, space: SearchSpace, title: str) -> Cell:
    shape = len(space.relaxed), len(space.relaxed[0].options)
    if weights.shape != shape:
        raise ValueError(f"weights of {space.name} have shape {shape}, got {weights.shape}")
    graph = space.graph(space.discretize(weights))
    return _picture(graph, space, list(space.relaxed[0].options), weights, title or "Width is weight")


def _picture(graph: Graph, space: SearchSpace, ops: list[str], weights: np.ndarray, title: str) -> Cell:
    edges = [edge for edge in graph.edges if edge.choice is not None]
    names = [space.choices[edge.choice].name for edge in edges]
    parts = []
    for name, row in zip(names, weights, strict=True):
        top = int(np.argmax(row))
        parts.append(f"{name}: {style(ops[top]).label}" + ("" if row[top] == 1 else f" {100 * row[top]:.0f} %"))
    text = f"Cell of {space.name}. {', '.join(parts)}"
    view = cell_view(graph, "weights", title=title, height=260)
    arrays = {"weights": list(weights.shape)}
    spec = {"arrays": arrays, "ops": [str(op) for op in ops], "views": [view], "transport": False}
    return Cell(spec, text, weights=weights)
