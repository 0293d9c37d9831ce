"""A student's own folder: updates reach what is untouched, and never what was written in."""

import json

import pytest

from nasviz.course import folder
from nasviz.course.folder import MEMORY, NotOurs, hand_out

FIRST, SECOND = {"a.ipynb": "a1", "b.md": "b1", "c.md": "c"}, {"a.ipynb": "a2", "b.md": "b2", "c.md": "c", "d.md": "d"}


def there(where):
    return {one.name: one.read_text() for one in where.iterdir() if one.name != MEMORY}


def test_what_is_untouched_is_updated_and_what_was_written_in_stays(tmp_path):
    where = tmp_path / "mine"
    assert list(hand_out(FIRST, where, 6)) == [(name, "new") for name in FIRST]
    (where / "a.ipynb").write_text("mine")
    (where / "notes.txt").write_text("notes")
    found = list(hand_out(SECOND, where, 6))
    assert found == [("a-new.ipynb", "beside"), ("b.md", "updated"), ("d.md", "new")]
    assert there(where) == SECOND | {"a.ipynb": "mine", "a-new.ipynb": "a2", "notes.txt": "notes"}
    assert list(hand_out(SECOND, where, 6)) == []  # once
    assert list(hand_out(SECOND | {"a.ipynb": "a3"}, where, 6)) == [("a-new1.ipynb", "beside")]
    assert folder.remembered(where)["path"] == 6


def test_an_edition_that_comes_back_is_no_students_work(tmp_path):
    list(hand_out(FIRST, tmp_path / "mine"))
    list(hand_out(SECOND, tmp_path / "mine"))
    assert ("a.ipynb", "updated") in list(hand_out(FIRST, tmp_path / "mine"))
    assert there(tmp_path / "mine") == FIRST | {"d.md": "d"}


def test_ends_of_lines_are_no_work(tmp_path):
    list(hand_out({"a.md": "one\ntwo\n"}, tmp_path / "mine"))
    (tmp_path / "mine" / "a.md").write_bytes(b"one\r\ntwo\r\n")
    assert list(hand_out({"a.md": "three\n"}, tmp_path / "mine")) == [("a.md", "updated")]


def test_a_kill_between_two_files_loses_nothing(tmp_path, monkeypatch):
    where = tmp_path / "mine"
    list(hand_out(FIRST, where))
    going = hand_out(SECOND, where)
    next(going)
    going.close()  # a.ipynb is updated, b.md is not
    assert list(hand_out(SECOND, where)) == [("b.md", "updated"), ("d.md", "new")] and there(where) == SECOND


def test_a_folder_that_is_not_ours_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    for where in (tmp_path, tmp_path / "file"):
        with pytest.raises(NotOurs, match="name a new folder"):
            list(hand_out(FIRST, where))
    assert there(tmp_path) == {"file": "mine"}


@pytest.mark.parametrize("memory", ["", "[]", '{"files": 3}', '{"files": {"a": "b"}}', '{"files": {}, "path": "six"}'])
def test_a_damaged_memory_is_refused(tmp_path, memory):
    list(hand_out(FIRST, tmp_path / "mine"))
    (tmp_path / "mine" / MEMORY).write_text(memory)
    with pytest.raises(NotOurs, match="copy your work into it"):
        list(hand_out(SECOND, tmp_path / "mine"))
    assert there(tmp_path / "mine") == FIRST


def test_the_memory_is_json_without_what_was_written(tmp_path):
    list(hand_out(FIRST, tmp_path / "mine"))
    assert json.loads((tmp_path / "mine" / MEMORY).read_text())["files"].keys() == FIRST.keys()
