"""Once-for-all: train one network that serves all its sub-networks, the largest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from ..knobs import knob
from ..nn.descent import cosine
from ..nn.single_path import same_statistics
from ..ranges import checked, ranged
from .elastic_training import MOST, ElasticTraining
from .shared_weights import Shared

if TYPE_CHECKING:
    from ..nn.elastic import ElasticNetwork
    from ..spaces.elastic_choices import ElasticChoices

LATER = 0.5  # of the learning rate, in the stages after the first
# For both halves of each stage: the least option that may be drawn, of kernels, of depths and of widths
FIXED = (
    ((2, 2, 2), (2, 2, 2)),
    ((0, 2, 2), (0, 2, 2)),
    ((0, 1, 2), (0, 0, 2)),
    ((0, 0, 1), (0, 0, 0)),
)


@dataclass
class OnceForAll(ElasticTraining):
    """Progressive shrinking: Cai et al. 2020, section 3.3.

    The largest network is trained first. Then, stage by stage, smaller ones are drawn too: smaller kernels, then
    shallower units (first 3 layers, then 2), then narrower layers (first expansion 4, then 3). The channels are sorted
    by importance before they become narrower. After the first stage, sub-networks learn from the largest network's
    outputs as well as from the labels. The resolution is drawn at random in all stages.

    Parameters
    ----------
    epochs : four ints
        Epochs of the four stages: the first at least 1, the others may be 0. The paper on ImageNet: 180, 125, 145 and
        145 (its release: 180, 120, 25 + 120, 25 + 120).
    children : int
        Sub-networks drawn at each step after the first stage, 1 to 4; their gradients add up. (The first stage draws
        one, as only the resolution differs there.)
    distillation : float
        Share of the largest network's outputs in the loss. The released code adds both losses with equal weight; here
        they are averaged.
    lr : float
        Learning rate of the first stage; the others have half of it. It falls along a cosine in each stage.
    space, data, size, images, batch, weight_decay, network, seed, start
        See `SharedTraining`.

    Raises
    ------
    ValueError
        When iterated with another kind of space or other numbers of epochs, and in the cases of `SharedTraining`.
    FloatingPointError
        If a loss is no longer finite. The step in which this happened is yielded first.
    """

    stages: ClassVar[tuple[str, ...]] = ("full", "kernel", "depth", "width")

    epochs: tuple[int, int, int, int] = ranged((4, 2, 2, 2), 0)  # type: ignore[assignment]  # by stage: read here only
    children: int = knob(2, 1, MOST, most=MOST, help="Sub-networks drawn at each step")

    @checked
    def __len__(self) -> int:
        return sum(self.epochs) * self.batches

    def losses(self, shared: Shared, chosen: Tensor, rng: np.random.Generator) -> Iterator[Tensor]:
        """Yield the loss of each drawn sub-network: on labels, after the first stage also on the largest's outputs."""
        stage, share = self._place(shared.epoch)
        teacher = shared.memory["teacher"][chosen] if stage else None
        space = cast("ElasticChoices", self.space)
        least = dict(zip(space.dimensions[1:], FIXED[stage][share >= 0.5], strict=True))
        for _ in range(self.children if stage else 1):
            arch = space.sample(rng, least)
            yield self.loss(shared.network(shared.images[chosen], arch), shared.labels[chosen], teacher)

    def before_epoch(self, shared: Shared) -> None:
        """Reset the momentum, store the teacher's outputs and sort the channels, where a stage begins."""
        stage, share = self._place(shared.epoch)
        if share or not stage:
            return
        for velocity in shared.velocity.values():
            velocity.zero_()
        if shared.memory["teacher"].isnan().all():
            shared.memory["teacher"].copy_(self._answers(shared))
        if self.stages[stage] == "width":
            cast("ElasticNetwork", shared.network).sort_channels()

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: a cosine in each stage."""
        stage, share = self._place(step // self.batches)
        share += step % self.batches / self.batches / self.epochs[stage]
        return self.lr * (LATER if stage else 1) * cosine(share, 1)

    def stage(self, epoch: int) -> int:
        """Return the number of the stage to which an epoch belongs."""
        return self._place(epoch)[0]

    def begin(self) -> Shared:
        """Begin as `ElasticTraining` does, after a check of the space and of the numbers of epochs."""
        if not hasattr(self.space, "dimensions"):
            raise ValueError(
                f"progressive shrinking is for spaces whose kernels, depths and widths are elastic, not for "
                f"{self.space.name}: BigNas and TrainSupernet train all members from the start"
            )
        if len(self.epochs) != len(self.stages) or min(self.epochs) < 0 or self.epochs[0] < 1:
            raise ValueError(f"epochs are those of {', '.join(self.stages)}, the first from 1: got {self.epochs}")
        return super().begin()

    def remembered(self, classes: int) -> dict[str, Tensor]:
        """Return memory for the largest network's probabilities on all training images: nan before it is trained."""
        return {"teacher": torch.full((self.images, classes), torch.nan, device=self.device)}

    def _place(self, epoch: int) -> tuple[int, float]:
        """Return the stage of an epoch, and the share of the stage that was done before it."""
        for stage, epochs in enumerate(self.epochs):
            if epoch < epochs:
                return stage, epoch / epochs
            epoch -= epochs
        raise IndexError("the training ends before this epoch")

    @torch.no_grad()
    def _answers(self, shared: Shared) -> Tensor:
        """Return the largest network's outputs on each training image. (Once is enough: there is no augmentation.)"""
        with same_statistics(shared.network):
            self.recalibrate(shared, self.space.largest)
            return torch.cat([shared.network(part).softmax(1) for part in shared.images.split(500)])
