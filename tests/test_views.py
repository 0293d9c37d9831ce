"""What the views make of runs: specs, rows, bands, pictures of cells; and what they must not import."""

import ast
from pathlib import Path

import numpy as np
import pytest
from toys import Elastic, Toy, Walk

import nasviz.views
from nasviz.graph import Edge, Graph
from nasviz.objectives import Bounded
from nasviz.run import Run, best_so_far
from nasviz.space import Choice, SearchSpace
from nasviz.spaces import DartsSpace, NasBench201
from nasviz.spaces.nasbench201 import EDGES, OPS
from nasviz.step import Step
from nasviz.strategies import RandomSearch, RegularizedEvolution
from nasviz.views import alphas, band_of, progress, show, stage_of
from nasviz.views.stage.from_search import Rows, cell_of, option_matrix

SPACE = NasBench201()


def finished(search):
    run = Run(search)
    for _ in run:
        pass
    return run


def randoms(n=5, evaluations=30, **fields):
    return [finished(RandomSearch(SPACE, Toy(SPACE), evaluations=evaluations, seed=i, **fields)) for i in range(n)]


def kinds(stage):
    return [view["kind"] for view in stage.spec["views"]]


# ---------------------------------------------------------------------- which pictures, which rows
def test_evolution_shows_cell_population_and_curve():
    bound = Bounded("madds", 30)
    run = finished(RegularizedEvolution(SPACE, Toy(SPACE), population=8, tournament=3, evaluations=25, objective=bound))
    stage = stage_of(run, band=randoms(objective=bound))
    assert kinds(stage) == ["cell", "swarm", "curve"] and len(stage) == 25
    columns = stage.columns()
    assert columns["population"].shape == (25, 25)
    for i, step in enumerate(run.steps):
        assert columns["arch"][i].sum() == 6 and tuple(columns["arch"][i].argmax(1)) == step.evaluation.arch
        alive = columns["population"][i]
        assert alive[np.isfinite(alive)].tolist() == step.shows["population"].tolist()
        assert columns["feasible"][i] == bound.allows(step.evaluation)
    np.testing.assert_allclose(columns["seconds"], run.costs, rtol=1e-6)
    assert stage.spec["views"][2]["band"][0]["label"] == "random search (5 seeds)"


def test_a_population_beyond_the_room_shows_its_newest():
    rows = Rows(RegularizedEvolution(SPACE, Toy(SPACE), evaluations=10_000))
    assert rows.arrays["population"] == [200]  # as far as the slider goes


def test_random_search_shows_cell_and_curve_side_by_side():
    stage = stage_of(randoms(1)[0], x="seconds")
    assert kinds(stage) == ["cell", "curve"] and sum(v["span"] for v in stage.spec["views"]) == 12
    assert stage.spec["views"][1]["x"] == "seconds" and "feasible" not in stage.columns()


def test_architecture_weights_show_supernet_table_traces_and_losses():
    run = finished(Walk(SPACE))
    stage = stage_of(run)
    assert kinds(stage) == ["cell", "heat", "traces", "curve"] and set(stage.columns()) == {"alphas", "loss"}
    np.testing.assert_array_equal(stage.columns()["alphas"], [step.shows["alphas"] for step in run.steps])


def test_turned_knobs_are_marked():
    run = Run(RegularizedEvolution(SPACE, Toy(SPACE), population=8, tournament=3, evaluations=20))
    for _ in run:
        if len(run) == 12:
            run.turn(population=4, tournament=1)
    assert stage_of(run).marks == [{"at": 12, "label": "population 4, tournament 1"}]


def test_a_run_becomes_a_page(tmp_path):
    stage = stage_of(randoms(1)[0])
    page = nasviz.views.replay.to_html(stage, tmp_path / "run.html", "RandomSearch").read_text(encoding="utf-8")
    assert "<title>RandomSearch</title>" in page and "http://" not in page.split("<script")[0]


