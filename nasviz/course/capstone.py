"""The hidden-budget challenge: a search that does not know when it will be stopped, and a leaderboard to collect.

A search is a generator. It asks the estimator as often as it likes and yields its answer so far whenever that changes::

    def my_search(space, estimate, rng):
        while True:
            arch = space.sample(rng)
            estimate(arch)                      # an Evaluation: .scores["accuracy"], .scores["madds"]
            yield arch                          # my answer, if I were stopped now

How many questions it has, differs from round to round, and it is not told: the budget ends in the middle of a question,
and what it yielded last counts. Judged is by what it could not ask: other seeds' trainings, on the test images.

    python -m nasviz.course.capstone labs/*/leaderboard.jsonl       # an instructor ranks what the class handed in

A leaderboard is JSON Lines: who, and the architectures chosen. Regrets are *computed again* by who collects: a file
cannot claim a score.
"""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import isfinite, nan
from pathlib import Path

import numpy as np

from .. import textfile
from ..estimators import TableLookup, nasbench201_table
from ..estimators.table import Table
from ..identity import OtherVersion, check_version
from ..lock import HAND_IN, Writing, reported
from ..ranges import check_fields, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation

VERSION = 1  # of the format of an entry
MOST = 2**26  # bytes of a file: some 10,000 entries
PATIENCE = 10_000  # answers without a question in between: such a search would never end
Search = Callable[[SearchSpace, Callable, np.random.Generator], Iterator[Arch]]


class BudgetSpent(Exception):  # noqa: N818 (no error: the end of a round)
    """Raised inside a search at the question after its last one, and at each one after that."""


@dataclass(frozen=True)
class Entry:
    """What one search chose, round by round.

    Attributes
    ----------
    name : str
        Whose it is, one line.
    answers : tuple of str
        As ``space.to_text`` writes them; empty where the search had yielded none.
    digest : str
        Of the table: results on another one are not comparable.
    challenge : str
        `Challenge.name`: bound, budgets and rounds.
    """

    name: str
    answers: tuple[str, ...]
    digest: str
    challenge: str

    def __post_init__(self):
        if not (isinstance(self.name, str) and self.name.strip() and self.name.isprintable() and len(self.name) <= 60):
            raise ValueError(f"a name is one line of 1 to 60 letters, got {self.name!r}")
        if isinstance(self.answers, str) or not all(isinstance(text, str) for text in self.answers):
            raise ValueError(
                f"the answers of an entry are texts, as space.to_text writes them, got {self.answers!r:.80}"
            )
        for what in ("digest", "challenge"):
            if not isinstance(getattr(self, what), str):
                raise ValueError(f"the {what} of an entry is a text, got {getattr(self, what)!r:.60}")


