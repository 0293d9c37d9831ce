"""A trial of a network before it is trained: what would fail after an hour is said at once, in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ..chance import rewinding

HELD = (bool, int, float, str, type(None))  # attributes that a layer may change in a pass, as a counter of its calls


@contextmanager
def as_it_was(network: nn.Module) -> Iterator[None]:
    """Undo at the end what passes changed: modes, buffers, plain attributes of modules, and generators they hold."""
    modes = [(module, module.training) for module in network.modules()]
    own = [module for module, _ in modes if not type(module).__module__.startswith("torch.nn.")]
    plain = [{name: value for name, value in vars(module).items() if isinstance(value, HELD)} for module in own]
    held = {id(value): value for module in own for value in vars(module).values()}
    rewinds = [rewind for one in held.values() if (rewind := rewinding(one))]
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers() if not is_lazy(buffer)]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for module, values in zip(own, plain, strict=True):
            vars(module).update(values)
        for rewind in rewinds:
            rewind()
        with torch.no_grad():
            for buffer, earlier in buffers:
                if not buffer.is_meta:
                    buffer.copy_(earlier)


def tried(network: nn.Module, images: Tensor, classes: int, what: str, alone: str = "") -> None:
    """Pass two images through ``network`` in evaluation mode, and check what comes out. The network stays as it was.

    Only layers without a known size (`torch.nn.LazyLinear`) get their weights here.

    Parameters
    ----------
    images : Tensor
        Some of the images that it will be trained on, (batch, colors, height, width).
    classes : int
        Number of classes: the output must be (batch, classes).
    what : str
        Words for the network, which begin the error.
    alone : str
        What to do if a batch of one image cannot be trained on; empty if there will be no such batch.

    Raises
    ------
    ValueError
        With the reason and what to do.
    """
    _check_weights(network, what)
    lazy = _lazy(network)
    with as_it_was(network), torch.enable_grad():
        network.eval()
        outputs = _passed(network, images, what)
        check_outputs(outputs, len(images), classes, what)
        if outputs.isnan().any() and network.train()(images).isnan().any():  # with a batch's own statistics as well
            raise ValueError(f"{what} returns nan before any training: look for a division by 0, a root or a logarithm")
        if not outputs.requires_grad:
            raise ValueError(
                f"{what} has an output that depends on none of its weights, so that nothing can be learnt: look for "
                "detach(), torch.no_grad(), or a new tensor made from values"
            )
    if lazy:
        if never := _lazy(network):
            raise ValueError(f"{what} has layers that never run, so that their sizes are not known: {', '.join(never)}")
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's overloads lack this form
    if alone:
        with as_it_was(network), torch.no_grad():
            try:
                network.train()(images[:1])
            except Exception as error:
                raise ValueError(f"{what} cannot be trained on one image alone ({error}). {alone}") from error


def check_outputs(outputs: object, batch: int, classes: int, what: str) -> None:
    """Return if ``outputs`` are float numbers of shape (batch, classes); otherwise raise a ValueError."""
    if isinstance(outputs, Tensor) and outputs.shape == (batch, classes) and outputs.is_floating_point():
        return
    got = f"{str(outputs.dtype).removeprefix('torch.')} numbers of shape {tuple(outputs.shape)}" if isinstance(
        outputs, Tensor) else f"a {type(outputs).__name__}"  # fmt: skip
    raise ValueError(
        f"{what} must return float numbers of shape (batch, classes), here ({batch}, {classes}), and returns {got}. "
        "The number of classes comes with the data: the function that builds the network gets it as `classes`"
    )


def batch_of_one(images: int, batch: int) -> str:
    """Return what to do against a batch of one image; empty if ``images`` in batches of ``batch`` leave none."""
    if images % batch != 1 and batch != 1:
        return ""
    if images == 1:
        return "Train on images=2 or more"
    other = next(size for size in range(batch + 1, images + 2) if size > 1 and images % size != 1)
    fewer = f", or images={images - 1}" if batch > 1 and (images - 1) % batch != 1 else ""
    left = (
        f"{images} images in batches of {batch} leave such a batch" if batch > 1 else "The batches have one image each"
    )
    return f"{left}: take batch={other}{fewer}"


def _passed(network: nn.Module, images: Tensor, what: str) -> Tensor:
    try:
        return network(images)
    except Exception as error:  # whatever a user's own layers raise
        raise ValueError(
            f"{what} cannot compute images of shape {tuple(images.shape)}: {type(error).__name__}: {error}"
        ) from error


def _check_weights(network: nn.Module, what: str) -> None:
    named = dict(network.named_parameters())
    if meta := [name for name, w in (named | dict(network.named_buffers())).items() if w.is_meta]:
        raise ValueError(
            f'{what} has weights without memory: {", ".join(meta)}. Build its layers without device="meta"'
        )
    if not any(w.requires_grad for w in named.values()):
        has = "only frozen weights" if named else "no weights"
        raise ValueError(f"{what} has {has}, and nothing can be trained: it needs a torch.nn.Parameter that learns")
    for name, module in network.named_modules():
        for attribute, value in vars(module).items():
            if isinstance(value, Tensor) and value.is_leaf and value.requires_grad:
                place = f"{name}.{attribute}".lstrip(".")
                raise ValueError(f"{what}: {place} is a tensor that is not trained: make it a torch.nn.Parameter")


def _lazy(network: nn.Module) -> list[str]:
    return [name for name, w in network.named_parameters() if is_lazy(w)]
