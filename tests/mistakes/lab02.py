"""Usual wrong answers to the exercises of lab 02."""

WRONG = {
    ("02-performance-estimation", "kendalls_tau"): [
        (
            "def my_tau(estimated, truth):\n"
            "    x, y = (np.argsort(np.argsort(v)) for v in (estimated, truth))\n"
            "    return np.corrcoef(x, y)[0, 1]\n",
            "not ρ",
        ),
        (
            "def my_tau(estimated, truth):\n"
            "    x, y = (np.sign(np.subtract.outer(v, v)) for v in (estimated, truth))\n"
            "    return (x * y).sum() / (len(x) * (len(x) - 1))\n",
            "only two differ",
        ),
        ("def my_tau(estimated, truth):\n    return abs(tau(estimated, truth))\n", "opposite order"),
    ],
    ("02-performance-estimation", "naswot_score"): [
        ("def my_naswot(codes):\n    return np.linalg.slogdet(codes @ codes.T)[1]\n", "agree on no ReLU"),
        (
            "def my_naswot(codes):\n"
            "    differ = (codes[:, None] != codes).sum(-1)\n"
            "    return np.linalg.slogdet(2 - differ)[1]\n",
            "off for both",
        ),
        (
            "def my_naswot(codes):\n"
            "    agree = codes @ codes.T + (1 - codes) @ (1 - codes).T\n"
            "    with np.errstate(all='ignore'):\n"
            "        return np.log(np.abs(np.linalg.det(agree)))\n",
            "too large for a float",
        ),
    ],
    ("02-performance-estimation", "training_longer"): [
        (
            "my_prediction, my_early, my_late = 0.1, 6, 8\n"
            "my_report = 'The last two epochs help. They help among cells of equal size. So one trains on.'\n",
            "how many seeds",
        ),
        (
            "my_prediction, my_early, my_late = 0.1, 6, 8\n"
            "my_report = 'I asked this of 30 samples of cells. The last epochs add 0.5 to τ. So they are worth it.'\n",
            "the report does not say it",
        ),
        ("my_prediction, my_early, my_late = 0.1, 8, 6\nmy_report = 'All is said.'\n", "should come before"),
    ],
}
