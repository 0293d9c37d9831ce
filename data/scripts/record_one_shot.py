"""Make what lab 09's last exercise has: the first elastic supernet, and what its children reach alone.

    python data/scripts/record_one_shot.py supernet --device cuda
    python data/scripts/record_one_shot.py inherited
    python data/scripts/record_one_shot.py alone
    python data/scripts/record_one_shot.py longer

`supernet` trains as BigNAS does: its weights become elastic-supernet.safetensors; six minutes of a GPU, half an hour
of a core. The others write into one-shot/. `inherited` judges 150 children on these weights: inherited.jsonl; five
minutes. `alone` trains the first 60 of them, the largest and the smallest from scratch, with one seed each, then with a
second one: alone.jsonl, a training a line; an hour. `longer` trains some of them for 20 epochs, into the same file;
half an hour. But for `supernet`, all go on where they were. (Minutes are those of one free core.)
"""

import argparse
import json
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, save
from tqdm import tqdm

from nasviz.estimators import Inherited, Recipe, Training, elastic_supernet
from nasviz.objectives import Score
from nasviz.run import Run
from nasviz.space import Arch
from nasviz.spaces import ElasticSpace
from nasviz.strategies import BigNas, RandomSearch
from nasviz.workers import processor

DATA = Path(__file__).parents[1]
RECORDS = DATA / "one-shot"
SPACE = ElasticSpace()
CHILDREN, SEEDS = 60, 2  # trained alone, each so often
ENDS = [SPACE.largest, SPACE.smallest]  # trained alone, too
SOME = 8  # of them trained longer
RECIPE, EPOCHS = {"batch": 64, "lr": 0.1}, {"alone": 6, "longer": 20}
PLANNED, DONE = 20, 14  # epochs of the supernet: its learning rate falls over the first number, the second is trained
ALONE = RECORDS / "alone.jsonl"


def supernet(device: str = "cpu") -> None:
    search = BigNas(SPACE, epochs=PLANNED, images=8000, batch=128, lr=0.05, network={"device": device})
    steps = DONE * search.batches
    for step, _ in zip(tqdm(search, total=steps, unit="step"), range(steps), strict=False):
        state = step.state
    (DATA / "elastic-supernet.safetensors").write_bytes(weights(state))


def inherited() -> None:
    judge(elastic_supernet(), 150, RECORDS / "inherited.jsonl")


def weights(state: bytes) -> bytes:
    """A state without the memory of the descent."""
    return save({name: tensor for name, tensor in load(state).items() if name.startswith("network.")})


def judge(estimate: Inherited, count: int, record: Path) -> None:
    """What the first children inherit: the record of a random search."""
    search = RandomSearch(SPACE, estimate, evaluations=count, objective=Score("inherited"), seed=8)
    for _ in tqdm(Run(search, record), total=len(search), unit="architecture"):
        pass


def alone() -> None:
    rng = np.random.default_rng(8)
    children = [SPACE.sample(rng) for _ in range(CHILDREN)] + ENDS  # as that search draws them
    jobs = product(range(SEEDS), range(len(children)))
    train("alone", [(1000 * turn + number, children[number]) for turn, number in jobs])


def longer() -> None:
    """The two that bound the space, then children spread over the supernet's ranking, the outer ones first."""
    steps = Run.load(RECORDS / "inherited.jsonl").steps[:CHILDREN]
    ranked = sorted((step.evaluation for step in steps), key=lambda one: -one.scores["inherited"])
    places = [round((2 * place + 1) * CHILDREN / (2 * SOME) - 0.5) for place in range(SOME)]
    some = [ranked[place] for place in places]
    jobs = [(one.seed, one.arch) for pair in zip(some, reversed(some), strict=True) for one in pair][:SOME]
    train("longer", [*enumerate(ENDS, CHILDREN), *jobs])


def train(what: str, jobs: Iterable[tuple[int, Arch]]) -> None:
    """Train each (seed, child) from scratch, unless it is in the file; a line each."""
    estimate = Training(SPACE, Recipe(epochs=EPOCHS[what], **RECIPE), test=True)
    there = {(row["seed"], row["epochs"]) for row in map(json.loads, ALONE.read_text().splitlines())}
    for seed, arch in tqdm([job for job in jobs if (job[0], EPOCHS[what]) not in there], unit="training"):
        one = estimate(arch, seed=seed)
        row = {"arch": list(arch), "seed": seed, "epochs": one.epochs, **RECIPE, "scores": one.scores}
        row |= {"seconds": one.seconds, "processor": processor(), "torch": torch.__version__}
        with ALONE.open("a") as file:
            file.write(json.dumps(row) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("supernet", "inherited", "alone", "longer"))
    parser.add_argument("--device", default="cpu", help="where `supernet` computes")
    asked = parser.parse_args()
    if asked.what == "supernet":
        supernet(asked.device)
    else:
        {"inherited": inherited, "alone": alone, "longer": longer}[asked.what]()


if __name__ == "__main__":
    main()
