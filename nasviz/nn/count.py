"""Count parameters and multiply-adds of a network for one image; on the meta device this needs no memory.

Multiply-adds are counted where torch computes: each product of matrices, convolution or attention that runs is seen,
whether a layer or a function asked for it. What torch computes otherwise must be known to need no products, or the
count is refused.

A small network is counted faster on its own device: on the meta device torch computes shapes in Python, and has to
import modules for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.parametrize import ParametrizationList
from torch.utils._pytree import tree_leaves

from ..chance import JUDGE, KNOWN, Draws
from .cells import Cell
from .dispatch import Watching, storages
from .trial import as_it_was

Cost = Callable[[nn.Module, Tensor, Tensor], int]


# --------------------------------------------------------------------------------------- what torch's functions cost
def _convolution(x, weight, bias, stride, padding, dilation, transposed, *rest, out) -> int:
    return (x if transposed else out).numel() * weight[0].numel()


def _attention(query, key, value, *rest, out) -> int:
    rows = query.numel() // query.shape[-1]  # of all heads
    return rows * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def _product(place: int) -> Callable[..., int]:
    """Return the cost of a product of the arguments ``place`` and ``place + 1``: (…, n, m) × (…, m, k), or a vector."""

    def cost(*inputs, out) -> int:
        one, other = inputs[place : place + 2]
        return one.numel() * (other.shape[-1] if other.ndim > 1 else 1)

    return cost


def _recurrent(x, from_input, from_before, *rest, out) -> int:
    return x.numel() // x.shape[-1] * (from_input.numel() + from_before.numel())


def _bilinear(one, weight, other, *rest, out) -> int:
    return one.numel() // one.shape[-1] * weight.numel() + out.numel() * one.shape[-1]


ATTENTION = ("flash_attention", "flash_attention_for_cpu", "efficient_attention", "cudnn_attention",
             "fused_attention_overrideable")  # fmt: skip
PRODUCTS: Mapping[str, Callable[..., int]] = {
    **dict.fromkeys(("convolution", "_convolution", "convolution_overrideable"), _convolution),
    **dict.fromkeys(("mm", "bmm", "mv", "dot", "vdot"), _product(0)),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm", "addmv"), _product(1)),
    **dict.fromkeys((f"_scaled_dot_product_{kind}" for kind in ATTENTION), _attention),
    "mkldnn_rnn_layer": _recurrent,
    "_trilinear": _bilinear,
}

# Torch's functions without products, besides those that torch itself calls pointwise or views. A name may go on after
# a star. Reductions are named too: torch 2.9, which hosted notebooks keep for long, has no tag for them.
FREE = """
    abs adaptive_* affine_grid_generator alias* all amax amin aminmax any arange argm* as_strided* assert_*
    avg_pool* batch_norm_* bernoulli binary_cross_entropy* bincount block_diag bucketize cat channel_shuffle
    chunk_cat clone col2im complex constant_pad_nd copy* count_nonzero cudnn_batch_norm cum* detach* diag_embed
    diagonal* embedding* empty* eq expand* exponential eye fill* flip floor_divide fractional_max_pool* full*
    fused_dropout gather ge gelu glu grid_sampler_* gt hardswish hardtanh im2col index* is_same_size isin kthvalue
    le lift* linalg_vector_norm linspace local_scalar_dense log_* logcumsumexp logsumexp lt masked_* max max_* mean
    median min mish mode multinomial nan* narrow* native_*norm* native_dropout ne new_* nonzero* norm normal* ones*
    permute* pixel_* poisson prelu_kernel prod rand* reflection_pad* renorm repeat* replication_pad* reshape*
    resize* roll rot90 rrelu_* rsub safe_softmax scalar_tensor scatter* searchsorted select* slice* softmax sort
    split* squeeze* stack std* sum sym_* t take threshold to_copy topk trace transpose* tril* triu* unbind* unfold*
    uniform unique* unsafe_* unsqueeze* upsample_* var* view* weight_norm_interface where xlogy zero*
