"""Train an architecture from scratch: the estimate that all cheaper ones approximate."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import isfinite, nan

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .. import datasets
from ..chance import BUILD, JUDGE, TRAIN, Draws, drawn_from
from ..estimator import Estimator, Progress, curve_wanted, report
from ..nn import count
from ..nn.descent import OPTIMIZERS, AdamW, Nesterov, cosine, warmed
from ..nn.plain import learning
from ..nn.threads import one_thread
from ..nn.trial import as_it_was, batch_of_one, tried
from ..ranges import check_fields, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation
from ..workers import bar, spread, workers

EVALUATION_BATCH = 500  # no gradients are kept, so larger than in training; it does not change a result

SCORED = ("accuracy", "loss", "train_loss")


@dataclass(frozen=True)
class Recipe:
    """Settings of a training: a descent with a cosine schedule down to 0, from a warm-up on.

    Parameters
    ----------
    size : int
        Height and width of the images, pixels.
    images : int
        Number of training images: the first so many of the data set's fixed draw.
    epochs, batch : int
    lr : float
        Learning rate of the first batch, or after the warm-up.
    momentum, decay : float
        Of stochastic gradient descent. Decay is the L2 penalty on all weights (NAS-Bench-201: 5e-4). AdamW has a
        momentum of its own; with it, decay is what a step takes away from matrices and filters, times lr.
    network : mapping
        Size of the network, as the space's ``network`` takes it: ``{"channels": 16, "cells": 2}``. Empty: the space's
        own small size.
    optimizer : {"sgd", "adamw"}
        `nasviz.nn.descent.Nesterov` or `nasviz.nn.descent.AdamW`, with which transformers are trained.
    warmup : float
        Share of all steps in which the learning rate rises from 0 along a line.
    """

    size: int = ranged(8, 1)
    images: int = ranged(4000, 1)
    epochs: int = ranged(8, 1)
    batch: int = ranged(64, 1)
    lr: float = ranged(0.05, above=0.0)
    momentum: float = ranged(0.9, 0.0, below=1.0)
    decay: float = ranged(5e-4, 0.0)
    network: Mapping = field(default_factory=dict, hash=False)
    optimizer: str = "sgd"
    warmup: float = ranged(0.0, 0.0, below=1.0)

    def __post_init__(self):
        check_fields(self)
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"Recipe: optimizer is {self.optimizer!r:.60}, and has to be one of {list(OPTIMIZERS)}")

    def descent(self, network: nn.Module) -> Nesterov | AdamW:
        """Return what moves the weights of ``network``. Raises the errors of `Nesterov`."""
        if self.optimizer == "adamw":
            return AdamW(network, self.decay)
        return Nesterov(network, self.momentum, self.decay)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step, from 0 to the last of ``epochs`` epochs."""
        steps = self.epochs * -(-self.images // self.batch)
        return self.lr * cosine(step, steps) * warmed(step, steps, self.warmup)


FULL = Recipe()
"""The recipe of the table: about 2 s an architecture on one core."""
FAST = Recipe(images=2000, epochs=3, lr=0.1)
"""To watch a search move, about 0.4 s: ranks architectures no better than counting their convolutions does."""
LARGE = Recipe(images=8000)
"""Does a winner stay a winner with twice the data?"""
TRANSFORMER = Recipe(16, 8000, 12, 128, 2e-3, decay=0.05, optimizer="adamw", warmup=0.1)
"""For `nasviz.spaces.TransformerSpace`: about a minute for its largest member on one core."""


@dataclass(frozen=True)
class Training(Estimator):
    """An estimator that trains on the first ``recipe.images`` training images, and validates on all validation images.

    The seed of a call draws the initial weights and the order of the images, and all that layers draw from the global
    generators of torch, NumPy and Python (dropout, stochastic depth, augmentation in a layer). The result is the same
    in this process, in a thread, or in another process on this machine, and those generators stay as they were. The
    estimator itself augments no images.

    Parameters
    ----------
    space : SearchSpace
        Its ``network(arch, colors=, classes=, generator=, **recipe.network)`` is trained.
    recipe : Recipe
        `FULL`, `FAST`, `LARGE`, or ``dataclasses.replace(FULL, epochs=4)``. The schedule of the latter ends at epoch 4,
        while ``estimate(arch, epochs=4)`` stops the full schedule there.
    dataset : str or Dataset
        See `nasviz.datasets.load`.
    test : bool
        True also measures the accuracy on all test images, after training: ``"test_accuracy"``.
    curve : bool
        True also scores each epoch: validation accuracy and loss after it, training loss in it: ``"accuracy@1"``,
        ``"loss@1"``, ``"train_loss@1"``, ``"accuracy@2"``, …
    executor : concurrent.futures.Executor, optional
        The executor on which `many` trains; None: processes on all cores, kept between calls (see
        `nasviz.workers.default_pool`), or this process if there is only one core.
    progress : bool
        True shows a bar on standard error during `many`: for scripts.

    Notes
    -----
    Scores: ``"accuracy"`` (validation, 0 to 1), ``"loss"`` (validation, nats), ``"train_loss"`` (mean of the last
    epoch, nats), ``"parameters"``, ``"madds"`` (see `nasviz.nn.count.madds`). If the loss becomes infinite or NaN,
    training ends, and losses and accuracies are nan: the failure is recorded. A network that cannot be trained at all
    is a ValueError before the first epoch: see `nasviz.nn.trial.tried`.

    Frozen weights (``requires_grad_(False)`` in the function that builds the network) keep the values that it gave
    them. A weight without a gradient in a step keeps its value in that step: see `Nesterov`.

    Examples
    --------
    >>> from nasviz.spaces import NasBench201
    >>> estimate = Training(NasBench201(), FAST)
    >>> evaluation = estimate((3, 1, 3, 1, 1, 3), seed=0)
    >>> evaluation.scores["accuracy"] > 0.6
    True
    """

    space: SearchSpace
    recipe: Recipe = FULL
    dataset: str | datasets.Dataset = field(default="fashion16", metadata=datasets.BY_CONTENT)
    test: bool = False
    curve: bool = False
    executor: Executor | None = field(default=None, compare=False, repr=False)
    progress: bool = field(default=False, compare=False, repr=False)

    def __post_init__(self):
        check_fields(self)

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Train ``arch``, in this thread. ValueError if it is not in the space, or for epochs beyond the recipe."""
        arch, epochs = self.space.check(arch), self._epochs(epochs)
        start = time.perf_counter()
        with one_thread():
            scores = self._train(arch, epochs, seed)
        return Evaluation(arch, scores, time.perf_counter() - start, epochs, seed)

    def many(self, archs: Iterable[Arch], *, epochs: int | None = None, seed: int = 0) -> Iterator[Evaluation]:
        """Train several at once, on the executor; yield results in the order asked: see `nasviz.workers.spread`."""
        epochs, total = self._epochs(epochs), len(archs) if isinstance(archs, Sized) else None
        if self.executor is None and workers() == 1:
            results = super().many(archs, epochs=epochs, seed=seed)
        else:
            results = spread(
                replace(self, executor=None),  # an executor cannot be sent to its own workers
                (self.space.check(arch) for arch in archs),
                executor=self.executor,
                epochs=epochs,
                seed=seed,
                text=self.space.to_text,
            )
        return bar(results, total) if self.progress else results

    def size(self, arch: Arch) -> dict[str, float]:
        """Return ``{"parameters": …, "madds": …}`` of ``arch`` without training; this takes milliseconds."""
        data = _data(self.dataset, self.recipe.size)
        with drawn_from(0, BUILD):
            return measured(self.space.network(self.space.check(arch), **self._network(data)), data)

    def _network(self, data: datasets.Dataset) -> dict:
        return {**self.recipe.network, "colors": data.colors, "classes": len(data.classes)}

    def _words(self, arch: Arch) -> str:
        return f"the network of {self.space.to_text(arch)}"

    def prepared(self, arch: Arch, seed: int) -> tuple[nn.Module, dict[str, float]]:
        """Build the network of ``arch`` as it is before its first step; return its size too, as `size` does.

        ValueError if it cannot be trained on this data with this recipe, with the reason.
        """
        recipe, data = self.recipe, _data(self.dataset, self.recipe.size)
        images, _ = tensors_of(self.dataset, recipe.size, "train")
        if recipe.images > len(images):
            raise ValueError(f"the recipe asks for {recipe.images} training images, {data.name} has {len(images)}")
        generator, alone = torch.Generator().manual_seed(seed), batch_of_one(recipe.images, recipe.batch)
        with drawn_from(seed, BUILD):
            network = self.space.network(arch, **self._network(data), generator=generator)
            tried(network, images[:2], len(data.classes), self._words(arch), alone)
            return network, measured(network, data)

    def _epochs(self, epochs: int | None) -> int:
        if epochs is None:
            return self.recipe.epochs
        if not isinstance(epochs, int | np.integer) or not 1 <= epochs <= self.recipe.epochs:
            last = self.recipe.epochs
            raise ValueError(f"epochs must be a whole number from 1 to the recipe's {last}, got {epochs!r}")
        return int(epochs)

    def _train(self, arch: Arch, epochs: int, seed: int) -> dict[str, float]:
        recipe = self.recipe
        images, labels = tensors_of(self.dataset, recipe.size, "train")
        network, size = self.prepared(arch, seed)
        draws, classes, words = Draws(network, seed), len(_data(self.dataset, recipe.size).classes), self._words(arch)
        descent = recipe.descent(network)
        learn = learning(network, images, recipe.batch, classes, words)
        order = np.random.default_rng((seed, 1))  # not the weights' generator, whose draws depend on the network
        batches = -(-recipe.images // recipe.batch)
        scores: dict[str, float] = {}
        accuracy = loss = train_loss = nan
        for epoch in range(epochs):
            places = torch.from_numpy(order.permutation(recipe.images))
            network.train()
            total = 0.0
            for batch, chosen in enumerate(places.split(recipe.batch)):
                with draws(TRAIN, epoch * batches + batch):
                    batch_loss = learn(images[chosen], labels[chosen])
                descent.step(recipe.rate(epoch * batches + batch))
                value = batch_loss.item()
                if not isfinite(value):
                    return self._failed(scores, epoch, epochs) | size
                total += value * len(chosen)
                report(Progress(arch, epoch, epochs, batch + 1, batches, value, accuracy))
            train_loss = total / recipe.images
            if self.curve or curve_wanted() or epoch + 1 == epochs:
                looking = as_it_was(network) if epoch + 1 < epochs else nullcontext()
                with draws(JUDGE, epoch), looking:  # looking on changes nothing: not what later steps draw either
                    accuracy, loss = evaluated(network, *tensors_of(self.dataset, recipe.size, "valid"))
            if self.curve:
                now = zip(SCORED, (accuracy, loss, train_loss), strict=True)
                scores |= {f"{name}@{epoch + 1}": value for name, value in now}
            report(Progress(arch, epoch + 1, epochs, 0, batches, train_loss, accuracy))
        if not isfinite(loss):
            return self._failed(scores, epochs, epochs) | size
        scores |= dict(zip(SCORED, (accuracy, loss, train_loss), strict=True)) | size
        if self.test:
            with draws(JUDGE, recipe.epochs):
                scores["test_accuracy"], _ = evaluated(network, *tensors_of(self.dataset, recipe.size, "test"))
        return scores

    def _failed(self, scores: dict[str, float], epoch: int, epochs: int) -> dict[str, float]:
        """Return the scores of a training that failed in ``epoch``, with all usual names, as a table needs them."""
        if self.curve:
            scores |= {f"{name}@{e + 1}": nan for e in range(epoch, epochs) for name in SCORED}
        return scores | dict.fromkeys([*SCORED, *["test_accuracy"] * self.test], nan)


@torch.no_grad()
def evaluated(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Return accuracy (0 to 1) and mean cross-entropy (nats) of ``network`` in evaluation mode."""
    network.eval()
    right, loss = 0, 0.0
    for x, y in zip(images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True):
        logits = network(x)
        right += int((logits.argmax(1) == y).sum())
        loss += float(cross_entropy(logits, y, reduction="sum"))
    return right / len(labels), loss / len(labels)


def measured(network: nn.Module, data: datasets.Dataset) -> dict[str, float]:
    """Return the scores that need no training: ``"parameters"`` and ``"madds"``. ValueError as of `count.madds`."""
    madds = count.madds(network, (data.colors, data.size, data.size))  # first, as layers may only now get their sizes
    return {"parameters": float(count.parameters(network)), "madds": float(madds)}


def _data(dataset: str | datasets.Dataset, size: int) -> datasets.Dataset:
    return datasets.load(dataset, size)  # which keeps what it read


def tensors_of(dataset: str | datasets.Dataset, size: int, part: str) -> tuple[Tensor, Tensor]:
    """Return normalised images and labels. They are cached, so that a worker normalises only once."""
    return _tensors(_data(dataset, size), part)


@lru_cache(maxsize=8)
def _tensors(data: datasets.Dataset, part: str) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(data.normalized(part)).contiguous(memory_format=torch.channels_last)
    return images, torch.from_numpy(getattr(data, f"{part}_labels").copy())
