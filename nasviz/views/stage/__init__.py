"""What is watched: the stage, its pictures, and the players that move it."""

from .widget import Stage

__all__ = ["Stage"]
