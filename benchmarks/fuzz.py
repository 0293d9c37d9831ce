"""10,000 damaged inputs for each reader: only documented errors, none slower than a second, memory bounded.

    python benchmarks/fuzz.py [--inputs 10000] [--only WORD] [--part 0/4]

What is damaged, and how, is in tests/fuzz.py. Each reader runs in a process of its own, so that its memory is its own:
the column says by how much the process grew beyond what it took before. The slowest input is in seconds of the
processor. A line below the table says each input that went wrong, by its seed.
"""

import argparse
import multiprocessing
import sys
import tempfile
from pathlib import Path
from queue import Empty

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the fuzzer

import fuzz  # noqa: E402


def grown() -> float:
    """The most memory that this process has had, in MB; nan where the system does not say."""
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)


def attack(name: str, count: int, answer) -> None:
    """What one process does: warm up with the good inputs, then give the damaged ones."""
    reader, outcome = fuzz.readers()[name], fuzz.Outcome()
    with tempfile.TemporaryDirectory() as folder:
        for raw in reader.good():
            fuzz.one(reader, Path(folder), -1, raw, fuzz.Outcome())
        before = grown()
        outcome = fuzz.attacked(reader, Path(folder), range(count))
    answer.put((outcome.accepted, outcome.refused, outcome.slowest, grown() - before, outcome.wrong[:20]))


def main(count: int, only: str, part: str) -> None:
    """Attack the readers whose names hold ``only``: of n parts, the i-th."""
    at, of = map(int, part.split("/"))
    names = [name for name in fuzz.readers() if only in name][at::of]
    print("| reader | inputs | read | refused | undocumented | slowest, s | grew, MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    wrong = []
    context = multiprocessing.get_context("spawn")
    for name in names:
        queue = context.Queue()
        process = context.Process(target=attack, args=(name, count, queue))
        process.start()
        while True:
            try:
                accepted, refused, slowest, memory, found = queue.get(timeout=1)
                break
            except Empty:
                if not process.is_alive():  # killed for its memory, or crashed: what came out cannot be known
                    raise SystemExit(f"{name}: its process ended with {process.exitcode} and no answer") from None
        process.join()
        undocumented = count - accepted - refused
        print(
            f"| {name} | {count:,} | {accepted:,} | {refused:,} | {undocumented} | {slowest:.2f} | {memory:.0f} |",
            flush=True,
        )
        wrong += [f"{name}, seed {seed}: {why}" for seed, why, _ in found]
    print("\n".join(wrong))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--part", default="0/1", help="1/4: the second of four parts")
    options = parser.parse_args()
    main(options.inputs, options.only, options.part)
