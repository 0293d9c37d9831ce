"""BOHB, beside the paper's equations, and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from toys import SPACES, Toy

from nasviz.objectives import accuracy
from nasviz.space import SearchSpace
from nasviz.step import Evaluation
from nasviz.strategies import Bohb, Hyperband

SPACE = SPACES[0]
PAIR = SearchSpace.from_choices({"first": (1, 2), "second": (1, 2, 3, 4)}, name="pair")


class Curve(Toy):
    """A training's accuracy rises with its epochs."""

    def __call__(self, arch, *, epochs=None, seed=0):
        said = super().__call__(arch, epochs=epochs, seed=seed)
        return replace(said, scores=said.scores | {"accuracy": said.scores["accuracy"] * said.epochs / 12})


def said(arch, value, epochs):
    return Evaluation(arch, {"accuracy": value}, 1.0, epochs, 0)


def test_the_brackets_are_those_of_hyperband():
    one, other = (cls(SPACE, Curve(SPACE), evaluations=90, seed=1) for cls in (Bohb, Hyperband))
    assert one.brackets() == other.brackets()
    places = [[(s.shows["bracket"], s.shows["rung"], s.evaluation.epochs) for s in search] for search in (one, other)]
    assert places[0] == places[1]


def test_the_density_by_hand():
    """Two rows of two choices: the kernels are 1 − λ for the same option, λ/(c − 1) for another."""
    search = Bohb(PAIR, None)
    narrow = 2 ** (-2 / 6)  # n^(−2/(d + 4))
    first, second = narrow / 2, narrow * 3 / 4
    data, asked = np.array([[0, 0], [1, 3]]), np.array([[0, 0], [0, 3]])
    wanted = [
        ((1 - first) * (1 - second) + first * second / 3) / 2,
        ((1 - first) * second / 3 + first * (1 - second)) / 2,
    ]
    np.testing.assert_allclose(search.density(data, asked), wanted)
    whole = np.array([[i, j] for i in range(2) for j in range(4)])
    assert search.density(data, whole).sum() == pytest.approx(1)
    np.testing.assert_allclose(search.density(data[:1], whole), 1 / 8)  # one row says nothing


def test_what_is_good_is_said_by_the_most_epochs_that_have_enough():
    """Equations 2 and 3: of N_b, max(N_min, q N_b) are good, and max(N_min, N_b − that) are the others."""
    search = Bohb(PAIR, None)  # N_min = 3
    archs = [(i % 2, i // 2) for i in range(8)]
    short = [said(arch, 0.1 * i, 1) for i, arch in enumerate(archs)]
    assert search.parts(short[:4]) is None  # five are enough
    good, bad = search.parts(short)
    assert good.tolist() == [[1, 3], [0, 3], [1, 2]] and bad.tolist() == [[0, 2], [1, 1], [0, 1], [1, 0], [0, 0]]
    long = [said(arch, -0.1 * i, 8) for i, arch in enumerate(archs[:5])]
    assert search.parts(short + long[:4])[0].tolist() == good.tolist()
    good, bad = search.parts(short + long)
    assert good.tolist() == [[0, 0], [1, 0], [0, 1]] and bad.tolist() == [[0, 1], [1, 1], [0, 2]]  # they overlap
    failed = [said((1, 0), np.nan, 8), *long]
    assert search.parts(failed)[1].tolist()[-1] == [1, 0]
    assert len(replace(search, share=0.5).parts(short)[0]) == 4


def test_proposals_stand_near_the_good_ones():
    search = Bohb(PAIR, None, random=0.0)
    told = [said((i, j), 1.0 if (i, j) == (1, 2) else 0.1 * i, 8) for i in range(2) for j in range(4)] * 4
    rng = np.random.default_rng(0)
    proposed = search.propose(50, told, rng)
    assert np.mean([arch == (1, 2) for arch in proposed]) > 0.5
    drawn = replace(search, random=1.0).propose(50, told, rng)
    assert np.mean([arch == (1, 2) for arch in drawn]) < 0.5


def test_the_model_finds_better_ones_than_hyperband_on_average():
    means = {}
    for cls in (Bohb, Hyperband):
        runs = [[*cls(SPACE, Curve(SPACE), evaluations=200, seed=seed)] for seed in range(5)]
        last = [accuracy(s.evaluation) for run in runs for s in run[100:] if s.evaluation.epochs == 8]
        means[cls] = np.mean([value for value in last if np.isfinite(value)])
    assert means[Bohb] > means[Hyperband]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_every_proposal_is_an_architecture(space):
    steps = list(Bohb(space, Curve(space), evaluations=150, random=0.0, seed=2))
    assert all(space.why_invalid(step.evaluation.arch) is None for step in steps)
