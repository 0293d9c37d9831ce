"""Shrinking a transformer: the library, the scores, the choice within a budget, and the distillation after it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from nasviz import datasets
from nasviz.estimators import Assembled, Inherited, Recipe, WithCost, replace_one
from nasviz.estimators.training import evaluated, tensors_of
from nasviz.hardware import LatencyTable, latency
from nasviz.nn import count
from nasviz.nn.half_blocks import by_importance, entering
from nasviz.objectives import Within
from nasviz.run import Run
from nasviz.spaces import NasBench201, TransformerSpace
from nasviz.strategies import BlockwiseDistillation, Distillation, RegularizedEvolution, TrainSupernet
from nasviz.strategies.distillation import weights_of
from nasviz.strategies.mixed_integer import (
    Budget,
    budget,
    exhaustive,
    greedy,
    harm_of,
    programme,
    relaxed,
    rounded,
)
from nasviz.strategies.pruning import depth, one_by_one, uniform
from nasviz.strategies.pruning import drawn as drawn_within
from nasviz.strategies.train_supernet import nested
from nasviz.views.stage.from_search import Rows
from nasviz.views.stage.kinds.heat import HeatView

SPACE = TransformerSpace(blocks=2)
SIZE = {"width": 16}
ADAMW = {"size": 8, "batch": 64, "lr": 3e-3, "decay": 0.0, "optimizer": "adamw", "network": SIZE}
TINY = Recipe(images=256, epochs=2, **ADAMW)
SHARED = {"size": 8, "images": 128, "lr": 2e-3, "network": SIZE, "optimizer": "adamw"}
PART = SPACE.from_text("h2 f1/4 | mean none")


@pytest.fixture(scope="module")
def parent():
    """A parent that has learnt something: what half-blocks add is not what they add at first."""
    *_, last = Distillation(SPACE, SPACE.largest, recipe=replace(TINY, images=512))
    return weights_of(last.state)


@pytest.fixture(scope="module")
def steps(parent):
    return list(BlockwiseDistillation(SPACE, parent, recipe=TINY))


@pytest.fixture(scope="module")
def assembled(parent, steps):
    return Assembled(SPACE, parent, steps[-1].state, size=8, network=SIZE)


# ------------------------------------------------------------------------------------------------------- the library
def test_distillation_lowers_the_error_of_each_variant(steps):
    each = len(steps) // 4
    for place in range(4):
        first, last = (steps[number].shows["errors"][place] for number in (place * each, place * each + each - 1))
        wrong = first > 0.1  # the mean of all tokens can be right from the start, where attention has learnt little
        assert wrong[1:4].any() and (last[1:4] < first[1:4])[wrong[1:4]].all(), (place, first, last)
        assert first[0] == 1 and first[4] == 0
        assert steps[place * each].shows["place"] == place
    assert np.isnan(steps[0].shows["errors"][1]).all() and np.isfinite(steps[-1].shows["errors"]).all()


def test_a_stage_shows_the_errors_of_the_library_while_it_learns(parent, steps):
    rows = Rows(BlockwiseDistillation(SPACE, parent, recipe=TINY))
    table = next(view for view in rows.spec.views if isinstance(view, HeatView))
    assert table.labels == [choice.name for choice in SPACE.choices]
    assert table.columns == ["none", "mean f1/8", "h1 f1/4", "h2 f1/2", "h4 f1"]
    assert np.array_equal(rows.row(steps[-1], 0.0)["errors"], steps[-1].shows["errors"])


def test_variants_that_do_not_learn_are_the_parts_that_the_others_begin_with(parent, steps):
    plain = list(BlockwiseDistillation(SPACE, parent, learn=False, recipe=TINY))
    assert len(plain) == 4
    library, learnt = load(plain[-1].state), load(steps[-1].state)
    weights = load(parent)
    rows = {tuple(row.tolist()) for row in weights["halves.1.widen.weight"]}
    cut = library["1.f1/4.widen.weight"]
    assert len(cut) == 16 and {tuple(row.tolist()) for row in cut} <= rows
    assert not {tuple(row.tolist()) for row in learnt["1.f1/4.widen.weight"]} & rows
    assert steps[-1].shows["errors"][:, 1:4].sum() < plain[-1].shows["errors"][:, 1:4].sum()


def test_a_half_block_in_order_of_importance_adds_the_same(parent):
    network = SPACE.network(SPACE.largest, **SIZE)
    network.load_state_dict(load(parent))
    images = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    tokens = images_of = network.patches(images)
    for half, (x, added) in zip(network.halves, entering(network, images), strict=True):
        assert torch.allclose(x, images_of, atol=1e-6) and torch.allclose(half(x), added, atol=1e-6)
        assert torch.allclose(by_importance(half, x)(x), added, atol=1e-5)
        images_of = x + added
    turned = by_importance(network.halves[1], tokens)
    use = turned.widen(turned.norm(tokens)).relu().mean((0, 1)) * turned.out.weight.norm(dim=0)
    assert (use[:-1] >= use[1:] - 1e-6).all()


# ---------------------------------------------------------------------------------------- networks from the library
def test_the_full_variant_of_every_half_block_is_bitwise_the_parent(parent, assembled):
    images = torch.randn(7, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    network = SPACE.network(SPACE.largest, **SIZE).eval()
    network.load_state_dict(load(parent))
    with torch.no_grad():
        assert torch.equal(assembled.network_of(SPACE.largest)(images), network(images))
    scores = assembled(SPACE.largest).scores
    assert scores["kl"] == 0 and scores == assembled(SPACE.largest, seed=5).scores


def test_a_network_taken_out_answers_as_it_was_judged(assembled):
    accuracy, loss = evaluated(assembled.network_of(PART), *tensors_of("fashion16", 8, "valid"))
    scores = assembled(PART).scores
    assert scores["assembled"] == accuracy and scores["assembled_loss"] == pytest.approx(loss, abs=1e-5)
    assert scores["kl"] > 0
    assert count.madds(assembled.network_of(PART), (1, 8, 8)) == SPACE.madds(PART, side=8, **SIZE)


def test_scores_are_those_of_the_parent_with_one_replaced(assembled):
    scores, base = replace_one(assembled), assembled(SPACE.largest).scores
    assert scores["kl"].shape == (4, 5) and not scores["kl"][:, 4].any() and (scores["kl"][:, :4] > 0).all()
    for place, option in ((0, 0), (1, 2), (3, 3)):
        arch = (*SPACE.largest[:place], option, *SPACE.largest[place + 1 :])
        one = assembled(arch).scores
        assert scores["kl"][place, option] == pytest.approx(one["kl"], abs=1e-7)
        assert scores["loss"][place, option] == pytest.approx(one["assembled_loss"] - base["assembled_loss"], abs=1e-7)
        assert scores["accuracy"][place, option] == pytest.approx(base["assembled"] - one["assembled"])


def test_a_library_of_another_parent_or_one_that_is_not_finished_is_refused(parent, steps):
    half = next(step.state for step in steps if step.state)
    with pytest.raises(ValueError, match="differs in"):
        Assembled(SPACE, parent, half, size=8, network=SIZE)(PART)
    with pytest.raises(ValueError, match="differs in"):
        Assembled(SPACE, save({"a": torch.zeros(1)}), half, size=8, network=SIZE)(PART)


# ------------------------------------------------------------------------------------------------- within a budget
def drawn(seed, choices=5, options=4):
    rng = np.random.default_rng(seed)
    costs = np.sort(rng.integers(0, 100, (choices, options)), 1).astype(float)
    return np.sort(rng.random((choices, options)), 1)[:, ::-1].copy(), costs


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_programme_answers_as_all_architectures_tried_and_keeps_its_budgets(seed, share):
    harms, costs = drawn(seed)
    low, high = costs.min(1).sum(), costs.max(1).sum()
    one = Budget(costs, low + share * (high - low))
    two = Budget(costs[::-1].copy(), low + 0.7 * (high - low))
    for budgets in ([one], [one, two]):
        found, best = programme(harms, budgets), exhaustive(harms, budgets)
        assert harm_of(found, harms) == pytest.approx(harm_of(best, harms))
        assert all(limit.allows(found) for limit in budgets)
    shares, cheap = relaxed(harms, [one]), greedy(harms, one)
    best = harm_of(programme(harms, [one]), harms)
    near = rounded(shares, one)
    assert one.allows(cheap) and one.allows(near)
    assert (shares * harms).sum() <= best + 1e-9 <= min(harm_of(cheap, harms), harm_of(near, harms)) + 2e-9
    assert ((shares > 1e-6) & (shares < 1 - 1e-6)).any(1).sum() <= 1


def test_a_programme_without_a_budget_takes_what_harms_least_and_an_impossible_one_is_refused():
    harms, costs = drawn(0)
    assert programme(harms, []) == (3,) * 5
    for choose in (lambda one: programme(harms, [one]), lambda one: greedy(harms, one)):
        with pytest.raises(ValueError, match="cheapest architecture is 1 above"):
            choose(Budget(costs, costs.min(1).sum() - 1))
    with pytest.raises(ValueError, match="finite"):
        programme(harms * np.nan, [])
    with pytest.raises(ValueError, match="no architecture keeps to all"):
        programme(np.zeros((1, 2)), [Budget(np.array([[0.0, 5.0]]), 0), Budget(np.array([[5.0, 0.0]]), 0)])


COSTS = {
    "multiply-adds": SPACE.madds,
    "parameters": lambda arch: count.parameters(SPACE.network(arch)),
    "key-value cache": SPACE.cache,
}


@pytest.mark.parametrize("name", COSTS)
def test_costs_of_networks_are_sums_and_a_budget_is_that_of_the_network(name):
    cost, rng = COSTS[name], np.random.default_rng(0)
    most = 0.4 * cost(SPACE.largest)
    limit = budget(cost, SPACE, most)
    for arch in [SPACE.sample(rng) for _ in range(20)]:
        assert limit.spent(arch) - limit.most == pytest.approx(cost(arch) - most)
        assert limit.allows(arch) == (cost(arch) <= most * (1 + 1e-9))
    harms = np.tile([1.0, 0.5, 0.3, 0.1, 0.0], (4, 1))
    assert cost(programme(harms, [limit])) <= most


def test_a_cost_that_is_no_sum_is_refused():
    with pytest.raises(ValueError, match="no sum over the choices"):
        budget(lambda arch: SPACE.madds(arch) ** 2, SPACE, 1e9)


def test_milliseconds_of_half_blocks_are_a_table_and_a_budget():
    def timed(module, shape):  # a device on which a parameter costs a microsecond
        return 1e-3 * count.parameters(module)

    networks = [SPACE.network((option,) * 4) for option in range(5)]
    table = LatencyTable.build(networks, (1, 16, 16), timed=timed)
    assert sum("attention" in key or "averaging" in key for key in table.ms) == 4
    assert sum("feed-forward" in key for key in table.ms) == 4
    whole = SPACE.network(SPACE.largest)
    assert table.predict(whole, (1, 16, 16)) == pytest.approx(1e-3 * count.parameters(whole))

    def ms(arch):
        return table.predict(SPACE.network(arch), (1, 16, 16))

    limit = budget(ms, SPACE, 0.5 * ms(SPACE.largest))
    harms = np.tile([1.0, 0.5, 0.3, 0.1, 0.0], (4, 1))
    assert ms(programme(harms, [limit])) <= 0.5 * ms(SPACE.largest)


def test_a_half_block_is_timed_on_this_machine():
    half = SPACE.network(SPACE.largest, **SIZE).halves[0]
    assert latency(half, (2, 4, 16), tolerance=100.0, samples=5).ms > 0


# ---------------------------------------------------------------------------------------- choices without a programme
def test_simpler_ways_keep_the_budget_and_remove_what_they_say():
    limit = budget(SPACE.madds, SPACE, 0.6 * SPACE.madds(SPACE.largest))
    asked = []

    def judge(arch):  # the first block matters most, and attention more than the rest
        asked.append(arch)
        return float(np.dot([8, 4, 2, 1], [option == 0 for option in arch]))

    assert SPACE.to_text(depth(SPACE, limit, judge)) == "h4 f1 | none none"
    assert len(asked) == 2 and asked[0] == (0, 0, 4, 4)  # one removal of two blocks
    assert SPACE.to_text(one_by_one(SPACE, limit, judge)) == "h4 f1 | none none"
    alike = uniform(SPACE, limit)
    assert alike[:2] == alike[2:] and limit.allows(alike) and min(alike) > 0
    dearer = [pair for pair in np.ndindex(5, 5) if min(pair) and limit.spent(pair * 2) > limit.spent(alike)]
    assert dearer and not any(limit.allows(pair * 2) for pair in dearer)
    rng = np.random.default_rng(0)
    archs = [drawn_within(SPACE, limit, rng, 0.9 * limit.most) for _ in range(10)]
    assert all(0.9 * limit.most <= limit.spent(arch) and limit.allows(arch) for arch in archs) and len(set(archs)) > 5


def test_simpler_ways_refuse_a_budget_that_nothing_keeps():
    limit = budget(SPACE.madds, SPACE, 10.0)
    for choose in (
        lambda: uniform(SPACE, limit),
        lambda: depth(SPACE, limit, lambda arch: 0.0),
        lambda: drawn_within(SPACE, limit, np.random.default_rng(0), 0.0, tries=10),
    ):
        with pytest.raises(ValueError, match="budget|members drawn"):
            choose()


# ------------------------------------------------------------------------------------------------ distillation
def test_distillation_brings_a_small_network_nearer_to_its_parent(parent, assembled):
    search = Distillation(SPACE, PART, assembled.weights(PART), parent, recipe=TINY)
    *_, last = search
    tuned = Assembled(SPACE, parent, assembled.library, size=8, network=SIZE)
    images = torch.from_numpy(datasets.load(size=8).normalized("valid"))
    network = SPACE.network(PART, **SIZE).eval()
    network.load_state_dict(load(weights_of(last.state)))
    with torch.no_grad():
        assert tuned.scored(network(images))["kl"] < assembled(PART).scores["kl"]
    assert last.shows["valid_accuracy"] > 0.3


def test_half_of_the_loss_is_half_of_both(parent):
    losses = {}
    for share in (0.0, 0.5, 1.0):
        losses[share] = next(iter(Distillation(SPACE, PART, None, parent, share, TINY))).shows["loss"]
    assert losses[0.5] == pytest.approx((losses[0.0] + losses[1.0]) / 2, rel=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda parent: BlockwiseDistillation(SPACE, parent, recipe=replace(TINY, epochs=1), seed=4),
        lambda parent: Distillation(SPACE, PART, None, parent, 0.7, TINY, seed=4),
        lambda parent: TrainSupernet(SPACE, **SHARED, epochs=2, sampler="nested", seed=4),
    ],
    ids=["library", "distillation", "supernet"],
)
def test_seeds_reproduce_and_what_was_killed_goes_on_equal(parent, make, tmp_path):
    search, steps = make(parent), list(make(parent))
    assert len(search) == len(steps) and set(steps[0].shows) == set(search.shows)
    other = list(replace(search, seed=5))
    assert [step.shows["loss"] for step in other] != [step.shows["loss"] for step in steps]
    run = Run(search, tmp_path / "run.jsonl")
    for number, _ in enumerate(run):
        if number == len(steps) // 2:
            break
    again = list(Run(make(parent), tmp_path / "run.jsonl"))
    assert again == steps
    assert again[-1].state == steps[-1].state


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"recipe": replace(TINY, images=9000)}, "9000"), ({"recipe": replace(TINY, optimizer="sgd")}, "adamw")],
)
def test_a_library_that_cannot_be_made_is_refused(parent, wrong, words):
    with pytest.raises(ValueError, match=words):
        next(iter(BlockwiseDistillation(SPACE, parent, **wrong)))


# ------------------------------------------------------------------------------------------------- shared weights
def test_a_nested_step_trains_one_size_everywhere():
    seen = {arch for seed in range(40) for arch in nested(SPACE, np.random.default_rng(seed))}
    assert seen == {(4, size, 4, size) for size in range(1, 5)}
    with pytest.raises(ValueError, match="has no nested"):
        nested(NasBench201(), np.random.default_rng(0))


def test_an_entangled_supernet_trains_with_adamw_and_children_inherit():
    search = TrainSupernet(SPACE, **(SHARED | {"images": 512, "lr": 5e-3}), epochs=3)
    steps = list(search)
    assert np.mean([step.shows["loss"] for step in steps[-8:]]) < np.mean([step.shows["loss"] for step in steps[:8]])
    inherited = Inherited.of(search, steps[-1].state, recalibrate=0)
    assert inherited(SPACE.largest).scores["inherited"] > 0.2
    with pytest.raises(ValueError, match="optimizer must be one of"):
        next(iter(replace(search, optimizer="adam")))


def test_searches_of_other_spaces_run_on_the_library(assembled):
    def cost(arch):
        return {"madds": SPACE.madds(arch, side=8, **SIZE)}

    limit = 0.5 * SPACE.madds(SPACE.largest, side=8, **SIZE)
    bound = Within("madds", limit, of="assembled")
    search = RegularizedEvolution(SPACE, WithCost(assembled, cost), 4, 2, 12, objective=bound, seed=0)
    best = max((step.evaluation for step in search), key=bound)
    assert best.scores["madds"] <= limit
