"""The time of a training without other load, and of the network's inference: measured in half a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch

from .. import datasets
from ..chance import TRAIN, Draws
from ..estimator import Estimator
from ..nn.plain import learning
from ..nn.threads import one_thread
from ..ranges import check_fields, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation
from .training import Training, evaluated, tensors_of

WARM = 3  # first steps and passes that are not counted, as they choose kernels and fill caches
PASSES = 15


@dataclass(frozen=True)
class Timing(Estimator):
    """An estimator of the time that `Training` takes on one core without other load, extrapolated from some steps.

    A training that shares its cores, or is packed with others, takes another time. A search whose budget is in seconds
    needs the time without other load. ``seconds`` of the evaluation is processor time of one thread: the median of
    ``steps`` training steps times the number of steps in a training, plus the validation after each epoch. Building the
    network takes milliseconds and is left out.

    Parameters
    ----------
    training : Training
        The training to be timed: its space, recipe and images.
    steps : int
        Number of timed steps.

    Notes
    -----
    Scores, in milliseconds, medians of wall-clock time on one thread: ``"latency_ms"`` of a batch of one image,
    ``"latency_ms_64"`` of a batch of 64. These are measurements: repeated calls differ a little, and the machine should
    be quiet. `benchmarks/timing.py` compares the seconds with whole trainings.
    """

    training: Training
    steps: int = ranged(20, 1)

    def __post_init__(self):
        check_fields(self)

    @property
    def space(self) -> SearchSpace:
        """The space of the training."""
        return self.training.space

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Time ``arch``, in this thread. Raises the errors of `Training`."""
        arch, training = self.space.check(arch), self.training
        recipe, epochs = training.recipe, training._epochs(epochs)
        images, labels = tensors_of(training.dataset, recipe.size, "train")
        network, _ = training.prepared(arch, seed)
        valid = tensors_of(training.dataset, recipe.size, "valid")
        with one_thread(), Draws(network, seed)(TRAIN):
            descent = recipe.descent(network)
            classes = len(datasets.load(training.dataset, recipe.size).classes)
            learn = learning(network, images, recipe.batch, classes, training._words(arch))

            def step() -> None:
                places = torch.randint(len(images), (recipe.batch,), generator=torch.Generator().manual_seed(seed))
                learn(images[places], labels[places])
                descent.step(recipe.lr)

            network.train()
            spent = median(_times(step, self.steps, time.thread_time))
            (judging,) = _times(lambda: evaluated(network, *valid), 1, time.thread_time, warm=0)
            with torch.inference_mode():
                one, many = (
                    1000 * median(_times(lambda: network(batch), PASSES, time.perf_counter))  # noqa: B023
                    for batch in (images[:1], images[:64])
                )
        seconds = epochs * (-(-recipe.images // recipe.batch) * spent + judging)
        return Evaluation(arch, {"latency_ms": one, "latency_ms_64": many}, seconds, epochs, seed)


def _times(work: Callable[[], object], count: int, clock: Callable[[], float], warm: int = WARM) -> list[float]:
    for _ in range(warm):
        work()
    times = []
    for _ in range(count):
        start = clock()
        work()
        times.append(clock() - start)
    return times
