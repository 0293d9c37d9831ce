"""A search space at a glance: its choices, its number of architectures, and pictures of some of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby

import ipywidgets as widgets
import numpy as np

from ...graph import Graph
from ...space import Arch, SearchSpace
from . import panel
from .cell import Cell, called, cell_view, chosen, color, describe, labels, options_view, pictures
from .from_search import cell_of, option_matrix
from .spec import Spec
from .widget import Stage

CELLS_SHOWN = 6  # cells in a gallery; for whole networks, which are wider, it has 4


class Space(widgets.VBox):
    """A widget with the choices of a space, the calculation of its size, and random members; a button draws new ones.

    Parameters
    ----------
    space : SearchSpace
    seed : int
        Seed of the first random members; each press of the button takes the next seed.

    Attributes
    ----------
    shown : list of Arch
        The members that are shown.
    gallery : Stage
    """

    def __init__(self, space: SearchSpace, seed: int = 0):
        self.space, self.seed = space, seed
        try:
            cells = len(space.cells(space.sample(np.random.default_rng(0))))
        except NotImplementedError:
            cells = 1
        self.members = CELLS_SHOWN // cells if cells > 1 or cell_of(space) else 4
        self.gallery = Stage(*self._deal())
        button = widgets.Button(description="Deal again", icon="random", tooltip="Other random members of the space")
        button.on_click(lambda _: self.deal())
        self.button, title = button, escape(called(space))
        super().__init__(
            [
                widgets.HTML(f"<h4 style='margin:4px 0'>{title}: what can be chosen</h4>{_table(space)}"),
                widgets.HTMLMath(_paragraphs(space.counting())),
                button,
                self.gallery,
            ]
        )

    def _deal(self) -> tuple[Spec, list[dict]]:
        rng = np.random.default_rng(self.seed)
        self.shown = [self.space.sample(rng) for _ in range(self.members)]
        spec, row = pictures(self.shown, self.space, titles=[f"no. {n + 1}" for n in range(self.members)], height=190)
        return spec, [row]

    def deal(self) -> None:
        """Show other members: those of the next seed."""
        self.seed += 1
        self.gallery.redraw(*self._deal())

    def __repr__(self):
        members = "; ".join(self.space.to_text(arch) for arch in self.shown)
        return f"<Space {called(self.space)}: {self.space.size:,} architectures, among them {members}>"

    def _repr_mimebundle_(self, **kwargs):
        return panel.with_still(super()._repr_mimebundle_(**kwargs), repr(self), self.gallery)


def compare(a: Arch | str, b: Arch | str, space: SearchSpace) -> Cell:
    """Draw two members beside each other, with the differences marked in both.

    Raises
    ------
    ValueError
        If one of them is not in the space.
    """
    pair = [space.from_text(one) if isinstance(one, str) else space.check(one) for one in (a, b)]
    try:
        cells = [space.cells(arch) for arch in pair]
        marks = [{name: _own(graph, other[name]) for name, graph in one.items()} for one, other in (cells, cells[::-1])]
    except NotImplementedError:
        marks = [{}, {}]
    spec, row = pictures(pair, space, titles=["first", "second"], marked=marks)
    differ = [c.name for c, i, j in zip(space.choices, *(chosen(arch, space) for arch in pair), strict=True) if i != j]
    said = f"They differ in {len(differ)} of {len(space.choices)} choices: {', '.join(differ)}." if differ else "Equal."
    return Cell(spec, row, f"{said} First: {describe(pair[0], space)} Second: {describe(pair[1], space)}")


def _own(graph: Graph, other: Graph) -> dict[str, list[int]]:
    """Return nodes and edges of ``graph`` that ``other`` does not have."""
    theirs = {(edge.source, edge.target, edge.op) for edge in other.edges}
    edges = [i for i, edge in enumerate(graph.edges) if (edge.source, edge.target, edge.op) not in theirs]
    named = dict(zip(other.nodes, other.ops or [None] * len(other.nodes), strict=True))
    ops = graph.ops or [None] * len(graph.nodes)
    nodes = [n for n, (name, op) in enumerate(zip(graph.nodes, ops, strict=True)) if named.get(name, "") != op]
    return {"nodes": nodes, "edges": edges}


def mutations(arch: Arch | str, space: SearchSpace, steps: int = 20, seed: int = 0) -> Stage:
    """Draw a random walk of mutations: each step changes one choice (and any choice that this makes inactive).

    If all architectures share a cell, its edges change smoothly. If a supernet contains the cells, they are drawn
    within it. Otherwise the boxes of the choices move.

    Raises
    ------
    ValueError
        If ``arch`` is not in the space.
    """
    arch = space.from_text(arch) if isinstance(arch, str) else space.check(arch)
    rng, walk = np.random.default_rng(seed), [arch]
    for _ in range(steps):
        walk.append(space.mutate(walk[-1], rng))
    graph = cell_of(space)
    if graph:
        ops = [str(option) for option in space.choices[0].options]
        view = cell_view(graph, "arch", title="One edge changes at a time", height=280)
        spec = Spec(arrays={"arch": [len(space.choices), len(ops)]}, ops=ops, views=[view], speed=5)
        return Stage(spec, ({"arch": option_matrix(one, len(ops))} for one in walk))
    if space.can("relaxed"):
        return _in_supernet(walk, space)
    boxes = options_view(space, "arch", title="One choice changes at a time")
    spec = Spec(arrays={"arch": [len(space.choices)]}, views=[boxes], speed=5)
    return Stage(spec, ({"arch": chosen(one, space)} for one in walk))


def _in_supernet(walk: list[Arch], space: SearchSpace) -> Stage:
    """Draw the walk within the relaxed cells: an edge that the architecture does not have gets width 0."""
    ops, cells = [str(option) for option in space.relaxed[0].options], space.cells()
    free = {name: [e for e in graph.edges if e.choice is not None] for name, graph in cells.items()}
    views = [cell_view(g, n, title=f"{n} cell", height=280, span=12 // len(cells)) for n, g in cells.items()]
    arrays = {name: [len(edges), len(ops)] for name, edges in free.items()}

    def rows() -> Iterator[dict]:
        for arch in walk:
            has = {
                name: {(edge.source, edge.target): edge.op for edge in graph.edges}
                for name, graph in space.cells(arch).items()
            }
            yield {
                name: [[float(has[name].get((e.source, e.target)) == op) for op in ops] for e in edges]
                for name, edges in free.items()
            }

    return Stage(Spec(arrays=arrays, ops=ops, views=views, speed=5), rows())


def _table(space: SearchSpace) -> str:
    """Return the choices as HTML; successive choices with the same options share one line."""
    lines = []
    for options, group in groupby(space.choices, key=lambda choice: choice.options):
        alike = list(group)
        names = [choice.name for choice in alike]
        said = escape(names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)})")
        chips = " ".join(
            f'<span style="white-space:nowrap; margin-right:10px"><span style="display:inline-block; width:11px; '
            f'height:11px; border-radius:3px; background:{color(option)}; margin-right:4px"></span>'
            f"{escape(word)}</span>"
            for option, word in zip(options, labels(alike[0]), strict=True)
        )
        lines.append((said, chips))
    if len(lines) > 16:  # the pattern repeats, and nobody reads forty lines
        lines = [*lines[:14], (f"… {len(lines) - 15} more …", ""), lines[-1]]
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left; font-weight:600; padding:1px 16px 1px 0; white-space:nowrap; '
        f'vertical-align:top">{name}</th><td style="text-align:left">{chips}</td></tr>'
        for name, chips in lines
    )
    return f'<table style="line-height:1.5">{rows}</table>'


def _paragraphs(markdown: str) -> str:
    """Return the Markdown of `SearchSpace.counting` as HTML: paragraphs and bold; MathJax does the formulas."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(markdown, quote=False))
    return "".join(f"<p style='margin:4px 0; max-width:75ch'>{part}</p>" for part in text.split("\n\n"))
