"""Counts the cells of NAS-Bench-101, twice: 423,624 (Ying et al. 2019). Under three minutes; no torch.

    python benchmarks/nasbench101_count.py

Once by the published hash of every cell. Once without it: for every unlabelled graph the number of ways to put three
operations on its nodes that no symmetry maps onto each other (Burnside's lemma), symmetries found by trying all 120
renumberings. Equal numbers mean that the hash tells all cells apart.
"""

import time
from itertools import permutations, product

import numpy as np
from tqdm import tqdm

from nasviz.spaces.nasbench101 import CELLS, MOST_EDGES, NODES, hash_cell


def matrices(nodes: int) -> np.ndarray:
    """All strictly upper triangular 0/1 matrices, as bool (2^(nodes·(nodes-1)/2), nodes, nodes)."""
    places = np.triu_indices(nodes, 1)
    codes = np.arange(2 ** len(places[0]))
    every = np.zeros((len(codes), nodes, nodes), bool)
    every[:, places[0], places[1]] = codes[:, None] >> np.arange(len(places[0])) & 1
    return every


def live(every: np.ndarray) -> np.ndarray:
    """Which nodes lie on a path from the first to the last: bool (graphs, nodes)."""
    graphs, nodes, _ = every.shape
    reached, reaching = np.zeros((2, graphs, nodes), bool)
    reached[:, 0] = reaching[:, -1] = True
    for node in range(1, nodes):
        reached[:, node] = (every[:, :, node] & reached).any(1)
    for node in reversed(range(nodes - 1)):
        reaching[:, node] = (every[:, node] & reaching).any(1)
    return reached & reaching & reached[:, -1:]


def full(nodes: int) -> np.ndarray:
    """The matrices with every node on a path and few enough edges."""
    every = matrices(nodes)
    return every[live(every).all(1) & (every.sum((1, 2)) <= MOST_EDGES)]


def structures(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """One matrix of every isomorphism class of `full`, and in how many ways operations can be put on it."""
    every = full(nodes)
    weights = 2 ** np.arange(nodes * nodes).reshape(nodes, nodes)
    orders = [(0, *inner, nodes - 1) for inner in permutations(range(1, nodes - 1))]
    codes = np.stack([every[:, order][:, :, order].reshape(len(every), -1) @ weights.ravel() for order in orders])
    _, first = np.unique(codes.min(0), return_index=True)
    fixed = codes[:, first] == codes[orders.index(tuple(range(nodes)))][first]
    cycles = np.array([3 ** _cycles(order[1:-1]) for order in orders])
    return every[first], (fixed * cycles[:, None]).sum(0) // fixed.sum(0)


def _cycles(order) -> int:
    order, seen, count = [place - 1 for place in order], set(), 0
    for start in range(len(order)):
        count += start not in seen
        while start not in seen:
            seen.add(start)
            start = order[start]
    return count


def hashes(nodes: int, show: bool = False) -> int:
    """How many published hashes the cells of so many nodes have."""
    found = set()
    for matrix in tqdm(structures(nodes)[0], f"{nodes} nodes", disable=not show, leave=False):
        edges = list(zip(*map(np.ndarray.tolist, np.nonzero(matrix)), strict=True))
        found.update(hash_cell(edges, (-1, *ops, -2)) for ops in product(range(3), repeat=nodes - 2))
    return len(found)


def valid() -> int:
    """How many of the 2^21 · 3^5 tuples are valid: output reached, few enough edges once pruned."""
    every = matrices(NODES)
    alive = live(every)
    edges = (every & alive[:, :, None] & alive[:, None]).sum((1, 2))
    return int((alive[:, -1] & (edges <= MOST_EDGES)).sum()) * 3 ** (NODES - 2)


def main() -> None:
    print(f"{'nodes':>5} {'structures':>10} {'cells':>9} {'hashes':>9} {'published':>9} {'s':>6}")
    total = 0
    for nodes, published in CELLS.items():
        start = time.perf_counter()
        _, ways = structures(nodes)
        hashed = hashes(nodes, show=True)
        total += hashed
        seconds = time.perf_counter() - start
        print(f"{nodes:5} {len(ways):10,} {ways.sum():9,} {hashed:9,} {published:9,} {seconds:6.1f}", flush=True)
    print(f"{total:,} cells; {valid():,} valid tuples")


if __name__ == "__main__":
    main()
