"""Views of performance estimation: what they draw and say is what the table and the statistics say."""

import re

import numpy as np
import pytest

from nasviz import datasets
from nasviz.analysis import stats
from nasviz.estimators import Table, Training, proxy_recipe
from nasviz.estimators.quality import CEILING, SIZE, quality
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation
from nasviz.views import Correlation, CostQuality, Landscape, Proxies
from nasviz.views.charts import correlation
from nasviz.views.charts.chart import sides

PNG = b"\x89PNG"
SPACE = NasBench201()


@pytest.fixture(scope="module")
def archs():
    rng = np.random.default_rng(0)
    return list(dict.fromkeys(SPACE.sample(rng) for _ in range(80)))


@pytest.fixture(scope="module")
def numbers(archs):
    """Estimates and truths: the truth counts conv 3×3, the estimate is noisy."""
    rng = np.random.default_rng(1)
    truth = np.array([0.5 + 0.06 * arch.count(3) for arch in archs]) + 0.01 * rng.random(len(archs))
    return truth + 0.05 * rng.normal(size=len(archs)), truth


# ------------------------------------------------------------------------------------------------ correlation
@pytest.fixture
def view(archs, numbers):
    view = Correlation(SPACE, "guess")
    view.extend(archs, *numbers)
    return view


def test_the_dots_are_parted_by_what_was_found(view, numbers):
    estimated, truth = numbers
    k = round(0.05 * len(truth))
    best = [set(np.argsort(-v)[:k]) for v in numbers]
    shown = [set(members) for members in view.shown]
    everything = set(range(len(truth)))
    both = best[0] & best[1]
    assert shown == [everything - best[0] - best[1], both, best[0] - both, best[1] - both]
    for trace, members in zip(view.figure.data, view.shown, strict=True):
        np.testing.assert_allclose(trace.x, estimated[members])
        np.testing.assert_allclose(trace.y, 100 * truth[members])


def test_the_sentence_is_what_the_statistics_say(view, numbers):
    found = stats.tau_interval(*numbers, resamples=300)
    assert f"τ = {found}" in view.text and view.tau == found
    assert f"{100 * stats.regret(*numbers):.1f} points below the best" in view.text
    before = view.text
    view.top.value = 30
    assert view.text != before and f"best {round(0.3 * len(view.archs))}," in view.text


def test_a_dot_that_is_clicked_tells_its_architecture(view, archs):
    view._clicked(0, [3])
    index = int(view.shown[0][3])
    assert SPACE.to_text(archs[index]) in view.about.value and "place" in view.about.value
    assert view.cells.children[0].text.startswith("Cell of NAS-Bench-201.")
    view._clicked(1, [])  # a click tells all traces; the others have no point
    assert SPACE.to_text(archs[index]) in view.about.value


def test_a_frame_tells_what_holds_inside(view, numbers):
    view._frame(0, list(range(20)))
    view._frame(1, [])
    inside = view.shown[0][:20]
    expected = stats.tau_interval(numbers[0][inside], numbers[1][inside], resamples=300)
    assert f"The 20 in the frame: τ = {expected}" in view.about.value
    view._frame(0, [])
    assert "Click" in view.about.value


