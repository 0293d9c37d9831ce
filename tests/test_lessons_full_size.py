"""Does it hold at full size: what is measured, on tables made by hand, and the first figures on the real ones."""

from itertools import product

import numpy as np
import published_files as made
import pytest

from nasviz.estimators import Table, nasbench201_table
from nasviz.lessons import full_size
from nasviz.spaces import NasBench201, NasBenchMacro

FOLDER = made.published_folder()
real = pytest.mark.skipif(FOLDER is None, reason="no folder of published files (NASVIZ_PUBLISHED) on this machine")
MACRO = NasBenchMacro()


def macro_truth(noise=0.0, archs=None):
    """Networks of NAS-Bench-Macro whose accuracy rises with the sum of their options; three trainings each."""
    rng, rows = np.random.default_rng(0), []
    for arch in archs or MACRO.distinct():
        for seed in range(3):
            value = 0.5 + sum(arch) / 40 + noise * rng.normal()
            rows.append((arch, seed, {"accuracy": value, "test_accuracy": value, "madds": float(sum(arch))}, 1.0))
    return full_size.Truth("made", "by hand", Table.of(MACRO, rows, about={"published": "nasbench-macro"}))


def by_name(figures):
    return {figure.finding: figure for figure in figures}


def test_one_string_of_each_published_class_is_taken():
    space, cells = NasBench201(), list(product((0, 1, 3), repeat=6))[:200]
    rows = [(arch, 0, {"accuracy": sum(arch) / 20}, 1.0) for arch in cells]
    ours, theirs = (Table.of(space, rows, about=about) for about in ({}, {"published": "nasbench201"}))
    assert full_size.one_a_class(ours) == list(ours.archs)
    taken = full_size.one_a_class(theirs)
    texts = [full_size.published_unique(arch, zeros=True) for arch in taken]
    assert len(texts) == len(set(texts)) < 200
    assert set(texts) == {full_size.published_unique(arch, zeros=True) for arch in cells}


def test_counts_and_trainings_are_measured_by_rank():
    found = by_name(full_size.counting(macro_truth()))
    assert found["madds"].value == pytest.approx(1) and 0.5 < found["size"].value < 1
    assert found["size"].low < found["size"].value < found["size"].high and found["size"].unit == "τ"
    exact, noisy = (by_name(full_size.one_training(macro_truth(noise)))["one training"] for noise in (0.0, 0.2))
    assert exact.value == pytest.approx(1) and noisy.high < 0.8


def test_noise_is_the_variance_between_trainings():
    (found,) = full_size.seed_noise(macro_truth(noise=0.05))
    (none,) = full_size.seed_noise(macro_truth())
    assert none.value == pytest.approx(0, abs=1e-12) and found.value > 0.5


def test_searches_are_compared_by_regret(monkeypatch):
    monkeypatch.setattr(full_size, "SEEDS", 6)
    monkeypatch.setattr(full_size, "EVALUATIONS", 120)
    found = by_name(full_size.searches(macro_truth()))
    assert found["regret of local search"].value == 0, "one peak: climbing reaches it"
    assert found["regret of random search"].value > 0
    gain = found["local search gains over random search"]
    assert gain.value == pytest.approx(found["regret of random search"].value) and gain.seeds == 6
    assert 1 <= found["seeds for evolution above random search"].value <= 7


def test_a_small_table_has_no_race():
    assert list(full_size.searches(macro_truth(archs=MACRO.distinct()[:500]))) == []


def test_a_forest_learns_from_fifty_trainings(monkeypatch):
    monkeypatch.setattr(full_size, "DRAWS", 3)
    found = by_name(full_size.predictor(macro_truth()))
    assert 0.4 < found["predictor, 50 trainings"].value < 1 and found["predictor, 50 trainings"].architectures == 300


def test_a_record_is_read_back_or_refused(tmp_path):
    figure = '{"finding": "size", "truth": "made", "value": 0.5, "low": 0.4, "high": 0.6, "unit": "τ", '
    path, head = tmp_path / "full-size.jsonl", '{"command": "", "sources": {}}\n'
    path.write_text(head + figure + '"architectures": 10, "seeds": 1}\n', "utf-8")
    (read,) = full_size.recorded(path)
    assert read.value == 0.5 and read.finding == "size"
    for number, text in enumerate((head + '{"a": 1}\n', "{}\n", "", "[1]")):
        path = tmp_path / f"{number}.jsonl"
        path.write_text(text, "utf-8")
        with pytest.raises(ValueError, match="holds no figures"):
            full_size.recorded(path)


