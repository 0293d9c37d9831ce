"""Cost arithmetic against what was published; energy counters, with files that stand for the machine's."""

import pytest

from nasviz.analysis import cost
from nasviz.analysis.cost import POUND, Assumptions, Bill, Meter


def headline(who):
    return next(one for one in cost.HEADLINES if one.said_by.startswith(who))


def test_strubells_bill_comes_out_to_the_last_pound():
    bill = headline("Strubell").bill()
    assert bill.kwh == pytest.approx(656_347, abs=1)
    assert bill.kg / POUND == pytest.approx(626_155, abs=1)
    assert bill.dollars == pytest.approx(3_201_722, abs=1)
    assert bill.cars == pytest.approx(4.97, abs=0.01)


def test_patterson_and_zoph_by_the_same_formula():
    assert headline("Patterson").bill().kwh == pytest.approx(7_500, rel=0.01)
    assert headline("Patterson").bill().kg == pytest.approx(3_200, rel=0.01)
    assert headline("Strubell").kg / headline("Patterson").kg == pytest.approx(88, abs=1)
    assert headline("us").bill().cars == pytest.approx(1.5, abs=0.05)
    assert headline("us").days == cost.published("Zoph & Le").days


def test_the_two_bills_of_one_search_count_the_same_tpu_hours():
    assert headline("Patterson").days * 24 == pytest.approx(32_623, rel=0.001)


def test_published_days_are_devices_times_days():
    took = {"Zoph & Le": 28, "NASNet": 4, "AmoebaNet": 7, "MnasNet": 4.5, "Evolved Transformer": 6.8}
    for name, days in took.items():
        one = cost.published(name)
        assert one.days == pytest.approx(one.devices * days), name
    assert {"ENAS": 0.5, "DARTS, second order": 4}.items() <= {s.name: s.days for s in cost.SEARCHES}.items()
    assert cost.published("ProxylessNAS").days == pytest.approx(8.3, abs=0.05)
    assert all(one.source for one in cost.SEARCHES)
    assert [one.name for one in cost.SEARCHES if not one.traced] == ["one-shot, as told"]
    with pytest.raises(ValueError, match="ENAS"):
        cost.published("Zoph")


def test_mnasnet_as_converted_by_others_is_neither_its_own_number_nor_one_number():
    own = cost.published("MnasNet").days * 24
    assert own == 6_912
    low, high = sorted(cost.MNASNET_AS_TOLD.values())
    assert low == 40_000 and high > 2 * low and low > 5 * own


def test_each_assumption_scales_what_it_should():
    base = cost.bill("x", 2, Assumptions(watts=100, pue=1.5, intensity=0.5, price=2, car=1000))
    assert base == Bill("x", 2, pytest.approx(7.2), pytest.approx(3.6), 96, pytest.approx(0.0036))
    assert cost.bill("x", 2, Assumptions(watts=200, pue=1.5)).kwh == pytest.approx(2 * base.kwh)
    assert cost.bill("x", 2, Assumptions(intensity=0)).kg == 0
    assert base["kg"] == base.kg
    with pytest.raises(KeyError, match="joules"):
        base["joules"]


@pytest.mark.parametrize(("field", "value"), [("pue", 0.9), ("car", 0), ("watts", -1), ("price", float("nan"))])
def test_impossible_assumptions_are_refused(field, value):
    with pytest.raises(ValueError, match=f"Assumptions: {field}"):
        Assumptions(**{field: value})


def test_days_below_nothing_are_refused():
    with pytest.raises(ValueError, match="mine"):
        cost.bill("mine", -1)


def test_ours_estimates_or_takes_what_was_measured():
    guess = cost.ours("a", 3600, Assumptions(core_watts=20))
    assert (guess.kwh, guess.measured, guess.device) == (pytest.approx(0.02), False, "core")
    known = cost.ours("a", 3600, joules=36_000)
    assert (known.kwh, known.measured, known.days) == (pytest.approx(0.01), True, guess.days)
    assert known.kg == pytest.approx(0.01 * Assumptions().intensity)


