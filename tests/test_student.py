"""The editions for students and instructors: what is gone, what stays, what is marked; and paths through the labs."""

import builtins
import json
import re
import symtable

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_labs import BOOKS

from nasviz.course import commands, instructor, lesson, sessions, student
from nasviz.course.solutions import code_of, defined, solutions
from nasviz.paths import labs_dir


@pytest.fixture(scope="module")
def handed():
    """The student edition of all labs: text by name."""
    return student.edition(labs_dir())


def before(lab, place):
    """Of the student edition of a lab: its cells up to the one that stands at a place of the stored lab."""
    made, source = student.student(BOOKS[lab]), BOOKS[lab]["cells"][place]["source"]
    sources = [cell["source"] for cell in made["cells"]]
    return made["cells"][: sources.index(source)]


@pytest.mark.parametrize("lab", BOOKS)
def test_no_solution_and_no_revealed_answer_is_in_the_student_edition(lab, handed):
    text, book = handed[f"{lab}.ipynb"], nbformat.reads(handed[f"{lab}.ipynb"], as_version=4)
    given = "\n".join(c["source"] for c in BOOKS[lab]["cells"] if lesson.tags(c) & {"exercise", "check"})
    for name, code in solutions(BOOKS[lab]).items():
        own = [line.strip() for line in code.splitlines() if line.strip() not in given]
        assert own, name
        assert json.dumps(max(own, key=len), ensure_ascii=False)[1:-1] not in text
    assert "Measured:" not in text and not any("solution" in lesson.tags(cell) for cell in book.cells)
    found = instructor.revealed(BOOKS[lab])
    assert len(found) >= 4
    for asked, (place, answer) in found.items():
        cells = before(lab, place)
        if re.match(r"[-−]?(\d+\.\d|\d\d\d|\d+ %)", answer):  # a choice stands in its question, as one of several
            shown = "\n".join(cell["source"] + json.dumps(cell.get("outputs", "")) for cell in cells)
            assert not re.search(rf"(?<![\w.]){re.escape(answer)}(?!\w)", shown), asked
        assert not [answer for cell in cells if answer in json.dumps(cell.get("outputs", []), ensure_ascii=False)]


def test_what_is_handed_out_has_no_outputs_and_can_be_filled_in(handed):
    for lab, book in BOOKS.items():
        made = nbformat.reads(handed[f"{lab}.ipynb"], as_version=4)
        nbformat.validate(made)
        assert all(not cell.outputs and cell.execution_count is None for cell in made.cells if cell.cell_type == "code")
        assert made.metadata["nasviz"]["lab"] == lab
        asked = [cell["metadata"]["tags"] for cell in book["cells"] if "exercise" in lesson.tags(cell)]
        kept = [cell.metadata["tags"] for cell in made.cells if "exercise" in lesson.tags(cell)]
        assert [set(tags) <= set(more) for tags, more in zip(asked, kept, strict=True)] == [True] * len(asked)


def test_links_lead_to_files_that_are_handed_out(handed):
    for length in (None, *sessions.PATHS):
        texts = handed if length is None else student.edition(labs_dir(), length)
        pages = {n: t for n, t in texts.items() if n.endswith(".md")}
        for name, text in texts.items():
            if name not in pages:
                book = nbformat.reads(text, as_version=4)
                text = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
            assert student.linked(text) <= texts.keys(), (length, name)
        assert "glossary.md" in pages and len(texts) > len(pages)


def output(text="5044", **more):
    return new_output("display_data", data={"text/plain": text, **more})


def test_an_edition_by_hand():
    book = new_notebook(
        cells=[
            new_markdown_cell("# A\n\nSee [the other](02-b.ipynb) and [a page](a.md#there)."),
            new_code_cell("x", metadata={"tags": ["keep"]}, outputs=[output(), output(**{"image/png": "iVBOR"})]),
            new_code_cell("y", outputs=[output(**{"image/png": "iVBOR"})], execution_count=3),
            new_markdown_cell("## Further: more"),
            new_code_cell("z = 1"),
            new_markdown_cell("## Again"),
            new_markdown_cell("Why?", metadata={"tags": ["exercise", "for:why"]}),
            new_markdown_cell("Because.", metadata={"tags": ["solution", "for:why"]}),
        ],
        metadata={"nasviz": {"seconds": 3}},
    )
    made = student.student(book, lab="01-a")
    kept = made.cells[1].outputs
    assert [(list(one.data), one.data["image/png"]) for one in kept] == [(["text/plain", "image/png"], "iVBOR")]
    assert made.cells[2].outputs == [] and made.cells[2].execution_count is None
    assert ["further" in lesson.tags(cell) for cell in made.cells] == [False] * 3 + [True] * 2 + [False] * 3
    assert student.SKIP in made.cells[3].source and student.SKIP not in made.cells[5].source
    assert lesson.tags(made.cells[7]) == {"answer", "for:why", "core"} and len(made.cells) == 8
    assert len(student.student(book, further=False).cells) == 6
    assert len(book.cells) == 8 and book.cells[2].execution_count == 3  # the lab is as it was
    assert student.unlinked(book.cells[0].source, {"a.md"}) == "# A\n\nSee the other and [a page](a.md#there)."


