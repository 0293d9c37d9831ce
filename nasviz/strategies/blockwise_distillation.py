"""A library of block variants: each learns, by itself, to do what the parent's half-block does in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from .. import datasets
from ..estimators.training import Recipe, tensors_of
from ..nn.descent import AdamW
from ..nn.half_blocks import CHUNK, cut, entering
from ..nn.saved_weights import take_over
from ..nn.threads import one_thread
from ..ranges import checked, ranged
from ..space import SearchSpace
from ..step import Step

BLOCKWISE = Recipe(16, 8000, 1, 128, 2e-3, decay=0.0, optimizer="adamw")
"""One pass over the images: 72 variants in about half a minute on one core."""


@dataclass
class BlockwiseDistillation:
    """Distil each variant of each half-block alone: Puzzle's library (Bercovich et al. 2024, section 3).

    The parent's tokens enter a half-block and its variants, and the variants learn to add what it adds. They know
    nothing of one another, so that a library of n·k variants serves all k^n networks. Each variant begins with the most
    important heads or neurons of the half-block (`nasviz.nn.half_blocks.by_importance`).

    Parameters
    ----------
    space : TransformerSpace
    parent : bytes
        Weights of the largest member, as safetensors.
    learn : bool
        False leaves the variants as they were cut, without any training: what does it help?
    recipe : Recipe
        Of the training of a half-block's variants, all at once. Its schedule falls to 0 for each half-block anew.
    data : str or Dataset
    seed : int
        Seed of the order of the images.
    start : bytes, optional
        A `Step.state` of the same search; it continues after that step.

    Raises
    ------
    ValueError
        When iterated: a parent of another network, fewer images than the recipe asks for, another optimizer than
        "adamw", or a ``start`` of another search.

    Notes
    -----
    The loss of a variant is its relative error: the mean square of what it adds too much or too little, over the mean
    square of what the parent's half-block adds. Nothing at all has error 1. Steps show ``errors`` of all options of all
    choices, measured on the batch before the step, and their mean over the variants that learn as ``loss``. The last
    step of a half-block carries a ``state``; that of the last half-block is the library
    (`nasviz.estimators.Assembled`).
    """

    shows: ClassVar[tuple[str, ...]] = ("loss", "errors", "place")

    space: SearchSpace
    parent: bytes = field(repr=False)
    learn: bool = True
    recipe: Recipe = BLOCKWISE
    data: str | datasets.Dataset = field(default="fashion16", metadata=datasets.BY_CONTENT)
    seed: int = ranged(0, 0)
    start: bytes | None = field(default=None, repr=False)

    @property
    def each(self) -> int:
        """Number of steps of a half-block: one if nothing is learnt."""
        return self.recipe.epochs * -(-self.recipe.images // self.recipe.batch) if self.learn else 1

    @checked
    def __len__(self) -> int:
        return self.each * len(self.space.choices)

    @checked
    def __iter__(self) -> Iterator[Step]:
        recipe, data = self.recipe, datasets.load(self.data, size=self.recipe.size)
        if recipe.images > len(data.train_labels) or recipe.optimizer != "adamw":
            raise ValueError(
                f"variants are trained with optimizer='adamw' on {len(data.train_labels)} images of {data.name} or "
                f"less; the recipe says {recipe.optimizer!r} and {recipe.images}"
            )
        network = self.space.network(
            self.space.largest, **{**recipe.network, "colors": data.colors, "classes": len(data.classes)}
        )
        take_over(self.parent, network.state_dict())
        images = tensors_of(self.data, recipe.size, "train")[0][: recipe.images]
        errors, library, first = self._begin()
        with one_thread():
            tokens = islice(entering(network.eval(), images), first, None)
        for place in range(first, len(self.space.choices)):
            with one_thread():
                x, added = next(tokens)
                words = self.space.choices[place].options[1:-1]
                small = cut(network.halves[place], x[:CHUNK], words)
                errors[place] = [1.0, *[np.nan] * len(words), 0.0]
            steps = self._distilled(list(small.values()), x, added, place)
            for number in range(self.each):
                with one_thread():
                    errors[place, 1:-1] = next(steps)
                    step = Step(loss=float(errors[place, 1:-1].mean()), errors=errors.copy(), place=place)
                    if number + 1 == self.each:
                        next(steps, None)  # the last update
                        library |= {f"{place}.{word}.{name}": tensor for word, half in small.items()
                                    for name, tensor in half.state_dict().items()}  # fmt: skip
                        step.state = _packed(library, errors, place + 1)
                yield step

    def _distilled(self, halves: list[nn.Module], x: Tensor, added: Tensor, place: int) -> Iterator[list[float]]:
        """Yield the errors of some variants on a batch, then train them on it; again until the recipe's end."""
        scale, variants = float(added.square().mean()), nn.ModuleList(halves)
        if not self.learn:
            with torch.no_grad():
                yield [float((half(x[:CHUNK]) - added[:CHUNK]).square().mean()) / scale for half in halves]
            return
        descent, rng, number = AdamW(variants, self.recipe.decay, clip=float("inf")), self._order(place), 0
        for _ in range(self.recipe.epochs):
            for chosen in torch.from_numpy(rng.permutation(len(x))).split(self.recipe.batch):
                asked, wanted = x[chosen], added[chosen]
                losses = [(half(asked) - wanted).square().mean() / scale for half in halves]
                yield [loss.item() for loss in losses]
                torch.stack(losses).sum().backward()
                descent.step(self.recipe.rate(number))
                number += 1

    def _order(self, place: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, place))  # new at each half-block, so that the state need not hold it

    def _begin(self) -> tuple[np.ndarray, dict[str, Tensor], int]:
        """Return the errors, the library and the next half-block as they are at the start, or as ``start`` says."""
        shape = len(self.space.choices), len(self.space.choices[0].options)
        errors, place = torch.full(shape, torch.nan), torch.tensor(0)
        if self.start is None:
            return errors.numpy(), {}, 0
        saved = take_over(self.start, {"errors": errors, "place": place})
        library = {name: tensor for name, tensor in saved.items() if name not in ("errors", "place")}
        return errors.numpy(), library, int(place)


def _packed(library: dict[str, Tensor], errors: np.ndarray, place: int) -> bytes:
    from safetensors.torch import save

    tensors = {name: tensor.contiguous() for name, tensor in library.items()}
    return save(tensors | {"errors": torch.from_numpy(errors.copy()), "place": torch.tensor(place)})
