"""Search spaces, one a file."""

from .elastic import ElasticSpace
from .macro import MacroSpace
from .mobile import MobileSpace
from .nasbench101 import NasBench101
from .nasbench201 import NasBench201

__all__ = ["ElasticSpace", "MacroSpace", "MobileSpace", "NasBench101", "NasBench201"]
