"""What made the records in this folder: see README.md. Refuses to write over one that is there.

    python tests/records/make.py FOLDER

Also the searches, races and tables themselves, which tests go on with: what stands here is not changed either.
"""

import gzip
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # the toys

import numpy as np
from toys import Toy, Walk

from nasviz.course import capstone
from nasviz.estimators import Recipe, Table, TableLookup, Training, tabulate
from nasviz.hardware import LatencyTable, Overhead
from nasviz.objectives import Bounded, CubedBest, Less, Score, Weighted, accuracy
from nasviz.races.race import Race
from nasviz.run import Run
from nasviz.spaces import MacroSpace, NasBench201, NasNetSpace
from nasviz.strategies import (
    BatchedEvolution,
    Darts,
    Hyperband,
    LocalSearch,
    Nsga2,
    RandomSearch,
    RegularizedEvolution,
    Spos,
    SuccessiveHalving,
    TrainSupernet,
)
from nasviz.strategies.specialise import Within

SPACE, MACRO, NASNET = NasBench201(), MacroSpace(), NasNetSpace()
TINY = Recipe(size=8, images=64, epochs=2, batch=32, network={"channels": 2})
NETWORK = {"channels": 1, "stages": 1}


@dataclass
class Curved(Toy):
    """With accuracies by epoch, and what a predictor and a supernet would say."""

    def __call__(self, arch, *, epochs=None, seed=0):
        said = super().__call__(arch, epochs=epochs, seed=seed)
        for epoch in range(1, said.epochs + 1):
            said.scores[f"accuracy@{epoch}"] = said.scores["accuracy"] * epoch / said.epochs
        said.scores["predicted"] = said.scores["inherited"] = sum(arch) / 30
        return said


# By file: the search, the knobs that are turned after step 6, and the step after which the process was killed.
RUNS = {
    "random": (RandomSearch(SPACE, Training(SPACE, TINY), evaluations=4, objective=Bounded("madds", 2e4)), {}, 4),
    "evolution": (
        RegularizedEvolution(SPACE, Toy(SPACE), 5, 2, 16, objective=Weighted("madds", 20.0), seed=1),
        {"population": 4, "tournament": 3},
        12,
    ),
    "batches": (BatchedEvolution(SPACE, Toy(SPACE), 5, 2, 18, seed=2, batch=4), {"population": 4}, 11),
    "published": (
        RegularizedEvolution(NASNET, Toy(NASNET), 5, 2, 14, mutation=NASNET.mutate_as_published, seed=3),
        {},
        12,
    ),
    "local": (LocalSearch(MACRO, Curved(MACRO), evaluations=14, batch=2, objective=Score("inherited")), {}, 9),
    "nsga2": (
        Nsga2(SPACE, Toy(SPACE), (accuracy, Less("madds")), population=6, batch=3, evaluations=18),
        {"crossover": 0.25},
        18,
    ),
    "spos": (
        Spos(SPACE, Curved(SPACE), population=5, top=3, evaluations=15, objective=Within("madds", 30.0)),
        {"mutation": 0.5},
        13,
    ),
    "halving": (
        SuccessiveHalving(SPACE, Curved(SPACE), 60, epochs=12, objective=CubedBest(2, Bounded("madds", 40.0))),
        {},
        10,
    ),
    "hyperband": (Hyperband(SPACE, Toy(SPACE), evaluations=60, epochs=9), {}, 10),
    "darts": (
        Darts(SPACE, size=8, images=64, epochs=4, batch=8, network=NETWORK),
        {"weight_lr": 0.05},
        8,
    ),
    "supernet": (TrainSupernet(SPACE, size=8, images=32, epochs=3, batch=8, network=NETWORK), {"lr": 0.02}, 8),
    "own": (Walk(SPACE, epochs=3), {"rate": 0.9}, 10),  # no strategy of nasviz: has to be passed
}
TORN = ("evolution", "local", "darts")  # killed in the middle of a line


class Few(NasBench201):
    """NAS-Bench-201 with six architectures."""

    def distinct(self):
        return super().distinct()[100:2500:400]


WORK = tabulate.Work(Training(Few(), TINY, test=True, curve=True), seeds=2)


