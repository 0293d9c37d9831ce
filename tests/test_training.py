"""Training: deterministic, stopped early as promised, failures on record, nobody else's state touched."""

from dataclasses import replace
from math import isnan

import numpy as np
import pytest
import torch

from nasviz import datasets
from nasviz.estimator import Cancelled, Progress, watching
from nasviz.estimators import FAST, FULL, LARGE, Recipe, Training
from nasviz.estimators.training import evaluated
from nasviz.nn.threads import one_thread
from nasviz.spaces import NasBench201

SPACE = NasBench201()
ARCH = (3, 1, 2, 4, 0, 1)
TINY = Recipe(images=256, epochs=3, batch=64, network={"channels": 4})


@pytest.fixture(scope="module")
def estimate():
    return Training(SPACE, TINY)


def test_same_question_same_answer(estimate):
    first = estimate(ARCH, seed=3)
    assert first == estimate(ARCH, seed=3)
    assert first != estimate(ARCH, seed=4)
    assert first.arch == ARCH and first.seed == 3 and first.epochs == 3 and first.seconds > 0
    assert set(first.scores) == {"accuracy", "loss", "train_loss", "parameters", "madds"}


def test_no_global_state_is_drawn_from_or_changed(estimate):
    torch.manual_seed(1)
    np.random.seed(1)
    before, numpy_before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    threads = torch.get_num_threads()
    first = estimate(ARCH)
    assert torch.equal(before, torch.random.get_rng_state()) and (numpy_before == np.random.get_state()[1]).all()
    assert torch.get_num_threads() == threads
    torch.manual_seed(2)
    assert estimate(ARCH) == first


def test_it_learns():
    evaluation = Training(SPACE, FAST)((3, 1, 3, 1, 1, 3))
    assert 0.6 < evaluation.scores["accuracy"] < 0.85  # 0.73 measured; guessing gives 0.1
    assert evaluation.scores["train_loss"] < 1.2


def test_disconnected_network_only_guesses(estimate):
    assert estimate((0,) * 6).scores["accuracy"] == pytest.approx(0.1, abs=0.001)


def test_fewer_epochs_are_the_same_training_stopped(estimate):
    curve = replace(estimate, curve=True)
    whole, stopped = curve(ARCH), curve(ARCH, epochs=2)
    assert stopped.epochs == 2
    for epoch in (1, 2):
        assert whole.scores[f"accuracy@{epoch}"] == stopped.scores[f"accuracy@{epoch}"]
    assert stopped.scores["accuracy"] == stopped.scores["accuracy@2"] and "accuracy@3" not in stopped.scores
    assert whole.scores["accuracy"] == estimate(ARCH).scores["accuracy"]  # looking on changed nothing
    shorter = Training(SPACE, replace(TINY, epochs=2))(ARCH)  # another schedule, another training
    assert shorter.scores["loss"] != stopped.scores["loss"]


@pytest.mark.parametrize("epochs", [0, 4, -1, 1.5])
def test_epochs_beyond_the_recipe_are_refused(estimate, epochs):
    with pytest.raises(ValueError, match="from 1 to the recipe's 3"):
        estimate(ARCH, epochs=epochs)


