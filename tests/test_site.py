"""The labs as pages: what is on them, what is not, and that a folder of somebody else's stays as it is."""

import base64
import json
import re
import zlib
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from site_page import asked as asks
from site_page import code, recorded_stage, shown, small_lab

from nasviz.course import commands, notebooks
from nasviz.course.site import api, asked, build, folder, markdown, recorded, search
from nasviz.course.site.lab import lab
from nasviz.course.solutions import name_of, solutions, without_solutions
from nasviz.paths import labs_dir

LABS = sorted(labs_dir().glob("*.ipynb"))
BOOKS = {path: notebooks.read(path) for path in LABS}


@pytest.fixture(scope="module")
def site():
    return build.files(labs_dir(), api=False)


class Page(HTMLParser):
    """What a page refers to, which pictures have no text, which elements can be jumped to, and its headings."""

    def __init__(self, text):
        super().__init__()
        self.links, self.silent, self.ids, self.headings = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.links += [said[name] for name in ("href", "src") if name in said]
        self.ids += [said["id"]] if "id" in said else []
        if tag == "img" and not (said.get("alt") or "").strip():
            self.silent.append(said.get("src"))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))


def pages_of(files):
    return {name: data.decode() for name, data in files.items() if name.endswith(".html")}


# ------------------------------------------------------------------------------------------------------ all the labs
def test_every_lab_is_a_page_and_nothing_it_refers_to_is_missing(site):
    pages = {name: Page(text) for name, text in pages_of(site).items()}
    assert {f"{path.stem}.html" for path in LABS} <= pages.keys()
    for name, page in pages.items():
        for link in page.links:
            there, _, place = link.partition("#")
            if re.match(r"https?:|data:", link):
                assert not link.startswith("http") or "<a href" in site[name].decode()
                continue
            assert not there or there in site, f"{name} refers to {link}"
            if place and name != "play.html":
                assert place in pages[there or name].ids, f"{name} refers to {link}"


def test_pages_are_small_have_ids_once_and_say_what_their_pictures_show(site):
    for name, text in pages_of(site).items():
        page = Page(text)
        assert len(text.encode()) < 3_000_000
        assert page.silent == [], name
        assert len(set(page.ids)) == len(page.ids), name
        if name != "play.html":
            assert page.headings[0] == 1 and page.headings.count(1) == 1, name
            assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False)), name


def test_no_solution_is_on_the_site(site):
    squeezed = lambda text: re.sub(r"\s+", "", text)  # noqa: E731
    count = 0
    for path, book in BOOKS.items():
        words = squeezed(unescape(re.sub(r"<[^>]+>", "", site[f"{path.stem}.html"].decode())))
        others = squeezed("".join(cell["source"] for cell in without_solutions(book)["cells"]))
        for source in solutions(book).values():
            own = [line for line in map(squeezed, source.splitlines()) if len(line) > 12 and line not in others]
            assert [line for line in own if line in words] == []
            count += len(own)
        for cell in book["cells"]:
            if "solution" in cell["metadata"].get("tags", []) and name_of(cell) not in solutions(book):
                assert squeezed(re.sub(r"<[^>]+>|[*`$_]", "", cell["source"]))[-60:] not in words
    assert count > 100


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_every_question_is_asked_and_has_its_answer(path):
    book = BOOKS[path]
    found, revealed = asked.questions(book)
    sources = [cell["source"] for cell in book["cells"] if cell["cell_type"] == "code"]
    assert len(found) == sum(len(re.findall(r"= predict_\w+\(|: predict_\w+\(", source)) for source in sources)
    assert len(revealed) == len(found)
    for one in found:
        assert one.reveals > one.asks and one.text
        assert one.kind == "curve" or one.truth
        if one.kind == "number":
            assert one.more["low"] < one.more["high"]
            assert one.more["low"] <= float(one.truth.removesuffix(one.more["unit"]).replace(",", "").rstrip("×"))
        elif one.kind == "choice":
            assert one.truth in one.options
        elif one.kind == "ranking":
            assert sorted(name for name, _ in one.order) == sorted(one.options)
        else:
            assert one.more["x"][0] < one.more["x"][1] and one.more["y"][0] < one.more["y"][1]


def test_every_formula_is_set(site):
    for path, book in BOOKS.items():
        text = site[f"{path.stem}.html"].decode()
        cells = [
            c for c in book["cells"] if c["cell_type"] == "markdown" and "solution" not in c["metadata"].get("tags", [])
        ]
        source = "\n\n".join(re.sub(r"```.*?```|`[^`]*`", "", cell["source"], flags=re.S) for cell in cells)
        formulas = re.findall(r"\$\$.*?\$\$|(?<![\\$])\$[^$]+\$", source, re.S)
        assert text.count("<math ") >= len(formulas)
        assert "$$" not in text and "\\frac" not in text


