"""Published latencies: small files made by hand, and what the data folder says of the real ones, where they are."""

import csv
import gzip
import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from nasviz.estimators import nasbench201_table
from nasviz.hardware import elastic_devices, published_devices
from nasviz.hardware.edge_costs import without_dead
from nasviz.hardware.published_latencies import CELLS, FILES, latencies, published_folder
from nasviz.lessons import device_transfer

ROOT = Path(__file__).parents[1]
PUBLISHED = Path(os.environ.get("NASVIZ_PUBLISHED") or ROOT.parent / "shared" / "published")
real = pytest.mark.skipif(not (PUBLISHED / CELLS).exists(), reason="needs published files beside the project")


def script(name):
    """A script of the data folder, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "data" / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(path, rows):
    with gzip.open(path, "wt", newline="") as lines:
        csv.writer(lines).writerows(rows)


@pytest.fixture
def folder(tmp_path):
    """Three cells, as the exports have them: the second device could not run one."""
    write(tmp_path / CELLS, [("index", "ops6"), (0, "421211"), (1, "003000"), (2, "334131")])
    write(tmp_path / FILES["HW-NAS-Bench"], [
        ("index", "edgegpu_latency_ms", "edgegpu_energy_mj", "edgetpu_latency_ms", "eyeriss_arithmetic_intensity"),
        (0, 5.8, 24.2, 0.95, 6.3), (1, 1.2, 5.1, "", 2.0), (2, 6.5, 30, 1.4, 20.9)])  # fmt: skip
    write(tmp_path / FILES["HELP"], [("index", "1080ti_32", "pixel2"), (0, 10.75, 9), (1, 3, 4), (2, 12.9, 17)])
    return tmp_path


# ------------------------------------------------------------------------------------------------------ files by hand
def test_files_are_read_by_cell(folder):
    archs, costs = latencies(folder, "HW-NAS-Bench")
    assert archs.tolist() == [[0, 0, 3, 0, 0, 0], [3, 3, 4, 1, 3, 1], [4, 2, 1, 2, 1, 1]]  # in order
    assert list(costs) == ["edgegpu_latency_ms", "edgegpu_energy_mj", "edgetpu_latency_ms"]
    assert costs["edgegpu_energy_mj"].tolist() == [5.1, 30, 24.2] and np.isnan(costs["edgetpu_latency_ms"][0])
    assert latencies(folder, "HELP")[1]["1080ti_32_latency_ms"].tolist() == [3, 12.9, 10.75]


@pytest.mark.parametrize(
    "file, rows",
    [
        (CELLS, [("index", "ops6"), (0, "421211"), (1, "003005"), (2, "334131")]),
        (CELLS, [("index", "ops6"), (0, "421211"), (1, "00300"), (2, "334131")]),
        (CELLS, [("index", "ops6"), (0, "421211"), (2, "003000"), (1, "334131")]),
        (CELLS, [("index", "cell"), (0, "421211"), (1, "003000"), (2, "334131")]),
        (FILES["HELP"], [("index", "pixel2"), (0, 1), (1, 2)]),
        (FILES["HELP"], [("index", "pixel2"), (0, 1), (1, "x"), (2, 3)]),
        (FILES["HELP"], [("index", "pixel2"), (0, 1), (1, "inf"), (2, 3)]),
        (FILES["HELP"], [("index",), (0,), (1,), (2,)]),
        (FILES["HELP"], []),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_name(folder, file, rows):
    write(folder / file, rows)
    with pytest.raises(ValueError, match=file):
        latencies(folder, "HELP")


def test_what_is_damaged_or_not_there_is_said(folder, monkeypatch):
    (folder / FILES["HELP"]).write_bytes((folder / FILES["HELP"]).read_bytes()[:-9])
    with pytest.raises(ValueError, match="no table packed with gzip"):
        latencies(folder, "HELP")
    (folder / FILES["HELP"]).write_text("index,pixel2\n")
    with pytest.raises(ValueError, match="no table packed with gzip"):
        latencies(folder, "HELP")
    with pytest.raises(ValueError, match="one of"):
        latencies(folder, "FBNet")
    monkeypatch.delenv("NASVIZ_PUBLISHED", raising=False)
    with pytest.raises(FileNotFoundError, match="set NASVIZ_PUBLISHED"):
        published_folder()
    monkeypatch.setenv("NASVIZ_PUBLISHED", str(folder))
    assert published_folder() == folder
    with pytest.raises(FileNotFoundError, match="is no folder"):
        published_folder(folder / CELLS)


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
    archs, costs = latencies(PUBLISHED, "HW-NAS-Bench")
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
    assert within == pytest.approx([0.62, 0.52, 0.42, 0.33], abs=0.01)


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
