"""Hardware: latency measured, looked up in a table, taken from models of real devices, and compared between devices."""

from .block_times import HalfBlockTimes, half_block_times
from .devices import Roofline, Target, target, times
from .edge_costs import EdgeCosts
from .elastic_devices import ElasticDevice, elastic_device, elastic_devices
from .fitted_devices import FittedDevice, published_device, published_devices
from .latency_table import LatencyTable, Overhead, by_choice, units
from .measure import Latency, Noisy, device_name, latency, measure
from .operation_costs import OperationCosts
from .resources import energy, memory, peak_memory

__all__ = [
    "EdgeCosts",
    "ElasticDevice",
    "FittedDevice",
    "HalfBlockTimes",
    "Latency",
    "LatencyTable",
    "Noisy",
    "OperationCosts",
    "Overhead",
    "Roofline",
    "Target",
    "by_choice",
    "device_name",
    "elastic_device",
    "elastic_devices",
    "energy",
    "half_block_times",
    "latency",
    "measure",
    "memory",
    "peak_memory",
    "published_device",
    "published_devices",
    "target",
    "times",
    "units",
]
