"""What runs where, and how fast: latency measured, looked up in a table, and compared between devices."""

from .devices import SIMULATED, Roofline, Target, target, times
from .lookup import LatencyTable, Overhead, WithLatency, by_choice, units
from .measure import Latency, Noisy, latency, measure, memory

__all__ = [
    "SIMULATED",
    "Latency",
    "LatencyTable",
    "Noisy",
    "Overhead",
    "Roofline",
    "Target",
    "WithLatency",
    "by_choice",
    "latency",
    "measure",
    "memory",
    "target",
    "times",
    "units",
]
