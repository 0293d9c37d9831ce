"""Search strategies, one algorithm per file, imported when first named: those without a network load no torch."""

from importlib import import_module

_FILES = {
    "AdaptiveDarts": "robust_darts",
    "Bananas": "bayesian",
    "BatchedEvolution": "batched_evolution",
    "BigNas": "big_nas",
    "BlockwiseDistillation": "blockwise_distillation",
    "Bohb": "bohb",
    "Darts": "darts",
    "DartsMinus": "darts_minus",
    "DartsPT": "darts_pt",
    "DartsPlus": "darts_plus",
    "Distillation": "distillation",
    "DrNas": "dr_nas",
    "Enas": "enas",
    "FairDarts": "fair_darts",
    "GaussianProcess": "gaussian_process",
    "Gdas": "gumbel_darts",
    "Hyperband": "successive_halving",
    "LatencyDarts": "latency_darts",
    "LocalSearch": "local_search",
    "Nsga2": "nsga2",
    "OnceForAll": "once_for_all",
    "PDarts": "p_darts",
    "PcDarts": "pc_darts",
    "RandomSearch": "random_search",
    "RankedReinforce": "ranked_reinforce",
    "RegularizedEvolution": "evolution",
    "Reinforce": "reinforce",
    "RobustDarts": "robust_darts",
    "SecondOrderDarts": "second_order",
    "SmoothDarts": "smooth_darts",
    "Snas": "gumbel_darts",
    "Spos": "spos",
    "SuccessiveHalving": "successive_halving",
    "TrainSupernet": "train_supernet",
    "WatchedDarts": "robust_darts",
}
__all__ = sorted(_FILES)


def __getattr__(name):
    if name in _FILES:
        return getattr(import_module(f".{_FILES[name]}", __name__), name)
    raise AttributeError(f"nasviz.strategies has no {name!r}; it has {__all__}")


def __dir__():
    return __all__
