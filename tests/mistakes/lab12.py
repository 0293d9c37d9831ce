"""Usual wrong answers to the exercises of lab 12."""

WRONG = {
    ("12-the-bill-and-the-claims", "energy_bill"): [
        (
            "def my_bill(days, devices, watts, pue, intensity):\n"
            "    kwh = days * devices * watts * pue / 1000\n"
            "    return kwh, kwh * intensity\n",
            "a day has 24",
        ),
        (
            "def my_bill(days, devices, watts, pue, intensity):\n"
            "    kwh = days * 24 * devices * watts / 1000\n"
            "    return kwh, kwh * pue * intensity\n",
            "PUE",
        ),
    ],
    ("12-the-bill-and-the-claims", "hidden_budget"): [
        (
            "def my_search(space, estimate, rng):\n"
            "    best = max((estimate(space.sample(rng)) for _ in range(61)), key=lambda e: e.scores['accuracy'])\n"
            "    yield best.arch\n",
            "never yielded",
        ),
        (
            "def my_search(space, estimate, rng):\n"
            "    best = estimate(space.sample(rng))\n"
            "    while True:\n"
            "        yield best.arch\n"
            "        best = max(best, estimate(space.sample(rng)), key=lambda e: e.scores['accuracy'])\n",
            "over the bound",
        ),
    ],
    ("12-the-bill-and-the-claims", "search_or_rule"): [
        ("my_kind, my_trainings, my_prediction, my_report = 'darts', 20, 1, 'no'\n", "my_kind is one of"),
        ("my_kind, my_trainings, my_prediction, my_report = 'evolution', 2, 1, 'no'\n", "from 5 to 100"),
        (
            "my_kind, my_trainings, my_prediction = 'evolution', 10, 1\n"
            "mean, low, high = stats.mean_band(leads(my_kind, 10))\n"
            "my_report = (f'We asked who is ahead after ten trainings. The lead is {mean:.2f} points on average. '\n"
            "             f'The interval goes from {low:.2f} to {high:.2f} points.')\n",
            "how many seeds",
        ),
    ],
}
