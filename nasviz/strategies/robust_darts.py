"""RobustDARTS: the sharpness of the validation loss in α decides when to stop, or to regularise more."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..analysis.diagnosis import discretisation_gap, dominant_eigenvalue, hessian, validation_loss
from ..ranges import ranged
from ..step import Step
from .bilevel import Bilevel
from .darts import Darts

WINDOW, BACK = 5, 5  # epochs: length of an average of eigenvalues, and distance between two averages compared
EXACT = 36  # greatest size of α for which the whole Hessian is computed: it costs no more than power iteration
AT_ONCE = 12  # rows of the Hessian that are computed together
HARDEST = 3e-2  # the greatest L2 penalty


@dataclass
class WatchedDarts(Darts):
    """DARTS with a diagnosis at the end of each epoch.

    Steps that end an epoch also show two measurements: ``eigenvalue``, the dominant eigenvalue of the validation loss's
    Hessian in α, and ``discrete_accuracy``, the accuracy of the supernet when each edge keeps its strongest operation
    only. The measurements do not change α and w.

    Parameters
    ----------
    watched : int
        Both are measured on the first so many images of the validation half.
    """

    watched: int = ranged(128, 2)

    def after_epoch(self, search: Bilevel, step: Step) -> None:
        """Measure the eigenvalue and the discrete accuracy."""
        loss, alphas = validation_loss(self, search, self.watched), search.alphas
        small = alphas.numel() <= EXACT
        eigenvalue = (
            np.linalg.eigvalsh(hessian(loss, alphas, AT_ONCE))[-1] if small else dominant_eigenvalue(loss, alphas)
        )
        step.shows["eigenvalue"] = float(eigenvalue)
        step.shows["discrete_accuracy"] = discretisation_gap(self, search, self.watched).discrete


@dataclass
class RobustDarts(WatchedDarts):
    """DARTS that stops where the dominant eigenvalue starts to rise: Zela et al. 2020, "DARTS-ES".

    λ̄(i) is the mean of the last five epochs' eigenvalues. The search ends when λ̄(i - 5) / λ̄(i) < ``ratio``, and its
    result is α as it was five epochs before. The last step shows this α.

    Parameters
    ----------
    ratio : float
        The search ends below this ratio. The paper: 0.75.

    Notes
    -----
    The paper's other remedy, stronger L2 regularisation, needs no other loop: it is ``Darts(weight_decay=…)``.
    """

    ratio: float = ranged(0.75, 0.0)

    def first_memory(self) -> dict[str, Tensor]:
        """Return a memory of the eigenvalues, of the `learned` tensors in the last six epochs, and of an early end."""
        return {
            "eigenvalues": torch.full((self.passes,), torch.nan),
            "past": torch.zeros(BACK + 1, 0),
            "ended": torch.zeros(1, dtype=torch.bool),
        }

    def begin(self) -> Bilevel:
        """Return the search, with memory for the last six epochs."""
        search = super(RobustDarts, replace(self, start=None)).begin()
        search.memory["past"] = torch.zeros(BACK + 1, sum(part.numel() for part in learned(search)))
        if self.start is not None:
            search.unpack(self.start)
        return search

    def after_epoch(self, search: Bilevel, step: Step) -> None:
        """Measure, and call `sharp` if the loss became sharp."""
        super().after_epoch(search, step)
        memory = search.memory
        memory["eigenvalues"][search.epoch] = step.shows["eigenvalue"]
        memory["past"].copy_(memory["past"].roll(-1, 0))
        memory["past"][-1] = torch.cat([part.flatten().cpu() for part in learned(search)])
        if sharpened(memory["eigenvalues"][: search.epoch + 1], self.ratio):
            self.sharp(search, step)

    def sharp(self, search: Bilevel, step: Step) -> None:
        """End the search, and show α as it was five epochs before."""
        search.memory["ended"].fill_(True)
        before = search.memory["past"][0, : search.alphas.numel()].view(search.alphas.shape)
        step.shows["alphas"] = self.strengths(before).numpy()

    def over(self, search: Bilevel) -> bool:
        """Return whether the search has ended."""
        return bool(search.memory["ended"])


@dataclass
class AdaptiveDarts(RobustDarts):
    """DARTS that regularises more where the dominant eigenvalue rises: Zela et al. 2020, "DARTS-ADA".

    Instead of stopping, the search restores α, w and their momenta of five epochs before, and makes the L2 penalty on w
    ten times as large, up to 0.03.

    Notes
    -----
    Undone epochs still count, unlike in the paper: the search does as many steps as DARTS.
    """

    def first_memory(self) -> dict[str, Tensor]:
        """Return the memory of `RobustDarts`, and the factor on the penalty."""
        return super().first_memory() | {"factor": torch.ones(1)}

    def decay(self, search: Bilevel) -> float:
        """Return the L2 penalty in this epoch."""
        factor = float(search.memory["factor"])
        return self.weight_decay if factor == 1 else min(HARDEST, self.weight_decay * factor)

    def sharp(self, search: Bilevel, step: Step) -> None:
        """Restore the state of five epochs before, make the penalty ten times as large, and forget the eigenvalues."""
        if self.decay(search) >= HARDEST:
            return
        search.memory["factor"] *= 10
        search.memory["eigenvalues"].fill_(torch.nan)
        parts = learned(search)
        values = search.memory["past"][0].split([part.numel() for part in parts])
        for part, value in zip(parts, values, strict=True):
            part.copy_(value.view(part.shape))


def learned(search: Bilevel) -> tuple[Tensor, ...]:
    """Return the tensors that learn in a search: α, w and their momenta."""
    return search.alphas.detach(), search.mean, search.square, search.weights, search.velocity


def sharpened(eigenvalues: Tensor, ratio: float) -> bool:
    """Return whether the mean of the last five eigenvalues is over 1 / ratio times the mean five epochs before.

    ``eigenvalues`` has one number per epoch, oldest first, and nan for a missing one. False while there are too few.
    """
    if len(eigenvalues) < WINDOW + BACK or eigenvalues[-WINDOW - BACK :].isnan().any():
        return False
    now, before = eigenvalues[-WINDOW:].mean(), eigenvalues[-WINDOW - BACK : -BACK].mean()
    return bool(now > 0 and before / now < ratio)
