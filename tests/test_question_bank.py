"""The question bank: one right answer for every seed, numbers that change, answers recomputed in another way."""

import re
from collections import Counter
from fractions import Fraction
from itertools import combinations, product
from math import asin, ceil, erf, exp, log, pi, sqrt

import numpy as np
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from nasviz.course import lesson
from nasviz.course.bank import collect, labs
from nasviz.course.bank.question import Drawn, Question, Wrong, written
from nasviz.paths import labs_dir
from nasviz.strategies.mixed_integer import Budget, programme

SEEDS = range(50)
BY_NAME = {one.name: one for one in collect.QUESTIONS}


def long_sentences(*texts):
    return lesson.long_sentences(new_notebook(cells=[new_markdown_cell(one) for one in texts]))


@pytest.mark.parametrize("question", collect.QUESTIONS, ids=lambda one: one.name)
def test_each_seed_gives_one_right_answer_and_other_numbers(question):
    seen = Counter()
    for seed in SEEDS:
        item = question.item(seed)
        drawn = item.drawn
        seen[drawn.text] += 1
        assert len(drawn.wrong) >= 3 and drawn.because
        for one in drawn.wrong:
            if drawn.numeric:
                assert abs(one.answer - drawn.right) > drawn.tolerance
            else:
                assert one.answer != drawn.right
        shown = [written(answer) for answer, _ in item.options]
        assert len(set(shown)) == len(shown), "what is read must differ too"
        assert item.options[item.place] == (drawn.right, drawn.because)
        assert not long_sentences(drawn.text, drawn.because, *(one.why for one in drawn.wrong))
    assert len(seen) >= 12 and max(seen.values()) <= 10
    assert question.item(3) == question.item(3) != question.item(3, 1)


def test_the_right_option_has_no_favourite_place():
    places = Counter(BY_NAME["the_front"].item(seed).place for seed in SEEDS)
    assert set(places) == {0, 1, 2, 3} and max(places.values()) < 25


def test_every_lab_has_three_questions_one_for_each_objective():
    topics = Counter(one.topic for one in collect.QUESTIONS)
    assert len(topics) == 15 and set(topics.values()) == {3}
    for lab in labs.find(labs_dir()):
        own = [one for one in collect.QUESTIONS if one.topic == lab.topic]
        told = [item.tests for item in collect.transfer(lab, 0)]
        assert [one.tests for one in own] == [1, 2, 3] and told == list(lab.objectives)
    assert all(one.level in lesson.LEVELS for one in collect.QUESTIONS)


def test_draws_that_fall_together_are_thrown_away():
    def draw(rng):
        return Drawn("What?", 1.0, "So.", (Wrong(float(rng.integers(3)), "Not so."),), tolerance=0.4)

    question = Question("toy", "toy", 1, "easy", draw)
    assert {question.drawn(seed).wrong[0].answer for seed in range(20)} == {0.0, 2.0}
    never = Question("never", "toy", 1, "easy", lambda rng: Drawn("What?", "a", "So.", (Wrong("a", "Not so."),)))
    with pytest.raises(RuntimeError, match=r"toy\.never: .* a and a are one answer"):
        never.drawn(0)


def test_a_number_is_written_as_one_reads_it():
    assert [written(5044), written(-0.25, " %"), written("a"), written(1 / 3)] == ["5044", "−0.25 %", "a", "0.333333"]


# ------------------------------------------------------------- the answers, recomputed from what a student reads
def numbers(text):
    return [float(one.replace(",", "").replace("−", "-")) for one in re.findall(r"[-−]?\d[\d,]*\.?\d*", text)]


def rows(text):
    """The numbers of each line of the list; what stands before a colon that names the line is no number."""
    lines = [line[2:] for line in text.splitlines() if line.startswith("- ")]
    return [numbers(re.sub(r"^(seed \d+|[A-H]|[^:]*[a-z] ?[^:]*): ", "", line)) for line in lines]


def one_mutation(text):
    _, *sizes = numbers(text)
    return sum(sizes) - len(sizes)


def lucky_report(text):
    report, *again = numbers(text)[1], *numbers(text.split("seeds:")[1].split("%")[0])
    return report - sum(again) / len(again)


def best_of_some(text):
    share, draws = numbers(text)[0], int(numbers(text)[1])
    return 100 * sum((1 - share / 100) ** miss * share / 100 for miss in range(draws))


def kendalls_tau(text):
    pairs = combinations(rows(text), 2)
    return sum(1 if (a[0] - b[0]) * (a[1] - b[1]) > 0 else -1 for a, b in pairs) / 10


