"""Small published files, made by hand in each original form: for the readers' tests and for the fuzzer.

Numbers are made up, and those of the benchmark's own texts and keys follow their forms.
"""

from __future__ import annotations

import base64
import bz2
import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

from nasviz.spaces import NasBench101, NasBench201

SPACE = NasBench201()
ARCHS = [(3, 0, 1, 0, 0, 2), (1, 1, 1, 1, 1, 4), (3, 3, 4, 1, 3, 1), (4, 2, 1, 2, 1, 1)]
TEXTS = [SPACE.to_text(arch) for arch in ARCHS]
DATASETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
SPLITS = {"cifar10-valid": ("x-valid", "ori-test"), "cifar10": ("ori-test",)}
MACRO = ["00000000", "22212220", "20120102", "20120120"]  # the last two are one network


def published_folder() -> Path | None:
    """The folder of real published files, if this machine has one: tests that read it skip where it does not."""
    named = os.environ.get("NASVIZ_PUBLISHED", "").strip()
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "published"
    return folder if folder.is_dir() else None


# ------------------------------------------------------------------------------------------------ NATS-Bench
def training(dataset: str, seed: int, epochs: int, place: int, after: tuple[int, ...]) -> dict:
    """One training as the authors keep it: accuracies by set and epoch (from 0), some of them NumPy's numbers."""
    sets = SPLITS.get(dataset, ("x-valid", "x-test", "ori-test"))
    accuracies = {f"{one}@{e - 1}": 40.0 + 10 * place + e / 10 + seed % 7 for one in sets for e in after}
    accuracies[f"{sets[0]}@{epochs - 1}"] = np.float64(accuracies[f"{sets[0]}@{epochs - 1}"])
    return {
        "name": "infer", "net_state_dict": None, "train_acc1es": {e - 1: 50.0 for e in after}, "train_acc5es": None,
        "train_losses": {}, "train_times": {e: 2.0 for e in range(3)}, "arch_config": {"arch_str": "", "channel": 16},
        "params": 0.129306 + place, "flop": 15.64737, "seed": seed, "epochs": epochs, "latency": [0.01, 0.02],
        "eval_names": list(sets), "eval_acc1es": accuracies, "eval_times": {}, "eval_losses": {},
    }  # fmt: skip


def recipe(place: int, seeds: tuple[int, ...], epochs: int, after: tuple[int, ...]) -> dict:
    results = {(one, seed): training(one, seed, epochs, place, after) for one in DATASETS for seed in seeds}
    return {
        "arch_index": place, "arch_str": TEXTS[place], "all_results": results,
        "dataset_seed": {one: list(seeds) for one in DATASETS}, "clear_net_done": True,
    }  # fmt: skip


def cell(place: int, names: tuple[str, str] = ("12", "200")) -> OrderedDict:
    """All trainings of a cell: those of cell 1 with one seed, the others with two."""
    seeds = (777,) if place == 1 else (777, 888)
    after = (1, 3, 6, 12, 25, 50, 100, 200)
    return OrderedDict([(names[0], recipe(place, (777,), 12, (12,))), (names[1], recipe(place, seeds, 200, after))])


def nats_files() -> dict[str, bytes]:
    """The files of a folder of NATS-Bench."""
    files = {f"{place:06d}.pickle.pbz2": bz2.compress(pickle.dumps(cell(place), 4)) for place in range(len(ARCHS))}
    meta = {"meta_archs": TEXTS, "evaluated_indexes": set(range(len(ARCHS)))}
    return files | {"meta.pickle.pbz2": bz2.compress(pickle.dumps(meta, 4))}


def nasbench201(protocol: int = 2) -> dict:
    cells = {place: dict(cell(place, ("less", "full"))) for place in range(2)}
    return {"meta_archs": TEXTS[:2], "arch2infos": cells, "evaluated_indexes": {0, 1}}


def torch_file(content, old: bool) -> bytes:
    """A file of torch without tensors, as versions before 1.6 wrote it, or as later ones do."""
    if old:
        parts = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, content, [])
        return b"".join(pickle.dumps(part, 2) for part in parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, 2))
        archive.writestr("archive/version", "3\n")
    return out.getvalue()


# ------------------------------------------------------------------------------------------------ costs and scores
def hardware(protocol: int = 4) -> bytes:
    """HW-NAS-Bench with four cells: lists, an array, and the mark of a missing measurement."""
    of = {
        "edgegpu_latency": [5.5, 6.5, 7.5, 8.5], "edgetpu_latency": [0.9, -1, 1.1, 1.2],
        "pixel3_latency": np.array([3.25, 17.5, 4.0, 5.0]), "fpga_energy": [18.0, 37.0, 20.0, 21.0],
        "average_hw_metric": [1.0, 2.0, 3.0, 4.0],
        "config": [{"name": "infer.tiny", "C": 16, "N": 5, "arch_str": text, "num_classes": 10} for text in TEXTS],
    }  # fmt: skip
    return pickle.dumps({"nasbench201": {"cifar10": of}, "fbnet": {"cifar100": {}}}, protocol)


