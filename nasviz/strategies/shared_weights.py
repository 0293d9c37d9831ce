"""The base of every supernet training: one network whose weights all architectures share, and its descent."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from .. import datasets
from ..chance import BUILD, Draws, drawn_from
from ..estimators.training import tensors_of
from ..knobs import knob
from ..nn.descent import OPTIMIZERS, WARM, heavy_ball, linear, move_used, warmed
from ..nn.gpu import device_of, size_of, to_device
from ..nn.saved_weights import take_over
from ..nn.threads import one_thread
from ..ranges import checked, ranged
from ..space import SearchSpace
from ..step import Step

if TYPE_CHECKING:
    from ..nn.controller import Controller, Sequences
    from ..nn.elastic import ElasticNetwork
    from ..nn.single_path import PathNetwork


@dataclass
class SharedTraining:
    """The training loop of shared weights. The trainings differ in the losses of a batch.

    A subclass writes `losses`; it may override `rate`, `before_epoch`, `after_epoch`, `shown`.

    Parameters
    ----------
    space : SearchSpace
        A space with a network for single paths: ``single_path``.
    data : str or Dataset
        As `nasviz.datasets.load` takes it. Weights descend on its training images only.
    size : int
        Height and width of the images, pixels.
    images : int
        Number of training images: the first so many are used.
    epochs, batch : int
        Number of epochs, and images in a batch: 2 or more, for batch-norm. An incomplete batch at the end
        of an epoch is dropped.
    lr, weight_decay : float
        Learning rate and L2 penalty of stochastic gradient descent, with momentum 0.9 (a subclass's ``momentum`` says
        of which kind) and gradients cut to norm 5.
    network : mapping
        Size of the supernet, as ``space.single_path`` takes it. ``"device": "cuda"`` makes a GPU compute it; states do
        not depend on the device.
    seed : int
        Seed of the first weights, the architectures and the order of the images.
    start : bytes, optional
        A `Step.state` of the same search; the training continues after that step.
    optimizer : {"sgd", "adamw"}
        ``"adamw"`` trains transformers: `nasviz.nn.descent.adam_with_decay` with betas 0.9 and 0.98, a warm-up, and
        gradients cut to norm 1. ``weight_decay`` then takes away from matrices and filters only, in a share of lr.

    Raises
    ------
    ValueError
        When iterated: an unknown optimizer, a number out of its range, too few images, a space without such a network,
        or a ``start`` of another search.
    FloatingPointError
        If a loss is no longer finite. The step in which this happened is yielded first.
    """

    shows: ClassVar[tuple[str, ...]] = ("loss", "epoch")
    momentum: ClassVar[staticmethod[[Tensor, Tensor], Tensor]] = staticmethod(heavy_ball)

    space: SearchSpace
    data: str | datasets.Dataset = field(default="fashion16", metadata=datasets.BY_CONTENT)
    size: int = ranged(8, 1)
    images: int = ranged(4000, 1)
    epochs: int = ranged(30, 1)
    batch: int = ranged(64, 2)
    lr: float = knob(0.1, 1e-3, 0.5, least=0.0, log=True, help="Learning rate of the shared weights, at the start")
    weight_decay: float = knob(5e-4, 0.0, 1e-2, help="Pull of the shared weights towards zero")
    network: Mapping = field(default_factory=dict)
    seed: int = ranged(0, 0)
    start: bytes | None = field(default=None, repr=False)
    optimizer: str = "sgd"

    @checked
    def __len__(self) -> int:
        return self.epochs * self.steps

    @property
    def device(self) -> str:
        """The device that holds the weights and the images."""
        return device_of(self.network)

    @property
    def batches(self) -> int:
        """Number of steps of the shared weights in an epoch."""
        return self.images // self.batch

    @property
    def steps(self) -> int:
        """Number of steps in an epoch, those of `after_epoch` included."""
        return self.batches

    @checked
    def __iter__(self) -> Iterator[Step]:
        with one_thread(), drawn_from(self.seed, BUILD):
            shared = self.begin()
        yield from Draws(shared.network, self.seed).each(self._steps(shared), shared.epoch * self.steps)

    def _steps(self, shared: Shared) -> Generator[Step, None, None]:
        for epoch in range(shared.epoch, len(self) // self.steps):
            rng = np.random.default_rng((self.seed, epoch))  # new in each epoch, so that the state need not hold it
            order = torch.from_numpy(rng.permutation(self.images)[: self.batches * self.batch])
            with one_thread():
                self.before_epoch(shared)
            for number, chosen in enumerate(order.split(self.batch), epoch * self.batches):
                with one_thread():
                    asked = self.losses(shared, chosen, rng)
                    rate = self.rate(number) * (warmed(number, len(self), WARM) if shared.square else 1)
                    losses = shared.descend(asked, rate, self.weight_decay, self.momentum, number + 1)
                    loss = sum(losses) / len(losses)
                    done = math.isfinite(loss) and number + 1 == (epoch + 1) * self.batches
                    step = Step(loss=loss, epoch=epoch, **self.shown(shared, losses, done))
                    if done:
                        shared.epoch = epoch + 1
                        if self.steps == self.batches:
                            step.state = shared.pack()
                yield step
                if not math.isfinite(loss):
                    raise FloatingPointError(
                        f"supernet, step {number} (epoch {epoch}): the loss is {loss} with lr={self.lr:g}. "
                        "Start again with a lower learning rate"
                    )
            yield from self.after_epoch(shared, rng)

    def losses(self, shared: Shared, chosen: Tensor, rng: np.random.Generator) -> Iterable[Tensor]:
        """Yield one step's losses on the images ``chosen``, one per architecture: lazily, so that memory holds one."""
        raise NotImplementedError(f"{type(self).__name__} has no losses: write losses(shared, chosen, rng)")

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: here it falls linearly to 0."""
        return self.lr * linear(step, len(self))

    def before_epoch(self, shared: Shared) -> None:
        """Change the weights before an epoch, where a subclass needs it: here nothing happens."""

    def after_epoch(self, shared: Shared, rng: np.random.Generator) -> Iterator[Step]:
        """Yield the steps that `steps` counts beyond the batches, the last with the epoch's state: here none."""
        return iter(())

    def shown(self, shared: Shared, losses: list[float], done: bool) -> dict:
        """Return what a step shows besides the mean loss and the epoch. ``done``: whether the step ends an epoch."""
        return {}

    @checked
    def begin(self) -> Shared:
        """Return the supernet with its data, as it was when ``start`` was packed."""
        _ = self.space.single_path  # a space without such a network raises here, before anything is loaded
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {list(OPTIMIZERS)}, got {self.optimizer!r:.60}")
        data = datasets.load(self.data, size=self.size)
        if not 1 <= self.batch <= self.images <= len(data.train_labels):
            raise ValueError(
                f"{data.name} has {len(data.train_labels)} training images; images={self.images} must not be more, and "
                f"batch={self.batch} not more than images"
            )
        images, labels = (part[: self.images].to(self.device) for part in tensors_of(self.data, self.size, "train"))
        shared = Shared(self.space, self.seed, images, labels, classes=len(data.classes), **size_of(self.network))
        shared.memory = self.remembered(len(data.classes))
        if self.optimizer == "adamw":
            shared.square = {name: torch.zeros_like(w) for name, w in shared.weights.items()}
        if self.start is not None:
            shared.unpack(self.start)
        return shared

    def remembered(self, classes: int) -> dict[str, Tensor]:
        """Return the `Shared.memory` at the start: here nothing."""
        return {}


