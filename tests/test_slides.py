"""Slides of the labs: what is shown, in which order, and that a deck needs nothing but a browser."""

import base64
import json
import re
from html import unescape

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_labs import BOOKS

from nasviz.course import commands, instructor, lesson
from nasviz.course.slides import deck, outline, prose

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="  # 1 × 1


def html(text, **said):
    return new_output("display_data", data={"text/html": text}, metadata={"nasviz": said} if said else {})


def picture(alt="A cell"):
    return new_output("display_data", data={"image/png": PNG, "text/plain": alt})


def markdown(text):
    return new_output("display_data", data={"text/markdown": text})


@pytest.fixture
def lab():
    """A lab by hand, with one thing of each kind."""
    asked = "<p><b>How many of 5 &lt; 6?</b></p><ul><li>one *star*</li><li>two</li></ul>"
    told = '<b style="color:currentColor">▸</b> Measured: <b>two</b>. You made no prediction this time.'
    fold = "<details><summary>It would fail if …</summary>it were one</details>"
    return new_notebook(
        cells=[
            new_markdown_cell("# 01 · A lab: of one cell\n\nIt is short.\n\n**Time** 3 minutes."),
            new_markdown_cell("## 1 · First\n\nWe begin here. An **[edge](glossary.md#edge)** joins two nodes."),
            new_code_cell("bet = predict_choice('…')\nbet", outputs=[html(asked)]),
            new_markdown_cell("This paragraph is only said, and nobody has to see it. It leads on:\n\n$$y = x^2$$"),
            new_code_cell(
                "bet.reveal('two')",
                outputs=[
                    html(told),
                    html(f"✓ so{fold}", claim="It is <two>", holds=True),
                    markdown("> **On your run:** 2"),
                ],
            ),
            new_markdown_cell("Look at the edges."),
            new_code_cell("views.show(x)", outputs=[picture("A cell <with> edges")]),
            new_code_cell("as_table(x)", outputs=[markdown("| a | b |\n| --- | ---: |\n| 1 | 2 |")]),
            new_markdown_cell("## Exercises"),
            new_markdown_cell("**1 · Fill in** (easy, 4 minutes). Write it."),
            new_code_cell("def f(): ...", metadata={"tags": ["exercise", "for:f"]}),
            new_code_cell("check(f)", metadata={"tags": ["check", "for:f"]}, outputs=[html("✗ not yet")]),
            new_markdown_cell("<details>THE SOLUTION</details>", metadata={"tags": ["solution", "for:f"]}),
            new_markdown_cell("## 2 · Further: more\n\n- one\n- two"),
            new_markdown_cell("## What you have seen\n\n- A cell.\n\n**Next** lab 02."),
        ],
        metadata={"nasviz": {"minutes": 3, "objectives": [{"idea": "say what a cell is", "exercise": "f"}]}},
    )


def kinds(slides):
    return [slide.kind for slide in slides]


def test_a_lab_by_hand_slide_by_slide(lab):
    slides = outline.outline(lab, "01-a-lab")
    assert kinds(slides) == [
        *("title", "objectives", "section", "question", "text", "answer", "picture", "table"),
        *("exercises", "section", "text", "summary"),
    ]
    by = dict(zip(kinds(slides)[:9], slides, strict=False))
    assert "Lab 01" in by["title"].body and "# A lab: of one cell" in by["title"].body and "3 min" in by["title"].body
    assert "We begin here. An **edge** joins two nodes." in by["section"].body
    assert "How many of 5 &#60; 6?" in by["question"].body and "<li>one &#42;star&#42;</li>" in by["question"].body
    assert by["text"].body == "It leads on:\n\n$$y = x^2$$" and "only said" in by["text"].notes[0]
    assert ">two</p>" in by["answer"].body and "How many of 5 &#60; 6?" in by["answer"].body
    assert "It is &#60;two&#62;" in by["answer"].body and "It would fail if: it were one." in by["answer"].body
    assert by["answer"].notes == ["On the run that is stored: 2", "Look at the edges."]
    assert not by["exercises"].further
    assert (
        by["picture"].body.startswith("Look at the edges.")
        and 'alt="A cell &#60;with&#62; edges"' in by["picture"].body
    )
    assert "| 1 | 2 |" in by["table"].body
    assert "**1 · Fill in** (easy, 4 minutes) Write it" in by["exercises"].body
    assert [slide.further for slide in slides[-3:]] == [True, True, False]
    assert slides[-1].body == "## What you have seen\n\n- A cell." and "Next" in slides[-1].notes[0]
    everything = "".join(slide.body + "".join(slide.notes) for slide in slides)
    assert "SOLUTION" not in everything and "not yet" not in everything and "glossary.md" not in everything
    assert not any(slide.further for slide in outline.outline(lab, "01-a-lab", further=False))