SCORES = {"flops": 62.5, "params": 0.43, "synflow": 68.25, "nwot": 700.5, "val_accuracy": 68.34}
CELLS = ["(4, 3, 3, 3, 2, 3)", "(3, 3, 2, 1, 3, 2)", "(1, 4, 3, 4, 1, 1)"]  # NASLib's numbers
CELLS101 = [
    "(0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, "
    "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 4, 4, 4, 1)"
]


def suite_zero(timed: bool, benchmark: str = "nasbench201", cells: list[str] = CELLS) -> bytes:
    """NAS-Bench-Suite-Zero in its two forms."""
    if timed:
        scores = {n: {"score": v, "time": 0.5} if n != "val_accuracy" else v for n, v in SCORES.items()}
        return json.dumps({"cifar100": {key: scores for key in cells}}).encode()
    dataset = "cifar100" if benchmark == "nasbench201" else "cifar10"
    return json.dumps({benchmark: {dataset: {key: SCORES for key in cells}}}).encode()


# ------------------------------------------------------------------------------------------------ NAS-Bench-Macro
def macro_json() -> bytes:
    entries = {}
    for place, text in enumerate(MACRO):
        accuracies = [60.0 + min(place, 2), 61.0, 62.5]
        entries[text] = {"test_acc": accuracies, "mean_acc": 61.2, "std": 0.1, "params": 387882, "flops": 7713280}
    return json.dumps(entries).encode()


def macro_csv() -> bytes:
    lines = [f"{text},{60 + min(place, 2)},61,62.5,387882,7713280" for place, text in enumerate(MACRO)]
    return "\n".join(["arch,test_acc_1,test_acc_2,test_acc_3,params,flops", *lines, ""]).encode()


# ------------------------------------------------------------------------------------------------ NAS-Bench-101
def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def _evaluation(epoch: float, seconds: float, accuracies: tuple[float, float, float]) -> bytes:
    numbers = (epoch, seconds, *accuracies)
    fields = b"".join(bytes([8 * field + 1]) + struct.pack("<d", one) for field, one in enumerate(numbers, 1))
    return fields + bytes([6 << 3 | 2]) + _varint(5) + b"model"


def tfrecord(trainings: list[tuple[str, str, int, float]]) -> bytes:
    """A file of the authors: matrix, operations, epochs and validation accuracy of each training."""
    out = b""
    for matrix, ops, epochs, accuracy in trainings:
        message = b""
        for share in (0.0, 0.5, 1.0):
            accuracies = (accuracy, accuracy * (0.5 + share / 2), accuracy - 0.0625)
            one = _evaluation(epochs * share, 10 * share, accuracies)
            message += bytes([1 << 3 | 2]) + _varint(len(one)) + one
        message += bytes([2 << 3]) + _varint(8_556_042) + bytes([3 << 3 | 1]) + struct.pack("<d", 100.0)
        record = json.dumps(["hash", epochs, matrix, ops, base64.b64encode(message).decode()]).encode()
        out += struct.pack("<Q", len(record)) + b"crc4" + record + b"crc4"
    return out


SMALL = ("011001000", "input,conv3x3-bn-relu,output")  # 0→1, 0→2, 1→2 in a cell of three nodes
CHAIN = ("0100001000010000", "input,maxpool3x3,conv1x1-bn-relu,output")


def nasbench101() -> bytes:
    trainings = [(*SMALL, 108, 0.90625), (*SMALL, 4, 0.5), (*CHAIN, 108, 0.75), (*SMALL, 108, 0.875)]
    return tfrecord(trainings)


CSV101 = b"adj_upper,ops,valid_acc_108,flops,params\n111101000110001110110,0224441,92.5781,624.56,4.0958\n"


def archs101():
    space = NasBench101()
    return space.from_text("011/001/000 input,conv3x3-bn-relu,output"), space.from_text(
        "0100/0010/0001/0000 input,maxpool3x3,conv1x1-bn-relu,output"
    )


# ------------------------------------------------------------------------------------------------ CSV of NAS-Bench-201
def csv201() -> bytes:
    lines = [f"{place},{text},{80 + place},{70 + place},{60.5 + place}," for place, text in enumerate(TEXTS)]
    head = "index,architecture,cifar10_test,cifar100_test,cifar10_valid,imagenet16_test"
    return "\n".join([head, *lines, ""]).encode()


def by_number() -> bytes:
    """Costs by official number: what needs a list of the cells beside it."""
    return b"index,raspi4_latency_ms,edgetpu_latency_ms\n0,10.48,0.9572\n3,12.5,\n15624,54.78,1.439\n"
