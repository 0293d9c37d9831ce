"""The instructor edition: solutions filled in, notes beside the lesson, all outputs.

python -m nasviz course instructor OUT           with the outputs as the labs store them
python -m nasviz course instructor OUT --run     each lab run with its solutions: minutes
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from . import lesson, notebooks, rendering
from .lesson import tags
from .notebooks import HTML, stored
from .solutions import name_of, solutions

ASKS = re.compile(r"^(\w+)\s*=\s*predict_\w+\(", re.M)
TAG = re.compile(r"<[^>]+>")


def instructor(notebook):
    """The edition of one lab for who teaches, as a new notebook.

    Exercises hold their solutions; what a check said of the empty exercise is gone. Notes, in cells tagged ``note``,
    say at the top what is taught and how long it takes, and below each question what came out when the lab was
    rendered, and where it is revealed.
    """
    made = copy.deepcopy(notebook)
    answers, shown = solutions(made), revealed(made)
    before = made["cells"]
    cells = [before[0], note(made, "\n".join(_top(made)), "top")]
    for cell in before[1:]:
        name = name_of(cell)
        if cell["cell_type"] == "code" and {"exercise", "check"} & tags(cell):
            cell["outputs"], cell["execution_count"] = [], None
        if "exercise" in tags(cell) and name in answers:
            cell["source"] = answers[name].rstrip("\n")
        cells.append(cell)
        if cell["cell_type"] == "code":
            for asked in ASKS.findall(cell["source"]):
                if asked in shown:
                    place, text = shown[asked]
                    first = before[place]["source"].split("\n")[0]
                    said = f"**The answer**, revealed by the cell that begins with `{first}`: {text}"
                    cells.append(note(made, said, f"{cell.get('id', '')}-{asked}"))
    made["cells"] = cells
    made["metadata"]["nasviz"] = made["metadata"].get("nasviz", {}) | {"edition": "instructor"}
    return made


def revealed(notebook) -> dict[str, tuple[int, str]]:
    """What each question's result was when the lab was rendered: variable → (cell that reveals it, text).

    A result that is a picture (a curve that was drawn) is said to be one.
    """
    found = {}
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            names = re.findall(r"\b(\w+)\.reveal\(", cell["source"])
            texts = [text for output in cell["outputs"] if (text := _said(output))]
            for number, name in enumerate(names):
                found[name] = (place, texts[number] if number < len(texts) else "see its picture")
    return found


def _said(output) -> str:
    """What an output of `reveal` says, without the words to who made no prediction; empty for another output."""
    text = " ".join(unescape(TAG.sub(" ", stored(output, HTML).replace("<br>", "; "))).split())
    match = re.match(r"▸ (?:Measured: (?P<one>.*?) \.|You made no bet[^;]*;(?P<many>.*))", text)
    return (match["one"] or match["many"] or "").strip() if match else ""


def _top(notebook) -> Iterator[str]:
    spent, said = lesson.minutes(notebook), notebook["metadata"].get("nasviz", {})
    yield f"**For who teaches.** Core {spent.core} minutes, further {spent.further}, by the model of `course form`."
    yield f"Computing: {said.get('seconds', '?')} s on two slow cores."
    if aims := lesson.objectives(notebook):
        yield ""
        yield from (f"- {idea}: tested by `{name}`" for idea, name in aims)
    yield ""
    yield "| exercise | kind | level | minutes |"
    yield "| --- | --- | --- | ---: |"
    for cell in notebook["cells"]:
        if "exercise" in tags(cell):
            own = cell["metadata"].get("nasviz", {})
            yield (
                f"| {name_of(cell)} | " + " | ".join(str(own.get(k, "–")) for k in ("kind", "level", "minutes")) + " |"
            )


def note(notebook, text: str, place: str):
    """A note cell; its id is of the place that it belongs to, where the notebook's cells have ids."""
    from nbformat.v4 import new_markdown_cell

    cell = new_markdown_cell(text, metadata={"tags": ["note"]})
    if notebook.get("nbformat_minor", 0) >= 5:
        cell["id"] = re.sub(r"[^\w-]", "", f"note-{place}")[:64]
    else:
        cell.pop("id", None)
    return cell


def edition(folder: Path, run: bool = False) -> Iterator[tuple[str, str]]:
    """The whole edition: name and text of each file, one after the other. ``run`` runs each lab for its outputs.

    Raises
    ------
    ValueError
        If there are no labs, or one cannot be read.
    """
    import nbformat

    labs = sorted(folder.glob("*.ipynb"))
    if not labs:
        raise ValueError(f"there are no notebooks in {folder}")
    for path in labs:
        made = instructor(notebooks.read(path))
        if run:
            rendering.execute(made, path.parent)
        yield path.name, nbformat.writes(made) + "\n"
    for page in sorted(folder.glob("*.md")):
        yield page.name, page.read_text("utf-8")