def test_a_cell_says_otherwise_by_its_slide_type(lab):
    def slides(place, kind):
        lab.cells[place].metadata["slideshow"] = {"slide_type": kind}
        made = outline.outline(lab, "01-a-lab")
        del lab.cells[place].metadata["slideshow"]
        return made

    assert "picture" not in kinds(slides(6, "skip")) and "picture" not in kinds(slides(6, "notes"))
    assert [s.body for s in slides(6, "slide") if s.kind == "code"] == ["```python\nviews.show(x)\n```"]
    shown = [slide.body for slide in slides(3, "slide") if slide.kind == "text"]
    assert shown[0].startswith("This paragraph is only said")
    assert [slide.kind for slide in slides(3, "notes")].count("text") == 1


@pytest.mark.parametrize("name", BOOKS)
def test_each_prediction_is_asked_before_it_is_answered(name):
    slides = outline.outline(BOOKS[name], name)
    found = instructor.revealed(BOOKS[name])
    assert kinds(slides)[:2] == ["title", "objectives"] and {"question", "claim", "exercises"} <= set(kinds(slides))
    assert kinds(slides).count("summary") >= 1 and len(slides) < 90
    asked: list[str] = []
    for slide in slides:
        if slide.kind == "question":
            asked += re.findall(r"## (?!Predict)(.*)|<li>(.*?)</li>", slide.body)
        for question in re.findall(r'<p class="asked">(.*?)</p>', slide.body):
            assert any(question in pair for pair in asked), question
    told = sum(slide.body.count('<p class="asked">') for slide in slides)
    assert told == sum(
        "▸" in "".join(output.get("data", {}).get("text/html", ""))
        for cell in BOOKS[name]["cells"]
        if "reveal(" in cell["source"]
        for output in cell.get("outputs", ())
    )
    assert len(found) >= 4
    pictures = re.findall(r'<img [^>]*alt="([^"]*)"', "".join(slide.body for slide in slides))
    assert all(pictures) and len(pictures) == sum(
        "image/png" in output.get("data", {}) for cell in BOOKS[name]["cells"] for output in cell.get("outputs", ())
    )
    claims = sum(
        "claim" in o.get("metadata", {}).get("nasviz", {}) for c in BOOKS[name]["cells"] for o in c.get("outputs", ())
    )
    assert claims == sum(slide.body.count('class="claim"') for slide in slides)


@pytest.mark.parametrize("name", BOOKS)
def test_the_core_alone_has_what_is_not_further(name):
    whole, core = (outline.outline(BOOKS[name], name, further=one) for one in (True, False))
    assert [s.body for s in core if s.kind == "section"] == [
        slide.body for slide in whole if slide.kind == "section" and not slide.further
    ]


# ------------------------------------------------------------------------------------------------------------ the text
def test_what_of_a_text_is_shown():
    text = (
        "Much is said here. It is said only.\n\nA **[cell](glossary.md#cell)** is a graph. "
        + "Words follow. " * 30
        + "\n\n"
        "**Left**: one. "
        + "And so on, with many words more. "
        * 9
        + "\n\nWe take two steps:\n\n1. draw one\n2. keep it\n\n"
        "<details><summary>More</summary>\n\n- hidden\n\n</details>\n\n```python\nx = 1\n```\n\n"
        "| a |\n| - |\n| [b](c.md) |"
    )
    shown = list(prose.points(text))
    assert shown[0] == "A **cell** is a graph."
    assert shown[1].startswith("**Left**: one.") and len(shown[1].split()) <= 30
    assert shown[2:] == ["We take two steps:", "1. draw one\n2. keep it", "| a |\n| - |\n| b |"]


def test_what_stands_under_the_heading_is_not_said_again():
    shown = prose.without(
        ["One is here. Two is here.", "Three is here.", "- One is here."], "One is here. Three is here."
    )
    assert list(shown) == ["Two is here.", "- One is here."]


def test_a_list_that_is_too_long_is_continued_and_keeps_its_lead():
    items = [f"- {'word ' * 12}{i}" for i in range(9)]
    pages = list(prose.pages(["It has these parts:", "\n".join(items)], most=95))
    assert len(pages) > 1 and pages[0].startswith("It has these parts:\n\n- ")
    assert [line for page in pages for line in page.split("\n") if line.startswith("- ")] == [i.rstrip() for i in items]
    short = list(prose.pages(["word " * 60, "It leads on.", "- " + "item " * 50], most=95))
    assert short[1].startswith("It leads on.\n\n- item")


def test_a_table_with_too_many_rows_says_how_many_are_left():
    rows = "\n".join(f"| {i} | {'word ' * 6}|" for i in range(60))
    made = outline._table(f"| a | b |\n| --- | --- |\n{rows}")
    shown = made.count("word word word word word word")
    assert 10 < shown < 30 and f"<small>{60 - shown} more rows stand in the lab.</small>" in made
    assert outline._table("no table") == ""


def test_an_odd_picture_is_shown_all_the_same():
    assert 'width="2" height="2"' in outline._picture(PNG, "one")  # at most half as large again
    odd = outline._picture(base64.b64encode(b"odd").decode(), "two")
    assert f'width="{outline.WIDE}"' in odd and 'alt="two"' in odd


