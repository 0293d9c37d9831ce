"""The progress of a search: every evaluation, the best so far, and the range that random search reaches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...run import Run, best_so_far
from ...strategy import seed_of
from ..colors import AMBER, BLUE, GREY, MAGENTA, VIOLET

SERIES = (BLUE, AMBER, "#009178", MAGENTA, VIOLET, GREY)
SIGNS = ("circle", "diamond", "square", "cross", "triangle-up", "x")
GRID = "rgba(138,145,156,.3)"
POINTS = 300  # points of a band: more would be finer than a pixel


def band_of(runs: Sequence[Run], x: str = "evaluations", share: float = 0.8, label: str = "random search") -> dict:
    """Compute the range of the best so far over several runs: it shows how much depends on the seed.

    Parameters
    ----------
    runs : sequence of Run
        Runs of one search with different seeds; two give a range, ten a band.
    x : {"evaluations", "seconds"}
    share : float
        Share of the runs inside the band, 0 to 1; 0.8 leaves out a tenth above and a tenth below.
    label : str

    Returns
    -------
    dict
        ``x``, ``lo``, ``mid`` (median), ``hi``: float arrays of one length, accuracies 0 to 1; and ``label``. A stage's
        curve takes this as a band. The band ends where the shortest run ends.

    Raises
    ------
    ValueError
        If there is no run, or one of them has no evaluation.
    """
    curves = [best_so_far(run, x) for run in runs]
    if not curves or any(not len(positions) for positions, _ in curves):
        raise ValueError("a band needs at least one run, and each with at least one evaluation")
    start, end = max(p[0] for p, _ in curves), min(p[-1] for p, _ in curves)
    grid = np.linspace(start, max(start, end), POINTS)
    if x == "evaluations":
        grid = np.unique(grid.round())
    at = [best[np.searchsorted(positions, grid, side="right") - 1] for positions, best in curves]
    with np.errstate(all="ignore"):
        lo, mid, hi = np.nanquantile(np.nan_to_num(at, nan=0.0), [(1 - share) / 2, 0.5, (1 + share) / 2], axis=0)
    return {"x": grid, "lo": lo, "mid": mid, "hi": hi, "label": f"{label} ({len(curves)} seeds)"}


def progress(*runs: Run, band: Sequence[Run] = (), x: str = "evaluations"):
    """Draw a chart to explore: each evaluation of each run, its best so far, and the band of random search.

    This chart is for finished runs; during a search its stage has such a curve (`nasviz.views.Player`, `stage_of`).

    Parameters
    ----------
    *runs : Run
        The runs; the legend names them by strategy and seed.
    band : sequence of Run
        See `band_of`.
    x : {"evaluations", "seconds"}

    Returns
    -------
    plotly.graph_objects.Figure
        A figure with accuracies in percent. The tooltip of a dot tells the architecture and its scores.
    """
    import plotly.graph_objects as go  # here, as the import takes half a second

    figure = go.Figure()
    if band:
        area = band_of(band, x)
        edge = {"line": {"width": 0}, "hoverinfo": "skip", "legendgroup": "band"}
        figure.add_scatter(x=area["x"], y=100 * area["hi"], showlegend=False, **edge)
        inside = {"fill": "tonexty", "fillcolor": "rgba(138,145,156,.25)", "name": area["label"]}
        figure.add_scatter(x=area["x"], y=100 * area["lo"], **inside, **edge)
        middle = {"color": GREY, "dash": "dot", "shape": "hv"}
        figure.add_scatter(x=area["x"], y=100 * area["mid"], name="its median", mode="lines", line=middle)
    for number, run in enumerate(runs):
        color, sign = SERIES[number % len(SERIES)], SIGNS[number % len(SIGNS)]
        positions, best = best_so_far(run, x)
        name = f"{type(run.search).__name__}, seed {seed_of(run.search)}"
        evaluations = [step.evaluation for step in run.steps if step.evaluation]
        figure.add_scatter(
            x=positions,
            y=[100 * e.scores["accuracy"] for e in evaluations],
            text=[_told(run, e) for e in evaluations],
            mode="markers",
            marker={"color": color, "symbol": sign, "size": 6, "opacity": 0.45},
            hovertemplate="%{text}<extra></extra>",
            name=name,
            legendgroup=name,
        )
        line = {"color": color, "shape": "hv", "width": 2.5}
        figure.add_scatter(
            x=positions, y=100 * best, mode="lines", line=line, name="best so far", legendgroup=name, hoverinfo="skip"
        )
    figure.update_layout(
        height=420,
        margin={"l": 60, "r": 20, "t": 10, "b": 50},
        xaxis_title="architectures evaluated" if x == "evaluations" else "seconds of training",
        yaxis_title="validation accuracy, %",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        paper_bgcolor="rgba(0,0,0,0)",  # for the light and the dark theme
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "#7d8590"},
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, zeroline=False)
    return figure


def _told(run: Run, evaluation) -> str:
    scores = ", ".join(f"{name} {value:.4g}" for name, value in evaluation.scores.items())
    return f"{run.search.space.to_text(evaluation.arch)}<br>{scores}"
