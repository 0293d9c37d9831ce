"""Published benchmarks: small files in each original form, and the real ones where this machine has them."""

import bz2
import gzip
import json
import pickle
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import published_files as made
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from kills import Here

from nasviz.__main__ import main
from nasviz.estimators import Table, TableLookup
from nasviz.objectives import Less
from nasviz.published import cells101, cells201, find, plainpickle
from nasviz.races.race import Race
from nasviz.spaces import NasBench201, NasBenchMacro
from nasviz.spaces.nasbench201 import published_unique
from nasviz.strategies import RegularizedEvolution
from nasviz.views.charts.race import race as race_chart
from nasviz.views.stage.player import Player

ROOT = Path(__file__).parents[1]
FOLDER = made.published_folder()
real = pytest.mark.skipif(FOLDER is None, reason="no folder of published files (NASVIZ_PUBLISHED) on this machine")
SPACE = NasBench201()
CELLS = list(product(range(5), repeat=6))


def written(folder, name, raw):
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(raw)
    return path


@pytest.fixture
def nats(tmp_path):
    for name, raw in made.nats_files().items():
        written(tmp_path, f"NATS-tss-v1_0-3ffb9-simple/{name}", raw)
    return tmp_path


# ------------------------------------------------------------------------------------------------------ accuracies
def test_a_folder_of_nats_bench_becomes_a_table(nats):
    table = Table.published("nasbench201", nats, "cifar10")
    assert set(table.archs) == set(made.ARCHS) and table.there.sum() == 7  # one cell has one training
    row = table.row(made.ARCHS[2])
    assert table.columns["accuracy"][row] == pytest.approx([0.80, 0.86])  # 40 + 20 + 200/10 + seed % 7
    assert table.columns["accuracy@12"][row] == pytest.approx([0.612, 0.672]) and table.epochs == 200
    assert table.columns["test_accuracy"][row] == pytest.approx([0.80, 0.86])
    assert table.columns["accuracy_12_epochs"][row] == pytest.approx(0.612)
    assert table.columns["parameters"][row, 0] == 2_129_306 and table.columns["madds"][row, 0] == 15_647_370
    assert table.seconds[row, 0] == 6.0 and table.about["accuracy"] == "validation accuracy"
    assert np.isnan(table.columns["accuracy"][table.row(made.ARCHS[1]), 1])
    early = TableLookup(table)(made.ARCHS[2], epochs=12)
    assert early.scores["accuracy"] == pytest.approx(0.612) and early.seconds == pytest.approx(6 * 12 / 200)


@pytest.mark.parametrize("dataset", ["cifar100", "ImageNet16-120", "imagenet16"])
def test_the_other_data_sets_have_both_splits_in_one_training(nats, dataset):
    table = Table.published("nasbench201", nats / "NATS-tss-v1_0-3ffb9-simple", dataset)
    assert table.about["accuracy"] == "validation accuracy" and "test_accuracy" in table.columns


@pytest.mark.parametrize("old", [True, False])
def test_a_file_of_torch_is_read_without_torch(tmp_path, nats, old):
    path = written(tmp_path, "NAS-Bench-201-v1_1-096897.pth", made.torch_file(made.nasbench201(), old))
    table, same = Table.published("nasbench201", path), Table.published("nasbench201", nats)
    rows = same.rows(table.archs)
    assert len(table.archs) == 2
    for name, values in table.columns.items():
        assert np.array_equal(values, same.columns[name][rows], equal_nan=True), name


@pytest.mark.parametrize("name", ["nasbench201_200epochs.csv", "nasbench201_200epochs.csv.gz"])
def test_an_export_becomes_a_table(tmp_path, name):
    raw = made.csv201()
    written(tmp_path, name, gzip.compress(raw) if name.endswith("gz") else raw)
    table = Table.published("nasbench201", tmp_path)
    assert table.judge(made.ARCHS[3]) == pytest.approx(0.83)
    assert table.column("accuracy")[table.row(made.ARCHS[0])] == pytest.approx(0.605)
    other = Table.published("nasbench201", tmp_path / name, "cifar100")
    assert other.about["accuracy"].startswith("test accuracy, since") and other.digest != table.digest
    assert (other.column("accuracy") == other.column("test_accuracy")).all()
    with pytest.raises(ValueError, match="accuracy in % is 0 to 100|no column"):
        Table.published("nasbench201", written(tmp_path, "nats_bench.csv", raw.replace(b"80", b"180")))


