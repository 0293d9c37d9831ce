"""Many networks of one space packed into one network, because a small network leaves a GPU idle.

The networks of a space differ only in their cells' operations. Packed, their values are one tensor of shape (networks,
channels, batch, height, width), and the same layer of all networks is one call. A batch-norm has the channels of all
networks together; a convolution is one batched matrix product (Chellapilla et al. 2006 unrolled convolutions in this
way). On an edge where the networks differ, those with the same operation are gathered and computed together, and the
results are added to their own networks. Each network keeps its own weights and its own batch-norm statistics: the
others have no influence on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .cells import Cell, CellNetwork


class PackedNetwork(nn.Module):
    """Several `CellNetwork`s side by side, with copies of their weights.

    Parameters
    ----------
    networks : sequence of CellNetwork
        K networks of the same sizes. Their cells have the same nodes and edges, and any operations that `packed`
        knows.

    Raises
    ------
    ValueError
        Networks that are not alike, or a layer that cannot be packed.
    """

    def __init__(self, networks: Sequence[CellNetwork]):
        super().__init__()
        if not networks:
            raise ValueError("there is no network to pack")
        self.stem = packed([network.stem for network in networks])
        self.body = packed([network.body for network in networks])
        self.norm = packed([network.head[0] for network in networks])
        self.classifier = packed([network.classifier for network in networks])

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (K, batch, classes) for images (K, colors, batch, height, width): a batch for each network."""
        x = self.norm(self.body(self.stem(images))).relu().mean((3, 4))
        return self.classifier(x)


class PackedCell(nn.Module):
    """Several `Cell`s with the same edges; their operations may differ. As in a `Cell`, only live operations run."""

    def __init__(self, cells: Sequence[Cell]):
        super().__init__()
        first = cells[0]
        _alike([cell.edges for cell in cells], "their cells' edges")
        self.nodes = first.nodes
        self.edges: list[tuple[int, int]] = []
        self.counts: list[list[int]] = []
        self.operations = nn.ModuleList()
        for i in sorted(range(len(first.edges)), key=lambda i: first.edges[i][1]):
            together: dict[str, list[int]] = {}  # `_text` of an operation -> numbers of the networks that have it
            for number, cell in enumerate(cells):
                if i in cell.live:
                    together.setdefault(_text(cell.operations[i]), []).append(number)
            if together:
                places = torch.tensor([number for numbers in together.values() for number in numbers])
                self.register_buffer(f"places{len(self.edges)}", places)
                self.edges.append(first.edges[i])
                self.counts.append([len(numbers) for numbers in together.values()])
                self.operations.append(
                    nn.ModuleList(packed([cells[n].operations[i] for n in numbers]) for numbers in together.values())
                )

    def forward(self, x: Tensor) -> Tensor:
        values = [x] + [torch.zeros_like(x) for _ in range(self.nodes - 1)]
        operations = cast("Sequence[nn.ModuleList]", self.operations)
        for number, ((source, target), counts) in enumerate(zip(self.edges, self.counts, strict=True)):
            places = self.get_buffer(f"places{number}")
            parts = values[source].index_select(0, places).split(counts)
            carried = [operation(part) for operation, part in zip(operations[number], parts, strict=True)]
            values[target].index_add_(0, places, torch.cat(carried))
        return values[-1]


class Convolutions(nn.Module):
    """Convolutions of the same shape: each window of the image is a column; each network is one matrix product."""

    def __init__(self, layers: Sequence[nn.Conv2d]):
        super().__init__()
        first = layers[0]
        if first.bias is not None or first.dilation != (1, 1) or isinstance(first.padding, str):
            raise ValueError(f"cannot pack {first}: only convolutions without bias and dilation")
        self.kernel, self.stride, self.groups = first.kernel_size, first.stride, first.groups
        self.padding = first.padding
        self.weight = _joined(torch.stack([layer.weight.detach().contiguous() for layer in layers]), first.weight)

    def forward(self, x: Tensor) -> Tensor:
        (down, across), (tall, wide) = self.padding, self.kernel
        if down or across:
            x = F.pad(x, (across, across, down, down))
        if (tall, wide, *self.stride) != (1, 1, 1, 1):  # otherwise each window is a single pixel
            x = x.unfold(3, tall, self.stride[0]).unfold(4, wide, self.stride[1]).permute(0, 1, 5, 6, 2, 3, 4)
            x = x.flatten(1, 3)  # (networks, channels · window, batch, height, width)
        columns = x.reshape(len(x) * self.groups, -1, x[0, 0].numel())
        filters = self.weight.reshape(len(x) * self.groups, -1, columns.shape[1])
        return torch.bmm(filters, columns).view(len(x), -1, *x.shape[2:])


