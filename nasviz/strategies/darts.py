"""DARTS: search by gradient descent on architecture weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import datasets
from ..knobs import knob
from ..nn.gpu import device_of, size_of
from ..nn.threads import one_thread
from ..space import SearchSpace
from ..step import Step
from .bilevel import Batch, Bilevel, cosine

FLOOR = 1e-3  # the last learning rate of w


@dataclass
class Darts:
    """First-order DARTS: Liu, Simonyan & Yang 2019, algorithm 1 with ξ = 0.

    Every edge computes all operations, weighted by a softmax over architecture weights α (eq. 2). Half of the training
    images trains the network's weights w, the other half trains α, in turn: a step is one batch of each. The bilevel
    problem min L_valid(w*(α), α) (eq. 3, 4) is approximated by taking the present w for the optimal w*(α) (eq. 5 to 7
    with ξ = 0). What was found is ``space.discretize(step.shows["alphas"])``.

    Parameters
    ----------
    space : SearchSpace
        One with a ``supernet``.
    data : str or Dataset
        As `nasviz.datasets.load` takes it. Only its training images are used.
    size : int
        Height and width of the images, pixels.
    images : int
        In each half. The paper: 25,000 (CIFAR-10).
    epochs : int
        The paper: 50.
    batch : int
        As in the paper. What is left over at the end of an epoch is dropped.
    weight_lr, weight_decay : float
        Of the stochastic gradient descent on w, whose learning rate falls as a cosine over the epochs, to 0.001; with
        momentum 0.9, gradients cut to norm 5. The paper: 0.025 and 3e-4; here w has to get somewhere in fewer steps.
    alpha_lr : float
        Of Adam on α, with betas 0.5 and 0.999 and weight decay 0.001. The paper: 3e-4, for 50 epochs of 390 steps;
        here α has thirty times fewer steps to get somewhere.
    network : mapping
        Size of the supernet, as ``space.supernet`` takes it: ``{"channels": 16, "cells": 2}``. The paper: 16 channels,
        8 cells in all; here by default 8 channels, one cell a stage. Besides, ``"device": "cuda"``: where it computes.
    seed : int
        Of the network's weights, α and the order of the images.
    start : bytes, optional
        A `Step.state` of the same search, after which to go on.

    Raises
    ------
    ValueError
        When iterated: too few images, a batch larger than a half, a ``start`` that is not of this search.
    FloatingPointError
        A loss is no longer finite. The step in which it happened comes first.

    Notes
    -----
    Steps show α after the softmax, the losses of both batches (nats) before their updates, and the accuracy on the
    validation batch. The last step of an epoch carries a ``state``. One thread of torch, whatever is set outside: small
    steps are five times slower on two.

    A variant that differs in one term is a subclass that overrides one method: `mixture` (by what the operations are
    multiplied), `strengths` (what a step shows), `alpha_loss`, `weight_loss`, `alpha_gradient` (the second order),
    `rate`, `decay`, `alphas_learn`, `first_alphas`, `supernet`, `before_epoch`, `after_epoch` or `over`. What it keeps
    in `Bilevel.memory` (see `first_memory`) survives a kill.
    """

    shows: ClassVar = ("alphas", "loss", "valid_loss", "valid_accuracy", "epoch")

    space: SearchSpace
    data: str | datasets.Dataset = "fashion16"
    size: int = 16
    images: int = 2000
    epochs: int = 20
    batch: int = 64
    weight_lr: float = knob(0.1, 1e-3, 0.5, log=True, help="Learning rate of the network's weights, at the start")
    alpha_lr: float = knob(1e-2, 1e-4, 0.1, log=True, help="Learning rate of the architecture weights")
    weight_decay: float = knob(3e-4, 0.0, 1e-2, help="Pull of the network's weights towards zero")
    network: Mapping = field(default_factory=dict)
    seed: int = 0
    start: bytes | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return self.passes * (self.images // self.batch)

    def __iter__(self) -> Iterator[Step]:
        search = self.begin()
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
        """One batch of each half: α first, then w, as in algorithm 1."""
        # α descends the validation loss at the present w, taken for w*(α).
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

    # ------------------------------------------------------------------------------ the terms: what a remedy overrides
    def strengths(self, alphas: Tensor) -> Tensor:
        """How strong each operation is on each edge: what a step shows, and what is discretised."""
        return alphas.softmax(1)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """What the operations of the supernet are multiplied by, (edges, operations), differentiable in ``alphas``."""
        return self.strengths(alphas)

    def alpha_loss(self, search: Bilevel, alphas: Tensor, valid: Batch) -> tuple[Tensor, Tensor]:
        """What α descends, and the logits: the validation loss (eq. 3)."""
        logits = search.network(valid.images, self.mixture(search, alphas))
        return F.cross_entropy(logits, valid.labels), logits

    def weight_loss(self, search: Bilevel, alphas: Tensor, train: Batch) -> Tensor:
        """What w descends: the training loss (eq. 4)."""
        return F.cross_entropy(search.network(train.images, self.mixture(search, alphas)), train.labels)

    def alpha_gradient(self, search: Bilevel, train: Batch, valid: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """The gradient of α, the validation loss, the logits: eq. 7 with ξ = 0. No gradient of w is computed."""
        loss, logits = self.alpha_loss(search, search.alphas, valid)
        (gradient,) = torch.autograd.grad(loss, [search.alphas])
        return gradient, loss, logits

    def weight_gradient(self, search: Bilevel, train: Batch) -> Tensor:
        """The training loss; its gradient in w is added to ``search.gradient``."""
        loss = self.weight_loss(search, search.alphas.detach(), train)
        loss.backward()
        return loss

    def rate(self, search: Bilevel) -> float:
        """The learning rate of w in this epoch."""
        return cosine(self.weight_lr, FLOOR, search.epoch / self.epochs)

    def decay(self, search: Bilevel) -> float:
        """The L2 penalty on w in this epoch."""
        return self.weight_decay

    def alphas_learn(self, search: Bilevel) -> bool:
        """Whether α descends in this epoch."""
        return True

    # -------------------------------------------------------------------------------- the loop: what a remedy overrides
    def first_alphas(self, generator: torch.Generator) -> Tensor:
        """α at the start: nearly all the same."""
        return 1e-3 * torch.randn(len(self.space.relaxed), len(self.space.relaxed[0].options), generator=generator)

    def first_memory(self) -> dict[str, Tensor]:
        """`Bilevel.memory` at the start."""
        return {}

    def supernet(self, **size) -> nn.Module:
        """The network whose operations are mixed."""
        return self.space.supernet(**size)

    @property
    def passes(self) -> int:
        """Epochs in all: more than ``epochs`` where something follows the search."""
        return self.epochs

    def before_epoch(self, search: Bilevel) -> None:
        """Called before an epoch; again, if the search goes on from the state before."""

    def over(self, search: Bilevel) -> bool:
        """Whether the search ends here, asked before each epoch: a function of what `Bilevel.pack` keeps."""
        return False

    def after_epoch(self, search: Bilevel, step: Step) -> None:
        """Called before an epoch's last step is yielded: may add to ``step.shows`` and to ``search.memory``."""

    def begin(self) -> Bilevel:
        """The search as it stands before its first step, or as ``start`` left it. ValueError as in the class."""
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
