"""Slides as pages: each deck is one file that needs no network, no server and no other file.

Nbconvert's `SlidesExporter` makes the sections and the speaker's notes. reveal.js shows them: its script and its style
stand in the page, as an installed package carries them, or a folder that is named. Formulas are MathML, which browsers
set by themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import escape, unescape
from importlib.util import find_spec
from pathlib import Path

from ... import __version__
from .. import notebooks, sessions, student
from .outline import Slide, outline

HERE = Path(__file__).parent
CARRIER = "sphinx_revealjs", "_static/revealjs"  # a package that carries reveal.js, and where; it is not imported
PARTS = {"reveal_css": "dist/reveal.css", "reveal": "dist/reveal.js", "notes": "plugin/notes/notes.js"}
NEEDS = "pip install 'nasviz[site]'"
WIDE = 46  # signs of a displayed formula that fit; a longer one is smaller
SETTINGS = {
    "width": 1280, "height": 720, "margin": 0.02, "center": False, "display": "flex", "hash": True,
    "navigationMode": "linear", "transition": "none", "slideNumber": "c/t", "controlsTutorial": False,
}  # fmt: skip


def decks(folder: Path, path: int | None = None, reveal: Path | None = None) -> Iterator[tuple[str, str]]:
    """A deck for each lab of a folder: the name of its file, and its page.

    Parameters
    ----------
    folder : Path
        The labs as they are stored, with their outputs.
    path : int, optional
        Only what a course of so many sessions works through (`nasviz.course.sessions`).
    reveal : Path, optional
        A folder with reveal.js, as npm packs it; by default the installed one.

    Raises
    ------
    ValueError
        Before the first deck: there are no labs, one cannot be read, or reveal.js or nbconvert is missing.
    """
    labs = [lab for lab in sorted(folder.glob("*.ipynb")) if sessions.topic(lab) != lab.stem]
    if not labs:
        raise ValueError(f"there are no labs in {folder}: their names begin with a number")
    wanted = {one.path: one.further for one in sessions.chosen(labs, path)} if path else dict.fromkeys(labs, True)
    parts, books = carried(reveal), {lab: notebooks.read(lab) for lab in wanted}
    exporter = _exporter()
    for lab, further in wanted.items():
        yield f"{lab.stem}.html", page(outline(books[lab], lab.stem, further=further), lab.stem, parts, exporter)


def carried(folder: Path | None = None) -> dict[str, str]:
    """The texts of reveal.js: its style, its script, and its window for the speaker.

    Raises
    ------
    ValueError
        If they are not where they should be.
    """
    if folder is None:
        found = find_spec(CARRIER[0])
        if found is None or not found.submodule_search_locations:
            raise ValueError(
                f"reveal.js is not here, which shows slides: {NEEDS}, or unpack its npm package and name the folder: "
                "--reveal FOLDER"
            )
        folder = Path(found.submodule_search_locations[0], CARRIER[1])
    missing = [name for name in PARTS.values() if not (folder / name).is_file()]
    if missing:
        raise ValueError(f"{folder} is no folder of reveal.js 5: it lacks {', '.join(missing)}")
    return {part: (folder / name).read_text("utf-8").replace("</script", "<\\/script") for part, name in PARTS.items()}


def notebook(slides: Iterable[Slide], title: str):
    """The slides as a notebook of the form that nbconvert makes slides of: a column for each section."""
    from nbformat.v4 import new_markdown_cell, new_notebook

    cells: list = []
    place: str | None = None
    for slide in slides:
        where = f"{title} · {slide.place}" if slide.place else title
        data = {"kind": slide.kind, "place": f"{where} (further)" if slide.further else where}
        kind = "subslide" if slide.place == place else "slide"
        cells.append(new_markdown_cell(slide.body, metadata={"slideshow": {"slide_type": kind, "data": data}}))
        if slide.notes:
            spoken = "\n\n".join(slide.notes)
            cells.append(new_markdown_cell(spoken, metadata={"slideshow": {"slide_type": "notes"}}))
        place = slide.place
    return new_notebook(cells=cells, metadata={"title": title})


def page(slides: list[Slide], name: str, parts: dict[str, str], exporter=None) -> str:
    """A deck as HTML; ``name`` is the stem of its file, ``parts`` are reveal.js's (`carried`)."""
    title = name.replace("-", " · ", 1).replace("-", " ")
    deck = parts | {
        "css": (HERE / "deck.css").read_text("utf-8"),
        "script": (HERE / "deck.js").read_text("utf-8")
        + f"Reveal.initialize({{...{json.dumps(SETTINGS)}, plugins: [RevealNotes]}});",
    }
    shown = notebook(slides, title)
    shown["metadata"]["generator"] = f"nasviz {__version__}"
    text, _ = (exporter or _exporter()).from_notebook_node(shown, {"deck": deck, "metadata": {"name": escape(title)}})
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def _exporter():
    """Nbconvert's exporter of slides, with our page around them and formulas in MathML."""
    try:
        from latex2mathml.converter import convert
        from nbconvert.exporters import SlidesExporter
        from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
    except ImportError as error:
        raise ValueError(f"{error.name or error} is missing, which makes slides: {NEEDS}") from None

    class Renderer(IPythonRenderer):
        """Markdown as HTML, its formulas as MathML."""

        def inline_math(self, body: str) -> str:
            return mathml(body, "inline")

        def block_math(self, body: str) -> str:
            return mathml(body, "block")

    def mathml(body: str, display: str) -> str:
        formula = convert(body.replace(r"\arg", r"\operatorname{arg}"), display=display)
        signs = len(unescape(re.sub(r"<[^>]+>", "", formula)))
        if display == "inline" or signs <= WIDE:
            return formula
        return f'<div style="font-size:{max(WIDE / signs, 0.62):.2f}em">{formula}</div>'

    def render(source: str) -> str:
        return MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True)).render(source)

    exporter = SlidesExporter(template_name="deck", extra_template_basedirs=[str(HERE / "template")])
    exporter.register_filter("markdown2html", render)
    return exporter


def write(pages: Iterable[tuple[str, str]], out: Path) -> Iterator[Path]:
    """Write decks into a folder that is new or empty, each as soon as it is made.

    Raises
    ------
    FileExistsError
        Before anything is written: something is in the folder.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(f"{out} exists and is not empty; choose an empty folder")
    for name, text in pages:
        yield from student.write({name: text}, out)
