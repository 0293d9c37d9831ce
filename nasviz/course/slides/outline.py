"""What is shown of a lab, slide by slide, and in which order: derived from the form that every lab has.

===================== ================================================================================================
title, objectives     the first cell, and ``metadata.nasviz.objectives``
section               a heading, with its first sentences
text                  formulas, lists, terms (`nasviz.course.slides.prose`); the whole text is in the speaker's notes
question              a prediction, with its options, before anything that answers it
answer                where the lab reveals it: the question again, what was measured, what is claimed
picture, table        an output as it is stored, with its text alternative; where it holds recorded steps, a replay
claim                 what a run shows, and what would make it fail
exercises, summary    the list of exercises; what has been seen
===================== ================================================================================================

A cell may say otherwise by the field that JupyterLab writes, ``slideshow.slide_type``: ``skip`` leaves it out,
``notes`` has it said only, ``slide``, ``subslide`` and ``fragment`` put all of it on slides, code too.
"""

from __future__ import annotations

import json
import re
import struct
from base64 import b64decode
from binascii import Error
from dataclasses import dataclass, field
from html import escape, unescape

from .. import instructor, lesson
from ..lesson import tags
from ..notebooks import HTML, MARKDOWN, PLAIN, PNG, STAGE, stored
from . import prose

WIDE, HIGH = 1180, 520  # pixels of a slide that a picture or a table may take
LETTERS = 32  # pixels of a slide's letters, as in deck.css
AXES = 400  # of the axes under a question
CAPTION = 26  # words above a picture
LEGIBLE, LARGE = 15, 27  # pixels of a table's letters, at least and at most
SHOWN = ("slide", "subslide", "fragment")
BAR = re.compile(r"(?<!\\)\|")  # between the cells of a table; one in a text has a stroke before it
EXERCISE = re.compile(r"^\*\*(\d+ · [^*]+)\*\*\s*(\([^)]*\))?")
SEEN = "What you have seen"


@dataclass
class Slide:
    """A slide: what kind it is, its text in Markdown and HTML, the section it is of, and what is said with it."""

    kind: str
    body: str
    place: str = ""
    further: bool = False
    notes: list[str] = field(default_factory=list)


def outline(notebook, name: str = "", *, further: bool = True) -> list[Slide]:
    """The slides of a lab, as it is stored.

    Parameters
    ----------
    notebook : notebook
        In format 4, with its outputs.
    name : str
        The stem of its file.
    further : bool
        Whether the sections that can be skipped are shown.
    """
    made = _Outline(name)
    for cell, beyond in lesson.sections(notebook):
        if not beyond or further:
            made.further = beyond
            made.take(cell, notebook)
    made.finish()
    return made.slides


