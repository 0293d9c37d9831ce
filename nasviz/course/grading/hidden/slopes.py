"""Second inputs of exercises on gradients, and on what is computed from them."""

from __future__ import annotations

import numpy as np

from .compare import agrees


def score_function(mine, right, rng):
    for size in (2, 4, 7):
        logits, option = rng.normal(size=size), int(rng.integers(size))
        draws = [(logits, option, float(rng.random()), float(rng.random()))]
        yield from agrees(mine.my_gradient, right.my_gradient, draws)


def alpha_gradient(mine, right, rng):
    for size in (2, 4, 9):
        p = rng.dirichlet(np.ones(size))
        yield from agrees(mine.my_alpha_gradient, right.my_alpha_gradient, [(p, rng.normal(size=size))])


def gradient_of_time(mine, right, rng):
    for size in (2, 4, 9):
        yield from agrees(mine.my_gradient, right.my_gradient, [(rng.normal(size=size), rng.random(size) * 9)])


def improvement(mine, right, rng):
    for size in (1, 6, 20):
        mean, deviation = rng.normal(size=size), rng.random(size) * (rng.random(size) < 0.7)
        yield from agrees(mine.my_improvement, right.my_improvement, [(mean, deviation, float(rng.normal()))])


def second_order(mine, right, rng):
    for size in (3, 5):
        inner, mixed, target = rng.normal(size=(size, size)), rng.normal(size=(size, 2)), rng.normal(size=size)

        def train_w(w, a, inner=inner, mixed=mixed):
            return inner.T @ (inner @ w) + mixed @ a**2

        def train_a(w, a, mixed=mixed):
            return 2 * a * (mixed.T @ w)

        def valid_w(w, a, target=target):
            return w - target + a.sum()

        def valid_a(w, a):
            return np.array([w.sum(), w.sum()])

        w, a, xi = rng.normal(size=size), rng.normal(size=2), float(rng.uniform(0.05, 0.3))
        found = np.asarray(mine.my_second_order(train_w, train_a, valid_w, valid_a, w, a, xi), float)
        ahead = w - xi * train_w(w, a)
        wanted = valid_a(ahead, a) - xi * 2 * a * (mixed.T @ valid_w(ahead, a))
        fits = found.shape == (2,) and np.allclose(found, wanted, atol=1e-5)
        yield (
            fits,
            f"with {size} weights it gives {found.round(4)}, and the exact gradient is {wanted.round(4)}",
        )


def largest_eigenvalue(mine, right, rng):
    for size in (3, 8):
        basis, _ = np.linalg.qr(rng.normal(size=(size, size)))
        largest = float(rng.choice([-1, 1]) * rng.uniform(2, 5))
        matrix = basis @ np.diag([largest, *np.linspace(-1, 1, size - 1)]) @ basis.T

        def product(v, matrix=matrix):
            return matrix @ v

        found = float(mine.my_eigenvalue(product, rng.normal(size=size)))
        yield abs(found - largest) < 0.01, f"of a matrix of {size} rows it is {largest:.3f}, and yours {found:.3f}"