def test_nothing_to_draw_is_refused():
    class Mute(Walk):
        shows = ("epoch",)

    with pytest.raises(ValueError, match="Mute.*epoch"):
        stage_of(Run(Mute(SPACE)))


def test_cell_of_knows_a_fixed_cell():
    graph = cell_of(SPACE)
    assert graph.nodes == ("0", "1", "2", "3") and [(e.source, e.target) for e in graph.edges] == list(EDGES)
    assert cell_of(Elastic()) is None  # it has no graph
    assert option_matrix((1, 0), 3).tolist() == [[0, 1, 0], [1, 0, 0]]


# ---------------------------------------------------------------------- one architecture
def test_show_names_every_operation_and_has_a_picture():
    cell = show((3, 0, 1, 0, 0, 2), SPACE)
    assert cell.text == (
        "Cell of NAS-Bench-201. 0→1: conv 3×3, 0→2: zero, 1→2: skip, 0→3: zero, 1→3: zero, 2→3: conv 1×1"
    )
    data, _ = cell._repr_mimebundle_()
    assert data["text/plain"] == cell.text and len(data["image/png"]) > 1000
    assert show(SPACE.to_text((3, 0, 1, 0, 0, 2)), SPACE).text == cell.text
    assert cell.still() != show((3, 0, 1, 0, 0, 3), SPACE, "same title").still()


def test_show_draws_weights_as_a_supernet():
    weights = np.full((6, 5), 0.1)
    weights[:, 3] = 0.6
    cell = show(weights, SPACE)
    np.testing.assert_allclose(cell.columns()["cell"][0], weights, rtol=1e-6)
    assert "0→1: conv 3×3 60 %" in cell.text


@pytest.mark.parametrize("wrong", [(1, 2), (9, 0, 0, 0, 0, 0), "|x~0|", np.zeros((2, 3))])
def test_show_refuses_what_is_no_architecture(wrong):
    with pytest.raises(ValueError):
        show(wrong, SPACE)


def test_show_draws_spaces_with_fixed_edges_and_own_operations():
    class Two(SearchSpace):
        name = "two"
        choices = (Choice("first", ("sep_conv_3x3", "max_pool_3x3")), Choice("input", (0, 1)))

        def graph(self, arch):
            edges = Edge(arch[1], 2, self.choices[0].options[arch[0]], 0), Edge(2, 3)
            return Graph(("a", "b", "c", "out"), edges)

    cell = show((1, 1), Two())
    assert cell.text == "Cell of two. first: max pool 3×3" or cell.text == "Cell of two. first: max pool"
    assert cell.spec["views"][0]["fixed"] == [1] and cell.spec["views"][0]["edges"][0] == [1, 2]


# ---------------------------------------------------------------------- weights in time, progress
def test_alphas_draws_runs_and_bare_steps():
    run = finished(Walk(SPACE))
    stage = alphas(run)
    assert kinds(stage) == ["cell", "traces", "heat"] and len(stage) == 30
    plain = alphas(run, ordered=False)
    assert plain.spec["views"][1]["labels"] == [choice.name for choice in SPACE.choices]
    assert (plain.columns()["alphas"][-1] == run.steps[-1].shows["alphas"]).all()
    last, names = run.steps[-1].shows["alphas"], [choice.name for choice in SPACE.choices]
    sure = [last[names.index(label)].max() for label in stage.spec["views"][1]["labels"]]
    assert sure == sorted(sure, reverse=True)  # each label still stands at its own weights
    assert stage.columns()["alphas"][-1].max(1).tolist() == pytest.approx(sure)
    ends = {tuple(edge) for edge in stage.spec["views"][0]["edges"]}
    first = stage.spec["views"][0]["edges"][0]
    assert ends == {(e.source, e.target) for e in SPACE.graph().edges}
    assert f"{first[0]}→{first[1]}" == names[int(last.max(1).argmax())]
    assert stage.spec["ops"] == list(OPS)
    assert len(alphas(run.steps[:7], SPACE)) == 7
    with pytest.raises(ValueError, match="space"):
        alphas(run.steps)
    with pytest.raises(ValueError, match="alphas"):
        alphas(randoms(1)[0])


