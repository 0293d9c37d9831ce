"""Comparing an answer with the solution on inputs that are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np


def agrees(mine: Callable, right: Callable, draws: Iterable[tuple], equal: bool = False) -> Iterator[tuple[bool, str]]:
    """Conditions: both give the same for each draw, to rounding; ``equal``: exactly."""
    for inputs in draws:
        found, wanted = mine(*inputs), right(*inputs)
        fits = found == wanted if equal else close(found, wanted)
        yield fits, f"for {_shown(inputs)} it gives {_shown(found)}, and the solution {_shown(wanted)}"


def close(found: Any, wanted: Any) -> bool:
    """Whether numbers are the same, to rounding, also within tuples and arrays of one shape."""
    if wanted is None or found is None:
        return found is wanted
    if np.shape(found) != np.shape(wanted):
        return False
    return bool(np.allclose(np.asarray(found, float), np.asarray(wanted, float), rtol=1e-6, atol=1e-9))


def _shown(thing: Any) -> str:
    text = " ".join(repr(thing).split())
    return text if len(text) <= 120 else text[:120] + " …"
