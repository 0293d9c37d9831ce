"""Two searches in lock-step: each as alone, one set of knobs, one picture."""

from dataclasses import replace

import numpy as np
import pytest
from toys import Toy

from nasviz.knobs import knobs
from nasviz.run import Run
from nasviz.spaces import NasBench201
from nasviz.strategies import RandomSearch, RegularizedEvolution
from nasviz.strategies.darts import Darts
from nasviz.views.stage.side_by_side import SideBySide
from nasviz.views.stage.together import together

SPACE = NasBench201()
SMALL = Darts(SPACE, size=8, images=64, epochs=2, batch=16, network={"channels": 2})
MANY = replace(SMALL, images=160)


def test_each_makes_the_steps_that_it_makes_alone():
    pairs = list(together(SMALL, replace(SMALL, seed=1)))
    assert [pair.sides[0] for pair in pairs] == list(SMALL)
    assert [pair.sides[1] for pair in pairs] == list(replace(SMALL, seed=1))
    assert pairs == list(together(SMALL, replace(SMALL, seed=1)))


def test_the_shorter_search_is_as_far_into_its_plan_as_the_longer():
    pairs, short = list(together(SMALL, MANY)), list(SMALL)
    assert len(pairs) == len(together(SMALL, MANY)) == 20
    assert [pair.sides[1] for pair in pairs] == list(MANY)
    at = [next(i for i, step in enumerate(short) if step == pair.sides[0]) for pair in pairs]
    assert at[0] == 0 and at[-1] == 7 and sorted(at) == at and set(at) == set(range(8))
    assert all(abs((i + 1) / 8 - number / 20) <= 1 / 8 for number, i in enumerate(at, 1))
    assert all(pair.sides[0].shows["epoch"] == pair.sides[1].shows["epoch"] for pair in pairs)


def test_a_search_that_ends_early_waits_for_the_other():
    class Brief(Darts):
        def over(self, search):
            return search.epoch == 1

    brief = Brief(**{name: getattr(SMALL, name) for name in ("space", "size", "images", "epochs", "batch", "network")})
    pairs = list(together(brief, SMALL))
    assert [pair.sides[1] for pair in pairs] == list(SMALL)
    assert pairs[-1].sides[0] is pairs[3].sides[0]


def test_knobs_at_the_same_value_are_turned_together_others_stay():
    pair = together(SMALL, replace(SMALL, weight_decay=0.01))
    assert list(knobs(pair)) == ["weight_lr", "alpha_lr"]
    run = Run(pair)
    for number, _ in enumerate(run):
        if number == 3:
            run.turn(alpha_lr=0.05)
    for side, alone in enumerate((SMALL, replace(SMALL, weight_decay=0.01))):
        single = Run(alone)
        for number, _ in enumerate(single):
            if number == 3:
                single.turn(alpha_lr=0.05)
        assert [one.sides[side] for one in run.steps] == single.steps


def test_one_player_draws_both():
    player = SideBySide(SMALL, MANY, ("64 images", "160 images"))
    player.run()
    kinds = [(view["kind"], view["span"]) for view in player.stage.spec["views"]]
    assert kinds == [("cell", 6)] * 2 + [("heat", 6)] * 2 + [("traces", 6)] * 2 + [("curve", 6)] * 2
    assert player.stage.spec["views"][0]["title"].startswith("64 images: ")
    assert {view["total"] for view in player.stage.spec["views"] if "total" in view} == {20}
    labels = [one["label"] for one in player.stage.spec["views"][6]["series"]]
    assert labels == [f"{name} images: {half}" for name in (64, 160) for half in ("training", "validation")]
    columns = player.stage.columns()
    assert len(player.stage) == 20
    np.testing.assert_array_equal(columns["1.alphas"], [step.shows["alphas"] for step in MANY])
    assert columns["0.loss"][-1] == pytest.approx(list(SMALL)[-1].shows["loss"])
    assert player.steps_of(0) == list(SMALL) and player.steps_of(1) == list(MANY)
    assert "64 images: strongest now" in player.status.value and player.stage.still()[:4] == b"\x89PNG"


def test_evaluations_too_are_drawn_side_by_side():
    player = SideBySide(
        RandomSearch(SPACE, Toy(SPACE), evaluations=12), RandomSearch(SPACE, Toy(SPACE), evaluations=12, seed=1)
    )
    run = player.run()
    assert len(player.stage) == 12
    accuracies = [pair.sides[1].evaluation.scores["accuracy"] for pair in run.steps]
    assert player.stage.columns()["1.accuracy"] == pytest.approx(accuracies)


def test_what_shows_other_things_is_refused():
    with pytest.raises(ValueError, match="same"):
        SideBySide(SMALL, RegularizedEvolution(SPACE, Toy(SPACE), evaluations=5))
    with pytest.raises(ValueError, match="same operations"):
        SideBySide(SMALL, replace(SMALL, space=NasBench201(("skip_connect", "nor_conv_3x3"))))
