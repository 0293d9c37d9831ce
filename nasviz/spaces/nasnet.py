"""NASNet: a normal and a reduction cell of five blocks (Zoph, Vasudevan, Shlens & Le 2018).

A block takes two hidden states, applies an operation to each, and adds or concatenates the results, which makes a new
hidden state. States that no block takes are concatenated into the cell's output. ENAS's micro space and AmoebaNet's are
this one with fewer operations, and addition only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from ..graph import Edge, Graph
from ..space import Arch, Choice, SearchSpace
from .darts import CELLS, disjoint
from .reading import Reader

OPS = (
    "identity",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
    "dil_conv_3x3",
    "avg_pool_3x3",
    "max_pool_3x3",
    "max_pool_5x5",
    "max_pool_7x7",
    "conv_1x1",
    "conv_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
)
COMBINE = ("add", "concat")
SIGNS = {"add": " + ", "concat": " & "}
BLOCKS = 5
IDENTITY = 0.05  # as we remember the paper's supplement; its main text names the mutation without a number
INPUTS = ("c_{k-2}", "c_{k-1}")  # states 0 and 1; block b makes state b + 2

Block = tuple  # (state, state, operation, operation, combine): states as numbers, the rest as words


class NasNetSpace(SearchSpace):
    """The cells of NASNet.

    An architecture is what the paper's controller emits: for each block of the normal and then of the reduction cell
    five tokens, two states, two operations, how they combine (Zoph et al. 2018, section 3, steps 1 to 5). A token is an
    option's index.

    Examples
    --------
    >>> space = NasNetSpace()
    >>> len(space.choices), f"{space.size:.2e}"
    (50, '5.23e+36')
    """

    name = "nasnet"
    choices = tuple(
        Choice(f"{cell}, block {block}: {what}", options)
        for cell in CELLS
        for block in range(BLOCKS)
        for what, options in (
            ("first state", tuple(range(block + 2))),
            ("second state", tuple(range(block + 2))),
            ("first operation", OPS),
            ("second operation", OPS),
            ("combine", COMBINE),
        )
    )

    def blocks(self, arch: Arch) -> dict[str, tuple[Block, ...]]:
        """By cell: its blocks, each ``(state, state, operation, operation, combine)``."""
        options = [choice.options[entry] for choice, entry in zip(self.choices, self.check(arch), strict=True)]
        blocks = [tuple(options[at : at + 5]) for at in range(0, len(options), 5)]
        return {cell: tuple(blocks[i * BLOCKS : (i + 1) * BLOCKS]) for i, cell in enumerate(CELLS)}

    def arch(self, blocks: Mapping[str, Sequence[Block]]) -> Arch:
        """The architecture of what `blocks` says."""
        words = [word for cell in CELLS for block in blocks[cell] for word in block]
        return tuple(choice.options.index(word) for choice, word in zip(self.choices, words, strict=True))

    def to_text(self, arch: Arch) -> str:
        """``normal: sep_conv_5x5(1) + sep_conv_3x3(0); … | reduction: …``: blocks in order, ``+`` adds, ``&``
        concatenates. There is no published text."""
        return " | ".join(
            f"{cell}: " + "; ".join(f"{a}({i}){SIGNS[how]}{b}({j})" for i, j, a, b, how in blocks)
            for cell, blocks in self.blocks(arch).items()
        )

    def from_text(self, text: str) -> Arch:
        """The architecture that `to_text` wrote. ValueError with the position and what was expected there."""
        reader, arch = Reader(text, "a NASNet architecture"), ()
        for cell in CELLS:
            reader.expect(f"{cell}: " if cell == CELLS[0] else f" | {cell}: ")
            for block in range(BLOCKS):
                if block:
                    reader.expect("; ")
                states = [str(state) for state in range(block + 2)]
                first, i = self._half(reader, states)
                how = reader.option(list(SIGNS.values()))
                second, j = self._half(reader, states)
                arch += (i, j, first, second, how)
        reader.end()
        return arch

    def _half(self, reader: Reader, states: Sequence[str]) -> tuple[int, int]:
        op = reader.option(OPS)
        reader.expect("(")
        state = reader.option(states)
        reader.expect(")")
        return op, state

    def cells(self, arch: Arch | None = None, joined: Mapping[str, Sequence[int]] | None = None) -> dict[str, Graph]:
        """The normal and the reduction cell.

        ``joined``, by cell: the states that the output concatenates, where a released network joins others than those
        that no block takes. NotImplementedError without an architecture: which states a block takes is itself a choice
        here, and the paper relaxes nothing.
        """
        if arch is None:
            raise NotImplementedError("NASNet's cells have no relaxed form: give an architecture")
        names, out = (*INPUTS, *map(str, range(BLOCKS)), "c_{k}"), {}
        for c, (cell, blocks) in enumerate(self.blocks(arch).items()):
            edges, ops = [], [None, None]
            for state, (i, j, a, b, how) in enumerate(blocks, 2):
                at = 5 * (BLOCKS * c + state - 2)
                edges += [Edge(i, state, a, at + 2), Edge(j, state, b, at + 3)]
                ops.append("concat" if how == "concat" else None)
            join = (joined or {}).get(cell) or sorted(set(range(BLOCKS + 2)) - {edge.source for edge in edges})
            edges += [Edge(state, BLOCKS + 2) for state in join]
            out[cell] = Graph(names, tuple(edges), (*ops, None) if any(ops) else ())
        return out

    def graph(self, arch: Arch) -> Graph:
        """Both cells as one graph of two parts."""
        cells = self.cells(arch)
        return disjoint({cell: Graph(g.nodes, g.edges, g.ops or (None,) * len(g.nodes)) for cell, g in cells.items()})

    def network(self, arch: Arch, *, joined: Mapping[str, Sequence[int]] | None = None, **size):
        """The network of ``arch``: see `nasviz.nn.twoinput.nasnet_network`. By default four channels, one normal cell a
        group. ``joined`` as `cells` takes it."""
        from ..nn.separable import NASNET
        from ..nn.twoinput import nasnet_network

        return nasnet_network(self.cells(arch, joined), NASNET, **size)

    def mutate_as_published(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """A child as AmoebaNet's search makes it: Real et al. 2019, "Architecture Evolution" and figure 2.

        With chance `IDENTITY` the child is its parent, which is then evaluated once more. Else, with equal chances, a
        *hidden state mutation* or an *operation mutation*: one cell, one of its blocks, one of the block's two halves,
        all uniform; the half takes another state that comes before it, or another operation. How the block combines
        never changes: the paper's blocks only add.

        `mutate` differs in what it favours: it draws among all 50 entries alike, and never returns its argument.
        """
        if rng.random() < IDENTITY:
            return arch
        at = 5 * int(rng.random() * 2 * BLOCKS) + int(rng.random() * 2) + 2 * int(rng.random() * 2)
        option = int(rng.random() * (len(self.choices[at].options) - 1))
        return arch[:at] + (option + (option >= arch[at]),) + arch[at + 1 :]

    def canonical(self, arch: Arch) -> str:
        """The text of the architecture that comes first among those that differ in numbering only.

        Conventions. The blocks of a cell may be renumbered, and the two halves of a block exchanged: that permutes
        channels, which the convolutions that read them absorb, so equal means equal after renaming weights. Exchanging
        the halves of a block that concatenates permutes its channels, and so those of poolings and skips behind it. A
        block that adds is not changed. c_{k-2} and c_{k-1} are not interchangeable, and nothing is simplified.
        """
        return self.to_text(self.arch({cell: min(_renumbered(blocks)) for cell, blocks in self.blocks(arch).items()}))

    def counting(self) -> str:
        """How the number of architectures comes about."""
        factors = " · ".join(f"({block + 2}^2 · 13^2 · 2)" for block in range(BLOCKS))
        cell = round(self.size**0.5)
        while cell * cell != self.size:  # a float has 16 digits of the 19
            cell += 1 if cell * cell < self.size else -1
        return (
            f"Block $b$ (from 0) takes two of $b+2$ states, the same twice allowed, one of 13 operations on each, and "
            f"adds or concatenates: $(b+2)^2 · 13^2 · 2$ ways.\n\n"
            f"A cell has five blocks: ${factors}$ = {cell:,}. The order of the blocks and of a block's halves does not "
            f"matter, so there are up to $5! · 2^5 = 3840$ texts of one cell.\n\n"
            f"A normal and a reduction cell: **{self.size:,}**"
        )


def _renumbered(blocks: Sequence[Block]) -> Iterator[tuple[Block, ...]]:
    """The cell with its blocks in every order in which each comes after those it takes; halves in order."""
    for order in permutations(range(len(blocks))):  # order[new] = old
        number, out = {0: 0, 1: 1}, []
        for old in order:
            i, j, a, b, how = blocks[old]
            if i not in number or j not in number:
                break
            (i, a), (j, b) = sorted([(number[i], a), (number[j], b)])
            number[old + 2] = len(out) + 2
            out.append((i, j, a, b, how))
        else:
            yield tuple(out)


@dataclass(frozen=True)
class Published:
    """A cell that a paper found, and what its released network joins besides the states that no block takes.

    Attributes
    ----------
    text : str
        In the format of `NasNetSpace.to_text`.
    joined : mapping
        As `NasNetSpace.network` takes it; empty where unused states are joined, as the papers describe it.
    """

    text: str
    joined: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


NASNET_A = Published(
    "normal: sep_conv_5x5(1) + sep_conv_3x3(0); sep_conv_5x5(0) + sep_conv_3x3(0); avg_pool_3x3(1) + identity(0); "
    "avg_pool_3x3(0) + avg_pool_3x3(0); sep_conv_3x3(1) + identity(1) | "
    "reduction: sep_conv_5x5(1) + sep_conv_7x7(0); max_pool_3x3(1) + sep_conv_7x7(0); "
    "avg_pool_3x3(1) + sep_conv_5x5(0); identity(3) + avg_pool_3x3(2); sep_conv_3x3(2) + max_pool_3x3(1)",
    {"normal": (0, 2, 3, 4, 5, 6), "reduction": (3, 4, 5, 6)},
)
AMOEBANET_A = Published(
    "normal: avg_pool_3x3(0) + max_pool_3x3(1); sep_conv_3x3(0) + sep_conv_5x5(2); sep_conv_3x3(0) + avg_pool_3x3(3); "
    "sep_conv_3x3(1) + identity(1); identity(0) + avg_pool_3x3(1) | "
    "reduction: avg_pool_3x3(0) + sep_conv_3x3(1); max_pool_3x3(0) + sep_conv_7x7(2); "
    "sep_conv_7x7(0) + avg_pool_3x3(1); max_pool_3x3(0) + max_pool_3x3(1); conv_1x7_7x1(0) + sep_conv_3x3(5)",
)
# The released script's arcs, four numbers a block: state, operation, state, operation; operations 0 to 4 are
# separable 3×3 and 5×5, average pooling, max pooling, identity.
_ENAS_NORMAL = "0 2 0 0  0 4 0 1  0 4 1 1  1 0 0 1  0 2 1 1"
_ENAS_REDUCTION = "1 0 1 0  0 3 0 2  1 1 3 1  1 0 0 4  0 3 1 1"
_ENAS_OPS = ("sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3", "identity")


def _enas(arc: str) -> str:
    numbers = [int(number) for number in arc.split()]
    blocks = (numbers[at : at + 4] for at in range(0, len(numbers), 4))
    return "; ".join(f"{_ENAS_OPS[a]}({i}) + {_ENAS_OPS[b]}({j})" for i, a, j, b in blocks)


ENAS = Published(f"normal: {_enas(_ENAS_NORMAL)} | reduction: {_enas(_ENAS_REDUCTION)}")
