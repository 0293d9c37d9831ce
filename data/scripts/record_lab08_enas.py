"""Record who may draw the paths of a supernet: ENAS's controller, uniform chance, or strictly fair chance.

    python data/scripts/record_lab08_enas.py

NAS-Bench-201 on 2,000 images, three seeds each: 30 epochs by ENAS with two learning rates of its controller, 30 by
uniform paths, and 6 by strictly fair steps, which train five paths each: as many paths in all. What chance draws and
what a controller derives is judged on the shared weights in the end: data/lab08-enas.npz. Twelve trainings, of one to
three minutes of one core.

What is there is not trained again.
"""

import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from nasviz.estimators import Inherited
from nasviz.spaces import NasBench201
from nasviz.strategies import Enas, TrainSupernet

OUT = Path(__file__).parents[1] / "lab08-enas.npz"
SEEDS, SPACE = (1, 2, 3), NasBench201()
SEARCHES = (  # variants, by their numbers in the file
    lambda **same: Enas(SPACE, epochs=30, controller_lr=0.001, **same),
    lambda **same: Enas(SPACE, epochs=30, controller_lr=0.003, **same),
    lambda **same: TrainSupernet(SPACE, epochs=30, **same),
    lambda **same: TrainSupernet(SPACE, epochs=6, sampler="fair", **same),
)
DERIVED, DRAWN = 10, 100  # architectures of the controller, and uniformly drawn ones, judged in the end


def trained(variant: int, seed: int) -> dict:
    """What the controller draws, epoch by epoch, and what it and chance find in the end, with what these inherit."""
    search = SEARCHES[variant](images=2000, seed=seed)
    learns = isinstance(search, Enas)
    curves = np.full((search.epochs, 2), np.nan, "<f4")
    for step in tqdm(search, total=len(search), unit="step", mininterval=5):
        if step.state:  # the last step of an epoch has one
            state = step.state
            if learns:
                curves[step.shows["epoch"]] = step.shows["entropy"], step.shows["reward"]
    judge, rng = Inherited.of(search, state, recalibrate=5), np.random.default_rng(seed)
    drawn = [SPACE.sample(rng) for _ in range(DRAWN)]
    archs = [*(search.derive(state, DERIVED, seed) if learns else drawn[:DERIVED]), *drawn]
    inherited = [judge(arch).scores["inherited"] for arch in archs]
    return {"curves": curves, "archs": np.array(archs, "<i4"), "inherited": np.array(inherited, "<f4")}


def main() -> None:
    found = {}
    if OUT.exists():
        with np.load(OUT) as before:
            found = dict(before)
    for number, seed in enumerate(SEEDS):
        for variant in range(len(SEARCHES)):
            if f"{number}.{variant}.seconds" not in found:
                begin = time.thread_time()
                told = trained(variant, seed)
                told["seconds"] = np.float32(time.thread_time() - begin)
                found |= {f"{number}.{variant}.{name}": value for name, value in told.items()}
                part = OUT.with_suffix(".part.npz")
                np.savez_compressed(part, **found)
                part.replace(OUT)  # whole, or not at all


if __name__ == "__main__":
    main()
