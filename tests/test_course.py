"""What labs are made of: predictions, claims, checks, editions."""

import io
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from nasviz import course
from nasviz.course import edition
from nasviz.views.colors import STRATEGIES

TESTS = str(Path(__file__).parent)


@pytest.fixture
def shown(monkeypatch):
    out = []
    for part in course.claims, course.questions:
        monkeypatch.setattr(part, "display", lambda thing, metadata=None: out.append(thing))
    return out


def text(shown):
    return " ".join(getattr(thing, "data", "") for thing in shown)


def test_a_claim_that_holds(shown, monkeypatch):
    monkeypatch.setenv("NASVIZ_TEST", "1")
    course.claim("a < b", True)
    assert "✓" in text(shown) and "a &lt; b" in text(shown)


def test_a_claim_that_fails_raises_only_under_test(shown, monkeypatch):
    monkeypatch.delenv("NASVIZ_TEST", raising=False)
    course.claim("evolution wins", np.bool_(False))
    assert "Not on your run" in text(shown) and "✓" not in text(shown)
    monkeypatch.setenv("NASVIZ_TEST", "1")
    with pytest.raises(AssertionError, match="evolution wins"):
        course.claim("evolution wins", False)


def test_check_says_what_is_wrong_and_stops_there(shown):
    def answer():
        raise ZeroDivisionError("by hand")

    @course.check
    def right():
        yield True, "never said"

    @course.check
    def wrong_at_the_second():
        yield True, "first"
        yield False, "the second is wrong"
        raise RuntimeError("not reached")

    @course.check
    def raises():
        yield answer(), "never said"

    @course.check
    def untouched():
        raise NotImplementedError

    assert right.passed and course.results["right"] is right
    assert wrong_at_the_second.wrong == "the second is wrong"
    assert "ZeroDivisionError: by hand (in answer: raise ZeroDivisionError" in raises.wrong
    assert "not written yet" in untouched.wrong
    assert "wrong at the second" in text(shown) and not untouched.passed


def test_a_ranking_is_bet_on_by_moving_names(shown):
    asked = course.predict_ranking("Which ranks best?", ["size", "synflow", "training"])
    up, down, _ = asked.field.children[2].children
    assert down.disabled and not up.disabled
    up.click()
    assert asked.field.options == ["size", "training", "synflow"] and asked.answer is None
    asked.field.children[-1].click()
    assert asked.answer == ["size", "training", "synflow"]
    asked.field.swap(0, 2)  # too late: the bet is placed
    with pytest.raises(ValueError, match="synflow"):
        asked.reveal({"size": 1.0})
    asked.reveal({"size": 0.1, "synflow": 0.3, "training": 0.7})
    assert "1. training (0.70): you said 2." in asked.said.value and "you had <b>1</b> in" in text(shown)
    assert asked.field.layout.display == "none"
    assert "<li>training</li>" in asked._repr_mimebundle_()["text/html"]
    with pytest.raises(ValueError, match="different names"):
        course.predict_ranking("?", ["size", "size"])


def test_a_number_is_answered_once(shown):
    asked = course.predict_number("How many?", 0, 100, unit=" %")
    slider, button = asked.field.children
    assert asked.answer is None
    slider.value = 60
    button.click()
    assert asked.answer == 60
    asked.reveal(73.5)
    assert "You said <b>60 %</b>: 13.5 points off" in asked.said.value and "13.5 points off" in text(shown)
    assert asked.field.layout.display == "none"
    with pytest.raises(ValueError, match="low must be below high"):
        course.predict_number("?", 1, 1)


def test_a_choice_and_no_answer(shown):
    asked = course.predict_choice("Which <op>?", ["skip", "conv"])
    bundle = asked._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "Which &lt;op&gt;?" in bundle["text/html"] and "<li>conv</li>" in bundle["text/html"]
    asked.field.value = "skip"
    asked.reveal("conv")
    assert "You said: <b>skip</b>" in asked.said.value
    blank = course.predict_choice("Which?", ["skip", "conv"])
    blank.reveal("conv")
    assert "no prediction" in text(shown)
    blank.field.value = "conv"  # too late
    blank.reveal("conv")
    assert blank.answer is None and "no prediction" in blank.said.value


