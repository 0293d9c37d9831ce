"""Notebooks from elsewhere: those that can be read are, and the others are named with what to do."""

import json

import nbformat
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nasviz.course import edition, notebooks
from nasviz.paths import labs_dir


def small():
    shown = new_output("display_data", data={"text/plain": "1\n2"})
    cells = [new_markdown_cell("# Zoë\nhere"), new_code_cell("x = 1\nx", outputs=[shown], metadata={"tags": ["check"]})]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # nbformat draws them
    return new_notebook(cells=cells)


def written(tmp_path, raw, name="lab.ipynb"):
    path = tmp_path / name
    path.write_bytes(raw if isinstance(raw, bytes) else json.dumps(raw, ensure_ascii=False).encode())
    return path


def changed(**fields):
    return {**json.loads(nbformat.writes(small())), **fields}


def deep(book):
    """Nested as deeply as JSON's reader still takes, and a reader of notebooks does not."""
    return json.dumps(book).replace('"here": 0', '"here": ' + "[" * 900 + "]" * 900).encode()


def with_cell(**fields):
    cell = {
        "cell_type": "code",
        "source": "1",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "id": "a",
    } | fields
    return changed(cells=[{key: value for key, value in cell.items() if value != "gone"}])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_notebook_is_read_from_any_encoding(tmp_path, encoding, end):
    path = written(tmp_path, nbformat.writes(small()).replace("\n", end).encode(encoding))
    assert notebooks.read(path) == small()


def test_the_labs_are_read_as_before():
    for path in sorted(labs_dir().glob("*.ipynb"))[:2]:
        assert notebooks.read(path) == nbformat.read(path, as_version=4)


def test_what_an_output_shows_is_one_text_however_it_is_stored():
    output = {"data": {"text/html": ["<p>\n", "one</p>"], "text/plain": "two"}}
    assert notebooks.stored(output, notebooks.HTML) == "<p>\none</p>"
    assert notebooks.stored(output, notebooks.PLAIN) == "two"
    assert notebooks.stored(output, notebooks.PNG) == notebooks.stored({"name": "stdout"}, notebooks.HTML) == ""


def test_older_minor_formats_and_format_3_are_read(tmp_path):
    old = with_cell(id="gone") | {"nbformat_minor": 2}
    assert notebooks.read(written(tmp_path, old)).cells[0].source == "1"
    three = nbformat.convert(small(), 3)
    path = tmp_path / "three.ipynb"
    path.write_text(nbformat.v3.writes_json(three), encoding="utf-8")
    read = notebooks.read(path)
    assert read.nbformat == 4 and [cell.cell_type for cell in read.cells] == ["markdown", "code"]
    assert read.cells[1].source == "x = 1\nx"


BAD = [
    (b"", "no notebook: it is empty"),
    (b"print(1)\n", "no JSON at line 1, column 1.*Save it again in JupyterLab"),
    (b"<!DOCTYPE html>", "no JSON at line 1"),
    (nbformat.writes(small()).encode()[:-40], "no JSON at line"),
    (b'{\n<<<<<<< HEAD\n"cells": []}', "no JSON at line 2.*A merge left its marks"),
    (nbformat.writes(small()).encode("latin-1"), r"no text in UTF-8: line \d+, byte"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"[]", "a JSON object is expected"),
    (b"[" * 50_000, "nested too deeply"),
    (deep(changed(metadata={"here": 0})), "nested too deeply"),
    ({}, "nothing says its format"),
    ({"cells": []}, "nothing says its format"),
    (changed(nbformat="4"), "nothing says its format"),
    (changed(nbformat=True), "nothing says its format"),
    (changed(nbformat=2), "its format 2 is older"),
    (changed(nbformat=5), "its format 5 is newer"),
    (changed(cells=None), "no list of 'cells'"),
    ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}}, "no list of 'cells'"),
    ({"nbformat": 3, "nbformat_minor": 0, "metadata": {}}, "no 'worksheets'"),
    ({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{}]}, "no list of 'cells'"),
    (changed(metadata=[]), "no 'metadata'"),
    (changed(cells=["x"]), "cell 1 is of no known kind"),
    (with_cell(cell_type="movie"), "cell 1 is of no known kind"),
    (with_cell(source="gone"), "cell 1 has no text"),
    (with_cell(source=[1]), "cell 1 has no text"),
    (with_cell(metadata="gone"), "cell 1 has no 'metadata'"),
    (with_cell(metadata={"tags": "check"}), "cell 1 has tags"),
    (with_cell(outputs=[1]), "cell 1 has outputs"),
]


@pytest.mark.parametrize(("raw", "words"), BAD)
def test_what_is_no_notebook_is_named_and_costs_no_other(tmp_path, raw, words):
    path = written(tmp_path, raw)
    with pytest.raises(ValueError, match=rf"lab\.ipynb is .*{words}"):
        notebooks.read(path)
    good, told = written(tmp_path, nbformat.writes(small()).encode(), "good.ipynb"), []
    assert list(notebooks.read_all([path, tmp_path / "missing.ipynb", good], told.append)) == [good]
    assert len(told) == 2 and "lab.ipynb" in told[0] and "missing.ipynb" in told[1]


@examples(200)
@given(place=st.integers(0, 10_000), junk=st.binary(max_size=6), drop=st.integers(0, 40))
@pytest.mark.filterwarnings("ignore")
def test_only_value_errors_come_out_of_a_damaged_notebook(tmp_path_factory, place, junk, drop):
    raw = nbformat.writes(small()).encode()
    at = place % len(raw)
    path = tmp_path_factory.getbasetemp() / "damaged.ipynb"
    path.write_bytes(raw[:at] + junk + raw[at + drop :])
    try:
        assert isinstance(notebooks.read(path).cells, list)
    except ValueError as error:
        assert "damaged.ipynb" in str(error)


def test_a_damaged_lab_does_not_keep_the_others_from_the_students(tmp_path, monkeypatch, capsys):
    (tmp_path / "labs").mkdir()
    written(tmp_path / "labs", nbformat.writes(small()).encode(), "00.ipynb")
    written(tmp_path / "labs", b"{", "01.ipynb")
    monkeypatch.setattr("sys.argv", ["edition", "student", str(tmp_path / "labs"), str(tmp_path / "out")])
    assert edition.main() == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["00.ipynb"]
    assert "01.ipynb is no notebook: no JSON at line 1, column 2" in capsys.readouterr().err
