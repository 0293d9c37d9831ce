"""The questions of a lab, as a page asks them: what is asked, what came out, and what stays covered until then.

A question is read from the cell that asks it: what it says and between which numbers it asks, as far as these are
written out there. What came out is read from the outputs of the cell that reveals it. Between the two, outputs may give
the answer away: the page covers them until there is an answer, or none is wanted.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from html import unescape

from ..lesson import tags
from ..notebooks import HTML, PLAIN, PNG, stored
from ..questions import CurveQuestion
from .markdown import words

CALLS = {"predict_number": "number", "predict_choice": "choice", "predict_ranking": "ranking", "predict_curve": "curve"}
MEASURED = re.compile(r"Measured: <b>(.*?)</b>\. ", re.S)
RANKED = re.compile(r"<br>(\d+)\. (.*?) \((-?[\d.]+|nan)\)(?=<br>|:|</div>)")
SAYS = "▸"


@dataclass
class Question:
    """One question of a lab.

    Attributes
    ----------
    name : str
        What it is called in addresses, and where the page remembers the answer.
    kind : str
        ``number``, ``choice``, ``ranking`` or ``curve``.
    asks : int
        The place of the cell that asks, from 0.
    text : str
    options : list of str
        Of a choice or a ranking, in the order of the notebook.
    more : dict
        ``low``, ``high``, ``step``, ``unit`` of a number; of a curve what `nasviz.course.predict_curve` is told.
    reveals : int or None
        The place of the cell that reveals it.
    truth : str
        What came out, in words: empty for a curve, and where nothing is stored.
    order : list of (str, str)
        For a ranking: names and numbers, best first.
    """

    name: str
    kind: str
    asks: int
    text: str
    options: list[str] = field(default_factory=list)
    more: dict = field(default_factory=dict)
    reveals: int | None = None
    truth: str = ""
    order: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Revealed:
    """What a cell reveals: the question, and which of the cell's outputs says so."""

    question: Question
    output: int


def questions(notebook) -> tuple[list[Question], list[Revealed]]:
    """All questions of a lab, in their order, and what reveals them.

    Raises
    ------
    ValueError
        If a question is not stored as one, or an answer is revealed that belongs to no question.
    """
    found: list[Question] = []
    shown: list[Revealed] = []
    by_variable: dict[str, Question] = {}
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code" or "check" in tags(cell):
            continue
        calls = _calls(cell["source"])
        if calls:
            asked = _asked(cell, place, calls)
            found += asked
            by_variable |= {name: one for (name, _), one in zip(calls, asked, strict=True) if name}
        revealed = [number for number, output in enumerate(cell["outputs"]) if _says(output)]
        if ".reveal(" in cell["source"] and revealed:
            names = re.findall(r"\b(\w+)\.reveal\(", cell["source"])
            which = [by_variable[name] for name in names if name in by_variable]
            if len(which) != len(revealed):  # in a loop: those that are still open, in their order
                which = [one for one in found if one.reveals is None][: len(revealed)]
            if len(which) != len(revealed):
                raise ValueError(f"cell {place} reveals {len(revealed)} answers, to {len(which)} questions")
            for one, number in zip(which, revealed, strict=True):
                _answer(one, place, stored(cell["outputs"][number], HTML))
                shown.append(Revealed(one, number))
    return found, shown


def needs(asked: list[Question]) -> dict[int, list[Question]]:
    """Which questions are to be answered before the outputs of a cell are shown, by the cell's place."""
    found: dict[int, list[Question]] = {}
    for one in asked:
        if one.reveals is not None:
            for place in range(one.asks + 1, one.reveals + 1):
                found.setdefault(place, []).append(one)
    return found


def _says(output) -> bool:
    return f">{SAYS}</b>" in stored(output, HTML)


def _calls(source: str) -> list[tuple[str, ast.Call]]:
    """The calls that ask, in the order of the text, with the variable that holds the question (or "")."""
    tree = ast.parse("\n".join("" if line.startswith(("%", "!")) else line for line in source.split("\n")))
    kept = {id(one.value): ast.unparse(one.targets[0]) for one in ast.walk(tree) if isinstance(one, ast.Assign)}
    calls = [
        (kept.get(id(node), ""), node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS
    ]
    return sorted(calls, key=lambda one: (one[1].lineno, one[1].col_offset))


def _asked(cell, place: int, calls) -> list[Question]:
    outputs = [one for one in cell["outputs"] if is_question(one)]
    if len(outputs) != len(calls):
        raise ValueError(f"cell {place} asks {len(calls)} questions, and {len(outputs)} are stored: render the lab")
    found = []
    for number, ((_, call), output) in enumerate(zip(calls, outputs, strict=True)):
        kind = CALLS[call.func.id]
        options = [unescape(words(one)) for one in re.findall(r"<li>(.*?)</li>", stored(output, HTML), re.S)]
        name = f"{cell.get('id') or place}-{number}" if number else str(cell.get("id") or place)
        found.append(Question(f"asked-{name}", kind, place, stored(output, PLAIN), options, _more(kind, call)))
    return found


def is_question(output) -> bool:
    """Whether an output is a question: as HTML, or as the axes of a curve, which are a picture."""
    if stored(output, HTML).startswith("<p><b>"):
        return True
    return bool(stored(output, PNG)) and not stored(output, PLAIN).startswith("<")


def _more(kind: str, call: ast.Call) -> dict:
    """What the call says besides the question, where it is written out."""
    names = {"number": ("question", "low", "high")}.get(kind, ())
    said = {name: _literal(node) for name, node in zip(names, call.args, strict=False)}
    said |= {one.arg: _literal(one.value) for one in call.keywords if one.arg}
    if kind == "curve":
        spec = {"question": _literal(call.args[0]), "unit": "", "points": CurveQuestion.POINTS} | said
        if any(value is None for value in spec.values()):
            return {}
        return spec | {"x": list(spec["x"]), "y": list(spec["y"])}
    if kind != "number":
        return {}
    low, high = said.get("low"), said.get("high")
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return {"unit": said.get("unit") or ""}
    step = said.get("step") or (high - low) / 100
    return {"low": low, "high": high, "step": step, "unit": said.get("unit") or ""}


def _literal(node):
    """The value of an expression that is written out, or None."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _answer(one: Question, place: int, html: str) -> None:
    """Note what came out."""
    one.reveals = place
    if one.kind == "ranking":
        one.order = [(unescape(name), number) for _, name, number in RANKED.findall(html)]
        one.truth = ", ".join(name for name, _ in one.order)
    elif match := MEASURED.search(html):
        one.truth = words(match[1])
