"""Classic Bayesian optimisation, without a neural predictor: a Gaussian process and expected improvement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..estimators.predictor import GaussianProcessPredictor
from ..knobs import knob
from .bayesian import ModelBased


@dataclass
class GaussianProcess(ModelBased):
    """Bayesian optimisation with a Gaussian process and expected improvement (Jones, Schonlau & Welch 1998).

    The model is scikit-learn's: `nasviz.estimators.GaussianProcessPredictor`. Evaluations are noisy, so improvement is
    measured from the highest posterior mean among the evaluated architectures, not from the best number seen. The
    uncertainty is that of the function, without the noise of an evaluation (the "plug-in" of Picheny, Wagner &
    Ginsbourger 2013). Candidates, duplicates and bounds: see `ModelBased`.

    Parameters
    ----------
    encoding : {"one-hot", "weisfeiler-lehman", "paths"}, optional
        By default one-hot, on which the kernel is a function of the Hamming distance. On Weisfeiler–Lehman counts it is
        a squared exponential of their distance, not the linear kernel of Ru et al. 2021.
    batch : int
        Number of candidates evaluated in a round. Each is chosen for its own expected improvement, as if the others of
        the batch were not evaluated.
    """

    batch: int = knob(5, 1, 50, help="How many are evaluated before the model learns again")

    def acquisition(self, told, candidates, rng):
        """Return mean and standard deviation of the function without the noise, and the expected improvement."""
        model = GaussianProcessPredictor(self.space, "objective", int(rng.integers(2**31)), self.encoding or "one-hot")
        learned = self.targets(told)
        model.fit(learned)
        best = model.predict_without_noise([e.arch for e in learned])[0].max()
        mean, deviation = model.predict_without_noise(candidates)
        return mean, deviation, expected_improvement(mean, deviation, best)


def expected_improvement(mean: np.ndarray, deviation: np.ndarray, best: float) -> np.ndarray:
    """Return E[max(f − best, 0)] for f ~ Normal(mean, deviation²): Jones, Schonlau & Welch 1998, eq. 15, for a maximum.

    With z = (mean − best) / deviation it is (mean − best) Φ(z) + deviation φ(z); with deviation 0, it is
    max(mean − best, 0).

    Parameters
    ----------
    mean, deviation : arrays of one shape, in the unit of what is maximised; deviation >= 0
    best : float
        The value from which improvement is measured.
    """
    from scipy.special import ndtr

    gain, deviation = np.asarray(mean, float) - best, np.asarray(deviation, float)
    z = np.divide(gain, deviation, out=np.zeros_like(gain), where=deviation > 0)
    expected = gain * ndtr(z) + deviation * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return np.where(deviation > 0, np.maximum(expected, 0), np.maximum(gain, 0))
