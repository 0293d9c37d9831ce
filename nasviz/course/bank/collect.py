"""All questions of a lab: its predictions, and its transfer questions with numbers drawn."""

from __future__ import annotations

from collections.abc import Iterator

from . import claims, devices, estimating, gradients, learning, predictions, sharing, shrinking, spaces
from .labs import Lab
from .question import Item, Question

QUESTIONS: tuple[Question, ...] = tuple(
    one
    for module in (spaces, estimating, learning, gradients, sharing, devices, claims, shrinking)
    for one in module.QUESTIONS
)
# labs of which the bank has questions even where their file is not there
NUMBERS = {14: shrinking.TOPIC}
KINDS = ("all", "transfer", "predictions")


def transfer(lab: Lab, seed: int, count: int = 1) -> Iterator[Item]:
    """The transfer questions of a lab, each drawn ``count`` times."""
    for one in QUESTIONS:
        if one.topic == lab.topic:
            told = lab.objectives[one.tests - 1 : one.tests]
            tests = told[0] if told else f"objective {one.tests}"
            for number in range(count):
                yield one.item(seed, number, lab=lab.stem, tests=tests)


def items(labs: list[Lab], kind: str, seed: int, count: int = 1) -> list[Item]:
    """The questions of some labs: ``kind`` is one of `KINDS`. ValueError as of `predictions.read`."""
    found: list[Item] = []
    for lab in labs:
        if kind != "transfer":
            found += predictions.items(lab)
        if kind != "predictions":
            found += transfer(lab, seed, count)
    return found
