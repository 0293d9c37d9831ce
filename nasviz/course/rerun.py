"""The challenge, replayed: each search that was handed in plays again, under a seed that nobody knew.

    python -m nasviz course capstone labs/*/leaderboard.jsonl                files of answers, as `capstone` ranks them
    python -m nasviz course capstone --rerun SUBMISSIONS --seed SECRET       searches, in notebooks

A search runs in a process of its own that has no table and opens no file. It is handed the space, and asks for values
through a pipe. The seed is in no process from which it comes: its hidden budgets cannot be worked out. Three things are
told of a search that may know the table nevertheless:

- its answers hardly change if all values are dealt out anew: it is not ranked;
- what it asks for first in each round, before it was told anything, is among the best: for a person to look at;
- so are its answers in the rounds that end after a few questions: for a person to look at.
"""

from __future__ import annotations

import gc
import hashlib
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from ..estimators import nasbench201_table
from ..estimators.table import Table
from . import bounds, capstone
from .capstone import Challenge, Entry
from .grading import child, pristine, submissions
from .grading import limits as confined
from .grading.child import Work
from .grading.judge import Answer
from .grading.limits import Limits, User
from .grading.wire import Broken, Cannot, Peer, names_of

SEARCH = "my_search"
FIXED = 0.8  # share of rounds with the same answer whatever is told, from which on a search is not ranked
KNOWING = 0.9  # mean place of the first questions among the architectures within the bound, 0 to 1
SHORT, FEW = 10, 5  # questions of a short round; so many short rounds tell something
LUCKY = 0.95  # mean place of what is answered in short rounds; honest searches reach 0.8
BYTES = 4  # of a seed


@dataclass(frozen=True)
class Replayed:
    """What came of one search.

    Attributes
    ----------
    who : str
    regret : float
        Mean over the rounds, points; nan if it is not ranked.
    why : str
        Why it is not ranked, or what a person should look at; empty if nothing.
    """

    who: str
    regret: float
    why: str = ""


def secret(text: str) -> int:
    """The seed that a text stands for."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:BYTES], "big")


def dealt_anew(table: Table, seed: int) -> Table:
    """The table with the accuracies of other rows: what is told of an architecture says nothing. Costs stay."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(table.archs))
    columns = {name: column if name == "madds" else column[order] for name, column in table.columns.items()}
    return replace(table, columns=columns)


def serve(pipe: Connection, work: Work, limits: Limits, user: User | None, folder: str) -> None:
    """Be the process of a search: load what its cell may name, give up all files, run it, answer."""
    child.quiet()
    pristine.imported(work.lab)
    confined.confine(limits, user, folder, bare=True)
    child.answer(pipe, lambda: child.namespace(work))


class _Listening:
    """A challenge's estimator's questions, noted: the first of each round."""

    def __init__(self, search):
        self.search, self.first = search, []

    def __call__(self, space, estimate, rng):
        fresh = True

        def asked(arch, **named):
            nonlocal fresh
            if fresh:
                self.first.append(tuple(arch))
                fresh = False
            return estimate(arch, **named)

        return self.search(space, asked, rng)


def replay(who: str, answer: Answer, game_of: Callable, limits: Limits, user: User | None = None) -> Replayed:
    """Let a search play in a process of its own, twice: with what is so, and with values that are dealt anew.

    This process must know neither table nor seed yet, since the search's is made from it: ``game_of()`` brings both.
    """
    work = Work(answer.exercise.lab, answer.exercise.name, answer.cell, answer.helpers)
    with child.started(serve, (work, limits, user), user) as pipe:

        def play() -> Replayed:
            told = game_of()
            search = dict(names_of(Peer(pipe), [SEARCH])).get(SEARCH)
            if search is None:
                return Replayed(who, np.nan, f"no {SEARCH} is in its cell")
            listening = _Listening(search)
            entry = told.play(listening, "search")
            blind = replace(told, table=dealt_anew(told.table, told.seed)).play(search, "search")
            return _judged(who, told, entry, blind, listening.first)

        try:
            return bounds.within(limits.wall, play)
        except bounds.OutOfTime:
            return Replayed(who, np.nan, f"it did not end within {limits.wall:g} seconds")
        except NotImplementedError:
            return Replayed(who, np.nan, "not written yet")
        except (Broken, Cannot) as error:
            return Replayed(who, np.nan, str(error))
        except Exception as error:
            return Replayed(who, np.nan, getattr(error, "elsewhere", "") or f"{type(error).__name__}: {error}"[:300])


