"""The searches of the page to play with: in a browser, they take the steps of the Python ones, from the same draws."""

import numpy as np
import pytest
import torch

from nasviz.course.play import Noisy
from nasviz.estimators import TableLookup, nasbench201_table
from nasviz.knobs import knobs
from nasviz.objectives import Bounded, Penalised, accuracy
from nasviz.strategies import LocalSearch, RandomSearch, RegularizedEvolution, Reinforce

STEPS = 100
SEEDS = (0, 1, 2**32 - 1)
NAMES = {"random": RandomSearch, "evolution": RegularizedEvolution, "local": LocalSearch, "reinforce": Reinforce}
PYTHON = {"repeats": "replacement"}  # a field that has another name on the page


def in_browser(page, **settings):
    """The first steps of a search on the page, as plain data."""
    return page.evaluate(
        """([settings, steps]) => {
          settings.bound ??= Infinity;
          const run = new play.Run(play.page.table, settings).until(steps);
          return run.steps.slice(0, steps).map((step) => ({ ...step, arch: play.options(step.arch),
            mine: [...(step.mine ?? [])], policy: [...(step.policy ?? [])] }));
        }""",
        [{"evaluations": 300, "noise": 1, **settings}, STEPS],
    )


def in_python(search, seed, noise=1.0, bound=None, evaluations=300, penalty=0.0, **given):
    """The first steps of the same search in Python."""
    table = nasbench201_table()
    estimate = TableLookup(table) if noise == 1 else Noisy(table, noise)
    objective = accuracy if bound is None else Bounded("madds", bound)
    if bound is not None and penalty:
        objective = Penalised("madds", bound, weight=penalty)
    fields = {PYTHON.get(name, name): value for name, value in given.items()}
    switches = {"aging", "first", "replacement"} & fields.keys()
    fields |= {name: bool(fields[name]) for name in switches}
    run = NAMES[search](table.space, estimate, evaluations=evaluations, objective=objective, seed=seed, **fields)
    return objective, [step for step, _ in zip(run, range(STEPS), strict=False)]


SETTINGS = [
    {"search": "random"},
    {"search": "random", "repeats": 0, "noise": 2.5},
    {"search": "evolution", "population": 20, "tournament": 5},
    {"search": "evolution", "population": 7, "tournament": 3, "aging": 0, "noise": 3, "bound": 120_000},
    {"search": "evolution", "population": 50, "tournament": 10, "noise": 0, "bound": 200_000},
    {"search": "local"},
    {"search": "local", "first": 1, "noise": 0, "bound": 60_000},
    {"search": "local", "first": 1, "noise": 4},
    {"search": "reinforce", "lr": 0.03, "bound": 200_000, "penalty": 0.1},
    {"search": "reinforce", "batch": 7, "lr": 0.01, "entropy": 0.02, "baseline": 0, "noise": 2},
    {"search": "reinforce", "batch": 20, "lr": 0.1, "bound": 100_000, "penalty": 0},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: "-".join(f"{k}={v}" for k, v in one.items()))
def test_a_search_takes_the_steps_of_the_python_one(computing, settings):
    for seed in SEEDS:
        objective, steps = in_python(seed=seed, **settings)
        there = in_browser(computing, seed=seed, **({"penalty": 0} | settings))
        assert [tuple(step["arch"]) for step in there] == [step.evaluation.arch for step in steps]
        assert [step["accuracy"] for step in there] == [step.evaluation.scores["accuracy"] for step in steps]
        assert [step["value"] for step in there] == [objective(step.evaluation) for step in steps]
        assert len(there) == STEPS
        for name, of_python in (("parent", "parent"), ("position", "position"), ("alive", "population")):
            shown = [step.shows.get(of_python) for step in steps]
            if shown[0] is not None:
                assert [step[name] for step in there] == [np.asarray(one).tolist() for one in shown]
        if settings["search"] == "reinforce":  # float32 sums in another order: see js/controller.js
            for one, step in zip(there, steps, strict=True):
                assert np.abs(np.array(one["mine"]).reshape(6, 5) - step.shows["policy"]).max() < 1e-3
                assert np.abs(np.array(one["policy"]).reshape(6, 5) - step.shows["marginals"]).max() < 1e-3


def test_the_last_steps_of_a_budget_are_the_same_too(computing):
    for settings in ({"search": "local", "first": 1}, {"search": "reinforce", "batch": 9, "lr": 0.05}):
        _, steps = in_python(seed=4, evaluations=40, **settings)
        there = in_browser(computing, seed=4, evaluations=40, **settings)
        assert len(there) == len(steps) == 40
        assert [tuple(step["arch"]) for step in there] == [step.evaluation.arch for step in steps]


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, 2**32, 2**45 + 12345])
def test_draws_are_those_of_numpy(computing, seed):
    sizes = [2, 3, 5, 24, 49, 1000, 2**20]
    drawn_there = computing.evaluate(
        """([seed, sizes]) => { const draws = new play.Draws(seed);
          return sizes.map((n) => [draws.integers(n, 7), draws.random(), draws.permutation(24), draws.gumbel()]); }""",
        [seed, sizes],
    )
    rng = np.random.default_rng(seed)
    for size, (whole, real, order, gumbel) in zip(sizes, drawn_there, strict=True):
        assert whole == rng.integers(size, size=7).tolist()
        assert real == rng.random()
        assert order == rng.permutation(24).tolist()
        assert gumbel == pytest.approx(rng.gumbel(), rel=1e-12)


def test_first_weights_are_those_of_torch(computing):
    for seed in (0, 2**32 - 1):
        there = computing.evaluate("(seed) => [...new play.TorchDraws(seed).uniform(1500, 0.1)]", seed)
        here = torch.empty(1500).uniform_(-0.1, 0.1, generator=torch.Generator().manual_seed(seed))
        assert there == here.tolist()


def test_truth_cost_and_percentile_are_those_of_the_table(computing):
    table = nasbench201_table()
    truth, cost, shares = computing.evaluate(
        """() => { const { table } = play.page;
          const archs = Array.from({ length: 15625 }, (_, arch) => arch);
          return [archs.map((a) => table.worth(a)), archs.map((a) => table.costOf(a)),
                  [0, 7000, 15624].map((a) => play.percentile(table, a, 200000))]; }"""
    )
    means = np.nanmean(np.where(table.there, table.columns["accuracy"], np.nan), 1)[table.aliases]
    madds = table.column("madds")[table.aliases]
    assert np.allclose(truth, means, rtol=0, atol=1e-15) and cost == madds.tolist()
    within = np.array(truth)[madds <= 200_000]
    for arch, share in zip((0, 7000, 15624), shares, strict=True):
        below, equal = (within < truth[arch]).mean(), (within == truth[arch]).mean()
        assert share == pytest.approx(below + equal / 2)


def test_knobs_have_the_defaults_and_ends_of_the_python_fields(computing):
    for name, cls in NAMES.items():
        table = nasbench201_table()
        search = cls(table.space, TableLookup(table))
        there = {one["name"]: one for one in computing.evaluate("(name) => play.SEARCHES[name].knobs", name)}
        assert computing.evaluate("(name) => play.SEARCHES[name].python", name) == cls.__name__
        assert knobs(search).keys() <= there.keys()
        for knob, one in there.items():
            if knob == "penalty":
                continue  # a field of the reward, not of the search
            assert getattr(search, PYTHON.get(knob, knob)) == one["start"]
            if knob in knobs(search) and "high" in one:
                ends = knobs(search)[knob].metadata
                assert (one["low"], one["high"]) == (ends["low"], ends["high"])
