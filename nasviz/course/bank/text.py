"""The text of a question as HTML, and back: paragraphs, and lists of lines that begin with ``"- "``."""

from __future__ import annotations

import re
from html import escape, unescape


def as_html(text: str) -> str:
    """Write a text as HTML: a ``<p>`` or a ``<ul>`` for each part between blank lines."""
    parts = []
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.split("\n")
        if all(line.startswith("- ") for line in lines):
            parts.append("<ul>" + "".join(f"<li>{escape(line[2:], quote=False)}</li>" for line in lines) + "</ul>")
        else:
            parts.append(f"<p>{escape(' '.join(lines), quote=False)}</p>")
    return "".join(parts)


def from_html(html: str) -> str:
    """Read what `as_html` wrote."""
    text = re.sub(r"<li>(.*?)</li>", r"- \1\n", html)
    text = re.sub(r"</p>|</ul>", "\n\n", re.sub(r"<p>|<ul>", "", text))
    return unescape(re.sub(r"\n\n+", "\n\n", text).strip())


def title(item) -> str:
    """What a question is called where it is listed."""
    return f"{item.lab} · {item.name}"