@pytest.mark.parametrize("source", ["guess.reveal(3)", "claim('so', True)", "on_your_run('so')"])
def test_a_picture_that_reveals_is_not_kept(source):
    cell = new_code_cell(source, metadata={"tags": ["keep"]}, outputs=[output()])
    with pytest.raises(ValueError, match="Untag it"):
        student.student(new_notebook(cells=[cell]))


def test_nothing_is_overwritten_and_nothing_is_written_by_halves(tmp_path):
    (tmp_path / "b").write_text("mine")
    with pytest.raises(FileExistsError, match="choose an empty folder"):
        student.write({"a": "1", "b": "2"}, tmp_path)
    assert (tmp_path / "b").read_text() == "mine" and not (tmp_path / "a").exists()


# ------------------------------------------------------------------------------------------------------------- paths
def names(code):
    """Names that a cell gives a value, and names that it asks for, also inside its functions."""
    table = symtable.symtable(code, "cell", "exec")
    given = {one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()}
    asked, todo = set(), [table]
    while todo:
        one = todo.pop()
        todo += one.get_children()
        asked |= {s.get_name() for s in one.get_symbols() if s.is_referenced() and (one is table or s.is_global())}
    return given, asked


@pytest.mark.parametrize("lab", BOOKS)
def test_the_core_needs_nothing_of_what_is_further(lab):
    known, further = set(dir(builtins)), set()
    for cell, beyond in lesson.sections(BOOKS[lab]):
        if cell["cell_type"] == "code":
            given, asked = names(code_of(cell["source"]))
            if beyond:
                further |= given
            else:
                assert not (asked - known - given) & further, cell["source"]
                known |= given


@pytest.mark.parametrize("length", sessions.PATHS)
def test_a_path_fits_into_its_sessions(length):
    labs = sorted(labs_dir().glob("*.ipynb"))
    found = sessions.chosen(labs, length)
    assert {one.session for one in found} == set(range(1, length + 1))
    assert len({one.path for one in found}) == len(found)
    for number in range(1, length + 1):
        spent = [lesson.minutes(BOOKS[one.path.stem]) for one in found if one.session == number]
        assert sum(one.core for one in spent) <= 90
    assert length < 13 or len(found) == len(BOOKS)


def test_a_path_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ValueError, match="3, 6, 13 sessions, and none of 5"):
        sessions.chosen([], 5)
    with pytest.raises(ValueError, match="session 1 .* needs the lab search-spaces; there are start-here"):
        sessions.chosen([tmp_path / "07-start-here.ipynb"], 3)


# ------------------------------------------------------------------------------------------------------ for instructors
@pytest.mark.parametrize("lab", BOOKS)
def test_the_instructor_edition_holds_solutions_and_answers(lab):
    made = instructor.instructor(BOOKS[lab])
    nbformat.validate(made)
    cells = {"exercise": [], "note": []}
    for cell in made["cells"]:
        for tag in cells.keys() & lesson.tags(cell):
            cells[tag].append(cell["source"])
    for code in solutions(BOOKS[lab]).values():
        assert code.strip() in map(str.strip, cells["exercise"])
    answers = [text for _, text in instructor.revealed(BOOKS[lab]).values()]
    assert all(any(text in note for note in cells["note"]) for text in answers) and len(answers) >= 4
    assert "For who teaches" in cells["note"][0] and made["cells"][1]["source"] == cells["note"][0]
    stored = sum(len(cell.get("outputs", [])) for cell in BOOKS[lab]["cells"])
    assert sum(len(cell.get("outputs", [])) for cell in made["cells"]) >= stored - 8  # those of the checks


def test_the_commands_write_editions_and_refuse_a_folder_in_use(tmp_path, capsys):
    for command in ("student", "instructor"):
        assert commands.main([command, str(tmp_path / command)]) == 0
        assert len(list((tmp_path / command).glob("*.ipynb"))) == len(BOOKS) + 1
        capsys.readouterr()
        assert commands.main([command, str(tmp_path / command)]) == 2
        assert "choose an empty folder" in capsys.readouterr().err
    assert commands.main(["student", str(tmp_path / "x"), "--labs", str(tmp_path)]) == 2
    assert f"no notebooks in {tmp_path}" in capsys.readouterr().err


def test_every_command_of_the_family_helps(capsys):
    with pytest.raises(SystemExit):
        commands.main(["--help"])
    said = capsys.readouterr().out
    for command in ("student", "instructor", "render", "form", "claims", "readme"):
        assert re.search(rf"^    {command}\b", said, re.M)
        with pytest.raises(SystemExit) as ended:
            commands.main([command, "--help"])
        assert ended.value.code == 0 and len(capsys.readouterr().out) > 200


def test_names_that_a_cell_defines():
    code = "import os\nx, (y, *z) = 1, (2, 3)\nfor i in x: j = 1\nw: int = 3\na.b = 3\nq[0] = 1\n"
    code += "def f(): k = 1\nclass A: b = 1"
    assert defined(code) == {"x", "y", "z", "w", "f", "A"}
    assert defined("%time x\ny = 1") == {"y"} and defined("not python") == set()
