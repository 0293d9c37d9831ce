"""Usual wrong answers to the exercises of lab 09."""

WRONG = {
    ("09-one-network-for-all", "kernel_centre"): [
        ("def my_centre(weights, kernel):\n    return weights[:kernel, :kernel]\n", "each 5×5"),
        ("def my_centre(weights, kernel):\n    return weights[..., :kernel, :kernel]\n", "the middle of the small"),
    ],
    ("09-one-network-for-all", "sandwich_step"): [
        ("def my_sandwich(space, rng):\n    return [space.sample(rng) for _ in range(4)]\n", "the smallest"),
        (
            "def my_sandwich(space, rng):\n"
            "    drawn = space.sample(rng)\n"
            "    return [space.largest, space.smallest, drawn, drawn]\n",
            "each by itself",
        ),
    ],
}