@dataclass(frozen=True)
class Challenge:
    """Rounds with hidden budgets on a table.

    Parameters
    ----------
    table : Table
        By default the one that travels with the project, whatever it knows.
    limit : float
        The answer must have at most so many multiply-adds, or it counts as the worst that keeps to the bound.
    rounds : int
    low, high : int
        Ends of the budgets, in questions; drawn evenly on a logarithmic scale, from ``seed``.
    """

    table: Table = field(default_factory=nasbench201_table)
    limit: float = ranged(200_000, whole=False)
    rounds: int = ranged(30, 1)
    low: int = ranged(5, 1)
    high: int = ranged(60, 1)
    seed: int = ranged(0, 0)

    def __post_init__(self):
        check_fields(self)
        if self.low > self.high:
            raise ValueError(f"Challenge: budgets go from low up to high, got {self.low} and {self.high}")
        if not (self.table.column("madds") <= self.limit).any():
            raise ValueError(f"the table knows no architecture of {self.limit:,} multiply-adds or fewer")

    @property
    def name(self) -> str:
        """What identifies it beside the table."""
        return f"{self.limit:g} MAdds, {self.rounds} rounds of {self.low} to {self.high}, seed {self.seed}"

    def budgets(self) -> list[int]:
        """How many questions each round has; a search is not told."""
        rng = np.random.default_rng(self.seed)
        drawn = rng.uniform(np.log(self.low), np.log(self.high + 1), self.rounds)
        return [min(self.high, int(one)) for one in np.exp(drawn)]

    def play(self, search: Search, name: str) -> Entry:
        """Let a search play all rounds. What it raises, other than the end of its budget, comes out as it is.

        Raises
        ------
        ValueError
            If it yields what is no architecture of the table, or only answers and never asks.
        """
        space, answers = self.table.known(), []
        for number, budget in enumerate(self.budgets()):
            last = self._round(search, space, number, budget)
            answers.append("" if last is None else space.to_text(last))
        return Entry(name, tuple(answers), self.table.digest, self.name)

    def _round(self, search: Search, space: SearchSpace, number: int, budget: int) -> Arch | None:
        look, left, idle, last = TableLookup(self.table, seed=number), budget, 0, None

        def estimate(arch: Arch, **ignored) -> Evaluation:
            nonlocal left, idle
            if left == 0:
                raise BudgetSpent
            left, idle = left - 1, 0
            return look(space.check(arch))

        try:
            for answer in search(space, estimate, np.random.default_rng([self.seed, number])):
                idle += 1
                if idle > PATIENCE:
                    raise ValueError(f"round {number}: {PATIENCE:,} answers and no question in between; it never ends")
                last = space.check(answer)
        except BudgetSpent:
            pass
        return last

    def regrets(self, entry: Entry) -> np.ndarray:
        """What each answer is below the best within the bound, points of test accuracy, float (rounds,).

        An answer whose other trainings all failed counts as the worst within the bound; a round whose answer has no
        other training is nan. ValueError if the entry is of another challenge or table,
        or names what the table does not have.
        """
        if (entry.digest, entry.challenge) != (self.table.digest, self.name):
            raise ValueError(
                f"{entry.name}: played another challenge ({entry.challenge:.80}, table {entry.digest[:8]}) than this "
                f"one ({self.name}, table {self.table.digest[:8]})"
            )
        if len(entry.answers) != self.rounds:
            raise ValueError(f"{entry.name}: {len(entry.answers)} answers to {self.rounds} rounds")
        allowed, lonely = self.table.column("madds") <= self.limit, self.table.there.sum(1) < 2
        lonely &= self.table.there.shape[1] > 1
        out: list[float] = []
        for number, text in enumerate(entry.answers):
            truth = 100 * self.table.truth(number)
            known = truth[allowed & np.isfinite(truth)]
            best, worst = known.max(initial=0), known.min(initial=100)
            truth = np.where(np.isfinite(truth) | lonely, truth, worst)
            row = self._row(text) if text else None
            out.append(best - (truth[row] if row is not None and allowed[row] else worst))
        return np.array(out)

    def _row(self, text: str) -> int:
        try:
            return self.table.row(self.table.space.from_text(text))
        except (KeyError, ValueError) as error:
            raise ValueError(f"the table has no {text!r:.120}") from error

    def score(self, entry: Entry) -> float:
        """Mean regret over the rounds that can be judged, points: 0 is best; nan if there is none."""
        regrets = self.regrets(entry)
        return float(regrets[~np.isnan(regrets)].mean()) if not np.isnan(regrets).all() else nan


# ---------------------------------------------------------------------- the file
def hand_in(entry: Entry, path: str | Path) -> Path:
    """Append an entry to a leaderboard file, which is made if it is not there.

    Several may hand in to one file: each waits for its turn. A last line that a kill tore off is written over.
    """
    path = Path(path).expanduser()
    with reported(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"version": VERSION} | vars(entry), ensure_ascii=False).encode("utf-8", "backslashreplace")
    with Writing(path, wait=HAND_IN) as file:
        raw = path.read_bytes()
        if not raw.endswith(b"\n") and (last := raw[raw.rfind(b"\n") + 1 :]):
            if _is_json(last):  # somebody's editor left out the end of the line
                line = b"\n" + line
            else:
                file.cut(len(raw) - len(last))
        file.append(line + b"\n")
    return path


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True


