"""Exercises that are experiments: predict, run the seeds, report in three sentences; the report's numbers are read."""

from __future__ import annotations

import re
from collections.abc import Iterator

NUMBER = re.compile(r"(?<![\w.,])[-−–+]?\d+(?:[.,]\d+)?")


def written(*answers) -> None:
    """Stop the check of an exercise that is not answered yet.

    Raises
    ------
    NotImplementedError
        If one of the answers is still ``...``; `nasviz.course.check` says then that it is not written yet.
    """
    if any(answer is ... for answer in answers):
        raise NotImplementedError


def numbers(text: str) -> list[tuple[float, int]]:
    """The numbers in a text with their decimals: ``(0.25, 2)`` for 0.25 and for 0,25; a sign may be - or −."""
    found = []
    for word in NUMBER.findall(text):
        word = word.replace("−", "-").replace("–", "-").replace(",", ".")
        found.append((float(word), len(word.partition(".")[2])))
    return found


def says(text: str, value: float) -> bool:
    """Whether a text has a number, rounded as it writes it: 0.3 says 0.26, and 0.27 does not. A sign must agree."""
    return any(abs(round(value, decimals) - number) < 0.5 * 10**-decimals for number, decimals in numbers(text))


def reported(
    text, mean: float, interval: tuple[float, float], *, seeds: int, unit: str, of: str = "seeds"
) -> Iterator[tuple[bool, str]]:
    """Conditions for `nasviz.course.check` on a report of three sentences: what it must say, by its numbers.

    Parameters
    ----------
    text : str
        The student's report.
    mean : float
        What was measured, in ``unit``, and ``interval`` its 95 % confidence interval in the same unit.
    seeds : int
        On how many seeds.
    unit : str
        Named in what is said of a missing number: "points".
    of : str
        What was repeated, if it is not seeds: "random cells".

    Yields
    ------
    (bool, str)
        Each condition, and the sentence that is said where it fails.
    """
    low, high = interval
    yield isinstance(text, str), f"the report should be a text; it is {type(text).__name__}"
    count = len([one for one in re.split(r"(?<=[.!?])\s+", text.strip()) if len(one.split()) > 3])
    yield count >= 3, f"three sentences, please: what was asked, what came out, what follows; yours has {count}"
    yield says(text, seeds), f"the report does not say on how many {of} it stands; it is {seeds}"
    yield says(text, mean), f"the difference that you measured is {mean:.2f} {unit}; the report does not say it"
    for end, value in (("lower", low), ("upper", high)):
        yield says(text, value), f"the {end} end of the interval is {value:.2f} {unit}; the report does not say it"
