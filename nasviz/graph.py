"""A cell as a graph: named nodes and labelled edges."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edge:
    """One labelled edge: the operation ``op`` leads from node ``source`` to node ``target``. ``choice`` is the index
    of the entry of the architecture that decides the edge, or None if no entry does."""

    source: int
    target: int
    op: str | None = None
    choice: int | None = None


@dataclass(frozen=True)
class Graph:
    """A graph of named nodes and edges, in topological order; views, encodings and canonical forms read it.

    Operations are on edges (DARTS, NAS-Bench-201) or on nodes (NAS-Bench-101, and the layers of a macro network).

    Attributes
    ----------
    nodes : tuple of str
        Names, as drawn.
    edges : tuple of Edge
    ops : tuple of (str or None)
        The operation that each node applies to the sum of its incoming edges (or to another combination that the space
        defines); None for an input, an output, a sum. Empty if there are operations on edges only.
    """

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    ops: tuple[str | None, ...] = ()
