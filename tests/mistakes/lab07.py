"""Usual wrong answers to the exercises of lab 07."""

WRONG = {
    ("07-darts-collapse", "exercise_1"): [
        ("def my_percentile(truth, own):\n    return ((truth < own).mean() + (truth == own).mean() / 2)\n", "share"),
        ("def my_percentile(truth, own):\n    return 100 * (truth < own).mean()\n", "ties are missing"),
        ("def my_percentile(truth, own):\n    return 100 * (truth <= own).mean()\n", "counts half"),
    ],
    ("07-darts-collapse", "exercise_2"): [
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
}
