"""A page to play with, with nothing installed: ``python -m nasviz course play play.html`` writes it.

`Noisy` is the estimator of its searches, for whoever goes on in Python from what the page shows.
"""

from .noisy import Noisy
from .page import write

__all__ = ["Noisy", "write"]
