"""BigNAS: train all sub-networks at once, held together by the largest and the smallest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp
from typing import ClassVar

import numpy as np
from torch import Tensor

from ..knobs import knob
from .elastic_training import MOST, ElasticTraining
from .shared_weights import Shared

FALL, FLOOR = 4.0, 0.05  # of the learning rate: e-foldings over the whole training, and where it stays


@dataclass
class BigNas(ElasticTraining):
    """One-stage training with the sandwich rule and in-place distillation: Yu et al. 2020 ("BigNAS").

    At each step the largest sub-network, the smallest and two drawn ones add up their gradients on the same batch. The
    largest learns from the labels, the others from what the largest has just said. Afterwards children are used as they
    are, without training them again.

    Parameters
    ----------
    epochs : int
    sandwich : bool
        False: four drawn ones instead, which learn from the labels, as there is no largest to learn from.
    distillation : float
        The paper's is 1: labels for the largest alone.
    lr : float
        Falls exponentially to a twentieth, where it stays, as the paper has it.
    space, data, size, images, batch, weight_decay, network, seed, start
        See `SharedTraining`.

    Notes
    -----
    The paper's other measures are left out: an initialisation that makes residual branches silent, and dropout and
    decay for the largest alone. Its space is elastic in the channels between the units too.

    ``losses`` are those of the largest, the smallest and the drawn ones, in this order.
    """

    stages: ClassVar = ("all",)

    epochs: int = 4
    sandwich: bool = True
    distillation: float = knob(1.0, 0.0, 1.0, help="Share of the largest's answers, not the labels, in others' loss")

    def losses(self, shared: Shared, chosen: Tensor, rng: np.random.Generator) -> Iterator[Tensor]:
        """The sandwich: largest, smallest, two drawn; or four drawn."""
        archs = [self.space.largest, self.space.smallest] if self.sandwich else []
        archs += [self.space.sample(rng) for _ in range(MOST - len(archs))]
        teacher = None
        for arch in archs:
            logits = shared.network(shared.images[chosen], arch)
            yield self.loss(logits, shared.labels[chosen], teacher)
            if self.sandwich and teacher is None:
                teacher = logits.detach().softmax(1)

    def rate(self, step: int) -> float:
        """Exponentially to the floor."""
        return self.lr * max(FLOOR, exp(-FALL * step / len(self)))
