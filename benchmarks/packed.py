"""Packed training: milliseconds an architecture beside one by one, and whether packing changes what is found.

    python benchmarks/packed.py [--device cuda] [--networks 50 250 500 1000]
    python benchmarks/packed.py --bias data/nasbench201-fashion16/alone

The first trains random architectures of NAS-Bench-201 for one epoch of the full recipe, in packs of several sizes, and
one by one on a core of the CPU; times are multiplied up to the eight epochs. The second compares the published table,
trained in packs, with trainings of the same architectures and seeds one by one on a CPU: a paired t-test on the
difference, and its spread beside that between two seeds.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from scipy.stats import ttest_1samp

from nasviz.analysis import stats
from nasviz.estimators import FULL, PackedTraining, Training, nasbench201_table
from nasviz.estimators.tabulate import join, parts_of
from nasviz.spaces import NasBench201


def times(device: str, sizes: list[int]) -> None:
    """The first table."""
    space, rng = NasBench201(), np.random.default_rng(0)
    estimate = Training(space, FULL)
    archs = [space.sample(rng) for _ in range(max(sizes))]
    start = time.process_time()
    for arch in archs[:20]:
        estimate(arch, epochs=1)
    alone = FULL.epochs * (time.process_time() - start) / 20
    print(f"one by one, one core of the CPU: {1000 * alone:.0f} ms an architecture")
    for size in sizes:
        packs = PackedTraining(estimate, device, size)
        packs.train([(arch, 0) for arch in archs[:2]], 1)  # warms up
        start = time.perf_counter()
        packs.train([(arch, 0) for arch in archs[:size]], 1)
        each = FULL.epochs * (time.perf_counter() - start) / size
        memory = torch.cuda.max_memory_allocated() / 1e9 if device.startswith("cuda") else float("nan")
        print(f"{size:5} packed on {device}: {1000 * each:7.2f} ms, {alone / each:6.1f} ×; {memory:.1f} GB at most")


def bias(folder: Path) -> None:
    """The second table."""
    table = nasbench201_table()
    _, alone = join(parts_of(folder))
    asked = ((table.space.from_text(text), seed, row["scores"]) for (text, seed), row in alone.items())
    pairs = [(table.row(arch), seed, scores) for arch, seed, scores in asked if arch in table]
    print(f"{len(pairs)} trainings of {len({row for row, _, _ in pairs})} architectures; in points:")
    print(f"{'':16}{'packed - alone':>16}{'t-test, p':>11}{'spread':>9}{'between seeds':>15}{'tau':>26}")
    for name in ("accuracy", "test_accuracy", "train_loss"):
        packed = np.array([table.columns[name][row, seed] for row, seed, _ in pairs])
        single = np.array([scores[name] for _, _, scores in pairs])
        difference = packed - single
        seeds = table.columns[name][:, 0] - table.columns[name][:, 1]
        error = difference.std(ddof=1) / len(pairs) ** 0.5
        print(
            f"{name:16}{100 * difference.mean():>+8.3f} ± {100 * error:.3f}{ttest_1samp(difference, 0).pvalue:>11.2f}"
            f"{100 * difference.std():>9.2f}{100 * np.nanstd(seeds):>15.2f}{stats.tau_interval(packed, single)!s:>26}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--networks", type=int, nargs="+", default=[50, 250, 500, 1000])
    parser.add_argument("--bias", type=Path, help="a folder with trainings one by one")
    options = parser.parse_args()
    if options.bias:
        bias(options.bias)
    else:
        times(options.device, options.networks)
