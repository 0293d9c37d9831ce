"""Seconds of one core that a race takes, strategy by strategy: what the ground truth has, 500 trainings, 50 seeds.

    python benchmarks/race.py [RUNS [NAME ...]]

Each strategy is run in this process a few times (3, or RUNS); the sum is what 50 runs of all of them would take, to be
shared by as many cores as there are. Process time: a busy machine does not change it much.
"""

import statistics
import sys
import time

from nasviz.races.race import CHEAP, Race, searches

SEEDS, BUDGET = 50, 500


def main(runs: int = 3, names: tuple[str, ...] = CHEAP) -> None:
    before = time.process_time()
    race = Race(searches(names, BUDGET), BUDGET, seeds=SEEDS)
    print(race.table.coverage)
    print(f"{'the race is set up':24}{time.process_time() - before:8.3f} s")
    total = 0.0
    for name in race.searches:
        race.run(name, 0)  # what is prepared once
        spent = []
        for seed in range(1, runs + 1):
            before = time.process_time()
            race.run(name, seed)
            spent.append(time.process_time() - before)
        middle = statistics.median(spent)
        total += SEEDS * middle
        print(f"{name:24}{middle:8.3f} s a run ({min(spent):.3f}–{max(spent):.3f})")
    print(f"{len(race.searches)} strategies × {SEEDS} seeds × {BUDGET}: {total:.0f} s of one core")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, tuple(sys.argv[2:]) or CHEAP)
