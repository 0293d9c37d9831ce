"""The controller's probabilities and gradients against enumeration; what REINFORCE does with them."""

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import OWN, SPACES, Elastic, Toy

from nasviz.estimators import Recipe, Training
from nasviz.nn.controller import Controller, Sequences
from nasviz.objectives import Bounded, accuracy
from nasviz.run import Run
from nasviz.space import Choice, SearchSpace
from nasviz.spaces import MacroSpace, NasBench101, NasBench201
from nasviz.step import Evaluation
from nasviz.strategies import RandomSearch, RankedReinforce, Reinforce
from nasviz.strategies.ranked_reinforce import centred_ranks
from nasviz.strategies.reinforce import surrogate


class Gap(SearchSpace):
    """The choice in the middle matters only behind the second option of the first."""

    name = "gap"
    choices = (Choice("a", (0, 1)), Choice("b", (0, 1, 2), lambda prefix: prefix[0] == 1), Choice("c", (0, 1, 2, 3)))


class Partial(NasBench201):
    """Two edges only are free, and two of their 25 pairs are forbidden: a rule that prefixes can see."""

    def rule(self, arch):
        return "against the rule" if any(arch[2:]) or arch[:2] in ((1, 2), (4, 4)) else None


SMALL = [Gap(), Elastic(), OWN, MacroSpace(2), Partial()]
by_name = pytest.mark.parametrize("space", SMALL, ids=lambda space: type(space).__name__)


def everything(space):
    """All valid architectures."""
    tuples = itertools.product(*(range(len(choice.options)) for choice in space.choices))
    return [arch for arch in tuples if space.why_invalid(arch) is None]


def made(space, hidden=6, seed=3, spread=20.0):
    """A controller far from uniform, in float64, so that a term that is missing is seen."""
    controller = Controller(space, hidden, torch.Generator().manual_seed(seed), torch.float64)
    with torch.no_grad():
        for weight in controller.parameters():
            weight *= spread
    return controller


def rewards_of(archs):
    sums = np.array([sum((i + 2) * option for i, option in enumerate(arch)) for arch in archs])
    return torch.from_numpy(np.sin(1 + sums))


def slopes(value, controller):
    grads = torch.autograd.grad(value, list(controller.parameters()), materialize_grads=True, retain_graph=True)
    return torch.cat([grad.flatten() for grad in grads])


# ------------------------------------------------------------------------------------------------ exact probabilities
@by_name
def test_probabilities_of_all_architectures_sum_to_one(space):
    controller, archs = made(space), everything(space)
    with torch.no_grad():
        said = controller(archs)
    chances = said.logs.sum(1).exp()
    assert chances.sum().item() == pytest.approx(1, abs=1e-12) and chances.max() > 3 * chances.min()
    assert controller.log_probability(archs[-1]) == pytest.approx(said.logs[-1].sum().item(), abs=1e-12)
    on = torch.tensor([space.active(arch) for arch in archs])
    rows = said.probabilities.sum(2)
    assert torch.equal(rows > 0, on) and torch.allclose(rows[on], torch.ones(()).double())
    assert not said.logs[~on].any() and not said.entropies[~on].any()


def test_a_controller_begins_nearly_uniform_and_depends_on_its_generator_only():
    space = NasBench201()
    torch.rand(7)
    one, two = (Controller(space, generator=torch.Generator().manual_seed(4)) for _ in range(2))
    assert one.log_probability((1, 2, 3, 4, 0, 1)) == two.log_probability((1, 2, 3, 4, 0, 1))
    assert one.log_probability((1, 2, 3, 4, 0, 1)) == pytest.approx(-6 * math.log(5), abs=0.7)
    assert one.log_probability((0,) * 6) != Controller(space).log_probability((0,) * 6)


