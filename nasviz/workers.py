"""Many evaluations at once: the number of processes, the default pool, and `spread`, which runs evaluations on a pool.

`spread` works with any ``concurrent.futures.Executor`` of this machine. Small files in a temporary folder report
progress and pass on a stop, because an executor has no other channel that threads, forked, spawned and loky processes
all share.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from .estimator import Cancelled, Hook, Progress, curve_wanted, report, watched, watching
from .step import Evaluation

Item = TypeVar("Item")  # what a job is about: an architecture
Result = TypeVar("Result")  # what it says: an evaluation
POLL = 0.1  # seconds between looks at workers: progress at 10 Hz, and a stop acts within a second
_kept: list[tempfile.TemporaryDirectory] = []  # removed when this process ends
WORKER_BYTES = 600e6  # torch, the data and one training: 520 MB measured for a spawned worker
IDLE = 900  # seconds after which an unused pool gives its memory back


def workers() -> int:
    """Return the number of trainings at once: the cores that this process may use, bounded by memory; at least 1.

    The environment variable NASVIZ_WORKERS overrides it; ValueError if it is no whole number from 1 to 1024.
    """
    if asked := os.environ.get("NASVIZ_WORKERS", "").strip():
        if not asked.isdecimal() or not 1 <= int(asked) <= 1024:
            raise ValueError(f"the environment variable NASVIZ_WORKERS must be a whole number from 1, got {asked!r}")
        return int(asked)
    import loky

    cores = loky.cpu_count()  # by affinity mask and container quota, not all of the machine
    return max(1, int(min(cores, available_memory() / WORKER_BYTES)))


def available_memory() -> float:
    """Return the bytes of memory that new processes may take; infinity if the system does not tell."""
    limits = []
    with suppress(ImportError):
        import psutil

        limits.append(psutil.virtual_memory().available)
    if not limits:
        with suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf, other systems other names
            limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # a container's limit; "max" is no number
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        stat = dict(line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines())
        used -= int(stat.get("inactive_file", 0))  # cached files: freed when memory is needed
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()) - used)
    return max(0, min(limits, default=float("inf")))


def default_pool() -> Executor:
    """Return the default pool: loky processes with one torch thread each, kept warm between calls.

    It is loky's because its cloudpickle can send a space that was written in a notebook, and because the next call
    replaces a pool of which a worker was killed.
    """
    import loky

    single = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return loky.get_reusable_executor(max_workers=workers(), timeout=IDLE, env=single, reuse=True)


def capacity(pool: Executor) -> int:
    """Return how many jobs ``pool`` runs at once; it is of ``concurrent.futures``, loky or ``dask.distributed``."""
    if known := getattr(pool, "_max_workers", None):
        return known
    client = getattr(pool, "_client", None)  # executors of dask have it
    return (sum(client.nthreads().values()) if client is not None and hasattr(client, "nthreads") else 0) or workers()


def processor() -> str:
    """Return the name of this machine's processor, as exactly as it is known."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


# ------------------------------------------------------------------------------------------------- one job, in a worker
@dataclass(frozen=True)
class _Channel:
    """Files through which one job talks with the process that handed it out. A missing file means "no news"."""

    folder: str
    index: int
    has_hook: bool  # whether a hook watches in the process that handed it out
    curve: bool  # whether that hook needs the accuracy after each epoch

    @property
    def path(self) -> str:
        return os.path.join(self.folder, f"{self.index}.json")

    @property
    def started(self) -> str:
        return self.path + ".started"

    @property
    def cancel(self) -> str:
        return os.path.join(self.folder, "cancel")

    def write(self, progress: Progress) -> None:
        with suppress(OSError):  # the folder may be gone, or on another machine
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump(asdict(progress), file)
            os.replace(self.path + ".new", self.path)  # a reader sees the old or the new file, never half a file

    def read(self) -> Progress | None:
        try:
            with open(self.path, encoding="utf-8") as file:
                said = json.load(file)
            return Progress(**said | {"arch": tuple(said["arch"])})
        except (OSError, ValueError):
            return None

    def hook(self) -> Hook:
        last = 0.0

        def tell(progress: Progress) -> None:
            nonlocal last
            if (now := time.monotonic()) - last < POLL and progress.batch:
                return
            last = now
            if os.path.exists(self.cancel):
                raise Cancelled
            if self.has_hook:
                self.write(replace(progress, index=self.index))

        return tell


