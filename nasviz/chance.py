"""Random numbers of layers that draw from the global generators: they follow from a seed, and nobody else notices.

Dropout, stochastic depth, and layers that call ``torch.rand``, ``np.random`` or ``random`` draw from generators that
the whole process shares. A training gives these generators a state of its own for the time of one step, and puts the
earlier state back. So what a step draws depends on the training's seed and the number of the step alone. A generator
that a layer holds itself must be seeded by the layer: ``np.random.default_rng()`` without a seed is another one each
time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from threading import RLock
from typing import TypeVar

import numpy as np
import torch
from torch import nn

T = TypeVar("T")
BUILD, TRAIN, JUDGE, SCORE = range(4)  # what is drawn for: the first number of a key
KNOWN = ("torch.nn.modules.", "nasviz.nn.")  # modules whose layers draw only if they are among these:
DRAWING = (nn.modules.dropout._DropoutNd, nn.RReLU, nn.FractionalMaxPool2d, nn.FractionalMaxPool3d, nn.RNNBase,
           nn.MultiheadAttention)  # fmt: skip

_lock = RLock()  # the global generators are lent to one thread at a time
if hasattr(os, "register_at_fork"):  # a child process must not inherit a lent generator, nor a lock that nobody opens
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@contextmanager
def drawn_from(*key: int) -> Iterator[None]:
    """Start the global generators from ``key`` inside the ``with`` block, and restore them after it, errors included.

    These are the generators of torch (on the CPU, and on every GPU in use), of NumPy and of Python. Other threads that
    need them in this way wait. ``key``: whole numbers from 0.
    """
    first, second = np.random.SeedSequence(key).generate_state(2).tolist()
    with _lock:
        gpus = torch.cuda.default_generators if torch.cuda.is_initialized() else ()
        kept = [generator.get_state() for generator in (torch.default_generator, *gpus)]
        kept_numpy, kept_python = np.random.get_state(), random.getstate()
        try:
            for generator in (torch.default_generator, *gpus):
                generator.manual_seed(first)
            np.random.seed(second)
            random.seed(first)
            yield
        finally:
            for generator, state in zip((torch.default_generator, *gpus), kept, strict=True):
                generator.set_state(state)
            np.random.set_state(kept_numpy)
            random.setstate(kept_python)


def rewinding(one: object) -> Callable[[], object] | None:
    """Return a function that puts a generator back to its present state; None for anything else."""
    if isinstance(one, torch.Generator):
        return partial(one.set_state, one.get_state())
    if isinstance(one, np.random.Generator):
        return partial(setattr, one.bit_generator, "state", one.bit_generator.state)
    if isinstance(one, np.random.RandomState):
        return partial(one.set_state, one.get_state())
    return partial(one.setstate, one.getstate()) if isinstance(one, random.Random) else None


def may_draw(network: nn.Module) -> bool:
    """Return whether a pass through ``network`` could draw from a global generator. An unknown layer could."""
    return any(
        isinstance(layer, DRAWING)
        or not type(layer).__module__.startswith(KNOWN)
        or layer._forward_hooks
        or layer._forward_pre_hooks
        or "forward" in vars(layer)
        for layer in network.modules()
    )


class Draws:
    """The draws of one network's passes: ``with draws(TRAIN, step): …``. They cost nothing if the network never draws.

    Parameters
    ----------
    network : nn.Module
    seed : int
        The seed of the training, from 0.
    """

    def __init__(self, network: nn.Module, seed: int):
        self.seed, self.needed = int(seed), may_draw(network)

    def __call__(self, *key: int) -> AbstractContextManager[None]:
        """Return `drawn_from` the seed and ``key``, or a context that does nothing."""
        return drawn_from(self.seed, *key) if self.needed else nullcontext()

    def each(self, steps: Generator[T, None, None], first: int) -> Iterator[T]:
        """Yield ``steps``, each made with draws of its own number, from ``first``; between them nothing is lent."""
        done = object()
        try:
            while True:
                with self(TRAIN, first):
                    step = next(steps, done)
                if step is done:
                    return
                yield step  # type: ignore[misc]  # mypy does not know that `done` ended it
                first += 1
        finally:
            steps.close()
