"""Architectures a second that REINFORCE writes, asks about and learns from, on instant answers, batch 64.

    python benchmarks/reinforce.py

Seconds are those of this process alone, on one thread: other work on the machine counts only by what it takes of the
caches.
"""

import statistics
import time
from collections.abc import Iterable

from nasviz.estimator import Estimator
from nasviz.run import Run
from nasviz.spaces import DartsSpace, MacroSpace, NasBench101, NasBench201
from nasviz.step import Evaluation
from nasviz.strategies import Reinforce


class Instant(Estimator):
    """Answers at once: what is timed is the search."""

    def __call__(self, arch, *, epochs=None, seed=0):
        return Evaluation(arch, {"accuracy": sum(arch) / 100})


def rate(search: Reinforce, iterated: Iterable) -> float:
    """Architectures a second of process time."""
    before = time.process_time()
    for _ in iterated:
        pass
    return search.evaluations / (time.process_time() - before)


def main(batches: int = 20, rounds: int = 5) -> None:
    cases = {"NAS-Bench-201": (NasBench201(), {}), "recorded in memory": (NasBench201(), {})}
    cases |= {"with clipping, 4 passes": (NasBench201(), {"clip": 0.2}), "DARTS, 28 choices": (DartsSpace(), {})}
    cases |= {"NAS-Bench-101, 26 choices": (NasBench101(), {}), "macro, 34 choices, anchors": (MacroSpace(), {})}
    rates: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, (space, fields) in cases.items():
            search = Reinforce(space, Instant(), evaluations=64 * batches, batch=64, **fields)
            rates[name].append(rate(search, Run(search) if name.startswith("recorded") else search))
    first = statistics.median(rates["NAS-Bench-201"])
    for name, values in rates.items():
        middle = statistics.median(values)
        spread = f"{min(values):,.0f}–{max(values):,.0f}"
        print(f"{name:28}{middle:8,.0f} architectures/s   {middle / first:5.2f} of the first   ({spread})")


if __name__ == "__main__":
    main()
