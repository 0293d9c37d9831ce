"""Usual wrong answers to the exercises of lab 11."""

WRONG = {
    ("11-famous-architectures", "compound_scaling"): [
        ("def my_largest_phi(budget, cost):\n    return 3.5 if cost(3.5) <= budget else 0.0\n", "not the largest"),
        (
            "def my_largest_phi(budget, cost):\n"
            "    return max(phi for phi in np.linspace(0, 7, 701) if cost(phi) <= budget)\n",
            "asks for 701 costs",
        ),
        (
            "def my_largest_phi(budget, cost):\n"
            "    low, high = 0.0, 7.0\n"
            "    while high - low > 0.005:\n"
            "        middle = (low + high) / 2\n"
            "        low, high = (middle, high) if cost(middle) <= budget else (low, middle)\n"
            "    return high\n",
            "over the budget",
        ),
        (
            "def my_largest_phi(budget, cost):\n"
            "    low, high = 0.0, 7.0\n"
            "    while high - low > 0.005:\n"
            "        middle = (low + high) / 2\n"
            "        low, high = (middle, high) if cost(middle) <= budget else (low, middle)\n"
            "    return low\n",
            "should give None",
        ),
    ],
    ("11-famous-architectures", "pareto_front"): [
        ("def my_front(points):\n    return [0]\n", "{0}"),
        ("def my_front(points):\n    return set(range(len(points)))\n", "(3, 74) is dominated"),
        (
            "def my_front(points):\n"
            "    best, out = 0, set()\n"
            "    for i, (cost, accuracy) in enumerate(points):\n"
            "        if accuracy > best:\n"
            "            best = accuracy\n"
            "            out.add(i)\n"
            "    return out\n",
            "any order",
        ),
        (
            "def my_front(points):\n"
            "    return {i for i, (cost, accuracy) in enumerate(points)\n"
            "            if not any(c < cost and a > accuracy for c, a in points)}\n",
            "same cost",
        ),
        (
            "def my_front(points):\n"
            "    return {i for i, (cost, accuracy) in enumerate(points)\n"
            "            if not any(j != i and c <= cost and a >= accuracy for j, (c, a) in enumerate(points))}\n",
            "two equal points",
        ),
    ],
    ("11-famous-architectures", "shallow_cells"): [
        (
            "my_cells, my_prediction = 100, 5\n"
            "my_report = 'We asked it of 100 random cells. The mean is 5.28 edges. But DARTS has 7 edges.'\n",
            "lower end of the interval",
        ),
        ("my_cells, my_prediction, my_report = 10, 5, 'x'\n", "50 to 5,000 cells"),
    ],
}
