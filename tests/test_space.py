"""The base class: what follows from the choices, on conditional spaces and on spaces with rules too."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from toys import SPACES, Elastic

from nasviz import spaces
from nasviz.space import ABILITIES, Choice, Lacks, SearchSpace

everywhere = pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)


@everywhere
def test_samples_are_valid_and_every_option_of_every_choice_comes(space):
    rng = np.random.default_rng(0)
    samples = [space.sample(rng) for _ in range(2000)]
    assert all(space.why_invalid(arch) is None for arch in samples)
    for i, choice in enumerate(space.choices):
        assert {arch[i] for arch in samples} == set(range(len(choice.options)))


@everywhere
def test_text_goes_round(space):
    rng = np.random.default_rng(1)
    for _ in range(300):
        arch = space.sample(rng)
        assert space.from_text(space.to_text(arch)) == arch


@everywhere
def test_a_mutation_is_a_neighbour_and_reaches_every_neighbour(space):
    rng = np.random.default_rng(2)
    arch = space.sample(rng)
    neighbors = set(space.neighbors(arch))
    assert arch not in neighbors and all(space.why_invalid(other) is None for other in neighbors)
    assert {space.mutate(arch, rng) for _ in range(3000)} == neighbors


@everywhere
def test_sampling_is_a_function_of_the_generator(space):
    a, b = np.random.default_rng(7), np.random.default_rng(7)
    assert [space.sample(a) for _ in range(50)] == [space.sample(b) for _ in range(50)]


def test_mutation_is_uniform_over_choice_and_option():
    space, rng = SPACES[0], np.random.default_rng(3)
    counts = Counter(space.mutate((0, 1, 2, 3, 4, 0), rng) for _ in range(24_000))
    assert len(counts) == 24
    assert max(abs(n - 1000) for n in counts.values()) < 5 * 1000**0.5


def test_sampling_without_conditions_is_uniform_over_the_valid():
    class Ruled(SearchSpace):
        name, choices = "ruled", tuple(Choice(str(i), (0, 1, 2)) for i in range(3))

        def rule(self, arch):
            return "all equal" if len(set(arch)) == 1 else None

    space, rng = Ruled(), np.random.default_rng(4)
    counts = Counter(space.sample(rng) for _ in range(24_000))
    assert len(counts) == 27 - 3
    assert max(abs(n - 1000) for n in counts.values()) < 5 * 1000**0.5


def test_inactive_entries_are_zero_and_are_not_mutated():
    space, rng = Elastic(), np.random.default_rng(5)
    assert space.normal((0, 1, 2, 2, 2)) == (0, 1, 2, 0, 0)
    assert space.active((1, 0, 0, 0, 0)) == (True, True, True, True, False)
    children = {space.mutate((0, 1, 2, 0, 0), rng) for _ in range(500)}
    assert all(child[3:] == (0, 0) for child in children) and len({child[0] for child in children}) == 3


def test_what_is_wrong_is_said_where():
    space = Elastic()
    for arch, words in {
        (0, 0): "has 5 choices, this architecture 2",
        (0, 3, 0, 0, 0): "choice 1 (kernel 1) must be a whole number from 0 to 2, got 3",
        (0, 0.5, 0, 0, 0): "choice 1 (kernel 1) must be a whole number from 0 to 2, got 0.5",
        (0, 0, 0, 0, 1): "choice 4 (kernel 4) is inactive here and must be 0",
        (2, 2, 2, 2, 0): "three layers with kernel 7",
    }.items():
        assert space.why_invalid(arch) == words or words in space.why_invalid(arch)
        with pytest.raises(ValueError, match="no architecture of elastic toy"):
            space.check(arch)
    with pytest.raises(ValueError, match=r"choice 1 \(kernel 1\): '4' is none of"):
        space.from_text("2, 4, 3, 3, 3")


def test_a_mutation_that_every_rule_forbids_is_an_error_not_a_hang():
    class Lonely(SearchSpace):
        name, choices = "lonely", (Choice("a", (0, 1)), Choice("b", (0, 1)))

        def rule(self, arch):
            return None if arch == (0, 0) else "only 0, 0"

    with pytest.raises(ValueError, match="no neighbour in lonely"):
        Lonely().mutate((0, 0), np.random.default_rng(0))


def test_a_rare_valid_neighbour_is_found():
    class Rare(SearchSpace):
        name, choices = "rare", tuple(Choice(str(i), tuple(range(30))) for i in range(30))

        def rule(self, arch):
            return None if sum(arch) == 0 or (sum(arch) == 29 and arch[7] == 29) else "rare"

    assert Rare().mutate((0,) * 30, np.random.default_rng(0))[7] == 29


def test_spaces_compare_by_kind_and_name():
    assert Elastic() == Elastic() and Elastic() != SPACES[0] and len({Elastic(), Elastic()}) == 1
    assert len(list(product(*(c.options for c in Elastic.choices)))) == Elastic().size == 243


@pytest.mark.parametrize("ability", ABILITIES)
def test_who_lacks_an_ability_says_so_and_who_has_it(ability):
    has = [name for name in spaces.__all__ if getattr(spaces, name)().can(ability)]
    assert sorted(has) == sorted(ABILITIES[ability][1].split(", "))
    for name in set(spaces.__all__) - set(has):
        space = getattr(spaces, name)()
        with pytest.raises(Lacks, match=f"the space {space.name} has no {ability}. .* Spaces that have it: .*{has[0]}"):
            getattr(space, ability)


def test_what_is_no_ability_is_an_ordinary_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = spaces.NasBench201().nothing
    with pytest.raises(ValueError, match="'nothing' is no ability"):
        spaces.NasBench201().can("nothing")
