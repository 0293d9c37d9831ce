"""Predictors: they learn from some evaluations and predict the score of other architectures.

A predictor is fitted on n evaluations and then predicts in microseconds to milliseconds. Its score "predicted" comes
with an "uncertainty": the standard deviation of the predicted distribution, in the unit of the learned score.
`coverage` measures whether the uncertainty is realistic. White et al. 2021 ("How powerful are performance predictors in
neural architecture search?") compare 31 predictors.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from ..encodings import encoder, flow
from ..estimator import Estimator
from ..ranges import check_fields, ranged
from ..space import Arch, SearchSpace
from ..step import Evaluation


@dataclass
class Predictor(Estimator):
    """The base of all predictors: first ``predictor.fit(evaluations)``, then ``predictor(arch)``.

    Subclasses write ``_fit(archs, targets)`` and ``_predict(archs) -> (mean, standard deviation)``, both for targets
    with mean 0 and standard deviation 1.

    Parameters
    ----------
    space : SearchSpace
    score : str
        Name of the score to learn, such as ``"accuracy"``.
    seed : int
        Seed of all random draws of a fit. The seed of a call changes nothing.

    Attributes
    ----------
    learned : str
        Fingerprint of the fitted data, empty before a fit. Two predictors that learned from different data are not
        equal, and a recorded search on one is not resumed on the other.
    seconds : float
        Duration of the last fit.

    Notes
    -----
    Scores: ``"predicted"`` and ``"uncertainty"``, both in the unit of the learned score.
    """

    space: SearchSpace
    score: str = "accuracy"
    seed: int = ranged(0, 0, 2**32 - 1)  # what scikit-learn takes
    learned: str = field(default="", init=False)

    def __post_init__(self):
        check_fields(self)

    def fit(self, evaluations: Iterable[Evaluation]) -> Predictor:
        """Learn from ``evaluations`` alone, and forget any earlier fit; returns the predictor.

        Failed trainings (nan) are left out. The order of the evaluations changes some predictors, as a seed does.

        Raises
        ------
        ValueError
            If fewer than three evaluations did not fail, or one lacks the score.
        """
        start = time.perf_counter()
        evaluations = list(evaluations)
        if without := [e for e in evaluations if self.score not in e.scores]:
            known = sorted(without[0].scores)
            raise ValueError(f"{self.space.to_text(without[0].arch)} has no score {self.score!r}; its scores: {known}")
        scores = np.array([e.scores[self.score] for e in evaluations], float)
        archs = [e.arch for e, finite in zip(evaluations, np.isfinite(scores), strict=True) if finite]
        scores = scores[np.isfinite(scores)]
        if len(archs) < 3:
            raise ValueError(f"a predictor needs at least 3 evaluations that did not fail, got {len(archs)}")
        self._mean, self._scale = scores.mean(), scores.std() or 1.0
        self._fit(archs, (scores - self._mean) / self._scale)
        told = np.array(archs, np.int64).tobytes() + scores.tobytes()
        self.learned = hashlib.sha256(told).hexdigest()
        self.seconds = time.perf_counter() - start
        return self

    def predict(self, archs: Sequence[Arch]) -> tuple[np.ndarray, np.ndarray]:
        """Return the predicted score and the uncertainty of each architecture. RuntimeError before `fit`."""
        if not self.learned:
            raise RuntimeError(f"{type(self).__name__} has learned nothing yet: call fit(evaluations) first")
        if not len(archs):
            return np.empty(0), np.empty(0)
        mean, deviation = self._predict(archs)
        return self._mean + self._scale * mean, self._scale * deviation

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Predict the score of ``arch``. Nothing is trained, so ``epochs`` is ignored."""
        return next(self.many([arch], seed=seed))

    def many(self, archs: Iterable[Arch], *, epochs: int | None = None, seed: int = 0) -> Iterator[Evaluation]:
        """Predict all ``archs`` at once, which is far cheaper than one after the other."""
        archs, start = [self.space.check(arch) for arch in archs], time.perf_counter()
        means, deviations = self.predict(archs)
        each = (time.perf_counter() - start) / max(1, len(archs))
        for i, (arch, mean, deviation) in enumerate(zip(archs, means.tolist(), deviations.tolist(), strict=True)):
            yield Evaluation(arch, {"predicted": mean, "uncertainty": deviation}, each, 0, seed + i)

    def _fit(self, archs: Sequence[Arch], targets: np.ndarray) -> None:
        raise NotImplementedError

    def _predict(self, archs: Sequence[Arch]) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError


