"""What a function needs whose gradient is written out: which gradients are asked for, and those of torch's kernels.

On small images a call of torch costs as much as its work, and the graph that torch keeps of the calls costs again. A
cell that is one function has one entry in the graph instead of hundreds, and computes each gradient by a few kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn

from .depthwise import depthwise_filters_gradient

Pooling = nn.MaxPool2d | nn.AvgPool2d
EPSILON = 1e-5  # of the batch-norm, as everywhere in torch
_convolution_backward = torch.ops.aten.convolution_backward.default
_norm_backward = torch.ops.aten.native_batch_norm_backward.default
_max_pool = torch.ops.aten.max_pool2d_with_indices.default
_max_pool_backward = torch.ops.aten.max_pool2d_with_indices_backward.default
_average_pool_backward = torch.ops.aten.avg_pool2d_backward.default
_relu_backward = torch.ops.aten.threshold_backward.grad_input
# Torch does not promise to keep this one. Without it all gradients are computed, and those not asked for are dropped.
_is_asked_for = getattr(torch._C, "_will_engine_execute_node", lambda node: True)


by_torch: ContextVar[bool] = ContextVar("by_torch", default=False)  # whether no gradient is computed by hand


@contextmanager
def twice() -> Iterator[None]:
    """Let torch note each operation of supernets in this ``with`` block, for gradients that are differentiated again.

    Gradients by hand can be differentiated too, but run the forward pass once more for it.
    """
    token = by_torch.set(True)
    try:
        yield
    finally:
        by_torch.reset(token)


def asked_for(ctx: Any, number: int) -> bool:
    """Return, inside of ``backward``, whether the gradient of a function's tensor argument ``number`` is asked for.

    ``number`` counts tensor arguments only. ``ctx.needs_input_grad`` says only what could be asked for: where a search
    wants the gradient of α alone, it is True for all filters too.
    """
    node = ctx.next_functions[number][0]
    if node is None:
        return False
    try:
        return bool(_is_asked_for(node))
    except RuntimeError:  # the argument is a leaf, whose gradient `torch.autograd.grad` returns
        return True


def again(
    plain: Callable[..., Sequence[Tensor]], arguments: Sequence[Tensor], gradients: Sequence[Tensor | None]
) -> tuple[Tensor | None, ...]:
    """Return the gradients in ``arguments`` of the results of ``plain(*arguments)``; they can be differentiated again.

    ``gradients``: one for each result of ``plain``, None for zero.
    """
    # A node depends on the α of cells before: where both are arguments, that way to α must not be counted here
    arguments = [one if one.is_leaf else one.view_as(one) for one in arguments]
    wanted = [argument for argument in arguments if argument.requires_grad]
    pairs = [(a, g) for a, g in zip(plain(*arguments), gradients, strict=True) if g is not None and a.requires_grad]
    results, along = zip(*pairs, strict=True)
    of_wanted = iter(torch.autograd.grad(results, wanted, along, create_graph=True, allow_unused=True))
    return tuple(next(of_wanted) if argument.requires_grad else None for argument in arguments)


def normed(x: Tensor, scale: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Return the batch-norm by the batch's statistics, times ``scale``, and two statistics for `norm_gradients`."""
    return torch.native_batch_norm(x, scale, None, None, None, True, 0.1, EPSILON)


def norm_gradients(
    grad: Tensor, x: Tensor, scale: Tensor | None, statistics: Sequence[Tensor], of_scale: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of `normed` in the images and, if wanted, in the scale."""
    return _norm_backward(grad, x, scale, None, None, *statistics, True, EPSILON, [True, of_scale, False])[:2]


def convolution_gradients(
    grad: Tensor, x: Tensor, filters: Tensor, padding: int, of_x: bool, of_filters: bool, stride=1, groups=1, dilation=1
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients of a square convolution in its images and in its filters, None for one not wanted."""
    if not (of_x or of_filters):
        return None, None
    if of_filters and groups == len(filters) > 1 and stride == dilation == 1:
        of_each = depthwise_filters_gradient(grad, x, filters, padding)
        if of_each is not None:
            return convolution_gradients(grad, x, filters, padding, of_x, False, groups=groups)[0], of_each
    how = [stride, stride], [padding, padding], [dilation, dilation], False, [0, 0], groups
    return _convolution_backward(grad, x, filters, None, *how, [of_x, of_filters, False])[:2]


def relu_gradient(grad: Tensor, active: Tensor) -> Tensor:
    """Return the gradient of a ReLU whose result is ``active``, in the memory of ``grad``."""
    return _relu_backward(grad, active, 0, grad_input=grad)


def pooled(layer: Pooling, x: Tensor) -> list[Tensor]:
    """Return a pooling, and of a maximum the places for `pooling_gradient`."""
    return list(_max_pool(x, *_how(layer))) if isinstance(layer, nn.MaxPool2d) else [layer(x)]


def pooling_gradient(layer: Pooling, grad: Tensor, x: Tensor, *places: Tensor) -> Tensor:
    """Return the gradient of `pooled` in the images ``x``; that of a mean does not look at ``places``."""
    if isinstance(layer, nn.MaxPool2d):
        return _max_pool_backward(grad, x, *_how(layer), places[0])
    return _average_pool_backward(grad, x, *_how(layer))


def _how(layer: Pooling) -> list:
    """Return what torch's functions ask of a layer: kernel, stride and padding first."""
    sizes = [_pair(number) for number in (layer.kernel_size, layer.stride, layer.padding)]
    if isinstance(layer, nn.MaxPool2d):
        return [*sizes, _pair(layer.dilation), layer.ceil_mode]
    return [*sizes, layer.ceil_mode, layer.count_include_pad, layer.divisor_override]


def _pair(number: int | tuple[int, ...]) -> list[int]:
    """Return a size down and across; a number is both."""
    return [number] * 2 if isinstance(number, int) else list(number)
