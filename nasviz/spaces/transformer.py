"""Smaller transformers inside a trained one: each block chooses its attention and its feed-forward network.

A network of today is seldom searched from nothing. A trained transformer is there, and a smaller one is wanted. Puzzle
(Bercovich et al. 2024, section 2) offers for each half of each block a few cheaper variants, "nothing" among them, so
that the depth follows from the choices. AutoFormer (Chen et al. 2021) and MatFormer (Devvrit et al. 2023) share the
weights of such members: see ``single_path``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from ..graph import Edge, Graph
from ..ranges import check_number, check_sizes
from ..space import Arch, Choice, SearchSpace
from .reading import Reader

ATTENTION = ("none", "mean", "h1", "h2", "h4")
FEED_FORWARD = ("none", "f1/8", "f1/4", "f1/2", "f1")
HEADS, WIDEN = 4, 4  # of the full network: heads, and neurons of a feed-forward network in widths


class TransformerSpace(SearchSpace):
    """Vision transformers of up to ``blocks`` blocks, of which each half is full, smaller, or left out.

    The attention of a block has 4, 2 or 1 heads, or is replaced by the mean of all tokens, or is left out. The
    feed-forward network has all neurons, a half, a quarter or an eighth, or is left out. See `nasviz.nn.transformer`
    for what they compute. The largest member is the parent, from which one shrinks.

    Parameters
    ----------
    blocks : int
        Number of blocks of the parent, 1 or more.
    attention, feed_forward : sequence of str
        Words of the options, equally many, the smallest first: from ``"none"`` to ``"h4"`` and ``"f1"``. Between them
        ``"mean"``, ``"h3"`` (heads), ``"f3/8"`` (a share of the neurons).

    Raises
    ------
    ValueError
        Less than one block, or options of another form.

    Examples
    --------
    >>> space = TransformerSpace(blocks=3)
    >>> space.size, space.to_text(space.largest)
    (15625, 'h4 f1 | h4 f1 | h4 f1')
    >>> space.canonical(space.from_text("h4 none | none none | none f1/2"))
    'h4 f1/2'
    """

    name = "transformer"

    def __init__(
        self, blocks: int = 6, attention: Sequence[str] = ATTENTION, feed_forward: Sequence[str] = FEED_FORWARD
    ):
        check_number("TransformerSpace: blocks", blocks, 1)
        self.blocks = blocks
        self.attention, self.feed_forward = attention, feed_forward = tuple(attention), tuple(feed_forward)
        _check(attention, "h4", r"mean|h[1-3]")
        _check(feed_forward, "f1", r"f[1-9]\d*/[1-9]\d*")
        if len(attention) != len(feed_forward):
            raise ValueError(f"there must be equally many options for both halves: {attention} and {feed_forward}")
        if blocks != 6:
            self.name = f"transformer of {blocks} blocks"
        if (attention, feed_forward) != (ATTENTION, FEED_FORWARD):
            self.name += f", {' '.join(attention)}, {' '.join(feed_forward)}"
        self.choices = tuple(
            Choice(f"block {number}: {kind}", options)
            for number in range(1, blocks + 1)
            for kind, options in (("attention", attention), ("feed-forward", feed_forward))
        )

    @cached_property
    def largest(self) -> Arch:
        """The parent, which contains all others as parts: the last option of each choice."""
        return tuple(len(choice.options) - 1 for choice in self.choices)

    @cached_property
    def smallest(self) -> Arch:
        """The member without any half-block: the first option of each choice."""
        return (0,) * len(self.choices)

    @cached_property
    def nested(self) -> tuple[Arch, ...]:
        """The members that MatFormer trains: full attention, and feed-forward networks of one size in all blocks."""
        return tuple(self.blocks * (len(self.attention) - 1, size) for size in range(1, len(self.feed_forward)))

    def words(self, arch: Arch) -> list[str]:
        """Return the word of each half-block, attention and feed-forward in turn: ``["h4", "f1", "none", …]``."""
        return [choice.options[i] for choice, i in zip(self.choices, self.check(arch), strict=True)]

    def counting(self) -> str:
        """Explain the number of architectures, and of functions, step by step."""
        each = len(self.attention)
        return f"""A block chooses one of {each} attentions and one of {each} feed-forward networks:
${each} \\cdot {each} = {each**2}$.

Not all tuples are different functions. A block of two *none* computes nothing, and where it stands does not matter.
Attention alone in one block and a feed-forward network alone in the next are the same as both in one block. What is
computed is the row of half-blocks that are there: {_functions(self.blocks, each):,} rows are different.

