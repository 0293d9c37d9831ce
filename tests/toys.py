"""Small spaces, estimators and searches that tests share: no network, no data, answers in microseconds."""

import json
import os
import signal
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from nasviz import spaces
from nasviz.estimator import Estimator, Progress, report
from nasviz.knobs import knob
from nasviz.space import Choice, SearchSpace
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation, Step


@dataclass
class Toy(Estimator):
    """Accuracy rises with the sum of the options, with noise by seed; now and then a training fails."""

    space: SearchSpace
    noise: float = 0.05

    def __call__(self, arch, *, epochs=None, seed=0):
        rng = np.random.default_rng((seed, *arch))
        top = sum(len(choice.options) - 1 for choice in self.space.choices)
        accuracy = sum(arch) / top + self.noise * rng.normal() if rng.random() > 0.02 else float("nan")
        madds = float(1 + sum(option * option for option in arch))
        return Evaluation(tuple(arch), {"accuracy": accuracy, "madds": madds}, rng.random(), epochs or 12, seed)


@dataclass
class Mortal(Toy):
    """Kills the process that evaluates ``victim``, as long as there are matches in the folder ``fuse``.

    It stands here, not in a test: a worker that imports it needs no torch, whose import takes seconds.
    """

    victim: tuple[int, ...] = ()
    fuse: str = ""

    def __call__(self, arch, *, epochs=None, seed=0):
        if arch == self.victim and (matches := sorted(Path(self.fuse).iterdir())):
            matches[0].unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(arch, epochs=epochs, seed=seed)


def mortal(space, victim, fuse, matches):
    fuse.mkdir()
    for i in range(matches):
        (fuse / str(i)).touch()
    return Mortal(space, victim=victim, fuse=str(fuse))


class Waiting(Estimator):
    """Says the arch back, after as many seconds as its first entry; the entry -1 raises."""

    ended = ()

    def __call__(self, arch, *, epochs=None, seed=0):
        if arch[0] < 0:
            raise ZeroDivisionError("as asked")
        end = time.monotonic() + arch[0]
        while time.monotonic() < end:
            report(Progress(arch, 0, 1, 1, 2, 0.5))
            time.sleep(0.01)
        self.ended += (arch,)
        return Evaluation(arch, {"accuracy": float(threading.get_ident() > 0)}, 0.0, epochs or 0, seed)


class Elastic(SearchSpace):
    """Depth 2 to 4, a kernel a layer; layers beyond the depth are inactive; three kernels 7 are against the rule."""

    name = "elastic toy"
    choices = (
        Choice("depth", (2, 3, 4)),
        Choice("kernel 1", (3, 5, 7)),
        Choice("kernel 2", (3, 5, 7)),
        Choice("kernel 3", (3, 5, 7), lambda prefix: prefix[0] >= 1),
        Choice("kernel 4", (3, 5, 7), lambda prefix: prefix[0] >= 2),
    )

    def rule(self, arch):
        return "three layers with kernel 7" if arch[1:].count(2) >= 3 else None


def small(width, activation, colors, classes):
    """A convolution and a classifier: what a student's first own space builds."""
    from torch import nn

    act = {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]()
    pooled = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(nn.Conv2d(colors, width, 3), act, *pooled, nn.Linear(width, classes))


OWN = SearchSpace.from_choices({"width": (4, 6, 8), "activation": ("relu", "tanh")}, small, name="own toy")
# Every strategy runs on these: few and light, so that the suite stays fast.
SPACES = [NasBench201(), Elastic(), OWN]
# The generic suite runs on these: every space that nasviz exports, and variants. A variant joins by one line.
ALL_SPACES = [
    *(getattr(spaces, name)() for name in spaces.__all__),
    spaces.MacroSpace(4, strides=(1, 2, 3)),
    spaces.DartsSpace.restricted("S1"),
    OWN,
]


@cache
def distinct():
    """Of NAS-Bench-201, one architecture for each function: a second's work, done once."""
    return NasBench201().distinct()


@dataclass
class Walk:
    """A search without an estimator whose steps depend on all before: a random walk that a knob scales."""

    shows: ClassVar = ("alphas", "loss", "epoch")

    space: SearchSpace
    rate: float = knob(0.1, 0.0, 1.0)
    epochs: int = 6
    seed: int = 0
    start: bytes | None = None

    def __len__(self):
        return 5 * self.epochs

    def __iter__(self):
        rng, weights, first = np.random.default_rng(self.seed), np.zeros((6, 5), "<f4"), 0
        if self.start:
            state = json.loads(self.start)
            rng.bit_generator.state, weights = state["rng"], np.array(state["weights"], "<f4")
            first = state["epoch"] + 1
        for epoch in range(first, self.epochs):
            for batch in range(5):
                weights = (weights + self.rate * rng.normal(size=(6, 5))).astype("<f4")
                state = {"rng": rng.bit_generator.state, "weights": weights.tolist(), "epoch": epoch}
                state = json.dumps(state).encode() if batch == 4 else None
                yield Step(state=state, alphas=weights, loss=float(weights.mean()), epoch=epoch)