def test_best_so_far_ignores_failures_and_what_the_bound_forbids():
    run = randoms(1, 200, objective=Bounded("madds", 30))[0]
    x, best = best_so_far(run)
    scores = np.array([step.evaluation.scores["accuracy"] for step in run.steps])
    allowed = np.array([step.evaluation.scores["madds"] <= 30 for step in run.steps])
    top = np.fmax.accumulate(np.where(allowed, scores, np.nan))
    np.testing.assert_allclose(best, top)
    assert x.tolist() == list(range(200)) and np.isnan(scores).any() and not allowed.all()
    assert best_so_far(run, "seconds")[0].tolist() == run.costs
    with pytest.raises(ValueError, match="minutes"):
        best_so_far(run, "minutes")


def test_the_band_is_quantiles_of_the_best_so_far():
    runs = randoms(9, 40)
    band = band_of(runs, share=0.5)
    best = np.array([np.nan_to_num(best_so_far(run)[1]) for run in runs])
    np.testing.assert_allclose(band["lo"], np.quantile(best, 0.25, axis=0))
    np.testing.assert_allclose(band["mid"], np.median(best, axis=0))
    np.testing.assert_allclose(band["hi"], np.quantile(best, 0.75, axis=0))
    seconds = band_of(runs, "seconds")
    assert seconds["x"][-1] == min(run.seconds for run in runs) and np.all(np.diff(seconds["mid"]) >= 0)
    with pytest.raises(ValueError, match="at least one"):
        band_of([])


def test_progress_is_a_chart_of_every_evaluation():
    runs = randoms(3)
    figure = progress(*runs[:2], band=runs)
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.name for trace in dots] == ["RandomSearch, seed 0", "RandomSearch, seed 1"]
    assert len(dots[0].x) == 30 and SPACE.to_text(runs[0].steps[4].evaluation.arch) in dots[0].text[4]
    assert dots[0].marker.symbol != dots[1].marker.symbol  # told apart without colour
    lines = [trace for trace in figure.data if trace.name == "best so far"]
    np.testing.assert_allclose(lines[0].y, 100 * best_so_far(runs[0])[1])
    assert "random search (3 seeds)" in {trace.name for trace in figure.data}


# ---------------------------------------------------------------------- the house
def test_views_import_no_strategy():
    for path in Path(nasviz.views.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert "strategies" not in (node.module or ""), path.name
                assert not any("strategies" in name.name for name in node.names), path.name


def test_public_names_are_what_they_are_called():
    assert callable(nasviz.views.alphas) and callable(nasviz.views.progress)  # not the files
    assert all(hasattr(nasviz.views, name) for name in nasviz.views.__all__)


def test_alphas_of_two_cells_are_ordered_cell_by_cell():
    space, draws = DartsSpace(), np.random.default_rng(0)
    weights = draws.dirichlet(np.ones(8), 28).astype("<f4")
    stage = alphas([Step(alphas=weights)], space)
    assert kinds(stage) == ["cell", "cell", "traces", "heat"]
    assert [(view.get("first", 0), view["rows"]) for view in stage.spec["views"][:2]] == [(0, 14), (14, 14)]
    labels, shown = stage.spec["views"][2]["labels"], stage.columns()["alphas"][0]
    assert all(label.startswith("normal") for label in labels[:14])
    for cell in (slice(14), slice(14, 28)):
        assert (np.diff(shown[cell].max(1)) <= 0).all() and {*map(tuple, shown[cell])} == {*map(tuple, weights[cell])}
    for row, (source, target) in enumerate(stage.spec["views"][0]["edges"][:14]):
        edge = next(e for e in space.cells()["normal"].edges if (e.source, e.target) == (source, target))
        assert (shown[row] == weights[edge.choice]).all()
    with pytest.raises(ValueError, match="shape"):
        alphas([Step(alphas=weights[:14])], space)
