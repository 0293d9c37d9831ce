"""The last step of a stage as a PNG, for GitHub, nbviewer and untrusted notebooks, where no script runs.

Each kind of picture draws its own (`nasviz.views.stage.kinds`) with Pillow, from the layout, colours and labels of the
live picture, so that it *is* the live picture at a modest resolution. The background is always light.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

from ..raster import BACK, SHARP, Pen, mixed
from .kinds.view import View
from .spec import Spec

LIMIT = 60_000  # bytes of a PNG
HEAD = 20  # height of a title, px


def png(spec: Spec, columns: Mapping[str, np.ndarray], marks: Sequence[Mapping] = (), step: int = -1) -> bytes | None:
    """Draw all views of a spec at one step, 900 px wide. None while there is no step."""
    from PIL import Image, ImageDraw

    count = len(next(iter(columns.values())))
    if not count:
        return None
    step = range(count)[step]
    rows: list[list[View]] = [[]]
    used = 0
    for view in spec.views:
        if used + view.span > 12:
            rows.append([])
            used = 0
        rows[-1].append(view)
        used += view.span
    width, gap = 900, 16
    whole = width - 2 * gap
    heights = [max(_head(view) + view.tall(columns, whole * view.span / 12) for view in row) for row in rows]
    legend: float = 0
    if spec.ops and spec.legend:
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
        for view in row:
            wide, head = whole * view.span / 12, _head(view)
            box = (x, y + head, wide - (12 if len(row) > 1 else 0), tall - head)
            if head:
                pen.text(x, y + 7, view.title, size=14, anchor="lm")
            view.still(pen, spec, columns, marks, step, box)
            x += wide
        y += tall + gap
    for less in (SHARP, SHARP + 1, 2 * SHARP):  # notebooks are in version control, so no PNG is above LIMIT
        out = io.BytesIO()
        # the fast quantisation, as the default one takes half a second
        image.reduce(less).quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
        if out.tell() <= LIMIT:
            break
    return out.getvalue()


def _head(view: View) -> int:
    return HEAD if view.title else 0


def _legend(pen, spec: Spec, left, top, width) -> float:
    """Draw the legend, in as many lines as it needs, and return its height."""
    x, y = left, top
    for label, color, dash, opacity in zip(spec.labels, spec.colors, spec.dashes, spec.opacities, strict=True):
        if x > left and x + 40 + pen.wide(label) > width:
            x, y = left, y + 20
        pen.line([(x, y + 6), (x + 26, y + 6)], mixed(color, opacity), 9)
        if dash:
            pen.line([(x + 1, y + 6), (x + 26, y + 6)], BACK, 2.6, dash)
        pen.text(x + 32, y + 6, label, anchor="lm")
        x += 52 + pen.wide(label)
    return y + 22 - top
