"""A controller at work as pictures: what the stage is told."""

import numpy as np
import pytest
from toys import SPACES, Elastic, Toy

from nasviz import views
from nasviz.run import Run
from nasviz.space import SearchSpace
from nasviz.spaces import MacroSpace
from nasviz.step import Step
from nasviz.strategies import RandomSearch, Reinforce

SPACE = SPACES[0]


@pytest.fixture(scope="module")
def run():
    run = Run(Reinforce(SPACE, Toy(SPACE), evaluations=40, batch=8, hidden=8))
    list(run)
    return run


def test_policy_shows_every_step(run):
    stage = views.policy(run)
    kinds = [view["kind"] for view in stage.spec["views"]]
    assert kinds == ["heat", "traces", "curve", "curve"]
    columns = stage.columns()
    for number, step in enumerate(run.steps):
        assert np.array_equal(columns["marginals"][number], step.shows["marginals"])
        assert columns["reward"][number] == np.float32(step.shows["reward"])
    assert np.isnan(columns["baseline"][:8]).all() and np.isfinite(columns["baseline"][8:]).all()
    assert np.array_equal(views.policy(run.steps, SPACE).columns()["entropy"], columns["entropy"])
    assert stage.still().startswith(b"\x89PNG")


def test_options_that_a_choice_does_not_have_are_blank():
    space = MacroSpace(2)
    run = Run(Reinforce(space, Toy(space), evaluations=8, batch=4, hidden=8))
    list(run)
    stage = views.policy(run)
    assert [view["kind"] for view in stage.spec["views"]] == ["heat", "curve", "curve"]
    blank = np.isnan(stage.columns()["marginals"][0])
    assert blank.sum(1).tolist() == [4 - len(choice.options) for choice in space.choices]
    assert stage.still() and views.unroll(run.steps[0], space).still()


def test_headings_of_options_tell_kernels_apart():
    """Where lengths differ, the longest list of options names the columns: a label made twice loses its kernel."""
    space = SearchSpace.from_choices({
        "first": ("skip_connect", "nor_conv_1x1", "nor_conv_3x3"), "second": ("skip_connect", "nor_conv_1x1"),
    })  # fmt: skip
    run = Run(Reinforce(space, Toy(space), evaluations=4, batch=4, hidden=8))
    list(run)
    assert views.policy(run).spec["views"][0]["columns"] == ["skip", "conv 1×1", "conv 3×3"]


def test_live_and_recorded_draw_the_policy_beside_the_search(run):
    stage = views.stage_of(run)
    titles = [view["title"] for view in stage.spec["views"]]
    assert titles[:2] == ["The architecture of this step", "Accuracy of each evaluation, and the best so far"]
    assert [view["title"] for view in views.policy(run).spec["views"]] == titles[2:]
    assert np.array_equal(stage.columns()["marginals"], views.policy(run).columns()["marginals"])
    player = views.Player(run.search)
    player.run(20)
    assert len(player.stage) == 20 and "marginals" in player.stage.columns()
    player.close()


def test_a_sequence_unrolls_token_by_token(run):
    step = run.steps[-1]
    arch, chances = step.evaluation.arch, step.shows["policy"]
    stage = views.unroll(step, SPACE)
    taken, said = stage.columns()["taken"], stage.columns()["said"]
    assert len(stage) == 7 and stage.spec["views"][1]["boxed"] == "taken"
    for number in range(7):
        assert taken[number, :number].argmax(1).tolist() == list(arch[:number])
        assert (taken[number, :number].sum(1) == 1).all() and not taken[number, number + 1 :].any()
        assert np.array_equal(said[number, : number + 1], chances[: number + 1])
        assert np.isnan(said[number, number + 1 :]).all()
        if number < 6:
            assert np.array_equal(taken[number, number], chances[number])


def test_inactive_choices_are_no_frame():
    space = Elastic()
    run = Run(Reinforce(space, Toy(space), evaluations=20, batch=10, hidden=8))
    step = min(run, key=lambda step: step.evaluation.arch[0])
    assert step.evaluation.arch[0] == 0
    stage = views.unroll(step, space)
    assert len(stage) == 4  # the depth, two kernels, and the end
    assert np.isnan(stage.columns()["said"][-1, 3:]).all() and np.isnan(stage.columns()["taken"][-1, 3:]).all()
    assert stage.spec["views"][1]["columns"] == ["option 1", "option 2", "option 3"]


def test_what_cannot_be_drawn_says_why(run):
    other = list(RandomSearch(SPACE, Toy(SPACE), evaluations=2))
    with pytest.raises(ValueError, match="no step shows 'marginals'"):
        views.policy(other, SPACE)
    with pytest.raises(ValueError, match="needs the space"):
        views.policy(run.steps)
    with pytest.raises(ValueError, match="not 'policy'"):
        views.unroll(other[0], SPACE)
    with pytest.raises(ValueError, match="has shape"):
        views.unroll(Step(run.steps[0].evaluation, policy=np.ones((2, 2), "<f4")), SPACE)


def test_a_box_stands_around_what_was_taken_not_around_the_likeliest():
    """In the still, where a picture of one table can be compared with another."""
    chances, taken = np.array([[0.6, 0.4]], "<f4"), np.array([[0.0, 1.0]], "<f4")

    def still(taken, **more):
        view = {"kind": "heat", "array": "said", "labels": ["edge"], "columns": ["a", "b"], "span": 6, **more}
        spec = {"arrays": {"said": [1, 2], "taken": [1, 2]}, "ops": [], "views": [view]}
        return views.Stage(spec, [{"said": chances, "taken": taken}]).still()

    assert still(taken, boxed="taken") != still(taken) == still(taken[:, ::-1], boxed="taken")
