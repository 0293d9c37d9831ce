"""Latency by look-up: each operation at each shape is measured once, a network's latency is their sum, repaired.

The table of Wu et al. 2019 (FBNet, section 3.2.3) and Cai et al. 2019 (ProxylessNAS, section 3.3). The sum misses what
lies between the operations and counts what each was measured with; `Overhead`, fitted on some whole networks, repairs
most of that. Whoever reads a number from here should ask `LatencyTable.errors` how far it may be off.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ..identity import OtherVersion, check_version
from ..nn import count
from ..ranges import check_fields, check_number, ranged
from ..space import Arch, SearchSpace
from .measure import device_name, latency

VERSION = 1  # of the format of a file
FREE = ("Identity", "Zero", "Flatten")  # layers that compute nothing
Timed = Callable[[nn.Module, tuple[int, ...]], float]


@dataclass(frozen=True)
class Unit:
    """An operation as it runs: its words, the module, the shape of its input (batch first) and of its output."""

    words: str
    module: nn.Module
    shape: tuple[int, ...]
    out: tuple[int, ...]

    @property
    def key(self) -> str:
        """What it is in a table."""
        return f"{self.words} @ {'×'.join(map(str, self.shape[1:]))}"

    @property
    def madds(self) -> int:
        """Multiply-adds of one image."""
        image = cast("tuple[int, int, int]", self.shape[1:])
        return count.madds(self.module, image) if next(self.module.parameters(), None) is not None else 0


def units(network: nn.Module, image: Sequence[int], batch: int = 1) -> list[Unit]:
    """The operations of a network in the order in which they run.

    An operation is a layer, or a `torch.nn.Sequential` of layers only, such as ReLU, convolution and batch-norm. A
    module with layers inside is one operation if it says so: its attribute ``operation`` has the words for it, as that
    of a half-block of a transformer has. What does not run is not listed; additions and concatenations between
    operations are not seen.

    Parameters
    ----------
    network : nn.Module
        On the CPU, or on the meta device, where this takes no memory. Left as it was.
    image : sequence of int
        (colors, height, width).
    batch : int
        Number of images, 1 or more.
    """
    check_number("batch", batch, 1)
    found: list[Unit] = []

    def seen(module, inputs, named, output):
        first = next(iter((*inputs, *named.values())))
        found.append(Unit(_words(module), module, tuple(first.shape), tuple(output.shape)))

    hooks = [module.register_forward_hook(seen, with_kwargs=True) for module in _operations(network)]
    was = network.training
    weights = next(network.parameters(), None)
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros((batch, *image), device=weights.device if weights is not None else "cpu"))
    finally:
        network.train(was)
        for hook in hooks:
            hook.remove()
    return found


def _operations(module: nn.Module) -> list[nn.Module]:
    children = list(module.children())
    if getattr(module, "operation", ""):
        return [module]
    if not children:
        return [] if type(module).__name__ in FREE else [module]
    if isinstance(module, nn.Sequential) and not any(True for child in children for _ in child.children()):
        return [module]
    return [operation for child in children for operation in _operations(child)]


def _words(module: nn.Module) -> str:
    if operation := getattr(module, "operation", ""):
        return str(operation)
    if isinstance(module, nn.Sequential):
        return ", ".join(_words(child) for child in module if type(child).__name__ not in FREE)
    if isinstance(module, nn.Conv2d):
        kernel = "×".join(map(str, module.kernel_size))
        groups = "" if module.groups == 1 else " depthwise" if module.groups == module.in_channels else (
            f" in {module.groups} groups")  # fmt: skip
        stride = "" if module.stride == (1, 1) else f" stride {module.stride[0]}"
        return f"conv {kernel}{groups}{stride} {module.in_channels}→{module.out_channels}"
    if isinstance(module, nn.Linear):
        return f"linear {module.in_features}→{module.out_features}"
    if isinstance(module, nn.BatchNorm2d):
        return "BN"
    name, more = type(module).__name__, module.extra_repr()
    return f"{name}({more})" if "Pool" in name else name


@dataclass(frozen=True)
class Overhead:
    """Milliseconds of a network: ``fixed + factor * (sum of its operations) + each * (number of operations)``."""

    fixed: float = ranged(0.0)
    factor: float = ranged(1.0)
    each: float = ranged(0.0)

    def __post_init__(self):
        check_fields(self)

    def __call__(self, total: float, count: int) -> float:
        return self.fixed + self.factor * total + self.each * count


@dataclass(frozen=True)
class LatencyTable:
    """Measured milliseconds of operations on one device.

    Attributes
    ----------
    device : str
        Name of the processor, or of the graphics card.
    backend : str
        What computed: ``"torch"``, ``"onnxruntime"``, ``"onnxruntime int8"``.
    threads, batch : int
    made : str
        Date, ISO.
    ms : dict of str to float
        By `Unit.key`.
    overhead : Overhead
        As fitted by `fit`; before that the plain sum.
    """

    device: str
    backend: str
    threads: int
    batch: int
    made: str
    ms: dict[str, float] = field(repr=False)
    overhead: Overhead = Overhead()

    def __post_init__(self):
        for name in ("threads", "batch"):  # no default: those that follow have none either
            check_number(f"LatencyTable: {name}", getattr(self, name), 1)

    @classmethod
    def build(
        cls,
        networks: Iterable[nn.Module],
        image: Sequence[int],
        *,
        batch: int = 1,
        threads: int = 1,
        device: str = "cpu",
        timed: Timed | None = None,
        backend: str = "torch",
        progress: bool = False,
    ) -> LatencyTable:
        """Measure every operation that occurs in ``networks``, at each shape once.

        Parameters
        ----------
        networks : iterable of nn.Module
            Enough of them that each operation of the space occurs at each of its shapes.
        image : sequence of int
            (colors, height, width).
        device : str
            As torch calls it: ``"cpu"``, ``"cuda"``. The table gets its name.
        timed : callable, optional
            (module, shape of its input) -> milliseconds. By default `nasviz.hardware.measure.latency` on ``device``.
        progress : bool
            A bar on standard error.

        Raises
        ------
        Noisy
            If the machine does other things (see `nasviz.hardware.measure.measure`).
        """
        timed = timed or (lambda module, shape: latency(module, shape, threads=threads, device=device).ms)
        wanted = {unit.key: unit for network in networks for unit in units(network, image, batch)}
        bar = tqdm(sorted(wanted), unit="operation", disable=not progress)
        ms = {key: timed(wanted[key].module, wanted[key].shape) for key in bar}
        return cls(device_name(device), backend, threads, batch, date.today().isoformat(), ms)

    def by_operation(self, network: nn.Module, image: Sequence[int]) -> list[tuple[str, float]]:
        """(operation, milliseconds) in the order in which they run, before the overhead.

        Raises
        ------
        KeyError
            If an operation was never measured, with its name.
        """
        out = []
        for unit in units(network, image):  # keys hold no batch: one image is enough
            if unit.key not in self.ms:
                raise KeyError(
                    f"never measured: {unit.key}. This table knows {len(self.ms)} operations of batch {self.batch}; "
                    "build it from networks in which this one occurs"
                )
            out.append((unit.key, self.ms[unit.key]))
        return out

    def predict(self, network: nn.Module, image: Sequence[int]) -> float:
        """Milliseconds of a network on this table's device. KeyError as of `by_operation`."""
        rows = self.by_operation(network, image)
        return self.overhead(math.fsum(ms for _, ms in rows), len(rows))

    def fit(self, networks: Sequence[nn.Module], measured: Sequence[float], image: Sequence[int]) -> LatencyTable:
        """With the overhead that least squares of the relative errors finds on whole measured networks.

        Parameters
        ----------
        networks : sequence of nn.Module
            From 10; not those on which the error is stated.
        measured : sequence of float
            Their milliseconds, > 0.
        """
        if len(networks) < 10 or len(networks) != len(measured) or min(measured) <= 0:
            raise ValueError("the overhead is fitted on 10 networks or more, each with its milliseconds, above 0")
        rows = [[ms for _, ms in self.by_operation(network, image)] for network in networks]
        columns = np.array([[1.0, math.fsum(row), len(row)] for row in rows])
        weighted = columns / np.asarray(measured)[:, None]
        coefficients = np.linalg.lstsq(weighted, np.ones(len(rows)), rcond=None)[0]
        return replace(self, overhead=Overhead(*map(float, coefficients)))

    def errors(self, networks: Sequence[nn.Module], measured: Sequence[float], image: Sequence[int]) -> np.ndarray:
        """Relative errors on whole measured networks: (networks, 2), of the plain sum and of the repaired one."""
        plain = replace(self, overhead=Overhead())
        said = np.array([[table.predict(network, image) for table in (plain, self)] for network in networks])
        return said / np.asarray(measured)[:, None] - 1

    @property
    def note(self) -> str:
        """Say that this machine has neither that processor nor that graphics card: one sentence, empty if it has."""
        here = [device_name(device) for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else []))]
        if self.device in here:
            return ""
        return f"These milliseconds are those of {self.device} ({self.made}); this machine is {' with '.join(here)}."

    # ------------------------------------------------------------------ the file
    def save(self, path: str | Path) -> Path:
        """Write it as JSON: whole, or not at all."""
        path = Path(path)
        part = path.with_name(path.name + ".part")
        try:
            said = json.dumps({"version": VERSION} | asdict(self), indent=1, ensure_ascii=False)
            part.write_text(said + "\n", encoding="utf-8")
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        return path

    @classmethod
    def load(cls, path: str | Path) -> LatencyTable:
        """Read a table. Whoever shows its milliseconds shows its `note` too.

        Raises
        ------
        ValueError
            If the file is none, damaged, or of a newer nasviz, with its name.
        """
        try:
            raw = json.loads(Path(path).read_text("utf-8"))
            check_version(path, raw.pop("version", 1), VERSION)  # the first had none
            table = cls(**{**raw, "overhead": Overhead(**raw["overhead"])})
            numbers = [*table.ms.values(), *asdict(table.overhead).values(), table.threads, table.batch]
            if not all(isinstance(ms, int | float) and math.isfinite(ms) for ms in numbers) or not table.ms:
                raise ValueError("milliseconds must be finite numbers")
        except OtherVersion:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{path} is no latency table: {error!s:.300}") from None
        return table


def by_choice(ms: Callable[[Arch], float], space: SearchSpace, base: Arch) -> np.ndarray:
    """Milliseconds that each option of each choice adds to ``base``, against the cheapest: for `LatencyDarts`.

    Exact where a latency is a sum over choices, as a table's is before the overhead while no option silences another.

    Returns
    -------
    float array (choices, options)
    """
    base = space.check(base)
    said = [
        [ms((*base[:i], option, *base[i + 1 :])) for option in range(len(choice.options))]
        for i, choice in enumerate(space.choices)
    ]
    return np.array([np.subtract(row, min(row)) for row in said])
