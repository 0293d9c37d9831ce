"""Bayesian optimisation: the model, the acquisition, and what BANANAS's paper says of its search."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from toys import OWN, SPACES, Elastic, Toy

from nasviz import encodings
from nasviz.estimators import GaussianProcessPredictor
from nasviz.objectives import Bounded, accuracy
from nasviz.run import Run
from nasviz.spaces import NasBench101, NasBench201
from nasviz.step import Evaluation
from nasviz.strategies import Bananas, GaussianProcess, RandomSearch
from nasviz.strategies.bayesian import ModelBased, thompson
from nasviz.strategies.gaussian_process import expected_improvement

SPACE = SPACES[0]
BOTH = pytest.mark.parametrize("cls", [Bananas, GaussianProcess])


def quick(cls, space=SPACE, **changes):
    """A search with few and short fits."""
    short = {"members": 2, "epochs": 20} if cls is Bananas else {}
    return cls(space, Toy(space), **{"evaluations": 40, "batch": 15, "seed": 3} | short | changes)


def rounds(steps):
    """The steps that a model proposed, by round: they share their candidates."""
    out = {}
    for step in steps:
        if step.shows["chosen"] >= 0:
            out.setdefault(id(step.shows["candidates"]), []).append(step)
    return list(out.values())


# ------------------------------------------------------------------------------------------ the parts, by their formula
def test_there_are_as_many_paths_as_the_paper_says():
    """White et al. 2021: Σ rⁱ paths, over r operations and up to n nodes: 364 of them in NAS-Bench-101 (r 3, n 5)."""
    space, seen = NasBench101(), set()
    for length in range(6):
        rows = "/".join("".join(map(str, row)) for row in np.eye(length + 2, k=1, dtype=int))
        for ops in product(("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"), repeat=length):
            (path,) = encodings.path_encoding(space, space.from_text(f"{rows} {','.join(('input', *ops, 'output'))}"))
            seen.add(path)
    assert len(seen) == 364
    space = NasBench201()
    seen = {path for arch in product(range(5), repeat=6) for path in encodings.path_encoding(space, arch)}
    assert len(seen) == 4 + 4**2 + 4**3


def test_the_paths_of_a_cell_counted_by_hand():
    """input to a 1×1 and to the output; the 1×1 to a 3×3 and a pooling; both to the output."""
    space = NasBench101()
    ops = "input,conv1x1-bn-relu,conv3x3-bn-relu,maxpool3x3,output"
    cell = space.from_text(f"01001/00110/00001/00001/00000 {ops}")
    assert sorted(encodings.path_encoding(space, cell)) == [
        "in › conv1x1-bn-relu › conv3x3-bn-relu › out",
        "in › conv1x1-bn-relu › maxpool3x3 › out",
        "in › out",
    ]


def test_expected_improvement_is_the_mean_of_what_is_gained():
    rng = np.random.default_rng(0)
    mean, deviation, best = rng.normal(size=8), rng.random(8) + 0.05, 0.3
    draws = rng.normal(mean, deviation, (400_000, 8))
    gained = np.maximum(draws - best, 0)
    error = gained.std(0) / 400_000**0.5
    assert np.all(np.abs(expected_improvement(mean, deviation, best) - gained.mean(0)) < 5 * error)
    certain = expected_improvement(np.array([0.1, 0.5]), np.zeros(2), best)
    assert certain == pytest.approx([0, 0.2])
    assert np.all(expected_improvement(np.full(3, -50.0), np.array([1e-9, 0.1, 1]), 0.0) >= 0)


def test_expected_improvement_grows_with_mean_and_with_uncertainty():
    means, deviations = np.linspace(-2, 2, 9), np.linspace(0, 2, 9)
    assert np.all(np.diff(expected_improvement(means, np.ones(9), 0.0)) > 0)
    assert np.all(np.diff(expected_improvement(np.full(9, -0.5), deviations, 0.0)) > 0)


def test_thompson_draws_independently_with_the_given_mean_and_deviation():
    mean, deviation = np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.5, 0.0])
    rng = np.random.default_rng(0)
    draws = np.stack([thompson(mean, deviation, rng) for _ in range(20_000)])
    assert draws.mean(0) == pytest.approx(mean, abs=0.03)
    assert draws.std(0) == pytest.approx(deviation, abs=0.02)
    assert abs(np.corrcoef(draws[:, 0], draws[:, 1])[0, 1]) < 0.03
    # P(the first beats the second) = Φ(−1 / √(1 + ½²)) = 0.1855
    assert np.mean(draws[:, 0] > draws[:, 1]) == pytest.approx(0.1855, abs=0.015)


@pytest.mark.parametrize("encoding", ["one-hot", "weisfeiler-lehman"])
def test_posterior_of_the_gaussian_process(encoding):
    """Rasmussen & Williams 2006, equations 2.25 and 2.26, with the kernel that scikit-learn found."""
    rng, toy = np.random.default_rng(0), Toy(SPACE, noise=0.02)
    told = [toy(SPACE.sample(rng), seed=i) for i in range(40)]
    told = [e for e in told if np.isfinite(accuracy(e))]
    asked = [SPACE.sample(rng) for _ in range(15)]
    model = GaussianProcessPredictor(SPACE, encoding=encoding).fit(told)
    mean, deviation = model.predict_without_noise(asked)
    amplitude, length = model._model.kernel_.k1.k1.constant_value, model._model.kernel_.k1.k2.length_scale
    noise = model._model.kernel_.k2.noise_level
    encode = encodings.encoder(encoding, SPACE, [e.arch for e in told])

    def kernel(a, b):
        return amplitude * np.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / (2 * length**2))

    x, z = encode([e.arch for e in told]).astype(float), encode(asked).astype(float)
    y = np.array([accuracy(e) for e in told])
    weights = np.linalg.solve(kernel(x, x) + noise * np.eye(len(x)), kernel(x, z))
    assert mean == pytest.approx(y.mean() + weights.T @ (y - y.mean()), abs=1e-6)
    variance = amplitude - np.sum(weights * kernel(x, z), 0)
    assert deviation == pytest.approx(y.std() * np.sqrt(variance), rel=1e-3, abs=1e-5)
    assert model.predict(asked)[1] == pytest.approx(y.std() * np.sqrt(variance + noise), rel=1e-3, abs=1e-5)


# --------------------------------------------------------------------------------------------------------- the search
@BOTH
def test_candidates_are_new_mutations_of_the_best_and_the_highest_acquisition_wins(cls):
    steps = list(quick(cls, evaluations=45, candidates=40))
    assert [step.shows["chosen"] for step in steps[:10]] == [-1] * 10
    assert all(len(step.shows["candidates"]) == 0 for step in steps[:10])
    for one in rounds(steps):
        before = [s.evaluation for s in steps[: one[0].evaluation.seed]]
        known = {SPACE.canonical(e.arch) for e in before}
        best = sorted(before, key=accuracy, reverse=True)[:5]
        near = {arch for e in best for arch in SPACE.neighbors(e.arch)}
        shown = one[0].shows
        archs = [tuple(row) for row in shown["candidates"].tolist()]
        assert set(archs) <= near and not known & {SPACE.canonical(arch) for arch in archs}
        assert len({SPACE.canonical(arch) for arch in archs}) == len(archs)
        assert [step.evaluation.arch for step in one] == [archs[step.shows["chosen"]] for step in one]
        places = [step.shows["chosen"] for step in one]
        assert shown["acquisition"][places].min() >= np.delete(shown["acquisition"], places).max()
        assert len(shown["predicted"]) == len(shown["uncertainty"]) == len(archs)


@BOTH
def test_no_function_is_evaluated_twice_while_there_are_new_ones(cls):
    steps = list(quick(cls, evaluations=50))
    assert len({SPACE.canonical(step.evaluation.arch) for step in steps}) == 50
    few = list(quick(cls, OWN, evaluations=20))  # six architectures: then again those
    assert len(few) == 20 and len({step.evaluation.arch for step in few[:6]}) == 6


@BOTH
@pytest.mark.parametrize("space", [SPACE, Elastic()], ids=["nasbench201", "elastic"])
def test_what_costs_too_much_is_never_evaluated_where_the_cost_is_known(cls, space):
    bound = Bounded("madds", 20.0 if space is SPACE else 6.0)
    toy = Toy(space)
    free = quick(cls, space, evaluations=30, objective=bound, cost=lambda arch: toy(arch).scores["madds"])
    assert all(bound.allows(step.evaluation) for step in free)
    blind = list(quick(cls, space, evaluations=30, objective=bound))
    assert len(blind) == 30 and not all(bound.allows(step.evaluation) for step in blind)
    with pytest.raises(ValueError, match="unless the objective has a limit"):
        next(iter(quick(cls, cost=len)))


def test_failures_are_not_learned():
    class Fails(Toy):
        def __call__(self, arch, *, epochs=None, seed=0):
            value = 0.5 if seed >= 25 else float("nan")
            return Evaluation(tuple(arch), {"accuracy": value, "madds": 1.0}, seed=seed)

    steps = list(Bananas(SPACE, Fails(SPACE), evaluations=45, members=2, epochs=5))
    assert next(i for i, s in enumerate(steps) if s.shows["chosen"] >= 0) > 27
    assert all(np.isfinite(s.shows["predicted"]).all() for s in steps)


@pytest.mark.parametrize("batch", [1, 7])
def test_a_batch_is_of_any_size(batch):
    steps = list(quick(GaussianProcess, evaluations=24 if batch == 7 else 16, batch=batch))
    assert [len(one) for one in rounds(steps)] == ([7, 7] if batch == 7 else [1] * 6)
    with pytest.raises(ValueError, match="GaussianProcess: batch is 0"):
        next(iter(quick(GaussianProcess, batch=0)))


@BOTH
def test_killed_and_resumed_with_a_turned_knob_is_equal(cls, tmp_path):
    def go(path, kill=None):
        run = Run(quick(cls, evaluations=45), path)
        steps = iter(run)
        for _ in steps:
            np.random.rand()
            if len(run) == 17 and not run.turns:
                run.turn(batch=4, candidates=20)
            if len(run) == kill:
                break
        steps.close()
        return run

    whole = go(tmp_path / "whole.jsonl")
    assert whole.turns and len(whole) == 45
    for kill in (5, 18, 31):
        go(tmp_path / "again.jsonl", kill)
        with (tmp_path / "again.jsonl").open("a") as file:
            file.write('{"evaluation": {"arch": [1, 2')
    again = go(tmp_path / "again.jsonl")
    assert again.steps == whole.steps and again.turns == whole.turns and again.best == whole.best


@BOTH
def test_the_number_of_workers_changes_nothing(cls):
    @dataclass
    class Parallel(Toy):
        workers: int = 1

        def many(self, archs, *, epochs=None, seed=0):
            with ThreadPoolExecutor(self.workers) as pool:
                yield from pool.map(lambda job: self(job[1], seed=seed + job[0]), enumerate(archs))

    plain = quick(cls)
    one, three = (list(replace(plain, estimate=Parallel(SPACE, workers=workers))) for workers in (1, 3))
    assert one == three == list(plain)


@BOTH
def test_it_beats_random_search(cls):
    """On a smooth landscape, 50 evaluations, 3 seeds: the mean of the best is higher than random search's."""

    def best(search):
        return max(sum(step.evaluation.arch) for step in search)

    short = {"members": 3, "epochs": 40} if cls is Bananas else {}
    toy = Toy(SPACE, noise=0.02)
    mine = [best(cls(SPACE, toy, evaluations=50, batch=10, seed=seed, **short)) for seed in range(3)]
    random = [best(RandomSearch(SPACE, toy, evaluations=50, seed=seed)) for seed in range(3)]
    assert np.mean(mine) > np.mean(random) + 1


def test_a_search_without_a_model_says_so():
    with pytest.raises(NotImplementedError, match="ModelBased has no model"):
        list(ModelBased(SPACE, Toy(SPACE), evaluations=20))