def price_of_halving(text):
    count, least, _, eta, _, most = (int(one) for one in numbers(text.replace("1/", "1 ")))
    epochs = [least] * count  # each training by itself
    alive = count
    while least < most:
        alive, least = alive // eta, least * eta
        epochs[:alive] = [least] * alive
    return sum(epochs)


def improvement(text):
    best, mean, deviation = numbers(text)[1:4]
    at = np.linspace(best, mean + 12 * deviation, 200_001)
    density = np.exp(-(((at - mean) / deviation) ** 2) / 2) / (deviation * sqrt(2 * pi))
    heights = (at - best) * density
    return float(((heights[1:] + heights[:-1]) / 2 * np.diff(at)).sum())


def gradient_with_a_baseline(text):
    chances = dict(re.findall(r"(skip|convolution|pooling) (\d\.\d\d)", text))
    drawn, asked = re.search(r"draws (\w+),", text)[1], re.search(r"logit of (\w+)\?", text)[1]
    reward, baseline = (float(re.search(rf"{word} is (\d\.\d+)", text)[1]) for word in ("reward", "baseline"))

    def log_chance(step):  # ln P of what was drawn, the asked logit moved
        logits = {name: log(float(p)) + step * (name == asked) for name, p in chances.items()}
        return logits[drawn] - log(sum(map(exp, logits.values())))

    return (reward - baseline) * (log_chance(1e-5) - log_chance(-1e-5)) / 2e-5


def progress_within_a_bound(text):
    limit = float(re.search(r"cost of (\d+)", text)[1])
    kept = [[a for a, cost in half if cost <= limit] for half in (rows(text)[:4], rows(text)[4:])]
    return sum(kept[1]) / len(kept[1]) - sum(kept[0]) / len(kept[0])


def tournament(text):
    places, size = (int(one) for one in numbers(text)[:2])
    rank = ("best", "second", "third", "fourth").index(re.search(r"the (\w+) best", text)[1])
    below = Fraction(places - rank, places)  # nobody better is drawn, one draw after the other
    chance = Fraction(1)
    for _ in range(size):
        chance *= below
    alone = Fraction(1)
    for _ in range(size):
        alone *= below - Fraction(1, places)
    return float(100 * (chance - alone))


def permuted_signs(text):
    differences = [round(10 * (a - b)) for a, b in rows(text)]
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    ]
    return sum(one >= abs(sum(differences)) for one in sums) / len(sums)


def alpha_gradient(text):
    names = [line[2:].split(":")[0] for line in text.splitlines() if line.startswith("- ")]
    p, g = zip(*rows(text), strict=True)
    place = names.index(re.search(r"the α of (.*)\?", text)[1])

    def loss(step):
        raised = [a * exp(step * (at == place)) for at, a in enumerate(p)]
        return sum(a * b for a, b in zip(raised, g, strict=True)) / sum(raised)

    return (loss(1e-5) - loss(-1e-5)) / 2e-5


def where_it_ends(text):
    c, k = float(re.search(r"w − ([\d.]+)α", text)[1]), float(re.search(r"αw − (\d+)α", text)[1])
    xi, alpha, w = float(re.search(r"ξ = ([\d.]+)", text)[1]), 1.0, 0.0
    for _ in range(60_000):
        ahead = w - xi * 2 * (w - c * alpha)
        alpha -= 0.01 * (ahead - k + alpha * 2 * xi * c)
        w -= 0.01 * 2 * (w - c * alpha)
    return alpha


def percentile(text):
    *every, found, _ = numbers(text.split("accuracies are")[1] + " 0")
    return 10 * sum(1.0 if one < found else 0.5 if one == found else 0.0 for one in every)


def sharpest_bend(text):
    a, d, b = numbers(text)[:3]
    v = np.array([1.0, 0.3])
    for _ in range(3000):
        v = np.array([[a, b], [b, d]]) @ v
        v /= sqrt(v @ v)
    return float(v @ np.array([[a, b], [b, d]]) @ v)


def weights_in_common(text):
    a_in, a_out, a, _, b_in, b_out, b, _ = numbers(text.split("Child A has")[1])[:8]
    return min(a_in, b_in) * min(a_out, b_out) * min(a, b) ** 2


def times_cheaper(text):
    once, each, rival, devices = numbers(text)
    return devices * rival / (once + devices * each)


def exchange_rate(text):
    times, gain = numbers(text)[:2]
    low, high = -20.0, 0.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 + gain / 100) * times**middle < 1 else (low, middle)
    return low


def bottleneck_count(text):
    torch = pytest.importorskip("torch")
    inputs, outputs, widen, kernel, _ = (int(one) for one in numbers(text)[:5])
    inside = inputs * widen
    conv = lambda *sizes, **more: torch.nn.Conv2d(*sizes, bias=False, device="meta", **more)  # noqa: E731
    layers = [conv(inputs, inside, 1), conv(inside, inside, kernel, groups=inside), conv(inside, outputs, 1)]
    return sum(one.weight.numel() for one in layers)