def test_nas_bench_macro_has_three_trainings_of_each_network(tmp_path):
    one = Table.published("nasbench-macro", written(tmp_path, "nas-bench-macro_cifar10.json", made.macro_json()))
    two = Table.published("nasbench-macro", written(tmp_path, "nasbench_macro.csv", made.macro_csv()))
    space = NasBenchMacro()
    for table in (one, two):
        assert len(table.archs) == 3 and table.space == space
        row = table.row(space.from_text("20120102"))
        assert row == table.row(space.from_text("20120120"))
        assert table.columns["accuracy"][row] == pytest.approx([0.62, 0.61, 0.625])
        assert table.truth(0)[row] == pytest.approx(0.6175)  # the mean of the trainings that a search did not see
        assert table.column("madds")[row] == 7_713_280
    wrong = made.macro_csv().replace(b"20120120,62", b"20120120,63")
    with pytest.raises(ValueError, match="20120120 is the network 20120120, and has other numbers|is the network"):
        Table.published("nasbench-macro", written(tmp_path, "nasbench_macro.csv", wrong))


def test_nas_bench_101_is_read_from_its_records(tmp_path):
    table = Table.published("nasbench101", written(tmp_path, "nasbench_only108.tfrecord", made.nasbench101()))
    skip, chain = made.archs101()
    assert set(map(table.space.canonical, table.archs)) == {table.space.canonical(one) for one in (skip, chain)}
    row = table.row(skip)
    assert table.columns["accuracy"][row].tolist() == [0.90625, 0.875] and table.there.sum() == 3
    assert table.columns["test_accuracy"][row].tolist() == [0.84375, 0.8125]
    assert table.columns["accuracy@54"][row, 0] == 0.90625 * 0.75 and table.columns["accuracy_4_epochs"][row, 0] == 0.5
    assert table.seconds[row, 0] == 10.0 and table.column("parameters")[row] == 8_556_042


def test_nas_bench_101s_two_small_forms_agree(tmp_path):
    csv = Table.published("nasbench101", written(tmp_path, "nb101_sample500.csv", made.CSV101))
    json_ = Table.published(
        "nasbench101",
        written(tmp_path, "zc_nasbench101.json", made.suite_zero(False, "nasbench101", made.CELLS101)),
    )
    assert csv.archs == json_.archs  # the published example in both encodings
    assert csv.column("accuracy")[0] == pytest.approx(0.925781) and csv.column("parameters")[0] == 4_095_800
    assert csv.archs[0][21:] == (2, 2, 0, 0, 0)  # maxpool3x3 twice, conv3x3 three times


def test_races_and_views_work_on_it(tmp_path):
    lines = [f"{SPACE.to_text(arch)},{10 * sum(arch) / 3},{10 * sum(arch) / 3}" for arch in CELLS[::5]]
    text = "\n".join(["architecture,cifar10_valid,cifar10_test", *lines])
    table = Table.published("nasbench201", written(tmp_path, "nats_bench.csv", text.encode()))
    look = TableLookup(table)
    search = RegularizedEvolution(table.known(), look, evaluations=12, population=4, tournament=2)
    raced = Race([search], 12, seeds=2, executor=Here())
    list(raced)
    assert len(raced.standings().final()["RegularizedEvolution"]) == 2 and "RandomSearch" in str(raced.standings())
    assert race_chart(raced.standings(), table).still()
    player = Player(search)
    player.run(5)
    assert player.error is None and len(player.recorded_run.steps) == 5


# ------------------------------------------------------------------------------------------------------ what joins
def test_hardware_costs_join_by_the_cell(nats):
    written(nats, "HW-NAS-Bench-v1_0.pickle", made.hardware())
    table = Table.published("nasbench201", nats, also=["hardware"])
    row = table.row(made.ARCHS[1])
    assert table.columns["pixel3_latency_ms"][row, 0] == 17.5 and table.columns["fpga_energy_mj"][row, 0] == 37
    assert np.isnan(table.columns["edgetpu_latency_ms"][row, 0]) and "average_hw_metric" not in table.columns
    assert np.isnan(table.columns["pixel3_latency_ms"][row, 1]), "no training, no number"
    alone = Table.published("nasbench201", nats / "HW-NAS-Bench-v1_0.pickle")
    assert "accuracy" not in alone.columns and alone.about["accuracy"] == "not in these files"
    search = RegularizedEvolution(alone.known(), TableLookup(alone), evaluations=6, population=3, tournament=2,
                                  objective=Less("pixel3_latency_ms"))  # fmt: skip
    assert len(list(search)) == 6