# ---------------------------------------------------------------------------------------------- beside each other
def cells_truth(about, value):
    """All cells of NAS-Bench-201 with three operations, judged by a function of the cell."""
    rows = [(arch, 0, {"test_accuracy": value(arch)}, 1.0) for arch in product((0, 1, 3), repeat=6)]
    return full_size.Truth("made", "by hand", Table.of(NasBench201(), rows, about=about))


def test_twins_are_strings_of_one_network(monkeypatch):
    monkeypatch.setattr(full_size, "ENOUGH", 20)

    def counted(arch):
        return sum(op == 3 for op in arch) + 0.0

    (alike,) = full_size.twins(cells_truth({"published": "nasbench201"}, counted))
    rng = np.random.default_rng(0)
    (apart,) = full_size.twins(cells_truth({"published": "nasbench201"}, lambda arch: rng.normal()))
    assert alike.finding == "a twin's training" and alike.value > 0.6 and -0.3 < apart.value < 0.3
    assert list(full_size.twins(macro_truth())) == []


def test_a_taste_is_the_rank_of_a_count():
    truth = cells_truth({"published": "nasbench201"}, lambda arch: sum(op == 1 for op in arch) + 0.0)
    found = by_name(full_size.tastes(truth))
    assert found["count of skip_connect"].value == pytest.approx(1) and found["count of nor_conv_3x3"].value < 0
    assert "our trainings" in found and list(full_size.tastes(macro_truth())) == []


def test_one_training_is_compared_with_size_on_the_same_networks():
    found = by_name(full_size.beside_size(macro_truth()))
    size = by_name(full_size.counting(macro_truth()))["size"].value
    assert set(found) == {"one training less size"}
    assert found["one training less size"].value == pytest.approx(1 - size, abs=1e-6)


def test_noise_like_ours_is_added_to_exact_figures(monkeypatch):
    monkeypatch.setattr(full_size, "DRAWS", 3)
    (as_ours,) = full_size.as_noisy(macro_truth())
    monkeypatch.setattr(full_size, "our_noise", lambda: 0.0)
    (exact,) = full_size.as_noisy(macro_truth())
    assert exact.value == pytest.approx(1) and as_ours.high < 0.9
    assert list(full_size.as_noisy(full_size.Truth(full_size.OURS, "", macro_truth().table))) == []


def test_our_own_scores_are_those_of_our_images(monkeypatch):
    monkeypatch.setattr(full_size, "STRANGERS", 6)
    monkeypatch.setattr(full_size, "ENOUGH", 5)
    found = by_name(full_size.our_zero_cost(full_size.Truth(full_size.OURS, "", nasbench201_table())))
    assert found["nwot"].architectures == 6 and found["synflow less size"].unit == "τ"
    assert list(full_size.our_zero_cost(macro_truth())) == []


# ------------------------------------------------------------------------------------------------------ the real ones
@real
@pytest.mark.parametrize(
    ("dataset", "trained", "size", "cifar10"),
    [("cifar10", 0.65, 0.61, 1), ("cifar100", 0.60, 0.57, 0.86), ("imagenet16", 0.58, 0.51, 0.79)],
)
def test_our_table_ranks_the_published_ones_as_was_first_computed(dataset, trained, size, cifar10):
    first, truth = (
        full_size.Truth(one, "", Table.published("nasbench201", FOLDER, one)) for one in ("cifar10", dataset)
    )
    found = full_size.transfer(nasbench201_table(), truth)
    assert found.networks == 6466
    assert found.trained == pytest.approx(trained, abs=0.01) and found.size == pytest.approx(size, abs=0.01)
    assert full_size.tau(first.true(truth.archs), truth.true(truth.archs)) == pytest.approx(cifar10, abs=0.01)
    if dataset == "cifar10":
        assert found.within == pytest.approx([0.62, 0.52, 0.42, 0.33], abs=0.01)
