"""Limits of a process in which somebody's code runs, and its end with all that it has started.

What the system offers is used, and what holds where is said in docs/grading.md:

- Linux and macOS: CPU seconds, size of a file, number of processes; a session of its own.
- Linux: memory; whatever it started is found and ended, also what hid from its session.
- Linux, for who is root: a user of its own, so that its processes are counted apart, and no file of yours is its own.
- Windows: the clock alone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...ranges import check_fields, ranged

LINUX = sys.platform == "linux"
FORKS = LINUX and hasattr(os, "fork")  # elsewhere a fork after the first computation may crash
USERS, MOST_USERS = 60_600, 500  # users that nobody has, one for each judge; systemd gives out none of these
SUBREAPER, KEEP_CAPABILITIES = 36, 8  # prctl(2): PR_SET_CHILD_SUBREAPER, PR_SET_KEEPCAPS
CAPABILITIES, READ_ALL = 0x20080522, 1 << 2  # capabilities(7): version 3; CAP_DAC_READ_SEARCH


@dataclass(frozen=True)
class User:
    """A user for somebody's code: its number, and whether it may read all files, as who is root may."""

    number: int
    reads_all: bool


@dataclass(frozen=True)
class Limits:
    """What an exercise may use.

    Attributes
    ----------
    cpu, wall : float
        Seconds of computing, and of the clock.
    memory : float
        GB beyond what the package itself takes.
    disk : float
        MB of a file that it writes.
    processes : int
        How many processes and threads it may have at once.
    """

    cpu: float = ranged(20, 0.1, whole=False)
    wall: float = ranged(60, 0.1, whole=False)
    memory: float = ranged(2, 0.1, whole=False)
    disk: float = ranged(16, 0, whole=False)
    processes: int = ranged(64, 1)

    def __post_init__(self):
        check_fields(self)


def adopt_orphans() -> None:
    """Let processes whose parent has ended become this one's children, so that they can be found and ended."""
    if LINUX:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def own_user() -> User | None:
    """A user for somebody's code, if this process may give it one; it must be able to read Python's own files.

    It is this process's alone for as long as that lives: its processes are ended by their user.
    """
    if not FORKS or os.geteuid() != 0 or (number := _free_user()) is None:
        return None
    for user in (User(number, False), User(number, True)):
        if (pid := os.fork()) == 0:  # tried where it does no harm
            with suppress(BaseException):
                _become(user)
                for name in ("os", "numpy", "nasviz.paths"):
                    Path(sys.modules[name].__file__ or "").read_bytes()
                os._exit(0)
            os._exit(1)
        if os.waitpid(pid, 0)[1] == 0:
            return user
    return None


_taken: list[socket.socket] = []  # held open: an address in Linux's abstract namespace is a lock that a kill releases


def _free_user() -> int | None:
    """The number of a user that no other grading on this machine has."""
    for number in range(USERS, USERS + MOST_USERS):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0nasviz-user-{number}")
        except OSError:
            lock.close()
            continue
        _taken.append(lock)
        return number
    return None


def confine(limits: Limits, user: User | None, folder: str, bare: bool = False) -> None:
    """Take the limits upon this process: it never gets rid of them. ``bare``: from now on it has no files."""
    os.chdir(folder)
    os.environ.update(HOME=folder, TMPDIR=folder, PATH=os.defpath)
    if sys.platform == "win32":
        _without_files(bare)
        return
    import resource

    with suppress(OSError):
        os.setsid()
    cpu = int(limits.cpu) + 1
    _limit(resource.RLIMIT_CPU, cpu)
    _limit(resource.RLIMIT_FSIZE, int(limits.disk * 2**20))
    _limit(resource.RLIMIT_CORE, 0)
    if LINUX:
        _limit(resource.RLIMIT_AS, _memory() + int(limits.memory * 2**30))
    _limit(resource.RLIMIT_NPROC, limits.processes + (0 if user else _count(os.getuid())))
    if bare and FORKS and os.geteuid() == 0:
        os.chroot(folder)
        os.chdir("/")
        user = User(user.number, False) if user else None
    if user:
        _become(user)
    _without_files(bare)


