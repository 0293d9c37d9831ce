"""Costs of NAS-Bench-201's cells on real devices, from a table of published measurements that one has beside nasviz.

They do not travel with it. `nasviz.estimators.Table.published` reads them: with ``also=["hardware"]`` those of
HW-NAS-Bench (Li et al. 2021), with ``also=["devices"]`` those of HELP (Lee et al. 2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from ..space import Arch
from .edge_costs import as_array

UNITS = ("_latency_ms", "_energy_mj")  # ends of the columns that are costs


class Measured(Protocol):
    """The part of `nasviz.estimators.Table` that is used here."""

    @property
    def archs(self) -> Sequence[Arch]:
        """The architectures that have a row."""

    @property
    def columns(self) -> Mapping[str, np.ndarray]:
        """The numbers by name."""

    def column(self, name: str) -> np.ndarray:
        """The numbers called ``name``, one a row."""


def latencies(table: Measured) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return what a table knows of devices.

    Returns
    -------
    archs : int array (n, 6)
        Choices of `nasviz.spaces.NasBench201`, in ascending order.
    costs : dict of str to float array (n,)
        By column: ``raspi4_latency_ms``, ``edgegpu_energy_mj``, ``pixel2_latency_ms``; nan where nothing was measured.

    Raises
    ------
    ValueError
        If no column is a cost, or the architectures are none of NAS-Bench-201's.
    """
    names = [name for name in table.columns if name.endswith(UNITS)]
    if not names:
        raise ValueError(f"no column ends in {' or '.join(UNITS)}: read the table with also=['hardware']")
    archs = as_array(table.archs)
    order = np.lexsort(archs.T[::-1])
    return archs[order], {name: table.column(name)[order] for name in names}
