"""The table of the architectures trained in the editor, the best first, each cell in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite, nan

from ...space import SearchSpace
from ...step import Evaluation
from ..colors import style

_COLUMNS = ("Place", "Accuracy", "Multiply-adds", "Parameters", "Seed", "Cell")
_TABLE = "border-collapse:collapse; line-height:1.5; display:block; overflow:auto"
_CELL = "text-align:left; padding:1px 14px 1px 0; white-space:nowrap; font-variant-numeric:tabular-nums"
_CHIP = (
    "display:inline-block; border-left:4px solid; padding:0 6px 0 4px; margin:1px 4px 1px 0; "
    "background:var(--jp-layout-color2, #eee); border-radius:2px; font-size:.86em"
)
_BEST, _OVER = "background:rgba(26,111,212,.12)", "opacity:.7"


def table(ranked: Sequence[tuple[Evaluation, Mapping[str, float], bool]], space: SearchSpace) -> str:
    """Return an HTML table of evaluations, in the given order.

    Parameters
    ----------
    ranked : sequence of (Evaluation, size, over)
        ``size`` gives ``"parameters"`` and ``"madds"``; ``over``: the cell is over the limit, and cannot be the best.
    space : SearchSpace
        The space that names the choices.
    """
    if not ranked:
        return '<div style="opacity:.7">Cells that you train are ranked here.</div>'
    head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in _COLUMNS)
    body = "".join(_row(place, *one, space) for place, one in enumerate(ranked, 1))
    return (
        f'<table aria-label="Leaderboard" style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _row(place: int, evaluation: Evaluation, size: Mapping[str, float], over: bool, space: SearchSpace) -> str:
    best = place == 1 and not over and isfinite(evaluation.scores.get("accuracy", nan))
    cells = (
        "over the limit" if over else "★ best" if best else str(place),
        f"<b>{percent(evaluation)}</b>",
        short(size["madds"]),
        f"{size['parameters']:,.0f}",
        str(evaluation.seed),
        "".join(_chip(choice, option) for choice, option in zip(space.choices, evaluation.arch, strict=True)),
    )
    look = _OVER if over else _BEST if best else ""
    return f'<tr style="{look}">' + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"


def _chip(choice, option: int) -> str:
    drawn = style(choice.options[option])
    return (
        f'<span title="{escape(choice.name)}" style="{_CHIP}; border-left-color:{drawn.color}">'
        f"{escape(drawn.label)}</span>"
    )


def percent(evaluation: Evaluation) -> str:
    """Return the validation accuracy as text."""
    value = evaluation.scores.get("accuracy", nan)
    return f"{100 * value:.1f} %" if isfinite(value) else "failed"


def short(number: float) -> str:
    """Return a count as text: in millions from 100,000 on."""
    return f"{number / 1e6:.2f} M" if number >= 1e5 else f"{number:,.0f}"
