"""The exact truth of the two small spaces of lab 07, and the searches that it shows beside its live ones.

    python data/scripts/record_lab07.py truth --space sep [--device cuda]
    python data/scripts/record_lab07.py truth --space conv [--device cuda]
    python data/scripts/record_lab07.py searches [--of sep deep conv whole]

``truth`` trains every distinct function of {skip, separable convolution} or of {skip, convolution} from ten seeds,
with the full recipe on a network of four channels: data/darts-small/sep and conv, parts as `nasviz.estimators.tabulate`
writes them. ``searches`` records each remedy of DARTS, with as many updates as DARTS, ten seeds, on the first of them
(searches-*.jsonl) and on the second (conv-searches.jsonl); DARTS for longer, on a deeper and wider supernet, with few
images and with as many as there are (deep-searches.jsonl); and DARTS on all five operations of NAS-Bench-201
(whole-searches.jsonl): a line of JSON a search, in data/darts-small. Lines say which torch on which processor found
them; those of the first two files, older, do not: torch 2.14 on an AMD EPYC. All go on where they were when
interrupted. As many processes work as `nasviz.workers.workers` says.
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
from nasviz.strategies.remedies import RECIPE, SMALL_SPACES, longer, remedies
from nasviz.workers import default_pool, processor

FOLDER = Path(__file__).parents[1] / "darts-small"
TRAININGS, SEARCHES = 10, 10  # seeds
SETS = {
    "sep": remedies(SMALL_SPACES["sep"]),
    "deep": longer(SMALL_SPACES["sep"]),
    "conv": remedies(SMALL_SPACES["conv"]),
    "whole": {"DARTS": Darts(NasBench201(), **RECIPE)},
}
FILES = {name: f"{name}-searches.jsonl" for name in SETS} | {"sep": "searches-2.jsonl"}


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
    """Search with what is missing, set after set, method after method."""
    there = {
        (name, row["method"], row["seed"])
        for name in sets
        for folder in {FOLDER, out}
        for row in searches_in(folder, name)
    }
    todo = [(name, method, seed) for name in sets for method in SETS[name] for seed in range(SEARCHES)]
    jobs = {default_pool().submit(recorded, *key): key[0] for key in todo if key not in there}
    for job in tqdm(as_completed(jobs), total=len(jobs), unit="search"):
        with (out / FILES[jobs[job]]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(job.result()) + "\n")


def recorded(name: str, method: str, seed: int) -> dict:
    """A search, and what it ran on."""
    start, row = time.process_time(), {"method": method, "seed": seed}
    row |= outcome(replace(SETS[name][method], seed=seed))
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


def searches_in(folder: Path, name: str) -> Iterator[dict]:
    """The recorded searches of a set. A last line without its end was torn by a kill, and does not count."""
    for path in sorted(folder.glob(FILES[name].replace("2", "*"))):  # of the first, two processes each wrote a file
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
