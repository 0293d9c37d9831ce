"""Names from before version 0.2: they go on working for one release, with a warning that names the new one.

Old modules have a finder of their own, so that no file of an old name stands among the others. A module in which a
function or a class has another name now hands on its old name by ``__getattr__ = renamed(__name__)``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module, util
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# Old module: where its contents are now, the principal part first. All below ``nasviz``.
MOVED = {
    "capstone": ("course.capstone",),
    "cost": ("analysis.cost",),
    "diagnosis": ("analysis.diagnosis",),
    "edition": ("course.edition",),
    "estimators.lookup": ("estimators.table_lookup",),
    "estimators.timing": ("estimators.training_time",),
    "evaluate": ("estimator", "workers"),
    "hardware.lookup": ("hardware.latency_table",),
    "nn.grouped": ("nn.grouped_edges",),
    "nn.partial": ("nn.partial_channels",),
    "nn.paths": ("nn.single_path",),
    "nn.states": ("nn.saved_weights",),
    "pools": ("workers",),
    "race": ("races.race",),
    "reporting": ("course.reporting",),
    "scaling": ("zoo.scaling",),
    "search": ("run", "knobs", "views.stage.shown"),
    "specialise": ("strategies.specialise",),
    "standings": ("races.standings",),
    "stats": ("analysis.stats",),
    "strategies.recorded": ("strategies.darts_cuda_graphs",),
    "strategies.sharing": ("strategies.shared_weights",),
    "tabulate": ("estimators.tabulate",),
    "together": ("views.stage.together",),
    "views.alphas": ("views.stage.alphas",),
    "views.bill": ("views.charts.bill",),
    "views.cell": ("views.stage.cell",),
    "views.chart": ("views.charts.chart",),
    "views.collapse": ("views.charts.collapse",),
    "views.correlation": ("views.charts.correlation",),
    "views.cost_quality": ("views.charts.cost_quality",),
    "views.counted": ("views.charts.madds_and_time",),
    "views.devices": ("views.charts.devices",),
    "views.editor": ("views.stage.editor",),
    "views.elastic": ("views.charts.elastic",),
    "views.landscape": ("views.charts.landscape",),
    "views.latency": ("views.charts.latency",),
    "views.layout": ("views.stage.layout",),
    "views.leaderboard": ("views.stage.leaderboard",),
    "views.mixture": ("views.stage.mixture",),
    "views.neighborhood": ("views.stage.neighborhood",),
    "views.network": ("views.charts.network",),
    "views.panel": ("views.stage.panel",),
    "views.pareto": ("views.charts.pareto", "analysis.fronts"),
    "views.pen": ("views.raster",),
    "views.player": ("views.stage.player",),
    "views.policy": ("views.stage.policy",),
    "views.population": ("views.stage.population",),
    "views.progress": ("views.stage.progress", "run"),
    "views.proxies": ("views.charts.proxies",),
    "views.race": ("views.charts.race",),
    "views.replay": ("views.stage.replay",),
    "views.rows": ("views.stage.from_search",),
    "views.scaling": ("views.charts.scaling",),
    "views.shrinking": ("views.charts.shrinking",),
    "views.side": ("views.stage.side_by_side",),
    "views.space": ("views.stage.space",),
    "views.still": ("views.stage.still",),
    "views.still_people": ("views.stage.kinds.people",),
    "views.surface": ("views.charts.surface",),
    "views.surrogate": ("views.charts.surrogate",),
    "views.zoo": ("views.charts.zoo", "analysis.fronts"),
}
# Old function, class or constant: the new one. All below ``nasviz``.
RENAMED = {
    "analysis.diagnosis.one_hot": "analysis.diagnosis.supernet_weights",
    "encodings.paths": "encodings.path_encoding",
    "strategies.bilevel.MOMENTUM": "nn.descent.MOMENTUM",
    "strategies.bilevel.cosine": "nn.descent.cosine_between",
    "views.Counted": "views.MaddsAndTime",
    "views.charts.madds_and_time.Counted": "views.charts.madds_and_time.MaddsAndTime",
}
GONE_IN = "0.3"


def renamed(module: str) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a module: it hands on the names of `RENAMED`, with a warning; others it refuses."""

    def hand_on(name: str) -> object:
        old = f"{module}.{name}"
        if (new := RENAMED.get(old.removeprefix("nasviz."))) is None:
            raise AttributeError(f"module {module} has no attribute {name!r}")
        warnings.warn(f"{old} is now nasviz.{new}; the old name goes in version {GONE_IN}", DeprecationWarning, 2)
        home, _, name = new.rpartition(".")
        return getattr(import_module(f"nasviz.{home}"), name)

    return hand_on


class OldModule(ModuleType):
    """Hands on whatever is asked of it to the modules that have its contents now."""

    def __getattr__(self, name: str):
        homes = MOVED[self.__name__.removeprefix("nasviz.")]
        for home in homes:
            module = import_module(f"nasviz.{home}")
            if hasattr(module, name):
                return getattr(module, name)
        where = " and ".join(f"nasviz.{home}" for home in homes)
        raise AttributeError(f"{self.__name__} has no {name!r}; its contents are in {where}")

    def __call__(self, *args, **options):
        """Do what the function of this name does: `nasviz.views.alphas` is one, and importing put this in its place."""
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **options)


class OldNames(MetaPathFinder, InspectLoader):
    """Finds the modules of `MOVED` by their old names. Also serves ``python -m nasviz.OLD``."""

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        """The specification of an old module; None for every other name."""
        if not fullname.startswith("nasviz.") or fullname.removeprefix("nasviz.") not in MOVED:
            return None
        return util.spec_from_loader(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An `OldModule`, and the warning."""
        new = f"nasviz.{MOVED[spec.name.removeprefix('nasviz.')][0]}"
        # stacklevel: Python leaves out the frames of its import system, so that 2 is the line that asked
        warnings.warn(f"{spec.name} is now {new}; the old name goes in version {GONE_IN}", DeprecationWarning, 2)
        return OldModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing runs: the new modules run when something of them is asked for."""

    def get_source(self, fullname: str) -> str:
        """What ``python -m`` runs: the new module as the main one."""
        new = f"nasviz.{MOVED[fullname.removeprefix('nasviz.')][0]}"
        return f"import runpy\nrunpy.run_module({new!r}, run_name='__main__', alter_sys=True)\n"
