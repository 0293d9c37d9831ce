"""A child in its supernet, and a supernet in training: what the views count, say and draw."""

import io

import numpy as np
import pytest
from PIL import Image

from nasviz.estimators import Inherited
from nasviz.run import Run
from nasviz.spaces import ElasticSpace
from nasviz.step import Step
from nasviz.strategies import BigNas, OnceForAll
from nasviz.views import Elastic, Shrinking
from nasviz.views.raster import Pen

SPACE = ElasticSpace()


@pytest.fixture(scope="module")
def view():
    search = BigNas(SPACE, images=64, network={"width": 0.1}, batch=64)
    return Elastic(Inherited.of(search, search.begin().pack(), recalibrate=1), ms=lambda arch: 1.0 + sum(arch) / 100)


def picture(png):
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return image.size, {color for _, color in image.getcolors(1 << 16)}


def test_controls_choose_a_child_and_it_is_judged_at_once(view):
    view.set(SPACE.largest)
    view.controls[2, "depth"].value = 0
    view.controls[2, "kernel"].value = 1
    view.controls["resolution"].value = 12
    assert SPACE.units(view.arch) == [[(7, 6)] * 4] * 2 + [[(5, 6)] * 2] + [[(7, 6)] * 4] * 2 and view.arch[0] == 12
    scores = view.tried[view.arch]
    assert scores["inherited"] == view.inherited(view.arch).scores["inherited"]
    assert scores["latency_ms"] == view.ms(view.arch) and len(view.tried) == 4
    small = view.set(SPACE.smallest)
    assert small["madds"] < scores["madds"] and small["parameters"] < scores["parameters"]
    assert view.text.startswith("10 of 20 layers on images of 5×5: inherits ") and " 1 ms." in view.text
    assert {one.value for key, one in view.controls.items()} == {0}


def test_what_is_lit_is_the_childs_part(view):
    view.set(SPACE.smallest)
    whole, bars, _, squares, dots, star = view.figure.data
    assert list(whole.y) == [place.middle(6) for place in view.inherited.supernet.places]
    lit = [place.middle(3) if place.layer < 2 else 0 for place in view.inherited.supernet.places]
    assert list(bars.y) == lit and set(squares.text) == {"kernel 3×3", "left out"}
    assert len(dots.x) == len(view.tried) - 1 and star.x == (view.tried[SPACE.smallest]["latency_ms"],)


def test_layers_that_differ_keep_differing_where_nothing_is_said(view):
    arch = SPACE.from_text("r160 | k3e3 k5e4 | k3e3 k3e3 | k7e6 k3e6 k5e6 | k3e3 k3e3 | k3e3 k3e3")
    view.set(arch)
    assert view.controls[0, "kernel"].value == view.controls[2, "kernel"].value == -1
    assert view.controls[2, "expansion"].value == 2
    view.controls[2, "expansion"].value = 0
    assert SPACE.units(view.arch)[2] == [(7, 3), (3, 3), (5, 3)] and SPACE.units(view.arch)[0] == [(3, 3), (5, 4)]
    view.controls[2, "depth"].value = 2
    assert SPACE.units(view.arch)[2] == [(7, 3), (3, 3), (5, 3), (7, 3)]
    with pytest.raises(ValueError, match="no architecture of elastic"):
        view.set((0,))


def test_the_still_shows_lit_and_unlit(view):
    bundle = view._repr_mimebundle_()[0]
    assert bundle["text/plain"] == view.text and bundle["image/png"]
    size, colors = picture(view.still())
    assert size == (700, 470)
    amounts = []
    for arch in (SPACE.smallest, SPACE.largest):
        view.set(arch)
        image = np.asarray(Image.open(io.BytesIO(view.still())).convert("RGB")).astype(int)
        amounts.append((np.abs(image - (26, 111, 212)).sum(-1) < 40).sum())  # the blue of what is lit
    assert 0 < amounts[0] < amounts[1] / 2


# ------------------------------------------------------------------------------------------------------------ shrinking
def steps(stages):
    """Two steps an epoch, the second with children."""
    for epoch, stage in enumerate(stages):
        for half in range(2):
            children = np.array([0.5 + epoch / 20, epoch / 10, 0.2, 0.4], "<f4") if half else np.full(4, np.nan, "<f4")
            losses = np.full(4, 1.0, "<f4")
            yield Step(loss=1.0, losses=losses, epoch=epoch, stage=stage, children=children)


def test_an_epoch_is_a_point_and_a_stage_a_mark():
    view = Shrinking()
    assert view.text == "No epoch yet." and view.still() is None
    assert len(list(view.follow(steps([0, 0, 1, 3]), "a", OnceForAll.stages))) == 8
    story = view.stories["a"]
    assert story.updates == [2, 4, 6, 8] and story.begins == {"full": 0, "kernel": 4, "width": 6}
    assert np.allclose(story.lines(), [[50, 55, 60, 65], [0, 10, 20, 30], [30] * 4])
    assert view.text == (
        "a, after 8 updates in the stages full, kernel, width: "
        "largest 65.0 %, smallest 30.0 %, drawn ones, mean 30.0 %."
    )
    assert [shape.x0 for shape in view.figure.layout.shapes] == [0, 4, 6]
    assert [note.text for note in view.figure.layout.annotations] == ["full", "kernel", "width"]
    list(view.follow(steps([0]), "b"))
    assert len(view.figure.data) == 6 and "; b, after 2 updates: largest 50.0 %" in view.text
    assert picture(view.still())[0] == (700, 394)


def test_the_name_of_a_short_stage_is_drawn_below_the_one_before(monkeypatch):
    view, texts = Shrinking(), {}
    list(view.follow(steps([0, 0, 1, 2, 3, 3, 3, 3, 3]), "a", ("full", "kernel sizes", "fewer layers", "narrower")))
    monkeypatch.setattr(Pen, "text", lambda pen, x, y, text, *rest: texts.update({text: y}))
    view.still()
    assert texts["full"] == texts["kernel sizes"] == texts["fewer layers"] - 14 == texts["narrower"]


def test_a_recorded_training_is_drawn_and_another_search_refused(tmp_path):
    search = BigNas(SPACE, epochs=1, images=16, batch=16, network={"width": 0.1})
    run = Run(search, tmp_path / "a.jsonl")
    assert len(list(run)) == 1
    view = Shrinking(Run.load(tmp_path / "a.jsonl"))
    assert view.stories["BigNas"].updates == [1] and "BigNas, after 1 updates: largest" in view.text
    with pytest.raises(ValueError, match=r"other shows \['loss'\], no children to draw"):
        list(view.follow([Step(loss=1.0)], "other"))
