"""The labs of a folder, as the bank needs them: number, topic, title, objectives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .. import lesson, notebooks, sessions


@dataclass(frozen=True)
class Lab:
    """A lab: its file's stem, its title, what it is to teach, and its notebook (None: it is not there)."""

    stem: str
    title: str
    objectives: tuple[str, ...]
    book: object = None

    @property
    def topic(self) -> str:
        """What it is about: the stem without its number."""
        return sessions.topic(self.stem)

    @property
    def number(self) -> int | None:
        """The number of its file; None if it has none."""
        first = self.stem.partition("-")[0]
        return int(first) if first.isdigit() else None


def find(folder: Path) -> list[Lab]:
    """The labs of a folder that have a number, in its order.

    Raises
    ------
    ValueError
        If there is none, or one cannot be read.
    """
    found = []
    for path in sorted(folder.glob("[0-9]*-*.ipynb")):
        book = notebooks.read(path)
        title = book["cells"][0]["source"].splitlines()[0].lstrip("# ") if book["cells"] else path.stem
        aims = tuple(idea for idea, _ in lesson.objectives(book))
        found.append(Lab(path.stem, title, aims, book))
    if not found:
        raise ValueError(f"there are no labs in {folder}: name the folder that holds 00-start-here.ipynb")
    return found


def chosen(labs: list[Lab], asked: str, more: dict[int, str]) -> Lab:
    """The lab that somebody asked for by its number or its topic.

    Parameters
    ----------
    labs : list of Lab
    asked : str
        ``"3"``, ``"03"``, ``"reinforce"`` or ``"03-reinforce"``.
    more : dict
        Numbers and topics of labs that the bank has questions for and that need not be there.

    Raises
    ------
    ValueError
        If there is no such lab.
    """
    for one in labs:
        if asked in (one.stem, one.topic) or (asked.isdigit() and int(asked) == one.number):
            return one
    for number, topic in more.items():
        if asked == topic or (asked.isdigit() and int(asked) == number):
            return Lab(f"{number:02}-{topic}", topic.replace("-", " "), ())
    there = ", ".join(one.stem for one in labs)
    raise ValueError(f"there is no lab {asked!r}; there are {there}")
