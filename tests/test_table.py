"""The table: what is published reads back, what is damaged is refused, what is looked up is what was trained."""

import copy
import gzip
import io
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from toys import distinct

from nasviz.estimator import Estimator
from nasviz.estimators import Table, TableLookup, nasbench201_table
from nasviz.estimators.tabulate import main, publish
from nasviz.identity import identity
from nasviz.objectives import Bounded
from nasviz.run import Run
from nasviz.space import Choice, SearchSpace
from nasviz.spaces import DartsSpace, NasBench201
from nasviz.strategies import RandomSearch, RegularizedEvolution

ROOT = Path(__file__).parents[1]
SPACE = NasBench201()
EPOCHS = 4


def scores_of(arch, seed):
    """What a training of four epochs scores, deterministic; on counts of images as accuracies are."""
    rng = np.random.default_rng((*arch, seed))
    good = 0.5 + 0.4 * arch.count(3) / 6
    out = {}
    for epoch in range(1, EPOCHS + 1):
        right = int(2000 * (good - 0.3 / epoch) + rng.integers(-40, 40))
        out |= {f"accuracy@{epoch}": right / 2000, f"loss@{epoch}": rng.random(), f"train_loss@{epoch}": rng.random()}
    out |= {name: out[f"{name}@{EPOCHS}"] for name in ("accuracy", "loss", "train_loss")}
    out |= {"parameters": float(4000 + sum(arch)), "madds": float(90_000 + 7 * arch.count(3))}
    return out | {"test_accuracy": int(10_000 * good + rng.integers(-100, 100)) / 10_000}


def failed(scores):
    return {name: value if name in ("parameters", "madds") else float("nan") for name, value in scores.items()}


@pytest.fixture(scope="module")
def trainings():
    """Two seeds of 60 functions, a third of 20 of them; one training failed."""
    archs = distinct()[::84][:60]
    known = [(arch, seed) for seed in range(3) for arch in (archs if seed < 2 else archs[:20])]
    out = [(arch, seed, scores_of(arch, seed), 2.0 + seed + sum(arch) / 7) for arch, seed in known]
    arch, seed, scores, seconds = out[7]
    out[7] = arch, seed, failed(scores), seconds
    return out


@pytest.fixture(scope="module")
def made(trainings):
    return Table.of(SPACE, trainings, total=5044)


@pytest.fixture(scope="module")
def file(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "table.npz"
    made.save(path)
    return path


@pytest.fixture(scope="module")
def table(file):
    return Table.load(file)


# ------------------------------------------------------------------------------------------------------ the file
def test_a_file_reads_back_exactly(made, table):
    assert table.archs == made.archs and (table.there == made.there).all() and table.total == 5044
    assert table.columns.keys() == made.columns.keys() and table.epochs == EPOCHS
    for name, values in made.columns.items():
        expected = values.astype(np.float32) if "loss" in name else values  # losses are kept as float32
        np.testing.assert_array_equal(table.columns[name], expected, err_msg=name)
    np.testing.assert_array_equal(table.seconds, made.seconds.astype(np.float32))


def test_accuracies_are_kept_as_counts_and_twins_once(file):
    with np.load(file, allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes())
        kinds = {name: column["kind"] for name, column in header["columns"].items()}
        assert arrays[header["columns"]["test_accuracy"]["array"]].dtype == np.uint16
    assert header["space"] == "nasbench201" and header["columns"]["test_accuracy"]["of"] == 10_000
    assert header["columns"]["accuracy"] == {"kind": "same", "as": f"accuracy@{EPOCHS}"}
    assert kinds["parameters"] == "whole" and kinds["loss@1"] == "floats" and kinds["accuracy@1"] == "counts"


def test_the_same_table_gives_the_same_bytes_and_nothing_is_overwritten(made, file, tmp_path):
    made.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()
    with pytest.raises(FileExistsError):
        made.save(file)


def test_accuracies_that_are_no_counts_survive_too(tmp_path):
    archs = (3,) * 6, (1,) * 6
    table = Table.of(SPACE, [(arch, 0, {"accuracy": 1 / 3 + sum(arch) / 1e5}, 1.0) for arch in archs])
    table.save(tmp_path / "a.npz")
    read = Table.load(tmp_path / "a.npz")
    np.testing.assert_allclose(read.column("accuracy"), table.column("accuracy"), rtol=1e-7)


@examples(400)
@given(st.data())
def test_damaged_files_are_refused_with_a_sentence(file, tmp_path_factory, data):
    raw = bytearray(file.read_bytes())
    what = data.draw(st.sampled_from(("cut", "flip", "zero", "insert")))
    at = data.draw(st.integers(0, len(raw) - 1))
    if what == "cut":
        raw = raw[:at]
    elif what == "flip":
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
    elif what == "zero":
        raw[at : at + data.draw(st.integers(1, 200))] = b""
    else:
        raw[at:at] = data.draw(st.binary(min_size=1, max_size=20))
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(raw)
    try:
        read = Table.load(path)
    except ValueError as error:
        assert "damaged.npz" in str(error) and "Get it back" in str(error)
    else:  # zip does not guard its dates and the like
        assert read.archs == Table.load(file).archs


def rewritten(file, path, change):
    """The file with its arrays changed, and whole as a zip file."""
    with np.load(file, allow_pickle=False) as arrays:
        kept = dict(arrays)
    header = json.loads(kept["header"].tobytes())
    change(kept, header)
    kept["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with path.open("wb") as out:
        np.savez_compressed(out, **kept)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, header: header.update(format="something else"),
        lambda arrays, header: header.update(space="atlantis"),
        lambda arrays, header: header.update(total=3),
        lambda arrays, header: header["columns"]["accuracy"].update({"as": "nothing"}),
        lambda arrays, header: header["columns"]["loss@1"].update(kind="odd"),
        lambda arrays, header: arrays.pop("there"),
        lambda arrays, header: arrays.update(seconds=arrays["seconds"][:-1]),
        lambda arrays, header: arrays.update(archs=arrays["archs"] + 4),
        lambda arrays, header: arrays.update(archs=arrays["archs"][::-1]),
        lambda arrays, header: arrays.update({"column 0": arrays["column 0"] + 2001}),
        lambda arrays, header: arrays.update(there=np.zeros_like(arrays["there"])),
        lambda arrays, header: arrays.update(aliases=np.roll(arrays["aliases"], 1)),
    ],
)
def test_whole_files_that_contradict_themselves_are_refused(file, tmp_path, change):
    with pytest.raises(ValueError, match="odd.npz"):
        Table.load(rewritten(file, tmp_path / "odd.npz", change))


