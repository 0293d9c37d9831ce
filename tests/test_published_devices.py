"""Published latencies: small files made by hand, and what the data folder says of the real ones, where they are."""

import csv
import gzip
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from nasviz.estimators import Table, nasbench201_table
from nasviz.hardware import elastic_devices, published_devices
from nasviz.hardware.edge_costs import without_dead
from nasviz.hardware.published_latencies import latencies
from nasviz.lessons import device_transfer
from nasviz.spaces import NasBench201

CELLS = "nasbench201_200epochs.csv.gz"
ROOT = Path(__file__).parents[1]
PUBLISHED = Path(os.environ.get("NASVIZ_PUBLISHED") or ROOT.parent / "shared" / "published")
real = pytest.mark.skipif(not (PUBLISHED / CELLS).exists(), reason="needs published files beside the project")


def script(name):
    """A script of the data folder, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "data" / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ------------------------------------------------------------------------------------------------------ a table by hand
def test_costs_are_those_of_the_table_in_the_order_of_the_cells():
    rows = [
        ((4, 2, 1, 2, 1, 1), 0, {"accuracy": 0.9, "edgegpu_latency_ms": 5.8, "edgegpu_energy_mj": 24.2}, 1.0),
        ((0, 0, 3, 0, 0, 0), 0, {"accuracy": 0.5, "edgegpu_latency_ms": 1.2, "edgegpu_energy_mj": np.nan}, 1.0),
    ]
    archs, costs = latencies(Table.of(NasBench201(), rows))
    assert archs.tolist() == [[0, 0, 3, 0, 0, 0], [4, 2, 1, 2, 1, 1]]
    assert list(costs) == ["edgegpu_latency_ms", "edgegpu_energy_mj"]
    assert costs["edgegpu_latency_ms"].tolist() == [1.2, 5.8] and np.isnan(costs["edgegpu_energy_mj"][0])
    with pytest.raises(ValueError, match="also="):
        latencies(Table.of(NasBench201(), [((0,) * 6, 0, {"accuracy": 0.9}, 1.0)]))


def test_a_published_block_is_read_from_its_name():
    fit = script("fit_operation_costs")
    block = "expanded_conv-input:14x14x8-output:7x7x16-expand:24-kernel:5-stride:2-idskip:0-se:1-hs:1"
    assert fit.work_of_block(block) == pytest.approx(fit.bottleneck(8, 24, 16, 5, 14, 7, 8))
    older = "expanded_conv-input:14x14x8-output:14x14x8-expand:3-kernel:3-stride:1-idskip:1"
    assert fit.work_of_block(older) == pytest.approx(fit.bottleneck(8, 24, 8, 3, 14, 14))
    assert fit.work_of_block("Conv-input:224x224x3-output:112x112x24") == pytest.approx(
        fit.convolution(fit.WIDE, 3, 24, 3, 224, 112))  # fmt: skip
    row = {"ks": "7555" * 5, "e": "6446" * 5, "d": "42223", "r": "204"}
    arch = fit.choices(row)
    assert arch[0] == 19 and arch[1:10] == (2, 2, 2, 1, 1, 1, 1, 1, 2) and arch[10:19] == (0, 2, 2, 1, 1, 0, 0, 0, 0)


# ------------------------------------------------------------------------------------------------------ the real files
@real
def test_the_models_that_travel_are_those_of_the_published_numbers():
    fit = script("fit_devices")
    archs, costs = latencies(Table.published("nasbench201", PUBLISHED, also=["hardware"]))
    assert len(archs) == 15_625 and without_dead(archs).sum() == 9_444
    # τ of multiply-adds (with poolings), of a cost an operation, of a cost an edge and operation; median error, %
    wanted = {
        "Raspberry Pi 4": (0.85, 0.89, 0.88, 5),
        "Pixel 3": (0.78, 0.90, 0.89, 6),
        "Edge GPU": (0.44, 0.67, 0.86, 2),
        "Edge TPU": (0.22, 0.92, 0.92, 3),
        "FPGA": (0.87, 0.99, 0.99, 0),
        "Eyeriss": (0.44, 0.97, 0.96, 0),
    }
    for key, device in zip(fit.DEVICES, published_devices(), strict=True):
        model, held = fit.judge(archs, costs[f"{key}_latency_ms"])
        *ranks, error = wanted[device.name]
        assert [held.tau_counted, held.tau_operation, held.tau] == pytest.approx(ranks, abs=0.01), device.name
        assert 100 * held.median_error == pytest.approx(error, abs=1) and held.median_error <= 0.07
        kept = device.held_out["latency_ms"]
        assert (kept.fitted, kept.judged, kept.tau) == (held.fitted, held.judged, pytest.approx(held.tau, abs=1e-3))
        assert device.costs["latency_ms"].predict(archs) == pytest.approx(model.predict(archs), rel=1e-3)
        assert device.costs["latency_ms"].skipped == model.skipped


@real
def test_counting_with_poolings_is_the_published_count_of_operations():
    from nasviz.hardware.edge_costs import multiply_adds

    with gzip.open(PUBLISHED / "nb201_zerocost_cifar10.csv.gz", "rt") as lines:
        published = {int(row["index"]): float(row["flops"]) for row in csv.DictReader(lines)}
    with gzip.open(PUBLISHED / CELLS, "rt") as lines:
        cells = {int(row["index"]): [int(digit) for digit in row["ops6"]] for row in csv.DictReader(lines)}
    some = sorted(published)[::50]
    gap = [published[index] for index in some] - multiply_adds([cells[index] for index in some], others=True)
    assert np.ptp(gap) < 0.02  # stem, reductions and classifier, the same in all


@real
def test_our_table_ranks_cells_as_large_trainings_do():
    """One cell of each published class: our trainings on small images beside 200 epochs on three sets of images."""
    with gzip.open(PUBLISHED / CELLS, "rt") as lines:
        first = [row for row in csv.DictReader(lines) if row["index"] == row["isomorphic_to"]]
    archs = np.array([[int(digit) for digit in row["ops6"]] for row in first])
    table = nasbench201_table()
    seen = np.where(table.there, table.columns["test_accuracy"], np.nan)
    ours = np.nanmean(seen[table.rows([tuple(arch) for arch in archs.tolist()])], 1)
    large = (archs == 3).sum(1)
    size = 9 * large + (archs == 2).sum(1)
    truths = [
        np.array([float(row[name]) for row in first]) for name in ("cifar10_test", "cifar100_test", "imagenet16_test")
    ]
    ranks = [[kendalltau(column, truth).statistic for truth in truths] for column in (ours, size, truths[0])]
    assert len(first) == 6_466
    assert ranks[0] == pytest.approx([0.65, 0.60, 0.58], abs=0.01)
    assert ranks[1] == pytest.approx([0.61, 0.57, 0.51], abs=0.01)
    assert ranks[2][1:] == pytest.approx([0.86, 0.79], abs=0.01)
    within = [kendalltau(ours[large == n], truths[0][large == n]).statistic for n in range(4)]
    assert within == pytest.approx([0.62, 0.52, 0.42, 0.34], abs=0.01)


@real
def test_the_recorded_transfer_is_that_of_the_published_latencies():
    study, recorded = device_transfer.Study.published(PUBLISHED), device_transfer.recorded_transfer()
    assert study.columns == recorded.columns
    for column, measured, left_out in (("pixel2", 10, "the device"), ("titan_rtx_1", 5, "all of its kind")):
        place = recorded.left_out.index(left_out), recorded.measured.index(measured)
        kept = [
            values[(*place, slice(None), recorded.columns.index(column))] for values in (recorded.tau, recorded.error)
        ]
        found = study.drawn(column, measured, left_out).mean(0)
        assert found.T == pytest.approx(np.array(kept), abs=1e-3)


@real
def test_the_elastic_models_are_those_of_the_published_blocks(capsys):
    fit = script("fit_operation_costs")
    found = fit.rows(PUBLISHED / "proxylessnas_mobile_block_latency.csv.gz")
    device = fit.of_blocks("mobile_trim", [row for row in found if row["table"] == "mobile_trim"])
    kept = next(one for one in elastic_devices() if one.name == device.name)
    assert (kept.fitted, kept.tau) == (72, pytest.approx(device.tau, abs=1e-3))
    assert kept.costs.costs == pytest.approx(np.array(device.costs.costs), rel=1e-3)
    assert "Pixel 1" in capsys.readouterr().out
