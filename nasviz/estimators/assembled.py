"""Judge a network that is put together from a library of block variants, before anything trains it as a whole."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import datasets
from ..estimator import Estimator
from ..nn.half_blocks import CHUNK, entering
from ..nn.saved_weights import take_over
from ..nn.threads import one_thread
from ..nn.transformer import Nothing, Transformer, half
from ..paths import data_dir
from ..ranges import check_fields, ranged
from ..space import Arch, SearchSpace
from ..spaces import TransformerSpace
from ..step import Evaluation
from .training import _data, tensors_of


@dataclass(frozen=True)
class Assembled(Estimator):
    """An estimator that puts an architecture together from a parent and its library, and validates it as it is.

    Where a half-block is full, it is the parent's. Nothing is trained: that comes after the choice
    (`nasviz.strategies.Distillation`).

    Parameters
    ----------
    space : TransformerSpace
    parent : bytes
        Weights of the largest member, as safetensors.
    library : bytes
        The last `Step.state` of a `nasviz.strategies.BlockwiseDistillation` of this parent.
    dataset : str or Dataset
    size : int
        Height and width of the images, pixels.
    network : mapping
        Size of the parent, as ``space.network`` takes it.

    Raises
    ------
    ValueError
        When called: a parent or a library of another network, or a library that is not finished.

    Notes
    -----
    Scores, on the validation images: ``"assembled"`` (accuracy, 0 to 1), ``"assembled_loss"`` (cross-entropy, nats),
    and ``"kl"``, the mean divergence of the network's probabilities from the parent's (nats). Any strategy can search
    with it: ``RegularizedEvolution(space, assembled, objective=Score("assembled"))``. The seed changes nothing.
    """

    space: SearchSpace
    parent: bytes = field(repr=False)
    library: bytes = field(repr=False)
    dataset: str | datasets.Dataset = field(default="fashion16", metadata=datasets.BY_CONTENT)
    size: int = ranged(16, 1)
    network: Mapping = field(default_factory=dict, hash=False)

    def __post_init__(self):
        check_fields(self)

    @cached_property
    def whole(self) -> Transformer:
        """The parent, in evaluation mode."""
        data = _data(self.dataset, self.size)
        sizes = {**self.network, "colors": data.colors, "classes": len(data.classes)}
        network: Transformer = self.space.network(self.space.largest, **sizes)
        take_over(self.parent, network.state_dict())
        return network.eval()

    @cached_property
    def variants(self) -> list[list[nn.Module]]:
        """The half-blocks of each choice by option: nothing, the library's, and the parent's."""
        width = self.whole.norm.normalized_shape[0]
        made: list[list[nn.Module]] = []
        wanted: dict[str, Tensor] = {}
        for place, choice in enumerate(self.space.choices):
            small = {word: half(word, width).eval() for word in choice.options[1:-1]}
            for word, one in small.items():
                wanted |= {f"{place}.{word}.{name}": tensor for name, tensor in one.state_dict().items()}
            made.append([Nothing(), *small.values(), self.whole.halves[place]])
        take_over(self.library, wanted)
        return made

    def network_of(self, arch: Arch) -> Transformer:
        """Return ``arch`` as a network of its own, with copies of its weights, in evaluation mode."""
        data = _data(self.dataset, self.size)
        sizes = {**self.network, "colors": data.colors, "classes": len(data.classes)}
        child: Transformer = self.space.network(self.space.check(arch), **sizes)
        for name in ("patches", "norm", "classifier"):
            getattr(child, name).load_state_dict(getattr(self.whole, name).state_dict())
        for mine, options, option in zip(child.halves, self.variants, arch, strict=True):
            mine.load_state_dict(options[option].state_dict())
        return child.eval()

    def weights(self, arch: Arch) -> bytes:
        """Return the weights of `network_of`, as safetensors: `nasviz.strategies.Distillation` begins with them."""
        from safetensors.torch import save

        return save({name: tensor.contiguous() for name, tensor in self.network_of(arch).state_dict().items()})

    @cached_property
    def answers(self) -> Tensor:
        """The parent's logarithmic probabilities on the validation images, (images, classes)."""
        with one_thread(), torch.no_grad():
            parts = tensors_of(self.dataset, self.size, "valid")[0].split(CHUNK)
            return torch.cat([self.whole(part) for part in parts]).log_softmax(1)

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Judge ``arch``. Nothing is trained, so ``epochs`` is ignored. ValueError if ``arch`` is not in the space."""
        arch = self.space.check(arch)
        images, _ = tensors_of(self.dataset, self.size, "valid")
        halves = [options[option] for options, option in zip(self.variants, arch, strict=True)]
        start = time.perf_counter()
        with one_thread(), torch.no_grad():
            logits = torch.cat([self.passed(self.whole.patches(part), halves) for part in images.split(CHUNK)])
            scores = self.scored(logits)
        return Evaluation(arch, scores, time.perf_counter() - start, 0, seed)

    def passed(self, x: Tensor, halves: list[nn.Module]) -> Tensor:
        """Return the logits of tokens that pass through some half-blocks and the parent's classifier."""
        for one in halves:
            if not isinstance(one, Nothing):
                x = x + one(x)
        return self.whole.answer(x)

    def scored(self, logits: Tensor) -> dict[str, float]:
        """Return the scores of logits on the validation images."""
        labels, said = tensors_of(self.dataset, self.size, "valid")[1], logits.log_softmax(1)
        return {
            "assembled": float((logits.argmax(1) == labels).double().mean()),
            "assembled_loss": float(F.nll_loss(said, labels)),
            "kl": float(F.kl_div(said, self.answers, reduction="batchmean", log_target=True)),
        }


