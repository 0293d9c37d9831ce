"""Judging architectures: the estimator's contract, and progress within an evaluation.

Work inside one evaluation calls `report` between batches. Whoever watches (a player, a progress bar) installs a hook
with `watching`; the hook may block (pause) or raise `Cancelled` (stop). A cancelled evaluation leaves no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import nan

from .space import Arch, SearchSpace
from .step import Evaluation


class Cancelled(Exception):
    """Raised by a hook to stop the evaluation that reports to it."""


@dataclass(frozen=True)
class Progress:
    """Where an evaluation stands.

    Parameters
    ----------
    arch : tuple of int
    epoch, epochs : int
        Epochs finished, and epochs of this training.
    batch, batches : int
        Batches of the running epoch finished, and batches an epoch.
    loss : float
        Training loss of the last batch, nats.
    accuracy : float
        Validation accuracy after the last finished epoch, 0 to 1; nan before the first and where nobody measured.
    index : int
        Which of the architectures given to ``many``; 0 in a single evaluation.
    """

    arch: Arch
    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float = nan
    accuracy: float = nan
    index: int = 0


Hook = Callable[[Progress], None]
_hook: ContextVar[Hook | None] = ContextVar("nasviz_hook", default=None)
_curve: ContextVar[bool] = ContextVar("nasviz_curve", default=False)


@contextmanager
def watching(hook: Hook, curve: bool = True) -> Iterator[None]:
    """Have ``hook`` called with each `Progress` of the evaluations inside the ``with`` block, in this thread.

    ``curve=False`` does without the validation accuracy after each epoch, which has to be measured for it.
    """
    tokens = _hook.set(hook), _curve.set(curve)
    try:
        yield
    finally:
        _hook.reset(tokens[0])
        _curve.reset(tokens[1])


def report(progress: Progress) -> None:
    """Tell whoever watches; nothing happens where nobody does. Passes on `Cancelled` from the hook."""
    if hook := _hook.get():
        hook(progress)


def watched() -> bool:
    """Whether somebody watches at all."""
    return _hook.get() is not None


def curve_wanted() -> bool:
    """Whether somebody watches who wants the validation accuracy after each epoch."""
    return _curve.get()


class Estimator:
    """Judges architectures. Pure: the same question (architecture, epochs, seed) has the same answer.

    Subclasses write ``__call__``; those that can work on several architectures at once also write `many`.
    """

    space: SearchSpace

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """The evaluation of ``arch``. ``epochs``: stop the full recipe after so many."""
        raise NotImplementedError(f"{type(self).__name__} judges nothing yet: write __call__(arch, *, epochs, seed)")

    def many(self, archs: Iterable[Arch], *, epochs: int | None = None, seed: int = 0) -> Iterator[Evaluation]:
        """Evaluations in the order asked, lazily; the i-th has seed ``seed + i``."""
        for i, arch in enumerate(archs):
            yield self(arch, epochs=epochs, seed=seed + i)
