"""The form of the labs: what is counted from a page, by hand on small pages, and held for each lab."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from test_labs import BOOKS

from nasviz import course
from nasviz.course import edition, experiment, lesson, rendering
from nasviz.paths import labs_dir

GLOSSARY = labs_dir() / "glossary.md"


@pytest.mark.parametrize("lab", sorted(BOOKS))
def test_a_lab_has_the_form_of_a_lesson(lab):
    assert not list(lesson.faults(BOOKS[lab]))
    spent, said = lesson.minutes(BOOKS[lab]), BOOKS[lab]["metadata"]["nasviz"]
    assert (said["minutes"], said["further"]) == (spent.core, spent.further), "render it anew"


def anchors():
    """The glossary's terms: a line each, ``**term**: what it is``, in the order of the alphabet."""
    found = re.findall(r'^<a id="([a-z0-9-]+)"></a>\*\*([^*]+)\*\*: \S.*$', GLOSSARY.read_text(), re.M)
    return dict(found)


def test_the_glossary_is_in_order_and_has_every_term():
    known = anchors()
    lines = [line for line in GLOSSARY.read_text().splitlines() if line.startswith("<a id=")]
    assert len(lines) == len(known) and list(known) == sorted(known)
    missing = [(lab, text) for lab, book in BOOKS.items() for _, text, to in lesson.terms(book) if to not in known]
    assert not missing


def test_check_cells_are_folded():
    for lab, book in BOOKS.items():
        open_ = [n for n, c in enumerate(book["cells"]) if "check" in lesson.tags(c) and lesson.visible(c)]
        assert not open_, (lab, open_)


def page(*cells, **said):
    return new_notebook(cells=cells, metadata={"nasviz": said})


def test_minutes_by_hand():
    book = page(
        new_markdown_cell("# Title\n\n" + "word " * 178),  # 180 with # and Title
        new_code_cell("\n\n".join(["x = 1"] * 12)),
        new_code_cell("guess = predict_number('How many?', 0, 1)"),  # a minute and a twelfth
        new_code_cell("player = views.Player(search)"),  # two and a twelfth
        new_code_cell("raise NotImplementedError", metadata={"tags": ["exercise"], "nasviz": {"minutes": 5}}),
        new_code_cell("x = 1\n" * 50, metadata={"tags": ["check"]}),
        new_markdown_cell("<details>" + "word " * 900 + "</details>"),
        new_code_cell("x = 1\n" * 50, metadata={"jupyter": {"source_hidden": True}}),
        new_markdown_cell("## Further: more\n\n" + "word " * 357),
        new_markdown_cell("### Inside it\n\n" + "word " * 357),
        new_markdown_cell("## Again the core\n\n" + "word " * 176),
        seconds=60,
    )
    assert lesson.minutes(book) == lesson.Minutes(core=round(1 + 1 + 1 + 2 + 2 / 12 + 5 + 1 + 1), further=4)


def test_what_is_further_computes_apart_from_the_core():
    cells = new_markdown_cell("# A"), new_markdown_cell("## Further: B"), new_code_cell("1")
    said = page(*cells, seconds=600, seconds_further=240)
    assert lesson.minutes(said) == lesson.Minutes(core=6, further=4)
    assert lesson.minutes(page(*cells, seconds=600)) == lesson.Minutes(core=10, further=0)  # rendered earlier


def test_seconds_of_a_cell_are_those_between_its_start_and_its_reply():
    cell = new_code_cell("1")
    assert rendering.seconds_of(cell) == 0
    cell["metadata"]["execution"] = {
        "iopub.execute_input": "2026-11-29T17:00:59.5Z", "shell.execute_reply": "2026-11-29T17:01:01Z"
    }  # fmt: skip
    assert rendering.seconds_of(cell) == 1.5


