"""A strategy by ask and tell: somebody else's loop asks what to evaluate, and tells what came out.

A strategy calls its estimator, and its generator waits inside that call. Here a thread waits, and the loop outside goes
on whenever it likes: in an hour, or with an answer from another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from weakref import finalize

from .estimator import Estimator
from .space import Arch
from .step import Evaluation, Step

Question = tuple[Arch, int | None, int]
POLL = 0.5  # seconds: on Windows a wait without an end cannot be interrupted


class _Forgotten(BaseException):
    """The exception that ends a strategy whose `AskTell` is gone."""


class _Over:
    """What comes after the last question; ``error`` is what the strategy raised, if it did."""

    def __init__(self, error: BaseException | None):
        self.error = error


class _HandedOut(Estimator):
    """An estimator that hands its question out and waits for the answer."""

    def __init__(self, asked: SimpleQueue[Question | _Over], told: SimpleQueue[Evaluation | None]):
        self.asked, self.told = asked, told

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        self.asked.put((arch, epochs, seed))
        answer = self.told.get()
        if answer is None:
            self.told.put(None)  # also for a strategy that caught the exception and asks on
            raise _Forgotten
        return answer


class AskTell:
    """A search of which one asks what to evaluate, and which one tells the result.

    One question is open at a time. An `AskTell` that nobody refers to any more ends its strategy and its thread.

    Parameters
    ----------
    make : function of an estimator
        Makes the strategy: ``lambda estimate: LocalSearch(space, estimate, evaluations=50)``.

    Attributes
    ----------
    search : strategy
    steps : list of Step
        What the strategy has yielded: all steps before the open question.

    Examples
    --------
    >>> from nasviz import Evaluation, spaces, strategies
    >>> space = spaces.NasBench201()
    >>> search = AskTell(lambda estimate: strategies.RandomSearch(space, estimate, evaluations=3))
    >>> while question := search.ask():
    ...     arch, epochs, seed = question
    ...     search.tell(Evaluation(arch, {"accuracy": sum(arch) / 24}, seed=seed))
    >>> len(search.steps)
    3
    """

    def __init__(self, make: Callable[[Estimator], Iterable[Step]]):
        self._asked: SimpleQueue[Question | _Over] = SimpleQueue()
        told: SimpleQueue[Evaluation | None] = SimpleQueue()
        self._told = told
        self._open: Question | _Over | None = None
        self.steps: list[Step] = []
        self.search = make(_HandedOut(self._asked, told))
        finalize(self, told.put, None)
        # given what it needs and not self, which could then never be forgotten
        given = (self.search, self._asked, self.steps)
        Thread(target=_search, args=given, name=f"ask and tell of {self.search!r:.60}", daemon=True).start()

    def ask(self) -> Question | None:
        """Return what to evaluate, and wait until the strategy knows it.

        Returns
        -------
        (arch, epochs, seed) or None
            The arguments of an estimator; the same until it is told. None at the end, however often one asks.

        Raises
        ------
        BaseException
            What the strategy raised, as it is, each time that one asks.
        """
        while self._open is None:
            with suppress(Empty):
                self._open = self._asked.get(timeout=POLL)
        if not isinstance(self._open, _Over):
            return self._open
        if self._open.error is not None:
            raise self._open.error
        return None

    def tell(self, evaluation: Evaluation) -> None:
        """Answer the open question.

        Raises
        ------
        ValueError
            If no question is open (not asked yet, told already, over), or if this is no evaluation of the architecture
            that was asked for. The question stays open.
        """
        if self._open is None or isinstance(self._open, _Over):
            why = "it was answered, or ask() was not called yet" if self._open is None else "the search is over"
            raise ValueError(f"no question is open: {why}; tell() answers what ask() returned, once")
        arch = self._open[0]
        if not isinstance(evaluation, Evaluation):
            raise ValueError(f"tell() takes a nasviz.Evaluation of {arch}, not {type(evaluation).__name__}")
        if evaluation.arch != arch:
            raise ValueError(f"the question is about {arch}, this is an evaluation of {evaluation.arch}")
        self._open = None
        self._told.put(evaluation)


def _search(search: Iterable[Step], asked: SimpleQueue[Question | _Over], steps: list[Step]) -> None:
    """Run a strategy to its end, in a thread."""
    error = None
    try:
        for step in search:
            steps.append(step)
    except BaseException as raised:  # belongs to who asks, not to this thread
        error = raised
    asked.put(_Over(error))
