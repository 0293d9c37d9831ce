"""Choose one option for each choice within budgets: exactly by a mixed-integer programme, and in cheaper ways.

Puzzle (Bercovich et al. 2024, section 3.3) takes for granted that harms add: that a network is as far from its parent
as the sum of what each replaced half-block does alone. Then the best network within a budget is a knapsack with one
item of each group, a multiple-choice knapsack (Kellerer, Pferschy & Pisinger 2004, chapter 11). It is small, so that a
general solver finds the exact answer in milliseconds.

With x_co = 1 if choice c takes option o, and 0 otherwise:

    minimise Σ harm_co · x_co,  where  Σ_o x_co = 1 for each choice c,  Σ cost_co · x_co ≤ most  for each budget
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp

from ..space import Arch, SearchSpace

ROUNDING = 1e-9  # a budget may be passed by this share, so that a network's own cost is a budget that it keeps


class Budget(NamedTuple):
    """A bound on a cost that is a sum over the choices.

    Attributes
    ----------
    costs : float array (choices, options)
        In the unit of the cost, 0 or more.
    most : float
        The greatest sum allowed.
    """

    costs: np.ndarray
    most: float

    def spent(self, arch: Arch) -> float:
        """Return the sum of an architecture's costs."""
        return float(self.costs[np.arange(len(self.costs)), list(arch)].sum())

    def allows(self, arch: Arch) -> bool:
        """Return whether an architecture keeps to it."""
        return self.spent(arch) <= self.most * (1 + ROUNDING)


def budget(cost: Callable[[Arch], float], space: SearchSpace, most: float) -> Budget:
    """Return a budget on any cost that is a sum over the choices: multiply-adds, parameters, milliseconds of a table.

    Parameters
    ----------
    cost : callable
        Architecture -> cost. It is asked for each option of each choice, in the largest member.
    space : SearchSpace
        One with ``largest``.
    most : float
        The greatest cost of a whole network.

    Raises
    ------
    ValueError
        If the cost is no sum: if that of the member with all first options is another than the options foretell.
    """
    whole, base = space.largest, float(cost(space.largest))
    costs = np.array(
        [
            [cost((*whole[:place], option, *whole[place + 1 :])) - base for option in range(len(choice.options))]
            for place, choice in enumerate(space.choices)
        ]
    )
    least = costs.min(axis=1, keepdims=True)
    first = (0,) * len(whole)
    if not np.isclose(cost(first), base + costs[:, 0].sum(), rtol=1e-6, atol=1e-9 * abs(base)):
        raise ValueError(
            f"this cost is no sum over the choices: {space.to_text(first)} costs {cost(first):g}, and its options "
            f"foretell {base + costs[:, 0].sum():g}. A programme cannot bound it"
        )
    return Budget(costs - least, most - base - float(least.sum()))


def programme(harms: np.ndarray, budgets: Sequence[Budget]) -> Arch:
    """Return the choice of least harm within all budgets: the exact answer.

    Parameters
    ----------
    harms : float array (choices, options)
        See `nasviz.estimators.replace_one`.
    budgets : sequence of Budget

    Raises
    ------
    ValueError
        If no architecture keeps to the budgets, or an array has the wrong shape or a number that is not finite.
    """
    _check(harms, budgets)
    found = milp(
        harms.ravel(), integrality=np.ones(harms.size), bounds=Bounds(0, 1), constraints=_constraints(harms, budgets)
    )
    return tuple(_shares(found, harms).argmax(1).tolist())


def relaxed(harms: np.ndarray, budgets: Sequence[Budget]) -> np.ndarray:
    """Return the shares (choices, options) of least harm, where a choice may be divided: the linear relaxation.

    Its harm is a lower bound of the programme's. With one budget, one choice at most is divided, so that rounding this
    choice to its cheaper option gives an architecture that is nearly best (Kellerer et al. 2004, section 11.2).
    ValueError as of `programme`.
    """
    _check(harms, budgets)
    within = [one.costs.ravel() for one in budgets]
    found = linprog(
        harms.ravel(),
        A_ub=np.array(within) if within else None,
        b_ub=[one.most * (1 + ROUNDING) for one in budgets] if within else None,
        A_eq=_one_each(harms),
        b_eq=np.ones(len(harms)),
        bounds=(0, 1),
    )
    return _shares(found, harms)


def rounded(shares: np.ndarray, one: Budget) -> Arch:
    """Return an architecture within a budget from shares of `relaxed`: of a divided choice the cheaper option."""
    return tuple(
        int(min(np.flatnonzero(row > 1e-6), key=lambda option: costs[option]))  # noqa: B023  # used within its turn
        for row, costs in zip(shares, one.costs, strict=True)
    )


def greedy(harms: np.ndarray, one: Budget) -> Arch:
    """Return a choice within one budget, step by step from the least harmful: a heuristic.

    At each step, the option of one choice is replaced by a cheaper one: the change with the least further harm for each
    unit of cost that it saves. ValueError as of `programme`.
    """
    _check(harms, [one])
    arch = [int(np.lexsort((costs, row))[0]) for row, costs in zip(harms, one.costs, strict=True)]
    while not one.allows(tuple(arch)):
        changes = [
            ((harms[place, option] - harms[place, arch[place]]) / saved, -saved, place, option)
            for place, costs in enumerate(one.costs)
            for option in range(harms.shape[1])
            if (saved := costs[arch[place]] - costs[option]) > 0
        ]
        *_, place, option = min(changes)
        arch[place] = option
    return tuple(arch)


def exhaustive(harms: np.ndarray, budgets: Sequence[Budget]) -> Arch:
    """Return the answer of `programme` by trying all architectures: for few choices. ValueError as there."""
    _check(harms, budgets)
    allowed = [
        arch for arch in product(range(harms.shape[1]), repeat=len(harms)) if all(one.allows(arch) for one in budgets)
    ]
    return min(allowed, key=lambda arch: harm_of(arch, harms))


def harm_of(arch: Arch, harms: np.ndarray) -> float:
    """Return the sum of an architecture's harms: what is foretold for it."""
    return float(harms[np.arange(len(harms)), list(arch)].sum())


def _check(harms: np.ndarray, budgets: Sequence[Budget]) -> None:
    for array in (harms, *(one.costs for one in budgets)):
        if array.ndim != 2 or array.shape != harms.shape or not np.isfinite(array).all():
            raise ValueError(
                f"harms and costs must be finite numbers for (choices, options), all of one shape, got shapes "
                f"{harms.shape} and {[one.costs.shape for one in budgets]}"
            )
    for one in budgets:
        least = float(one.costs.min(1).sum())
        if least > one.most * (1 + ROUNDING):
            raise ValueError(f"the cheapest architecture is {least - one.most:g} above its budget: allow more")


def _one_each(harms: np.ndarray) -> np.ndarray:
    return np.kron(np.eye(len(harms)), np.ones(harms.shape[1]))


def _constraints(harms: np.ndarray, budgets: Sequence[Budget]) -> list[LinearConstraint]:
    bounds = [LinearConstraint(one.costs.ravel()[None], -np.inf, one.most * (1 + ROUNDING)) for one in budgets]
    return [LinearConstraint(_one_each(harms), 1, 1), *bounds]


def _shares(found: OptimizeResult, harms: np.ndarray) -> np.ndarray:
    if found.x is None:
        raise ValueError(f"no architecture keeps to all budgets together: {found.message}")
    return found.x.reshape(harms.shape)
