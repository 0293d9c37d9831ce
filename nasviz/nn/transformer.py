"""A small vision transformer made of half-blocks, each of which may be smaller than its neighbours, or left out.

A block of a transformer (Vaswani et al. 2017, section 3.1) is two residual branches: attention, in which tokens read
one another, and a feed-forward network, which works on each token alone. Both are *half-blocks* here. As in a vision
transformer (Dosovitskiy et al. 2021, equations 1 to 4), tokens are patches of the image, each branch begins with a
layer-norm, and the stack ends in one. Three things differ: the classifier reads the mean of the tokens, as there is no
token for the class; the feed-forward networks have ReLU; there is no dropout.

What stands in place of a half-block is what Puzzle offers (Bercovich et al. 2024, section 2): fewer heads, a linear
layer in place of attention, a narrower feed-forward network, or nothing. Our linear layer reads the mean of all tokens,
which is attention with equal weights.

=============================  ===================================================
word                           half-block
=============================  ===================================================
``h4``, ``h2``, ``h1``, …      `Attention` with so many heads, each width/4 wide
``mean``                       `Averaging`
``f1``, ``f1/2``, ``f1/8``, …  `FeedForward` with this share of 4·width neurons;
                               at least one
``none``                       `Nothing`: the branch is left out
=============================  ===================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..weights import jitter
from .ops import Conv2d, Linear

HEADS = 4  # of a full attention
WIDEN = 4  # neurons of a full feed-forward network, in widths
GAIN, WIDEST = 0.7, 0.08  # of the first weights: their deviation is GAIN/√inputs, but WIDEST at most


class Attention(nn.Module):
    """Multi-head self-attention of the layer-normed tokens: Vaswani et al. 2017, section 3.2. Heads are width/4 wide.

    Parameters
    ----------
    width : int
        Of a token: a multiple of 4.
    heads : int
        1 or more.
    """

    def __init__(self, width: int, heads: int = HEADS):
        super().__init__()
        self.heads, self.head = heads, width // HEADS
        self.operation = f"attention {width}, {heads} heads"  # its row in a table of latencies
        self.norm = nn.LayerNorm(width)
        self.qkv = Linear(width, 3 * heads * self.head)
        self.out = Linear(heads * self.head, width)

    def forward(self, x: Tensor, heads: int | None = None) -> Tensor:
        """Map tokens (batch, tokens, width) to what is added to them; with ``heads``, the first so many heads do it."""
        heads = self.heads if heads is None else heads
        mixed = self.mixed(x, heads)
        if heads == self.heads:
            return self.out(mixed)
        return F.linear(mixed, self.out.weight[:, : heads * self.head], self.out.bias)

    def mixed(self, x: Tensor, heads: int) -> Tensor:
        """Return what the first ``heads`` heads read, side by side: (batch, tokens, heads · head width)."""
        weight: Tensor = self.qkv.weight
        bias: Tensor = self.qkv.bias
        if heads < self.heads:
            weight = weight.view(3, self.heads, self.head, -1)[:, :heads].flatten(0, 2)
            bias = bias.view(3, self.heads, self.head)[:, :heads].flatten()
        batch, tokens, _ = x.shape
        query, key, value = (
            F.linear(self.norm(x), weight, bias).view(batch, tokens, 3, heads, self.head).permute(2, 0, 3, 1, 4)
        )
        shares = (query * self.head**-0.5 @ key.transpose(-1, -2)).softmax(-1)
        return (shares @ value).transpose(1, 2).reshape(batch, tokens, heads * self.head)

    def averaged(self, x: Tensor) -> Tensor:
        """Return what all heads would add if each token read all tokens equally: `Averaging` with these weights."""
        inner = self.heads * self.head
        mean = self.norm(x).mean(1, keepdim=True)
        return self.out(F.linear(mean, self.qkv.weight[2 * inner :], self.qkv.bias[2 * inner :]))


class Averaging(nn.Module):
    """The mean of the layer-normed tokens, through one linear layer: attention with equal weights, and no choice.

    All tokens get the same, so that the layer runs once an image: (batch, 1, width).
    """

    def __init__(self, width: int):
        super().__init__()
        self.operation = f"averaging {width}"
        self.norm = nn.LayerNorm(width)
        self.out = Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (batch, tokens, width) to what is added to each of them, (batch, 1, width)."""
        return self.out(self.norm(x).mean(1, keepdim=True))


