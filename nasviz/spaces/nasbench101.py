"""NAS-Bench-101: any small cell, operations on its nodes (Ying et al. 2019).

A cell is a directed graph of at most 7 nodes and 9 edges. Node 0 is its input, node 6 its output; each of the five
nodes between them is one of three operations. Edges lead from lower to higher numbers.

An architecture is the published encoding: the 21 bits above the diagonal of the adjacency matrix, row by row, and five
operations. It includes smaller cells: a node that is on no path from input to output is *pruned*, with its edges and
its operation, before edges are counted or a network is built. One cell thus has many tuples, because the entries of
pruned nodes are free and because nodes can be renumbered; `NasBench101.canonical` is equal for all of them. The free
entries are not set to 0 on purpose: otherwise no single change could bring a node back, since this takes two edges.

==========================================  ===========
tuples                                      509,607,936
valid tuples                                373,754,169
cells (no two isomorphic)                       423,624
==========================================  ===========
"""

from __future__ import annotations

import hashlib

from ..graph import Edge, Graph
from ..space import Arch, Choice, SearchSpace
from .reading import Reader

NODES, MOST_EDGES = 7, 9
OPS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
EDGES = tuple((source, target) for source in range(NODES - 1) for target in range(source + 1, NODES))
CELLS = {2: 1, 3: 6, 4: 84, 5: 2441, 6: 62_010, 7: 359_082}
"""How many cells, no two isomorphic, have so many nodes: `benchmarks/nasbench101_count.py` counts them, two ways."""


class NasBench101(SearchSpace):
    """The cell space of NAS-Bench-101.

    An architecture is 26 option indices: 21 bits for the edges `EDGES`, 0→1, 0→2, … 5→6, then the operations of nodes
    1 to 5 over `OPS`. Sampling is uniform over valid tuples, so that cells with many tuples are drawn more often: 2,000
    samples are about 900 cells.

    Examples
    --------
    >>> space = NasBench101()
    >>> arch = space.from_text("011/001/000 input,conv1x1-bn-relu,output")
    >>> space.graph(arch).nodes, space.graph(arch).ops
    (('in', '1', 'out'), (None, 'conv1x1-bn-relu', None))
    >>> space.why_invalid((0,) * 26)
    'no path leads from the input to the output'
    """

    name = "nasbench101"
    title = "NAS-Bench-101"
    choices = tuple(Choice(f"{source}→{target}", (0, 1)) for source, target in EDGES) + tuple(
        Choice(f"operation {node}", OPS) for node in range(1, NODES - 1)
    )

    def rule(self, arch: Arch) -> str | None:
        """Return the broken rule, or None: a path must lead to the output, and the pruned cell has at most 9 edges."""
        rows = _rows(arch)
        live = _live(rows)
        if not live:
            return "no path leads from the input to the output"
        edges = sum((rows[node] & live).bit_count() for node in range(NODES - 1) if live >> node & 1)
        if edges > MOST_EDGES:
            return f"{edges} edges lie on paths from input to output, at most {MOST_EDGES} may"
        return None

    def graph(self, arch: Arch) -> Graph:
        """Return the pruned cell of ``arch``; the names of nodes are their numbers, ``ops`` their operations."""
        rows = _rows(self.check(arch))
        live = _live(rows)
        nodes = [node for node in range(NODES) if live >> node & 1]
        edges = [
            Edge(nodes.index(source), nodes.index(target), None, choice)
            for choice, (source, target) in enumerate(EDGES)
            if arch[choice] and source in nodes and target in nodes
        ]
        ops = [OPS[arch[len(EDGES) + node - 1]] for node in nodes[1:-1]]
        return Graph(("in", *map(str, nodes[1:-1]), "out"), tuple(edges), (None, *ops, None))

    def canonical(self, arch: Arch) -> str:
        """Return the published hash of the pruned cell: equal exactly for isomorphic cells.

        Isomorphic cells are the same function if the channels divide evenly among the nodes that feed the output. If
        they do not, as with 42⅔ channels, the published rule gives one more (43) to the nodes of lower number. They
        always divide for multiples of 12, such as the network's default. Different hashes can still be the same
        function: two nodes that pool the same node compute the same.
        """
        cell = self.graph(arch)
        labels = [-1, *(OPS.index(op) for op in cell.ops[1:-1]), -2]
        return hash_cell([(edge.source, edge.target) for edge in cell.edges], labels)

    def counting(self) -> str:
        """Explain the way from 510 million encodings to 423,624 cells."""
        sizes = " + ".join(f"{count:,}" for count in CELLS.values())
        return (
            "A cell of 7 nodes has 7·6/2 = 21 possible edges, each there or not, and 5 nodes of 3 operations each:\n\n"
            f"$$2^{{21}} \\cdot 3^5 = {self.size:,}$$\n\n"
            "encodings. Not all are cells: the output must be reached, with at most 9 edges after nodes on no path "
            "from input to output are pruned. That leaves 373,754,169 (counted). Most of these are one cell written in "
            "several ways: what a pruned node says does not matter, and nodes can be renumbered, up to $5! = 120$ "
            "ways. Counting cells that cannot be renumbered into each other, with 2, 3, … 7 nodes:\n\n"
            f"{sizes} = **{sum(CELLS.values()):,}**"
        )

    def to_text(self, arch: Arch) -> str:
        """Write the published specification in one line: the rows of the matrix, then the operations of all nodes."""
        arch = self.check(arch)
        there = {edge for edge, bit in zip(EDGES, arch, strict=False) if bit}
        rows = ("".join(str(int((i, j) in there)) for j in range(NODES)) for i in range(NODES))
        ops = ["input", *(OPS[option] for option in arch[len(EDGES) :]), "output"]
        return "/".join(rows) + " " + ",".join(ops)

    def from_text(self, text: str) -> Arch:
        """Read the architecture from a matrix and its operations; fewer than 7 nodes are allowed.

        Raises
        ------
        ValueError
            For malformed text, with the position (from 0) and the expected text; or with the rule that the cell breaks.
        """
        reader = Reader(text, "a NAS-Bench-101 cell")
        nodes = len(text) - len(text.lstrip("01"))
        if not 2 <= nodes <= NODES:
            reader.at = nodes
            raise reader.unexpected(f"a first row of 2 to {NODES} digits 0 or 1, one a node")
        place, arch = [*range(nodes - 1), NODES - 1], [0] * len(self.choices)
        for row in range(nodes):
            for column in range(nodes):
                if column > row:
                    arch[EDGES.index((place[row], place[column]))] = reader.option(("0", "1"))
                elif not reader.sees("0"):
                    raise reader.unexpected(f"0 for {row}→{column}: edges lead from lower to higher numbers")
                else:
                    reader.expect("0")
            reader.expect("/" if row + 1 < nodes else " ")
        reader.expect("input,")
        for node in range(1, nodes - 1):
            arch[len(EDGES) + node - 1] = reader.option(OPS)
            reader.expect(",")
        reader.expect("output")
        reader.end()
        return self.check(tuple(arch))

    def network(self, arch: Arch, **size):
        """Build the network of ``arch``: see `nasviz.nn.nodes.NodeNetwork` for the names in ``size``."""
        from ..nn.nodes import NASBENCH101, NodeNetwork

        return NodeNetwork(self.graph(arch), NASBENCH101, **size)


