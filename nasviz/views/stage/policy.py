"""A controller's probabilities over the whole search, and one architecture as it is written, token by token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ...run import Run
from ...space import SearchSpace
from ...step import Step
from .cell import cell_of, cell_view, labels
from .kinds.curve import CurveView, Series
from .kinds.heat import HeatView
from .kinds.traces import TracesView
from .kinds.view import View
from .shown import showing
from .spec import Spec
from .widget import Stage


def policy(steps: Run | Iterable[Step], space: SearchSpace | None = None) -> Stage:
    """Draw the probabilities of all options in time and at the present step, the rewards, the baseline and the entropy.

    Parameters
    ----------
    steps : Run, or iterable of Step
        Steps that show the quantities of `nasviz.strategies.Reinforce`. Other steps are left out.
    space : SearchSpace, optional
        The space that names choices and options; by default that of the run.

    Returns
    -------
    Stage
        A stage to display, to move by its slider, or to write with `nasviz.views.stage.replay.to_html`.

    Raises
    ------
    ValueError
        If no step shows a policy, or there is no space.

    Examples
    --------
    >>> policy(Run.load("reinforce.jsonl"))  # doctest: +SKIP
    """
    shown, space = showing(steps, space, "marginals")
    arrays, views, there = policy_views(space, len(shown))
    names = [name for name in arrays if name != "marginals"]
    rows = ({"marginals": s.shows["marginals"] * there} | {name: s.shows[name] for name in names} for s in shown)
    return Stage(Spec(arrays=arrays, ops=_operations(space), views=views), rows)


def policy_views(space: SearchSpace, total: int) -> tuple[dict[str, list[int]], list[View], np.ndarray]:
    """Return the parts that a stage needs to draw a policy over ``space`` in ``total`` steps.

    Returns
    -------
    arrays, views
        Entries for the spec of a stage.
    there : float32 (choices, options)
        1 where a choice has that option, nan where it has fewer: multiply ``marginals`` by it.
    """
    there = _there(space)
    names, alike = [choice.name for choice in space.choices], bool(_operations(space))
    columns = [] if alike else _columns(space)
    title, wide = "Chance of each option now (%)", 5 if alike else 12
    views: list[View] = [HeatView(array="marginals", labels=names, columns=columns, title=title, span=wide)]
    if alike:
        title = "Chance of each option, choice by choice"
        views.append(TracesView(array="marginals", labels=names, title=title, span=7, total=total))
    common: dict[str, Any] = {"span": 6, "total": total, "xlabel": "architectures evaluated", "height": 210}
    rewards = [
        Series(array="reward", label="reward", points=True),
        Series(array="baseline", label="baseline", points=False),
    ]
    entropy = [Series(array="entropy", label="entropy of the policy", points=False)]
    views += [
        CurveView(title="Reward of each architecture, and the baseline", series=rewards, ylabel="reward", **common),
        CurveView(title="How undecided the controller is", series=entropy, ylabel="entropy, nats", **common),
    ]
    arrays = {"marginals": list(there.shape), "reward": [], "baseline": [], "entropy": []}
    return arrays, views, there


def unroll(step: Step, space: SearchSpace) -> Stage:
    """Draw one architecture as the controller wrote it; a slider moves from token to token.

    At each token the table gives the probabilities of its options, given the tokens before, with a box around the
    option taken, which is often not the likeliest. The picture shows earlier choices as decided and the present one as
    open, each option as wide as its probability. Where the architectures of the space do not share a cell, a second
    table replaces the picture.

    Parameters
    ----------
    step : Step
        A step that shows ``policy`` and has an evaluation.
    space : SearchSpace

    Raises
    ------
    ValueError
        If the step shows no policy, or one of another space.
    """
    if "policy" not in step.shows or step.evaluation is None:
        raise ValueError(f"nothing to unroll: this step shows {sorted(step.shows)}, not 'policy'")
    chances, arch, there = np.asarray(step.shows["policy"]), space.check(step.evaluation.arch), _there(space)
    if chances.shape != there.shape:
        raise ValueError(f"a policy over {space.name} has shape {there.shape}, this step shows {chances.shape}")
    graph, ops = cell_of(space), _operations(space)
    names = [choice.name for choice in space.choices]
    columns = [] if ops else _columns(space)
    if graph:
        picture: View = cell_view(
            graph, "taken", title="The cell so far: the open edge is as wide as its chances", span=6
        )
    else:
        picture = HeatView(array="taken", labels=names, columns=columns, title="Taken: 100", span=6)
    said = "Chance of each option, given those before (%); boxed: taken"
    table = HeatView(array="said", boxed="taken", labels=names, columns=columns, title=said, span=6)
    arrays = {"taken": list(there.shape), "said": list(there.shape)}
    frames = _frames(chances, arch, space.active(arch), there, bool(graph))
    return Stage(Spec(arrays=arrays, ops=ops, views=[picture, table]), frames)


def _frames(chances, arch, active, there, drawn: bool) -> Iterator[dict]:
    """Yield the arrays before each token, and after the last one."""
    blank = np.zeros_like(chances) if drawn else np.full_like(chances, np.nan)
    tokens = [choice for choice, on in enumerate(active) if on]
    for number in range(len(tokens) + 1):
        taken, said = blank.copy(), np.full_like(chances, np.nan)
        for choice in tokens[:number]:
            taken[choice] = (np.arange(chances.shape[1]) == arch[choice]) * there[choice]
        for choice in tokens[: number + 1]:
            said[choice] = chances[choice] * there[choice]
        if drawn and number < len(tokens):
            taken[tokens[number]] = chances[tokens[number]]
        yield {"taken": taken, "said": said}


def _there(space: SearchSpace) -> np.ndarray:
    widest = max(len(choice.options) for choice in space.choices)
    rows = [[1.0] * len(choice.options) + [np.nan] * (widest - len(choice.options)) for choice in space.choices]
    return np.array(rows, "<f4")


def _operations(space: SearchSpace) -> list[str]:
    """Return the options that all choices share; empty if they differ."""
    alike = len({tuple(map(str, choice.options)) for choice in space.choices}) == 1
    return [str(option) for option in space.choices[0].options] if alike else []


def _columns(space: SearchSpace) -> list[str]:
    """Return column headings for choices with unequal options: option numbers, or names if only the lengths differ."""
    longest = max(space.choices, key=lambda choice: len(choice.options))
    if all(choice.options == longest.options[: len(choice.options)] for choice in space.choices):
        return labels(longest)
    return [f"option {number}" for number in range(1, len(longest.options) + 1)]
