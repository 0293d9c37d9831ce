"""The predictions of the labs in the bank: each is read, and each wrong answer has its reason."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_question_bank import long_sentences

from nasviz.course.bank import labs, predictions
from nasviz.paths import labs_dir

LABS = {one.stem: one for one in labs.find(labs_dir())}


@pytest.mark.parametrize("stem", sorted(LABS))
def test_every_prediction_of_a_lab_says_why_each_wrong_answer_is_wrong(stem):
    lab = LABS[stem]
    calls = sum(cell["source"].count("predict_") for cell in lab.book["cells"] if cell["cell_type"] == "code")
    imports = sum(
        line.count("predict_")
        for cell in lab.book["cells"]
        if cell["cell_type"] == "code"
        for line in cell["source"].splitlines()
        if "import" in line
    )
    found = list(predictions.items(lab))
    assert len(found) == calls - imports, "a question is not read"
    for item in found:
        assert len(item.drawn.wrong) >= (1 if item.drawn.numeric else 2) and item.drawn.because and item.tests
        assert not long_sentences(item.drawn.because, *(one.why for one in item.drawn.wrong))
        assert all(one.why.endswith(".") for one in item.drawn.wrong)


def test_no_explanation_is_left_over():
    there = {f"{lab.topic}.{one.name}" for lab in LABS.values() for one in predictions.read(lab)}
    missing_labs = {
        name for name in predictions.explanations() if name.split(".")[0] not in {x.topic for x in LABS.values()}
    }
    assert predictions.explanations().keys() - there - missing_labs == set()


def test_numbers_guessed_lie_within_the_ends():
    for lab in LABS.values():
        for one in predictions.read(lab):
            if one.kind == "number":
                low, high = one.ends
                wrong = [float(answer) for answer in predictions.explanations()[f"{lab.topic}.{one.name}"]["wrong"]]
                assert all(low <= number <= high for number in [*wrong, one.truth]), one


def toy(source="better = predict_choice('Which?', ['a', 'b', 'c'])\nbetter", options="<li>a</li><li>b</li><li>c</li>",
        told="Measured: <b>b</b>. "):  # fmt: skip
    asks = new_code_cell(source, outputs=[html(f"<p><b>Which?</b></p><ul>{options}</ul>")])
    reveals = new_code_cell("better.reveal('b')", outputs=[html(f'<b style="x">▸</b> {told}')] if told else [])
    book = new_notebook(cells=[new_markdown_cell("# A lab"), new_markdown_cell("## 2 · A section"), asks, reveals])
    nbformat.validate(book)
    return labs.Lab("03-toy", "A lab", (), book)


def html(text):
    return new_output("display_data", {"text/html": text, "text/plain": ""})


ABOUT = {"toy.better": {"because": "So.", "wrong": {"a": "Not a.", "c": "Not c."}}}


def test_a_choice_is_read_as_it_was_rendered():
    (item,) = predictions.items(toy(), ABOUT)
    assert (item.name, item.lab, item.tests) == ("toy.better", "03-toy", "A section")
    assert item.options == [("a", "Not a."), ("b", "So."), ("c", "Not c.")] and item.place == 1


def test_a_new_prediction_without_an_explanation_fails():
    with pytest.raises(ValueError, match=r"toy\.better: predictions\.toml does not say why .*Which\?"):
        list(predictions.items(toy(), {}))


def test_a_new_option_and_one_that_is_gone_fail():
    with pytest.raises(ValueError, match=r"no explanation of \['d'\]"):
        list(predictions.items(toy(options="<li>a</li><li>b</li><li>c</li><li>d</li>"), ABOUT))
    with pytest.raises(ValueError, match=r"no option: \['c'\]"):
        list(predictions.items(toy(options="<li>a</li><li>b</li>"), ABOUT))


def test_a_number_too_near_the_truth_is_left_out_and_one_has_to_stay():
    lab = toy("better = predict_number('How many?', 0, 100, unit=' %')\nbetter", "", "Measured: <b>-40 %</b>. ")
    about = {"toy.better": {"because": "So.", "wrong": {"-35": "Not so.", "20": "Far off."}, "within": 4}}
    (item,) = predictions.items(lab, about)
    assert [one.answer for one in item.drawn.wrong] == [20]
    assert (item.drawn.right, item.drawn.tolerance, item.drawn.unit) == (-40.0, 4.0, " %")
    del about["toy.better"]["wrong"]["20"]
    with pytest.raises(ValueError, match="each wrong answer is within 8 of what came out"):
        list(predictions.items(lab, about))


def test_a_lab_that_was_not_rendered_fails():
    with pytest.raises(ValueError, match="Render the"):
        predictions.read(toy(told=""))


def test_two_questions_of_a_cell_and_words_with_numbers_in_them():
    code = (
        "before = 3\nfirst = predict_choice('Which?', KINDS)\n"
        "more = predict_number(f'{before} of what?', 0, 10, step=1)"
    )
    asks = new_code_cell(
        code,
        outputs=[html("<p><b>Which?</b></p><ul><li>a</li><li>b</li></ul>"), html("<p><b>3 of what?</b></p><ul></ul>")],
    )
    told = [html(f'<b style="x">▸</b> Measured: <b>{one}</b>. ') for one in ("b", 7)]
    reveals = new_code_cell("first.reveal('b')\nmore.reveal(7)", outputs=told)
    lab = labs.Lab("03-toy", "A lab", (), new_notebook(cells=[asks, reveals]))
    first, more = predictions.read(lab)
    assert (first.text, first.options, first.truth) == ("Which?", ("a", "b"), "b")
    assert (more.text, more.options, more.truth, more.step) == ("3 of what?", (), 7.0, 1)
