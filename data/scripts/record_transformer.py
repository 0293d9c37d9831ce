"""Make the parent transformer, its library of half-blocks, and what lab 14 shows of longer trainings.

    python data/scripts/record_transformer.py
    python data/scripts/record_transformer.py trainings [--minutes 10]
    python data/scripts/record_transformer.py supernets [--minutes 10]
    python data/scripts/record_transformer.py alone [--minutes 10]
    python data/scripts/record_transformer.py times

Without a word: the parent is the largest member of `nasviz.spaces.TransformerSpace`, trained from seed 0 by
`estimators.TRANSFORMER`: transformer-parent.safetensors, a minute. Its library is that of `BlockwiseDistillation`, with
the errors that were left: transformer-library.safetensors, half a minute. Both go on where they were: an epoch or a
half-block that was done stands in a file that ends in .part.

The others go into data/transformer/, a line each, three seeds of each, two of `alone`. `trainings`: small networks at a
fifth of the parent's work, with and without a parent (`nasviz.lessons.shrinking_ways.TRAININGS`): trainings.jsonl, a
quarter of an hour. `supernets`: nested ones and entangled ones, and what their members inherit: supernets.jsonl, five
minutes. `alone`: members of the entangled ones from scratch: alone.jsonl, half an hour. What is there is not made
again, a killed run loses one training at most, and with `--minutes` none begins later. (All on one free core.)

`times` measures milliseconds of half-blocks, for 500 images on one core: latency-transformer.json, half a minute.

The record of several parents, parents.jsonl, is what `benchmarks/transformer.py` writes.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from statistics import median

import torch
from tqdm import tqdm

from nasviz.estimators import TRANSFORMER, Assembled, Training, replace_one, transformer_library
from nasviz.hardware import half_block_times
from nasviz.lessons import shrinking_ways as lesson
from nasviz.lessons.shrinking_records import folder
from nasviz.lessons.shrinking_ways import last_state
from nasviz.nn.count import madds
from nasviz.nn.saved_weights import take_over
from nasviz.nn.threads import one_thread
from nasviz.space import Arch
from nasviz.spaces import ElasticResNet, TransformerSpace
from nasviz.strategies import BlockwiseDistillation, Distillation, TrainSupernet
from nasviz.strategies.distillation import weights_of
from nasviz.strategies.mixed_integer import budget, programme
from nasviz.strategies.pruning import depth
from nasviz.workers import processor

DATA = Path(__file__).parents[1]
SPACE = TransformerSpace()
MACHINE = {"processor": processor(), "torch": torch.__version__}
LIMIT = budget(SPACE.madds, SPACE, lesson.REST + lesson.SHARE * lesson.WHOLE)
SUPERNET = {"size": 16, "images": 8000, "epochs": 12, "batch": 128, "lr": 2e-3, "weight_decay": 0.05}


def parent_and_library() -> None:
    parent = made("transformer-parent.safetensors", Distillation(SPACE, SPACE.largest), weights_of)
    made("transformer-library.safetensors", BlockwiseDistillation(SPACE, parent), bytes)


def made(
    name: str, search: Distillation | BlockwiseDistillation | TrainSupernet, kept: Callable[[bytes], bytes]
) -> bytes:
    """Return what a file holds; where it is missing, train first, and write what ``kept`` keeps of the last state."""
    path, part = DATA / name, DATA / f"{name}.part"
    if path.exists():
        return path.read_bytes()
    state = part.read_bytes() if part.exists() else None
    for step in tqdm(replace(search, start=state), total=len(search), unit="step", desc=name):
        if step.state is not None:
            state = step.state
            part.write_bytes(state)
    assert state is not None
    path.write_bytes(kept(state))
    part.unlink(missing_ok=True)
    return path.read_bytes()


# -------------------------------------------------------------------------------------------------- small networks
@cache
def library() -> Assembled:
    return transformer_library()


@cache
def from_parent(what: str) -> Assembled:
    """The parent with another library: half-blocks as they were ``"cut"``, or of the widths of ``"uniform"`` blocks."""
    space = lesson.EVEN if what == "uniform" else SPACE
    return Assembled(
        space, library().parent, last_state(BlockwiseDistillation(space, library().parent, what == "uniform"))
    )


@cache
def chosen(choice: str) -> tuple[TransformerSpace, Arch]:
    match choice:
        case "programme":
            return SPACE, programme(replace_one(library())["kl"], [LIMIT])
        case "depth":
            return SPACE, depth(SPACE, LIMIT, lambda arch: library()(arch).scores["kl"])
        case "uniform":
            return lesson.EVEN, lesson.EVEN_BLOCKS
        case _:
            return SPACE, lesson.NESTED["S"]


def origin(name: str) -> Assembled | None:
    """Where the first weights of a way are from; None: from chance."""
    way = lesson.WAYS[name]
    if not way.parent:
        return None
    return (
        from_parent("cut") if way.first == "cut" else from_parent("uniform") if way.choice == "uniform" else library()
    )


def trained(job: tuple[str, int, int]) -> dict:
    """Train a small network: its test accuracy before and after, and the seconds between."""
    name, epochs, seed = job
    way, recipe = lesson.WAYS[name], lesson.recipe_of(name, epochs)
    row = {"way": name, "epochs": epochs, "seed": seed}
    if way.choice == "convolutions":
        arch, begin = lesson.convolutions(), time.thread_time()
        one = Training(ElasticResNet(), recipe, test=True)(arch, seed=seed)
        row |= {"madds": ElasticResNet().madds(arch), "before": None}
        return row | {"after": percent(one.scores["test_accuracy"]), "seconds": round(time.thread_time() - begin, 1)}
    space, arch = chosen(way.choice)
    source = origin(name)
    weights, teacher = (source.weights(arch), library().parent) if source else (None, None)
    begin = time.thread_time()
    state = last_state(Distillation(space, arch, weights, teacher, 1.0, recipe, seed=seed))
    seconds = round(time.thread_time() - begin, 1)
    network = space.network(arch)
    if weights is not None:
        take_over(weights, network.state_dict())
    before = tested(network) if weights is not None else None
    take_over(weights_of(state), network.state_dict())
    row |= {"words": space.words(arch), "madds": madds(network, (1, 16, 16)), "before": before}
    return row | {"after": tested(network), "seconds": seconds}


# ------------------------------------------------------------------------------------------------------- supernets
def shared(job: tuple[str, int]) -> dict:
    """Train a supernet: what its members inherit."""
    kind, seed = job
    nested = kind == "nested"
    space = SPACE if nested else lesson.Entangled()
    search = TrainSupernet(space, **SUPERNET, optimizer="adamw", sampler="nested" if nested else "uniform", seed=seed)
    state = made(f"transformer/{kind}-{seed}", search, bytes)
    (DATA / "transformer" / f"{kind}-{seed}").unlink()
    network = space.single_path()
    take_over(state, {f"network.{name}": tensor for name, tensor in network.state_dict().items()})
    members = [*lesson.NESTED.values(), *lesson.mixes().values()] if nested else lesson.children()
    found = {space.to_text(arch): tested(network.select(arch)) for arch in members}
    return {"kind": kind, "seed": seed, "inherited": found}


def alone(job: tuple[Arch, int]) -> dict:
    """Train a member of the entangled space from scratch."""
    arch, seed = job
    one, space = Training(lesson.Entangled(), TRANSFORMER, test=True)(arch, seed=seed), lesson.Entangled()
    scores = {name: percent(one.scores[name]) for name in ("accuracy", "test_accuracy")}
    return {"arch": space.to_text(arch), "seed": seed, "madds": space.madds(arch)} | scores


# ----------------------------------------------------------------------------------------------------- milliseconds
def times() -> None:
    """Measure half-blocks by the processor's time, which other programs on the machine hardly change."""
    half_block_times(SPACE, timed=processor_ms).table.save(DATA / "latency-transformer.json")