@pytest.mark.parametrize("timed", [True, False])
def test_zero_cost_scores_have_the_cells_of_naslibs_order(tmp_path, timed):
    path = written(tmp_path, "zc_nasbench201.json", made.suite_zero(timed))
    table = Table.published("nasbench201", path, "cifar100")
    keys = [json.loads(key.replace("(", "[").replace(")", "]")) for key in made.CELLS]
    assert set(table.archs) == set(map(cells201.from_naslib, keys))
    assert table.column("madds")[0] == 62_500_000 and table.column("synflow")[0] == 68.25
    assert table.column("accuracy")[0] == pytest.approx(0.6834) and ("synflow_seconds" in table.columns) == timed


def test_help_needs_a_list_of_the_cells_beside_it(tmp_path):
    latencies = [float(place) for place in range(15_625)]
    written(tmp_path, "nasbench201/latency/pixel2.pt", made.torch_file(latencies, True))
    with pytest.raises(ValueError, match=r"official number.*nasbench201_200epochs\.csv"):
        Table.published("nasbench201", tmp_path / "nasbench201" / "latency")
    lines = [f"{place},{SPACE.to_text(arch)}" for place, arch in enumerate(reversed(CELLS))]
    written(tmp_path, "nasbench201/nasbench201_200epochs.csv", "\n".join(["index,architecture", *lines]).encode())
    table = Table.published("nasbench201", tmp_path / "nasbench201" / "latency")
    assert table.column("pixel2_latency_ms")[table.row(CELLS[0])] == 15_624 and len(table.archs) == 15_625


# ------------------------------------------------------------------------------------------------------ other orders
def test_naslibs_order_of_edges_is_not_ours_by_hand():
    """0→1, 0→2, 0→3, 1→2, 1→3, 2→3, with 2 for nor_conv_3x3: its third edge is our fourth."""
    arch = cells201.from_naslib((1, 1, 2, 1, 1, 1))
    assert SPACE.to_text(arch) == "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"
    assert cells201.from_naslib((1, 1, 1, 0, 3, 4)) == (0, 0, 1, 0, 2, 4)


@given(st.sampled_from(CELLS))
@examples(200)
def test_every_cell_goes_round_in_each_encoding(arch):
    assert cells201.from_naslib(cells201.to_naslib(arch)) == arch
    assert cells201.from_text(SPACE.to_text(arch)) == SPACE.from_text(SPACE.to_text(arch)) == arch


@pytest.mark.parametrize("numbers", [(0,) * 5, (0,) * 7, (5, 0, 0, 0, 0, 0)])
def test_what_is_no_cell_of_naslib_is_refused(numbers):
    with pytest.raises(ValueError, match="six numbers from 0 to 4"):
        cells201.from_naslib(numbers)


@pytest.mark.parametrize(
    ("rows", "ops", "why"),
    [
        ([[0, 1], [1, 0]], ["input", "output"], "only above the diagonal"),
        ([[0, 2], [0, 0]], ["input", "output"], "it has 0 and 1"),
        ([[0, 1]], ["input", "output"], "2 rows"),
        ([[0, 0], [0, 0]], ["input", "output"], "no path leads"),
        ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", "conv", "output"], "is none of"),
        ([], [], "2 to 7 nodes"),
    ],
)
def test_what_is_no_cell_of_nas_bench_101_is_refused(rows, ops, why):
    with pytest.raises(ValueError, match=why):
        cells101.from_matrix(rows, ops)


# ------------------------------------------------------------------------------------------------------ pickles
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**100), 2**100) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text() | st.tuples(st.text(), st.integers()), inside)
    | st.tuples(inside, inside) | st.sets(st.integers()),
    max_leaves=20,
)  # fmt: skip


@given(PLAIN, st.integers(0, 5))
@examples(150)
def test_plain_data_is_read_as_the_unpickler_reads_it(tmp_path_factory, value, protocol):
    path = written(tmp_path_factory.getbasetemp(), "plain.pickle", pickle.dumps(value, protocol))
    assert plainpickle.load(path) == value