def hash_cell(edges, labels) -> str:
    """Compute the published isomorphism hash of a directed graph: 32 hexadecimal digits, equal for isomorphic graphs.

    Each node starts as the hash of its out-degree, in-degree and label. In as many rounds as there are nodes, it is
    hashed again with the sorted hashes of its predecessors and successors: Weisfeiler–Lehman refinement. No two cells
    of NAS-Bench-101 that differ have the same hash (`benchmarks/nasbench101_count.py`). The algorithm is that of the
    code of Ying et al. 2019 (``hash_module``); its digests were not compared with the published table, which is not at
    hand.

    Parameters
    ----------
    edges : sequence of (source, target)
    labels : sequence of int
        One label a node. The published labels: −1 for the input, −2 for the output, else the operation's index in
        `OPS`.
    """
    before: list[list[int]] = [[] for _ in labels]
    after: list[list[int]] = [[] for _ in labels]
    for source, target in edges:
        after[source].append(target)
        before[target].append(source)
    hashes = [_md5(str((len(after[v]), len(before[v]), label))) for v, label in enumerate(labels)]
    for _ in labels:
        hashes = [
            _md5("|".join(["".join(sorted(hashes[w] for w in near)) for near in (before[v], after[v])] + [hashes[v]]))
            for v in range(len(labels))
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _rows(arch: Arch) -> list[int]:
    """Return, for each node, the set of the nodes that it feeds, as bits."""
    rows = [0] * NODES
    for (source, target), bit in zip(EDGES, arch, strict=False):
        rows[source] |= bit << target
    return rows


def _live(rows: list[int]) -> int:
    """Return the set of the nodes on a path from input to output, as bits; 0 if there is none."""
    reached, reaching = 1, 1 << NODES - 1
    for node in range(NODES - 1):
        if reached >> node & 1:
            reached |= rows[node]
    for node in reversed(range(NODES - 1)):
        if rows[node] & reaching:
            reaching |= 1 << node
    return reached & reaching if reaching & 1 else 0
