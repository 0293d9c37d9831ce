"""Estimators: objects that judge architectures. Each is loaded when first used, because some of them load torch."""

from importlib import import_module

_FILES = {
    "assembled": ("Assembled", "replace_one", "transformer_library"),
    "baselines": ("Baselines",),
    "costed": ("WithCost",),
    "curve": ("Extrapolated", "above_median", "forecast", "may_win", "survivors"),
    "proxy": ("proxy_cost", "proxy_recipe"),
    "zero_cost": ("ZeroCost",),
    "inherited": ("Inherited", "elastic_supernet"),
    "morphism": ("WeightInheritance",),
    "packed": ("PackedTraining",),
    "table": ("Table", "nasbench201_table"),
    "table_lookup": ("TableLookup",),
    "training_time": ("Timing",),
    "training": ("FAST", "FULL", "LARGE", "TRANSFORMER", "Recipe", "Training"),
    "predictor": (
        "EnsemblePredictor",
        "ForestPredictor",
        "GaussianProcessPredictor",
        "GraphPredictor",
        "LinearPredictor",
        "coverage",
    ),
}
_WHERE = {name: file for file, names in _FILES.items() for name in names}
__all__ = sorted(_WHERE)


def __getattr__(name: str):
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f".{_WHERE[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
