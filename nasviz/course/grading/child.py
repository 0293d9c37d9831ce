"""The process in which a student's code runs: within limits, asked through a pipe, and trusted in nothing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from . import limits as bounds
from . import pristine, source
from .limits import Limits, User
from .wire import Peer


@dataclass(frozen=True)
class Work:
    """What a child is to run.

    Attributes
    ----------
    lab : str
        The stem of the installed lab whose imports come first.
    name : str
        The exercise.
    cell : str
        The student's cell.
    helpers : tuple of str
        Cells that the student added: their imports, functions and classes are there too.
    """

    lab: str
    name: str
    cell: str
    helpers: tuple[str, ...] = ()


def namespace(work: Work) -> dict:
    """Run a student's cell, and what it needs; what the cell raises comes out."""
    names = dict(pristine.imported(work.lab)) | {"__name__": "__main__"}
    for number, helper in enumerate(work.helpers):
        with suppress(Exception):
            source.run(source.definitions(helper), f"own cell {number}", names)
    file = f"cell of {work.name}"
    return source.run(source.shown(work.cell, file), file, names)


def serve(pipe: Connection, work: Work, limits: Limits, user: User | None, folder: str) -> None:
    """Be the process: take the limits, run the cell, answer."""
    quiet()
    bounds.confine(limits, user, folder)
    answer(pipe, lambda: namespace(work))


def answer(pipe: Connection, begin: Callable[[], dict]) -> None:
    """Run what makes the names, and answer for them; where it stops, say so to whoever asks."""
    peer = Peer(pipe)
    try:
        peer.names = begin()
    except BaseException as error:
        failed = Peer.told(error)
        peer.receive()
        peer.send({"e": failed})
        return
    peer.serve()


def quiet() -> None:
    """Let what is printed go nowhere: no file fills up, and nobody waits for a reader."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    sys.stdin, sys.stdout, sys.stderr = open(0, closefd=False), open(1, "w", closefd=False), open(2, "w", closefd=False)


@contextmanager
def running(work: Work, limits: Limits, user: User | None = None) -> Iterator[Connection]:
    """A child that runs ``work``; the pipe to it. In the end it is ended, with all that it has started."""
    with started(serve, (work, limits, user), user) as pipe:
        yield pipe


@contextmanager
def started(target: Callable, arguments: tuple, user: User | None) -> Iterator[Connection]:
    """A process of ``target(pipe, *arguments, folder)``, with a folder of its own that goes with it."""
    with tempfile.TemporaryDirectory(prefix="nasviz-", ignore_cleanup_errors=True) as folder:
        if user:
            os.chown(folder, user.number, user.number)
        context = get_context("spawn")
        mine, its = context.Pipe()
        if bounds.FORKS:
            if (pid := os.fork()) == 0:
                _fork(target, its, arguments, folder)
            its.close()
            try:
                yield mine
            finally:
                mine.close()
                bounds.end(pid, user)
            return
        process = context.Process(target=target, args=(its, *arguments, folder), daemon=True)
        process.start()
        its.close()
        try:
            yield mine
        finally:
            mine.close()
            process.kill()
            process.join()


def _fork(target: Callable, pipe: Connection, arguments: tuple, folder: str) -> None:
    """In the new process: keep no file of the judge's open, and never come back."""
    try:
        keep = pipe.fileno()
        os.closerange(3, keep)
        os.closerange(keep + 1, 65_536)
        target(pipe, *arguments, folder)
    finally:
        os._exit(0)
