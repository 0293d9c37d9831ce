"""Record what lab 06 shows beside its live search: the same search from eleven seeds.

    python data/scripts/record_lab06.py

A line of JSON a seed, in data/lab06-darts.jsonl: the cell that was found, the largest weight of each edge, and what the
supernet is right on with the mixture and with the discretised cell. Interrupted, it goes on where it was.
"""

import json
import time
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from nasviz.analysis import diagnosis
from nasviz.spaces import NasBench201
from nasviz.strategies import Darts
from nasviz.workers import processor

FILE, SEEDS = Path(__file__).parents[1] / "lab06-darts.jsonl", range(11)
SETTING = {"images": 1000, "batch": 32, "epochs": 26, "alpha_lr": 0.4}  # benchmarks/decides.md says why


def recorded(search: Darts) -> dict:
    """The search, what came out, and what it ran on; accuracies from 0 to 1 on all of its validation images."""
    start = time.process_time()
    *_, last = search
    seconds = round(time.process_time() - start, 1)
    weights = last.shows["alphas"]
    gap = diagnosis.discretisation_gap(search, replace(search, start=last.state).begin())
    arch = search.space.to_text(search.space.discretize(weights))
    row = {"seed": search.seed, "arch": arch, "largest": [round(float(weight), 4) for weight in weights.max(1)]}
    row |= {"mixture": round(gap.mixture, 4), "discrete": round(gap.discrete, 4)}
    return row | {"seconds": seconds, "torch": torch.__version__, "processor": processor()}


def main() -> None:
    """Search with what is missing."""
    lines = FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else []
    there = {json.loads(line)["seed"] for line in lines}
    for seed in tqdm([seed for seed in SEEDS if seed not in there], unit="search"):
        row = recorded(Darts(NasBench201(), **SETTING, seed=seed))
        with FILE.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
