"""A cell as a graph: each edge a bundle of strokes, as wide as the weights of its operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypedDict

import numpy as np

from ...colors import style
from ...raster import BACK, DIM, TEXT, mixed
from ..layout import layout
from .view import View

MARKED = "#f3dcae"  # background of highlighted parts


class Marked(TypedDict):
    """Numbers of the nodes and edges to be pointed at."""

    nodes: Sequence[int]
    edges: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class CellView(View):
    """A graph whose edges, or nodes, carry operations.

    Parameters
    ----------
    nodes : sequence of str
        Their labels, in topological order.
    edges : sequence of (source, target)
    array : str, optional
        Array (edges, ops) of weights, one row for each edge that is not ``fixed``; not needed if all are.
    against : str, optional
        Array of the same shape: edges whose strongest operation differs from it are marked.
    fixed : sequence of int
        Numbers of the edges without operations.
    first, rows : int
        The part of the array's rows that is this cell's; by default all.
    keep : int
        Fade all but so many strongest edges into each node; 0 fades none.
    ignore : sequence of int
        Operations that do not count as strong.
    editable : bool
        Edges can be clicked (see `nasviz.views.stage.widget.Stage.on_edge`).
    leads : int
        For how many steps it stays written on an edge that another operation has taken the lead.
    thickness, height : float
        Width of an edge of weight 1, and the greatest height of the picture, px.
    node_ops : sequence of (str or None)
        What each node computes; empty if no node does.
    marked : {"nodes", "edges"}, optional
    layout, node_styles
        Filled in by `completed`.
    """

    kind: ClassVar[str] = "cell"
    axes: ClassVar[Mapping[str, tuple[int, ...]]] = {"array": (2,), "against": (2,)}

    nodes: Sequence[str]
    edges: Sequence[Sequence[int]]
    array: str | None = None
    against: str | None = None
    fixed: Sequence[int] = ()
    first: int = 0
    rows: int | None = None
    keep: int = 0
    ignore: Sequence[int] = ()
    editable: bool = False
    leads: int = 12
    thickness: float = 15
    height: float = 400
    node_ops: Sequence[str | None] = ()
    marked: Marked | None = None
    layout: Mapping | None = None
    node_styles: Sequence[Mapping | None] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.node_ops and len(self.node_ops) != len(self.nodes):
            raise self.wrong(f"node_ops has {len(self.node_ops)} entries for {len(self.nodes)} nodes")

    def completed(self, arrays, ops) -> CellView:
        """Return the cell with positions, computed by `nasviz.views.stage.layout`, and the looks of its nodes."""
        super().completed(arrays, ops)
        fixed = sorted(int(edge) for edge in self.fixed)
        free = len(self.edges) - len(fixed)
        if self.array is None:
            if free:
                raise self.wrong(f"which array? {free} of its edges are not fixed, and need weights")
        else:
            rows, columns = arrays[self.array]
            if columns != len(ops):
                raise self.wrong(f"{self.array!r} has {columns} columns for {len(ops)} operations")
            if (rows if self.rows is None else self.rows) != free:
                raise self.wrong(f"{self.array!r} has {rows} rows for {free} free edges")
        looks = [style(op) if op else None for op in self.node_ops]
        names = [look.label if look else name for name, look in zip(self.nodes, looks, strict=True)] if looks else None
        edges = [[int(a), int(b)] for a, b in self.edges]
        try:
            plan = self.layout or layout(names or list(self.nodes), edges)
        except ValueError as error:
            raise self.wrong(f"edges: {error}") from None
        styles = [{"color": look.color, "dash": list(look.dash)} if look else None for look in looks]
        return replace(self, fixed=fixed, edges=edges, layout=plan, node_styles=styles or self.node_styles)

    def tall(self, columns, wide) -> float:
        """Return the height of the graph in this width, at most ``height``."""
        assert self.layout is not None  # by `completed`
        pad = 2 * max(8, self.thickness / 2 + 2)
        return min(self.height, wide * (self.layout["height"] + pad) / (self.layout["width"] + pad))

    def still(self, pen, look, columns, marks, step, box) -> None:
        x, y, wide, tall = box
        assert self.layout is not None  # by `completed`
        plan, thick = self.layout, self.thickness
        pad = max(8, thick / 2 + 2)
        k = min(wide / (plan["width"] + 2 * pad), tall / (plan["height"] + 2 * pad))
        x += (wide - k * (plan["width"] + 2 * pad)) / 2 + k * pad
        y += k * pad
        weights = columns[self.array][step] if self.array is not None else np.zeros((0, 1))
        if self.rows is not None:
            weights = weights[self.first : self.first + self.rows]
        fixed, marked = set(self.fixed), self.marked or {"nodes": (), "edges": ()}
        heads: list[np.ndarray] = []
        free, labels = [e for e in range(len(plan["edges"])) if e not in fixed], []
        kept = _kept(self, weights, free)
        for e, curve in enumerate(plan["edges"]):
            line = _curve_points(curve["points"])
            if e in marked["edges"] or e not in fixed and _differs(self, columns, step, free.index(e)):
                pen.line([(x + k * px, y + k * py) for px, py, *_ in line], MARKED, 26 * k)
            if e in fixed:
                at = [(x + k * px, y + k * py) for px, py, *_ in line]
                pen.line(at, DIM, 1.2, () if self.node_styles else (4, 4))
                if self.node_styles:
                    heads.append(_head(line, plan["nodes"][self.edges[e][1]]) * k + (x, y))
                continue
            i, offset = free.index(e), -thick / 2
            for o, weight in enumerate(np.nan_to_num(weights[i])):
                width, middle = float(weight) * thick, offset + float(weight) * thick / 2
                offset += width
                if width < 0.12:
                    continue
                at = [(x + k * (px + nx * middle), y + k * (py + ny * middle)) for px, py, nx, ny in line]
                opacity = look.opacities[o] * (1 if i in kept else 0.25)
                pen.line(at, mixed(look.colors[o], opacity), k * width)
                if look.dashes[o] and width > 2.4:
                    pen.line(at, BACK, k * min(2.6, width * 0.34), look.dashes[o])
            if np.nanmax(weights[i], initial=0) > 0.6:
                labels.append((line, int(np.nanargmax(weights[i]))))
        for head in heads:
            pen.area([tuple(point) for point in head], DIM)
        boxes = []
        looks = self.node_styles or [None] * len(plan["nodes"])
        for n, (node, own) in enumerate(zip(plan["nodes"], looks, strict=True)):
            w, h = k * node["w"], k * node["h"]
            left, top = x + k * node["x"] - w / 2, y + k * node["y"] - h / 2
            if n in marked["nodes"]:
                pen.box(left - 6 * k, top - 6 * k, w + 12 * k, h + 12 * k, MARKED, None, 0, 10 * k)
            if own:
                pen.box(left, top, w, h, mixed(own["color"], 0.14), own["color"], 2, 7 * k)
            else:
                pen.box(left, top, w, h, BACK, TEXT, 1.5, h / 2)
            size = round(min(18, max(7 if self.node_styles else 11, 16 * k)))
            base, _, low = node["label"].partition("_")
            low = low.strip("{}")
            start = x + k * node["x"] - (pen.wide(base, size) + pen.wide(low, size * 3 // 4)) / 2
            pen.text(start, top + h / 2, base, size, anchor="lm")
            if low:
                pen.text(start + pen.wide(base, size), top + h / 2 + size * 0.25, low, size * 3 // 4, anchor="lm")
            boxes.append((left, top, left + w, top + h))
        size = 11 if k > 0.75 else 9
        for line, o in sorted(labels, key=lambda item: np.hypot(*np.diff(item[0][:, :2], axis=0).T).sum()):
            text = look.labels[o]
            w, at = pen.wide(text, size) + 8, line[:, :2] * k + (x, y)

            def cost(i, w=w, at=at):
                me = (at[i, 0] - w / 2, at[i, 1] - 9, at[i, 0] + w / 2, at[i, 1] + 9)
                hit = sum(
                    max(0, min(me[2], b[2]) - max(me[0], b[0])) * max(0, min(me[3], b[3]) - max(me[1], b[1]))
                    for b in boxes
                )
                return hit + 60 * abs(i / (len(at) - 1) - 0.5)

            px, py = at[min(range(2, len(at) - 2), key=cost)]
            pen.box(px - w / 2, py - 9, w, 18, BACK, look.colors[o], 1.2, 5)
            pen.text(px, py, text, size)
            boxes.append((px - w / 2, py - 9, px + w / 2, py + 9))


def _curve_points(points, each=12):
    """Return points and normals along a Bézier chain whose ends lie hidden under the nodes."""
    p, out = np.asarray(points, float), []
    for c in range(0, len(p) - 3, 3):
        u = np.linspace(0, 1, each + 1)[(1 if c else 0) :, None]
        v, q = 1 - u, p[c : c + 4]
        at = v**3 * q[0] + 3 * v * v * u * q[1] + 3 * v * u * u * q[2] + u**3 * q[3]
        d = v * v * (q[1] - q[0]) + 2 * v * u * (q[2] - q[1]) + u * u * (q[3] - q[2])
        d /= np.maximum(np.hypot(*d.T)[:, None], 1e-9)
        out.append(np.hstack([at, -d[:, 1:], d[:, :1]]))
    line = np.concatenate(out)
    for i, j in ((0, 1), (-1, -2)):
        d = line[i, :2] - line[j, :2]
        line[i, :2] += 10 * d / max(np.hypot(*d), 1e-9)
    return line


def _differs(view: CellView, columns, step, i) -> bool:
    """Return whether free edge i has another operation than in the array for comparison."""
    if view.against is None or np.isnan(columns[view.against][step][i]).any():
        return False
    return columns[view.array][step][i].argmax() != columns[view.against][step][i].argmax()


def _head(line, node) -> np.ndarray:
    """Return the three corners of a wire's arrowhead, where it meets the box of its target."""
    tip, n = line[-1, :2].copy(), line[-1, 2:]
    along = np.array([n[1], -n[0]])
    while abs(tip[0] - node["x"]) < node["w"] / 2 + 2 and abs(tip[1] - node["y"]) < node["h"] / 2 + 2:
        tip -= along
    return np.array([tip, tip - 9 * along + 4 * n, tip - 9 * along - 4 * n])


def _kept(view: CellView, weights, free) -> set[int]:
    """Return the rows of the edges that discretisation keeps: the strongest ``keep`` into each node."""
    if not view.keep:
        return set(range(len(free)))
    counted = [o for o in range(weights.shape[1]) if o not in set(view.ignore)]
    into: dict[int, list[int]] = {}
    for i, e in enumerate(free):
        into.setdefault(view.edges[e][1], []).append(i)
    strength = np.nan_to_num(weights)[:, counted].max(1)
    return {i for rows in into.values() for i in sorted(rows, key=lambda i: -strength[i])[: view.keep]}
