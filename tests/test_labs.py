"""Every lab's exercises: the untouched stub fails its check, the folded solution passes it, usual mistakes are named.

That a lab runs head to tail, and that its claims hold, is nbval's part (labs/ is collected with the tests), or, for
lab 00 where there is a browser, that of tests/test_lab_browser.py.
"""

import ast
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import conftest
import nbformat
import pytest
import test_lab_browser
from mistakes import WRONG

from nasviz import course
from nasviz.course import edition
from nasviz.paths import labs_dir

LABS = sorted(Path(labs_dir()).glob("[0-9]*.ipynb"))
BOOKS = {path.stem: nbformat.read(path, as_version=4) for path in LABS}
EXERCISES = [(lab, name) for lab, book in BOOKS.items() for name in edition.solutions(book)]


def cells(lab, tag, name):
    found = [c for c in BOOKS[lab]["cells"] if {tag, f"for:{name}"} <= edition.tags(c)]
    assert len(found) == 1, f"{lab}: {name} needs one cell tagged {tag}, it has {len(found)}"
    return found[0]["source"]


@cache
def begun(lab):
    """The namespace after all imports of the lab, wherever they stand: they take most of the time."""
    space = {}
    for cell in BOOKS[lab]["cells"]:
        if cell["cell_type"] == "code":
            imports = [one for one in ast.parse(cell["source"]).body if isinstance(one, ast.Import | ast.ImportFrom)]
            exec(compile(ast.Module(imports, []), lab, "exec"), space)
    return space


@pytest.fixture
def names(request, monkeypatch):
    """A namespace after the lab's imports: exercises need nothing else."""
    for part in course.claims, course.questions:
        monkeypatch.setattr(part, "display", lambda *_, **__: None)
    return dict(begun(request.node.callspec.params["lab"]))


def test_there_is_a_lab_and_it_has_two_exercises():
    assert "00-start-here" in BOOKS
    for lab, book in BOOKS.items():
        assert len(edition.solutions(book)) >= 2, lab
        assert book["metadata"]["nasviz"].keys() >= {"seconds", "minutes"}, lab


@pytest.mark.parametrize(("lab", "name"), EXERCISES)
def test_the_stub_fails_and_the_solution_passes(lab, name, names):
    exec(cells(lab, "exercise", name), names)
    exec(cells(lab, "check", name), names)
    assert "not written yet" in course.results[name].wrong
    exec(edition.solutions(BOOKS[lab])[name], names)
    exec(cells(lab, "check", name), names)
    assert course.results[name].passed, course.results[name].wrong


@pytest.mark.parametrize(
    ("lab", "name", "answer", "words"),
    [(lab, name, answer, words) for lab, name in EXERCISES for answer, words in WRONG.get((lab, name), ())],
)
def test_a_usual_mistake_is_named(lab, name, answer, words, names):
    exec(answer, names)
    exec(cells(lab, "check", name), names)
    assert words in course.results[name].wrong


@pytest.mark.parametrize(
    ("chromium", "asked", "skipped"), [("a browser", True, 1), (None, True, 0), ("a browser", False, 0)]
)
def test_lab_00_runs_once_in_a_browser_or_in_nbval(chromium, asked, skipped, monkeypatch):
    marked = []
    items = [SimpleNamespace(name="Cell 0", path=path, add_marker=marked.append) for path in LABS]
    if asked:
        items.append(SimpleNamespace(name=test_lab_browser.test_the_whole_lab.__name__, path=Path(__file__)))
    monkeypatch.setattr(conftest, "find_chromium", lambda: chromium)
    conftest.pytest_collection_finish(SimpleNamespace(items=items))
    assert len(marked) == skipped
