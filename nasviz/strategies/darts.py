"""DARTS: search by gradient descent on architecture weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import datasets
from ..nn.threads import one_thread
from ..search import knob
from ..space import SearchSpace
from ..step import Step

MOMENTUM, CLIP, FLOOR = 0.9, 5.0, 1e-3  # of the descent of w: momentum, greatest gradient norm, last learning rate
ALPHA_BETAS, ALPHA_DECAY = (0.5, 0.999), 1e-3  # of Adam on α


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
        8 cells in all; here by default 8 channels, one cell a stage.
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
        return self.epochs * (self.images // self.batch)

    def __iter__(self) -> Iterator[Step]:
        train, valid, search = self._begin()
        for epoch in range(search.epoch, self.epochs):
            search.epoch = epoch
            batches = list(zip(self._order(search), self._order(search), strict=True))
            for number, (of_train, of_valid) in enumerate(batches, epoch * len(batches)):
                with one_thread():
                    step = self._step(search, [part[of_train] for part in train], [part[of_valid] for part in valid])
                    finite = math.isfinite(step.shows["loss"]) and math.isfinite(step.shows["valid_loss"])
                    if finite and of_train is batches[-1][0]:
                        search.epoch = epoch + 1
                        step.state = search.pack()
                yield step
                if not finite:
                    raise FloatingPointError(
                        f"DARTS, step {number} (epoch {epoch}): the training loss is {step.shows['loss']}, the "
                        f"validation loss {step.shows['valid_loss']}, with weight_lr={self.weight_lr:g} and "
                        f"alpha_lr={self.alpha_lr:g}. Start again with lower learning rates"
                    )

    def _step(self, search: _Search, train: Sequence[Tensor], valid: Sequence[Tensor]) -> Step:
        """One batch (images, labels) of each half: α first, then w, as in algorithm 1."""
        network, alphas = search.network, search.alphas
        # α descends the validation loss at the present w, taken for w*(α).
        logits = network(valid[0], alphas.softmax(1))
        valid_loss = F.cross_entropy(logits, valid[1])
        (gradient,) = torch.autograd.grad(valid_loss, [alphas])  # of α alone: w's gradient is not computed
        search.descend_alphas(gradient, self.alpha_lr)
        # w descends the training loss at the new α.
        mixture = alphas.detach().softmax(1)
        loss = F.cross_entropy(network(train[0], mixture), train[1])
        loss.backward()
        search.descend_weights(self._cosine(search.epoch), self.weight_decay)
        return Step(
            alphas=mixture.numpy(),
            loss=loss.item(),
            valid_loss=valid_loss.item(),
            valid_accuracy=(logits.argmax(1) == valid[1]).double().mean().item(),
            epoch=search.epoch,
        )

    def _cosine(self, epoch: int) -> float:
        return FLOOR + (self.weight_lr - FLOOR) * (1 + math.cos(math.pi * epoch / self.epochs)) / 2

    def _order(self, search: _Search) -> Sequence[Tensor]:
        """A half's images in an order drawn anew, divided into whole batches."""
        order = torch.randperm(self.images, generator=search.generator)
        return order[: self.images // self.batch * self.batch].split(self.batch)

    def _begin(self) -> tuple[tuple, tuple, _Search]:
        data = datasets.load(self.data, size=self.size)
        if not 1 <= self.batch <= self.images or 2 * self.images > len(data.train_labels):
            raise ValueError(
                f"{data.name} has {len(data.train_labels)} training images; DARTS needs two halves of images="
                f"{self.images} out of them, and batch={self.batch} no larger than a half"
            )
        images = torch.from_numpy(data.normalized("train")[: 2 * self.images])
        labels = torch.from_numpy(data.train_labels[: 2 * self.images].copy())
        halves = [(images[part], labels[part]) for part in (slice(self.images), slice(self.images, None))]
        search = _Search(self.space, self.seed, colors=data.colors, classes=len(data.classes), **self.network)
        if self.start is not None:
            search.unpack(self.start)
        return *halves, search


class _Search:
    """All that changes while DARTS goes on: weights, α, the memory of both descents, the generator, epochs done.

    The network's weights, and their gradients, are parts of one vector each: a descent is a handful of operations,
    whatever the number of layers. (``torch.optim``, at its first use, takes seconds to import torch's compiler.)
    """

    def __init__(self, space: SearchSpace, seed: int, **size):
        self.generator = torch.Generator().manual_seed(seed)
        self.network = space.supernet(**size, generator=self.generator)
        shape = len(space.relaxed), len(space.relaxed[0].options)
        self.alphas = (1e-3 * torch.randn(shape, generator=self.generator)).requires_grad_()
        self.mean, self.square = torch.zeros(shape), torch.zeros(shape)
        self.steps = self.epoch = 0
        layers = list(self.network.parameters())
        starts = [0, *accumulate(-(-layer.numel() // 16) * 16 for layer in layers)]  # each on a cache line
        self.weights, self.gradient, self.velocity = (torch.zeros(starts[-1]) for _ in range(3))
        for layer, start in zip(layers, starts, strict=False):
            layer.data = self.weights.as_strided(layer.shape, layer.stride(), start).copy_(layer.detach())
            layer.grad = self.gradient.as_strided(layer.shape, layer.stride(), start)

    @torch.no_grad()
    def descend_alphas(self, gradient: Tensor, lr: float) -> None:
        """A step of Adam (Kingma & Ba 2015, algorithm 1) with an L2 penalty."""
        gradient, (beta1, beta2) = gradient + ALPHA_DECAY * self.alphas, ALPHA_BETAS
        self.steps += 1
        self.mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
        self.square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        mean, square = self.mean / (1 - beta1**self.steps), self.square / (1 - beta2**self.steps)
        self.alphas -= lr * mean / (square.sqrt() + 1e-8)

    @torch.no_grad()
    def descend_weights(self, lr: float, decay: float) -> None:
        """A step of gradient descent with momentum and L2 penalty. Empties the gradient, to which backward() adds."""
        norm = self.gradient.norm()
        if norm > CLIP:
            self.gradient *= CLIP / norm
        self.velocity.mul_(MOMENTUM).add_(self.gradient.add_(self.weights, alpha=decay))
        self.weights.sub_(self.velocity, alpha=lr)
        self.gradient.zero_()

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {name: getattr(self, name).detach() for name in ("alphas", "mean", "square", "weights", "velocity")}
        counts = torch.tensor([self.steps, self.epoch])
        return tensors | {"steps, epoch": counts, "generator": self.generator.get_state()}

    def pack(self) -> bytes:
        """The state as safetensors."""
        from safetensors.torch import save

        return save(self._tensors())

    def unpack(self, state: bytes) -> None:
        """Take over a packed state; ValueError if it is none of this search."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        try:
            saved = load(state)
        except SafetensorError as error:
            raise ValueError(f"start is no state of a search: {error}") from None
        mine = self._tensors()
        shapes, others = ({name: (*t.shape, t.dtype) for name, t in tensors.items()} for tensors in (mine, saved))
        if differs := sorted(n for n in shapes | others if shapes.get(n) != others.get(n)):
            raise ValueError(f"start is the state of another search: it differs in {', '.join(differs)}")
        for name in ("alphas", "mean", "square", "weights", "velocity"):
            mine[name].copy_(saved[name])
        self.steps, self.epoch = saved["steps, epoch"].tolist()
        self.generator.set_state(saved["generator"])