def _judged(who: str, game: Challenge, entry: Entry, blind: Entry, first: list) -> Replayed:
    same = np.mean([a == b for a, b in zip(entry.answers, blind.answers, strict=True)])
    if same >= FIXED:
        told = f"in {same:.0%} of the rounds its answer is the same whatever it is told: it knows, and does not search"
        return Replayed(who, np.nan, told)
    table = game.table
    truth = table.column("test_accuracy", None)
    allowed = np.sort(truth[table.column("madds") <= game.limit])

    def place(archs) -> float:
        rows = [row for row in map(table.find, archs) if row >= 0]
        return float(np.mean([np.searchsorted(allowed, truth[row]) / len(allowed) for row in rows])) if rows else 0.0

    short = [text for text, budget in zip(entry.answers, game.budgets(), strict=True) if text and budget <= SHORT]
    why = ""
    if (begun := place(first)) >= KNOWING:
        why = f"its first questions stand at {begun:.0%} of all within the bound: does it know the table?"
    elif len(short) >= FEW and (soon := place(map(table.space.from_text, short))) >= LUCKY:
        why = f"after {SHORT} questions or fewer its answers stand at {soon:.0%} of all: does it know the table?"
    return Replayed(who, game.score(entry), why)


def game(seed: int, path: Path | None = None, **more) -> Challenge:
    """The challenge of a seed, on the package's table or another one."""
    return Challenge(Table.load(path), seed=seed, **more) if path else Challenge(seed=seed, **more)


def _replaying(pipe: Any, key: socket.socket | int, who: str, answer: Answer, limits: Limits, more: dict) -> None:
    """Be the referee of one search."""
    confined.adopt_orphans()
    pipe.send(replay(who, answer, lambda: game(_looked_up(key), **more), limits, confined.own_user()))


def _looked_up(key: socket.socket | int) -> int:
    """The seed. It is looked at and left where it is, so that each referee finds it there."""
    return key if isinstance(key, int) else int.from_bytes(key.recv(BYTES, socket.MSG_PEEK), "big")


def _refereeing(pipe: Any, key: socket.socket | int, folder: Path, limits: Limits, jobs: int, more: dict) -> None:
    """Be the process of which all referees are made: it was begun anew, and has not looked at the seed."""
    with suppress(BrokenPipeError):  # nobody listens any more
        for one in _each(folder, key, limits, jobs, more):
            pipe.send(one)
        pipe.send(None)


def _each(folder: Path, key: socket.socket | int, limits: Limits, jobs: int, more: dict) -> Iterator[Replayed | str]:
    found = list(submissions.read(folder))
    yield from (one for one in found if isinstance(one, str))
    todo = [
        (one.who, answer)
        for one in found
        if not isinstance(one, str)
        for exercise, answer in one.answers
        if answer is not None and exercise.check and SEARCH in exercise.asked
    ]
    for lab in {answer.exercise.lab for _, answer in todo}:
        pristine.imported(lab)  # once, before processes are forked; it loads no table
    nasbench201_table.cache_clear()  # a script that called this one may have, and is run again in a process begun anew
    gc.collect()
    context: Any = get_context("fork" if confined.FORKS else "spawn")
    going: list[tuple[Any, Any, str]] = []
    for who, answer in todo:
        mine, its = context.Pipe()
        process = context.Process(target=_replaying, args=(its, key, who, answer, limits, more))
        process.start()
        its.close()
        going.append((process, mine, who))
        if len(going) == jobs:
            yield from _ended(going)
    while going:
        yield from _ended(going)


