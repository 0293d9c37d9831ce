"""What a lab asks of its reader, counted from its page: minutes, long sentences, long cells, terms, exercises.

    python -m nasviz.course.edition form labs/*.ipynb

The minutes are a model, not a measurement. Its rates are what an instructor of sixty students proposed: 180 words and
12 lines of code a minute, one minute for a prediction, two for a live widget, and for an exercise what its metadata
says. Computing is added as it was measured at rendering, to the core or to what is further.

A section whose heading holds the word *further*, with all below it, can be skipped: it counts apart from the core.
What is folded away (``<details>``, a cell whose source is hidden) counts in neither.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

WORDS, LINES, PREDICTION, WIDGET = 180, 12, 1, 2  # a minute, a minute; minutes, minutes
LONGEST_SENTENCE, LONGEST_CELL = 30, 10  # words; lines with something on them
KINDS = ("fill", "run", "open")  # exercises: write a function; make an experiment and report it; no single answer
LEVELS = ("easy", "medium", "hard")
LIVE = re.compile(r"\b(Player|Editor|\w*Slider|Dropdown|ToggleButtons|interact)\(|# live\b")
SAID = ("claim", "on_your_run", "predict_number", "predict_choice", "predict_ranking", "predict_curve")
BREAK = re.compile(r"(?<=[.!?])[*_)\"”]*\s+|\n\s*\n|\n\s*(?:[-*]|\d+\.|\||#+|>)\s| · ")


def tags(cell) -> set[str]:
    """The tags of a notebook cell."""
    return set(cell["metadata"].get("tags", ()))


def visible(cell) -> bool:
    """Whether a reader sees the source of a cell without a click."""
    return not cell["metadata"].get("jupyter", {}).get("source_hidden", False)


def lines(source: str) -> int:
    """Lines of code with something on them."""
    return sum(bool(line.strip()) for line in source.splitlines())


def prose(source: str) -> str:
    """The text of a Markdown cell as it is read: a formula is one word; no code, no fold, no address of a link."""
    text = re.sub(r"<details>.*?</details>", " ", source, flags=re.S)
    text = re.sub(r"```.*?```", " ", text, flags=re.S)
    text = re.sub(r"\$\$.*?\$\$", " formula. ", text, flags=re.S)
    text = re.sub(r"(?<!\\)\$[^$]+\$", "formula", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"<[^>]+>", " ", text)


@dataclass(frozen=True)
class Minutes:
    """Minutes of a lab by the model: of its core, and of what is marked as further."""

    core: int
    further: int


def minutes(notebook) -> Minutes:
    """What a reader needs for a lab: words, code, predictions, live widgets, exercises, computing."""
    parts, said = spent(notebook), notebook["metadata"].get("nasviz", {})
    beyond = said.get("seconds_further", 0)  # labs that were rendered earlier do not say it
    core = said.get("seconds", 0) - beyond
    return Minutes(round(parts[False] + core / 60), round(parts[True] + beyond / 60))


def spent(notebook) -> dict[bool, float]:
    """Minutes of the core (False) and of what is further (True), without computing, not rounded."""
    parts = {False: 0.0, True: 0.0}
    for cell, further in sections(notebook):
        parts[further] += _minutes(cell)
    return parts


def _minutes(cell) -> float:
    if tags(cell) & {"check", "solution"}:
        return 0.0
    if "exercise" in tags(cell):
        return cell["metadata"].get("nasviz", {}).get("minutes", 0.0)
    source = cell["source"]
    if cell["cell_type"] == "markdown":
        return len(prose(source).split()) / WORDS
    asked = PREDICTION * len(re.findall(r"\bpredict_\w+\(", source)) + WIDGET * bool(LIVE.search(source))
    return asked + lines(source) / LINES * visible(cell)


def sections(notebook) -> Iterator[tuple[dict, bool]]:
    """Each cell, and whether it stands in a section that is marked as further. A cell begins a section, or none."""
    deep = 0  # of the heading that said so; 0: none did
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and (heading := re.match(r"(#+) (.*)", cell["source"])):
            if not deep or len(heading[1]) <= deep:
                deep = len(heading[1]) if re.search(r"\bfurther\b", heading[2], re.I) else 0
        yield cell, bool(deep)


def inner_headings(notebook) -> list[int]:
    """Cells that have a heading below their first line: a section could not be told by its cells then."""
    found = []
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown":
            text = re.sub(r"```.*?```", "", cell["source"], flags=re.S)
            if re.search(r"\n#+ ", text):
                found.append(place)
    return found


def sentences(notebook) -> Iterator[tuple[int, str]]:
    """All sentences of a lab with their cells' numbers: prose, and what questions and claims say."""
    for place, cell in enumerate(notebook["cells"]):
        for text in _texts(cell):
            for sentence in BREAK.split(text):
                if sentence.strip():
                    yield place, " ".join(sentence.split())


def _texts(cell) -> Iterator[str]:
    source = cell["source"]
    if cell["cell_type"] == "markdown":
        yield prose(source)
        yield from (prose(fold) for fold in re.findall(r"<details>(.*?)</details>", source, re.S))
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAID:
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def long_sentences(notebook) -> list[tuple[int, str]]:
    """Sentences of more than `LONGEST_SENTENCE` words, with their cells' numbers."""
    return [(place, text) for place, text in sentences(notebook) if len(_words(text)) > LONGEST_SENTENCE]