def a_bill(text):
    days, devices, watts, pue, intensity = numbers(text.replace("CO₂e", ""))
    return days * 24 * devices * watts / 1000 * pue * intensity


def tau_of_a_noisy_training(text):
    spread, noise = numbers(text)[:2]
    return 2 / pi * asin(spread / sqrt(spread**2 + noise**2))


def fresh_seeds(text):
    spread, gain = (float(re.search(rf"{word} of (\d\.\d+) points", text)[1]) for word in ("deviation", "gain"))
    return next(n for n in range(1, 10**6) if 1.96 * spread / sqrt(n) <= gain * (1 + 1e-12))


def stopped_at_any_time(text):
    answers, best = [], 0.0
    for accuracy, price in rows(text):
        best = max(best, accuracy) if price <= 200 else best
        answers.append(best)
    return sum(answers) / 6


def luck_at_a_price(text):
    worse, chance = numbers(text)
    return next(n for n in range(1, 10**4) if 1 - (worse / 100) ** n >= chance / 100 - 1e-12)


def shallow_by_chance(text):
    inputs, nodes = (int(one) for one in numbers(text)[:2])
    return float(sum(2 * Fraction(inputs, inputs + node) for node in range(nodes)))


def harm_of_a_replacement(text):
    harms = []
    for line in text.splitlines():
        if line.startswith("- "):
            p, q = np.array(numbers(line.split(": ")[1])).reshape(2, 3)
            cross, own = -(p * np.log(q)).sum(), -(p * np.log(p)).sum()
            harms.append(cross - own)
    return sum(harms) / len(harms)


PLAIN = [
    one_mutation, lucky_report, best_of_some, kendalls_tau, price_of_halving, improvement, gradient_with_a_baseline,
    progress_within_a_bound, tournament, permuted_signs, alpha_gradient, where_it_ends, percentile, sharpest_bend,
    weights_in_common, times_cheaper, exchange_rate, bottleneck_count, a_bill, tau_of_a_noisy_training, fresh_seeds,
    stopped_at_any_time, luck_at_a_price, shallow_by_chance,
    harm_of_a_replacement,
]  # fmt: skip


@pytest.mark.parametrize("plain", PLAIN, ids=lambda one: one.__name__)
def test_answers_recomputed_from_the_text_in_a_plain_way(plain):
    for seed in range(3 if plain is where_it_ends else 12):
        drawn = BY_NAME[plain.__name__].drawn(seed)
        assert plain(drawn.text) == pytest.approx(drawn.right, abs=max(drawn.tolerance, 1e-6)), drawn.text


def test_choices_recomputed_from_the_text():
    for seed in range(12):
        search = BY_NAME["random_search_within"].drawn(seed)
        limit = numbers(search.text.split("The bound is")[1])[0]
        best = max((a, n) for (a, c), n in zip(rows(search.text), "ABCDE", strict=True) if c <= limit)
        assert search.right == f"cell {best[1]}"
        front = BY_NAME["the_front"].drawn(seed)
        points = dict(zip("ABCDEF", rows(front.text), strict=True))
        on = [n for n, (c, a) in points.items() if not any(x < c and y > a for x, y in points.values())]
        assert front.right == ", ".join(on)


def test_the_choice_within_a_budget_is_that_of_the_programme():
    for seed in range(5):
        drawn = BY_NAME["choice_within_a_budget"].drawn(seed)
        found = re.findall(r"[ABC][123] costs (\d+) and harms (\d\.\d\d)", drawn.text)
        costs, harms = (np.array([float(one[k]) for one in found]).reshape(3, 3) for k in (0, 1))
        most = float(re.search(r"budget is a cost of (\d+)", drawn.text)[1])
        arch = programme(harms, [Budget(costs, most)])
        assert drawn.right == ", ".join(f"{n}{k + 1}" for n, k in zip("ABC", arch, strict=True))


def test_coverage_counts_intervals_of_eighty_percent():
    assert erf(1.28 / sqrt(2)) == pytest.approx(0.8, abs=0.002)
    for seed in range(12):
        drawn = BY_NAME["coverage"].drawn(seed)
        held = sum(abs(came - mean) <= 1.28 * deviation for mean, deviation, came in rows(drawn.text))
        assert drawn.right == pytest.approx(10 * held)


def test_rounding_up_is_no_accident():
    assert ceil((1.96 * 0.5 / 0.1) ** 2) == 97 == fresh_seeds("a deviation of 0.50 points, a gain of 0.10 points")
