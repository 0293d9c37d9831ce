"""Real devices on which the cells of NAS-Bench-201 were measured by others, as models that we fitted.

Their measurements do not travel with nasviz; the 31 coefficients of each device do (`nasviz.hardware.edge_costs`), with
their errors on cells that they were not fitted on. ``data/scripts/fit_devices.py`` makes the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from ..paths import data_dir
from ..ranges import REQUIRED, check_fields, ranged
from ..space import Arch
from . import device_file
from .devices import Target
from .edge_costs import EdgeCosts

FILE = "devices-nasbench201.json"
QUANTITIES = {"latency_ms": "ms", "energy_mj": "mJ"}


@dataclass(frozen=True)
class HeldOut:
    """How good a model is on cells without dead operations that it was not fitted on.

    Attributes
    ----------
    fitted, judged : int
        Numbers of cells.
    median_error, ninth_decile : float
        Of the relative errors' sizes, 0 and up; 0.05 is five percent.
    tau : float
        Kendall's rank correlation of the model with the measurements, -1 to 1.
    tau_operation : float
        That of a cost for each operation, wherever it stands: 6 numbers, fitted on the same cells.
    tau_depth : float
        That of the same with one more number, for each step of the longest path from input to output.
    tau_madds, tau_counted : float
        Those of multiply-adds, and of multiply-adds with poolings, ReLUs and batch-norms
        (`nasviz.hardware.edge_costs.multiply_adds`).
    dead_error : float
        The median error of the model on connected cells *with* dead operations.
    """

    fitted: int = ranged(REQUIRED, 1)
    judged: int = ranged(REQUIRED, 1)
    median_error: float = ranged(REQUIRED, 0.0, whole=False)
    ninth_decile: float = ranged(REQUIRED, 0.0, whole=False)
    tau: float = ranged(REQUIRED, -1.0, 1.0, whole=False)
    tau_operation: float = ranged(REQUIRED, -1.0, 1.0, whole=False)
    tau_depth: float = ranged(REQUIRED, -1.0, 1.0, whole=False)
    tau_madds: float = ranged(REQUIRED, -1.0, 1.0, whole=False)
    tau_counted: float = ranged(REQUIRED, -1.0, 1.0, whole=False)
    dead_error: float = ranged(REQUIRED, 0.0, whole=False)

    def __post_init__(self):
        check_fields(self)


@dataclass(frozen=True)
class FittedDevice:
    """A device as fitted models of its latency and, where the source has it, of its energy.

    Attributes
    ----------
    name, hardware : str
        As people say it, and what was measured.
    how : {"measured", "computed"}
        Whether the published numbers are measurements, or another simulator's.
    missing : float
        Share of the cells of which the source has no latency, 0 to 1.
    costs : mapping of str to EdgeCosts
        By quantity: ``"latency_ms"``, and ``"energy_mj"`` where it is known.
    held_out : mapping of str to HeldOut
        By quantity too.
    """

    name: str
    hardware: str
    how: str
    missing: float = ranged(REQUIRED, 0.0, 1.0, whole=False)
    costs: Mapping[str, EdgeCosts] = field(kw_only=True)
    held_out: Mapping[str, HeldOut] = field(kw_only=True)

    def __post_init__(self):
        check_fields(self)
        if self.how not in ("measured", "computed"):
            raise ValueError(f"FittedDevice: the source of {self.name} is measured or computed, not {self.how!r}")
        if "latency_ms" not in self.costs or set(self.costs) - set(QUANTITIES) or set(self.costs) != set(self.held_out):
            raise ValueError(
                f"FittedDevice: {self.name} needs models and errors of latency_ms, and may have them of energy_mj; "
                f"this one has models of {sorted(self.costs)} and errors of {sorted(self.held_out)}"
            )

    def __str__(self) -> str:
        return f"{self.name} (fitted)"

    def ms(self, arch: Arch) -> float:
        """Return the milliseconds of a cell of NAS-Bench-201, in the published network for CIFAR-10."""
        return float(self.costs["latency_ms"].predict([arch])[0])

    def mj(self, arch: Arch) -> float:
        """Return the millijoules of a cell.

        Raises
        ------
        ValueError
            If the source has no energy of this device.
        """
        if "energy_mj" not in self.costs:
            raise ValueError(f"the source has no energy of {self.name}: ask {_names('energy_mj')}")
        return float(self.costs["energy_mj"].predict([arch])[0])

    def cost(self, arch: Arch) -> dict[str, float]:
        """Return ``{"latency_ms": …}``, and ``"energy_mj"`` where it is known, for `nasviz.estimators.WithCost`."""
        return {name: float(model.predict([arch])[0]) for name, model in self.costs.items()}

    def times(self, archs) -> np.ndarray:
        """Return the milliseconds of many cells at once, (n,)."""
        return self.costs["latency_ms"].predict(archs)

    @property
    def target(self) -> Target:
        """The device among others that are measured or simulated, for `nasviz.views.Devices`."""
        return Target(self.name, "fitted", self.ms)


@cache
def published_devices() -> tuple[FittedDevice, ...]:
    """Return the devices whose models travel with nasviz, in the file's order. Errors as of `load_devices`."""
    return load_devices(data_dir() / FILE)


def published_device(name: str) -> FittedDevice:
    """Return the device of this name; capitals and spaces do not matter.

    Raises
    ------
    ValueError
        If there is none of this name, with the names that there are.

    Examples
    --------
    >>> phone = published_device("pixel 3")
    >>> f"{phone.ms((3, 3, 3, 3, 3, 3)):.0f} ms, and {phone.ms((1, 1, 1, 1, 1, 1)):.0f} ms"
    '40 ms, and 1 ms'
    """
    if device := device_file.named(published_devices(), name):
        return device
    raise ValueError(f"no published device is called {name!r:.60}; there are {_names('latency_ms')}")


def _names(quantity: str) -> str:
    return ", ".join(device.name for device in published_devices() if quantity in device.costs)


def about_devices() -> dict:
    """Return what the file says of itself: source, paper, licence, command, which cells were used."""
    return device_file.read(data_dir() / FILE, _device)[0]


def load_devices(path: str | Path) -> tuple[FittedDevice, ...]:
    """Read a file of fitted devices. Errors as of `nasviz.hardware.device_file.read`."""
    return device_file.read(path, _device)[1]


def _device(entry: dict) -> FittedDevice:
    models = entry["models"]
    costs = {
        name: EdgeCosts(model["base"], costs=tuple(map(tuple, model["costs"])), skipped=model["skipped"])
        for name, model in models.items()
    }
    judged = {name: HeldOut(**model["held_out"]) for name, model in models.items()}
    name, hardware, how = device_file.texts(entry, "name", "hardware", "how")
    return FittedDevice(name, hardware, how, entry["missing"], costs=costs, held_out=judged)


def save_devices(path: str | Path, devices: Sequence[FittedDevice], about: Mapping) -> None:
    """Write fitted devices; errors as of `nasviz.hardware.device_file.write`."""
    entries = []
    for device in devices:
        models = {
            name: {
                "base": model.base,
                "skipped": model.skipped,
                "costs": model.costs,
                "held_out": asdict(device.held_out[name]),
            }
            for name, model in device.costs.items()
        }
        said = {"name": device.name, "hardware": device.hardware, "how": device.how, "missing": device.missing}
        entries.append({**said, "models": models})
    device_file.write(path, about, entries, _device)
