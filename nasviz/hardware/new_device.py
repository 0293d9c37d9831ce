"""A new device from few measurements: what is known of other devices, used in five ways (the question of HELP).

Lee et al. 2021 learn a predictor that adapts to a new device with ten measurements. Here stand plain answers to the
same question, all linear, on the cells of NAS-Bench-201. `judge` takes some measurements of a device that is new, asks
each way for its other latencies, and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..ranges import check_number
from .edge_costs import EdgeCosts, as_array, design, multiply_adds

LEAST = 3  # measurements: a line needs two, and its error a third
OWN_SPREAD = 0.1  # share of the prior's covariance that is each coefficient's own: so few devices do not span all


@dataclass(frozen=True, eq=False)
class Known:
    """Devices on which all cells were measured.

    Parameters
    ----------
    archs : int array (cells, 6)
        Cells of NAS-Bench-201 without dead operations.
    ms : float array (devices, cells)
    """

    archs: np.ndarray
    ms: np.ndarray

    def __post_init__(self):
        if self.ms.ndim != 2 or self.ms.shape[1] != len(as_array(self.archs)) or not np.isfinite(self.ms).all():
            raise ValueError(
                f"known devices have a finite number for each of {len(self.archs)} cells, got {self.ms.shape}"
            )

    @cached_property
    def columns(self) -> np.ndarray:
        """The columns of the 31-number model, (cells, 31)."""
        return design(self.archs)

    @cached_property
    def models(self) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients of each device in units of its mean latency, (devices, 31), and the mean squared rests."""
        rows = [row / row.mean() for row in self.ms]
        models = np.array([np.linalg.lstsq(self.columns, row, rcond=None)[0] for row in rows])
        rests = np.array([np.mean((row - self.columns @ model) ** 2) for row, model in zip(rows, models, strict=True)])
        return models, rests

    def only(self, devices: Sequence[int]) -> Known:
        """Some of the devices; their models are not fitted again."""
        some = Known(self.archs, self.ms[list(devices)])
        models, rests = self.models
        some.__dict__.update(columns=self.columns, models=(models[list(devices)], rests[list(devices)]))
        return some


Way = Callable[[Known, np.ndarray, np.ndarray], np.ndarray]  # known, measured cells, their ms -> ms of all cells


def counting(known: Known, cells: np.ndarray, ms: np.ndarray) -> np.ndarray:
    """A line through the multiply-adds. Where the few cells make it fall, one in proportion to them."""
    madds = multiply_adds(known.archs)
    slope, base = np.polyfit(madds[cells], ms, 1)
    return base + slope * madds if slope > 0 else ms.mean() * (1 + madds) / (1 + madds[cells]).mean()


def alone(known: Known, cells: np.ndarray, ms: np.ndarray) -> np.ndarray:
    """A cost for each operation, wherever it stands, from the few cells alone: six numbers by least squares."""
    counts = np.stack([np.ones(len(known.archs)), *((known.archs == option).sum(1) for option in range(1, 5))], 1)
    return counts @ np.linalg.lstsq(counts[cells], ms, rcond=None)[0]


def towards_mean(known: Known, cells: np.ndarray, ms: np.ndarray) -> np.ndarray:
    """The 31-number model, by a ridge towards the mean of the other devices' models.

    A device's models are compared in units of its mean latency. The ridge is the variance of the others' rests, over
    that of their coefficients around the mean: the best one, if devices were drawn from one normal distribution.
    """
    models, rests = known.models
    prior, scale = _scaled(known, cells, ms)
    ridge = rests.mean() / np.mean((models - prior) ** 2)
    model = EdgeCosts.fit(known.archs[cells], ms / scale, prior=prior, ridge=float(ridge))
    return scale * model.predict(known.archs)


def towards_others(known: Known, cells: np.ndarray, ms: np.ndarray) -> np.ndarray:
    """The same, but pulled least in the directions in which the other devices differ most: by their covariance."""
    models, rests = known.models
    prior, scale = _scaled(known, cells, ms)
    apart = models - prior
    covariance = (1 - OWN_SPREAD) * apart.T @ apart / len(models) + OWN_SPREAD * np.diag((apart**2).mean(0))
    some = known.columns[cells]
    inner = some @ covariance @ some.T + rests.mean() * np.eye(len(cells))
    found = prior + covariance @ some.T @ np.linalg.solve(inner, ms / scale - some @ prior)
    return scale * (known.columns @ found)


def nearest(known: Known, cells: np.ndarray, ms: np.ndarray) -> np.ndarray:
    """The known device whose latencies of the few cells correlate most (Pearson), brought to scale by a line."""
    theirs = known.ms[:, cells]
    apart = theirs - theirs.mean(1, keepdims=True)
    size = np.sqrt((apart**2).sum(1))
    alike = np.divide(apart @ (ms - ms.mean()), size, out=np.full(len(size), -np.inf), where=size > 0)
    best = int(alike.argmax())
    if not np.isfinite(alike[best]):  # no device tells these cells apart
        return np.full(known.ms.shape[1], ms.mean())
    return np.polyval(np.polyfit(theirs[best], ms, 1), known.ms[best])


def _scaled(known: Known, cells: np.ndarray, ms: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean of the known models, and the new device's scale: what the mean has to be multiplied by."""
    prior = known.models[0].mean(0)
    said = known.columns[cells] @ prior
    return prior, float(said @ ms / (said @ said))


WAYS: Mapping[str, Way] = {
    "multiply-adds": counting,
    "six numbers, no other device": alone,
    "31 numbers, towards the mean of others": towards_mean,
    "31 numbers, as others differ": towards_others,
    "the nearest device": nearest,
}


def judge(
    known: Known, new: np.ndarray, measured: int, draw: Sequence[int], held_out: np.ndarray
) -> dict[str, tuple[float, float]]:
    """Ask each way for a new device from few measurements, and compare with all that was measured.

    Parameters
    ----------
    known : Known
        Without the new device.
    new : array (cells,)
        Its milliseconds; a way sees ``measured`` of them.
    measured : int
        Number of cells, 3 or more, drawn from those that are not held out.
    draw : sequence of int
        Seed of the draw.
    held_out : int array
        Numbers of the cells that judge.

    Returns
    -------
    dict of str to (float, float)
        Kendall's τ with the measurements of the held-out cells, and the median relative error (0.1: 10 %).
    """
    from scipy.stats import kendalltau

    others = np.setdiff1d(np.arange(len(new)), held_out)
    check_number("measured", measured, LEAST, len(others))
    rng = np.random.default_rng(draw)
    cells = rng.choice(others, measured, replace=False)
    found = {}
    for name, way in WAYS.items():
        said = way(known, cells, new[cells])[held_out]
        rank = float(kendalltau(said, new[held_out]).statistic) if np.ptp(said) else 0.0
        found[name] = rank, float(np.median(np.abs(said / new[held_out] - 1)))
    return found
