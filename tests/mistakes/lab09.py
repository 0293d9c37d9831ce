"""Usual wrong answers to the exercises of lab 09."""

WRONG = {
    ("09-one-network-for-all", "kernel_centre"): [
        ("def my_centre(weights, kernel):\n    return weights[:kernel, :kernel]\n", "each 5×5"),
        ("def my_centre(weights, kernel):\n    return weights[..., :kernel, :kernel]\n", "the middle of the small"),
    ],
}
