"""Usual wrong answers to the exercises of lab 05."""

WRONG = {
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
    ("05-bayesian-optimisation", "path_encoding"): [
        ("def my_paths(arch):\n    return {(arch[3],)}\n", "three operations"),
        (
            "def my_paths(arch):\n"
            "    a, b, c, d, e, f = arch\n"
            "    return {way for way in ((d,), (a, e), (b, f), (a, c, f)) if any(way)}\n",
            "three operations",
        ),
        (
            "def my_paths(arch):\n"
            "    a, b, c, d, e, f = arch\n"
            "    return [way for way in ((d,), (a, e), (b, f), (a, c, f)) if 0 not in way]\n",
            "the set {(3,)}",
        ),
    ],
}
