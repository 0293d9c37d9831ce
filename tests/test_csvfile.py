"""Tables of others as text: what is read comes out as it was meant, and all else is refused with its line."""

import gzip
import json
import warnings
from functools import partial
from math import inf, nan

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz.estimators import Table
from nasviz.spaces import DartsSpace, NasBench201

SPACE = NasBench201()
A, B, C = (SPACE.to_text((one,) * 6) for one in (3, 1, 2))


@pytest.fixture
def read(tmp_path):
    def read(text, *options, name="bench.csv", encoding="utf-8", space=SPACE, **more):
        path = tmp_path / name
        raw = text.encode(encoding)
        path.write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return Table.read_csv(path, space, *(options or ("arch",)), **more)

    return read


def numbers(table):
    """By name, the numbers of A, B, C, as far as they are there."""
    rows = [table.row_of[arch] for arch in ((3,) * 6, (1,) * 6, (2,) * 6) if arch in table.row_of]
    return {name: values[rows].ravel().tolist() for name, values in table.columns.items()}


PLAIN = f"arch,accuracy,latency\n{A},0.91,12.5\n{B},0.85,3.25\n"
MEANT = {"accuracy": [0.91, 0.85], "latency": [12.5, 3.25]}


# ------------------------------------------------------------------------------------------------- read as it is meant
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["bench.csv", "bench.csv.gz", "bench.tsv", "bench.txt"])
def test_encodings(read, encoding, name):
    assert numbers(read(PLAIN, name=name, encoding=encoding)) == MEANT


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("last", [True, False])
def test_separators_and_ends_of_lines(read, end, separator, last):
    text = PLAIN if last else PLAIN.rstrip("\n")
    assert numbers(read(text.replace(",", separator).replace("\n", end))) == MEANT


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_where_commas_do_not_separate(read, separator):
    assert numbers(read(PLAIN.replace(",", separator).replace(".", ","))) == MEANT


def test_decimal_commas_between_quotation_marks(read):
    assert numbers(read(f'arch,accuracy\n{A},"0,91"\n{B},"0,85"\n')) == {"accuracy": [0.91, 0.85]}


@pytest.mark.parametrize(
    "text",
    [
        f"\n\narch,accuracy,latency\n\n{A},0.91,12.5\n   \n{B},0.85,3.25\n\n\n",  # blank lines
        f"arch,accuracy,latency,\n{A},0.91,12.5,\n{B},0.85,3.25,\n",  # a separator at the end of each line
        f"arch,accuracy,latency,,\n{A},0.91,12.5,,\n{B},0.85,3.25,,\n",
        f" arch , accuracy,latency \n {A} , 0.91,12.5\n{B} ,0.85 ,\t3.25\n",  # blanks around the fields
        f'"arch","accuracy","latency"\n"{A}","0.91","12.5"\n"{B}","0.85","3.25"\n',
        f"arch,accuracy,latency\n{A},+.91,1.25e1\n{B},85E-2,3.25e+00\n",
        f"latency,arch,accuracy\n12.5,{A},0.91\n3.25,{B},0.85\n",
    ],
)
def test_the_same_table_in_other_shapes(read, text):
    assert numbers(read(text)) == MEANT


