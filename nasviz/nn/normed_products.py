"""A 1×1 convolution and the batch-norm behind it, as a linear function of rows: with its result stored, or without.

Images are channels-last here, and a row is a pixel of them (`nasviz.nn.rows`). The batch-norms have no weights. Both
classes have the same methods. Gradients are returned, and are not known to torch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .by_hand import EPSILON, norm_gradients, normed
from .rows import add_product, images_of, products, rows_of

_batch_statistics = torch.ops.aten.batch_norm_update_stats.default  # mean and variance; nothing is updated
FEW = 16  # channels, up to which a `NormedProduct` is faster than a `StoredProduct`


class NormedProduct:
    """The batch-norm of ``y = rows @ filters.T``, without y.

    The mean and the variance of y follow from the mean m and the covariance C of the rows: they are P·m and the
    diagonal of P·C·Pᵀ, with P the filters. So y is never written to memory: the filters are scaled before they are
    used. Of few channels it is memory that takes time.

    Parameters
    ----------
    rows : (count, inputs)
    filters : (outputs, inputs)
    like : (batch, channels, height, width)
        Images of as many pixels.
    """

    keeps = 0  # images, for the gradient, besides the rows

    def __init__(self, rows: Tensor, filters: Tensor, like: Tensor):
        self.count, self.filters, self.mean = len(rows), filters, rows.mean(0)
        self.like = like.to("meta")  # its shape: no images are held
        covariance = products(rows, rows).div_(self.count).addr_(self.mean, self.mean, alpha=-1)
        self.spread = filters @ covariance
        variance = (self.spread * filters).sum(1).clamp_min_(0)  # rounding may leave less than 0 of a constant
        self.inverse = variance.add_(EPSILON).rsqrt_()  # one over the standard deviation
        self.shift = self.inverse * -(filters @ self.mean)

    def kept(self) -> list[Tensor]:
        """Return the images that the gradient needs besides the rows, and hold them no longer."""
        return []

    def normed(self, rows: Tensor) -> Tensor:
        """Return the batch-norm's result, (count, outputs)."""
        return self._shifted(rows, self.filters * self.inverse[:, None], self.shift)

    def add_to(self, total: Tensor | None, shift: Tensor, rows: Tensor, scale: Tensor) -> Tensor:
        """Return ``total`` + scale × the result, (count, outputs), in the memory of ``total``.

        ``scale``: (outputs). What is the same for all rows is added to ``shift``, (outputs), instead.
        """
        shift.addcmul_(self.shift, scale)
        matrix = (self.filters * (self.inverse * scale)[:, None]).t()
        return rows @ matrix if total is None else add_product(total, rows, matrix)

    def gradients(
        self, grad: Tensor, mean: Tensor | None, rows: Tensor, scale: Tensor | None, of_filters: bool, *kept: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return the gradients in the rows, in the filters (None if not wanted), and in the scale, (outputs).

        ``grad``: (count, outputs), of scale × the result; ``mean``: its mean over the rows, if it is known; ``kept``:
        what `kept` returned.

        With z the result, s one over the deviation, w the scale and g the gradient: of w, Σ g·z; of y, as for every
        batch-norm, w·s·(g − mean g − z·mean(g·z)). Of the rows this is a linear function of g and of the rows.
        """
        mean = grad.mean(0) if mean is None else mean
        along = products(grad, rows).div_(self.count).addr_(mean, self.mean, alpha=-1)  # covariance of g and the rows
        slope = (self.filters * along).sum(1).mul_(self.inverse)  # mean(g·z)
        factor = self.inverse if scale is None else self.inverse * scale
        share = (slope * self.inverse)[:, None]
        by_grad = self.filters * factor[:, None]
        by_rows = self.filters.t() @ (by_grad * share)
        constant = (self.mean @ by_rows).sub_(mean @ by_grad)
        of_rows = add_product(self._shifted(grad, by_grad.t(), constant), rows, by_rows.neg_())
        of_each = (
            along.addcmul_(self.spread, share, value=-1).mul_(factor[:, None] * self.count) if of_filters else None
        )
        return of_rows, of_each, slope.mul_(self.count)

    def _shifted(self, rows: Tensor, filters: Tensor, shift: Tensor) -> Tensor:
        """Return rows @ filters.T + shift; as a convolution it is written once, by `torch.addmm` twice."""
        return rows_of(torch.conv2d(images_of(rows, self.like), filters[:, :, None, None], shift))


class StoredProduct:
    """The batch-norm of ``y = rows @ filters.T``, with y, by torch's own kernels; parameters of `NormedProduct`."""

    keeps = 1

    def __init__(self, rows: Tensor, filters: Tensor, like: Tensor):
        self.filters, self.y = filters, images_of(rows @ filters.t(), like)

    def kept(self) -> list[Tensor]:
        """Return the images that the gradient needs besides the rows, and hold them no longer."""
        y = self.y
        del self.y
        return [y]

    def normed(self, rows: Tensor) -> Tensor:
        """Return the batch-norm's result, (count, outputs)."""
        result, *self.statistics = normed(self.y)
        return rows_of(result)

    def add_to(self, total: Tensor | None, shift: Tensor, rows: Tensor, scale: Tensor) -> Tensor:
        """Return ``total`` + scale × the result, (count, outputs), in the memory of ``total``.

        ``scale``: (outputs). What is the same for all rows is added to ``shift``, (outputs), instead.
        """
        mean, variance = _batch_statistics(self.y, None, None, 0.1)
        inverse = variance.add_(EPSILON).rsqrt_()
        self.statistics = [mean, inverse]
        factor = inverse * scale
        shift.addcmul_(mean, factor, value=-1)
        y = rows_of(self.y)
        return y * factor if total is None else total.addcmul_(y, factor)

    def gradients(
        self, grad: Tensor, mean: Tensor | None, rows: Tensor, scale: Tensor | None, of_filters: bool, *kept: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return the gradients in the rows, in the filters (None if not wanted), and in the scale, if there is one."""
        (y,) = kept
        of_y, of_scale = norm_gradients(images_of(grad, y), y, scale, self.statistics, scale is not None)
        return rows_of(of_y) @ self.filters, products(rows_of(of_y), rows) if of_filters else None, of_scale


def normed_product(rows: Tensor, filters: Tensor, like: Tensor) -> NormedProduct | StoredProduct:
    """Return the faster of the two; parameters as those of `NormedProduct`."""
    return (NormedProduct if max(filters.shape) <= FEW else StoredProduct)(rows, filters, like)
