"""Many evaluations at once: how many processes, the pool that is used where none is given, and `spread` over it.

`spread` runs evaluations on any ``concurrent.futures.Executor`` of this machine. Progress comes back, and Stop goes
out, through small files in a temporary folder, because an executor has no other channel that threads, forked,
spawned and loky processes all share.
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
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .estimator import Cancelled, Hook, Progress, curve_wanted, report, watched, watching
from .space import Arch
from .step import Evaluation

POLL = 0.1  # seconds between looks at workers: progress at 10 Hz, Stop acts well within a second
_kept: list[tempfile.TemporaryDirectory] = []  # removed when this process ends
WORKER_BYTES = 600e6  # torch, the data and one training: 520 MB measured for a spawned worker
IDLE = 900  # seconds after which an unused pool gives its memory back


def workers() -> int:
    """How many trainings at once: the cores that this process may use, bounded by memory; at least 1.

    The environment variable NASVIZ_WORKERS overrides; ValueError if it is no whole number from 1 to 1024.
    """
    if asked := os.environ.get("NASVIZ_WORKERS", "").strip():
        if not asked.isdecimal() or not 1 <= int(asked) <= 1024:
            raise ValueError(f"the environment variable NASVIZ_WORKERS must be a whole number from 1, got {asked!r}")
        return int(asked)
    import loky

    cores = loky.cpu_count()  # by affinity mask and container quota, not what the machine has
    return max(1, int(min(cores, available_memory() / WORKER_BYTES)))


def available_memory() -> float:
    """Bytes of memory that new processes may take; infinity where the system does not say."""
    limits = []
    with suppress(ImportError):
        import psutil

        limits.append(psutil.virtual_memory().available)
    if not limits:
        with suppress(AttributeError, ValueError, OSError):  # no sysconf on Windows, other names on other systems
            limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # a container's limit; "max" is no number
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        stat = dict(line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines())
        used -= int(stat.get("inactive_file", 0))  # cached files, given up when memory is asked for
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()) - used)
    return max(0, min(limits, default=float("inf")))


def default_pool() -> Executor:
    """The pool that is used where none is given: loky processes, one torch thread each, kept warm between calls.

    loky, because its cloudpickle takes a space that was written in a notebook, and because a pool of which a worker
    was killed is replaced by the next call.
    """
    import loky

    single = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return loky.get_reusable_executor(max_workers=workers(), timeout=IDLE, env=single, reuse=True)


def capacity(pool: Executor) -> int:
    """How many jobs ``pool`` works on at once, be it of ``concurrent.futures``, loky or ``dask.distributed``."""
    if known := getattr(pool, "_max_workers", None):
        return known
    client = getattr(pool, "_client", None)  # dask's
    return (sum(client.nthreads().values()) if hasattr(client, "nthreads") else 0) or workers()


def processor() -> str:
    """The name of this machine's processor, as well as it is known."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


# ------------------------------------------------------------------------------------------------- one job, in a worker
@dataclass(frozen=True)
class _Channel:
    """Files through which one job talks with the process that asked. All may be missing: then nothing is said."""

    folder: str
    index: int
    told: bool  # whether somebody watches at the other end
    curve: bool  # and wants the accuracy after each epoch

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
            os.replace(self.path + ".new", self.path)  # a reader sees the old one or the new one, never half of one

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
            if self.told:
                self.write(replace(progress, index=self.index))

        return tell


def _work(job: Callable, arch: Arch, channel: _Channel, **options):
    """What a worker runs. Module level, so that a spawned process finds it."""
    if os.path.exists(channel.cancel):
        raise Cancelled
    with suppress(OSError):
        open(channel.started, "w").close()
    try:
        with watching(channel.hook(), channel.curve):
            return job(arch, **options)
    finally:
        with suppress(OSError):  # what a killed worker leaves behind says that this job was running
            os.remove(channel.started)


# ----------------------------------------------------------------------------------------------- all jobs, in the asker
def spread(
    job: Callable[..., Evaluation],
    archs: Iterable[Arch],
    *,
    executor: Executor | None = None,
    epochs: int | None = None,
    seed: int = 0,
    text: Callable[[Arch], str] = str,
) -> Iterator[Evaluation]:
    """``job(arch, epochs=epochs, seed=seed + i)`` for each architecture, on an executor, in the order asked.

    Lazy: nothing starts before the first ``next``, and at most two architectures a worker are pulled from ``archs``
    ahead of what was taken. The hook of the thread that calls ``next`` hears the progress of all running jobs; while
    it blocks, jobs that were handed out go on. If it raises, or the generator is closed, jobs that wait are dropped
    and those that run stop at their next batch.

    Parameters
    ----------
    job : callable
        Must travel to the workers: a picklable object for a spawn pool, anything that cloudpickle takes for loky.
    executor : Executor, optional
        `default_pool` if None. It is not shut down. On other machines (a dask cluster) jobs work as well, but are not
        heard before they end, and Stop does not reach those that run.
    text : callable
        How messages name an architecture.

    Raises
    ------
    RuntimeError
        If the worker of an architecture died twice. The first death is a warning: the architectures that were being
        evaluated are tried again, one at a time on a fresh pool, so that the one at fault is known for certain.
    """
    queue = _Queue(job, executor, epochs, seed, text)
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


