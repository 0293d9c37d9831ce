"""Network morphisms: a child network that starts as the function its parent has learned.

Wei et al. 2016 ("Network morphism"); Chen, Goodfellow & Shlens 2016 ("Net2Net"); Elsken, Metzen & Hutter 2018 search
with them ("Simple and efficient architecture search for convolutional neural networks"). Each function here gives the
weights of a trained `CellNetwork` to a new one that differs in one respect:

============  =====================================  ==================================================
`inherit`     other operations in the cell           new branches start silent, 1×1 kernels become 3×3
`widen`       more channels                          channels are copied, their readers' weights divided
`deepen`      more cells a stage                     new cells start as the identity
============  =====================================  ==================================================

A branch that ends in a batch-norm is silent while its scale and shift are 0. It is not dead: the scale has a gradient.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from .cells import Cell, CellNetwork
from .ops import Zero


@torch.no_grad()
def inherit(child: CellNetwork, parent: CellNetwork) -> bool:
    """Give ``child`` the weights of ``parent``, whose cell has other operations on the same edges.

    The function is preserved if operations were only added or grown. A convolution on an edge without operation starts
    silent; a 3×3 convolution in place of a 1×1 has a kernel that is zero around its middle. After any other change the
    child also starts from the parent's weights, but as another function: for example, a convolution cannot start as the
    skip that it replaces, because a ReLU comes first in the operations of NAS-Bench-201.

    Returns
    -------
    bool
        Whether the function is preserved.

    Raises
    ------
    ValueError
        Networks of different sizes.
    """
    if [type(layer) for layer in child.body] != [type(layer) for layer in parent.body]:
        raise ValueError("inherit needs two networks with the same number of cells and stages")
    if child.classifier.weight.shape != parent.classifier.weight.shape:
        raise ValueError("inherit needs two networks with the same channels and classes")
    preserved = True
    for mine, its in zip(child.body, parent.body, strict=True):
        if isinstance(mine, Cell) and isinstance(its, Cell):
            preserved &= _inherit_cell(mine, its)
        else:
            mine.load_state_dict(its.state_dict())
    for name in ("stem", "head", "classifier"):
        getattr(child, name).load_state_dict(getattr(parent, name).state_dict())
    return preserved


def _inherit_cell(child: Cell, parent: Cell) -> bool:
    if child.edges != parent.edges:
        raise ValueError("inherit needs two cells with the same edges")
    for i, (mine, its) in enumerate(zip(child.operations, parent.operations, strict=True)):
        if _kind(mine) == _kind(its):
            mine.load_state_dict(its.state_dict())
        elif _grown(mine, its):
            weight = _convolution(mine).weight
            weight.zero_()
            weight[..., 1:2, 1:2] = _convolution(its).weight
            _norm(mine).load_state_dict(_norm(its).state_dict())
        if i in child.live and i not in parent.live and _is_convolution(mine):
            silence(mine)
    return _preserved(child, parent)


def _preserved(child: Cell, parent: Cell) -> bool:
    """Return whether both cells have the same output; for each node in order, find if it is the same, and if zero."""
    same, zero = [True], [False]
    for node in range(1, child.nodes):
        is_same = is_zero = True
        for i in (i for i, (_, target) in enumerate(child.edges) if target == node):
            source, mine, its = child.edges[i][0], child.operations[i], parent.operations[i]
            if i not in child.live:
                is_same &= i not in parent.live
            elif i in parent.live:
                is_same &= same[source] and (_kind(mine) == _kind(its) or _grown(mine, its))
                is_zero = False
            elif not _is_convolution(mine):  # a new convolution is silent; a new skip or pooling of zero is zero
                is_same &= zero[source]
                is_zero &= zero[source]
        same.append(is_same)
        zero.append(is_zero)
    return same[-1]


def _grown(mine: nn.Module, its: nn.Module) -> bool:
    return _kind(its) == (1, 1) and _kind(mine) == (3, 3)


def _is_convolution(operation: nn.Module) -> bool:
    return isinstance(operation, nn.Sequential)


def _convolution(operation: nn.Module) -> nn.Conv2d:
    """Return the convolution of a ReLU-convolution-batch-norm."""
    return cast("nn.Conv2d", cast("nn.Sequential", operation)[1])


def _norm(operation: nn.Module) -> nn.BatchNorm2d:
    """Return the batch-norm of a ReLU-convolution-batch-norm."""
    return cast("nn.BatchNorm2d", cast("nn.Sequential", operation)[2])


def _kind(operation: nn.Module):
    """Return the kind of an operation: the kernel size of a convolution, the class of any other."""
    return _convolution(operation).kernel_size if _is_convolution(operation) else type(operation)


def silence(operation: nn.Module) -> None:
    """Set the batch-norm of a ReLU-convolution-batch-norm to zero, so that it adds nothing before it is trained."""
    nn.init.zeros_(_norm(operation).weight)
    nn.init.zeros_(_norm(operation).bias)


@torch.no_grad()
def widen(child: CellNetwork, parent: CellNetwork, generator: torch.Generator) -> None:
    """Give ``child``, which has the same cell and more channels, the function of ``parent``: Net2WiderNet.

    Chen et al. 2016, section 2.3: each new channel copies an old one, drawn by ``generator``; the layers that read a
    channel divide its weights by the number of copies. The function is preserved with the batch's statistics as well as
    with the running ones. Copies have the same gradients and would stay copies for ever: before training, the caller
    must add a little noise to the weights, as the paper does.

    Raises
    ------
    ValueError
        A child with fewer channels, or with other cells, stages or image channels.
    """
    first, its_first = cast("nn.Conv2d", child.stem[0]), cast("nn.Conv2d", parent.stem[0])
    old, new = its_first.out_channels, first.out_channels
    if new < old:
        raise ValueError(f"widen needs a child with at least the parent's {old} channels, got {new}")
    names = [{name: type(layer) for name, layer in network.named_modules()} for network in (child, parent)]
    if names[0] != names[1] or first.in_channels != its_first.in_channels:
        raise ValueError("widen needs two networks that differ in their channels only")
    copied = {}  # the parent's width at a stage -> for each new channel, the old channel that it copies
    stages = sum(not isinstance(layer, Cell) for layer in parent.body) + 1
    for width, wider in ((old << stage, new << stage) for stage in range(stages)):
        drawn = torch.randint(width, (wider - width,), generator=generator)
        copied[width] = torch.cat([torch.arange(width), drawn])
    for (name, mine), its in zip(child.named_modules(), parent.modules(), strict=True):
        if isinstance(its, nn.Conv2d):
            weight = its.weight[copied[its.out_channels]]
            mine.weight.copy_(weight if name.startswith("stem") else _read(weight, copied[its.in_channels]))
        elif isinstance(its, nn.BatchNorm2d):
            for key, tensor in its.state_dict().items():
                mine.state_dict()[key].copy_(tensor[copied[its.num_features]] if tensor.ndim else tensor)
        elif isinstance(its, nn.Linear):
            mine.weight.copy_(_read(its.weight, copied[its.in_features]))
            mine.bias.copy_(its.bias)


def _read(weight: Tensor, copied: Tensor) -> Tensor:
    """Return weights that read the copied channels; copies of one channel share its weight equally."""
    shares = copied.bincount()[copied].to(weight.dtype)
    return weight[:, copied] / shares.view(1, -1, *[1] * (weight.ndim - 2))


@torch.no_grad()
def deepen(child: CellNetwork, parent: CellNetwork) -> None:
    """Give ``child``, which has the same cell and more cells a stage, the function of ``parent``.

    The new cells are at the end of each stage, and all their convolutions start silent. Such a cell is the identity if
    exactly one path of skips leads through it, and no path with a pooling.

    Raises
    ------
    ValueError
        A cell that cannot become the identity; a child with fewer cells or another number of stages.
    """
    for name in ("stem", "head", "classifier"):
        getattr(child, name).load_state_dict(getattr(parent, name).state_dict())
    mine, its = _stages(child), _stages(parent)
    if len(mine) != len(its) or any(len(a) < len(b) for a, b in zip(mine, its, strict=True)):
        raise ValueError("deepen needs a child with as many stages and at least as many cells in each")
    for stage, trained in zip(mine, its, strict=True):
        for layer, source in zip(stage, trained, strict=False):
            layer.load_state_dict(source.state_dict())
        for cell in cast("list[Cell]", stage[len(trained) :]):
            if _passed(cell) != (1, 0):
                raise ValueError(
                    "this cell cannot become the identity: with its convolutions silent, its output must be its input, "
                    "which takes exactly one way of skips from input to output, and none over a pooling"
                )
            for i in cell.live:
                if _is_convolution(cell.operations[i]):
                    silence(cell.operations[i])


def _stages(network: CellNetwork) -> list[list[nn.Module]]:
    """Split the body before each reduction: a stage begins with its reduction, the first stage with a cell."""
    stages: list[list[nn.Module]] = [[]]
    for layer in network.body:
        if not isinstance(layer, Cell):
            stages.append([])
        stages[-1].append(layer)
    return stages


def _passed(cell: Cell) -> tuple[int, int]:
    """Count the paths through a cell that have skips only, and the paths of skips with at least one pooling."""
    ways = {0: (1, 0)}
    for i in sorted(cell.live, key=lambda i: cell.edges[i]):  # by source, so that a node is complete before it is read
        (source, target), operation = cell.edges[i], cell.operations[i]
        if _is_convolution(operation) or isinstance(operation, Zero):
            continue
        skips, pools = ways.get(source, (0, 0))
        if isinstance(operation, nn.AvgPool2d):
            skips, pools = 0, skips + pools
        before = ways.get(target, (0, 0))
        ways[target] = before[0] + skips, before[1] + pools
    return ways.get(cell.nodes - 1, (0, 0))
