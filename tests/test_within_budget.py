"""Rankings over all costs and within a budget: which children count, what is said of them, what is drawn."""

import numpy as np
import pytest

from nasviz.analysis import stats
from nasviz.spaces import ElasticResNet
from nasviz.views import WithinBudget
from nasviz.views.charts.chart import near
from nasviz.views.colors import COSTS, between

SPACE = ElasticResNet()
ARCHS = [SPACE.sample(np.random.default_rng(n)) for n in range(24)]
COSTS_OF = np.array([100.0] * 4 + [94, 106, 93.5, 106.5, 92, 108] + [200.0] * 7 + [400.0] * 7)
RNG = np.random.default_rng(0)
ALONE = 0.5 + 0.1 * np.log10(COSTS_OF / 90) + 0.02 * RNG.random(24)
INHERITED = ALONE - 0.2 + 0.02 * RNG.random(24)


@pytest.fixture
def view():
    return WithinBudget(SPACE, ARCHS, INHERITED, ALONE, COSTS_OF, band=0.07)


def test_a_band_is_a_share_of_the_budget_on_both_sides(view):
    assert near(np.array([92, 93, 100, 107, 108]), 100, 0.07).tolist() == [False, True, True, True, False]
    view.set(100)
    assert view.inside.tolist() == list(range(8))
    view.set(200)
    assert view.inside.tolist() == list(range(10, 17))


def test_the_text_says_what_the_statistics_say(view):
    view.set(100)
    band = slice(0, 8)
    inherited = stats.tau_interval(INHERITED[band], ALONE[band], resamples=300)
    counted = stats.tau_interval(COSTS_OF[band], ALONE[band], resamples=300)
    assert view.tau == stats.tau_interval(INHERITED, ALONE, resamples=300)
    assert (view.tau_inside, view.tau_counted) == (inherited, counted)
    assert f"over all 24 children: {view.tau}. Over the 8 within ±7 % of 100 multiply-adds: {inherited}; " in view.text
    assert view.text.endswith(f"of counting multiply-adds there: {counted}.")


def test_too_few_children_are_not_ranked(view):
    view.set(200)
    assert view.tau_inside is view.tau_counted is None
    assert "Within ±7 % of 200 multiply-adds: 7 children, too few" in view.text
    view.set(150)
    assert "no child, too few" in view.text and not len(view.inside)
    view.set(1e9)  # beyond the greatest cost
    assert view.budget.value == pytest.approx(400) and len(view.inside) == 7


def test_the_band_is_lit_and_the_others_are_pale(view):
    view.budget.value = 100
    pale, lit, bars = view.figure.data
    assert np.allclose(lit.x, 100 * INHERITED[:8]) and np.allclose(lit.y, 100 * ALONE[:8]) and len(pale.x) == 16
    assert lit.marker.line.width > 0 == pale.marker.line.width and lit.marker.opacity > pale.marker.opacity
    assert sum(bars.y) == 24 and lit.text[0].startswith(SPACE.to_text(ARCHS[0]))
    (frame,) = view.figure.layout.shapes
    assert 10**frame.x0 == pytest.approx(93) and 10**frame.x1 == pytest.approx(107)
    assert pale.marker.color[-1] == bars.marker.color[-1] or COSTS[-1] in pale.marker.color  # dearest: the scale's end
    before = view.still()
    view.set(400)
    assert before.startswith(b"\x89PNG") and view.still() != before
    assert view._repr_mimebundle_()[0]["text/plain"] == view.text


def test_a_scale_goes_from_end_to_end():
    assert [between(COSTS, share) for share in (-1, 0, 0.5, 1, 2)] == [
        COSTS[0],
        COSTS[0],
        COSTS[2],
        COSTS[-1],
        COSTS[-1],
    ]
    assert between(("#000000", "#102030"), 0.5) == "#081018"


def test_children_of_one_cost_are_drawn():
    view = WithinBudget(SPACE, ARCHS, INHERITED, ALONE, np.full(24, 1e5))
    assert len(view.inside) == 24 and view.tau_inside == view.tau and view.still()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"alone": ALONE[:-1]}, "24 architectures, 24 inherited accuracies, 23 accuracies alone, 24 costs"),
        ({"inherited": np.where(np.arange(24) == 5, np.nan, INHERITED)}, "got nan for child 5"),
        ({"alone": 100 * ALONE}, "accuracies alone are 0 to 1"),
        ({"costs": np.where(np.arange(24) == 2, 0, COSTS_OF)}, "costs are above 0, got 0.0 for child 2"),
        ({"costs": np.where(np.arange(24) == 2, np.nan, COSTS_OF)}, "got nan for child 2"),
        ({"archs": [(9,) * 8, *ARCHS[1:]]}, "elastic-resnet"),
        ({"band": 7}, "a share of the budget"),
    ],
)
def test_wrong_numbers_are_refused(change, message):
    given = {"archs": ARCHS, "inherited": INHERITED, "alone": ALONE, "costs": COSTS_OF} | change
    with pytest.raises(ValueError, match=message):
        WithinBudget(SPACE, **given)
