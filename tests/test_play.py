"""The page to play with, without a browser: what it carries, its estimator, and how it is written."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from nasviz.course import commands, play
from nasviz.course.play import Noisy
from nasviz.course.play.packed import packed
from nasviz.course.play.page import HERE, PAGE, SEARCHES
from nasviz.estimators import TableLookup, nasbench201_table
from nasviz.estimators.table import Table
from nasviz.spaces import NasBench201

CELL = (3,) * 6


@pytest.fixture(scope="module")
def table():
    return nasbench201_table()


def small(*accuracies):
    return Table.of(
        NasBench201(), [(CELL, seed, {"accuracy": a, "madds": 9.0}, 1.0) for seed, a in enumerate(accuracies)]
    )


# ----------------------------------------------------------------------------------------------------------- the noise
def test_noise_scales_the_distance_from_the_mean_of_the_trainings():
    table = small(0.5, 0.75, 1.0)
    reported = [[Noisy(table, level)(CELL, seed=seed).scores["accuracy"] for seed in range(4)] for level in (0, 0.5, 2)]
    assert reported == [[0.75] * 4, [0.625, 0.75, 0.875, 0.625], [0.25, 0.75, 1.25, 0.25]]


def test_noise_of_one_is_the_table(table):
    for arch in table.archs[::500]:
        for seed in range(4):
            assert Noisy(table)(arch, seed=seed) == TableLookup(table)(arch, seed=seed)


def test_noise_below_zero_is_refused():
    with pytest.raises(ValueError, match="level"):
        Noisy(small(0.5), -1.0)


# ------------------------------------------------------------------------------------------------------------ the table
def numbers(text):
    return np.frombuffer(base64.b64decode(text), "<u2")


def test_the_packed_table_holds_every_training_exactly(table):
    data = packed(table)
    counts = numbers(data["counts"]).reshape(len(table.archs), data["trainings"])
    accuracy = (counts / data["images"]).astype(np.float32 if data["single"] else float).astype(float)
    assert ((counts != 65535) == table.there).all()
    assert (accuracy == table.columns["accuracy"])[table.there].all()
    assert (np.array(data["costs"])[numbers(data["cost"])] == table.column("madds")).all()
    assert (numbers(data["aliases"]) == table.aliases).all()


def test_a_table_that_the_page_cannot_carry_is_refused(table):
    with pytest.raises(ValueError, match="1 of 1 rows|every architecture"):
        packed(small(0.5))
    with pytest.raises(ValueError, match="plays on NAS-Bench-201.*nor_conv_3x3"):
        space = NasBench201(("none", "nor_conv_3x3"))
        packed(Table.of(space, [((1,) * 6, 0, {"accuracy": 0.5, "madds": 9.0}, 1.0)]))
    uneven = dict(table.columns) | {"accuracy": table.columns["accuracy"] + 1e-4}
    fields = {name: getattr(table, name) for name in ("space", "digest", "archs", "there", "seconds", "aliases")}
    with pytest.raises(ValueError, match="no counts out of 2,000"):
        packed(Table(columns=uneven, **fields))


# ------------------------------------------------------------------------------------------------------------- the page
def test_the_page_is_one_small_file_and_the_same_each_time(tmp_path, table):
    first, second = (play.write(tmp_path / name) for name in ("a.html", "b.html"))
    text = first.read_text("utf-8")
    assert second.read_text("utf-8") == text
    assert first.stat().st_size <= 2_000_000
    assert "default-src 'none'" in text and not re.search(r"@[A-Z]+@", text)
    addresses = set(re.findall(r"https?://[^\s\"'`]+", text)) - {"http://www.w3.org/2000/svg"}
    assert addresses == set() and not re.search(r"\b(src|href)\s*=\s*[\"']", text)


def test_every_script_is_in_the_page():
    assert sorted(SEARCHES + PAGE) == sorted(path.stem for path in (HERE / "js").glob("*.js"))


def test_the_command_writes_it_or_says_what_is_wrong(tmp_path, capsys):
    assert commands.main(["play", str(tmp_path / "play.html")]) == 0
    assert "bytes" in capsys.readouterr().out and (tmp_path / "play.html").exists()
    (tmp_path / "folder.html").mkdir()
    for out, said in (
        ("play.txt", "name it play.html"),
        ("none/play.html", "make it first"),
        ("folder.html", "a folder"),
    ):
        assert commands.main(["play", str(tmp_path / out)]) == 2
        assert said in capsys.readouterr().err


def test_the_page_that_the_readme_links_to_is_the_one_that_is_written(tmp_path):
    written = play.write(tmp_path / "play.html").read_bytes()
    stored = Path(__file__).parents[1] / "docs" / "play.html"
    assert stored.read_bytes() == written, "python -m nasviz course play docs/play.html"
