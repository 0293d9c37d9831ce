"""Hyper-parameters that can be changed while a search runs: `knob` marks them, `knobs` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, field, fields

import numpy as np


def knob(default: float, low: float, high: float, *, log: bool = False, help: str = "", absent: float | None = None):
    """Declare a hyper-parameter of a strategy that a slider can change while the search runs.

    The strategy reads it at each use, so that a change acts from the next step on.

    Parameters
    ----------
    default, low, high : number
        Low and high are the ends of the slider, both allowed. If the default is a whole number, all values are.
    log : bool
        Whether the slider is logarithmic (low > 0).
    help : str
        One sentence for the slider's tooltip.
    absent : number, optional
        What a record means that is older than the knob, where it is not the default: see `nasviz.identity.absent`.
    """
    if not low <= default <= high or (log and low <= 0):
        raise ValueError(f"a knob needs low <= default <= high, and low > 0 if log: got {low}, {default}, {high}")
    old = {} if absent is None else {"absent": absent}
    return field(default=default, metadata={"low": low, "high": high, "log": log, "help": help} | old)


def knobs(search) -> dict[str, Field]:
    """Return the fields of a strategy that `knob` marks, by name."""
    return {f.name: f for f in fields(search) if "low" in f.metadata}


def check_turn(search, values: Mapping[str, float]) -> dict[str, float]:
    """Return ``values`` in the types of the strategy's knobs.

    ValueError for an unknown name, a value out of range, or a fraction where a whole number is needed.
    """
    known = knobs(search)
    out: dict[str, float] = {}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"{type(search).__name__} has no knob {name!r}; its knobs: {sorted(known)}")
        low, high = known[name].metadata["low"], known[name].metadata["high"]
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not low <= value <= high:
            raise ValueError(f"{name} must be from {low} to {high}, got {value!r}")
        if isinstance(known[name].default, int):
            if value != int(value):
                raise ValueError(f"{name} must be a whole number, got {value!r}")
            out[name] = int(value)
        else:
            out[name] = float(value)
    return out
