"""What a strategy is to everything around it: the contract that one who writes a strategy implements.

`Run`, `Race` and the views ask a search nothing but what stands here. The attributes that a strategy need not have are
asked for by the functions below, so that what their absence means is said once.

A class of your own need not name `Strategy`: having its attributes is enough. See `nasviz.strategies.random_search` for
the shortest one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from math import inf, isfinite
from typing import ClassVar, Protocol, runtime_checkable

from .estimator import Estimator
from .objectives import accuracy
from .space import SearchSpace
from .step import Evaluation, Step, number


class Objective(Protocol):
    """What is maximised: any function of an evaluation, the greater the better. Not finite, it counts as −∞: `worth`.

    Optional: ``allows(evaluation) -> bool``, whether an evaluation keeps to a bound, and ``limit``, that bound. What is
    not allowed is never the best. Absent: everything is allowed. See `bound_of`.
    """

    def __call__(self, evaluation: Evaluation) -> float:
        """The value of an evaluation."""
        ...


def worth(objective: Callable[[Evaluation], float], evaluation: Evaluation) -> float:
    """Return an objective's value; −∞ where it is not finite: the one place where a failure becomes the worst.

    Every comparison goes through here: a nan that leads would win each of them, as no number is greater.

    Raises
    ------
    ValueError
        If the objective returns what is no number.
    """
    value = objective(evaluation)
    if type(value) is not float:  # asked first: each step of each search comes by here
        value = number(value, "what the objective returns")
    return value if isfinite(value) else -inf


def bound_of(objective: Objective) -> Callable[[Evaluation], bool] | None:
    """The objective's ``allows``; None where everything is allowed."""
    return getattr(objective, "allows", None)


def everything(evaluation: Evaluation) -> bool:
    """True: what an objective without a bound allows."""
    return True


def allows(objective: Objective) -> Callable[[Evaluation], bool]:
    """What says of an evaluation whether it keeps to the objective's bound, if it has one."""
    return bound_of(objective) or everything


@runtime_checkable
class Strategy(Protocol):
    """A way of making choices: a dataclass that one iterates.

    Its fields are the hyper-parameters, in the paper's words. A run copies it with `dataclasses.replace`, so that all
    that it needs stands in its fields. The fields that `nasviz.knobs.knob` marks may be turned while it runs.

    Attributes
    ----------
    space : SearchSpace
        Where it searches.
    shows : tuple of str
        Which names of `nasviz.step.SHOWS` its steps carry: from them follow the pictures. ``"evaluation"`` says that
        its steps have one.

    Optional
    --------
    estimate : Estimator
        Who judges. A run puts its memory in between. Absent: the search trains weights of its own.
    objective : Objective
        What is maximised. Absent: accuracy.
    evaluations : int
        After how many evaluations it ends. Absent: it ends by another count.
    seed : int
        From which all its random numbers follow. Absent: it draws none.
    start : bytes or None
        A safetensors state from which to go on: a search that has this field puts `Step.state` on some steps, and a
        run records its steps whole. Absent: it is repeated from the recorded answers.
    stages : tuple of str
        Names of the stages of a training with several. Absent: it has one.
    __len__ : int
        How many steps are planned. Absent: it is not known before.
    """

    space: SearchSpace
    shows: ClassVar[tuple[str, ...]]

    def __iter__(self) -> Iterator[Step]:
        """The algorithm. It records nothing, draws nothing and prints nothing."""
        ...


def estimator_of(search: Strategy) -> Estimator | None:
    """Who judges for a search; None for one that trains weights of its own."""
    return getattr(search, "estimate", None)


def objective_of(search: Strategy) -> Objective:
    """What a search maximises: accuracy where it says nothing."""
    return getattr(search, "objective", accuracy)


def has_objective(search: Strategy) -> bool:
    """Whether a search says what it maximises."""
    return hasattr(search, "objective")


def keeps_state(search: Strategy) -> bool:
    """Whether a search goes on from a saved state: it has a field ``start``."""
    return hasattr(search, "start")


def start_of(search: Strategy) -> bytes | None:
    """The state from which a search begins; None for the beginning."""
    return getattr(search, "start", None)


def planned(search: Strategy) -> int | None:
    """How many steps a search plans; None where that is not known."""
    return len(search) if isinstance(search, Sized) else None


def evaluations_of(search: Strategy) -> int | None:
    """After how many evaluations a search ends; None where it ends by another count."""
    return getattr(search, "evaluations", None)


def seed_of(search: Strategy) -> int:
    """The seed of a search; 0 where it draws nothing at random."""
    return getattr(search, "seed", 0)


def stages_of(search: Strategy) -> tuple[str, ...]:
    """Names of the stages of a training; none where it has one stage."""
    return tuple(getattr(search, "stages", ()))