def table():
    """Forty architectures with three trainings each, but some that have two; numbers out of the air."""
    rng, rows = np.random.default_rng(0), []
    for arch in SPACE.distinct()[::127]:
        for seed in range(3 if arch[0] % 2 else 2):
            counts = rng.integers(1000, 1700, 2) / 2000
            scores = {"accuracy@1": counts[0], "accuracy@2": counts[1], "accuracy": counts[1]}
            scores |= {"test_accuracy": rng.integers(5000, 8500) / 10_000, "loss": rng.random()}
            scores |= {"madds": 1000.0 * (1 + sum(arch)), "parameters": 10.0 * (1 + sum(arch))}
            rows.append((arch, seed, scores, 2.0 + rng.random()))
    return Table.of(SPACE, rows, total=5044, about={"recipe": "none: numbers out of the air"})


def race(table, names, path=None, seeds=2):
    """A race on ``table``, of strategies by name."""
    known = {
        "RegularizedEvolution": {"population": 5, "tournament": 2},
        "SuccessiveHalving": {"evaluations": 40, "epochs": 2, "continued": True},
    }
    space, estimate, objective = table.known(), TableLookup(table), Bounded("madds", 9000.0)
    classes = {cls.__name__: cls for cls in (RandomSearch, RegularizedEvolution, LocalSearch, SuccessiveHalving)}
    options = {name: {"evaluations": 20} | known.get(name, {}) for name in names}
    searches = [classes[name](space, estimate, objective=objective, **options[name]) for name in names]
    return Race(searches, 12, seeds=seeds, path=path, command="python tests/records/make.py FOLDER")


def challenge(table):
    """The capstone's challenge, on ``table``."""
    return capstone.Challenge(table, limit=9000.0, rounds=4, low=3, high=12)


def chosen(space, estimate, rng):
    """Random search, as a student hands it in."""
    best = -1.0
    while True:
        arch = space.sample(rng)
        if (found := estimate(arch).scores["accuracy"]) > best:
            best = found
            yield arch


def main(out: Path) -> None:
    if any(out.glob("*/*")):
        raise SystemExit(f"{out} holds records already: another folder")
    for folder in ("runs", "parts", "parts/timings", "tables", "races", "leaderboards"):
        (out / folder).mkdir(parents=True)
    for name, (search, turn, kill) in RUNS.items():
        path = out / "runs" / f"{name}.jsonl"
        run = Run(search, path)
        steps = iter(run)
        for _ in steps:
            if len(run) == 6 and turn:
                run.turn(**turn)
            if len(run) == kill:
                break
        steps.close()
        if name in TORN:
            with path.open("a") as file:
                file.write('{"evaluation": {"arch": [1, 2')
    running = tabulate.run(WORK, out / "parts")
    for _ in range(7):
        next(running)
    running.close()
    part = out / "parts" / "part-000.jsonl"
    part.with_suffix(".jsonl.gz").write_bytes(gzip.compress(part.read_bytes(), mtime=0))
    part.unlink()
    running = tabulate.run(WORK, out / "parts")
    for _ in range(3):
        next(running)
    running.close()
    with (out / "parts" / "part-001.jsonl").open("a") as file:
        file.write('{"arch": "|none~0|')
    tabulate.measure(WORK, out / "parts")
    tabulate.publish(tabulate.parts_of(out / "parts"), out / "tables" / "published.npz",
                     timings=tabulate.parts_of(out / "parts" / "timings"))  # fmt: skip
    made = table()
    made.save(out / "tables" / "forty.npz")
    forty = Table.load(out / "tables" / "forty.npz")
    lines = [f"{SPACE.to_text(arch)},{100 * forty.judge(arch)}\n" for arch in forty.archs]
    (out / "tables" / "forty.csv").write_text("architecture,percent\n" + "".join(lines))
    race(forty, ["RandomSearch", "RegularizedEvolution"], out / "races" / "two.jsonl").standings()
    race(forty, ["RandomSearch", "LocalSearch", "SuccessiveHalving"], out / "races" / "three.jsonl").standings()
    with (out / "races" / "three.jsonl").open("a") as file:
        file.write('{"name": "Loc')
    for number in range(2):
        entry = challenge(forty).play(chosen, f"Éva {number}")
        capstone.hand_in(entry, out / "leaderboards" / "class.jsonl")
    ms = {"conv 3×3 8→8, BN @ 8×16×16": 0.125, "linear 32→10 @ 32": 0.03125}
    LatencyTable("an abacus", "torch", 1, 64, "2026-11-28", ms, Overhead(0.5, 1.25, 0.0625)).save(
        out / "tables" / "latency.json"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