def _work(job: Callable[..., Result], arch: Item, channel: _Channel, **options) -> Result:
    """Run one job in a worker. The function is at module level so that a spawned process finds it."""
    if os.path.exists(channel.cancel):
        raise Cancelled
    with suppress(OSError):
        open(channel.started, "w").close()
    try:
        with watching(channel.hook(), channel.curve):
            return job(arch, **options)
    finally:
        with suppress(OSError):  # if a worker is killed, this file stays and marks its job
            os.remove(channel.started)


# ------------------------------------------------------------------------------- all jobs, in the process that asked
def spread(
    job: Callable[..., Result],
    archs: Iterable[Item],
    *,
    executor: Executor | None = None,
    epochs: int | None = None,
    seed: int = 0,
    text: Callable[[Item], str] = str,
) -> Generator[Result, None, None]:
    """Yield ``job(arch, epochs=epochs, seed=seed + i)`` for each architecture, run on an executor, in order.

    It is lazy: no job starts before the first ``next``, and at most two architectures a worker are read from ``archs``
    before their turn. The hook of the thread that calls ``next`` gets the progress of all running jobs. While the hook
    blocks, jobs that were handed out go on. If it raises, or the generator is closed, waiting jobs are dropped and
    running jobs stop at their next batch.

    Parameters
    ----------
    job : callable
        It is sent to the workers: a picklable object for a spawn pool, anything that cloudpickle can send for loky.
    executor : Executor, optional
        `default_pool` if None. It is not shut down. Jobs also work on other machines (a dask cluster), but there they
        report no progress before they end, and a stop does not reach running jobs.
    text : callable
        Function that writes an architecture in messages.

    Raises
    ------
    RuntimeError
        If the worker of an architecture died twice. After the first death there is only a warning, and the running
        architectures are tried again, one at a time on a fresh pool; this shows which one kills its worker.
    """
    queue: _Queue[Item, Result] = _Queue(job, executor, epochs, seed, text)
    todo = enumerate(archs)
    try:
        while True:
            while len(queue.waiting) < queue.window and (item := next(todo, None)) is not None:
                queue.submit(*item)
            if not queue.waiting:
                return
            yield queue.first()
    finally:
        queue.close()


