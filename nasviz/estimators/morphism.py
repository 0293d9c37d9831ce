"""Weight inheritance: the training of a child starts from the weights of its parent, not from scratch."""

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
    """An estimator that judges the children of a trained parent by a short training from the parent's weights.

    Elsken, Metzen & Hutter 2018 use it for hill climbing: they train all neighbours for a few epochs and move to the
    best. ``estimate = estimate.child(best.arch)`` is such a move: it gives the estimator of the next generation.

    Parameters
    ----------
    space : SearchSpace
        A space whose networks are `nasviz.nn.cells.CellNetwork`.
    parent : tuple of int
    weights : bytes
        The parent's weights as safetensors. `root` trains them.
    recipe : Recipe
        Recipe of a child's training: a short one, with the size of the parent's network.
    dataset : str or Dataset

    Raises
    ------
    ValueError
        When called, if the weights are not those of the parent's network.

    Notes
    -----
    Scores: ``"morphed"``, validation accuracy (0 to 1) after the short training, ``"morphed_loss"`` (validation, nats);
    ``"preserved"``, 1 if the child began as its parent's function, 0 if the change could only be approximated (see
    `nasviz.nn.morphism.inherit`); ``"parameters"``, ``"madds"``. A child's scores depend on its ancestors too: they are
    not those of a training from scratch.

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
    dataset: str | datasets.Dataset = field(default="fashion16", metadata=datasets.BY_CONTENT)

    @classmethod
    def root(
        cls, space: SearchSpace, arch: Arch, recipe: Recipe = FULL, children: Recipe = SHORT, seed: int = 0, **data
    ) -> WeightInheritance:
        """Train the first parent from scratch by ``recipe``. ``children`` is the recipe of its children's trainings."""
        first = _Watched(space)
        Training(first, recipe, **data)(arch, seed=seed)
        return cls(space, space.check(arch), first.packed(), children, **data)

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Train ``arch`` from the parent's weights. The seed draws weights of new operations and the images' order."""
        return self._trained(arch, epochs, seed)[0]

    def child(self, arch: Arch, *, seed: int = 0) -> WeightInheritance:
        """Return the estimator whose parent is ``arch``, trained as in a call with this seed."""
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
    """A space whose networks start from the weights of a parent, if there is one. It keeps the last network made."""

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
        """Return the weights of the network made last, as safetensors."""
        from safetensors.torch import save

        return save({name: tensor.contiguous() for name, tensor in self.made.state_dict().items()})
