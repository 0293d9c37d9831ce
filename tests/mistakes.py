"""Usual wrong answers to the exercises of the labs, each with words of the sentence that a check should say of it."""

WRONG = {
    ("02-performance-estimation", "kendalls_tau"): [
        (
            "def my_tau(estimated, truth):\n"
            "    x, y = (np.argsort(np.argsort(v)) for v in (estimated, truth))\n"
            "    return np.corrcoef(x, y)[0, 1]\n",
            "not ρ",
        ),
        (
            "def my_tau(estimated, truth):\n"
            "    x, y = (np.sign(np.subtract.outer(v, v)) for v in (estimated, truth))\n"
            "    return (x * y).sum() / (len(x) * (len(x) - 1))\n",
            "only two differ",
        ),
        ("def my_tau(estimated, truth):\n    return abs(tau(estimated, truth))\n", "opposite order"),
    ],
    ("02-performance-estimation", "naswot_score"): [
        ("def my_naswot(codes):\n    return np.linalg.slogdet(codes @ codes.T)[1]\n", "agree on no ReLU"),
        (
            "def my_naswot(codes):\n"
            "    differ = (codes[:, None] != codes).sum(-1)\n"
            "    return np.linalg.slogdet(2 - differ)[1]\n",
            "off for both",
        ),
        (
            "def my_naswot(codes):\n"
            "    agree = codes @ codes.T + (1 - codes) @ (1 - codes).T\n"
            "    with np.errstate(all='ignore'):\n"
            "        return np.log(np.abs(np.linalg.det(agree)))\n",
            "too large for a float",
        ),
    ],
    ("02-performance-estimation", "training_longer"): [
        (
            "my_prediction, my_early, my_late = 0.1, 6, 8\n"
            "my_report = 'The last two epochs help. They help among cells of equal size. So one trains on.'\n",
            "how many seeds",
        ),
        (
            "my_prediction, my_early, my_late = 0.1, 6, 8\n"
            "my_report = 'I asked this of 30 samples of cells. The last epochs add 0.5 to τ. So they are worth it.'\n",
            "the report does not say it",
        ),
        ("my_prediction, my_early, my_late = 0.1, 8, 6\nmy_report = 'All is said.'\n", "should come before"),
    ],
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
    ("05-bayesian-optimisation", "improvement"): [
        ("def my_improvement(mean, deviation, best):\n    return np.maximum(mean - best, 0)\n", "0.399"),
        (
            "def my_improvement(mean, deviation, best):\n"
            "    from scipy.stats import norm\n"
            "    z = (mean - best) / np.maximum(deviation, 1e-3)\n"
            "    return deviation * norm.pdf(z)\n",
            "certain gain",
        ),
        (
            "def my_improvement(mean, deviation, best):\n"
            "    from scipy.stats import norm\n"
            "    z = (best - mean) / np.where(deviation > 0, deviation, 1)\n"
            "    gain = (mean - best) * norm.cdf(z) + deviation * norm.pdf(z)\n"
            "    return np.where(deviation > 0, gain, np.maximum(mean - best, 0))\n",
            "is z =",
        ),
    ],
    ("05-bayesian-optimisation", "path_encoding"): [
        ("def my_paths(arch):\n    return {(arch[3],)}\n", "three operations"),
        (
            "def my_paths(arch):\n"
            "    a, b, c, d, e, f = arch\n"
            "    return {way for way in ((d,), (a, e), (b, f), (a, c, f)) if any(way)}\n",
            "three operations",
        ),
        (
            "def my_paths(arch):\n"
            "    a, b, c, d, e, f = arch\n"
            "    return [way for way in ((d,), (a, e), (b, f), (a, c, f)) if 0 not in way]\n",
            "the set {(3,)}",
        ),
    ],
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
    ("07-darts-collapse", "exercise_1"): [
        ("def my_percentile(truth, own):\n    return ((truth < own).mean() + (truth == own).mean() / 2)\n", "share"),
        ("def my_percentile(truth, own):\n    return 100 * (truth < own).mean()\n", "ties are missing"),
        ("def my_percentile(truth, own):\n    return 100 * (truth <= own).mean()\n", "counts half"),
    ],
    ("07-darts-collapse", "exercise_2"): [
        (
            "def my_eigenvalue(product, v, steps=200):\n"
            "    for _ in range(steps):\n"
            "        v = product(v / np.linalg.norm(v))\n"
            "    return np.linalg.norm(v)\n",
            "sign is not",
        ),
        (
            "def my_eigenvalue(product, v, steps=2000):\n"
            "    for _ in range(steps):\n"
            "        v = product(v)\n"
            "    return v @ product(v) / (v @ v)\n",
            "overflowed",
        ),
        (
            "def my_eigenvalue(product, v, steps=3):\n"
            "    for _ in range(steps):\n"
            "        v = product(v / np.linalg.norm(v))\n"
            "    v = v / np.linalg.norm(v)\n"
            "    return v @ product(v)\n",
            "each step",
        ),
    ],
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
    ("09-search-evaluation-gap", "power_by_simulation"): [
        (
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise, (repetitions, seeds)).mean(1)\n"
            "    return np.mean(a > rng.normal(0, noise, (repetitions, seeds)).mean(1))\n",
            "not significant yet",
        ),
        (
            "from scipy.stats import ttest_ind\n"
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise, (repetitions, seeds))\n"
            "    return np.mean(ttest_ind(a, rng.normal(0, noise, a.shape), axis=1).pvalue < 0.05)\n",
            "in favour of B does not count",
        ),
        (
            "from scipy.stats import ttest_ind\n"
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise**0.5, (repetitions, seeds))\n"
            "    b = rng.normal(0, noise**0.5, a.shape)\n"
            "    return np.mean((ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1)))\n",
            "standard deviation",
        ),
        (
            "from scipy.stats import ttest_ind\n"
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise, (repetitions, 10))\n"
            "    b = rng.normal(0, noise, a.shape)\n"
            "    return np.mean((ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1)))\n",
            "with 3 seeds",
        ),
        (
            "from scipy.stats import ttest_ind\n"
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    rng = np.random.default_rng()\n"
            "    a = rng.normal(difference, noise, (max(repetitions, 4001), seeds))\n"
            "    b = rng.normal(0, noise, a.shape)\n"
            "    return np.mean((ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1)))\n",
            "handed in",
        ),
    ],
    ("09-search-evaluation-gap", "reporting_sheet"): [
        ("def my_sheet():\n    return 'all done'\n", "dict"),
        ("def my_sheet():\n    return {'training': 'the code is in the repository'}\n", "practice 2, search: not"),
        ("def my_sheet():\n    return {item.key: 'TODO' for item in reporting.ITEMS}\n", "the answer is no, say why"),
        ("def my_sheet():\n    return {i.key: 'we did what is usual' for i in reporting.ITEMS}\n", "a number"),
        ("def my_sheet():\n    return {'seeds': 'two seeds of everything'}\n", "does not ask for 'seeds'"),
    ],
    ("09-search-evaluation-gap", "winners_curse"): [
        (
            "my_prediction, my_trainings, my_searches = 0.5, 5, 30\n"
            "mean, low, high = stats.mean_band(gap.flattery(nasbench201_table(), 5, 30))\n"
            "my_report = (f'We asked how far 5 trainings flatter, on 30 seeds. It was {mean:.2f} points. '\n"
            "             'So a reported number is too good.')\n",
            "lower end",
        ),
        ("my_prediction, my_trainings, my_searches, my_report = 0.5, 1, 30, ''\n", "from 2 to 50"),
        ("my_prediction, my_trainings, my_searches, my_report = 'much', 5, 30, ''\n", "number of points"),
    ],
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
    ("12-the-bill-and-the-claims", "energy_bill"): [
        (
            "def my_bill(days, devices, watts, pue, intensity):\n"
            "    kwh = days * devices * watts * pue / 1000\n"
            "    return kwh, kwh * intensity\n",
            "a day has 24",
        ),
        (
            "def my_bill(days, devices, watts, pue, intensity):\n"
            "    kwh = days * 24 * devices * watts / 1000\n"
            "    return kwh, kwh * pue * intensity\n",
            "PUE",
        ),
    ],
    ("12-the-bill-and-the-claims", "hidden_budget"): [
        (
            "def my_search(space, estimate, rng):\n"
            "    best = max((estimate(space.sample(rng)) for _ in range(61)), key=lambda e: e.scores['accuracy'])\n"
            "    yield best.arch\n",
            "never yielded",
        ),
        (
            "def my_search(space, estimate, rng):\n"
            "    best = estimate(space.sample(rng))\n"
            "    while True:\n"
            "        yield best.arch\n"
            "        best = max(best, estimate(space.sample(rng)), key=lambda e: e.scores['accuracy'])\n",
            "over the bound",
        ),
    ],
    ("12-the-bill-and-the-claims", "search_or_rule"): [
        ("my_kind, my_trainings, my_prediction, my_report = 'darts', 20, 1, 'no'\n", "my_kind is one of"),
        ("my_kind, my_trainings, my_prediction, my_report = 'evolution', 2, 1, 'no'\n", "from 5 to 100"),
        (
            "my_kind, my_trainings, my_prediction = 'evolution', 10, 1\n"
            "mean, low, high = stats.mean_band(leads(my_kind, 10))\n"
            "my_report = (f'We asked who is ahead after ten trainings. The lead is {mean:.2f} points on average. '\n"
            "             f'The interval goes from {low:.2f} to {high:.2f} points.')\n",
            "how many seeds",
        ),
    ],
}
