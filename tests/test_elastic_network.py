"""Once-for-all's network: every member is a part of the largest, by each elastic dimension, and can be taken out."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from nasviz.nn.mobile import Depthwise, Resize
from nasviz.nn.single_path import recalibrate
from nasviz.spaces import ElasticSpace

SPACE = ElasticSpace()
PLACES = {"resolution": 0, "depth": 1, "kernel": 2, "expansion": 3}  # of the first unit; the same of the fourth below
FOURTH = 1 + 3 * 9 - 1  # what lies between


def changed(dimension, option, unit=0):
    place = PLACES[dimension] + (FOURTH + 1 if unit else 0)
    return SPACE.normal((*SPACE.largest[:place], option, *SPACE.largest[place + 1 :]))


@pytest.fixture(scope="module")
def images():
    return torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(1)).double()


@pytest.fixture(scope="module")
def network(images):
    """One whose matrices, statistics, scales and shifts are those of no untrained network."""
    generator = torch.Generator().manual_seed(0)
    network = SPACE.single_path(width=0.2, generator=generator).double().train()
    with torch.no_grad():
        for matrix in network.matrices.values():
            matrix += 0.1 * torch.randn(matrix.shape, generator=generator)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.weight += 0.3 * torch.randn(layer.weight.shape, generator=generator)
                layer.bias += 0.3 * torch.randn(layer.bias.shape, generator=generator)
    recalibrate(network, SPACE.largest, [images + 1, images])
    return network


CHANGES = [(d, o, 0) for d in PLACES for o in (0, 1)] + [(d, 0, 3) for d in ("depth", "kernel", "expansion")]


@pytest.mark.parametrize(("dimension", "option", "unit"), CHANGES)
def test_a_member_within_is_the_member_taken_out(network, images, dimension, option, unit):
    arch = changed(dimension, option, unit)
    assert arch != SPACE.largest and SPACE.why_invalid(arch) is None
    alone, whole = network.extract(arch), network(images, SPACE.largest)
    assert torch.allclose(network(images, arch), alone(images), atol=1e-12)
    assert not torch.allclose(network(images, arch), whole, atol=1e-6)
    names = {name: tensor.shape for name, tensor in SPACE.network(arch, width=0.2).state_dict().items()}
    assert {name: tensor.shape for name, tensor in alone.state_dict().items()} == names


def test_so_it_is_in_training_with_the_batches_own_statistics(network, images):
    rng = np.random.default_rng(0)
    for arch in (SPACE.smallest, SPACE.sample(rng), SPACE.sample(rng)):
        alone = network.extract(arch).train()
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        assert torch.allclose(network.train()(images, arch), alone(images), atol=1e-12)
        after = network.eval().extract(arch).state_dict()  # the statistics that it gathered are its part's of the whole
        assert all(torch.allclose(after[name], tensor) for name, tensor in alone.state_dict().items())
        network.load_state_dict(before)


def test_a_shallower_member_leaves_the_last_layers_of_a_unit_out(network, images):
    layers = list(network.whole)
    assert torch.equal(network(images, changed("depth", 0, 0)), nn.Sequential(*layers[:5], *layers[7:])(images))


def test_a_lower_resolution_is_the_whole_on_smaller_images(network, images):
    small = F.interpolate(images, (5, 5), mode="bilinear", antialias=True, align_corners=False)
    assert torch.equal(network(images, changed("resolution", 0)), nn.Sequential(*list(network.whole)[1:])(small))
    assert Resize(128 / 224)(images).shape[-1] == 5


def test_a_smaller_kernel_is_the_middle_of_the_larger_times_a_matrix(network):
    filters = network.whole[3][1][0].weight
    five, three = (network.part(3, (kernel, 6))["1.0.weight"] for kernel in (5, 3))
    middle = filters[7, 0, 1:6, 1:6].flatten()
    assert torch.allclose(five[7, 0].flatten(), network.matrices["3_5"] @ middle)
    assert torch.allclose(three[7, 0].flatten(), network.matrices["3_3"] @ five[7, 0, 1:4, 1:4].flatten())


def test_kernel_matrices_start_as_the_identity():
    fresh = SPACE.single_path(width=0.1)
    assert len(fresh.matrices) == 2 * 20
    for name, matrix in fresh.matrices.items():
        assert torch.equal(matrix, torch.eye(int(name[-1]) ** 2))
    assert torch.equal(fresh.part(4, (3, 6))["body.1.0.weight"], fresh.whole[4].body[1][0].weight[..., 2:5, 2:5])


def test_a_narrower_layer_has_the_leading_channels(network):
    whole, part = network.whole[3], network.part(3, (7, 3))
    middle = len(part["0.0.weight"])
    assert middle == 24 and len(whole[0][0].weight) == 48
    assert torch.equal(part["2.0.weight"], whole[2][0].weight[:, :24])
    assert torch.equal(part["1.1.running_var"], whole[1][1].running_var[:24])


def test_gradients_reach_what_a_member_uses_and_nothing_else(network, images):
    network.zero_grad()
    network(images, SPACE.smallest).sum().backward()
    used = {name for name, weights in network.named_parameters() if weights.grad is not None}
    assert {"matrices.3_5", "matrices.3_3", "matrices.4_3"} <= used and not any("whole.5." in name for name in used)
    gradient = network.whole[3][0][0].weight.grad
    assert gradient[:24].abs().max() > 0 and gradient[24:].abs().max() == 0
    network.zero_grad()
    network(images, SPACE.largest).sum().backward()
    assert all(matrix.grad is None for matrix in network.matrices.values())


def test_sorting_channels_changes_no_output_of_the_whole_and_brings_the_important_first(network, images):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    whole, narrow = network(images, SPACE.largest), network(images, changed("expansion", 0))
    network.sort_channels()
    assert torch.allclose(network(images, SPACE.largest), whole, atol=1e-12)
    assert not torch.allclose(network(images, changed("expansion", 0)), narrow, atol=1e-6)
    for number, place in enumerate(network.places, 3):
        layer = network.whole[number]
        norms = getattr(layer, "body", layer)[-1][0].weight.abs().sum((0, 2, 3))
        assert (norms[:-1] >= norms[1:]).all() and len(norms) == place.middle(6)
    network.load_state_dict(before)


def test_recalibrated_statistics_are_the_members_own(network, images):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    arch = SPACE.sample(np.random.default_rng(5))
    alone = network.extract(arch).train()
    for layer in alone.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None
    for part in images.split(3):
        alone(part)
    recalibrate(network, arch, images.split(3))
    assert torch.allclose(network(images, arch), alone.eval()(images), atol=1e-12)
    network.load_state_dict(before)


TINY = [(4, 7, 1), (4, 5, 2), (3, 5, 2), (2, 3, 1), (1, 7, 1), (2, 7, 2)]


@pytest.mark.parametrize(("size", "kernel", "stride"), TINY)
def test_a_kernel_larger_than_the_image_trains_as_torchs_own(size, kernel, stride):
    generator = torch.Generator().manual_seed(2)
    layer = Depthwise(6, 6, kernel, stride, padding=kernel // 2, groups=6, bias=False).double()
    layer.weight.data.normal_(generator=generator)
    x = torch.randn(3, 6, size, size + 1, generator=generator).double().requires_grad_()
    results = []
    for mode in (True, False):
        y = layer.train(mode)(x)
        results += [y, *torch.autograd.grad(y.sin().sum(), (x, layer.weight))]
    assert all(torch.allclose(mine, its, atol=1e-12) for mine, its in zip(results[:3], results[3:], strict=True))


def test_samples_keep_to_the_stage():
    rng = np.random.default_rng(0)
    only_kernels = {"depth": 2, "expansion": 2}
    for _ in range(20):
        arch = SPACE.sample(rng, only_kernels)
        assert {len(unit) for unit in SPACE.units(arch)} == {4}
        assert {e for unit in SPACE.units(arch) for _, e in unit} == {6}
    assert len({arch[0] for arch in (SPACE.sample(rng, only_kernels) for _ in range(60))}) > 10
    assert SPACE.sample(rng, dict.fromkeys(PLACES, 2) | {"resolution": 24}) == SPACE.largest
    with pytest.raises(ValueError, match="elastic are resolution, kernel, depth, expansion, not width"):
        SPACE.sample(rng, {"width": 1})
