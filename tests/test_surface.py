"""Maps of a loss: the same colours for all, what is told, and a still; and an edge relaxed by hand."""

import io
from dataclasses import replace

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

from nasviz.analysis.diagnosis import Surface as Measured
from nasviz.analysis.diagnosis import validation_loss
from nasviz.spaces import NasBench201
from nasviz.strategies.darts import Darts
from nasviz.views.charts import chart as chart_module
from nasviz.views.charts.chart import figure, live
from nasviz.views.charts.surface import SCALE, Plane, Surface, _color
from nasviz.views.stage import panel
from nasviz.views.stage.mixture import Mixture

STEPS = np.linspace(-1, 1, 5)
FLAT, SHARP = (Measured(STEPS, 0.5 + bend * (STEPS**2 + STEPS[:, None] ** 2)) for bend in (0.1, 2.0))


def opened(still):
    return Image.open(io.BytesIO(still)).convert("RGB")


def test_surfaces_share_their_colours_and_show_the_cut_through_the_middle():
    chart = Surface({"before": FLAT, "after": SHARP})
    maps = [trace for trace in chart.figure.data if trace.type == "contour"]
    assert [(trace.zmin, trace.zmax) for trace in maps] == [(0.5, 4.5)] * 2
    cuts = {trace.name: trace.y for trace in chart.figure.data if trace.type == "scatter" and trace.name}
    assert cuts["after"] == pytest.approx(0.5 + 2 * STEPS**2) and cuts["before"] == pytest.approx(0.5 + 0.1 * STEPS**2)
    assert "after: 0.50 nats at α, from 0.50 to 4.50 up to 1 away" in chart.text
    picture = opened(chart.still())
    assert picture.width >= 860 and len(picture.getcolors(1 << 20)) > 8


@pytest.mark.parametrize("names", [("one",), ("one", "two", "three")], ids=len)
def test_any_number_of_surfaces_has_a_still(names):
    assert opened(Surface({name: SHARP for name in names}).still()).height > 400


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        Surface({})


def test_a_plane_tells_where_paths_end():
    path = [(2.0, -2.0), (1.5, 0.0), (1.0, 1.0)]
    chart = Plane(lambda a, w: a * w - 2 * a + 1, {"ours": path}, (0, 3), (-2, 2), curves={"w*": ([0, 3], [0, 3])},
                  best=(1, 1), title="toy")  # fmt: skip
    assert chart.text == "toy: ours ends at (1.00, 1.00); the best place is (1, 1)"
    heights = chart.figure.data[0]
    assert heights.z[0, -1] == pytest.approx(3 * -2 - 6 + 1)  # x runs along, y up
    assert [trace.name for trace in chart.figure.data[1:]] == ["w*", "ours", "the best place"]
    assert opened(chart.still()).size == (820, 420)


def test_colours_run_from_end_to_end():
    assert _color(0) == SCALE[0] and _color(1) == SCALE[-1] and _color(7) == SCALE[-1] and _color(-1) == SCALE[0]
    assert _color(float("nan")) == "#ffffff" == _color(0.3, 0)


# ------------------------------------------------------------------------------------------------------ an edge by hand
@pytest.fixture(scope="module")
def mixture():
    darts = Darts(NasBench201(), size=8, images=64, epochs=1, batch=16, network={"channels": 2})
    *_, last = darts
    search = replace(darts, start=last.state).begin()
    return darts, search, Mixture(darts, search, edge=3, images=40)


def test_sliders_are_the_alphas_of_an_edge(mixture):
    darts, search, view = mixture
    before = search.pack()
    assert len(view.stage) == 1 and view.stage.columns()["loss"][0] == pytest.approx(view.best)
    loss = view.set(0, 2, 0, 0, -5)
    alphas = search.alphas.detach().clone()
    alphas[3] = torch.tensor([0, 2, 0, 0, -5.0])
    expected = validation_loss(darts, search, 40)(alphas).item()
    assert loss == pytest.approx(expected) and len(view.stage) == 2  # one try, not one a slider
    assert view.stage.columns()["alphas"][-1] == pytest.approx(alphas.softmax(1).numpy())
    view.sliders[1].value = -2.0
    assert len(view.stage) == 3 and view.best == pytest.approx(view.stage.columns()["loss"].min())
    assert search.pack() == before  # the search itself stays as it was
    assert view.stage.still()[:4] == b"\x89PNG"
    assert panel.pictures()[view.model_id]["text/plain"] == repr(view)  # a stored page shows the last try
    Mixture(darts, search, edge=0, images=40).close()
    assert None not in panel.pictures()  # nor is one that is closed asked for


def test_an_edge_that_is_not_there_is_refused(mixture):
    darts, search, view = mixture
    with pytest.raises(ValueError, match="edges 0 to 5"):
        Mixture(darts, search, edge=6)
    with pytest.raises(ValueError, match="none, skip_connect"):
        view.set(1, 2)


def test_a_chart_tells_the_page_of_itself_only_once_it_is_filled(monkeypatch):
    told = []
    monkeypatch.setattr(ipywidgets.Widget, "open", lambda self: told.append(getattr(self, "_widget_data", None)))
    filled = figure(title="some")
    filled.add_scatter(x=[0, 1], y=[2, 3])
    chart = live(filled)
    assert [len(traces) for traces in told if traces is not None] == [1]
    assert chart._config["showSendToCloud"] is False, "a chart stays on this computer"


def test_charts_share_plotlys_code_and_a_page_that_comes_later_draws_what_they_show_now():
    first, second = live(figure(title="one")), live(figure(title="another"))
    assert first._plotly == second._plotly
    holder = chart_module._plotly_code()
    assert first._plotly == holder.model_id and len(holder.code) > 1e6 > 100 * len(first.get_state()["_esm"])
    first.add_scatter(y=[2, 3])
    with first.batch_update():
        first.data[0].y = [4, 5, 6]
        first.layout.title = "later"
    state = first.get_state()
    assert [list(line["y"]) for line in state["_widget_data"]] == [[4, 5, 6]]
    assert state["_widget_layout"]["title"]["text"] == "later"