@dataclass
class LinearPredictor(Predictor):
    """Bayesian linear regression: each feature adds its share, independently of the others (MacKay 1992).

    Parameters
    ----------
    encoding : str
        A name in `nasviz.encodings.ENCODINGS`. With one-hot the prediction is a sum of one number per chosen option.
    """

    encoding: str = "one-hot"

    def _fit(self, archs, targets):
        from sklearn.linear_model import BayesianRidge

        self._encode = encoder(self.encoding, self.space, archs)
        self._model = BayesianRidge().fit(self._encode(archs), targets)

    def _predict(self, archs):
        return self._model.predict(self._encode(archs), return_std=True)


@dataclass
class ForestPredictor(Predictor):
    """Random forest: the mean of many trees, each grown on its own random draw of the evaluations (Breiman 2001).

    The uncertainty is the standard deviation of the trees' predictions, as in SMAC (Hutter et al. 2011).
    """

    encoding: str = "one-hot"
    trees: int = ranged(200, 1)

    def _fit(self, archs, targets):
        from sklearn.ensemble import RandomForestRegressor

        self._encode = encoder(self.encoding, self.space, archs)
        forest = RandomForestRegressor(self.trees, max_features=1 / 3, random_state=self.seed)
        self._trees = forest.fit(self._encode(archs), targets).estimators_

    def _predict(self, archs):
        features = self._encode(archs)
        # each tree's own `predict` would check its input, which costs 70 ms a call
        said = np.stack([tree.tree_.predict(features)[:, 0] for tree in self._trees])
        return said.mean(0), said.std(0)


