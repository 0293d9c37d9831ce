"""Make what lab 09 has of the small elastic space: children alone, supernets of several ways, what everyone inherits.

    python data/scripts/record_elastic.py alone
    python data/scripts/record_elastic.py supernets
    python data/scripts/record_elastic.py everyone
    python data/scripts/record_elastic.py chosen
    python data/scripts/record_elastic.py price

All go into data/elastic-resnet/. `alone` trains the children of `nasviz.lessons.one_network` from scratch, three seeds
each: alone.jsonl, a training a line; half an hour of a core. `supernets` trains each way three times, and judges these
children with and without re-calibration: supernets.jsonl, a supernet a line; forty minutes. `everyone` trains the lab's
three supernets, whose weights become supernet-SEED.safetensors, and judges all 4,374 children: everyone-SEED.npz; half
an hour. `chosen` trains alone, into alone.jsonl, what these supernets and their rivals choose for four devices; twenty
minutes. `price` measures the processor's seconds of some of these trainings: price.jsonl; a minute. What is there is
not made again, and a killed run loses one training.
"""

import argparse
import json
import time
from collections.abc import Iterable
from concurrent.futures import as_completed
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, save
from tqdm import tqdm

from nasviz.estimators import Inherited, Training
from nasviz.lessons import child_for_each_device as devices
from nasviz.lessons import one_network as lesson
from nasviz.space import Arch
from nasviz.spaces import ElasticResNet
from nasviz.workers import default_pool, processor

SPACE = ElasticResNet()
MACHINE = {"processor": processor(), "torch": torch.__version__}
Seeded = tuple[Arch, int]


def alone(archs: Iterable[Arch]) -> None:
    """Train each child with each seed, unless it is in the file; all cores share the work."""
    path = lesson.folder() / "alone.jsonl"
    there = {(tuple(row["arch"]), row["seed"]) for row in rows(path)}
    jobs = [(arch, seed) for seed in lesson.SEEDS for arch in archs if (arch, seed) not in there]
    pool = default_pool()
    for done in tqdm(as_completed([pool.submit(train, job) for job in jobs]), total=len(jobs), unit="training"):
        append(path, done.result())


def train(job: Seeded) -> dict:
    arch, seed = job
    one = Training(SPACE, lesson.RECIPE, test=True)(arch, seed=seed)
    return {"arch": list(arch), "seed": seed, "scores": one.scores, "seconds": round(one.seconds, 3), **MACHINE}


def supernets() -> None:
    """Train each way from each seed, and judge the children."""
    path = lesson.folder() / "supernets.jsonl"
    there = {(row["way"], row["seed"]) for row in rows(path)}
    jobs = [(way, seed) for seed in lesson.SEEDS for way in lesson.WAYS if (way, seed) not in there]
    pool = default_pool()
    for done in tqdm(as_completed([pool.submit(shared, job) for job in jobs]), total=len(jobs), unit="supernet"):
        append(path, done.result())


def shared(job: tuple[str, int]) -> dict:
    way, seed = job
    search, (seconds, state) = lesson.training(way, seed), descended(way, seed)
    begin = time.thread_time()
    inherited = judge(Inherited.of(search, state, lesson.BATCHES), lesson.children())
    row = {"way": way, "seed": seed, "seconds": seconds, "judging": round(time.thread_time() - begin, 1)}
    stale = judge(Inherited.of(search, state, 0), lesson.children())
    return row | {"inherited": inherited, "stale": stale, **MACHINE}


def descended(way: str, seed: int, epochs: int | None = None) -> tuple[float, bytes]:
    """Train a supernet: seconds of the processor, and the state at the end."""
    begin, state = time.thread_time(), b""
    for step in lesson.training(way, seed, epochs):
        state = step.state or state
    return round(time.thread_time() - begin, 1), state


def everyone() -> None:
    """Train the lab's supernets, and judge all children of each; one that is there is not made again."""
    pool = default_pool()
    jobs = [pool.submit(whole, seed) for seed in lesson.SEEDS if not (lesson.folder() / said(seed)).exists()]
    for done in tqdm(as_completed(jobs), total=len(jobs), unit="supernet"):
        done.result()


def whole(seed: int) -> None:
    """Train one, and judge everyone: its weights, accuracies of 0 to 1, and the seconds of both."""
    training, state = descended(lesson.CHOSEN_WAY, seed, lesson.LONG)
    path = lesson.folder() / f"supernet-{seed}.safetensors"
    path.write_bytes(save({name: one for name, one in load(state).items() if name.startswith("network.")}))
    begin = time.thread_time()
    inherited = judge(lesson.supernet(seed), SPACE.distinct())
    seconds = training, time.thread_time() - begin
    part = lesson.folder() / f"part-{said(seed)}"
    np.savez_compressed(part, inherited=np.array(inherited, "<f4"), seconds=np.array(seconds, "<f4"))
    part.replace(lesson.folder() / said(seed))


def said(seed: int) -> str:
    return f"everyone-{seed}.npz"


def price() -> None:
    """Measure the processor's seconds of a training alone: the mean over two drawn children of each limit."""
    path = lesson.folder() / "price.jsonl"
    there = {row["limit"] for row in rows(path)}
    for limit in devices.DEVICES:
        if limit not in there:
            begin = time.thread_time()
            for arch in devices.by_chance(limit)[:2]:
                Training(SPACE, lesson.RECIPE)(arch)
            append(path, {"limit": limit, "seconds": round((time.thread_time() - begin) / 2, 2), **MACHINE})


def judge(estimate: Inherited, archs: Iterable[Arch]) -> list[float]:
    return [round(estimate(arch).scores["inherited"], 4) for arch in archs]


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, row: dict) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("alone", "supernets", "everyone", "chosen", "price"))
    match parser.parse_args().what:
        case "alone":
            alone(lesson.children())
        case "supernets":
            supernets()
        case "everyone":
            everyone()
        case "chosen":
            alone(devices.to_train())
        case _:
            price()


if __name__ == "__main__":
    main()
