"""BigNAS: train all sub-networks at once; every step trains the largest and the smallest of them too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from ..knobs import knob
from ..nn.descent import cosine, exponential
from ..ranges import ranged
from .elastic_training import MOST, ElasticTraining
from .shared_weights import Shared
from .train_supernet import check_sampler, stratified, uniform

ONE_BY_ONE = {"uniform": uniform, "stratified": stratified}
SCHEDULES = ("exponential", "cosine")
FALL, FLOOR = 4.0, 0.05  # of the learning rate: e-foldings over the whole training, and its least share


@dataclass
class BigNas(ElasticTraining):
    """One-stage training with the sandwich rule and in-place distillation: Yu et al. 2020 ("BigNAS").

    Both come from Yu & Huang 2019 ("Universally slimmable networks and improved training techniques"), for networks
    whose width alone is elastic. BigNAS adopts them for all dimensions.

    At each step the gradients of the largest sub-network, the smallest and two drawn ones are summed on the same batch.
    The largest learns from the labels, the others from the largest's outputs on that batch. Afterwards sub-networks are
    used as they are, without training them again.

    Parameters
    ----------
    epochs : int
    sandwich : bool
        False trains four drawn sub-networks instead. They learn from the labels, as there is no largest to learn from.
    sampler : {"uniform", "stratified"}
        How the others are drawn: every choice uniformly, as in the paper, or every cost equally often
        (`nasviz.strategies.train_supernet.stratified`).
    distillation : float
        The share of the largest's outputs in the others' loss. The paper: 1, so that only the largest sees labels.
    lr : float
        The learning rate at the start.
    schedule : {"exponential", "cosine"}
        How it falls: exponentially to a twentieth, where it stays, as in the paper; or along half a cosine to 0, as a
        child's does that is trained alone.
    space, data, size, images, batch, weight_decay, network, seed, start
        See `SharedTraining`.

    Notes
    -----
    The paper's other measures are left out: an initialisation with residual branches that output 0, and dropout and
    weight decay for the largest alone. In the paper's space the channels between the units are elastic too.

    ``losses`` are those of the largest, the smallest and the drawn ones, in this order.
    """

    stages: ClassVar[tuple[str, ...]] = ("all",)

    epochs: int = ranged(4, 1)
    sandwich: bool = True
    sampler: str = "uniform"
    distillation: float = knob(1.0, 0.0, 1.0, most=1.0, help="Share of the largest's answers in the others' loss")
    schedule: str = "exponential"

    def losses(self, shared: Shared, chosen: Tensor, rng: np.random.Generator) -> Iterator[Tensor]:
        """Yield the losses of the largest, the smallest and two drawn sub-networks, or of four drawn ones."""
        archs = [self.space.largest, self.space.smallest] if self.sandwich else []
        for _ in range(MOST - len(archs)):
            archs += ONE_BY_ONE[self.sampler](self.space, rng)
        teacher = None
        for arch in archs:
            logits = shared.network(shared.images[chosen], arch)
            yield self.loss(logits, shared.labels[chosen], teacher)
            if self.sandwich and teacher is None:
                teacher = logits.detach().softmax(1)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, as the ``schedule`` says."""
        if self.schedule == "cosine":
            return self.lr * cosine(step, len(self))
        return self.lr * exponential(step, len(self), FALL, FLOOR)

    def begin(self) -> Shared:
        """Begin as `ElasticTraining` does, after a check of the sampler and the schedule."""
        check_sampler(self.sampler, ONE_BY_ONE, self.space)
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {list(SCHEDULES)}, got {self.schedule!r}")
        return super().begin()
