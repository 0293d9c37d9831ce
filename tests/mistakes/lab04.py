"""Usual wrong answers to the exercises of lab 04."""

WRONG = {
    ("04-evolution", "last_word"): [
        (
            "def my_choice(evaluations, times):\n"
            "    return max(evaluations, key=lambda e: e.scores['accuracy']).arch\n",
            "once only",
        ),
        (
            "def my_choice(evaluations, times):\n"
            "    archs = [e.arch for e in evaluations]\n"
            "    often = [e for e in evaluations if archs.count(e.arch) >= times]\n"
            "    return max(often or evaluations, key=lambda e: e.scores['accuracy']).arch\n",
            "lucky once",
        ),
        (
            "def my_choice(evaluations, times):\n    return max(evaluations, key=lambda e: e.scores['accuracy'])\n",
            "not Evaluation",
        ),
    ],
    ("04-evolution", "sizes"): [
        (
            "my_prediction, my_population, my_tournament_size = 0.1, 20, 5\n"
            "my_report = 'I asked whether smaller is better. It was 0.99 points better. So smaller is better.'\n",
            "how many seeds",
        ),
        ("my_prediction, my_population, my_tournament_size, my_report = 0.1, 50, 10, ''\n", "sizes to beat"),
        ("my_prediction, my_population, my_tournament_size, my_report = 'more', 20, 5, ''\n", "a number of points"),
        ("my_prediction, my_population, my_tournament_size, my_report = 0.1, 500, 5, ''\n", "random search"),
    ],
    ("04-evolution", "tournament"): [
        (
            "def my_tournament(fitness, size, rng):\n"
            "    return int(max(rng.choice(len(fitness), size, replace=False), key=lambda i: fitness[i]))\n",
            "never wins",
        ),
        (
            "def my_tournament(fitness, size, rng):\n"
            "    return max(fitness[i] for i in rng.integers(len(fitness), size=size))\n",
            "position",
        ),
        ("def my_tournament(fitness, size, rng):\n    return int(np.argmax(fitness))\n", "always the same"),
        (
            "def my_tournament(fitness, size, rng):\n"
            "    return int(min(rng.integers(len(fitness), size=size), key=lambda i: fitness[i]))\n",
            "the worst wins more often",
        ),
    ],
}
