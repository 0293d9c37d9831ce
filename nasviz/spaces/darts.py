"""DARTS: a normal and a reduction cell of two inputs and four nodes (Liu, Simonyan & Yang 2019).

During the search, every node reads all states before it: 14 edges a cell, eight operations each. In the final cell,
every node keeps two of its edges. `DartsSpace.relaxed` describes the cells during the search, `DartsSpace.choices` the
final cells; `DartsSpace.discretize` turns the weights of a search into final cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations, product
from math import prod
from typing import cast

import numpy as np

from ..graph import Edge, Graph
from ..space import Arch, Choice, SearchSpace
from .genotypes import GENOTYPES
from .reading import Reader

__all__ = ["GENOTYPES", "DartsSpace", "count_cells"]

NONE = "none"
OPS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
CELLS = ("normal", "reduction")
STATES = ("c_{k-2}", "c_{k-1}", "0", "1", "2", "3")  # the inputs and the nodes, numbered from 0 in published texts
EDGES = tuple((source, target) for target in range(2, 6) for source in range(target))
PAIRS = {target: tuple(combinations(range(target), 2)) for target in range(2, 6)}
_S1_NORMAL = (
    "skip_connect dil_conv_3x3, skip_connect dil_conv_5x5, skip_connect dil_conv_5x5, skip_connect sep_conv_3x3, "
    "skip_connect dil_conv_3x3, max_pool_3x3 skip_connect, skip_connect sep_conv_3x3, skip_connect sep_conv_3x3, "
    "skip_connect dil_conv_3x3, skip_connect sep_conv_3x3, max_pool_3x3 skip_connect, skip_connect dil_conv_3x3, "
    "dil_conv_3x3 dil_conv_5x5, dil_conv_3x3 dil_conv_5x5"
)
_S1_REDUCTION = (
    "max_pool_3x3 avg_pool_3x3, max_pool_3x3 dil_conv_3x3, max_pool_3x3 avg_pool_3x3, max_pool_3x3 avg_pool_3x3, "
    "skip_connect dil_conv_5x5, max_pool_3x3 avg_pool_3x3, max_pool_3x3 sep_conv_3x3, skip_connect dil_conv_3x3, "
    "skip_connect dil_conv_5x5, max_pool_3x3 avg_pool_3x3, max_pool_3x3 avg_pool_3x3, skip_connect dil_conv_5x5, "
    "skip_connect dil_conv_5x5, skip_connect dil_conv_5x5"
)
RESTRICTIONS: Mapping[str, Sequence] = {
    "S1": [line.split() for line in f"{_S1_NORMAL}, {_S1_REDUCTION}".split(", ")],
    "S2": ("skip_connect", "sep_conv_3x3"),
    "S3": (NONE, "skip_connect", "sep_conv_3x3"),
    "S4": ("noise", "sep_conv_3x3"),
}


class DartsSpace(SearchSpace):
    """The cells of DARTS.

    An architecture has three entries for each node, first of the normal, then of the reduction cell: the pair of
    earlier states that the node adds, and the operation on each of the two.

    Parameters
    ----------
    operations : sequence of str, or of 28 such sequences
        The candidates: one list for all edges, or a list for each edge, in the order of `relaxed` and all of the same
        length. They may include "none", which takes part in a search but not in a final cell.
    name : str
        Name of the space in recorded runs: give two spaces two names.

    Attributes
    ----------
    relaxed : tuple of Choice
        The edges of a supernet, normal cell first, with their candidates. An edge has one row of architecture weights.

    Raises
    ------
    ValueError
        An operation that does not exist or is named twice, lists of different lengths, no operation but "none".

    Examples
    --------
    >>> space = DartsSpace()
    >>> f"{space.size:.3e}", len(space.relaxed)
    ('1.077e+18', 28)
    """

    def __init__(self, operations: Sequence = (NONE, *OPS), name: str = "darts"):
        self.name = name
        sets = _sets(operations)
        known = (NONE, *OPS, "noise")
        for row in sets:
            if len(set(row)) < len(row) or not set(row) <= set(known) or not set(row) - {NONE}:
                raise ValueError(f"the candidates of an edge must be different ones of {known}, not only none: {row}")
        kept = [tuple(op for op in row if op != NONE) for row in sets]
        if len(sets) != 28 or len({len(row) for row in sets}) > 1 or len({len(row) for row in kept}) > 1:
            raise ValueError("candidates must be given for all edges alike, or for each of 28 edges, equally many")
        self._kept = {(cell, *edge): kept[14 * c + e] for c, cell in enumerate(CELLS) for e, edge in enumerate(EDGES)}
        self.relaxed = tuple(
            Choice(f"{cell} {STATES[a]}→{STATES[b]}", sets[14 * c + e])
            for c, cell in enumerate(CELLS)
            for e, (a, b) in enumerate(EDGES)
        )
        # If edges have different candidates, an option is a candidate's number: the node's pair of states decides the
        # edge, and with it the candidates.
        options = kept[0] if len(set(kept)) == 1 else tuple(range(len(kept[0])))
        self.choices = tuple(
            choice
            for cell in CELLS
            for node in range(2, 6)
            for choice in (
                Choice(f"{cell} {STATES[node]}: inputs", PAIRS[node]),
                Choice(f"{cell} {STATES[node]}: first operation", options),
                Choice(f"{cell} {STATES[node]}: second operation", options),
            )
        )

    @classmethod
    def restricted(cls, which: str) -> DartsSpace:
        """Build one of RobustDARTS's spaces S1 to S4 (Zela et al. 2020, section 3).

        S2: skip or separable 3×3 convolution on every edge; S3: also none; S4: noise or separable 3×3 convolution.
        S1: two candidates on each edge, left over after a search that dropped the weakest; the 28 pairs are those of
        the released code (automl/RobustDARTS, src/spaces.py). ValueError for another name.
        """
        if which not in RESTRICTIONS:
            raise ValueError(f"RobustDARTS has the spaces {', '.join(RESTRICTIONS)}, not {which!r}")
        return cls(RESTRICTIONS[which], f"darts-{which}")

    @property
    def named(self) -> bool:
        """Whether the name says which operations there are: those of the paper, or of `restricted`."""
        sets = [choice.options for choice in self.relaxed]
        which = RESTRICTIONS.get(self.name.removeprefix("darts-")) if self.name != "darts" else (NONE, *OPS)
        return which is not None and sets == _sets(which)

    def __eq__(self, other):
        return super().__eq__(other) and self.relaxed == other.relaxed

    def __hash__(self):
        return hash((self.name, self.relaxed))

    # ------------------------------------------------------------------------------------------------------------ text
    def nodes(self, arch: Arch) -> dict[str, tuple]:
        """Return the two ``(operation, state)`` of each of the four nodes of each cell, in the order of the states."""
        entries = iter(self.check(arch))
        cells: dict[str, tuple] = {}
        for cell in CELLS:
            cells[cell] = tuple(
                tuple((self._kept[cell, state, node][next(entries)], state) for state in PAIRS[node][next(entries)])
                for node in range(2, 6)
            )
        return cells

    def arch(self, cells: Mapping[str, Sequence]) -> Arch:
        """Build the architecture from cells in the form that `nodes` returns; the two pairs of a node in any order."""
        out = []
        for cell in CELLS:
            for node, pair in enumerate(cells[cell], 2):
                first, second = sorted(pair, key=lambda one: one[1])
                out.append(PAIRS[node].index((first[1], second[1])))
                out += [self._kept[cell, state, node].index(op) for op, state in (first, second)]
        return tuple(out)

    def to_text(self, arch: Arch) -> str:
        """Write the published text: ``Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=range(2, 6), …)``."""
        normal, reduction = ([one for pair in cell for one in pair] for cell in self.nodes(arch).values())
        concat = "concat=range(2, 6)"
        return f"Genotype(normal={normal}, normal_{concat}, reduce={reduction}, reduce_{concat})"

    def from_text(self, text: str) -> Arch:
        """Read the architecture from a published genotype.

        The two inputs of a node can be in either order, ``range(2, 6)`` may be ``[2, 3, 4, 5]``, and white space is
        allowed between words.

        Raises
        ------
        ValueError
            For malformed text. The message gives the position (from 0) and the expected text.
        """
        reader = _Words(text, f"a genotype of {self.name}")
        cells: dict[str, list[tuple[tuple[str, int], tuple[str, int]]]] = {}
        reader.words("Genotype", "(")
        for cell, word in zip(CELLS, ("normal", "reduce"), strict=True):
            reader.words(word, "=", "[")
            cells[cell] = []
            for node in range(2, 6):
                first = self._edge(reader, cell, node, None)
                cells[cell].append((first, self._edge(reader, cell, node, first[1])))
            reader.words("]", ",", f"{word}_concat", "=")
            reader.concat()
            reader.words("," if cell == "normal" else ")")
        reader.end()
        return self.arch(cells)

    def _edge(self, reader: _Words, cell: str, node: int, other: int | None) -> tuple[str, int]:
        """Read one ``('operation', state)``; its state must differ from ``other``, the state of the node's first."""
        if node > 2 or other is not None:
            reader.words(",")
        reader.words("(")
        quote = '"' if reader.sees('"') else "'"
        reader.expect(quote)
        at, every = reader.at, sorted({op for ops in self._kept.values() for op in ops})
        op = every[reader.option(every)]
        reader.words(quote, ",")
        states = [str(state) for state in range(node) if state != other]
        state = int(states[reader.option(states)])
        reader.space()
        if op not in self._kept[cell, state, node]:
            reader.at = at
            raise reader.unexpected(f"one of {', '.join(self._kept[cell, state, node])} from state {state}")
        reader.words(")")
        return op, state

    # ----------------------------------------------------------------------------------------------- cells and networks
    def cells(self, arch: Arch | None = None) -> dict[str, Graph]:
        """Return the graphs of the normal and the reduction cell; without ``arch``, with all 14 edges, undecided."""
        names, out = (*STATES, "c_{k}"), {}
        for c, cell in enumerate(CELLS):
            if arch is None:
                edges = [Edge(*edge, None, 14 * c + e) for e, edge in enumerate(EDGES)]
            else:
                edges = [
                    Edge(state, node, op, 12 * c + 3 * (node - 2) + 1 + slot)
                    for node, pair in enumerate(self.nodes(arch)[cell], 2)
                    for slot, (op, state) in enumerate(pair)
                ]
            out[cell] = Graph(names, (*edges, *(Edge(node, 6) for node in range(2, 6))))
        return out

    def graph(self, arch: Arch) -> Graph:
        """Return both cells as one graph of two parts."""
        return disjoint(self.cells(arch))

    def network(self, arch: Arch, **size):
        """Build the network of ``arch``: see `nasviz.nn.twoinput.darts_network`. Default: 4 channels, 3 cells."""
        from ..nn.separable import DARTS
        from ..nn.twoinput import darts_network

        return darts_network(self.cells(arch), DARTS, **size)

    def supernet(self, **size):
        """Build the network that mixes all candidates: ``network(images, weights)``, ``weights`` as in `discretize`."""
        from ..nn.separable import DARTS
        from ..nn.twoinput import darts_network
        from ..nn.twoinput_mixed import Supernet

        operations = [[DARTS[op] for op in choice.options] for choice in self.relaxed]
        return darts_network(self.cells(), operations, **size, network=Supernet)

    def discretize(self, weights) -> Arch:
        """Apply DARTS's rule (Liu et al. 2019, section 2.4): each edge keeps its strongest operation that is not none;
        each node keeps the two edges whose operations are strongest. Of equal weights, the first wins.

        Parameters
        ----------
        weights : array of shape (28, operations), for the whole space (28, 8)
            Architecture weights after the softmax, rows and columns as in `relaxed`; no NaN. (Before the softmax, edges
            could not be compared.)
        """
        weights, shape = np.asarray(weights), (28, len(self.relaxed[0].options))
        if weights.shape != shape or np.isnan(weights).any():
            raise ValueError(f"weights must have shape {shape} and no NaN, got shape {weights.shape}")
        cells: dict[str, list] = {cell: [] for cell in CELLS}
        for c, cell in enumerate(CELLS):
            best: dict[tuple[int, int], tuple[float, str]] = {}
            for e, edge in enumerate(EDGES):
                row, options = weights[14 * c + e], self.relaxed[14 * c + e].options
                best[edge] = _strongest(row, options)
            for node in range(2, 6):
                weakness = [-best[state, node][0] for state in range(node)]
                states = sorted(range(node), key=weakness.__getitem__)[:2]
                cells[cell].append([(best[state, node][1], state) for state in states])
        return self.arch(cells)

    # ---------------------------------------------------------------------------------------------- equality and counts
    def canonical(self, arch: Arch) -> str:
        """Return the first text of all architectures that differ from ``arch`` only in the numbering of nodes.

        Conventions. Renaming nodes permutes blocks of the cell's output. The 1×1 convolutions that read the output
        absorb this, so equal means equal after renaming weights. c_{k-2} and c_{k-1} are not interchangeable. Nothing
        else is simplified: two nodes that compute the same without weights (from the same states, by pooling and skips)
        stay two nodes. If edges have different candidates (S1), only renamings that stay in the space count.
        """
        return self.to_text(self.arch({cell: min(self._renamed(cell, n)) for cell, n in self.nodes(arch).items()}))

    def _renamed(self, cell: str, nodes) -> Iterator[tuple]:
        for other in renamed(nodes):
            if all(op in self._kept[cell, state, node] for node, pair in enumerate(other, 2) for op, state in pair):
                yield other

    def counting(self) -> str:
        """Explain the number of cells: during the search, after it, and with renumbered cells counted once."""
        candidates, kept = len(self.relaxed[0].options), len(self._kept["normal", 0, 2])
        cell = prod(len(pairs) * kept**2 for pairs in PAIRS.values())
        pairs = " · ".join(f"{len(pairs)} · {kept}^2" for pairs in PAIRS.values())
        lines = [
            f"*While searching*, a node sees every earlier state: $2+3+4+5=14$ edges a cell, {candidates} operations "
            f"on each. If each edge kept one, that would be ${candidates}^{{14}}$ = {candidates**14:,} cells.",
            f"*The cell that is found* keeps two edges a node. Node $j$ (from 0) chooses 2 of $j+2$ states and one of "
            f"{kept} operations for each (none cannot win): "
            f"$\\prod_{{j=0}}^{{3}} \\binom{{j+2}}{{2}} {kept}^2 = {pairs}$ = {cell:,} cells.",
        ]
        if len({choice.options for choice in self.relaxed}) == 1:
            distinct = count_cells(4, kept)
            lines.append(
                f"*Nodes have no order of their own*: renumbering the four nodes gives the same cell. Counted up to "
                f"that, {distinct:,} cells are left, and {distinct**2:.3e} pairs of a normal and a reduction cell."
            )
        lines.append(
            f"A *normal and a reduction cell* are chosen independently: {cell:,} · {cell:,} = **{self.size:,}**"
        )
        return "\n\n".join(lines)


