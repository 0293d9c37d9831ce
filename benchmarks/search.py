"""Steps a second of regularised evolution on the table: bare, remembered by a run, recorded to a file.

    python benchmarks/search.py

Processor time, so that other programs count less.
"""

import statistics
import tempfile
import time
from pathlib import Path

from nasviz.estimators import TableLookup, nasbench201_table
from nasviz.run import Run
from nasviz.spaces import NasBench201
from nasviz.strategies import RegularizedEvolution


def main(steps: int = 5000, rounds: int = 7) -> None:
    table = nasbench201_table()
    search = RegularizedEvolution(NasBench201(), TableLookup(table), evaluations=steps)
    rates: dict[str, list[float]] = {"bare": [], "run in memory": [], "recorded": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(-1, rounds):  # the first round fills the table's memory of which tuple is which row
            files = {"run in memory": None, "recorded": Path(folder, f"{number}.jsonl")}
            for name in rates:
                iterated = Run(search, files[name]) if name in files else search
                before = time.process_time()
                for _ in iterated:
                    pass
                if number >= 0:
                    rates[name].append(steps / (time.process_time() - before))
    bare = statistics.median(rates["bare"])
    for name, values in rates.items():
        middle = statistics.median(values)
        spread = f"{min(values):,.0f}–{max(values):,.0f}"
        print(f"{name:15}{middle:10,.0f} steps/s   {middle / bare:5.2f} of bare   ({spread})")


if __name__ == "__main__":
    main()
