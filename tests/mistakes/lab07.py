"""Usual wrong answers to the exercises of lab 07."""

WRONG = {
    ("07-darts-collapse", "largest_eigenvalue"): [
        (
            "def my_eigenvalue(product, v, steps=200):\n"
            "    for _ in range(steps):\n"
            "        v = product(v / np.linalg.norm(v))\n"
            "    return np.linalg.norm(v)\n",
            "sign is not",
        ),
        (
            "def my_eigenvalue(product, v, steps=2000):\n"
            "    for _ in range(steps):\n"
            "        v = product(v)\n"
            "    return v @ product(v) / (v @ v)\n",
            "overflowed",
        ),
        (
            "def my_eigenvalue(product, v, steps=3):\n"
            "    for _ in range(steps):\n"
            "        v = product(v / np.linalg.norm(v))\n"
            "    v = v / np.linalg.norm(v)\n"
            "    return v @ product(v)\n",
            "each step",
        ),
    ],
    ("07-darts-collapse", "percentile"): [
        ("def my_percentile(truth, own):\n    return ((truth < own).mean() + (truth == own).mean() / 2)\n", "share"),
        ("def my_percentile(truth, own):\n    return 100 * (truth < own).mean()\n", "ties are missing"),
        ("def my_percentile(truth, own):\n    return 100 * (truth <= own).mean()\n", "counts half"),
    ],
    ("07-darts-collapse", "stop_by_the_clock"): [
        ("my_prediction, my_epoch, my_report = 5, 0, 'Nothing.'\n", "from 1 to 40"),
        (
            "my_prediction, my_epoch = 20, 12\n"
            "my_report = 'We stopped the searches after epoch 12. Their cells were better. So stopping early helps.'\n",
            "how many seeds",
        ),
        (
            "my_prediction, my_epoch = 20, 12\n"
            "gains = lab.gained(lab.small_space('sep'), lab.searches('sep')['DARTS'], 12)\n"
            "my_report = (\n"
            "    f'We stopped 10 searches after epoch 12. They gained {gains.mean():.2f} points on average. '\n"
            "    'So stopping early helps.'\n"
            ")\n",
            "end of the interval",
        ),
    ],
}