def _sets(operations: Sequence) -> list[tuple[str, ...]]:
    """The candidates of each edge, where they were given once for all or edge by edge."""
    return [tuple(operations)] * 28 if isinstance(operations[0], str) else [tuple(each) for each in operations]


def _strongest(row: np.ndarray, options: Sequence[str]) -> tuple[float, str]:
    """Return weight and name of the strongest operation that is not none; of equal weights, the first wins."""
    best = max((i for i, op in enumerate(options) if op != NONE), key=lambda i: (row[i], -i))
    return float(row[best]), options[best]


def renamed(nodes: Sequence[tuple]) -> Iterator[tuple]:
    """Yield the cell with every numbering of its nodes in which each node comes after the nodes that it reads.

    ``nodes``: for each node its two ``(operation, state)``; states 0 and 1 are the cell's inputs. In the result, the
    pairs are in the order of states, then operations.
    """
    count = len(nodes)
    for order in permutations(range(count)):  # order[new] = old
        number = {0: 0, 1: 1} | {old + 2: new + 2 for new, old in enumerate(order)}
        moved = [sorted(((op, number[state]) for op, state in nodes[old]), key=lambda one: one[::-1]) for old in order]
        if all(state < new for new, pair in enumerate(moved, 2) for _, state in pair):
            yield tuple(map(tuple, moved))


