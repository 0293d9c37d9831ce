"""Fit models of real devices on published latencies of Once-for-all's networks and of blocks like theirs.

    python data/scripts/fit_operation_costs.py FOLDER

FOLDER, or the folder that docs/published-benchmarks.md names, holds ``ofa_note10_block_latency.csv.gz``
(columns resolution, block, mean_ms), ``proxylessnas_mobile_block_latency.csv.gz`` (table, block, mean_ms) and
``help_ofa_latency.csv.gz`` (ks, e, d, r, and a column a device and batch). Writes data/devices-elastic.json and prints
what is in it, in a minute of one core. Blocks are fitted in five parts: block n of the alphabet is in part n modulo 5,
at all resolutions, and judged by the model of the other parts; the model that is kept is fitted on all. Of whole
networks a tenth is fitted, drawn by numpy.random.default_rng(0), and the others judge.
"""

import csv
import gzip
import re
import sys
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from nasviz.hardware.elastic_devices import FILE, ElasticDevice, save_elastic_devices
from nasviz.hardware.operation_costs import (
    POINTWISE,
    WIDE,
    OperationCosts,
    bottleneck,
    convolution,
    linear,
    pooling,
    work_of_child,
)
from nasviz.nn.mobile import divisible
from nasviz.paths import published_dir
from nasviz.spaces.elastic import DEPTHS, EXPANSIONS, KERNELS, RESOLUTIONS

