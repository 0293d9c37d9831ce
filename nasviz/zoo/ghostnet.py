"""GhostNet, designed by hand: half of the channels are computed, the other half are cheap copies (Han et al. 2020).

A *ghost module* replaces a 1×1 convolution. It computes half of its outputs by a 1×1 convolution, and makes the other
half from these by a depthwise 3×3 convolution, which costs little. The table of layers follows MobileNetV3-Large's,
which a search had found: what people designed here is the block.
"""

from __future__ import annotations

BLOCKS = (  # kernel, channels inside, channels out, whether squeezed and excited, stride: Han et al. 2020, table 1
    (3, 16, 16, False, 1),
    (3, 48, 24, False, 2),
    (3, 72, 24, False, 1),
    (5, 72, 40, True, 2),
    (5, 120, 40, True, 1),
    (3, 240, 80, False, 2),
    (3, 200, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 184, 80, False, 1),
    (3, 480, 112, True, 1),
    (3, 672, 112, True, 1),
    (5, 672, 160, True, 2),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
    (5, 960, 160, False, 1),
    (5, 960, 160, True, 1),
)


def ghostnet(width: float = 1.0):
    """Build GhostNet (`torch.nn.Module`) for 1,000 classes, with ``width`` times the channels."""
    from torch import nn

    from ..nn.mobile import SqueezeExcite, conv_bn, divisible
    from ..nn.ops import Conv2d, Linear

    class Ghost(nn.Module):
        """1×1 convolution to half of the channels; a depthwise one makes the other half of them (section 3.1)."""

        def __init__(self, inputs, outputs, activation):
            super().__init__()
            half = -(-outputs // 2)
            self.outputs = outputs
            self.computed = conv_bn(inputs, half, 1, activation=activation)
            self.cheap = conv_bn(half, half, 3, groups=half, activation=activation)

        def forward(self, x):
            from torch import cat

            x = self.computed(x)
            return cat([x, self.cheap(x)], 1)[:, : self.outputs]

    class Bottleneck(nn.Module):
        """Two ghost modules, widening and narrowing; between them the stride (figure 3)."""

        def __init__(self, inputs, kernel, inside, outputs, squeezed, stride):
            super().__init__()
            middle = [conv_bn(inside, inside, kernel, stride, inside, nn.Identity)] if stride > 1 else []
            gate = [SqueezeExcite(inside, divisible(inside / 4, 4), nn.Hardsigmoid)] if squeezed else []
            self.body = nn.Sequential(
                Ghost(inputs, inside, nn.ReLU), *middle, *gate, Ghost(inside, outputs, nn.Identity)
            )
            self.skip = nn.Sequential()
            if inputs != outputs or stride > 1:
                self.skip.append(conv_bn(inputs, inputs, kernel, stride, inputs, nn.Identity))
                self.skip.append(conv_bn(inputs, outputs, 1, activation=nn.Identity))

        def forward(self, x):
            return self.body(x) + self.skip(x)

    inputs = divisible(16 * width, 4)
    layers: list[nn.Module] = [conv_bn(3, inputs, 3, 2)]
    for kernel, inside, outputs, squeezed, stride in BLOCKS:
        inside, outputs = (divisible(channels * width, 4) for channels in (inside, outputs))
        layers.append(Bottleneck(inputs, kernel, inside, outputs, squeezed, stride))
        inputs = outputs
    last = divisible(960 * width, 4)
    head = [conv_bn(inputs, last, 1), nn.AdaptiveAvgPool2d(1), Conv2d(last, 1280, 1), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*layers, *head, Linear(1280, 1000))
