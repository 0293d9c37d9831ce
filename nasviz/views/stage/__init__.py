"""The stage, an animated picture of a search: its views, and the players that move it."""

from .widget import Stage

__all__ = ["Stage"]