{self.blocks} blocks, ${each**2}^{{{self.blocks}}}$ architectures: **{self.size:,}**"""

    def canonical(self, arch: Arch) -> str:
        """Return the half-blocks that are there, in their order: ``"h4 f1 mean f1/8"``; ``"nothing"`` if none is.

        Texts are equal exactly for equal functions. Each half-block has weights of its own, so that no two rows are the
        same for all weights.
        """
        return " ".join(word for word in self.words(arch) if word != "none") or "nothing"

    def to_text(self, arch: Arch) -> str:
        """Write the blocks with bars between them: ``h4 f1 | mean f1/8 | none none``."""
        words = self.words(arch)
        return " | ".join(f"{attention} {after}" for attention, after in zip(words[::2], words[1::2], strict=True))

    def from_text(self, text: str) -> Arch:
        """Read the architecture that `to_text` wrote. A ValueError names the position of an error in the text."""
        reader, arch = Reader(text, "a transformer"), []
        for number, choice in enumerate(self.choices):
            if number:
                reader.expect(" " if number % 2 else " | ")
            arch.append(reader.option(choice.options))
        reader.end()
        return tuple(arch)

    def graph(self, arch: Arch | None = None) -> Graph:
        """Return a chain of half-blocks, named ``1a`` and ``1f`` in the first block. Those left out are not drawn.

        Without an architecture: all half-blocks, undecided.
        """
        words = [None] * len(self.choices) if arch is None else self.words(arch)
        there = [(number, word) for number, word in enumerate(words) if word != "none"]
        nodes = [f"{1 + number // 2}{'af'[number % 2]}" for number, _ in there]
        edges = [Edge(i, i + 1, None, number) for i, (number, _) in enumerate(there)]
        edges.append(Edge(len(there), len(there) + 1))
        ops = [word and _operation(word) for _, word in there]
        return Graph(("image", *nodes, "classes"), tuple(edges), (None, *ops, None))

    def cells(self, arch: Arch | None = None):
        """Return the whole network as one graph, since no block is repeated."""
        return {"network": self.graph(arch)}

    # ------------------------------------------------------------------ what it costs
    def madds(
        self, arch: Arch, *, side: int = 16, width: int = 64, patch: int = 4, colors: int = 1, classes: int = 10
    ) -> int:
        """Count the multiply-adds of ``arch`` for one image of ``side`` × ``side`` pixels, as it runs.

        The products of queries with keys, and of shares with values, count too. `nasviz.nn.count.madds` counts the same
        on the network that is built.
        """
        tokens = (side // patch) ** 2
        total = tokens * patch**2 * colors * width + width * classes
        for word in self.words(arch):
            if word == "mean":
                total += width**2  # once an image
            elif word.startswith("h"):
                inner = int(word[1:]) * (width // HEADS)
                total += tokens * 4 * width * inner + 2 * tokens**2 * inner
            elif word.startswith("f"):
                total += tokens * 2 * width * neurons(word, width)
        return total

    def cache(self, arch: Arch, *, width: int = 64, size: int = 4) -> int:
        """Return the bytes of keys and values that a generating transformer of these blocks would keep for each token.

        A classifier of images sees all tokens at once, and keeps nothing. In a transformer that writes texts token by
        token, each head keeps a key and a value of every earlier token (Shazeer 2019, section 2.4). A running mean
        needs no more memory for more tokens: *mean* counts 0.

        Parameters
        ----------
        size : int
            Bytes of a number.
        """
        heads = sum(int(word[1:]) for word in self.words(arch) if word.startswith("h"))
        return 2 * heads * (width // HEADS) * size

    # ------------------------------------------------------------------ networks
    def network(  # type: ignore[override]  # each space has its own sizes
        self,
        arch: Arch,
        *,
        width: int = 64,
        patch: int = 4,
        side: int = 16,
        colors: int = 1,
        classes: int = 10,
        generator=None,
    ):
        """Build ``arch`` as a `nasviz.nn.transformer.Transformer`.

        Parameters
        ----------
        width : int
            Numbers in a token: a multiple of 4, the heads of a full attention.
        patch : int
            Side of a token's patch of the image, pixels.
        side : int
            Side of the images for whose patches places are learned; of others they are interpolated. A multiple of
            ``patch``.
        generator : torch.Generator, optional
            Source of the weights. None: a generator with seed 0.

        Raises
        ------
        ValueError
            A size below 1, a width that is no multiple of 4, a side that is no multiple of the patch.
        """
        from ..nn.transformer import Transformer, finished, half

        check_sizes(width=width, patch=patch, side=side, colors=colors, classes=classes)
        if width % HEADS or side % patch:
            raise ValueError(
                f"width must be a multiple of {HEADS} and side one of patch, got {width=}, {side=}, {patch=}"
            )
        halves = [half(word, width) for word in self.words(arch)]
        return finished(Transformer(halves, width, patch, side, colors, classes), generator)

    def single_path(self, **size):
        """Build the supernet: the largest network, which contains all others as parts; one of them runs at a time.

        Sizes are those of `network`. See `nasviz.nn.elastic_transformer.ElasticTransformer`.
        """
        from ..nn.elastic_transformer import ElasticTransformer

        return ElasticTransformer(self, **size)


def neurons(word: str, width: int) -> int:
    """Return the neurons of the feed-forward network called ``word``, for tokens of ``width`` numbers; 1 at least."""
    above, _, below = word[1:].partition("/")
    return max(1, round(WIDEN * width * int(above) / int(below or 1)))


def _operation(word: str) -> str:
    """The name of a half-block in a graph: ``attention_4``, ``attention_mean``, ``feed_forward_1/8``."""
    return f"feed_forward_{word[1:]}" if word.startswith("f") else f"attention_{word.lstrip('h') or word}"


def _check(options: tuple[str, ...], full: str, between: str) -> None:
    """ValueError if options do not begin with none, end with the full half-block, or have another form between."""
    if options[:1] != ("none",) or options[-1:] != (full,) or len(set(options)) < len(options):
        raise ValueError(f"options must differ, begin with none and end with {full}, got {options}")
    if wrong := [word for word in options[1:-1] if not re.fullmatch(between, word)]:
        raise ValueError(f"between none and {full} there can be {between}, not {wrong[0]!r}")


def _functions(blocks: int, options: int) -> int:
    """Count the rows of half-blocks that fit into so many blocks.

    Each row fits in one way with the fewest blocks: there, no block of attention alone stands before one with a
    feed-forward network alone, and none is empty. Rows are counted by whether the last block is attention alone.
    """
    each, both = options - 1, (options - 1) ** 2
    alone, other, total = 0, 1, 1  # of no blocks there is one row, the empty one
    for _ in range(blocks):
        alone, other = each * (alone + other), both * (alone + other) + each * other
        total += alone + other
    return total
