"""The zoo: every row against the papers and against torchvision, and compound scaling."""

from functools import cache

import pytest
import torch

from nasviz import spaces, zoo
from nasviz.zoo import scaling
from nasviz.zoo.cells import CELLS
from nasviz.zoo.hand import torchvision
from nasviz.zoo.model import Model
from nasviz.zoo.one_recipe import ONE_RECIPE
from nasviz.zoo.scaling import RELEASED, Scaling, compound, growth

every_model = pytest.mark.parametrize("model", zoo.MODELS, ids=lambda model: model.name)
BUILDERS = {
    "VGG-16": "vgg16",
    "ResNet-18": "resnet18",
    "ResNet-50": "resnet50",
    "ResNet-152": "resnet152",
    "DenseNet-121": "densenet121",
    "MobileNetV2": "mobilenet_v2",
    "MnasNet-B1": "mnasnet1_0",
    "MobileNetV3-Large": "mobilenet_v3_large",
    "MobileNetV3-Small": "mobilenet_v3_small",
    "ConvNeXt-T": "convnext_tiny",
    "EfficientNetV2-S": "efficientnet_v2_s",
    "RegNetY-400MF": "regnet_y_400mf",
    "RegNetY-1.6GF": "regnet_y_1_6gf",
    "RegNetY-3.2GF": "regnet_y_3_2gf",
} | {f"EfficientNet-B{i}": f"efficientnet_b{i}" for i in range(8)}
MADDS = {  # millions; counted on other implementations of the same networks
    "MnasNet-A1": 311.6,
    "MnasNet-B1": 314.4,
    "MobileNetV3-Large": 216.6,
    "MobileNetV3-Small": 56.5,
    "EfficientNet-B0": 385.8,
    "EfficientNet-B1": 686.8,
    "EfficientNet-B2": 993.6,
    "EfficientNet-B3": 1827,
    "EfficientNet-B4": 4394,
    "EfficientNet-B5": 10266,
    "EfficientNet-B6": 19068,
    "EfficientNet-B7": 37746,
}


@cache
def row_of(name):
    """The row of one model, counted once: not while tests are collected, and only those that a worker needs."""
    (row,) = zoo.table([zoo.model(name)])
    return row


@every_model
def test_a_row_agrees_with_its_paper_or_says_why_not(model):
    row = row_of(model.name)
    assert row.agrees or row.model.reason, f"{row.parameters_off} % parameters, {row.madds_off} % multiply-adds"
    if row.model.parameters_exact:
        assert row.parameters == row.model.parameters


@every_model
def test_a_row_is_complete(model):
    assert (
        model.designed_by in ("search", "scaling", "hand")
        and model.dataset in ("ImageNet", "CIFAR-10")
        and model.source
    )
    assert len(model.image) == 3 and model.image[1] == model.image[2]
    assert model.accuracy is None or 50 < model.accuracy < 100
    assert model.gpu_days is None or model.designed_by == "search"
    assert isinstance(model.parameters, int) is model.parameters_exact


@pytest.mark.parametrize(("name", "builder"), BUILDERS.items())
def test_parameters_are_those_that_torchvision_states(name, builder):
    from torchvision.models import get_model_weights

    stated = {weights.meta["num_params"] for weights in get_model_weights(builder)}
    assert stated == {row_of(name).parameters}


@pytest.mark.parametrize(("name", "millions"), MADDS.items())
def test_multiply_adds(name, millions):
    assert row_of(name).madds / 1e6 == pytest.approx(millions, rel=2e-4, abs=0.05)


def test_scaled_networks_are_told_from_searched_ones():
    by = {model.name: model.designed_by for model in zoo.MODELS}
    assert by["EfficientNet-B0"] == by["EfficientNetV2-S"] == "search"
    assert {by[f"EfficientNet-B{n}"] for n in range(1, 8)} == {"scaling"}


def test_ghostnets_copies_cost_a_depthwise_convolution():
    from nasviz.nn import count
    from nasviz.zoo.ghostnet import ghostnet

    with torch.device("meta"):
        network = ghostnet()
    first = network[1].body[0]  # 16 to 16 channels: eight computed, eight copied from them
    assert count.parameters(first) == 16 * 8 + 2 * 8 + 9 * 8 + 2 * 8
    assert count.madds(first, (16, 10, 10)) == (16 * 8 + 9 * 8) * 100


def test_one_recipe_has_the_networks_of_the_zoo_by_their_names():
    for one in ONE_RECIPE:
        if one.name in {model.name for model in zoo.MODELS}:
            model = zoo.model(one.name)
            assert model.designed_by == one.designed_by and one.madds == pytest.approx(model.madds, rel=0.1)
            assert one.designed_by == "hand" or one.accuracy < model.accuracy  # their own recipe is longer
    assert len({one.name for one in ONE_RECIPE}) == len(ONE_RECIPE)


