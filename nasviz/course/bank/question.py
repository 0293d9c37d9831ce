"""A question of the bank: how its numbers are drawn, and what it is once they are.

A question is a function of a generator. It draws numbers, computes the right answer by the package's own code, and
makes each wrong answer from a mistake that has a name. So an answer that somebody published helps nobody else: another
seed asks the same with other numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from ...ranges import check_number

TRIES = 500  # draws in which two answers fall together are thrown away; far fewer are needed
Answer = str | float


@dataclass(frozen=True)
class Wrong:
    """A wrong answer, and the sentence that says why it is wrong."""

    answer: Answer
    why: str


@dataclass(frozen=True)
class Drawn:
    """A question whose numbers are drawn.

    Attributes
    ----------
    text : str
        What is asked: paragraphs, and lines that begin with ``"- "`` for a list.
    right : str or float
        A text is one of several to choose from. A number is to be worked out.
    because : str
        How one comes to the right answer.
    wrong : tuple of Wrong
        Answers of the same kind. Of a number: those that a mistake with a name leads to.
    tolerance : float
        How far a number may be off, in its unit; 0 or more.
    unit : str
        Of a number, as it is written behind it: ``" %"``.
    """

    text: str
    right: Answer
    because: str
    wrong: tuple[Wrong, ...]
    tolerance: float = 0.0
    unit: str = ""

    @property
    def numeric(self) -> bool:
        """Whether the answer is a number."""
        return not isinstance(self.right, str)

    def fault(self) -> str:
        """What makes the question useless: two answers that cannot be told apart. Empty if nothing does."""
        answers = [self.right, *(one.answer for one in self.wrong)]
        if not all(isinstance(one, str) or np.isfinite(one) for one in answers):
            return "an answer is not finite"
        for place, one in enumerate(answers):
            for other in answers[:place]:
                if isinstance(one, str) or isinstance(other, str):
                    same = one == other
                else:
                    same = not abs(one - other) > max(2 * self.tolerance, 1e-9)
                if same:
                    return f"{written(other)} and {written(one)} are one answer"
        return ""


@dataclass(frozen=True)
class Item:
    """A question as it is handed out.

    Attributes
    ----------
    name : str
        Unique in the bank: topic, question, and of a drawn one its seed and number.
    lab : str
        The stem of the lab's file.
    tests : str
        The objective that it tests, or of a prediction the section in which it stands.
    level : str
        ``"easy"``, ``"medium"`` or ``"hard"``.
    drawn : Drawn
    order : tuple of int
        In which order the options of a choice are shown: 0 is the right one, the others follow.
    """

    name: str
    lab: str
    tests: str
    level: str
    drawn: Drawn
    order: tuple[int, ...] = ()

    @property
    def options(self) -> list[tuple[Answer, str]]:
        """All answers and what is said of each, in the order shown; the right one has `Drawn.because`."""
        every = [(self.drawn.right, self.drawn.because), *((one.answer, one.why) for one in self.drawn.wrong)]
        return [every[place] for place in self.order or range(len(every))]

    @property
    def place(self) -> int:
        """The place of the right answer among the options, from 0."""
        return (self.order or (0,)).index(0)


@dataclass(frozen=True)
class Question:
    """A question that is drawn anew by each seed.

    Attributes
    ----------
    name, topic : str
        The topic is that of the lab's file: ``"evolution"`` of ``04-evolution.ipynb``.
    tests : int
        Which of the lab's objectives it tests, from 1.
    level : str
    draw : callable
        Generator -> `Drawn`. It may return answers that fall together: then it is asked again.
    """

    name: str
    topic: str
    tests: int
    level: str
    draw: Callable[[np.random.Generator], Drawn]

    def drawn(self, seed: int, number: int = 0) -> Drawn:
        """Draw it: the same seed and number give the same question, whatever else is drawn.

        Raises
        ------
        ValueError
            If seed or number is no whole number of 0 or more.
        """
        return self._drawn(self._rng(seed, number))

    def item(self, seed: int, number: int = 0, *, lab: str = "", tests: str = "") -> Item:
        """Draw it with all that is handed out; the options of a choice are in a drawn order."""
        rng = self._rng(seed, number)
        drawn = self._drawn(rng)
        order = () if drawn.numeric else tuple(rng.permutation(1 + len(drawn.wrong)).tolist())
        return Item(f"{self.topic}.{self.name}.{seed}.{number + 1}", lab or self.topic, tests, self.level, drawn, order)

    def _rng(self, seed: int, number: int) -> np.random.Generator:
        seed, number = int(check_number("seed", seed, 0)), int(check_number("number", number, 0))
        return np.random.default_rng([seed, number, crc32(f"{self.topic}.{self.name}".encode())])

    def _drawn(self, rng: np.random.Generator) -> Drawn:
        why = ""
        for _ in range(TRIES):
            if not (why := (found := self.draw(rng)).fault()):
                return found
        raise RuntimeError(f"{self.topic}.{self.name}: in {TRIES} draws, {why}")


def asks(topic: str, tests: int, level: str) -> Callable[[Callable[[np.random.Generator], Drawn]], Question]:
    """Make a `Question` of a function; its name is the function's."""
    return lambda draw: Question(draw.__name__, topic, tests, level, draw)


def written(answer: Answer, unit: str = "") -> str:
    """An answer as it is written: a text as it is, a number with its unit and up to six digits."""
    if isinstance(answer, str):
        return answer
    number = float(answer)
    text = f"{number:.0f}" if number == round(number) and abs(number) < 1e15 else f"{number:.6g}"
    return f"{text}{unit}".replace("-", "−")


def listed(lines) -> str:
    """Lines as a list in a question's text, with a blank line before and after it."""
    return "\n\n" + "\n".join(f"- {line}" for line in lines) + "\n\n"
