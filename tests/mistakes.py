"""Usual wrong answers to the exercises of the labs, each with words of the sentence that a check should say of it."""

WRONG = {
    ("00-start-here", "exercise_1"): [
        (
            "def my_random_search(space, estimate, budget, limit, rng):\n"
            "    found = [estimate(space.sample(rng), seed=i) for i in range(budget)]\n"
            "    return max(found, key=lambda e: e.scores['accuracy'])\n",
            "over the limit",
        ),
        (
            "def my_random_search(space, estimate, budget, limit, rng):\n"
            "    found = [estimate(space.sample(rng), seed=i) for i in range(budget + 1)]\n"
            "    return max(found, key=Bounded('madds', limit))\n",
            "trainings",
        ),
        (
            "def my_random_search(space, estimate, budget, limit, rng):\n"
            "    found = [estimate(space.sample(rng), seed=i) for i in range(budget)]\n"
            "    return max(e.scores['accuracy'] for e in found if e.scores['madds'] <= limit)\n",
            "Evaluation",
        ),
    ],
    ("00-start-here", "exercise_2"): [
        (
            "def my_mutation(arch, rng):\n"
            "    i = rng.integers(6)\n"
            "    return arch[:i] + (int(rng.integers(5)),) + arch[i + 1:]\n",
            "unchanged",
        ),
        ("def my_mutation(arch, rng):\n    return tuple(int(n) for n in rng.integers(5, size=6))\n", "more than one"),
        ("def my_mutation(arch, rng):\n    return ((arch[0] + 1) % 5, *arch[1:])\n", "edge"),
        ("def my_mutation(arch, rng):\n    return arch[:1]\n", "six"),
    ],
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
    ("03-reinforce", "moving_average"): [
        (
            "def my_baseline(means, decay):\n"
            "    average = 0\n"
            "    for mean in means:\n"
            "        average = decay * average + (1 - decay) * mean\n"
            "    return average\n",
            "begin at 0",
        ),
        ("def my_baseline(means, decay):\n    return sum(means) / max(1, len(means))\n", "plain mean"),
        (
            "def my_baseline(means, decay):\n"
            "    average = means[0] if means else 0\n"
            "    for mean in means[1:]:\n"
            "        average = (1 - decay) * average + decay * mean\n"
            "    return average\n",
            "swapped",
        ),
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
    ("06-darts", "exercise_1"): [
        ("def my_alpha_gradient(p, g):\n    return g\n", "the softmax lies between"),
        ("def my_alpha_gradient(p, g):\n    return p * g\n", "its mean over the mixture"),
        ("def my_alpha_gradient(p, g):\n    return p * (g - g.mean())\n", "sum to zero"),
        ("def my_alpha_gradient(p, g):\n    return (p * g).sum()\n", "one number an operation"),
    ],
    ("06-darts", "exercise_2"): [
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
    ("07-darts-collapse", "percentile"): [
        ("def my_percentile(truth, own):\n    return ((truth < own).mean() + (truth == own).mean() / 2)\n", "share"),
        ("def my_percentile(truth, own):\n    return 100 * (truth < own).mean()\n", "ties are missing"),
        ("def my_percentile(truth, own):\n    return 100 * (truth <= own).mean()\n", "counts half"),
    ],
    ("07-darts-collapse", "stop_by_the_clock"): [
        ("my_prediction, my_epoch, my_report = 5, 0, 'Nothing.'\n", "from 1 to 40"),
        (
            "my_prediction, my_epoch = 20, 12\n"
            "my_report = 'We stopped the searches after epoch 12. Their cells were better. So stopping early helps.'\n",
            "how many seeds",
        ),
        (
            "my_prediction, my_epoch = 20, 12\n"
            "gains = lab.gained(lab.small_space('sep'), lab.searches('sep')['DARTS'], 12)\n"
            "my_report = (\n"
            "    f'We stopped 10 searches after epoch 12. They gained {gains.mean():.2f} points on average. '\n"
            "    'So stopping early helps.'\n"
            ")\n",
            "end of the interval",
        ),
    ],
    ("07-darts-collapse", "largest_eigenvalue"): [
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
    ("09-search-evaluation-gap", "exercise_1"): [
        (
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise, (repetitions, seeds)).mean(1)\n"
            "    return np.mean(a > rng.normal(0, noise, (repetitions, seeds)).mean(1))\n",
            "not significant yet",
        ),
        (
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise, (repetitions, seeds))\n"
            "    return np.mean(scipy.stats.ttest_ind(a, rng.normal(0, noise, a.shape), axis=1).pvalue < 0.05)\n",
            "in favour of B does not count",
        ),
        (
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise**0.5, (repetitions, seeds))\n"
            "    b = rng.normal(0, noise**0.5, a.shape)\n"
            "    return np.mean((scipy.stats.ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1)))\n",
            "standard deviation",
        ),
        (
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    a = rng.normal(difference, noise, (repetitions, 10))\n"
            "    b = rng.normal(0, noise, a.shape)\n"
            "    return np.mean((scipy.stats.ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1)))\n",
            "with 3 seeds",
        ),
        (
            "def my_power(difference, noise, seeds, repetitions, rng):\n"
            "    rng = np.random.default_rng()\n"
            "    a = rng.normal(difference, noise, (max(repetitions, 4001), seeds))\n"
            "    b = rng.normal(0, noise, a.shape)\n"
            "    return np.mean((scipy.stats.ttest_ind(a, b, axis=1).pvalue < 0.05) & (a.mean(1) > b.mean(1)))\n",
            "handed in",
        ),
    ],
    ("09-search-evaluation-gap", "exercise_2"): [
        ("def my_report():\n    return 'all done'\n", "dict"),
        ("def my_report():\n    return {'training': 'the code is in the repository'}\n", "practice 2, search: not"),
        ("def my_report():\n    return {item.key: 'TODO' for item in reporting.ITEMS}\n", "the answer is no, say why"),
        ("def my_report():\n    return {i.key: 'we did what is usual' for i in reporting.ITEMS}\n", "a number"),
        ("def my_report():\n    return {'seeds': 'two seeds of everything'}\n", "does not ask for 'seeds'"),
    ],
    ("01-search-spaces", "exercise_1"): [
        ("def my_space():\n    return {'depth': (1, 2, 3)}\n", "from_choices"),
        (
            "def my_space():\n"
            "    def build(depth, width, kernel, colors, classes):\n"
            "        layers = [nn.Conv2d(1, width, kernel, padding=kernel // 2)]\n"
            "        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))\n"
            "    return SearchSpace.from_choices(dict(depth=(1, 2, 3), width=(4, 8, 16), kernel=(1, 3, 5)), build)\n",
            "colors",
        ),
        (
            "def my_space():\n"
            "    def build(depth, width, kernel, colors, classes):\n"
            "        layers = [nn.Conv2d(colors, width, kernel, padding=kernel // 2)]\n"
            "        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))\n"
            "    return SearchSpace.from_choices(dict(depth=(1, 2, 3), width=(4, 8, 16), kernel=(1, 3, 5)), build)\n",
            "depth changes nothing",
        ),
        (
            "def my_space():\n"
            "    def build(depth, width, kernel, colors, classes):\n"
            "        layers = [nn.Conv2d(colors, width, kernel, padding=kernel // 2)]\n"
            "        layers += [nn.Conv2d(width, width, 3, padding=1)] * depth\n"
            "        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))\n"
            "    return SearchSpace.from_choices(dict(depth=(1, 2, 3), width=(4, 8, 99), kernel=(1, 3, 5)), build)\n",
            "parameters",
        ),
    ],
    ("01-search-spaces", "exercise_2"): [
        ("def my_canonical(block):\n    return block\n", "two names"),
        ("def my_canonical(block):\n    return tuple(sorted(block))\n", "two names"),
        (
            "def my_canonical(block):\n    return tuple(sorted({part for part in block if part[0] != 'zero'}))\n",
            "one name",
        ),
        ("def my_canonical(block):\n    return list(sorted(block))\n", "compared and counted"),
    ],
    ("12-the-bill-and-the-claims", "exercise_1"): [
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
    ("12-the-bill-and-the-claims", "exercise_2"): [
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
