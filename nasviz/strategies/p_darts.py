"""P-DARTS: search in stages, on deeper and deeper networks with fewer and fewer candidates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from ..analysis.diagnosis import SKIP
from ..nn.descent import cosine_between
from ..nn.gpu import size_of
from ..ranges import ranged
from ..step import Step
from .bilevel import Batch, Bilevel
from .darts import FLOOR, Darts

STILL, FALL = 0.4, 5.0  # the share of a stage in which only w learns; how fast the drop rate falls afterwards


@dataclass
class PDarts(Darts):
    """Progressive DARTS: Chen et al. 2019, sections 3.2 and 3.3.

    A stage is a search of its own, of ``epochs`` epochs, with new weights, new α and a deeper supernet. So the last
    supernet is nearer in depth to the network that is built in the end. After a stage each edge loses the candidates of
    least weight. A deep supernet favours skip connections, as it learns faster through them. So these are dropped at
    random, at a rate that falls within a stage. In a stage's first epochs only w learns.

    Parameters
    ----------
    depths : sequence of int
        One number for each stage of the search: the cells in each stage of its network, in place of
        ``network["cells"]``. The paper: 5, 11 and 17 cells in all.
    keep : sequence of int
        Number of candidates on each edge in a stage. The paper: 8, 5, 3.
    dropout : sequence of float
        Rate at which skip connections are dropped at the start of each stage. The paper, for CIFAR-10: 0, 0.4, 0.7.

    Raises
    ------
    ValueError
        When iterated, if the three lengths differ, ``keep`` rises, or ``keep`` exceeds the number of operations.

    Notes
    -----
    A skip connection is dropped on all images of a batch at once, and kept ones are scaled up; the paper drops single
    numbers of its output. The paper's last rule, at most two skip connections in the cell, is not applied here.
    """

    depths: Sequence[int] = ranged((1, 2, 3), 1)
    keep: Sequence[int] = ranged((5, 3, 2), 1)
    dropout: Sequence[float] = ranged((0.0, 0.4, 0.7), 0.0, below=1.0)

    @property
    def passes(self) -> int:
        """Number of epochs in all: ``epochs`` for each stage."""
        return self.epochs * len(self.depths)

    def first_memory(self) -> dict[str, Tensor]:
        """Return a memory of the candidates that are left, and of the stage."""
        options = len(self.space.relaxed[0].options)
        same, falls = len({len(self.depths), len(self.keep), len(self.dropout)}) == 1, sorted(self.keep, reverse=True)
        if not same or list(self.keep) != falls or falls[0] != options or falls[-1] < 1:
            raise ValueError(
                f"stages need as many depths as keep and dropout, keep falling from all {options} candidates; got "
                f"depths={self.depths}, keep={self.keep}, dropout={self.dropout}"
            )
        left = torch.ones(len(self.space.relaxed), options, dtype=torch.bool)
        return {"left": left, "stage": torch.zeros(1, dtype=torch.long)}

    def begin(self) -> Bilevel:
        """Return the search, with the network of its present stage."""
        search = super(PDarts, replace(self, start=None)).begin()
        if self.start is not None:
            if stage := _stage_of(self.start):
                self._deepen(search, stage)
            search.unpack(self.start)
        return search

    def supernet(self, **size):
        """Return the supernet of the first stage."""
        return super().supernet(**size | {"cells": self.depths[0]})

    def before_epoch(self, search: Bilevel) -> None:
        """Remove candidates and begin again on a deeper network, where a stage begins."""
        stage = search.epoch // self.epochs
        if stage == search.memory["stage"]:
            return
        left = search.memory["left"]
        for row, weights in zip(left, search.alphas.detach().masked_fill(~left, -math.inf), strict=True):
            row.zero_()[weights.topk(self.keep[stage]).indices] = True
        self._deepen(search, stage)

    def _deepen(self, search: Bilevel, stage: int) -> None:
        """Replace weights and α for the network of a stage. Data, generator, epoch and remaining candidates stay."""
        classes = cast("nn.Linear", search.network.classifier).out_features
        sizes = {"colors": search.train.images.shape[1], "classes": classes}
        sizes |= size_of(self.network) | {"cells": self.depths[stage]}
        network = self.space.supernet(**sizes, generator=search.generator)
        fresh = Bilevel(network, self.first_alphas(search.generator), search.train, search.valid, search.generator)
        fresh.memory, fresh.epoch = search.memory, search.epoch
        fresh.memory["stage"].fill_(stage)
        search.__dict__.update(fresh.__dict__)

    def step(self, search: Bilevel, train: Batch, valid: Batch) -> Step:
        """Do the step of `Darts`, but show the strength of removed candidates as 0."""
        step = super().step(search, train, valid)
        step.shows["alphas"] = self.among(search, search.alphas.detach()).numpy()
        return step

    def among(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Return the softmax over the remaining candidates."""
        return alphas.masked_fill(~search.memory["left"], -math.inf).softmax(1)

    def mixture(self, search: Bilevel, alphas: Tensor) -> Tensor:
        """Return the softmax over the remaining candidates, with skip connections dropped at random."""
        strengths = self.among(search, alphas)
        rate = self.drop_rate(search)
        if not rate:
            return strengths
        stays = torch.rand(len(alphas), generator=search.generator) >= rate
        skip = torch.tensor([[option == SKIP for option in choice.options] for choice in self.space.relaxed])
        factor = torch.where(skip, (stays / (1 - rate))[:, None], torch.ones(()))
        return strengths * factor

    def drop_rate(self, search: Bilevel) -> float:
        """Return the drop rate of skip connections in this epoch: it falls slowly while α waits, then exponentially."""
        epoch, first = search.epoch % self.epochs, self.dropout[search.epoch // self.epochs]
        since = epoch - STILL * self.epochs
        return first * (1 - (epoch + 1) / self.epochs if since < 0 else math.exp(-FALL * since / self.epochs))

    def alphas_learn(self, search: Bilevel) -> bool:
        """Return whether α learns in this epoch: it does not in the first epochs of a stage."""
        return search.epoch % self.epochs >= STILL * self.epochs

    def rate(self, search: Bilevel) -> float:
        """Return the learning rate of w: a cosine in each stage."""
        return cosine_between(self.weight_lr, FLOOR, search.epoch % self.epochs / self.epochs)


def _stage_of(state: bytes) -> int:
    """Return the stage of a packed search, or 0 if the state is of another kind: `Bilevel.unpack` then raises."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return int(load(state)["memory.stage"])
    except (SafetensorError, KeyError):
        return 0
