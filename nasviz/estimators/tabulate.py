"""Ground truth: train every distinct architecture of a space from scratch, over as many sittings as it takes.

    python -m nasviz.estimators.tabulate run FOLDER [--seeds 2] [--nice 19]
    python -m nasviz.estimators.tabulate run FOLDER --device cuda [--seeds 3] [--networks 500] [--share 0/4]
    python -m nasviz.estimators.tabulate status FOLDER
    python -m nasviz.estimators.tabulate merge OUT.jsonl PART.jsonl PART.jsonl ...
    python -m nasviz.estimators.tabulate time FOLDER [--seeds 2]
    python -m nasviz.estimators.tabulate publish PART.jsonl PART.jsonl ... OUT.npz [--timings FOLDER/timings]

A folder holds parts: files of JSON lines that are only ever appended to, and may be packed with gzip when they are
finished. The first line of a part says what was trained and how; each other line is one training: architecture, seed,
seconds, scores. Killed at any moment, moved to another machine, or run on two at once in two folders: what is there is
not trained again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from .. import estimators
from ..estimator import Estimator
from ..identity import IDENTITY, OtherVersion, among, check_version, differences, identity, of_version_one
from ..lock import Occupied, Writing, reported
from ..ranges import REQUIRED, argument, check_fields, check_number, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation, plain
from ..workers import default_pool, processor, workers
from .table import Table
from .tablefile import named_space

if TYPE_CHECKING:
    from . import PackedTraining

VERSION = 1  # of the format of a part
Key = tuple[str, int]  # text of the architecture, seed

BLOCK = 100  # architectures: a block gets all its seeds before the next begins


@dataclass(frozen=True)
class Work:
    """What is to be trained, in which order.

    Parameters
    ----------
    estimate : Training
        Of the space; with ``curve`` and ``test``, for a table.
    seeds : int
        Each architecture from so many initial weights. Architectures come in blocks of `BLOCK`, and a block gets all
        its seeds before the next begins: a table that is not finished can then judge what it knows by other seeds than
        a search saw, which one with all architectures and one seed could not.
    """

    estimate: Estimator
    seeds: int = ranged(REQUIRED, 1, whole=True)

    def __post_init__(self):
        check_fields(self)

    @property
    def head(self) -> dict:
        """The first line of a part: everything that the numbers depend on, and the machine."""
        import torch

        return {
            "nasviz table": VERSION,
            "identity": IDENTITY,
            "estimate": identity(self.estimate),
            "machine": {"processor": processor(), "torch": torch.__version__, "python": platform.python_version()},
        }

    def all(self) -> Iterator[tuple[Arch, int]]:
        """Every training, in a fixed order in which each beginning is a random sample of the space."""
        archs, rng = self.estimate.space.distinct(), np.random.default_rng(0)
        order = rng.permutation(len(archs)).tolist()
        for start in range(0, len(order), BLOCK):
            yield from ((archs[i], seed) for seed in range(self.seeds) for i in order[start : start + BLOCK])

    def key(self, arch: Arch, seed: int) -> Key:
        return self.estimate.space.to_text(arch), seed


def run(work: Work, folder: Path) -> Iterator[Evaluation]:
    """Train what is missing in ``folder``, on all cores; yields each training once it is on the disk.

    Raises
    ------
    ValueError
        If the folder holds parts of other work, or damaged ones.
    Occupied
        If another process fills the folder: see `nasviz.lock`.
    """
    todo = _missing(work, folder)
    todo.reverse()
    with _new_part(folder, work.head) as part:
        waiting: dict[Future, tuple[Arch, int]] = {}
        try:
            while todo or waiting:
                while todo and len(waiting) < 2 * workers():
                    arch, seed = todo.pop()
                    waiting[default_pool().submit(work.estimate, arch, seed=seed)] = arch, seed
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    asked = waiting.pop(future)
                    try:
                        evaluation = future.result()
                    except BrokenExecutor:  # somebody killed a worker: train this one again
                        todo.append(asked)
                        continue
                    _write(part, work, evaluation)
                    yield evaluation
        finally:
            for future in waiting:
                future.cancel()


def run_packed(
    work: Work, folder: Path, packs: PackedTraining, share: tuple[int, int] = (0, 1)
) -> Iterator[Evaluation]:
    """Train what is missing in ``folder`` in packs, on a GPU; yields each training once it is on the disk.

    ``packs`` is of ``work.estimate``. With ``share=(i, n)``, only every n-th of the missing trainings, from the i-th:
    n processes at once keep a GPU busy while networks are built. A part tells the GPU. Errors: see `run`.
    """
    import torch

    check_number("share: of", share[1], 1)
    check_number("share: which", share[0], 0, share[1] - 1)
    todo, head = _missing(work, folder)[share[0] :: share[1]], work.head
    if packs.device.startswith("cuda"):
        head["machine"]["device"] = torch.cuda.get_device_name(packs.device)
    with _new_part(folder, head, alone=share[1] == 1) as part:
        for start in range(0, len(todo), packs.networks):
            for evaluation in packs.train(todo[start : start + packs.networks]):
                _write(part, work, evaluation)
                yield evaluation


def _missing(work: Work, folder: Path) -> list[tuple[Arch, int]]:
    with reported(folder):
        folder.mkdir(parents=True, exist_ok=True)
    done = {key for part in parts_of(folder) for key, _ in trainings_in(part, work.head)}
    return [(arch, seed) for arch, seed in work.all() if work.key(arch, seed) not in done]


def measure(work: Work, folder: Path) -> int:
    """Time each architecture once, in this process, in the order of `run`; the number timed now.

    A pass of its own: trainings share cores, caches and the machine with others, or are packed with others, and their
    seconds say so. Interrupted, it goes on where it was. Errors: see `run`.
    """
    from . import Timing

    timing, into = Work(Timing(work.estimate), seeds=1), folder / "timings"
    into.mkdir(parents=True, exist_ok=True)
    done = {text for part in parts_of(into) for (text, _), _ in trainings_in(part, timing.head)}
    todo = [arch for arch, _ in timing.all() if work.estimate.space.to_text(arch) not in done]
    with _new_part(into, timing.head) as part:
        for arch in tqdm(todo, unit="architecture", file=sys.stderr):
            _write(part, timing, timing.estimate(arch))
    return len(todo)


def _write(part: Writing, work: Work, evaluation: Evaluation) -> None:
    row = vars(plain(evaluation)).copy()
    part.append(json.dumps({"arch": work.estimate.space.to_text(row.pop("arch"))} | row).encode() + b"\n")


@contextmanager
def _new_part(folder: Path, head: dict, alone: bool = True) -> Iterator[Writing]:
    """The first free file, for this process alone, with its head.

    `nasviz.lock.Occupied` if ``alone`` and somebody else fills a part of the folder: both would train the same.
    """
    path = _free(folder)
    with Writing(path) as part:
        try:
            for other in parts_of(folder) if alone else ():
                if other != path and other.suffix == ".jsonl":
                    with suppress(PermissionError):
                        Writing(other).close()
        except Occupied:
            path.unlink()
            raise
        part.append(json.dumps(head).encode() + b"\n")
        yield part


def _free(folder: Path) -> Path:
    for number in count():
        path = folder / f"part-{number:03}.jsonl"
        if path.with_suffix(".jsonl.gz").exists():  # packed since: the two would be taken for one part
            continue
        with suppress(FileExistsError), reported(path):
            path.touch(exist_ok=False)
            return path
    raise AssertionError("numbers do not end")


def trainings_in(part: Path, head: dict | None = None) -> Iterator[tuple[Key, dict]]:
    """The trainings in a part. A last line without its end was torn by a kill, and does not count.

    Raises
    ------
    ValueError
        If the file is no part, is damaged, a newer nasviz wrote it, or it is of other work than ``head`` says (the
        machine may differ).
    """
    for number, line in enumerate(_lines(part)):
        try:
            row = json.loads(line)
            if number == 0:
                check_version(part, row["nasviz table"], VERSION)
                its, old = row["estimate"], of_version_one(row, head or {})
            else:
                key = _key(row)
        except OtherVersion:
            raise
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"{part}, line {number + 1}: no line of a table ({error!s:.300})") from None
        if number:
            yield key, row
        elif head and (lines := differences(its, head["estimate"], "estimate", among(estimators), old)):
            raise ValueError(f"{part} is a part of another table: {', '.join(lines):.2000}")


def _key(row: dict) -> Key:
    """What a line is a training of. KeyError or ValueError if it is no training."""
    arch, seed, scores, seconds = (row[name] for name in ("arch", "seed", "scores", "seconds"))
    if not isinstance(arch, str) or type(seed) is not int or seed < 0:
        raise ValueError(f"{arch!r:.60}, {seed!r:.20} are no architecture and its seed, a whole number from 0")
    for name, value in {"seconds": seconds, **scores}.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name}: {value!r:.40} is no number")
    return arch, seed


def _lines(part: Path) -> list[bytes]:
    raw = part.read_bytes()
    try:
        return (gzip.decompress(raw) if part.suffix == ".gz" else raw).split(b"\n")[:-1]
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{part} is damaged ({error})") from None


def parts_of(folder: Path) -> list[Path]:
    """The parts in ``folder``, also those that were packed with gzip since they were finished."""
    return sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")])


def join(parts: Iterable[Path]) -> tuple[list[dict], dict[Key, dict]]:
    """The heads of the parts, and all their trainings, each once, in the order of seeds and texts.

    Raises
    ------
    ValueError
        If parts are of different tables, or disagree on a training: seconds may differ, scores may not (on the same
        kind of machine; who joins different ones has to choose).
    """
    joined: dict[Key, dict] = {}
    heads: list[dict] = []
    for part in parts:
        trainings = list(trainings_in(part, heads[0] if heads else None))
        if not _lines(part):  # killed before its head was whole
            continue
        if not (lines := _lines(part)):  # killed before its first line was whole
            continue
        heads.append(json.loads(lines[0]))
        for key, row in trainings:
            known = joined.setdefault(key, row)
            if not _equal(known["scores"], row["scores"]):
                raise ValueError(f"{part} disagrees with an earlier part on {key[0]:.200}, seed {key[1]}")
    if not heads:
        raise ValueError("no parts to join")
    return heads, {key: joined[key] for key in sorted(joined, key=lambda key: key[::-1])}


def merge(parts: Iterable[Path], out: Path) -> int:
    """Join parts into one, see `join`. Number of trainings. Nothing is written if they do not fit together."""
    heads, joined = join(parts)
    with out.open("x", encoding="utf-8") as file:
        file.write(json.dumps(heads[0]) + "\n")
        file.writelines(json.dumps(row) + "\n" for row in joined.values())
    return len(joined)


def publish(parts: Iterable[Path], out: Path, space: SearchSpace | None = None, timings: Iterable[Path] = ()) -> Table:
    """Join parts into the compact file that `nasviz.estimators.Table` reads; what is missing may stay missing.

    An architecture is in it once it has the trainings of two seeds, if any has: whatever a search finds can then be
    judged by another seed than it saw. With parts of ``timings``, it must have one of those too: its seconds replace
    those of the trainings, which shared the machine, and its latencies become columns. ``space`` is needed for a space
    that nasviz does not know by name. Errors: see `join`, and ValueError for a part that holds something else than
    trainings of that space. The file must not exist yet.
    """
    heads, joined = join(parts)
    try:
        name, machines = heads[0]["estimate"]["space"]["space"], [head["machine"] for head in heads]
    except (KeyError, TypeError):
        raise ValueError("the parts do not say of which space they are, or on which machine they were made") from None
    space = space or named_space(name)
    if space.name != name:
        raise ValueError(f"the parts are of the space {name!r:.60}, not of {space.name!r}")
    about = {
        "estimate": heads[0]["estimate"],
        "machines": [one for i, one in enumerate(machines) if one not in machines[:i]],
    }
    counts = Counter(text for text, _ in joined)
    whole = {text for text, count in counts.items() if count >= min(2, max(counts.values()))}
    timed: dict[str, dict] = {}
    if timings := list(timings):
        heads, of_timings = join(timings)
        about["timing"], about["timed on"] = heads[0]["estimate"], heads[0].get("machine")
        timed = {text: row for (text, _), row in of_timings.items()}
        whole &= timed.keys()

    def training(text: str, row: dict) -> tuple[dict, float]:
        own = timed.get(text, row)
        return row["scores"] | (own["scores"] if timed else {}), own["seconds"]

    trainings = (
        (space.from_text(text), seed, *training(text, row)) for (text, seed), row in joined.items() if text in whole
    )
    table = Table.of(space, trainings, total=len(space.distinct()), about=about)
    table.save(out)
    return table


def _equal(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(a[name] == b[name] or (a[name] != a[name] and b[name] != b[name]) for name in a)


def status(work: Work, folder: Path) -> str:
    """How much of the work is there, seed by seed."""
    total = len(work.estimate.space.distinct())
    done = {key for part in parts_of(folder) for key, _ in trainings_in(part, work.head)}
    counts = [sum(seed == s for _, seed in done) for s in range(work.seeds)]
    return "\n".join(f"seed {s}: {n:,} of {total:,} ({100 * n / total:.1f} %)" for s, n in enumerate(counts))


def share_of(text: str) -> tuple[int, int]:
    """Read ``"1/4"`` of the command line: the second of four, as (1, 4)."""
    which, _, of = text.partition("/")
    count = argument(1)(of)
    return int(argument(0, count - 1)(which)), int(count)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m nasviz.estimators.tabulate", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    told = {
        "run": "train what is missing",
        "status": "how much is there",
        "time": "measure, in FOLDER/timings, what training each would take alone: on a quiet machine, one at a time",
    }
    for name, help in told.items():
        command = commands.add_parser(name, help=help)
        command.add_argument("folder", type=Path)
        command.add_argument("--seeds", type=argument(1), default=2)
        if name == "run":
            command.add_argument(
                "--nice", type=argument(0, 19), default=0, help="0 to 19: how much to stay out of the way"
            )
            command.add_argument("--device", default="cpu", help="a GPU, such as cuda, trains in packs")
            command.add_argument("--networks", type=argument(1), default=500, help="in a pack")
            command.add_argument(
                "--share", type=share_of, default=(0, 1), help="1/4: the second of four processes at once"
            )
    command = commands.add_parser("merge", help="join parts")
    command.add_argument("out", type=Path)
    command.add_argument("parts", type=Path, nargs="+")
    command = commands.add_parser("publish", help="join parts into the compact file that is looked up")
    command.add_argument("parts", type=Path, nargs="+")
    command.add_argument("out", type=Path)
    command.add_argument("--timings", type=Path, help="the folder that `time` filled")
    options = parser.parse_args(arguments)
    if options.command == "merge":
        print(f"{merge(options.parts, options.out):,} trainings in {options.out}")
        return
    if options.command == "publish":
        timings = parts_of(options.timings) if options.timings else []
        print(f"{publish(options.parts, options.out, timings=timings).coverage} in {options.out}")
        return
    from ..spaces import NasBench201
    from . import FULL, PackedTraining, Training

    work = Work(Training(NasBench201(), FULL, test=True, curve=True), options.seeds)
    if options.command == "status":
        print(status(work, options.folder))
        return
    if options.command == "time":
        measure(work, options.folder)
        return
    if options.nice and hasattr(os, "nice"):
        os.nice(options.nice)  # the workers inherit it
        with suppress(OSError):  # Linux weighs sessions first; this is one
            Path("/proc/self/autogroup").write_text(str(options.nice))
    print(status(work, options.folder))
    if options.device == "cpu":
        results = run(work, options.folder)
    else:
        packs = PackedTraining(work.estimate, options.device, options.networks)
        results = run_packed(work, options.folder, packs, options.share)
    total = options.seeds * len(work.estimate.space.distinct()) // options.share[1]
    there = sum(1 for part in parts_of(options.folder) for _ in trainings_in(part)) // options.share[1]
    for _ in tqdm(results, initial=there, total=total, unit="training", file=sys.stderr):
        pass


if __name__ == "__main__":
    main()
