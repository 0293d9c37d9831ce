"""The index of the search: for each section of each page its heading, its address and its words, as plain data.

Outputs are left out, and code that says what comes out: they would give away what a page asks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from .lab import Lab
from .markdown import words

HEADING = re.compile(r'<h[1-6] id="([^"]+)">(.*?)</h[1-6]>', re.S)


@dataclass(frozen=True)
class Entry:
    """A section: where it is, on which page, under which heading, and what it says. ``kind``: lab, term or page."""

    at: str
    page: str
    heading: str
    text: str
    kind: str = "page"


def entries_of(lab: Lab) -> Iterator[Entry]:
    """The sections of a lab. What stands above the first heading belongs to the title."""
    at, heading, found = f"{lab.stem}.html", lab.title, list[str]()
    for _, parts in lab.groups:
        for part in (part for part in parts if not part.tells):
            pieces = HEADING.split(str(part.html)) if part.kind in ("prose", "open") else [str(part.html)]
            found.append(words(pieces[0]))
            for name, title, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
                yield Entry(at, lab.title, heading, " ".join(filter(None, found)), "lab")
                at, heading, found = f"{lab.stem}.html#{name}", words(title), [words(text)]
    yield Entry(at, lab.title, heading, " ".join(filter(None, found)), "lab")


def terms_of(glossary: str, terms: dict[str, str], page: str) -> Iterator[Entry]:
    """The terms of the glossary, from its Markdown."""
    for name, word in re.findall(r'<a id="([^"]+)"></a>\*\*(.*?)\*\*', glossary):
        yield Entry(f"{page}#{name}", "Glossary", word, terms.get(name, ""), "term")


def index(entries: Iterable[Entry]) -> str:
    """The index as a script: a page from a disk may load scripts, and nothing else."""
    return f"window.NASVIZ_INDEX = {json.dumps([asdict(one) for one in entries], ensure_ascii=False)};\n"
