"""Search spaces, one a file."""

from .darts import DartsSpace
from .elastic import ElasticSpace
from .elastic_resnet import ElasticResNet
from .macro import MacroSpace
from .mobile import MobileSpace
from .nasbench101 import NasBench101
from .nasbench201 import NasBench201
from .nasbench_macro import NasBenchMacro
from .nasnet import NasNetSpace
from .transformer import TransformerSpace

__all__ = [
    "DartsSpace",
    "ElasticResNet",
    "ElasticSpace",
    "MacroSpace",
    "MobileSpace",
    "NasBench101",
    "NasBench201",
    "NasBenchMacro",
    "NasNetSpace",
    "TransformerSpace",
]
