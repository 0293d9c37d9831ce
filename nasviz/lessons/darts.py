"""Lab 06: what its eleven recorded searches found, what luck finds at a price, and what a search keeps in memory.

The table that judges is `nasviz.estimators.nasbench201_table`: a search sees validation accuracies of the trainings
with seed 0, and is judged by the test accuracy of the other seeds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn

from ..estimators import Table, nasbench201_table
from ..nn.by_hand import twice
from ..paths import data_dir
from ..run import Run
from ..space import Arch
from ..spaces import NasBench201
from ..strategies import Darts
from ..strategies.bilevel import Batch, Bilevel

SEEN = 0  # seed of the trainings that a search looks at; the others judge


def recorded() -> list[dict]:
    """Read the eleven recorded searches of this lab's setting, one for each seed.

    Each has ``seed``, ``arch`` (a tuple), the ``largest`` weight of each edge (0 to 1), and the accuracy (0 to 1) of
    the supernet with the ``mixture`` and with the ``discrete`` cell. Made by data/scripts/record_lab06.py.
    """
    with (data_dir() / "lab06-darts.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row | {"arch": NasBench201().from_text(row["arch"])} for row in rows]


def slow_weights() -> list[np.ndarray]:
    """Return the last weights, (6, 5), of the four searches that lab 00 shows: a slow α, eight epochs, seeds 0 to 3."""
    return [Run.load(data_dir() / f"lab00-darts-{seed}.jsonl").steps[-1].shows["alphas"] for seed in range(4)]


def agreement(archs: Sequence[Arch]) -> float:
    """Return on how many decisions two of the architectures are the same, the mean over all pairs of two or more.

    Two cells of NAS-Bench-201 drawn at random from the four operations but zero agree on 6 / 4 = 1.5 edges.
    """
    return float(np.mean([np.equal(one, other).sum() for one, other in combinations(archs, 2)]))


def luck(table: Table, trainings: int, repeats: int = 2000, seed: int = 0) -> np.ndarray:
    """Search at random ``repeats`` times, and return the test accuracy (%) of each find, shape (repeats,).

    Each search draws ``trainings`` functions of the table (the same one twice is possible) and keeps the one with the
    best validation accuracy of seed 0. The test accuracy is the mean over the other seeds.

    Raises
    ------
    ValueError
        If ``trainings`` is below 1.
    """
    if trainings < 1:
        raise ValueError(f"a random search needs at least one training, not {trainings}")
    seen, truth = table.column("accuracy", SEEN), 100 * table.truth(SEEN)
    rng = np.random.default_rng(seed)
    draws = rng.choice(len(truth), (repeats, trainings))
    return truth[draws[np.arange(repeats), seen[draws].argmax(1)]]


def over_luck(trainings: int) -> np.ndarray:
    """Return by how many points each recorded cell of DARTS is better than one random search's, shape (11,).

    Search number i is compared with the random search of seed i, which has this many ``trainings``.
    """
    table = nasbench201_table()
    truth = 100 * table.truth(SEEN)
    return np.array([truth[table.row(row["arch"])] - luck(table, trainings, 1, row["seed"])[0] for row in recorded()])


def share_below(table: Table, archs: Sequence[Arch]) -> np.ndarray:
    """Return the share (%) of the table's functions with a lower test accuracy, for each architecture."""
    truth = table.truth(SEEN)
    return np.array([100 * np.mean(truth < truth[table.row(arch)]) for arch in archs])


def kept_bytes(network: nn.Module, *inputs: Tensor) -> int:
    """Count the bytes that a forward pass in training keeps for its backward pass: weights and inputs not counted.

    The count is exact, and the same on each machine: it is made of shapes. Tensors that share memory count once. Torch
    notes each operation here, as in the code of the papers; gradients that are written out keep less.
    """
    known = {tensor.untyped_storage()._cdata for tensor in (*network.parameters(), *network.buffers(), *inputs)}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage()._cdata not in known:
            kept[tensor.untyped_storage()._cdata] = tensor  # held, so that no other tensor takes its place
        return tensor

    with torch.enable_grad(), twice(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(*inputs)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def gradients(ways: Mapping[str, Darts], search: Bilevel, pairs: Sequence[tuple[Batch, Batch]]) -> dict[str, Tensor]:
    """Compute the gradient of α in each way, at the same supernet, for each pair of batches: shape (pairs, numbers)."""
    return {
        name: torch.stack([way.alpha_gradient(search, train, valid)[0].flatten() for train, valid in pairs])
        for name, way in ways.items()
    }


def seconds_of_step(strategy: Darts, steps: int = 8, clock: Callable[[], float] = time.process_time) -> float:
    """Measure the processor seconds of one step of a search: the mean over its first ``steps``."""
    search = strategy.begin()
    pairs = list(search.batches(strategy.batch))[:steps]
    started = clock()
    for train, valid in pairs:
        strategy.step(search, train, valid)
    return (clock() - started) / len(pairs)