def count_cells(nodes: int, operations: int) -> int:
    """Count the cells with ``nodes`` nodes, where renumbered cells are the same cell: each orbit counts once.

    Among the numbered cells, a cell with r different valid numberings occurs r times. A wiring w is a cell without
    operations. For a cell on w, r = (numberings of w) / (numberings that leave the cell with its operations unchanged).
    A renaming that maps w onto itself leaves operations^(its cycles on the edges) choices of operations unchanged. So
    the number of cells is Σ_w Σ_{renamings π of w onto itself} operations^cycles(π) / numberings(w): Burnside's lemma,
    one wiring at a time.
    """
    total: dict[int, int] = {}
    for wiring in product(*(combinations(range(node), 2) for node in range(2, nodes + 2))):
        edges = {(state, node) for node, pair in enumerate(wiring, 2) for state in pair}
        numberings = fixed = 0
        for order in permutations(range(2, nodes + 2)):
            number = dict(enumerate((0, 1, *order)))
            image = {(a, b): (number[a], number[b]) for a, b in edges}
            if all(a < b for a, b in image.values()):
                numberings += 1
                fixed += operations ** _cycles(image) if set(image.values()) == edges else 0
        total[numberings] = total.get(numberings, 0) + fixed
    return sum(fixed // numberings for numberings, fixed in total.items())


def _cycles(image: Mapping) -> int:
    """Count the cycles of a permutation."""
    seen, count = set(), 0
    for start in image:
        count += start not in seen
        while start not in seen:
            seen.add(start)
            start = image[start]
    return count


def disjoint(cells: Mapping[str, Graph]) -> Graph:
    """Join several cells into one graph of unconnected parts; a node's name begins with the name of its cell."""
    nodes: list[str] = []
    edges: list[Edge] = []
    ops: list[str | None] = []
    for cell, graph in cells.items():
        edges += [Edge(e.source + len(nodes), e.target + len(nodes), e.op, e.choice) for e in graph.edges]
        nodes += [f"{cell} {node}" for node in graph.nodes]
        ops += graph.ops
    return Graph(tuple(nodes), tuple(edges), tuple(ops))


class _Words(Reader):
    """A reader that allows white space between words."""

    def space(self) -> None:
        """Go past white space."""
        self.at = cast("re.Match[str]", re.compile(r"\s*").match(self.text, self.at)).end()

    def words(self, *words: str) -> None:
        """Go past these words in order. ValueError if one is missing."""
        for word in words:
            self.space()
            self.expect(word)
        self.space()

    def concat(self) -> None:
        """Go past ``range(2, 6)`` or ``[2, 3, 4, 5]``."""
        self.space()
        if not (self.sees("range") or self.sees("[")):
            raise self.unexpected("range(2, 6) or [2, 3, 4, 5]")
        for word in ("range", "(", "2", ",", "6", ")") if self.sees("range") else "[2,3,4,5]":
            self.words(word)