def test_a_drawn_curve_is_answered_by_its_picture():
    told = html("<b>▸</b> You drew no curve this time: a guess on paper counts too.")
    cells = [
        new_markdown_cell("# A"),
        new_code_cell("guess = predict_curve('Draw it.')", outputs=[picture("Draw it.")]),
        new_code_cell("guess.reveal(a=(x, y))", outputs=[told, picture("Draw it.")]),
    ]
    _, asked, told = outline.outline(new_notebook(cells=cells))
    assert asked.kind == "question" and told.kind == "answer"
    assert all(slide.body.count("<img") == 1 and "Draw it." in slide.body for slide in (asked, told))


def test_recorded_steps_replay_on_their_slide():
    spec = {"arrays": {"b": [], "a": []}, "views": [], "said": "<b>"}
    recorded = {"spec": spec, "marks": [], "count": 3, "columns": {"a": "first", "b": "second"}}
    shown = picture("A search")
    shown["data"][outline.STAGE] = recorded
    book = new_notebook(cells=[new_markdown_cell("# A"), new_code_cell("player", outputs=[shown])])
    (slide,) = outline.outline(book)[1:]
    page = unescape(re.search(r'srcdoc="([^"]*)"', slide.body)[1])
    assert slide.kind == "replay" and 'title="A search"' in slide.body and "\n" not in slide.body
    assert page.startswith("<!doctype html>") and '"said": "\\u003cb>"}, [], 3,' in page
    assert '["second", "first"].map(unpack)' in page, "in the order of the stage's arrays, however they were sorted"
    shown["data"][outline.STAGE] = {"spec": {}}
    with pytest.raises(ValueError, match="cannot be replayed.*marks"):
        outline.outline(book)


# ------------------------------------------------------------------------------------------------------------- the deck
@pytest.fixture
def reveal(tmp_path):
    """A stand-in for reveal.js: decks are made the same way, and nothing shows them."""
    for name in deck.PARTS.values():
        (tmp_path / "reveal" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "reveal" / name).write_text("/* </script> */")
    return tmp_path / "reveal"


def written(folder, *books):
    folder.mkdir()
    for number, book in enumerate(books, 1):
        (folder / f"0{number}-lab.ipynb").write_text(json.dumps(book))
    return folder


def test_a_deck_is_one_file_that_loads_nothing(lab, reveal, tmp_path, capsys):
    pytest.importorskip("nbconvert"), pytest.importorskip("latex2mathml")
    labs = written(tmp_path / "labs", lab)
    asked = ["slides", str(tmp_path / "out"), "--labs", str(labs), "--reveal", str(reveal)]
    assert commands.main(asked) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "out" / "01-lab.html")]
    page = (tmp_path / "out" / "01-lab.html").read_text("utf-8")
    assert not re.search(r"(?:src|href)=\"(?!data:)|@import|url\((?!data:)", page)
    assert page.count("<math") == 2 and "$" not in re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.S)
    assert page.count('data-kind="question"') >= 1 and page.count('<aside class="notes">') >= 3
    assert page.count("</script>") == 3 and "<\\/script>" in page  # what is carried ends no element
    assert len(re.findall(r"<section data-kind[^>]*>\s*<section", page)) == 5
    before = page
    assert commands.main(asked) == 2 and "choose an empty folder" in capsys.readouterr().err
    asked[1] = str(tmp_path / "again")
    assert commands.main(asked) == 0
    assert (tmp_path / "again" / "01-lab.html").read_text("utf-8") == before


def test_what_is_missing_is_named_before_anything_is_written(lab, reveal, tmp_path, capsys, monkeypatch):
    out, labs = tmp_path / "out", written(tmp_path / "labs", lab)
    (tmp_path / "none").mkdir()
    for more, said in (
        (["--labs", str(tmp_path / "none"), "--reveal", str(reveal)], "no labs in"),
        (["--labs", str(labs), "--reveal", str(tmp_path / "none")], "lacks dist/reveal.css"),
        (["--labs", str(labs), "--reveal", str(reveal), "--path", "3"], "needs the lab start-here"),
    ):
        assert commands.main(["slides", str(out), *more]) == 2
        assert said in capsys.readouterr().err and not out.exists()
    monkeypatch.setattr(deck, "find_spec", lambda name: None)
    assert commands.main(["slides", str(out), "--labs", str(labs)]) == 2
    assert "pip install 'nasviz[site]'" in capsys.readouterr().err and not out.exists()


def test_every_formula_of_the_labs_is_set():
    pytest.importorskip("nbconvert"), pytest.importorskip("latex2mathml")
    render = deck._exporter().environment.filters["markdown2html"]
    for name, book in BOOKS.items():
        for cell in book["cells"]:
            if cell["cell_type"] == "markdown" and not {"solution"} & lesson.tags(cell):
                made = re.sub(r"<(code|annotation)\b.*?</\1>", "", render(cell["source"]), flags=re.S)
                left = re.sub(r"<[^>]+>", "", "".join(re.findall(r"<math.*?</math>", made, re.S)))
                assert "\\" not in left and not re.search(r"\$[^$\n]+\$", made), (name, cell["source"][:80])
