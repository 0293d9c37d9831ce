"""Usual wrong answers to the exercises of lab 03."""

WRONG = {
    ("03-reinforce", "penalty"): [
        (
            "my_prediction, my_weight, my_seeds = 1.0, 1.0, range(20)\n"
            "my_report = 'It was asked. It came out. It follows.'\n",
            "the weight 1 with itself",
        ),
        (
            "my_prediction, my_weight, my_seeds = 1.0, 0.1, range(20)\n"
            "my_report = 'We asked for less penalty. The cells were 1.32 points better. So less penalty is better.'\n",
            "on how many seeds",
        ),
        ("my_prediction, my_weight, my_seeds = 1.0, 0.1, range(3)\nmy_report = 'Three seeds.'\n", "too few"),
    ],
    ("03-reinforce", "progress_within"): [
        (
            "def my_progress(accuracies, costs, limit, n):\n"
            "    return accuracies[-n:].mean() - accuracies[:n].mean()\n",
            "over the bound were counted",
        ),
        (
            "def my_progress(accuracies, costs, limit, n):\n"
            "    kept = accuracies[costs <= limit]\n"
            "    return kept[-n:].mean() - kept[:n].mean()\n",
            "those among the first n",
        ),
        (
            "def my_progress(accuracies, costs, limit, n):\n"
            "    kept = costs <= limit\n"
            "    return accuracies[:n][kept[:n]].mean() - accuracies[-n:][kept[-n:]].mean()\n",
            "early less late",
        ),
    ],
    ("03-reinforce", "score_function"): [
        ("def my_gradient(logits, option, reward, baseline):\n    return reward - baseline\n", "of the three logits"),
        (
            "def my_gradient(logits, option, reward, baseline):\n"
            "    return (reward - baseline) * np.eye(len(logits))[option]\n",
            "sum to 0",
        ),
        (
            "def my_gradient(logits, option, reward, baseline):\n"
            "    p = np.exp(logits) / np.exp(logits).sum()\n"
            "    return reward * (np.eye(len(logits))[option] - p)\n",
            "should change nothing",
        ),
        (
            "def my_gradient(logits, option, reward, baseline):\n"
            "    p = np.exp(logits) / np.exp(logits).sum()\n"
            "    return (reward - baseline) * p[option] * (np.eye(len(logits))[option] - p)\n",
            "on average",
        ),
    ],
}