@torch.no_grad()
def processor_ms(module: torch.nn.Module, shape: tuple[int, ...], warm: int = 3, runs: int = 25) -> float:
    """Median of some runs on one thread, milliseconds of the processor."""
    x, spent = torch.randn(shape, generator=torch.Generator().manual_seed(0)), []
    with one_thread():
        for _ in range(warm + runs):
            begin = time.thread_time()
            module.eval()(x)
            spent.append(1000 * (time.thread_time() - begin))
    return median(spent[warm:])


# ------------------------------------------------------------------------------------------------------------ tools
def tested(network: torch.nn.Module) -> float:
    """Accuracy on all test images, %, as records have it."""
    return round(lesson.tested(network), 2)


def percent(share: float) -> float:
    return round(100 * share, 2)


def jobs(what: str) -> Iterator[tuple[dict, Callable[[], dict]]]:
    """Yield what names each line of a record, and what makes it."""
    if what == "trainings":
        for seed, (name, epochs) in product(lesson.SEEDS, lesson.TRAININGS):
            yield {"way": name, "epochs": epochs, "seed": seed}, partial(trained, (name, epochs, seed))
    elif what == "supernets":
        for seed, kind in product(lesson.SEEDS, ("nested", "entangled")):
            yield {"kind": kind, "seed": seed}, partial(shared, (kind, seed))
    else:
        for arch, seed in product(lesson.children(), lesson.TWICE):
            yield {"arch": lesson.Entangled().to_text(arch), "seed": seed}, partial(alone, (arch, seed))


def record(what: str, minutes: float) -> None:
    """Write the missing lines of a record; begin none after so many minutes."""
    path, begin = folder() / f"{what}.jsonl", time.monotonic()
    path.parent.mkdir(exist_ok=True)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    there = [json.loads(line) for line in lines]
    missing = [make for name, make in jobs(what) if not any(name.items() <= row.items() for row in there)]
    for make in tqdm(missing, unit="line", desc=what):
        if time.monotonic() - begin > 60 * minutes:
            break
        row = make() | MACHINE
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=("trainings", "supernets", "alone", "times"))
    parser.add_argument("--minutes", type=float, default=float("inf"))
    asked = parser.parse_args()
    if asked.what is None:
        parent_and_library()
    elif asked.what == "times":
        times()
    else:
        record(asked.what, asked.minutes)


if __name__ == "__main__":
    main()
