"""The answers of a class, counted for each prediction of a lab."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, floor, log10
from pathlib import Path

import numpy as np

from ..bank.predictions import Prediction
from ..questions import CurveQuestion
from . import answers

BARS = 10  # of a number, at most
ROUND = (1, 2, 2.5, 5, 10)  # a bar is so wide, times a power of ten


@dataclass(frozen=True)
class Bar:
    """A bar: what it stands for, how many answered so, and whether it holds what was measured."""

    label: str
    count: int
    right: bool = False


@dataclass
class Counted:
    """What a class answered to one prediction.

    Attributes
    ----------
    asked : Prediction
    said : list
        One answer a student, of the question's kind.
    """

    asked: Prediction
    said: list = field(default_factory=list)

    @property
    def students(self) -> int:
        """How many answered."""
        return len(self.said)

    def bars(self) -> list[Bar]:
        """The bars of a number, a choice or a ranking; none of a curve.

        A ranking counts who came first. Of a number each bar is a range, or one value where few whole ones are
        possible.
        """
        one = self.asked
        if one.kind == "curve":
            return []
        if one.kind != "number":
            first = [said[0] if isinstance(said, list) else said for said in self.said]
            return [Bar(option, first.count(option), option == one.truth) for option in one.options]
        edges = self._edges()
        place = [self._place(float(said)) for said in self.said]
        right = self._place(float(one.truth)) if isinstance(one.truth, int | float) else -1
        counts = np.bincount(place, minlength=len(edges)) if place else np.zeros(len(edges), int)
        return [
            Bar(label, int(count), at == right) for at, (label, count) in enumerate(zip(edges, counts, strict=True))
        ]

    def spread(self) -> np.ndarray:
        """Of a curve: the lower quartile, the median and the upper one at each place, shape (3, points); else (3, 0).

        Places where nobody drew anything are nan.
        """
        drawn = np.array([[np.nan if v is None else v for v in said] for said in self.said], float)
        out = np.full((3, drawn.shape[1] if drawn.size else 0), np.nan)
        if drawn.size:
            there = ~np.isnan(drawn).all(0)
            out[:, there] = np.nanquantile(drawn[:, there], (0.25, 0.5, 0.75), axis=0)
        return out

    def _whole(self) -> bool:
        low, high = self.asked.ends
        return self.asked.step == 1 and high - low <= BARS + 2

    def _step(self) -> tuple[float, int, int]:
        """The width of a bar, a round number; and which multiples of it begin the first bar and end the last one."""
        low, high = self.asked.ends
        least = (high - low) / BARS
        power = 10.0 ** floor(log10(least))
        step = next(round(power * one, 12) for one in ROUND if power * one >= least * (1 - 1e-9))
        return step, floor(low / step + 1e-9), ceil(high / step - 1e-9)

    def _edges(self) -> list[str]:
        if self._whole():
            low, high = self.asked.ends
            return [f"{value:g}" for value in range(int(low), int(high) + 1)]
        step, first, last = self._step()
        show = lambda number: f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"  # noqa: E731
        at = [show(step * one) for one in range(first, last + 1)]
        return [f"{a} to {b}{self.asked.unit}".replace("-", "−") for a, b in zip(at, at[1:], strict=False)]

    def _place(self, value: float) -> int:
        if self._whole():
            low, high = self.asked.ends
            return int(np.clip(floor(value - low + 0.5), 0, high - low))
        step, first, last = self._step()
        return int(np.clip(floor(value / step + 1e-9) - first, 0, last - first - 1))


def count(files: Iterable[Path], asked: Iterable[Prediction]) -> tuple[list[Counted], int, list[str]]:
    """Count the answers in students' files.

    Parameters
    ----------
    files : iterable of Path
        One a student.
    asked : iterable of Prediction

    Returns
    -------
    list of Counted, int, list of str
        One for each prediction; how many students answered at least one; and what was wrong, a sentence each. A file
        that cannot be read counts nowhere. An answer that its question does not allow is left out.
    """
    counted = {one.text: Counted(one) for one in asked}
    students, problems = 0, []
    for path in files:
        try:
            said = answers.read(path)
        except (OSError, ValueError) as error:
            problems.append(str(error))
            continue
        students += any(question in counted for question in said)
        for question, answer in said.items():
            if (of := counted.get(question)) is None:
                continue  # of another lab
            if _allowed(of.asked, answer):
                of.said.append(answer)
            else:
                problems.append(f"{path}: {answer!r:.60} is no answer to: {question}")
    return list(counted.values()), students, problems


def _allowed(asked: Prediction, answer) -> bool:
    """Whether a question can be answered so."""
    low, high = asked.ends
    if asked.kind == "number":
        return isinstance(answer, int | float) and low <= answer <= high
    if asked.kind == "choice":
        return answer in asked.options
    if not isinstance(answer, list):
        return False
    if asked.kind == "ranking":
        return all(isinstance(one, str) for one in answer) and sorted(answer) == sorted(asked.options)
    numbers = [one for one in answer if one is not None]
    return len(answer) == CurveQuestion.POINTS and all(
        isinstance(one, int | float) and low <= one <= high for one in numbers
    )
