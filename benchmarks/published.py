"""Seconds and memory that published files take to read, each in a process of its own.

    python benchmarks/published.py [FOLDER]

Files are looked for in FOLDER, or where `python -m nasviz tables` looks. Seconds are of the processor, without imports;
the memory is the most that the whole process has had.
"""

import multiprocessing
import resource
import sys
import time

ASKED = (
    ("nasbench201", "cifar10", ()),
    ("nasbench201", "cifar100", ()),
    ("nasbench201", "cifar10", ("hardware",)),
    ("nasbench201", "cifar10", ("hardware", "devices", "zero-cost", "12 epochs", "robustness")),
    ("nasbench-macro", "cifar10", ()),
    ("nasbench101", "cifar10", ()),
)


def read(folder: str | None, asked: tuple, answer) -> None:
    """What one process does: read one table, and say what it took."""
    from nasviz.estimators import Table

    benchmark, dataset, also = asked
    before = time.process_time()
    try:
        table = Table.published(benchmark, folder, dataset, also)
    except FileNotFoundError as error:
        answer.put(str(error))
        return
    spent = time.process_time() - before
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)
    answer.put((len(table.archs), len(table.columns), spent, most))


def main(folder: str | None) -> None:
    """Read each table and print a row."""
    print("| benchmark | data set | also | rows | columns | s | MB |")
    print("| --- | --- | --- | ---: | ---: | ---: | ---: |")
    context = multiprocessing.get_context("spawn")
    for asked in ASKED:
        queue = context.Queue()
        process = context.Process(target=read, args=(folder, asked, queue))
        process.start()
        said = queue.get()
        process.join()
        benchmark, dataset, also = asked
        if isinstance(said, str):
            print(f"| {benchmark} | {dataset} | {', '.join(also)} | {said} |")
            continue
        rows, columns, seconds, memory = said
        print(f"| {benchmark} | {dataset} | {', '.join(also)} | {rows:,} | {columns} | {seconds:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
