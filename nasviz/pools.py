"""Where work is done: how many processes at once, and the pool that is used where none is given."""

from __future__ import annotations

import os
import platform
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path

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
