"""Record what the lab of the elastic network stands on: children trained alone, and supernets of several kinds.

    python data/scripts/record_elastic.py alone
    python data/scripts/record_elastic.py supernets

`alone` trains some ninety children of `nasviz.spaces.ElasticResNet` from scratch, from three seeds each: sixty of all
costs, thirty of one cost. A line a training: elastic-resnet/alone.jsonl; an hour of one core. `supernets` trains the
supernet in several ways, from three seeds each, and judges these children on it, with and without re-calibrated
batch-norms: elastic-resnet/supernets.jsonl, a line a supernet, and the weights of those that the lab uses,
elastic-resnet/supernet-*.safetensors; an hour of one core. Both go on where they were. ``NASVIZ_WORKERS`` says how many
trainings run at once.
"""

import argparse
import json
from pathlib import Path

import torch
from tqdm import tqdm

from nasviz.estimators import Training
from nasviz.lessons.one_network import FOLDER, RECIPE, SEEDS, SPACE, children
from nasviz.workers import processor

DATA = Path(__file__).parents[1] / FOLDER
ALONE, SUPERNETS = DATA / "alone.jsonl", DATA / "supernets.jsonl"


def lines(path: Path) -> list[dict]:
    """What is there; a line that was cut off by a kill is left out."""
    there = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in there if line.endswith("\n")]


def alone() -> None:
    """Train each child from each seed, first all from the first seed."""
    estimate = Training(SPACE, RECIPE, test=True)
    there = {(row["arch"], row["seed"]) for row in lines(ALONE)}
    for seed in SEEDS:
        left = [arch for arch in children() if (SPACE.to_text(arch), seed) not in there]
        for one in tqdm(estimate.many(left, seed=seed), total=len(left), desc=f"seed {seed}", unit="training"):
            row = {"arch": SPACE.to_text(one.arch), "seed": seed, "scores": one.scores, "seconds": one.seconds}
            append(ALONE, row)


def append(path: Path, row: dict) -> None:
    """Add a line, with the machine that made it."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(row | {"processor": processor(), "torch": torch.__version__}) + "\n")
