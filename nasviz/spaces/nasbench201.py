"""NAS-Bench-201: one cell of four nodes, six edges, five operations each (Dong & Yang 2020).

Node 0 is the cell's input, node 3 its output; node j is the sum of the results of its incoming edges. There are 5^6 =
15,625 strings, and many of them are the same network. The number of networks depends on the definition of "the same":

==========================================================  ======
strings                                                     15,625
distinct by the published rule, only skips simplified       12,751
distinct by the published rule, skips, zeros simplified      6,466
distinct functions (`canonical`), pooling not distributed    5,260
distinct functions (`canonical`)                             5,044
==========================================================  ======

The published rule (its code's ``to_unique_str``) writes each node as the sorted sum of its edges' texts. It does not
flatten a sum in a sum, it does not see that a dead node adds nothing, and it takes a convolution that is used twice for
two convolutions. 792 functions have several of its texts, and 430 of its texts mean several functions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations, product
from typing import cast

import numpy as np

from ..graph import Edge, Graph
from ..space import Arch, Choice, SearchSpace

OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = tuple((source, target) for target in (1, 2, 3) for source in range(target))
SHORT = {"nor_conv_1x1": "conv1×1", "nor_conv_3x3": "conv3×3", "sep_conv_3x3": "sepconv3×3", "avg_pool_3x3": "pool"}
COSTLY = ("nor_conv_3x3", "sep_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")  # from most to least computation


class NasBench201(SearchSpace):
    """The cell space of NAS-Bench-201.

    An architecture is six option indices, one for each edge, in the published order 0→1, 0→2, 1→2, 0→3, 1→3, 2→3. The
    options are `OPS`, or the given operations: ("skip_connect", "sep_conv_3x3") makes a small version of RobustDARTS's
    S2, with 64 cells.

    Parameters
    ----------
    operations : sequence of str
        The candidates on every edge, from `OPS` and DARTS's "sep_conv_3x3".

    Raises
    ------
    ValueError
        An operation that does not exist or is named twice; no operation but "none".

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
        self.title = "NAS-Bench-201" if self.operations == OPS else "NAS-Bench-201 with other operations"
        self.choices = tuple(Choice(f"{source}→{target}", self.operations) for source, target in EDGES)
        self.relaxed = self.choices  # DARTS relaxes each edge into a softmax over the same operations

    def to_text(self, arch: Arch) -> str:
        """Write the published string: ``|op~source|`` for each edge, nodes joined by ``+``."""
        ops = (self.operations[option] for option in self.check(arch))
        return "+".join("".join(f"|{next(ops)}~{s}" for s in range(target)) + "|" for target in (1, 2, 3))

    def from_text(self, text: str) -> Arch:
        """Read the architecture from a published string.

        Raises
        ------
        ValueError
            For malformed text. The message gives the position (from 0) and the expected text.
        """
        if not isinstance(text, str):
            raise ValueError(f"a NAS-Bench-201 architecture is a text, got {type(text).__name__}")
        at, arch = 0, []
        for source, target in EDGES:
            opening = "+|" if source == 0 and target > 1 else "|"
            at = _expect(text, at, opening)
            word = cast("re.Match[str]", re.compile(r"[a-z0-9_]*").match(text, at)).group()
            if word not in self.operations:
                raise _unexpected(text, at, "one of " + ", ".join(self.operations))
            arch.append(self.operations.index(word))
            at = _expect(text, at + len(word), f"~{source}")
            at = at if source + 1 < target else _expect(text, at, "|")
        if at != len(text):
            raise _unexpected(text, at, "the end")
        return tuple(arch)

    def graph(self, arch: Arch | None = None) -> Graph:
        """Return the cell of ``arch``; without an architecture, the cell with its edges undecided."""
        ops = [None] * 6 if arch is None else [self.operations[option] for option in self.check(arch)]
        edges = (Edge(*EDGES[i], op, i) for i, op in enumerate(ops))
        return Graph(("0", "1", "2", "3"), tuple(edges))

    def network(self, arch: Arch, **size):
        """Build the network of ``arch``: see `nasviz.nn.cells.CellNetwork` for the names in ``size``."""
        from ..nn.cells import CellNetwork

        return CellNetwork(self.graph(arch), self._factories(), **size)

    def supernet(self, **size):
        """Build the network that mixes all operations on all edges by weights: see `nasviz.nn.mixed.MixedNetwork`."""
        from ..nn.mixed import MixedNetwork

        return MixedNetwork(self.graph(), self.operations, **size)

    def single_path(self, **size):
        """Build the supernet in which one architecture runs at a time: see `nasviz.nn.single_path.PathNetwork`."""
        from ..nn.single_path import PathNetwork

        return PathNetwork(self.graph(), self._factories(), **size)

    def _factories(self):
        from ..nn.ops import NASBENCH201
        from ..nn.separable import DARTS

        known = {**NASBENCH201, "sep_conv_3x3": DARTS["sep_conv_3x3"]}
        return {name: known[name] for name in self.operations}

    def discretize(self, weights) -> Arch:
        """Keep the strongest operation on each edge, zero excluded: DARTS's rule (Liu et al. 2019, section 2.4).

        Zero takes part in the search but cannot win: its weight only scales a node, and the batch-norms behind the node
        undo the scale, so that the weight has no meaning. (Dong & Yang's runs of DARTS on this space let zero win. If
        it wins on all edges that leave the input, as on one of three seeds of our lab 00, the cell computes nothing.)

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
        """Return one architecture for each function (5,044 in the whole space): the one with the least computation.

        Least computation means: fewest 3×3 convolutions, then 1×1, then poolings. No operation in it is thus dead.
        """
        best: dict[str, tuple] = {}
        costly = [self.operations.index(op) for op in COSTLY if op in self.operations]
        for arch in product(range(len(self.operations)), repeat=len(EDGES)):
            work = *(arch.count(option) for option in costly), arch
            text = self.canonical(arch)
            best[text] = min(best.get(text, work), work)
        return sorted(work[-1] for work in best.values())

    def canonical(self, arch: Arch) -> str:
        """Return the function that the cell computes, as a formula; equal exactly for equal functions.

        A cell is a sum of terms. A term is the input ``x`` or the result of one convolution, pooled a number of times.
        To get there, skips are spliced out, zeros and nodes that only they feed are removed, sums are flattened, and
        average pooling is distributed over sums (it is linear). A convolution that is used in several terms keeps one
        set of weights and one letter: ``a + conv1×1(a), a = conv3×3(x)`` is not ``conv3×3(x) + conv1×1(conv3×3(x))``.

        Conventions. A convolution is ReLU, convolution, batch-norm, each with its own weights, so equal means equal
        after renaming weights. A factor in front of a batch-norm is kept (the batch-norm removes it only up to the
        epsilon). An operation on a dead node is skipped, as in `CellNetwork`. (The published code runs it, and a
        convolution of zero gives β; that would give 5,234 functions.)
        """
        return self._canonical(tuple(arch), pooling_is_linear=True)

    def _canonical(self, arch: Arch, pooling_is_linear: bool) -> str:
        return _function(self.operations, arch, pooling_is_linear)


@lru_cache(2**15)  # the whole space, both ways: searches on a table ask for the same cells again and again
def _function(operations: tuple[str, ...], arch: Arch, pooling_is_linear: bool) -> str:
    convs: list[tuple[str, Counter]] = []  # kernel and input of each convolution, which is known by its number
    nodes = [Counter({("x", 0): 1})]  # node: how often each term (atom, times pooled) is added
    for target in (1, 2, 3):
        total: Counter = Counter()
        for source in range(target):
            op, value = operations[arch[EDGES.index((source, target))]], nodes[source]
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
    """Return the smallest text over all orders of naming shared convolutions: it does not depend on edge numbers."""
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
    """Return the text of the published rule for "the same": a node is the sorted sum of its edges' texts; skips vanish.

    With ``zeros`` a zero also removes everything behind it; without, it is an operation like any other. (The paper
    calls the second count, 12,751, the one that does not know about skips and zeros. Counting shows that its rule does
    simplify skips: if neither is simplified, all 15,625 texts differ.) Dong & Yang 2020, section 2.1. The rule is not
    exact: see `NasBench201.canonical`.
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
