"""Usual wrong answers to the exercises of lab 13."""

LAB = "13-does-it-hold"
REPORT = (
    "my_prediction, my_seeds, my_first = 0.0, {seeds}, {first}\n"
    "mean, low, high = stats.mean_band(lab.aging_gains(20, 2000))\n"
    "my_report = (f'We asked whether aging gains in our world, on {{my_seeds}} seeds. '\n"
    "             f'It gained {{mean:.2f}} points, from {{low:.2f}} to {{high:.2f}}. The row of aging stays open.')\n"
)

WRONG = {
    (LAB, "read_an_answer"): [
        (
            "def my_answer(low, high, bound):\n    return 'yes' if (low + high) / 2 > bound else 'no'\n",
            "wherever its middle is",
        ),
        (
            "def my_answer(low, high, bound):\n"
            "    return 'open' if low < bound < high else 'yes' if low > bound else 'no'\n",
            "touches the bound 0",
        ),
        (
            "def my_answer(low, high, bound):\n"
            "    if low <= abs(bound) <= high:\n"
            "        return 'open'\n"
            "    return 'yes' if low > bound else 'no'\n",
            "bounds below 0",
        ),
    ],
    (LAB, "fresh_seeds"): [
        (REPORT.format(seeds=10, first=2000), "from 20 to 150"),
        (REPORT.format(seeds=20, first=0), "fresh seeds"),
        (REPORT.format(seeds=25, first=2000), "the report does not say it"),
    ],
}
