"""The site in a browser without a network, and a small lab with everything in it: what its tests share."""

import base64
import io
from importlib.resources import files as resources

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes

QUESTION = "<p><b>{}</b></p><ul>{}</ul>"
SAID = '<div style="border-left:3px solid currentColor; padding:2px"><b style="color:currentColor">▸</b> {}</div>'
MEASURED = "Measured: <b>{}</b>. You made no prediction this time: guessing first is half of the lesson."
RANKED = "You made no bet this time: betting first is half of the lesson.<br>1. b (0.90)<br>2. a (0.50)<br>3. c (0.10)"
GLOSSARY = """# Glossary

One line.

<a id="cell"></a>**cell**: a small *graph*.

<a id="seed"></a>**seed**: a number.
"""
TOP = "# 00 · Small: a lab\n\nA lab for *tests*.\n\n**Time** 1 minute. See the [next](01-next.ipynb)."
ONE = "## One\n\nA **[cell](glossary.md#cell)** has $x_i^2$ of $$\\sum_i \\ln x_i.$$ See [code](../x.py)."


def serious(page, where="document"):
    """What axe-core finds serious or critical in a page, or in a part of it (JavaScript): rule, impact and element."""
    page.evaluate((resources("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate(f"axe.run({where}, {{ resultTypes: ['violations'], preload: false }})")["violations"]
    worst = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], one["impact"], node["html"][:300]) for one in worst for node in one["nodes"]]


def tab_to(page, selector, at_most=150):
    """Press Tab until something that the selector names has the focus; how often."""
    for count in range(1, at_most + 1):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return count
    raise AssertionError(f"no {at_most} tabs lead to {selector}")


def picture(width=64, height=48):
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def shown(**data):
    """An output: ``html=``, ``text=``, ``markdown=``, ``png=True``, or MIME types in ``more=``."""
    kinds = {"html": "text/html", "text": "text/plain", "markdown": "text/markdown"}
    found = {kinds[name]: value for name, value in data.items() if name in kinds}
    if data.get("png"):
        found["image/png"] = picture()
    return new_output("display_data", data=found | data.get("more", {}))


def asked(question, *options):
    return shown(html=QUESTION.format(question, "".join(f"<li>{one}</li>" for one in options)), text=question)


def code(source, *outputs, **metadata):
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


def small_lab(stage=None, chart=None, curve=None):
    """A lab of every kind of question, with an exercise and its solution; the last three are what a run adds."""
    drawn = {"name": "truth", "color": "#1a6fd4", "data": [[0, 10], [1, 3]]}
    cells = [
        new_markdown_cell(TOP),
        new_markdown_cell(ONE),
        code('n = predict_number("How many?", 0, 200, unit=" %")\nn', asked("How many?"), tags=[]),
        code("plot()", shown(png=True, text="<A picture that tells>")),
        code("keep()", shown(png=True, text="A kept picture"), tags=["keep"]),
        code("n.reveal(40)\nprint('forty')", shown(html=SAID.format(MEASURED.format("40 %"))),
             new_output("stream", name="stdout", text="forty it is\n")),
        code('c = predict_choice("Which?", ["this", "that"])\nc', asked("Which?", "this", "that")),
        code("c.reveal('that')", shown(html=SAID.format(MEASURED.format("that")))),
        code('r = predict_ranking("In which order?", ["a", "b", "c"])\nr', asked("In which order?", "a", "b", "c")),
        code("r.reveal(truth)", shown(html=SAID.format(RANKED))),
        code('d = predict_curve("Draw it.", x=(0, 10), y=(0, 4), x_label="time", y_label="height", unit="m")\nd',
             shown(png=True, text="Draw it.")),
        code("d.reveal(truth=xy)", shown(html=SAID.format("You drew no curve this time: a guess on paper counts too.")),
             shown(png=True, text="Draw it.", more=curve and {curve: {"results": [drawn]}} or {})),
        code("stage", shown(png=True, text="A stage", more=stage or {})),
        code("chart", shown(png=True, text="A chart", more=chart or {})),
        new_markdown_cell("### Exercises"),
        code("def mine(x):\n    return ...", tags=["exercise", "for:mine"], nasviz={"kind": "fill", "minutes": 3}),
        code("@check\ndef mine(): ...", shown(html="not written yet"), tags=["check", "for:mine"],
             jupyter={"source_hidden": True}),
        new_markdown_cell("<details><summary>Solution</summary>\n\n```python\nsecret = 42\n```\n\n</details>",
                          metadata={"tags": ["solution", "for:mine"]}),
        new_markdown_cell("## Further: more"),
        new_markdown_cell("Beyond."),
    ]  # fmt: skip
    return new_notebook(cells=cells, metadata={"nasviz": {"seconds": 3}})


def recorded_stage(steps=5):
    from nasviz.views.stage import replay
    from nasviz.views.stage.widget import Stage

    spec = {"arrays": {"loss": [], "a": [3]}, "views": [{"kind": "curve", "array": "loss", "title": "Loss"}]}
    return replay.recorded(Stage(spec, ({"loss": value, "a": [7, 8, 9]} for value in np.linspace(1, 0, steps))))


@pytest.fixture(scope="module")
def small_site(tmp_path_factory):
    """The small lab, live, and a second one without anything."""
    from nasviz.course.site import build
    from nasviz.course.site.lab import CHART, CURVE, STAGE

    labs = tmp_path_factory.mktemp("labs")
    chart = {"data": [{"type": "scatter", "x": [1, 2, 3], "y": [2, 1, 3]}], "layout": {"height": 300}}
    lab = small_lab({STAGE: recorded_stage()}, {CHART: chart}, CURVE)
    (labs / "00-small.ipynb").write_text(writes(lab), "utf-8")
    second = new_notebook(cells=[new_markdown_cell("# Next\n\nNothing.\n\n## Annealing\n\nIt cools.")])
    (labs / "01-next.ipynb").write_text(writes(second), "utf-8")
    (labs / "glossary.md").write_text(GLOSSARY, "utf-8")
    out = tmp_path_factory.mktemp("site") / "out"
    build.build(labs, out, api=False)
    return out


@pytest.fixture
def site_page(browser):
    """site_page(folder, name, …): a page from the disk, without a network, that logs no error and asks for nothing."""
    contexts, errors = [], []

    def opened(folder, name, width=1100, scheme="light", context=None, motion="no-preference"):
        if context is None:
            context = browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True, reduced_motion=motion
            )
            context.set_default_timeout(60_000)
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else errors.append(r.url))
        page.goto(f"file://{folder / name}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
