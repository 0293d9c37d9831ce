"""The predictions of the labs as questions of the bank, read from the notebooks as they were rendered.

A rendered lab holds each question in words, its options, and what came out. What a lab lacks is why the wrong answers
are wrong: ``predictions.toml`` has a table for each prediction, named by the lab's topic and by the variable that holds
the question. A test holds the two to each other.

======= ==============================================================================================================
wrong   answers and why each is wrong. Of a choice, all but the right one; of a ranking, all that do not come first;
        of a number, numbers that one would guess; of a curve, other curves in words
right   of a curve: the right one, in words
because what the lab says of the right answer
within  of a number: how far one may be off (default: a tenth of the range)
======= ==============================================================================================================
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from html import unescape
from pathlib import Path

from ..notebooks import HTML, stored
from .labs import Lab
from .question import Drawn, Item, Wrong

KINDS = {"predict_number": "number", "predict_choice": "choice", "predict_ranking": "ranking", "predict_curve": "curve"}
FILE = Path(__file__).with_name("predictions.toml")


@dataclass(frozen=True)
class Prediction:
    """A question of a lab, and what came out when the lab was rendered.

    Attributes
    ----------
    name : str
        The variable that holds it; of a dict of questions, with the key behind a dot.
    kind : str
        ``"number"``, ``"choice"``, ``"ranking"`` or ``"curve"``.
    text : str
        The question.
    section : str
        The heading above it.
    options : tuple of str
        Of a choice or a ranking.
    ends : (low, high)
        Of a number; of a curve, the ends of its y axis.
    unit : str
    step : float or None
        Of a number: 1 where one counts.
    along : str
        Of a curve, what its x axis means.
    truth : str or float or None
        What was measured; of a ranking, the name that came first; of a curve None.
    """

    name: str
    kind: str
    text: str
    section: str
    options: tuple[str, ...] = ()
    ends: tuple[float, float] = (0.0, 1.0)
    unit: str = ""
    step: float | None = None
    along: str = ""
    truth: str | float | None = None


def read(lab: Lab) -> list[Prediction]:
    """The predictions of a lab, in its order.

    Raises
    ------
    ValueError
        If the lab does not say of each what it asks and what came out: it has to be rendered.
    """
    cells: list = lab.book["cells"] if lab.book is not None else []  # type: ignore[index]
    asked: dict[str, Prediction] = {}
    told: dict[str, str | float] = {}
    section = ""
    for cell in cells:
        if cell["cell_type"] == "markdown":
            if heading := re.match(r"#+ (.*)", cell["source"]):
                section = re.sub(r"^\d+ · ", "", heading[1])
            continue
        texts = [one for output in cell["outputs"] if (one := stored(output, HTML))]
        tree = ast.parse(re.sub(r"(?m)^[%!].*", "", cell["source"]))
        options = {unescape(q): tuple(map(unescape, re.findall("<li>(.*?)</li>", o))) for q, o in _options(texts)}
        for place, (name, call) in enumerate(_asked(tree)):
            asked[name] = _prediction(name, call, section, list(options.items())[place:] or [("", ())])
        results = [text for text in texts if ">▸</b>" in text]
        names = [name for name in _revealed(tree, list(asked)) if name not in told]
        if len(names) != len(results):
            raise ValueError(
                f"{lab.stem}: a cell reveals {', '.join(names) or 'nothing'} and shows {len(results)} results. Render "
                "the "
                "lab: python -m nasviz course render"
            )
        told |= {name: _result(text) for name, text in zip(names, results, strict=True)}
    if missing := asked.keys() - told.keys():
        raise ValueError(f"{lab.stem}: nothing reveals {', '.join(sorted(missing))}. Render the lab")
    return [_with_truth(one, told[name]) for name, one in asked.items()]


def items(lab: Lab, about: dict | None = None) -> Iterator[Item]:
    """The predictions of a lab as questions that can be handed out. ValueError as of `read` and `item`."""
    about = explanations() if about is None else about
    for one in read(lab):
        yield item(lab, one, about)


@cache
def explanations() -> dict[str, dict]:
    """What ``predictions.toml`` says: ``{"topic.variable": table}``."""
    every = tomllib.loads(FILE.read_text("utf-8"))
    return {
        f"{topic}.{name}{'.' * bool(key)}{key}": table
        for topic, questions in every.items()
        for name, own in questions.items()
        for key, table in ([("", own)] if "wrong" in own else own.items())
    }


def item(lab: Lab, one: Prediction, about: dict[str, dict]) -> Item:
    """One prediction with why its wrong answers are wrong.

    Raises
    ------
    ValueError
        If an explanation is missing, is of an answer that is not there, or is of the right one.
    """
    name = f"{lab.topic}.{one.name}"
    table = about.get(name)
    if table is None:
        raise ValueError(f"{name}: {FILE.name} does not say why wrong answers are wrong. It asks: {one.text}")
    why = table["wrong"]
    right = table.get("right") if one.kind == "curve" else one.truth
    if right is None:
        raise ValueError(f"{name}: {FILE.name} does not say which curve is right (right = …)")
    if one.kind in ("choice", "ranking"):
        lacking = [option for option in one.options if option != right and option not in why]
        unknown = [answer for answer in why if answer not in one.options]
        if lacking or unknown:
            raise ValueError(f"{name}: no explanation of {lacking}; explanations of what is no option: {unknown}")
        why = {option: why[option] for option in one.options if option != right}
    wrong = tuple(Wrong(float(answer) if one.kind == "number" else answer, reason) for answer, reason in why.items())
    low, high = one.ends
    within = float(table.get("within", (high - low) / 10)) if one.kind == "number" else 0.0
    more = {"ranking": " Which comes first?", "curve": " Which of these is nearest to what came out?"}
    unit = one.unit if one.kind == "number" else ""
    if one.kind == "number":  # what is measured live may come out near to an answer that is wrong elsewhere
        wrong = tuple(answer for answer in wrong if abs(float(answer.answer) - float(right)) > 2 * within)
        if not wrong:
            raise ValueError(f"{name}: each wrong answer is within {2 * within:g} of what came out, {right}")
    drawn = Drawn(one.text + more.get(one.kind, ""), right, table.get("because", ""), wrong, within, unit)
    if fault := drawn.fault():
        raise ValueError(f"{name}: {fault}")
    order = () if drawn.numeric else _order(one, drawn)
    return Item(name, lab.stem, one.section, "medium", drawn, order)


def _order(one: Prediction, drawn: Drawn) -> tuple[int, ...]:
    """Options as the lab shows them; of a curve, in the order of the alphabet, which tells nothing."""
    answers = [drawn.right, *(wrong.answer for wrong in drawn.wrong)]
    shown = list(one.options) if one.options else sorted(map(str, answers))
    return tuple(answers.index(option) for option in shown)


# ------------------------------------------------------------------------------------------- reading a notebook's cells
def _options(shown: list[str]) -> list[tuple[str, str]]:
    """Questions and their lists of options, as the outputs of a cell have them."""
    return [(m[1], m[2]) for text in shown if (m := re.fullmatch(r"<p><b>(.*?)</b></p><ul>(.*)</ul>", text, re.S))]


def _asked(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """The questions that a cell makes, by the variables that hold them."""
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if _is_question(node.value):
            yield name, node.value  # type: ignore[misc]
        elif isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and _is_question(value):
                    yield f"{name}.{key.value!s}", value  # type: ignore[misc]


def _is_question(node) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS


def _prediction(name: str, call: ast.Call, section: str, shown: list[tuple[str, tuple[str, ...]]]) -> Prediction:
    """A question from its call, and from what was shown of it and of those behind it: words and options."""
    said = {keyword.arg: keyword.value for keyword in call.keywords}
    # words with numbers in them (an f-string) are known from the rendered page only
    text = ast.literal_eval(call.args[0]) if not isinstance(call.args[0], ast.JoinedStr) else shown[0][0]
    options = dict(shown)
    kind = KINDS[call.func.id]  # type: ignore[attr-defined]
    ends = (0.0, 1.0)
    if kind == "number":
        ends = tuple(float(ast.literal_eval(end)) for end in call.args[1:3])  # type: ignore[assignment]
    elif kind == "curve":
        ends = tuple(map(float, ast.literal_eval(said["y"])))  # type: ignore[assignment]
    unit = ast.literal_eval(said["unit"]) if "unit" in said else ""
    along = ast.literal_eval(said["x_label"]) if "x_label" in said else ""
    step = ast.literal_eval(said["step"]) if "step" in said else None
    return Prediction(name, kind, text, section, options.get(text, ()), ends, unit, step, along)


def _revealed(tree, asked: list[str]) -> list[str]:
    """The variables whose results a cell shows, in its order; a loop over a dict shows all of the dict."""
    names: list[str] = []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "reveal":
            who = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            names += [who] if who in asked else [one for one in asked if "." in one]
    return names


def _result(text: str) -> str | float:
    """What a revealing output says came out: a text, a number, or of a ranking the first name."""
    if measured := re.search(r"Measured: <b>(.*?)</b>", text):
        return unescape(measured[1])
    if first := re.search(r"<br>1\. (.*?) \(-?[\d.]+\)", text):
        return unescape(first[1])
    return ""


def _with_truth(one: Prediction, told: str | float) -> Prediction:
    truth: str | float | None = told
    if one.kind == "number":
        truth = float(str(told).removesuffix(one.unit).replace("−", "-"))
    elif one.kind == "curve":
        truth = None
    return replace(one, truth=truth)
