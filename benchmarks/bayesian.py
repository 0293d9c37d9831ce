"""What Bayesian searches cost: seconds of one core for 150 evaluations on the ground truth, whose answers are free.

    python benchmarks/bayesian.py [repeats]

Seconds of this process (other programs on the machine do not count), the median of the repeats.
"""

import os
import sys
import time
from statistics import median

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # one core, before NumPy is loaded

from nasviz.estimators import TableLookup, nasbench201_table  # noqa: E402
from nasviz.strategies import Bananas, GaussianProcess, RandomSearch  # noqa: E402

SEARCHES = {
    "BANANAS": (Bananas, {}),
    "BANANAS, one at a time": (Bananas, {"batch": 1}),
    "GP, one-hot": (GaussianProcess, {}),
    "GP, graph": (GaussianProcess, {"encoding": "weisfeiler-lehman"}),
    "random search": (RandomSearch, {}),
}


def seconds(of, options: dict, seed: int, evaluations: int = 150) -> float:
    """Seconds of this process for one search."""
    search = of(TABLE.space, ESTIMATE, evaluations=evaluations, seed=seed, **options)
    start = time.process_time()
    for _ in search:
        pass
    return time.process_time() - start


if __name__ == "__main__":
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    TABLE = nasbench201_table()
    ESTIMATE = TableLookup(TABLE, seed=0)
    for of in (Bananas, GaussianProcess):
        seconds(of, {}, 0, evaluations=20)  # imports, and what is computed once for each architecture
    print(f"{'search':24}{'seconds for 150 evaluations':>30}")
    for name, (of, options) in SEARCHES.items():
        count = 1 if options.get("batch") == 1 else repeats
        print(f"{name:24}{median(seconds(of, options, seed) for seed in range(count)):30.2f}", flush=True)