class _Queue:
    """The jobs handed out and not yet taken, oldest first."""

    def __init__(self, job, executor, epochs, seed, text):
        self.job, self.executor, self.epochs, self.seed, self.text = job, executor, epochs, seed, text
        self.pool = executor or default_pool()
        self.window = 2 * capacity(self.pool)
        self.waiting: deque[tuple[int, Arch, Future | None]] = deque()  # no future: to be tried again, alone
        self.heard: dict[int, Progress] = {}
        self.folder = tempfile.TemporaryDirectory(prefix="nasviz-", ignore_cleanup_errors=True)

    def channel(self, index: int) -> _Channel:
        return _Channel(self.folder.name, index, watched(), curve_wanted())

    def hand_out(self, index: int, arch: Arch) -> Future:
        with suppress(OSError):
            os.remove(self.channel(index).started)  # of an earlier try
        options = {"epochs": self.epochs, "seed": self.seed + index}
        return self.pool.submit(_work, self.job, arch, self.channel(index), **options)

    def submit(self, index: int, arch: Arch) -> None:
        try:
            future = self.hand_out(index, arch)
        except (BrokenExecutor, RuntimeError) as error:
            if self.executor and not isinstance(error, BrokenExecutor):
                raise  # the caller's pool was shut down: say so rather than go elsewhere
            self.renew()
            future = self.hand_out(index, arch)
        self.waiting.append((index, arch, future))

    def first(self) -> Evaluation:
        """The result of the oldest job, waiting for it."""
        while True:
            index, arch, future = self.waiting[0]
            try:
                result = self.alone(index, arch) if future is None else self.listen(future)
            except BrokenExecutor as death:
                self.recover(death)
            else:
                self.waiting.popleft()
                self.heard.pop(index, None)
                return result

    def listen(self, future: Future) -> Evaluation:
        """The result of ``future``; until it is there, passes on what the running jobs report."""
        while not future.done():
            wait([future], timeout=POLL)
            for index, _, _ in self.waiting if watched() else ():
                progress = self.channel(index).read()
                if progress and progress != self.heard.get(index):
                    self.heard[index] = progress
                    report(progress)
        return future.result()

    def recover(self, death: BrokenExecutor) -> None:
        """A worker died, and with it its pool: what was running will be tried again alone, the rest is resubmitted.

        Which of the running ones killed the worker cannot be known: a pool fails all of them alike.
        """
        wait([future for _, _, future in self.waiting if future], timeout=10)  # it fails them one after the other
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

    def alone(self, index: int, arch: Arch) -> Evaluation:
        """A second try, with no other job running: if a worker dies again, this architecture is the reason."""
        for other in [future for _, _, future in self.waiting if future]:
            with suppress(Exception):  # raised again when its turn comes
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
        """A fresh pool. A broken one that was given cannot be built again from outside: the default one steps in."""
        self.pool = default_pool()

    def close(self) -> None:
        """Drop what waits, stop what runs, and remove the folder once nobody reads it any more."""
        if any(not future.done() for _, _, future in self.waiting if future):
            with suppress(OSError):
                open(os.path.join(self.folder.name, "cancel"), "w").close()
            running = [future for _, _, future in self.waiting if future and not future.cancel()]
            end = time.monotonic() + 5
            wait(running, timeout=5)
            # A cluster calls a job cancelled that is still running: the job itself tells when it has ended.
            begun = [self.channel(index).started for index, _, _ in self.waiting]
            while time.monotonic() < end and any(map(os.path.exists, begun)):
                time.sleep(POLL / 2)
            if not hasattr(self.pool, "_max_workers"):
                _kept.append(self.folder)  # and may begin others that it was told to drop: they look here first
                return
        self.folder.cleanup()


def _failed(future: Future) -> bool:
    return future.done() and (future.cancelled() or isinstance(future.exception(), BrokenExecutor))


def bar(results: Iterable[Evaluation], total: int | None) -> Iterator[Evaluation]:
    """``results`` with a tqdm bar on standard error, for scripts."""
    from tqdm import tqdm

    yield from tqdm(results, total=total, unit="architecture", file=sys.stderr)
