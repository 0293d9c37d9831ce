"""DARTS-PT: the value of an operation is measured by removing it, instead of reading it from its weight."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..nn.threads import one_thread
from ..ranges import ranged
from ..step import Step
from .bilevel import Batch, Bilevel
from .darts import Darts


@dataclass
class DartsPT(Darts):
    """DARTS with perturbation-based selection: Wang et al. 2021, algorithm 1.

    The search of `Darts` comes first. Then the edges are decided in random order: on an edge each operation in turn is
    removed from the supernet (its weight is set to zero, the other weights are kept). If removing an operation gives
    the lowest accuracy on the validation half, this operation alone stays. After each decision the supernet is trained.

    Parameters
    ----------
    tuning : int
        Epochs of training after each decision, at a learning rate of w of a tenth of ``weight_lr``. The paper: 5.

    Raises
    ------
    ValueError
        When iterated on a space that chooses edges as well (`DartsSpace`), for which the paper has one more rule.

    Notes
    -----
    The other fields are those of `Darts`. The steps after the search show the strengths with decided edges one-hot, so
    that ``space.discretize`` of the last step's strengths is the selected architecture. As in the authors' code for
    NAS-Bench-201, α goes on learning on the undecided edges, and removing an operation does not raise the weights of
    the others. In that code "none" can be selected; here it cannot, as in `NasBench201.discretize`.
    """

    tuning: int = ranged(1, 1)

    @property
    def passes(self) -> int:
        """Number of epochs in all: those of the search, then ``tuning`` for each edge."""
        return self.epochs + self.tuning * len(self.space.relaxed)

    def first_memory(self) -> dict[str, Tensor]:
        """Return a memory with the operation selected on each edge, -1 where there is none yet."""
        if len(self.space.choices) != len(self.space.relaxed):
            raise ValueError(f"{self.space.name} also chooses edges: perturbations decide only operations here")
        return {"selected": torch.full((len(self.space.relaxed),), -1)}

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Return the strengths, one-hot on decided edges."""
        strengths, selected = self.strengths(alphas), search.memory["selected"]
        one_hot = F.one_hot(selected.clamp(min=0), strengths.shape[1]).to(strengths)
        return torch.where(selected[:, None] >= 0, one_hot, strengths)

    def before_epoch(self, search: Bilevel) -> None:
        """Decide an edge, every ``tuning`` epochs once the search is done."""
        since = search.epoch - self.epochs
        if since >= 0 and since % self.tuning == 0:
            with one_thread():
                self._decide(search)

    @torch.no_grad()
    def _decide(self, search: Bilevel) -> None:
        selected = search.memory["selected"]
        undecided = (selected < 0).nonzero()[:, 0].tolist()
        edge = undecided[int(torch.randint(len(undecided), (), generator=search.generator))]
        options = self.space.relaxed[edge].options
        accuracies: dict[int, float] = {}
        for option in (i for i, name in enumerate(options) if name != "none"):
            weights = self.mixture(search, search.alphas).clone()
            weights[edge, option] = 0
            accuracies[option] = self._accuracy(search, weights)
        selected[edge] = min(accuracies, key=accuracies.__getitem__)

    def _accuracy(self, search: Bilevel, weights: Tensor) -> float:
        right = 0
        for images, labels in zip(search.valid.images.split(256), search.valid.labels.split(256), strict=True):
            right += (search.network(images, weights).argmax(1) == labels).sum().item()
        return right / len(search.valid.labels)

    def rate(self, search: Bilevel) -> float:
        """Return the learning rate of `Darts` during the search, then a tenth of ``weight_lr``."""
        return super().rate(search) if search.epoch < self.epochs else self.weight_lr / 10

    def step(self, search: Bilevel, train: Batch, valid: Batch) -> Step:
        """Do the step of `Darts`, but show the decided edges as one-hot."""
        step = super().step(search, train, valid)
        step.shows["alphas"] = self.mixture(search, search.alphas.detach()).numpy()
        return step
