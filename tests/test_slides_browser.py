"""Slides in a browser: no request, no error, nothing that a slide cannot show, keys, notes, and a replay inside."""

import re
from importlib.util import find_spec

import pytest
from play_page import until
from test_stage import row, spec

from nasviz.course import notebooks
from nasviz.course.slides import deck, outline
from nasviz.paths import labs_dir
from nasviz.views.stage import replay
from nasviz.views.stage.widget import Stage

WALK = """() => [...document.querySelectorAll(".slides > section > section")].map((slide) => {
  const { h, v } = Reveal.getIndices(slide);
  Reveal.slide(h, v);
  const letters = [...slide.querySelectorAll("p, li, td, th, small, h2")].filter((one) => !one.closest("aside"));
  return { kind: slide.dataset.kind, wide: slide.scrollWidth, high: slide.scrollHeight, text: slide.innerText,
    least: Math.min(...letters.map((one) => parseFloat(getComputedStyle(one).fontSize))),
    formulas: [...slide.querySelectorAll(":scope > math, :scope > p math")]
      .map((one) => one.getBoundingClientRect().width) };
})"""


@pytest.fixture(scope="module")
def showing(browser, tmp_path_factory):
    """showing(slides): the page of a deck, with the network blocked and every complaint an error."""
    if not all(map(find_spec, ("nbconvert", "latex2mathml", "sphinx_revealjs"))):
        pytest.skip("what makes slides is not here: pip install 'nasviz[site]'")
    folder, parts, pages = tmp_path_factory.mktemp("decks"), deck.carried(), []

    def show(slides, name, scheme="light", after=""):
        (folder / f"{name}.html").write_text(deck.page(slides, name, parts), encoding="utf-8")
        page = browser.new_context(
            offline=True, viewport={"width": 1280, "height": 720}, color_scheme=scheme
        ).new_page()
        asked: list[str] = []
        page.on(
            "request", lambda request: asked.append(request.url) if request.url[:5] not in ("file:", "data:") else None
        )
        page.on("console", lambda said: asked.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: asked.append(str(error)))
        page.goto(f"file://{folder / name}.html{after}")
        until(page, "Reveal.isReady()")
        pages.append((page, asked))
        return page

    yield show
    for page, asked in pages:
        page.context.close()
        assert asked == []


@pytest.mark.parametrize("name", ["00-start-here", "05-bayesian-optimisation", "11-famous-architectures"])
def test_a_slide_shows_all_of_itself(showing, name):
    slides = outline.outline(notebooks.read(labs_dir() / f"{name}.ipynb"), name)
    found = showing(slides, name).evaluate(WALK)
    assert [one["kind"] for one in found] == [slide.kind for slide in slides]
    for one in found:
        assert one["wide"] <= 1280 and one["high"] <= 720 and one["least"] >= 12, one
    widths = [width for one in found for width in one["formulas"]]
    assert len(widths) > 1 and min(widths) > 5


def test_keys_turn_the_slides_and_the_address_names_them(showing):
    slides = [outline.Slide("text", f"Slide {n}", place, notes=[f"Said {n}"]) for n, place in enumerate("aab")]
    page = showing(slides, "01-keys")
    seen = lambda: page.evaluate("Reveal.getCurrentSlide().innerText.trim()")  # noqa: E731
    for n in range(3):
        assert seen().startswith(f"Slide {n}")
        assert page.evaluate("Reveal.getSlideNotes()").strip() == f"<p>Said {n}</p>"
        page.keyboard.press("ArrowRight")
    until(page, "location.hash === '#/1'")  # written a moment later
    page.keyboard.press("ArrowLeft")
    assert seen().startswith("Slide 1")


def test_a_stage_replays_on_its_slide(showing, tmp_path):
    stage = Stage(spec(), (row(i) for i in range(20)))
    alone = replay.to_html(stage, tmp_path / "run.html", "A recorded run").read_text("utf-8")
    frame = f'<iframe title="A recorded run" srcdoc="{outline._page_in_page(alone)}"></iframe>'
    page = showing([outline.Slide("text", "First"), outline.Slide("replay", frame)], "02-replay")
    page.keyboard.press("ArrowRight")
    inside = page.frame_locator("iframe")
    inside.locator(".nasviz-stage canvas").first.wait_for()
    slider = inside.locator("input[type=range]").first
    assert slider.get_attribute("max") == "19"
    slider.focus()
    page.keyboard.press("Home")  # of the replay, and not of the deck
    assert slider.input_value() == "0" and page.evaluate("Reveal.getIndices().v") == 1


RED = """getComputedStyle(document.querySelector("iframe").contentDocument.querySelector(".nasviz-stage"))
  .backgroundColor.match(/\\d+/)[0]"""
LOOKS = """() => [document.body, document.querySelector("section[data-kind]:not(.stack) p")]
  .map((e) => getComputedStyle(e)).map((style, n) => n ? style.color : style.backgroundColor)
  .map((color) => color.match(/\\d+/g).map(Number))"""


@pytest.mark.parametrize("scheme, dark", [("light", False), ("dark", True)])
def test_letters_stand_out_from_a_slide_in_both_themes(showing, scheme, dark):
    back, letters = showing([outline.Slide("text", "Seen")], f"03-{scheme}", scheme).evaluate(LOOKS)
    assert (sum(back) < 200) is dark and abs(sum(back) - sum(letters)) > 450


def test_a_deck_prints_a_page_a_slide_as_it_looks_on_the_screen(showing, tmp_path):
    stage = Stage(spec(), (row(i) for i in range(20)))
    alone = replay.to_html(stage, tmp_path / "run.html", "A recorded run").read_text("utf-8")
    frame = f'<iframe title="A recorded run" srcdoc="{outline._page_in_page(alone)}"></iframe>'
    slides = [outline.Slide("title", "# First\n\nSaid"), outline.Slide("question", "## Why?", "a"),
              outline.Slide("replay", frame, "a")]  # fmt: skip
    page = showing(slides, "04-paper", "dark", "?print-pdf")
    page.locator(".pdf-page").nth(2).wait_for()
    back, letters = page.evaluate(LOOKS)
    assert sum(back) == 765 and sum(letters) < 400  # no dark paper
    found = page.evaluate(
        """() => [...document.querySelectorAll(".pdf-page")].map((one) => {
          const slide = one.querySelector("section[data-kind]:not(.stack)"), box = slide.getBoundingClientRect();
          const letter = slide.querySelector("h1, h2, iframe").getBoundingClientRect();
          return { kind: slide.dataset.kind, high: slide.scrollHeight, left: letter.left - box.left }; })"""
    )
    assert [one["kind"] for one in found] == ["title", "question", "replay"]
    assert all(one["high"] <= 720 and one["left"] >= 50 for one in found), found
    asked = page.locator("section[data-kind='question']:not(.stack)")
    assert asked.evaluate("(e) => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"
    inside = page.frame_locator("iframe").locator(":root")
    inside.locator(".nasviz-stage").wait_for()
    until(page, f"({RED}) > 200")  # drawn anew in light colours
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 3
