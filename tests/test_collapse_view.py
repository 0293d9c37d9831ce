"""The view of a collapse: what it counts, when it marks the moment, that it can be drawn."""

import io

import numpy as np
import pytest
from PIL import Image

from nasviz.spaces import NasBench201
from nasviz.step import Step
from nasviz.views import Collapse, Tryout
from nasviz.views.charts.collapse import Story

SPACE = NasBench201(operations=("skip_connect", "sep_conv_3x3"))


def search(counts, watched=True):
    """Epochs of two steps whose cells have so many skips; losses 1, 2, 3, …"""
    for epoch, count in enumerate(counts):
        alphas = np.array([[0.9, 0.1]] * count + [[0.2, 0.8]] * (6 - count), np.float32)
        for half in range(2):
            extra = {"eigenvalue": epoch / 10, "discrete_accuracy": 0.25} if watched and half else {}
            loss = 2.0 * epoch + half
            yield Step(alphas=alphas, loss=loss, valid_loss=loss + 1, valid_accuracy=0.5, epoch=epoch, **extra)


def test_an_epoch_is_one_point():
    view = Collapse(SPACE, ("skips", "loss", "accuracy", "eigenvalue", "truth"), truth=lambda arch: sum(arch) / 10)
    assert "No epoch" in view.text
    assert len(list(view.follow(search([1, 4, 6]), "a"))) == 6
    story = view.stories["a"]
    assert story.updates == [2, 4, 6]
    assert story.values["skips"] == [1, 4, 6]
    assert story.values["loss"] == [0.5, 2.5, 4.5] and story.values["valid_loss"] == [1.5, 3.5, 5.5]
    assert story.values["eigenvalue"] == [0, 0.1, 0.2]
    assert story.values["truth"] == [0.5, 0.2, 0.0]
    assert view.text == "a: 6 skips of 6, 4 or more since update 4."
    assert view.figure.data[-1].y.tolist() == [50, 20, 0]
    assert [shape.x0 for shape in view.figure.layout.shapes] == [4]


@pytest.mark.parametrize(
    "skips, moment",
    [([4, 4], 10), ([1, 4, 3, 5, 6], 40), ([6, 6, 3], None), ([0, 0, 4], 30), ([], None)],
    ids=str,
)
def test_the_moment_is_when_it_stays_so(skips, moment):
    story = Story([10 * (i + 1) for i in range(len(skips))], {"skips": skips})
    assert story.moment(4) == moment


def test_searches_stand_beside_each_other_and_may_be_replaced():
    view = Collapse(SPACE, ("skips", "loss"), collapsed=5)
    for name, counts in (("a", [4, 5]), ("b", [0, 1, 2]), ("a", [1])):
        list(view.follow(search(counts, watched=False), name))
    assert view.text == "a: 1 skips of 6, no collapse; b: 2 skips of 6, no collapse."
    assert len(view.figure.data) == 6 and not view.figure.layout.shapes
    assert [trace.name for trace in view.figure.data] == ["a"] * 3 + ["b"] * 3


def test_a_search_that_breaks_off_leaves_what_was_seen():
    view = Collapse(SPACE, ("skips",))

    def broken():
        yield from search([2, 5])
        raise FloatingPointError("nan")

    with pytest.raises(FloatingPointError):
        list(view.follow(broken(), "a"))
    assert view.stories["a"].values["skips"] == [2]


def test_stills_differ_with_what_happened():
    pictures = []
    assert Collapse(SPACE).still() is None
    for counts in ([1, 1, 1], [1, 3, 6], [6, 5, 1]):
        view = Collapse(SPACE)
        list(view.follow(search(counts), "a"))
        pictures.append(Image.open(io.BytesIO(view.still())).convert("RGB"))
    assert all(picture.size == (700, 720) for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_panels_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="no panel 'skip'; there are skips, loss"):
        Collapse(SPACE, ("skip",))
    with pytest.raises(ValueError, match="needs truth="):
        Collapse(SPACE, ("truth",))


def test_a_tryout_runs_what_its_sliders_say():
    asked = []

    def make(images, weight_lr):
        asked.append((images, weight_lr))
        return search([1, 5] if images < 500 else [1, 0])

    tryout = Tryout(Collapse(SPACE, ("skips",)), make, images=(192, 1920, 480), weight_lr=(0.1, 0.025))
    tryout.button.click()
    assert tryout.run(images=1920, weight_lr=0.025).values["skips"] == [1, 0]
    tryout.run(weight_lr=0.1)
    assert asked == [(192, 0.1), (1920, 0.025), (1920, 0.1)]
    assert list(tryout.view.stories) == ["as usual", "images 1,920, weight lr 0.025", "images 1,920"]
    assert tryout.text == tryout.view.text and tryout.still() == tryout.view.still()


def test_a_tryout_that_breaks_says_so_and_may_go_on():
    def make(images):
        raise ValueError("too few images")

    tryout = Tryout(Collapse(SPACE, ("skips",)), make, images=(192, 480))
    with pytest.raises(ValueError, match="too few"):
        tryout.run()
    assert "too few images" in tryout.said.value and not tryout.button.disabled
