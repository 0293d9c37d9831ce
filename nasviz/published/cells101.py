"""The cells of NAS-Bench-101 as others write them: matrices of any size, and NASLib's numbers for operations."""

from __future__ import annotations

from collections.abc import Sequence

from ..space import Arch
from ..spaces.nasbench101 import EDGES, NODES, OPS, NasBench101

NASLIB_OPS = ("input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
SPACE = NasBench101()


def from_matrix(rows: Sequence[Sequence[int]], ops: Sequence[str]) -> Arch:
    """Return the tuple of a matrix and the names of all nodes' operations; fewer than 7 nodes are filled up.

    ValueError if it is no cell of the space.
    """
    nodes = len(ops)
    if not 2 <= nodes <= NODES or ops[0] != "input" or ops[-1] != "output":
        raise ValueError(f"a cell has 2 to {NODES} nodes, an input first and an output last; got {ops!s:.100}")
    if len(rows) != nodes or any(len(row) != nodes for row in rows):
        raise ValueError(f"the matrix of a cell of {nodes} nodes has {nodes} rows of as many numbers")
    place, arch = [*range(nodes - 1), NODES - 1], [0] * len(SPACE.choices)
    for i, row in enumerate(rows):
        for j, bit in enumerate(row):
            if bit not in (0, 1) or (bit and j <= i):
                raise ValueError(
                    f"{bit!r:.20} in the matrix for {i}→{j}: it has 0 and 1, and 1 only above the diagonal"
                )
            if bit:
                arch[EDGES.index((place[i], place[j]))] = 1
    for node, op in enumerate(ops[1:-1], 1):
        if op not in OPS:
            raise ValueError(f"the operation {op!r:.40} is none of {', '.join(OPS)}")
        arch[len(EDGES) + node - 1] = OPS.index(op)
    return SPACE.check(arch)


def from_naslib(numbers: Sequence[int]) -> Arch:
    """Return the tuple of NASLib's 56 numbers: a matrix of 7×7, row by row, and 7 operations. ValueError."""
    if len(numbers) != NODES**2 + NODES or max(numbers[NODES**2 :]) >= len(NASLIB_OPS):
        raise ValueError(f"NASLib writes a cell as 49 numbers 0 or 1 and 7 from 0 to 4, got {len(numbers)} numbers")
    rows = [numbers[NODES * i : NODES * (i + 1)] for i in range(NODES)]
    return from_matrix(rows, [NASLIB_OPS[index] for index in numbers[NODES**2 :]])


def from_upper(bits: str, ops: str) -> Arch:
    """Return the tuple of the matrix's upper triangle, row by row, and NASLib's operations, as digits. ValueError."""
    if len(bits) != len(EDGES) or len(ops) != NODES or not (bits + ops).isascii() or not (bits + ops).isdigit():
        raise ValueError(f"21 digits and 7 digits are expected, got {bits!r:.40} and {ops!r:.40}")
    there = {edge for edge, bit in zip(EDGES, bits, strict=True) if bit != "0"}
    if set(bits) - set("01"):
        raise ValueError(f"the matrix is written by 0 and 1, got {bits!r}")
    numbers = [int((i, j) in there) for i in range(NODES) for j in range(NODES)]
    return from_naslib([*numbers, *map(int, ops)])