class _Outline:
    """The slides so far, the questions that are open, and where we are."""

    def __init__(self, name: str):
        self.slides: list[Slide] = []
        self.name, self.place, self.further, self.intro = name, "", False, ""
        self.asked: dict[str, str] = {}  # a question by the variable that holds it
        self.open: list[str] = []
        self.exercises: list[str] = []

    def add(self, kind: str, body: str, *notes: str) -> None:
        self.slides.append(Slide(kind, body, self.place, self.further, [note for note in notes if note]))

    def say(self, text: str) -> None:
        """Text for the notes of the slide that is shown while it is said."""
        if self.slides and text:
            self.slides[-1].notes.append(text)

    def take(self, cell, notebook) -> None:
        wanted = cell["metadata"].get("slideshow", {}).get("slide_type", "-")
        if wanted == "skip" or "solution" in tags(cell):
            return
        if cell["cell_type"] == "markdown":
            self.text(cell, wanted, notebook)
        elif cell["cell_type"] == "code" and not {"exercise", "check"} & tags(cell):
            if wanted in SHOWN:
                self.add("code", f"```python\n{cell['source']}\n```")
            if wanted != "notes":
                self.outputs(cell)

    def finish(self) -> None:
        if self.exercises:
            self.further = False
            self.add("exercises", "## Exercises\n\n" + "\n".join(f"- {one}" for one in self.exercises))
            self.exercises = []

    # ------------------------------------------------------------------------------------------------------------ text
    def text(self, cell, wanted: str, notebook) -> None:
        heading, rest = _heading(cell["source"])
        said = "\n\n".join(prose.blocks(rest))
        if heading and not self.slides:
            self.title(heading, rest, notebook)
            return
        exercise = EXERCISE.match(rest)
        if heading:
            beyond = self.further
            self.finish()
            self.place, self.intro, self.further = heading, "", beyond
        if "Exercises" in self.place and not self.further:
            if exercise:
                title, more = exercise.groups()
                self.exercises.append(_exercise(title, more, rest[exercise.end() :]))
            return
        if wanted == "notes":
            self.say(said)
        elif heading.startswith(SEEN):
            listed = [block for block in prose.blocks(rest) if prose.ITEM.match(block)]
            for page in prose.pages(listed):
                self.add("summary", f"## {heading}\n\n{page}", said)
        elif wanted in SHOWN:
            for page in map(_sized, prose.pages(prose.blocks(rest))):
                self.add("text", f"## {heading}\n\n{page}" if heading else page, said)
        else:
            lead = prose.lead(rest) if heading else ""
            if heading:
                self.add("section", f"## {heading}\n\n{lead}".strip())
            pages = list(prose.pages(prose.without(prose.points(rest), lead)))
            for page in pages:
                self.add("text", _sized(page))
            self.slides[-max(len(pages), 1)].notes.append(said)
        last = prose.blocks(rest)[-1:]
        self.intro = next((prose.first_sentences(one, CAPTION) for one in last if prose.is_text(one)), "")

    def title(self, heading: str, rest: str, notebook) -> None:
        number, _, _ = self.name.partition("-")
        heading = re.sub(r"^\d+ · ", "", heading)
        said = notebook["metadata"].get("nasviz", {})
        minutes = f"\n\n{said['minutes']} minutes" if "minutes" in said else ""
        above = f"Lab {number}\n\n" if number.isdigit() else ""
        self.add("title", f"{above}# {heading}\n\n{prose.lead(rest)}{minutes}", "\n\n".join(prose.blocks(rest)))
        if aims := lesson.objectives(notebook):
            self.add("objectives", "## After this lab you can\n\n" + "\n".join(f"- {idea}" for idea, _ in aims))

    # --------------------------------------------------------------------------------------------------------- outputs
    def outputs(self, cell) -> None:
        names = re.findall(r"\b(\w+)\.reveal\(", cell["source"])
        variables = instructor.ASKS.findall(cell["source"])
        asks: list[tuple[str, str]] = []  # questions, and the HTML of their options or axes
        answers: list[str] = []
        claims: list[str] = []
        figures: list[tuple[str, str]] = []
        spoken: list[str] = []
        drawn = False  # a curve is revealed: its picture answers
        for output in cell["outputs"]:
            data, said = output.get("data", {}), output.get("metadata", {}).get("nasviz", {})
            html, text, told = stored(output, HTML), stored(output, PLAIN), stored(output, MARKDOWN)
            if "claim" in said:
                claims.append(_claim(said, html))
            elif html.startswith("<p><b>"):
                asks.append((_words(html.partition("</b>")[0]), _options(html)))
            elif "▸" in html:
                drawn = "Measured:" not in html and "<br>" not in html
                place = len(answers) if len(names) > len(answers) else -1
                question = self.answered(names[place] if names else "")
                answers.append(_answer(question, html))
            elif png := stored(output, PNG):
                if variables and not drawn and "predict_curve" in cell["source"]:
                    asks.append((text, _picture(png, text, AXES)))
                elif STAGE in data:
                    figures.append(("replay", _replay(data[STAGE], png, text)))
                else:
                    figures.append(("picture", _picture(png, text)))
            elif table := _table(told):
                figures.append(("table", table))
            elif quote := re.match(r"> \*\*On your run:\*\* (.*)", told, re.S):
                spoken.append(f"On the run that is stored: {quote[1]}")
        if drawn and answers and figures:
            answers[-1] += f"\n\n{figures.pop(0)[1]}"
        self.put(asks, variables, answers, claims, figures)
        self.say("\n\n".join(spoken))

    def put(self, asks, variables, answers, claims, figures) -> None:
        if asks:
            self.open += [question for question, _ in asks]
            if len(variables) == len(asks):
                self.asked |= {name: question for name, (question, _) in zip(variables, asks, strict=True)}
            if len(asks) == 1:
                self.add("question", f"## {_safe(asks[0][0])}\n\n{asks[0][1]}")
            else:
                self.add("question", "## Predict\n\n" + _list(_safe(question) for question, _ in asks))
        if answers and len(answers) == 1 and len(claims) < 3 and not figures:
            answers, claims = [*answers, *claims], []
        if answers:
            self.add("answers" if len(answers) > 3 else "answer", "\n\n".join(answers))
        for kind, body in figures:
            self.figure(kind, body)
        for first in range(0, len(claims), 3):
            self.add("claim", "\n\n".join(claims[first : first + 3]))

    def figure(self, kind: str, body: str) -> None:
        """A picture or a table, under the sentence that leads to it; a slide of little text becomes its caption."""
        last = self.slides[-1] if self.slides else None
        notes: list[str] = []
        if last and last.kind == "text" and prose.is_text(last.body) and len(last.body.split()) <= CAPTION + 8:
            self.slides.pop()
            self.intro, notes = last.body, last.notes
        elif last and self.intro in last.body:
            self.intro = ""
        self.add(kind, f"{self.intro}\n\n{body}".strip(), *notes)
        self.intro = ""

    def answered(self, variable: str) -> str:
        """The question that a cell answers: by its variable, or the one that is open longest."""
        question = self.asked.pop(variable, "") or next(iter(self.open), "")
        if question in self.open:
            self.open.remove(question)
        return question