@pytest.mark.parametrize("protocol", range(6))
def test_numbers_and_arrays_of_numpy_are_read(tmp_path, protocol):
    kinds = ("<f4", ">f8", "<i8", "|u1", "|b1", "<f2")
    arrays = [np.arange(6).reshape(2, 3).astype(kind) for kind in kinds] + [np.asfortranarray(np.ones((2, 3)))]
    value = {"one": np.float64(1.5), "two": np.int32(-7), "arrays": arrays, "again": arrays[0]}
    found = plainpickle.load(written(tmp_path, "numpy.pickle", pickle.dumps(value, protocol)))
    assert found["one"] == 1.5 and found["two"] == -7 and type(found["one"]) is float
    assert all(np.array_equal(a, b) and a.shape == b.shape for a, b in zip(found["arrays"], arrays, strict=True))
    assert found["again"] is found["arrays"][0]


class Calls:
    def __reduce__(self):
        return print, ("called",)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (pickle.dumps(Calls()), "would call 'builtins.print'"),
        (b"cos\nsystem\n(S'true'\ntR.", "would call 'os.system'"),
        (pickle.dumps(np.array([{}], object)), "numbers of the type 'O8'"),
        (pickle.dumps(made.Path()), "would call 'pathlib"),
        (b"\x80\x04K\x01K\x02\x93.", "AttributeError|TypeError|would call"),
        (b"\x80\x04N" + b"r\xff\xff\xff\x7f" + b"N", "no pickle of plain data"),
        (b"}(" + b")" + b"\x85" * 200_000 + b"NQ.", "does BINPERSID"),
        (b"})" + b"\x85" * 200_000 + b"Ns.", "a key is no text"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "no pickle of plain data"),
        (b"L" + b"9" * 3000 + b"L\n.", "a whole number of"),
        (b"", "no pickle of plain data"),
        (b"BZh91AY", "no pickle of plain data"),
        (b"PK\x03\x04", "no pickle of plain data"),
    ],
    ids=range(13),
)  # fmt: skip
def test_what_is_no_plain_data_is_refused_and_never_called(tmp_path, capsys, raw, why):
    with pytest.raises(ValueError, match=why):
        plainpickle.load(written(tmp_path, "x.pickle", raw))
    assert capsys.readouterr().out == ""


def test_what_is_too_large_when_unpacked_is_refused(tmp_path):
    with pytest.raises(ValueError, match="larger than 1,000 bytes"):
        plainpickle.load(written(tmp_path, "x.pbz2", bz2.compress(pickle.dumps("a" * 10_000))), most=1000)


# ------------------------------------------------------------------------------------------------------ finding them
@pytest.mark.parametrize(
    ("asked", "error", "why"),
    [
        ({"benchmark": "nasbench301"}, ValueError, "published benchmarks are nasbench201, nasbench-macro"),
        ({"dataset": "mnist"}, ValueError, "known on cifar10, cifar100"),
        ({"also": ["speed"]}, ValueError, "files hold accuracy, .*hardware"),
        ({}, FileNotFoundError, "holds accuracy on cifar10; they are called NATS-tss"),
        ({"path": "nowhere"}, FileNotFoundError, "nasviz tables"),
        ({"path": "other.csv"}, ValueError, "called as no file of it on cifar10 is"),
    ],
)
def test_what_cannot_be_found_is_told_with_what_to_do(tmp_path, asked, error, why):
    written(tmp_path, "other.csv", b"a,b\n1,2\n")
    path = tmp_path / asked.pop("path") if "path" in asked else tmp_path
    with pytest.raises(error, match=why):
        Table.published(**{"benchmark": "nasbench201", "path": path, "dataset": "cifar10", **asked})


def test_the_command_lists_what_is_known_and_what_is_there(nats, monkeypatch, capsys):
    monkeypatch.setenv("NASVIZ_PUBLISHED", str(nats))
    assert main(["tables"]) == 0
    told = capsys.readouterr().out
    assert f"looked for in {nats}" in told and "found: NATS-tss-v1_0-3ffb9-simple" in told
    assert all(form.name in told and form.licence in told and form.paper in told for form in find.FORMATS)
    assert set(Table.published("nasbench201").archs) == set(made.ARCHS)
    assert main(["tables", str(nats / "nowhere")]) == 0 and "not found: NATS-tss" in capsys.readouterr().out


