"""Train a single-path supernet: one network whose weights all architectures share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..space import Arch, SearchSpace
from .shared_weights import Shared, SharedTraining


def uniform(space: SearchSpace, rng: np.random.Generator) -> list[Arch]:
    """Draw one architecture uniformly (Guo et al. 2020, eq. 7)."""
    return [space.sample(rng)]


def fair(space: SearchSpace, rng: np.random.Generator) -> list[Arch]:
    """Draw as many architectures as a choice has options, such that each option of each choice occurs in exactly one.

    Strict fairness: Chu, Zhang & Xu 2021 ("FairNAS"), algorithm 1. The descent follows their summed gradients.
    """
    counts = {len(choice.options) for choice in space.choices}
    if len(counts) > 1 or space.conditional:
        raise ValueError(f"fair sampling needs equally many options in every choice, always active: not so {space!r}")
    archs = list(zip(*(rng.permutation(counts.copy().pop()).tolist() for _ in space.choices), strict=True))
    return [space.check(arch) for arch in archs]


SAMPLERS = {"uniform": uniform, "fair": fair}


@dataclass
class TrainSupernet(SharedTraining):
    """Single-path one-shot training: Guo et al. 2020, section 3.3.

    At each step a sampler draws architectures, and only the weights that these use descend the loss of a batch. There
    are no architecture weights, and nothing is searched yet. Afterwards any strategy can search with
    `nasviz.estimators.Inherited` as its estimator, which runs each architecture on the shared weights.

    Parameters
    ----------
    space, data, size, images, epochs, batch, lr, weight_decay, network, seed, start
        See `SharedTraining`. The paper trains for 120 epochs on ImageNet, with batches of 1024 and a learning rate that
        falls linearly from 0.5.
    sampler : {"uniform", "fair"}
        See `uniform` and `fair`. A fair step costs as many batches as a choice has options.

    Raises
    ------
    ValueError
        When iterated with an unknown sampler or one that does not suit the space, and in the cases of `SharedTraining`.
    FloatingPointError
        If a loss is no longer finite. The step in which this happened is yielded first.

    Notes
    -----
    Steps show the loss of the batch (nats, the mean over the drawn architectures) and the epoch. The last step of an
    epoch carries a ``state``.
    """

    sampler: str = "uniform"

    def losses(self, shared: Shared, chosen: Tensor, rng: np.random.Generator) -> Iterator[Tensor]:
        """Yield the cross-entropy of each architecture that the sampler draws."""
        for arch in SAMPLERS[self.sampler](self.space, rng):
            yield cross_entropy(shared.network(shared.images[chosen], arch), shared.labels[chosen])

    def begin(self) -> Shared:
        """Begin as `SharedTraining` does, after a check of the sampler."""
        if self.sampler not in SAMPLERS:
            raise ValueError(f"sampler must be one of {list(SAMPLERS)}, got {self.sampler!r}")
        return super().begin()
