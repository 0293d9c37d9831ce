"""Record how supernets of lab 09 train: the sandwich rule and distillation, on and off.

    python data/scripts/record_one_shot_training.py

The elastic space by BigNAS, four sub-networks a step, 8 epochs on 2,000 images; with both, without distillation,
without the sandwich (which has no teacher then), three seeds each: one-shot/sandwich.npz. Nine trainings, of one to
three minutes of one core each.

What is there is not trained again. ``--only SEED VARIANT`` (numbers from 0) trains one, with ``--out`` into another
file; ``--join FILES`` puts such files together: so several processes share the work.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from nasviz.spaces import ElasticSpace
from nasviz.strategies import BigNas

OUT, SEEDS, IMAGES = Path(__file__).parents[1] / "one-shot/sandwich.npz", (1, 2, 3), 2000
SANDWICH = {
    "sandwich and distillation": {},
    "sandwich, labels": {"distillation": 0.0},
    "four drawn, labels": {"sandwich": False, "distillation": 0.0},
}


def sandwich(variant: int, seed: int) -> dict:
    """Accuracies (epochs, children) of the largest child, the smallest and three drawn ones."""
    search = BigNas(ElasticSpace(), epochs=8, images=IMAGES, batch=64, seed=seed, **list(SANDWICH.values())[variant])
    watched = tqdm(search, total=len(search), unit="step", mininterval=5)
    rows = [step.shows["children"] for step in watched if np.isfinite(step.shows["children"]).all()]
    return {"accuracy": np.array(rows, "<f4")}


def read(path: Path) -> dict[str, np.ndarray]:
    """What is there: arrays by "seed.variant.name"."""
    if not path.exists():
        return {}
    with np.load(path) as saved:
        return dict(saved)


def write(path: Path, found: dict[str, np.ndarray]) -> None:
    """Whole, or not at all."""
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **found)
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--only", type=int, nargs=2, metavar=("SEED", "VARIANT"))
    parser.add_argument("--join", type=Path, nargs="*", default=[])
    asked = parser.parse_args()
    found = read(out := asked.out)
    for path in asked.join:
        found |= read(path)
        write(out, found)
    every = [tuple(asked.only)] if asked.only else [(s, v) for s in range(len(SEEDS)) for v in range(len(SANDWICH))]
    for seed, variant in [] if asked.join else every:
        if f"{seed}.{variant}.seconds" not in found:
            begin = time.thread_time()
            told = sandwich(variant, SEEDS[seed])
            told["seconds"] = np.float32(time.thread_time() - begin)
            found |= {f"{seed}.{variant}.{name}": value for name, value in told.items()}
            write(out, found)


if __name__ == "__main__":
    main()