@pytest.mark.parametrize("space", [Gap(), Elastic(), Partial()], ids=lambda space: type(space).__name__)
def test_what_is_drawn_is_drawn_with_its_probability(space):
    controller, archs = made(space, spread=8.0), everything(space)
    rng, count = np.random.default_rng(0), 8_000
    with torch.no_grad():
        said = controller.sample(count, rng)
        chances = controller(archs).logs.sum(1).exp().numpy()
        again = controller(said.archs[:50])
    assert torch.allclose(again.logs, said.logs[:50]) and torch.allclose(again.probabilities, said.probabilities[:50])
    seen = dict.fromkeys(archs, 0)
    for arch in said.archs:
        seen[arch] += 1  # KeyError: an invalid one was drawn
    often = chances * count > 20
    spread = np.abs(np.array(list(seen.values())) - chances * count)[often] / (chances * count)[often] ** 0.5
    assert often.any() and spread.max() < 5 and (spread**2).mean() < 1.5


def test_inactive_choices_emit_no_token():
    controller = made(Gap())
    archs = [(0, 0, 2), (1, 0, 2)]
    with torch.no_grad():
        before = controller(archs).logs[:, 2]
        controller.tokens[2:5] += 1.0  # what stands for the options of b
        controller.head[:, 2:5] += 1.0
        after = controller(archs).logs[:, 2]
    assert after[0] == before[0] and after[1] != before[1]


def test_anchors_decide_skip_connections_from_the_states_of_both_layers():
    space = MacroSpace(3)
    assert [[space.choices[i].name for i in skips] for skips in space.anchors] == [[], ["1→2"], ["1→3", "2→3"]]
    for one in (MacroSpace(1), MacroSpace(4, (1, 2)), MacroSpace()):
        skips = [choice for choice in range(len(one.choices)) if "→" in one.choices[choice].name]
        assert [choice for points in one.anchors for choice in points] == skips
        assert [len(points) for points in one.anchors] == list(range(one.layers))
        behind = [one.choices[points.start - 1].name for points in one.anchors]
        assert behind == [f"filters {n}" for n in range(1, one.layers + 1)]
    controller = made(space)
    arch = space.from_text("3x5-24; 7x1-36(1); 3x3-48(1,2)")
    before = controller([arch]).logs[0]
    with torch.no_grad():
        controller.vote.zero_()  # sigmoid(0)
    after = controller([arch]).logs[0]
    for choice, item in enumerate(space.choices):
        if "→" in item.name:
            assert after[choice].item() == pytest.approx(math.log(0.5)) != pytest.approx(before[choice].item())


def test_rules_in_a_space_too_large_to_list(monkeypatch):
    space = NasBench101()
    controller = Controller(space, 8)
    said = controller.sample(100, np.random.default_rng(0))
    assert len(said.archs) == 100 and said.rejected > 10
    assert Controller(SPACES[0], 8).sample(200, np.random.default_rng(0)).rejected == 0
    assert all(space.why_invalid(arch) is None for arch in said.archs)
    never = replace_rule(space)
    monkeypatch.setattr("nasviz.nn.controller.ROUNDS", 3)
    assert Controller(never, 8).sample(5, np.random.default_rng(0)).archs == [(0,) * len(space.choices)] * 5


def replace_rule(space):
    """A space of which sampling hardly ever finds the one that is valid."""
    other = NasBench101()
    other.rule = lambda arch: "no" if any(arch) else None
    other.sample = lambda rng: (0,) * len(space.choices)
    return other


def test_a_space_without_a_valid_architecture_says_so():
    space = Partial()
    space.rule = lambda arch: "nothing is allowed"
    with pytest.raises(ValueError, match="nasbench201 has no valid architecture: nothing is allowed"):
        Controller(space)


# ------------------------------------------------------------------------------------------------ gradients
@by_name
@pytest.mark.parametrize("baseline", [0.0, 0.7, -50.0])
def test_the_estimate_has_the_exact_gradient_as_its_mean_whatever_the_baseline(space, baseline):
    """E[(R − b) ∇ log p], summed over all architectures, against ∇ Σ p R."""
    controller, archs = made(space), everything(space)
    rewards, said = rewards_of(archs), controller(archs)
    chances = said.logs.sum(1).exp()
    exact = slopes((chances * rewards).sum(), controller)
    weights = len(archs) * chances.detach() * (rewards - baseline)  # surrogate() takes the plain mean
    estimate = slopes(surrogate(said, said.logs.detach(), weights), controller)
    assert torch.allclose(estimate, exact, rtol=1e-8, atol=1e-12) and exact.norm() > 1e-3