# ----------------------------------------------------------------------------------------------------------- the pieces
def _heading(source: str) -> tuple[str, str]:
    """The heading that a cell begins with, if any, and the rest."""
    match = re.match(r"#+ (.*)\n*", source)
    return (match[1].strip(), source[match.end() :]) if match else ("", source)


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def _safe(text: str) -> str:
    """Text of a program as HTML that Markdown takes as it is."""
    return re.sub(r"""[&<>"'*_`$\\~|\[\]#]""", lambda match: f"&#{ord(match[0])};", text)


def _list(lines, kind: str = "ul") -> str:
    return f"<{kind}>" + "".join(f"<li>{line}</li>" for line in lines) + f"</{kind}>"


def _options(html: str) -> str:
    found = [_safe(_words(one)) for one in re.findall(r"<li>(.*?)</li>", html, re.S)]
    return _list(found) if found else ""


def _claim(said: dict, html: str) -> str:
    fails = re.search(r"</summary>(.*?)</details>", html, re.S)
    unless = f"<small>It would fail if: {_safe(_words(fails[1]).rstrip('.'))}.</small>" if fails else ""
    sign = "✓" if said.get("holds") else "✗ Not on this run:"
    return f'<div class="claim"><p><b>{sign}</b> {_safe(said["claim"])}</p>{unless}</div>'


