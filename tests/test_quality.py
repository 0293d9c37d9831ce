"""Quality of an estimator: each number is that of the statistic, the baselines stand beside, mistakes are named."""

from math import isinf, isnan, nan

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr
from toys import Toy

from nasviz.analysis.stats import precision, regret
from nasviz.estimators.quality import CEILING, SIZE, quality, scores_of
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation


@pytest.fixture(scope="module")
def sample():
    """120 architectures whose accuracy is half size, half something that only the estimator sees."""
    rng = np.random.default_rng(0)
    size = rng.integers(1, 9, 120).astype(float)
    hidden = 3 * rng.normal(size=120)
    truth = size + hidden
    return {
        "estimated": hidden + rng.normal(size=120),
        "truth": truth,
        "size": size,
        "ceiling": truth + rng.normal(size=120),
    }


def test_every_number_is_that_of_its_statistic(sample):
    found = quality(**sample, cost=np.full(120, 0.25), top=0.1, resamples=100)
    x, y = sample["estimated"], sample["truth"]
    assert found.tau.value == pytest.approx(kendalltau(x, y).statistic)
    assert found.rho.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.precision.value == precision(x, y, 0.1) and found.regret.value == regret(x, y)
    assert found.count == 120 and found.seconds == 0.25
    for one in (found.tau, found.rho, found.within):
        assert one.low < one.value < one.high
    assert found == quality(**sample, cost=np.full(120, 0.25), top=0.1, resamples=100)


def test_among_equals_size_tells_nothing_and_the_estimator_what_it_knows(sample):
    found = quality(**sample, parts=20, resamples=100)
    assert found.baselines[SIZE].tau.value > 0.3
    assert isnan(found.baselines[SIZE].within.value)  # bands of one size each: nothing to tell apart
    assert found.within.value > found.tau.value
    assert found.baselines[CEILING].within.value > found.within.value
    assert [band.low for band in found.bands] == sorted(set(sample["size"]))
    assert sum(band.count for band in found.bands) == 120
    here = sample["size"] == found.bands[2].low
    expected = kendalltau(sample["estimated"][here], sample["truth"][here]).statistic
    assert found.bands[2].tau == pytest.approx(expected)


def test_the_baselines_stand_beside_on_the_same_sample(sample):
    found = quality(**sample, baselines={"by lot": np.random.default_rng(1).random(120)}, resamples=100, name="mine")
    assert list(found.baselines) == [SIZE, "by lot", CEILING]
    assert abs(found.baselines["by lot"].tau.value) < 0.2 < found.tau.value < found.baselines[CEILING].tau.value
    assert found.baselines[SIZE].tau == quality(sample["size"], sample["truth"], resamples=100).tau
    lines = found.table()
    assert [line[0] for line in lines] == ["", "mine", SIZE, "by lot", CEILING] and {len(line) for line in lines} == {7}
    assert str(found.tau) in found._repr_markdown_() and "120 architectures" in found._repr_markdown_()


def test_an_estimator_can_be_judged_by_its_evaluations():
    space, rng = NasBench201(), np.random.default_rng(3)
    archs = [space.sample(rng) for _ in range(40)]
    evaluations = list(Toy(space, noise=0.0).many(archs))
    values, seconds = scores_of(evaluations, "madds")
    proxies = [Evaluation(e.arch, {"guess": e.scores["madds"]}, e.seconds) for e in evaluations]
    truth = [sum(arch) for arch in archs]
    found = quality(proxies, truth, resamples=50)
    assert found == quality(values, truth, cost=seconds, resamples=50)
    assert found.seconds == pytest.approx(seconds.mean())
    with pytest.raises(ValueError, match="which score.*accuracy.*madds"):
        quality(evaluations, truth)
    with pytest.raises(ValueError, match="'speed'"):
        scores_of(evaluations, "speed")


def test_failures_rank_last_and_do_not_spoil_the_rest(sample):
    broken = sample["estimated"].copy()
    broken[:5] = nan
    found, whole = (quality(values, sample["truth"], resamples=50) for values in (broken, sample["estimated"]))
    assert not isnan(found.tau.low) and found.tau.value < whole.tau.value
    truth = sample["truth"].copy()
    truth[np.argmax(sample["estimated"])] = nan
    lost = quality(sample["estimated"], truth, resamples=50)
    assert isinf(lost.regret.value) and "–" in lost.table()[1]


def test_what_does_not_fit_is_named(sample):
    with pytest.raises(ValueError, match=r"size must have 120 numbers.*\(3,\)"):
        quality(sample["estimated"], sample["truth"], size=[1, 2, 3])
    with pytest.raises(ValueError, match=r"estimator must have 120"):
        quality([1.0], sample["truth"])
    with pytest.raises(ValueError, match="at least 3"):
        quality([1, 2], [1, 2])
    with pytest.raises(ValueError, match="truth must have one number"):
        quality([1, 2], [[1, 2]])
