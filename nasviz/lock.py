"""One writer a file: a lock on what is being written, given back by whatever ends its process; and its whole lines.

The system holds the lock on the file itself, so that two names of one file (a link, a relative path) are one, nothing
lies beside the file, and a kill gives it back. Reading needs none. Who holds a lock stands in a note among the system's
temporary files.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import platform
import sys
import tempfile
import time
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FAR = 2**40  # on Windows a locked byte cannot be read: this one lies beyond the end of every file
FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
ROOM, RIGHT = "Make room on the disk", "Choose a file name in a folder where you may write"
REMEDIES = {
    errno.ENOSPC: ROOM, getattr(errno, "EDQUOT", errno.ENOSPC): ROOM, errno.EFBIG: ROOM,
    errno.EACCES: RIGHT, errno.EPERM: RIGHT, errno.EROFS: RIGHT,
}  # fmt: skip
HAND_IN = 10.0  # seconds that a short writer waits for another


class Occupied(RuntimeError, ValueError):
    """Somebody else writes the file: the message says who, and what to do."""


class Writing:
    """The right to write a file, for this object alone: among threads, processes and kernels of this machine.

    Parameters
    ----------
    path : path
        The file; an empty one is made if it is not there, and removed again if nothing was written to it.
    wait : float
        Seconds to wait for another writer.

    Raises
    ------
    Occupied
        If somebody else writes the file.
    OSError
        If the file cannot be opened for writing: the message says what to do.

    Examples
    --------
    >>> with Writing("run.jsonl"):  # doctest: +SKIP
    ...     ...
    """

    def __init__(self, path: str | Path, wait: float = 0.0):
        self._fd: int | None = None
        self.path = Path(path)
        with reported(self.path):
            self._made = not self.path.exists()
        end = time.monotonic() + wait
        while not self._take():
            if time.monotonic() >= end:
                gc.collect()  # a loop that was dropped half way may wait to be collected, and its lock with it
                if self._take():
                    break
                raise Occupied(_who(self.path))
            time.sleep(0.02)
        _held.add(self)
        self._tell()

    def _take(self) -> bool:
        while True:
            with reported(self.path):
                fd = os.open(self.path, FLAGS, 0o666)
            try:
                if not _locked(fd):
                    os.close(fd)
                    return False
                if not _is_at(fd, self.path):  # renamed or removed since it was opened
                    os.close(fd)
                    continue
            except BaseException:
                os.close(fd)
                raise
            self._fd = fd
            return True

    def _tell(self) -> None:
        with suppress(OSError):  # the lock holds without its note
            self._note = _note(os.fstat(self._fd))  # type: ignore[arg-type]  # it is open
            said = {"pid": os.getpid(), "host": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
            self._note.parent.mkdir(mode=0o700, exist_ok=True)
            if not hasattr(os, "getuid") or self._note.parent.lstat().st_uid == os.getuid():
                self._note.write_text(json.dumps(said), "utf-8")

    def append(self, line: bytes) -> None:
        """Add a line at the end: whole, or not at all.

        A file that was removed meanwhile is put back, with all that was on it.

        Raises
        ------
        OSError
            If the disk is full, or does not take it for another reason: what to do.
        """
        done, fd = 0, self._open_fd
        try:
            if not os.fstat(fd).st_nlink and os.name != "nt":  # Windows removes no open file
                self._put_back()
                fd = self._open_fd
            done = os.write(fd, line)
            while done < len(line):
                done += os.write(fd, line[done:])
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._open_fd, self.size - done)
            raise _told(self.path, error) from error

    def cut(self, size: int) -> None:
        """Keep the first ``size`` bytes only: what a kill tore off goes. Errors: `append`."""
        with reported(self.path):
            os.ftruncate(self._open_fd, size)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return os.fstat(self._open_fd).st_size

    @property
    def _open_fd(self) -> int:
        if self._fd is None:
            raise ValueError(f"{self.path} is closed: this process does not write it any more")
        return self._fd

    def _put_back(self) -> None:
        with open(os.dup(self._open_fd), "rb") as old:
            old.seek(0)
            raw = old.read()
        if self.path.exists():
            raise FileExistsError(errno.EEXIST, "it was removed meanwhile, and another file stands there")
        before = self._open_fd
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self._take():
            raise Occupied(_who(self.path))
        os.close(before)
        self._tell()
        self.append(raw)
        warnings.warn(f"{self.path} was removed while it is being written: it is there again, whole", stacklevel=4)

    def close(self) -> None:
        """Give the right back. Again, it does nothing."""
        _held.discard(self)
        fd, self._fd = self._fd, None
        if fd is None:
            return
        with suppress(OSError, AttributeError):
            self._note.unlink()
        with suppress(OSError):
            if self._made and not os.fstat(fd).st_size and os.name != "nt":
                self.path.unlink()
        _unlock(fd)
        os.close(fd)

    __del__ = close

    def __enter__(self) -> Writing:
        return self

    def __exit__(self, *_):
        self.close()


_held: weakref.WeakSet[Writing] = weakref.WeakSet()


def _forget_in_child() -> None:
    """Close a forked child's copies, or the child would keep the locks of a parent that was killed."""
    for one in list(_held):
        fd, one._fd = one._fd, None
        if fd is not None:
            os.close(fd)
    _held.clear()


if sys.platform == "win32":
    import msvcrt

    def _locked(fd: int) -> bool:
        os.lseek(fd, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(fd: int) -> None:
        with suppress(OSError):
            os.lseek(fd, FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    os.register_at_fork(after_in_child=_forget_in_child)

    def _locked(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:  # a file system without locks: better written without than not at all
            warnings.warn(
                f"this file system has no locks ({error}): let one process at a time write here", stacklevel=5
            )
        return True

    def _unlock(fd: int) -> None:
        """Closing gives the lock back."""


@contextmanager
def reported(path: str | Path) -> Iterator[None]:
    """Say of an OSError inside the block which file it is about, why it is not written, and what to do."""
    try:
        yield
    except OSError as error:
        raise _told(path, error) from error


def _told(path: str | Path, error: OSError) -> OSError:
    remedy = REMEDIES.get(error.errno or 0, "Choose another file name, or mend the folder")
    why = f"{error.strerror or error}. {remedy}"
    return OSError(
        error.errno or errno.EIO, f"{path} cannot be written: {why}, and begin again: what stands there is kept"
    )


def same_file(one: Path, other: Path) -> bool:
    """Return whether two paths name one file, be it there or not."""
    with suppress(OSError):
        return os.path.samefile(one, other)
    return one.resolve() == other.resolve()


def _is_at(fd: int, path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(fd), os.stat(path))
    return False


def _note(stat: os.stat_result) -> Path:
    """Where it stands who writes the file with this number."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    return Path(tempfile.gettempdir(), f"nasviz-writers-{user}", f"{stat.st_dev}-{stat.st_ino}.json")


def _who(path: Path) -> str:
    """Say who writes ``path``."""
    try:
        said = json.loads(_note(os.stat(path)).read_text("utf-8"))
        pid, who = said["pid"], f"process {said['pid']} on {said['host']}, since {said['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        pid, who = None, "it left no note: perhaps on another machine"
    if pid == os.getpid():
        return (
            f"{path}: another run, race or player of this process writes this record ({who}). Close it first "
            "(player.close(), or the loop that is not finished), or choose another file name"
        )
    return (
        f"{path}: another process writes this record ({who}). Let it end, or stop it (a notebook: shut its kernel "
        "down), or choose another file name"
    )
