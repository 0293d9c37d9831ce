"""Second inputs of exercises on spaces, networks and their weights."""

from __future__ import annotations

from itertools import product

from .compare import agrees


def canonical_form(mine, right, rng):
    words = ("zero", *(f"op{number}" for number in rng.integers(100, 999, size=3)))
    parts = list(product(words, (0, 1, 4)))
    pairs = [(parts[a], parts[b]) for a, b in rng.integers(len(parts), size=(120, 2))]
    pairs += [(b, a) for a, b in pairs[:30]]
    forms = [(mine.my_canonical(pair), right.my_canonical(pair), pair) for pair in pairs]
    for (own, form, pair), (other, its, another) in product(forms[:60], forms[60:]):
        same = "the same" if form == its else "different things"
        yield (own == other) == (form == its), f"{pair} and {another} compute {same}, and yours says otherwise"


def own_space(mine, right, rng):
    import torch

    space = mine.my_space()
    for colors, classes, images in ((2, 4, 3), (1, 12, 1)):
        arch = space.sample(rng)
        network = space.network(arch, colors=colors, classes=classes).eval()
        shape = tuple(network(torch.zeros(images, colors, 8, 8)).shape)
        said = f"{arch} gives scores of shape {shape} for {images} images of {colors} colors and {classes} classes"
        yield shape == (images, classes), said


def kernel_centre(mine, right, rng):
    for large, small in ((9, 3), (7, 5), (5, 1)):
        weights = rng.normal(size=(7, 6, large, large))
        outputs, inputs = (int(number) for number in rng.integers(1, 6, size=2))
        yield from agrees(mine.my_part, right.my_part, [(weights, outputs, inputs, small)])


def when_it_pays(mine, right, rng):
    draws = [tuple(float(number) for number in rng.integers(1, 90, size=3)) for _ in range(40)]
    yield from agrees(mine.my_devices, right.my_devices, draws, equal=True)
