"""Texts that others wrote: every usual encoding is read, and what is no text is named with its line and byte."""

import codecs
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasviz import textfile

TEXT = "Zoë,1\nsécond,2\n"
MARKED = {
    "utf-8": TEXT.encode(),
    "utf-8 with mark": codecs.BOM_UTF8 + TEXT.encode(),
    "utf-16": TEXT.encode("utf-16"),
    "utf-16-be": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "utf-32": TEXT.encode("utf-32"),
    "utf-32-be": codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"),
}


def written(tmp_path, raw, name="x.csv"):
    path = tmp_path / name
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("name", MARKED)
@pytest.mark.parametrize("packed", ["", "plain name", "gz"])
def test_every_encoding_with_its_mark_is_the_same_text(tmp_path, name, packed):
    raw = gzip.compress(MARKED[name]) if packed else MARKED[name]
    assert textfile.read_text(written(tmp_path, raw, "x.csv.gz" if packed == "gz" else "x.csv")) == TEXT


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_end_of_a_line_is_the_same(tmp_path, end):
    assert textfile.read_text(written(tmp_path, TEXT.replace("\n", end).encode())) == TEXT


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (TEXT.encode("latin-1"), r"no text in UTF-8: line 1, byte 3 is 0xEB. Save it as UTF-8"),
        ("a,b\r\nZo,1\r\nsé,2".encode("cp1252"), "line 3, byte 2 is 0xE9"),
        ("Zoë\rsé".encode("mac-roman"), "line 1, byte 3 is 0x91"),
        (TEXT.encode("utf-16-le"), "no text in UTF-8: line 1, byte 5"),
        ("plain\n".encode("utf-16-le"), "line 1 holds a zero byte. Save it as UTF-8"),
        (b"a\nb\0c\n", "line 2 holds a zero byte"),
        (TEXT.encode()[:-1] + b"\xe2\x82", "line 2, byte 10 is 0xE2"),
        (b"\xff\xfe\x00", "no text in UTF-16-LE"),
        (b"PK\x03\x04....", "a spreadsheet or a ZIP archive. Save the sheet as 'CSV UTF-8'"),
        (b"PAR1....", "Parquet"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-4], "gzip cannot unpack it"),
        (gzip.compress(TEXT.encode("latin-1"), mtime=0), "line 1, byte 3 is 0xEB"),
    ],
)
def test_what_is_no_text_is_named(tmp_path, raw, words):
    with pytest.raises(ValueError, match=words) as caught:
        textfile.read_text(written(tmp_path, raw))
    assert "x.csv is no text" in str(caught.value)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_that_is_too_large_is_refused_before_it_fills_the_memory(tmp_path, pack):
    path = written(tmp_path, pack(b"a" * 1001))
    with pytest.raises(ValueError, match=r"x\.csv is larger than 1,000 bytes"):
        textfile.read_text(path, most=1000)
    assert len(textfile.read_text(path, most=1001)) == 1001


@given(st.binary(max_size=80), st.sampled_from([b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE]))
def test_any_bytes_are_a_text_or_a_value_error(tmp_path_factory, raw, mark):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(mark + raw)
    try:
        assert "\r" not in textfile.read_text(path)
    except ValueError as error:
        assert "any.csv" in str(error)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "Expecting"),
        ("[1]", r"a JSON object is expected, \{…\}, found \[1\]"),
        ('{"a": 1, "a": 2}', "the name 'a' stands there twice"),
        ('{"a": {"b": 1, "b": 2}}', "the name 'b' stands there twice"),
        ('{"a": 1e999}', "too large"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_is_no_object(line, words):
    with pytest.raises(ValueError, match=words):
        textfile.json_object(line)


def test_a_line_that_is_one():
    assert textfile.json_object(json.dumps({"a": [1, 2.5, None]})) == {"a": [1, 2.5, None]}
