"""Full-size networks and drawings: how long, and how much memory.

    python benchmarks/zoo.py            # NASNet-A large counted without memory; a DARTS cell pair drawn
    python benchmarks/zoo.py --all      # also every row of the zoo, ours beside the published numbers

``--help`` says the rest.
"""

import argparse
import statistics
import subprocess
import sys
import time

COUNT = """
import resource, time
import torch
from nasviz import zoo
from nasviz.nn import count
model = zoo.model("NASNet-A (6 @ 4032)")
with torch.device("meta"):
    count.madds(torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3)), (3, 8, 8))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
parameters, madds = model.parameters_and_madds()
seconds = time.perf_counter() - start
more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(parameters, madds, seconds, more)
"""


def counting() -> None:
    """In a process of its own: the highest memory of a process never falls again."""
    ran = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, text=True, check=True)
    parameters, madds, seconds, more = map(float, ran.stdout.split())
    print(f"| NASNet-A large, {parameters:,.0f} parameters, {madds / 1e9:.2f} G: seconds | {seconds:.2f} | 3 |")
    print(f"| the same: MB above baseline | {more:.0f} | 200 |")


def drawing() -> None:
    """The kernel's part of a picture: its spec and its one step, laid out anew each time."""
    import numpy as np

    from nasviz.spaces import DartsSpace
    from nasviz.views import show
    from nasviz.views.stage.layout import _layout

    space, rng, times = DartsSpace(), np.random.default_rng(0), []
    for _ in range(40):
        arch = space.sample(rng)
        _layout.cache_clear()
        start = time.perf_counter()
        show(arch, space)
        times.append(1000 * (time.perf_counter() - start))
    print(f"| a DARTS genotype pair drawn, kernel side, median of 40: ms | {statistics.median(times[5:]):.1f} | 10 |")


def rows() -> None:
    from nasviz import zoo

    print("\n| model | parameters | off, % | MAdds | off, % | reason |\n| --- | ---: | ---: | ---: | ---: | --- |")
    for row in zoo.table():
        off = [f"{value:+.2f}" if value is not None else "" for value in (row.parameters_off, row.madds_off)]
        ours = f"{row.parameters:,} | {off[0]} | {row.madds:,} | {off[1]}"
        print(f"| {row.model.name} | {ours} | {row.model.reason} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    print("| what | measured | at most |\n| --- | ---: | ---: |")
    counting()
    drawing()
    if options.all:
        rows()
