"""Images as rows of pixels, channels-last, and the linear functions of them that have no weights."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F


def rows_of(images: Tensor) -> Tensor:
    """Return a view (batch · height · width, channels) of channels-last images."""
    return images.permute(0, 2, 3, 1).reshape(-1, images.shape[1])


def images_of(rows: Tensor, like: Tensor) -> Tensor:
    batch, _, height, width = like.shape
    return rows.view(batch, height, width, -1).permute(0, 3, 1, 2)


@lru_cache(maxsize=64)
def diagonals(channels: int, edges: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return ``edges`` unit matrices side by side."""
    return torch.eye(channels, dtype=dtype, device=device).repeat(1, edges)


WIDE = 16  # columns that fill a vector of a processor; a product with fewer takes longer than one with as many


def add_product(total: Tensor, rows: Tensor, matrix: Tensor) -> Tensor:
    """Return ``total + rows @ matrix``, written into ``total`` where that is (rows, columns) in one piece of memory."""
    fold = _fold(rows, matrix.shape[1])
    if fold == 1 or not total.is_contiguous():
        return total.addmm_(rows, matrix)
    unit = diagonals(fold, 1, rows.dtype, rows.device)
    blocks = (unit[:, None, :, None] * matrix[:, None]).flatten(0, 1).flatten(1)
    return total.view(-1, len(blocks[0])).addmm_(rows.view(-1, len(blocks)), blocks).view(total.shape)


def products(a: Tensor, b: Tensor) -> Tensor:
    """Return ``a.T @ b`` of two tables with as many rows, the sums over rows of all products of two columns."""
    fold = _fold(a, b.shape[1])
    if fold == 1 or not b.is_contiguous():
        return a.t() @ b
    blocks = a.view(-1, fold * a.shape[1]).t() @ b.view(-1, fold * b.shape[1])
    return blocks.view(fold, a.shape[1], fold, -1).diagonal(0, 0, 2).sum(2)


def _fold(rows: Tensor, columns: int) -> int:
    """Return how many rows are taken as one, so that a narrow result is a wide one."""
    fold = WIDE // columns if columns < WIDE and WIDE % columns == 0 else 1
    return fold if len(rows) % fold == 0 and rows.is_contiguous() else 1


FEW_PIXELS = 16  # of an image, up to which pooling is faster as a matrix


class AveragePool3x3:
    """Mean of the 3×3 neighbours inside the image, as `nasviz.nn.ops.average_pool3x3`, for images shaped like ``like``.

    It is a convolution of each channel with ones: on channels-last images this takes a third of the time of torch's
    own pooling.
    """

    def __init__(self, like: Tensor):
        how = tuple(like.shape[1:]), like.dtype, like.device
        self.pixels = like.shape[2] * like.shape[3]
        self.ones, self.share = _pool_of(*how) if like.device.type == "cpu" else _pool_of.__wrapped__(*how)

    def __call__(self, x: Tensor) -> Tensor:
        return cast("Tensor", _Sum3x3.apply(x, self.ones)) * self.share

    def of(self, x: Tensor) -> Tensor:
        """Return the pooling of ``x``, whose gradient is `transposed`."""
        if self.pixels <= FEW_PIXELS:
            return self._by_matrix(x, self._matrix())
        return F.conv2d(x, self.ones, padding=1, groups=len(self.ones)).mul_(self.share)

    def transposed(self, gradient: Tensor) -> Tensor:
        """Return the gradient of the pooling."""
        if self.pixels <= FEW_PIXELS:
            return self._by_matrix(gradient, self._matrix().t())
        return F.conv2d(gradient * self.share, self.ones, padding=1, groups=len(self.ones))

    def _matrix(self) -> Tensor:
        return _matrix_of(*self.share.shape[2:], self.share.dtype, self.share.device)

    @staticmethod
    def _by_matrix(x: Tensor, matrix: Tensor) -> Tensor:
        return images_of(matrix @ x.permute(0, 2, 3, 1).flatten(1, 2), x)


def near(square: Tensor) -> Tensor:
    """Return a matrix with zeros but on its diagonal and beside it: of ones, who is a neighbour of whom in a line."""
    return square.tril(1).triu(-1)


@lru_cache(maxsize=64)
def _matrix_of(height: int, width: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the matrix (pixels, pixels) of the pooling."""
    with torch.inference_mode(False):
        down, across = (near(torch.ones(n, n, dtype=dtype)) for n in (height, width))
        matrix = torch.kron(down, across)
        return (matrix / matrix.sum(1, keepdim=True)).to(device)


@lru_cache(maxsize=64)
def _pool_of(shape: tuple[int, int, int], dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return filters of ones, and one over the number of neighbours inside: 1/9, at borders 1/6, in corners 1/4.

    A graph recorded on a GPU owns what was made in it, so that only tensors on a CPU are kept.
    """
    channels, height, width = shape
    with torch.inference_mode(False):
        down, across = (near(torch.ones(n, n, dtype=dtype)).sum(0) for n in (height, width))
        share = (down[:, None] * across).to(device).reciprocal()
        share = share[None, :, :, None].repeat(1, 1, 1, channels).permute(0, 3, 1, 2)
        return torch.ones(channels, 1, 3, 3, dtype=dtype, device=device), share


class _Sum3x3(torch.autograd.Function):
    """The sum of 3×3 neighbours, channel by channel. It is its own transpose, so that it keeps no image for later."""

    @staticmethod
    def forward(ctx, x, ones):
        ctx.save_for_backward(ones)
        return F.conv2d(x, ones, padding=1, groups=len(ones))

    @staticmethod
    def backward(ctx, grad):
        return _Sum3x3.apply(grad, *ctx.saved_tensors), None