def _answer(question: str, html: str) -> str:
    """The question again, and what came out. (What is said to who made no prediction is left out.)"""
    asked = f'<p class="asked">{_safe(question)}</p>' if question else ""
    ranked = re.findall(r"<br>\s*\d+\. ([^<]*)", html)
    if ranked:
        return f"<div>{asked}{_list(map(_safe, map(unescape, ranked)), 'ol')}</div>"
    measured = re.search(r"Measured: <b>(.*?)</b>", html)
    if measured is None:
        return f"<div>{asked}</div>"
    truth = unescape(measured[1])
    size = "long" if len(truth) > 24 else "short"
    return f'<div>{asked}<p class="truth {size}">{_safe(truth)}</p></div>'


def _exercise(title: str, more: str | None, text: str) -> str:
    """An exercise in a line of a list: its title, or if that says only its kind, what is asked."""
    asked = "" if ":" in title else prose.first_sentences(text.strip(" .\n"), 22)
    return " ".join(filter(None, (f"**{title}**", more, asked)))


def _picture(png: str, alternative: str, high: int = HIGH) -> str:
    """A stored picture as large as a slide lets it be, and at most half as large again as it is."""
    png = "".join(png.split())
    try:
        w, h = struct.unpack(">II", b64decode(png[:40])[16:24])
    except (Error, ValueError, struct.error):
        w, h = WIDE, high
    scale = min(WIDE / w, high / h, 1.5)
    size = f'width="{round(scale * w)}" height="{round(scale * h)}"'
    return f'<img {size} alt="{_safe(alternative.strip(" <>"))}" src="data:image/png;base64,{png}">'


def _replay(recorded, png: str, alternative: str) -> str:
    """A stage that replays on its slide, as a page in the page: the keys of one are not those of the other."""
    from ...views.stage.replay import page  # here: to import the views takes seconds

    try:
        made = page(json.loads(recorded) if isinstance(recorded, str) else recorded, png, alternative.strip(" <>"))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"an output holds a stage that cannot be replayed: {error!r}. Make it again") from None
    return f'<iframe title="{_safe(alternative.strip(" <>"))}" loading="lazy" srcdoc="{_page_in_page(made)}"></iframe>'


def _page_in_page(page: str) -> str:
    """A page as the value of an attribute, on one line: a blank line would end the block of HTML in Markdown."""
    return escape(page).replace("\n", "&#10;")


def _table(text: str, high: int = HIGH) -> str:
    """A table in letters that fit; rows that would make them too small are counted, and left to the lab."""
    rows = text.strip().split("\n")
    if len(rows) < 3 or not rows[0].startswith("|"):
        return ""
    cells = [[len(prose.LINK.sub(r"\1", cell)) for cell in BAR.split(row.strip("| "))] for row in [rows[0], *rows[2:]]]
    columns = range(max(map(len, cells)))
    chars = sum(max(row[i] for row in cells if i < len(row)) for i in columns) + 2 * len(columns)

    def tall(size: int, count: int) -> float:
        """Pixels that the first rows take; where the columns are too wide together, their cells are broken."""
        wide = max(1, 0.6 * size * chars / WIDE)
        return sum(1.7 * size * max(1, round(wide * sum(row) / chars + 0.4)) for row in cells[: count + 1])

    sizes = [(size, count) for count in range(len(rows) - 2, 0, -1) for size in range(LARGE, LEGIBLE - 1, -1)]
    size, count = next(((s, c) for s, c in sizes if tall(s, c) <= high - 40 * (c < len(rows) - 2)), (LEGIBLE, 1))
    left = len(rows) - 2 - count
    more = f"\n\n<small>{left} more rows stand in the lab.</small>" if left else ""
    return (
        f'<div class="table" style="font-size:{size / LETTERS:.2f}em">\n\n'
        + "\n".join(rows[: count + 2])
        + f"{more}\n\n</div>"
    )


def _sized(page: str) -> str:
    """A slide's text whose tables are as large as the rest of it leaves room for."""
    found = page.split("\n\n")
    high = HIGH - 4 * sum(prose.room(block) for block in found if not block.startswith("|"))
    return "\n\n".join(_table(block, max(high, 200)) or block for block in found)


__all__ = ["Slide", "outline"]
