"""Models of real devices on full-size mobile networks: work counted with and without a network, fits, the file."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau
from torch import nn

from nasviz.hardware import OperationCosts, elastic_device, elastic_devices
from nasviz.hardware.elastic_devices import FILE, load_elastic_devices, save_elastic_devices
from nasviz.hardware.operation_costs import DEPTHWISE, PIXEL, POINTWISE, WIDE, bottleneck, work, work_of_child
from nasviz.nn.mobile import conv_bn, mbconv
from nasviz.paths import data_dir
from nasviz.spaces import ElasticSpace, MobileSpace
from nasviz.spaces.elastic import RESOLUTIONS, STRIDES
from nasviz.spaces.mobile import MNASNET_A1
from nasviz.strategies.specialise import by_layer

SPACE = ElasticSpace()
RNG = np.random.default_rng(0)


def test_the_work_of_layers_by_hand():
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), nn.Sequential(nn.Linear(4, 10))
    network = nn.Sequential(conv_bn(3, 8, 3, 2), conv_bn(8, 8, 5, 1, groups=8), conv_bn(8, 4, 1), *head)
    done = 1e6 * work(network, (3, 8, 8))
    done[:, 0] /= 1e6
    assert done[WIDE].tolist() == [1, 27 * 8 * 16, 3 * 64 + 8 * 16 + 27 * 8 + 16]
    assert done[DEPTHWISE].tolist() == [1, 25 * 8 * 16, 2 * 8 * 16 + 25 * 8 + 16]
    assert done[POINTWISE].tolist() == [1, 32 * 16, 8 * 16 + 4 * 16 + 32 + 8]
    assert done[PIXEL].tolist() == [2, 40, (4 * 16 + 4) + (4 + 10 + 50)]


def test_a_bottleneck_is_counted_as_its_layers_are():
    body = mbconv(8, 16, 5, 2, middle=24, squeezed=8)
    assert work(body, (8, 12, 12)) == pytest.approx(bottleneck(8, 24, 16, 5, 12, 6, 8))
    assert work(mbconv(8, 8, 3, 1, middle=8), (8, 6, 6)) == pytest.approx(bottleneck(8, 8, 8, 3, 6, 6))


@pytest.mark.parametrize("width", [1.0, 1.2])
def test_a_child_is_counted_without_building_it(width):
    arch = SPACE.sample(RNG)
    network = SPACE.network(arch, width=width, strides=STRIDES, colors=3, classes=1000)
    assert work(network, (3, 224, 224)) == pytest.approx(work_of_child(arch, width))


def test_a_fit_finds_the_costs_and_none_is_below_zero():
    costs = ((0.1, 0.02, 0.3), (0.0, 0.1, 0.0), (0.2, 0.0, 0.5), (0.05, 0.4, 0.0))
    done = np.array([work_of_child(SPACE.sample(RNG)) for _ in range(100)])
    made = OperationCosts(1.5, costs)
    found = OperationCosts.fit(done, made.total(done))
    assert found.total(done) == pytest.approx(made.total(done), rel=1e-3)
    assert np.min(found.costs) >= 0 and OperationCosts.fit(done, made.total(done), base=False).base == 0
    with pytest.raises(ValueError, match="above 0"):
        OperationCosts.fit(done[:2], [1.0, 0.0])
    with pytest.raises(ValueError, match="0 or more"):
        OperationCosts(1.0, ((-1.0,) * 3,) * 4)
    with pytest.raises(ValueError, match="OperationCosts: base"):
        OperationCosts(-1.0, costs)


def test_a_search_by_layers_asks_a_real_device():
    phone, arch = elastic_device("galaxy note10"), SPACE.sample(RNG)
    network = SPACE.network(arch, colors=3)
    with torch.inference_mode():
        assert by_layer(phone, SPACE, (3, 16, 16))(arch) == pytest.approx(phone.predict(network, (3, 16, 16)))


def test_the_devices_travel_with_their_errors():
    devices = elastic_devices()
    assert len(devices) == 11 and {device.measured for device in devices} == {"blocks", "networks"}
    drawn = [SPACE.sample(RNG) for _ in range(60)]
    for device in devices:
        assert device.median_error <= 0.1 and device.tau > device.tau_madds
        ms = np.array([device.child()(arch) for arch in drawn])
        assert 1 < ms.min() < ms.max() < 200 * device.batch
        assert str(device.target()) == f"{device.name} (fitted)" and device.target().ms(drawn[0]) == ms[0]
    with pytest.raises(ValueError, match="no device is called 'Note 8'; there are Galaxy Note10; "):
        elastic_device("Note 8")


def test_mnasnet_on_a_pixel_is_near_to_what_its_authors_measured():
    """Fifteen sizes of MnasNet-A1: https://github.com/tensorflow/tpu, models/official/mnasnet. No fit has seen them."""
    widths = (1.4, 1.0, 0.75, 0.5, 0.35)
    measured = {224: (135, 78, 61, 32, 22), 192: (99, 57, 45, 24, 17), 160: (72, 41, 33, 18, 13)}
    phone, arch = elastic_device("Pixel 1"), MobileSpace().from_text(MNASNET_A1)
    said = np.array([[phone.mobile(width, side)(arch) for width in widths] for side in measured])
    ms = np.array(list(measured.values()))
    off = np.abs(said / ms - 1)
    assert kendalltau(said.ravel(), ms.ravel()).statistic > 0.9
    assert np.median(off) < 0.2 and off[:, :3].max() < 0.3 and off.max() < 0.7


def test_one_image_on_a_large_card_costs_starts_and_sixty_four_cost_work():
    small = (0, *SPACE.largest[1:])  # the largest network on the smallest image
    large = SPACE.largest
    assert RESOLUTIONS[small[0]] == 128 and RESOLUTIONS[large[0]] == 224
    for card in ("V100", "Titan RTX"):
        one, many = (elastic_device(f"{card}, {images}").child() for images in ("1 image", "64 images"))
        assert one(large) / one(small) < 1.1 < 2 < many(large) / many(small)
        assert elastic_device(f"{card}, 1 image").tau_madds < 0.2 < 0.9 < elastic_device(f"{card}, 64 images").tau_madds


def test_what_is_written_is_read_back_and_what_is_damaged_is_refused(tmp_path):
    save_elastic_devices(tmp_path / "some.json", elastic_devices()[:2], {"source": "a test"})
    assert load_elastic_devices(tmp_path / "some.json") == elastic_devices()[:2]
    whole = json.loads((data_dir() / FILE).read_text("utf-8"))
    for name, value in (("batch", 0), ("name", None), ("tau", 3.0), ("costs", {"base": 1}), ("measured", "guessed"),
                        ("costs", {"base": 0.0, "costs": [[1e999] * 3] * 4}), ("more", 1)):  # fmt: skip
        damaged = {**whole, "devices": [{**whole["devices"][0], name: value}]}
        (tmp_path / "bad.json").write_text(json.dumps(damaged))
        with pytest.raises(ValueError, match=r"bad\.json"):
            load_elastic_devices(tmp_path / "bad.json")
