"""Hyper-parameters that can be changed while a search runs: `knob` marks them, `knobs` lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, field, fields
from math import inf, isfinite

import numpy as np

from .ranges import Range


def knob(
    default: float,
    low: float,
    high: float,
    *,
    least: float | None = None,
    most: float = inf,
    log: bool = False,
    help: str = "",
    absent: float | None = None,
):
    """Declare a hyper-parameter of a strategy that a slider can change while the search runs.

    The strategy reads it at each use, so that a change acts from the next step on.

    Parameters
    ----------
    default, low, high : number
        Low and high are the ends of the slider, both allowed. If the default is a whole number, all values are.
    least, most : number
        What is allowed at all, in a script as for a turn from code: the slider may show less of it. None: ``low``.
        See `nasviz.ranges`, which checks it.
    log : bool
        Whether the slider is logarithmic (low > 0).
    help : str
        One sentence for the slider's tooltip.
    absent : number, optional
        What a record means that is older than the knob, where it is not the default: see `nasviz.identity.absent`.
    """
    if not low <= default <= high or (log and low <= 0):
        raise ValueError(f"a knob needs low <= default <= high, and low > 0 if log: got {low}, {default}, {high}")
    least = low if least is None else least
    if not least <= low <= high <= most:
        raise ValueError(f"a knob's slider has to lie within what is allowed: {low} to {high} in {least} to {most}")
    old = {} if absent is None else {"absent": absent}
    allowed = Range(least, most, whole=isinstance(default, int))
    slider = {"low": low, "high": high, "log": log, "help": help}
    return field(default=default, metadata=slider | {"range": allowed} | old)


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
        allowed: Range = known[name].metadata["range"]
        if allowed.whole and isinstance(value, float | np.floating) and isfinite(value) and value == int(value):
            value = int(value)  # a page sends 9.0
        allowed.check(f"{type(search).__name__}: {name}", value)
        out[name] = int(value) if allowed.whole else float(value)
    return out
