"""A cell as a graph: named nodes and labelled edges."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edge:
    """One labelled edge: ``op`` carries node ``source`` to node ``target``; ``choice`` is the entry of the
    architecture that decided it, or None where nothing is to be decided."""

    source: int
    target: int
    op: str | None = None
    choice: int | None = None


@dataclass(frozen=True)
class Graph:
    """What views, encodings, canonical forms and packing read: named nodes and edges, in topological order.

    Operations sit on edges (DARTS, NAS-Bench-201) or on nodes (NAS-Bench-101, and the layers of a macro network).

    Attributes
    ----------
    nodes : tuple of str
        Names, as drawn.
    edges : tuple of Edge
    ops : tuple of (str or None)
        What each node computes of the sum (or whatever the space says) of its incoming edges; None for an input, an
        output, a sum. Empty where only edges compute.
    """

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    ops: tuple[str | None, ...] = ()
