"""Single path one-shot's evolution: who breeds, what a child is of, and that nothing over the limits is evaluated."""

from collections import Counter

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from toys import SPACES, Toy

from nasviz.objectives import accuracy
from nasviz.strategies import RandomSearch, Spos
from nasviz.strategies.breeding import crossed, mutated

SPACE = SPACES[0]


def madds(arch):
    return {"madds": 1.0 + sum(option * option for option in arch), "layers": float(sum(o > 1 for o in arch))}


def test_generations_breed_from_the_best_so_far_each_of_them_once():
    steps = list(Spos(SPACE, Toy(SPACE), population=12, top=5, evaluations=80, seed=1))
    found = [(-accuracy(step.evaluation), number, step.evaluation.arch) for number, step in enumerate(steps)]
    kinds = Counter()
    for number, step in enumerate(steps):
        best = {}
        for _, n, arch in sorted(found[: number + 1]):
            best.setdefault(arch, n)
        assert step.shows["population"].tolist() == sorted(list(best.values())[:5])
        before, place = divmod(number, 12)
        a, b = step.shows["parents"].tolist()
        if number < 12:
            assert a == b == -1
            continue
        kinds["drawn" if a < 0 else "mutation" if a == b else "crossover"] += 1
        generation = steps[12 * before - 1].shows["population"]  # as it was when they were bred
        size = min(12, 80 - 12 * before)
        assert a < 0 or (a in generation and b in generation and (a != b) == (place < size // 2))
        one, other, child = steps[a].evaluation.arch, steps[b].evaluation.arch, step.evaluation.arch
        assert a < 0 or child not in (one, other)
        assert a < 0 or a == b or all(c in pair for c, *pair in zip(child, one, other, strict=True))
    assert kinds["mutation"] > 25 and kinds["crossover"] > 15


@examples(20)
@given(seed=st.integers(0, 1000), layers=st.integers(1, 5), most=st.integers(12, 60))
def test_nothing_over_the_limits_is_evaluated(seed, layers, most):
    limits = {"madds": float(most), "layers": float(layers)}
    for space in SPACES[:2]:
        asked = [
            step.evaluation.arch
            for step in Spos(space, Toy(space), madds, limits, population=6, top=3, evaluations=24, seed=seed)
        ]
        assert len(asked) == 24
        assert all(madds(arch)[name] <= limit for arch in asked for name, limit in limits.items())


def test_it_finds_more_within_the_limits_than_chance():
    limits = {"madds": 40.0}
    ours, luck = [], []
    for seed in range(5):
        ours.append(max(accuracy(s.evaluation) for s in Spos(SPACE, Toy(SPACE, 0.0), madds, limits, 20, 5, seed=seed,
                                                             evaluations=100)))  # fmt: skip
        drawn = [s.evaluation for s in RandomSearch(SPACE, Toy(SPACE, 0.0), evaluations=100, seed=seed)]
        luck.append(max(accuracy(e) for e in drawn if e.scores["madds"] <= 40))
    assert np.mean(ours) > np.mean(luck)


def test_impossible_limits_are_sentences():
    with pytest.raises(ValueError, match=r"limits on \['watt'\], but cost tells of \['layers', 'madds'\] only"):
        next(iter(Spos(SPACE, Toy(SPACE), madds, {"watt": 1.0})))
    with pytest.raises(ValueError, match=r"none of 10,000 architectures drawn from \w+ keeps to {'madds': 0.5}"):
        next(iter(Spos(SPACE, Toy(SPACE), madds, {"madds": 0.5})))


def test_how_often_a_choice_changes():
    rng, arch = np.random.default_rng(0), (1, 2, 3, 4, 0, 1)
    for chance, expected in ((0.1, 0.1), (None, 1 / 6), (1.0, 1.0), (0.0, 0.0)):
        changed = np.array([np.not_equal(mutated(SPACE, arch, rng, chance), arch) for _ in range(2000)])
        assert np.abs(changed.mean(0) - expected).max() < 0.04
    child = np.array([crossed((0,) * 6, (1,) * 6, rng) for _ in range(2000)])
    assert np.abs(child.mean(0) - 0.5).max() < 0.05 and np.abs(np.corrcoef(child.T) - np.eye(6)).max() < 0.1
