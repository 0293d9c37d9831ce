"""Counts against torch's own flop counter; what cannot be counted is named, whatever way a layer computes."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, spectral_norm, weight_norm
from torch.utils.flop_counter import FlopCounterMode

from nasviz import SearchSpace
from nasviz.estimators import Recipe, Training
from nasviz.hardware.latency_table import units
from nasviz.hardware.resources import memory
from nasviz.nn import count


def ones(*shape):
    return nn.Parameter(torch.ones(shape))


class Computed(nn.Module):
    """A layer that is a function of the image and of its weights."""

    def __init__(self, function, *weights):
        super().__init__()
        self.function, self.weights = function, nn.ParameterList(weights)

    def forward(self, x):
        return self.function(x, *self.weights)


class Attention(nn.Module):
    def __init__(self, **how):
        super().__init__()
        self.layer = nn.MultiheadAttention(16, 4, batch_first=True, **how)

    def forward(self, x):
        return self.layer(query=x, key=x[:, :3], value=x[:, :3])[0]


class Shared(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(input=self.layer(x))


class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.score = nn.Embedding(10, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.score(self.table(x.long()))


COUNTED = {
    "linear": (nn.Linear(8, 5), (8,)),
    "linear on three": (nn.Linear(8, 5, bias=False), (3, 4, 8)),
    "conv1d": (nn.Conv1d(4, 6, 3, groups=2, dilation=2, stride=2), (4, 20)),
    "conv2d": (nn.Conv2d(4, 8, (3, 1), groups=4, dilation=(2, 1), padding=1, bias=False), (4, 9, 7)),
    "conv2d same": (nn.Conv2d(4, 8, 5, padding="same"), (4, 9, 7)),
    "conv2d circular": (nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), (4, 8, 8)),
    "conv3d": (nn.Conv3d(4, 6, 3, stride=2), (4, 8, 8, 8)),
    "transposed 1d": (nn.ConvTranspose1d(4, 6, 3, groups=2, stride=2), (4, 8)),
    "transposed 2d": (nn.ConvTranspose2d(4, 6, 3, groups=2, stride=2, output_padding=1, dilation=2), (4, 8, 8)),
    "transposed 3d": (nn.ConvTranspose3d(4, 6, 2, padding=1), (4, 4, 4, 4)),
    "weight norm": (parametrizations.weight_norm(nn.Conv2d(4, 6, 3)), (4, 8, 8)),
    "spectral norm": (parametrizations.spectral_norm(nn.Linear(8, 3)), (4, 8)),
    "old weight norm": (weight_norm(nn.ConvTranspose2d(4, 6, 3)), (4, 8, 8)),
    "old spectral norm": (spectral_norm(nn.Conv2d(4, 6, 3)), (4, 8, 8)),
    "attention": (Attention(), (5, 16)),
    "F.conv1d": (Computed(lambda x, w: F.conv1d(x, w), ones(6, 4, 3)), (4, 9)),
    "F.conv2d": (Computed(lambda x, w, b: F.conv2d(x, w, b, padding=1), ones(6, 4, 3, 3), ones(6)), (4, 8, 8)),
    "F.conv_transpose2d": (Computed(lambda x, w: F.conv_transpose2d(x, w), ones(4, 6, 3, 3)), (4, 8, 8)),
    "F.linear": (Computed(lambda x, w, b: F.linear(x, w, b), ones(6, 8), ones(6)), (4, 8)),
    "matmul": (Computed(torch.matmul, ones(8, 6)), (2, 4, 8)),
    "@": (Computed(lambda x, w: x @ w, ones(8, 6)), (8,)),
    "bmm": (Computed(lambda x: torch.bmm(x, x.transpose(1, 2))), (4, 8)),
    "baddbmm": (Computed(lambda x, w: torch.baddbmm(x, x, w, beta=0.5), ones(1, 8, 8)), (4, 8)),
    "addmm": (Computed(lambda x, w, b: torch.addmm(b, x, w, alpha=2), ones(8, 6), ones(6)), (8,)),
    "einsum": (Computed(lambda x, w: torch.einsum("bchw,oc->bohw", x, w), ones(6, 4)), (4, 8, 8)),
    "einsum of images": (Computed(lambda x: torch.einsum("bic,bjc->bij", x, x)), (4, 8)),
    "tensordot": (Computed(lambda x, w: torch.tensordot(x, w, 1), ones(8, 3)), (4, 8)),
    "frozen, without gradients": (Computed(torch.inference_mode()(lambda x, w: F.linear(x, w)), ones(6, 8)), (4, 8)),
    "shared": (Shared(nn.Conv2d(4, 4, 3, padding=1)), (4, 8, 8)),
    "embedding": (Words(), (7,)),
    "gru": (nn.GRU(8, 6, batch_first=True), (5, 8)),
    "scale": (Computed(lambda x, w: x * w, ones(8)), (4, 8)),
    "lazy": (nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(3)), (1, 8, 8)),
}


@pytest.mark.parametrize("network, shape", COUNTED.values(), ids=COUNTED)
def test_torch_counts_the_same(network, shape):
    with FlopCounterMode(display=False) as theirs:
        network.eval()(torch.zeros(1, *shape))
    wanted = theirs.get_total_flops() / 2  # a multiplication and an addition
    assert count.madds(network, shape) == wanted
    whole = count.layers(network, shape)[0]
    assert whole.madds == wanted and whole.parameters == count.parameters(network)
    assert count.madds(network.to("meta"), shape) == wanted


class Dot(nn.Module):
    def forward(self, x):
        return F.scaled_dot_product_attention(x, x[..., :3, :], x[..., :3, :4])


# Where torch's counter does not see into its own fused functions
BY_HAND = {
    "scaled dot product": (Dot(), (2, 5, 8), 2 * 5 * 3 * (8 + 4)),
    "lstm": (nn.LSTM(8, 6, batch_first=True), (5, 8), 5 * 4 * 6 * (8 + 6)),
    "two ways": (nn.LSTM(8, 6, 2, batch_first=True, bidirectional=True), (5, 8), 5 * 2 * 4 * 6 * (8 + 6 + 12 + 6)),
    "transformer": (nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), (5, 16),
                    5 * 16 * (3 * 16 + 16 + 2 * 32) + 2 * 5 * 5 * 16),
    "vector": (Computed(lambda x, w: torch.mv(w, x[0]), ones(3, 8)), (8,), 3 * 8),
    "bilinear": (Computed(lambda x, w: F.bilinear(x, x, w), ones(3, 8, 8)), (8,), 3 * 8 * 8 + 3 * 8),
}  # fmt: skip


@pytest.mark.parametrize("network, shape, wanted", BY_HAND.values(), ids=BY_HAND)
def test_what_torch_does_not_see_is_counted_by_hand(network, shape, wanted):
    assert count.madds(network, shape) == wanted


REFUSED = {
    "_cdist_forward": Computed(torch.cdist, ones(3, 8)),
    "_fft_r2c": Computed(lambda x: torch.fft.fft(x).real),
    "_linalg_svd": Computed(lambda x: torch.linalg.svd(x)[0]),
    "linalg_inv_ex": Computed(lambda x: torch.linalg.inv(x[..., :4] + torch.eye(4))),
    "outside of torch": Computed(lambda x, w: torch.from_numpy(x.numpy() @ w.detach().numpy()), ones(8, 3)),
}


@pytest.mark.parametrize("what, layer", REFUSED.items())
def test_what_is_not_known_is_refused_by_name(what, layer):
    network = nn.Sequential(nn.Linear(8, 8), nn.Sequential(layer))
    with pytest.raises(
        ValueError, match=rf"1\.0 \(a Computed\) computes with .*{what}.*method madds\(self, output"
    ) as e:
        count.madds(network, (4, 8))
    assert "0 (a Linear)" not in str(e.value)
    assert network.training and not any(module._forward_hooks for module in network.modules())


def test_a_layer_can_say_its_count():
    class Distances(nn.Module):
        def __init__(self):
            super().__init__()
            self.centres, self.inner = ones(3, 8), nn.Linear(8, 8)

        def forward(self, x, *, power):
            return torch.cdist(self.inner(x), self.centres) ** power

        def madds(self, output, x, *, power):
            assert power == 2 and output.shape == (1, 4, 3)
            return x.numel() * len(self.centres)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.distances, self.last = Distances(), nn.Linear(3, 2)

        def forward(self, x):
            return self.last(self.distances(x, power=2))

    assert count.madds(Outer(), (4, 8)) == 4 * 8 * 3 + 4 * 3 * 2
    assert {layer.name: layer.madds for layer in count.layers(Outer(), (4, 8))}["distances"] == 4 * 8 * 3


def test_a_shared_layer_counts_once_in_parameters_and_twice_in_products():
    layer = nn.Conv2d(4, 4, 3, padding=1, bias=False)
    assert count.parameters(nn.Sequential(layer, layer)) == 144
    assert count.madds(nn.Sequential(layer, layer), (4, 8, 8)) == 2 * 144 * 64


def test_counting_leaves_no_trace():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls, self.rng = 0, np.random.default_rng(0)
            self.register_buffer("mean", torch.zeros(1))

        def forward(self, x):
            self.calls += 1
            self.mean += 1
            return x + torch.rand(1) + self.rng.random()

    network, torch_before = nn.Sequential(Counter(), nn.BatchNorm1d(8), nn.Linear(8, 3)), torch.get_rng_state()
    network[1].eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    count.madds(network, (8,))
    assert network[0].calls == 0 and network[0].rng.random() == np.random.default_rng(0).random()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert network.training and not network[1].training and torch.equal(torch_before, torch.get_rng_state())


def test_sizes_that_are_not_known_yet_are_named():
    network = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))
    with pytest.raises(ValueError, match=r"sizes of 1\.weight, 1\.bias are not known"):
        count.parameters(network)
    assert count.madds(network, (1, 4, 4)) == 48 and count.parameters(network) == 51


def test_no_layer_of_torch_with_weights_counts_nothing_by_mistake():
    """The layers whose weights only scale or shift are those of this list; all others count, or are refused."""
    scaling = {"BatchNorm1d", "BatchNorm2d", "GroupNorm", "LayerNorm", "RMSNorm", "InstanceNorm2d", "PReLU"}
    made = {
        nn.BatchNorm1d(8): (8,), nn.BatchNorm2d(8): (8, 4, 4), nn.GroupNorm(2, 8): (8, 4, 4), nn.LayerNorm(4): (8, 4),
        nn.RMSNorm(4): (8, 4), nn.InstanceNorm2d(8, affine=True): (8, 4, 4), nn.PReLU(): (8, 4),
        nn.Linear(4, 2): (8, 4), nn.Conv1d(8, 2, 1): (8, 4), nn.ConvTranspose1d(8, 2, 1): (8, 4),
        nn.RNN(4, 2): (8, 4), nn.GRU(4, 2): (8, 4), nn.LSTM(4, 2): (8, 4),
    }  # fmt: skip
    for layer, shape in made.items():
        assert (count.madds(layer, shape) == 0) == (type(layer).__name__ in scaling), layer


def test_free_functions_are_known():
    def many(x):
        x = F.max_pool2d(F.avg_pool2d(x, 3, 1, 1), 2) + F.adaptive_max_pool2d(x, 4)
        x = F.interpolate(F.pad(x, (1, 1, 1, 1), mode="reflect"), 8, mode="bilinear") + F.pixel_shuffle(x, 2).mean()
        x = torch.where(x > x.median(), F.gelu(x), F.softplus(x)).clamp(-1, 1).cumsum(1).roll(1, 2).flip(3)
        x = torch.cat([x, x.sort(1).values], 1).chunk(2, 1)[0].softmax(1).log_softmax(1) * F.normalize(x)
        x = F.unfold(x, 3, padding=1).std(1, keepdim=True) + x.flatten(2).topk(2, 1).values.amax(1, keepdim=True)
        return F.dropout(x, training=True).tril().masked_fill(x > 9, 0).repeat_interleave(2, 1).gather(1, x.long() * 0)

    assert count.madds(Computed(many), (4, 8, 8)) == 0
    assert count.madds(Computed(many).to("meta"), (4, 8, 8)) == 0


def test_a_training_counts_before_it_trains():
    class Keywords(nn.Module):
        def __init__(self, inputs, classes):
            super().__init__()
            self.layer = nn.Linear(in_features=inputs, out_features=classes)

        def forward(self, x):
            return self.layer(input=x.flatten(start_dim=1))

    def build(layer, colors, classes):
        return nn.Sequential(Keywords(64 * colors, classes), *([REFUSED["_fft_r2c"]] if layer == "fft" else []))

    space = SearchSpace.from_choices({"layer": ("keywords", "fft")}, build)
    estimate = Training(space, Recipe(images=64, epochs=1))
    assert estimate((0,)).scores["madds"] == 640 and estimate.size((0,))["parameters"] == 650
    with pytest.raises(ValueError, match="1 .a Computed. computes with torch's _fft_r2c"):
        estimate((1,))


def test_hardware_sees_what_keywords_hand_over():
    network = Shared(nn.Conv2d(4, 4, 3, padding=1))
    assert [unit.shape for unit in units(network, (4, 8, 8))] == [(1, 4, 8, 8)] * 2
    assert memory(network, (1, 4, 8, 8))["activations"] == 2 * 4 * 64 * 4


def test_torchs_compiler_is_not_loaded_to_count():
    program = """if True:
        import sys
        from nasviz.estimators import Training
        from nasviz.hardware import peak_memory
        from nasviz.spaces import NasBench201
        space = NasBench201()
        Training(space)((3,) * 6, epochs=1)
        peak_memory(space.network((3,) * 6, channels=4, cells=1), (1, 1, 8, 8))
        assert not {"torch._dynamo", "sympy"} & set(sys.modules)
    """
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
