"""nasviz: an interactive lab on neural architecture search.

An architecture is a tuple of choices. A strategy is a way of making them, an estimator a way of judging them. A run is
a stream of steps, and a view draws the stream::

    from nasviz import estimators, spaces, strategies

    space = spaces.NasBench201()
    for step in strategies.RegularizedEvolution(space, estimators.Training(space), evaluations=20):
        print(step.evaluation)

Everything here is imported when it is first named, so that ``import nasviz`` takes no time and loads no torch.
"""

import sys
from importlib import import_module

from . import _old_names

__version__ = "0.2.0"

_HOMES = {
    "Choice": "space",
    "SearchSpace": "space",
    "Evaluation": "step",
    "Step": "step",
    "Estimator": "estimator",
    "Run": "run",
    "knob": "knobs",
    "ranged": "ranges",
    "checked": "ranges",
    "accuracy": "objectives",
}
_MODULES = (
    "analysis",
    "course",
    "datasets",
    "encodings",
    "estimators",
    "hardware",
    "objectives",
    "races",
    "spaces",
    "strategies",
    "views",
    "zoo",
)
__all__ = sorted([*_HOMES, *_MODULES])

sys.meta_path.append(_old_names.OldNames())


def __getattr__(name):
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    if name in _MODULES or name in _old_names.MOVED:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"nasviz has no {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return [*__all__, "__version__"]
