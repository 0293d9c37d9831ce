"""The site in a browser, from the disk, with the network cut off: answers, the search, themes, keys, and axe-core."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, writes
from site_page import serious, tab_to

from nasviz.course.site import build
from nasviz.paths import labs_dir


@pytest.fixture(scope="module")
def whole_site(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    build.build(labs_dir(), out, api=False)
    return out


def covers(page):
    return page.locator(".cover").count()


def drawn(page):
    """Wait for the stage and the chart of the small lab: what is far from the screen is drawn when one comes to it."""
    for alt, what in (("A stage", ".nasviz-stage canvas"), ("A chart", ".js-plotly-plot .scatterlayer .trace")):
        page.locator(f"figure:has(img[alt='{alt}'])").scroll_into_view_if_needed()
        page.locator(what).first.wait_for(state="attached")


# ------------------------------------------------------------------------------------------------- answer, then reveal
def test_a_result_is_covered_until_its_question_has_an_answer(site_page, small_site):
    page = site_page(small_site, "00-small.html")
    hidden = page.get_by_text("forty it is")
    assert covers(page) == 5 and not hidden.is_visible()
    assert not page.get_by_alt_text("A picture that tells").is_visible()
    assert page.get_by_alt_text("A kept picture").is_visible()
    question = page.locator(".question").first
    question.get_by_label("My guess as a number").fill("300")
    question.get_by_role("button", name="That is my guess").click()
    assert "from 0 to 200" in question.get_by_role("alert").text_content() and not hidden.is_visible()
    question.get_by_label("My guess as a number").fill("55")
    page.keyboard.press("Enter")
    assert hidden.is_visible() and page.get_by_alt_text("A picture that tells").is_visible()
    said = page.locator(".reveal").first.text_content()
    assert "Measured: 40 %." in said and "You said 55 %: 15 points off." in said
    assert covers(page) == 3 and not page.locator(".reveal").nth(1).is_visible()


def test_an_answer_is_remembered_and_can_be_forgotten(site_page, small_site):
    page = site_page(small_site, "00-small.html")
    page.get_by_label("this").check()
    page.get_by_role("button", name="That is my answer").click()
    assert "You said: this." in page.locator(".reveal").nth(1).text_content()
    again = site_page(small_site, "00-small.html", context=page.context)
    assert "You said: this." in again.locator(".reveal").nth(1).text_content() and covers(again) == 4
    again.get_by_role("button", name="Forget my answers").click()
    assert covers(site_page(small_site, "00-small.html", context=page.context)) == 5


def test_who_wants_no_question_sees_the_result(site_page, small_site):
    page = site_page(small_site, "00-small.html")
    page.get_by_role("button", name="Show without an answer").first.click()
    assert page.get_by_text("forty it is").is_visible() and covers(page) == 3
    assert "You made no prediction" in page.locator(".reveal").first.text_content()


def test_a_ranking_is_ordered_by_keys_and_compared(site_page, small_site):
    page = site_page(small_site, "00-small.html")
    page.get_by_role("button", name="b: better").focus()
    page.keyboard.press("Enter")
    assert page.locator(".order li").all_text_contents() == ["↑↓b", "↑↓a", "↑↓c"]
    page.get_by_role("button", name="That is my bet").click()
    assert "of 3 pairs you had 3 in the right order" in page.locator(".reveal").nth(2).text_content()


def test_a_curve_is_drawn_and_the_result_appears_beside_it(site_page, small_site):
    page = site_page(small_site, "00-small.html")
    pad = page.locator(".question .curve svg")
    page.get_by_role("button", name="That is my curve").click()
    assert "Draw a curve first" in page.locator(".question").nth(3).text_content()
    pad.focus()
    for key in ("ArrowUp", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert page.locator(".drawn .curve").count() == 0
    page.get_by_role("button", name="That is my curve").click()
    page.locator(".drawn .curve").scroll_into_view_if_needed()
    assert (
        page.locator(".curve .name", has_text="truth").count() == 2
    )  # on the student's axes, and where it is revealed


def test_a_stage_replays_and_a_chart_is_live(site_page, small_site):
    page = site_page(small_site, "00-small.html")
    page.get_by_alt_text("A stage").scroll_into_view_if_needed()
    stage = page.locator(".nasviz-stage")
    stage.wait_for()
    page.wait_for_function("document.querySelector('.nasviz-stage').dataset.n === '5'")
    stage.focus()
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.nasviz-stage').dataset.step === '0'")
    page.wait_for_function("/loss[^0-9]*1\\b/i.test(document.querySelector('.nasviz-stage .said').textContent)")
    page.locator(".js-plotly-plot .scatterlayer .trace").wait_for(state="attached")
    assert not page.get_by_alt_text("A chart").is_visible()


RUN = (
    "from nasviz import views\nfrom nasviz.estimators import TableLookup, nasbench201_table\n"
    "from nasviz.strategies import RandomSearch\ntable = nasbench201_table()\n"
    "player = views.Player(RandomSearch(table.space, TableLookup(table), evaluations=6))\nplayer",
    "player.run()",
    "views.show((3, 1, 2, 0, 1, 3), table.space)",
    "views.frontier({'programme': [(1, 2, 1, 3), (2, 3, 2, 4)]}, 'cost', 'accuracy')",
)


def test_a_lab_that_is_run_replays_answers_and_is_not_run_again(site_page, tmp_path):
    """The whole way of ``--run``, on a small lab: a kernel runs it; its page plays, is dragged and pointed at."""
    labs, out, kept = (tmp_path / name for name in ("labs", "out", "kept"))
    labs.mkdir()
    cells = [new_markdown_cell("# Live\n\nA lab."), *map(new_code_cell, RUN)]
    (labs / "00-live.ipynb").write_text(writes(new_notebook(cells=cells)), "utf-8")
    told = []
    build.build(labs, out, kept, api=False, tell=told.append)
    assert told == ["00-live.ipynb: running ..."]
    assert [path.name for path in out.rglob("*plotly*")] == ["plotly.js"]

    page = site_page(out, "00-live.html")
    figures = page.locator("figure.live")
    assert [one.get_attribute("data-draws") for one in figures.all()] == ["stage", "stage", "chart"]
    for figure in figures.all():
        figure.scroll_into_view_if_needed()
        figure.and_(page.locator(".on")).wait_for()
    player, still = page.locator(".nasviz-stage").nth(0), page.locator(".nasviz-stage").nth(1)
    assert player.get_attribute("data-n") == "6"
    assert not still.get_by_role("slider").is_visible() and still.locator("svg .edge").count() == 6
    player.scroll_into_view_if_needed()
    player.get_by_role("button", name="First step").click()
    player.and_(page.locator("[data-step='0']")).wait_for()
    track = player.get_by_role("slider").bounding_box()
    page.mouse.move(track["x"] + 2, track["y"] + track["height"] / 2)
    page.mouse.down()
    page.mouse.move(track["x"] + 0.6 * track["width"], track["y"] + track["height"] / 2, steps=4)
    page.mouse.up()
    player.and_(page.locator("[data-step='3']")).wait_for()
    player.get_by_role("button", name="Play").click()
    player.and_(page.locator("[data-step='5']")).wait_for()

    chart = page.locator(".js-plotly-plot")
    chart.scroll_into_view_if_needed()
    box = chart.locator(".points path").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2 - 1, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    chart.locator(".hovertext").first.wait_for()

    build.build(labs, out, kept, api=False, tell=told.append)
    assert len(told) == 1


def test_without_scripts_everything_can_be_read(browser, small_site):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(f"file://{small_site / '00-small.html'}")
    assert page.get_by_text("forty it is").is_visible() and page.get_by_alt_text("Draw it.").first.is_visible()
    context.close()


# ----------------------------------------------------------------------------------------------------- the whole site
def test_the_search_finds_a_section_of_another_lab(site_page, whole_site):
    page = site_page(whole_site, "00-start-here.html")
    page.keyboard.press("/")
    page.keyboard.type("nsga price")
    page.wait_for_function("document.querySelectorAll('#found li').length > 0")
    assert "Hardware-aware search" in page.locator("#found li").first.text_content()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/10-hardware-aware.html#*")
    page.get_by_role("searchbox").fill("elitism")
    page.wait_for_function("document.querySelectorAll('#found li').length > 0")
    assert "Glossary" in page.locator("#found li").first.text_content()
    page.get_by_role("searchbox").fill("xyzzy")
    assert page.locator("#found .count").text_content() == "Nothing found"
    page.keyboard.press("Escape")
    assert not page.locator("#found").is_visible()


def test_the_front_page_leads_to_the_page_to_play_with_and_back(site_page, whole_site):
    page = site_page(whole_site, "index.html")
    page.get_by_role("link", name="Play now").click()
    page.get_by_role("link", name="All labs").click()
    page.wait_for_url("**/index.html")


def test_the_theme_stays_from_page_to_page(site_page, whole_site):
    page = site_page(whole_site, "index.html", scheme="light")
    back = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(back)
    page.get_by_role("button", name="Use dark colours").click()
    dark = page.evaluate(back)
    assert light != dark
    page.goto(f"file://{whole_site / 'glossary.html'}")
    assert page.evaluate(back) == dark


@pytest.mark.parametrize("name", ["index.html", "00-start-here.html", "13-does-it-hold.html", "play.html"])
def test_nothing_but_code_and_tables_is_wider_than_a_page_at_four_hundred_percent(site_page, whole_site, name):
    page = site_page(whole_site, name, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_stage_and_a_chart_fit_a_page_at_four_hundred_percent(site_page, small_site):
    page = site_page(small_site, "00-small.html", width=320)
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    own = "[...document.querySelectorAll('.drawn *')].filter((e) => !e.closest('.scrolls'))"
    assert page.evaluate(f"Math.max(...{own}.map((e) => e.getBoundingClientRect().right))") <= 320
    chart = page.get_by_role("group", name="Chart", exact=True)  # wider than the page, and scrolled by keys
    chart.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(e) => e.scrollLeft > 0", arg=chart.element_handle())


# ---------------------------------------------------------------------------------------------------- by keys, in calm
def test_the_keyboard_gets_to_the_text_at_once(site_page, whole_site):
    page = site_page(whole_site, "06-darts.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_page_is_worked_through_by_keys_alone(site_page, small_site):
    page = site_page(small_site, "00-small.html")
    tab_to(page, "button.theme")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.style.colorScheme") == "dark"
    tab_to(page, ".question input[type=range]")
    page.keyboard.press("End")
    tab_to(page, ".question input[type=number]")
    page.keyboard.press("Enter")
    assert "You said 200 %" in page.locator(".reveal").first.text_content()
    tab_to(page, ".question input[type=radio]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert "As you said." in page.locator(".reveal").nth(1).text_content()
    tab_to(page, ".question .order button:not(:disabled)")
    page.keyboard.press("Enter")
    tab_to(page, ".question form > button")
    page.keyboard.press("Enter")
    assert "pairs you had" in page.locator(".reveal").nth(2).text_content()
    tab_to(page, ".question .curve svg")
    for key in ("ArrowUp", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    tab_to(page, ".question .row > button, .question form > button, .question .curve ~ button")
    page.keyboard.press("Enter")
    assert covers(page) == 0
    tab_to(page, "figure.live[data-draws=stage]")  # is drawn once one is there
    page.locator("figure.on .nasviz-stage[data-n='5']").wait_for()
    assert tab_to(page, ".nasviz-stage button") == 1
    stage = page.locator(".nasviz-stage")
    page.keyboard.press("Enter")  # to the first step
    page.wait_for_function("document.querySelector('.nasviz-stage').dataset.step === '0'")
    tab_to(page, ".nasviz-stage input[type=range]")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.nasviz-stage').dataset.step === '1'")
    assert stage.evaluate("(e) => getComputedStyle(e.querySelector(':focus-visible')).outlineStyle") != "none"
    page.keyboard.press("/")
    page.keyboard.type("anneal")
    page.wait_for_function("document.querySelectorAll('#found li').length > 0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/01-next.html#annealing")


def test_nothing_moves_by_itself_for_who_wants_no_motion(site_page, small_site):
    page = site_page(small_site, "00-small.html", motion="reduce")
    drawn(page)
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    at = "document.querySelector('.nasviz-stage').dataset.step"
    before = page.evaluate(at)
    page.wait_for_timeout(500)
    assert page.evaluate(at) == before and page.evaluate("document.getAnimations().length") == 0
    moving = """[...document.querySelectorAll("*")].filter((e) => {
      const { transitionDuration, animationName } = getComputedStyle(e);
      return animationName !== "none" || transitionDuration.split(",").some((one) => parseFloat(one) > 0); })"""
    assert page.evaluate(f"{moving}.map((e) => e.outerHTML.slice(0, 100))") == []


# ------------------------------------------------------------------------------------------------------------- on paper
def test_a_printed_page_is_light_has_its_pictures_and_what_is_folded(site_page, small_site):
    page = site_page(small_site, "00-small.html", scheme="dark")
    drawn(page)
    assert not page.get_by_alt_text("A chart").is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for name in ("A stage", "A chart", "A kept picture"):
        assert page.get_by_alt_text(name).is_visible()
        assert page.get_by_alt_text(name).evaluate("(e) => e.complete && e.naturalWidth") > 0
    for what in (".drawn", ".top", ".page > nav", ".question form", ".cover button"):
        assert not page.locator(what).first.is_visible(), what
    assert page.locator("details:not([open])").count() == 0
    assert page.locator(".cover").first.is_visible()  # what has no answer yet is not given away on paper either
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF") and len(paper) > 10_000
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]:not(.menu)").count() == 0


# ------------------------------------------------------------------------------------------------------------- axe-core
@pytest.mark.parametrize("name, scheme", [("index.html", "dark"), ("02-performance-estimation.html", "light"),
                                          ("13-does-it-hold.html", "dark"), ("play.html", "light")])  # fmt: skip
def test_axe_finds_nothing_serious(site_page, whole_site, name, scheme):
    page = site_page(whole_site, name, scheme=scheme)
    page.evaluate("document.querySelectorAll('.cover button').forEach((button) => button.click())")
    assert serious(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_where_stages_and_charts_are_live(site_page, small_site, scheme):
    page = site_page(small_site, "00-small.html", scheme=scheme)
    drawn(page)
    assert serious(page) == []


def test_axe_sees_what_is_wrong(site_page, tmp_path):
    (tmp_path / "bad.html").write_text("<!doctype html><html lang=en><title>a</title><img src='data:,'>", "utf-8")
    assert [rule for rule, _, _ in serious(site_page(tmp_path, "bad.html"))] == ["image-alt"]
