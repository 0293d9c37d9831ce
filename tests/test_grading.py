"""Grading: honest answers have their points, stubs and cheats have none, and what cannot be read is said."""

import copy
import csv
import io
import os
from pathlib import PurePath

import nbformat
import pytest
from cheats import CHEATS
from mistakes import WRONG
from nbformat.v4 import new_code_cell, new_markdown_cell

from nasviz.course import commands, student
from nasviz.course.grading import hidden, judge, limits, pool, pristine, report, source, submissions
from nasviz.course.grading.judge import Answer
from nasviz.course.grading.limits import Limits
from nasviz.course.lesson import tags
from nasviz.course.solutions import name_of

pytestmark = pytest.mark.skipif(not limits.FORKS, reason="each answer would load the package anew")
LAB = next(lab for lab in pristine.labs() if lab.endswith("-evolution"))
TIGHT = Limits(cpu=3, wall=3, memory=1)


@pytest.fixture(scope="module")
def exercises():
    """Those of the lab on evolution, with what they need loaded once."""
    found = {one.name: one for one in pristine.of(LAB)}
    assert pristine.wrong_with_the_solution(found["tournament"]) == ""
    return found


def handed_in(folder, who, changed, lab=LAB, edit=lambda book: None):
    """A student's notebook: the student edition with other sources for exercises."""
    book = student.student(copy.deepcopy(pristine.lab(lab)), lab=lab)
    for cell in book.cells:
        if "exercise" in tags(cell) and name_of(cell) in changed:
            cell.source = changed[name_of(cell)]
    edit(book)
    (folder / who).mkdir(parents=True, exist_ok=True)
    nbformat.write(book, folder / who / f"{lab}.ipynb")
    return book


# ---------------------------------------------------------------------------------------------------------- the verdict
def test_the_eight_cheats_and_some_more_get_nothing_and_the_honest_get_all(exercises):
    one = exercises["tournament"]
    names = ["honest", "stub", *CHEATS]
    answers = [Answer(one, code) for code in (one.solution, one.stub, *CHEATS.values())]
    found = dict(pool.verdicts(answers[:2], seed=1, limits=Limits(), jobs=2))
    found |= {2 + number: said for number, said in pool.verdicts(answers[2:], seed=1, limits=TIGHT, jobs=2)}
    said = {name: found[number] for number, name in enumerate(names)}
    assert said.pop("honest").points == 1
    assert said.pop("stub") == judge.Verdict(0, "not written yet")
    assert {name for name, verdict in said.items() if verdict.points != 0} == set()
    words = {
        "a loop": "did not end within 3 seconds",
        "the end of the process": "ended before it had answered",
        "an object that equals everything": "Equal is none of the kinds of values",
        "no Python": "the cell itself does not run: it stopped with SyntaxError",
        "another name": "my_tournament is not there yet",
    }
    for name, word in words.items():
        assert word in said[name].sentence, said[name]


def test_examples_by_heart_are_not_enough(exercises):
    one = exercises["last_word"]
    known = "def my_choice(evaluations, times):\n"
    known += "    return {(7, 3): (1,), (7, 1): (3,), (2, 2): (6,)}[len(evaluations), times]"
    assert judge.checked(one, vars(pristine.right(one)), 1) == ""
    names = source.run(source.parsed(known), "known", {})
    assert "not on other inputs" in judge.checked(one, {"my_choice": names["my_choice"]}, 1)
    assert judge.judge(Answer(one, known), 1, Limits()).points == 0


FILLED = [(lab, one) for lab in pristine.labs() for one in pristine.of(lab) if one.kind == "fill" and one.check]


@pytest.mark.parametrize(("lab", "one"), FILLED, ids=lambda value: getattr(value, "name", value))
def test_second_inputs_take_the_solution_and_no_usual_mistake(lab, one):
    if hidden.of(one) is None:
        pytest.skip("graded by the check of its lab alone")
    right = vars(pristine.right(one))
    assert judge.checked(one, right, seed=1) == judge.checked(one, right, seed=2) == ""
    for code, _ in WRONG.get((lab, one.name), ()):
        names = source.run(source.parsed(code), "mistake", dict(pristine.imported(lab)))
        assert judge.checked(one, {name: names[name] for name in one.asked if name in names}, seed=1)


def test_exercises_that_are_written_have_second_inputs_and_names_of_their_own():
    names = [one.name for _, one in FILLED]
    assert len(set(names)) == len(names)
    assert {name for name in names if name not in hidden.FOUND} <= {"reporting_sheet"}


