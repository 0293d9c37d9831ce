"""Searches and estimators whose time a test decides: for the tests of players."""

import dataclasses
import threading
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from toys import Toy

from nasviz.estimator import Estimator, Progress, report
from nasviz.knobs import knob
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation, Step
from nasviz.strategies import RegularizedEvolution

SPACE = NasBench201()


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.005)


def evolution(n=30, **fields):
    return RegularizedEvolution(SPACE, Toy(SPACE), population=10, tournament=3, evaluations=n, **fields)


@dataclass
class Slow(Estimator):
    """Trains for a hundred batches; each waits until the test lets it go, see `let`."""

    space: object
    batches: int = 100
    begun: int = dataclasses.field(default=0, compare=False)
    ended: int = dataclasses.field(default=0, compare=False)
    gate: threading.Semaphore = dataclasses.field(default_factory=lambda: threading.Semaphore(0), compare=False)

    def let(self, batches):
        """Allow so many more batches, of whichever evaluation."""
        self.gate.release(batches)

    def __call__(self, arch, *, epochs=None, seed=0):
        self.begun += 1
        for batch in range(self.batches):
            assert self.gate.acquire(timeout=60)
            report(Progress(arch, 0, 1, batch + 1, self.batches))
        self.ended += 1
        return Evaluation(tuple(arch), {"accuracy": 0.5, "madds": 1.0}, 1.0, 1, seed)


@dataclass
class Failing(Estimator):
    space: object
    after: int = 3
    healed: bool = False

    def __call__(self, arch, *, epochs=None, seed=0):
        if seed == self.after and not self.healed:
            raise RuntimeError("no <luck> today")
        return Evaluation(tuple(arch), {"accuracy": 0.5}, 0.1, 1, seed)


@dataclass
class Count:
    """Counts, a step a call, as fast as it can or as slowly as asked."""

    shows: ClassVar = ("loss",)
    space: object
    steps: int = 100_000
    pause: float = 0.0
    rate: float = knob(0.5, 0.0, 1.0, help="Nothing depends on it")

    def __len__(self):
        return self.steps

    def __iter__(self):
        for i in range(self.steps):
            time.sleep(self.pause)
            yield Step(loss=float(i))


@dataclass
class CountWeights(Count):
    shows: ClassVar = ("alphas", "loss")

    def __iter__(self):
        for step in super().__iter__():
            yield Step(alphas=np.full((6, 5), 0.2, "<f4"), **step.shows)
