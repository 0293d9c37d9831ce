"""RobustDARTS: the sharpness of the validation loss in α says when to stop, or to regularise more."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..analysis.diagnosis import discretisation_gap, dominant_eigenvalue, hessian, validation_loss
from ..step import Step
from .bilevel import Bilevel
from .darts import Darts

WINDOW, BACK = 5, 5  # epochs: over which eigenvalues are averaged, which means are compared
EXACT = 36  # numbers in α up to which the whole Hessian is computed: no dearer than power iteration
HARDEST = 3e-2  # L2 penalty up to which it is raised


@dataclass
class WatchedDarts(Darts):
    """DARTS, and at the end of each epoch what a diagnosis says of it.

    Steps that end an epoch also show ``eigenvalue``, the dominant one of the validation loss's Hessian in α, and
    ``discrete_accuracy``, that of the supernet when each edge keeps its strongest operation only, both on the first
    ``watched`` images of the validation half. α and w do not notice.

    Parameters
    ----------
    watched : int
    """

    watched: int = 128

    def after_epoch(self, search: Bilevel, step: Step) -> None:
        """Measure."""
        loss, alphas = validation_loss(self, search, self.watched), search.alphas
        small = alphas.numel() <= EXACT
        eigenvalue = np.linalg.eigvalsh(hessian(loss, alphas))[-1] if small else dominant_eigenvalue(loss, alphas)
        step.shows["eigenvalue"] = float(eigenvalue)
        step.shows["discrete_accuracy"] = discretisation_gap(self, search, self.watched).discrete


@dataclass
class RobustDarts(WatchedDarts):
    """DARTS that stops where the dominant eigenvalue starts to rise: Zela et al. 2020, "DARTS-ES".

    With λ̄(i) the mean of the last five epochs' eigenvalues: the search ends when λ̄(i - 5) / λ̄(i) < ``ratio``, and what
    it found is α as it was five epochs before. The last step shows that α.

    Parameters
    ----------
    ratio : float
        The paper: 0.75.

    Notes
    -----
    The paper's other remedy without a change of the loop, stronger L2 regularisation, is ``Darts(weight_decay=…)``.
    """

    ratio: float = 0.75

    def first_memory(self) -> dict[str, Tensor]:
        """The eigenvalues so far, all that learns as it was in the last six epochs, and whether the search ended."""
        return {
            "eigenvalues": torch.full((self.passes,), torch.nan),
            "past": torch.zeros(BACK + 1, 0),
            "ended": torch.zeros(1, dtype=torch.bool),
        }

    def begin(self) -> Bilevel:
        """The search, with room for its past."""
        search = super(RobustDarts, replace(self, start=None)).begin()
        search.memory["past"] = torch.zeros(BACK + 1, sum(part.numel() for part in learned(search)))
        if self.start is not None:
            search.unpack(self.start)
        return search

    def after_epoch(self, search: Bilevel, step: Step) -> None:
        """Measure; end the search if the loss became sharp."""
        super().after_epoch(search, step)
        memory = search.memory
        memory["eigenvalues"][search.epoch] = step.shows["eigenvalue"]
        memory["past"].copy_(memory["past"].roll(-1, 0))
        memory["past"][-1] = torch.cat([part.flatten().cpu() for part in learned(search)])
        if sharpened(memory["eigenvalues"][: search.epoch + 1], self.ratio):
            self.sharp(search, step)

    def sharp(self, search: Bilevel, step: Step) -> None:
        """The answer is α as it was."""
        search.memory["ended"].fill_(True)
        before = search.memory["past"][0, : search.alphas.numel()].view(search.alphas.shape)
        step.shows["alphas"] = self.strengths(before).numpy()

    def over(self, search: Bilevel) -> bool:
        """Whether it ended."""
        return bool(search.memory["ended"])


@dataclass
class AdaptiveDarts(RobustDarts):
    """DARTS that regularises more where the dominant eigenvalue rises: Zela et al. 2020, "DARTS-ADA".

    In place of stopping, α, w and their momenta go back to what they were five epochs before, and the L2 penalty on w
    becomes ten times as large, up to 0.03.

    Notes
    -----
    The epochs that are undone are not given back, other than in the paper: the search does as many steps as DARTS.
    """

    def first_memory(self) -> dict[str, Tensor]:
        """That of `RobustDarts`, and the factor on the penalty."""
        return super().first_memory() | {"factor": torch.ones(1)}

    def decay(self, search: Bilevel) -> float:
        """The L2 penalty in this epoch."""
        factor = float(search.memory["factor"])
        return self.weight_decay if factor == 1 else min(HARDEST, self.weight_decay * factor)

    def sharp(self, search: Bilevel, step: Step) -> None:
        """Go back, regularise ten times as much, forget the eigenvalues that were undone."""
        if self.decay(search) >= HARDEST:
            return
        search.memory["factor"] *= 10
        search.memory["eigenvalues"].fill_(torch.nan)
        parts = learned(search)
        values = search.memory["past"][0].split([part.numel() for part in parts])
        for part, value in zip(parts, values, strict=True):
            part.copy_(value.view(part.shape))


def learned(search: Bilevel) -> tuple[Tensor, ...]:
    """What a search may go back to: α, w and their momenta."""
    return search.alphas.detach(), search.mean, search.square, search.weights, search.velocity


def sharpened(eigenvalues: Tensor, ratio: float) -> bool:
    """Whether the mean of the last eigenvalues, against that of five epochs before, has risen by more than 1 / ratio.

    ``eigenvalues``: one an epoch, the last epoch's last; nan where there is none. False while there are too few.
    """
    if len(eigenvalues) < WINDOW + BACK or eigenvalues[-WINDOW - BACK :].isnan().any():
        return False
    now, before = eigenvalues[-WINDOW:].mean(), eigenvalues[-WINDOW - BACK : -BACK].mean()
    return bool(now > 0 and before / now < ratio)
