"""The base of trainings of an elastic supernet: distillation, and the accuracy of a few sub-networks ("children")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..estimators.training import evaluated, tensors_of
from ..knobs import knob
from ..nn.descent import nesterov
from ..nn.single_path import recalibrate, same_statistics
from ..ranges import ranged
from ..space import Arch
from .shared_weights import Shared, SharedTraining

if TYPE_CHECKING:
    from ..nn.single_path import PathNetwork

MOST = 4  # the most sub-networks that are trained in a step
WATCHED, JUDGED, BATCHES = 3, 1000, 4  # drawn children that are watched, validation images, re-calibration batches


@dataclass
class ElasticTraining(SharedTraining):
    """A training of `nasviz.nn.elastic.ElasticNetwork`. Subclasses choose the sub-networks and losses of each stage.

    Notes
    -----
    Steps show the mean ``loss`` and all ``losses`` (nats), the ``epoch``, the ``stage`` (its number in ``stages``) and,
    at the end of an epoch, the validation accuracies of the `watched` sub-networks (``children``) after re-calibration,
    on the first 1,000 validation images. The last step of an epoch carries a ``state``.
    """

    shows: ClassVar[tuple[str, ...]] = ("loss", "losses", "epoch", "stage", "children")
    stages: ClassVar[tuple[str, ...]] = ()
    # As Once-for-all's release, and as a member is trained alone
    momentum: ClassVar[staticmethod[[Tensor, Tensor], Tensor]] = staticmethod(nesterov)

    batch: int = ranged(128, 2)
    lr: float = knob(0.1, 1e-3, 0.5, least=0.0, log=True, help="Learning rate of the weights, at a stage's start")
    distillation: float = knob(
        0.5, 0.0, 1.0, most=1.0, help="Share of the teacher's answers, not the labels, in the loss"
    )

    @property
    def watched(self) -> list[Arch]:
        """The children whose accuracy is shown: the largest, the smallest, and three random ones, the same each run."""
        rng = np.random.default_rng(0)
        return [self.space.largest, self.space.smallest, *(self.space.sample(rng) for _ in range(WATCHED))]

    def stage(self, epoch: int) -> int:
        """Return the number of the stage to which an epoch belongs: here there is one stage."""
        return 0

    def shown(self, shared: Shared, losses: list[float], done: bool) -> dict:
        """Return the losses, the stage and the children's accuracies."""
        padded = np.full(MOST, np.nan, "<f4")
        padded[: len(losses)] = losses
        children = np.full(len(self.watched), np.nan, "<f4")
        if done:
            with same_statistics(shared.network):
                children[:] = [self.accuracy(shared, arch) for arch in self.watched]
        return {"losses": padded, "stage": self.stage(shared.epoch), "children": children}

    def accuracy(self, shared: Shared, arch: Arch) -> float:
        """Return the present validation accuracy of a child, 0 to 1. This changes the batch-norms' statistics."""
        self.recalibrate(shared, arch)
        return evaluated(shared.network.select(arch), *shared.valid)[0]

    def recalibrate(self, shared: Shared, arch: Arch) -> None:
        """Compute the batch-norms' statistics from a few training batches that pass through ``arch``."""
        network = cast("PathNetwork", shared.network)  # an elastic one is called alike
        recalibrate(network, arch, shared.images[: BATCHES * self.batch].split(self.batch))

    def loss(self, logits: Tensor, labels: Tensor, teacher: Tensor | None) -> Tensor:
        """Return cross-entropy with labels, and in a share `distillation` with the teacher's probabilities (rows)."""
        loss = cross_entropy(logits, labels)
        if teacher is None:
            return loss
        return (1 - self.distillation) * loss + self.distillation * cross_entropy(logits, teacher)

    def begin(self) -> Shared:
        """Begin as `SharedTraining` does, and load the validation images on which children are judged."""
        _ = self.space.largest  # a space without a largest architecture raises here, before anything is loaded
        shared = super().begin()
        images, labels = tensors_of(self.data, self.size, "valid")
        shared.valid = images[:JUDGED].to(self.device), labels[:JUDGED].to(self.device)
        return shared