def test_foreign_files_are_refused(tmp_path):
    foreign = tmp_path / "foreign.npz"
    for raw in (b"", b"hello", b"PK\x03\x04", gzip.compress(b"x" * 99)):
        foreign.write_bytes(raw)
        with pytest.raises(ValueError, match="no table"):
            Table.load(foreign)
    np.savez(foreign, images=np.zeros(3))
    with pytest.raises(ValueError, match="no table"):
        Table.load(foreign)
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{"a": 1}], object), allow_pickle=True)
    foreign.write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Table.load(foreign)


# ------------------------------------------------------------------------------------------------------ looking up
def test_an_answer_is_the_training_at_its_epoch_with_its_share_of_the_seconds(table, trainings):
    estimate = TableLookup(table)
    for arch, seed, scores, seconds in trainings[10::7]:
        full = estimate(arch, seed=seed)
        assert full.scores["accuracy"] == scores["accuracy"] and full.seconds == pytest.approx(seconds)
        assert (full.arch, full.epochs, full.seed) == (arch, EPOCHS, seed)
        assert "test_accuracy" not in full.scores and "accuracy@1" not in full.scores
        early = estimate(arch, epochs=1, seed=seed)
        assert early.scores["accuracy"] == scores["accuracy@1"] and early.scores["madds"] == scores["madds"]
        assert early.seconds == pytest.approx(seconds / EPOCHS) and early.epochs == 1
    with pytest.raises(ValueError, match=r"after \[1, 2, 3, 4\] epochs, not after 5"):
        estimate(table.archs[0], epochs=5)


def test_seeds_are_counted_round_those_that_are_there(table):
    estimate, fixed = TableLookup(table), TableLookup(table, seed=1)
    two, three = (next(arch for arch in table.archs if table.there[table.row(arch)].sum() == n) for n in (2, 3))
    assert estimate(two, seed=4).scores == estimate(two, seed=0).scores != estimate(two, seed=1).scores
    assert estimate(three, seed=2).scores == estimate(three, seed=5).scores != estimate(three, seed=0).scores
    assert fixed(two, seed=4).scores == estimate(two, seed=1).scores and fixed(two, seed=4).seed == 4
    for seed in range(4):
        row = table.row(two)
        assert table.column("accuracy", seed)[row] == estimate(two, seed=seed).scores["accuracy"]


def test_an_answer_that_is_changed_changes_no_later_answer(table):
    estimate, arch = TableLookup(table), table.archs[5]
    estimate(arch).scores["accuracy"] = 9.0
    assert estimate(arch).scores["accuracy"] < 1


