"""Record the cheaper trainings that lab 02 compares: data/lab02-proxies.npz.

    python data/record_lab02.py

The first architectures of the ground truth's order, each trained with a quarter of the full recipe's work, saved in one
of four ways, and with a sixty-fourth of it, saved in three at once. Seed 100, which the ground truth does not have.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from nasviz import datasets
from nasviz.estimators import Table, Training, proxy_recipe
from nasviz.spaces import NasBench201
from nasviz.tabulate import Work

HERE = Path(__file__).parent
COUNT, SEED = 100, 100
LESS = {
    "2 epochs": {"epochs": 2},
    "1,000 images": {"images": 1000},
    "4 channels": {"channels": 4},
    "4×4 pixels": {"size": 4},
    "all three": {"epochs": 2, "images": 1000, "channels": 4},
}


def trainings() -> Iterator[tuple]:
    """Architecture, number of the seed, accuracies by proxy, seconds of all of them."""
    space = NasBench201()
    data = datasets.load("fashion16", 16)
    estimates = {name: Training(space, proxy_recipe(**less), data) for name, less in LESS.items()}
    archs = dict.fromkeys(arch for arch, _ in Work(Training(space), seeds=1).all())
    for arch in tqdm(islice(archs, COUNT), total=COUNT):
        said = {name: estimate(arch, seed=SEED) for name, estimate in estimates.items()}
        scores = {name: evaluation.scores["accuracy"] for name, evaluation in said.items()}
        yield arch, 0, scores, sum(evaluation.seconds for evaluation in said.values())


def main() -> None:
    path = HERE / "lab02-proxies.npz"
    if path.exists():
        raise SystemExit(f"{path} is there already: remove it first")
    Table.of(NasBench201(), trainings()).save(path)


if __name__ == "__main__":
    main()
