"""A notebook as the parts of a page: prose, code, and what was shown when the lab was rendered. No solution.

A cell that is hidden in the notebook is folded. What a check says of an exercise that nobody has written is left out.
Outputs that may give away a prediction wait for it (`nasviz.course.site.asked`), and so does code that claims.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape

from markupsafe import Markup
from nbconvert.filters.ansi import strip_ansi

from .. import lesson
from ..lesson import tags
from ..notebooks import HTML, MARKDOWN, PLAIN, PNG, STAGE, stored
from ..solutions import name_of, without_solutions
from ..student import REVEALS
from .asked import Question, Revealed, is_question, needs, questions
from .markdown import Text, python, words

SAID = re.compile(
    r'<div style="border-left:3px solid (?P<color>[^;]+);[^"]*"><b style="[^"]*">(?P<sign>.)</b> (?P<text>.*)</div>',
    re.S,
)
TONES = {"✓": "good", "✗": "bad"}
KINDS = {"fill": "write a function", "run": "run an experiment", "open": "an open question"}
CHART, CURVE = (f"application/vnd.nasviz.{one}+json" for one in ("chart", "curve"))
WIDGET = re.compile(r"[A-Z]\w*\((?:children|value|description)=")  # of ipywidgets, as it is written in Python
ONLY_THERE = '<div class="said"><p>Sliders stand here in the notebook: what they change, Python computes.</p></div>'
LIVE = {STAGE: "stage", CHART: "chart"}  # what a run adds to the stored pictures: nasviz.course.site.recorded


@dataclass
class Output:
    """One thing that a cell showed.

    Attributes
    ----------
    kind : str
        ``text``, ``html``, ``picture``, ``stage``, ``chart``, ``question``, ``reveal``, or ``curve``: what came out
        beside a curve that was drawn.
    html : Markup
        Of the first two.
    alt, src, width, height : str, str, int, int
        Of a picture, and of what is shown in the place of one.
    data : Markup
        JSON for the script that draws it, or asks.
    question : Question
        Of the last three.
    """

    kind: str
    html: Markup = Markup()
    alt: str = ""
    src: str = ""
    width: int = 0
    height: int = 0
    data: Markup = Markup()
    question: Question | None = None


@dataclass
class Part:
    """What stands on a page together: some prose; or a cell's code, and what it showed.

    Attributes
    ----------
    kind : str
        ``prose``, ``code``, ``exercise`` (to fill in), ``open`` (an exercise in words) or ``check``.
    html : str
        The words of the first and the fourth, and the code of the others.
    folded : bool
        Whether the code is.
    about : str
        Of an exercise: its kind, level and minutes.
    needs : list of Question
        What is answered before the outputs are shown.
    tells : bool
        Whether the code itself says what comes out, so that it waits, too.
    """

    kind: str
    html: Markup
    folded: bool = False
    about: str = ""
    needs: list[Question] = field(default_factory=list)
    tells: bool = False
    outputs: list[Output] = field(default_factory=list)


@dataclass
class Lab:
    """A page.

    Attributes
    ----------
    number, name, subtitle : str
        Of the title ``01 · Search spaces: what can be chosen``; the number is empty for what is no lab.
    lead : str
        The first paragraph, in plain words.
    groups : list of (bool, list of Part)
        Whether they are further, and the parts, in the order of the page.
    pictures : dict of str to bytes
        By their addresses.
    """

    stem: str
    title: str
    lead: str
    minutes: lesson.Minutes
    seconds: int
    groups: list[tuple[bool, list[Part]]]
    headings: list[tuple[int, str, str]]
    pictures: dict[str, bytes]
    questions: int

    @property
    def number(self) -> str:
        return self.stem[:2] if self.stem[:2].isdigit() else ""

    @property
    def name(self) -> str:
        return self.title.partition(":")[0]

    @property
    def subtitle(self) -> str:
        rest = self.title.partition(":")[2].strip()
        return rest[:1].upper() + rest[1:]


def lab(notebook, stem: str, pages: Mapping[str, str], terms: Mapping[str, str]) -> Lab:
    """The page of a lab, from its notebook as it is stored.

    Parameters
    ----------
    notebook : notebook
        In format 4, with its outputs.
    stem : str
        Its file's name without the end.
    pages, terms
        See `nasviz.course.site.markdown.Text`.

    Raises
    ------
    ValueError
        If a formula cannot be set, or what is asked and what is revealed do not fit.
    """
    page = _Page(notebook, stem, Text(pages, terms))
    groups: list[tuple[bool, list[Part]]] = []
    for part, further in page.parts():
        if not groups or groups[-1][0] != further:
            groups.append((further, []))
        groups[-1][1].append(part)
    title, lead = page.opening()
    seconds = notebook["metadata"].get("nasviz", {}).get("seconds", 0)
    return Lab(
        stem, title, lead, lesson.minutes(notebook), seconds, groups, page.text.headings, page.pictures, len(page.asked)
    )


class _Page:
    def __init__(self, notebook, stem: str, text: Text):
        self.notebook, self.stem, self.text = without_solutions(notebook), stem, text
        self.pictures: dict[str, bytes] = {}
        self.asked, revealed = questions(self.notebook)
        self.waits = needs(self.asked)
        self.revealed: dict[int, list[Revealed]] = {}
        for one in revealed:
            assert one.question.reveals is not None
            self.revealed.setdefault(one.question.reveals, []).append(one)

    def opening(self) -> tuple[str, str]:
        """The title of the lab, and the paragraph below it, in plain words."""
        first, *rest = self.notebook["cells"][0]["source"].split("\n\n")
        paragraph = next((one for one in rest if not one.startswith(("*", "<", "-"))), "")
        title = re.sub(r"^\d+ · |[*`]", "", first.lstrip("# ").strip())
        return title, words(Text({})(paragraph))

    def parts(self) -> Iterator[tuple[Part, bool]]:
        kinds = {name_of(cell): cell for cell in self.notebook["cells"] if "exercise" in tags(cell)}
        for place, (cell, further) in enumerate(lesson.sections(self.notebook)):
            own = tags(cell)
            if cell["cell_type"] == "markdown":
                source = cell["source"]
                if place == 0:
                    source = source.partition("\n")[2]  # the title stands above
                kind = "open" if "exercise" in own else "prose"
                about = _about(cell) if kind == "open" else ""
                yield Part(kind, Markup(self.text(source)), about=about), further
            elif cell["cell_type"] == "code":
                kind = next((one for one in ("exercise", "check") if one in own), "code")
                about = _about(kinds.get(name_of(cell), cell)) if kind == "exercise" else ""
                made = Part(kind, Markup(python(cell["source"])), not lesson.visible(cell), about)
                if kind == "code":  # an empty exercise shows nothing, and its check says that it is empty
                    made.outputs = list(self.outputs(cell, place))
                    made.needs = [] if "keep" in own else self.waits.get(place, [])
                    made.tells = bool(made.needs and REVEALS.search(cell["source"]))
                yield made, further

    def outputs(self, cell, place: int) -> Iterator[Output]:
        asking = iter([one for one in self.asked if one.asks == place])
        revealed = {one.output: one.question for one in self.revealed.get(place, [])}
        curve = next((one for one in revealed.values() if one.kind == "curve"), None)
        for number, output in enumerate(cell["outputs"]):
            if number in revealed:
                yield Output("reveal", question=revealed[number])
            elif is_question(output) and (one := next(asking, None)):
                yield self._question(output, one, f"{place}-{number}")
            elif match := SAID.match(stored(output, HTML)):
                tone = TONES.get(match["sign"], "plain")
                yield Output("html", Markup(f'<div class="said {tone}"><b>{match["sign"]}</b> {match["text"]}</div>'))
            elif curve and CURVE in output.get("data", {}):
                shown = self._picture(output, f"{place}-{number}")
                yield replace(shown, kind="curve", data=as_json(output["data"][CURVE]), question=curve)
            else:
                yield from self._other(output, f"{place}-{number}")

    def _question(self, output, one: Question, place: str) -> Output:
        told = {"kind": one.kind, "options": one.options, **one.more}
        told |= {"truth": one.truth, "order": one.order} if one.reveals is not None else {}
        shown = self._picture(output, place) if one.kind == "curve" else Output("question")
        return replace(shown, kind="question", data=as_json(told), question=one)

    def _other(self, output, place: str) -> Iterator[Output]:
        """What neither asks nor answers."""
        data = output.get("data", {})
        if stored(output, PNG):
            shown = self._picture(output, place)
            for mime, kind in LIVE.items():
                if mime in data:
                    shown = replace(shown, kind=kind, data=as_json(data[mime]))
            yield shown
        elif text := stored(output, MARKDOWN):
            yield Output("html", Markup(self.text(text)))
        elif html := stored(output, HTML):
            yield Output("html", Markup(html))
        elif WIDGET.match(stored(output, PLAIN)):
            yield Output("html", Markup(ONLY_THERE))
        elif text := "".join(output.get("text", "")) or stored(output, PLAIN):
            yield Output("text", Markup(escape(strip_ansi(text).rstrip("\n"))))

    def _picture(self, output, place: str) -> Output:
        image = base64.b64decode(stored(output, PNG))
        width, height = struct.unpack(">II", image[16:24])  # where a PNG says how large it is
        name = f"pictures/{self.stem}-{place}.png"
        self.pictures[name] = image
        return Output("picture", alt=stored(output, PLAIN).strip("<>"), src=name, width=width, height=height)


def as_json(value) -> Markup:
    """A value as JSON for a script element: it contains nothing that could end the element."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c"))


def _about(cell) -> str:
    """What an exercise asks for, how hard it is and how long it takes."""
    said = cell["metadata"].get("nasviz", {})
    minutes = said.get("minutes")
    kind = KINDS.get(said.get("kind"), "")
    return ", ".join(filter(None, [kind, said.get("level", ""), f"{minutes} minutes" if minutes else ""]))
