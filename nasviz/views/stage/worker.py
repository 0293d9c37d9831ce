"""The thread that takes the steps of a search, and carries out one command at a time between them.

Commands come from any thread and wait in a queue, so that buttons react while a step is computed. In an evaluation
that reports its progress, they are heeded between two batches too.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum, auto
from math import inf

from ...estimator import Cancelled, Progress, watching
from ...step import Step

RATE = 10  # the most pictures a second: more only slow the search down


class Command(Enum):
    """What a worker can be told."""

    PLAY = auto()  # take steps to the end
    STEP = auto()  # take a given number of steps
    PAUSE = auto()  # wait after the present step, or between two batches of it
    STOP = auto()  # drop the present evaluation, and wait
    RESET = auto()  # end this search, and wait with a new one
    CLOSE = auto()  # end this search for good


_HOLDS_THE_STEP = (Command.PLAY, Command.STEP, Command.PAUSE)  # the others end the evaluation in which they are given


@dataclass(frozen=True)
class Reports:
    """What a worker calls, in its own thread, with its lock held.

    Attributes
    ----------
    started()
        Steps are about to be taken.
    stepped(step)
        A step was taken. The answer says whether it is new: a run that is iterated again begins with its record.
    progressed(share)
        The share of the present evaluation that is done, 0 to 1.
    rested()
        The worker waits: what it reported so far must be seen now.
    reset()
        A new search must be made.
    ended(error)
        The search is over, with the exception that it raised, if any.
    """

    started: Callable[[], None]
    stepped: Callable[[Step], bool]
    progressed: Callable[[float], None]
    rested: Callable[[], None]
    reset: Callable[[], None]
    ended: Callable[[BaseException | None], None]


class Worker:
    """A thread, its lock, and a queue of commands. The thread lives while a search is open.

    Parameters
    ----------
    search : callable
        Begins the search, or goes on with it: returns a generator of steps. Closing it closes its record.
    reports : Reports
    name : str
        The name of the thread.
    finished : bool
        Whether the search has no step left.

    Attributes
    ----------
    changed : Condition
        The lock, and the signal that something has changed.
    finished : bool
        Whether the search came to its end.
    closed : bool
        Whether `Command.CLOSE` was given. No command is taken after it.
    """

    def __init__(
        self, search: Callable[[], Generator[Step, None, None]], reports: Reports, name: str, finished: bool = False
    ):
        self.changed = threading.Condition(threading.RLock())
        self.finished, self.closed = finished, False
        self._search, self._reports, self._name = search, reports, name
        self._queue: deque[tuple[Command, float]] = deque()
        self._thread: threading.Thread | None = None
        self._steps: Generator[Step, None, None] | None = None  # the open search
        self._left = 0.0  # steps to take before the next rest
        self._pace = 0.0

    # ------------------------------------------------------------------ from any thread
    def order(self, command: Command, steps: float = 0) -> None:
        """Put a command into the queue. ``steps``: how many, for `Command.STEP`. Nothing happens after CLOSE."""
        with self.changed:
            if self.closed:
                return
            self.closed = command is Command.CLOSE
            if self._thread is None and command in (Command.PAUSE, Command.STOP, Command.CLOSE):
                return  # no search is open: there is nothing to end
            self._queue.append((command, inf if command is Command.PLAY else steps))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
            self.changed.notify_all()

    @property
    def playing(self) -> bool:
        """Whether steps are being taken, or will be when the commands in the queue are carried out."""
        with self.changed:
            return not self.finished and (self._queue[-1][1] if self._queue else self._left) > 0

    @property
    def idle(self) -> bool:
        """Whether no search is open and no command waits."""
        return self._thread is None

    @property
    def pace(self) -> float:
        """The least time from one step to the next, seconds. A new one acts at once."""
        return self._pace

    @pace.setter
    def pace(self, seconds: float) -> None:
        with self.changed:
            self._pace = seconds
            self.changed.notify_all()

    def wait(self) -> None:
        """Wait until all commands are carried out and no more steps are being taken."""
        with self.changed:
            while self._queue or self._left:
                self.changed.wait(0.2)  # with a limit: an interrupt of the kernel must come through

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, at most so many seconds. From within the thread: not at all."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    # ------------------------------------------------------------------ in the thread
    def _work(self) -> None:
        try:
            self._take_steps()
        except BaseException:  # even the error could not be shown: nobody may wait for a thread that is no more
            with self.changed:
                self._thread, self._left = None, 0.0
                self._queue.clear()
                self.changed.notify_all()
            raise

    def _take_steps(self) -> None:
        with watching(self._between_batches, curve=False):
            while True:
                if self._queue or not self._left:  # else no lock: steps may be fast
                    if not self._carry_out_commands():
                        return
                assert self._steps is not None  # there is a step to take
                before = time.monotonic()
                try:
                    if self._new(next(self._steps)):
                        self._wait_until_due(before)
                except StopIteration:
                    self._end(finished=True)
                except Cancelled:
                    self._end()
                except BaseException as error:  # of the search or of its picture: else it would be lost in the thread
                    self._end(error)

    def _carry_out_commands(self) -> bool:
        """Carry out what is in the queue, and wait there until a step is to be taken. False: no search is open."""
        with self.changed:
            while True:
                if self._queue:
                    self._carry_out(*self._queue.popleft())
                elif self._left:
                    self._steps = self._steps or self._search()
                    return True
                elif self._steps:
                    self._rest()
                else:
                    self._thread = None
                    self._reports.rested()
                    self.changed.notify_all()
                    return False

    def _carry_out(self, command: Command, steps: float) -> None:
        self._left = 0.0 if self.finished else steps
        if command in (Command.RESET, Command.CLOSE):
            if self._steps:
                self._steps.close()
            self._steps = None
        if command is Command.RESET:
            self.finished = False
            self._reports.reset()
        if self._left:
            self._reports.started()

    def _rest(self) -> None:
        """Wait for a command, and have everything seen before."""
        self._reports.rested()
        self.changed.notify_all()
        self.changed.wait()

    def _heed(self) -> bool:
        """Carry out the commands that leave the present step as it is. True: one waits that ends it."""
        while self._queue and self._queue[0][0] in _HOLDS_THE_STEP:
            self._carry_out(*self._queue.popleft())
        return bool(self._queue)

    def _between_batches(self, progress: Progress) -> None:
        """Heed commands within an evaluation: wait while it is paused, or cancel it."""
        with self.changed:
            self._reports.progressed((progress.epoch + progress.batch / progress.batches) / progress.epochs)
            while True:
                if self._heed():
                    raise Cancelled
                if self._left:
                    return
                self._rest()

    def _new(self, step: Step) -> bool:
        """Report a step. Return whether it is new."""
        with self.changed:
            if not self._reports.stepped(step):
                return False
            self._left -= 1
            if not self._left:
                self._reports.rested()  # whoever waits for the last step goes on after it is drawn
                self.changed.notify_all()  # only now: to wake somebody at each step is slow
            return True

    def _wait_until_due(self, before: float) -> None:
        """Wait until the pace allows another step. A new pace or a command takes effect at once."""
        if not self._pace:
            return
        with self.changed:
            while self._pace and not self._heed() and self._left:
                due = before + self._pace - time.monotonic()
                if due <= 0:
                    return
                if due > 1 / RATE:
                    self._reports.rested()  # the next step may be far away
                self.changed.wait(due)

    def _end(self, error: BaseException | None = None, finished: bool = False) -> None:
        with self.changed:
            self._steps, self._left, self.finished = None, 0.0, finished
            self._reports.ended(error)
            self._reports.rested()
            self.changed.notify_all()