def test_the_index_has_prose_and_terms_and_gives_no_answer_away(site):
    text = site["search-index.js"].decode()
    entries = json.loads(text.removeprefix("window.NASVIZ_INDEX = ").removesuffix(";\n"))
    assert {one["kind"] for one in entries} == {"lab", "term", "page"}
    assert any("AmoebaNet" in one["text"] and one["page"].startswith("Evolution") for one in entries)
    assert "Measured:" not in text
    first = next(one for one in entries if one["heading"] == "cell")
    assert first["at"] == "glossary.html#cell" and "small graph" in first["text"]


# ------------------------------------------------------------------------------------------------------- the small lab
def test_what_a_page_shows_of_each_kind_of_cell(small_site):
    text = (small_site / "00-small.html").read_text("utf-8")
    assert '<a href="01-next.html">next</a>' in text  # a notebook is its page
    assert '<a href="glossary.html#cell" class="term" title="a small graph.">cell</a>' in text
    assert "See code." in text and "x.py" not in text  # of the repository, and not of the site
    assert text.count("<math ") == 2 and "$" not in re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert "secret" not in text and "not written yet" not in text
    assert 'alt="A picture that tells"' in text
    assert text.count("The check of this exercise") == 1 and "Exercise: write a function, 3 minutes" in text
    further = text.split('<div class="further"')[1]
    assert "Beyond." in further.split("</section>")[0] and "<math" not in further


def test_a_slider_of_the_notebook_is_not_shown_as_python():
    written = "VBox(children=(FloatSlider(value=-0.07, description='w', max=0.0, min=-0.5, step=0.01),))"
    book = small_lab()
    book["cells"].insert(2, code("box", shown(text=written)))
    made = lab(book, "00-small", {}, {})
    outputs = [one.html for _, parts in made.groups for part in parts for one in part.outputs]
    assert any("Sliders stand here in the notebook" in one for one in outputs)
    assert not any("FloatSlider" in one for one in outputs)


def test_what_waits_for_an_answer():
    parts = [part for _, group in lab(small_lab(), "00-small", {}, {}).groups for part in group]
    waits = [(one.needs[0].kind, one.tells, [output.kind for output in one.outputs]) for one in parts if one.needs]
    assert waits == [  # what is tagged keep waits for nothing; code that reveals waits, too
        ("number", False, ["picture"]),
        ("number", True, ["reveal", "text"]),
        ("choice", True, ["reveal"]),
        ("ranking", True, ["reveal"]),
        ("curve", True, ["reveal", "picture"]),
    ]


def test_the_outputs_between_a_question_and_its_answer_wait_for_it_and_no_others():
    found, _ = asked.questions(small_lab())
    waits = {place: [one.kind for one in which] for place, which in asked.needs(found).items()}
    assert waits == {3: ["number"], 4: ["number"], 5: ["number"], 7: ["choice"], 9: ["ranking"], 11: ["curve"]}
    assert [one.truth for one in found] == ["40 %", "that", "b, a, c", ""]
    assert found[2].order == [("b", "0.90"), ("a", "0.50"), ("c", "0.10")]


def test_questions_in_a_loop_are_answered_in_their_order():
    said = '<div><b style="color:currentColor">▸</b> Measured: <b>{}</b>. You</div>'
    ask = 'bets = {"a": predict_number("A?", 0, 9), "b": predict_number("B?", 0, 9)}\ndisplay(*bets.values())'
    tell = code("for one in bets.values(): one.reveal(1)", *(shown(html=said.format(n)) for n in (3, 4)))
    found, _ = asked.questions(new_notebook(cells=[code(ask, asks("A?"), asks("B?")), tell]))
    assert [(one.text, one.truth) for one in found] == [("A?", "3"), ("B?", "4")]


def test_a_question_that_is_not_stored_is_named():
    cell = new_code_cell('n = predict_number("How many?", 0, 9)')
    with pytest.raises(ValueError, match="cell 0 asks 1 questions, and 0 are stored: render the lab"):
        asked.questions(new_notebook(cells=[cell]))


# -------------------------------------------------------------------------------------------------------- formulas
def test_formulas_are_set_as_tex_sets_them():
    assert re.sub(r" [lr]space=.[^>]*", "", markdown.formula(r"\arg\min_w")).count("<mo>") == 2
    assert '<mo lspace="0.17em" rspace="0.17em">ln</mo>' in markdown.formula(r"p \ln p")
    assert markdown.formula(r"a = -1").endswith('<mo form="prefix">&#x02212;</mo><mn>1</mn></mrow></math>')
    assert markdown.formula(r"\lVert v \rVert").count('stretchy="true"') == 2
    assert "&#x1D53C;" in markdown.formula(r"\mathbb E")


