"""The front as it moves, a network's milliseconds by operation, and who wins on which device."""

import io

import numpy as np
import pytest
from PIL import Image

from nasviz.analysis.fronts import dominated
from nasviz.hardware import Target
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation, Step
from nasviz.views import Devices, Latency, MaddsAndTime, Pareto
from nasviz.views.charts.latency import OTHER, kind

SPACE = NasBench201()
RNG = np.random.default_rng(0)
ARCHS = [SPACE.sample(RNG) for _ in range(40)]


def evaluation(arch, accuracy, ms):
    return Evaluation(arch, {"accuracy": accuracy, "latency_ms": ms})


def drawn(view):
    picture = np.asarray(Image.open(io.BytesIO(view.still())).convert("RGB"))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 5
    return picture


# --------------------------------------------------------------------------------------------------------------- Pareto
def test_the_dominated_area_against_counting():
    costs, values = RNG.integers(0, 12, 30), RNG.integers(0, 12, 30)
    corner = (10, 2)
    counted = sum(
        any(c <= x and v >= y + 1 for c, v in zip(costs, values, strict=True))
        for x in range(10) for y in range(2, 12)
    )  # fmt: skip
    assert dominated(costs, values, corner) == counted
    assert dominated([11], [5], corner) == 0 and dominated([], [], corner) == 0
    assert dominated([3], [5], corner) == 7 * 3


def test_the_front_moves_as_evaluations_come_and_back_with_the_slider():
    view = Pareto(SPACE, target=4.0)
    assert view.still() is None
    found = [(0.5, 5.0), (0.6, 3.0), (0.4, 2.0), (float("nan"), 1.0), (0.7, 6.0)]
    steps = (Step(evaluation(arch, *one)) for arch, one in zip(ARCHS, found, strict=False))
    assert len(list(view.follow(steps))) == 5
    assert len(view.evaluations) == 4  # what failed is left out
    assert view.front == [2, 1, 3] and list(view.figure.data[2].x) == [2.0, 3.0, 6.0]
    assert view.area == pytest.approx(dominated([2, 3, 6], [40, 60, 70], (6, 40)))
    whole = drawn(view)
    view.after.value = 2
    assert view.front == [1] and "2 architectures" in view.text
    assert (drawn(view) != whole).any()
    view.append(evaluation(ARCHS[5], 0.9, 1.0))
    assert view.front == [1] and view.after.max == 5  # who looks back is not torn away
    view.after.value = 5
    assert view.front == [4]
    view.tell(4)
    assert SPACE.to_text(ARCHS[5]) in view.about.value and len(view.cells.children) == 1


def test_a_hopeless_cell_does_not_squeeze_the_front():
    view = Pareto(SPACE)
    for n, accuracy in enumerate([*np.linspace(0.7, 0.8, 19), 0.1]):
        view.append(evaluation(ARCHS[n], accuracy, 20.0 - n))
    low, high = view.figure.layout.yaxis.range
    assert 40 < low < 70 and 80 < high < 90
    *_, line, below = view.figure.data
    assert view.low == [19] and list(below.x) == [1.0] and low < below.y[0] < low + 2 and list(below.text) == ["10.0 %"]
    assert list(line.y)[0] == pytest.approx(10)  # it is on the front all the same: nothing is cheaper
    assert "Evaluations below the axis" in view.text and view.text.endswith("%: 1.")
    view.after.value = 19
    assert view.low == [] and view.figure.layout.yaxis.range == (low, high) and not below.showlegend


def test_what_has_no_cost_is_refused():
    with pytest.raises(ValueError, match=r"no \['latency_ms'\]"):
        Pareto(SPACE).append(Evaluation(ARCHS[0], {"accuracy": 0.5}))


