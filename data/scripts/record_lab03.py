"""Record what lab 03 shows beside its live searches: REINFORCE with several rewards, thirty seeds each.

    python data/scripts/record_lab03.py

`nasviz.lessons.reinforce.searches` says which. data/lab03-searches.npz has an array a search, (seeds, look-ups): the
architectures in the order in which they were asked for, as numbers. What the file has is kept, so that a search that is
new is added. About two seconds of one core a search and seed.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from nasviz.estimators import nasbench201_table
from nasviz.lessons.reinforce import RECORD, SEEDS, codes_of, searches
from nasviz.workers import processor

OUT = Path(__file__).parents[1] / RECORD


def main() -> None:
    """Search with what is missing."""
    found = {}
    if OUT.exists():
        with np.load(OUT) as before:
            found = dict(before)
    missing = [(name, search) for name, search in searches(nasbench201_table()).items() if name not in found]
    for name, search in tqdm(missing, unit="search"):
        found[name] = np.array([codes_of(replace(search, seed=seed)) for seed in SEEDS])
        made = {"torch": torch.__version__, "processor": processor()}
        np.savez_compressed(OUT, **found | made)


if __name__ == "__main__":
    main()
