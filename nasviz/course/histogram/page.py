"""Counted answers as a page that needs nothing else, and as text for a terminal.

Bars have one colour, and every bar has its count in figures. What was measured is told by a sign and an outline, not by
a colour. A reader of the screen reads tables; the picture of curves has a text of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

import numpy as np

from ..bank.question import written
from .count import Bar, Counted

MARK = "<!-- nasviz histogram -->"  # a page that may be written over
WIDE, TALL, LEFT, BELOW = 640, 260, 56, 34  # the picture of curves, in its own units
CSS = """
:root{color-scheme:light dark;--bar:light-dark(#1a6fd4,#6aa9f0);--line:light-dark(#c4c9d1,#4a505b);
--dim:light-dark(#5a606b,#a9b0bc)}
body{font:17px/1.5 system-ui,sans-serif;max-width:52em;margin:2em auto;padding:0 1em;
background:light-dark(#fff,#16181d);color:light-dark(#16181d,#eceef2)}
h1{font-size:1.6em}section{margin:2.4em 0}h2{font-size:1.15em;margin:0}p{margin:.2em 0 .6em}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%}th{font-weight:400;text-align:left;padding:.15em .8em .15em 0;width:34%}
td{padding:.15em 0}td+td{text-align:right;width:3.5em;font-variant-numeric:tabular-nums}
i{display:block;height:1.1em;background:var(--bar);min-width:1px}
.right i{outline:3px solid currentColor;outline-offset:2px}.right th{font-weight:700}
svg{width:100%;height:auto}svg text{fill:var(--dim);font:13px system-ui,sans-serif}
.each{fill:none;stroke:var(--bar);stroke-opacity:.35}.middle{fill:none;stroke:currentColor;stroke-width:3}
.half{fill:var(--bar);fill-opacity:.2}.grid{stroke:var(--line)}
.head{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
@media print{body{max-width:none}section{break-inside:avoid}i{print-color-adjust:exact}}
"""


def html(title: str, counted: Iterable[Counted], students: int, answers: bool = False) -> str:
    """Return the page. ``answers`` marks what was measured when the lab was rendered."""
    out = [
        f"<!doctype html>\n{MARK}",
        f'<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}: what the class said</title><style>{CSS}</style></head><body><main>",
        f"<h1>{escape(title)}</h1>",
        f'<p class="dim">Predictions of {students} student{"s" * (students != 1)}, without names.</p>',
    ]
    for one in counted:
        out.append(f"<section><h2>{escape(one.asked.text)}</h2>")
        out.append(f'<p class="dim">{escape(_about(one))}</p>')
        out.append(_curves(one) if one.asked.kind == "curve" else _table(one.bars(), answers))
        if answers:
            out.append(f"<p>{escape(_told(one))}</p>")
        out.append("</section>")
    return "\n".join([*out, "</main></body></html>", ""])


def text(title: str, counted: Iterable[Counted], students: int, answers: bool = False, width: int = 40) -> str:
    """Return the counts as lines for a terminal, with bars of at most ``width`` characters."""
    out = [f"{title}: {students} student{'s' * (students != 1)}", ""]
    for one in counted:
        out += [one.asked.text, f"  {_about(one)}"]
        bars = one.bars()
        wide, most = max((len(bar.label) for bar in bars), default=0), max((bar.count for bar in bars), default=0)
        for bar in bars:
            mark = "✓" if answers and bar.right else " "
            out.append(f"{mark} {bar.label:{wide}} {'█' * round(width * bar.count / max(most, 1))} {bar.count}")
        if one.asked.kind == "curve":
            out += [f"  {line}" for line in _heights(one)]
        out += [_told(one), ""] if answers else [""]
    return "\n".join(out)


def _about(one: Counted) -> str:
    kinds = {
        "ranking": "Who was put first. ",
        "curve": "Thin: one student each. Thick: the median. Band: the middle half. ",
    }
    return f"{kinds.get(one.asked.kind, '')}{one.students} answered."


def _told(one: Counted) -> str:
    if one.asked.truth is None:
        return "What came out is shown in the lab."
    first = "Measured when the lab was rendered: "
    if one.asked.kind == "ranking":
        first = "First, when the lab was rendered: "
    return f"{first}{written(one.asked.truth, one.asked.unit)}."


def _table(bars: list[Bar], answers: bool) -> str:
    most = max((bar.count for bar in bars), default=0) or 1
    rows = ['<tr class="head"><th scope="col">answer</th><td>bar</td><td>students</td></tr>']
    for bar in bars:
        right = answers and bar.right
        label = f"✓ {escape(bar.label)} <span class='head'>(measured)</span>" if right else escape(bar.label)
        filled = f'<i style="width:{100 * bar.count / most:.4g}%"></i>' if bar.count else ""
        rows.append(
            f'<tr{" class=right" * right}><th scope="row">{label}</th><td aria-hidden="true">{filled}</td>'
            f"<td>{bar.count}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _heights(one: Counted) -> Iterator[str]:
    """The median curve in words, at its beginning, its middle and its end."""
    low, middle, high = one.spread()
    for name, at in (("at the left", 0), ("in the middle", len(middle) // 2), ("at the right", len(middle) - 1)):
        if len(middle) and not np.isnan(middle[at]):
            yield f"{name}: median {middle[at]:.4g}, middle half {low[at]:.4g} to {high[at]:.4g}".replace("-", "−")


def _curves(one: Counted) -> str:
    low, high = one.asked.ends
    across = lambda at, points: LEFT + (WIDE - LEFT - 8) * at / max(points - 1, 1)  # noqa: E731
    up = lambda y: TALL - BELOW - (TALL - BELOW - 10) * (y - low) / (high - low)  # noqa: E731

    def points(heights) -> list[str]:
        there = [(at, y) for at, y in enumerate(heights) if y is not None and y == y]
        return [f"{across(at, len(heights)):.1f} {up(y):.1f}" for at, y in there]

    def path(places: list[str]) -> str:
        return f"M{'L'.join(places)}" if places else ""

    lower, middle, upper = one.spread()
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = low + share * (high - low)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDE - 8}" y1="{up(y):.1f}" y2="{up(y):.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{up(y) + 4:.1f}" text-anchor="end">{y:.4g}</text>')
    parts.append(f'<path class="half" d="{path(points(upper) + points(lower)[::-1])}"/>')
    parts += [f'<path class="each" d="{path(points(said))}"/>' for said in one.said]
    parts.append(f'<path class="middle" d="{path(points(middle))}"/>')
    parts.append(f'<text x="{WIDE - 8}" y="{TALL - 8}" text-anchor="end">{escape(one.asked.along)} →</text>')
    said = escape("; ".join([f"{one.students} drawn curves", *_heights(one)]), quote=True)
    return f'<svg viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{said}.">{"".join(parts)}</svg>'