def test_a_formula_that_cannot_be_set_is_named_with_its_file(tmp_path):
    with pytest.raises(ValueError, match=r"the formula '\\\\nosuchword x' cannot be set"):
        markdown.formula(r"\nosuchword x")
    book = {"cells": [{"cell_type": "markdown", "source": "# A\n\n$\\nosuchword$", "metadata": {}}],
            "metadata": {}, "nbformat": 4, "nbformat_minor": 4}  # fmt: skip
    (tmp_path / "00-a.ipynb").write_text(json.dumps(book), "utf-8")
    with pytest.raises(ValueError, match=r"00-a\.ipynb: the formula"):
        build.files(tmp_path, api=False)


def test_headings_of_one_name_have_two_addresses():
    text = markdown.Text({})
    assert 'id="one-two"' in text("## One: *two*") and 'id="one-two-2"' in text("## One: two")


# ------------------------------------------------------------------------------------------------------- the folder
def files(**more):
    return {"index.html": b"one", "site/a.css": b"two"} | {f"{k}.html": v for k, v in more.items()}


def test_a_site_is_written_again_and_what_it_has_no_more_is_removed(tmp_path):
    out = tmp_path / "out"
    folder.write(files(old=b"old"), out)
    folder.write(files(new=b"new"), out)
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert there == {"index.html", "site/a.css", "new.html", folder.MEMORY}
    assert (out / "new.html").read_bytes() == b"new"


def test_nothing_foreign_is_overwritten(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "index.html").write_text("mine", "utf-8")
    with pytest.raises(folder.NotOurs, match="may be yours"):
        folder.write(files(), out)
    assert [path.name for path in out.iterdir()] == ["index.html"]
    (out / "index.html").unlink()
    folder.write(files(), out)
    (out / "index.html").write_text("mine now", "utf-8")
    (out / "more.html").write_text("mine, too", "utf-8")
    for new in files(), files(more=b"theirs"), {"site/a.css": b"two"}:
        with pytest.raises(folder.NotOurs, match="index.html"):
            folder.write(new, out)
    (out / "index.html").write_bytes(b"one")
    with pytest.raises(folder.NotOurs, match="more.html"):
        folder.write(files(more=b"theirs"), out)
    folder.write(files(other=b"fine"), out)
    assert (out / "more.html").read_text("utf-8") == "mine, too"


