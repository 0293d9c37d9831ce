"""What a class predicted: kept only if a student says so, without a name; counted, and what is damaged is named."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from nasviz import course
from nasviz.course import commands, questions
from nasviz.course.bank import labs, predictions
from nasviz.course.bank.predictions import Prediction
from nasviz.course.histogram import answers, count, page
from nasviz.paths import labs_dir

POINTS = questions.CurveQuestion.POINTS
NUMBER = Prediction("n", "number", "How many, in percent?", "", ends=(0.0, 100.0), unit=" %", truth=72.95)
FEW = Prediction("f", "number", "How many of six?", "", ends=(0.0, 6.0), step=1, truth=4.0)
CHOICE = Prediction("c", "choice", "Which?", "", ("a < b", "b", "none"), truth="b")
RANKING = Prediction("r", "ranking", "In which order?", "", ("A", "B", "C"), truth="C")
CURVE = Prediction("d", "curve", "Draw it.", "", ends=(0.0, 60.0), unit="%", along="difference")
ASKED = (NUMBER, FEW, CHOICE, RANKING, CURVE)


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A folder to work in, with no answers kept before or after, and what the notebook showed."""
    shown = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(answers, "say", lambda sign, color, text, said=None: shown.append(text))
    monkeypatch.setattr(questions, "say", lambda *_: None)
    monkeypatch.setattr(questions, "_asked", {})
    yield shown
    course.share(None)
    assert questions.LISTENERS == []


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_nothing_is_kept_unless_somebody_says_so(notebook, tmp_path):
    asked = course.predict_choice("Which?", ["a", "b"])
    asked.answer = "a"
    assert list(tmp_path.iterdir()) == []


def test_an_answer_is_kept_and_a_later_one_takes_its_place(notebook, tmp_path):
    path = course.share("collected")
    assert path.parent.name == "collected" and "no name" in notebook[0] and not path.exists()
    number = course.predict_number("How many?", 0, 10)
    number.answer = 3.0
    choice = course.predict_choice("Which?", ["a", "b"])
    choice.answer = "b"
    number.answer = 7.0
    assert rows(path) == [
        {"nasviz": "answers", "version": 1},
        {"question": "How many?", "answer": 7.0},
        {"question": "Which?", "answer": "b"},
    ]
    number.reveal(5.0)
    with pytest.raises(ValueError, match="the answer stays"):
        number.answer = 5.0
    number._set(5.0)  # a click that was under way
    assert answers.read(path)["How many?"] == 7.0


def test_rankings_and_curves_are_kept_too(notebook):
    path = course.share("collected")
    ranking = course.predict_ranking("In which order?", ["A", "B"])
    ranking.answer = ["B", "A"]
    curve = course.predict_curve("Draw it.", x=(0, 1), y=(0, 60), x_label="x", y_label="y")
    curve.drawn = (None, 1.5) + (None,) * (POINTS - 2)
    assert answers.read(path) == {"In which order?": ["B", "A"], "Draw it.": [None, 1.5, *[None] * (POINTS - 2)]}
    curve.drawn = (None,) * POINTS  # cleared
    assert "Draw it." not in answers.read(path)
    curve.drawn = (2.0,) * POINTS
    curve._fixed = curve.drawn  # what a reveal does, without the views that it draws with
    curve.drawn = (3.0,) * POINTS
    assert answers.read(path)["Draw it."] == [2.0] * POINTS


def test_answers_given_before_are_kept_and_ended_ones_are_not(notebook, monkeypatch):
    monkeypatch.setattr(questions, "get_ipython", lambda: object())
    asked = course.predict_choice("Which?", ["a", "b"])
    asked.answer = "a"
    path = course.share("collected")
    assert answers.read(path) == {"Which?": "a"}
    course.share(None)
    asked.answer = "b"
    assert answers.read(path) == {"Which?": "a"} and "no longer kept" in notebook[-1]


def test_the_id_is_random_made_once_and_names_nobody(notebook, tmp_path):
    first, second = course.share("one"), course.share("two")
    assert first.name == second.name and re.fullmatch(r"[0-9a-f]{16}\.jsonl", first.name)
    assert len(questions.LISTENERS) == 1, "a second call takes the place of the first"
    other = tmp_path / "another"
    other.mkdir()
    assert answers.own_id(other) != first.stem
    (other / answers.ID).write_text("../../zoe\n")  # what somebody wrote there becomes no path
    assert re.fullmatch("[0-9a-f]{16}", answers.own_id(other))


