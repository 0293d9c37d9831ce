"""The cells of NAS-Bench-201 as others write them: text, official number, tuples in another order of the edges.

Our tuples have the order of the published text: edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3, operations none, skip_connect,
nor_conv_1x1, nor_conv_3x3, avg_pool_3x3. NASLib, and NAS-Bench-Suite-Zero with it, sorts edges by where they begin, and
has its own order of operations: `NASLIB_EDGES`, `NASLIB_OPS`.

The official number of a cell (0 to 15624) follows from no rule: it is its place in the authors' list of texts. Files
that give numbers only are read beside one that gives both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..space import Arch
from ..spaces.nasbench201 import EDGES, OPS

COUNT = len(OPS) ** len(EDGES)
NASLIB_EDGES = tuple(sorted(EDGES))
NASLIB_OPS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_WORD = "(" + "|".join(OPS) + ")"
TEXT = re.compile(r"\+".join("".join(rf"\|{_WORD}~{s}" for s in range(t)) + r"\|" for t in (1, 2, 3)))
_PLACE = {op: option for option, op in enumerate(OPS)}


def from_text(text: object) -> Arch:
    """Read a published text in a microsecond; the error of `NasBench201.from_text` says more. ValueError."""
    found = TEXT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r:.100} is no text of a NAS-Bench-201 cell")
    return tuple(_PLACE[op] for op in found.groups())


def from_naslib(indices: Sequence[int]) -> Arch:
    """Return the tuple of NASLib's six operation indices, in its order of edges and operations. ValueError."""
    if len(indices) != len(EDGES) or not all(0 <= index < len(OPS) for index in indices):
        raise ValueError(f"NASLib writes a cell as six numbers from 0 to 4, got {indices!s:.60}")
    chosen = dict(zip(NASLIB_EDGES, indices, strict=True))
    return tuple(_PLACE[NASLIB_OPS[chosen[edge]]] for edge in EDGES)


def to_naslib(arch: Arch) -> tuple[int, ...]:
    """Return NASLib's six operation indices of a tuple: the way back of `from_naslib`."""
    chosen = dict(zip(EDGES, arch, strict=True))
    return tuple(NASLIB_OPS.index(OPS[chosen[edge]]) for edge in NASLIB_EDGES)


def numbered(texts: Iterable[object]) -> list[Arch]:
    """Return the cells by official number, from the authors' list of texts.

    ValueError if it does not hold each of the 15,625 once.
    """
    archs = [from_text(text) for text in texts]
    if len(archs) != COUNT or len(set(archs)) != COUNT:
        raise ValueError(f"the official list has each of {COUNT:,} cells once, this one has {len(archs):,}")
    return archs
