"""Usual wrong answers to the exercises of labs 00 and 01: see tests/mistakes.py."""

START = {
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
    ("01-search-spaces", "own_space"): [
        ("def my_space():\n    return {'depth': (1, 2, 3)}\n", "from_choices"),
        (
            "def my_space():\n"
            "    def build(depth, width, kernel, colors, classes):\n"
            "        layers = [nn.Conv2d(1, width, kernel, padding=kernel // 2)]\n"
            "        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))\n"
            "    return SearchSpace.from_choices(dict(depth=(1, 2, 3), width=(4, 8, 16), kernel=(1, 3, 5)), build)\n",
            "colors",
        ),
        (
            "def my_space():\n"
            "    def build(depth, width, kernel, colors, classes):\n"
            "        layers = [nn.Conv2d(colors, width, kernel, padding=kernel // 2)]\n"
            "        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))\n"
            "    return SearchSpace.from_choices(dict(depth=(1, 2, 3), width=(4, 8, 16), kernel=(1, 3, 5)), build)\n",
            "depth changes nothing",
        ),
        (
            "def my_space():\n"
            "    def build(depth, width, kernel, colors, classes):\n"
            "        layers = [nn.Conv2d(colors, width, kernel, padding=kernel // 2)]\n"
            "        layers += [nn.Conv2d(width, width, 3, padding=1)] * depth\n"
            "        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))\n"
            "    return SearchSpace.from_choices(dict(depth=(1, 2, 3), width=(4, 8, 99), kernel=(1, 3, 5)), build)\n",
            "parameters",
        ),
    ],
    ("01-search-spaces", "poorer_space"): [
        (
            "my_without, my_members, my_prediction, my_report = ('conv 3×3',), 10, 1, 'three'\n",
            "one to three names",
        ),
        (
            "my_without, my_members, my_prediction = ('avg_pool_3x3',), 10, 0\n"
            "my_mean, _ = lesson.whole_less_poorer(my_without, my_members, seeds=100)\n"
            "my_report = f'We took pooling away. On 100 seeds this costs {my_mean:.2f} points. It is no help.'\n",
            "end of the interval",
        ),
    ],
    ("01-search-spaces", "canonical_form"): [
        ("def my_canonical(block):\n    return block\n", "two names"),
        ("def my_canonical(block):\n    return tuple(sorted(block))\n", "two names"),
        (
            "def my_canonical(block):\n    return tuple(sorted({part for part in block if part[0] != 'zero'}))\n",
            "one name",
        ),
        ("def my_canonical(block):\n    return list(sorted(block))\n", "compared and counted"),
    ],
}
