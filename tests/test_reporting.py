"""The reporting sheet: what counts as an answer, and that a sheet filled in by hand reads back."""

import pytest

from nasviz.course import reporting
from nasviz.paths import labs_dir

GOOD = {item.key: f"an answer to question {item.practice}, in a sentence" for item in reporting.ITEMS}


def test_fourteen_practices_each_once():
    assert [item.practice for item in reporting.ITEMS] == list(range(1, 15))
    assert len({item.key for item in reporting.ITEMS}) == 14


def test_a_sheet_with_all_answers_lacks_nothing():
    assert list(reporting.missing(GOOD)) == []


@pytest.mark.parametrize(
    ("answer", "lack"),
    [
        ("", "not answered"),
        ("TODO", "not answered"),
        (" n/a. ", "not answered"),
        ("No.", "say why"),
        ("…", "not answered"),
        ("see below", "too short"),
        ("no, because nobody asked", "number"),
    ],
)
def test_what_is_no_answer_is_named(answer, lack):
    found = list(reporting.missing(GOOD | {"random": answer}))
    assert [item.key for item, _ in found] == ["random"] and lack in found[0][1]


def test_an_honest_no_with_its_reason_is_an_answer():
    assert not list(reporting.missing(GOOD | {"ablation": "no, because the budget was spent"}))


def test_all_questions_are_missing_from_nothing_and_unknown_ones_are_refused():
    assert [item for item, _ in reporting.missing({})] == list(reporting.ITEMS)
    with pytest.raises(ValueError, match="'costs'"):
        list(reporting.missing({"costs": "about 3 hours of one core"}))


def test_a_sheet_reads_back():
    assert reporting.read(reporting.sheet()) == {}
    assert reporting.read(reporting.sheet(GOOD)) == GOOD
    by_hand = reporting.sheet(GOOD).replace(GOOD["cost"], "3 hours\n\nof one core,\n- and the table")
    assert reporting.read(by_hand)["cost"] == "3 hours of one core, - and the table"


def test_a_sheet_without_a_heading_is_refused():
    with pytest.raises(ValueError, match="headings must be training"):
        reporting.read(reporting.sheet(GOOD).replace("## 8. random", "random search"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_sheet_reads_back_from_any_editor(tmp_path, end, encoding):
    text = reporting.sheet(GOOD).replace("\n", end)
    (tmp_path / "sheet.md").write_bytes(text.replace("as_run", "as\\_run").encode(encoding))
    assert reporting.read(tmp_path / "sheet.md") == GOOD
    assert reporting.read("\ufeff" + text) == GOOD


def swapped(text):
    return text.replace(". over_time", ". x").replace(". random", ". over_time").replace(". x", ". random")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("## 8. random", "random"), "no heading random"),
        (lambda text: text + "\n## 8. random\n", "random twice"),
        (lambda text: text[: len(text) // 2], "no heading"),
        (lambda text: "", "no heading training"),
        (lambda text: text.replace(". over_time", ". x").replace(". random", ". over_time"), "no heading random"),
        (swapped, "in this order; they are training"),
    ],
)
def test_a_sheet_that_was_changed_names_its_file_and_its_heading(tmp_path, change, words):
    (tmp_path / "sheet.md").write_text(change(reporting.sheet(GOOD)), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"sheet\.md: the headings must be .*{words}"):
        reporting.read(tmp_path / "sheet.md")


def test_a_sheet_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "sheet.md").write_bytes(reporting.sheet({"training": "chez Zoë"}).encode("cp1252"))
    with pytest.raises(ValueError, match=r"sheet\.md is no text in UTF-8: line \d+, byte \d+"):
        reporting.read(tmp_path / "sheet.md")


def test_the_file_beside_the_lab_is_the_blank_sheet():
    assert (labs_dir() / "08-reporting-sheet.md").read_text(encoding="utf-8") == reporting.sheet()
