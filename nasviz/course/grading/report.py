"""What a grading leaves behind: a table for who teaches, and a page for each student."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from html import escape

OPEN = "to be read by a person"


@dataclass(frozen=True)
class Row:
    """A line of the table: ``points`` is empty where a person decides."""

    who: str
    lab: str
    exercise: str
    kind: str
    points: str
    of: str
    sentence: str
    file: str


def table(rows: Iterable[Row]) -> str:
    """The rows as CSV. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([one.name for one in fields(Row)])
    for row in rows:
        writer.writerow([safe(" ".join(cell.split())) for cell in astuple(row)])
    return out.getvalue()


def safe(text: str) -> str:
    """A text of somebody else's as a cell of a spreadsheet."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) and not re.fullmatch(r"-?\d+(\.\d+)?", text) else text


def page(who: str, rows: Sequence[Row], texts: Mapping[tuple[str, str], str], about: str) -> str:
    """The page for one student, as HTML without scripts: each exercise, its points, what is wrong."""
    out = [
        "<!doctype html>",
        f'<html lang="en"><meta charset="utf-8"><title>{escape(who)}</title>',
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:46em;margin:2em auto;padding:0 1em}"
        "td,th{padding:.2em .6em;text-align:left;vertical-align:top}.points{white-space:nowrap}"
        "blockquote{white-space:pre-wrap;border-left:3px solid;margin:0 0 0 .6em;padding:0 .8em}</style>",
        f"<h1>{escape(who)}</h1>",
    ]
    for lab in dict.fromkeys(row.lab for row in rows):
        own = [row for row in rows if row.lab == lab]
        sure = [row for row in own if row.points]
        got, most = sum(int(row.points) for row in sure), sum(int(row.of) for row in sure)
        out.append(f"<h2>{escape(lab)}: {got} of {most}</h2>")
        out.append("<table><tr><th>exercise<th>points<th>what the check says</tr>")
        for row in own:
            mark = f"{row.points} of {row.of}" if row.points else "–"
            name = escape(row.exercise.replace("_", " "))
            out.append(f'<tr><td>{name}<td class="points">{mark}<td>{escape(row.sentence)}</tr>')
        out.append("</table>")
        for row in own:
            if text := texts.get((lab, row.exercise)):
                out.append(f"<h3>{escape(row.exercise.replace('_', ' '))}: your answer</h3>")
                out.append(f"<blockquote>{escape(text)}</blockquote>")
    out.append(f"<p><small>{escape(about)}</small></p></html>")
    return "\n".join(out) + "\n"


def file_name(who: str, taken: set[str]) -> str:
    """A file's name for a student's page that no other has: letters, digits, dashes."""
    stem = re.sub(r"[^\w.-]+", "-", who).strip("-.")[:80] or "student"
    name, number = stem, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.lower())
    return f"{name}.html"
