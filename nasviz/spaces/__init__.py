"""Search spaces, one a file."""

from .nasbench201 import NasBench201

__all__ = ["NasBench201"]
