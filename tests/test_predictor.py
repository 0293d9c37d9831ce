"""Predictors: what they learn from some architectures holds for others; calibration; determinism by seed."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau
from toys import OWN, SPACES, Elastic

from nasviz import spaces
from nasviz.estimators import (
    EnsemblePredictor,
    ForestPredictor,
    GaussianProcessPredictor,
    GraphPredictor,
    LinearPredictor,
    coverage,
)
from nasviz.objectives import Score
from nasviz.run import Run
from nasviz.step import Evaluation
from nasviz.strategies import RegularizedEvolution

SPACE = SPACES[0]
# Options of NAS-Bench-201 and how many of 2,000 validation images the full recipe got right: the first of our table.
TRUTHS = """
    211311 1591, 144224 1570, 324132 1636, 313132 1645, 304322 1630, 323022 1636, 302413 1642, 212343 1626, 401134 1548,
    443113 1576, 323033 1646, 113044 1601, 243233 1635, 421314 1610, 303143 1658, 202103 1625, 213004 1564, 124333 1593,
    431223 1647, 443132 1580, 223314 1630, 313403 1664, 442023 1544, 122342 1590, 331413 1644, 421434 1560, 312322 1643,
    213204 1601, 321321 1639, 233343 1648, 204244 1575, 204223 1585, 432003 1636, 203243 1646, 441042 1504, 342224 1624,
    442113 1568, 311423 1631, 344032 1632, 340443 1594, 344322 1626, 424012 1546, 211243 1596, 243223 1638, 413422 1584,
    234013 1615, 342344 1639, 414344 1602, 343104 1634, 111134 1600, 444013 1541, 314434 1632, 323014 1640, 413122 1592,
    334132 1658, 213133 1652, 104332 1613, 304204 1580, 224142 1575, 444102 1506, 123004 1594, 040204 1561, 424232 1615,
    201213 1596, 422342 1590, 431012 1604, 423442 1573, 301313 1645, 232324 1620, 211022 1566, 214403 1601, 324114 1605,
    322103 1645, 414133 1574, 224003 1608, 243324 1628, 314422 1622, 314302 1607, 413013 1616, 402443 1550, 113333 1634,
    233132 1643, 324124 1606, 334143 1657, 424304 1604, 134333 1639, 324242 1621, 422123 1580, 144022 1543, 244422 1563,
    234424 1562, 323032 1648, 413412 1563, 434322 1615, 212004 1582, 444113 1532, 230324 1593, 322341 1616, 340432 1629,
    324123 1635
