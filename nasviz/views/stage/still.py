"""The last step of a stage as a PNG, for GitHub, nbviewer and untrusted notebooks, where no script runs.

The still is drawn by Pillow from the layout, colours and labels of the live picture, so that it *is* the live picture
at a modest resolution. Its background is always light.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np

from ..colors import BLUE, GREY, MAGENTA, TEAL, VIOLET
from ..raster import BACK, DEAD, DIM, GRID, MARK, PANEL, SHARP, TEXT, Axes, Pen, good_range, mixed
from .still_population import PEOPLE

LIMIT = 60_000  # bytes of a PNG
MARKED = "#f3dcae"  # background of highlighted parts
SERIES = (BLUE, "#d98300", TEAL, MAGENTA, VIOLET, GREY)  # as in js/base.js


def png(
    spec: Mapping, columns: Mapping[str, np.ndarray], marks: Sequence[Mapping] = (), step: int = -1
) -> bytes | None:
    """Draw all views of a completed spec at one step, 900 px wide. None while there is no step."""
    from PIL import Image, ImageDraw

    count = len(next(iter(columns.values())))
    if not count:
        return None
    step = range(count)[step]
    rows: list[list[tuple[Mapping, int]]] = [[]]
    used = 0
    for view in spec["views"]:
        span = int(view.get("span", 12))
        if used + span > 12:
            rows.append([])
            used = 0
        rows[-1].append((view, span))
        used += span
    width, gap = 900, 16
    heights = [max(_height(spec, view, columns, (width - 2 * gap) * span / 12) for view, span in row) for row in rows]
    legend: float = 0
    if spec["ops"] and spec.get("legend") is not False:
        measure = Pen(ImageDraw.Draw(Image.new("RGB", (1, 1))))
        legend = 6 + _legend(measure, spec, gap, 0, width)
    height = int(sum(heights) + gap * (len(rows) + 1) + legend)
    image = Image.new("RGB", (width * SHARP, height * SHARP), BACK)
    pen = Pen(ImageDraw.Draw(image))
    if legend:
        _legend(pen, spec, gap, gap, width)
    y = gap + legend
    for row, tall in zip(rows, heights, strict=True):
        x: float = gap
        for view, span in row:
            wide = (width - 2 * gap) * span / 12
            head = 20 if view.get("title") else 0
            box = (x, y + head, wide - (12 if len(row) > 1 else 0), tall - head)
            if head:
                pen.text(x, y + 7, view["title"], size=14, anchor="lm")
            _DRAW[view["kind"]](pen, spec, view, columns, marks, step, box)
            x += wide
        y += tall + gap
    for less in (SHARP, SHARP + 1, 2 * SHARP):  # notebooks are in version control, so no PNG is above LIMIT
        out = io.BytesIO()
        # the fast quantisation, as the default one takes half a second
        image.reduce(less).quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
        if out.tell() <= LIMIT:
            break
    return out.getvalue()


def _height(spec, view, columns, wide) -> float:
    kind, head = view["kind"], 20 if view.get("title") else 0
    if kind == "cell":
        plan, pad = view["layout"], 2 * max(8, view.get("thickness", 15) / 2 + 2)
        return head + min(view.get("height", 400), wide * (plan["height"] + pad) / (plan["width"] + pad))
    if kind == "traces":
        per, rows = _panels(columns[view["array"]].shape[1:], wide)
        return head + rows * (240 if rows == per == 1 else 104) + 16
    if kind == "heat":
        return head + 36 + 24 * columns[view["array"]].shape[1]
    if kind == "options":
        return head + 22 * -(-len(view["choices"]) // max(1, int(wide // 290)))
    return head + view.get("height", 330 if kind in ("swarm", *PEOPLE) else 270)


def _panels(shape, wide) -> tuple[int, int]:
    panels = shape[0] if len(shape) > 1 else 1
    rows = math.ceil(panels / min(panels, max(1, int(wide // 138))))
    return math.ceil(panels / rows), rows


def _legend(pen, spec, left, top, width) -> float:
    """Draw the legend, in as many lines as it needs, and return its height."""
    styles = (spec[key] for key in ("labels", "colors", "dashes", "opacities"))
    x, y = left, top
    for label, color, dash, opacity in zip(*styles, strict=True):
        if x > left and x + 40 + pen.wide(label) > width:
            x, y = left, y + 20
        pen.line([(x, y + 6), (x + 26, y + 6)], mixed(color, opacity), 9)
        if dash:
            pen.line([(x + 1, y + 6), (x + 26, y + 6)], BACK, 2.6, dash)
        pen.text(x + 32, y + 6, label, anchor="lm")
        x += 52 + pen.wide(label)
    return y + 22 - top


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


def _cell(pen, spec, view, columns, marks, step, box) -> None:
    x, y, wide, tall = box
    plan, thick = view["layout"], view.get("thickness", 15)
    pad = max(8, thick / 2 + 2)
    k = min(wide / (plan["width"] + 2 * pad), tall / (plan["height"] + 2 * pad))
    x += (wide - k * (plan["width"] + 2 * pad)) / 2 + k * pad
    y += k * pad
    weights = columns[view["array"]][step] if "array" in view else np.zeros((0, 1))
    if "rows" in view:
        weights = weights[view["first"] : view["first"] + view["rows"]]
    fixed, marked = set(view["fixed"]), view.get("marked", {"nodes": (), "edges": ()})
    heads: list[np.ndarray] = []
    free, labels = [e for e in range(len(plan["edges"])) if e not in fixed], []
    kept = _kept(view, weights, free)
    for e, curve in enumerate(plan["edges"]):
        line = _curve_points(curve["points"])
        if e in marked["edges"] or e not in fixed and _differs(view, columns, step, free.index(e)):
            pen.line([(x + k * px, y + k * py) for px, py, *_ in line], MARKED, 26 * k)
        if e in fixed:
            at = [(x + k * px, y + k * py) for px, py, *_ in line]
            pen.line(at, DIM, 1.2, () if view.get("node_styles") else (4, 4))
            if view.get("node_styles"):
                heads.append(_head(line, plan["nodes"][view["edges"][e][1]]) * k + (x, y))
            continue
        i, offset = free.index(e), -thick / 2
        for o, weight in enumerate(np.nan_to_num(weights[i])):
            width, middle = float(weight) * thick, offset + float(weight) * thick / 2
            offset += width
            if width < 0.12:
                continue
            at = [(x + k * (px + nx * middle), y + k * (py + ny * middle)) for px, py, nx, ny in line]
            opacity = spec["opacities"][o] * (1 if i in kept else 0.25)
            pen.line(at, mixed(spec["colors"][o], opacity), k * width)
            if spec["dashes"][o] and width > 2.4:
                pen.line(at, BACK, k * min(2.6, width * 0.34), spec["dashes"][o])
        if np.nanmax(weights[i], initial=0) > 0.6:
            labels.append((line, int(np.nanargmax(weights[i]))))
    for head in heads:
        pen.area([tuple(point) for point in head], DIM)
    boxes = []
    looks = view.get("node_styles") or [None] * len(plan["nodes"])
    for n, (node, look) in enumerate(zip(plan["nodes"], looks, strict=True)):
        w, h = k * node["w"], k * node["h"]
        left, top = x + k * node["x"] - w / 2, y + k * node["y"] - h / 2
        if n in marked["nodes"]:
            pen.box(left - 6 * k, top - 6 * k, w + 12 * k, h + 12 * k, MARKED, None, 0, 10 * k)
        if look:
            pen.box(left, top, w, h, mixed(look["color"], 0.14), look["color"], 2, 7 * k)
        else:
            pen.box(left, top, w, h, BACK, TEXT, 1.5, h / 2)
        size = round(min(18, max(7 if view.get("node_styles") else 11, 16 * k)))
        base, _, low = node["label"].partition("_")
        low = low.strip("{}")
        start = x + k * node["x"] - (pen.wide(base, size) + pen.wide(low, size * 3 // 4)) / 2
        pen.text(start, top + h / 2, base, size, anchor="lm")
        if low:
            pen.text(start + pen.wide(base, size), top + h / 2 + size * 0.25, low, size * 3 // 4, anchor="lm")
        boxes.append((left, top, left + w, top + h))
    size = 11 if k > 0.75 else 9
    for line, o in sorted(labels, key=lambda item: np.hypot(*np.diff(item[0][:, :2], axis=0).T).sum()):
        text = spec["labels"][o]
        w, at = pen.wide(text, size) + 8, line[:, :2] * k + (x, y)

        def cost(i, w=w, at=at):
            me = (at[i, 0] - w / 2, at[i, 1] - 9, at[i, 0] + w / 2, at[i, 1] + 9)
            hit = sum(
                max(0, min(me[2], b[2]) - max(me[0], b[0])) * max(0, min(me[3], b[3]) - max(me[1], b[1])) for b in boxes
            )
            return hit + 60 * abs(i / (len(at) - 1) - 0.5)

        px, py = at[min(range(2, len(at) - 2), key=cost)]
        pen.box(px - w / 2, py - 9, w, 18, BACK, spec["colors"][o], 1.2, 5)
        pen.text(px, py, text, size)
        boxes.append((px - w / 2, py - 9, px + w / 2, py + 9))


def _differs(view, columns, step, i) -> bool:
    """Return whether free edge i has another operation than in the array for comparison."""
    if "against" not in view or np.isnan(columns[view["against"]][step][i]).any():
        return False
    return columns[view["array"]][step][i].argmax() != columns[view["against"]][step][i].argmax()


def _head(line, node) -> np.ndarray:
    """Return the three corners of a wire's arrowhead, where it meets the box of its target."""
    tip, n = line[-1, :2].copy(), line[-1, 2:]
    along = np.array([n[1], -n[0]])
    while abs(tip[0] - node["x"]) < node["w"] / 2 + 2 and abs(tip[1] - node["y"]) < node["h"] / 2 + 2:
        tip -= along
    return np.array([tip, tip - 9 * along + 4 * n, tip - 9 * along - 4 * n])


