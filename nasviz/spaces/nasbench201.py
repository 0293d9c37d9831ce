"""NAS-Bench-201: one cell of four nodes, six edges, five operations each (Dong & Yang 2020).

Node 0 is the cell's input, node 3 its output; node j is the sum of what its incoming edges carry. 5^6 = 15,625 strings.
Many of them are the same network. How many networks there are depends on what one calls the same:

==========================================================  ======
strings                                                     15,625
distinct by the published rule, only skips honoured         12,751
distinct by the published rule, skips and zeros honoured     6,466
distinct functions (`canonical`), pooling not distributed    5,260
distinct functions (`canonical`)                             5,044
==========================================================  ======

The published rule (its code's ``to_unique_str``) writes each node as the sorted sum of its edges' texts. It misses that
a sum in a sum can be flattened and that what comes from a dead node is nothing, and it takes a convolution that is used
twice for two convolutions: 792 functions have several of its texts, 430 of its texts mean several functions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import permutations, product

import numpy as np

from ..graph import Edge, Graph
from ..space import Arch, Choice, SearchSpace

OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = tuple((source, target) for target in (1, 2, 3) for source in range(target))
SHORT = {"nor_conv_1x1": "conv1×1", "nor_conv_3x3": "conv3×3", "sep_conv_3x3": "sepconv3×3", "avg_pool_3x3": "pool"}
COSTLY = ("nor_conv_3x3", "sep_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")  # from most work to least


class NasBench201(SearchSpace):
    """The cell space of NAS-Bench-201.

    An architecture is six option indices, one an edge, in the published order 0→1, 0→2, 1→2, 0→3, 1→3, 2→3, over the
    operations `OPS`, or over those that are given: ("skip_connect", "sep_conv_3x3") is RobustDARTS's S2 in small, with
    64 cells.

    Parameters
    ----------
    operations : sequence of str
        The candidates on every edge: of `OPS`, and DARTS's "sep_conv_3x3".

    Raises
    ------
    ValueError
        An operation that does not exist or is there twice; none but "none".

    Examples
    --------
    >>> space = NasBench201()
    >>> space.size
    15625
    >>> arch = space.from_text("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|")
    >>> arch
    (3, 0, 1, 0, 0, 2)
    >>> space.canonical(arch)
    'conv1×1(conv3×3(x))'
    """

    def __init__(self, operations: Sequence[str] = OPS):
        self.operations, known = tuple(operations), (*OPS, "sep_conv_3x3")
        if len(set(self.operations)) < len(self.operations) or not set(self.operations) <= set(known):
            raise ValueError(f"the operations of an edge must be different ones of {known}, got {operations}")
        if not set(self.operations) - {"none"}:
            raise ValueError("an edge needs a candidate besides none")
        self.name = "-".join(("nasbench201", *(self.operations if self.operations != OPS else ())))
        self.choices = tuple(Choice(f"{source}→{target}", self.operations) for source, target in EDGES)
        self.relaxed = self.choices         # DARTS relaxes each edge into a softmax over the same operations

    def to_text(self, arch: Arch) -> str:
        """The published string: ``|op~source|`` an edge, nodes joined by ``+``."""
        ops = (self.operations[option] for option in self.check(arch))
        return "+".join("".join(f"|{next(ops)}~{s}" for s in range(target)) + "|" for target in (1, 2, 3))

    def from_text(self, text: str) -> Arch:
        """The architecture of a published string.

        Raises
        ------
        ValueError
            Naming the position (from 0) and what was expected there.
        """
        if not isinstance(text, str):
            raise ValueError(f"a NAS-Bench-201 architecture is a text, got {type(text).__name__}")
        at, arch = 0, []
        for source, target in EDGES:
            opening = "+|" if source == 0 and target > 1 else "|"
            at = _expect(text, at, opening)
            word = re.compile(r"[a-z0-9_]*").match(text, at).group()
            if word not in self.operations:
                raise _unexpected(text, at, "one of " + ", ".join(self.operations))
            arch.append(self.operations.index(word))
            at = _expect(text, at + len(word), f"~{source}")
            at = at if source + 1 < target else _expect(text, at, "|")
        if at != len(text):
            raise _unexpected(text, at, "the end")
        return tuple(arch)

    def graph(self, arch: Arch | None = None) -> Graph:
        """The cell of ``arch``; without one, the cell with its edges undecided."""
        ops = [None] * 6 if arch is None else [self.operations[option] for option in self.check(arch)]
        edges = (Edge(*EDGES[i], op, i) for i, op in enumerate(ops))
        return Graph(("in", "1", "2", "out"), tuple(edges))

    def network(self, arch: Arch, **size):
        """The network of ``arch``: see `nasviz.nn.cells.CellNetwork` for what ``size`` may say."""
        from ..nn.cells import CellNetwork

        return CellNetwork(self.graph(arch), self._factories(), **size)

    def supernet(self, **size):
        """All operations on all edges, mixed by weights: see `nasviz.nn.mixed.MixedNetwork`."""
        from ..nn.mixed import MixedNetwork

        return MixedNetwork(self.graph(), self.operations, **size)

    def single_path(self, **size):
        """All operations on all edges, of which one path runs at a time: see `nasviz.nn.single_path.PathNetwork`."""
        from ..nn.single_path import PathNetwork

        return PathNetwork(self.graph(), self._factories(), **size)

    def _factories(self):
        from ..nn.ops import NASBENCH201
        from ..nn.separable import DARTS

        known = {**NASBENCH201, "sep_conv_3x3": DARTS["sep_conv_3x3"]}
        return {name: known[name] for name in self.operations}

    def discretize(self, weights) -> Arch:
        """The strongest operation on each edge that is not zero: DARTS's rule (Liu et al. 2019, section 2.4).

        Zero takes part in the search but cannot win: its weight only scales a node, which the batch-norms behind it
        undo, so that its size says nothing. (Dong & Yang's runs of DARTS on this space let zero win. Where it wins on
        all edges that leave the input, as on one of three seeds of our lab 00, the cell that is left computes nothing.)

        Parameters
        ----------
        weights : array of shape (6, operations), for the whole space (6, 5)
            Architecture weights, before or after the softmax; no NaN.
        """
        weights, shape = np.array(weights, dtype=float), (6, len(self.operations))
        if weights.shape != shape or np.isnan(weights).any():
            raise ValueError(f"weights must have shape {shape} and no NaN, got shape {weights.shape}")
        if "none" in self.operations:
            weights[:, self.operations.index("none")] = -np.inf
        return tuple(weights.argmax(1).tolist())

    def distinct(self) -> list[Arch]:
        """One architecture for each function (5,044 in the whole space): of those that compute it, the one with the
        least work.

        Least work: fewest 3×3 convolutions, then 1×1, then poolings; so that nothing in it is dead.
        """
        best: dict[str, tuple] = {}
        costly = [self.operations.index(op) for op in COSTLY if op in self.operations]
        for arch in product(range(len(self.operations)), repeat=len(EDGES)):
            work = *(arch.count(option) for option in costly), arch
            text = self.canonical(arch)
            best[text] = min(best.get(text, work), work)
        return sorted(work[-1] for work in best.values())

    def canonical(self, arch: Arch) -> str:
        """The function that the cell computes, as a formula; equal exactly for equal functions.

        A cell is a sum of terms. A term is the input ``x`` or the result of one convolution, pooled so many times:
        skips are spliced out, zeros and what only they feed removed, sums flattened, average pooling distributed over
        sums (it is linear). A convolution that is used in several terms keeps one set of weights and one letter:
        ``a + conv1×1(a), a = conv3×3(x)`` is not ``conv3×3(x) + conv1×1(conv3×3(x))``. Conventions: a convolution is
        ReLU, convolution, batch-norm, each with weights of its own, so equal means equal after renaming weights; a
        factor in front of a batch-norm is kept (it is ignored only up to the epsilon); an operation on a dead node is
        skipped, as `CellNetwork` does (the published code runs it, and a convolution of zero gives β; that would
        give 5,234 functions).
        """
        return self._canonical(tuple(arch), pooling_is_linear=True)

    def _canonical(self, arch: Arch, pooling_is_linear: bool) -> str:
        convs: list[tuple[str, Counter]] = []       # kernel and input of each convolution: its number is its identity
        nodes = [Counter({("x", 0): 1})]            # node: how often each term (atom, times pooled) is added
        for target in (1, 2, 3):
            total: Counter = Counter()
            for source in range(target):
                op, value = self.operations[arch[EDGES.index((source, target))]], nodes[source]
                if op == "none" or not value:
                    continue
                if op == "skip_connect":
                    total.update(value)
                elif op == "avg_pool_3x3" and (pooling_is_linear or len(value) == 1 and value.total() == 1):
                    total.update({(atom, pooled + 1): n for (atom, pooled), n in value.items()})
                else:
                    convs.append((SHORT[op], value))
                    total[len(convs) - 1, 0] += 1
            nodes.append(total)
        return _formula(convs, nodes[3])


def _formula(convs, output) -> str:
    """The smallest of the texts that name shared convolutions in any order: independent of how edges were numbered."""
    live, todo = set(), [output]
    while todo:
        for atom, _ in todo.pop():
            if atom != "x" and atom not in live:
                live.add(atom)
                todo.append(convs[atom][1])
    uses = Counter(atom for value in [output, *(convs[i][1] for i in live)] for atom, _ in value)
    shared = [i for i in sorted(live) if uses[i] > 1]

    def write(names):
        def atom(i):
            return i if i == "x" else names[i] if i in names else body(i)

        def body(i):
            return f"{convs[i][0]}({value(convs[i][1])})"

        def term(i, pooled, n):
            return (f"{n}·" if n > 1 else "") + "pool(" * pooled + atom(i) + ")" * pooled

        def value(counter):
            return " + ".join(sorted(term(i, pooled, n) for (i, pooled), n in counter.items()))

        return ", ".join([value(output) or "0", *sorted(f"{names[i]} = {body(i)}" for i in names)])

    return min(write(dict(zip(order, "abcdef", strict=False))) for order in permutations(shared))


def published_unique(arch: Arch, zeros: bool) -> str:
    """The published rule for "the same": each node as the sorted sum of its edges' texts, skips spliced out.

    With ``zeros`` a zero also annihilates what is behind it; without, it is an operation as any other. (The paper
    calls the second count, 12,751, the one that does not know about skips and zeros; counting shows that its rule
    does splice skips: with neither honoured, all 15,625 texts differ.) Dong & Yang 2020, section 2.1. Not exact: see
    `NasBench201.canonical`.
    """
    nodes = ["0"]
    for target in (1, 2, 3):
        parts = []
        for source in range(target):
            op = OPS[arch[EDGES.index((source, target))]]
            if zeros and (op == "none" or nodes[source] == "#"):
                parts.append("#")
            elif op == "skip_connect":
                parts.append(nodes[source])
            else:
                parts.append(f"({nodes[source]})@{op}")
        nodes.append("+".join(sorted(parts)))
    return nodes[-1]


def _expect(text: str, at: int, word: str) -> int:
    if not text.startswith(word, at):
        raise _unexpected(text, at, repr(word))
    return at + len(word)


def _unexpected(text: str, at: int, expected: str) -> ValueError:
    found = repr(text[at : at + 12]) if at < len(text) else "the end"
    return ValueError(f"NAS-Bench-201 text, position {at}: expected {expected}, found {found} in {text[:80]!r}")