# What Python tells before it does it; the last ones run other programs, or what is no Python.
KEPT_OUT = ("open", "os.listdir", "os.scandir", "mmap.", "socket.", "shutil.", "ctypes.", "subprocess.", "os.system",
            "os.exec", "os.posix_spawn", "os.fork", "os.startfile")  # fmt: skip


def _without_files(bare: bool) -> None:
    """Let Python open no file in this process any more, and start no other. A hook of this kind cannot be removed."""
    if not bare:
        return

    def hook(event: str, arguments: tuple) -> None:
        if event.startswith(KEPT_OUT):
            raise PermissionError(f"there are no files and no other processes here ({event})")

    sys.addaudithook(hook)


def _become(user: User) -> None:
    """Be another user, for good. Where Python lies in root's home, it may go on reading, and nothing else."""
    number = user.number
    if user.reads_all:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(KEEP_CAPABILITIES, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(number, number, number)
    os.setresuid(number, number, number)
    if user.reads_all:
        head = (ctypes.c_uint32 * 2)(CAPABILITIES, 0)
        kept = (ctypes.c_uint32 * 6)(READ_ALL, READ_ALL, 0, 0, 0, 0)  # effective, permitted, inheritable; low, high
        if libc.capset(head, kept):
            raise OSError(ctypes.get_errno(), "capset")


def _limit(what: int, most: int) -> None:
    import resource

    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with suppress(OSError, ValueError):  # a system that does not know it
        resource.setrlimit(what, (most, most))


def _memory() -> int:
    """Bytes of addresses that this process has."""
    pages = Path("/proc/self/statm").read_text().split()[0]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _count(user: int) -> int:
    """Processes and threads of a user, on Linux; elsewhere a number that few reach."""
    if not LINUX:
        return 1000
    found = 0
    for pid in _pids():
        with suppress(OSError, ValueError):
            if os.stat(f"/proc/{pid}").st_uid == user:
                found += len(os.listdir(f"/proc/{pid}/task"))
    return found


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


# ------------------------------------------------------------------------------------------------------------ the end
def end(pid: int, user: User | None = None) -> None:
    """End a process and all that it has started.

    Parameters
    ----------
    pid : int
    user : User, optional
        The one that only its processes have.
    """
    with suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    if user:
        _end_user(user)
    for _ in range(100):  # this process has called `adopt_orphans`: they are below it
        below = list(descendants(os.getpid())) if LINUX else []
        for one in below:
            with suppress(OSError):
                os.kill(one, signal.SIGKILL)
        _reap()
        if not below:
            return
        time.sleep(0.001)


def end_below(pid: int) -> None:
    """End what another process of ours has started, after stopping it, so that it starts nothing more."""
    with suppress(OSError):
        os.kill(pid, signal.SIGSTOP)
    for _ in range(100):
        below = list(descendants(pid))
        for one in below:
            with suppress(OSError):
                os.kill(one, signal.SIGKILL)
        if not below:
            return
        time.sleep(0.001)


def _end_user(user: User) -> None:
    """End all processes of a user at once: none of them can start another meanwhile."""
    if (pid := os.fork()) == 0:
        with suppress(BaseException):
            _become(user)
            os.kill(-1, signal.SIGKILL)  # all but this one
        os._exit(0)
    with suppress(OSError):
        os.waitpid(pid, 0)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def descendants(pid: int) -> Iterator[int]:
    """The living processes below one, on Linux."""
    below: dict[int, list[int]] = {}
    for one in _pids():
        with suppress(OSError, ValueError, IndexError):
            state, parent = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                below.setdefault(int(parent), []).append(one)
    todo = [pid]
    while todo:
        found = below.get(todo.pop(), [])
        todo += found
        yield from found