WORDS = ["", " ", "nan", "NaN", "NAN", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "None", "-", "--", "<NA>", "?"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("asked", [None, {"accuracy": "accuracy", "latency": "latency"}])
def test_words_for_missing_are_nan_and_no_column_is_gone(read, word, asked):
    table = read(f"arch,accuracy,latency\n{A},0.91,12\n{B},{word},3\n", "arch", asked)
    assert numbers(table) == {"accuracy": [0.91, pytest.approx(nan, nan_ok=True)], "latency": [12, 3]}


def test_a_field_may_hold_separators_and_ends_of_lines(read):
    text = f'arch,accuracy,note\n{A},0.91,"trained, twice\nand ""again"""\n\n{B},0.85,\n{C},x,\n'
    asked = ("arch", {"accuracy": "accuracy"})
    assert numbers(read(text.replace("x,", "0.5,"), *asked)) == {"accuracy": [0.91, 0.85, 0.5]}
    with pytest.raises(ValueError, match=r"bench.csv, line 6: could not convert 'x' in the column 'accuracy'"):
        read(text, *asked)


def test_texts_with_commas_need_semicolons_or_quotation_marks(read):
    space = DartsSpace()
    text = space.to_text(space.sample(np.random.default_rng(0)))
    assert "," in text
    for line in (f'"{text}",0.9', f"{text};0.9", f"{text}\t0.9"):
        separator = next(s for s in (";", "\t", ",") if s in line)
        assert read(f"arch{separator}accuracy\n{line}\n", space=space).column("accuracy").tolist() == [0.9]


def test_infinite_is_what_it_is(read):
    assert numbers(read(f"arch,loss\n{A},inf\n{B},-Infinity\n")) == {"loss": [inf, -inf]}


def test_columns_that_nobody_asks_for_may_hold_anything(read):
    text = f"arch,val,note,when\n{A},91,5 %,2026-11-28\n{B},85,7,1.234.567\n"
    assert numbers(read(text, "arch", {"accuracy": ("val", 0.01)})) == {"accuracy": [0.91, 0.85]}


def test_seeds_that_a_program_wrote_as_decimals(read):
    text = f"arch,accuracy,seed,t\n{A},0.91,0.0,\n{A},0.9,1.0,36\n"
    table = read(text, seed="seed", seconds="t")
    assert table.columns["accuracy"].tolist() == [[0.91, 0.9]] and np.isnan(table.seconds).tolist() == [[True, False]]


# --------------------------------------------------------------------------------------------------------- said aloud
@pytest.mark.parametrize("text", [PLAIN, PLAIN.replace(",", ";")])
def test_columns_of_words_are_left_out_with_a_warning_that_names_them(tmp_path, text):
    sep = ";" if ";" in text else ","
    first, *rest = text.splitlines()
    words = [f"{first}{sep}gpu{sep}empty", *(f"{line}{sep}A100{sep}" for line in rest)]
    path = tmp_path / "bench.csv"
    path.write_text("\n".join(words))
    with pytest.warns(UserWarning, match=r"bench\.csv: left out, since no numbers stand there: 'gpu', 'empty'") as told:
        table = Table.read_csv(path, SPACE, "arch")
    assert numbers(table) == MEANT and told[0].filename == __file__


# ------------------------------------------------------------------------------------------------------------- refused
@pytest.mark.parametrize(
    ("text", "words"),
    [
        # another number of fields
        (f"arch,accuracy,latency\n{A},0,91,12,5\n{B},0,85,3,25\n", "line 2: 5 fields, and the first line has 3 names"),
        (f"arch,accuracy,latency\n{A},0,91,12,5\n", "If numbers have decimal commas, write points"),
        (f"arch,accuracy,latency\n{A},0.91,12\n{B},0.85\n", "line 3: 2 fields.*Is the line cut short?"),
        (f"arch,accuracy\n{A},0.91\n{B}", "line 3: 1 fields"),
        (f"arch,accuracy\n\n{A},0.91,\n", "line 3: 3 fields.*separators too many"),
        (f"arch;accuracy\n{A};0.91;x\n", "line 2: 3 fields.*holds ';' stands between quotation marks"),
        (f"arch,accuracy\n{A},0.9\n\n{B},0.8,7\n", "line 4"),
        # names
        (f"arch,accuracy,accuracy\n{A},0.9,0.8\n", "line 1: two columns are called 'accuracy'"),
        (f"arch,accuracy, accuracy \n{A},0.9,0.8\n", "two columns are called 'accuracy'"),
        (f"arch,arch,accuracy\n{A},{A},0.8\n", "two columns are called 'arch'"),
        (f"\n,arch,,accuracy\n0,{A},1,0.8\n", "line 2: two columns have no name"),
        (f",arch,accuracy\n0,{A},0.91\n", "a column of numbers has no name"),
        (f"{A},0.91\n{B},0.85\n", r"no column 'arch'; its columns: \|nor.*The first line names the columns"),
        (f"arch|accuracy\n{A}|0.91\n", "no column 'arch'.*separated by commas, semicolons or tabs"),
        ("", "no column 'arch'; its columns: none, since the file is empty"),
        ("\n \n", "since the file is empty"),
        ("arch,accuracy\n", "one training"),
        (f"arch\n{A}\n", "no column of numbers"),
        (f"arch,accuracy\n{A},\n", "left out, since no numbers stand there: 'accuracy'. A table needs"),
        # cells
        (f"arch,accuracy\n{A},0.91\n{B},x\n", "line 3: could not convert 'x' in the column 'accuracy'.*scores="),
        (f"arch,accuracy\n{A},failed\n{B},0.9\n", "line 2: could not convert 'failed'"),
        (f"arch,accuracy\n{A},91.5%\n", "line 2: could not convert '91.5%'.*percent sign.*0.01"),
        (f"arch,accuracy\n{A},91.5\n", r"line 2: an accuracy is 0 to 1.*\('accuracy', 0.01\)"),
        (f"arch;accuracy\n{A};91,5 %\n", "percent sign"),
        (f'arch,madds\n{A},"1,234,567"\n', "line 2: could not convert '1,234,567'.*groups"),
        (f"arch;madds\n{A};1.234,5\n", "groups"),
        (f"arch;madds\n{A};1.234.567\n", "groups"),
        (f"arch,madds\n{A},1 234\n", "groups"),
        (f"arch,madds\n{A},1\u202f234\n", "groups"),
        (f"arch,madds\n{A},1'234\n", "groups"),
        (f"arch,madds\n{A},1_000\n", "groups"),
        (f'arch,madds\n{A},"1,234"\n{B},900\n', "line 2: '1,234' in the column 'madds' may be"),
        (f"arch;acc;madds\n{A};0.91;1,234\n", "line 2: '1,234'.* has a comma, and '0.91' in line 2, column 'acc', has"),
        (f"arch;acc\n{A};0.91\n{B};0,85\n", "line 3: '0,85'.*'0.91' in line 2"),
        (f"arch,madds\n{A},1e999\n", "line 2: 1e999 in the column 'madds' is too large"),
        (f"arch,madds\n{A},{'9' * 400}\n", "too large"),
        (f"arch,madds\n{A},0x10\n{B},16\n", "line 2: could not convert '0x10'"),
        (f"arch,madds\n{A},\u0661\u0662\n{B},16\n", "line 2: could not convert"),
        # architectures
        (f"arch,accuracy\n{A},0.9\n{B},0.8\n{A},0.7\n", "line 4: .* stands there twice: also in line 2.*the seed"),
        (f"arch,accuracy\n{A},0.9\n,0.8\n", "line 3: the column 'arch' is empty"),
        (f"arch,accuracy\n{A},0.9\n\n|conv~0|,0.8\n", "line 4: NAS-Bench-201 text, position 1"),
        # quotation marks
        (f'arch,accuracy\n{A},"0.9"x\n', "line 2: .*quotation marks"),
        (f'arch,accuracy\n{A},"0.9\n{B},0.8\n', "bench.csv, line .*quotation marks"),
        ('[{"arch": "x"}]', r"line 1: no line of JSON Lines: a JSON object is expected"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_that_cannot_be_read_right_is_refused(read, text, words, encoding):
    with pytest.raises(ValueError, match=words) as caught:
        read(text, encoding=encoding)
    assert "bench.csv" in str(caught.value) and len(str(caught.value)) < 900


def test_other_encodings_are_refused(read):
    with pytest.raises(ValueError, match=r"bench\.csv is no text in UTF-8: line 1, byte 11 is 0xE9"):
        read(f"arch,pr\u00e9cision\n{A},0.9\n".replace("arch", "cellule"), "cellule", encoding="latin-1")


@pytest.mark.parametrize("seed", ["", "x", "0.5", "-1", "inf", "nan"])
def test_what_is_no_seed(read, seed):
    with pytest.raises(ValueError, match="line 2: "):
        read(f"arch,accuracy,s\n{A},0.9,{seed}\n", seed="s")


def test_the_same_seed_twice_and_negative_seconds(read):
    text = f"arch,accuracy,s,t\n{A},0.9,0,1\n{A},0.8,1,1\n{A},0.7,0,1\n"
    with pytest.raises(ValueError, match="line 4: .*twice: also in line 2. Keep one of them$"):
        read(text, seed="s", seconds="t")
    with pytest.raises(ValueError, match="line 3: a training takes no -1 seconds"):
        read(f"arch,accuracy,t\n{A},0.9,1\n{B},0.8,-1\n", seconds="t")


# ---------------------------------------------------------------------------------------------------------- JSON Lines
def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


GOOD = [{"arch": A, "accuracy": 0.91, "latency": 12.5}, {"arch": B, "accuracy": 0.85, "latency": 3.25}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_json_lines(read, encoding, end):
    text = lines(*GOOD).replace("\n", end)
    assert numbers(read(text, name="bench.jsonl", encoding=encoding)) == MEANT
    assert numbers(read(text, name="bench.jsonl.gz", encoding=encoding)) == MEANT


def test_json_lines_hold_their_numbers_exactly_and_null_is_missing(read):
    text = lines({"arch": A, "x": 0.1 + 0.2, "y": None}, {"y": 12345678901234568, "x": "0.5", "arch": B})
    found = numbers(read(text))
    assert found["x"] == [0.1 + 0.2, 0.5] and np.isnan(found["y"][0]) and found["y"][1] == 12345678901234568


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (lines(*GOOD)[:-20], "line 2: no line of JSON Lines"),
        (lines(*GOOD) + '{"arch"', "line 3: no line"),
        (lines(GOOD[0]) + "[1]\n", "line 2: .*a JSON object is expected"),
        (lines(GOOD[0], {"arch": B, "accuracy": 0.85}), "line 2: .*not have the same names: 'latency'. null stands"),
        (lines(GOOD[0], GOOD[1] | {"more": 1}), "line 2: .*same names: 'more'"),
        ('{"arch": "x", "a": 1, "a": 2}\n', "line 1: .*the name 'a' stands there twice"),
        (lines(GOOD[0], GOOD[1] | {"accuracy": True}), "line 2: could not convert 'True' in the column 'accuracy'"),
        (lines(GOOD[0], GOOD[1] | {"accuracy": [1]}), "line 2: could not convert"),
        (lines(GOOD[0], GOOD[1] | {"accuracy": "85%"}), "line 2: .*percent sign"),
        (lines(GOOD[0], GOOD[1] | {"arch": [1] * 6}), "line 2: NAS-Bench-201 text"),
        (lines(GOOD[0], GOOD[1] | {"arch": None}), "line 2: the column 'arch' is empty"),
        (lines(GOOD[0], GOOD[1] | {"arch": A}), "line 2: .*twice"),
        (lines(GOOD[0], GOOD[1]).replace("3.25", "1e999"), "line 2: .*too large"),
        (lines({"cell": A, "accuracy": 1}), "no column 'arch'; its columns: cell, accuracy"),
        (json.dumps(GOOD), "line 1: no line of JSON Lines"),
        (json.dumps(GOOD[0], indent=1), "line 1: no line of JSON Lines"),
    ],
)
def test_json_lines_that_cannot_be_read_right_are_refused(read, text, words):
    with pytest.raises(ValueError, match=words) as caught:
        read(text, name="bench.jsonl")
    assert "bench.jsonl" in str(caught.value)


# ---------------------------------------------------------------------------------------------------------------- drawn
NUMBER = st.floats(0, 1) | st.just(nan)


@given(
    st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=3),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(WORDS),
    st.booleans(),
)
def test_whatever_numbers_are_written_come_back(tmp_path_factory, rows, separator, end, encoding, word, comma):
    def cell(value):
        text = word if np.isnan(value) else repr(float(value))
        return text.replace(".", ",") if comma and separator != "," else text

    text = [separator.join(("arch", "accuracy", "loss"))]
    text += [separator.join((arch, *map(cell, row))) for arch, row in zip((A, B, C), rows, strict=False)]
    path = tmp_path_factory.getbasetemp() / "drawn.csv"
    path.write_bytes((end.join(text) + end).encode(encoding))
    found = numbers(Table.read_csv(path, SPACE, "arch", {"accuracy": "accuracy", "loss": "loss"}))
    assert np.array_equal([found["accuracy"], found["loss"]], np.transpose(rows), equal_nan=True)


def spoil(text, place, kind, letter):
    cut = place % (len(text) + 1)
    return text[:cut] + {"insert": letter + text[cut:], "drop": text[cut + 1 :], "cut": ""}[kind]


@examples(300)
@given(
    st.sampled_from([PLAIN, PLAIN.replace(",", ";"), lines(*GOOD)]),
    st.integers(0, 10_000),
    st.sampled_from(["insert", "drop", "cut"]),
    st.sampled_from([*',;\t"\n\r.-+%0e_|{}[]\u00e9\ufeff\u2028', "nan", "1,5", '""', "\x1a"]),
)
@pytest.mark.filterwarnings("ignore:.*left out")
def test_a_spoiled_file_is_refused_or_says_what_it_says(tmp_path_factory, text, place, kind, letter):
    path = tmp_path_factory.getbasetemp() / "spoiled.csv"
    path.write_text(spoil(text, place, kind, letter), "utf-8", newline="")
    try:
        table = Table.read_csv(path, SPACE, "arch")
    except ValueError as error:
        assert "spoiled.csv" in str(error)
        return
    assert 1 <= len(table.archs) <= 2 and all(
        values.shape == (len(table.archs), 1) for values in table.columns.values()
    )


def test_the_digest_knows_the_file_and_what_was_asked_of_it(tmp_path):
    path = tmp_path / "bench.csv"
    path.write_text(PLAIN)
    read = partial(Table.read_csv, path, SPACE, "arch")
    before = {read().digest, read({"accuracy": "accuracy"}).digest, read({"accuracy": ("latency", 0.01)}).digest}
    assert len(before) == 3 and read().digest in before
    path.write_text(PLAIN.replace("3.25", "3.5"))
    assert read().digest not in before