# -------------------------------------------------------------------------------------------------------------- Latency
def test_operations_are_stacked_by_kind():
    rows = {
        "a": [("conv 3×3 1→8, BN @ 1×16×16", 1.0), ("ReLU, conv 3×3 8→8, BN @ 8×16×16", 2.0),
              ("ReLU, conv 3×3 16→16, BN @ 16×8×8", 3.0)],
        "b": [("AvgPool2d(kernel_size=3) @ 8×16×16", 4.0), ("ReLU, conv 1×1 8→8, BN @ 8×16×16", 0.5)],
    }  # fmt: skip
    view = Latency(rows, {"a": 7.0, "b": 5.0}, {"a": 6.5})
    assert view.totals["a"] == {OTHER: 1.0, "conv 3×3": 5.0} and view.totals["b"] == {"pooling": 4.0, "conv 1×1": 0.5}
    bars = {trace.name: list(trace.x) for trace in view.figure.data}
    assert bars["conv 3×3"] == [5.0, 0.0] and bars["measured"] == [6.5, None] and bars["table, repaired"] == [7.0, 5.0]
    view.order.value = "by measured"
    assert list(view.figure.data[0].y) == ["b", "a"]
    assert "a: operations 6.00, table 7.00, measured 6.50" in view.text
    drawn(view)
    assert kind("conv 3×3 depthwise 24→24, BN, ReLU @ 24×8×8") == "conv 3×3 depthwise"
    with pytest.raises(ValueError, match="same networks"):
        Latency(rows, {"a": 1.0})


# --------------------------------------------------------------------------------------------------------- MaddsAndTime
def test_who_is_off_the_line_is_named_by_operations():
    one, three, pool = "ReLU, conv 1×1 8→8, BN @ 8×16×16", "ReLU, conv 3×3 8→8, BN @ 8×16×16", "AvgPool2d(3) @ 8×16×16"
    madds = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    off = np.array([-1.4, 2.0, 1.0, -1.0, -2.0, 1.4])  # no line explains any of it
    ms = madds / 10 + off
    rows = [[(three, 1.0)], [(one, 1.0)] * 3, [(one, 1.0)] * 3, [(pool, 1.0)], [("linear 16→10 @ 16", 1.0)]]
    rows.append([(pool, 1.0)])
    view = MaddsAndTime(SPACE, ARCHS[:6], madds, ms, rows, named=2)
    assert np.allclose(view.off, off)
    assert view.groups[1] == [1, 5] and view.groups[-1] == [4, 0] and sorted(view.groups[0]) == [2, 3]
    assert view.called(1) == "3 conv 1×1" and view.called(4) == "no operation"
    assert "a  4.00 ms: 3 conv 1×1" in view.text and "7.40 ms: 1 pooling" in view.text
    rows[5] = rows[1]  # the same operations as another's: named once
    assert MaddsAndTime(SPACE, ARCHS[:6], madds, ms, rows, named=2).groups[1] == [1]
    texts = {text for trace in view.figure.data[1:3] for text in trace.text}
    assert texts == set(view.letters.values()) and len(view.figure.data[3].x) == len(view.groups[0])
    drawn(view)
    view.tell(1)
    assert SPACE.to_text(ARCHS[1]) in view.about.value and len(view.cells.children) == 1
    with pytest.raises(ValueError, match="three networks or more"):
        MaddsAndTime(SPACE, ARCHS[:2], madds[:2], ms[:2], rows[:2])


# -------------------------------------------------------------------------------------------------------------- Devices
def test_each_devices_winner_and_where_it_is_too_slow():
    targets = [Target("left", "simulated", float), Target("right", "measured", float)]
    quality = np.linspace(0.5, 0.9, 40)
    ms = np.array([np.arange(40.0), np.arange(40.0)[::-1]])  # what is fast on one is slow on the other
    view = Devices(SPACE, targets, ARCHS, quality, ms, percent=25)
    assert view.winners == [9, 39] and view.percentiles.tolist() == [[25.0, 77.5], [100.0, 2.5]]
    assert view.tau[0, 1] == pytest.approx(-1) and "τ -1.00" in view.text
    texts = view._texts()
    assert "✗" not in texts[0][0] and "✗" in texts[0][1] and "✗" in texts[1][0]
    drawn(view)
    view.percent.value = 100
    assert view.winners == [39, 39]
    view.choice.value = 1
    assert SPACE.to_text(ARCHS[39]) in view.facts.value
    with pytest.raises(ValueError, match="row of milliseconds"):
        Devices(SPACE, targets, ARCHS, quality, ms[:1])