def test_the_page_says_of_each_form_where_it_is_and_what_to_cite():
    page = (ROOT / "docs" / "published-benchmarks.md").read_text("utf-8")
    for form in find.FORMATS:
        assert form.files[0].rstrip("*") in page, form.name
        assert form.licence.split(" (")[0] in page and form.paper.split(",")[0] in page, form.name


def test_no_published_file_is_in_the_repository():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a checkout of git")
    names = [Path(line) for line in listed.stdout.splitlines()]
    assert not [str(name) for name in names for form in find.FORMATS if form.fits(name)]


def test_reading_loads_no_torch(nats):
    program = f"""if True:
        import sys
        from nasviz.estimators import Table
        print(len(Table.published("nasbench201", {str(nats)!r}).archs), "torch" in sys.modules, "pickle" in vars(sys))
    """
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.stdout.split() == ["4", "False", "False"], ran.stderr


# ------------------------------------------------------------------------------------------------------ the real ones
@real
def test_nas_bench_201_has_the_published_optima_and_classes():
    best = {"cifar10": 94.373, "cifar100": 73.513, "imagenet16": 47.311}
    for dataset, accuracy in best.items():
        table = Table.published("nasbench201", FOLDER, dataset)
        assert len(table.archs) == 15_625 and table.aliases is not None
        assert 100 * table.column("test_accuracy").max() == pytest.approx(accuracy)
        assert (table.rows(table.archs) == np.arange(15_625)).all()
    assert len({published_unique(arch, zeros=True) for arch in table.archs}) == 6466


@real
def test_naslibs_order_of_edges_gives_the_published_accuracies():
    """Validation accuracies of CIFAR-100 that NAS-Bench-Suite-Zero prints beside NASLib's numbers."""
    lines = find.read_lines(FOLDER / "nb201_zerocost_sample_timed.csv.gz")
    rows = zip(*(lines.cells[name] for name in ("dataset", "index", "val_accuracy")), strict=True)
    known = {(dataset, index): float(accuracy) for dataset, index, accuracy in rows}
    numbers = {arch: str(index) for index, arch in enumerate(find.numbering(FOLDER))}
    printed = {
        (4, 3, 3, 3, 2, 3): 68.34, (3, 3, 2, 1, 3, 2): 69.92, (4, 1, 0, 0, 0, 3): 56.78, (1, 4, 3, 4, 1, 1): 61.34,
        (1, 4, 1, 3, 4, 4): 38.38, (2, 2, 1, 3, 1, 4): 63.42, (4, 0, 3, 2, 4, 3): 64.32, (3, 2, 4, 2, 0, 3): 68.38,
    }  # fmt: skip
    for key, accuracy in printed.items():
        assert known["cifar100", numbers[cells201.from_naslib(key)]] == accuracy, key


@real
def test_all_that_joins_nas_bench_201_has_numbers():
    also = ["hardware", "devices", "zero-cost", "12 epochs", "robustness"]
    table = Table.published("nasbench201", FOLDER, "cifar10", also)
    first = table.row(find.numbering(FOLDER)[0])
    assert table.column("edgegpu_latency_ms")[first] == pytest.approx(5.807)  # as HW-NAS-Bench's page prints it
    assert np.isnan(table.column("edgetpu_latency_ms")).sum() == 4699
    assert np.isnan(table.column("nwot")).sum() == 15_625 - 9445
    assert not np.isnan(table.column("pixel2_latency_ms")).any()
    assert sum(name.endswith("_latency_ms") for name in table.columns) == 6 + 23


@real
def test_nas_bench_macro_has_its_networks_and_their_sizes():
    torch = pytest.importorskip("torch")
    from nasviz.nn import count
    from nasviz.spaces.nasbench_macro import STRIDES

    table = Table.published("nasbench-macro", FOLDER)
    assert len(table.archs) == 3969 and table.there.all() and set(table.archs) == set(table.space.distinct())
    best = table.archs[int(table.column("accuracy", None).argmax())]
    assert table.space.to_text(best) == table.space.canonical(table.space.from_text("22212220"))
    assert (table.rows(list(product(range(3), repeat=8))) >= 0).all()
    for row in np.random.default_rng(0).choice(3969, 12, replace=False):
        with torch.device("meta"):
            network = table.space.network(table.archs[row], width=1, strides=STRIDES, head=1280, colors=3)
        sizes = count.parameters(network), count.madds(network, (3, 32, 32))
        assert sizes == (table.column("parameters")[row], table.column("madds")[row])
