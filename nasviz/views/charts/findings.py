"""A matrix of findings and truths: what each table answers, and behind each cell its figure, interval and source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anywidget
import traitlets

from ..colors import AMBER, MAGENTA, TEAL
from ..raster import BACK, DIM, GRID, mixed
from ..stage.widget import script
from .chart import Chart, drawn

YES, NO, OPEN, NONE = "yes", "no", "open", "none"
SIGNS = {YES: "✓", NO: "✗", OPEN: "?", NONE: "–"}
LOOKS = {YES: TEAL, NO: mixed(AMBER, 0.4), OPEN: None, NONE: None}
LEFT, WIDE, TALL, HEAD = 330, 78, 21, 36  # of the still, px


@dataclass(frozen=True)
class Told:
    """What one truth says of one finding.

    Attributes
    ----------
    value, low, high : float
        With its 95 % interval.
    architectures, seeds : int
        From how many it was computed.
    note : str
        What is special about it, in one sentence.
    """

    value: float
    low: float
    high: float
    architectures: int
    seeds: int
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """A question that each truth answers by a number.

    Attributes
    ----------
    question : str
        Answered by yes or no: "Does counting rank with τ above 0.5?"
    bound : float
        The answer is yes where the interval lies on the right side of it, no where it lies on the other side.
    above : bool
        Whether yes is above the bound.
    unit : str
    told : mapping from str to Told
        By the names of the truths; a truth that cannot answer is left out.
    """

    question: str
    bound: float
    above: bool
    unit: str
    told: Mapping[str, Told]

    def answer(self, truth: str) -> str:
        """Return ``"yes"``, ``"no"``, ``"open"`` if the interval touches the bound, or ``"none"`` without a figure."""
        if (told := self.told.get(truth)) is None:
            return NONE
        if told.low <= self.bound <= told.high:
            return OPEN
        return YES if (told.low > self.bound) == self.above else NO

    def opposite(self, truth: str, first: str) -> bool:
        """Return whether a truth answers yes where ``first`` answers no, or the other way round."""
        return {self.answer(truth), self.answer(first)} == {YES, NO}


class Findings(Chart):
    """A table of findings and truths, to click through.

    A cell says ✓ for yes, ✗ for no, ? where the interval touches the bound, and – where there is no figure. A frame and
    ≠ mark an answer that is the opposite of the first truth's. A click on a cell, or Enter, opens its chart below the
    row: all truths with their intervals and the bound, and of the chosen one the numbers and the source. Arrow keys
    move from cell to cell.

    Parameters
    ----------
    findings : sequence of Finding
    truths : sequence of str
        Columns, in order. The first is the one with which the others are compared.
    sources : mapping from str to str
        The source of each truth.

    Attributes
    ----------
    picture : Picture
        What the page shows. Its ``chosen`` is the open cell, ``[row, column]``, or empty.

    Raises
    ------
    ValueError
        Without findings or truths, or for a truth without a source.
    """

    def __init__(self, findings: Sequence[Finding], truths: Sequence[str], sources: Mapping[str, str]):
        if not findings or not truths:
            raise ValueError(f"a matrix needs findings and truths, got {len(findings)} and {len(truths)}")
        if lacking := [name for name in truths if not sources.get(name)]:
            raise ValueError(f"each truth needs a source, and {lacking[0]!r} has none")
        self.findings, self.truths, self.sources = list(findings), list(truths), dict(sources)
        rows = [
            {
                "question": one.question, "bound": one.bound, "unit": one.unit,
                "cells": [self._cell(one, truth) for truth in self.truths],
            }
            for one in self.findings
        ]  # fmt: skip
        columns = [{"name": name, "source": self.sources[name]} for name in self.truths]
        self.picture = Picture(matrix={"rows": rows, "columns": columns, "signs": SIGNS})
        super().__init__([self.picture])

    def _cell(self, finding: Finding, truth: str) -> dict:
        cell: dict = {"answer": finding.answer(truth), "opposite": finding.opposite(truth, self.truths[0])}
        return cell | (vars(finding.told[truth]) if truth in finding.told else {})

    @property
    def text(self) -> str:  # type: ignore[override]  # made when it is asked for
        """The matrix for who cannot see it: a line a finding."""
        lines = []
        for one in self.findings:
            told = ", ".join(f"{truth} {one.answer(truth)}" for truth in self.truths if truth in one.told)
            lines.append(f"{one.question} {told}.")
        return "\n".join(lines)

    def set(self, finding: int, truth: str) -> None:
        """Open the chart of a cell: the number of its row, from 0, and its truth. ValueError if it is not there."""
        if not 0 <= finding < len(self.findings) or truth not in self.truths:
            raise ValueError(
                f"there are {len(self.findings)} rows, of {', '.join(self.truths)}; got {finding}, {truth!r}"
            )
        self.picture.chosen = [finding, self.truths.index(truth)]

    def still(self) -> bytes:
        """Draw the matrix as PNG."""

        def draw(pen):
            for column, truth in enumerate(self.truths):
                for line, word in enumerate(truth.replace(", a sample", "").replace("NAS-Bench-", "NB-").split()[:2]):
                    pen.text(LEFT + WIDE * (column + 0.5), 10 + 13 * line, word, 10, DIM)
            for row, one in enumerate(self.findings):
                y = HEAD + TALL * row
                pen.line([(8, y), (LEFT + WIDE * len(self.truths), y)], GRID, 1)
                pen.text(LEFT - 8, y + TALL / 2, one.question, 11, anchor="rm")
                for column, truth in enumerate(self.truths):
                    self._draw(pen, LEFT + WIDE * column, y, one, truth)

        return drawn(LEFT + WIDE * len(self.truths) + 12, HEAD + TALL * len(self.findings) + 6, draw)

    def _draw(self, pen, x: float, y: float, finding: Finding, truth: str) -> None:
        answer = finding.answer(truth)
        opposite = finding.opposite(truth, self.truths[0])
        if answer in (YES, NO):
            pen.box(x + 3, y + 2, WIDE - 6, TALL - 4, LOOKS[answer], MAGENTA if opposite else None, 2.4, 3)
        elif answer == OPEN:
            pen.box(x + 3, y + 2, WIDE - 6, TALL - 4, None, DIM, 0.8, 3)
        color = BACK if answer == YES else "#16181d"
        pen.text(x + WIDE / 2, y + TALL / 2, SIGNS[answer] + " ≠" * opposite, 11, color)


class Picture(anywidget.AnyWidget):
    """What the page shows: it draws by itself, and says which cell is open."""

    _esm = "\n".join(
        [script(name) for name in ("base", "look", "listen")]
        + [Path(__file__).with_name("findings.js").read_text(encoding="utf-8")]
    )
    matrix = traitlets.Dict().tag(sync=True)
    chosen: traitlets.List[int] = traitlets.List().tag(sync=True)