def asked_and_answered():
    number, choice = course.predict_number("How many?", 0, 100), course.predict_choice("Which?", ["a", "b"])
    ranking = course.predict_ranking("In which order?", ["a", "b", "c"])
    curve = course.predict_curve("Draw.", x=(0, 1), y=(0, 1), x_label="x", y_label="y")
    number.answer, choice.field.value = 10, "b"
    ranking.field.children[-1].click()
    curve.drawn = [0.5] * curve.POINTS
    return number, choice, ranking, curve


def test_a_revealed_answer_stays(shown):
    number, choice, ranking, curve = asked_and_answered()
    number.reveal(20)
    choice.reveal("a")
    ranking.reveal({"a": 1.0, "b": 0.5, "c": 0.7})
    curve.reveal(truth=([0, 1], [0, 1]))

    slider, button = number.field.children
    slider.value = 20
    button.click()
    choice.field.value = "a"
    ranking.field.swap(1, 2)
    ranking.field.children[-1].click()
    ranking.answer.sort(reverse=True)
    curve.set_state({"drawn": [0.0] * curve.POINTS})  # as the page sends it
    curve.drawn = []
    for asked in (number, choice, ranking):
        with pytest.raises(ValueError, match="the answer stays .* restart of the kernel"):
            asked.answer = None
    number.reveal(30)
    curve.results = []
    assert (number.answer, choice.answer, ranking.answer) == (10, "b", ["a", "b", "c"])
    assert curve.at(0.3) == 0.5 and isinstance(curve.drawn, tuple)
    assert "You said <b>10</b>: 20 off" in number.said.value


def test_a_cell_that_is_run_again_shows_the_question_that_it_asked(shown, monkeypatch):
    monkeypatch.setattr(course.questions, "_asked", {})
    apart = [asked_and_answered(), asked_and_answered()]
    assert not set(apart[0]) & set(apart[1])  # a script asks anew
    monkeypatch.setattr(course.questions, "get_ipython", object)
    first = asked_and_answered()
    first[0].reveal(20)
    with pytest.raises(ValueError, match="stays 10"):
        asked_and_answered()
    assert course.predict_number("How many?", 0, 100) is first[0] and first[0].answer == 10
    assert course.predict_number("How many?", 0, 50) is not first[0]
    assert course.predict_choice("In which order?", ["a", "b", "c"]) is not first[2]
    assert course.predict_curve("Draw.", x=(0, 1), y=(0, 1), x_label="x", y_label="y") is first[3]


def test_a_drawn_curve_is_compared_and_pictured(shown):
    asked = course.predict_curve("Draw.", x=(0, 60), y=(0, 100), x_label="evaluations", y_label="best", unit="%")
    assert asked.at(30) is None
    asked.drawn = [float(i) for i in range(61)]
    assert asked.at(30) == pytest.approx(30) and asked.at(30.5) == pytest.approx(30.5)
    blank = Image.open(io.BytesIO(asked._repr_mimebundle_()[0]["image/png"])).convert("L")
    asked.reveal(random_search=([0, 60], [10, 20], [30, 40]), evolution=([0, 30, 60], [5, 35, 65]))
    assert "Your curve is 5 points from <i>evolution</i>" in text(shown)
    assert [result["color"] for result in asked.results] == [
        STRATEGIES[n].color for n in ("RandomSearch", "RegularizedEvolution")
    ]
    assert asked.results[0]["name"] == "random search" and len(asked.results[0]["data"]) == 3
    full = Image.open(io.BytesIO(asked._repr_mimebundle_()[0]["image/png"])).convert("L")
    assert np.mean(np.asarray(full) < 200) > np.mean(np.asarray(blank) < 200) > 0
    asked.reveal(mine=([0, 60], [10, 20]), reinforce=([0, 60], [5, 65]))
    assert [result["color"] for result in asked.results] == [course.questions.COLORS[0], STRATEGIES["Reinforce"].color]
    with pytest.raises(ValueError, match="all of one length"):
        asked.reveal(evolution=([0, 1], [1]))