def _ended(going: list) -> Iterator[Replayed]:
    process, pipe, who = going.pop(0)
    try:
        yield pipe.recv()
    except EOFError:
        yield Replayed(who, np.nan, "it brought the process of its referee to an end")
    process.join()


def replayed(folder: Path, seed: int, limits: Limits, jobs: int = 2, **more) -> Iterator[Replayed | str]:
    """What came of each search in a folder of notebooks, and a sentence for each file that cannot be read.

    Parameters
    ----------
    folder : Path
    seed : int
        Of the challenge: budgets, and what the searches draw; 0 to 2**32 - 1.
    limits : Limits
        For each search, with all rounds.
    jobs : int
        Searches at once.
    more
        ``path`` of another table, and further fields of `nasviz.course.capstone.Challenge`.

    Raises
    ------
    RuntimeError
        If the process of the referees ends before it has told of all.
    """
    context = get_context("spawn")  # forked from this one, a search would find the seed in its memory
    mine, its = context.Pipe()
    with _shown(seed) as key:
        process = context.Process(target=_refereeing, args=(its, key, folder, limits, jobs, more))
        with _without_arguments():
            process.start()
        its.close()
        try:
            while (one := mine.recv()) is not None:
                yield one
        except EOFError:
            raise RuntimeError("the process of the referees ended: start again") from None
        finally:
            mine.close()
            process.join()


@contextmanager
def _shown(seed: int) -> Iterator[socket.socket | int]:
    """Where the referees find the seed: on a socket, if a search is forked from its referee; else the seed itself."""
    if not confined.FORKS:
        yield seed
        return
    mine, its = socket.socketpair()
    with mine, its:
        mine.sendall(seed.to_bytes(BYTES, "big"))
        yield its


@contextmanager
def _without_arguments() -> Iterator[None]:
    """A process that is begun meanwhile is not told this one's command line, where the secret stands."""
    kept, sys.argv = sys.argv, sys.argv[:1]
    try:
        yield
    finally:
        sys.argv = kept


def add_command(commands) -> None:
    """Add ``capstone`` to a parser's subcommands."""
    import argparse

    one = commands.add_parser(
        "capstone",
        help="rank a class's challenge: by files of answers, or by replaying searches",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.set_defaults(do=do_capstone)
    one.add_argument("files", nargs="*", type=Path, help="leaderboard.jsonl of students")
    one.add_argument("--rerun", type=Path, metavar="SUBMISSIONS", help="a folder of notebooks: replay their searches")
    one.add_argument("--seed", help="with --rerun: any text that the class does not know")
    one.add_argument("--table", type=Path, help="another table of NAS-Bench-201, such as one of your own (.npz)")
    one.add_argument("--wall", type=float, default=300, help="seconds for a search, all rounds (default: 300)")
    one.add_argument("--jobs", type=int, default=2, help="searches at once (default: 2)")


def do_capstone(options) -> int:
    """Rank, say what is to be looked at; 1 if something is, 2 if nothing was done."""
    if bool(options.files) == bool(options.rerun) or bool(options.rerun) != bool(options.seed):
        print("name files of answers, or --rerun SUBMISSIONS and --seed SECRET", file=sys.stderr)
        return 2
    if options.files:
        ranking, problems = capstone.collect(options.files, game(0, options.table))
    else:
        ranking, problems = [], []
        limits = Limits(cpu=options.wall, wall=options.wall)
        for one in replayed(options.rerun, secret(options.seed), limits, options.jobs, path=options.table):
            if isinstance(one, str):
                problems.append(one)
                continue
            if one.why:
                problems.append(f"{one.who}: {one.why}")
            if np.isfinite(one.regret):
                ranking.append((one.who, one.regret))
        ranking.sort(key=lambda pair: pair[1])
    print(capstone.table(ranking))
    for problem in problems:
        print("to look at:", problem)
    return int(bool(problems))
