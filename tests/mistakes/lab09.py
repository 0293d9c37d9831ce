"""Usual wrong answers to the exercises of lab 09."""

WRONG = {
    ("09-one-network-for-all", "kernel_centre"): [
        (
            "def my_part(weights, outputs, inputs, kernel):\n    return weights[:outputs, :inputs]\n",
            "not the shape",
        ),
        (
            "def my_part(weights, outputs, inputs, kernel):\n    return weights[:outputs, :inputs, :kernel, :kernel]\n",
            "the middle of the small filter",
        ),
        (
            "def my_part(weights, outputs, inputs, kernel):\n"
            "    rim = (weights.shape[-1] - kernel) // 2\n"
            "    middle = weights[..., rim : rim + kernel, rim : rim + kernel]\n"
            "    return middle[-outputs:, -inputs:] if outputs < len(weights) else middle\n",
            "the middle of the small filter",
        ),
    ],
    ("09-one-network-for-all", "when_it_pays"): [
        ("def my_devices(once, each, rival):\n    return once // (rival - each)\n", "4 devices"),
        (
            "import math\n\n\ndef my_devices(once, each, rival):\n    return math.ceil(once / (rival - each))\n",
            "needs a third",
        ),
        (
            "def my_devices(once, each, rival):\n    return None if each == rival else int(once // rival) + 1\n",
            "does `each` count",
        ),
    ],
}