def replace_one(assembled: Assembled) -> dict[str, np.ndarray]:
    """Score each variant by the parent in which it alone replaces a half-block: Bercovich et al. 2024, section 3.2.

    The tokens that enter a half-block are computed once for all its variants.

    Returns
    -------
    dict of float arrays (choices, options)
        ``"kl"``: divergence from the parent, nats; ``"loss"``: how much the validation loss rises, nats;
        ``"accuracy"``: how much the accuracy falls, 0 to 1. The last option, the parent's own half-block, has 0.
    """
    parent, images = (
        assembled(assembled.space.largest).scores,
        tensors_of(assembled.dataset, assembled.size, "valid")[0],
    )
    shape = len(assembled.variants), len(assembled.variants[0])
    out = {name: np.zeros(shape) for name in ("kl", "loss", "accuracy")}
    with one_thread(), torch.no_grad():
        for place, (x, _) in enumerate(entering(assembled.whole, images)):
            after = list(assembled.whole.halves)[place + 1 :]
            for option, one in enumerate(assembled.variants[place][:-1]):
                logits = torch.cat([assembled.passed(part, [one, *after]) for part in x.split(CHUNK)])
                scores = assembled.scored(logits)
                out["kl"][place, option] = scores["kl"]
                out["loss"][place, option] = scores["assembled_loss"] - parent["assembled_loss"]
                out["accuracy"][place, option] = parent["assembled"] - scores["assembled"]
    return out


def transformer_library() -> Assembled:
    """Load the parent and the library that come with nasviz: ``data/transformer-parent.safetensors`` and its library.

    Raises
    ------
    FileNotFoundError
        If a file is missing; the message has the command that makes it.
    """
    paths = [data_dir() / f"transformer-{name}.safetensors" for name in ("parent", "library")]
    if missing := [path for path in paths if not path.exists()]:
        raise FileNotFoundError(f"{missing[0]} is not there: make it with `python data/scripts/record_transformer.py`")
    parent, library = (path.read_bytes() for path in paths)
    return Assembled(TransformerSpace(), parent, library)
