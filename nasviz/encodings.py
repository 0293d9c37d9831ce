"""Encodings: architectures as vectors of numbers, for predictors, kernels and distances.

There are three encodings (compared by White et al. 2020, "A study on encodings for NAS"):

- `one_hot`: the option of each choice. It works on every space. Architectures with the same function may differ in it.
- `path_encoding`: the sequences of operations from input to output (White, Neiswanger & Savani 2021, section 3.2).
- `weisfeiler_lehman`: the number of times that each small piece of the graph occurs (Ru et al. 2021).

The last two read the graph. They return counts by name, so that a reader sees the meaning of a feature; `encoder` puts
the counts into columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ._old_names import renamed
from .graph import Graph
from .ranges import check_number
from .space import Arch, SearchSpace

NOTHING = "none"  # name, in all spaces, of the operation whose result is zero
ENCODINGS = ("one-hot", "paths", "weisfeiler-lehman")
__getattr__ = renamed(__name__)  # old names


def one_hot(space: SearchSpace, archs: Iterable[Arch]) -> np.ndarray:
    """Return a matrix with one column for each option of each choice: 1 if the option is chosen, else 0.

    Parameters
    ----------
    space : SearchSpace
    archs : iterable of n architectures, in normal form

    Returns
    -------
    float32 array of shape (n, total number of options)
        An inactive choice has zeros in all its columns. Without conditional choices, half the squared distance of two
        rows is their Hamming distance.

    Raises
    ------
    ValueError
        An architecture of another length.
    """
    archs = list(archs)
    counts = [len(choice.options) for choice in space.choices]
    table = np.array(archs, dtype=np.intp).reshape(len(archs), -1) if archs else np.empty((0, len(counts)), np.intp)
    if table.shape[1] != len(counts):
        raise ValueError(f"{space.name} has {len(counts)} choices, these architectures {table.shape[1]}")
    starts = np.concatenate([[0], np.cumsum(counts)])
    out = np.zeros((len(archs), starts[-1]), np.float32)
    active = np.array([space.active(arch) for arch in archs]) if space.conditional and archs else np.ones_like(table)
    np.put_along_axis(out, table + starts[:-1], active.astype(np.float32), axis=1)
    return out


@dataclass(frozen=True)
class Flow:
    """The computation of an architecture as a graph of operations, without sums and edges that have no operation.

    Attributes
    ----------
    labels : tuple of str
        Name of each operation, input or output, in topological order. An input or output whose node has no name but a
        number is called ``"in"`` or ``"out"``. If there are several cells, the name of the cell comes first.
    incoming : tuple of tuple of int
        For each label, the numbers of the labels whose results it reads.
    """

    labels: tuple[str, ...]
    incoming: tuple[tuple[int, ...], ...]


def flow(space: SearchSpace, arch: Arch) -> Flow:
    """Return the `Flow` of ``arch``: all outputs, and the operations on a path from an input to an output.

    It makes no difference here whether operations are on edges or on nodes. NotImplementedError if the space has no
    graph.
    """
    cells = space.cells(arch)
    labels: list[str] = []
    incoming: list[tuple[int, ...]] = []
    for name, graph in cells.items():
        cell = _flow(graph)
        shift = len(labels)
        labels += [f"{name}: {label}" if len(cells) > 1 else label for label in cell.labels]
        incoming += [tuple(i + shift for i in sources) for sources in cell.incoming]
    return Flow(tuple(labels), tuple(incoming))


def _flow(graph: Graph) -> Flow:
    labels: list[str] = []
    incoming: list[list[int]] = []
    outputs: list[int] = []

    def add(label: str, reads: list[int]) -> int:
        labels.append(label)
        incoming.append(reads)
        return len(labels) - 1

    into = [[edge for edge in graph.edges if edge.target == node] for node in range(len(graph.nodes))]
    leaves = {edge.source for edge in graph.edges}
    carried: list[list[int]] = []  # for each node, the operations whose results it adds; empty for zero
    for node, name in enumerate(graph.nodes):
        arriving = []
        for edge in into[node]:
            if edge.op is None:
                arriving += carried[edge.source]
            elif edge.op != NOTHING and carried[edge.source]:
                arriving.append(add(edge.op, carried[edge.source]))
        op = graph.ops[node] if graph.ops else None
        is_input, is_output = not into[node], node not in leaves
        if is_output:
            if op is not None and arriving:  # the last node can have an operation
                arriving = [add(op, arriving)]
            outputs.append(add("out" if name.isdecimal() else name, arriving))
            carried.append([])
        elif is_input or (op is not None and arriving):
            carried.append([add(op or ("in" if name.isdecimal() else name), arriving)])
        else:
            carried.append(arriving)
    live = set(outputs)
    for i in reversed(range(len(labels))):  # an operation comes before its readers
        if i in live:
            live.update(incoming[i])
    kept = sorted(live)
    place = {old: new for new, old in enumerate(kept)}
    return Flow(tuple(labels[i] for i in kept), tuple(tuple(place[j] for j in incoming[i]) for i in kept))


def path_encoding(space: SearchSpace, arch: Arch) -> Counter[str]:
    """Return the path encoding: each sequence of operations from an input to an output, counted once.

    White, Neiswanger & Savani 2021, section 3.2: a feature tells whether a path occurs, not how often. A path over the
    operation "none" is left out, since its result is zero. The number of paths can double with each node of a graph.

    Examples
    --------
    >>> from nasviz.spaces import NasBench201
    >>> sorted(path_encoding(NasBench201(), (3, 0, 1, 1, 0, 2)))
    ['in › nor_conv_3x3 › skip_connect › nor_conv_1x1 › out', 'in › skip_connect › out']
    """
    graph = flow(space, arch)
    read = {i for sources in graph.incoming for i in sources}
    ways: list[set[str]] = []
    for label, sources in zip(graph.labels, graph.incoming, strict=True):
        ways.append({f"{way} › {label}" for i in sources for way in ways[i]} if sources else {label})
    ends = [i for i in range(len(ways)) if i not in read and graph.incoming[i]]
    return Counter({way: 1 for i in ends for way in ways[i]})


def weisfeiler_lehman(space: SearchSpace, arch: Arch, rounds: int = 2) -> Counter[str]:
    """Count the Weisfeiler–Lehman features: each operation together with the operations it reads, ``rounds`` deep.

    Round 0 counts operations. In each further round, an operation's label becomes its old label and, in brackets, the
    sorted labels that it reads; the new labels are counted again (Shervashidze et al. 2011; for architectures Ru et al.
    2021, section 3). Labels are texts instead of numbers, so that a person can read a feature. The dot product of two
    counts is the Weisfeiler–Lehman subtree kernel, with labels passed in the direction of the computation.

    Raises
    ------
    ValueError
        ``rounds`` below 0.

    Examples
    --------
    >>> from nasviz.spaces import NasBench201
    >>> for feature, count in weisfeiler_lehman(NasBench201(), (3, 0, 1, 1, 0, 2), rounds=1).items():
    ...     print(count, feature)
    1 in
    1 nor_conv_3x3
    2 skip_connect
    1 nor_conv_1x1
    1 out
    1 in()
    1 nor_conv_3x3(in)
    1 skip_connect(nor_conv_3x3)
    1 skip_connect(in)
    1 nor_conv_1x1(skip_connect)
    1 out(nor_conv_1x1, skip_connect)
    """
    check_number("rounds", rounds, 0)
    graph = flow(space, arch)
    labels = list(graph.labels)
    counts = Counter(labels)
    for _ in range(rounds):
        reads = [", ".join(sorted(labels[i] for i in sources)) for sources in graph.incoming]
        labels = [f"{label}({read})" for label, read in zip(graph.labels, reads, strict=True)]
        counts.update(labels)
    return counts


def matrix(counts: Sequence[Counter[str]], columns: Sequence[str]) -> np.ndarray:
    """Put counts into columns: float32 of shape (counts, columns); features without a column are left out."""
    place = {column: i for i, column in enumerate(columns)}
    out = np.zeros((len(counts), len(columns)), np.float32)
    for row, features in zip(out, counts, strict=True):
        for feature, number in features.items():
            if feature in place:
                row[place[feature]] = number
    return out


def encoder(encoding: str, space: SearchSpace, known: Iterable[Arch]) -> Callable[[Iterable[Arch]], np.ndarray]:
    """Return a function that maps n architectures to a float32 array (n, features).

    Parameters
    ----------
    encoding : {"one-hot", "paths", "weisfeiler-lehman"}
    space : SearchSpace
    known : iterable of architectures
        A path or Weisfeiler–Lehman feature gets a column if one of these architectures has it: a predictor cannot use
        a feature that it never saw in training.

    Raises
    ------
    ValueError
        An unknown encoding.
    """
    if encoding == "one-hot":
        return partial(one_hot, space)
    if encoding not in ENCODINGS:
        raise ValueError(f"the encoding must be one of {list(ENCODINGS)}, got {encoding!r}")
    features = path_encoding if encoding == "paths" else weisfeiler_lehman
    columns = sorted({name for arch in known for name in features(space, arch)})
    return lambda archs: matrix([features(space, arch) for arch in archs], columns)