class BatchNorms(nn.Module):
    """Batch-norms with the same number of channels, computed as one."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, layers: Sequence[nn.BatchNorm2d]):
        super().__init__()
        first = layers[0]
        self.eps, self.momentum = first.eps, cast("float", first.momentum)
        self.weight, self.bias = (
            _joined(torch.cat([getattr(layer, name).detach() for layer in layers]), getattr(first, name))
            for name in ("weight", "bias")
        )
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, torch.cat([getattr(layer, name) for layer in layers]))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(1, len(self.weight), -1)  # one image with all channels of all networks
        normed = F.batch_norm(
            flat, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps
        )
        return normed.view(x.shape)


class Poolings(nn.Module):
    """Average poolings, which have no weights: one module serves all networks."""

    def __init__(self, layers: Sequence[nn.AvgPool2d]):
        super().__init__()
        self.one = layers[0]

    def forward(self, x: Tensor) -> Tensor:
        return self.one(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class Linears(nn.Module):
    """Linear layers, which map (networks, inputs, batch) to (networks, batch, outputs)."""

    def __init__(self, layers: Sequence[nn.Linear]):
        super().__init__()
        first = layers[0]
        self.weight = _joined(torch.stack([layer.weight.detach() for layer in layers]), first.weight)
        self.bias = _joined(torch.stack([layer.bias.detach() for layer in layers]), first.bias)

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias.unsqueeze(1), x.transpose(1, 2), self.weight.transpose(1, 2))


def packed(layers: Sequence[nn.Module]) -> nn.Module:
    """Pack the same layer of several networks into one layer, which applies each to its own network's values.

    ValueError for a kind of layer that cannot be packed, or if the layers differ in kind or shape.
    """
    first = layers[0]
    _alike([type(layer) for layer in layers], "their layers")
    if isinstance(first, Cell):
        return PackedCell(cast("Sequence[Cell]", layers))
    if isinstance(first, nn.Sequential):
        rows = cast("Sequence[nn.Sequential]", layers)
        _alike([len(row) for row in rows], "the numbers of their layers")
        return nn.Sequential(*(packed(column) for column in zip(*rows, strict=True)))
    _alike([_text(layer) for layer in layers], "their layers, or which of them are frozen,")
    for kind, how in PACKED.items():
        if isinstance(first, kind) and all(_plain(layer, kind) for layer in layers):
            return how(layers)
    raise ValueError(f"a {type(first).__name__} cannot be packed, only {', '.join(kind.__name__ for kind in PACKED)}")


def _plain(layer: nn.Module, kind: type[nn.Module]) -> bool:
    """Return whether a layer computes as its kind does: no forward of its own, no hooks, no weights made of others."""
    hooks = layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer)
    return type(layer).forward is kind.forward and not hooks and next(layer.children(), None) is None


def _text(layer: nn.Module) -> str:
    """Return words that are equal for layers that can be computed together."""
    return f"{layer!r}, frozen: {[name for name, w in layer.named_parameters() if not w.requires_grad]}"


def _joined(weights: Tensor, like: Tensor) -> nn.Parameter:
    """Return the weights of several networks as one parameter, frozen if each of them is."""
    return nn.Parameter(weights, requires_grad=like.requires_grad)


def _as_it_is(layers: Sequence[nn.Module]) -> nn.Module:
    return layers[0]


def _alike(those: Sequence, what: str) -> None:
    if any(one != those[0] for one in those):
        raise ValueError(f"only networks that are alike can be packed: {what} differ")


PACKED: dict[type[nn.Module], Callable[[Sequence], nn.Module]] = {
    nn.ReLU: _as_it_is,
    nn.Identity: _as_it_is,
    nn.Conv2d: Convolutions,
    nn.BatchNorm2d: BatchNorms,
    nn.AvgPool2d: Poolings,
    nn.Linear: Linears,
}
