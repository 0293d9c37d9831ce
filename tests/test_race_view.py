"""The race as a picture: what stands on it, before, while and after it runs."""

import io
import sys

import numpy as np
import pytest
from PIL import Image
from test_race import POOL, TABLE, field, landscape

from nasviz import views
from nasviz.races.race import Race
from nasviz.races.standings import Standings
from nasviz.strategies import Hyperband, LocalSearch, RandomSearch, RegularizedEvolution
from nasviz.views import colors
from nasviz.views.charts.race import RaceChart


@pytest.fixture(scope="module")
def told():
    return Race(field(40, names=(RandomSearch, LocalSearch, Hyperband)), 40, seeds=8, executor=POOL).standings()


def test_lines_are_means_and_dots_stand_where_the_slider_is(told):
    chart = views.race(told)
    grid, curves = told.curves()
    for n, name in enumerate(told.names):
        low, high, mean = chart.figure.data[3 * n : 3 * n + 3]
        assert np.allclose(mean.y, 100 * curves[name].mean(0)) and (np.array(low.y) <= np.array(high.y)).all()
        assert mean.line.color == colors.STRATEGIES[name].color
    for moment in (20, 100, 5):
        chart.moment.value = moment
        at = round(moment / 100 * len(grid)) - 1
        dots = chart.figure.data[9:]
        for name, dot in zip(told.names, dots, strict=True):
            assert dot.x[0] == pytest.approx(100 * curves[name].mean(0)[at])
        order = sorted(range(3), key=lambda n: -dots[n].y[0])
        assert [dots[n].x[0] for n in order] == sorted(dot.x[0] for dot in dots)
        assert chart.figure.layout.shapes[0].x0 == pytest.approx(grid[at])
        assert f"after {grid[at]:,.0f} full trainings" in chart.text


def test_a_record_of_another_table_is_flagged(told):
    assert not views.race(told, TABLE).text.startswith("Careful")
    assert views.race(told, landscape(rng=1)).text.startswith("Careful: recorded on another table (1,024 of 1,024 rows")


def test_what_needs_no_search_is_always_there(told):
    chart = views.race(told)
    notes = {note.text: note.y for note in chart.figure.layout.annotations}
    assert notes == pytest.approx({name: 100 * regret for name, regret in told.references().items()})
    assert "all conv 3×3, over the bound" in notes and "random search" in chart.text


def test_judges_and_units_change_every_number(told):
    chart = views.race(told)
    before = np.array(chart.figure.data[2].y)
    chart.judge.value = "validation"
    assert np.allclose(chart.figure.data[2].y, 100 * told.by("validation").curves()[1]["RandomSearch"].mean(0))
    assert not np.allclose(chart.figure.data[2].y, before) and "the training that it saw" in chart.text
    chart.unit.value = "seconds"
    assert chart.figure.layout.xaxis.title.text == "seconds of training" and chart.figure.data[2].x[-1] == 8 * 40


def test_what_moves_changes_the_figure_and_other_strategies_make_a_new_one(told):
    chart = views.race(told)
    first = chart.figure
    chart.moment.value = 10
    chart.judge.value = "validation"
    assert chart.figure is first and chart.place.children[0] is first
    assert np.allclose(first.data[2].y, 100 * told.by("validation").curves()[1]["RandomSearch"].mean(0))
    chart.show(Standings(told.head, [track for track in told.tracks if track.name != "Hyperband"]))
    assert chart.figure is not first and chart.place.children[0] is chart.figure and len(chart.figure.data) == 2 * 4


def test_it_is_drawn_while_it_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[RaceChart.__module__], "EVERY", -1.0)
    race, seen = Race(field(20), 20, seeds=3, path=tmp_path / "race.jsonl", executor=POOL), []
    chart = views.race(race)
    assert chart.still() is None and chart.text == "The race has not begun." and len(chart.figure.data) == 0
    chart.moment.value = 50

    def show(standings):
        RaceChart.show(chart, standings)
        seen.append((len(standings.tracks), len(chart.figure.data)))

    monkeypatch.setattr(chart, "show", show)
    told = chart.follow()
    assert [runs for runs, _ in seen] == [*range(1, 10), 9] and len(told.tracks) == 9
    assert {lines for _, lines in seen} == {4, 8, 12} and chart.place.children[0] is chart.figure
    chart.moment.value = 100
    assert views.race(str(race.path)).text == chart.text


def test_the_still_shows_each_strategy_in_its_colour(told):
    chart = views.race(told)
    picture = np.array(Image.open(io.BytesIO(chart.still())).convert("RGB")).reshape(-1, 3).astype(int)
    for name in told.names:
        color = np.array([int(colors.STRATEGIES[name].color[i : i + 2], 16) for i in (1, 3, 5)])
        assert (np.abs(picture - color).max(1) < 24).sum() > 60, name
    data, _ = chart._repr_mimebundle_()
    assert data["image/png"] and data["text/plain"] == chart.text


def test_variants_of_one_strategy_share_its_colour_and_not_its_pattern():
    space, estimate, objective = (getattr(field()[0], name) for name in ("space", "estimate", "objective"))
    more = {"evaluations": 20, "objective": objective, "population": 10, "tournament": 3}
    both = {f"aging {aging}": RegularizedEvolution(space, estimate, aging=aging, **more) for aging in (True, False)}
    told = Race(both, 20, seeds=3, executor=POOL).standings()
    (a, first, label), (b, second, _) = (views.race(told).looks()[name] for name in both)
    assert a == b == colors.BLUE and first != second and label == "aging True"


def test_a_strategy_with_a_smaller_budget_ends_earlier(told):
    longer = told.join(Race(field(80)[2:], 80, seeds=8, executor=POOL).standings())
    chart = views.race(longer)
    assert "Hyperband" not in chart.text and "evolution" in chart.text
    chart.moment.value = 40
    assert "Hyperband" in chart.text and chart.still()
    assert isinstance(longer, Standings) and TABLE.coverage in chart.text
