"""Some hundreds of damaged inputs for each reader: each is read, or refused with a documented error. See fuzz.py."""

import tracemalloc

import fuzz
import pytest
from damage import archive, bomb

from nasviz import record

READERS = fuzz.readers()
COUNT = 150  # inputs of a reader; benchmarks/fuzz.py gives 10,000
SLOW = {"parts, published": 20, "notebook": 60, "run record": 100}


def told(outcome):
    return "\n".join(f"{seed}: {why}; {raw[:200]!r}" for seed, why, raw in outcome.wrong[:5])


@pytest.mark.parametrize("name", READERS)
def test_damaged_inputs_are_read_or_refused(name, tmp_path):
    reader, good = READERS[name], fuzz.Outcome()
    for raw in reader.good():
        fuzz.one(reader, tmp_path, -1, raw, good)
    assert good.accepted == len(reader.good()) and not good.refused, told(good)
    outcome = fuzz.attacked(reader, tmp_path, range(SLOW.get(name, COUNT)))
    assert not outcome.wrong, told(outcome)
    assert outcome.refused > outcome.accepted / 3 and outcome.accepted + outcome.refused == SLOW.get(name, COUNT)


def test_the_attack_is_the_same_each_time_and_damages():
    for name in ("race record", "table (.npz)", "text of darts"):
        reader = READERS[name]
        goods, inputs = reader.good(), [list(fuzz.inputs(reader, range(40))) for _ in range(2)]
        assert inputs[0] == inputs[1] and len({raw for _, raw in inputs[0]}) > 30
        assert sum(raw in goods for _, raw in inputs[0]) < 8


def test_the_attack_finds_what_is_wrong(tmp_path):
    """A reader that lets other errors out, takes long, changes its file, or says too much is found out."""

    def read(path):
        raw = path.read_bytes()
        if b"\0" in raw:
            raise KeyError("zero")
        if raw.startswith(b"["):
            while True:
                pass
        if b"nan" in raw:
            path.write_bytes(b"other")
        if len(raw) > 15_000:
            raise ValueError(raw.decode("latin-1"))
        raise ValueError("fine")

    reader = fuzz.Reader("bad", lambda: [b"good"], read, suffix=".txt")
    outcome = fuzz.Outcome()
    for seed, raw in enumerate([b"\0", b"[", b"nan", b"x" * 20_000, b"x"]):
        fuzz.one(reader, tmp_path, seed, raw, outcome)
    found = {seed: why for seed, why, _ in outcome.wrong}
    assert found.keys() == {0, 1, 2, 3} and "KeyError" in found[0] and "took" in found[1]
    assert "changed" in found[2] and "20,000 letters" in found[3]


CLAIMS = {
    "table (.npz)": [archive({"header": shape, "archs": shape}) for shape in ("(10,)", "(10**12,)", "(1000000000000,)")]
    + [bomb()],
    "run record with steps": [
        fuzz.RECORDS.joinpath("runs", "own.jsonl").read_bytes().partition(b"\n")[0]
        + b'\n{"step": {"alphas": ["<f4", [1000000000000], ""]}, "seconds": 1}\n'
    ],
    "latency table": [b"[" * 3_000_000],
    "leaderboard": [b'{"answers": ' + b"[" * 3_000_000],
}


@pytest.mark.parametrize("name", CLAIMS)
def test_what_a_file_claims_is_not_allocated(name, tmp_path):
    fuzz.one(READERS[name], tmp_path, 0, READERS[name].good()[0], fuzz.Outcome())  # imports what it needs
    tracemalloc.start()
    try:
        for raw in CLAIMS[name]:
            outcome = fuzz.Outcome()
            tracemalloc.reset_peak()
            fuzz.one(READERS[name], tmp_path, 0, raw, outcome)
            assert outcome.refused == 1 and not outcome.wrong, told(outcome)
            peak = tracemalloc.get_traced_memory()[1]
            assert peak < 100e6, f"{peak:,.0f} bytes"
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shape", [[2_147_483_648, [10**12]], [10**12, True], [-1], "3", None, [2.0], {"a": 1}])
def test_the_shape_of_a_recorded_array_is_checked_before_it_is_used(shape):
    with pytest.raises(ValueError, match="an array's shape is"):
        record._unpack(["<f4", shape, ""])