def test_a_failed_training_stays_a_failure(table, trainings):
    arch, seed, _, _ = trainings[7]
    assert np.isnan(TableLookup(table)(arch, seed=seed).scores["accuracy"])
    assert not np.isnan(table.judge(arch, seed))  # the others did not fail
    assert np.isnan(table.judge(arch, seed + 1))


def test_architectures_that_compute_the_same_share_a_row(table, made):
    there = {SPACE.canonical(arch): arch for arch in table.archs}
    rng, found = np.random.default_rng(0), 0
    for _ in range(3000):
        arch = SPACE.sample(rng)
        expected = there.get(SPACE.canonical(arch))
        if expected is None:
            assert arch not in table
        else:
            found += arch != expected
            assert table.row(arch) == made.row(arch) == table.archs.index(expected)
    assert found > 10


def test_vectorised_look_up_is_the_single_one(table, made):
    archs = [arch for arch in (SPACE.sample(np.random.default_rng(i)) for i in range(3000)) if arch in table]
    expected = [table.row(arch) for arch in archs]
    for one in (table, made):
        assert one.rows(np.array(archs)).tolist() == one.rows(archs).tolist() == expected
    values = [TableLookup(table)(arch).scores["accuracy"] for arch in archs]
    np.testing.assert_array_equal(table.column("accuracy")[table.rows(archs)], values)


def test_what_is_not_there_is_a_key_error_with_the_coverage(table, made):
    missing = next(a for a in distinct() if a not in table)
    for one in (table, made):
        for ask in (one.row, TableLookup(one), one.judge, lambda arch, one=one: one.rows([arch])):
            with pytest.raises(KeyError, match=r"60 of 5,044 rows \(1.2 %\); trainings by seed: 60, 60, 20"):
                ask(missing)
        with pytest.raises(ValueError, match="choice 5"):
            one.rows([(0, 0, 0, 0, 0, 9)])
    with pytest.raises(ValueError, match="no architecture"):
        TableLookup(table)((1, 2))
    with pytest.raises(ValueError, match="no column 'speed'"):
        table.column("speed")


def test_a_search_is_judged_by_seeds_and_images_that_it_has_not_seen(table, trainings):
    test = {(arch, seed): scores["test_accuracy"] for arch, seed, scores, _ in trainings}
    for arch in table.archs[10:20]:
        seeds = [seed for seed in range(3) if (arch, seed) in test]
        for seen in seeds:
            expected = np.mean([test[arch, seed] for seed in seeds if seed != seen])
            assert table.judge(arch, seen) == pytest.approx(expected, nan_ok=True)
            assert table.truth(seen)[table.row(arch)] == pytest.approx(expected, nan_ok=True)


def test_without_a_second_seed_nothing_judges_unless_there_is_one_seed_only(trainings):
    one = Table.of(SPACE, [row for row in trainings if row[1] == 0])
    arch = one.archs[3]
    assert one.judge(arch) == scores_of(arch, 0)["test_accuracy"]
    rest = [row for row in trainings if row[1] == 1 and row[0] != arch]
    two = Table.of(SPACE, [*(row for row in trainings if row[1] == 0), *rest])
    with pytest.raises(KeyError, match="with another seed than 0"):
        two.judge(arch)
    assert np.isnan(two.truth()[two.row(arch)]) and np.isnan(two.truth()).sum() == 1


@pytest.mark.parametrize("name", ["table", "made"])
def test_a_search_inside_a_partial_table_finds_only_what_is_there(request, name, tmp_path):
    space = (one := request.getfixturevalue(name)).known()
    assert "60 rows" in repr(space) and space.why_invalid(distinct()[1]) == "the table has no row for it"
    search = RegularizedEvolution(space, TableLookup(one), population=10, tournament=3, evaluations=40, seed=2)
    steps = list(Run(search, tmp_path / "run.jsonl"))
    assert len(steps) == 40 and all(step.evaluation.arch in one for step in steps)
    again = Run(search, tmp_path / "run.jsonl")
    assert list(again) == steps  # recorded, and resumed from the record
    assert SPACE.why_invalid(distinct()[1]) is None  # the space itself has not changed


def priced(space, archs):
    return Table.of(space, [(arch, 0, {"accuracy": 0.5, "madds": float(sum(arch))}, 1.0) for arch in archs])