def test_estimates_are_drawn_as_they_come_and_the_last_ones_too(archs, numbers, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(correlation.time, "monotonic", lambda: now[0])
    view, truth = Correlation(SPACE), dict(zip(archs, numbers[1], strict=True))
    drawn = []
    monkeypatch.setattr(view, "draw", lambda: drawn.append(len(view.archs)))
    evaluations = (Evaluation(arch, {"guess": value}) for arch, value in zip(archs, numbers[0], strict=True))
    for number, _ in enumerate(view.follow(evaluations, truth.__getitem__)):
        now[0] = 10.0 + 0.01 * number
        if number == 60:
            break
    assert len(view.archs) == 61 and drawn[-1] == 61  # also when one stops early
    assert len(drawn) < 8
    with pytest.raises(ValueError, match="which score"):
        next(view.follow([Evaluation(archs[0], {"a": 1.0, "b": 2.0})], truth.__getitem__))


def test_few_or_failed_estimates_are_no_accident(archs):
    view = Correlation(SPACE)
    assert "0 architectures" in view.text and view.still().startswith(PNG)
    view.extend(archs[:4], [1.0, float("nan"), 2.0, 3.0], [0.5, 0.6, float("nan"), 0.7])
    assert "4 architectures" in view.text and view.still().startswith(PNG)
    with pytest.raises(ValueError, match="0 to 1, got 70"):
        view.extend(archs[:1], [1.0], [70.0])
    assert len(view.archs) == 4


def test_a_chart_leaves_a_picture_in_the_notebook(view):
    data, _ = view._repr_mimebundle_()
    assert "image/png" in data and "guess against test accuracy" in data["text/plain"]


# ------------------------------------------------------------------------------------------------ cost and quality
@pytest.fixture(scope="module")
def judged(numbers, archs):
    estimated, truth = numbers
    size = np.array([arch.count(3) + arch.count(2) for arch in archs])
    more = {"size": size, "ceiling": truth + 0.02, "resamples": 50}
    rng = np.random.default_rng(2)
    return [
        quality(estimated, truth, name="good", cost=1.0, **more),
        quality(truth, truth, name="perfect", cost=100.0, **more),
        quality(rng.random(len(truth)), truth, name="by lot", cost=30.0, **more),
        quality(size + rng.random(len(truth)), truth, name="free", cost=0.0, **more),
    ]


def test_each_estimator_is_a_dot_and_what_stands_beside_a_line(judged):
    view = CostQuality(*judged)
    line, dots = view.figure.data
    assert list(dots.text) == ["good", "perfect", "by lot", "free"]
    np.testing.assert_allclose(dots.y, [one.tau.value for one in judged])
    np.testing.assert_allclose(dots.y + np.array(dots.error_y.array), [one.tau.high for one in judged])
    assert dots.x[0] == 1 and 0 < dots.x[3] < 1e-3
    assert list(line.x) == sorted(line.x) and "by lot" not in view.text.split("Unbeaten:")[1]
    lines = zip(view.figure.layout.annotations, view.figure.layout.shapes, strict=True)
    heights = {note.text: shape.y0 for note, shape in lines}
    assert heights == {name: judged[0].baselines[name].tau.value for name in (SIZE, CEILING)}
    view.measure.value = "within"
    np.testing.assert_allclose(view.figure.data[1].y, [one.within.value for one in judged])
    assert view.still().startswith(PNG)


def test_an_estimator_joins_or_replaces_and_another_sample_is_refused(judged, numbers):
    view = CostQuality()
    assert view.still() is None
    for one in judged[:2]:
        view.append(one)
    view.append(judged[0])
    assert [one.name for one in view.qualities] == ["perfect", "good"]
    view._clicked([1])
    assert "good" in view.facts.value and SIZE in view.facts.value and "τ by size" in view.facts.value
    with pytest.raises(ValueError, match="judge all on the same ones"):
        view.append(quality(numbers[0][:9], numbers[1][:9], name="few", resamples=10))


def test_names_of_close_lines_are_parted(judged, numbers):
    baselines = {"a": numbers[1], "b": numbers[1] + 1, "c": numbers[1] * 2}
    view = CostQuality(quality(*numbers, baselines=baselines, resamples=10))
    notes = view.figure.layout.annotations
    assert sorted(note.yshift for note in notes) == [0, 15, 30]


def test_a_name_goes_where_it_covers_least():
    assert sides([0, 0], [0, 20], ["lower", "upper"], [10, 10])[0] != "top center"
    assert sides([0], [0], ["alone"], [20]) == ["top center"]


# ------------------------------------------------------------------------------------------------ landscape
@pytest.fixture(scope="module")
def table():
    """The cells over {zero, conv 3×3} and their neighbours' neighbours by one edge, accuracy by conv 3×3."""
    near = {arch for base in ((3,) * 6, (0, 3, 3, 3, 3, 3)) for arch in (base, *SPACE.neighbors(base))}
    rows = [
        (arch, 0, {"accuracy": 0.4 + 0.05 * arch.count(3), "madds": 1000.0 + 9 * arch.count(3)}, 1.0) for arch in near
    ]
    failed = (3, 3, 3, 3, 3, 2)
    rows = [row if row[0] != failed else (failed, 0, {"accuracy": float("nan"), "madds": 1.0}, 1.0) for row in rows]
    return Table.of(SPACE, rows)


@pytest.fixture
def place(table):
    return Landscape(table)


def test_the_histogram_counts_every_row_that_did_not_fail(place, table):
    bars, marked, dots, *_ = place.figure.data
    assert sum(bars.y) == len(table.archs) - 1 == len(dots.y) and sum(marked.y) == 0
    assert [name for _, name in place.cost.options] == ["madds", "seconds"]
    np.testing.assert_array_equal(dots.x, table.column("madds")[place.known])
    place.cost.value = "seconds"
    assert set(place.figure.data[2].x) == {1.0}


def test_one_walks_to_a_neighbour_by_a_click(place, table):
    place.go((3,) * 6)
    known = [other for other in SPACE.neighbors((3,) * 6) if other != (3, 3, 3, 3, 3, 2)]
    assert place.near == known and len(place.figure.data[5].x) == 23  # the failed one is not drawn
    assert "0 of its 23 neighbours are better" in place.text
    changed = np.round(place.figure.data[5].x).astype(int)
    assert np.bincount(changed).tolist() == [4, 4, 4, 4, 4, 3]
    place._clicked([0], "near")
    assert place.at == known[0] and SPACE.to_text(known[0]) in place.text
    expected = [100 * table.column("accuracy")[table.row(arch)] for arch in place.near]
    np.testing.assert_allclose(place.figure.data[5].y, expected)
    assert list(place.figure.data[4].y) == [pytest.approx(65.0)]
    with pytest.raises(KeyError):
        place.go((1, 1, 2, 2, 4, 4))


def test_effects_are_means_over_everything_else(place, table):
    effects, options = place.effects()
    members, rows = table.members()
    values = 100 * table.column("accuracy")[rows]
    fine = ~np.isnan(values)
    for i, o in ((0, 3), (4, 0), (2, 4)):
        here = fine & (members[:, i] == o)
        expected = values[here].mean() - values[fine].mean()
        assert effects[options.index(SPACE.choices[i].options[o]), i] == pytest.approx(expected)
    assert (effects[options.index("nor_conv_3x3")] > 0).all()


def test_what_is_framed_in_one_chart_is_marked_in_all(place, table):
    dots = place.known
    chosen = [i for i, row in enumerate(dots) if table.archs[row].count(3) >= 5]
    place._framed("rows", chosen)
    place._framed("bins", [])  # the other charts are told that they have nothing
    assert set(place.framed) == set(dots[chosen])
    assert sum(place.figure.data[1].y) == len(chosen) == len(place.figure.data[3].x)
    heat = place.figure.data[7]
    np.testing.assert_allclose(np.nansum(heat.z, axis=0), 100)  # shares of the five options on each edge
    assert place.still().startswith(PNG)
    top = int(place.bins[place.known].max())
    place._framed("bins", [top])
    assert {table.archs[row] for row in place.framed} == {(3,) * 6}
    place.free.click()
    assert len(place.framed) == 0 and np.nanmin(np.array(place.figure.data[7].z, float)) < 0


def test_a_landscape_of_a_partial_table_and_its_picture(place, table):
    lone = Table.of(SPACE, [(arch, 0, {"accuracy": 0.5 + i / 10}, 1.0) for i, arch in enumerate([(1,) * 6, (3,) * 6])])
    view = Landscape(lone)
    assert "the table knows no neighbour" in view.text and view.still().startswith(PNG)
    data, _ = place._repr_mimebundle_()
    assert "image/png" in data and re.search(r"\d+ architectures of NAS-Bench-201", data["text/plain"])
    with pytest.raises(ValueError, match="no column 'speed'"):
        Landscape(table, "speed")
    none = Table.of(SPACE, [((3,) * 6, 0, {"accuracy": float("nan")}, 1.0)])
    with pytest.raises(ValueError, match="no row"):
        Landscape(none)


# ------------------------------------------------------------------------------------------------ proxies
def test_sliders_make_a_cheaper_training_and_say_what_it_costs(archs, numbers):
    view = Proxies(SPACE, archs[:4], numbers[1][:4])
    assert "the full recipe: <b>100 %" in view.cost.value
    view.set(epochs=2, images=1000)
    assert view.less == {"epochs": 2, "images": 1000} and "2 epochs, 1,000 images: <b>6.25 %" in view.cost.value
    view.set(channels=4)
    assert view.less == {"channels": 4}
    assert view.still() is None


def test_a_trial_trains_the_sample_by_the_sliders(archs, numbers):
    view = Proxies(SPACE, archs[:4], numbers[1][:4], seed=3)
    view.set(epochs=1, images=500, size=4, channels=2)
    view.button.click()
    (found,) = view.tried
    expected = Training(SPACE, proxy_recipe(**view.less), datasets.load("fashion16", 16))(archs[2], seed=3)
    assert view.view.estimates[2] == expected.scores["accuracy"]
    assert found.count == 4 and found.seconds > 0 and found.tau.value == pytest.approx(view.view.tau.value)
    assert f"τ = {found.tau}" in view.results.value and view.still()[:4] == PNG and not view.button.disabled
