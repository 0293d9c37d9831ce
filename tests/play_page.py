"""The page to play with, in a browser: fixtures and waiting that its tests share."""

import time

import pytest


@pytest.fixture(scope="module")
def play_file(tmp_path_factory):
    from nasviz.course import play

    return play.write(tmp_path_factory.mktemp("play") / "play.html")


@pytest.fixture(scope="module")
def computing(browser, play_file):
    """One page for all tests that only compute in it."""
    page = browser.new_page()
    page.goto(f"file://{play_file}#view=guess")
    yield page
    page.close()


@pytest.fixture
def playing(open_page, play_file):
    """playing(hash, …): the page, once what its address asks for is shown."""

    def go(step="", **more):
        page = open_page(play_file, step=step, **more)
        until(page, "play.page.state.view !== 'watch' || watch.dataset.ready === 'true'")
        return page

    return go


def until(page, expression, seconds=60):
    """Wait until an expression is true. (Playwright's own waiting evaluates text in the page, which forbids that.)"""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(30)
