"""Usual wrong answers to the exercises of lab 10."""

WRONG = {
    ("10-hardware-aware", "broken_budgets"): [
        ("my_share, my_prediction, my_report = 30, 50, 'x'\n", "a share from 0.1 to 0.9"),
        (
            "my_share, my_prediction = 0.3, 50\n"
            "my_report = 'We asked it of 30 draws of cells. The winner is often too slow. That is all we can say.'\n",
            "on how many draws",
        ),
    ],
    ("10-hardware-aware", "exchange_rate"): [
        ("def my_exponent(factor, gain):\n    return np.log(1 + gain) / np.log(factor)\n", "below 0"),
        ("def my_exponent(factor, gain):\n    return -gain / factor\n", "−0.0704"),
        ("def my_exponent(factor, gain):\n    return -np.log2(1 + gain)\n", "three times"),
    ],
    ("10-hardware-aware", "gradient_of_time"): [
        ("def my_gradient(alphas, times):\n    return np.exp(alphas) / np.exp(alphas).sum() @ times\n", "shape"),
        (
            "def my_gradient(alphas, times):\n    p = np.exp(alphas) / np.exp(alphas).sum()\n    return p * times\n",
            "sums to 0",
        ),
        ("def my_gradient(alphas, times):\n    return (times - times.mean()) / len(times)\n", "uneven"),
    ],
}
