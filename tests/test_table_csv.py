"""Benchmarks of others as tables, and the project's own ground truth against them and against itself."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from toys import distinct

from nasviz.analysis import stats
from nasviz.estimators import Table, TableLookup, nasbench201_table
from nasviz.identity import differences, identity
from nasviz.spaces import NasBench201

PUBLISHED = Path(__file__).parents[2] / "shared" / "published"
SPACE = NasBench201()


# ------------------------------------------------------------------------------------------------------ files of others
CSV = "cell,val,test,note\n{a},81.5,80,x\n{b},70,71.25,y\n"
A, B = SPACE.to_text((3, 0, 1, 0, 0, 2)), SPACE.to_text((1, 1, 1, 1, 1, 4))


def written(tmp_path, text, name="bench.csv"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["bench.csv", "bench.csv.gz"])
def test_any_benchmark_becomes_a_table(tmp_path, name):
    path = written(tmp_path, CSV.format(a=A, b=B), name)
    table = Table.read_csv(path, SPACE, "cell", {"accuracy": ("val", 0.01), "test_accuracy": ("test", 0.01)})
    estimate = TableLookup(table)
    assert estimate((3, 0, 1, 0, 0, 2)).scores == {"accuracy": pytest.approx(0.815)}
    assert table.judge((1, 1, 1, 1, 1, 4)) == pytest.approx(0.7125)
    assert estimate((3, 0, 0, 0, 2, 0), seed=3).scores == estimate((3, 0, 1, 0, 0, 2)).scores  # the same function
    table = Table.read_csv(path, SPACE, "cell")
    assert sorted(table.columns) == ["test", "val"]


def test_seeds_seconds_and_epochs_come_from_columns(tmp_path):
    text = f"architecture,s,t,e1,e9\n{A},0,30,.5,.6\n{A},1,36,.52,.61\n"
    scores = {"accuracy": "e9", "accuracy@1": "e1", "accuracy@9": "e9"}
    table = Table.read_csv(written(tmp_path, text), SPACE, scores=scores, seed="s", seconds="t")
    answer = TableLookup(table)(SPACE.from_text(A), epochs=1, seed=1)
    assert answer.scores == {"accuracy": 0.52} and answer.seconds == pytest.approx(4) and table.epochs == 9


@pytest.mark.parametrize(
    "text, message",
    [
        (CSV.format(a=A, b="|conv~0|"), "line 3: NAS-Bench-201 text, position 1"),
        (CSV.format(a=A, b=A), "twice"),
        (CSV.format(a=A, b=B).replace("70,", "x,"), "line 3: could not convert"),
        (CSV.format(a=A, b=B).replace("cell", "zell"), "no column 'cell'; its columns: zell, val"),
        (CSV.format(a=A, b=B).replace("81.5", "815"), r"line 2: an accuracy is 0 to 1, got 8.15"),
        (f"cell,val\n{A}\n", "line 2"),
        ("cell,val\n", "one training"),
        ("", "no column 'cell'"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        Table.read_csv(written(tmp_path, text), SPACE, "cell", {"accuracy": ("val", 0.01)})
    assert "bench.csv" in str(caught.value)


@examples(300)
@given(st.binary(max_size=200), st.integers(0, 200), st.booleans())
def test_only_value_errors_come_out_of_mutilated_csv(tmp_path_factory, junk, at, packed):
    raw = CSV.format(a=A, b=B).encode()
    raw = gzip.compress(raw) if packed else raw
    path = tmp_path_factory.getbasetemp() / ("junk.csv.gz" if packed else "junk.csv")
    path.write_bytes(raw[:at] + junk + raw[at + len(junk) // 2 :])
    try:
        Table.read_csv(path, SPACE, "cell", {"accuracy": ("val", 0.01)})
    except ValueError as error:
        assert "junk.csv" in str(error)


def test_text_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="is no text"):
        Table.read_csv(path, SPACE)
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is no text"):
        Table.read_csv(path, SPACE)


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published benchmark is not here")
def test_published_facts_come_out_of_the_published_numbers():
    long = {"accuracy": ("cifar10_val_200_epochs", 0.01), "parameters": "params"}
    long = Table.read_csv(PUBLISHED / "nasbench201-200epochs-zerocost.csv", SPACE, scores=long)
    short = {"accuracy": ("c10val", 0.01), "test_accuracy": ("c10test", 0.01)}
    short = Table.read_csv(PUBLISHED / "nasbench201-12epochs.csv.gz", SPACE, scores=short)
    assert len(long.archs) == 363 and len(short.archs) == 15_625
    early = short.column("accuracy")[short.rows(long.archs)]
    found = stats.tau_interval(early, long.column("accuracy"), resamples=300)
    assert found.value == pytest.approx(0.63, abs=0.01) and 0.5 < found.low < 0.63 < found.high < 0.75
    assert TableLookup(short)(long.archs[9]).scores["accuracy"] == pytest.approx(early[9])
    assert short.column("test_accuracy").max() == pytest.approx(0.8916)


# ------------------------------------------------------------------------------------------------------ our own truth
@pytest.fixture(scope="module")
def truth():
    try:
        return nasbench201_table()
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_the_ground_truth_reproduces(truth):
    from nasviz.estimators import FULL, Training

    # the table was made before recipes had an optimizer: a field that it lacks stands at its default
    assert not list(differences(truth.about["estimate"], identity(Training(SPACE, FULL, test=True, curve=True))))
    train, ours = Training(SPACE, FULL, test=True), TableLookup(truth)
    off = []
    for row in np.random.default_rng(0).integers(len(truth.archs), size=5):
        arch = truth.archs[row]
        again = train(arch, seed=0)
        assert again.scores["madds"] == ours(arch).scores["madds"]
        off.append(again.scores["accuracy"] - ours(arch).scores["accuracy"])
    assert np.abs(off).max() < 0.03 and np.abs(off).mean() < 0.012  # 0 on the same kind of machine; noise is 0.006


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published benchmark is not here")
def test_the_ground_truth_ranks_as_the_published_one_roughly_does(truth):
    other = {"accuracy": ("c10val", 0.01)}
    other = Table.read_csv(PUBLISHED / "nasbench201-12epochs.csv.gz", SPACE, scores=other)
    found = stats.tau(truth.column("accuracy"), other.column("accuracy")[other.rows(truth.archs)])
    assert 0.1 < found < 0.9  # 0.3 over the first 124 rows: other images, another ranking


def test_the_how_to_does_what_it_says(tmp_path, monkeypatch):
    """The page's own lines, on a file with the columns that it names."""
    page = (Path(__file__).parents[1] / "docs" / "your-own-table.md").read_text(encoding="utf-8")
    program = page.split("```python\n")[1].split("```")[0].replace("    ...\n", "    steps.append(step)\n")
    rng = np.random.default_rng(0)
    archs = distinct()[::100]
    draw = rng.uniform(60, 90, (len(archs), 2, 2)).round(2)
    lines = [
        f"{SPACE.to_text(arch)},{draw[i, seed, 0]},50,{draw[i, seed, 1]},3.5,{seed},12.5"
        for i, arch in enumerate(archs)
        for seed in (0, 1)
    ]
    names = "genotype,valid,valid_12_epochs,test,edge_gpu_ms,seed,training_seconds"
    (tmp_path / "cifar10.csv").write_text("\n".join([names, *lines]) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    scope = {"steps": []}
    exec(program, scope)
    assert len(scope["steps"]) == 500 and {"accuracy", "latency_ms"} == set(scope["steps"][0].evaluation.scores)
    assert all(step.evaluation.arch in scope["table"] for step in scope["steps"])