class _Queue(Generic[Item, Result]):
    """The jobs whose results were not taken yet, oldest first."""

    def __init__(
        self,
        job: Callable[..., Result],
        executor: Executor | None,
        epochs: int | None,
        seed: int,
        text: Callable[[Item], str],
    ):
        self.job, self.executor, self.epochs, self.seed, self.text = job, executor, epochs, seed, text
        self.pool = executor or default_pool()
        self.window = 2 * capacity(self.pool)
        self.waiting: deque[tuple[int, Item, Future | None]] = deque()  # without a future: to be tried again, alone
        self.last_progress: dict[int, Progress] = {}  # of each job, the report that was passed on last
        self.folder = tempfile.TemporaryDirectory(prefix="nasviz-", ignore_cleanup_errors=True)

    def channel(self, index: int) -> _Channel:
        return _Channel(self.folder.name, index, watched(), curve_wanted())

    def hand_out(self, index: int, arch: Item) -> Future:
        with suppress(OSError):
            os.remove(self.channel(index).started)  # from an earlier try
        channel, seed = self.channel(index), self.seed + index
        return self.pool.submit(_work, self.job, arch, channel, epochs=self.epochs, seed=seed)

    def submit(self, index: int, arch: Item) -> None:
        try:
            future = self.hand_out(index, arch)
        except (BrokenExecutor, RuntimeError) as error:
            if self.executor and not isinstance(error, BrokenExecutor):
                raise  # the caller shut its pool down: no other pool may replace it
            self.renew()
            future = self.hand_out(index, arch)
        self.waiting.append((index, arch, future))

    def first(self) -> Result:
        """Wait for the oldest job, and return its result."""
        while True:
            index, arch, future = self.waiting[0]
            try:
                result = self.try_alone(index, arch) if future is None else self.listen(future)
            except BrokenExecutor as death:
                self.recover(death)
            else:
                self.waiting.popleft()
                self.last_progress.pop(index, None)
                return result

    def listen(self, future: Future) -> Result:
        """Wait for the result of ``future`` and return it; meanwhile pass on the progress of the running jobs."""
        while not future.done():
            wait([future], timeout=POLL)
            for index, _, _ in self.waiting if watched() else ():
                progress = self.channel(index).read()
                if progress and progress != self.last_progress.get(index):
                    self.last_progress[index] = progress
                    report(progress)
        return future.result()

    def recover(self, death: BrokenExecutor) -> None:
        """Repair the queue after the death of a worker, which breaks its pool.

        Jobs that were running will be tried again alone; the others are resubmitted. The job that killed the worker is
        not known: a pool fails all running jobs alike.
        """
        wait([future for _, _, future in self.waiting if future], timeout=10)  # a pool fails its jobs one by one
        lost = {i: a for i, a, future in self.waiting if future and _failed(future)}
        begun = {i for i in lost if os.path.exists(self.channel(i).started)}
        suspects = begun or set(lost)
        warnings.warn(
            f"a worker process died ({type(death).__name__}) during the evaluation of "
            f"{', '.join(self.text(lost[i]) for i in sorted(suspects))}: trying again. "
            "If memory is short, set the environment variable NASVIZ_WORKERS to fewer workers.",
            RuntimeWarning,
            stacklevel=4,
        )
        self.renew()
        for place, (i, arch, _) in enumerate(self.waiting):
            if i in lost:
                self.waiting[place] = i, arch, None if i in suspects else self.hand_out(i, arch)

    def try_alone(self, index: int, arch: Item) -> Result:
        """Try a job again while no other job runs: if a worker dies again, this architecture is the reason."""
        for other in [future for _, _, future in self.waiting if future]:
            with suppress(Exception):  # the error is raised again at the job's turn
                self.listen(other)
        future = self.hand_out(index, arch)
        self.waiting[0] = index, arch, future
        try:
            return self.listen(future)
        except BrokenExecutor as death:
            raise RuntimeError(
                f"the worker process that evaluated {self.text(arch)} died twice ({type(death).__name__}: {death}). "
                "Either it needs more memory than there is, or evaluating it crashes Python: evaluate it without "
                "many() to see which."
            ) from death

    def renew(self) -> None:
        """Use a fresh default pool, because a broken pool of the caller cannot be built again from here."""
        self.pool = default_pool()

    def close(self) -> None:
        """Drop waiting jobs, stop running jobs, and remove the folder once no job reads it any more."""
        if any(not future.done() for _, _, future in self.waiting if future):
            with suppress(OSError):
                open(os.path.join(self.folder.name, "cancel"), "w").close()
            running = [future for _, _, future in self.waiting if future and not future.cancel()]
            end = time.monotonic() + 5
            wait(running, timeout=5)
            # A cluster reports running jobs as cancelled too: only the job's own file tells when it has ended.
            begun = [self.channel(index).started for index, _, _ in self.waiting]
            while time.monotonic() < end and any(map(os.path.exists, begun)):
                time.sleep(POLL / 2)
            if not hasattr(self.pool, "_max_workers"):
                _kept.append(self.folder)  # a cluster may still begin dropped jobs, which look here first
                return
        self.folder.cleanup()


def _failed(future: Future) -> bool:
    return future.done() and (future.cancelled() or isinstance(future.exception(), BrokenExecutor))


def bar(results: Iterable[Evaluation], total: int | None) -> Iterator[Evaluation]:
    """Yield ``results`` with a tqdm bar on standard error, for scripts."""
    from tqdm import tqdm

    yield from tqdm(results, total=total, unit="architecture", file=sys.stderr)
