"""ENAS: a controller and the weights that all its architectures share, trained in turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, nan
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..estimators.training import tensors_of
from ..knobs import knob
from ..nn.controller import Controller, Sequences
from ..nn.descent import linear
from ..nn.saved_weights import take_over
from ..nn.single_path import same_statistics
from ..nn.threads import one_thread
from ..ranges import ranged
from ..space import Arch
from ..step import Step
from .reinforce import surrogate
from .shared_weights import Shared, SharedTraining

HIDDEN, DECAY, ENTROPY = 100, 0.95, 1e-4  # the controller's units, decay of the baseline, weight of the entropy
CHILDREN, UPDATES = 0, 1  # the two stages


@dataclass
class Enas(SharedTraining):
    """Efficient neural architecture search: Pham et al. 2018, section 2.2.

    Two things learn in turns. For one pass over the training images the shared weights descend, each batch on one
    architecture that the controller draws. Then, with the weights fixed, the controller follows REINFORCE's gradient
    for some updates; the reward of an architecture is its accuracy on a batch of *validation* images, with the weights
    that it inherits. So ENAS is `nasviz.strategies.Reinforce` with a reward that costs milliseconds.

    Parameters
    ----------
    space, data, size, images, epochs, batch, lr, weight_decay, network, seed, start
        See `SharedTraining`. The weights' learning rate falls linearly here; the paper's rises again, five times.
    updates : int
        Updates of the controller after each pass. The paper: 2,000 steps.
    samples : int
        Architectures of one update, all judged on the same validation batch. 1 to 100.
    controller_lr : float
        Learning rate of Adam on the controller. The paper: 3.5e-4; larger here, as there are fewer updates.

    Raises
    ------
    ValueError
        When iterated, in the cases of `SharedTraining`.
    FloatingPointError
        If a loss is no longer finite. The step in which this happened is yielded first.

    Notes
    -----
    Steps of stage 0 move the weights and show their ``loss``; those of stage 1 move the controller and show the mean
    ``reward`` of an update (0 to 1). The missing one of the two is nan. All steps show ``marginals`` and ``entropy`` of
    the architectures they drew, and the ``baseline``, a moving average of the rewards; the first update's baseline is
    its own mean reward. The last step of an epoch carries a ``state``.

    While an architecture is rewarded its batch-norms normalise by the batch, as in training and as in the authors'
    code; the statistics that are kept do not see validation images.

    Examples
    --------
    >>> *_, last = (search := Enas(NasBench201()))  # doctest: +SKIP
    >>> inherited = Inherited.of(search, last.state)  # doctest: +SKIP
    >>> best = max(map(inherited, search.derive(last.state)), key=Score("inherited"))  # doctest: +SKIP
    """

    shows: ClassVar[tuple[str, ...]] = ("loss", "epoch", "stage", "marginals", "entropy", "reward", "baseline")
    stages: ClassVar[tuple[str, ...]] = ("weights", "controller")

    updates: int = ranged(20, 0)
    samples: int = knob(10, 1, 100, help="Architectures of one update of the controller")
    controller_lr: float = knob(0.001, 1e-4, 0.1, least=0.0, log=True, help="Learning rate of the controller")

    @property
    def steps(self) -> int:
        """Number of steps in an epoch: batches for the weights, then updates of the controller."""
        return self.batches + self.updates

    def rate(self, step: int) -> float:
        """Return the learning rate of the weights: it falls linearly to 0."""
        return self.lr * linear(step, self.epochs * self.batches)

    def losses(self, shared: Shared, chosen: Tensor, rng: np.random.Generator) -> Iterator[Tensor]:
        """Yield the cross-entropy of one architecture that the controller draws (the paper's M = 1)."""
        with torch.no_grad():
            shared.drawn = shared.controller.sample(1, rng)
        (arch,) = shared.drawn.archs
        yield cross_entropy(shared.network(shared.images[chosen], arch), shared.labels[chosen])

    def shown(self, shared: Shared, losses: list[float], done: bool) -> dict:
        """Return what a step of the weights shows besides the loss."""
        return {"reward": nan, "baseline": float(shared.memory["baseline"])} | policy(shared.drawn, CHILDREN)

    def after_epoch(self, shared: Shared, rng: np.random.Generator) -> Iterator[Step]:
        """Train the controller for its updates, with the shared weights fixed."""
        for number in range(self.updates):
            with one_thread():
                drawn, rewards = self.rewarded(shared, rng)
                mean, baseline = rewards.mean(), shared.memory["baseline"]
                if not isfinite(baseline):
                    baseline.copy_(mean)
                shown = {"reward": float(mean), "baseline": float(baseline)} | policy(drawn, UPDATES)
                gain = surrogate(drawn, drawn.logs.detach(), rewards - baseline, entropy=ENTROPY)
                shared.controller.descend(-gain, self.controller_lr)
                baseline.mul_(DECAY).add_(mean, alpha=1 - DECAY)
                state = shared.pack() if number + 1 == self.updates else None
            yield Step(state=state, loss=nan, epoch=shared.epoch - 1, **shown)

    def rewarded(self, shared: Shared, rng: np.random.Generator) -> tuple[Sequences, Tensor]:
        """Draw architectures from the policy; also return each one's accuracy (samples,) on one validation batch."""
        drawn = shared.controller.sample(self.samples, rng)
        images, labels = shared.valid
        chosen = torch.from_numpy(rng.choice(len(labels), min(self.batch, len(labels)), replace=False))
        with same_statistics(shared.network), torch.no_grad():
            right = [shared.network(images[chosen], arch).argmax(1) == labels[chosen] for arch in drawn.archs]
        return drawn, torch.stack(right).float().mean(1).cpu()

    def derive(self, state: bytes, count: int = 10, seed: int = 0) -> list[Arch]:
        """Draw architectures from the controller of a ``state``; the one best with inherited weights is the result.

        Pham et al. 2018, section 2.2, "Deriving architectures". ValueError if the state belongs to another search.
        """
        controller = Controller(self.space, HIDDEN)
        take_over(state, {f"memory.{name}": tensor for name, tensor in controller.tensors().items()})
        with one_thread(), torch.no_grad():
            return controller.sample(count, np.random.default_rng(seed)).archs

    def begin(self) -> Shared:
        """Begin as `SharedTraining` does, and add a controller and the validation images for its rewards."""
        shared = super().begin()
        shared.controller = Controller(self.space, HIDDEN)
        for name, tensor in shared.controller.tensors().items():  # the controller's weights are the memory from now on
            shared.memory[name] = tensor.copy_(shared.memory[name])
        images, labels = tensors_of(self.data, self.size, "valid")
        shared.valid = images.to(self.device), labels.to(self.device)
        return shared

    def remembered(self, classes: int) -> dict[str, Tensor]:
        """Return the controller's weights at the start, and the baseline, which is nan before the first update."""
        controller = Controller(self.space, HIDDEN, torch.Generator().manual_seed(self.seed))
        return controller.tensors() | {"baseline": torch.tensor(nan)}


def policy(drawn: Sequences, stage: int) -> dict:
    """Return what steps show of the policy that drew these architectures."""
    marginals = drawn.probabilities.mean(0).numpy().astype("<f4")
    return {"stage": stage, "marginals": marginals, "entropy": float(drawn.entropies.detach().sum(1).mean())}