def test_the_exact_gradient_against_differences():
    controller, archs = made(Gap()), everything(Gap())
    rewards = rewards_of(archs)

    def value():
        return (controller(archs).logs.sum(1).exp() * rewards).sum()

    exact, place = slopes(value(), controller), 0
    with torch.no_grad():
        for weight in controller.parameters():
            for i in (0, weight.numel() // 2, weight.numel() - 1):
                flat = weight.view(-1)
                old = flat[i].item()
                flat[i] = old + 1e-5
                up = value()
                flat[i] = old - 1e-5
                slope = (up - value()) / 2e-5
                flat[i] = old
                assert slope.item() == pytest.approx(exact[place + i].item(), abs=1e-8)
            place += weight.numel()


def test_sampled_estimates_scatter_around_the_exact_gradient_less_with_a_baseline():
    space = Gap()
    controller, archs = made(space, spread=8.0), everything(space)
    rewards = dict(zip(archs, 5 + rewards_of(archs), strict=True))
    chances = controller(archs).logs.sum(1).exp()
    value = (chances * torch.stack(list(rewards.values()))).sum()
    exact, rng, scatter = slopes(value, controller), np.random.default_rng(1), []
    for baseline in (0.0, value.item()):
        estimates = []
        for _ in range(120):
            said = controller.sample(16, rng)
            gains = torch.stack([rewards[arch] for arch in said.archs]) - baseline
            estimates.append(slopes(surrogate(said, said.logs.detach(), gains), controller))
        estimates = torch.stack(estimates)
        error = estimates.mean(0) - exact
        scatter.append(estimates.var(0).sum().item())
        assert error.norm() < 2 * (scatter[-1] / 120) ** 0.5
    assert scatter[1] < scatter[0] / 10


def test_given_validity_the_mean_must_be_subtracted():
    """∇ E[R | valid] = Cov(R, ∇ log p | valid): what Reinforce does where it draws again, by enumeration."""

    class Loose(Gap):
        def rule(self, arch):
            return "no" if arch[2] == 3 or arch == (0, 0, 1) else None

    controller, archs = made(Gap()), everything(Loose())
    rewards, said = rewards_of(archs), controller(archs)
    chances = said.logs.sum(1).exp()
    exact = slopes((chances * rewards).sum() / chances.sum(), controller)
    given = (chances / chances.sum()).detach()
    weights = len(archs) * given * (rewards - (given * rewards).sum())
    assert torch.allclose(slopes(surrogate(said, said.logs.detach(), weights), controller), exact, atol=1e-12)


def test_clipping_is_plain_at_first_and_stops_tokens_that_went_far_enough():
    controller = made(Gap())
    said, gains = controller([(0, 0, 1), (1, 2, 3)]), torch.tensor([1.0, -2.0]).double()
    plain, clipped = (slopes(surrogate(said, said.logs.detach(), gains, clip=clip), controller) for clip in (0.0, 0.2))
    assert torch.allclose(plain, clipped)
    far = torch.tensor([[0.3, 0.0, -0.3], [-0.3, 0.3, 0.1]]).double()  # log-ratios of the tokens
    logs = torch.zeros(2, 3).double().requires_grad_()
    now = Sequences([], None, logs, torch.zeros(2, 3).double())
    (slope,) = torch.autograd.grad(surrogate(now, -far, gains, clip=0.2), logs)
    assert torch.equal(slope != 0, torch.tensor([[False, True, True], [False, True, True]]))


def test_entropy_is_counted_as_it_is_along_the_sequences():
    controller = made(Gap())
    said, nothing = controller([(1, 2, 3)]), torch.zeros(1).double()
    value = surrogate(said, said.logs.detach(), nothing, entropy=0.5)
    rows = said.probabilities[0].numpy()
    assert value.item() == pytest.approx(-0.5 * sum(p * math.log(p) for row in rows for p in row if p), rel=1e-9)


# ------------------------------------------------------------------------------------------------ the search
class Still(Toy):
    """Without luck and failures: the share of the greatest possible sum."""

    def __call__(self, arch, *, epochs=None, seed=0):
        top = sum(len(choice.options) - 1 for choice in self.space.choices)
        return Evaluation(tuple(arch), {"accuracy": sum(arch) / top, "madds": 1.0 + sum(arch)}, 0.0, 1, seed)


def late(search, last=50):
    return np.mean([search.objective(step.evaluation) for step in list(search)[-last:]])


WAYS = [
    (NasBench201(), {}),
    (Elastic(), {}),
    (MacroSpace(2), {}),
    (NasBench201(), {"clip": 0.2}),
    (OWN, {"baseline": 0}),
]


@pytest.mark.parametrize(("space", "way"), WAYS, ids=str)
def test_it_learns(space, way):
    estimate = Still(space)
    chance = np.mean([estimate(space.sample(np.random.default_rng(seed))).scores["accuracy"] for seed in range(300)])
    assert late(Reinforce(space, estimate, evaluations=300, seed=1, hidden=32, lr=0.01, **way)) > chance + 0.15


def test_centred_ranks_by_hand():
    assert centred_ranks(torch.tensor([5.0, 1.0, 3.0])).tolist() == [0.5, -0.5, 0.0]
    assert centred_ranks(torch.tensor([2.0, 2.0, -1e9])).tolist() == [0.25, 0.25, -0.5]
    assert centred_ranks(torch.tensor([4.0])).tolist() == [0.0]
    many = torch.randn(50, generator=torch.Generator().manual_seed(0))
    assert abs(centred_ranks(many).sum().item()) < 1e-4  # no baseline is needed
    assert torch.equal(centred_ranks(many), centred_ranks(many.exp()))


def test_by_ranks_only_the_order_of_the_rewards_counts():
    """A search whose rewards are a growing function of another's asks the same; plain REINFORCE does not."""
    space = NasBench201()

    def asked(kind, objective):
        steps = kind(space, Still(space), evaluations=60, lr=0.01, hidden=16, objective=objective)
        return [step.evaluation.arch for step in steps]

    def steep(evaluation):
        return 1000 * accuracy(evaluation) ** 9 - 3

    assert asked(RankedReinforce, accuracy) == asked(RankedReinforce, steep)
    assert asked(Reinforce, accuracy) != asked(Reinforce, steep) != asked(RankedReinforce, steep)
    search = RankedReinforce(space, Still(space), evaluations=300, seed=1, hidden=32, lr=0.01)
    assert late(search) > 0.15 + np.mean([step.shows["reward"] for step in itertools.islice(search, 50)])


def test_it_learns_to_keep_to_a_bound():
    space, bound = NasBench201(), Bounded("madds", 13.0)
    steps = list(Reinforce(space, Still(space), evaluations=400, lr=0.01, objective=bound))
    kept = [bound.allows(step.evaluation) for step in steps]
    assert sum(kept[-50:]) > 45 > 35 > sum(kept[:50])
    unbound = list(Reinforce(space, Still(space), evaluations=400, lr=0.01))
    free, held = (np.mean([sum(step.evaluation.arch) for step in some[-50:]]) for some in (unbound, steps))
    assert free > held + 5 and held > 7


def test_better_than_random_search_on_the_same_budget():
    space = NasBench201()
    best = {
        cls: [max(accuracy(step.evaluation) for step in cls(space, Still(space), evaluations=300, seed=seed))
              for seed in range(5)]
        for cls in (Reinforce, RandomSearch)
    }  # fmt: skip
    assert np.mean(best[Reinforce]) > np.mean(best[RandomSearch]) + 0.05


def test_entropy_keeps_it_undecided_and_is_what_the_policy_says():
    space = NasBench201()
    ends = []
    for weight in (0.0, 0.1):
        steps = list(Reinforce(space, Still(space), evaluations=400, lr=0.01, entropy=weight))
        for step in (steps[0], steps[-1]):
            marginals = step.shows["marginals"]
            assert marginals.shape == (6, 5) and np.allclose(marginals.sum(1), 1, atol=1e-5)
            mixed = -(marginals * np.log(np.maximum(marginals, 1e-30))).sum()
            assert 0 <= step.shows["entropy"] <= mixed + 1e-4  # conditioning never adds entropy
        assert steps[0].shows["entropy"] > 0.97 * 6 * math.log(5)
        ends.append(steps[-1].shows["entropy"])
    assert ends[0] < ends[1]


def test_steps_show_what_was_subtracted():
    space = NasBench201()
    steps = list(Reinforce(space, Still(space), evaluations=40, batch=10, decay=0.5))
    rewards = np.array([step.shows["reward"] for step in steps]).reshape(4, 10)
    assert rewards.ravel().tolist() == [accuracy(step.evaluation) for step in steps]
    baselines = np.array([step.shows["baseline"] for step in steps]).reshape(4, 10)
    means, expected = rewards.mean(1), [math.nan]
    for mean in means[:-1]:
        expected.append(mean if math.isnan(expected[-1]) else (expected[-1] + mean) / 2)
    assert np.allclose(baselines, np.array(expected)[:, None], equal_nan=True)
    assert {step.shows["baseline"] for step in Reinforce(space, Still(space), 20, baseline=0)} == {0.0}


def test_a_failed_training_counts_as_the_worst_so_far():
    class Failing(Still):
        def __call__(self, arch, *, epochs=None, seed=0):
            value = math.nan if seed % 3 == 1 else 0.5 + seed / 100
            return Evaluation(tuple(arch), {"accuracy": value}, 0.0, 1, seed)

    space = NasBench201()
    steps = list(Reinforce(space, Failing(space), evaluations=24, batch=6))
    assert [round(step.shows["reward"], 2) for step in steps[:6]] == [0.5, 0.5, 0.52, 0.53, 0.5, 0.55]
    assert all(math.isfinite(step.shows["reward"]) and np.isfinite(step.shows["policy"]).all() for step in steps)


# ------------------------------------------------------------------------------------------------ recorded, spread
def test_killed_and_resumed_with_turned_knobs_is_equal(tmp_path):
    def go(path, kill=None, space=SPACES[0]):
        run = Run(Reinforce(space, Toy(space), evaluations=70, batch=8, seed=5, hidden=16), path)
        steps = iter(run)
        for _ in steps:
            torch.rand(3)  # what others draw changes nothing
            if len(run) == 21 and not run.turns:
                run.turn(batch=5, lr=0.03, baseline=0, entropy=0.01)
            if len(run) == kill:
                break
        steps.close()
        return run

    for space in (SPACES[0], Elastic()):
        whole = go(tmp_path / f"{space.name}.jsonl", space=space)
        for kill in (7, 21, 45):
            path = tmp_path / f"{space.name}-{kill}.jsonl"
            go(path, kill, space)
            with path.open("a") as file:
                file.write('{"evaluation": {"arch": [1')
            go(path, kill + 9, space)
            again = go(path, space=space)
            assert again.steps == whole.steps and again.turns == whole.turns and len(again) == 70


def test_the_number_of_workers_changes_nothing(monkeypatch):
    space, recipe = NasBench201(), Recipe(images=64, epochs=1, batch=32, network={"channels": 2, "stages": 1})
    monkeypatch.setenv("NASVIZ_WORKERS", "1")
    search = Reinforce(space, Training(space, recipe), evaluations=9, batch=3, seed=2)
    alone = list(search)
    with ThreadPoolExecutor(3) as executor:
        assert list(replace(search, estimate=Training(space, recipe, executor=executor))) == alone
    with ThreadPoolExecutor(1) as executor:
        assert list(replace(search, estimate=Training(space, recipe, executor=executor))) == alone
