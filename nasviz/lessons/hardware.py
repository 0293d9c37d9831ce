"""Lab 10: what is slower than counted, a table's error, fronts of recorded searches, whose budget a winner breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..analysis.fronts import dominated
from ..analysis.stats import Interval
from ..course import as_table
from ..estimators import nasbench201_table
from ..hardware import LatencyTable, Noisy, latency, published_device, times
from ..paths import data_dir

FINE = 1e-5  # seconds: a clock that ticks at least so often measures one pass of a small network


def clock() -> Callable[[], float]:
    """The thread's processor time, which other programs do not stop, where it ticks finely; else the wall's time."""
    fine = time.get_clock_info("thread_time").resolution < FINE
    return time.thread_time if fine else time.perf_counter


def milliseconds(network, shape: Sequence[int]) -> float:
    """The latency of a network for an input of ``shape``, ms; nan where this machine is too busy to say it."""
    try:
        return latency(network, shape, tolerance=0.5, tries=10, clock=clock()).ms
    except Noisy:
        return float("nan")


@dataclass(frozen=True)
class Measured:
    """Milliseconds of networks, arrays of shape (networks,): ``refused`` says for which a table had to answer."""

    ms: np.ndarray
    refused: np.ndarray


def measure(networks: Sequence, image: Sequence[int], table: LatencyTable) -> Measured:
    """Measure networks on one image each. Where the machine is too busy, ``table`` answers instead."""
    ms = np.array([milliseconds(network, (1, *image)) for network in networks])
    refused = np.isnan(ms)
    ms[refused] = [table.predict(network, image) for network, no in zip(networks, refused, strict=True) if no]
    return Measured(ms, refused)


def least_alike(madds, ms, within: float = 0.1) -> tuple[int, int, float]:
    """Of all pairs whose MAdds differ by less than ``within``: the slow one, the quick one, how many times as long."""
    madds, ms = np.asarray(madds, float), np.asarray(ms, float)
    ratio = np.where(np.abs(madds[:, None] / madds - 1) < within, ms[:, None] / ms, 0)
    slow, quick = np.unravel_index(ratio.argmax(), ratio.shape)
    return int(slow), int(quick), float(ratio[slow, quick])


def by_operation(operations: Sequence[Mapping[str, int]], ms, kinds: Sequence[str]) -> dict[str, float]:
    """Milliseconds of each kind of operation, and of the rest once, by least squares over networks."""
    columns = np.array([[1, *(found[kind] for kind in kinds)] for found in operations], float)
    return dict(zip(kinds, np.linalg.lstsq(columns, np.asarray(ms), rcond=None)[0][1:].tolist(), strict=True))


def build_table(networks: Sequence, image: Sequence[int], otherwise: LatencyTable) -> LatencyTable:
    """A latency table of all operations in ``networks``, measured here; ``otherwise`` where the machine is too busy."""
    try:
        return LatencyTable.build(
            networks,
            image,
            timed=lambda module, shape: latency(module, shape, tolerance=0.5, tries=10, clock=clock()).ms,
        )
    except Noisy:
        return otherwise


@dataclass(frozen=True)
class Held:
    """What a table says of networks that it was not fitted on: median relative errors (1: 100 %), and Kendall's τ."""

    table: LatencyTable  # repaired
    plain: float  # the sum of its operations
    repaired: float
    line: float  # a line through the multiply-adds
    tau: float
    tau_line: float


def hold_out(table: LatencyTable, networks: Sequence, ms, madds, image: Sequence[int], fitted: int = 12) -> Held:
    """Repair a table on the first ``fitted`` networks, and try it on the others."""
    from scipy.stats import kendalltau

    ms, madds = np.asarray(ms, float), np.asarray(madds, float)
    better = table.fit(networks[:fitted], ms[:fitted], image)
    plain, repaired = np.median(np.abs(better.errors(networks[fitted:], ms[fitted:], image)), axis=0)
    line = np.polyval(np.polyfit(madds[:fitted], ms[:fitted], 1, w=1 / ms[:fitted]), madds[fitted:])
    said = [better.predict(network, image) for network in networks[fitted:]]
    tau, tau_line = (float(kendalltau(column, ms[fitted:]).statistic) for column in (said, madds[fitted:]))
    off = float(np.median(np.abs(line / ms[fitted:] - 1)))
    return Held(better, float(plain), float(repaired), off, tau, tau_line)