def counter(root, name, now, end=1_000_000):
    (root / name).mkdir(parents=True, exist_ok=True)
    (root / name / "energy_uj").write_text(f"{now}\n")
    (root / name / "max_energy_range_uj").write_text(f"{end}\n")


def test_counters_are_read_and_added_and_may_wrap(tmp_path):
    counter(tmp_path, "intel-rapl:0", 900_000)
    counter(tmp_path, "intel-rapl:1", 10)
    counter(tmp_path, "intel-rapl:0:0", 7)  # a part of the first: not counted twice
    with Meter(tmp_path) as meter:
        counter(tmp_path, "intel-rapl:0", 99_999)  # 100,001 to its end and round, 99,999 more
        counter(tmp_path, "intel-rapl:1", 500_010)
    assert meter.joules == pytest.approx(0.7)
    assert meter.seconds > 0 and meter.cpu_seconds >= 0


def test_a_machine_that_does_not_tell_is_no_zero(tmp_path):
    with Meter(tmp_path / "none") as meter:
        pass
    assert meter.joules is None
    (tmp_path / "intel-rapl:0").mkdir()
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("damaged")
    assert cost.joules(tmp_path) == {}


def test_once_for_all_pays_from_the_first_device_on_and_more_with_each():
    once = [cost.scenarios(n, each=0, once=1_240) for n in (1, 40)]
    each = [cost.scenarios(n, each=200) for n in (1, 40)]  # ProxylessNAS's hours, for each target anew
    assert once[0] > each[0] and once[1] < each[1]
    with pytest.raises(ValueError):
        cost.scenarios(-1, each=1)


def test_numbers_are_plain():
    assert [cost.plain(v) for v in (0, 1.9e-9, 0.45, 8.333, 22_400, 3_201_722)] == [
        "0", "0.0000000019", "0.45", "8.33", "22,400", "3,200,000",
    ]  # fmt: skip


def test_the_table_says_what_was_estimated():
    rows = list(cost.table([cost.ours("a", 10), cost.ours("b", 10, joules=5)]))
    assert [row[-1] for row in rows] == ["energy", "estimated", "measured"]


# ---------------------------------------------------------------------- the view
def test_the_bill_is_sorted_and_its_sliders_act():
    from nasviz.views import Bill as View

    view = View([("mine", 60.0), ("told", 60.0, 1000.0)])
    assert view.bills[0].name == "mine" and view.bills[-1].name == "Zoph & Le"
    assert view.assume == Assumptions()  # sliders that nobody moved round nothing
    view.unit.value = "kg"
    before = {one.name: one.kg for one in view.bills}
    view.sliders["intensity"].value = 0.1
    after = {one.name: one.kg for one in view.bills}
    assert after["Zoph & Le"] / before["Zoph & Le"] == pytest.approx(0.1 / Assumptions().intensity)
    assert after["told"] == pytest.approx(1000 / 3.6e6 * 0.1)
    assert list(view.figure.data[0].x) == [one.kg for one in view.bills]
    assert "0.100 kg CO₂e a kWh" in view.text and "Zoph & Le" in view.text


def test_a_bill_that_is_clicked_tells_its_source():
    from nasviz.views import Bill as View

    view = View([("mine", 60.0)])
    view.tell([one.name for one in view.bills].index("MnasNet"))
    assert "64 TPU v2" in view.facts.value
    view.tell(0)
    assert "estimated" in view.facts.value
    with pytest.raises(ValueError, match="above 0"):
        View([("nothing", 0.0)])


def test_stills_are_pictures():
    from nasviz.views import Bill as View
    from nasviz.views import Headlines

    for view in (View(), Headlines()):
        assert view.still().startswith(b"\x89PNG") and view.text
    assert "Strubell et al. 2019: 5" in Headlines().text
