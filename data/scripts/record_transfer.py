"""Record how few measurements suffice for a new device: five ways on the 23 columns of HELP (Lee et al. 2021).

    python data/scripts/record_transfer.py FOLDER

FOLDER is described in nasviz/hardware/published_latencies.py; without it the environment variable NASVIZ_PUBLISHED is
asked. Writes data/device-transfer.json: for each rule of leaving out, number of measurements, way and column the mean
over 20 draws of Kendall's τ and of the median error, on 1,000 held-out cells of 4,000 that were drawn once. A column is
a device and its batch; a device is left out with all of its batches. What the file has is kept. Ten minutes of a core.
"""

import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from nasviz.hardware.edge_costs import without_dead
from nasviz.hardware.new_device import WAYS, Known, judge
from nasviz.hardware.published_latencies import latencies, published_folder

OUT = Path(__file__).parents[1] / "device-transfer.json"
MEASURED, DRAWS, CELLS, JUDGES = (3, 5, 10, 20, 50, 100, 300), 20, 4000, 1000
KINDS = {"titan": "graphics card", "80ti": "graphics card", "silver": "server processor", "gold": "server processor"}
ABOUT = {
    "space": "nasbench201, cells without dead operations",
    "source": "HELP, https://github.com/HayeonLee/HELP, data/nasbench201/latency",
    "paper": "Lee et al. 2021, HELP: Hardware-Adaptive Efficient Latency Prediction for NAS via Meta-Learning, NeurIPS",
    "licence": "HELP is under the MIT licence; none of its latencies is in this file, only correlations and errors",
    "command": "python data/scripts/record_transfer.py FOLDER",
    "draws": f"{DRAWS} for each column and number of measurements, of {CELLS} cells drawn once; {JUDGES} of them judge",
    "axes": "tau and error: left out, measured, way, column",
}


def card(column: str) -> str:
    """The device of a column: its name without the batch."""
    name, _, batch = column.rpartition("_")
    return name if batch in ("1", "32", "256") else column


def kind(column: str) -> str:
    """Graphics card, server processor, or phone."""
    return next((word for part, word in KINDS.items() if part in column), "phone")


LEFT_OUT = {"the device": card, "all of its kind": kind}


def main(folder: str | None = None) -> None:
    archs, costs = latencies(published_folder(folder), "HELP")
    some = np.random.default_rng(0).permutation(np.flatnonzero(without_dead(archs)))[:CELLS]
    names = [name.removesuffix("_latency_ms") for name in costs]
    everything = Known(archs[some], np.array([column[some] for column in costs.values()]))
    held_out = np.arange(JUDGES)
    shape = len(LEFT_OUT), len(MEASURED), len(WAYS), len(names)
    found = np.full((2, *shape), np.nan)
    if OUT.exists():
        before = json.loads(OUT.read_text("utf-8"))
        if before["columns"] == names and before["measured"] == list(MEASURED) and before["ways"] == list(WAYS):
            found = np.array([before["tau"], before["error"]], float)
    missing = np.isnan(found).any((0, 2, 3))
    for rule, new in tqdm(np.argwhere(missing).tolist(), unit="device"):
        group = list(LEFT_OUT.values())[rule]
        known = everything.only([n for n, name in enumerate(names) if group(name) != group(names[new])])
        for place, measured in enumerate(MEASURED):
            drawn = [judge(known, everything.ms[new], measured, (draw, new), held_out) for draw in range(DRAWS)]
            found[:, rule, place, :, new] = np.mean([[one[way] for way in WAYS] for one in drawn], 0).T
        save(names, found)


def save(names: list[str], found: np.ndarray) -> None:
    """Write what there is; what is not yet there is null."""
    tau, error = (np.where(np.isnan(one), None, np.round(one, 4)).tolist() for one in found)
    text = {
        "version": 1,
        "about": ABOUT,
        "left_out": list(LEFT_OUT),
        "measured": list(MEASURED),
        "ways": list(WAYS),
        "columns": names,
        "devices": [card(name) for name in names],
        "kinds": [kind(name) for name in names],
        "tau": tau,
        "error": error,
    }
    OUT.write_text(json.dumps(text) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])
