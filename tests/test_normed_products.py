"""A 1×1 convolution and its batch-norm as one function of rows; gradients of depthwise filters and of poolings."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasviz.nn import depthwise
from nasviz.nn.by_hand import convolution_gradients, pooled, pooling_gradient
from nasviz.nn.depthwise import depthwise_filters_gradient
from nasviz.nn.normed_products import FEW, NormedProduct, StoredProduct, normed_product
from nasviz.nn.rows import images_of

both = pytest.mark.parametrize("kind", [NormedProduct, StoredProduct])


def rows_and_filters(inputs=3, outputs=4):
    draws = torch.Generator().manual_seed(0)
    rows = torch.randn(2 * 5 * 6, inputs, generator=draws, dtype=torch.float64) + 0.7
    filters = torch.randn(outputs, inputs, generator=draws, dtype=torch.float64)
    return rows, filters, torch.empty(2, inputs, 5, 6, dtype=torch.float64)


def plainly(rows, filters):
    return F.batch_norm(rows @ filters.t(), None, None, training=True)


def test_statistics_by_hand():
    """The rows are 0 and 2: mean 1, variance 1. A filter of 3 makes that 3 and 9."""
    rows, like = torch.tensor([[0.0], [2.0]], dtype=torch.float64), torch.empty(1, 1, 1, 2)
    product = NormedProduct(rows, torch.tensor([[3.0]], dtype=torch.float64), like)
    deviation = (9 + 1e-5) ** 0.5
    torch.testing.assert_close(product.normed(rows).flatten().tolist(), [-3 / deviation, 3 / deviation])


@both
def test_the_result_is_that_of_the_two_layers(kind):
    rows, filters, like = rows_and_filters()
    torch.testing.assert_close(kind(rows, filters, like).normed(rows), plainly(rows, filters))


@both
def test_results_are_added_with_their_scales(kind):
    rows, filters, like = rows_and_filters()
    scale, shift = torch.tensor([0.5, -1, 2, 0], dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    total = kind(rows, filters, like).add_to(None, shift, rows, scale)
    assert kind(rows, 2 * filters, like).add_to(total, shift, rows, scale).data_ptr() == total.data_ptr()
    torch.testing.assert_close(total + shift, scale * (plainly(rows, filters) + plainly(rows, 2 * filters)))


@both
@pytest.mark.parametrize("scaled", [False, True])
def test_gradients_are_those_of_torch(kind, scaled):
    rows, filters, like = rows_and_filters()
    scale = torch.tensor([0.5, -1, 2, 0.1], dtype=torch.float64) if scaled else None
    tensors = [one.clone().requires_grad_() for one in (rows, filters, *([scale] if scaled else []))]
    result = plainly(*tensors[:2]) * (tensors[2] if scaled else 1)
    grad = torch.randn(result.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = torch.autograd.grad(result, tensors, grad)
    product, shift = kind(rows, filters, like), torch.zeros(4, dtype=torch.float64)
    product.add_to(None, shift, rows, scale) if scaled else product.normed(rows)
    kept = product.kept()
    assert len(kept) == product.keeps
    of_rows, of_filters, of_scale = product.gradients(grad, None, rows, scale, True, *kept)
    for mine, its in zip((of_rows, of_filters, of_scale), expected, strict=False):
        torch.testing.assert_close(mine, its)
    assert product.gradients(grad, grad.mean(0), rows, scale, False, *kept)[1] is None


@both
def test_a_channel_that_does_not_vary_is_zero(kind):
    rows, filters, like = rows_and_filters()
    rows[:] = 0.1
    product = kind(rows, filters, like)
    assert product.normed(rows).abs().max() < 1e-9
    of_rows, _, _ = product.gradients(torch.ones(60, 4, dtype=torch.float64), None, rows, None, True, *product.kept())
    assert of_rows.isfinite().all()


def test_the_result_is_stored_where_channels_are_many():
    few, many = (normed_product(*rows_and_filters(n, n)) for n in (FEW, FEW + 1))
    assert isinstance(few, NormedProduct) and isinstance(many, StoredProduct)


@pytest.mark.parametrize(
    ("side", "height", "width"), [(5, 4, 4), (5, 2, 8), (3, 2, 2), (3, 1, 4), (5, 8, 7), (5, 5, 5)]
)
def test_the_gradient_of_depthwise_filters_is_that_of_torch(side, height, width, monkeypatch):
    monkeypatch.setattr(depthwise, "_has_small_registers", lambda: True)
    monkeypatch.setattr(depthwise, "LARGE", 0)
    draws = torch.Generator().manual_seed(0)
    filters = torch.randn(3, 1, side, side, generator=draws)
    x, grad = (images_of(torch.randn(4 * height * width, 3, generator=draws), torch.empty(4, 3, height, width))
               for _ in range(2))  # fmt: skip
    mine = depthwise_filters_gradient(grad, x, filters, side // 2)
    copies = x.clone().requires_grad_(), filters.clone().requires_grad_()
    expected = torch.autograd.grad(F.conv2d(*copies, padding=side // 2, groups=3), copies, grad)
    torch.testing.assert_close(mine, expected[1], rtol=1e-4, atol=1e-4)
    for gradient, its in zip(convolution_gradients(grad, x, filters, side // 2, True, True, groups=3), expected,
                             strict=True):  # fmt: skip
        torch.testing.assert_close(gradient, its, rtol=1e-4, atol=1e-4)


def test_torch_computes_what_it_computes_fast():
    x = torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    assert depthwise_filters_gradient(x, x, torch.zeros(3, 1, 3, 3), 1) is None
    assert depthwise_filters_gradient(x, x, torch.zeros(3, 1, 5, 5), 0) is None


@pytest.mark.parametrize(
    "layer",
    [
        nn.MaxPool2d(3, 1, 1),
        nn.MaxPool2d(3, 2, 1),
        nn.MaxPool2d(3, 1, 1, dilation=2),
        nn.MaxPool2d(2, 2, ceil_mode=True),
        nn.MaxPool2d((3, 2), (1, 2), (1, 0)),
        nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        nn.AvgPool2d(3, 2, 1),
        nn.AvgPool2d(3, 1, 1, divisor_override=4),
        nn.AvgPool2d(2, 2, ceil_mode=True),
        nn.AvgPool2d((1, 3), 1, (0, 1)),
    ],
    ids=str,
)
def test_gradients_of_poolings_are_those_of_torch(layer):
    draws = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 7, 5, generator=draws, dtype=torch.float64).requires_grad_()
    expected = layer(x)
    grad = torch.randn(expected.shape, generator=draws, dtype=torch.float64)
    value, *places = pooled(layer, x.detach())
    assert torch.equal(value, expected)
    torch.testing.assert_close(
        pooling_gradient(layer, grad, x.detach(), *places), torch.autograd.grad(expected, x, grad)[0]
    )