def _kept(view, weights, free) -> set[int]:
    """Return the rows of the edges that discretisation keeps: the strongest ``keep`` into each node."""
    if not view.get("keep"):
        return set(range(len(free)))
    counted = [o for o in range(weights.shape[1]) if o not in set(view.get("ignore", ()))]
    into: dict[int, list[int]] = {}
    for i, e in enumerate(free):
        into.setdefault(view["edges"][e][1], []).append(i)
    strength = np.nan_to_num(weights)[:, counted].max(1)
    return {i for rows in into.values() for i in sorted(rows, key=lambda i: -strength[i])[: view["keep"]]}


def _traces(pen, spec, view, columns, marks, step, box) -> None:
    x, y, wide, _ = box
    data = columns[view["array"]]
    data = data[: step + 1].reshape(step + 1, -1, data.shape[-1])
    per, rows = _panels(data.shape[1:], wide)
    tall, top, span = 240 if rows == per == 1 else 104, view.get("max", 1), max(1, view.get("total", 0), len(data) - 1)
    for p in range(data.shape[1]):
        w, h = (wide - 40) / per - 14, tall - 32
        left, up = x + 40 + (p % per) * (wide - 40) / per, y + 18 + (p // per) * tall
        pen.box(left, up, w, h, PANEL)
        for v in (0, top / 2, top):
            at = up + h * (1 - v / top)
            pen.line([(left, at), (left + w, at)], GRID, 1)
            if p % per == 0:
                pen.text(left - 5, at, f"{v:.0%}", 10, DIM, "rm")
        if labels := view.get("labels"):
            pen.text(left, up - 8, labels[p], 11, anchor="lm")
        if p + per >= data.shape[1]:
            pen.text(left, up + h + 9, "0", 10, DIM, "lm")
            pen.text(left + w, up + h + 9, f"{span:,}", 10, DIM, "rm")
        every = np.unique(np.linspace(0, len(data) - 1, min(len(data), int(w) + 1)).astype(int))
        for o in range(data.shape[2]):
            color = spec["colors"][o] if o < len(spec["colors"]) else SERIES[o % 6]
            dash = spec["dashes"][o] if o < len(spec["dashes"]) else ()
            values = data[every, p, o]
            there = np.isfinite(values)
            ys = up + h * (1 - np.minimum(values[there], top) / top)
            pen.line(list(zip((left + w * every[there] / span).tolist(), ys.tolist(), strict=True)), color, 1.5, dash)
        for mark in marks:
            at = left + w * min(mark["at"], span) / span
            pen.line([(at, up), (at, up + h)], MARK, 1, (4, 3))


def _heat(pen, spec, view, columns, marks, step, box) -> None:
    x, y, wide, _ = box
    data, low, top, b = columns[view["array"]][step], view.get("min", 0), view.get("max", 1), view.get("boxed")
    edges = np.where(
        columns[b][step] >= 1 if b else data == np.fmax.reduce(data, 1, keepdims=True), TEXT, np.array(None)
    )
    names, labels = view.get("columns") or spec["labels"], view.get("labels") or [str(r) for r in range(len(data))]
    left = max(58, 16 + max(pen.wide(label, 11) for label in labels))
    w = (wide - left) / data.shape[1]
    for o, name in enumerate(names):
        first, _, rest = name.rpartition(" ") if pen.wide(name, 11) > w - 4 else ("", "", name)
        pen.text(x + left + (o + 0.5) * w, y + 26, rest, 11, DIM)
        pen.text(x + left + (o + 0.5) * w, y + 12, first, 11, DIM)
    for r, row in enumerate(data):
        at = y + 36 + 24 * r
        pen.text(x + left - 8, at + 12, labels[r], 11, anchor="rm")
        for o, (v, edge) in enumerate(zip(row, edges[r], strict=True)):
            share = min(1, max(0, float(v - low) / (top - low))) if np.isfinite(v) else 0
            pen.box(x + left + 1 + o * w, at + 1, w - 2, 22, mixed(BLUE, 0.04 + 0.96 * share**0.8), edge, 1.2)
            word = f"{100 * v:.{view.get('digits', 0)}f}" if np.isfinite(v) else "–"
            pen.text(x + left + (o + 0.5) * w, at + 12, word, 11, BACK if share > 0.5 else "#16181e")


def _swarm(pen, spec, view, columns, marks, step, box) -> None:
    score = columns[view["array"]].reshape(-1)[: step + 1] * view.get("scale", 1)
    n = len(score)
    parent = columns[view["parent"]].reshape(-1)[:n] if view.get("parent") else np.full(n, -1.0)
    good = columns[view["feasible"]].reshape(-1)[:n] != 0 if view.get("feasible") else np.ones(n, bool)
    if view.get("population"):
        alive = np.isin(np.arange(n), columns[view["population"]][step])
    else:
        alive = n - 1 - np.arange(n) < view.get("alive", math.inf)
    lines = [line["y"] for line in view.get("lines", ())]
    values = view.get("range") or good_range(np.concatenate([score, lines]), high_fence=False)
    if not view.get("range"):
        values = (values[0], values[1] + 0.1 * (values[1] - values[0]))  # room for the label of the best
    span = max(1, view.get("total", 0), n - 1)
    axes = Axes(pen, box, (0, span), values, view.get("xlabel", "architectures evaluated"), view.get("ylabel"))

    def link(a, b, color, width):
        x0, y0, x1, y1 = axes.X(a), axes.Y(score[a]), axes.X(b), axes.Y(score[b])
        points = [[x0, y0], [x0 + 0.6 * (x1 - x0), y0], [x0 + 0.4 * (x1 - x0), y1], [x1, y1]]
        u = np.linspace(0, 1, 11)[:, None]
        v, p = 1 - u, np.array(points)
        curve = v**3 * p[0] + 3 * v * v * u * p[1] + 3 * v * u * u * p[2] + u**3 * p[3]
        pen.line([tuple(q) for q in curve], color, width)

    for i in np.flatnonzero((parent >= 0) & np.isfinite(score)):
        if np.isfinite(score[int(parent[i])]):
            link(int(parent[i]), i, mixed(DIM, 0.6 if alive[i] else 0.2), 0.8)
    record = np.maximum.accumulate(np.where(good & np.isfinite(score), score, -np.inf))
    record[~np.isfinite(record)] = np.nan
    axes.line(np.arange(n), record, TEXT, 1.8, steps=True)
    for i in np.flatnonzero(np.isfinite(score)):
        color = BLUE if alive[i] else DEAD
        pen.dot(axes.X(i), axes.Y(score[i]), 4 if alive[i] else 3, *((color, None) if good[i] else (None, color)))
    axes.extras(view, marks, lambda at: at)
    if np.isfinite(record).any():
        best = k = int(np.nanargmax(np.where(good, score, np.nan)))
        while k >= 0:
            if parent[k] >= 0:
                link(int(parent[k]), k, MAGENTA, 2)
            pen.dot(axes.X(k), axes.Y(score[k]), 6 if k == best else 4, MAGENTA)
            k = int(parent[k])
        text = f"#{best}: {score[best]:.3g} {view.get('unit', '')}"
        w = pen.wide(text) / 2
        x = min(max(axes.X(best), axes.x + w + 4), axes.x + axes.w - w - 4)
        pen.text(x, axes.Y(score[best]) - 14, text, 12)


def _curve(pen, spec, view, columns, marks, step, box) -> None:
    n, scale = step + 1, view.get("scale", 1)
    series = [
        {"color": SERIES[j % 6], "dash": (), **one, "y": columns[one["array"]].reshape(-1)[:n] * scale}
        for j, one in enumerate(view["series"])
    ]
    xs = columns[view["x"]].reshape(-1)[:n] if view.get("x") else np.arange(n, dtype=float)
    statics = [*view["band"], *view["others"]]
    every = [xs] + [np.array(b["x"], float) for b in statics]
    if view.get("total"):
        every.append(np.array([view["total"]], float))
    stored = [np.array(b[k], float) * scale for b in statics for k in ("lo", "hi", "y") if k in b]
    values = np.concatenate([s["y"] for s in series] + stored + [[r["y"] for r in view.get("lines", ())]])
    start, end = (float(f(np.concatenate(every))) for f in (np.nanmin, np.nanmax))
    domain, reach = (min(0.0, start), end or 1.0), view.get("range") or good_range(values)
    axes = Axes(pen, box, domain, reach, view.get("xlabel", "step"), view.get("ylabel"))
    keys: list[tuple[str | None, str, float, tuple[int, ...]]] = []
    for band in view["band"]:
        up = [(axes.X(a), axes.Y(b * scale)) for a, b in zip(band["x"], band["hi"], strict=True)]
        down = [(axes.X(a), axes.Y(b * scale)) for a, b in zip(band["x"], band["lo"], strict=True)]
        pen.area(up + down[::-1], mixed(DEAD, 0.3))
        if "mid" in band:
            axes.line(band["x"], [None if v is None else v * scale for v in band["mid"]], DEAD, 1.3)
        keys.append((band.get("label"), DEAD, 8, ()))
    for j, other in enumerate(view["others"]):
        dash: tuple[int, ...] = (2, 3) if j else (6, 4)
        ys = [None if v is None else v * scale for v in other["y"]]
        axes.line(other["x"], ys, other.get("color", DIM), 1.6, dash, other.get("steps", False))
        keys.append((other.get("label"), other.get("color", DIM), 2, dash))
    for one in series:
        if one.get("points"):
            for a, b in zip(xs, one["y"], strict=True):
                if np.isfinite(b):
                    pen.dot(axes.X(a), axes.Y(b), 3, mixed(one["color"], 0.6))
        else:
            axes.line(xs, one["y"], one["color"], 1.7, one["dash"])
        keys.append((one.get("label"), one["color"], 5 if one.get("points") else 2, one["dash"]))
        if one.get("best"):
            better = np.fmin if view.get("lower") else np.fmax
            good = columns[view["feasible"]].reshape(-1)[:n] != 0 if view.get("feasible") else True
            axes.line(xs, better.accumulate(np.where(good, one["y"], np.nan)), TEXT, 2, steps=True)
            keys.append(("best so far", TEXT, 2, ()))
    axes.extras(view, marks, lambda at: float(xs[min(max(at, 0), n - 1)]))
    keys = [key for key in keys if key[0]]
    if len(keys) > 1 or view["band"]:
        low = np.nanmean(values) < np.mean(axes.values)  # with low values, the legend goes above them
        y = axes.y + 18 if low else axes.y + axes.h - 17 * len(keys)
        w = max(pen.wide(key[0], 11) for key in keys)
        for label, color, width, dash in keys:
            pen.line([(axes.x + axes.w - w - 42, y), (axes.x + axes.w - w - 16, y)], color, width, dash)
            pen.text(axes.x + axes.w - w - 8, y, label, 11, anchor="lm")
            y += 17


def _options(pen, spec, view, columns, marks, step, box) -> None:
    x, y, wide, _ = box
    now, per = columns[view["array"]][step], max(1, int(wide // 290))
    names = max(pen.wide(choice["name"]) for choice in view["choices"]) + 10
    for i, choice in enumerate(view["choices"]):
        left, top = x + (i % per) * wide / per, y + 22 * (i // per)
        pen.text(left, top + 11, choice["name"], anchor="lm")
        for o, color in enumerate(choice["colors"]):
            on = o == now[i]
            pen.box(left + names + 14 * o, top + 5, 11, 11, color if on else BACK, color if on else GRID, 1.5, 3)
        word = choice["options"][int(now[i])] if now[i] >= 0 else "not in use"
        pen.text(left + names + 14 * len(choice["options"]) + 6, top + 11, word, anchor="lm")


_DRAW = {"cell": _cell, "traces": _traces, "heat": _heat, "swarm": _swarm, "curve": _curve, "options": _options}
_DRAW |= PEOPLE
