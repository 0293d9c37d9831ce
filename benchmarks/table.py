"""The table: reading it, look-ups a second, one by one and vectorised, and what judging an estimator costs.

    python benchmarks/table.py [FILE.npz]       # the project's ground truth, if no file is given; else a made-up one

``--help`` says the rest.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from nasviz.analysis import stats
from nasviz.estimators import Table, TableLookup, nasbench201_table
from nasviz.estimators.quality import quality
from nasviz.spaces import NasBench201

EPOCHS = 8


def made_up(folder: str) -> Path:
    """A table as large as the finished one, with accuracies out of the air."""
    space, rng = NasBench201(), np.random.default_rng(0)

    def scores() -> dict[str, float]:
        counts = rng.integers(1000, 1700, EPOCHS) / 2000
        out = {f"accuracy@{e + 1}": value for e, value in enumerate(counts)}
        out |= {f"{loss}@{e + 1}": rng.random() for e in range(EPOCHS) for loss in ("loss", "train_loss")}
        out |= {name: out[f"{name}@{EPOCHS}"] for name in ("accuracy", "loss", "train_loss")}
        return out | {"test_accuracy": rng.integers(7000, 8500) / 10_000}

    archs = space.distinct()
    rows = (
        (arch, seed, scores() | {"madds": 9.0 * sum(arch), "parameters": float(sum(arch))}, 2.0)
        for arch in archs
        for seed in range(3)
    )
    path = Path(folder, "made-up.npz")
    Table.of(space, rows, total=len(archs)).save(path)
    return path


def measured(what, rounds: int = 7) -> float:
    """Median seconds of process time, which other processes hardly disturb."""
    times = []
    for _ in range(rounds):
        before = time.process_time()
        what()
        times.append(time.process_time() - before)
    return statistics.median(times)


def main(path: Path | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            try:
                nasbench201_table()
            except FileNotFoundError:
                path = made_up(folder)
        read = (lambda: Table.load(path)) if path else nasbench201_table.__wrapped__
        table = read()
        reading = measured(read, 3)
        size = path.stat().st_size if path else None
    print(f"{table.space.name}: {table.coverage}" + (f"; {size / 1e6:.2f} MB" if size else ""))
    members, _ = table.members()
    rng = np.random.default_rng(1)
    many = members[rng.integers(len(members), size=1_000_000)]
    some = list(map(tuple, many[:100_000].tolist()))
    estimate = TableLookup(table)
    estimate(some[0]), estimate(some[0], epochs=3), table.rows(many[:9])  # what is prepared once

    def one_by_one(epochs=None):
        for seed, arch in enumerate(some):
            estimate(arch, epochs=epochs, seed=seed)

    def vectorised():
        return table.column("accuracy")[table.rows(many)]

    print("| what | measured | at least |\n| --- | ---: | ---: |")
    print(f"| look-ups a second, one by one | {len(some) / measured(one_by_one):,.0f} | 100,000 |")
    print(f"| the same after 3 epochs | {len(some) / measured(lambda: one_by_one(3)):,.0f} | 100,000 |")
    print(f"| look-ups a second, vectorised | {len(many) / measured(vectorised):,.0f} | 5,000,000 |")
    print(f"| reading the file, s | {reading:.2f} | |")
    truth = table.column("accuracy", 0)[:300]
    guess = truth + 0.05 * rng.normal(size=len(truth))
    whole = measured(lambda: quality(guess, truth, size=guess, ceiling=truth), 3)
    interval = measured(lambda: stats.tau_interval(guess, truth))
    print(f"| τ with its interval, {len(truth)} architectures, s | {interval:.3f} | |")
    print(f"| quality with two things beside, {len(truth)} architectures, s | {whole:.2f} | |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?")
    main(parser.parse_args().file)
