"""Steps a second of regularised evolution on instant answers: bare, remembered by a run, recorded to a file.

    python benchmarks/search.py
"""

import statistics
import tempfile
import time
from pathlib import Path

from nasviz.evaluate import Estimator
from nasviz.search import Run
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation
from nasviz.strategies import RegularizedEvolution


class Instant(Estimator):
    """Answers at once: what is timed is the search."""

    def __call__(self, arch, *, epochs=None, seed=0):
        return Evaluation(arch, {"accuracy": sum(arch) / 24})


def main(steps: int = 5000, rounds: int = 5) -> None:
    search = RegularizedEvolution(NasBench201(), Instant(), evaluations=steps)
    rates: dict[str, list[float]] = {"bare": [], "run in memory": [], "recorded": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            files = {"run in memory": None, "recorded": Path(folder, f"{number}.jsonl")}
            for name in rates:
                iterated = Run(search, files[name]) if name in files else search
                before = time.perf_counter()
                for _ in iterated:
                    pass
                rates[name].append(steps / (time.perf_counter() - before))
    bare = statistics.median(rates["bare"])
    for name, values in rates.items():
        middle = statistics.median(values)
        spread = f"{min(values):,.0f}–{max(values):,.0f}"
        print(f"{name:15}{middle:10,.0f} steps/s   {middle / bare:5.2f} of bare   ({spread})")


if __name__ == "__main__":
    main()
