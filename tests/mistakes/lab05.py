"""Usual wrong answers to the exercises of lab 05."""

WRONG = {
    ("05-bayesian-optimisation", "does_stopping_pay"): [
        (
            "my_settings = {'architectures': 16, 'least': 1, 'eta': 2}\n"
            "my_prediction = -0.1\n"
            "my_report = 'I asked whether halving is better. I looked at 20 seeds of both. Yes, halving is better.'\n",
            "the report does not say it",
        ),
        (
            "my_settings = {'architectures': 16, 'least': 1}\n"
            "my_prediction = -0.1\n"
            "my_report = 'I asked whether halving is better. I looked at 20 seeds. It is better by 0.1 points.'\n",
            "the settings are",
        ),
    ],
    ("05-bayesian-optimisation", "improvement"): [
        ("def my_improvement(mean, deviation, best):\n    return np.maximum(mean - best, 0)\n", "0.399"),
        (
            "def my_improvement(mean, deviation, best):\n"
            "    from scipy.stats import norm\n"
            "    z = (mean - best) / np.maximum(deviation, 1e-3)\n"
            "    return deviation * norm.pdf(z)\n",
            "certain gain",
        ),
        (
            "def my_improvement(mean, deviation, best):\n"
            "    from scipy.stats import norm\n"
            "    z = (best - mean) / np.where(deviation > 0, deviation, 1)\n"
            "    gain = (mean - best) * norm.cdf(z) + deviation * norm.pdf(z)\n"
            "    return np.where(deviation > 0, gain, np.maximum(mean - best, 0))\n",
            "is z =",
        ),
    ],
}
