"""The kinds of pictures that a stage can show: one file each, with its description, its checks and its still.

A file of this folder declares its kinds itself, as subclasses of `nasviz.views.stage.kinds.view.View`; `KINDS` is read
from them. What the browser runs is the file of the same name in ``../js``.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from .view import View


def _declared() -> dict[str, type[View]]:
    """Return all kinds by their names, in the order of files and of classes in a file."""
    kinds: dict[str, type[View]] = {}
    for name in sorted(module.name for module in iter_modules(__path__)):
        for one in vars(import_module(f"{__name__}.{name}")).values():
            if isinstance(one, type) and issubclass(one, View) and "kind" in vars(one):
                if kinds.setdefault(one.kind, one) is not one:
                    raise TypeError(f"{one} and {kinds[one.kind]} both declare the kind {one.kind!r}: rename one")
    return kinds


KINDS = MappingProxyType(_declared())
