"""Lab 10's lesson of real devices: costs beside counts, two devices that order cells differently, dead operations."""

import io

import numpy as np
import pytest
from PIL import Image

from nasviz.hardware import published_device, published_devices
from nasviz.lessons import hardware
from nasviz.lessons import real_devices as lab
from nasviz.spaces import NasBench201
from nasviz.views import Devices

CELLS = NasBench201().distinct()[::50]
PI, GPU, TPU, CHIP = (published_device(name) for name in ("Raspberry Pi 4", "Edge GPU", "Edge TPU", "Eyeriss"))


def test_costs_beside_what_multiply_adds_say():
    times = lab.against_counting([PI, GPU, CHIP])
    assert times.shape == (3, 4) and times[:, 2].tolist() == [1, 1, 1]
    ms = GPU.costs["latency_ms"].by_operation()
    assert times[1, 1] == pytest.approx(9 * ms[2] / ms[3]) and times[1, 1] > 8
    assert times[0, 0] == 0 and times[1, 0] == np.inf and (times[:, 3] == np.inf).all()


def test_the_map_shows_both_and_is_drawn():
    view = lab.CostMap()
    assert view.shares.max(1).tolist() == [1] * 6 and view.shares.min() >= 0
    assert view.figure.data[0].text[0][2] == f"{PI.costs['latency_ms'].by_operation()[3]:.2f}"
    assert "-0.00" not in view.text and "Edge TPU: skip" in view.text
    before = view.still()
    view.what.value = "times multiply-adds"
    assert view.figure.data[0].text[2][1] == f"{lab.against_counting([GPU])[0, 1]:.1f}×"
    assert view.figure.data[0].text[0][0] == "free" and view.still() != before
    assert len(np.unique(np.asarray(Image.open(io.BytesIO(before)).convert("RGB")))) > 5


def test_two_cells_that_are_ordered_differently():
    cells = CELLS[::4]
    found = lab.opposite(PI, TPU, cells)
    assert PI.ms(found.left) < PI.ms(found.right) and TPU.ms(found.left) > TPU.ms(found.right)
    assert found.ms == pytest.approx(np.array([[d.ms(a) for a in (found.left, found.right)] for d in (PI, TPU)]))
    best = max(min(PI.ms(b) / PI.ms(a), TPU.ms(a) / TPU.ms(b)) for a in cells for b in cells)
    assert min(found.ratios) == pytest.approx(best) and best > 1.5
    with pytest.raises(ValueError, match="order no two"):
        lab.opposite(PI, PI, cells)


def test_the_share_of_pairs_by_counting_them():
    found = lab.disagreement([PI, TPU], CELLS[:20])
    ms = np.array([[device.ms(arch) for arch in CELLS[:20]] for device in (PI, TPU)])
    pairs = [(i, j) for i in range(20) for j in range(i) if (np.abs(np.log(ms[:, i] / ms[:, j])) >= 1e-3).all()]
    apart = [(ms[0, i] - ms[0, j]) * (ms[1, i] - ms[1, j]) < 0 for i, j in pairs]
    assert found[0, 1] == found[1, 0] == pytest.approx(np.mean(apart)) and found.diagonal().tolist() == [0, 0]
    assert f"{found[0, 1]:.0%}" in lab.pairs_apart([PI, TPU], CELLS[:20]).data


def test_tables_say_what_the_models_say():
    lines = lab.quality_of_fits().data.splitlines()
    assert len(lines) == 8 and f"{PI.held_out['latency_ms'].tau:.2f}" in lines[2] and "computed" in lines[7]
    edges = lab.by_edge(GPU).data.splitlines()
    assert len(edges) == 8 and edges[2].startswith("| 0→1 |")
    arch = (3, 0, 0, 1, 0, 0)  # nobody reads the convolution
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in lab.dead_work(arch).data.splitlines()[2:]}
    assert rows["Edge GPU"][2] == rows["Edge GPU"][3] and float(rows["Eyeriss"][2]) > float(rows["Eyeriss"][3])


def test_real_devices_stand_among_others():
    targets = [device.target for device in published_devices()]
    ms = np.array([device.times(CELLS) for device in published_devices()])
    view = Devices(NasBench201(), targets, CELLS, np.linspace(0, 1, len(CELLS)), ms)
    assert "Edge TPU (fitted)" in view.text and view.tau.min() < 0.5
    quality, own, other = hardware.two_devices(24, "Raspberry Pi 4", "edge gpu")
    assert len(quality) == 24 and own.max() > 40 and other.max() < 12
