"""Are extrapolated seconds those of whole trainings? Twenty steps of each architecture against its training, in turn.

    python benchmarks/timing.py [architectures, 30 if not given]

Both in processor time of one thread, so that a busy machine disturbs both alike.
"""

import sys
import time
from dataclasses import replace
from statistics import median

import numpy as np
from scipy.stats import kendalltau
from tqdm import tqdm

from nasviz.estimators import FULL, Timing, Training
from nasviz.spaces import NasBench201

space, rng = NasBench201(), np.random.default_rng(0)
count = int(sys.argv[1]) if len(sys.argv) > 1 else 30
training = Training(space, FULL, curve=True)
extrapolated, whole = [], []
for _ in tqdm(range(count), file=sys.stderr):
    arch = space.sample(rng)
    extrapolated.append(Timing(replace(training, curve=False))(arch).seconds)
    start = time.thread_time()
    training(arch)
    whole.append(time.thread_time() - start)
ratios = np.array(extrapolated) / np.array(whole)
low, high = np.quantile(ratios, (0.05, 0.95))
print(f"{count} architectures, whole trainings {min(whole):.1f} to {max(whole):.1f} s, mean {np.mean(whole):.1f} s")
print(f"extrapolated / whole: median {median(ratios):.3f}, 90 % of them {low:.3f} to {high:.3f}")
print(f"rank correlation of the two: τ = {kendalltau(extrapolated, whole).statistic:.3f}")
