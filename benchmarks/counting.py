"""Seconds to count a space's distinct architectures, on one core.

    python benchmarks/counting.py

NAS-Bench-201: all 15,625 strings, one canonical form each. NAS-Bench-101: a sample, and what all 423,624 cells would
take at that rate (`benchmarks/nasbench101_count.py` does count them). Macro: a sample.
"""

import statistics
import time
from itertools import product

import numpy as np

from nasviz.spaces import MacroSpace, NasBench101, NasBench201


def main(rounds: int = 5, sample: int = 2000) -> None:
    cell, graph, macro = NasBench201(), NasBench101(), MacroSpace()
    rng = np.random.default_rng(0)
    archs = {
        cell: list(product(range(5), repeat=6)),
        graph: [graph.sample(rng) for _ in range(sample)],
        macro: [macro.sample(rng) for _ in range(sample)],
    }
    print(f"{'space':14}{'forms of':>10}{'distinct':>10}{'median s':>10}{'best s':>8}{'µs each':>9}")
    for space, those in archs.items():
        seconds = []
        for _ in range(rounds):
            start = time.perf_counter()
            distinct = len({space.canonical(arch) for arch in those})
            seconds.append(time.perf_counter() - start)
        middle = statistics.median(seconds)
        each = 1e6 * middle / len(those)
        print(f"{space.name:14}{len(those):10,}{distinct:10,}{middle:10.2f}{min(seconds):8.2f}{each:9.0f}")


if __name__ == "__main__":
    main()