def test_what_is_no_architecture_is_refused(estimate):
    with pytest.raises(ValueError, match="choice 0"):
        estimate((9, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    "wrong", [{"images": 0}, {"lr": -1.0}, {"epochs": 1.5}, {"momentum": 1.0}, {"optimizer": "adam"}]
)
def test_a_recipe_that_makes_no_sense(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Recipe(**wrong)


def test_more_images_than_there_are():
    with pytest.raises(ValueError, match="9000 training images, fashion16 has 8000"):
        Training(SPACE, Recipe(images=9000))(ARCH)


def test_recipes_are_those_of_the_design():
    common = {"size": 8, "batch": 64, "momentum": 0.9, "decay": 5e-4, "network": {}}
    assert FULL == Recipe(images=4000, epochs=8, lr=0.05, **common)
    assert FAST == Recipe(images=2000, epochs=3, lr=0.1, **common)
    assert LARGE == Recipe(images=8000, epochs=8, lr=0.05, **common)


def test_a_recipe_warms_up_and_falls_to_nothing():
    recipe = Recipe(images=640, epochs=2, lr=0.4, optimizer="adamw", warmup=0.2)  # 20 steps, of which 4 rise
    rates = [recipe.rate(step) for step in range(20)]
    assert np.argmax(rates) == 3 and rates[0] == 0.1
    assert rates[10] == pytest.approx(0.2) and 0 < rates[19] < 0.01


def test_a_training_that_blows_up_is_a_failure_on_record():
    evaluation = Training(SPACE, replace(TINY, lr=1e30), test=True, curve=True)((1, 1, 1, 1, 1, 1))
    nans = {name for name, value in evaluation.scores.items() if isnan(value)}
    assert nans >= {"accuracy", "loss", "train_loss", "test_accuracy", "accuracy@3", "loss@3", "train_loss@3"}
    assert evaluation.scores["parameters"] > 0 and evaluation.scores["madds"] > 0
    assert evaluation == Training(SPACE, replace(TINY, lr=1e30), test=True, curve=True)((1, 1, 1, 1, 1, 1))


def test_test_accuracy_is_of_the_test_images(estimate):
    tested = replace(estimate, test=True)(ARCH)
    assert 0 < tested.scores["test_accuracy"] < 1
    assert tested.scores["test_accuracy"] * 10_000 == pytest.approx(round(tested.scores["test_accuracy"] * 10_000))
    assert tested.scores["accuracy"] == estimate(ARCH).scores["accuracy"]


def test_size_without_training_is_that_of_the_training(estimate):
    scores = estimate(ARCH).scores
    assert estimate.size(ARCH) == {name: scores[name] for name in ("parameters", "madds")}


def test_evaluated_against_a_hand_case():
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    accuracy, loss = evaluated(torch.nn.Identity(), logits, torch.tensor([0, 1, 1]))
    probabilities = [np.exp(2) / (np.exp(2) + 1), np.exp(1) / (np.exp(1) + 1), 1 / (np.exp(3) + 1)]
    assert accuracy == pytest.approx(2 / 3) and loss == pytest.approx(-np.log(probabilities).mean(), rel=1e-5)


def test_progress_between_batches(estimate):
    seen: list[Progress] = []
    with watching(seen.append):
        evaluation = estimate(ARCH)
    assert evaluation == estimate(ARCH)  # being watched changed nothing
    an_epoch = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 0)]
    assert [(p.epoch, p.batch) for p in seen] == [(e + ended, b) for e in range(3) for ended, b in an_epoch]
    assert {(p.arch, p.epochs, p.batches) for p in seen} == {(ARCH, 3, 4)}
    ends = [p.accuracy for p in seen if p.batch == 0]
    assert ends[-1] == evaluation.scores["accuracy"] and not any(map(isnan, ends))
    assert isnan(seen[0].accuracy) and seen[5].accuracy == ends[0]


def test_progress_without_a_curve_costs_no_validation(estimate):
    seen: list[Progress] = []
    with watching(seen.append, curve=False):
        estimate(ARCH)
    assert all(isnan(p.accuracy) for p in seen[:-1]) and not isnan(seen[-1].accuracy)


def test_a_hook_stops_it_and_leaves_everything_as_it_was(estimate):
    threads, calls = torch.get_num_threads(), 0

    def stop(progress):
        nonlocal calls
        calls += 1
        if progress.epoch == 1 and progress.batch == 1:
            raise Cancelled

    with watching(stop), pytest.raises(Cancelled):
        estimate(ARCH)
    assert calls == 6 and torch.get_num_threads() == threads
    estimate(ARCH)
    assert calls == 6  # nobody watches any more


def test_one_thread_gives_the_threads_back():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with pytest.raises(KeyError), one_thread():
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_any_data_set_with_the_interface():
    rng = np.random.default_rng(0)
    parts = {}
    for part, n in (("train", 60), ("valid", 30), ("test", 30)):
        labels = np.arange(n) % 3
        images = rng.integers(0, 60, (n, 3, 10, 10), dtype=np.uint8)
        images[np.arange(n), labels] += 150  # the class is the bright colour
        parts |= {f"{part}_images": images, f"{part}_labels": labels}
    data = datasets.Dataset("colours", ("red", "green", "blue"), **parts)
    recipe = Recipe(size=5, images=60, epochs=20, batch=20, network={"channels": 4})
    assert Training(SPACE, recipe, data)((2,) * 6).scores["accuracy"] > 0.9