@dataclass
class GaussianProcessPredictor(Predictor):
    """Gaussian process with a squared-exponential kernel (Rasmussen & Williams 2006, chapter 2) and noise.

    On one-hot vectors |x − x'|² is twice the number of choices that differ, so that the kernel is a function of the
    Hamming distance: exp(−Hamming / length²). Length, amplitude and noise maximise the likelihood of the evaluations:
    the best of three optimisations, from fixed and from two random starting values. Fitting takes n³ operations.
    """

    encoding: str = "one-hot"

    def _fit(self, archs, targets):
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

        self._encode = encoder(self.encoding, self.space, archs)
        features = self._encode(archs)
        kernel = ConstantKernel(1.0, (1e-2, 1e3)) * RBF(2.0, (0.3, 100)) + WhiteKernel(0.1, (1e-4, 2.0))
        self._model = GaussianProcessRegressor(kernel, n_restarts_optimizer=2, random_state=self.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a parameter at its bound is a valid fit
            self._model.fit(features, targets)

    def _predict(self, archs):
        return self._model.predict(self._encode(archs), return_std=True)

    def predict_without_noise(self, archs: Sequence[Arch]) -> tuple[np.ndarray, np.ndarray]:
        """Predict the function without the noise, the mean of many evaluations, in the form of `predict`."""
        mean, deviation = self.predict(archs)
        noise = self._model.kernel_.k2.noise_level * self._scale**2
        return mean, np.sqrt(np.maximum(deviation**2 - noise, 0))


@dataclass
class EnsemblePredictor(Predictor):
    """Ensemble of perceptrons that differ in their first weights; their standard deviation is the uncertainty.

    White, Neiswanger & Savani 2021 (BANANAS), section 3.2: five members on path encodings. The members may agree and be
    wrong: after learning 100 of NAS-Bench-201's published accuracies (CIFAR-10), the intervals that should hold 80 % of
    the others held 32 to 53 % of them, depending on the encoding. See `nasviz.nn.surrogate`.
    """

    encoding: str = "one-hot"
    members: int = ranged(5, 2)
    epochs: int = ranged(200, 1)

    def _fit(self, archs, targets):
        import torch

        from ..nn import surrogate

        self._encode = encoder(self.encoding, self.space, archs)
        features = torch.from_numpy(self._encode(archs))
        generator = torch.Generator().manual_seed(self.seed)
        self._network = surrogate.Perceptrons(self.members, features.shape[1], 64, generator)
        aims = torch.from_numpy(targets).float()
        surrogate.descend(self._network, [features], aims, self.epochs, lr=3e-3, decay=1.0)

    def _predict(self, archs):
        import torch

        from ..nn import surrogate

        said = surrogate.opinions(self._network, [torch.from_numpy(self._encode(archs))])
        return said.mean(0), said.std(0, ddof=1)


@dataclass
class GraphPredictor(Predictor):
    """Ensemble of small graph networks over the cell's operations: it sees which operation reads which.

    Wen et al. 2020 ("Neural predictor for neural architecture search"), with an ensemble for the uncertainty. It needs
    a space with a graph. See `nasviz.nn.surrogate.GraphNetworks`.
    """

    members: int = ranged(5, 2)
    epochs: int = ranged(200, 1)

    def _fit(self, archs, targets):
        import torch

        from ..nn import surrogate

        flows = [flow(self.space, arch) for arch in archs]
        self._operations = sorted({label for one in flows for label in one.labels})
        generator = torch.Generator().manual_seed(self.seed)
        self._network = surrogate.GraphNetworks(self.members, len(self._operations) + 1, 32, generator)
        aims = torch.from_numpy(targets).float()
        inputs = surrogate.graphs(flows, self._operations)
        surrogate.descend(self._network, inputs, aims, self.epochs, lr=3e-3, decay=1.0)

    def _predict(self, archs):
        from ..nn import surrogate

        flows = [flow(self.space, arch) for arch in archs]
        said = surrogate.opinions(self._network, surrogate.graphs(flows, self._operations))
        return said.mean(0), said.std(0, ddof=1)


def coverage(
    predicted: Sequence[float],
    uncertainty: Sequence[float],
    truth: Sequence[float],
    levels: Sequence[float] = (0.5, 0.8, 0.9, 0.95),
) -> Mapping[float, float]:
    """Measure calibration: the share of true values within the intervals that should hold a share ``level`` of them.

    The interval of a level is predicted ± z · uncertainty, with z the normal distribution's (1 + level) / 2 quantile
    (Kuleshov et al. 2018, section 3). A predictor is overconfident where its share is less than the level.

    Parameters
    ----------
    predicted, uncertainty, truth : n numbers each, in one unit
        Numbers for architectures on which the predictor was not fitted; pairs with a nan are left out.
    levels : sequence of float
        Shares between 0 and 1.

    Returns
    -------
    mapping from level to share

    Raises
    ------
    ValueError
        For unequal lengths, a negative uncertainty, a level outside (0, 1), or no pair to compare.
    """
    mean, deviation, right = (np.asarray(values, float) for values in (predicted, uncertainty, truth))
    if not mean.shape == deviation.shape == right.shape or mean.ndim != 1:
        shapes = f"{mean.shape}, {deviation.shape}, {right.shape}"
        raise ValueError(f"three sequences of one length are needed, got {shapes}")
    if not all(0 < level < 1 for level in levels):
        raise ValueError(f"levels lie between 0 and 1, got {list(levels)}")
    here = np.isfinite(mean + deviation + right)
    if not here.any() or (deviation[here] < 0).any():
        raise ValueError("there must be at least one finite prediction with its truth, and no negative uncertainty")
    off = np.abs(right - mean)[here]
    return {level: float(np.mean(off <= NormalDist().inv_cdf((1 + level) / 2) * deviation[here])) for level in levels}
