"""Record how few measurements suffice for a new device: five ways on the 23 columns of HELP (Lee et al. 2021).

    python data/scripts/record_transfer.py FOLDER

FOLDER holds files that docs/published-benchmarks.md describes; without it one is looked for as it says.
Writes data/device-transfer.json: for each rule of leaving out, number of measurements, way and column the mean
over 20 draws of Kendall's τ and of the median error, on 1,000 held-out cells of 4,000 that were drawn once. A column is
a device and its batch; a device is left out with all of its batches. What the file has is kept. Ten minutes of a core.
"""

import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from nasviz.hardware.new_device import WAYS
from nasviz.lessons.device_transfer import (
    CELLS,
    DRAWS,
    FILE,
    JUDGES,
    LEFT_OUT,
    MEASURED,
    VERSION,
    Study,
    card,
    kind,
    recorded_transfer,
)

OUT = Path(__file__).parents[1] / FILE
ABOUT = {
    "space": "nasbench201, cells without dead operations",
    "source": "HELP, https://github.com/HayeonLee/HELP, data/nasbench201/latency",
    "paper": "Lee et al. 2021, HELP: Hardware-Adaptive Efficient Latency Prediction for NAS via Meta-Learning, NeurIPS",
    "licence": "HELP is under the MIT licence; none of its latencies is in this file, only correlations and errors",
    "command": "python data/scripts/record_transfer.py FOLDER",
    "draws": f"{DRAWS} for each column and number of measurements, of {CELLS} cells drawn once; {JUDGES} of them judge",
    "axes": "tau and error: left out, measured, way, column",
}


def main(folder: str | None = None) -> None:
    study = Study.published(folder)
    shape = len(LEFT_OUT), len(MEASURED), len(WAYS), len(study.columns)
    found = np.full((2, *shape), np.nan)
    if OUT.exists():
        before = json.loads(OUT.read_text("utf-8"))
        same = {"columns": list(study.columns), "measured": list(MEASURED), "ways": list(WAYS), "about": ABOUT}
        if all(before[name] == value for name, value in same.items()):
            found = np.array([before["tau"], before["error"]], float)
    for rule, new in tqdm(np.argwhere(np.isnan(found).any((0, 2, 3))).tolist(), unit="device"):
        for place, measured in enumerate(MEASURED):
            drawn = study.drawn(study.columns[new], measured, list(LEFT_OUT)[rule])
            found[:, rule, place, :, new] = drawn.mean(0).T
        save(study.columns, found)
    recorded_transfer(OUT)  # read back


def save(columns: tuple[str, ...], found: np.ndarray) -> None:
    """Write what there is; what is not yet there is null."""
    tau, error = (np.where(np.isnan(one), None, np.round(one, 4)).tolist() for one in found)
    text = {
        "version": VERSION,
        "about": ABOUT,
        "left_out": list(LEFT_OUT),
        "measured": MEASURED,
        "ways": list(WAYS),
        "columns": columns,
        "devices": [card(name) for name in columns],
        "kinds": [kind(name) for name in columns],
        "tau": tau,
        "error": error,
    }
    OUT.write_text(json.dumps(text, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])
