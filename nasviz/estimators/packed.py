"""Full trainings on a GPU, with hundreds of networks packed into one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import nan
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..estimator import Estimator, Progress, report
from ..nn.cells import CellNetwork
from ..nn.descent import Nesterov
from ..nn.packed import PackedNetwork
from ..nn.threads import one_thread
from ..ranges import check_fields, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation
from .training import EVALUATION_BATCH, SCORED, Training, tensors_of


@dataclass(frozen=True)
class PackedTraining(Estimator):
    """An estimator that gives the results of `Training` for many architectures at once, up to rounding.

    `nasviz.nn.packed.PackedNetwork` trains all networks together, with the initial weights, the order of images and the
    steps of `Training`. Rounding differs, and a training amplifies it: a single accuracy differs as much as that of
    another seed. There is no bias (`benchmarks/packed.py` tests it, paired). On a CPU this is slower than processes.

    Parameters
    ----------
    training : Training
        A training on a space whose networks are `CellNetwork`s.
    device : str
        Torch's name of the device.
    networks : int
        Number of networks in a pack. 1,000 of the labs' networks take some 10 GB.

    Notes
    -----
    ``seconds`` of an evaluation is the time of the pack divided by its number of networks, the same for all of them. It
    does not say what a single training costs: `Timing` measures that.
    """

    training: Training
    device: str = "cuda"
    networks: int = ranged(500, 1)

    def __post_init__(self):
        check_fields(self)
        if self.training.recipe.optimizer != "sgd":  # which cuts one gradient's norm: here it would be that of a pack
            raise ValueError("networks are packed for stochastic gradient descent: take a recipe with optimizer='sgd'")

    @property
    def space(self) -> SearchSpace:
        """The space of the training."""
        return self.training.space

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Train ``arch`` alone, for comparison. Raises the errors of `Training`."""
        return self.train([(arch, seed)], epochs)[0]

    def many(self, archs: Iterable[Arch], *, epochs: int | None = None, seed: int = 0) -> Iterator[Evaluation]:
        """Yield evaluations in the order asked, a pack at a time; the i-th has seed ``seed + i``."""
        asked = ((arch, seed + i) for i, arch in enumerate(archs))
        while pack := list(islice(asked, self.networks)):
            yield from self.train(pack, epochs)

    def train(self, asked: Sequence[tuple[Arch, int]], epochs: int | None = None) -> list[Evaluation]:
        """Train one pack of any number of architectures, each with its seed. Raises the errors of `Training`, and
        ValueError for networks that cannot be packed."""
        training, epochs, start = self.training, self.training._epochs(epochs), time.perf_counter()
        with one_thread():  # as `Training` does, on the CPU
            made = [training.prepared(self.space.check(arch), seed) for arch, seed in asked]
            networks, scores = [cast("CellNetwork", network) for network, _ in made], [size for _, size in made]
            learnt = self._train(PackedNetwork(networks).to(self.device), asked, epochs)
        seconds = (time.perf_counter() - start) / len(asked)
        return [
            Evaluation(self.space.check(arch), learnt[number] | scores[number], seconds, epochs, seed)
            for number, (arch, seed) in enumerate(asked)
        ]

    def _train(self, network: PackedNetwork, asked: Sequence[tuple[Arch, int]], epochs: int) -> list[dict]:
        """Do the work of `Training._train`, each number there a vector here. Return all networks' scores but sizes."""
        training, recipe = self.training, self.training.recipe
        images, labels = self._images("train")
        descent = Nesterov(network, recipe.momentum, recipe.decay)
        seeds = sorted({seed for _, seed in asked})
        orders = [np.random.default_rng((seed, 1)) for seed in seeds]
        whose = torch.tensor([seeds.index(seed) for _, seed in asked], device=self.device)
        batches = -(-recipe.images // recipe.batch)
        told: list[dict[str, float]] = [{} for _ in asked]
        failed = [False] * len(asked)
        for epoch in range(epochs):
            drawn = torch.from_numpy(np.stack([order.permutation(recipe.images) for order in orders])).to(self.device)
            network.train()
            total = torch.zeros(len(asked), dtype=images.dtype, device=self.device)
            for batch, chosen in enumerate(drawn.split(recipe.batch, dim=1)):
                places = chosen[whose]  # (networks, batch)
                losses = _losses(network(_side_by_side(images[places])), labels[places]).mean(1)
                losses.sum().backward()  # each network's weights see its own loss only
                descent.step(recipe.rate(epoch * batches + batch))
                total += losses.detach() * chosen.shape[1]
                report(Progress(asked[0][0], epoch, epochs, batch + 1, batches))
            train_loss = total / recipe.images
            failed = [was or not ok for was, ok in zip(failed, train_loss.isfinite().tolist(), strict=True)]
            last = epoch + 1 == epochs
            if training.curve or last:
                accuracy, loss = self._evaluated(network, len(asked), "valid")
                if last:
                    failed = [was or not ok for was, ok in zip(failed, loss.isfinite().tolist(), strict=True)]
                now = torch.stack([accuracy.double(), loss.double(), train_loss.double()], 1).tolist()
                for scores, values, bad in zip(told, now, failed, strict=True):
                    named = dict(zip(SCORED, [nan] * 3 if bad else values, strict=True))
                    if training.curve:
                        scores |= {f"{name}@{epoch + 1}": value for name, value in named.items()}
                    if last:
                        scores |= named
        if training.test:
            accuracy, _ = self._evaluated(network, len(asked), "test")
            for scores, value, bad in zip(told, accuracy.tolist(), failed, strict=True):
                scores["test_accuracy"] = nan if bad else value
        return told

    @torch.no_grad()
    def _evaluated(self, network: PackedNetwork, count: int, part: str) -> tuple[Tensor, Tensor]:
        """Return accuracy and mean cross-entropy of each network, in evaluation mode."""
        network.eval()
        images, labels = self._images(part)
        right = torch.zeros(count, dtype=torch.long, device=self.device)
        loss = torch.zeros((), device=self.device)
        for x, y in zip(images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True):
            logits, y = network(_side_by_side(x.expand(count, *x.shape))), y.expand(count, -1)
            right += (logits.argmax(2) == y).sum(1)
            loss = loss + _losses(logits, y).sum(1)
        return right.double() / len(labels), loss / len(labels)

    def _images(self, part: str) -> tuple[Tensor, Tensor]:
        images, labels = tensors_of(self.training.dataset, self.training.recipe.size, part)
        return images.to(self.device), labels.to(self.device)


def _side_by_side(images: Tensor) -> Tensor:
    """Reorder images of shape (networks, batch, colors, height, width) for `nasviz.nn.packed`."""
    return images.transpose(1, 2)


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy (networks, batch) of logits (networks, batch, classes)."""
    return cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
