"""Search spaces, one a file."""

from .macro import MacroSpace
from .nasbench101 import NasBench101
from .nasbench201 import NasBench201

__all__ = ["MacroSpace", "NasBench101", "NasBench201"]
