"""The examples in docstrings do what they say, and leave nothing behind."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nasviz"
EXAMPLE = re.compile(r"^ *>>>(?!.*\+SKIP)", re.MULTILINE)  # most show a picture, or train: those are skipped
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if EXAMPLE.search(path.read_text("utf-8"))]
NAMES = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in MODULES]


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nasviz.course.claims.display", lambda *_, **__: None)  # what a notebook shows is not printed
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0 and failed == 0, capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_example_is_found(capsys):
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3", {}, "wrong", None, None)
    assert doctest.DocTestRunner().run(wrong).failed == 1 and "Got:\n    2" in capsys.readouterr().out