HEAD = json.dumps(answers.HEAD)
DAMAGED = {
    "": "is no file of answers",
    "not json\n": "line 1 is no JSON object",
    '{"nasviz": "run"}\n': "is no file of answers",
    '{"nasviz": "answers", "version": 2}\n': "version 2",
    f"{HEAD}\n[1]\n": "line 2 is no JSON object",
    f'{HEAD}\n{{"question": "Which?"}}\n': "line 2: it holds no question",
    f'{HEAD}\n{{"question": "Which?", "answer": {{"a": 1}}}}\n': "line 2: it holds no question",
    f'{HEAD}\n{{"question": "Which?", "answer": true}}\n': "line 2: it holds no question",
    f'{HEAD}\n{{"question": "Which?", "answer": NaN}}\n': "line 2",
    f'{HEAD}\n{{"question": "Which?", "answer": "{"a" * 500}"}}\n': "line 2: it holds no question",
}


@pytest.mark.parametrize("text", DAMAGED, ids=lambda text: repr(text[-30:]))
def test_a_damaged_file_is_refused_with_its_name_and_place(text, tmp_path):
    path = tmp_path / "0.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"0.jsonl.*{DAMAGED[text]}"):
        answers.read(path)


def write(folder, **said):
    """A student's file for each keyword: its name, and answers by question."""
    for name, own in said.items():
        for question, answer in own.items():
            answers.write(folder / f"{name}.jsonl", question, answer)
    return sorted(folder.glob("*.jsonl"))


def curve(height):
    return [None, *[height] * (POINTS - 1)]


@pytest.fixture
def klass(tmp_path):
    return write(
        tmp_path,
        a={NUMBER.text: 0, FEW.text: 0, CHOICE.text: "b", RANKING.text: ["A", "B", "C"], CURVE.text: curve(10.0)},
        b={NUMBER.text: 70, FEW.text: 4, CHOICE.text: "b", RANKING.text: ["C", "B", "A"], CURVE.text: curve(20.0)},
        c={NUMBER.text: 100, FEW.text: 4, CHOICE.text: "a < b", CURVE.text: curve(60.0)},
        d={"A question of another lab": 3},
    )


def test_answers_are_counted(klass):
    counted, students, problems = count.count(klass, ASKED)
    assert students == 3 and problems == []
    number, few, choice, ranking, drawn = counted
    assert [bar.count for bar in number.bars()] == [1, 0, 0, 0, 0, 0, 0, 1, 0, 1]
    assert [bar.label for bar in number.bars()][7:] == ["70 to 80 %", "80 to 90 %", "90 to 100 %"]
    assert [bar.right for bar in number.bars()].index(True) == 7
    assert [(bar.label, bar.count, bar.right) for bar in few.bars()][3:5] == [("3", 0, False), ("4", 2, True)]
    assert [(bar.label, bar.count, bar.right) for bar in choice.bars()] == [
        ("a < b", 1, False), ("b", 2, True), ("none", 0, False),
    ]  # fmt: skip
    assert [(bar.label, bar.count, bar.right) for bar in ranking.bars()] == [
        ("A", 1, False), ("B", 0, False), ("C", 1, True),
    ]  # fmt: skip
    assert drawn.bars() == [] and np.isnan(drawn.spread()[:, 0]).all()
    assert drawn.spread()[:, 1].tolist() == [15.0, 20.0, 40.0]


@pytest.mark.parametrize(
    "ends, labels, places",
    [
        ((0.0, 15625.0), ["0 to 2,000", "14,000 to 16,000"], {0: 0, 1999.9: 0, 2000: 1, 15625: 7}),
        ((-0.2, 1.0), ["−0.2 to 0", "0.8 to 1"], {-0.2: 0, 0.0: 1, 0.6: 4, 0.999: 5, 1.0: 5}),
        ((1.0, 16.0), ["0 to 2", "14 to 16"], {1: 0, 3.2: 1, 16: 7}),
    ],
)
def test_bars_begin_at_round_numbers(ends, labels, places):
    one = Prediction("n", "number", "How many?", "", ends=ends, truth=ends[0])
    for value, place in places.items():
        bars = count.Counted(one, [value]).bars()
        assert [bars[0].label, bars[-1].label] == labels and len(bars) <= count.BARS
        assert [bar.count for bar in bars].index(1) == place


def test_what_a_question_does_not_allow_is_named_and_left_out(tmp_path):
    files = write(
        tmp_path,
        a={NUMBER.text: 101, FEW.text: "four", CHOICE.text: "c", RANKING.text: ["A", "A", "B"], CURVE.text: [1.0]},
        b={RANKING.text: [1, 2, 3], CURVE.text: [99.0] * POINTS},
    )
    counted, students, problems = count.count(files, ASKED)
    assert students == 2 and len(problems) == 7 and all(one.students == 0 for one in counted)
    assert "a.jsonl: 101 is no answer to: How many, in percent?" in problems[0]


