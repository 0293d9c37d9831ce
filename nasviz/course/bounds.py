"""Somebody's code within bounds: so much time, so much text, and what it moves in the process is put back.

A check calls what a student wrote. It may loop for ever, print a million lines, seed everybody's generator, or give
Python's own functions another meaning. `within` runs it and survives that.

What nothing in the same process survives: `os._exit`, a crash in compiled code, and a memory that fills up until the
system ends the kernel.
"""

from __future__ import annotations

import builtins
import io
import signal
import sys
import sysconfig
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from types import FrameType
from typing import TextIO, TypeVar

from ..paths import PACKAGE

LETTERS = 20_000  # of what is printed: the rest is counted
AGAIN = 0.2  # seconds until code that caught `OutOfTime` gets it again
LIBRARY = ("<frozen", str(PACKAGE), *map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib")))
T = TypeVar("T")


class OutOfTime(BaseException):
    """The exception that ends code which has used up its time."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """Call ``work`` and return its answer; raise `OutOfTime` inside it after ``seconds`` of the clock.

    What ends it is Python's handling of an interrupt: it ends a loop in Python and a `sleep` on every system, and where
    the system wakes it (not on Windows) also a wait for a lock. It cannot end a single long call of compiled code
    (``list(count())``, ``2**10**10``, a pattern that goes back and forth): that one comes to its own end first; nor a
    loop in a loop that both catch everything. Only the main thread has a limit, where a notebook's cells run; elsewhere
    ``work`` has as much time as it needs.

    Raises
    ------
    KeyboardInterrupt
        If the user interrupted, whether ``work`` caught that or not. One that ``work`` raises by itself comes out of
        ``work``, and is no interrupt.
    OutOfTime
    """
    before, traced = signal.getsignal(signal.SIGINT), sys.gettrace()
    main = threading.main_thread()
    if threading.current_thread() is not main or before is None:
        with bounded():
            return work()
    over, running, late, interrupted = threading.Event(), False, 0, False

    def handle(number, frame):
        nonlocal interrupted
        interrupted |= not late and before != signal.SIG_IGN  # once it is late, the code is being ended anyway
        if running and late > 1:
            _pursue(frame)
        if running and (late or interrupted):
            raise OutOfTime if late else KeyboardInterrupt

    def watch():
        nonlocal late
        wait = seconds
        while not over.wait(wait):
            late, wait = late + 1, AGAIN
            if hasattr(signal, "pthread_kill"):  # wakes the main thread out of a sleep
                signal.pthread_kill(main.ident, signal.SIGINT)
            else:
                signal.raise_signal(signal.SIGINT)

    watcher = threading.Thread(target=watch, name="time limit of a check", daemon=True)
    signal.signal(signal.SIGINT, handle)
    try:
        watcher.start()
        with bounded():
            try:
                running = True
                return work()
            finally:
                running = False  # what is put back is not interrupted
    finally:
        running = False
        sys.settrace(traced)
        over.set()
        watcher.join()  # first: a signal of it that comes later would interrupt the cell
        signal.signal(signal.SIGINT, before)
        if interrupted:
            raise KeyboardInterrupt


def _pursue(frame: FrameType | None) -> None:
    """Raise `OutOfTime` also at the next line: what a ``try`` catches in a loop, its ``except`` does not."""

    def at_line(frame, event, argument):
        if event == "line":
            raise OutOfTime
        return at_line

    while frame and frame.f_code is not within.__code__:
        if not frame.f_code.co_filename.startswith(LIBRARY):  # what they catch, they raise again
            frame.f_trace = at_line
        frame = frame.f_back
    sys.settrace(lambda *_: None)


# ------------------------------------------------------------------------------------------------------ what is printed
class Shortened(io.TextIOBase):
    """A stream that passes the first ``letters`` on to a page, and counts the rest."""

    encoding = "utf-8"

    def __init__(self, page: TextIO, letters: int = LETTERS):
        self.page, self.left, self.lost = page, letters, 0

    def write(self, text: str) -> int:
        shown = text[: self.left]
        self.left -= len(shown)
        self.lost += len(text) - len(shown)
        if shown:
            self.page.write(shown)
        return len(text)

    def flush(self) -> None:
        self.page.flush()

    def writable(self) -> bool:
        return True

    def end(self) -> None:
        """Say how much was left out."""
        if self.lost:
            self.page.write(f"\n… and {self.lost:,} more letters, not shown\n")


# --------------------------------------------------------------------------------------------------- what is put back
# Of modules that are loaded by then: what reads a state of the whole process, and what sets it.
STATES: tuple[tuple[str, Callable, Callable], ...] = (
    ("sys", lambda m: m.getrecursionlimit(), lambda m, was: m.setrecursionlimit(was)),
    ("os", lambda m: m.getcwd(), lambda m, was: m.chdir(was)),
    ("os", lambda m: dict(m.environ), lambda m, was: _refill(m.environ, was)),
    ("random", lambda m: m.getstate(), lambda m, was: m.setstate(was)),
    ("numpy", lambda m: m.geterr(), lambda m, was: m.seterr(**was)),
    ("numpy", lambda m: m.get_printoptions(), lambda m, was: m.set_printoptions(**was)),
    ("numpy.random", lambda m: m.get_state(), lambda m, was: m.set_state(was)),
    ("torch", lambda m: m.get_rng_state(), lambda m, was: m.set_rng_state(was)),
    ("torch", lambda m: m.get_num_threads(), lambda m, was: m.set_num_threads(was)),
    ("torch", lambda m: m.is_grad_enabled(), lambda m, was: m.set_grad_enabled(was)),
    ("torch", lambda m: m.get_default_dtype(), lambda m, was: m.set_default_dtype(was)),
    ("matplotlib", lambda m: dict(m.rcParams.copy()), lambda m, was: dict.update(m.rcParams, was)),
    ("plotly.io", lambda m: m.templates.default, lambda m, was: setattr(m.templates, "default", was)),
)
# Python's own names, as they were when this file was loaded. A notebook has an `input` of its own.
PYTHONS = {
    name: value
    for name, value in vars(builtins).items()
    if getattr(value, "__module__", "") == "builtins" and name != "input" and not name.startswith("_")
}


def _refill(mapping, was: dict) -> None:
    for name in [*mapping]:
        if name not in was:
            del mapping[name]
    for name, value in was.items():
        if mapping.get(name) != value:
            mapping[name] = value


def restore_builtins() -> None:
    """Give Python's own names their meaning again."""
    builtins.__dict__.update(PYTHONS)  # by nothing that could itself have another meaning


@contextmanager
def bounded() -> Iterator[None]:
    """Shorten what the block prints, and put back the settings and generators of the process that it moves."""
    restore_builtins()
    states = [(sys.modules[name], read, put) for name, read, put in STATES if name in sys.modules]
    kept = [(module, put, read(module)) for module, read, put in states]
    out, err = Shortened(sys.stdout), Shortened(sys.stderr)
    try:
        with warnings.catch_warnings(), redirect_stdout(out), redirect_stderr(err):
            yield
    finally:
        restore_builtins()
        for module, put, was in kept:
            with suppress(Exception):  # what can no longer be put back does not keep the others from it
                put(module, was)
        out.end()
        err.end()
