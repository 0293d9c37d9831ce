"""The reference of the Python code, made by pdoc from the docstrings, if pdoc is there."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent / "files" / "api"
LINK = re.compile(rb'<a class="headerlink" href="#([^"]+)">')
LEFT_OUT = "The reference of the Python code is left out: pdoc makes it (pip install 'nasviz[docs]')."


def files(tell: Callable[[str], object]) -> dict[str, bytes]:
    """The pages of the reference by their addresses; none, and a sentence, where pdoc is not installed.

    Raises
    ------
    ValueError
        If pdoc fails; with the end of what it says.
    """
    if importlib.util.find_spec("pdoc") is None:
        tell(LEFT_OUT)
        return {}
    with tempfile.TemporaryDirectory() as place:
        asked = ["-d", "numpy", "-t", str(HERE), "--no-show-source", "--favicon", "data:,", "-o", place]
        command = [sys.executable, "-m", "pdoc", *asked, "nasviz", "!nasviz._old_names"]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode:
            raise ValueError(f"pdoc failed: {ran.stderr.strip()[-600:]}")
        root = Path(place)
        found = [path for path in sorted(root.rglob("*")) if path.is_file()]
        return {path.relative_to(root).as_posix(): named(path.read_bytes()) for path in found}


def named(page: bytes) -> bytes:
    """A page whose links beside headings, which show nothing until one points at them, have a name to be read aloud."""
    return LINK.sub(rb'<a class="headerlink" href="#\1" aria-label="Link to \1">', page)