OUT = Path(__file__).parents[1] / FILE
WIDTH, PARTS = 1.2, 5
OFA = "CompOFA, https://github.com/gatech-sysml/CompOFA (Sahni et al. 2021), Apache 2.0"
PROXYLESS = "ProxylessNAS's table (Cai et al. 2019), through https://github.com/han-cai/files, no licence stated"
PIXEL = "https://github.com/itouchz/Neural-Predictor-Tensorflow, MIT"
HELP = "HELP, https://github.com/HayeonLee/HELP (Lee et al. 2021), MIT"
BLOCKS = {
    "note10": ("Galaxy Note10", "Samsung's phone, Once-for-all's blocks at 160 to 224 pixels", OFA),
    "mobile_trim": ("Pixel 1", "Google's phone, by the paper; blocks of ProxylessNAS at 224 pixels", PROXYLESS),
    "pixel_trim": ("Pixel, measured again", "a phone that the source does not name, the same blocks", PIXEL),
}
CARDS = {"2080ti": "RTX 2080 Ti", "titan_rtx": "Titan RTX", "titan_xp": "Titan Xp", "v100": "V100"}
BATCHES = (1, 64)
ABOUT = {
    "space": "members of ElasticSpace at width 1.2 with strides 2, 2, 2, 2, 1, 2, and networks of inverted bottlenecks",
    "licence": "none of the measurements is in this file, only coefficients fitted by this project",
    "command": "python data/scripts/fit_operation_costs.py FOLDER",
    "units": "ms of a batch: base, then for each kind of operation a start, a million multiply-adds and a million "
    "numbers moved, of one image; errors as shares (0.05 is 5 %)",
    "width": "HELP does not state the width of its networks; 1.2 explains its measurements better than 1.0",
}


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def work_of_block(name: str) -> np.ndarray:
    """The work of a published block, from its name."""
    kind, side, inputs, out = re.match(r"(\w+)-input:(\d+)x\d+x(\d+)-output:(\d+)", name).groups()
    side, inputs, out = int(side), int(inputs), int(out)
    outputs = int(re.search(r"output:\d+x\d+x(\d+)", name)[1]) if kind != "Logits" else out
    said = {key: int(value) for key, value in re.findall(r"(expand|kernel|se):(\d+)", name)}
    if kind == "Conv":
        return convolution(WIDE, inputs, outputs, 3, side, out)
    if kind == "AvgPool2D":
        return pooling(inputs, side)
    if kind == "Logits":
        return linear(inputs, outputs) + (pooling(inputs, side) if side > 1 else 0)
    if kind in ("Conv_1", "Conv_2"):
        return convolution(POINTWISE, inputs, outputs, 1, side, out) if side > 1 else linear(inputs, outputs)
    middle = said["expand"] if "se" in said else inputs * said["expand"]  # ProxylessNAS writes the factor
    squeezed = divisible(middle // 4) if said.get("se") else 0
    return bottleneck(inputs, middle, outputs, said["kernel"], side, out, squeezed)


def of_blocks(table: str, found: list[dict[str, str]]) -> ElasticDevice:
    done = np.array([work_of_block(row["block"]) for row in found])
    ms = np.array([float(row["mean_ms"]) for row in found])
    shapes = [re.sub(r"put:\d+x\d+", "put:", row["block"]) for row in found]  # the block at any resolution
    part = np.array([sorted(set(shapes)).index(shape) % PARTS for shape in shapes])
    said = np.empty(len(ms))
    for number in range(PARTS):
        here = part == number
        said[here] = OperationCosts.fit(done[~here], ms[~here], base=False).total(done[here])
    whole = OperationCosts.fit(done, ms, base=False)
    return judged(*BLOCKS[table], "blocks", whole, 1, len(ms), said, ms, done)


def choices(row: dict[str, str]) -> tuple[int, ...]:
    """The member of `ElasticSpace` that a row of HELP means."""
    arch = [RESOLUTIONS.index(int(row["r"]))]
    for unit in range(5):
        depth = int(row["d"][unit])
        arch.append(DEPTHS.index(depth))
        for layer in range(4):
            place, there = 4 * unit + layer, layer < depth
            arch.append(KERNELS.index(int(row["ks"][place])) if there else 0)
            arch.append(EXPANSIONS.index(int(row["e"][place])) if there else 0)
    return tuple(arch)


def of_networks(found: list[dict[str, str]]) -> list[ElasticDevice]:
    done = np.array([work_of_child(choices(row), WIDTH) for row in found])
    some, others = np.split(np.random.default_rng(0).permutation(len(found)), [len(found) // 10])
    devices = []
    for batch in BATCHES:
        for key, name in CARDS.items():
            ms = np.array([float(row[f"{key}_{batch}"]) for row in found])
            costs = OperationCosts.fit(done[some], ms[some])
            title = f"{name}, {batch} image{'s' * (batch > 1)}"
            texts = title, f"NVIDIA's graphics card, whole networks, batches of {batch}", HELP
            said = costs.total(done[others])
            devices.append(judged(*texts, "networks", costs, batch, len(some), said, ms[others], done[others]))
    return devices


def judged(name, hardware, source, measured, costs, batch, fitted, said, ms, done) -> ElasticDevice:
    off = np.abs(said / ms - 1)
    madds = done[..., 1].sum(1)
    ranks = (float(kendalltau(one, ms).statistic) for one in (said, madds))
    errors = float(np.median(off)), float(np.quantile(off, 0.9))
    device = ElasticDevice(name, hardware, source, measured, costs, batch, fitted, len(ms), *errors, *ranks)
    print(f"{name:24} error {errors[0]:.1%}, 90 % below {errors[1]:.1%}, τ {device.tau:.3f}, "
          f"of multiply-adds {device.tau_madds:.3f}, starts {np.round(costs.costs, 4)[:, 0]}")  # fmt: skip
    return device


def main(folder: str | None = None) -> None:
    place = Path(folder) if folder else published_dir()
    devices = [of_blocks("note10", rows(place / "ofa_note10_block_latency.csv.gz"))]
    tables = rows(place / "proxylessnas_mobile_block_latency.csv.gz")
    for table in ("mobile_trim", "pixel_trim"):
        devices.append(of_blocks(table, [row for row in tables if row["table"] == table]))
    devices += of_networks(rows(place / "help_ofa_latency.csv.gz"))
    save_elastic_devices(OUT, devices, ABOUT)


if __name__ == "__main__":
    main(*sys.argv[1:2])