def test_networks_written_here_have_the_counted_sizes():
    assert row_of("MnasNet-A1").parameters == 3_887_038
    assert row_of("MobileNetV1").parameters == 4_231_976
    assert row_of("ProxylessNAS mobile").parameters == 4_080_512


def test_the_papers_strides_cost_less_and_change_no_parameter():
    def counted(build):
        model = Model("", "hand", None, build, (3, 224, 224), None, False, None, None, "", None, "")
        return model.parameters_and_madds()

    parameters, madds = counted(lambda: torchvision("resnet50"))
    assert parameters == row_of("ResNet-50").parameters and 1.05 < madds / row_of("ResNet-50").madds < 1.07


def test_what_was_famous_of_cells_is_there():
    wanted = {"NASNet-A (6 @ 4032)", "NASNet-A (4 @ 1056)", "AmoebaNet-A (N=6, F=190)", "ENAS, micro (CIFAR-10)",
              "DARTS V2 (CIFAR-10)", "DARTS V2 (ImageNet)", "PC-DARTS (ImageNet)", "P-DARTS (CIFAR-10)"}  # fmt: skip
    assert wanted <= {model.name for model in CELLS} <= {model.name for model in zoo.MODELS}
    agree = {name for name in wanted if "NASNet" in name or "CIFAR" in name and "ENAS" not in name}
    assert all(row_of(name).agrees for name in agree)
    assert all(row_of(model.name).agrees or "nexplained" in model.reason for model in CELLS)


def test_architectures_of_cells_are_members_of_their_spaces():
    homes = {"darts": spaces.DartsSpace(), "nasnet": spaces.NasNetSpace()}
    for model in CELLS:
        space = homes[model.space]
        assert space.to_text(space.from_text(model.architecture)) == model.architecture


def test_models_are_found_by_name():
    assert zoo.model("VGG-16").designed_by == "hand"
    with pytest.raises(ValueError, match="no 'VGG'; it has VGG-16, Inception-v3"):
        zoo.model("VGG")


@pytest.mark.parametrize(
    "name",
    [
        "MobileNetV1",
        "GhostNet 1.0×",
        "RegNetY-400MF",
        "MnasNet-A1",
        "Once-for-all, Note8 31 ms",
        "MobileNetV3-Small",
        "DARTS V2 (CIFAR-10)",
    ],
)
def test_a_full_size_network_runs_and_its_weights_follow_from_the_generator(name):
    model, before = zoo.model(name), torch.get_rng_state()
    networks = [model.network(torch.Generator().manual_seed(seed)).eval() for seed in (1, 1, 2)]
    image = torch.randn(1, *model.image, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        one, same, other = (network(image) for network in networks)
    assert one.shape == (1, {"ImageNet": 1000, "CIFAR-10": 10}[model.dataset]) and one.isfinite().all()
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


# --------------------------------------------------------------------------------------------- compound scaling
def test_nothing_is_scaled_at_zero():
    assert compound(0) == RELEASED["B0"] == Scaling(1, 1, 224, 0.2)


def test_a_unit_of_phi_about_doubles_the_multiply_adds():
    assert growth() == pytest.approx(1.92, abs=0.005)
    sizes = [compound(phi).parameters_and_madds()[1] for phi in (0, 1, 4)]
    assert sizes[1] / sizes[0] > 2.5  # the first step takes more: two layers times 1.2 are rounded up to three
    assert (sizes[2] / sizes[1]) ** (1 / 3) == pytest.approx(growth(), rel=0.1)


def test_the_coefficients_by_hand():
    scaled = compound(2, alpha=1.5, beta=1.2, gamma=1.1)
    assert (scaled.depth, scaled.width) == pytest.approx((2.25, 1.44)) and scaled.resolution == round(224 * 1.21)


@pytest.mark.parametrize("name", RELEASED)
def test_the_released_coefficients_make_the_released_networks(name):
    if name in ("B0", "B3", "B7"):
        row = row_of(f"EfficientNet-{name}")
        assert RELEASED[name].parameters_and_madds() == (row.parameters, row.madds)
    assert RELEASED[name].resolution == zoo.model(f"EfficientNet-{name}").image[1]


def test_no_whole_phi_gives_a_released_network():
    ruled = {(s.depth, s.width, s.resolution) for s in map(compound, range(1, 8))}
    assert not ruled & {(s.depth, s.width, s.resolution) for s in RELEASED.values()}


@pytest.mark.parametrize("wrong", [{"phi": float("nan")}, {"phi": 1, "alpha": 0.9}, {"phi": 1, "gamma": 0}])
def test_coefficients_below_one_are_errors(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        compound(**wrong)


def test_impossible_scalings_are_errors():
    with pytest.raises(ValueError, match="above 0"):
        Scaling(0, 1, 224)
    assert scaling.RESOLUTION == 224


def test_the_once_for_all_row_is_a_member_of_the_space():
    from nasviz.spaces import ElasticSpace

    space, model = ElasticSpace(), zoo.model("Once-for-all, Note8 31 ms")
    assert space.to_text(space.from_text(model.architecture)) == model.architecture and model.space == space.name
