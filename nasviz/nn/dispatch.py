"""What sees each function of torch that a network calls: the base of the count and of the memory meter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import TorchDispatchMode


class Watching(TorchDispatchMode):
    """Sees all functions of torch inside its ``with`` block, and loads no compiler for it."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False: no compiler runs here, and to be hidden from it torch would load it, a second in each process."""
        return False


def storages(values: Iterable) -> Iterator[UntypedStorage]:
    """Yield the storage of each tensor among ``values``, and in lists and dicts among them; two views share one."""
    for value in values.values() if isinstance(values, Mapping) else values:
        if isinstance(value, Tensor):
            yield value.untyped_storage()
        elif isinstance(value, list | tuple | dict):
            yield from storages(value)
