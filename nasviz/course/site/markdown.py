"""Markdown of a lab as HTML: links lead to pages of the site, formulas are MathML, which browsers set by themselves.

MathML needs no script, is read aloud by screen readers, and is as large as the text around it. The font that it is set
in is carried along (`nasviz.course.site.build`), as not every system has one for formulas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from html import escape, unescape

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

TAG = re.compile(r"<[^>]+>")
LONG = 30  # characters of a formula in a line
AWAY = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.I)  # an address that leaves the folder


# What the converter does not know, or would set with other spaces than TeX does.
LATEX = (
    (r"\\arg(?![a-z])", r"\\operatorname{arg}"),
    (r"\\(mathbb|mathcal)\s+(\w)", r"\\\1{\2}"),
    (r"\\lvert\b", r"\\left|"),
    (r"\\rvert\b", r"\\right|"),
    (r"\\lVert\b", r"\\left\\|"),
    (r"\\rVert\b", r"\\right\\|"),
)
NAMES = "ln|log|exp|det"
MATHML = (
    (rf'<mi>({NAMES})</mi>(?=<mo stretchy="false">&#x00028;)', r'<mo lspace="0.17em" rspace="0">\1</mo>'),
    (r'<mo>([a-z]{2,})</mo>(?=<mo stretchy="false">&#x00028;)', r'<mo lspace="0.17em" rspace="0">\1</mo>'),
    (r"<mo>([a-z]{2,})</mo>", r'<mo lspace="0.17em" rspace="0.17em">\1</mo>'),
    (rf"<mi>({NAMES})</mi>", r'<mo lspace="0.17em" rspace="0.17em">\1</mo>'),
    (r"<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>"),
    (r"<mi>;</mi>", '<mo lspace="0" rspace="0.28em">;</mo>'),
    (r"<mo>&#x0002F;</mo>", '<mo lspace="0" rspace="0">/</mo>'),
    (r"((?:&#x0003D;|&#x02248;|&#x0002C;|&#x00028;)</mo>)<mo>&#x02212;</mo>", r'\1<mo form="prefix">&#x02212;</mo>'),
)


@cache
def formula(latex: str, block: bool = False) -> str:
    """A formula as MathML.

    Raises
    ------
    ValueError
        If it is no LaTeX, or nothing that MathML has a word for.
    """
    source = latex.strip()
    for wrong, right in LATEX:
        source = re.sub(wrong, right, source)
    try:
        made = convert(source, display="block" if block else "inline")
    except Exception as error:  # the converter has a dozen classes of its own
        raise ValueError(f"the formula {latex!r} cannot be set: {type(error).__name__} {error}") from None
    if "\\" in (left := TAG.sub("", made)):
        raise ValueError(f"the formula {latex!r} cannot be set: {left!r} is left over")
    for wrong, right in MATHML:
        made = re.sub(wrong, right, made)
    return made


def python(source: str) -> str:
    """Python as HTML, each token in a class of its own."""
    return highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)).rstrip("\n")


def words(html: str) -> str:
    """The text of a piece of HTML, on one line; a formula is left out."""
    return " ".join(unescape(TAG.sub(" ", re.sub(r"<math.*?</math>", " ", html, flags=re.S))).split())


def anchor(text: str) -> str:
    """What a heading is called in an address."""
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-") or "section"


class _Renderer(IPythonRenderer):
    def __init__(self, pages: Mapping[str, str], titles: Mapping[str, str]):
        super().__init__(escape=False, exclude_anchor_links=True)
        self.pages, self.titles, self.headings = pages, titles, list[tuple[int, str, str]]()
        self.taken: set[str] = set()

    def heading(self, text: str, level: int, **attrs) -> str:
        name = base = anchor(words(text))
        number = 1
        while name in self.taken:
            number += 1
            name = f"{base}-{number}"
        self.taken.add(name)
        self.headings.append((level, name, words(text)))
        return f'<h{level} id="{name}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if AWAY.match(url):
            return f'<a href="{escape(url)}" rel="noreferrer">{text}</a>'
        name, _, place = url.partition("#")
        if name and name not in self.pages:
            return text  # of the repository, and not of the site
        here = self.pages[name] if name else ""
        said = self.titles.get(place) if name == "glossary.md" else None
        more = f' class="term" title="{escape(said)}"' if said else ""
        return f'<a href="{here}{"#" + escape(place) if place else ""}"{more}>{text}</a>'

    def block_code(self, code: str, info: str | None = None) -> str:
        done = python(code.rstrip("\n")) if info in ("python", "py") else escape(code.rstrip("\n"))
        return f'<pre class="scrolls"><code>{done}</code></pre>\n'

    def inline_math(self, body: str) -> str:
        made = formula(body)  # one that is long may be wider than a phone, and formulas do not break
        return made if len(body) < LONG else f'<span class="formula inline scrolls">{made}</span>'

    def block_math(self, body: str) -> str:
        return f'<span class="formula scrolls">{formula(body, block=True)}</span>'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


class Text:
    """Writes one page's Markdown as HTML: what is called alike in two cells gets two addresses.

    Parameters
    ----------
    pages : mapping of str to str
        The address of each file of the labs that the site has: ``{"glossary.md": "glossary.html"}``.
    terms : mapping of str to str
        The glossary: what each anchor of it says.

    Attributes
    ----------
    headings : list of (int, str, str)
        Level, anchor and text of each heading so far.
    """

    def __init__(self, pages: Mapping[str, str], terms: Mapping[str, str] | None = None):
        self._renderer = _Renderer(pages, terms or {})
        self._markdown = MarkdownWithMath(renderer=self._renderer)

    @property
    def headings(self) -> list[tuple[int, str, str]]:
        return self._renderer.headings

    def __call__(self, source: str) -> str:
        """A cell's Markdown as HTML; ValueError for a formula that cannot be set."""
        made = self._markdown.render(source)
        made = re.sub(r"<table>.*?</table>", r'<div class="wide scrolls">\g<0></div>', made, flags=re.S)
        return re.sub(r"<th[^>]*></th>", "<td></td>", made)  # a heading says something


def glossary(text: str) -> dict[str, str]:
    """The terms of the glossary: what it says of each, in plain words, by its anchor."""
    found = re.findall(r'<a id="([^"]+)"></a>\*\*.*?\*\*:?\s*(.*?)(?=\n\n|\Z)', text, re.S)
    return {name: " ".join(re.sub(r"[*$`]|\]\([^)]*\)|\[", "", said).split()) for name, said in found}
