"""Usual wrong answers to the exercises of the labs, each with words of the sentence that a check should say of it.

A file a lab: ``WRONG`` has, for each ``(lab, exercise)``, pairs of an answer and the words.
"""

from importlib import import_module
from pathlib import Path

WRONG = {
    exercise: answers
    for path in sorted(Path(__file__).parent.glob("lab*.py"))
    for exercise, answers in import_module(f"mistakes.{path.stem}").WRONG.items()
}
