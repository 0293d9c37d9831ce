"""Hardware: latency measured, looked up in a table, and compared between devices."""

from .devices import SIMULATED, Roofline, Target, target, times
from .latency_table import LatencyTable, Overhead, by_choice, units
from .measure import Latency, Noisy, device_name, latency, measure
from .resources import energy, memory, peak_memory

__all__ = [
    "SIMULATED",
    "Latency",
    "LatencyTable",
    "Noisy",
    "Overhead",
    "Roofline",
    "Target",
    "by_choice",
    "device_name",
    "energy",
    "latency",
    "measure",
    "memory",
    "peak_memory",
    "target",
    "times",
    "units",
]
