"""The supernet of small transformers: every member uses a part of the weights of the largest.

The weights are entangled as in AutoFormer (Chen et al. 2021, section 3.2): a smaller half-block is a slice of the full
one, the first heads or the first neurons. MatFormer (Devvrit et al. 2023, section 3.1) nests the neurons of its
feed-forward networks in the same way. *Mean* is the full attention with equal weights, of which one layer can be made.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from ..space import Arch, SearchSpace
from .transformer import Attention, Averaging, FeedForward, Transformer


class ElasticTransformer(nn.Module):
    """The supernet of `nasviz.spaces.TransformerSpace`: ``network(images, arch)``.

    Parameters
    ----------
    space : TransformerSpace
        It describes each member (``words``, ``largest``), and builds it as a network of its own (``network``).
    **size
        As in ``space.network``; the generator draws the weights of the largest member.

    Attributes
    ----------
    whole : Transformer
        The largest member.

    Examples
    --------
    >>> from nasviz.spaces import TransformerSpace
    >>> space = TransformerSpace(blocks=2)
    >>> network, images = space.single_path(width=16), torch.zeros(2, 1, 16, 16)
    >>> network(images, space.from_text("h2 f1/8 | mean none")).shape
    torch.Size([2, 10])
    """

    def __init__(self, space: SearchSpace, *, generator: torch.Generator | None = None, **size):
        super().__init__()
        self.space, self.size = space, size
        self.whole: Transformer = space.network(space.largest, **size, generator=generator)
        self.select(space.largest)

    def select(self, arch: Arch) -> ElasticTransformer:
        """Select ``arch`` as the architecture that later calls compute; return this network."""
        self.words = self.space.words(arch)
        return self

    def forward(self, images: Tensor, arch: Arch | None = None) -> Tensor:
        """Return logits (batch, classes) for images (batch, colors, height, width); ``arch`` None: the selected one."""
        if arch is not None:
            self.select(arch)
        x = self.whole.patches(images)
        for word, half in zip(self.words, self.whole.halves, strict=True):
            if word != "none":
                x = x + added(half, word, x)
        return self.whole.answer(x)

    @torch.no_grad()
    def extract(self, arch: Arch) -> Transformer:
        """Return ``arch`` as a network of its own, ``space.network(arch)``, with copies of its part of the weights."""
        child: Transformer = self.space.network(arch, **self.size).to(next(self.parameters()))
        for mine, its in ((child.patches, self.whole.patches), (child.norm, self.whole.norm),
                          (child.classifier, self.whole.classifier)):  # fmt: skip
            mine.load_state_dict(its.state_dict())
        for small, full in zip(child.halves, self.whole.halves, strict=True):
            take_part(small, full)
        return child.train(self.training)


def added(full: nn.Module, word: str, x: Tensor) -> Tensor:
    """Return what a part of a full half-block adds to the tokens ``x``; ``word`` names the part, but not ``none``."""
    if isinstance(full, FeedForward):
        above, _, below = word[1:].partition("/")
        return full(x, max(1, round(full.hidden * int(above) / int(below or 1))))
    attention = cast("Attention", full)
    return attention.averaged(x) if word == "mean" else attention(x, int(word[1:]))


@torch.no_grad()
def take_part(small: nn.Module, full: nn.Module) -> nn.Module:
    """Copy into a half-block its part of a full one's weights, and return it: the first heads, the first neurons.

    `Averaging` gets the product of the full attention's value and output layers, which computes the same.
    """
    if isinstance(small, FeedForward) and isinstance(full, FeedForward):
        small.widen.weight.copy_(full.widen.weight[: small.hidden])
        small.widen.bias.copy_(full.widen.bias[: small.hidden])
        small.out.weight.copy_(full.out.weight[:, : small.hidden])
        small.out.bias.copy_(full.out.bias)
    elif isinstance(small, Attention) and isinstance(full, Attention):
        split = (3, full.heads, full.head)
        small.qkv.weight.copy_(full.qkv.weight.view(*split, -1)[:, : small.heads].flatten(0, 2))
        small.qkv.bias.copy_(full.qkv.bias.view(split)[:, : small.heads].flatten())
        small.out.weight.copy_(full.out.weight[:, : small.heads * full.head])
        small.out.bias.copy_(full.out.bias)
    elif isinstance(small, Averaging) and isinstance(full, Attention):
        values = slice(2 * full.heads * full.head, None)
        small.out.weight.copy_(full.out.weight @ full.qkv.weight[values])
        small.out.bias.copy_(full.out.weight @ full.qkv.bias[values] + full.out.bias)
    else:  # Nothing has no weights
        return small
    small.norm.load_state_dict(full.norm.state_dict())
    return small
