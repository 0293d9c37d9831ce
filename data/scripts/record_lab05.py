"""Record the race that lab 05 shows: data/lab05-race.jsonl.

    python data/scripts/record_lab05.py [--anew]

Six strategies, 150 evaluations each, 30 seeds, under a bound on multiply-adds. The cost is counted before anything is
trained, so cells over the bound are no part of the space, for nobody. On the ground truth: after the table has grown,
record anew. Run i searches on the i-th training of each cell, counted round, and the others judge it.
"""

import sys
from pathlib import Path

from nasviz.estimators import TableLookup, nasbench201_table
from nasviz.objectives import Bounded
from nasviz.races.race import Race
from nasviz.spaces import NasBench201
from nasviz.strategies import Bananas, GaussianProcess, LocalSearch, RandomSearch, RegularizedEvolution

DATA = Path(__file__).parents[1]
LIMIT, BUDGET, SEEDS = 125_000, 150, 30


class Inside(NasBench201):
    """The cells that keep to the bound."""

    def __init__(self, table, limit: float):
        super().__init__()
        self.name = f"{self.name}, at most {limit:,} multiply-adds"
        self.costs, self.limit = table.column("madds"), limit
        self.table = table

    def rule(self, arch):
        """Over the bound or not."""
        return None if self.costs[self.table.row(arch)] <= self.limit else f"more than {self.limit:,} multiply-adds"


def race(path: Path | None = DATA / "lab05-race.jsonl") -> Race:
    """What is raced."""
    table = nasbench201_table()
    space, estimate = Inside(table, LIMIT), TableLookup(table)
    common = {"space": space, "estimate": estimate, "evaluations": BUDGET, "objective": Bounded("madds", LIMIT)}
    searches = {
        "RandomSearch": RandomSearch(**common, replacement=False),
        "RegularizedEvolution": RegularizedEvolution(**common, population=20, tournament=5),
        "LocalSearch": LocalSearch(**common),
        "Bananas": Bananas(**common),
        "GaussianProcess": GaussianProcess(**common),
        "GP, graph": GaussianProcess(**common, encoding="weisfeiler-lehman"),
    }
    return Race(searches, BUDGET, seeds=SEEDS, path=path, command="python data/scripts/record_lab05.py --anew")


if __name__ == "__main__":
    if "--anew" in sys.argv:
        (DATA / "lab05-race.jsonl").unlink(missing_ok=True)
    print(race().standings())
