"""Search spaces, one a file."""

from .nasbench101 import NasBench101
from .nasbench201 import NasBench201

__all__ = ["NasBench101", "NasBench201"]
