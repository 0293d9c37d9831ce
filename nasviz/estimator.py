"""The contract of estimators, which judge architectures, and the progress within an evaluation.

An evaluation calls `report` between batches. A watcher (a player, a progress bar) installs a hook with `watching`; the
hook may block (pause) or raise `Cancelled` (stop). A cancelled evaluation leaves no record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

from .space import Arch, SearchSpace
from .step import Evaluation


class Cancelled(Exception):
    """The exception by which a hook stops the evaluation that reports to it."""


@dataclass(frozen=True)
class Progress:
    """The progress of an evaluation.

    Parameters
    ----------
    arch : tuple of int
    epoch, epochs : int
        Finished epochs, and all epochs of this training.
    batch, batches : int
        Finished batches of the current epoch, and all batches of an epoch.
    loss : float
        Training loss of the last batch, nats.
    accuracy : float
        Validation accuracy after the last finished epoch, 0 to 1; nan before the first epoch, or if not measured.
    index : int
        Place of the architecture among those given to ``many``; 0 in a single evaluation.
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
    """Call ``hook`` with each `Progress` of the evaluations inside the ``with`` block, in this thread.

    With ``curve=False`` the validation accuracy is not measured after each epoch, which saves time.
    """
    tokens = _hook.set(hook), _curve.set(curve)
    try:
        yield
    finally:
        _hook.reset(tokens[0])
        _curve.reset(tokens[1])


def report(progress: Progress) -> None:
    """Pass ``progress`` to the hook of this thread, if there is one. `Cancelled` from the hook is passed on."""
    if hook := _hook.get():
        hook(progress)


def watched() -> bool:
    """Return whether a hook is installed in this thread."""
    return _hook.get() is not None


def curve_wanted() -> bool:
    """Return whether a hook is installed that needs the validation accuracy after each epoch."""
    return _curve.get()


class Estimator:
    """A judge of architectures. It is pure: the same question (architecture, epochs, seed) has the same answer.

    Subclasses define ``__call__``; those that can work on several architectures at once also define `many`.
    """

    if TYPE_CHECKING:  # read-only for whoever asks: a subclass has a field or a property

        @property
        def space(self) -> SearchSpace:
            """Whose architectures it judges."""

    else:
        space: SearchSpace

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Evaluate ``arch``. ``epochs``: stop the full recipe after this number of epochs."""
        raise NotImplementedError(f"{type(self).__name__} judges nothing yet: write __call__(arch, *, epochs, seed)")

    def many(self, archs: Iterable[Arch], *, epochs: int | None = None, seed: int = 0) -> Iterator[Evaluation]:
        """Yield the evaluations of ``archs`` in order, lazily; the i-th has seed ``seed + i``."""
        for i, arch in enumerate(archs):
            yield self(arch, epochs=epochs, seed=seed + i)
