"""Make what lab 08 has beside its live supernets: one that was trained longer, and what its members reach alone.

    python data/record_lab08.py alone
    python data/record_lab08.py supernet
    python data/record_lab08.py inherited

`alone` trains 36 architectures of the elastic space from scratch: lab08-alone.jsonl, a record of a random search; some
fifteen minutes of one core. `supernet` trains by progressive shrinking: its steps are in lab08-shrinking.jsonl, its
weights become elastic-supernet.safetensors; some ten minutes. `inherited` judges 150
children on these, the same 36 first: lab08-inherited.jsonl; three minutes. All go on where they were.
"""

import argparse
from pathlib import Path

from safetensors.torch import load, save_file
from tqdm import tqdm

from nasviz.estimators import Recipe, Training, elastic_supernet
from nasviz.objectives import Score
from nasviz.search import Run
from nasviz.spaces import ElasticSpace
from nasviz.strategies import OnceForAll, RandomSearch

HERE = Path(__file__).parent
SPACE = ElasticSpace()
RECIPE = Recipe(epochs=6, batch=128, lr=0.1)


def alone() -> None:
    search = RandomSearch(SPACE, Training(SPACE, RECIPE, test=True), evaluations=36, seed=8)
    for _ in tqdm(Run(search, HERE / "lab08-alone.jsonl"), total=len(search), unit="architecture"):
        pass


def supernet() -> None:
    search, record = OnceForAll(SPACE, epochs=(10, 4, 6, 8), batch=64), HERE / "lab08-shrinking.jsonl"
    for _ in tqdm(run := Run(search, record), total=len(search), unit="step"):
        pass
    state = HERE / f"{record.name}.step{len(run)}.safetensors"
    weights = {name: tensor for name, tensor in load(state.read_bytes()).items() if name.startswith("network.")}
    save_file(weights, HERE / "elastic-supernet.safetensors")
    state.unlink()


def inherited() -> None:
    search = RandomSearch(SPACE, elastic_supernet(), evaluations=150, objective=Score("inherited"), seed=8)
    for _ in tqdm(Run(search, HERE / "lab08-inherited.jsonl"), total=len(search), unit="architecture"):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("alone", "supernet", "inherited"))
    {"alone": alone, "supernet": supernet, "inherited": inherited}[parser.parse_args().what]()


if __name__ == "__main__":
    main()
