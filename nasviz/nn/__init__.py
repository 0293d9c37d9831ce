"""Networks: operations, cells, counting. Only these modules import torch when they are imported themselves."""
