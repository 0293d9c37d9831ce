"""Latencies of NAS-Bench-201's cells on real devices, from published files that one has beside nasviz.

They do not travel with it. The folder is named by an argument, or by the environment variable NASVIZ_PUBLISHED. It
holds ``nasbench201_200epochs.csv.gz`` (columns ``index`` and ``ops6``, the six operations as digits) and, with the same
index, ``hwnasbench_nb201_cifar10.csv.gz`` (HW-NAS-Bench, Li et al. 2021) or ``help_nb201_latency.csv.gz`` (HELP, Lee et
al. 2021). Columns are milliseconds, or millijoules where their names end in ``_energy_mj``; what is empty was not
measured.
"""

from __future__ import annotations

import csv
import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from .edge_costs import as_array

FOLDER = "NASVIZ_PUBLISHED"  # the environment variable
CELLS = "nasbench201_200epochs.csv.gz"
FILES = {"HW-NAS-Bench": "hwnasbench_nb201_cifar10.csv.gz", "HELP": "help_nb201_latency.csv.gz"}
OTHERS = ("_intensity",)  # ends of columns that are no cost


def published_folder(path: str | Path | None = None) -> Path:
    """Return the folder of published files: ``path``, or what the environment variable names.

    Raises
    ------
    FileNotFoundError
        If there is none, with what to do.
    """
    named = path or os.environ.get(FOLDER)
    if not named:
        raise FileNotFoundError(f"no folder of published measurements is named: give its path, or set {FOLDER}")
    if not Path(named).is_dir():
        raise FileNotFoundError(f"{named} is no folder; published measurements are read from one")
    return Path(named)


def latencies(folder: str | Path, source: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read the costs of cells.

    Parameters
    ----------
    folder : path
        As of `published_folder`.
    source : {"HW-NAS-Bench", "HELP"}

    Returns
    -------
    archs : int array (n, 6)
        Choices of `nasviz.spaces.NasBench201`, in ascending order.
    costs : dict of str to float array (n,)
        By column: ``raspi4_latency_ms``, ``edgegpu_energy_mj``, ``pixel2_latency_ms``; nan where nothing was measured.

    Raises
    ------
    ValueError
        If a file does not hold what it should, with its name.
    FileNotFoundError
        If it is not there.
    """
    if source not in FILES:
        raise ValueError(f"a source is one of {tuple(FILES)}, not {source!r}")
    cells, file = Path(folder, CELLS), Path(folder, FILES[source])
    try:
        archs = as_array([[int(digit) for digit in row["ops6"]] for row in _rows(cells)])
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{cells} does not say which cells there are: {error!s:.200}") from None
    try:
        rows = _rows(file)
        names = [name for name in rows[0] if name != "index" and not name.endswith(OTHERS)]
        units = {name: name if name.endswith(("_ms", "_mj")) else f"{name}_latency_ms" for name in names}
        costs = {units[name]: np.array([float(row[name] or "nan") for row in rows]) for name in names}
        if not names or len(rows) != len(archs) or any(np.isinf(column).any() for column in costs.values()):
            raise ValueError(f"it has {len(rows)} rows for {len(archs)} cells, or a number that is infinite")
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ValueError(f"{file} holds no costs of the cells in {CELLS}: {error!s:.200}") from None
    order = np.lexsort(archs.T[::-1])
    return archs[order], {name: column[order] for name, column in costs.items()}


def _rows(path: Path) -> list[dict[str, str]]:
    """All rows in order; their index has to count them."""
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise ValueError(f"{path} is no table packed with gzip: {error!s:.200}") from None
    if [row.get("index") for row in rows] != [str(number) for number in range(len(rows))] or not rows:
        raise ValueError(f"{path} has to have a column index that counts its rows from 0")
    return rows
