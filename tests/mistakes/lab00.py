"""Usual wrong answers to the exercises of lab 00."""

WRONG = {
    ("00-start-here", "evolution_or_luck"): [
        ("my_trainings, my_population, my_prediction, my_report = 30, 40, 0, 'three'\n", "a population of 2 to 30"),
        (
            "my_trainings, my_population, my_prediction = 12, 4, 0\n"
            "my_report = 'We asked which is better. Evolution was a bit better. So evolution is better here.'\n",
            "how many seeds",
        ),
        (
            "my_trainings, my_population, my_prediction = 12, 4, 0\n"
            "my_mean, _ = start.evolution_less_random(12, 4, seeds=50)\n"
            "my_report = f'We asked 50 seeds of each kind. The difference was {my_mean:.2f} points. So it is small.'\n",
            "end of the interval",
        ),
    ],
    ("00-start-here", "mutation"): [
        (
            "def my_mutation(arch, rng):\n"
            "    i = rng.integers(6)\n"
            "    return arch[:i] + (int(rng.integers(5)),) + arch[i + 1:]\n",
            "unchanged",
        ),
        ("def my_mutation(arch, rng):\n    return tuple(int(n) for n in rng.integers(5, size=6))\n", "more than one"),
        ("def my_mutation(arch, rng):\n    return ((arch[0] + 1) % 5, *arch[1:])\n", "edge"),
        ("def my_mutation(arch, rng):\n    return arch[:1]\n", "six"),
    ],
    ("00-start-here", "random_search"): [
        (
            "def my_random_search(space, estimate, budget, limit, rng):\n"
            "    found = [estimate(space.sample(rng), seed=i) for i in range(budget)]\n"
            "    return max(found, key=lambda e: e.scores['accuracy'])\n",
            "over the limit",
        ),
        (
            "def my_random_search(space, estimate, budget, limit, rng):\n"
            "    found = [estimate(space.sample(rng), seed=i) for i in range(budget + 1)]\n"
            "    return max(found, key=Bounded('madds', limit))\n",
            "trainings",
        ),
        (
            "def my_random_search(space, estimate, budget, limit, rng):\n"
            "    found = [estimate(space.sample(rng), seed=i) for i in range(budget)]\n"
            "    return max(e.scores['accuracy'] for e in found if e.scores['madds'] <= limit)\n",
            "Evaluation",
        ),
    ],
}
