"""Real devices on which Once-for-all's networks, or blocks like theirs, were measured by others, as fitted models.

Their measurements do not travel with nasviz. Thirteen coefficients a device do (`nasviz.hardware.operation_costs`),
with their errors on what they were not fitted on. ``data/scripts/fit_operation_costs.py`` makes the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

from torch import nn

from ..paths import data_dir
from ..ranges import REQUIRED, check_fields, ranged
from ..space import Arch
from ..spaces.mobile import STRIDES, MobileSpace
from . import device_file
from .devices import Target
from .operation_costs import OperationCosts

FILE = "devices-elastic.json"


@dataclass(frozen=True)
class ElasticDevice:
    """A device as a fitted model of the latency of full-size mobile networks.

    Attributes
    ----------
    name, hardware, source : str
        As people say it, what was measured, and who published it under which licence.
    measured : {"blocks", "networks"}
        What was timed: a network's latency is then a sum of blocks, or was seen whole.
    costs : OperationCosts
        Of a batch of ``batch`` images.
    batch : int
    fitted, judged : int
        Numbers of blocks or networks. Blocks are fitted in five parts, each judged by the models of the others.
    median_error, ninth_decile : float
        Of the relative errors' sizes on what was not fitted; 0.05 is five percent.
    tau, tau_madds : float
        Kendall's rank correlation with the measurements: of the model, and of multiply-adds.
    """

    name: str
    hardware: str
    source: str
    measured: str
    costs: OperationCosts
    batch: int = ranged(REQUIRED, 1)
    fitted: int = ranged(REQUIRED, 1)
    judged: int = ranged(REQUIRED, 1)
    median_error: float = ranged(REQUIRED, 0.0, whole=False)
    ninth_decile: float = ranged(REQUIRED, 0.0, whole=False)
    tau: float = ranged(REQUIRED, -1.0, 1.0, whole=False)
    tau_madds: float = ranged(REQUIRED, -1.0, 1.0, whole=False)

    def __post_init__(self):
        check_fields(self)
        if self.measured not in ("blocks", "networks"):
            raise ValueError(f"ElasticDevice: of {self.name} blocks or networks were measured, not {self.measured!r}")

    def __str__(self) -> str:
        return f"{self.name} (fitted)"

    def predict(self, network: nn.Module, image: Sequence[int]) -> float:
        """Milliseconds of a network, for `nasviz.strategies.specialise.by_layer`; see `OperationCosts.predict`."""
        return self.costs.predict(network, image)

    def child(self, width: float = 1.2) -> Callable[[Arch], float]:
        """Return ``arch -> milliseconds`` of members of `nasviz.spaces.ElasticSpace`, for images of 128 to 224 pixels.

        ``width`` 1.2 is that of the networks that were measured. Nothing is built.
        """
        return self.costs.child(width)

    def mobile(self, width: float = 1.0, side: int = 224) -> Callable[[Arch], float]:
        """Return ``arch -> milliseconds`` of members of `nasviz.spaces.MobileSpace` in full size, with 1,000 classes.

        No member of this space was measured for the fit. The model of Pixel 1 was compared with fifteen latencies
        that its authors publish of MnasNet-A1 on it (https://github.com/tensorflow/tpu, models/official/mnasnet:
        widths 0.35 to 1.4, sides of 160 to 224 pixels). It is 19 % off in the median, Kendall's tau is 0.94. It says
        too much of the narrowest ones, by up to two thirds. tests/test_operation_costs.py computes this.

        Parameters
        ----------
        width : float
            Factor of all channels, above 0.
        side : int
            Of the image, in pixels.
        """
        build = partial(MobileSpace().network, width=width, strides=STRIDES, head=1280, classes=1000, colors=3)
        return lambda arch: self.predict(build(arch), (3, side, side))

    def target(self, width: float = 1.2) -> Target:
        """The device among others that are measured or simulated, for `nasviz.views.Devices`."""
        return Target(self.name, "fitted", self.child(width))


@cache
def elastic_devices() -> tuple[ElasticDevice, ...]:
    """Return the devices whose models travel with nasviz, in the file's order. Errors as of `load_elastic_devices`."""
    return load_elastic_devices(data_dir() / FILE)


def elastic_device(name: str) -> ElasticDevice:
    """Return the device of this name; capitals and spaces do not matter.

    Raises
    ------
    ValueError
        If there is none of this name, with the names that there are.

    Examples
    --------
    >>> from nasviz.spaces import ElasticSpace
    >>> space = ElasticSpace()
    >>> phone, card = elastic_device("Galaxy Note10").child(), elastic_device("Titan RTX, 1 image").child()
    >>> phone(space.largest) / phone(space.smallest) > card(space.largest) / card(space.smallest)
    True
    """
    if device := device_file.named(elastic_devices(), name):
        return device
    names = "; ".join(device.name for device in elastic_devices())
    raise ValueError(f"no device is called {name!r:.60}; there are {names}")


def load_elastic_devices(path: str | Path) -> tuple[ElasticDevice, ...]:
    """Read a file of such devices. Errors as of `nasviz.hardware.device_file.read`."""
    return device_file.read(path, _device)[1]


def save_elastic_devices(path: str | Path, devices: Sequence[ElasticDevice], about: Mapping) -> None:
    """Write such devices; errors as of `nasviz.hardware.device_file.write`."""
    device_file.write(path, about, [asdict(device) for device in devices], _device)


def _device(entry: dict) -> ElasticDevice:
    said = dict(zip(("name", "hardware", "source", "measured"), device_file.texts(
        entry, "name", "hardware", "source", "measured"), strict=True))  # fmt: skip
    costs = OperationCosts(entry["costs"]["base"], tuple(map(tuple, entry["costs"]["costs"])))
    return ElasticDevice(**{**entry, **said, "costs": costs})
