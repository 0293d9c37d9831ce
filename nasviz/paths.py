"""Where the files lie that travel with the project, data and labs, and those that do not: published benchmarks.

In a checkout they stand beside the package; an installed wheel carries them inside it (``nasviz/_data``,
``nasviz/_labs``: see ``[tool.hatch.build]`` in pyproject.toml).
"""

import os
from pathlib import Path

PUBLISHED = "NASVIZ_PUBLISHED"  # the environment variable that names the folder of published benchmarks
PACKAGE = Path(__file__).resolve().parent


def data_dir() -> Path:
    """The folder of data sets and tables. It need not exist: who reads a file there says what is missing."""
    return _travelling("data")


def labs_dir() -> Path:
    """The folder of the labs' notebooks."""
    return _travelling("labs")


def published_dir() -> Path:
    """The folder in which published benchmarks are looked for. It need not exist: they do not travel with the project.

    The environment variable NASVIZ_PUBLISHED names it. Without it, ``shared/published`` beside a checkout's folder if
    that exists, else ``~/.cache/nasviz/published``.
    """
    if named := os.environ.get(PUBLISHED, "").strip():
        return Path(named).expanduser()
    beside = PACKAGE.parent.parent / "shared" / "published"
    return beside if beside.is_dir() else Path.home() / ".cache" / "nasviz" / "published"


def _travelling(name: str) -> Path:
    packed = PACKAGE / f"_{name}"
    return packed if packed.is_dir() else PACKAGE.parent / name