"""
_FREE = re.compile("|".join(word.replace("*", ".*") for word in FREE.split()))


@cache
def _known(function) -> tuple[str, Callable[..., int] | None, bool]:
    """Return the name of a function of torch, its cost if it is a product, and whether it is known to need none."""
    name = function._schema.name.split("::")[1]
    if function.namespace not in ("aten", "prim", "prims"):
        return name, None, False
    tagged = {torch.Tag.pointwise, torch.Tag.view_copy} & set(function.tags)
    free = bool(tagged) or function.is_view or _FREE.fullmatch(name.strip("_")) is not None
    return name, PRODUCTS.get(name.rstrip("_")), free


class _Products(Watching):
    """What sees all functions of torch inside its ``with`` block, and tells the costs of products.

    Attributes
    ----------
    running : list of nn.Module
        The modules that run now, the outermost first.
    silent : int
        Above 0, nothing is counted: a module with a count of its own runs, or torch computes one weight from others.
    unknown : dict
        The functions that are not known, by the module that asked for them.
    watched : list of nn.Module
        The modules that may use their weights in unknown ways, outside of torch.
    read : set
        Storages of the tensors that functions have read, if there are such modules.
    """

    def __init__(self, network: nn.Module, tell: Callable[[nn.Module | None, int], None]):
        super().__init__()
        self.tell, self.silent = tell, 0
        self.watched = [layer for layer in network.modules() if not type(layer).__module__.startswith(KNOWN)]
        self.running: list[nn.Module] = []
        self.unknown: dict[nn.Module | None, str] = {}
        self.read: set[int] = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs, (name, cost, free) = kwargs or {}, _known(function)
        if self.watched and name not in ("detach", "alias"):
            self.read.update(storage._cdata for storage in storages((args, kwargs)))
        if self.silent:
            return function(*args, **kwargs)
        here = self.running[-1] if self.running else None
        if cost is None and not free:
            with self:
                out = function.decompose(*args, **kwargs)  # into functions that may be known
            if out is not NotImplemented:
                return out
            self.unknown.setdefault(here, name)
        out = function(*args, **kwargs)
        if cost is not None:
            self.tell(here, cost(*args, out=out))
        return out


# ---------------------------------------------------------------------------------------------------------- conventions
def _nothing(layer: nn.Module, inputs: Tensor, outputs: Tensor) -> int:
    return 0


def _nasbench201(layer: nn.Module, inputs: Tensor, outputs: Tensor) -> int:
    if isinstance(layer, nn.AvgPool2d):
        size = layer.kernel_size
        return outputs.numel() * (size * size if isinstance(size, int) else prod(size))
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        return outputs.numel() * prod(side + 1 for side in inputs.shape[-2:])
    if isinstance(layer, nn.BatchNorm2d):
        return inputs.numel() * (2 if layer.affine else 1)
    return outputs.numel() if isinstance(layer, nn.ReLU) else 0


CONVENTIONS: Mapping[str, Cost] = {"conv_linear": _nothing, "nasbench201": _nasbench201}  # besides the products


def parameters(network: nn.Module) -> int:
    """Count the parameters of a network; as in the papers, operations that never run count too.

    A weight that several layers share counts once. ValueError if a layer's size is not known yet (`nn.LazyLinear`).
    """
    if lazy := [name for name, weights in network.named_parameters() if is_lazy(weights)]:
        raise ValueError(f"the sizes of {', '.join(lazy)} are not known before the network has run: count madds first")
    return sum(weights.numel() for weights in network.parameters())


def madds(network: nn.Module, image: tuple[int, int, int], convention: str = "conv_linear") -> int:
    """Count the multiply-adds of one image through a network, in evaluation mode.

    Parameters
    ----------
    network : nn.Module
        The network, which is not changed; only layers without a known size (`nn.LazyLinear`) get one. If it is built
        inside ``with torch.device("meta"):``, it takes no memory.
    image : tuple of int
        (colors, height, width).
    convention : {"conv_linear", "nasbench201"}
        ``conv_linear``: multiplications of convolutions and linear layers, as in most papers, and of all other products
        of matrices: attention, `torch.einsum`, recurrent layers. Functions that an own layer calls count like layers.
        What runs twice counts twice. A padded zero counts, a bias, a batch-norm and a pooling do not. Where torch makes
        a weight from others (weight-norm, spectral norm), only the layer that uses it counts.
        ``nasbench201``: in addition, per output element, 2 for a batch-norm, 1 for a ReLU, 9 for a 3×3 pooling. The
        count of every operation in a cell is then exactly as published for NAS-Bench-201 (NAS-Bench-Suite-Zero,
        Krishnakumar et al. 2022). Outside the cells the published totals are larger by 5,184 = 64 · 9² for every
        architecture. The global pooling of 64 channels of 8×8 has exactly this count if its windows are 9×9; it is
        therefore counted like that here. This reason is our guess: the papers do not document it.

    Operations of a cell that are built and never run count as well, as they do for the parameters.

    Raises
    ------
    ValueError
        For another convention, and for a layer that computes with something that is not known here, with its name. Such
        a layer can say its count itself: by a method ``madds(output, *inputs)``, called with what its ``forward`` got.
    """
    total = 0

    def add(layer, cost):
        nonlocal total
        total += cost

    _run(network, image, convention, add, lambda layer, outputs: None)
    return total


def _run(network: nn.Module, image: tuple[int, int, int], convention: str, tell: Callable, ran: Callable) -> None:
    """Send one image through a network: ``tell(module, cost)`` for each cost, ``ran(module, outputs)`` for each run."""
    if convention not in CONVENTIONS:
        raise ValueError(f"no counting convention {convention!r}, only {list(CONVENTIONS)}")
    more, products, runs = CONVENTIONS[convention], _Products(network, tell), set()

    def begin(layer, args, kwargs):
        products.running.append(layer)
        products.silent += _own_count(layer) is not None or isinstance(layer, ParametrizationList)

    def end(layer, args, kwargs, outputs):
        if isinstance(layer, Cell):
            for operation in layer.unused():
                operation(args[0])
        own = _own_count(layer)
        products.silent -= own is not None or isinstance(layer, ParametrizationList)
        products.running.pop()
        runs.add(layer)
        if own is not None:
            tell(layer, int(own(outputs, *args, **kwargs)))
        elif next(layer.children(), None) is None and more is not _nothing:
            tell(layer, more(layer, next(iter((*args, *kwargs.values()))), outputs))
        ran(layer, outputs)

    def silent(step, layer, args):
        products.silent += step

    hooks = []
    for layer in network.modules():
        if any(type(hook).__module__.startswith("torch.nn.utils.") for hook in layer._forward_pre_hooks.values()):
            hooks.append(layer.register_forward_pre_hook(partial(silent, 1), prepend=True))
            hooks.append(layer.register_forward_pre_hook(partial(silent, -1)))
        hooks.append(layer.register_forward_pre_hook(begin, with_kwargs=True))
        hooks.append(layer.register_forward_hook(end, with_kwargs=True))
    norms = [layer for layer in network.modules() if type(layer) is nn.BatchNorm2d and "forward" not in vars(layer)]
    like = next((w for w in chain(network.parameters(), network.buffers()) if w.is_floating_point()), torch.zeros(1))
    try:
        with as_it_was(network), Draws(network, 0)(JUDGE), torch.no_grad():
            for norm in norms:
                # batch-norms took two thirds of the time on meta
                norm.forward = _same  # type: ignore[method-assign, assignment]  # of this one object, until below
            # also for tensors that layers make; and inside this block attention hides no products in one function
            with torch.device(like.device), products:
                network.eval()(torch.zeros(1, *image, device=like.device, dtype=like.dtype))
    finally:
        for norm in norms:
            vars(norm).pop("forward", None)
        for hook in hooks:
            hook.remove()
    _refuse(network, products, runs)


def _same(x: Tensor) -> Tensor:
    return x


def _own_count(layer: nn.Module) -> Callable[..., int] | None:
    """Return the method by which a layer says its count, if it has one."""
    own = getattr(type(layer), "madds", None)
    return getattr(layer, "madds") if callable(own) else None  # noqa: B009  # mypy takes it for a submodule


def _refuse(network: nn.Module, products: _Products, runs: set[nn.Module]) -> None:
    """Raise a ValueError that names the layers whose products were not seen; return if there are none."""
    names = {module: name for name, module in network.named_modules()}
    wrong = [f"{_words(layer, names)} computes with torch's {what}" for layer, what in products.unknown.items()]
    for layer in runs.intersection(products.watched):
        holders = [layer, *(one for one in layer.children() if isinstance(one, nn.ParameterList | nn.ParameterDict))]
        held = [w for holder in holders for w in holder.parameters(recurse=False) if not is_lazy(w)]
        weights = [w.untyped_storage()._cdata for w in held]
        if weights and not products.read.intersection(weights) and _own_count(layer) is None:
            wrong.append(f"{_words(layer, names)} computes with its weights outside of torch, or not at all")
    if wrong:
        raise ValueError(
            f"cannot count the multiply-adds: {'; '.join(wrong)}. Give the layer's class a method "
            "madds(self, output, *inputs) that returns its multiply-adds for one image, 0 if there are none"
        )


def _words(layer: nn.Module | None, names: Mapping[nn.Module, str]) -> str:
    if layer is None:
        return "the network"
    return f"{names[layer]} (a {type(layer).__name__})" if names.get(layer) else f"a {type(layer).__name__}"


@dataclass(frozen=True)
class Layer:
    """One module of a network, with all modules inside it.

    Attributes
    ----------
    name : str
        Name as in ``network.named_modules()``; empty for the whole network.
    kind : str
        Class of the module.
    shape : tuple of int
        Shape of the module's output, without the batch.
    parameters, madds : int
        Counts of the module and of all modules inside it.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    madds: int


def layers(network: nn.Module, image: tuple[int, int, int], convention: str = "conv_linear") -> list[Layer]:
    """Count parameters and multiply-adds of each module for one image, in the order of ``named_modules``.

    Parameters and errors are those of `madds`. Modules that do not run are left out, unless a cell counts them. For a
    module that runs several times, the shape is that of the last run, and the multiply-adds are those of all runs.
    """
    inside: dict[str, int] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    names = {module: name for name, module in network.named_modules()}

    def tell(layer, cost):
        name = names.get(layer, "")
        while cost and name:
            inside[name] = inside.get(name, 0) + cost
            name = name.rpartition(".")[0]
        inside[""] = inside.get("", 0) + cost

    def ran(layer, outputs):
        shown = [one for one in tree_leaves(outputs) if isinstance(one, Tensor)]
        shapes[names[layer]] = tuple(shown[-1].shape[1:]) if shown else ()  # a stem can have two outputs

    _run(network, image, convention, tell, ran)
    return [
        Layer(name, type(module).__name__, shapes[name], parameters(module), inside.get(name, 0))
        for name, module in network.named_modules()
        if name in shapes
    ]
