"""A sheet of questions to answer before one reports a search: what a reader needs to judge the claim.

The questions follow the fourteen best practices of Lindauer & Hutter 2020 ("Best Practices for Scientific Research on
Neural Architecture Search", JMLR 21(243), sections 2 to 4), by their numbers; the words are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import textfile

MOST = 2**20  # bytes of a sheet
SHORTEST = 12  # characters of an answer: "no" is one only with its reason
EMPTY = re.compile(r"[\W_]*(todo|tbd|n/?a|none|later|same|yes|no|unknown)?[\W_]*", re.I)


@dataclass(frozen=True)
class Item:
    """A question of the sheet.

    Attributes
    ----------
    key : str
        What it is about, one word.
    practice : int
        Number of the best practice in the paper, 1 to 14.
    question : str
    number : bool
        Whether there must be a number in the answer.
    """

    key: str
    practice: int
    question: str
    number: bool = False


ITEMS = (
    Item("training", 1, "Where is the code that trained the final architectures, with every trick that is in it?"),
    Item("search", 2, "Where is the code of the search itself?"),
    Item("as_run", 3, "Is that the code as it ran, or one that was tidied up later? Which version?"),
    Item("benchmark", 4, "Data set, search space, recipe: which of them are the same for all that is compared?"),
    Item("ablation", 5, "What remains of the gain if one part of the method is taken away? Which parts were tried?"),
    Item("protocol", 6, "By which number did the search choose, by which is it judged, and is it so for all compared?"),
    Item("over_time", 7, "How does the comparison come out earlier and later: at how many evaluations or hours?", True),
    Item("random", 8, "What does random search reach in the same space at the same cost?", True),
    Item("repeats", 9, "How many seeds of the search and of each final training, and how far do they spread?", True),
    Item("table", 10, "Was a tabular or surrogate benchmark used, and how much of it was there? If not: why not?"),
    Item("confounders", 11, "What else differs between what is compared: machine, versions, parallelism, data order?"),
    Item("tuning", 12, "Which hyper-parameters were tuned, on which data, and was the baseline tuned as much?"),
    Item("cost", 13, "What did all of it cost, in hours: tuning, search, the trainings that chose the winner?", True),
    Item("details", 14, "What else would one need to redo it: splits, batch sizes, schedules, seeds?", True),
)


def missing(answers: Mapping[str, str]) -> Iterator[tuple[Item, str]]:
    """The questions that are not answered, with what is missing, in the order of the sheet.

    Whether an answer is *good* nobody but a reader can say. An honest "no, because …" is one.

    Parameters
    ----------
    answers : mapping from str to str
        By `Item.key`.

    Raises
    ------
    ValueError
        For an answer to a question that is not on the sheet.
    """
    keys = [item.key for item in ITEMS]
    if unknown := [key for key in answers if key not in keys]:
        raise ValueError(f"the sheet does not ask for {', '.join(map(repr, unknown))}; it asks for {', '.join(keys)}")
    for item in ITEMS:
        answer = str(answers.get(item.key, "")).strip()
        if EMPTY.fullmatch(answer):
            yield item, "not answered; if the answer is no, say why"
        elif len(answer) < SHORTEST:
            yield item, f"{answer!r} is too short for somebody who was not there"
        elif item.number and not re.search(r"\d", answer):
            yield item, "there should be a number in the answer"


def sheet(answers: Mapping[str, str] | None = None) -> str:
    """The sheet as Markdown, blank or with answers: a file to keep beside a report. `read` reads it back."""
    lines = [
        "# Reporting a search",
        "",
        "After the fourteen best practices of Lindauer & Hutter 2020 (JMLR 21(243)), in our words. Write below each",
        "question; an honest *no, because …* is an answer.",
    ]
    for item in ITEMS:
        answer = " ".join(str((answers or {}).get(item.key, "")).split())
        lines += ["", f"## {item.practice}. {item.key}", "", f"*{item.question}*", "", *([answer] if answer else ["…"])]
    return "\n".join(lines) + "\n"


def read(text: str | Path) -> dict[str, str]:
    """The answers of a sheet that somebody filled in, by `Item.key`; what was left blank is left out.

    Parameters
    ----------
    text : str or Path
        The sheet, or its file.

    Raises
    ------
    ValueError
        If a question is not there, or there twice: the headings must stay as they are. If the file is no text.
    """
    told = "" if isinstance(text, str) else f"{text}: "
    if not isinstance(text, str):
        text = textfile.read_text(Path(text).expanduser(), MOST)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    parts = re.split(r"^## +\d+\. +([\w\\]+)[ \t]*$", text, flags=re.M)
    # Some editors write as\_run: Markdown would read an underline.
    found, keys = [key.replace("\\", "") for key in parts[1::2]], [item.key for item in ITEMS]
    if found != keys:
        lacks = [f"no heading {key}" for key in keys if key not in found]
        twice = [f"{key} twice" for key in keys if found.count(key) > 1]
        why = ", ".join([*lacks, *twice]) or f"they are {', '.join(found):.300}"
        raise ValueError(f"{told}the headings must be {', '.join(keys)}, in this order; {why}")
    answers = {}
    for item, body in zip(ITEMS, parts[2::2], strict=True):
        answer = " ".join(body.replace(f"*{item.question}*", "").split())
        if answer and answer != "…":
            answers[item.key] = answer
    return answers
