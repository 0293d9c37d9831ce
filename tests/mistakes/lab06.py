"""Usual wrong answers to the exercises of lab 06."""

WRONG = {
    ("06-darts", "alpha_gradient"): [
        ("def my_alpha_gradient(p, g):\n    return g\n", "the softmax lies between"),
        ("def my_alpha_gradient(p, g):\n    return p * g\n", "its mean over the mixture"),
        ("def my_alpha_gradient(p, g):\n    return p * (g - g.mean())\n", "sum to zero"),
        ("def my_alpha_gradient(p, g):\n    return (p * g).sum()\n", "one number an operation"),
    ],
    ("06-darts", "darts_or_luck"): [
        ("my_trainings, my_prediction, my_report = 0, 1, 'no'\n", "from 1 to 100"),
        ("my_trainings, my_prediction, my_report = 10, 'better', 'no'\n", "a number of points"),
        (
            "my_trainings, my_prediction = 10, 1\n"
            "mean = over_luck(10).mean()\n"
            "my_report = ('We asked whether DARTS is better than luck. On 11 seeds it was, '\n"
            "             f'by {mean:.2f} points on average. So DARTS is better at this price.')\n",
            "the lower end of the interval",
        ),
    ],
    ("06-darts", "second_order"): [
        ("def my_second_order(tw, ta, vw, va, w, a, xi):\n    return va(w, a)\n", "that is the first order"),
        (
            "def my_second_order(tw, ta, vw, va, w, a, xi):\n    return va(w - xi * tw(w, a), a)\n",
            "second term is missing",
        ),
        *(
            (
                "def my_second_order(tw, ta, vw, va, w, a, xi):\n"
                "    ahead = w - xi * tw(w, a)\n"
                f"    v = vw({at}, a)\n"
                "    e = 0.01 / np.linalg.norm(v)\n"
                f"    return va({first}, a) {sign} xi * (ta(w + e * v, a) - ta(w - e * v, a)) / (2 * e)\n",
                words,
            )
            for at, first, sign, words in (
                ("ahead", "ahead", "+", "wrong sign"),
                ("ahead", "w", "-", "the first term, too"),
                ("w", "ahead", "-", "the direction v"),
            )
        ),
    ],
}
