"""What every test needs: one thread of arithmetic, lessons whose claims raise, and a browser where there is one."""

import os
import shutil

# Before anything imports NumPy or torch: two test processes share two cores, and one thread each is fastest.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("NASVIZ_TEST", "1")

import drawn  # noqa: F401  # before hypothesis reads which profile is asked for
import pytest
from lab_page import LAB, opened, server  # noqa: F401
from play_page import computing, play_file, playing  # noqa: F401
from site_page import site_page, small_site  # noqa: F401
from stage_page import live, open_page  # noqa: F401

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# One who is root has no sandbox, a test machine no GPU; the rest keeps Chromium from calling home.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# In make test alone: seconds for each of few tests. make check has to be quick enough for before every commit.
SLOW = ("test_collapse.py", "test_dask.py", "test_fuzz.py", "test_kills.py", "test_remedies.py", "test_timing.py",
        "test_the_ground_truth_reproduces", "test_no_number_of_a_strategy_hangs_it_or_breaks_it")  # fmt: skip

# Begun last, a long file would leave the other process idle. Those of more than ten seconds, in make check or test.
LONG = [f"test_{name}.py" for name in ("charts_browser", "stage_browser", "spaces", "elastic_training", "darts", "zoo",
        "single_path", "executors", "collapse", "dask", "play_searches", "reinforce", "search", "remedies", "table_csv",
        "labs")]  # fmt: skip


def order(item):
    """Lab 00 in the browser, the other labs, the long ones, the rest; the cells and tests of a file stay together."""
    name = item.path.name
    return name != "test_lab_browser.py", item.path.suffix != ".ipynb", LONG.index(name) if name in LONG else len(LONG)


def pytest_collection_modifyitems(items):
    """Mark cells of notebooks, what needs a browser and what is slow; what takes longest comes first."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("lab")
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if item.path.name in SLOW or getattr(item, "originalname", "") in SLOW:
            item.add_marker("slow")
    items.sort(key=order)


def pytest_collection_finish(session):
    """Lab 00 runs once: in the browser, where that is part of this run, else in nbval."""
    if find_chromium() and any(item.name == "test_the_whole_lab" for item in session.items):
        for item in session.items:
            if item.path.name == LAB:
                item.add_marker(pytest.mark.skip(reason="runs in the browser: tests/test_lab_browser.py"))


def find_chromium():
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


@pytest.fixture(scope="session")
def chromium():
    """Path of the system's Chromium. Skips without one, or fails where NASVIZ_REQUIRE_BROWSER is set."""
    found = find_chromium()
    if found is None:
        message = f"no browser: install one of {', '.join(CHROMIUM)}"
        if os.environ.get("NASVIZ_REQUIRE_BROWSER"):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def browser(chromium):
    """A headless browser, driven by Playwright's synchronous API; one a test module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def few_judged():
    """Few children on few validation images: to judge them is most of what an epoch of elastic training costs here."""
    from nasviz.strategies import elastic_training

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elastic_training, "JUDGED", 20)
        patch.setattr(elastic_training, "WATCHED", 1)
        yield
