"""The last step of a stage as a PNG: what GitHub, nbviewer and an untrusted notebook show, where no script runs.

Drawn with Pillow from the same layout, colours and labels as the live picture, so that the still *is* the live picture
at a modest resolution; always on a light background.
"""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Mapping, Sequence

import numpy as np

TEXT, DIM, GRID, PANEL, BACK, DEAD = "#16181d", "#565c67", "#d8dbe0", "#f5f6f8", "#ffffff", "#a5abb4"
BLUE, MAGENTA, MARK = "#1a6fd4", "#d6246e", "#7a3fb0"
SERIES = (BLUE, "#d98300", "#009178", MAGENTA, "#8358d6", "#8a919c")      # as in stage.js
SHARP = 2                  # drawn at this many times the size, then reduced: Pillow's lines have no antialiasing


def png(spec: Mapping, columns: Mapping[str, np.ndarray], marks: Sequence[Mapping] = (), step: int = -1) -> bytes | None:
    """All views of a completed spec at one step, 900 px wide. None while there is no step."""
    from PIL import Image, ImageDraw

    count = len(next(iter(columns.values())))
    if not count:
        return None
    step = range(count)[step]
    rows, used = [[]], 0
    for view in spec["views"]:
        span = int(view.get("span", 12))
        if used + span > 12:
            rows.append([])
            used = 0
        rows[-1].append((view, span))
        used += span
    width, gap = 900, 16
    heights = [max(_height(spec, view, columns, (width - 2 * gap) * span / 12) for view, span in row) for row in rows]
    legend = 28 if spec["ops"] and spec.get("legend") is not False else 0
    height = int(sum(heights) + gap * (len(rows) + 1) + legend)
    image = Image.new("RGB", (width * SHARP, height * SHARP), BACK)
    pen = Pen(ImageDraw.Draw(image))
    if legend:
        _legend(pen, spec, gap, gap)
    y = gap + legend
    for row, tall in zip(rows, heights, strict=True):
        x = gap
        for view, span in row:
            wide = (width - 2 * gap) * span / 12
            box = (x, y + (20 if view.get("title") else 0), wide - (12 if len(row) > 1 else 0), tall - (20 if view.get("title") else 0))
            if view.get("title"):
                pen.text(x, y + 7, view["title"], size=14, anchor="lm")
            _DRAW[view["kind"]](pen, spec, view, columns, marks, step, box)
            x += wide
        y += tall + gap
    image = image.resize((width, height), Image.Resampling.LANCZOS).quantize(96, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


class Pen:
    """Pillow's drawing calls in picture coordinates."""

    def __init__(self, draw):
        self.draw = draw

    def line(self, points, color, width=1.5, dash=()) -> None:
        points = [(x * SHARP, y * SHARP) for x, y in points]
        for piece in _dashed(points, [d * SHARP for d in dash]) if dash else [points]:
            if len(piece) > 1:
                self.draw.line(piece, fill=color, width=max(1, round(width * SHARP)), joint="curve")

    def box(self, x, y, w, h, fill=None, outline=None, width=1.0, radius=0) -> None:
        at = (x * SHARP, y * SHARP, (x + w) * SHARP, (y + h) * SHARP)
        self.draw.rounded_rectangle(at, radius * SHARP, fill, outline, round(width * SHARP))

    def dot(self, x, y, r, fill=None, outline=None, width=1.4) -> None:
        at = ((x - r) * SHARP, (y - r) * SHARP, (x + r) * SHARP, (y + r) * SHARP)
        self.draw.ellipse(at, fill, outline, round(width * SHARP))

    def area(self, points, fill) -> None:
        if len(points) > 2:
            self.draw.polygon([(x * SHARP, y * SHARP) for x, y in points], fill)

    def text(self, x, y, text, size=12, color=TEXT, anchor="mm") -> None:
        halo = {"stroke_width": 2 * SHARP, "stroke_fill": BACK} if color != BACK else {}
        self.draw.text((x * SHARP, y * SHARP), text, color, _font(size * SHARP), anchor, **halo)

    def wide(self, text, size=12) -> float:
        return self.draw.textlength(text, _font(size * SHARP)) / SHARP


@functools.lru_cache
def _font(size: int):
    from PIL import ImageFont

    for name in ("DejaVuSans.ttf", "Arial.ttf", "Helvetica.ttc"):        # Pillow's own font has no arrows
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            pass
    return ImageFont.load_default(size)


def _dashed(points, dash):
    """The pieces of a polyline that a dash pattern leaves."""
    pieces, piece, on, left, k = [], [points[0]], True, dash[0], 0
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        length, at = math.hypot(x1 - x0, y1 - y0), 0.0
        while length - at > left:
            at += left
            here = (x0 + (x1 - x0) * at / length, y0 + (y1 - y0) * at / length)
            if on:
                pieces.append([*piece, here])
            piece, on, k = [here], not on, k + 1
            left = dash[k % len(dash)]
        left -= length - at
        if on:
            piece.append((x1, y1))
    return pieces + ([piece] if on else [])


def _mixed(color: str, share: float) -> str:
    """``color`` on white at an opacity of ``share``."""
    part = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + (c - 255) * share):02x}" for c in part)


