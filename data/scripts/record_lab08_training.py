"""Record how supernets of lab 08 train: the sandwich rule and distillation on and off, ENAS beside uniform paths.

    python data/scripts/record_lab08_training.py sandwich
    python data/scripts/record_lab08_training.py enas

`sandwich`: the elastic space by BigNAS, four sub-networks a step, 8 epochs on 2,000 images; with both, without
distillation, without the sandwich (which has no teacher then), three seeds each: lab08-sandwich.npz. `enas`:
NAS-Bench-201, 30 epochs on 2,000 images, ENAS with two learning rates of its controller and uniform paths for as many
steps of the weights, three seeds each: lab08-enas.npz. Nine trainings each, of one to three minutes of one core.

What is there is not trained again. ``--only SEED VARIANT`` (numbers from 0) trains one, with ``--out`` into another
file; ``--join FILES`` puts such files together: so several processes share the work.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from nasviz.estimators import Inherited
from nasviz.spaces import ElasticSpace, NasBench201
from nasviz.strategies import BigNas, Enas, TrainSupernet

DATA, SEEDS, IMAGES = Path(__file__).parents[1], (1, 2, 3), 2000
SANDWICH = {
    "sandwich and distillation": {},
    "sandwich, labels": {"distillation": 0.0},
    "four drawn, labels": {"sandwich": False, "distillation": 0.0},
}
CONTROLLER = {"ENAS, 0.001": 0.001, "ENAS, 0.003": 0.003, "uniform paths": None}  # its learning rate
DERIVED, DRAWN = 10, 100  # architectures of the controller, and uniformly drawn ones, judged in the end


def sandwich(variant: int, seed: int) -> dict:
    """Accuracies (epochs, children) of the largest child, the smallest and three drawn ones."""
    search = BigNas(ElasticSpace(), epochs=8, images=IMAGES, batch=64, seed=seed, **list(SANDWICH.values())[variant])
    rows = [step.shows["children"] for step in watched(search) if np.isfinite(step.shows["children"]).all()]
    return {"accuracy": np.array(rows, "<f4")}


def enas(variant: int, seed: int) -> dict:
    """What the controller draws, epoch by epoch, and what it and chance find in the end, with what these inherit."""
    lr, same = list(CONTROLLER.values())[variant], {"epochs": 30, "images": IMAGES, "seed": seed}
    space = NasBench201()
    search = TrainSupernet(space, **same) if lr is None else Enas(space, **same, controller_lr=lr)
    curves = np.full((same["epochs"], 2), np.nan, "<f4")
    for step in watched(search):
        state = step.state  # the last step of an epoch has one
        if lr is not None and state:
            curves[step.shows["epoch"]] = step.shows["entropy"], step.shows["reward"]
    judge, rng = Inherited.of(search, state, recalibrate=5), np.random.default_rng(seed)
    drawn = [space.sample(rng) for _ in range(DRAWN)]
    archs = [*(search.derive(state, DERIVED, seed) if lr is not None else drawn[:DERIVED]), *drawn]
    inherited = [judge(arch).scores["inherited"] for arch in archs]
    return {"curves": curves, "archs": np.array(archs, "<i4"), "inherited": np.array(inherited, "<f4")}


def watched(search):
    """Its steps, with a bar."""
    return tqdm(search, total=len(search), unit="step", mininterval=5)


WORK = {"sandwich": (sandwich, SANDWICH), "enas": (enas, CONTROLLER)}


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
    parser.add_argument("what", choices=WORK)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", type=int, nargs=2, metavar=("SEED", "VARIANT"))
    parser.add_argument("--join", type=Path, nargs="*", default=[])
    asked = parser.parse_args()
    (train, variants), out = WORK[asked.what], asked.out or DATA / f"lab08-{asked.what}.npz"
    found = read(out)
    for path in asked.join:
        found |= read(path)
        write(out, found)
    every = [tuple(asked.only)] if asked.only else [(s, v) for s in range(len(SEEDS)) for v in range(len(variants))]
    for seed, variant in [] if asked.join else every:
        if f"{seed}.{variant}.seconds" not in found:
            begin = time.thread_time()
            told = train(variant, SEEDS[seed])
            told["seconds"] = np.float32(time.thread_time() - begin)
            found |= {f"{seed}.{variant}.{name}": value for name, value in told.items()}
            write(out, found)


if __name__ == "__main__":
    main()
