"""A student's answers to predictions in a file: only if the student says so, and without a name.

`share` is off unless somebody calls it, in each notebook. The file is ``answers/ID.jsonl`` beside the notebook. ID is
drawn once at random, and kept in ``.nasviz-share`` beside the notebook, so that all labs of a folder add to one file.
The file holds questions and answers, a JSON object a line, and nothing else: no name, no time, nothing of the computer.
"""

from __future__ import annotations

import json
import re
import secrets
from math import isfinite
from pathlib import Path

from ... import textfile
from .. import questions
from ..claims import say
from ..student import replace

VERSION = 1
HEAD = {"nasviz": "answers", "version": VERSION}
ID = ".nasviz-share"
MOST = 2**20  # bytes of a student's file: all predictions of all labs take some tens of thousands
LONGEST = 200  # characters of an answer, and numbers or names of one that is a list
NO_ID = re.compile(r"[^0-9a-f]|^.{0,15}$|^.{17,}$")

_saving: list = []  # the listener of this kernel, if answers are kept


def share(folder: str | Path | None = "answers") -> Path | None:
    """Keep the answers to predictions in a file, from now on in this notebook, for a histogram of the class.

    Answers that were given before are kept too. A later answer to the same question takes the place of an earlier one.

    Parameters
    ----------
    folder : path, optional
        Where the file is written: beside the notebook, or a folder that the class shares. None ends it.

    Returns
    -------
    Path or None
        The file, which appears with the first answer.

    Raises
    ------
    OSError
        If the folder cannot be made or written to.
    ValueError
        If a file is there that holds something else.
    """
    for old in _saving:
        questions.LISTENERS.remove(old)
    _saving.clear()
    if folder is None:
        say("▸", "currentColor", "Answers are no longer kept. What was kept stays in its file: delete it if you like.")
        return None
    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{own_id(Path.cwd())}.jsonl"
    if path.exists():
        read(path)

    def keep(question: str, answer) -> None:
        write(path, question, answer)

    for question, answer in questions.given():
        keep(question, answer)
    questions.LISTENERS.append(keep)
    _saving.append(keep)
    say(
        "▸",
        "currentColor",
        f"Your answers to predictions are kept in <code>{path}</code>: questions and answers, no name, no time. "
        "Nothing is sent. <code>course.share(None)</code> ends it.",
    )
    return path


def own_id(folder: Path) -> str:
    """The random id of whoever works in a folder: made once, 16 hexadecimal digits."""
    file = folder / ID
    if file.is_file() and not NO_ID.search(found := file.read_text("utf-8", errors="replace").strip()):
        return found
    made = secrets.token_hex(8)
    replace(file, made + "\n")
    return made


def write(path: Path, question: str, answer) -> None:
    """Put an answer into a file, in the place of an earlier one to the same question; an empty one takes it out."""
    kept = read(path) if path.exists() else {}
    kept[question] = answer
    if answer is None or (isinstance(answer, list) and all(one is None for one in answer)):
        del kept[question]
    lines = [HEAD, *({"question": asked, "answer": said} for asked, said in kept.items())]
    replace(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def read(path: Path) -> dict[str, object]:
    """Read a student's file: the last answer to each question.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file, is of a newer version, or has a line that holds no answer: the message says where.
    """
    lines = textfile.read_text(path, MOST).splitlines()
    head = _object(path, 1, lines[0]) if lines else {}
    version = head.get("version")
    if head.get("nasviz") != "answers" or type(version) is not int:
        raise ValueError(f"{path} is no file of answers: its first line is not {json.dumps(HEAD)}. Take it away")
    if version > VERSION:
        raise ValueError(f"{path} is of version {version}, and this nasviz reads up to {VERSION}: update nasviz")
    found: dict[str, object] = {}
    for number, line in enumerate(lines[1:], 2):
        said = _object(path, number, line)
        question, answer = said.get("question"), said.get("answer")
        if not isinstance(question, str) or not _is_answer(answer):
            raise ValueError(f"{path}, line {number}: it holds no question with an answer. Ask for the file again")
        found[question] = answer
    return found


def _object(path: Path, number: int, line: str) -> dict:
    try:
        return textfile.json_object(line)
    except ValueError as error:
        raise ValueError(f"{path}, line {number} is no JSON object: {error}. Ask for the file again") from None


def _is_answer(answer) -> bool:
    """Whether it is a number, a text, a list of texts, or a drawn curve: a list of numbers and None."""
    if isinstance(answer, str):
        return len(answer) <= LONGEST
    if isinstance(answer, list) and len(answer) <= LONGEST:
        texts = all(isinstance(one, str) and len(one) <= LONGEST for one in answer)
        return texts or all(one is None or _is_number(one) for one in answer)
    return _is_number(answer)


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
