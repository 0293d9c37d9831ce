"""Where the files lie that travel with the project: data and labs.

In a checkout they stand beside the package; an installed wheel carries them inside it (``nasviz/_data``,
``nasviz/_labs``: see ``[tool.hatch.build]`` in pyproject.toml).
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def data_dir() -> Path:
    """The folder of data sets and tables. It need not exist: who reads a file there says what is missing."""
    return _travelling("data")


def labs_dir() -> Path:
    """The folder of the labs' notebooks."""
    return _travelling("labs")


def _travelling(name: str) -> Path:
    packed = PACKAGE / f"_{name}"
    return packed if packed.is_dir() else PACKAGE.parent / name
