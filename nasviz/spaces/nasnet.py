"""NASNet: a normal and a reduction cell of five blocks (Zoph, Vasudevan, Shlens & Le 2018).

A block takes two hidden states, applies an operation to each, and adds or concatenates the results; this is a new
hidden state. States that no block takes are concatenated into the cell's output. ENAS's micro space and AmoebaNet's
space are this space with fewer operations, and with addition only.
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
IDENTITY = 0.05  # from memory of the paper's supplement; the main text names the mutation without a number
INPUTS = ("c_{k-2}", "c_{k-1}")  # states 0 and 1; block b makes state b + 2

Block = tuple  # (state, state, operation, operation, combine): states as numbers, the rest as words


class NasNetSpace(SearchSpace):
    """The cells of NASNet.

    An architecture is the tokens that the paper's controller emits: five for each block, first of the normal, then of
    the reduction cell. They are two states, two operations, and the way to combine the results (Zoph et al. 2018,
    section 3, steps 1 to 5). A token is an option's index.

    Examples
    --------
    >>> space = NasNetSpace()
    >>> len(space.choices), f"{space.size:.2e}"
    (50, '5.23e+36')
    """

    name = "nasnet"
    title = "NASNet's space"
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
        """Return the blocks of each cell, each as ``(state, state, operation, operation, combine)``."""
        options = [choice.options[entry] for choice, entry in zip(self.choices, self.check(arch), strict=True)]
        blocks = [tuple(options[at : at + 5]) for at in range(0, len(options), 5)]
        return {cell: tuple(blocks[i * BLOCKS : (i + 1) * BLOCKS]) for i, cell in enumerate(CELLS)}

    def arch(self, blocks: Mapping[str, Sequence[Block]]) -> Arch:
        """Build the architecture from cells in the form that `blocks` returns."""
        words = [word for cell in CELLS for block in blocks[cell] for word in block]
        return tuple(choice.options.index(word) for choice, word in zip(self.choices, words, strict=True))

    def to_text(self, arch: Arch) -> str:
        """Write ``normal: sep_conv_5x5(1) + sep_conv_3x3(0); … | reduction: …``: blocks in order, ``+`` adds, ``&``
        concatenates. There is no published text format."""
        return " | ".join(
            f"{cell}: " + "; ".join(f"{a}({i}){SIGNS[how]}{b}({j})" for i, j, a, b, how in blocks)
            for cell, blocks in self.blocks(arch).items()
        )

    def from_text(self, text: str) -> Arch:
        """Read the architecture that `to_text` wrote. A ValueError gives the position and the expected text."""
        reader = Reader(text, "a NASNet architecture")
        arch: Arch = ()
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
        """Return the graphs of the normal and the reduction cell.

        ``joined``: for each cell, the states that the output concatenates; by default those that no block takes. Some
        released networks join other states. Without an architecture there is no graph (NotImplementedError): the states
        that a block takes are themselves choices, and the paper does not relax them.
        """
        if arch is None:
            raise NotImplementedError("NASNet's cells have no relaxed form: give an architecture")
        names, out = (*INPUTS, *map(str, range(BLOCKS)), "c_{k}"), {}
        for c, (cell, blocks) in enumerate(self.blocks(arch).items()):
            edges: list[Edge] = []
            ops: list[str | None] = [None, None]
            for state, (i, j, a, b, how) in enumerate(blocks, 2):
                at = 5 * (BLOCKS * c + state - 2)
                edges += [Edge(i, state, a, at + 2), Edge(j, state, b, at + 3)]
                ops.append("concat" if how == "concat" else None)
            join = (joined or {}).get(cell) or sorted(set(range(BLOCKS + 2)) - {edge.source for edge in edges})
            edges += [Edge(state, BLOCKS + 2) for state in join]
            out[cell] = Graph(names, tuple(edges), (*ops, None) if any(ops) else ())
        return out

    def graph(self, arch: Arch) -> Graph:
        """Return both cells as one graph of two parts."""
        cells = self.cells(arch)
        return disjoint({cell: Graph(g.nodes, g.edges, g.ops or (None,) * len(g.nodes)) for cell, g in cells.items()})

    def network(self, arch: Arch, *, joined: Mapping[str, Sequence[int]] | None = None, **size):
        """Build the network of ``arch``: see `nasviz.nn.twoinput.nasnet_network`. By default it has four channels and
        one normal cell a group. ``joined`` is that of `cells`."""
        from ..nn.separable import NASNET
        from ..nn.twoinput import nasnet_network

        return nasnet_network(self.cells(arch, joined), NASNET, **size)

    def mutate_as_published(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """Make a child as in AmoebaNet's search: Real et al. 2019, "Architecture Evolution" and figure 2.

        With probability `IDENTITY` the child is its parent, which is then evaluated once more. Otherwise a *hidden
        state mutation* or an *operation mutation* is made, with equal probability. One cell, one of its blocks and one
        of the block's two halves are drawn uniformly; the half takes another earlier state, or another operation. The
        way a block combines its halves never changes: the paper's blocks only add.

        `mutate` has other probabilities: it draws among all 50 entries alike, and never returns its argument.
        """
        if rng.random() < IDENTITY:
            return arch
        at = 5 * int(rng.random() * 2 * BLOCKS) + int(rng.random() * 2) + 2 * int(rng.random() * 2)
        option = int(rng.random() * (len(self.choices[at].options) - 1))
        return arch[:at] + (option + (option >= arch[at]),) + arch[at + 1 :]

    def canonical(self, arch: Arch) -> str:
        """Return the first text of all architectures that differ from ``arch`` only in numbering.

        Conventions. The blocks of a cell may be renumbered, and the two halves of a block exchanged. This permutes
        channels, and the convolutions that read them absorb it, so equal means equal after renaming weights. Exchanging
        the halves of a block that concatenates permutes its channels, and the channels of poolings and skips behind it.
        A block that adds is not changed. c_{k-2} and c_{k-1} are not interchangeable, and nothing is simplified.
        """
        return self.to_text(self.arch({cell: min(_renumbered(blocks)) for cell, blocks in self.blocks(arch).items()}))

    def counting(self) -> str:
        """Explain the number of architectures."""
        factors = " · ".join(f"({block + 2}^2 · 13^2 · 2)" for block in range(BLOCKS))
        cell = round(self.size**0.5)
        while cell * cell != self.size:  # a float holds 16 of the 19 digits
            cell += 1 if cell * cell < self.size else -1
        return (
            f"Block $b$ (from 0) takes two of $b+2$ states, the same twice allowed, one of 13 operations on each, and "
            f"adds or concatenates: $(b+2)^2 · 13^2 · 2$ ways.\n\n"
            f"A cell has five blocks: ${factors}$ = {cell:,}. The order of the blocks and of a block's halves does not "
            f"matter, so there are up to $5! · 2^5 = 3840$ texts of one cell.\n\n"
            f"A normal and a reduction cell: **{self.size:,}**"
        )


def _renumbered(blocks: Sequence[Block]) -> Iterator[tuple[Block, ...]]:
    """Yield the cell with its blocks in every order in which a block comes after those it takes; halves are sorted."""
    for order in permutations(range(len(blocks))):  # order[new] = old
        number = {0: 0, 1: 1}
        out: list[Block] = []
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
    """A published pair of cells, and the states that its released network joins at the outputs.

    Attributes
    ----------
    text : str
        The cells in the format of `NasNetSpace.to_text`.
    joined : mapping
        The joined states, as in `NasNetSpace.network`; empty if only unused states are joined, as the papers describe.
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
# The cells from the released script, with four numbers a block: state, operation, state, operation. Operations 0 to 4
# are separable 3×3 and 5×5, average pooling, max pooling, identity.
_ENAS_NORMAL = "0 2 0 0  0 4 0 1  0 4 1 1  1 0 0 1  0 2 1 1"
_ENAS_REDUCTION = "1 0 1 0  0 3 0 2  1 1 3 1  1 0 0 4  0 3 1 1"
_ENAS_OPS = ("sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3", "identity")


def _enas(arc: str) -> str:
    numbers = [int(number) for number in arc.split()]
    blocks = (numbers[at : at + 4] for at in range(0, len(numbers), 4))
    return "; ".join(f"{_ENAS_OPS[a]}({i}) + {_ENAS_OPS[b]}({j})" for i, a, j, b in blocks)


ENAS = Published(f"normal: {_enas(_ENAS_NORMAL)} | reduction: {_enas(_ENAS_REDUCTION)}")
