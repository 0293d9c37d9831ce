"""DARTS: search by gradient descent on architecture weights."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import datasets
from ..chance import BUILD, Draws, drawn_from
from ..knobs import knob
from ..nn.descent import cosine_between
from ..nn.gpu import device_of, size_of
from ..nn.threads import one_thread
from ..ranges import checked, ranged
from ..space import SearchSpace
from ..step import Step
from .bilevel import Batch, Bilevel

FLOOR = 1e-3  # the last learning rate of w


@dataclass
class Darts:
    """First-order DARTS: Liu, Simonyan & Yang 2019, algorithm 1 with ξ = 0.

    Every edge computes all operations, weighted by a softmax over architecture weights α (eq. 2). Half of the training
    images trains the network's weights w, the other half trains α, in turn: a step is one batch of each. The bilevel
    problem min L_valid(w*(α), α) (eq. 3, 4) is approximated by taking the present w for the optimal w*(α) (eq. 5 to 7
    with ξ = 0). The architecture that was found is ``space.discretize(step.shows["alphas"])``.

    Parameters
    ----------
    space : SearchSpace
        A space with a ``supernet``.
    data : str or Dataset
        As `nasviz.datasets.load` takes it. Only its training images are used.
    size : int
        Height and width of the images, pixels.
    images : int
        Number of images in each half: the first training images of the data, whatever the seed, and those that follow.
        `nasviz.datasets.shuffled` gives each seed images of its own. The paper: 25,000 (CIFAR-10).
    epochs : int
        Epochs of the search. The paper: 50.
    batch : int
        Images in a batch, as in the paper; 2 or more, for batch-norm. An incomplete batch at the end of an
        epoch is dropped.
    weight_lr, weight_decay : float
        Learning rate and L2 penalty of the stochastic gradient descent on w. The rate falls as a cosine to 0.001 over
        the epochs; momentum is 0.9, gradients are cut to norm 5. The paper: 0.025 and 3e-4; here w has fewer steps.
    alpha_lr : float
        Learning rate of Adam on α, with betas 0.5 and 0.999 and weight decay 0.001. The paper: 3e-4, for 50 epochs of
        390 steps; here α has thirty times fewer steps.
    network : mapping
        Size of the supernet, as ``space.supernet`` takes it: ``{"channels": 16, "cells": 2}``. The paper: 16 channels,
        8 cells in all; here by default 8 channels, one cell a stage. ``"device": "cuda"`` makes a GPU compute it.
    seed : int
        Seed of the network's weights, of α and of the order of the images.
    start : bytes, optional
        A `Step.state` of the same search; the search continues after that step.

    Raises
    ------
    ValueError
        When iterated: a number out of its range, too few images, a batch larger than a half, or a ``start`` of another
        search.
    FloatingPointError
        If a loss is no longer finite. The step in which this happened is yielded first.

    Notes
    -----
    Steps show α after the softmax, the losses of both batches (nats) before their updates, and the accuracy on the
    validation batch. The last step of an epoch carries a ``state``. Torch uses one thread, whatever is set outside:
    small steps are five times slower on two.

    A variant that differs in one term is a subclass that overrides one method: `mixture` (the factors of the
    operations), `strengths` (what a step shows), `alpha_loss`, `weight_loss`, `alpha_gradient` (the second order),
    `rate`, `decay`, `alphas_learn`, `first_alphas`, `supernet`, `before_epoch`, `after_epoch` or `over`. The values
    that it keeps in `Bilevel.memory` (see `first_memory`) survive when the process is killed.
    """

    shows: ClassVar[tuple[str, ...]] = ("alphas", "loss", "valid_loss", "valid_accuracy", "epoch")

    space: SearchSpace
    data: str | datasets.Dataset = field(default="fashion16", metadata=datasets.BY_CONTENT)
    size: int = ranged(16, 1)
    images: int = ranged(2000, 1)
    epochs: int = ranged(20, 1)
    batch: int = ranged(64, 2)
    weight_lr: float = knob(0.1, 1e-3, 0.5, least=0.0, log=True, help="Learning rate of the weights, at the start")
    alpha_lr: float = knob(1e-2, 1e-4, 0.1, least=0.0, log=True, help="Learning rate of the architecture weights")
    weight_decay: float = knob(3e-4, 0.0, 1e-2, help="Pull of the network's weights towards zero")
    network: Mapping = field(default_factory=dict)
    seed: int = ranged(0, 0)
    start: bytes | None = field(default=None, repr=False)

    @checked
    def __len__(self) -> int:
        return self.passes * (self.images // self.batch)

    @checked
    def __iter__(self) -> Iterator[Step]:
        with drawn_from(self.seed, BUILD):
            search = self.begin()
        batches = self.images // self.batch
        yield from Draws(search.network, self.seed).each(self._steps(search), search.epoch * batches)

    def _steps(self, search: Bilevel) -> Generator[Step, None, None]:
        for epoch in range(search.epoch, self.passes):
            if self.over(search):
                return
            self.before_epoch(search)
            batches = list(search.batches(self.batch))
            for number, (train, valid) in enumerate(batches, epoch * len(batches)):
                with one_thread():
                    step = self.step(search, train, valid)
                    finite = math.isfinite(step.shows["loss"]) and math.isfinite(step.shows["valid_loss"])
                    if finite and number + 1 == (epoch + 1) * len(batches):
                        self.after_epoch(search, step)
                        search.epoch = epoch + 1
                        step.state = search.pack()
                yield step
                if not finite:
                    raise FloatingPointError(
                        f"DARTS, step {number} (epoch {epoch}): the training loss is {step.shows['loss']}, the "
                        f"validation loss {step.shows['valid_loss']}, with weight_lr={self.weight_lr:g} and "
                        f"alpha_lr={self.alpha_lr:g}. Start again with lower learning rates"
                    )

    def step(self, search: Bilevel, train: Batch, valid: Batch) -> Step:
        """Train on one batch of each half: first α, then w, as in algorithm 1."""
        # α descends the validation loss at the present w, which stands for w*(α).
        gradient, valid_loss, logits = self.alpha_gradient(search, train, valid)
        if self.alphas_learn(search):
            search.descend_alphas(gradient, self.alpha_lr)
        # w descends the training loss at the new α.
        loss = self.weight_gradient(search, train)
        search.descend_weights(self.rate(search), self.decay(search))
        return Step(
            alphas=self.strengths(search.alphas.detach()).cpu().numpy(),
            loss=loss.item(),
            valid_loss=valid_loss.item(),
            valid_accuracy=(logits.argmax(1) == valid.labels).double().mean().item(),
            epoch=search.epoch,
        )

    # ------------------------------------------------------------------------------ the terms: a variant overrides them
    def strengths(self, alphas: Tensor) -> Tensor:
        """Return the strength of each operation on each edge. Steps show the strengths, and `discretize` reads them."""
        return alphas.softmax(1)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Return the factors of the supernet's operations, (edges, operations), differentiable in ``alphas``."""
        return self.strengths(alphas)

    def alpha_loss(self, search: Bilevel, alphas: Tensor, valid: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss that α descends, the validation loss (eq. 3), and the logits."""
        logits = search.network(valid.images, self.mixture(search, alphas))
        return F.cross_entropy(logits, valid.labels), logits

    def weight_loss(self, search: Bilevel, alphas: Tensor, train: Batch) -> Tensor:
        """Return the loss that w descends: the training loss (eq. 4)."""
        return F.cross_entropy(search.network(train.images, self.mixture(search, alphas)), train.labels)

    def alpha_gradient(self, search: Bilevel, train: Batch, valid: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradient in α, the validation loss and the logits: eq. 7 with ξ = 0. w gets no gradient."""
        loss, logits = self.alpha_loss(search, search.alphas, valid)
        (gradient,) = torch.autograd.grad(loss, [search.alphas])
        return gradient, loss, logits

    def weight_gradient(self, search: Bilevel, train: Batch) -> Tensor:
        """Return the training loss, and add its gradient in w to ``search.gradient``."""
        loss = self.weight_loss(search, search.alphas.detach(), train)
        loss.backward()
        return loss

    def rate(self, search: Bilevel) -> float:
        """Return the learning rate of w in this epoch."""
        return cosine_between(self.weight_lr, FLOOR, search.epoch / self.epochs)

    def decay(self, search: Bilevel) -> float:
        """Return the L2 penalty on w in this epoch."""
        return self.weight_decay

    def alphas_learn(self, search: Bilevel) -> bool:
        """Return whether α learns in this epoch."""
        return True

    # ------------------------------------------------------------------------------ the loop: a variant overrides these
    def first_alphas(self, generator: torch.Generator) -> Tensor:
        """Return α at the start: nearly equal numbers."""
        return 1e-3 * torch.randn(len(self.space.relaxed), len(self.space.relaxed[0].options), generator=generator)

    def first_memory(self) -> dict[str, Tensor]:
        """Return the `Bilevel.memory` at the start."""
        return {}

    def supernet(self, **size) -> nn.Module:
        """Return the network whose operations are mixed."""
        return self.space.supernet(**size)

    @property
    def passes(self) -> int:
        """Number of epochs in all: more than ``epochs`` where further training follows the search."""
        return self.epochs

    def before_epoch(self, search: Bilevel) -> None:
        """Prepare an epoch. This is called once more if the search is continued from the state before that epoch."""

    def over(self, search: Bilevel) -> bool:
        """Return whether the search ends before this epoch. The answer depends only on what `Bilevel.pack` keeps."""
        return False

    def after_epoch(self, search: Bilevel, step: Step) -> None:
        """Finish an epoch, before its last step is yielded: may add to ``step.shows`` and to ``search.memory``."""

    @checked
    def begin(self) -> Bilevel:
        """Return the search before its first step, or as it was packed in ``start``. ValueError as in the class."""
        data = datasets.load(self.data, size=self.size)
        if not 1 <= self.batch <= self.images or 2 * self.images > len(data.train_labels):
            raise ValueError(
                f"{data.name} has {len(data.train_labels)} training images; DARTS needs two halves of images="
                f"{self.images} out of them, and batch={self.batch} no larger than a half"
            )
        images = torch.from_numpy(data.normalized("train")[: 2 * self.images])
        labels = torch.from_numpy(data.train_labels[: 2 * self.images].copy())
        images, labels = (part.to(device_of(self.network)) for part in (images, labels))
        train, valid = (Batch(images[part], labels[part]) for part in (slice(self.images), slice(self.images, None)))
        generator = torch.Generator().manual_seed(self.seed)
        size = {"colors": data.colors, "classes": len(data.classes), **size_of(self.network)}
        network = self.supernet(**size, generator=generator)
        search = Bilevel(network, self.first_alphas(generator), train, valid, generator)
        search.memory = self.first_memory()
        if self.start is not None:
            search.unpack(self.start)
        return search