@pytest.mark.parametrize("name", ["last_word", "sizes"])
def test_what_passes_the_labs_check_passes_here(exercises, name):
    one = exercises[name]
    assert judge.judge(Answer(one, one.solution), 3, Limits(), None).points == 1


def test_a_report_that_is_typed_in_is_read_without_running_it(exercises, monkeypatch):
    one = exercises["sizes"]
    monkeypatch.setattr(judge.child, "running", None)
    monkeypatch.setattr(judge.bounds, "within", lambda seconds, work: work())
    names = source.run(source.parsed(one.solution), "solution", dict(pristine.imported(LAB)))
    typed = f"my_prediction = 0.1\nmy_population, my_tournament_size = 20, 5\nmy_report = {names['my_report']!r}\n"
    assert judge.judge(Answer(one, typed), 3, Limits()).points == 1
    said = judge.judge(Answer(one, typed.replace("30 pairs", "20 pairs")), 3, Limits())
    assert said.points == 0 and "how many seeds" in said.sentence


def test_literals_are_what_is_written_once_as_plain_data():
    code = "a, b = 20, -0.1\nc = '''x'''\nd = range(2, 9)\ne = f'{a}'\nf = 1\nf = 2\nif a:\n    g = 1\n"
    code += "h = [1, (2,)]\nh += [3]"
    assert source.literals(code) == {"a": 20, "b": -0.1, "c": "x", "d": range(2, 9)}
    assert source.literals("x = range(10**9)\ny = range(0)\nz = open('x')") == {"y": range(0)}


def test_what_a_student_added_helps(exercises):
    one = exercises["last_word"]
    helper = f"{one.solution.replace('my_choice', 'choice').replace('np.mean', 'mean')}\nfrom numpy import mean\n1 / 0"
    code = "def my_choice(evaluations, times):\n    return choice(evaluations, times)"
    assert judge.judge(Answer(one, code, (helper,)), 1, Limits()).points == 1
    assert "NameError" in judge.judge(Answer(one, code), 1, Limits()).sentence


# -------------------------------------------------------------------------------------------------------- a whole class
def test_a_class_is_graded(tmp_path, exercises, capsys):
    folder, good = tmp_path / "in", {name: one.solution for name, one in exercises.items() if one.check}

    def edited(book):
        for cell in book.cells:
            if "check" in tags(cell):
                cell.source = "from nasviz.course import results\nprint('right')"
        for cell in book.cells:
            if "answer" in tags(cell):
                cell.source = "Ask for <b>seeds</b> & intervals."

    def untagged(book):
        for cell in book.cells:
            if cell.cell_type == "code":
                cell.metadata, cell.id = {}, f"x{cell.id}"
        book.metadata.pop("nasviz")
        book.cells.insert(0, new_markdown_cell("mine"))

    handed_in(folder, "Ann", good)
    handed_in(folder, "Bob_123_assignsubmission_file_", {}, edit=edited)
    handed_in(folder, "=Cy", good | {"tournament": CHEATS["the end of the process"]}, edit=untagged)
    (folder / "Dee").mkdir()
    (folder / "Dee" / "x.ipynb").write_text("{")
    (folder / "Dee" / "all.zip").write_text("PK")
    (folder / "notes.txt").write_text("no notebook")
    arguments = ["grade", str(folder), "--out", str(tmp_path / "g.csv"), "--feedback", str(tmp_path / "pages")]
    assert commands.main([*arguments, "--seed", "5", "--jobs", "2"]) == 1
    said = capsys.readouterr()
    assert "x.ipynb is no notebook" in said.err and "all.zip is packed" in said.err and "Traceback" not in said.err
    rows = list(csv.DictReader(io.StringIO((tmp_path / "g.csv").read_text())))
    points = {(row["who"], row["exercise"]): row["points"] for row in rows}
    names = [name for name, one in exercises.items() if one.check]
    assert [points["Ann", name] for name in names] == ["1"] * len(names)
    assert [points["Bob", name] for name in names] == ["0"] * len(names)
    assert [points["'=Cy", name] for name in names] == ["0" if name == "tournament" else "1" for name in names]
    (opened,) = (row for row in rows if row["who"] == "Bob" and row["kind"] == "open")
    assert opened["points"] == "" and "4 words" not in opened["sentence"] and "5 words" in opened["sentence"]
    assert {row["sentence"] for row in rows if row["who"] == "Ann" and row["points"]} == {"right"}
    pages = {path.stem: path.read_text() for path in (tmp_path / "pages").iterdir()}
    assert set(pages) == {"Ann", "Bob", "Cy"} and "3 of 3" in pages["Ann"] and "<script" not in pages["Bob"]
    assert "Ask for &lt;b&gt;seeds&lt;/b&gt; &amp; intervals." in pages["Bob"] and "not written yet" in pages["Bob"]