class FeedForward(nn.Module):
    """Linear, ReLU, linear on each layer-normed token: Vaswani et al. 2017, equation 2.

    Parameters
    ----------
    width : int
    hidden : int
        Number of neurons between the two layers, 1 or more.
    """

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.hidden = hidden
        self.operation = f"feed-forward {width}, {hidden} neurons"
        self.norm = nn.LayerNorm(width)
        self.widen = Linear(width, hidden)
        self.active = nn.ReLU()  # a layer, since zero-cost scores look for ReLUs
        self.out = Linear(hidden, width)

    def forward(self, x: Tensor, hidden: int | None = None) -> Tensor:
        """Map tokens (batch, tokens, width) to what is added to them; ``hidden``: the first so many neurons do it."""
        if hidden is None or hidden == self.hidden:
            return self.out(self.active(self.widen(self.norm(x))))
        wide = F.linear(self.norm(x), self.widen.weight[:hidden], self.widen.bias[:hidden])
        return F.linear(self.active(wide), self.out.weight[:, :hidden], self.out.bias)


class Nothing(nn.Module):
    """A half-block that is left out: what it adds is 0, and `Transformer` does not even add it."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros."""
        return torch.zeros_like(x)


def half(word: str, width: int) -> nn.Module:
    """Build the half-block called ``word``, for tokens of ``width`` numbers. ValueError for a word of another form."""
    if word == "none":
        return Nothing()
    if word == "mean":
        return Averaging(width)
    if found := re.fullmatch(r"h([1-9]\d*)", word):
        return Attention(width, int(found[1]))
    if found := re.fullmatch(r"f([1-9]\d*)(?:/([1-9]\d*))?", word):
        return FeedForward(width, max(1, round(WIDEN * width * int(found[1]) / int(found[2] or 1))))
    raise ValueError(f"{word!r:.40} is no half-block: those are none, mean, h with a number of heads, f with a share")


class Patches(nn.Module):
    """Tokens of an image: a linear layer of each patch, and a learned vector for its place.

    Images of another side than ``side`` get vectors interpolated between these (Dosovitskiy et al. 2021, section 3.2).
    """

    def __init__(self, colors: int, width: int, patch: int, side: int):
        super().__init__()
        self.operation = f"patches of {patch}, {colors}→{width}"
        self.embed = Conv2d(colors, width, patch, patch)
        self.place = nn.Parameter(torch.zeros(1, width, side // patch, side // patch))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (batch, colors, height, width) to tokens (batch, tokens, width), row by row."""
        x = self.embed(images)
        place: Tensor = self.place
        if x.shape[-2:] != place.shape[-2:]:
            place = F.interpolate(place, x.shape[-2:], mode="bilinear", antialias=True, align_corners=False)
        return (x + place).flatten(2).transpose(1, 2)


class Transformer(nn.Module):
    """Patches, a stack of residual half-blocks, a layer-norm of the tokens' mean, and a classifier.

    Parameters
    ----------
    halves : sequence of nn.Module
        Attention and feed-forward in turn, each of which maps tokens to what is added to them.
    width, patch, side, colors, classes : int
        See `nasviz.spaces.TransformerSpace.network`.
    """

    def __init__(self, halves: Sequence[nn.Module], width: int, patch: int, side: int, colors: int, classes: int):
        super().__init__()
        self.patches = Patches(colors, width, patch, side)
        self.halves = nn.ModuleList(halves)
        self.norm = nn.LayerNorm(width)
        self.classifier = Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (batch, classes) for images (batch, colors, height, width)."""
        x = self.patches(images)
        for half in self.halves:
            if not isinstance(half, Nothing):
                x = x + half(x)
        return self.answer(x)

    def answer(self, x: Tensor) -> Tensor:
        """Return logits (batch, classes) for the tokens after the last half-block."""
        return self.classifier(self.norm(x.mean(1)))


def finished(network: Transformer, generator: torch.Generator | None) -> Transformer:
    """Draw the weights of ``network`` from ``generator`` (None: seed 0), and return it.

    Normal, cut at two deviations (see `GAIN`); the last layer of each half-block is smaller, by the square root of
    their number, so that the stream of tokens stays of one size (Radford et al. 2019, section 2.3). Biases are 0.
    """
    generator = generator or torch.Generator().manual_seed(0)
    if network.patches.place.is_meta:
        return network
    with torch.no_grad():
        network.patches.place.copy_(0.02 * torch.randn(network.patches.place.shape, generator=generator, device="cpu"))
        for name, layer in network.named_modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                inputs = layer.weight[0].numel()
                scale = len(network.halves) ** -0.5 if name.endswith(".out") else 1.0
                _normal(layer.weight, scale * min(WIDEST, GAIN * inputs**-0.5), generator)
                if layer.bias is not None:
                    layer.bias.zero_()
    jitter(network.parameters())
    return network


def _normal(weight: Tensor, deviation: float, generator: torch.Generator) -> None:
    drawn = torch.empty(weight.shape, device="cpu")
    nn.init.trunc_normal_(drawn, std=deviation, a=-2 * deviation, b=2 * deviation, generator=generator)
    weight.copy_(drawn)
