"""Usual wrong answers to the exercises of lab 08."""

WRONG = {
    ("08-search-evaluation-gap", "fair_step"): [
        (
            "def my_fair_step(edges, options, rng):\n"
            "    return [tuple(rng.integers(options, size=edges).tolist()) for _ in range(options)]\n",
            "occurs twice",
        ),
        ("def my_fair_step(edges, options, rng):\n    return [(o,) * edges for o in range(options)]\n", "shuffled"),
        (
            "def my_fair_step(edges, options, rng):\n"
            "    return [(int(o),) * edges for o in rng.permutation(options)]\n",
            "twenty steps",
        ),
    ],
    ("08-search-evaluation-gap", "power_by_simulation"): [
        (
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise, (repetitions, seeds)).mean(1)\n"
            "    return np.mean(a > rng.normal(0, noise, (repetitions, seeds)).mean(1))\n",
            "not significant yet",
        ),
        (
            "from scipy.stats import ttest_ind\n"
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise, (repetitions, seeds))\n"
            "    return np.mean(ttest_ind(a, rng.normal(0, noise, a.shape), axis=1).pvalue < 0.05)\n",
            "in favour of B does not count",
        ),
        (
            "from scipy.stats import ttest_ind\n"
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise**0.5, (repetitions, seeds))\n"
            "    b = rng.normal(0, noise**0.5, a.shape)\n"
            "    return np.mean((ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1)))\n",
            "standard deviation",
        ),
        (
            "from scipy.stats import ttest_ind\n"
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise, (repetitions, 10))\n"
            "    b = rng.normal(0, noise, a.shape)\n"
            "    return np.mean((ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1)))\n",
            "with 3 seeds",
        ),
        (
            "from scipy.stats import ttest_ind\n"
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    rng = np.random.default_rng()\n"
            "    a = rng.normal(difference, noise, (max(repetitions, 4001), seeds))\n"
            "    b = rng.normal(0, noise, a.shape)\n"
            "    return np.mean((ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1)))\n",
            "handed in",
        ),
    ],
    ("08-search-evaluation-gap", "reporting_sheet"): [
        ("def my_sheet():\n    return 'all done'\n", "dict"),
        ("def my_sheet():\n    return {'training': 'the code is in the repository'}\n", "practice 2, search: not"),
        ("def my_sheet():\n    return {item.key: 'TODO' for item in reporting.ITEMS}\n", "the answer is no, say why"),
        ("def my_sheet():\n    return {i.key: 'we did what is usual' for i in reporting.ITEMS}\n", "a number"),
        ("def my_sheet():\n    return {'seeds': 'two seeds of everything'}\n", "does not ask for 'seeds'"),
    ],
    ("08-search-evaluation-gap", "winners_curse"): [
        (
            "my_prediction, my_trainings, my_searches = 0.5, 5, 30\n"
            "mean, low, high = stats.mean_band(gap.flattery(nasbench201_table(), 5, 30))\n"
            "my_report = (f'We asked how far 5 trainings flatter, on 30 seeds. It was {mean:.2f} points. '\n"
            "             'So a reported number is too good.')\n",
            "lower end",
        ),
        ("my_prediction, my_trainings, my_searches, my_report = 0.5, 1, 30, ''\n", "from 2 to 50"),
        ("my_prediction, my_trainings, my_searches, my_report = 'much', 5, 30, ''\n", "number of points"),
    ],
}
