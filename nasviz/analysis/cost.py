"""The cost of a search in accelerator-days, kilowatt-hours, CO₂ equivalents and money; for our and for published runs.

A bill is the product of a measured number and of assumed numbers, and headlines differ mostly in the assumed ones::

    kWh   = device-days · 24 h · watts a device · PUE / 1000
    kg    = kWh · kg CO₂e a kWh
    money = device-days · 24 h · price of a device-hour

(Strubell, Ganesh & McCallum 2019, section 2.) The assumptions are therefore fields with units, not constants, and every
published search has the source of its number. Days of a K40 and days of a TPU cannot be compared: both are times, and a
faster device computes more in the same time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

from ..ranges import check_fields, ranged

DAY = 24 * 3600.0  # seconds
POUND = 0.45359237  # kg
POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True)
class Assumptions:
    """The numbers of a bill that are not measured.

    The defaults are those of Strubell et al., except for the watts, which they measured in each case.

    Attributes
    ----------
    watts : float
        Mean power of one accelerator, W, with its share of the computer around it. The rated power of many is 250: a
        K40 has 235, a P100 and a V100 250.
    core_watts : float
        Power of one busy core of this machine, W: for our own runs, if the machine does not measure its energy.
    pue : float
        Power usage effectiveness: watts of the data centre for each watt of computation, 1 or more. Strubell et al.
        took 1.58, a mean of 2018; Google's data centre in Georgia had 1.1 (Patterson et al. 2021, table 4).
    intensity : float
        Carbon intensity of the grid, kg CO₂e a kWh. 0.954 lb was the mean of the USA. Medians over the life of a plant:
        hydro 0.024, coal 0.82 (IPCC 2014, working group III, annex III, table A.III.2).
    price : float
        Price of an accelerator-hour, US dollars. Strubell et al.'s bill implies 1.46, of a P100 in 2019.
    core_price : float
        Price of a core-hour, US dollars, roughly: Google's n1-standard-1, one virtual core, was 0.045 to 0.063 in March
        2015.
    car : float
        Emissions of a car in its life, fuel included, kg CO₂e: 126,000 lb in Strubell et al.
    """

    watts: float = ranged(250.0, 0.0)
    core_watts: float = ranged(10.0, 0.0)
    pue: float = ranged(1.58, 1.0)
    intensity: float = ranged(0.954 * POUND, 0.0)
    price: float = ranged(1.46, 0.0)
    core_price: float = ranged(0.05, 0.0)
    car: float = ranged(126_000 * POUND, above=0.0)

    def __post_init__(self):
        check_fields(self)


@dataclass(frozen=True)
class Bill:
    """The bill of one search. ``days`` are days of one ``device``; ``cars`` are car lifetimes with equal emissions."""

    name: str
    days: float
    kwh: float
    kg: float
    dollars: float
    cars: float
    device: str = "GPU"
    measured: bool = False

    def __getitem__(self, unit: str) -> float:
        if unit not in UNITS:
            raise KeyError(f"a bill is in {', '.join(UNITS)}, not in {unit!r}")
        return getattr(self, unit)


UNITS = {"days": "device-days", "kwh": "kWh", "kg": "kg CO₂e", "dollars": "US dollars", "cars": "car lifetimes"}


@dataclass(frozen=True)
class Published:
    """A reported search, with its length in days of one device.

    Attributes
    ----------
    name : str
    year : int
        Year of the first version of the paper.
    days : float
        Device-days of the search alone: without failed attempts before it, and without training the winner.
    device : str
        Device of the days; "GPU" if the paper does not name it, as far as we know.
    devices, children : int or None
        Number of devices at once, and number of architectures that were trained.
    source : str
        Source of the numbers; also other numbers that are often printed instead.
    traced : bool
        Whether the number is in the paper of that search. False: it is in another paper only, or in none.
    """

    name: str
    year: int
    days: float
    device: str
    devices: int | None
    children: int | None
    source: str
    traced: bool = True

    def bill(self, assume: Assumptions | None = None) -> Bill:
        """Return the bill under the given assumptions, or under the defaults."""
        return bill(self.name, self.days, assume, device=self.device)


SEARCHES = (
    Published("Zoph & Le", 2016, 22_400, "K40", 800, 12_800,
              "Zoph et al. 2018, section 4: 800 K40 for 28 days. They print the product, 22,400, as GPU-hours: a slip"),
    Published("NASNet", 2017, 2_000, "P100", 500, 20_000,
              "Zoph et al. 2018, section 4: 500 P100 for 4 days; the product is printed as GPU-hours there too"),
    Published("AmoebaNet", 2018, 3_150, "K40", 450, 20_000,
              "Real et al. 2019, methods: 450 K40 for about 7 days, 20,000 models; Liu et al. 2019 print the product"),
    Published("ENAS", 2018, 0.5, "1080 Ti", 1, None,
              "Liu et al. 2019, table 1. Pham et al. 2018 themselves print 0.45 in the table of CIFAR-10, which the "
              "zoo has, and say less than 16 hours on one 1080 Ti"),
    Published("DARTS, first order", 2018, 1.5, "1080 Ti", 1, None,
              "Liu et al. 2019, table 1; the cost of four searches, the best of which is kept"),
    Published("DARTS, second order", 2018, 4.0, "1080 Ti", 1, None,
              "Liu et al. 2019, table 1; the cost of four searches, the best of which is kept"),
    Published("one-shot, as told", 2018, 8 / 24, "GPU", 1, None,
              "'about 8 GPU-hours' goes around; we found no table of a paper to cite for it", traced=False),
    Published("MnasNet", 2018, 4.5 * 64, "TPU v2", 64, 8_000,
              "Tan et al. 2019, section 5: 4.5 days on 64 TPU v2, some 8,000 models. The 40,000 that is often printed "
              "beside it is Cai et al.'s figure for it (Once-for-all) and counts GPU-hours; Wu et al. (FBNet) put the "
              "same search at 421 times their 216 GPU-hours"),
    Published("ProxylessNAS", 2018, 200 / 24, "V100", None, None,
              "Cai et al. 2020, table 1: 200 GPU-hours a device; 300 more train what it finds"),
    Published("FBNet", 2018, 216 / 24, "GPU", 8, None, "Wu et al. 2019, section 4.1: 8 GPUs for 27 hours"),
    Published("Evolved Transformer", 2019, 6.8 * 200, "TPU v2", 200, None,
              "Patterson et al. 2021, appendix D: 200 TPU v2 for 6.8 days; they print 32,633 hours of one, Strubell et "
              "al. 2019 print 32,623"),
    Published("Once-for-all", 2019, 1_240 / 24, "V100", None, None,
              "Cai et al. 2020, table 1: 1,200 GPU-hours for the one network, 40 for the search; a further device "
              "costs next to nothing"),
)  # fmt: skip


def published(name: str) -> Published:
    """Return the search called ``name``. ValueError, with all known names, if there is none."""
    for one in SEARCHES:
        if one.name == name:
            return one
    raise ValueError(f"there is no {name!r} on the list; there are {', '.join(one.name for one in SEARCHES)}")


def bill(name: str, days: float, assume: Assumptions | None = None, *, device: str = "GPU") -> Bill:
    """Compute the bill of ``days`` (0 or more) of one accelerator."""
    assume = assume or Assumptions()
    if not (isfinite(days) and days >= 0):
        raise ValueError(f"{name}: days must be a number of 0 or more, got {days!r}")
    kwh = days * 24 * assume.watts * assume.pue / 1000
    kg, cars = _emissions(kwh, assume)
    return Bill(name, days, kwh, kg, days * 24 * assume.price, cars, device)


def _emissions(kwh: float, assume: Assumptions) -> tuple[float, float]:
    """Return the emissions of ``kwh`` in kg CO₂e and in car lifetimes."""
    kg = kwh * assume.intensity
    return kg, kg / assume.car


# ---------------------------------------------------------------------- one search, two bills
@dataclass(frozen=True)
class Headline:
    """A number that others published about a search: by whom, about which search, under which assumptions.

    Attributes
    ----------
    said_by, search, device : str
        Who published the number, about which search, for which accelerator.
    days : float
        Days of one accelerator.
    assume : Assumptions
        From these and ``days``, `bill` computes the number by the formula.
    kg : float or None
        The published number, kg CO₂e; None if nobody published one.
    basis : str
        What the hours and the watts rest on.
    """

    said_by: str
    search: str
    days: float
    device: str
    assume: Assumptions
    kg: float | None
    basis: str

    def bill(self) -> Bill:
        """Compute the bill by the formula at the top of this module."""
        return bill(self.said_by, self.days, self.assume, device=self.device)


HEADLINES = (
    Headline("Strubell et al. 2019", "Evolved Transformer", 274_120 * 8 / 24, "P100", Assumptions(1515.43 / 8),
             626_155 * POUND, "979 M steps, each as if the full-size model were trained on 8 P100: 274,120 hours"),
    Headline("Patterson et al. 2021", "Evolved Transformer", 6.8 * 200, "TPU v2",
             Assumptions(208, pue=1.1, intensity=0.431), 3_200,
             "the 200 TPU v2 it ran on, on a small proxy of the task, in Google's data centre"),
    Headline("us, by the same formula", "Zoph & Le", 22_400, "K40", Assumptions(235), None,
             "rated power of a K40; computer around it not counted"),
)  # fmt: skip

# P100-hours of the Evolved Transformer's search, had it run on P100s as it was: 979 M steps of the base model, of which
# 100,000 take 12 hours, with a batch that fits on one (Patterson et al. 2021, appendix C)
PROXY_HOURS = 979e6 * 12 / 100_000

# MnasNet's search in GPU-hours, as other papers convert it: its own paper gives TPU-days only
MNASNET_AS_TOLD = {"Cai et al. 2020, Once-for-all": 40_000, "Wu et al. 2019, FBNet: 421 × 216": 421 * 216}

# The number of targets that one network was specialised for. Some texts say 190; we found no source for it.
OFA_SCENARIOS = {
    "Cai et al. 2020, table 1: what costs are multiplied by": 40,
    "Cai et al. 2020, abstract: networks released, devices and latencies": 50,
}


def scenarios(count: int, *, each: float, once: float = 0.0) -> float:
    """Return the GPU-hours for ``count`` targets: ``once`` for all of them together, ``each`` for every one."""
    if count < 0:
        raise ValueError(f"there cannot be {count} targets")
    return once + count * each


# ---------------------------------------------------------------------- runs on this machine
def joules(root: Path = POWERCAP) -> dict[str, tuple[int, int]]:
    """Read this machine's energy counters (Linux RAPL): ``{package: (microjoules, largest value of the counter)}``.

    Only counters of whole processors are read: those of their parts (cores, memory) would count energy twice. The
    result is empty without counters, as in most containers, or if only the administrator may read them, as on Linux
    since 2020.
    """
    found = {}
    for package in sorted(root.glob("intel-rapl:*")) if root.is_dir() else ():
        if package.name.count(":") != 1:
            continue
        try:
            now, end = ((package / name).read_text() for name in ("energy_uj", "max_energy_range_uj"))
            found[package.name] = int(now), int(end)
        except (OSError, ValueError):
            continue
    return found


@dataclass
class Meter:
    """A meter of time and energy for the block ``with Meter() as meter:``.

    Attributes
    ----------
    seconds, cpu_seconds : float
        Seconds by the clock, and core-seconds of this process. Core-seconds do not include processes that it started.
    joules : float or None
        Energy of the whole machine, also of other programs; None if the machine does not measure it. It is right if the
        counter starts again at most once, which takes minutes at least.
    """

    root: Path = POWERCAP
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    joules: float | None = None

    def __enter__(self) -> Meter:
        self._before = joules(self.root), time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error) -> None:
        before, clock, cpu = self._before
        self.seconds, self.cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
        after = joules(self.root)
        both = before.keys() & after.keys()
        if both:
            # after its largest value the counter starts again at 0
            micro = sum((after[name][0] - before[name][0]) % (before[name][1] + 1) for name in both)
            self.joules = micro / 1e6


def ours(name: str, seconds: float, assume: Assumptions | None = None, *, joules: float | None = None) -> Bill:
    """Compute the bill of a computation on one core of this machine.

    Parameters
    ----------
    name : str
    seconds : float
        Core-seconds: those of a `Run` (`Run.seconds`), `Meter.cpu_seconds`, or those of all trainings of a table.
    joules : float, optional
        `Meter.joules`, if the machine measures it: then `Bill.measured` is true, for the energy. Otherwise the energy
        is estimated from `Assumptions.core_watts`.

    Notes
    -----
    There is no PUE, because a laptop needs no data centre. The price is that of a rented core.
    """
    assume = assume or Assumptions()
    mine = replace(assume, watts=assume.core_watts, pue=1.0, price=assume.core_price)
    here = bill(name, seconds / DAY, mine, device="core")
    if joules is None:
        return here
    kwh = joules / 3.6e6
    kg, cars = _emissions(kwh, assume)
    return replace(here, kwh=kwh, kg=kg, cars=cars, measured=True)


def table(bills) -> Iterator[tuple[str, ...]]:
    """Yield bills as rows of text, after a row of headings, for a table on a page."""
    yield ("search", *UNITS.values(), "energy")
    for one in bills:
        energy = "measured" if one.measured else "estimated"
        yield (one.name, f"{plain(one.days)} ({one.device})", *(plain(one[u]) for u in list(UNITS)[1:]), energy)


def plain(number: float) -> str:
    """Write a number with three digits and without powers of ten: 0.000123, 1.5, 22,400."""
    if number == 0:
        return "0"
    if number >= 100:
        return f"{float(f'{number:.3g}'):,.0f}"
    text = f"{number:.3g}"
    return f"{float(text):.10f}".rstrip("0") if "e" in text else text
