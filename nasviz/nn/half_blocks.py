"""A trained transformer taken apart: the tokens that enter each half-block, and smaller half-blocks cut from it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from .elastic_transformer import take_part
from .transformer import Attention, FeedForward, Transformer, half

CHUNK = 500  # images that pass at once


@torch.no_grad()
def entering(network: Transformer, images: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield, half-block by half-block, the tokens that enter it and what it adds, each (images, tokens, width).

    Only those of one half-block are held. ``network`` has every half-block.
    """
    x = torch.cat([network.patches(part) for part in images.split(CHUNK)])
    for one in network.halves:
        added = torch.cat([one(part) for part in x.split(CHUNK)])
        yield x, added
        x = x + added


@torch.no_grad()
def by_importance(full: nn.Module, tokens: Tensor) -> nn.Module:
    """Return a copy of a full half-block that adds the same, with its most important heads or neurons first.

    Important is what adds much to some tokens (images, tokens, width) that enter: the mean length of what a head adds,
    and a neuron's mean activation times the length of the weights that read it. These are forms of the activations that
    Minitron ranks by (Muralidharan et al. 2024, section 2.2).
    """
    turned = copy.deepcopy(full)
    if isinstance(full, FeedForward) and isinstance(turned, FeedForward):
        active = full.widen(full.norm(tokens)).relu().mean((0, 1))
        order = (active * full.out.weight.norm(dim=0)).argsort(descending=True, stable=True)
        turned.widen.weight.copy_(full.widen.weight[order])
        turned.widen.bias.copy_(full.widen.bias[order])
        turned.out.weight.copy_(full.out.weight[:, order])
    elif isinstance(full, Attention) and isinstance(turned, Attention):
        read = full.mixed(tokens, full.heads).unflatten(2, (full.heads, full.head))
        out = full.out.weight.unflatten(1, (full.heads, full.head))
        adds = torch.stack([(read[:, :, h] @ out[:, h].T).norm(dim=2).mean() for h in range(full.heads)])
        order = adds.argsort(descending=True, stable=True)
        split = (3, full.heads, full.head)
        turned.qkv.weight.copy_(full.qkv.weight.view(*split, -1)[:, order].flatten(0, 2))
        turned.qkv.bias.copy_(full.qkv.bias.view(split)[:, order].flatten())
        turned.out.weight.copy_(out[:, order].flatten(1))
    return turned


def cut(full: nn.Module, tokens: Tensor, words: Sequence[str]) -> dict[str, nn.Module]:
    """Return smaller half-blocks by word, with the most important parts of a full one's weights: see `by_importance`.

    ``tokens``: some that enter the half-block, to see what is important.
    """
    ordered, width = by_importance(full, tokens), tokens.shape[-1]
    return {word: take_part(half(word, width), ordered) for word in words}
