"""Scripts that several pages share, and that other parts of nasviz own: what draws stages, curves and charts.

A page from a disk may load classic scripts, but no modules: so each is wrapped into a function.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..questions import CurveQuestion


def scripts(kinds: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """The scripts that outputs of these kinds need (`nasviz.course.site.lab.Output`), with their addresses."""
    curve = str(CurveQuestion._esm).replace("export default", "return")
    yield "site/curve.js", _wrapped("NasvizCurve", curve)
    if "stage" in kinds:
        from ...views.stage.replay import UNPACK
        from ...views.stage.widget import source

        yield "site/stage.js", _wrapped("NasvizStage", f"{source()}\n{UNPACK}\nreturn {{ History, mount, unpack }};")
    if "chart" in kinds:
        from plotly.offline import get_plotlyjs

        yield "site/plotly.js", get_plotlyjs().encode()


def _wrapped(name: str, code: str) -> bytes:
    return f"window.{name} = (() => {{\n{code}\n}})();\n".encode()