def test_a_build_that_was_killed_is_done_again(tmp_path, monkeypatch):
    out, real, count = tmp_path / "out", folder.replace, []

    def killed(path, data):
        count.append(path)
        if len(count) == 3:
            raise KeyboardInterrupt
        real(path, data)

    folder.write(files(), out)
    monkeypatch.setattr(folder, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.write({"index.html": b"1", "site/a.css": b"2"}, out)
    monkeypatch.undo()
    folder.write({"index.html": b"1", "site/a.css": b"2"}, out)
    assert (out / "index.html").read_bytes() + (out / "site/a.css").read_bytes() == b"12"


@pytest.mark.parametrize("damage", ["", "[]", '{"files": {"../x": ["a"]}}', '{"files": {"x": 3}}', '{"files": 3}'])
def test_a_damaged_memory_is_refused(tmp_path, damage):
    folder.write(files(), tmp_path / "out")
    (tmp_path / "out" / folder.MEMORY).write_text(damage, "utf-8")
    with pytest.raises(folder.NotOurs, match="damaged"):
        folder.write(files(), tmp_path / "out")


# ------------------------------------------------------------------------------------------------------- the command
def test_the_command_says_what_is_wrong(tmp_path, capsys):
    (tmp_path / "file").write_text("mine", "utf-8")
    assert commands.main(["site", str(tmp_path), "--no-api"]) == 2
    assert "may be yours" in capsys.readouterr().err
    assert commands.main(["site", str(tmp_path / "out"), "--labs", str(tmp_path), "--no-api"]) == 2
    assert "no notebooks" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_without_the_extra_the_command_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert commands.main(["site", str(tmp_path / "out")]) == 2
    assert "pip install 'nasviz[site]'" in capsys.readouterr().err


def test_without_pdoc_the_reference_is_left_out_with_a_sentence(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    told = []
    assert api.files(told.append) == {} and told == [api.LEFT_OUT]


def test_the_same_labs_on_the_same_day_give_the_same_bytes(small_site, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    labs = tmp_path / "labs"
    labs.mkdir()
    (labs / "00-a.ipynb").write_text('{"cells": [{"cell_type": "markdown", "source": "# A", "metadata": {}}], '
                                     '"metadata": {}, "nbformat": 4, "nbformat_minor": 4}', "utf-8")  # fmt: skip
    one, two = build.files(labs, api=False), build.files(labs, api=False)
    assert one == two and b"made on 2023-11-14" in one["index.html"]


# ------------------------------------------------------------------------------------------------------ what a run adds
def test_a_stage_is_kept_with_all_its_steps_exactly():
    kept = recorded_stage(steps=7)
    planes = np.frombuffer(zlib.decompress(base64.b64decode(kept["columns"]["loss"])), "u1").reshape(4, -1)
    values = np.ascontiguousarray(planes.T).view("<f4").ravel()
    assert kept["count"] == 7 and (values == np.linspace(1, 0, 7, dtype="f4")).all()
    assert kept["spec"]["views"][0]["kind"] == "curve"


def test_a_widget_gives_its_stage_its_chart_or_its_results():
    import ipywidgets
    import plotly.graph_objects as go

    from nasviz.course.questions import predict_curve
    from nasviz.views.charts import chart
    from nasviz.views.stage.widget import Stage

    spec = {"arrays": {"loss": []}, "views": [{"kind": "curve", "array": "loss"}]}
    stage = Stage(spec, [{"loss": 1}, {"loss": 2}])
    around = ipywidgets.VBox([ipywidgets.Label("a"), ipywidgets.HBox([stage])])
    figure = chart.live(go.Figure(go.Scatter(x=[1, 2], y=[3, 4])))
    curve = predict_curve("Draw.", x=(0, 1), y=(0, 1), x_label="a", y_label="b")
    held = recorded.held()
    assert [*held[around.model_id]] == [*held[stage.model_id]] == ["application/vnd.nasviz.stage+json"]
    assert [*held[figure.model_id]] == ["application/vnd.nasviz.chart+json"]
    assert curve.model_id not in held  # nothing is revealed yet
    one_step = Stage(spec, [{"loss": 1}])
    assert one_step.model_id not in recorded.held()  # there is nothing to play yet
    still = Stage(spec | {"transport": False}, [{"loss": 1}])
    part = ipywidgets.HBox([Stage(spec | {"transport": False}, [{"loss": 1}])])
    assert still.model_id in recorded.held() and part.model_id not in recorded.held()


def test_a_lab_is_run_once_and_again_when_its_code_changes(tmp_path, monkeypatch):
    ran = []

    def run(notebook, place):
        ran.append(place)
        notebook["cells"][0]["outputs"] = [shown(text="ran")]

    monkeypatch.setattr(recorded, "run", run)
    path, kept = tmp_path / "00-a.ipynb", tmp_path / "kept"
    write = lambda book: path.write_text(json.dumps(book), "utf-8")  # noqa: E731
    write(new_notebook(cells=[new_code_cell("1 + 1", id="a")]))
    for _ in range(2):
        assert recorded.read(path, kept, ran.append)["cells"][0]["outputs"][0]["data"]["text/plain"] == "ran"
    assert ran == ["00-a.ipynb: running ...", tmp_path]
    write(new_notebook(cells=[new_code_cell("1 + 2", id="a")]))
    recorded.read(path, kept, ran.append)
    assert len(ran) == 4


def test_a_title_says_the_number_the_name_and_the_rest():
    made = lab(small_lab(), "00-small", {}, {})
    assert (made.number, made.name, made.subtitle, made.lead) == ("00", "Small", "A lab", "A lab for tests .")
    assert [further for further, _ in made.groups] == [False, True]
    found = list(search.entries_of(made))
    assert [one.heading for one in found] == ["Small: a lab", "One", "Exercises", "Further: more"]


def test_the_links_beside_headings_of_the_reference_have_names():
    page = b'<h2>Choice<a class="headerlink" href="#Choice.when"></a></h2>'
    assert api.named(page).endswith(
        b'<a class="headerlink" href="#Choice.when" aria-label="Link to Choice.when"></a></h2>'
    )


def test_a_lab_that_fails_is_named(tmp_path, monkeypatch):
    from nbclient.exceptions import CellExecutionError

    def run(notebook, place):
        raise CellExecutionError("traceback", "ZeroDivisionError", "division by zero")

    monkeypatch.setattr(recorded, "run", run)
    (tmp_path / "00-a.ipynb").write_text(json.dumps(new_notebook(cells=[new_code_cell("1 / 0", id="a")])), "utf-8")
    with pytest.raises(ValueError, match=r"00-a\.ipynb does not run to its end: ZeroDivisionError: division by zero"):
        recorded.read(tmp_path / "00-a.ipynb", tmp_path / "kept", print)
    assert not (tmp_path / "kept").exists()
