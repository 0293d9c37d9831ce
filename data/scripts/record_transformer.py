"""Make the parent transformer and its library of half-blocks: what is shrunk where nobody wants to wait.

    python data/scripts/record_transformer.py

The parent is the largest member of `nasviz.spaces.TransformerSpace`, trained from seed 0 by `estimators.TRANSFORMER`:
transformer-parent.safetensors, a minute. Its library is that of `BlockwiseDistillation`, with the errors that were
left: transformer-library.safetensors, half a minute. Both go on where they were: an epoch or a half-block that was done
stands in a file that ends in .part. (Minutes are those of one free core.)
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from nasviz.spaces import TransformerSpace
from nasviz.strategies import BlockwiseDistillation, Distillation
from nasviz.strategies.distillation import weights_of

DATA = Path(__file__).parents[1]
SPACE = TransformerSpace()


def main() -> None:
    parent = made("transformer-parent.safetensors", Distillation(SPACE, SPACE.largest), weights_of)
    made("transformer-library.safetensors", BlockwiseDistillation(SPACE, parent), bytes)


def made(name: str, search: Distillation | BlockwiseDistillation, kept: Callable[[bytes], bytes]) -> bytes:
    """Return what a file holds; where it is missing, train first, and write what ``kept`` keeps of the last state."""
    path, part = DATA / name, DATA / f"{name}.part"
    if path.exists():
        return path.read_bytes()
    state = part.read_bytes() if part.exists() else None
    for step in tqdm(replace(search, start=state), total=len(search), unit="step", desc=name):
        if step.state is not None:
            state = step.state
            part.write_bytes(state)
    assert state is not None
    path.write_bytes(kept(state))
    part.unlink(missing_ok=True)
    return path.read_bytes()


if __name__ == "__main__":
    main()