def test_long_sentences_in_text_and_in_what_code_says():
    thirty = "word " * 30
    book = page(
        new_markdown_cell(f"{thirty}. Then {thirty}. A formula $a + b + c + d$ is one word."),
        new_code_cell(f"claim('Here {thirty}', True)\nprint('Not said by a claim {thirty}')"),
        new_markdown_cell(f"- {thirty}\n- {thirty}\n\n{thirty}"),
    )
    assert [place for place, _ in lesson.long_sentences(book)] == [0, 1]


def test_cells_claims_headings_and_bold():
    book = page(
        new_markdown_cell("# A\n\ntext\n\n## B"),
        new_code_cell("x = 1\n" * 11),
        new_code_cell("x = 1\n" * 11, metadata={"tags": ["exercise"]}),
        new_code_cell("claim('it holds', True)"),
        new_code_cell("claim('it holds', True, unless='it does not')"),
        new_markdown_cell("**Time** 5 minutes. A **word** and a **[term](glossary.md#term)**."),
        new_markdown_cell("A **[term](glossary.md#term)** and a **[term](glossary.md#term)**."),
    )
    assert lesson.long_cells(book) == [(1, 11)]
    assert [place for place, _ in lesson.unfalsifiable(book)] == [3]
    assert lesson.inner_headings(book) == [0]
    assert lesson.bold(book) == [(5, "word")] and lesson.terms(book) == [(n, "term", "term") for n in (5, 6, 6)]


def exercise(name="f", **said):
    return new_code_cell("...", metadata={"tags": ["exercise", f"for:{name}"], "nasviz": said})


def test_exercises_and_objectives():
    good = {"level": "easy", "minutes": 5}
    aims = [{"idea": f"idea {n}", "exercise": "f"} for n in range(3)]
    kinds = [exercise(f"f{i or ''}", kind=kind, **good) for i, kind in enumerate(lesson.KINDS)]
    head = new_markdown_cell("# A\n\n- idea 0\n- idea 1\n- idea\n  2")
    assert not list(lesson.faults(page(head, *kinds, objectives=aims)))
    assert any("no exercise of the kind open" in one for one in lesson.faults(page(head, *kinds[:2], objectives=aims)))
    other = [*aims[:2], {"idea": "idea 3", "exercise": "g"}]
    found = list(lesson.faults(page(head, *kinds, objectives=other)))
    assert any("no exercise g" in one for one in found) and any("does not list" in one for one in found)
    with pytest.raises(ValueError, match="kind"):
        lesson.exercises(page(exercise(kind="quiz", **good)))


def test_a_claim_says_what_would_make_it_fail(monkeypatch):
    shown = []
    monkeypatch.setattr(course.claims, "display", lambda thing, metadata=None: shown.append(thing.data))
    course.claim("a < b", True, unless="a <= 3")
    assert "<details>" in shown[0] and "a &lt;= 3" in shown[0]


REPORT = "We asked whether P matters, on 30 seeds. It was 0.26 points better. The interval is −0,1 to 0.62 points."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (REPORT, ""),
        (REPORT.replace("30", "20"), "how many seeds"),
        (REPORT.replace("0.26", "0.2"), "difference that you measured is 0.26"),
        (REPORT.replace("−0,1", "0.1"), "lower end"),
        (REPORT.replace("0.62", "0.7"), "upper end"),
        ("30 seeds: 0.26, −0.1 to 0.62.", "three sentences"),
        (None, "should be a text"),
    ],
)
def test_a_report_is_read_for_its_numbers(text, words):
    conditions = experiment.reported(text, 0.262, (-0.104, 0.617), seeds=30, unit="points")
    wrong = next((said for holds, said in conditions if not holds), "")
    assert words in wrong and bool(words) == bool(wrong)


def test_an_experiment_that_is_not_begun_is_not_written():
    with pytest.raises(NotImplementedError):
        experiment.written(3, ...)
    experiment.written(3, None, "text")


def test_an_open_exercise_needs_no_code(tmp_path):
    book = page(
        exercise("why", kind="open", level="hard", minutes=5),
        new_markdown_cell("What to expect.", metadata={"tags": ["solution", "for:why"]}),
    )
    assert edition.solutions(book) == {} and len(edition.without_solutions(book)["cells"]) == 1
