"""A space made in a notebook: `SearchSpace.from_choices` under strategies, records, training and the process pool."""

from itertools import product

import numpy as np
import pytest
import torch
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from toys import Toy

from nasviz.estimators import Recipe, Training
from nasviz.nn import count
from nasviz.run import Run
from nasviz.space import OwnSpace, SearchSpace
from nasviz.strategies import RandomSearch, RegularizedEvolution

CHOICES = {"depth": (1, 2, 3), "width": (4, 8), "activation": ("relu", "tanh")}
TINY = Recipe(images=128, epochs=2, batch=64)


def notebook():
    """A space whose functions no module holds, as those of a notebook's cell: they travel by value."""

    def build(depth, width, activation, colors, classes, kernel=3):
        layers = [nn.Conv2d(colors, width, kernel, padding=kernel // 2), nn.BatchNorm2d(width)]
        for _ in range(depth - 1):
            layers += [{"relu": nn.ReLU, "tanh": nn.Tanh}[activation](), nn.Conv2d(width, width, 3, padding=1)]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))

    def rule(chosen):
        return "deep and wide" if chosen["depth"] == 3 and chosen["width"] == 8 else None

    return SearchSpace.from_choices(CHOICES, build, name="mine", rule=rule)


SPACE = notebook()


# --------------------------------------------------------------------------------------------------------------- space
def test_choices_rule_and_text():
    assert SPACE.size == 12 and SPACE.name == "mine"
    assert SPACE.to_text((2, 0, 1)) == "3, 4, tanh" and SPACE.from_text("3, 4, tanh") == (2, 0, 1)
    assert SPACE.chosen((2, 0, 1)) == {"depth": 3, "width": 4, "activation": "tanh"}
    assert SPACE.why_invalid((2, 1, 0)) == "deep and wide"
    with pytest.raises(ValueError, match="deep and wide"):
        SPACE.from_text("3, 8, relu")
    rng = np.random.default_rng(0)
    assert len({SPACE.sample(rng) for _ in range(300)}) == 10
    assert "**12**" in SPACE.counting()


texts = st.text(alphabet="a ,1", max_size=4).filter(lambda text: ", " not in text)
options = st.lists(texts | st.integers(-3, 3) | st.tuples(st.integers()), min_size=1, max_size=4, unique_by=str)


@given(st.dictionaries(st.sampled_from("abcd"), options, min_size=1))
@examples(300)
def test_text_goes_round_for_any_options(choices):
    space = SearchSpace.from_choices(choices)
    for arch in product(*(range(len(options)) for options in choices.values())):
        assert space.from_text(space.to_text(arch)) == arch


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({}, "at least one choice"),
        ({"my depth": (1, 2)}, "'my depth' cannot name a choice"),
        ({"lambda": (1, 2)}, "'lambda' cannot name a choice"),
        ({None: (1, 2)}, "None cannot name a choice"),
        ({"colors": (1, 3)}, "'colors' cannot name a choice: the images say it"),
        ({"depth": 3}, r"options of 'depth' must be a sequence, such as \(1, 2, 3\), got 3"),
        ({"kernel": "357"}, "options of 'kernel' must be a sequence"),
        ({"depth": ()}, "'depth' needs options"),
        ({"depth": (1, "1")}, r"differ as texts, got \['1', '1'\]"),
        ({"depth": ("a, b", "c")}, "must not contain ', '"),
        ({"depth": (option for option in (1, 1))}, "differ as texts"),
    ],
)
def test_what_cannot_be_a_space_is_named(choices, words):
    with pytest.raises(ValueError, match=words):
        SearchSpace.from_choices(choices)


def test_options_may_come_from_a_generator_or_be_lists():
    space = SearchSpace.from_choices({"blocks": (option for option in ([1], [3]))})
    assert space.choices[0].options == ([1], [3]) and space.to_text((1,)) == "[3]"
    assert len({space, SearchSpace.from_choices({"blocks": ([1], [3])})}) == 1


@pytest.mark.parametrize("returned", [True, False, "", 0])
def test_a_rule_that_says_no_sentence_is_an_error_not_a_hang(returned):
    space = SearchSpace.from_choices(CHOICES, rule=lambda chosen: returned)
    with pytest.raises(ValueError, match="rule of own must return a sentence or None"):
        space.sample(np.random.default_rng(0))


def test_a_rule_that_nothing_keeps_is_an_error_not_a_hang():
    space = SearchSpace.from_choices({"depth": (1, 2)}, rule=lambda chosen: "never")
    with pytest.raises(ValueError, match="own: 100,000 draws in a row break a rule, the last one: never"):
        space.sample(np.random.default_rng(0))


