"""Train a single-path supernet: one network whose weights all architectures share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import lcm

import numpy as np
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..space import Arch, SearchSpace
from .shared_weights import Shared, SharedTraining

FAIR = 16  # the most architectures of a fair step


def uniform(space: SearchSpace, rng: np.random.Generator) -> list[Arch]:
    """Draw one architecture uniformly (Guo et al. 2020, eq. 7)."""
    return [space.sample(rng)]


def fair(space: SearchSpace, rng: np.random.Generator) -> list[Arch]:
    """Draw so many architectures that each option of each choice occurs in equally many of them.

    Strict fairness: Chu, Zhang & Xu 2021 ("FairNAS"), algorithm 1. The descent follows their summed gradients. There
    all choices have n options, and n architectures are drawn. With other numbers of options it is their least common
    multiple.
    """
    counts = [len(choice.options) for choice in space.choices]
    drawn = lcm(*counts)
    if space.conditional or drawn > FAIR:
        raise ValueError(
            f"fair sampling needs choices that are always active, and whose numbers of options have a common multiple "
            f"of {FAIR} or less: not so {space!r}"
        )
    columns = (rng.permutation(np.repeat(np.arange(count), drawn // count)).tolist() for count in counts)
    return [space.check(arch) for arch in zip(*columns, strict=True)]


def stratified(space: SearchSpace, rng: np.random.Generator) -> list[Arch]:
    """Draw one architecture: a stratum of multiply-adds uniformly, then one of its architectures uniformly.

    Uniform choices make most architectures of middling cost. Here all costs are equally likely, on a scale of factors:
    the idea of Wang et al. 2021 ("AttentiveNAS"), who draw a target of multiply-adds first.
    """
    groups = strata(space)
    group = groups[rng.integers(len(groups))]
    return [group[rng.integers(len(group))]]


@lru_cache(maxsize=8)
def strata(space: SearchSpace, count: int = 12) -> list[list[Arch]]:
    """Divide all architectures of a space into strata of multiply-adds, equally wide in their logarithm.

    Parameters
    ----------
    space : SearchSpace
        One with ``distinct`` and ``madds``.
    count : int
        Number of strata. Those without any architecture are left out.
    """
    archs = space.distinct()
    logs = np.log([space.madds(arch) for arch in archs])
    place = ((logs - logs.min()) / np.ptp(logs) * count).astype(int).clip(max=count - 1)
    groups = [[archs[i] for i in np.flatnonzero(place == number)] for number in range(count)]
    return [group for group in groups if group]


def nested(space: SearchSpace, rng: np.random.Generator) -> list[Arch]:
    """Draw one of the nested members: Devvrit et al. 2023 ("MatFormer"), section 3.2.

    There, these are transformers whose feed-forward networks all have one size. Afterwards, sizes are mixed from block
    to block without any training (section 3.3).
    """
    return [space.nested[rng.integers(len(space.nested))]]


SAMPLERS = {"uniform": uniform, "fair": fair, "stratified": stratified, "nested": nested}


def check_sampler(name: str, samplers: Mapping[str, object], space: SearchSpace) -> None:
    """Raise the ValueError of a name that is none of ``samplers``, or `Lacks` if the space cannot serve the sampler."""
    if name not in samplers:
        raise ValueError(f"sampler must be one of {list(samplers)}, got {name!r}")
    if name == "stratified":
        _ = space.madds, space.distinct  # a space without them raises here, before anything is loaded


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
    sampler : {"uniform", "fair", "stratified", "nested"}
        See `uniform`, `fair`, `stratified` and `nested`. A fair step costs a batch for each architecture that it draws.
        On `nasviz.spaces.TransformerSpace`, "uniform" is AutoFormer's training (Chen et al. 2021, section 3.2), and
        "nested" MatFormer's; both need ``optimizer="adamw"``.

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
        check_sampler(self.sampler, SAMPLERS, self.space)
        return super().begin()
