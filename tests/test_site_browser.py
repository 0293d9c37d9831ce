"""The site in a browser, from the disk, with the network cut off: answers, the search, themes, keys, and axe-core."""

from importlib.resources import files as resources

import pytest

from nasviz.course.site import build
from nasviz.paths import labs_dir


@pytest.fixture(scope="module")
def whole_site(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    build.build(labs_dir(), out, api=False)
    return out


def covers(page):
    return page.locator(".cover").count()


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


@pytest.mark.parametrize("name", ["index.html", "00-start-here.html", "13-does-it-hold.html"])
def test_nothing_but_code_and_tables_is_wider_than_a_page_at_four_hundred_percent(site_page, whole_site, name):
    page = site_page(whole_site, name, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_keyboard_gets_to_the_text_at_once(site_page, whole_site):
    page = site_page(whole_site, "06-darts.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("name, scheme", [("index.html", "dark"), ("02-performance-estimation.html", "light"),
                                          ("13-does-it-hold.html", "dark")])  # fmt: skip
def test_axe_finds_nothing_serious(site_page, whole_site, name, scheme):
    page = site_page(whole_site, name, scheme=scheme)
    page.evaluate("document.querySelectorAll('.cover button').forEach((button) => button.click())")
    page.evaluate((resources("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'], preload: false })")["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_axe_sees_what_is_wrong(site_page, tmp_path):
    (tmp_path / "bad.html").write_text("<!doctype html><html lang=en><title>a</title><img src='data:,'>", "utf-8")
    page = site_page(tmp_path, "bad.html")
    page.evaluate((resources("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'], preload: false })")["violations"]
    assert "image-alt" in [one["id"] for one in found]
