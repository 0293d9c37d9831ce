"""Distillation: train one network on the answers of another, on labels, or on both."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import datasets
from ..chance import BUILD, Draws, drawn_from
from ..estimators.training import EVALUATION_BATCH, TRANSFORMER, Recipe, evaluated, tensors_of
from ..nn.descent import AdamW, Nesterov
from ..nn.saved_weights import take_over
from ..nn.threads import one_thread
from ..ranges import checked, ranged
from ..space import Arch, SearchSpace
from ..step import Step


@dataclass
class Distillation:
    """Train one architecture to answer as its parent does: Hinton et al. 2015 ("Distilling the knowledge").

    This is the last stage of Puzzle (Bercovich et al. 2024, section 4): the halves of the chosen network were trained
    alone, and here they learn to work together. Without a teacher it is an ordinary training, whose weights one gets.

    Parameters
    ----------
    space : SearchSpace
        If there is a teacher, one with a ``largest`` member: that is the teacher.
    arch : Arch
        Which architecture is trained.
    weights : bytes, optional
        Its first weights, as `weights_of` returns them. None: drawn from ``seed``.
    teacher : bytes, optional
        Weights of the largest member. None: labels alone are learnt.
    share : float
        Share of the teacher's answers in the loss, 0 to 1: the divergence of the network's probabilities from the
        teacher's. The rest is the cross-entropy with labels. Temperatures other than 1 are left out.
    recipe : Recipe
    data : str or Dataset
    seed : int
        Seed of the order of the images, and of weights that are not given.
    start : bytes, optional
        A `Step.state` of the same training; it continues after that step.

    Raises
    ------
    ValueError
        When iterated: an ``arch`` that is not in the space, weights of another network, fewer images than the recipe
        asks for, a share out of its range, or a ``start`` of another training.
    FloatingPointError
        If the loss is no longer finite. The step in which this happened is yielded first.

    Notes
    -----
    Steps show the loss of the batch, the epoch, and loss and accuracy on all validation images after the last finished
    epoch (nan in the first). The last step of an epoch carries a ``state``; that of the last epoch holds the result:
    see `weights_of`.
    """

    shows: ClassVar[tuple[str, ...]] = ("loss", "epoch", "valid_loss", "valid_accuracy")

    space: SearchSpace
    arch: Arch
    weights: bytes | None = field(default=None, repr=False)
    teacher: bytes | None = field(default=None, repr=False)
    share: float = ranged(1.0, 0.0, 1.0)
    recipe: Recipe = TRANSFORMER
    data: str | datasets.Dataset = field(default="fashion16", metadata=datasets.BY_CONTENT)
    seed: int = ranged(0, 0)
    start: bytes | None = field(default=None, repr=False)

    @property
    def batches(self) -> int:
        """Number of steps in an epoch."""
        return -(-self.recipe.images // self.recipe.batch)

    @checked
    def __len__(self) -> int:
        return self.recipe.epochs * self.batches

    @checked
    def __iter__(self) -> Iterator[Step]:
        with one_thread(), drawn_from(self.seed, BUILD):
            training = Trained(self)
        yield from Draws(training.network, self.seed).each(self._steps(training), training.epoch * self.batches)

    def _steps(self, training: Trained) -> Generator[Step, None, None]:
        recipe, valid = self.recipe, tensors_of(self.data, self.recipe.size, "valid")
        for epoch in range(training.epoch, recipe.epochs):
            rng = np.random.default_rng((self.seed, epoch))  # new in each epoch, so that the state need not hold it
            for batch, chosen in enumerate(torch.from_numpy(rng.permutation(recipe.images)).split(recipe.batch)):
                number = epoch * self.batches + batch
                with one_thread():
                    loss = self.loss(training, chosen)
                    loss.backward()
                    training.descent.step(recipe.rate(number))
                    value = loss.item()
                    if done := batch + 1 == self.batches and math.isfinite(value):
                        training.valid[:] = torch.tensor(evaluated(training.network, *valid))
                        training.network.train()
                        training.epoch = epoch + 1
                    accuracy, valid_loss = training.valid.tolist()
                    step = Step(loss=value, epoch=epoch, valid_loss=valid_loss, valid_accuracy=accuracy)
                    step.state = training.pack() if done else None
                yield step
                if not math.isfinite(value):
                    raise FloatingPointError(
                        f"distillation, step {number} (epoch {epoch}): the loss is {value} with lr={recipe.lr:g}. "
                        "Start again with a lower learning rate"
                    )

    def loss(self, training: Trained, chosen: Tensor) -> Tensor:
        """Return the loss of a batch: in a ``share`` the divergence from the teacher's answers, else cross-entropy."""
        logits = training.network(training.images[chosen])
        if training.answers is None:
            return F.cross_entropy(logits, training.labels[chosen])
        apart = F.kl_div(logits.log_softmax(1), training.answers[chosen], reduction="batchmean")
        if self.share == 1:
            return apart
        return self.share * apart + (1 - self.share) * F.cross_entropy(logits, training.labels[chosen])


class Trained:
    """Everything that changes while the network trains, and the images with the teacher's answers to them."""

    def __init__(self, search: Distillation):
        recipe, data = search.recipe, datasets.load(search.data, size=search.recipe.size)
        if recipe.images > len(data.train_labels):
            raise ValueError(
                f"the recipe asks for {recipe.images} training images, {data.name} has {len(data.train_labels)}"
            )
        size = {**recipe.network, "colors": data.colors, "classes": len(data.classes)}
        self.images, self.labels = (part[: recipe.images] for part in tensors_of(search.data, recipe.size, "train"))
        self.answers = None
        if search.teacher is not None:
            teacher = search.space.network(search.space.largest, **size)
            take_over(search.teacher, teacher.state_dict())
            self.answers = answers(teacher, self.images).softmax(1)
        generator = torch.Generator().manual_seed(search.seed)
        self.network: nn.Module = search.space.network(search.space.check(search.arch), **size, generator=generator)
        if search.weights is not None:
            take_over(search.weights, self.network.state_dict())
        self.descent: Nesterov | AdamW = recipe.descent(self.network.train())
        self.epoch, self.valid = 0, torch.full((2,), math.nan, dtype=torch.float64)  # accuracy and loss
        if search.start is not None:
            saved = take_over(search.start, self._tensors())
            self.epoch, self.descent.steps = int(saved["epoch"]), int(saved["steps"])

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"moment.{number}": moment for number, moment in enumerate(self.descent.moments)}
        done = {"epoch": torch.tensor(self.epoch), "steps": torch.tensor(self.descent.steps)}
        return tensors | done | {"valid": self.valid}

    def pack(self) -> bytes:
        """Return the state as safetensors: ``network.``, the descent's ``moment.``, ``epoch``, ``steps``, ``valid``."""
        from safetensors.torch import save

        return save({name: tensor.contiguous() for name, tensor in self._tensors().items()})


@torch.no_grad()
def answers(network: nn.Module, images: Tensor) -> Tensor:
    """Return the logits of ``network`` in evaluation mode, (images, classes)."""
    return torch.cat([network.eval()(part) for part in images.split(EVALUATION_BATCH)])


def weights_of(state: bytes) -> bytes:
    """Return the network's weights, as safetensors, from a `Step.state` of a `Distillation`."""
    from safetensors.torch import load, save

    tensors = load(state)
    return save({name.removeprefix("network."): t for name, t in tensors.items() if name.startswith("network.")})
