"""All files of the site, from a folder of labs: pages, pictures, scripts, the font of formulas, the page to play with.

Pages are written from the templates of ``files/`` (Jinja). A page refers to its files by relative addresses, loads
scripts and never data, and asks for nothing else: so it works from a disk, where a browser lets a page read no file.
"""

from __future__ import annotations

import datetime
import importlib.util
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ... import __version__
from .. import notebooks
from . import api as reference
from . import folder, recorded, search, shared
from .lab import Lab, lab
from .markdown import Text, glossary

HERE = Path(__file__).parent / "files"
GLOSSARY = "glossary.md"


def build(
    labs: Path, out: Path, run: Path | None = None, api: bool = True, tell: Callable[[str], object] = lambda _: None
) -> dict[str, bytes]:
    """Write the site into a folder, and return its files.

    Parameters
    ----------
    labs : Path
        The labs as they are stored: notebooks, and the pages that they link to.
    out : Path
        New, or written by an earlier build.
    run : Path, optional
        Run each lab once, and keep there what it showed (`nasviz.course.site.recorded`): stages replay, charts are
        live.
    api : bool
        Whether the reference of the Python code is made, if pdoc is there to make it.
    tell : function of str
        Told what is done, and what is left out.

    Raises
    ------
    nasviz.course.site.folder.NotOurs
        If something is in the folder that no build has written. Nothing is changed then.
    ValueError
        If there are no labs, or one cannot be read or set.
    OSError
    """
    folder.check(out)  # before the work
    made = files(labs, run, api, tell)
    folder.write(made, out)
    return made


def files(
    labs: Path, run: Path | None = None, api: bool = True, tell: Callable[[str], object] = lambda _: None
) -> dict[str, bytes]:
    """All files of the site by their addresses. Parameters and errors as of `build`."""
    found = sorted(labs.glob("*.ipynb"))
    if not found:
        raise ValueError(f"there are no notebooks in {labs}")
    texts = {path.name: path.read_text("utf-8") for path in sorted(labs.glob("*.md"))}
    pages = {path.name: f"{path.stem}.html" for path in [*found, *map(Path, texts)]}
    terms = glossary(texts.get(GLOSSARY, ""))
    made = []
    for path in found:
        notebook = notebooks.read(path) if run is None else recorded.read(path, run, tell)
        try:
            made.append(lab(notebook, path.stem, pages, terms))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    api_files = reference.files(tell) if api else {}
    return dict(_all(made, texts, pages, terms, api_files))


def built() -> datetime.date:
    """The day of the build: today, or what the environment says for builds that are to be equal."""
    said = os.environ.get("SOURCE_DATE_EPOCH")
    utc = datetime.UTC
    return (datetime.datetime.now(utc) if said is None else datetime.datetime.fromtimestamp(int(said), utc)).date()


def _all(
    made: list[Lab],
    texts: Mapping[str, str],
    pages: Mapping[str, str],
    terms: dict[str, str],
    api: Mapping[str, bytes],
) -> Iterator[tuple[str, bytes]]:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    numbered = [one for one in made if one.number]
    environment.globals |= {
        "labs": numbered,
        "extra": [one for one in made if one not in numbered],
        "glossary": pages.get(GLOSSARY, ""),
        "api": bool(api),
        "version": __version__,
        "date": built().isoformat(),
    }

    def page(template: str, **more) -> bytes:
        return environment.get_template(template).render(**more).encode()

    entries: list[search.Entry] = []
    for one in made:
        beside = numbered if one in numbered else []
        at = beside.index(one) if beside else 0
        yield (
            f"{one.stem}.html",
            page(
                "lab.html",
                lab=one,
                here=one.stem,
                before=beside[at - 1] if beside and at else None,
                after=beside[at + 1] if beside and at + 1 < len(beside) else None,
                live={output.kind for _, parts in one.groups for part in parts for output in part.outputs},
            ),
        )
        yield from one.pictures.items()
        entries += search.entries_of(one)
    for name, text in texts.items():
        write = Text(pages, terms)
        body = write(text.partition("\n")[2] if text.startswith("# ") else text)
        title = text.splitlines()[0].lstrip("# ") if text.startswith("# ") else name
        yield pages[name], page("text.html", title=title, body=Markup(body), here=Path(name).stem, name=name)
        if name == GLOSSARY:
            entries += search.terms_of(text, terms, pages[name])
        else:
            entries.append(search.Entry(pages[name], title, title, search.words(body)))
    yield "index.html", page("front.html", here="index", first=made[0])
    yield "search-index.js", search.index(entries).encode()
    yield "play.html", _play()
    for name in ("site.css", "site.js", "search.js", "asked.js", "live.js"):
        yield f"site/{name}", (HERE / name).read_bytes()
    yield "site/formulas.ttf", _font()
    kinds = {output.kind for one in made for _, parts in one.groups for part in parts for output in part.outputs}
    yield from shared.scripts(kinds)
    yield from ((f"api/{name}", data) for name, data in api.items())


def _font() -> bytes:
    """STIX Two Math, which ziamath carries; found without importing it."""
    spec = importlib.util.find_spec("ziamath")
    assert spec is not None and spec.origin is not None  # the extra asks for it
    return (Path(spec.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf").read_bytes()


def _play() -> bytes:
    from .. import play

    with tempfile.TemporaryDirectory() as place:
        return play.write(Path(place, "play.html"), home="index.html").read_bytes()
