"""The view of a Bayesian search shows what its steps say, round by round."""

import numpy as np
import pytest
from toys import SPACES, Toy

from nasviz.analysis import stats
from nasviz.objectives import Bounded
from nasviz.run import Run
from nasviz.strategies import Bananas, GaussianProcess, RandomSearch
from nasviz.views import surrogate

SPACE = SPACES[0]


def truth(arch):
    """What the toy says without noise."""
    return sum(arch) / 24


@pytest.fixture(scope="module")
def run():
    run = Run(Bananas(SPACE, Toy(SPACE), evaluations=35, members=2, epochs=10))
    return run if list(run) else None


@pytest.fixture
def view(run):
    return surrogate(run, truth)


def test_rounds_are_what_the_search_proposed(run, view):
    assert [one.before for one in view.rounds] == [10, 20, 30]
    assert [len(one.chosen) for one in view.rounds] == [10, 10, 5]
    came = [value for one in view.rounds for value in one.came]
    np.testing.assert_array_equal(came, [run.search.objective(step.evaluation) for step in run.steps[10:]])
    for one in view.rounds:
        archs = view.archs(one)
        evaluated = [step.evaluation.arch for step in run.steps[one.before : one.before + len(one.chosen)]]
        assert [archs[i] for i in one.chosen] == evaluated


def test_what_is_drawn_is_what_the_model_said(view):
    view.round.value = 2
    one = view.rounds[1]
    line, earlier, known, evaluated, other, taken, below, mine = view.figure.data
    assert len(earlier.x) == len(view.rounds[0].chosen)
    np.testing.assert_allclose(evaluated.x, one.shows["predicted"][one.chosen])
    np.testing.assert_allclose(evaluated.error_x.array, one.shows["uncertainty"][one.chosen])
    np.testing.assert_allclose(evaluated.y, one.came)
    assert len(taken.x) == len(one.chosen) and len(taken.x) + len(other.x) == len(one.shows["predicted"])
    assert sorted([*taken.x, *other.x]) == list(range(1, len(one.shows["predicted"]) + 1))
    assert list(taken.x) == list(range(1, len(one.chosen) + 1))  # the highest acquisition was taken
    assert np.all(np.diff([*mine.y, *below.y]) <= 0)
    order = np.argsort(-one.shows["acquisition"], kind="stable")
    np.testing.assert_allclose(known.y, [truth(view.archs(one)[i]) for i in order])


def test_the_sentence_says_how_far_off_the_model_was(view):
    one = view.rounds[-1]
    off = np.array(one.came) - one.shows["predicted"][one.chosen]
    off = off[np.isfinite(off)]
    tau = stats.tau(one.shows["predicted"], [truth(arch) for arch in view.archs(one)])
    assert "Round 3 of 3: the model has learned 30 evaluations" in view.text
    assert f"off by {np.sqrt(np.mean(off**2)):.3g} (root" in view.text and f"{tau:.2f}." in view.text
    assert SPACE.to_text(view.archs(one)[one.chosen[0]]) in view.list.value


def test_it_follows_a_search_and_without_a_table_shows_what_was_evaluated():
    search = GaussianProcess(SPACE, Toy(SPACE), evaluations=25, objective=Bounded("madds", 40.0))
    view = surrogate(Run(search))
    assert "No model yet" in view.text and view.still() is None
    steps = list(view.follow(search))
    assert len(steps) == 25 and view.round.value == len(view.rounds) == 3
    assert not view.figure.data[2].visible and view.children[2] is view.figure
    assert len(view.figure.data[3].x) == 5 and "table" not in view.text


def test_a_still_is_a_picture_and_other_searches_are_refused(view):
    view.round.value = 1
    first = view.still()
    view.round.value = 3
    assert first.startswith(b"\x89PNG") and view.still() != first
    with pytest.raises(ValueError, match="a search without a model"):
        surrogate(RandomSearch(SPACE, Toy(SPACE), evaluations=5), space=SPACE)
    with pytest.raises(ValueError, match="give space="):
        surrogate([])