def read(path: str | Path) -> Iterator[Entry]:
    """The entries of a file, in order. ValueError with the line that is none, or that a newer nasviz wrote."""
    for found in _entries(path):
        if isinstance(found, ValueError):
            raise found
        yield found


def _entries(path: str | Path) -> Iterator[Entry | ValueError]:
    """Each line's entry, or why it is none."""
    lines = textfile.read_text(Path(path).expanduser(), MOST).split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = textfile.json_object(line)
            check_version(f"{path}, line {number},", found.get("version", 1), VERSION)  # the first had none
            texts = found["answers"]
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise ValueError("its answers are no list of texts")
            yield Entry(found["name"], tuple(texts), str(found["digest"]), str(found["challenge"]))
        except OtherVersion as error:
            yield error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            torn = number == len(lines)  # nothing ended it
            why = f"it is cut short ({error})" if torn else f"it has no {error}" if type(error) is KeyError else error
            yield ValueError(f"{path}, line {number}: no entry of a leaderboard: {why}. Hand that entry in again")


def collect(paths: Iterable[str | Path], challenge: Challenge) -> tuple[list[tuple[str, float]], list[str]]:
    """Rank the files of a class.

    Returns
    -------
    ranking : list of (name, mean regret in points)
        Each name's best entry, the best name first. Computed again from the architectures.
    problems : list of str
        What could not be counted, and why: one bad line or file does not spoil the others. And names that stand in
        several files with other answers: they may be two people.
    """
    best: dict[str, float] = {}
    heard: dict[str, dict[str, set]] = {}  # name: file: answers
    problems = []
    for path in paths:
        try:
            found = list(_entries(path))
        except (OSError, ValueError) as error:
            problems.append(str(error))
            continue
        for entry in found:
            if isinstance(entry, ValueError):
                problems.append(str(entry))
                continue
            name = " ".join(unicodedata.normalize("NFC", entry.name).split())  # as it looks
            try:
                score = challenge.score(entry)
            except ValueError as error:
                problems.append(f"{path}: {error}")
                continue
            if not isfinite(score):
                problems.append(f"{path}: {name}: no answer can be judged, as the table has no other training of them")
                continue
            heard.setdefault(name, {}).setdefault(str(path), set()).add(entry.answers)
            best[name] = min(score, best.get(name, score))
    for name, files in heard.items():
        if len(set(map(frozenset, files.values()))) > 1:
            told = f"{name} stands in {', '.join(files):.300} with other answers, and the best is ranked"
            problems.append(f"{told}. If these are two people, give them two names")
    return sorted(best.items(), key=lambda pair: pair[1]), problems


def table(ranking: Iterable[tuple[str, float]]) -> str:
    """A ranking as Markdown."""
    safe = [(re.sub(r"([|\\`*_<>\[\]])", r"\\\1", name), score) for name, score in ranking]
    lines = [f"| {place} | {name} | {score:.2f} |" for place, (name, score) in enumerate(safe, 1)]
    return "\n".join(["| | who | mean regret, points |", "| ---: | --- | ---: |", *lines])


def main(argv=None) -> int:
    """Rank leaderboard files on the terminal; 1 if something could not be counted, or is doubtful."""
    parser = argparse.ArgumentParser("python -m nasviz.course.capstone", description="Rank leaderboards of a class.")
    parser.add_argument("files", nargs="+", type=Path)
    ranking, problems = collect(parser.parse_args(argv).files, Challenge())
    print(table(ranking))
    for problem in problems:
        print("to look at:", problem)
    return int(bool(problems))


if __name__ == "__main__":
    raise SystemExit(main())
