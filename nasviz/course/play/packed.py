"""The ground truth as small as a page can carry it: whole numbers of 16 bits in base64."""

from __future__ import annotations

import base64

import numpy as np

from ...estimators.table import Table
from ...spaces import NasBench201

IMAGES = 2000  # of which an accuracy is a count
MISSING = 65535


def packed(table: Table) -> dict:
    """Return a table of NAS-Bench-201 as plain data, from which ``js/table.js`` makes the same numbers again.

    Parameters
    ----------
    table : Table
        Of the whole space, with the columns ``accuracy`` and ``madds``.

    Returns
    -------
    dict
        ``counts``: right answers of each training, rows × trainings; ``images``: of how many; ``single``: whether an
        accuracy is rounded to float32; ``aliases``: the row of each architecture; ``costs``: the different numbers of
        multiply-adds; ``cost``: which of them each row has.

    Raises
    ------
    ValueError
        If the table is of another space, lacks architectures, or has numbers that would not come out exactly.
    """
    if table.space != NasBench201():
        raise ValueError(f"the page plays on NAS-Bench-201, this table is of {table.space.name}")
    aliases = table.aliases
    if aliases is None or (aliases < 0).any() or len(table.archs) >= MISSING:
        raise ValueError(f"the page needs a table of every architecture; this one has {table.coverage}")
    there, accuracy = table.there, table.columns["accuracy"]
    counts = np.where(there, np.round(accuracy * IMAGES), MISSING)
    exact = {True: (counts / IMAGES).astype(np.float32).astype(float), False: counts / IMAGES}
    single = next((rounded for rounded, values in exact.items() if (values == accuracy)[there].all()), None)
    if single is None:
        raise ValueError(
            f"some accuracies of this table are no counts out of {IMAGES:,} images: the page would round them"
        )
    costs, cost = np.unique(table.column("madds"), return_inverse=True)
    return {
        "images": IMAGES,
        "single": single,
        "trainings": there.shape[1],
        "counts": _text(counts),
        "aliases": _text(aliases),
        "costs": costs.astype(int).tolist(),
        "cost": _text(cost),
    }


def _text(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<u2").tobytes()).decode()
