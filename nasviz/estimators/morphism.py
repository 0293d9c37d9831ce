"""Weight inheritance: a child is not trained from scratch, it starts from the weights of its parent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from .. import datasets
from ..estimator import Estimator
from ..nn.morphism import inherit
from ..nn.saved_weights import take_over
from ..space import Arch, SearchSpace
from ..step import Evaluation
from .training import FULL, Recipe, Training

SHORT = replace(FULL, epochs=2, lr=0.02)  # the parent's weights are worth keeping: fewer epochs, a smaller first step


@dataclass(frozen=True)
class WeightInheritance(Estimator):
    """Judges the children of one trained parent by a short training that starts where the parent ended.

    Elsken, Metzen & Hutter 2018 climb hills with it: train all neighbours for a few epochs, go on from the best. So
    does ``estimate = estimate.child(best.arch)``, which is the estimator one generation later.

    Parameters
    ----------
    space : SearchSpace
        One whose networks are `nasviz.nn.cells.CellNetwork`.
    parent : tuple of int
    weights : bytes
        The parent's, as safetensors. `root` trains them.
    recipe : Recipe
        Of a child's training: short, and with the network's size as the parent's.
    dataset : str or Dataset

    Raises
    ------
    ValueError
        When called: weights that are not of the parent's network.

    Notes
    -----
    Scores: ``"morphed"``, validation accuracy (0 to 1) after the short training, ``"morphed_loss"`` (validation, nats);
    ``"preserved"``, 1 if the child began as its parent's function, 0 if the change could only be approximated (see
    `nasviz.nn.morphism.inherit`); ``"parameters"``, ``"madds"``. What a child scores depends on its ancestors too: it
    is no accuracy of a training from scratch.

    Examples
    --------
    >>> from nasviz.spaces import NasBench201
    >>> estimate = WeightInheritance.root(NasBench201(), (2, 0, 2, 1, 0, 2))  # doctest: +SKIP
    >>> estimate((3, 0, 2, 1, 0, 2)).scores["morphed"]  # doctest: +SKIP
    0.78
    """

    space: SearchSpace
    parent: Arch
    weights: bytes = field(repr=False)
    recipe: Recipe = SHORT
    dataset: str | datasets.Dataset = "fashion16"

    @classmethod
    def root(
        cls, space: SearchSpace, arch: Arch, recipe: Recipe = FULL, children: Recipe = SHORT, seed: int = 0, **data
    ) -> WeightInheritance:
        """Train the first parent from scratch by ``recipe``; ``children`` is how its children will be trained."""
        first = _Watched(space)
        Training(first, recipe, **data)(arch, seed=seed)
        return cls(space, space.check(arch), first.packed(), children, **data)

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Train ``arch`` from the parent's weights; the seed draws those of what is new, and the images' order."""
        return self._trained(arch, epochs, seed)[0]

    def child(self, arch: Arch, *, seed: int = 0) -> WeightInheritance:
        """The estimator whose parent is ``arch``, trained as a call with this seed trains it."""
        return replace(self, parent=self.space.check(arch), weights=self._trained(arch, None, seed)[1].packed())

    def _trained(self, arch: Arch, epochs: int | None, seed: int) -> tuple[Evaluation, _Watched]:
        heirs = _Watched(self.space, self.parent, self.weights)
        evaluation = Training(heirs, self.recipe, self.dataset)(arch, epochs=epochs, seed=seed)
        scores = dict(evaluation.scores)
        scores = {
            "morphed": scores.pop("accuracy"),
            "morphed_loss": scores.pop("loss"),
            "preserved": float(heirs.preserved),
            "parameters": scores["parameters"],
            "madds": scores["madds"],
        }
        return replace(evaluation, scores=scores), heirs


class _Watched(SearchSpace):
    """A space whose networks start from a parent's weights, if there is one, and that keeps the network it made."""

    def __init__(self, space: SearchSpace, parent: Arch | None = None, weights: bytes = b""):
        self.name, self.choices, self.space = space.name, space.choices, space
        self.parent, self.weights = parent, weights

    def rule(self, arch: Arch) -> str | None:
        return self.space.rule(arch)

    def network(self, arch: Arch, **size):
        self.made = self.space.network(arch, **size)
        if self.parent is not None:
            parent = self.space.network(self.parent, **size | {"generator": torch.Generator()})
            take_over(self.weights, parent.state_dict())
            self.preserved = inherit(self.made, parent)
        return self.made

    def packed(self) -> bytes:
        """Weights of the network made last, as safetensors."""
        from safetensors.torch import save

        return save({name: tensor.contiguous() for name, tensor in self.made.state_dict().items()})
