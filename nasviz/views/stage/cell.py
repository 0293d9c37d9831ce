"""Pictures of an architecture (its cells or its layers), or of a supernet with edges as wide as the weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from ...graph import Graph
from ...space import Arch, Choice, SearchSpace
from ..colors import style
from .kinds.cell import CellView
from .kinds.options import OptionsView
from .kinds.view import View
from .spec import Spec
from .widget import Stage

WIDE = 3  # cells in one line, at most


class Cell(Stage):
    """A stage with one architecture, and a description of it in words.

    Attributes
    ----------
    text : str
        The description, for readers who cannot see the picture: ``"Cell of NAS-Bench-201. 0→1: conv 3×3, …"``.
    """

    def __init__(self, spec: Spec, row: Mapping, text: str):
        self.text = text
        super().__init__(spec, [row])

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return data | {"text/plain": self.text}, metadata


def show(what: Sequence | str | np.ndarray, space: SearchSpace, title: str = "") -> Cell:
    """Draw an architecture, or architecture weights.

    Parameters
    ----------
    what : Arch, str, or array of shape (choices, options)
        An architecture, its text, or weights (as a step's ``alphas``). With weights, every candidate operation of an
        edge is drawn, as wide and as dark as its weight.
    space : SearchSpace
    title : str
        The title above the picture; by default the architecture's text, or the name of each of its cells.

    Returns
    -------
    Cell
        A live picture where widgets run, and PNG and text elsewhere (nbviewer, GitHub).

    Raises
    ------
    ValueError
        If ``what`` is not an architecture of the space, and does not have the shape of its weights.

    Examples
    --------
    >>> show((3, 0, 1, 0, 0, 2), NasBench201()).text  # doctest: +SKIP
    'Cell of NAS-Bench-201. 0→1: conv 3×3, 0→2: zero, 1→2: skip, 0→3: zero, 1→3: zero, 2→3: conv 1×1'
    """
    if isinstance(what, str):
        what = space.from_text(what)
    weights = np.asarray(what, dtype=float)
    if weights.ndim == 2:
        return _supernet(weights, space, title)
    arch = space.check(cast("Sequence[int]", what))
    return Cell(*pictures([arch], space, [title]), describe(arch, space))


def show_graph(graph: Graph, title: str = "") -> Cell:
    """Draw a graph that is not a member of a space, such as a module designed by hand.

    Its operations are on edges; an edge without an operation is dashed. The entry that chooses an edge is not used.

    Examples
    --------
    >>> show_graph(Graph(("in", "out"), (Edge(0, 1, "conv_3x3"),))).text  # doctest: +SKIP
    'in→out: conv 3×3'
    """
    shown = [edge for edge in graph.edges if edge.op is not None]
    numbers = {edge: number for number, edge in enumerate(shown)}
    numbered = tuple(replace(edge, choice=numbers.get(edge)) for edge in graph.edges)
    ops = sorted({str(edge.op) for edge in shown})
    view = cell_view(replace(graph, edges=numbered), "graph", title=title, height=300, span=12)
    row = {"graph": np.array([[float(edge.op == op) for op in ops] for edge in shown])}
    spec = Spec(arrays={"graph": [len(shown), len(ops)]}, ops=ops, views=[view], transport=False)
    words = [f"{graph.nodes[edge.source]}→{graph.nodes[edge.target]}: {style(str(edge.op)).label}" for edge in shown]
    return Cell(spec, row, ", ".join(words))


def pictures(
    archs: Sequence[Arch], space: SearchSpace, titles: Iterable[str] = (), marked: Iterable[Mapping] = (), **more: Any
) -> tuple[Spec, dict]:
    """Return the spec of a stage that shows architectures beside each other, and the stage's only step.

    Parameters
    ----------
    archs : sequence of Arch
        Not checked.
    space : SearchSpace
    titles : iterable of str
        One title for each architecture; an empty title is replaced.
    marked : iterable of mapping
        For each architecture the parts to highlight: ``{name of the cell: {"nodes": …, "edges": …}}``.
    **more
        Fields for each cell's view: ``editable``, ``height``.
    """
    titles = list(titles) or [""] * len(archs)
    marks = list(marked) or [{}] * len(archs)
    try:
        drawn = [space.cells(arch) for arch in archs]
    except NotImplementedError:  # a space that has choices but no graph
        return _choices(archs, space, titles)
    ops = operations(space, [graph for cells in drawn for graph in cells.values()])
    arrays: dict[str, list[int]] = {}
    row: dict[str, np.ndarray | float] = {}
    views: list[View] = []
    span = max(12 // WIDE, 12 // max(1, len(archs) * max(len(cells) for cells in drawn)))
    for number, (arch, cells, title) in enumerate(zip(archs, drawn, titles, strict=True)):
        for name, graph in cells.items():
            said = title if len(cells) == 1 else f"{title}: {name}" if title else f"{name} cell"
            said = said or shortened(space.to_text(arch))
            size: dict[str, Any] = {"span": span, "height": 260} | more
            if len(cells) > 1:  # wide cells: two in a line, but one for a single architecture
                size |= {"span": 6, "height": 260} if len(archs) > 1 else {"span": 12, "height": 300}
            if any(graph.ops):  # boxes with text need room
                size["span"] = max(size["span"], 6)
            view = cell_view(graph, f"{name} {number}", title=said, marked=marks[number].get(name), **size)
            if view.array is not None:
                free = [edge for edge in graph.edges if edge.choice is not None]
                arrays[view.array] = [len(free), len(ops)]
                row[view.array] = np.array([[float(edge.op == op) for op in ops] for edge in free])
            views.append(view)
    if not arrays:
        arrays, row = {"shown": []}, {"shown": 1.0}
    return Spec(arrays=arrays, ops=ops, views=views, transport=False), row


def shortened(text: str, most: int = 110) -> str:
    """Shorten a text so that it fits above a picture."""
    return text if len(text) <= most else text[: most - 2] + " …"


def called(space: SearchSpace) -> str:
    """What readers call a space: its title, or its name where it has none."""
    return space.title or space.name


def _choices(archs, space, titles) -> tuple[Spec, dict]:
    arrays = {f"arch {n}": [len(space.choices)] for n in range(len(archs))}
    row = {name: chosen(arch, space) for name, arch in zip(arrays, archs, strict=True)}
    views = [options_view(space, name, title=t or called(space)) for name, t in zip(arrays, titles, strict=True)]
    return Spec(arrays=arrays, views=views, transport=False), row


def operations(space: SearchSpace, graphs: Iterable[Graph]) -> list[str]:
    """Return the edges' operations, in the order of the space's options; all options where the choices share them."""
    options = {choice.options for choice in space.choices}
    edge_ops = {edge.op for graph in graphs for edge in graph.edges if edge.choice is not None and edge.op is not None}
    known = [str(option) for choice in space.choices for option in choice.options]
    if len(options) == 1 and edge_ops <= set(known):
        return list(dict.fromkeys(known))
    ordered = [op for op in dict.fromkeys(known) if op in edge_ops]
    return ordered + sorted(edge_ops - set(ordered))


def cell_of(space: SearchSpace) -> Graph | None:
    """Return the cell that all architectures of ``space`` share, its free edges in the order of the choices.

    The result is None for a space without a graph, for one whose graph changes with the architecture, and for one whose
    edges do not all choose among the same operations.
    """
    rng = np.random.default_rng(0)
    try:
        graphs = [space.graph(space.sample(rng)) for _ in range(3)]
    except NotImplementedError:
        return None
    shapes = {(g.nodes, tuple((e.source, e.target, e.choice) for e in g.edges)) for g in graphs}
    decided = [e.choice for e in graphs[0].edges if e.choice is not None]
    same_ops = len({choice.options for choice in space.choices}) == 1
    return graphs[0] if same_ops and len(shapes) == 1 and decided == list(range(len(space.choices))) else None


def in_line(name: str) -> str:
    """Return the name of a choice for a line of text, which has no subscripts: ``c_{k-1}`` as ``ck-1``."""
    return re.sub(r"_\{(.*?)\}", r"\1", name)


def supernet_view(graph: Graph, name: str, alone: bool, **more: Any) -> CellView:
    """Return the view of a supernet's cell, with array ``alphas`` and, if the cell is not ``alone``, title ``name``."""
    title = "The supernet: width is weight" if alone else f"Supernet, {name} cell: width is weight"
    return cell_view(graph, "alphas", title=title, **more)


def cell_view(graph: Graph, array: str, **more: Any) -> CellView:
    """Return the view of ``graph`` whose free edges show ``array``; edges without a choice are drawn dashed.

    Where only nodes compute, the view has no array, and all edges are plain.
    """
    fixed = [i for i, edge in enumerate(graph.edges) if edge.choice is None or edge.op is None and graph.ops]
    return CellView(
        nodes=graph.nodes,
        edges=[(edge.source, edge.target) for edge in graph.edges],
        fixed=fixed,
        node_ops=graph.ops,
        array=array if len(fixed) < len(graph.edges) else None,
        **more,
    )


def options_view(space: SearchSpace, array: str, **more: Any) -> OptionsView:
    """Return the view of any architecture, choice by choice; `chosen` makes its array."""
    return OptionsView(
        array=array,
        choices=[
            {"name": choice.name, "options": labels(choice), "colors": [color(option) for option in choice.options]}
            for choice in space.choices
        ],
        **more,
    )


def labels(choice: Choice) -> list[str]:
    """Return the options as text for readers: operations by short names, 0 and 1 as no and yes, others unchanged."""
    if choice.options == (0, 1):
        return ["no", "yes"]
    return [style(option).label if isinstance(option, str) else str(option) for option in choice.options]


def color(option) -> str:
    """Return the colour of an option: the operation's, or a common colour for options without a family."""
    return style(option).color if isinstance(option, str) else "#7a7aa8"


def chosen(arch: Arch, space: SearchSpace) -> np.ndarray:
    """Return the option of each choice, float32 (choices,); -1 where the choice is not in use."""
    return np.where(space.active(arch), arch, -1).astype("<f4")


def describe(arch: Arch, space: SearchSpace) -> str:
    """Describe the picture in words."""
    try:
        cells = space.cells(arch)
    except NotImplementedError:
        cells = {}
    parts = []
    for name, graph in cells.items():
        words = [
            f"{graph.nodes[edge.source]}→{graph.nodes[edge.target]}: {style(edge.op).label}"
            if len(cells) > 1
            else f"{space.choices[edge.choice].name}: {style(edge.op).label}"
            for edge in graph.edges
            if edge.choice is not None and edge.op is not None
        ]
        words += [f"{node}: {style(op).label}" for node, op in zip(graph.nodes, graph.ops, strict=False) if op]
        parts.append(f"{name.capitalize()} of {called(space)}. {', '.join(words)}")
    return " ".join(parts) or f"{called(space)}: {space.to_text(arch)}"


def _supernet(weights: np.ndarray, space: SearchSpace, title: str) -> Cell:
    shape = len(space.relaxed), len(space.relaxed[0].options)
    if weights.shape != shape:
        raise ValueError(f"weights of {space.name} have shape {shape}, got {weights.shape}")
    arrays, row, views, parts = {}, {}, [], []
    ops, cells = [str(op) for op in space.relaxed[0].options], space.cells()
    for name, graph in cells.items():
        rows = [edge.choice for edge in graph.edges if edge.choice is not None]
        arrays[name], row[name] = [len(rows), len(ops)], weights[rows]
        said, span = title or "Width is weight", 12 // len(cells)
        said = said if len(cells) == 1 else f"{name} cell: {said}"
        views.append(cell_view(graph, name, title=said, height=260, span=span))
        for i in rows:
            top = int(np.argmax(weights[i]))
            share = "" if weights[i, top] == 1 else f" {100 * weights[i, top]:.0f} %"
            parts.append(f"{space.relaxed[i].name}: {style(ops[top]).label}{share}")
    spec = Spec(arrays=arrays, ops=ops, views=views, transport=False)
    return Cell(spec, row, f"Cell of {called(space)}. {', '.join(parts)}")