"""

ROWS = [
    Evaluation(tuple(map(int, arch)), {"accuracy": int(right) / 2000})
    for arch, right in (row.split() for row in TRUTHS.replace(",", " \n").splitlines() if row.strip())
]
KNOWN, HELD_OUT = ROWS[:60], ROWS[60:]
ARCHS, TRUTH = [e.arch for e in HELD_OUT], [e.scores["accuracy"] for e in HELD_OUT]

PREDICTORS = {
    "linear": LinearPredictor(SPACE),
    "linear on paths": LinearPredictor(SPACE, encoding="paths"),
    "forest": ForestPredictor(SPACE, encoding="weisfeiler-lehman", trees=50),
    "Gaussian process": GaussianProcessPredictor(SPACE),
    "perceptrons": EnsemblePredictor(SPACE, encoding="weisfeiler-lehman"),
    "graph networks": GraphPredictor(SPACE, members=3, epochs=80),
}
every_predictor = pytest.mark.parametrize("name", PREDICTORS)


@pytest.fixture(scope="module", autouse=True)
def fitted():
    for predictor in PREDICTORS.values():
        predictor.fit(KNOWN)


@every_predictor
def test_it_ranks_architectures_that_it_never_saw(name):
    mean, deviation = PREDICTORS[name].predict(ARCHS)
    assert kendalltau(mean, TRUTH)[0] > 0.4  # by chance: 0 ± 0.11
    guess = np.mean([e.scores["accuracy"] for e in KNOWN])
    assert np.mean(np.abs(mean - TRUTH)) < 0.9 * np.mean(np.abs(guess - TRUTH))
    assert (deviation > 0).all() and deviation.max() < 0.5


@every_predictor
def test_answers_are_evaluations_and_do_not_depend_on_who_else_is_asked(name):
    predictor = PREDICTORS[name]
    together = list(predictor.many(ARCHS[:5], seed=7))
    assert [e.arch for e in together] == ARCHS[:5] and [e.seed for e in together] == [7, 8, 9, 10, 11]
    for evaluation in together:
        assert set(evaluation.scores) == {"predicted", "uncertainty"}
        alone = predictor(evaluation.arch, seed=0)
        for score, value in evaluation.scores.items():
            assert alone.scores[score] == pytest.approx(value, abs=1e-5)
    with pytest.raises(ValueError, match="no score 'accuracy' to maximise"):
        Score("accuracy")(together[0])
    assert list(predictor.many([])) == []
    with pytest.raises(ValueError, match="no architecture of nasbench201"):
        predictor((9, 0, 0, 0, 0, 0))


@every_predictor
def test_the_same_seed_learns_the_same(name):
    predictor = PREDICTORS[name]
    again = replace(predictor).fit(KNOWN)
    assert again == predictor and np.array_equal(again.predict(ARCHS), predictor.predict(ARCHS))
    other = replace(predictor, seed=1).fit(KNOWN)
    if name in ("forest", "perceptrons", "graph networks"):
        assert not np.array_equal(other.predict(ARCHS), predictor.predict(ARCHS))
    assert other.fit(KNOWN[:40]).learned != predictor.learned


def test_what_differs_in_size_differs_for_all():
    for predictor in PREDICTORS.values():
        mean, _ = predictor.predict([(0, 0, 0, 4, 0, 0), (3, 1, 3, 1, 3, 3)])
        assert mean[1] > mean[0]


def test_bayesian_regression_recovers_a_line_and_its_noise():
    rng, weights = np.random.default_rng(0), np.random.default_rng(1).normal(size=30)
    archs = [SPACE.sample(rng) for _ in range(600)]
    truth = [sum(weights[5 * i + option] for i, option in enumerate(arch)) + 0.3 * rng.normal() for arch in archs]
    rows = [Evaluation(arch, {"accuracy": y}) for arch, y in zip(archs, truth, strict=True)]
    predictor = LinearPredictor(SPACE).fit(rows[:300])
    mean, deviation = predictor.predict(archs[300:])
    assert np.abs(mean - truth[300:]).mean() < 0.3
    assert deviation == pytest.approx(0.3, rel=0.25)
    shares = coverage(mean, deviation, truth[300:])
    assert all(abs(share - level) < 0.07 for level, share in shares.items())


def test_the_gaussian_process_is_sure_where_it_was_told():
    rows = [Evaluation(e.arch, {"accuracy": sum(e.arch) / 24}) for e in ROWS]
    predictor = GaussianProcessPredictor(SPACE).fit(rows[:60])
    told, _ = predictor.predict([e.arch for e in rows[:60]])
    assert told == pytest.approx([e.scores["accuracy"] for e in rows[:60]], abs=0.02)
    near = predictor((4, 4, 4, 4, 4, 4)).scores["uncertainty"]
    assert predictor(rows[0].arch).scores["uncertainty"] < near


def test_graph_networks_see_who_reads_whom():
    """Two architectures with the same operations; only where a convolution stands decides."""
    rng = np.random.default_rng(0)
    archs = [SPACE.sample(rng) for _ in range(200)]
    rows = [Evaluation(a, {"accuracy": float(a[3] == 3) + float(a[0] == 3 and a[4] == 3)}) for a in archs]
    predictor = GraphPredictor(SPACE, members=2, epochs=120).fit(rows[:150])
    mean, _ = predictor.predict(archs[150:])
    assert kendalltau(mean, [e.scores["accuracy"] for e in rows[150:]])[0] > 0.5


def test_every_space_can_be_learned_from_its_choices():
    for space in (*(getattr(spaces, name)() for name in spaces.__all__), Elastic(), OWN):
        rng = np.random.default_rng(0)
        rows = [Evaluation(space.sample(rng), {"loss": float(i % 7)}) for i in range(12)]
        mean, _ = LinearPredictor(space, score="loss").fit(rows).predict([rows[0].arch])
        assert np.isfinite(mean).all()
    with pytest.raises(NotImplementedError, match="has no graph"):
        GraphPredictor(OWN).fit([Evaluation((0, 0), {"accuracy": i / 3}) for i in range(3)])


def test_failures_and_constant_scores():
    failed = [Evaluation((0,) * 6, {"accuracy": float("nan")})]
    predictor = LinearPredictor(SPACE).fit(KNOWN + failed)
    assert predictor == LinearPredictor(SPACE).fit(KNOWN)
    same = [Evaluation(e.arch, {"accuracy": 0.5}) for e in KNOWN]
    assert LinearPredictor(SPACE).fit(same)(ARCHS[0]).scores["predicted"] == pytest.approx(0.5)
    with pytest.raises(ValueError, match="at least 3 evaluations that did not fail, got 2"):
        LinearPredictor(SPACE).fit(KNOWN[:2] + failed)
    with pytest.raises(ValueError, match=r"has no score 'loss'; its scores: \['accuracy'\]"):
        LinearPredictor(SPACE, score="loss").fit(KNOWN)
    with pytest.raises(ValueError, match="encoding must be one of"):
        LinearPredictor(SPACE, encoding="two-hot").fit(KNOWN)
    with pytest.raises(RuntimeError, match="has learned nothing yet"):
        LinearPredictor(SPACE)(ARCHS[0])


def test_a_search_on_a_predictor_is_recorded_with_what_it_had_learned(tmp_path):
    def search(rows):
        estimate = GaussianProcessPredictor(SPACE).fit(rows)
        return RegularizedEvolution(SPACE, estimate, 10, 5, evaluations=60, objective=Score("predicted"))

    run = Run(search(KNOWN), tmp_path / "run.jsonl")
    list(run)
    first = np.mean([step.evaluation.scores["predicted"] for step in run.steps[:10]])
    assert run.best.scores["predicted"] > first + 0.03
    assert Run.load(tmp_path / "run.jsonl").best == run.best
    with pytest.raises(ValueError, match="another search: estimate.learned"):
        Run(search(KNOWN[:50]), tmp_path / "run.jsonl")


def test_coverage_counts():
    shares = coverage([0, 0, 0, 0], [1, 1, 1, 1], [0.5, -0.7, 1.5, 3], levels=(0.5, 0.9))
    assert shares == {0.5: 0.25, 0.9: 0.75}  # ± 0.674, ± 1.645
    assert coverage([0, np.nan], [1, 1], [0, 0], levels=(0.5,)) == {0.5: 1.0}
    draws = np.random.default_rng(0).normal(size=4000)
    assert coverage(0 * draws, 0 * draws + 1, draws)[0.8] == pytest.approx(0.8, abs=0.02)
    for wrong, words in [
        (([0], [1], [0, 1]), "of one length"),
        (([0], [-1], [0]), "no negative uncertainty"),
        (([np.nan], [1], [0]), "at least one finite"),
        (([0], [1], [0], [1.0]), "between 0 and 1"),
    ]:
        with pytest.raises(ValueError, match=words):
            coverage(*wrong)


def test_predictors_without_networks_load_no_torch():
    program = (
        "import sys; from nasviz import spaces; from nasviz.step import Evaluation\n"
        "from nasviz.estimators import ForestPredictor, GaussianProcessPredictor\n"
        "space = spaces.NasBench201()\n"
        "rows = [Evaluation((i, 0, 0, 0, 0, 0), {'accuracy': i / 5}) for i in range(5)]\n"
        "for kind in (ForestPredictor, GaussianProcessPredictor): kind(space).fit(rows)((3, 0, 0, 0, 0, 0))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