def test_a_folder_that_is_not_there_and_limits_that_are_none(tmp_path, capsys):
    assert commands.main(["grade", str(tmp_path / "none")]) == 2
    assert commands.main(["grade", str(tmp_path), "--wall", "0"]) == 2
    assert "is no folder" in (err := capsys.readouterr().err) and "wall" in err


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("zoe/04-evolution.ipynb", "zoe"),
        ("Zoë Źak_40123_assignsubmission_file_/x/04-evolution.ipynb", "Zoë Źak"),
        ("04-evolution_zoe.ipynb", "zoe"),
        ("zoe - 04-evolution.ipynb", "zoe"),
        ("04-evolution.ipynb", "04-evolution"),
    ],
)
def test_who_handed_in(path, who):
    assert submissions.who_of(PurePath(path), "04-evolution") == who


def test_cells_are_found_by_tag_then_id_then_name(exercises):
    one = exercises["tournament"]
    book = copy.deepcopy(pristine.lab(LAB))
    cell = next(cell for cell in book.cells if "exercise" in tags(cell) and name_of(cell) == "tournament")
    cell.source = "# tag\ndef my_tournament(): 1"
    book.cells.append(new_code_cell("# name\ndef my_tournament(): 2"))
    assert submissions.answer_to(one, book).cell.startswith("# tag")
    cell.metadata = {}
    cell.source = "# id\nx = 1"
    assert submissions.answer_to(one, book).cell.startswith("# id")
    cell.id = "other"
    assert submissions.answer_to(one, book).cell.startswith("# name")
    book.cells.pop()
    assert submissions.answer_to(one, book) is None


def test_a_notebook_is_known_by_what_is_in_it(tmp_path):
    book = copy.deepcopy(pristine.lab(LAB))
    assert submissions.lab_of(book, tmp_path / "x.ipynb") == LAB
    book.metadata["nasviz"] = {"lab": pristine.labs()[0]}
    assert submissions.lab_of(book, tmp_path / "x.ipynb") == pristine.labs()[0]
    book.metadata["nasviz"], book.cells = {"lab": "none"}, []
    assert submissions.lab_of(book, tmp_path / "x.ipynb") == ""
    assert submissions.lab_of(book, tmp_path / "my-evolution.ipynb") == LAB


def test_a_judge_that_is_brought_down_is_replaced(exercises, monkeypatch):
    one = exercises["last_word"]
    good = judge.Verdict(1, "ok")
    monkeypatch.setattr(pool, "judge", lambda answer, *_: os._exit(1) if answer.cell == "bad" else good)
    found = dict(pool.verdicts([Answer(one, code) for code in ("a", "bad", "b", "bad", "c")], 1, TIGHT, 1))
    assert [found[number].points for number in range(5)] == [1, 0, 1, 0, 1]
    assert found[1].sentence == pool.BROUGHT_DOWN


def test_what_a_process_has_started_is_ended_with_it(tmp_path):
    code = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(60)\nx = 1"
    limits.adopt_orphans()
    before = set(limits.descendants(os.getpid()))
    with judge.child.running(judge.Work(LAB, "x", code), TIGHT, limits.own_user()) as pipe:
        peer = judge.Peer(pipe)
        assert dict(judge.names_of(peer, ["x"])) == {"x": 1}
        assert len(set(limits.descendants(os.getpid())) - before) >= 2
    assert set(limits.descendants(os.getpid())) <= before, "a process of an earlier test may end meanwhile: none is new"


@pytest.mark.skipif(not limits.LINUX or os.geteuid(), reason="who is root gives a user of its own")
def test_no_two_judges_have_one_user():
    assert len({limits.own_user().number for _ in range(3)}) == 3


def test_the_table_is_safe_for_a_spreadsheet():
    row = report.Row("=1+1", "lab", "x", "fill", "-1", "1", "@a\nb, c", "f")
    (head, line) = csv.reader(io.StringIO(report.table([row])))
    assert head[:3] == ["who", "lab", "exercise"] and line == ["'=1+1", "lab", "x", "fill", "-1", "1", "'@a b, c", "f"]
    taken = set()
    names = [report.file_name(who, taken) for who in ("a b", "a/b", "../..")]
    assert names == ["a-b.html", "a-b-2.html", "student.html"]
