"""Train a single-path supernet: one network whose weights all architectures share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .. import datasets
from ..nn.threads import one_thread
from ..search import knob
from ..space import Arch, SearchSpace
from ..step import Step

MOMENTUM, CLIP = 0.9, 5.0  # of the descent: momentum, greatest gradient norm


def uniform(space: SearchSpace, rng: np.random.Generator) -> list[Arch]:
    """One architecture, drawn uniformly (Guo et al. 2020, eq. 7)."""
    return [space.sample(rng)]


def fair(space: SearchSpace, rng: np.random.Generator) -> list[Arch]:
    """As many architectures as a choice has options, such that each option of each choice occurs in exactly one.

    Strict fairness: Chu, Zhang & Xu 2021 ("FairNAS"), algorithm 1. The descent follows their summed gradients.
    """
    counts = {len(choice.options) for choice in space.choices}
    if len(counts) > 1 or space.conditional:
        raise ValueError(f"fair sampling needs equally many options in every choice, always active: not so {space!r}")
    archs = list(zip(*(rng.permutation(counts.copy().pop()).tolist() for _ in space.choices), strict=True))
    return [space.check(arch) for arch in archs]


SAMPLERS = {"uniform": uniform, "fair": fair}


@dataclass
class TrainSupernet:
    """Single-path one-shot training: Guo et al. 2020, section 3.3.

    At each step a sampler draws architectures, and only the weights that these use descend the loss of a batch. No
    architecture weights, no search yet: afterwards any strategy searches with `nasviz.estimators.Inherited` as its
    estimator, which runs each architecture on the shared weights.

    Parameters
    ----------
    space : SearchSpace
        One with a network for single paths: ``single_path``.
    data : str or Dataset
        As `nasviz.datasets.load` takes it. Only its training images are used.
    size : int
        Height and width of the images, pixels.
    images : int
        The first so many training images.
    epochs : int
        The paper: 120 on ImageNet.
    batch : int
        What is left over at the end of an epoch is dropped.
    sampler : {"uniform", "fair"}
        See `uniform` and `fair`. A fair step costs as many batches as a choice has options.
    lr, weight_decay : float
        Of stochastic gradient descent with momentum 0.9 and gradients cut to norm 5; lr falls linearly to 0 over the
        steps, as in the paper (from 0.5, with batches of 1024).
    network : mapping
        Size of the supernet, as ``space.single_path`` takes it: ``{"channels": 16, "cells": 2}``.
    seed : int
        Of the first weights, the architectures and the order of the images.
    start : bytes, optional
        A `Step.state` of the same search, after which to go on.

    Raises
    ------
    ValueError
        When iterated: too few images, an unknown sampler, one that does not suit the space, a ``start`` that is not of
        this search.
    FloatingPointError
        A loss is no longer finite. The step in which it happened comes first.

    Notes
    -----
    Steps show the loss of the batch (nats, the mean over the drawn architectures) and the epoch. The last step of an
    epoch carries a ``state``.
    """

    shows: ClassVar = ("loss", "epoch")

    space: SearchSpace
    data: str | datasets.Dataset = "fashion16"
    size: int = 8
    images: int = 4000
    epochs: int = 30
    batch: int = 64
    sampler: str = "uniform"
    lr: float = knob(0.1, 1e-3, 0.5, log=True, help="Learning rate of the shared weights, at the start")
    weight_decay: float = knob(5e-4, 0.0, 1e-2, help="Pull of the shared weights towards zero")
    network: Mapping = field(default_factory=dict)
    seed: int = 0
    start: bytes | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return self.epochs * (self.images // self.batch)

    def __iter__(self) -> Iterator[Step]:
        images, labels, shared = self._begin()
        batches = self.images // self.batch
        for epoch in range(shared.epoch, self.epochs):
            rng = np.random.default_rng((self.seed, epoch))  # anew each epoch: nothing to keep in the state
            order = torch.from_numpy(rng.permutation(self.images)[: batches * self.batch])
            for number, chosen in enumerate(order.split(self.batch), epoch * batches):
                with one_thread():
                    archs = SAMPLERS[self.sampler](self.space, rng)
                    loss = shared.descend(images[chosen], labels[chosen], archs, self._rate(number), self.weight_decay)
                    step = Step(loss=loss, epoch=epoch)
                    if math.isfinite(loss) and number + 1 == (epoch + 1) * batches:
                        shared.epoch = epoch + 1
                        step.state = shared.pack()
                yield step
                if not math.isfinite(loss):
                    raise FloatingPointError(
                        f"supernet, step {number} (epoch {epoch}): the loss is {loss} with lr={self.lr:g}. "
                        "Start again with a lower learning rate"
                    )

    def _rate(self, step: int) -> float:
        return self.lr * (1 - step / len(self))

    def _begin(self) -> tuple[Tensor, Tensor, _Shared]:
        if self.sampler not in SAMPLERS:
            raise ValueError(f"sampler must be one of {list(SAMPLERS)}, got {self.sampler!r}")
        if not hasattr(self.space, "single_path"):
            raise ValueError(f"{self.space!r} has no single-path supernet: write single_path(**size)")
        data = datasets.load(self.data, size=self.size)
        if not 1 <= self.batch <= self.images <= len(data.train_labels):
            raise ValueError(
                f"{data.name} has {len(data.train_labels)} training images; images={self.images} must not be more, and "
                f"batch={self.batch} not more than images"
            )
        images = torch.from_numpy(data.normalized("train")[: self.images]).contiguous(memory_format=torch.channels_last)
        labels = torch.from_numpy(data.train_labels[: self.images].copy())
        shared = _Shared(self.space, self.seed, colors=data.colors, classes=len(data.classes), **self.network)
        if self.start is not None:
            shared.unpack(self.start)
        return images, labels, shared


class _Shared:
    """All that changes while the supernet trains: its weights and statistics, the descent's memory, epochs done."""

    def __init__(self, space: SearchSpace, seed: int, **size):
        self.network = space.single_path(**size, generator=torch.Generator().manual_seed(seed))
        self.weights = dict(self.network.train().named_parameters())  # once: to look for them takes as long as a layer
        self.velocity = {name: torch.zeros_like(w) for name, w in self.weights.items()}
        self.epoch = 0

    def descend(self, images: Tensor, labels: Tensor, archs: Sequence[Arch], lr: float, decay: float) -> float:
        """One step along the summed gradients of ``archs``, of the weights that these use; the mean loss, nats."""
        losses = []
        for arch in archs:
            loss = F.cross_entropy(self.network(images, arch), labels)
            loss.backward()
            losses.append(loss.item())
        used = {name: w for name, w in self.weights.items() if w.grad is not None}
        torch.nn.utils.clip_grad_norm_(used.values(), CLIP)
        with torch.no_grad():  # what no architecture used keeps its weights: no decay, no momentum
            for name, w in used.items():
                self.velocity[name].mul_(MOMENTUM).add_(w.grad.add_(w, alpha=decay))
                w.sub_(self.velocity[name], alpha=lr)
                w.grad = None
        return sum(losses) / len(losses)

    def _tensors(self) -> dict[str, Tensor]:
        memory = {f"velocity.{name}": v for name, v in self.velocity.items()}
        return {f"network.{name}": t for name, t in self.network.state_dict().items()} | memory

    def pack(self) -> bytes:
        """The state as safetensors: the network under ``network.``, the momentum under ``velocity.``, the epoch."""
        from safetensors.torch import save

        tensors = {name: tensor.contiguous() for name, tensor in self._tensors().items()}
        return save(tensors | {"epoch": torch.tensor(self.epoch)})

    def unpack(self, state: bytes) -> None:
        """Take over a packed state; ValueError if it is none of this search."""
        from ..nn.states import take_over

        saved = take_over(state, self._tensors() | {"epoch": torch.tensor(self.epoch)})
        self.epoch = int(saved["epoch"])
