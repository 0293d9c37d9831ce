"""Search strategies, one algorithm a file. Imported when first named: those without a network load no torch."""

from importlib import import_module

_FILES = {
    "Bananas": "bayesian",
    "Darts": "darts",
    "Hyperband": "successive_halving",
    "LocalSearch": "local_search",
    "Nsga2": "nsga2",
    "DartsPT": "darts_pt",
    "GaussianProcess": "gaussian_process",
    "RandomSearch": "random_search",
    "Reinforce": "reinforce",
    "RegularizedEvolution": "evolution",
    "SecondOrderDarts": "second_order",
    "SuccessiveHalving": "successive_halving",
    "TrainSupernet": "train_supernet",
}
__all__ = sorted(_FILES)


def __getattr__(name):
    if name in _FILES:
        return getattr(import_module(f".{_FILES[name]}", __name__), name)
    raise AttributeError(f"nasviz.strategies has no {name!r}; it has {__all__}")


def __dir__():
    return __all__
