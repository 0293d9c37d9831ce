"""Paths through the labs: what a course of 3, 6 or 13 sessions of 90 minutes works through. One table, here.

A lab is named by its topic, the part of its file's name behind the number: numbers change, topics seldom do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """What a session takes of a lab: ``topic`` (and what it was called earlier), and what is further or only the core.

    Attributes
    ----------
    topics : tuple of str
        The first of them that is there is meant.
    further : bool
        Whether the sections that can be skipped belong to it.
    """

    topics: tuple[str, ...]
    further: bool = False


@dataclass(frozen=True)
class Session:
    """Ninety minutes: a title, and what is worked through in it."""

    title: str
    parts: tuple[Part, ...]


def _session(title: str, *words: str) -> Session:
    """Topics as words: ``"evolution"`` is its core, ``"evolution+"`` all of it, ``"new|old"`` has an old name."""
    return Session(title, tuple(Part(tuple(word.removesuffix("+").split("|")), word.endswith("+")) for word in words))


NETWORK = "one-network-for-all|one-shot"
PATHS: dict[int, tuple[Session, ...]] = {
    3: (
        _session("What architecture search is", "start-here", "search-spaces"),
        _session("Judging and searching", "performance-estimation", "evolution"),
        _session("Shared weights, and what they are worth", "darts", "search-evaluation-gap"),
    ),
    6: (
        _session("What architecture search is", "start-here", "search-spaces"),
        _session("Judging and searching", "performance-estimation", "evolution"),
        _session("Searches that learn", "reinforce", "bayesian-optimisation"),
        _session("Search by gradient", "darts", "darts-collapse"),
        _session("Shared weights", "search-evaluation-gap", NETWORK),
        _session("Devices, and what is claimed", "hardware-aware", "the-bill-and-the-claims"),
    ),
    13: (
        _session("What architecture search is", "start-here+"),
        _session("Search spaces", "search-spaces+"),
        _session("Performance estimation", "performance-estimation+"),
        _session("REINFORCE", "reinforce+"),
        _session("Evolution", "evolution+"),
        _session("Bayesian optimisation", "bayesian-optimisation+"),
        _session("DARTS", "darts+"),
        _session("When DARTS collapses", "darts-collapse+"),
        _session("The gap between search and evaluation", "search-evaluation-gap+"),
        _session("One network for all devices", f"{NETWORK}+"),
        _session("Hardware-aware search", "hardware-aware+"),
        _session("Famous architectures, and a transformer shrunk", "famous-architectures", "shrinking-a-transformer"),
        _session("The bill, the claims, and full size", "the-bill-and-the-claims", "does-it-hold"),
    ),
}


def topic(lab: str | Path) -> str:
    """The topic of a lab's file: ``04-evolution.ipynb`` is about ``evolution``."""
    stem = Path(lab).stem
    number, _, rest = stem.partition("-")
    return rest if number.isdigit() else stem


@dataclass(frozen=True)
class Chosen:
    """A lab of a path: its file, whether all of it, and in which session, from 1."""

    path: Path
    further: bool
    session: int


def chosen(labs: Iterable[Path], length: int) -> list[Chosen]:
    """The labs of a path of ``length`` sessions, in its order.

    Raises
    ------
    ValueError
        If there is no such path, or the path names a lab that is not among ``labs``.
    """
    if length not in PATHS:
        raise ValueError(f"there are paths of {', '.join(map(str, PATHS))} sessions, and none of {length}")
    by_topic = {topic(path): path for path in labs}
    found = []
    for number, session in enumerate(PATHS[length], 1):
        for part in session.parts:
            path = next((by_topic[one] for one in part.topics if one in by_topic), None)
            if path is None:
                raise ValueError(
                    f"session {number} of the path of {length} needs the lab {' or '.join(part.topics)}; there are "
                    f"{', '.join(sorted(by_topic)) or 'none'}"
                )
            found.append(Chosen(path, part.further, number))
    return found