class Reader(HTMLParser):
    """What a page holds: its tables' rows, its pictures' texts, and every address."""

    def __init__(self):
        super().__init__()
        self.rows, self.pictures, self.addresses, self.open = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.addresses += [value for name, value in attrs.items() if name in ("src", "href")]
        if tag == "tr":
            self.rows.append(["right" if attrs.get("class") == "right" else ""])
        if attrs.get("role") == "img":
            self.pictures.append(attrs["aria-label"])
        if tag in ("th", "td"):
            self.rows[-1].append("")
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.rows[-1][-1] += data


def read_page(text):
    reader = Reader()
    reader.feed(text)
    return reader


def test_the_page_holds_the_counts_and_needs_nothing_else(klass):
    counted, students, _ = count.count(klass, ASKED)
    text = page.html("A lab & more", counted, students)
    reader = read_page(text)
    assert ["", "b", "", "2"] in reader.rows and ["", "a < b", "", "1"] in reader.rows
    assert sum(int(row[3]) for row in reader.rows if row[3].isdigit()) == 3 + 3 + 3 + 2
    assert reader.pictures == [
        "3 drawn curves; in the middle: median 20, middle half 15 to 40; at the right: median 20, middle half 15 to 40."
    ]
    band = re.search(r'class="half" d="M([^"]*)"', text)[1].split("L")
    heights = [[float(one) for one in place.split()] for place in band]
    assert len(heights) == 2 * (POINTS - 1) and heights[0][0] == heights[-1][0], "there above, and back below"
    assert heights[0][1] < heights[-1][1] and heights[59][1] < heights[60][1]
    assert reader.addresses == [] and "http" not in text and "<script" not in text and "url(" not in text
    assert "<h1>A lab &amp; more</h1>" in text and "3 students" in text


def test_what_was_measured_is_shown_only_on_demand(klass):
    counted, students, _ = count.count(klass, ASKED)
    for show in (page.html, page.text):
        hidden, told = show("A lab", counted, students), show("A lab", counted, students, answers=True)
        assert "✓" not in hidden and "easured" not in hidden and "72.95" not in hidden
        assert told.count("✓") == 4 and "72.95 %" in told
    rows = read_page(page.html("A lab", counted, students, answers=True)).rows
    assert [row[1] for row in rows if row[0]] == [
        "✓ 70 to 80 % (measured)",
        "✓ 4 (measured)",
        "✓ b (measured)",
        "✓ C (measured)",
    ]


def test_text_for_a_terminal(klass):
    counted, students, _ = count.count(klass, ASKED)
    lines = page.text("A lab", counted, students, width=10).splitlines()
    assert "  b     ██████████ 2" in lines and "  a < b █████ 1" in lines and "  none   0" in lines
    assert "  in the middle: median 20, middle half 15 to 40" in lines


def test_the_command(tmp_path, capsys):
    lab = labs.chosen(labs.find(labs_dir()), "0", {})
    asked = {one.name: one for one in predictions.read(lab)}
    folder = tmp_path / "collected"
    folder.mkdir()
    write(folder, a={asked["distinct"].text: 5000, asked["better"].text: "neither's"})
    out = tmp_path / "page.html"
    arguments = ["histogram", str(folder), "--lab", "0", "--out", str(out)]
    assert commands.main(arguments) == 0
    assert "█ 1" in capsys.readouterr().out and page.MARK in out.read_text("utf-8")
    write(folder, b={asked["better"].text: "neither's"})
    (folder / "broken.jsonl").write_text("{")
    assert commands.main(arguments) == 1, "written over, and one file is to be looked at"
    said = capsys.readouterr()
    assert re.search(r"to look at: .*broken\.jsonl, line 1", said.err) and said.err.count("\n") == 1
    assert ["", "neither's", "", "2"] in read_page(out.read_text("utf-8")).rows


def test_the_command_says_what_it_cannot_do(tmp_path, capsys):
    assert commands.main(["histogram", str(tmp_path / "no"), "--lab", "0"]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert commands.main(["histogram", str(tmp_path), "--lab", "0"]) == 2
    assert "there are no files of answers" in capsys.readouterr().err
    write(tmp_path, a={"x": 1})
    mine = tmp_path / "mine.html"
    mine.write_text("<p>my own</p>")
    assert commands.main(["histogram", str(tmp_path), "--lab", "0", "--out", str(mine)]) == 2
    assert mine.read_text() == "<p>my own</p>" and "is no histogram" in capsys.readouterr().err
