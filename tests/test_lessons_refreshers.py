"""The page of refreshers: its pictures by hand, its form, and that it travels with the labs and the glossary."""

import re

import nbformat
import numpy as np
import pytest
from test_lesson import anchors

from nasviz.__main__ import main
from nasviz.course import edition, lesson
from nasviz.lessons import refreshers
from nasviz.paths import labs_dir

PAGE = nbformat.read(labs_dir() / "refreshers.ipynb", as_version=4)


def numbers(text):
    return [float(word) for word in re.findall(r"-?\d+(?:\.\d+)?", text)]


def test_an_estimate_without_noise_has_no_wrong_pair():
    assert "66 in the right order, 0 in the wrong" in refreshers.agreement(0).said
    assert np.isnan(refreshers.agreement(0).marks[0].x).all()


@pytest.mark.parametrize("noise", [2.0, 10.0])
def test_tau_is_counted_from_the_pairs_that_are_drawn(noise):
    lines, dots = (picture := refreshers.agreement(noise)).marks
    pairs, right, wrong, *_ = numbers(picture.said)
    assert right + wrong == pairs == 66 and wrong == np.isnan(lines.y).sum()
    assert numbers(picture.said)[-1] == pytest.approx((right - wrong) / 66, abs=0.005)
    x, y = np.array(dots.x), np.array(dots.y)
    assert wrong == ((x[:, None] < x) & (y[:, None] > y)).sum()


def test_an_interval_of_the_bootstrap_holds_95_of_100_resamples_and_narrows():
    wide = {}
    for seeds in (5, 20, 80):
        bars, ends, _ = (picture := refreshers.resampled(seeds)).marks
        low, high = ends.x[0], ends.x[-1]
        counts = np.array(bars.y)
        assert counts.sum() > 900  # few lie beyond the picture
        inside = counts[(np.array(bars.x) > low) & (np.array(bars.x) < high)].sum() / counts.sum()
        assert 0.85 < inside < 0.99  # to the width of a bar
        assert f"{seeds} seeds" in picture.said
        wide[seeds] = high - low
    assert wide[5] > wide[20] > wide[80]


def test_shared_luck_widens_the_interval_that_is_not_paired_alone():
    intervals = {}
    for shared in (0.0, 2.0):
        said = refreshers.pairs(shared).said
        paired, alone = said.split("As if not paired: ")
        _, low, high, *_ = numbers(paired.replace("to ", ""))
        intervals[shared] = (high - low, np.ptp(numbers(alone)))
    assert intervals[0.0][0] == pytest.approx(intervals[2.0][0], abs=0.02)
    assert intervals[2.0][1] > 3 * intervals[0.0][1]


def test_false_discoveries_grow_with_comparisons_but_not_after_holm():
    plain, corrected = refreshers.found()
    assert plain[0] == corrected[0] == pytest.approx(5, abs=1.5)
    assert plain[9] == pytest.approx(100 * (1 - 0.95**10), abs=4)
    assert max(corrected) < 7
    assert "1 comparison of" in refreshers.several(1).said and "20 comparisons of" in refreshers.several(20).said


@pytest.mark.parametrize("name", ["tau", "bootstrap", "paired", "several"])
def test_a_slider_moves_the_picture(name):
    made = refreshers.show(name)
    before, said = [list(trace.y) for trace in made.figure.data], made.text
    still = made.still()
    made.slider.value = made.slider.max
    assert [list(trace.y) for trace in made.figure.data] != before and made.text != said
    assert made.text in made.told.value
    assert still.startswith(b"\x89PNG") and made.still() != still


def test_an_unknown_refresher_names_the_known():
    with pytest.raises(ValueError, match="tau, bootstrap"):
        refreshers.show("anova")


def test_the_page_has_the_form_of_a_lesson_and_each_text_is_short():
    for wrong in lesson.long_sentences, lesson.long_cells, lesson.bold, lesson.inner_headings:
        assert not wrong(PAGE), wrong.__name__
    assert {to for _, _, to in lesson.terms(PAGE)} <= set(anchors())
    sections = [cell["source"] for cell in PAGE["cells"] if cell["source"].startswith("## ")]
    assert len(sections) == 4
    for text in sections:
        assert len(lesson.prose(text).split()) <= 150 and "*Used in labs* [" in text
    shown = re.findall(r'refreshers\.show\("(\w+)"\)', "".join(cell["source"] for cell in PAGE["cells"]))
    assert shown == ["tau", "bootstrap", "paired", "several"]


def test_the_labs_it_names_are_there():
    for cell in PAGE["cells"]:
        for target in re.findall(r"\]\(([\w-]+\.ipynb)\)", cell["source"]):
            assert (labs_dir() / target).is_file(), target


def test_it_travels_with_the_labs_and_the_glossary(tmp_path, monkeypatch):
    assert main(["labs", str(tmp_path / "mine")]) == 0
    monkeypatch.setattr("sys.argv", ["edition", "student", str(labs_dir()), str(tmp_path / "students")])
    edition.main()
    for folder in "mine", "students":
        for name in "refreshers.ipynb", "glossary.md", "08-reporting-sheet.md":
            assert (tmp_path / folder / name).is_file(), (folder, name)
