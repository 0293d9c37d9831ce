"""Positions of a cell's nodes and edges, computed once by Graphviz from left to right, for all pictures of the cell.

Only positions are taken from Graphviz, never its picture. Plugins and fonts differ from system to system, positions
hardly do. So the live picture, the still and the editor show the same cell.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import TypedDict

LONG = 9  # the most nodes of a chain in one line

_lock = threading.Lock()  # Graphviz is a C library with state of its own: one layout at a time


class _Box(TypedDict):
    x: float
    y: float
    w: float
    h: float
    label: str


class _Wire(TypedDict):
    points: list[list[float]]


def layout(nodes: Sequence[str], edges: Sequence[Sequence[int]]) -> dict:
    """Compute positions for a directed acyclic graph, in points, y downwards.

    A long chain is laid out line by line, like text; all other graphs by Graphviz, from left to right.

    Parameters
    ----------
    nodes : sequence of str
        Labels, in topological order.
    edges : sequence of (source, target)
        Indices of nodes. Several edges between the same two nodes are kept apart.

    Returns
    -------
    dict
        ``width``, ``height``, ``nodes``: a list of ``{x, y, w, h, label}`` (centre and size), ``edges``: a list of
        ``{points}``, each a chain of cubic Bézier segments (3 k + 1 points ``[x, y]``) from source to target.

    Raises
    ------
    ValueError
        If an edge names a node that does not exist.
    """
    pairs = tuple((int(a), int(b)) for a, b in edges)
    for number, (a, b) in enumerate(pairs):
        if not (0 <= a < len(nodes) and 0 <= b < len(nodes)):
            raise ValueError(f"edge {number} joins node {a} and node {b}, but the nodes are 0 to {len(nodes) - 1}")
    if len(nodes) > LONG and pairs == tuple((i, i + 1) for i in range(len(nodes) - 1)):
        return _lines(tuple(map(str, nodes)))
    return json.loads(_layout(tuple(map(str, nodes)), pairs))


def _lines(nodes: tuple[str, ...], room: float = 900.0) -> dict:
    """Lay out a chain in lines of boxes, each from left to right, with an arrow from its end to the next line."""
    widths = [9.2 * len(label) + 26 for label in nodes]
    places: list[_Box] = []
    curves: list[_Wire] = []
    x, y = 0.0, 16.0
    for label, w in zip(nodes, widths, strict=True):
        if x and x + w > room:
            x, y = 0.0, y + 62.0
        places.append({"x": round(x + w / 2, 1), "y": y, "w": round(w, 1), "h": 32.0, "label": label})
        x += w + 34
    for a, b in zip(places, places[1:], strict=False):
        start, end = [a["x"] + a["w"] / 2, a["y"]], [b["x"] - b["w"] / 2, b["y"]]
        if a["y"] == b["y"]:
            middle = [(start[0] + end[0]) / 2, a["y"]]
            points = [start, middle, middle, end]
        else:
            start, end = [a["x"], a["y"] + a["h"] / 2], [b["x"], b["y"] - b["h"] / 2]
            half = (a["y"] + b["y"]) / 2
            points = [start, [start[0], half + 8], [end[0], half - 8], end]
        curves.append({"points": [[round(v, 1) for v in point] for point in points]})
    width = max(p["x"] + p["w"] / 2 for p in places)
    return {"width": round(width, 1), "height": y + 16, "nodes": places, "edges": curves}


@lru_cache(maxsize=64)
def _layout(nodes: tuple[str, ...], edges: tuple[tuple[int, int], ...]) -> str:
    import pygraphviz  # loads Graphviz's libraries; only pictures of cells need them

    inputs = {a for a, _ in edges} - {b for _, b in edges}
    spine = len(inputs) == 1  # with one input, nodes in a line and edges in arcs; with two, dot's own zigzag
    room = {"nodesep": "1.0", "ranksep": "1.25"} if spine else {"nodesep": ".5", "ranksep": "1.15", "ratio": ".36"}
    lines = [f"digraph {{ rankdir=LR; {'; '.join(f'{name}={value}' for name, value in room.items())}"]
    lines.append('node [shape=box, height=.42, width=.6, margin=".12,.04", fontname=Helvetica, fontsize=16]')
    lines.append("edge [arrowhead=none]")
    for i, label in enumerate(nodes):
        text = label.replace("_", "").strip("{}").replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'{i} [label="{text}"{", group=spine" if spine else ""}]')
    for e, (a, b) in enumerate(edges):
        lines.append(f"{a} -> {b} [key={e}, id={e}{', weight=4' if spine and b == a + 1 else ''}]")
    graph = pygraphviz.AGraph(string="; ".join(lines) + "}")  # one text, since adding node by node takes twice as long
    with _lock, _quiet():
        drawn = json.loads(graph.draw(format="json0", prog="dot"))  # positions only: half a picture's time
    height = float(drawn["bb"].split(",")[3])
    lift = 1.5 if spine else 1.0  # arcs further from the line leave room for the operations' names

    def point(x, y) -> list[float]:
        return [round(float(x), 1), round(lift * (height - float(y)), 1)]

    places: list[_Box] = []
    curves: list[_Wire] = []
    for node, label in zip(sorted(drawn.get("objects", []), key=lambda o: int(o["name"])), nodes, strict=True):
        (x, y), w, h = point(*node["pos"].split(",")), 72 * float(node["width"]), 72 * float(node["height"])
        places.append({"x": x, "y": y, "w": round(w, 1), "h": round(h, 1), "label": label})
    for edge in sorted(drawn.get("edges", []), key=lambda e: int(e["id"])):
        curves.append({"points": [point(*pair.split(",")) for pair in edge["pos"].split()]})
    xs = [p[0] for c in curves for p in c["points"]] + [n["x"] + s * n["w"] / 2 for n in places for s in (-1, 1)]
    ys = [p[1] for c in curves for p in c["points"]] + [n["y"] + s * n["h"] / 2 for n in places for s in (-1, 1)]
    left, top = min(xs, default=0), min(ys, default=0)
    for part in places:
        part["x"], part["y"] = round(part["x"] - left, 1), round(part["y"] - top, 1)
    for curve in curves:
        curve["points"] = [[round(x - left, 1), round(y - top, 1)] for x, y in curve["points"]]
    size = {"width": round(max(xs, default=0) - left, 1), "height": round(max(ys, default=0) - top, 1)}
    return json.dumps(size | {"nodes": places, "edges": curves})


@contextlib.contextmanager
def _quiet():
    """Silence file descriptor 2: Graphviz's first layout lets fontconfig print a warning there, outside Python."""
    if _layout.cache_info().currsize:  # only the first layout prints
        yield
        return
    try:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # no descriptor 2 (pythonw on Windows), so nothing can be printed
        yield
        return
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
