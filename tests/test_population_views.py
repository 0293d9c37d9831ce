"""The pictures of a population and of a local search: what they say must be what the search did."""

import numpy as np
import pytest
from stage_page import drawn
from toys import SPACES, Toy

from nasviz.objectives import Bounded
from nasviz.run import Run
from nasviz.strategies import LocalSearch, RandomSearch, RegularizedEvolution
from nasviz.views import neighborhood, population, replay
from nasviz.views.stage.kinds.people import FamilyView, _edit, _Kin

SPACE = SPACES[0]


def gone(search):
    run = Run(search)
    list(run)
    return run


@pytest.fixture(scope="module")
def evolution():
    return gone(RegularizedEvolution(SPACE, Toy(SPACE), 10, 4, evaluations=60, objective=Bounded("madds", 60.0)))


@pytest.fixture(scope="module")
def walk():
    return gone(LocalSearch(SPACE, Toy(SPACE, noise=0.0), evaluations=80, seed=2))


def test_each_step_has_its_parent_beside_it(evolution):
    columns = population(evolution).columns()
    assert len(columns["arch"]) == 60
    for step, before, arch in zip(evolution.steps, columns["before"], columns["arch"], strict=True):
        assert tuple(arch.argmax(1).tolist()) == step.evaluation.arch
        parent = step.shows["parent"]
        if parent < 0:
            assert np.isnan(before).all()
        else:
            assert tuple(before.argmax(1).tolist()) == evolution.steps[parent].evaluation.arch
    alive = [[int(n) for n in row if n >= 0] for row in columns["population"]]
    assert alive == [step.shows["population"].tolist() for step in evolution.steps]


def test_the_line_of_the_best_is_its_ancestry(evolution):
    stage = population(evolution)
    view = FamilyView.of({k: v for k, v in stage.spec["views"][1].items() if k != "kind"})
    kin = _Kin(view, stage.columns())
    line = kin.line(59)
    assert evolution.steps[line[0]].evaluation == evolution.best
    assert [evolution.steps[i].shows["parent"] for i in line] == [*line[1:], -1]
    for i in line[:-1]:
        assert "→" in _edit(view, stage.columns(), kin, i) and _edit(view, stage.columns(), kin, i).count(": ") == 1
    assert _edit(view, stage.columns(), kin, line[-1]) == "drawn at random"


@pytest.mark.parametrize("space", SPACES[1:], ids=lambda space: space.name)
def test_spaces_without_a_cell_have_a_picture_too(space):
    run = gone(RegularizedEvolution(space, Toy(space), 10, 3, evaluations=40))
    stage = population(run)
    assert "before" not in stage.spec["arrays"] and stage.still() and stage.still(0)
    run = gone(LocalSearch(space, Toy(space), evaluations=40))
    assert neighborhood(run).still()


def test_the_table_around_holds_what_is_known(walk):
    columns = neighborhood(walk).columns()
    known = {}
    for number, step in enumerate(walk.steps):
        known[step.evaluation.arch] = step.evaluation.scores["accuracy"]
        parent = step.shows["parent"]
        here = walk.steps[parent if parent >= 0 else number].evaluation.arch
        around, seen = columns["around"][number], 0
        for choice in range(6):
            for option in range(5):
                value = known.get((*here[:choice], option, *here[choice + 1 :]), np.nan)
                np.testing.assert_allclose(around[choice, option], np.float32(value))
                seen += value == value
        assert seen > 0
        assert tuple(columns["here"][number].argmax(1).tolist()) == here


def test_what_has_no_population_or_no_walk_is_refused(evolution, walk):
    with pytest.raises(ValueError, match=r"LocalSearch has no population .* \['population'\]"):
        population(walk)
    with pytest.raises(ValueError, match=r"RegularizedEvolution does not walk: .* \['position'\]"):
        neighborhood(evolution)
    with pytest.raises(ValueError, match="RandomSearch has no population"):
        population(Run(RandomSearch(SPACE, Toy(SPACE))))
    with pytest.raises(ValueError, match="nothing to draw yet"):
        population(Run(RegularizedEvolution(SPACE, Toy(SPACE))))
    with pytest.raises(ValueError, match="nothing to draw yet"):
        neighborhood(Run(LocalSearch(SPACE, Toy(SPACE))))


def test_in_a_browser(browser, evolution, walk, tmp_path):
    """Every step is drawn without an error, says what happened, and in the other theme as well."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for name, stage in {"population": population(evolution), "walk": neighborhood(walk)}.items():
        page.goto(replay.to_html(stage, tmp_path / f"{name}.html", title=name).as_uri())
        page.wait_for_selector(".nasviz-stage[data-n]")
        for step in (0, 7, 30, 59):
            page.evaluate("step => document.querySelector('.nasviz-stage').stage.seek(step)", step)
            page.locator(".said", has_text=f"Step {step} of").wait_for()
        said = page.inner_text(".said")
        if name == "population":
            parent, dead = evolution.steps[59].shows["parent"], 49
            assert f"Born: #59, a child of #{parent}. Died: #{dead}." in said
        inked = page.evaluate(
            """[...document.querySelectorAll('.canvas canvas')].map((canvas) => {
              const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
              return data.filter((v, i) => i % 4 === 3 && v > 0).length;
            })"""
        )
        assert min(inked[:2]) > 500
        page.emulate_media(color_scheme="dark")
        drawn(page)
    assert not errors
    page.close()