def errors(held: Held):
    """`Held` as a table to display."""
    lines = [
        ("a line through the MAdds", f"{held.line:.0%}", f"{held.tau_line:.2f}"),
        ("the sum of the operations", f"{held.plain:.0%}", ""),
        ("the sum, repaired", f"{held.repaired:.0%}", f"{held.tau:.2f}"),
    ]
    return as_table(["on networks that were held out", "median error", "τ with the measured time"], lines)


def verdict(held: Held) -> str:
    """What `hold_out` showed on this machine, in words."""
    if held.repaired < held.plain:
        text = f"the repair brings the error from {held.plain:.0%} down to {held.repaired:.0%}. "
    else:
        text = f"the repair does not help: {held.plain:.0%} before, {held.repaired:.0%} after. "
    if held.tau > 0.5:
        return text + f"The table tells slow cells from fast ones, τ = {held.tau:.2f}."
    return text + f"With τ = {held.tau:.2f} it is too noisy to steer a search: run it again on a quiet machine."


# ------------------------------------------------------------------------------------------------------------ the front
@dataclass(frozen=True)
class Fronts:
    """Recorded searches: ``ms`` and ``accuracy`` (0 to 1, of trainings that no search saw), (2, seeds, evaluations)."""

    ms: np.ndarray
    accuracy: np.ndarray

    def areas(self, evaluations: int, reference: tuple[float, float]) -> np.ndarray:
        """The area that each front dominates within ``reference`` (ms, % of accuracy): array (2, seeds)."""
        seen = [
            [dominated(ms[:evaluations], 100 * truth[:evaluations], reference) for ms, truth in zip(*both, strict=True)]
            for both in zip(self.ms, self.accuracy, strict=True)
        ]
        return np.array(seen)

    def best(self, reference: tuple[float, float]) -> float:
        """The area that all recorded evaluations dominate together."""
        return dominated(self.ms.ravel(), 100 * self.accuracy.ravel(), reference)


def recorded_fronts() -> Fronts:
    """The searches of data/lab10-fronts.npz: NSGA-II and random search, sixty evaluations from twenty seeds each."""
    with np.load(data_dir() / "lab10-fronts.npz") as data:
        return Fronts(data["found"][..., 0], data["found"][..., 2])


def missing_area(fronts: Fronts, evaluations: int, reference: tuple[float, float]) -> np.ndarray:
    """How much each front lacks of the area that all searches found together, 0 to 1: array (2, seeds)."""
    return 1 - fronts.areas(evaluations, reference) / fronts.best(reference)


def told(found: Interval, options: Sequence[str]) -> str:
    """Of three options the one that an interval says: it lies below 0, it holds 0, it lies above 0."""
    return options[0 if found.high < 0 else 2 if found.low > 0 else 1]


# ---------------------------------------------------------------------------------------------------------- the devices
def broken(quality, own, other, share: float, draws: int, cells: int = 40, seed: int = 0) -> np.ndarray:
    """Whether the winner of one device is too slow for another: an array of 0 and 1, (draws,).

    Each draw takes ``cells`` of the architectures. A device allows the latency that ``share`` (0 to 1) of them keep to.
    The winner is the one of greatest ``quality`` within the first device's budget.

    Parameters
    ----------
    quality, own, other : array (architectures,)
        Accuracies, and milliseconds on the two devices.
    """
    quality, own, other = (np.asarray(column, float) for column in (quality, own, other))
    rng, found = np.random.default_rng(seed), []
    for _ in range(draws):
        some = rng.choice(len(quality), size=cells, replace=False)
        within = own[some] <= np.quantile(own[some], share)
        winner = some[np.where(within, quality[some], -np.inf).argmax()]
        found.append(other[winner] > np.quantile(other[some], share))
    return np.array(found, float)


@cache
def two_devices(
    cells: int = 120, own: str = "Raspberry Pi 4", other: str = "Edge TPU"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accuracies of some cells of the ground truth, their ms on one device, and their ms on another.

    Each is one of `nasviz.hardware.published_devices`: its milliseconds are those of the published network.
    """
    table = nasbench201_table()
    archs = table.archs[:: len(table.archs) // cells][:cells]
    devices = [published_device(name).target for name in (own, other)]
    return np.array([table.judge(arch, 0) for arch in archs]), *times(devices, archs)


def share_interval(values) -> tuple[float, tuple[float, float]]:
    """A share in percent, and its 95 % interval (Wilson 1927), from zeros and ones."""
    from scipy.stats import binomtest

    values = np.asarray(values, float)
    low, high = binomtest(int(values.sum()), len(values)).proportion_ci(method="wilson")
    return 100 * float(values.mean()), (100 * float(low), 100 * float(high))
