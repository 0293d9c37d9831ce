"""Record the cheaper trainings that lab 02 compares: data/lab02-proxies.npz.

    python data/scripts/record_lab02.py [--device cuda]

The first architectures of the ground truth's order, each trained with a quarter of the full recipe's work, saved in one
of four ways, and with a sixty-fourth of it, saved in three at once. Seed 100, which the ground truth does not have.
"""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from nasviz import datasets
from nasviz.estimators import PackedTraining, Table, Training, proxy_recipe
from nasviz.estimators.tabulate import Work
from nasviz.spaces import NasBench201

DATA = Path(__file__).parents[1]
COUNT, SEED = 100, 100
LESS = {
    "2 epochs": {"epochs": 2},
    "1,000 images": {"images": 1000},
    "4 channels": {"channels": 4},
    "4×4 pixels": {"size": 4},
    "all three": {"epochs": 2, "images": 1000, "channels": 4},
}


def trainings(device: str) -> Iterator[tuple]:
    """Architecture, number of the seed, accuracies by proxy, seconds of all of them."""
    space, data = NasBench201(), datasets.load("fashion16", 16)
    archs = list(islice(dict.fromkeys(arch for arch, _ in Work(Training(space), seeds=1).all()), COUNT))
    scores: list[dict[str, float]] = [{} for _ in archs]
    seconds = [0.0] * COUNT
    for name, less in LESS.items():
        estimate = Training(space, proxy_recipe(**less), data)
        if device == "cpu":
            said = (estimate(arch, seed=SEED) for arch in archs)
        else:
            packs = PackedTraining(estimate, device)
            batches = (archs[i : i + packs.networks] for i in range(0, COUNT, packs.networks))
            said = (one for batch in batches for one in packs.train([(arch, SEED) for arch in batch]))
        for i, evaluation in enumerate(tqdm(said, desc=name, total=COUNT)):
            scores[i][name] = evaluation.scores["accuracy"]
            seconds[i] += evaluation.seconds
    yield from ((arch, 0, *told) for arch, *told in zip(archs, scores, seconds, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cuda: on a GPU, in packs")
    device = parser.parse_args().device
    path = DATA / "lab02-proxies.npz"
    if path.exists():
        raise SystemExit(f"{path} is there already: remove it first")
    Table.of(NasBench201(), trainings(device)).save(path)


if __name__ == "__main__":
    main()
