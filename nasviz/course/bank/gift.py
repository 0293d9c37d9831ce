"""Questions in GIFT, the format of a text file that Moodle imports.

Sources: Moodle's documentation of the format (docs.moodle.org, "GIFT format"). A question is
``::title::[html]text{…}``. In it ``=`` marks the right answer and ``~`` a wrong one, ``#`` what is said of it, and
``####`` what is said in the end. A numeric question begins with ``{#``, and its wrong answers are
``=%0%value:tolerance``. The characters ``~ = # { } :`` stand for themselves only behind a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from .question import Answer, Item
from .text import as_html, title


def write(items: Iterable[Item], answers: bool = True) -> str:
    """Return questions as a GIFT file: a category for each lab, a blank line between two questions.

    ``answers`` has to be true: Moodle marks the answers, so that a file without them is no question.
    """
    if not answers:
        raise ValueError("GIFT has no questions without answers: leave --no-answers away, or choose markdown")
    out, lab = [], ""
    for item in items:
        if item.lab != lab:
            lab = item.lab
            out.append(f"$CATEGORY: nasviz/{escaped(lab)}\n")
        out.append(_question(item))
    return "\n".join(out)


def escaped(text: str) -> str:
    """A text whose special characters stand for themselves; a line's end is written ``\\n``."""
    return re.sub(r"([\\~=#{}:])", r"\\\1", text).replace("\n", "\\n")


def _question(item: Item) -> str:
    drawn = item.drawn
    about = f"// tests: {item.tests} ({item.level})".replace("\n", " ")
    head = f"{about}\n::{escaped(title(item))}::[html]{escaped(as_html(drawn.text + _unit(item)))}{{"
    lines = ["#" if drawn.numeric else ""]
    for place, (answer, why) in enumerate(item.options):
        right = place == item.place
        if drawn.numeric:
            told = f"{'=' if right else '=%0%'}{exact(answer)}:{exact(drawn.tolerance)}"
        else:
            told = f"{'=' if right else '~'}{escaped(as_html(str(answer)))}"
        lines.append(told if right else f"{told}#{escaped(as_html(why))}")
    lines.append(f"####{escaped(as_html(drawn.because))}\n}}\n")
    return head + "\n".join(lines)


def _unit(item: Item) -> str:
    return f"\n\nAnswer in: {item.drawn.unit.strip()}." if item.drawn.unit else ""


def exact(number: Answer) -> str:
    """A number with ten digits and without a power of ten."""
    return format(Decimal(f"{float(number):.10g}"), "f")
