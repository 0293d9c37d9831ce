"""The exact truth of the two small spaces of lab 07, and the searches that it shows beside its live ones.

    python data/record_lab07.py truth --space sep
    python data/record_lab07.py truth --space conv
    python data/record_lab07.py searches [--share 0/2]

``truth`` trains every distinct function of {skip, separable convolution} or of {skip, convolution} from three seeds,
with the full recipe on a network of four channels: data/darts-small/sep and conv, parts as `nasviz.tabulate` writes
them. ``searches`` records each remedy of DARTS, with as many updates as DARTS, ten seeds, on the first of them: a line
of JSON a search in data/darts-small/searches-*.jsonl. All go on where they were when interrupted; ``--share 0/2`` does
the even seeds only, so that another process can do the odd ones.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from nasviz.estimators import FULL, Training
from nasviz.spaces import NasBench201
from nasviz.strategies import (
    AdaptiveDarts,
    Darts,
    DartsMinus,
    DartsPT,
    DrNas,
    FairDarts,
    Gdas,
    PcDarts,
    PDarts,
    SmoothDarts,
    Snas,
    WatchedDarts,
)
from nasviz.tabulate import Work, run

HERE = Path(__file__).parent / "darts-small"
SPACES = {
    "sep": NasBench201(operations=("skip_connect", "sep_conv_3x3")),
    "conv": NasBench201(operations=("skip_connect", "nor_conv_3x3")),
}
NETWORK, DEEP = {"channels": 4}, {"channels": 4, "cells": 2}
TRAININGS, SEARCHES = 3, 10  # seeds
RECIPE = dict(size=8, images=192, epochs=40, batch=32, weight_lr=0.1, alpha_lr=0.03, network=NETWORK)
# 240 updates each. DARTS+ and DARTS-ES are DARTS up to where they stop: they are read off its records.
METHODS = {
    "DARTS": WatchedDarts(SPACES["sep"], **RECIPE, watched=64),
    "DARTS, ten times the images": Darts(SPACES["sep"], **RECIPE | {"images": 1920, "epochs": 4}),
    "DARTS, two cells a stage": Darts(SPACES["sep"], **RECIPE | {"network": DEEP}),
    "DARTS, two cells a stage, ten times the images": Darts(
        SPACES["sep"], **RECIPE | {"network": DEEP, "images": 1920, "epochs": 4}
    ),
    "L2 81e-4": Darts(SPACES["sep"], **RECIPE, weight_decay=81e-4),
    "FairDARTS": FairDarts(SPACES["sep"], **RECIPE),
    "DARTS-": DartsMinus(SPACES["sep"], **RECIPE),
    "DARTS-PT": DartsPT(SPACES["sep"], **RECIPE | {"epochs": 34}),
    "SDARTS-RS": SmoothDarts(SPACES["sep"], **RECIPE),
    "PC-DARTS": PcDarts(SPACES["sep"], **RECIPE, share=2),
    "GDAS": Gdas(SPACES["sep"], **RECIPE),
    "SNAS": Snas(SPACES["sep"], **RECIPE),
    "DrNAS": DrNas(SPACES["sep"], **RECIPE),
    "P-DARTS": PDarts(SPACES["sep"], **RECIPE | {"epochs": 20}, depths=(1, 2), keep=(2, 2), dropout=(0.0, 0.4)),
    "SDARTS-ADV": SmoothDarts(SPACES["sep"], **RECIPE, adversarial=True),
    "DARTS-ADA": AdaptiveDarts(SPACES["sep"], **RECIPE, watched=64),
}
LATE = ("SDARTS-ADV", "DARTS-ADA")  # several times as long as the others: recorded after them


def truth(name: str) -> None:
    """Train what is missing of a space."""
    work = Work(Training(SPACES[name], replace(FULL, network=NETWORK), test=True, curve=True), TRAININGS)
    for _ in tqdm(run(work, HERE / name), unit="training"):
        pass


def searches(share: int, of: int) -> None:
    """Search with what is missing."""
    path = HERE / f"searches-{share}.jsonl"
    there = {(row["method"], row["seed"]) for row in rows(HERE)}
    todo = [(method, seed) for late in (False, True) for seed in range(share, SEARCHES, of) for method in METHODS
            if (method in LATE) == late]  # fmt: skip
    with path.open("a", encoding="utf-8") as file:
        for method, seed in tqdm([pair for pair in todo if pair not in there], unit="search"):
            start = time.process_time()
            row = {"method": method, "seed": seed} | told(replace(METHODS[method], seed=seed))
            file.write(json.dumps(row | {"seconds": round(time.process_time() - start, 1)}) + "\n")
            file.flush()


def told(search: Darts) -> dict:
    """The cell that was found, and what the last step of each epoch showed."""
    ends = [step.shows for step in search if step.state is not None]
    row = {"arch": search.space.to_text(search.space.discretize(ends[-1]["alphas"]))}
    for name in ("loss", "valid_loss", "eigenvalue", "discrete_accuracy"):
        if name in ends[0]:
            row[name] = [round(shows[name], 4) for shows in ends]
    row["skip"] = [[round(float(weight), 3) for weight in shows["alphas"][:, 0]] for shows in ends]
    row["other"] = [[round(float(weight), 3) for weight in shows["alphas"][:, 1]] for shows in ends]
    return row


def rows(folder: Path) -> Iterator[dict]:
    """The recorded searches. A last line without its end was torn by a kill, and does not count."""
    for path in sorted(folder.glob("searches-*.jsonl")):
        yield from map(json.loads, path.read_bytes().split(b"\n")[:-1])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["truth", "searches"])
    parser.add_argument("--space", choices=list(SPACES), default="sep")
    parser.add_argument("--share", default="0/1")
    options = parser.parse_args()
    if options.what == "truth":
        truth(options.space)
    else:
        searches(*map(int, options.share.split("/")))


if __name__ == "__main__":
    main()
