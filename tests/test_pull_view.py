"""The elastic network that one pulls at: which child is judged, what is said of it, what the page is told."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from nasviz.estimators import Inherited
from nasviz.spaces import ElasticResNet, ElasticSpace
from nasviz.strategies import BigNas
from nasviz.views import Pull

SPACE = ElasticResNet()
KNOWN = {SPACE.from_text(text): accuracy for text, accuracy in {
    "r16 | k5 w12 d2 | w24 d2 | w48 d2": 0.8,
    "r16 | k5 w12 d2 | w24 d2 | w32 d2": 0.7,
    "r8 | k3 w6 d0 | w12 d0 | w24 d0": 0.5,
}.items()}  # fmt: skip


@pytest.fixture(scope="module")
def inherited():
    search = BigNas(SPACE, size=16, images=64, batch=64)
    return Inherited.of(search, search.begin().pack(), recalibrate=1)


@pytest.fixture
def view(inherited):
    return Pull(inherited, KNOWN, ms=lambda arch: 1.0 + sum(arch))


def test_a_known_child_is_not_judged_and_another_is(view, inherited, monkeypatch):
    asked = []
    judge = Inherited.__call__
    monkeypatch.setattr(
        Inherited, "__call__", lambda self, arch, **more: asked.append(arch) or judge(self, arch, **more)
    )
    scores = view.set(SPACE.smallest)
    assert scores == {"inherited": 0.5, "madds": SPACE.madds(SPACE.smallest), "latency_ms": 1.0} and not asked
    other = (1, *SPACE.smallest[1:])
    assert view.set(other)["inherited"] == inherited(other).scores["inherited"] and asked == [other, other]
    view.set(other)
    assert len(asked) == 2 and list(view.tried) == [SPACE.largest, SPACE.smallest, other] and view.arch == other
    assert view.picture.tried[1] == {"arch": list(SPACE.smallest), "score": 0.5, "ms": 1.0}


def test_what_the_page_pulls_is_judged(view):
    view.picture.arch = list(SPACE.smallest)
    assert view.tried[SPACE.smallest]["inherited"] == 0.5 and view.text.startswith(SPACE.to_text(SPACE.smallest))
    view.picture.arch = [9] * 8  # a page that sends nonsense
    assert "This child was not judged" in view.said.value
    view.set(SPACE.largest)
    assert view.said.value == ""


def test_a_child_is_ranked_among_those_of_its_cost(inherited):
    largest, second, smallest = KNOWN
    costs = [SPACE.madds(arch) for arch in KNOWN]
    share = 1 - costs[1] / costs[0]
    wide, narrow = Pull(inherited, KNOWN, around=share + 1e-9), Pull(inherited, KNOWN, around=share - 1e-3)
    assert wide.rank(largest) == (1, 1) and narrow.rank(largest) == (0, 0)
    assert f"better than 1 of 1 known children within ±{100 * wide.around:g} %" in wide.text
    assert f"no known child within ±{100 * narrow.around:g} %" in narrow.text
    wide.around = 0.99
    wide.set(second)
    assert wide.rank(second) == (0, 1) and wide.rank(largest) == (1, 1)  # the smallest costs a hundredth


def test_the_image_enters_as_the_network_sees_it(view):
    pictures = view.picture.space["pictures"]
    assert [one["side"] for one in pictures] == [8, 12, 16]
    assert [len(one["bytes"]) for one in pictures] == [3 * side**2 for side in (8, 12, 16)]
    grey = np.frombuffer(pictures[2]["bytes"], np.uint8).reshape(16, 16, 3)
    assert (grey == view.data.valid_images[0, 0, :, :, None]).all()


def test_the_still_shows_lit_and_pale(view):
    amounts = []
    for arch in (SPACE.smallest, SPACE.largest):
        view.set(arch)
        image = np.asarray(Image.open(io.BytesIO(view.still())).convert("RGB")).astype(int)
        amounts.append((np.abs(image - (26, 111, 212)).sum(-1) < 40).sum())  # the blue of the fronts
    assert 0 < amounts[0] < amounts[1] / 4
    bundle = view._repr_mimebundle_()[0]
    assert bundle["text/plain"] == view.text and bundle["image/png"]


def test_what_it_cannot_show_is_refused(inherited):
    for wrong, message in (
        (Inherited(ElasticSpace(), b""), "ElasticResNet only.*views.Elastic"),
        (replace(inherited, size=8), "train it with size=16"),
    ):
        with pytest.raises(ValueError, match=message):
            Pull(wrong)
    with pytest.raises(ValueError, match="0 to 1, got 80"):
        Pull(inherited, {SPACE.largest: 80})
    with pytest.raises(ValueError, match="0 to 1, got nan"):
        Pull(inherited, {SPACE.largest: float("nan")})
    with pytest.raises(ValueError, match="above 0 and below 1"):
        Pull(inherited, around=7)
    with pytest.raises(ValueError, match="no architecture of elastic-resnet"):
        Pull(inherited, KNOWN).set((0,))
