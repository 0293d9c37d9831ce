"""Questions in Markdown: to read, to print, to paste into a forum. Answers are folded away, or left out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .question import Item, written
from .text import title

LETTERS = "abcdefgh"
FOLD, END = "<details><summary>Answer</summary>", "</details>"


def write(items: Iterable[Item], answers: bool = True) -> str:
    """Return questions as a page: a heading a lab, a heading a question, its options, and its answer in a fold."""
    out, lab = ["# Questions", ""], ""
    for item in items:
        if item.lab != lab:
            lab = item.lab
            out += [f"## {lab}", ""]
        out += [f"### {plain(title(item))}", "", f"*{plain(item.level)} · tests: {plain(item.tests)}*", ""]
        out += [plain(item.drawn.text.strip()), ""]
        out += [f"Answer in: {item.drawn.unit.strip()}.", ""] if item.drawn.unit else []
        if not item.drawn.numeric:
            out += [f"({LETTERS[place]}) {plain(str(answer))}\n" for place, (answer, _) in enumerate(item.options)]
        if answers:
            out += [FOLD, "", *_answers(item), "", END, ""]
    return "\n".join(out).rstrip("\n") + "\n"


def _answers(item: Item) -> list[str]:
    drawn = item.drawn
    if drawn.numeric:
        within = f", give or take {written(drawn.tolerance)}" if drawn.tolerance else ""
        lines = [f"**{written(drawn.right, drawn.unit)}**{within}. {plain(drawn.because)}", ""]
        return lines + [f"- not {written(one.answer, drawn.unit)}: {plain(one.why)}" for one in drawn.wrong]
    lines = [f"**({LETTERS[item.place]})** {plain(drawn.because)}", ""]
    return lines + [
        f"- not ({LETTERS[place]}): {plain(why)}" for place, (_, why) in enumerate(item.options) if place != item.place
    ]


def plain(text: str) -> str:
    """A text whose characters mean nothing to Markdown."""
    return re.sub(r"([\\*_<>|`\[\]])", r"\\\1", text)