class Shared:
    """Everything that changes while the supernet trains: weights, statistics, momentum, memory and epochs done.

    Attributes
    ----------
    network : nn.Module
        ``network(images, arch)``.
    images, labels : Tensor
        The training data, on the device of the network.
    memory : dict of str to Tensor
        What a strategy must still know after the process was killed: of fixed shapes, filled before the first step.
    velocity, square : dict of str to Tensor
        The mean of the gradients of each weight, and for AdamW that of their squares; else ``square`` is empty.
    epoch : int
        Number of epochs done.
    """

    valid: tuple[Tensor, Tensor]  # what some strategies put here when they begin: validation images and labels,
    controller: Controller  # and the policy that draws
    drawn: Sequences  # what it drew last

    def __init__(self, space: SearchSpace, seed: int, images: Tensor, labels: Tensor, **size):
        self.images, self.labels = images, labels
        generator = torch.Generator().manual_seed(seed)
        network = to_device(space.single_path(**size, colors=images.shape[1], generator=generator), images.device)
        self.network = cast("PathNetwork | ElasticNetwork", network)
        self.weights = dict(self.network.train().named_parameters())  # collected once: this takes as long as a layer
        self.velocity = {name: torch.zeros_like(w) for name, w in self.weights.items()}
        self.square: dict[str, Tensor] = {}
        self.memory: dict[str, Tensor] = {}
        self.epoch = 0

    def descend(
        self, losses: Iterable[Tensor], lr: float, decay: float, momentum=heavy_ball, step: int = 1
    ) -> list[float]:
        """Move the weights that ``losses`` use along the summed gradients, in step 1, 2, …. Return the losses, nats."""
        values = []
        for loss in losses:
            loss.backward()
            values.append(loss.item())
        move_used(self.weights, self.velocity, self.square, lr, decay, momentum, step)
        return values

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        tensors |= {f"velocity.{name}": v for name, v in self.velocity.items()}
        tensors |= {f"square.{name}": v for name, v in self.square.items()}
        return tensors | {f"memory.{name}": t for name, t in self.memory.items()}

    def pack(self) -> bytes:
        """Return the state as safetensors: ``network.``, ``velocity.``, ``square.``, ``memory.``, and the epoch."""
        from safetensors.torch import save

        tensors = {name: tensor.contiguous() for name, tensor in self._tensors().items()}
        return save(tensors | {"epoch": torch.tensor(self.epoch)})

    def unpack(self, state: bytes) -> None:
        """Restore a state that `pack` made. ValueError if the state belongs to another search."""
        saved = take_over(state, self._tensors() | {"epoch": torch.tensor(self.epoch)})
        self.epoch = int(saved["epoch"])
