"""How many threads torch computes with."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch


@contextmanager
def threads(count: int) -> Iterator[None]:
    """``count`` torch threads within, as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_thread() -> AbstractContextManager[None]:
    """One torch thread within.

    On small networks more threads only wait for each other, and another number of threads adds in another order, which
    would make a result depend on the machine's cores.
    """
    return threads(1)
