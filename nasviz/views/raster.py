"""Still pictures by Pillow: its drawing calls in the coordinates of a picture, and plots with axes."""

from __future__ import annotations

import functools
import math

import numpy as np

from .colors import BLUE, GREY, MAGENTA, TEAL, VIOLET

TEXT, DIM, GRID, PANEL, BACK, DEAD = "#16181d", "#565c67", "#d8dbe0", "#f5f6f8", "#ffffff", "#a5abb4"
MARK = "#7a3fb0"
SERIES = (BLUE, "#d98300", TEAL, MAGENTA, VIOLET, GREY)  # as in js/base.js
DASHES: tuple[tuple[int, ...], ...] = ((), (6, 3), (2, 2), (14, 3), (9, 3, 2, 3), (4, 4))  # of them: for grey print
SHARP = 2  # drawn at this many times the size, then reduced: Pillow's lines have no antialiasing


class Pen:
    """Pillow's drawing calls in picture coordinates."""

    def __init__(self, draw):
        self.draw = draw

    def line(self, points, color, width=1.5, dash=()) -> None:
        points = [(x * SHARP, y * SHARP) for x, y in points]
        for piece in _dashed(points, [d * SHARP for d in dash]) if dash and points else [points]:
            if len(piece) > 1:
                self.draw.line(piece, fill=color, width=max(1, round(width * SHARP)), joint="curve")

    def box(self, x, y, w, h, fill=None, outline=None, width=1.0, radius=0) -> None:
        at = (x * SHARP, y * SHARP, (x + w) * SHARP, (y + h) * SHARP)
        self.draw.rounded_rectangle(at, radius * SHARP, fill, outline, round(width * SHARP))

    def dot(self, x, y, r, fill=None, outline=None, width=1.4) -> None:
        at = ((x - r) * SHARP, (y - r) * SHARP, (x + r) * SHARP, (y + r) * SHARP)
        self.draw.ellipse(at, fill, outline, round(width * SHARP))

    def sign(self, symbol, x, y, r, fill=None, outline=None, width=1.4) -> None:
        """A ``"square"``, a ``"diamond"``, or else a dot, as plotly's symbols of these names: of about one area."""
        if symbol == "square":
            self.box(x - 0.89 * r, y - 0.89 * r, 1.78 * r, 1.78 * r, fill, outline, width)
        elif symbol == "diamond":
            a = 1.3 * r
            corners = [((x + dx) * SHARP, (y + dy) * SHARP) for dx, dy in ((-a, 0), (0, -a), (a, 0), (0, a))]
            self.draw.polygon(corners, fill, outline, round(width * SHARP))
        else:
            self.dot(x, y, r, fill, outline, width)

    def area(self, points, fill) -> None:
        if len(points) > 2:
            self.draw.polygon([(x * SHARP, y * SHARP) for x, y in points], fill)

    def text(self, x, y, text, size=12, color=TEXT, anchor="mm", plain=False) -> None:
        """Write on lines with a halo; ``plain`` or white words, which lie on a colour, have none."""
        halo = {"stroke_width": 2 * SHARP, "stroke_fill": BACK} if color != BACK and not plain else {}
        self.draw.text((x * SHARP, y * SHARP), text, color, _font(size * SHARP), anchor, **halo)

    def wide(self, text, size=12) -> float:
        return self.draw.textlength(text, _font(size * SHARP)) / SHARP


@functools.lru_cache
def _font(size: int):
    from PIL import ImageFont

    for name in ("DejaVuSans.ttf", "Arial.ttf", "Helvetica.ttc"):  # Pillow's own font has no arrows
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            pass
    return ImageFont.load_default(size)


def _dashed(points, dash):
    """Cut a polyline into the pieces that a dash pattern draws."""
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


def mixed(color: str, share: float) -> str:
    """Return the colour that ``color`` has on white at an opacity of ``share``."""
    part = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + (c - 255) * share):02x}" for c in part)


def ticks(low: float, high: float, count: float) -> list[float]:
    """Return about ``count`` round numbers between low and high."""
    if not high > low:
        return [low]
    raw = (high - low) / max(1, count)
    magnitude = 10 ** math.floor(math.log10(raw))
    r = raw / magnitude
    step = magnitude * (10 if r > 5 else 5 if r > 2 else 2 if r > 1 else 1)
    first = math.ceil(low / step - 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, math.floor(high / step + 1e-6) + 1)]


def good_range(values, low_fence=True, high_fence=True) -> tuple[float, float]:
    """Return the range that shows most values well, as in js/canvas.js."""
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
    """A plot area with two linear scales. Grid, ticks and labels are drawn when it is made.

    ``marks``, if given, are the ticks of x: pairs of a place and its text.
    """

    def __init__(self, pen, box, domain, values, xlabel="", ylabel="", marks=None):
        x, y, wide, tall = box
        self.pen, self.x, self.y, self.w, self.h = pen, x + 52, y + 14, wide - 64, tall - 56
        self.domain, self.values = domain, values
        for v in ticks(*values, self.h / 45):
            pen.line([(self.x, self.Y(v)), (self.x + self.w, self.Y(v))], GRID, 1)
            pen.text(self.x - 6, self.Y(v), f"{v:g}", 11, DIM, "rm")
        if marks is None:
            marks = [(v, f"{v:,.10g}") for v in ticks(*domain, self.w / 90)]
        for v, text in marks:
            pen.text(self.X(v), self.y + self.h + 12, text, 11, DIM)
        pen.text(self.x + self.w / 2, self.y + self.h + 30, xlabel, 11, DIM)
        pen.text(self.x, self.y - 9, ylabel or "", 11, DIM, "lm")

    def X(self, v):
        a, b = self.domain
        return self.x + self.w * min(1, max(0, (v - a) / ((b - a) or 1)))

    def Y(self, v):
        a, b = self.values
        return self.y + self.h * (1 - min(1, max(0, (v - a) / ((b - a) or 1))))

    def line(self, xs, ys, color, width=1.6, dash=(), steps=False) -> None:
        piece: list[tuple[float, float]] = []
        before: float | None = None
        for a, b in [*zip(xs, ys, strict=True), (0, math.nan)]:
            if b is None or not math.isfinite(b):
                self.pen.line(piece, color, width, dash)
                piece, before = [], None
                continue
            if steps and before is not None:
                piece.append((self.X(a), before))
            before = self.Y(b)
            piece.append((self.X(a), before))

    def extras(self, lines, marks, place) -> None:
        for line in lines:
            self.line(self.domain, (line["y"], line["y"]), DIM, 1.2, (7, 4))
            self.pen.text(self.x + self.w - 4, self.Y(line["y"]) - 8, line.get("label", ""), 11, DIM, "rm")
        groups: list[tuple[float, str]] = []
        for mark in marks:
            x = self.X(place(mark["at"]))
            if groups and x - groups[-1][0] < 14:
                groups[-1] = groups[-1][0], f"{groups[-1][1]}, {mark['label']}"
            else:
                groups.append((x, mark["label"]))
        free = [-math.inf] * 3  # the end of each row of labels; more rows would hide the curves
        for x, label in groups:
            end = x + 10 + self.pen.wide(label, 11)
            row = next((row for row, taken in enumerate(free) if x > taken), None)
            y = self.y + 14 * (row or 0)
            self.pen.line([(x, y), (x, self.y + self.h)], MARK, 1, (4, 3))
            self.pen.area([(x, y - 1), (x + 8, y + 3), (x, y + 7)], MARK)
            if row is not None and end < self.x + self.w:
                self.pen.text(x + 10, y + 4, label, 11, TEXT, "lm")
                free[row] = end + 8