def _height(spec, view, columns, wide) -> float:
    kind, head = view["kind"], 20 if view.get("title") else 0
    if kind == "cell":
        pad = 2 * max(8, view.get("thickness", 15) / 2 + 2)
        return head + min(view.get("height", 400), wide * (view["layout"]["height"] + pad) / (view["layout"]["width"] + pad))
    if kind == "traces":
        per, rows = _panels(columns[view["array"]].shape[1:], wide)
        return head + rows * (240 if rows == per == 1 else 104) + 16
    if kind == "heat":
        return head + 36 + 24 * columns[view["array"]].shape[1]
    return head + view.get("height", 330 if kind == "swarm" else 270)


def _panels(shape, wide) -> tuple[int, int]:
    panels = shape[0] if len(shape) > 1 else 1
    rows = math.ceil(panels / min(panels, max(1, int(wide // 138))))
    return math.ceil(panels / rows), rows


def _legend(pen, spec, x, y) -> None:
    for label, color, dash, opacity in zip(spec["labels"], spec["colors"], spec["dashes"], spec["opacities"], strict=True):
        pen.line([(x, y + 6), (x + 26, y + 6)], _mixed(color, opacity), 9)
        if dash:
            pen.line([(x + 1, y + 6), (x + 26, y + 6)], BACK, 2.6, dash)
        pen.text(x + 32, y + 6, label, anchor="lm")
        x += 52 + pen.wide(label)


def _curve_points(points, each=12):
    """Points and normals along a Bézier chain, its ends tucked under the nodes."""
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
    y += (tall - k * (plan["height"] + 2 * pad)) / 2 + k * pad
    weights, fixed = columns[view["array"]][step], set(view["fixed"])
    free, labels = [e for e in range(len(plan["edges"])) if e not in fixed], []
    kept = _kept(view, weights, free)
    for e, curve in enumerate(plan["edges"]):
        line = _curve_points(curve["points"])
        if e in fixed:
            pen.line([(x + k * px, y + k * py) for px, py, *_ in line], DIM, 1.2, (4, 4))
            continue
        i, offset = free.index(e), -thick / 2
        for o, weight in enumerate(np.nan_to_num(weights[i])):
            width, middle = float(weight) * thick, offset + float(weight) * thick / 2
            offset += width
            if width < 0.12:
                continue
            at = [(x + k * (px + nx * middle), y + k * (py + ny * middle)) for px, py, nx, ny in line]
            opacity = spec["opacities"][o] * (1 if i in kept else 0.25)
            pen.line(at, _mixed(spec["colors"][o], opacity), k * width)
            if spec["dashes"][o] and width > 2.4:
                pen.line(at, BACK, k * min(2.6, width * 0.34), spec["dashes"][o])
        if np.nanmax(weights[i]) > 0.6:
            labels.append((line, int(np.nanargmax(weights[i]))))
    boxes = []
    for node in plan["nodes"]:
        w, h = k * node["w"], k * node["h"]
        left, top = x + k * node["x"] - w / 2, y + k * node["y"] - h / 2
        pen.box(left, top, w, h, BACK, TEXT, 1.5, h / 2)
        size = round(min(18, max(11, 16 * k)))
        base, _, low = node["label"].partition("_")
        low = low.strip("{}")
        start = x + k * node["x"] - (pen.wide(base, size) + pen.wide(low, size * 3 // 4)) / 2
        pen.text(start, top + h / 2, base, size, anchor="lm")
        if low:
            pen.text(start + pen.wide(base, size), top + h / 2 + size * 0.25, low, size * 3 // 4, anchor="lm")
        boxes.append((left, top, left + w, top + h))
    for line, o in sorted(labels, key=lambda item: np.hypot(*np.diff(item[0][:, :2], axis=0).T).sum()):
        text = spec["labels"][o]
        w, at = pen.wide(text, 11) + 10, line[:, :2] * k + (x, y)

        def cost(i, w=w, at=at):
            me = (at[i, 0] - w / 2, at[i, 1] - 9, at[i, 0] + w / 2, at[i, 1] + 9)
            hit = sum(
                max(0, min(me[2], b[2]) - max(me[0], b[0])) * max(0, min(me[3], b[3]) - max(me[1], b[1])) for b in boxes
            )
            return hit + 60 * abs(i / (len(at) - 1) - 0.5)

        px, py = at[min(range(2, len(at) - 2), key=cost)]
        pen.box(px - w / 2, py - 9, w, 18, BACK, spec["colors"][o], 1.2, 5)
        pen.text(px, py, text, 11)
        boxes.append((px - w / 2, py - 9, px + w / 2, py + 9))


def _kept(view, weights, free) -> set[int]:
    """Rows of edges that discretisation keeps: the strongest ``keep`` into each node."""
    if not view.get("keep"):
        return set(range(len(free)))
    counted = [o for o in range(weights.shape[1]) if o not in set(view.get("ignore", ()))]
    into: dict[int, list[int]] = {}
    for i, e in enumerate(free):
        into.setdefault(view["edges"][e][1], []).append(i)
    strength = np.nan_to_num(weights)[:, counted].max(1)
    return {i for rows in into.values() for i in sorted(rows, key=lambda i: -strength[i])[: view["keep"]]}


def ticks(low: float, high: float, count: float) -> list[float]:
    """Round numbers between low and high, about ``count`` of them."""
    if not high > low:
        return [low]
    raw = (high - low) / max(1, count)
    magnitude = 10 ** math.floor(math.log10(raw))
    r = raw / magnitude
    step = magnitude * (10 if r > 5 else 5 if r > 2 else 2 if r > 1 else 1)
    first = math.ceil(low / step - 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, math.floor(high / step + 1e-6) + 1)]


def _range(values, low_fence=True, high_fence=True) -> tuple[float, float]:
    """The range that shows most values well, as in stage.js."""
    values = np.sort(values[np.isfinite(values)])
    if not len(values):
        return 0.0, 1.0
    low, high = float(values[0]), float(values[-1])
    if len(values) >= 12:
        q1, q9 = (float(values[int(q * (len(values) - 1))]) for q in (0.12, 0.88))
        reach = 2 * (q9 - q1) or math.inf
        low = max(low, q1 - reach) if low_fence else low
        high = min(high, q9 + 2 * reach) if high_fence else high
    gap = ((high - low) or abs(high) or 1) * 0.06
    return low - gap, high + gap


class Axes:
    """A plot area with two linear scales, its grid, ticks and labels drawn."""

    def __init__(self, pen, box, domain, values, xlabel="", ylabel=""):
        x, y, wide, tall = box
        self.pen, self.x, self.y, self.w, self.h = pen, x + 52, y + 14, wide - 64, tall - 56
        self.domain, self.values = domain, values
        for v in ticks(*values, self.h / 45):
            pen.line([(self.x, self.Y(v)), (self.x + self.w, self.Y(v))], GRID, 1)
            pen.text(self.x - 6, self.Y(v), f"{v:g}", 11, DIM, "rm")
        for v in ticks(*domain, self.w / 90):
            pen.text(self.X(v), self.y + self.h + 12, f"{v:,g}", 11, DIM)
        pen.text(self.x + self.w / 2, self.y + self.h + 30, xlabel, 11, DIM)
        pen.text(self.x, self.y - 9, ylabel or "", 11, DIM, "lm")

    def X(self, v):
        a, b = self.domain
        return self.x + self.w * min(1, max(0, (v - a) / ((b - a) or 1)))

    def Y(self, v):
        a, b = self.values
        return self.y + self.h * (1 - min(1, max(0, (v - a) / ((b - a) or 1))))

    def line(self, xs, ys, color, width=1.6, dash=(), steps=False) -> None:
        piece, before = [], None
        for a, b in [*zip(xs, ys, strict=True), (0, math.nan)]:
            if b is None or not math.isfinite(b):
                self.pen.line(piece, color, width, dash)
                piece, before = [], None
                continue
            if steps and before is not None:
                piece.append((self.X(a), before))
            before = self.Y(b)
            piece.append((self.X(a), before))

    def extras(self, view, marks, place) -> None:
        for line in view.get("lines", ()):
            self.line(self.domain, (line["y"], line["y"]), DIM, 1.2, (7, 4))
            self.pen.text(self.x + self.w - 4, self.Y(line["y"]) - 8, line.get("label", ""), 11, DIM, "rm")
        free = -math.inf
        for mark in marks:
            x = self.X(place(mark["at"]))
            self.pen.line([(x, self.y), (x, self.y + self.h)], MARK, 1, (4, 3))
            self.pen.area([(x, self.y - 1), (x + 8, self.y + 3), (x, self.y + 7)], MARK)
            if x > free:
                self.pen.text(x + 10, self.y + 4, mark["label"], 11, TEXT, "lm")
                free = x + 18 + self.pen.wide(mark["label"], 11)


def _traces(pen, spec, view, columns, marks, step, box) -> None:
    x, y, wide, _ = box
    data = columns[view["array"]]
    data = data[: step + 1].reshape(step + 1, -1, data.shape[-1])
    per, rows = _panels(data.shape[1:], wide)
    tall, top, span = 240 if rows == per == 1 else 104, view.get("max", 1), max(2, view.get("total", 0), len(data))
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
            pen.text(left + w, up + h + 9, f"{span - 1:,}", 10, DIM, "rm")
        every = np.unique(np.linspace(0, len(data) - 1, min(len(data), int(w) + 1)).astype(int))
        for o in range(data.shape[2]):
            color = spec["colors"][o] if o < len(spec["colors"]) else SERIES[o % 6]
            dash = spec["dashes"][o] if o < len(spec["dashes"]) else ()
            line = [
                (left + w * i / (span - 1), up + h * (1 - min(float(data[i, p, o]), top) / top))
                for i in every
                if np.isfinite(data[i, p, o])
            ]
            pen.line(line, color, 1.5, dash)
        for mark in marks:
            at = left + w * min(mark["at"], span - 1) / (span - 1)
            pen.line([(at, up), (at, up + h)], MARK, 1, (4, 3))


def _heat(pen, spec, view, columns, marks, step, box) -> None:
    x, y, wide, _ = box
    data, top = columns[view["array"]][step], view.get("max", 1)
    names = view.get("columns") or spec["labels"]
    w = (wide - 58) / data.shape[1]
    for o, name in enumerate(names):
        first, _, rest = name.rpartition(" ") if pen.wide(name, 11) > w - 4 else ("", "", name)
        pen.text(x + 58 + (o + 0.5) * w, y + 26, rest, 11, DIM)
        pen.text(x + 58 + (o + 0.5) * w, y + 12, first, 11, DIM)
    for r, row in enumerate(np.nan_to_num(data)):
        at = y + 36 + 24 * r
        pen.text(x + 50, at + 12, (view.get("labels") or range(len(data)))[r], 11, anchor="rm")
        for o, v in enumerate(row):
            share = min(1, max(0, float(v) / top))
            edge = TEXT if v == row.max() else None
            pen.box(x + 59 + o * w, at + 1, w - 2, 22, _mixed(BLUE, 0.04 + 0.96 * share**0.8), edge, 1.2)
            pen.text(x + 58 + (o + 0.5) * w, at + 12, f"{100 * v:.0f}", 11, BACK if share > 0.5 else "#16181e")


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
    values = view.get("range") or _range(np.concatenate([score, lines]), high_fence=False)
    span = max(2, view.get("total", 0), n)
    axes = Axes(pen, box, (0, span - 1), values, view.get("xlabel", "architectures evaluated"), view.get("ylabel"))

    def link(a, b, color, width):
        x0, y0, x1, y1 = axes.X(a), axes.Y(score[a]), axes.X(b), axes.Y(score[b])
        points = [[x0, y0], [x0 + 0.6 * (x1 - x0), y0], [x0 + 0.4 * (x1 - x0), y1], [x1, y1]]
        u = np.linspace(0, 1, 11)[:, None]
        p = np.array(points)
        pen.line([tuple(q) for q in (1 - u) ** 3 * p[0] + 3 * (1 - u) ** 2 * u * p[1] + 3 * (1 - u) * u * u * p[2] + u**3 * p[3]],
                 color, width)

    for i in np.flatnonzero((parent >= 0) & np.isfinite(score)):
        if np.isfinite(score[int(parent[i])]):
            link(int(parent[i]), i, _mixed(DIM, 0.6 if alive[i] else 0.2), 0.8)
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
        every.append(np.array([view["total"] - (0 if view.get("x") else 1)], float))
    stored = [np.array(b[k], float) * scale for b in statics for k in ("lo", "hi", "y") if k in b]
    values = np.concatenate([s["y"] for s in series] + stored + [[r["y"] for r in view.get("lines", ())]])
    end = float(np.nanmax(np.concatenate(every)))
    axes = Axes(pen, box, (min(0.0, float(np.nanmin(np.concatenate(every)))), end or 1.0), view.get("range") or _range(values),
                view.get("xlabel", "step"), view.get("ylabel"))
    keys = []
    for band in view["band"]:
        up = [(axes.X(a), axes.Y(b * scale)) for a, b in zip(band["x"], band["hi"], strict=True)]
        down = [(axes.X(a), axes.Y(b * scale)) for a, b in zip(band["x"], band["lo"], strict=True)]
        pen.area(up + down[::-1], _mixed(DEAD, 0.3))
        if "mid" in band:
            axes.line(band["x"], [None if v is None else v * scale for v in band["mid"]], DEAD, 1.3)
        keys.append((band.get("label"), DEAD, 8, ()))
    for j, other in enumerate(view["others"]):
        dash = (2, 3) if j else (6, 4)
        ys = [None if v is None else v * scale for v in other["y"]]
        axes.line(other["x"], ys, other.get("color", DIM), 1.6, dash, other.get("steps", False))
        keys.append((other.get("label"), other.get("color", DIM), 2, dash))
    for one in series:
        if one.get("points"):
            for a, b in zip(xs, one["y"], strict=True):
                if np.isfinite(b):
                    pen.dot(axes.X(a), axes.Y(b), 3, _mixed(one["color"], 0.6))
        else:
            axes.line(xs, one["y"], one["color"], 1.7, one["dash"])
        keys.append((one.get("label"), one["color"], 5 if one.get("points") else 2, one["dash"]))
        if one.get("best"):
            better = np.fmin if view.get("lower") else np.fmax
            axes.line(xs, better.accumulate(one["y"]), TEXT, 2, steps=True)
            keys.append(("best so far", TEXT, 2, ()))
    axes.extras(view, marks, lambda at: float(xs[min(max(at, 0), n - 1)]))
    keys = [key for key in keys if key[0]]
    if len(keys) > 1 or view["band"]:
        y = axes.y + 10 if view.get("lower") or np.nanmean(values) < np.mean(axes.values) else axes.y + axes.h - 17 * len(keys)
        w = max(pen.wide(key[0], 11) for key in keys)
        for label, color, width, dash in keys:
            pen.line([(axes.x + axes.w - w - 42, y), (axes.x + axes.w - w - 16, y)], color, width, dash)
            pen.text(axes.x + axes.w - w - 8, y, label, 11, anchor="lm")
            y += 17


_DRAW = {"cell": _cell, "traces": _traces, "heat": _heat, "swarm": _swarm, "curve": _curve}
