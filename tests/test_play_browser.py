"""The page to play with, in a browser: a link brings a moment back; what one presses does what it says."""

import contextlib
import io
import json

import numpy as np
import pytest
from play_page import until
from stage_page import drawn

from nasviz.course.play import Noisy
from nasviz.estimators import nasbench201_table
from nasviz.objectives import Bounded
from nasviz.strategies import LocalSearch


@pytest.mark.parametrize("search", ["random", "evolution", "local", "reinforce"])
def test_the_python_that_the_page_shows_runs_the_same_search(playing, search):
    page = playing(f"#search={search}&trainings=20&seed=5&noise=1.5&bound=150000")
    text = page.text_content("pre")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(text, "the page's code", "exec"), {})
    table = nasbench201_table()
    here = [line.split() for line in said.getvalue().splitlines()]
    there = page.evaluate("play.page.views.watch.run.until(20).steps.map((s) => [play.options(s.arch), s.accuracy])")
    assert len(here) == 20
    assert here == [[table.space.to_text(tuple(arch)), repr(value)] for arch, value in there]


# --------------------------------------------------------------------------------------------------------- the address
def step_of(page):
    drawn(page)
    return int(page.get_attribute("#watch", "data-step"))


def test_a_link_brings_the_moment_back(playing):
    address = "#search=evolution&seed=3&step=120&trainings=150&noise=2&bound=120000&population=12&tournament=4&aging=0"
    page = playing(address)
    assert step_of(page) == 120
    said = page.text_content("#watch .said")
    assert "Training 121 of 150" in said
    page.keyboard.press("ArrowRight")
    until(page, "location.hash.includes('step=121')")
    link = page.evaluate("location.hash")
    for part in address.removeprefix("#").split("&"):
        assert part in link or part.startswith("step=")
    assert page.text_content("#watch .said") != said
    again = playing(link)
    assert step_of(again) == 121 and again.text_content("#watch .said") == page.text_content("#watch .said")
    again.evaluate("(hash) => (location.hash = hash)", address)
    until(again, "watch.dataset.step === '120'")
    assert again.text_content("#watch .said") == said


def test_what_an_address_says_wrongly_is_named(playing):
    page = playing("#search=annealing&seed=-1&noise=much&population=3.5&cell=9&colour=red&step=7")
    note = page.get_by_role("alert")
    for part in ("search=annealing", "seed=-1", "noise=much", "population=3.5", "cell=9", "colour=red"):
        assert part in note.text_content()
    assert "step=7" not in note.text_content() and step_of(page) == 7
    assert playing().get_by_role("alert").count() == 0


# ---------------------------------------------------------------------------------------------------------------- watch
def test_playing_reaches_the_end_and_knobs_begin_the_search_anew(playing):
    page = playing("#trainings=60&speed=200&step=40")
    before = page.text_content("#watch .said")
    page.get_by_label("Population P").fill("5")
    until(page, f"document.querySelector('#watch .said').textContent !== {json.dumps(before)}")
    assert step_of(page) == 40  # the same training of another search
    page.keyboard.press(" ")
    until(page, "watch.dataset.step === '59'")
    page.get_by_role("button", name="Play (space)").wait_for()
    page.get_by_role("button", name="random search").click()
    until(page, "watch.dataset.step === '0'")
    assert "drawn at random" in page.text_content("#watch .said")


def test_reduced_motion_shows_whole_steps_only(playing):
    between = """() => { const { watch } = play.page.views;
      return [10, 10.6].map((t) => { watch.t = t; watch.draw(); return watch.map.plot.canvas.toDataURL(); }); }"""
    for motion, same in (("reduce", True), ("no-preference", False)):
        page = playing("#trainings=30", motion=motion)
        until(page, "play.page.views.watch.run.done")
        whole, half = page.evaluate(between)
        assert (whole == half) is same


@pytest.mark.parametrize("view", ["watch", "guess", "race"])
def test_nothing_is_wider_than_a_phone(playing, view):
    page = playing(f"#view={view}&search=reinforce&moves=333333.000000", width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme, light", [("light", True), ("dark", False)])
def test_the_theme_is_that_of_the_reader(playing, scheme, light):
    page = playing(scheme=scheme)
    back = page.evaluate("getComputedStyle(document.querySelector('#play')).backgroundColor")
    assert (sum(map(int, back[4:-1].split(","))) > 380) is light


def test_tabs_follow_the_arrows(playing):
    page = playing()
    page.get_by_role("tab", name="Watch a search").focus()
    page.keyboard.press("ArrowRight")
    tab = page.get_by_role("tab", name="Guess")
    assert (
        tab.get_attribute("aria-selected") == "true" and page.evaluate("document.activeElement.textContent") == "Guess"
    )
    assert page.get_by_role("tabpanel").count() == 1 and page.locator("#guess").is_visible()


# ------------------------------------------------------------------------------------------------------ guess and race
def test_a_drawn_cell_is_guessed_and_its_truth_shown(playing):
    page = playing("#view=guess&cell=333333")
    page.locator("#guess .editable").first.press("Enter")  # conv 3×3 on in→1 becomes pooling
    page.locator("#guess select").nth(5).select_option("1")
    page.get_by_label("It is better than how many cells?").fill("60")
    assert page.text_content("#guess .big") == ""
    page.get_by_role("button", name="Show the truth").click()
    said = page.text_content("#guess .big")
    table = nasbench201_table()
    row = table.row((4, 3, 3, 3, 3, 1))
    truth = table.columns["accuracy"][row][table.there[row]]
    assert f"{100 * truth.mean():.1f} %: better than" in said and all(f"{100 * one:.1f} %" in said for one in truth)
    assert "You said 60" in said
    until(page, "location.hash.includes('cell=433331')")
    page.get_by_role("button", name="Another cell").click()
    assert page.text_content("#guess .big") == ""


def test_a_race_is_decided_by_the_truth(playing):
    table = nasbench201_table()
    moves = [tuple(arch) for arch in np.random.default_rng(8).integers(5, size=(20, 6)).tolist()]
    link = "#view=race&search=local&seed=6&noise=2&bound=150000&moves="
    page = playing(link + ".".join("".join(map(str, arch)) for arch in moves[:19]))
    assert page.get_by_role("button", name="Train it").is_enabled() and "1 training left" in page.inner_text("#race")
    for place, option in enumerate(moves[19]):
        page.locator("#race select").nth(place).select_option(str(option))
    page.get_by_role("button", name="Train it").click()
    assert page.get_by_role("button", name="Train it").is_disabled()
    objective, estimate = Bounded("madds", 150_000), Noisy(table, 2.0)
    mine = max((estimate(arch, seed=number) for number, arch in enumerate(moves)), key=objective)
    search = LocalSearch(table.space, estimate, evaluations=20, objective=objective, seed=6)
    its = max((step.evaluation for step in search), key=objective)
    mine, its = (Noisy(table, 0.0)(one.arch).scores["accuracy"] for one in (mine, its))
    said = page.text_content("#race .big")
    assert ("You win" in said) is (mine > its) and f"by {100 * abs(mine - its):.1f} points" in said
    until(page, "location.hash.includes('" + "".join(map(str, moves[19])) + "')")
    page.get_by_role("button", name="Start again").click()
    assert "Draw your first cell" in page.text_content("#race .big")
