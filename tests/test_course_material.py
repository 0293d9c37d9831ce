"""What one teaches from, in course/: complete, current, in plain words, and true to the labs that it names."""

import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from test_labs import BOOKS, LABS

from nasviz.course import commands, lesson, reporting, sessions, timetable

ROOT = Path(__file__).parents[1]
COURSE = ROOT / "course"
BY_PATH = dict(zip(LABS, BOOKS.values(), strict=True))
NOTES = {path.stem: path.read_text("utf-8") for path in sorted((COURSE / "notes").glob("*.md"))}
PROJECTS = {
    p.stem: p.read_text("utf-8")
    for p in sorted((COURSE / "projects").glob("*.md"))
    if p.stem not in ("README", "rubric")
}
PAGES = {  # questions/ is made by a command, and has tests of its own
    path: path.read_text("utf-8")
    for path in [*COURSE.glob("*.md"), *COURSE.glob("notes/*.md"), *COURSE.glob("projects/*.md")]
}
PARTS = (
    "The story",
    "On the board",
    "Where students get stuck",
    "Questions to discuss",
    "A wrong idea, and what refutes it",
    "Timing",
    "What to cut",
)
PROJECT_PARTS = ("Question", "What is given", "Milestones", "Deliverable", "Pitfalls", "Computing")


def parts(text):
    """The sections of a page by their headings."""
    found = re.split(r"^## (.*)$", text, flags=re.M)
    return dict(zip(found[1::2], found[2::2], strict=True))


def items(text, mark):
    """The items of a list, each as one line."""
    return [" ".join(item.split()) for item in re.split(rf"^{mark} ", text, flags=re.M)[1:]]


# ---------------------------------------------------------------------------------------------------- notes of a lab
def test_every_lab_has_notes():
    assert set(BOOKS) <= set(NOTES), "a new lab needs course/notes of the same name"


@pytest.mark.parametrize("lab", NOTES)
def test_notes_have_all_parts(lab):
    found = parts(NOTES[lab])
    assert tuple(found) == PARTS
    assert len(items(found["The story"], r"\d\.")) == 5
    questions = items(found["Questions to discuss"], r"\d\.")
    assert 4 <= len(questions) <= 6
    for one in questions:
        assert re.match(r"\*\*.+\?\*\* \S", one), f"a question in bold, then its answer: {one}"
        assert re.search(r"sections? [\d“]|exercise `|[Tt]he lab's|[12]\d{3}", one), f"what supports the answer? {one}"
    assert 50 <= len(NOTES[lab].splitlines()) <= 130


def unknown(text, books, own):
    """What a text names of the labs that is not there: sections by number or heading, exercises."""
    text = re.sub(r"\s+", " ", text)
    named = r"(?:[Ll]ab (\d\d), )?sections? (“[^”]*”|\d+(?:(?:, | and |, and )\d+)*)"
    for lab, which in re.findall(named, text):
        titles = timetable.headings(books[lab or own])
        for one in [which[1:-1]] if which[0] == "“" else re.findall(r"\d+", which):
            if one not in titles and not any(title.startswith(f"{one} · ") for title in titles):
                yield f"lab {lab or own}: no section {one}"
    exercises = {one.name for one in lesson.exercises(books[own])}
    yield from (f"no exercise {one}" for one in re.findall(r"[Ee]xercise `(\w+)`", text) if one not in exercises)


SHORT = {stem[:2]: book for stem, book in BOOKS.items()}


@pytest.mark.parametrize("lab", [lab for lab in NOTES if lab in BOOKS])
def test_what_notes_name_is_in_the_lab(lab):
    assert not list(unknown(NOTES[lab], SHORT, lab[:2]))
    written = {one.name for one in lesson.exercises(BOOKS[lab]) if one.kind != "open"}
    stuck = parts(NOTES[lab])["Where students get stuck"]
    assert written <= set(re.findall(r"[Ee]xercise `(\w+)`", stuck)), "each exercise to write or run has its mistakes"


def test_a_section_that_is_not_there_is_found():
    cells = [new_markdown_cell("# Title"), new_markdown_cell("## 1 · One"), new_markdown_cell("## Further: two")]
    books = {"00": new_notebook(cells=cells), "01": new_notebook(cells=cells[:1])}
    good = "(section 1), sections 1 and 1, section “Further: two”, lab 00, section 1"
    assert not list(unknown(good, books, "00"))
    for bad in ("section 2", "sections 1 and 3", "section “Further: 2”", "lab 01, section 1", "exercise `none`"):
        assert len(list(unknown(bad, books, "00"))) == 1, bad


# --------------------------------------------------------------------------------------------------- every page
@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(COURSE)))
def test_a_page_is_plain_and_its_links_lead_somewhere(path):
    book = new_notebook(cells=[new_markdown_cell(PAGES[path])])
    assert not lesson.long_sentences(book)
    assert all(len(line) <= 120 or line.startswith("|") for line in PAGES[path].splitlines())
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", PAGES[path]):
        assert target.startswith("https://") or (path.parent / target).exists(), target


def test_every_page_is_reached_from_the_first():
    seen, todo = set(), [COURSE / "README.md"]
    while todo:
        page = todo.pop()
        if page in PAGES and page not in seen:
            seen.add(page)
            links = re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", PAGES[page])
            todo += [(page.parent / link).resolve() for link in links]
    assert seen == set(PAGES)
    assert "(course)" in (ROOT / "README.md").read_text("utf-8")