def _words(text: str) -> list[str]:
    return [word for word in text.split() if re.search(r"\w", word)]


def long_cells(notebook) -> list[tuple[int, int]]:
    """Cells of more than `LONGEST_CELL` lines outside exercises, with their lines."""
    found = []
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code" and not tags(cell) & {"exercise", "check", "solution"}:
            if (count := lines(cell["source"])) > LONGEST_CELL:
                found.append((place, count))
    return found


def unfalsifiable(notebook) -> list[tuple[int, str]]:
    """Claims that do not say what would make them fail (``unless=``)."""
    found = []
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code" and not tags(cell) & {"exercise", "check"}:
            for node in ast.walk(ast.parse(cell["source"])):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "claim":
                    if not any(keyword.arg == "unless" for keyword in node.keywords):
                        found.append((place, ast.unparse(node.args[0])))
    return found


def terms(notebook) -> list[tuple[int, str, str]]:
    """Terms of a lab: a link to the glossary in bold, ``**[term](glossary.md#term)**``. Cell, text, anchor."""
    found = []
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown":
            for text, anchor in re.findall(r"\*\*\[([^\]]+)\]\(glossary\.md#([^)]+)\)\*\*", cell["source"]):
                found.append((place, text, anchor))
    return found


def bold(notebook) -> list[tuple[int, str]]:
    """What else stands in bold: headings of a paragraph (they end in a full stop, or open their line), or a mistake."""
    found = []
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown" and "solution" not in tags(cell):
            text = re.sub(r"```.*?```|<details>.*?</details>", "", cell["source"], flags=re.S)
            text = re.sub(r"\*\*\[[^\]]+\]\([^)]*\)\*\*", "a term", text)  # or the text between two terms is one
            for match in re.finditer(r"\*\*([^*\[][^*]*)\*\*", text):
                line = text[: match.start()].rpartition("\n")[2].strip()
                if line and line not in ("-", "|") and not line.endswith("|"):
                    found.append((place, match[1]))
    return found


@dataclass(frozen=True)
class Exercise:
    """An exercise: ``kind`` is one of `KINDS`, ``level`` one of `LEVELS`."""

    name: str
    kind: str
    level: str
    minutes: float


def exercises(notebook) -> list[Exercise]:
    """The exercises of a lab, as its cells' metadata says.

    Raises
    ------
    ValueError
        If a cell tagged ``exercise`` does not say its name, its kind, its level or its minutes.
    """
    found = []
    for place, cell in enumerate(notebook["cells"]):
        if "exercise" in tags(cell):
            name = next((tag.removeprefix("for:") for tag in tags(cell) if tag.startswith("for:")), "")
            said = cell["metadata"].get("nasviz", {})
            if not name or said.get("kind") not in KINDS or said.get("level") not in LEVELS or "minutes" not in said:
                raise ValueError(
                    f"cell {place} is an exercise: it needs a tag for:NAME, and in metadata.nasviz kind ({KINDS}), "
                    f"level ({LEVELS}) and minutes; it has {tags(cell)} and {dict(said)}"
                )
            found.append(Exercise(name, said["kind"], said["level"], said["minutes"]))
    return found


def objectives(notebook) -> list[tuple[str, str]]:
    """What a lab is to teach: ``(idea, name of the exercise that tests it)``, from ``metadata.nasviz.objectives``."""
    return [(one["idea"], one["exercise"]) for one in notebook["metadata"].get("nasviz", {}).get("objectives", ())]


def faults(notebook) -> Iterator[str]:
    """What is wrong with the form of a lab, a sentence each."""
    core = minutes(notebook).core
    if core > 45:
        yield f"its core takes {core} minutes (45)"
    for place, text in long_sentences(notebook):
        yield f"[{place}] a sentence of {len(_words(text))} words ({LONGEST_SENTENCE}): {text}"
    for place, count in long_cells(notebook):
        yield f"[{place}] a cell of {count} lines ({LONGEST_CELL})"
    for place, text in unfalsifiable(notebook):
        yield f"[{place}] a claim without unless=: {text}"
    for place in inner_headings(notebook):
        yield f"[{place}] a heading inside a cell: a heading begins its cell"
    for place, text in bold(notebook):
        yield f"[{place}] bold, and not linked to the glossary: {text}"
    try:
        found = exercises(notebook)
    except ValueError as error:
        yield str(error)
        return
    for kind in KINDS:
        if kind not in {one.kind for one in found}:
            yield f"no exercise of the kind {kind}"
    aims = objectives(notebook)
    if len(aims) != 3:
        yield f"{len(aims)} objectives (3) in metadata.nasviz.objectives"
    for idea, name in aims:
        if name not in {one.name for one in found}:
            yield f"no exercise {name}, which is to test: {idea}"
        if f"- {idea}" not in notebook["cells"][0]["source"].replace("\n  ", " "):
            yield f"the first cell does not list the objective: {idea}"
