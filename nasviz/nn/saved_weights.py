"""Load saved weights from safetensors in memory; all names are checked before any tensor is changed."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def take_over(state: bytes, mine: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy saved tensors into the tensors of ``mine``, and return all saved tensors.

    Parameters
    ----------
    state : bytes
        Safetensors.
    mine : mapping from name to tensor
        The state must hold all of these names, with the same shapes and types. Other tensors of the state stay unused.

    Raises
    ------
    ValueError
        If the state is damaged, or a tensor is missing or has another shape or type. No tensor is changed then.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        saved = load(state)
    except SafetensorError as error:
        raise ValueError(f"this is no state of a search: {error}") from None
    differs = [n for n, t in mine.items() if n not in saved or (*saved[n].shape, saved[n].dtype) != (*t.shape, t.dtype)]
    if differs:
        more = f" and {len(differs) - 3} more" if len(differs) > 3 else ""
        raise ValueError(f"the state is that of another network: it differs in {', '.join(differs[:3])}{more}")
    for name, tensor in mine.items():
        tensor.detach().copy_(saved[name])
    return saved
