"""Usual wrong answers to the exercises of lab 01."""

WRONG = {
    ("01-search-spaces", "canonical_form"): [
        ("def my_canonical(block):\n    return block\n", "two names"),
        ("def my_canonical(block):\n    return tuple(sorted(block))\n", "two names"),
        (
            "def my_canonical(block):\n    return tuple(sorted({part for part in block if part[0] != 'zero'}))\n",
            "one name",
        ),
        ("def my_canonical(block):\n    return list(sorted(block))\n", "compared and counted"),
    ],
    ("01-search-spaces", "own_space"): [
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
    ("01-search-spaces", "poorer_space"): [
        (
            "my_without, my_members, my_prediction, my_report = ('conv 3×3',), 10, 1, 'three'\n",
            "one to three names",
        ),
        (
            "my_without, my_members, my_prediction = ('avg_pool_3x3',), 10, 0\n"
            "my_mean, _ = lesson.whole_less_poorer(my_without, my_members, seeds=100)\n"
            "my_report = f'We took pooling away. On 100 seeds this costs {my_mean:.2f} points. It is no help.'\n",
            "end of the interval",
        ),
    ],
}
