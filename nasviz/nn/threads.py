"""Set the number of threads that torch computes with."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from ..ranges import check_number


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use ``count`` torch threads inside the ``with`` block, and the earlier number after it. 1 or more."""
    check_number("threads", count, 1)
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_thread() -> AbstractContextManager[None]:
    """Use one torch thread inside the ``with`` block.

    On small networks more threads only wait for each other. Another number of threads also adds in another order, so
    that a result would depend on the machine's cores.
    """
    return threads(1)
