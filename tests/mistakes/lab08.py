"""Usual wrong answers to the exercises of lab 08."""

WRONG = {
    ("08-one-shot", "fair_step"): [
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
    ("08-one-shot", "kernel_centre"): [
        ("def my_centre(weights, kernel):\n    return weights[:kernel, :kernel]\n", "each 5×5"),
        ("def my_centre(weights, kernel):\n    return weights[..., :kernel, :kernel]\n", "the middle of the small"),
    ],
}