@pytest.mark.parametrize("space", [SPACE, DartsSpace()], ids=lambda space: space.name)
def test_a_bound_leaves_out_what_costs_too_much(space, tmp_path):
    rng = np.random.default_rng(0)
    archs = list(dict.fromkeys(space.sample(rng) for _ in range(200)))
    table = priced(space, archs)
    limit = float(np.median([sum(arch) for arch in archs]))
    cheap = [arch for arch in archs if sum(arch) <= limit]
    known = table.known(Bounded("madds", limit))
    assert 50 < len(cheap) < len(archs) and f"madds at most {limit}" in repr(known)
    assert known.title == (space.title or space.name)  # in pictures a cell is the same cell
    assert all((known.rule(arch) is None) == (arch in cheap) for arch in archs)
    drawn = {known.sample(rng) for _ in range(300)} | {known.mutate(cheap[0], rng) for _ in range(20)}
    assert len(drawn) > 50 and {table.archs[table.row(arch)] for arch in drawn} <= set(cheap)
    dear = next(arch for arch in archs if arch not in cheap)
    assert "madds are" in known.why_invalid(dear) and f"at most {limit}" in known.why_invalid(dear)
    assert known != table.known() and known == table.known(Bounded("madds", limit)) == copy.deepcopy(known)
    search = RandomSearch(known, TableLookup(table), evaluations=10)
    assert len(list(Run(search, tmp_path / "run.jsonl"))) == 10
    with pytest.raises(ValueError, match="space is"):
        Run(replace(search, space=table.known()), tmp_path / "run.jsonl")


def test_a_bound_on_a_cost_that_the_table_does_not_have_is_refused():
    table = priced(SearchSpace.from_choices({"depth": (1, 2, 3)}), [(0,), (1,), (2,)])
    with pytest.raises(ValueError, match="no column 'joules'"):
        table.known(Bounded("joules", 1.0))
    pair, alone = (table.known(Bounded("madds", limit)) for limit in (1.0, 0.5))
    assert pair.mutate((0,), np.random.default_rng(0)) == (1,)
    with pytest.raises(ValueError, match="nothing to mutate to"):
        alone.mutate((0,), np.random.default_rng(0))


def test_a_table_of_a_huge_space_is_searched_among_its_rows():
    space, rng = DartsSpace(), np.random.default_rng(0)
    archs = list(dict.fromkeys(space.sample(rng) for _ in range(50)))
    known = Table.of(space, [(arch, 0, {"accuracy": 0.5}, 1.0) for arch in archs]).known()
    assert {known.sample(rng) for _ in range(1000)} == set(archs)
    assert all(known.mutate(archs[0], rng) in archs[1:] for _ in range(20))
    assert known.can("supernet") and len(known.relaxed) == 28 and not known.can("largest")


def test_what_a_known_member_means_is_as_in_the_whole_space(table):
    known, arch = table.known(), table.archs[7]
    assert known.to_text(arch) == SPACE.to_text(arch) and known.from_text(SPACE.to_text(arch)) == arch
    assert known.canonical(arch) == SPACE.canonical(arch) and known.graph(arch) == SPACE.graph(arch)
    with pytest.raises(ValueError, match="has no row"):
        known.from_text(SPACE.to_text(SPACE.distinct()[1]))
    again = copy.deepcopy(known)
    assert again == known and again.sample(np.random.default_rng(3)) == known.sample(np.random.default_rng(3))


@pytest.mark.parametrize("kind", [tuple, list])
def test_what_only_equals_an_architecture_has_no_row(table, kind):
    """Python calls (3.0, …) and (3, …) the same key."""
    arch = table.archs[7]
    assert table.row(kind(arch)) == 7 and table.known().why_invalid(arch) is None
    for other in (map(float, arch), (float(arch[0]), *arch[1:]), arch[:5], (*arch[:5], 9)):
        with pytest.raises(ValueError, match="is no architecture"):
            table.row(kind(other))


def test_a_run_knows_its_table(made, table):
    assert identity(TableLookup(table))["table"]["digest"] == table.digest
    other = Table.of(SPACE, [((3,) * 6, 0, {"accuracy": 0.5}, 1.0)])
    assert identity(TableLookup(other)) != identity(TableLookup(made)) != identity(TableLookup(table))
    assert identity(TableLookup(made, seed=1)) != identity(TableLookup(made))


def test_big_spaces_have_tables_too(tmp_path):
    space = DartsSpace()
    rng = np.random.default_rng(0)
    archs = [space.sample(rng) for _ in range(20)]
    table = Table.of(space, [(arch, 0, {"accuracy": i / 100}, 1.0) for i, arch in enumerate(archs)])
    table.save(tmp_path / "darts.npz")
    read = Table.load(tmp_path / "darts.npz")
    assert read.rows(archs).tolist() == table.rows(archs).tolist() == [table.archs.index(arch) for arch in archs]
    assert space.sample(rng) not in read