def test_spaces_differ_by_name_and_choices():
    assert SPACE == notebook() and hash(SPACE) == hash(notebook())
    assert SPACE != SearchSpace.from_choices(CHOICES, name="other")
    assert SPACE != SearchSpace.from_choices({"depth": (1, 2)}, name="mine")


# ------------------------------------------------------------------------------------------------------------- network
def test_weights_follow_from_the_seed_and_the_shared_generator_is_left_alone():
    before = torch.get_rng_state()
    a, b, c = (SPACE.network((1, 1, 0), generator=torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(before, torch.get_rng_state())
    weights = [torch.cat([w.flatten() for w in network.parameters()]) for network in (a, b, c)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_sizes_go_to_the_function():
    network = SPACE.network((0, 0, 0), colors=3, classes=7, kernel=5)
    assert network[0].weight.shape == (4, 3, 5, 5) and network(torch.zeros(2, 3, 8, 8)).shape == (2, 7)
    with pytest.raises(ValueError, match=r"mine chooses \['width'\] itself"):
        SPACE.network((0, 0, 0), width=5)
    with pytest.raises(TypeError, match="'channels'"):
        SPACE.network((0, 0, 0), channels=5)


def test_on_the_meta_device_it_takes_no_memory():
    with torch.device("meta"):
        network = SPACE.network((1, 1, 0))
    assert all(weights.is_meta for weights in network.parameters())
    real = SPACE.network((1, 1, 0))
    assert count.parameters(network) == count.parameters(real)
    assert count.madds(network, (1, 8, 8)) == count.madds(real, (1, 8, 8))


def test_what_cannot_be_built_is_named():
    for build, error, words in (
        (None, NotImplementedError, "own builds no network: give from_choices a function that does"),
        (lambda depth, colors, classes: depth, ValueError, "build must return a torch.nn.Module, got int"),
        (lambda depth, colors, classes: [nn.Flatten()], ValueError, "build must return a torch.nn.Module, got list"),
    ):
        space = SearchSpace.from_choices({"depth": (1, 2)}, build)
        with pytest.raises(error, match=words):
            space.network((0,))
    with pytest.raises(ValueError, match="no architecture of own: choice 0"):
        space.network((5,))


# -------------------------------------------------------------------------------------------- strategies and processes
@pytest.mark.parametrize("cls", [RandomSearch, RegularizedEvolution])
def test_strategies_resume_on_it(cls, tmp_path):
    more = {"population": 5, "tournament": 2} if cls is RegularizedEvolution else {}
    search = cls(SPACE, Toy(SPACE), evaluations=40, **more)
    whole = list(Run(search))
    assert len(whole) == 40 and all(SPACE.why_invalid(step.evaluation.arch) is None for step in whole)
    steps = iter(Run(search, tmp_path / "run.jsonl"))
    for _ in range(17):
        next(steps)
    steps.close()
    again = cls(notebook(), Toy(notebook()), evaluations=40, **more)  # the notebook was run again
    assert list(Run(again, tmp_path / "run.jsonl")) == whole
    assert Run.load(tmp_path / "run.jsonl", again).steps == whole
    renamed = SearchSpace.from_choices(CHOICES, name="yours")
    with pytest.raises(ValueError, match="space is mine there, yours here"):
        Run(cls(renamed, Toy(renamed), evaluations=40, **more), tmp_path / "run.jsonl")


def test_it_trains_and_evolution_searches_it():
    estimate = Training(SPACE, TINY)
    steps = list(RegularizedEvolution(SPACE, estimate, 3, 2, evaluations=6, seed=1))
    assert all(0 <= step.evaluation.scores["accuracy"] <= 1 for step in steps)
    first = steps[0].evaluation
    assert estimate(first.arch, seed=first.seed) == first
    wide = Training(SPACE, Recipe(images=128, epochs=1, network={"kernel": 5})).size((0, 0, 0))
    assert wide["parameters"] - estimate.size((0, 0, 0))["parameters"] == 4 * (25 - 9)


def test_worker_processes_train_it_though_no_module_holds_its_functions(monkeypatch):
    monkeypatch.setenv("NASVIZ_WORKERS", "2")
    archs = [(0, 0, 0), (2, 0, 1), (1, 1, 0)]
    estimate = Training(SPACE, TINY)
    assert list(estimate.many(archs, seed=5)) == [estimate(arch, seed=5 + i) for i, arch in enumerate(archs)]


def test_it_is_an_own_space_whatever_calls_it():
    class Special(SearchSpace):
        name = "special"

    assert type(SearchSpace.from_choices({"a": (1,)})) is type(Special.from_choices({"a": (1,)})) is OwnSpace
