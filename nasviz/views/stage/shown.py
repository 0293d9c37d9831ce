"""The steps of a run that show a quantity."""

from __future__ import annotations

from collections.abc import Iterable

from ...run import Run
from ...space import SearchSpace
from ...step import Step


def showing(steps: Run | Iterable[Step], space: SearchSpace | None, name: str) -> tuple[list[Step], SearchSpace]:
    """Return the steps that show the quantity ``name``, and the space that names its rows, by default that of the run.

    Raises
    ------
    ValueError
        If no step shows the quantity, or there is no space.
    """
    if isinstance(steps, Run):
        space, steps = steps.search.space, steps.steps
    shown = [step for step in steps if name in step.shows]
    if not shown:
        raise ValueError(f"nothing to draw: no step shows {name!r}")
    if space is None:
        raise ValueError(f"without its run, drawing {name!r} needs the space too")
    return shown, space