class Own(SearchSpace):
    """A space that the package does not know."""

    name = "own of a notebook"
    choices = (Choice("depth", (1, 2)), Choice("width", (8, 16, 32)))

    def distinct(self):
        return [(d, w) for d in range(2) for w in range(3)]


def test_a_table_of_an_own_space_is_read_with_the_space(tmp_path):
    table = Table.of(Own(), [((0, 1), 0, {"accuracy": 0.5}, 1.0)])
    table.save(tmp_path / "own.npz")
    assert Table.load(tmp_path / "own.npz", Own()).row((0, 1)) == 0
    with pytest.raises(ValueError, match="pass it"):
        Table.load(tmp_path / "own.npz")
    with pytest.raises(ValueError, match="own of a notebook"):
        Table.load(tmp_path / "own.npz", SPACE)


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="twice"):
        Table.of(SPACE, [((3,) * 6, 0, {"accuracy": 0.5}, 1.0)] * 2)
    with pytest.raises(ValueError, match="others"):
        Table.of(SPACE, [((3,) * 6, 0, {"accuracy": 0.5}, 1.0), ((2,) * 6, 0, {"loss": 0.5}, 1.0)])
    with pytest.raises(ValueError, match="one training"):
        Table.of(SPACE, [])
    with pytest.raises(ValueError, match="0, 1, 2"):
        Table.of(SPACE, [((3,) * 6, 5, {"accuracy": 0.5}, 1.0)])


# ------------------------------------------------------------------------------------------------------ publishing
@dataclass
class Few(Estimator):
    """Identifies a table of the real space."""

    space: SearchSpace


def part_of(trainings, path, machine="A"):
    head = {"nasviz table": 1, "estimate": identity(Few(SPACE)), "machine": {"processor": machine}}
    rows = [
        {"arch": SPACE.to_text(arch), "scores": scores, "seconds": seconds, "epochs": EPOCHS, "seed": seed}
        for arch, seed, scores, seconds in trainings
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in [head, *rows]))
    return path


def test_parts_are_published(trainings, made, tmp_path, capsys):
    a = part_of(trainings[:90], tmp_path / "a.jsonl")
    b = part_of(trainings[70:], tmp_path / "b.jsonl", "B")
    b.write_text(b.read_text() + '{"arch": "torn')
    main(["publish", str(a), str(b), str(tmp_path / "out.npz")])
    assert "60 of 5,044 rows" in capsys.readouterr().out
    read = Table.load(tmp_path / "out.npz")
    assert read.archs == made.archs and read.about["machines"] == [{"processor": "A"}, {"processor": "B"}]
    np.testing.assert_array_equal(read.columns["test_accuracy"], made.columns["test_accuracy"])
    other = [(arch, seed, scores | {"accuracy": 0.1}, seconds) for arch, seed, scores, seconds in trainings[80:]]
    with pytest.raises(ValueError, match="disagrees"):
        publish([a, part_of(other, tmp_path / "c.jsonl")], tmp_path / "none.npz")
    assert not (tmp_path / "none.npz").exists()


def test_the_ground_truth_says_how_to_make_it(monkeypatch, tmp_path, made):
    monkeypatch.setattr("nasviz.estimators.table.data_dir", lambda: tmp_path)
    nasbench201_table.cache_clear()
    with pytest.raises(FileNotFoundError, match="nasviz.estimators.tabulate publish"):
        nasbench201_table()
    made.save(tmp_path / "nasbench201-fashion16.npz")
    assert nasbench201_table().archs == made.archs and nasbench201_table() is nasbench201_table()
    nasbench201_table.cache_clear()


def test_the_table_loads_no_torch(file):
    program = (
        "import sys; from nasviz.estimators import Table, TableLookup; t = Table.load(sys.argv[1]);"
        "TableLookup(t)(t.archs[0]); print('torch' in sys.modules, 'scipy' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(file)], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.split() == ["False", "False"], ran.stderr


def test_look_ups_of_one_table_prepare_its_answers_once(made, monkeypatch):
    answer = TableLookup(made)(arch := made.archs[0])
    assert set(TableLookup(made, curve=True)(arch).scores) > set(answer.scores)  # other answers, kept apart
    monkeypatch.setattr(TableLookup, "_prepare", None)
    assert TableLookup(made, seed=0)(arch).scores == answer.scores  # a second preparation would have failed
