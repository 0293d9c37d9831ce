"""The exact truth of the two small spaces of lab 07, and the searches that it shows beside its live ones.

    python data/scripts/record_lab07.py truth --space sep [--device cuda]
    python data/scripts/record_lab07.py truth --space conv [--device cuda]
    python data/scripts/record_lab07.py searches [--of sep whole conv deep]

``truth`` trains every distinct function of {skip, separable convolution} or of {skip, convolution} from ten seeds,
with the full recipe on a network of four channels: data/darts-small/sep and conv, parts as `nasviz.estimators.tabulate`
writes them. ``searches`` records DARTS and each of its remedies, with as many updates as DARTS, ten seeds, on the first
of them (sep) and on the second (conv); DARTS for longer, on a deeper and wider supernet, with few images and with as
many as there are (deep); and DARTS on all five operations of NAS-Bench-201 (whole): a line of JSON a search, in
data/darts-small/searches-*.jsonl. Each seed draws images of its own (``draw``). Searches of DARTS come first, the
remedies after them. All go on where they were when interrupted. As many processes work as `nasviz.workers.workers`
says.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from nasviz.estimators import FULL, PackedTraining, Training
from nasviz.estimators.tabulate import Work, run, run_packed
from nasviz.spaces import NasBench201
from nasviz.strategies import Darts
from nasviz.strategies.remedies import RECIPE, SMALL_SPACES, drawn, longer, remedies
from nasviz.workers import default_pool, processor

FOLDER = Path(__file__).parents[1] / "darts-small"
TRAININGS, SEARCHES = 10, 10  # seeds
SETS = {
    "sep": remedies(SMALL_SPACES["sep"]),
    "whole": {"DARTS": Darts(NasBench201(), **RECIPE)},
    "conv": remedies(SMALL_SPACES["conv"]),
    "deep": longer(SMALL_SPACES["sep"]),
}


def truth(name: str, device: str) -> None:
    """Train what is missing of a space: one by one on a CPU, all at once on a GPU."""
    work = Work(
        Training(SMALL_SPACES[name], replace(FULL, network=RECIPE["network"]), test=True, curve=True), TRAININGS
    )
    if device == "cpu":
        results = run(work, FOLDER / name)
    else:
        results = run_packed(work, FOLDER / name, PackedTraining(work.estimate, device))
    for _ in tqdm(results, unit="training"):
        pass


def searches(sets: Sequence[str], out: Path) -> None:
    """Search with what is missing: DARTS in all sets, then the remedies."""
    there = {
        (name, row["method"], row["seed"])
        for name in sets
        for folder in {FOLDER, out}
        for row in searches_in(folder, name)
    }
    todo = [(name, method, seed) for name in sets for method in SETS[name] for seed in range(SEARCHES)]
    todo.sort(key=lambda key: turn(key[1]))
    jobs = {default_pool().submit(recorded, *key): key[0] for key in todo if key not in there}
    for job in tqdm(as_completed(jobs), total=len(jobs), unit="search"):
        with (out / file_of(jobs[job])).open("a", encoding="utf-8") as file:
            file.write(json.dumps(job.result()) + "\n")


def turn(method: str) -> int:
    """When a method's turn comes: what says most of the collapse first, then what is quick."""
    if method in ("DARTS", "DARTS, ten times the images"):
        return 0
    return 1 if method.startswith("DARTS, ") else 3 if method in ("SDARTS-ADV", "DARTS-ADA") else 2


def recorded(name: str, method: str, seed: int) -> dict:
    """A search, and what it ran on."""
    start, row = time.process_time(), {"method": method, "seed": seed, "draw": seed}
    row |= outcome(drawn(SETS[name][method], seed))
    seconds = round(time.process_time() - start, 1)
    return row | {"seconds": seconds, "torch": torch.__version__, "processor": processor()}


def outcome(search: Darts) -> dict:
    """The cell that was found, and what the last step of each epoch showed."""
    ends = [step.shows for step in search if step.state is not None]
    row = {"arch": search.space.to_text(search.space.discretize(ends[-1]["alphas"]))}
    for name in ("loss", "valid_loss", "eigenvalue", "discrete_accuracy"):
        if name in ends[0]:
            row[name] = [round(shows[name], 4) for shows in ends]
    if search.space.name == "nasbench201":  # five candidates an edge
        return row
    row["skip"] = [[round(float(weight), 3) for weight in shows["alphas"][:, 0]] for shows in ends]
    row["other"] = [[round(float(weight), 3) for weight in shows["alphas"][:, 1]] for shows in ends]
    return row


def file_of(name: str) -> str:
    """The file of a set."""
    return f"searches-{name}.jsonl"


def searches_in(folder: Path, name: str) -> Iterator[dict]:
    """The recorded searches of a set. A last line without its end was torn by a kill, and does not count."""
    path = folder / file_of(name)
    if path.exists():
        yield from map(json.loads, path.read_bytes().split(b"\n")[:-1])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["truth", "searches"])
    parser.add_argument("--space", choices=list(SMALL_SPACES), default="sep")
    parser.add_argument("--of", nargs="+", choices=list(SETS), default=list(SETS), help="sets of searches")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to which new searches are written")
    parser.add_argument("--device", default="cpu", help="cuda: on a GPU, all at once")
    options = parser.parse_args()
    if options.what == "truth":
        truth(options.space, options.device)
    else:
        searches(options.of, options.out)


if __name__ == "__main__":
    main()