def notebook():
    output = new_output("display_data", data={edition.WIDGET: {"model_id": "1"}, "image/png": "iVBOR"})
    ghost = new_output("display_data", data={edition.WIDGET: {"model_id": "2"}})
    cells = [
        new_code_cell("x = 1", metadata={"execution": {"iopub.execute_input": "now"}}, outputs=[output, ghost]),
        new_code_cell("def f(): ...", metadata={"tags": ["exercise", "for:f"]}),
        new_markdown_cell(
            "<details>\n\n```python\ndef f():\n    return 1\n```\n</details>", metadata={"tags": ["solution", "for:f"]}
        ),
    ]
    return new_notebook(cells=cells, metadata={"widgets": {"state": {}}})


def test_editions(tmp_path):
    book = notebook()
    assert edition.solutions(book) == {"f": "def f():\n    return 1\n"}
    assert len(edition.without_solutions(book)["cells"]) == 2 and len(book["cells"]) == 3
    edition.strip(book)
    assert "widget" not in json.dumps(book) and "execution" not in book["cells"][0]["metadata"]
    assert [list(o["data"]) for o in book["cells"][0]["outputs"]] == [["image/png"]]


def test_a_players_last_picture_stands_in_its_place():
    book = notebook()
    edition.in_place(book, {"1": {"image/png": "last", "text/plain": "2 of 2"}, "3": {"text/plain": "another"}})
    first, second = (output["data"] for output in book["cells"][0]["outputs"])
    assert (first["image/png"], first["text/plain"]) == ("last", "2 of 2") and list(second) == [edition.WIDGET]


def test_a_lab_that_is_rendered_shows_its_player_after_the_run(tmp_path):
    code = (
        f"import sys\nsys.path.insert(0, {TESTS!r})\nfrom player_toys import evolution\n"
        "from nasviz import views\nplayer = views.Player(evolution())\nplayer",
        "run = player.run(2)",
    )
    cells = [new_markdown_cell("# A\n\n**Time** 99 minutes"), *map(new_code_cell, code)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01-a.ipynb")
    edition.render(tmp_path / "01-a.ipynb")
    table = "| [01 A](labs/01-a.ipynb) | it | 77 s on two slow cores | 99 min |"
    book = nbformat.read(tmp_path / "01-a.ipynb", as_version=4)
    assert "2 of " in book.cells[1].outputs[0]["data"]["text/plain"] and len(book.cells) == 3
    seconds, spent = book.metadata["nasviz"]["seconds"], book.metadata["nasviz"]["minutes"]
    assert f"**Time** {spent} minutes" in book.cells[0].source and spent == round(2.6 + seconds / 60)
    assert book.metadata["nasviz"]["seconds_further"] == 0  # no section is marked

    row = f"| [01 A](labs/01-a.ipynb) | it | {seconds} s on two slow cores | {spent} min |"
    assert edition.stated(table, "01-a.ipynb", book) == row
    book.metadata["nasviz"]["further"] = 5
    assert edition.stated(row, "01-a.ipynb", book).endswith(f"| {spent} min, and 5 for what is beyond |")


def test_the_student_edition_is_one_command(tmp_path, monkeypatch, capsys):
    (tmp_path / "labs").mkdir()
    nbformat.write(notebook(), tmp_path / "labs" / "00.ipynb")
    monkeypatch.setattr("sys.argv", ["edition", "student", str(tmp_path / "labs"), str(tmp_path / "out")])
    edition.main()
    assert "solution" not in (tmp_path / "out" / "00.ipynb").read_text()
    assert edition.main() == 2
    assert "exists; choose an empty folder" in capsys.readouterr().err


def test_where_one_counts_the_guess_is_a_whole_number():
    slider, button = (asked := course.predict_number("How many of seven?", 0, 7, step=1)).field.children
    button.click()
    assert asked.answer == slider.value == 4 and slider.step == 1
    assert course.predict_number("τ?", -0.2, 1).field.children[0].value == pytest.approx(0.4)


def test_a_table_has_its_numbers_to_the_right():
    made = course.as_table(["cell", "ms"], [("a", "1.5"), ("b", 2)])
    assert made.data == "| cell | ms |\n| --- | ---: |\n| a | 1.5 |\n| b | 2 |"
    assert course.as_table(["a", "text"], [(1, "r12 | k5")]).data.endswith("| 1 | r12 \\| k5 |")  # not a third cell