# ------------------------------------------------------------------------------------------------------- projects
def test_briefs_of_projects_are_complete():
    assert len(PROJECTS) >= 5
    for name, text in PROJECTS.items():
        assert tuple(parts(text)) == PROJECT_PARTS, name
        assert len(items(parts(text)["Milestones"], r"- Week \d+(?:–\d+)?:")) >= 4, name
        for module in re.findall(r"`(nasviz(?:\.\w+)+)`", text):
            there = ROOT / module.replace(".", "/")
            assert there.is_dir() or there.with_suffix(".py").exists() or exists(module), (name, module)


def exists(dotted):
    """Whether a dotted name can be imported, or is an attribute of what can."""
    from importlib import import_module

    module, _, name = dotted.rpartition(".")
    return hasattr(import_module(module), name)


def test_the_rubric_is_the_reporting_sheet():
    text = (COURSE / "projects" / "rubric.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.M)
    assert rows == [(str(item.practice), item.key) for item in reporting.ITEMS]


# ------------------------------------------------------------------------------------------------ paths and minutes
def test_paths_and_minutes_are_current():
    stale = [path.name for path, text in timetable.written(COURSE, BY_PATH).items() if path.read_text("utf-8") != text]
    assert not stale, "python -m nasviz course paths --out course"


@pytest.mark.parametrize("length", sessions.PATHS)
def test_a_session_is_ninety_minutes_and_every_exercise_is_done_or_homework(length):
    for session, stems, made in timetable.plans(length, BY_PATH):
        assert sum(row.minutes for row in made.rows) == timetable.SESSION
        assert min(row.minutes for row in made.rows) > 0
        assert made.rows[-1].minutes >= timetable.DISCUSSION - 1, session.title
        there = {
            (stem, one.name)
            for part, stem in zip(session.parts, stems, strict=True)
            for section in timetable.sections(BOOKS[stem])
            if part.further or not section.further
            for one in section.exercises
        }
        done = {(row.lab, name) for row in made.rows for name in re.findall(r"`(\w+)`", row.what)}
        assert done | {(stem, one.name) for stem, one in made.home} == there
        assert not done & {(stem, one.name) for stem, one in made.home}


def exercise(name, kind, level, minutes):
    said = {"kind": kind, "level": level, "minutes": minutes}
    return new_code_cell("...", metadata={"tags": ["exercise", f"for:{name}"], "nasviz": said})


def lab(*cells, seconds=0):
    return new_notebook(cells=list(cells), metadata={"nasviz": {"seconds": seconds}})


def test_sections_by_hand():
    book = lab(
        new_markdown_cell("# Title\n\n" + "word " * 178),
        new_markdown_cell("## 1 · One\n\n" + "word " * 176),
        new_markdown_cell("### Below it\n\n" + "word " * 177),
        exercise("f", "fill", "easy", 5),
        new_markdown_cell("## Further: two\n\n" + "word " * 177),
    )
    found = timetable.sections(book)
    assert [(one.title, one.further) for one in found] == [("Title", False), ("1 · One", False), ("Further: two", True)]
    assert [one.minutes for one in found] == pytest.approx([1, 7, 1])
    assert [one.name for one in found[1].exercises] == ["f"]
    assert timetable.headings(book) == ["Title", "1 · One", "Below it", "Further: two"]


def test_a_class_does_first_what_is_to_fill_in_and_keeps_time_to_discuss():
    kinds = (("open", "easy"), ("run", "medium"), ("fill", "hard"), ("fill", "medium"))
    parts = tuple(lesson.Exercise(f"{kind}_{level}", kind, level, 12) for kind, level in kinds)
    made = timetable.plan([("00-one", [timetable.Section("1 · One", 35 + 48, False, parts)])])
    assert [(row.minutes, row.what) for row in made.rows[1:-1]] == [(35 + 24, "1 · One: `run_medium`, `fill_medium`")]
    assert [one.name for _, one in made.home] == ["open_easy", "fill_hard"]
    assert made.rows[-1].minutes == 90 - 5 - 59


def test_minutes_in_notes_are_replaced_and_nothing_else():
    book = lab(new_markdown_cell("# Title"), seconds=30)
    text = f"before\n{timetable.FIRST}\nold\n{timetable.LAST}\nafter\n"
    made = timetable.with_minutes(text, book)
    assert "old" not in made and "30 s" in made and made.startswith("before\n") and made.endswith("\nafter\n")
    assert timetable.with_minutes(made, book) == made
    for bad in ("no marks", text + text):
        with pytest.raises(ValueError, match="one line"):
            timetable.with_minutes(bad, book)


def test_the_command(tmp_path, capsys):
    assert commands.main(["paths", "--path", "3"]) == 0
    said = capsys.readouterr().out
    assert "### 3 of 3" in said and "6 sessions" not in said
    assert commands.main(["paths", "--out", str(tmp_path / "none")]) == 2
    assert str(tmp_path / "none") in capsys.readouterr().err
    assert commands.main(["paths", "--labs", str(tmp_path)]) == 2
    assert "no labs" in capsys.readouterr().err
    assert commands.main(["paths", "--out", str(tmp_path), "--path", "3"]) == 2
    assert "leave --path out" in capsys.readouterr().err
    assert commands.main(["paths", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "paths.md").read_text("utf-8") == timetable.page(sessions.PATHS, BY_PATH)
    capsys.readouterr()
    assert commands.main(["paths", "--out", str(tmp_path)]) == 0 and capsys.readouterr().out == ""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "00-start-here.md").write_text("no marks")
    assert commands.main(["paths", "--out", str(tmp_path)]) == 2
    assert "00-start-here.md" in capsys.readouterr().err
