"""What the trainings of an elastic supernet share: distillation, and an eye on a few of the children."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..estimators.training import evaluated, tensors_of
from ..knobs import knob
from ..nn.single_path import recalibrate
from ..space import Arch
from .shared_weights import Shared, SharedTraining, nesterov, same_statistics

MOST = 4  # sub-networks a step
WATCHED, JUDGED, BATCHES = 3, 1000, 4  # sampled children, validation images, batches of the re-calibration


@dataclass
class ElasticTraining(SharedTraining):
    """A training of `nasviz.nn.elastic.ElasticNetwork`. Subclasses say which sub-networks learn what, stage by stage.

    Notes
    -----
    Steps show the mean ``loss`` and all ``losses`` (nats), the ``epoch``, the ``stage`` (its number in ``stages``) and,
    at the end of an epoch, the validation accuracies of the ``children`` that are `watched`, re-calibrated, on the
    first 1,000 validation images. The last step of an epoch carries a ``state``.
    """

    shows: ClassVar = ("loss", "losses", "epoch", "stage", "children")
    stages: ClassVar[tuple[str, ...]] = ()
    momentum: ClassVar = staticmethod(nesterov)  # as Once-for-all's release, and as a member is trained alone

    batch: int = 128
    lr: float = knob(0.1, 1e-3, 0.5, log=True, help="Learning rate of the shared weights, at the start of a stage")
    distillation: float = knob(0.5, 0.0, 1.0, help="Share of the loss that the teacher's answers make, not the labels")

    @property
    def watched(self) -> list[Arch]:
        """The children whose accuracy is shown: the largest, the smallest, and three drawn, the same in every run."""
        rng = np.random.default_rng(0)
        return [self.space.largest, self.space.smallest, *(self.space.sample(rng) for _ in range(WATCHED))]

    def stage(self, epoch: int) -> int:
        """In which stage an epoch is: here there is one."""
        return 0

    def shown(self, shared: Shared, losses: list[float], done: bool) -> dict:
        """Losses, stage, and the children's accuracies."""
        padded = np.full(MOST, np.nan, "<f4")
        padded[: len(losses)] = losses
        children = np.full(len(self.watched), np.nan, "<f4")
        if done:
            with same_statistics(shared):
                children[:] = [self.accuracy(shared, arch) for arch in self.watched]
        return {"losses": padded, "stage": self.stage(shared.epoch), "children": children}

    def accuracy(self, shared: Shared, arch: Arch) -> float:
        """Validation accuracy of a child as it is now, 0 to 1; changes the batch-norms' statistics."""
        self.recalibrate(shared, arch)
        return evaluated(shared.network.select(arch), *shared.valid)[0]

    def recalibrate(self, shared: Shared, arch: Arch) -> None:
        """Let the batch-norms take their statistics from a few training batches through ``arch``."""
        recalibrate(shared.network, arch, shared.images[: BATCHES * self.batch].split(self.batch))

    def loss(self, logits: Tensor, labels: Tensor, teacher: Tensor | None) -> Tensor:
        """Cross-entropy with the labels, and in a share of `distillation` with the teacher's probabilities (rows)."""
        loss = cross_entropy(logits, labels)
        if teacher is None:
            return loss
        return (1 - self.distillation) * loss + self.distillation * cross_entropy(logits, teacher)

    def begin(self) -> Shared:
        """As `SharedTraining`, with validation images to judge children on."""
        _ = self.space.largest  # a space without says so, before anything is loaded
        shared = super().begin()
        shared.valid = tuple(part[:JUDGED].to(self.device) for part in tensors_of(self.data, self.size, "valid"))
        return shared
