"""Record what lab 08 shows beside its live supernet: four more, and how they rank the table's first architectures.

    python data/scripts/record_lab08.py

Supernets of NAS-Bench-201, seeds 0 to 3, trained for 30 epochs, and the first 100 architectures in the order in which
`nasviz.estimators.tabulate` trains them: data/lab08-inherited.npz. What the file has of a seed is kept. Some four
minutes of one core from the beginning.
"""

from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from nasviz.estimators import FULL, Inherited, Training
from nasviz.estimators.tabulate import Work
from nasviz.spaces import NasBench201
from nasviz.strategies import TrainSupernet

OUT = Path(__file__).parents[1] / "lab08-inherited.npz"
SEEDS, EPOCHS, BATCHES = (0, 1, 2, 3), 30, (0, 10)


def main() -> None:
    space = NasBench201()
    archs = [arch for arch, _ in islice(Work(Training(space, FULL), 1).all(), 100)]
    inherited = np.zeros((len(SEEDS), len(BATCHES), len(archs)), np.float32)
    known = {}
    if OUT.exists():
        with np.load(OUT) as before:
            if before["archs"].tolist() != [list(arch) for arch in archs]:
                raise ValueError(f"{OUT.name} is of other architectures: delete it to begin anew")
            known = dict(zip(before["seeds"].tolist(), before["inherited"], strict=True))
    for seed in range(len(SEEDS)):
        inherited[seed] = known.get(SEEDS[seed], 0)
    for seed in tqdm([s for s in range(len(SEEDS)) if SEEDS[s] not in known], unit="supernet"):
        search = TrainSupernet(space, epochs=EPOCHS, seed=SEEDS[seed])
        *_, last = search
        for batches, recalibrate in enumerate(BATCHES):
            judge = Inherited.of(search, last.state, recalibrate)
            inherited[seed, batches] = [judge(arch).scores["inherited"] for arch in archs]
    np.savez_compressed(OUT, archs=np.array(archs, np.int8), seeds=SEEDS, batches=BATCHES, inherited=inherited)


if __name__ == "__main__":
    main()
