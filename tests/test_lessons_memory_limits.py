"""Lab 10's memory budget: bytes counted by hand and by the networks that run; what fits, and what is chosen."""

import pytest

from nasviz import hardware
from nasviz.lessons import memory_limits as tiny
from nasviz.lessons import one_network
from nasviz.spaces import ElasticResNet

SPACE = ElasticResNet()


def test_bytes_of_the_smallest_child_by_hand():
    flash = 6 * (1 * 9 + 1) + 12 * (6 * 9 + 1) + 24 * (12 * 9 + 1) + (24 + 1) * 10
    ram = 6 * (8 * 8 + 4 * 4)  # the first pooling: six maps of 8×8 in, of 4×4 out
    assert tiny.footprint(SPACE.smallest) == (flash, ram)


def test_bytes_are_a_quarter_of_those_of_the_network_that_runs_with_numbers_of_four_bytes():
    for text in ("r16 | k5 w12 d2 | w24 d2 | w48 d2", "r16 | k3 w6 d1 | w24 d1 | w24 d0"):
        arch = SPACE.from_text(text)
        assert 4 * tiny.footprint(arch).ram == hardware.memory(SPACE.network(arch), (1, 1, 16, 16))["activations"]
        held = sum(one.numel() for one in SPACE.network(arch).parameters())
        channels = sum(stage.width * (1 + stage.depth) for stage in SPACE.stages(arch))
        assert (
            tiny.footprint(arch).flash == held - channels
        )  # a batch-norm has two numbers a channel, folded it has one


def test_the_best_fits_and_no_other_that_fits_inherits_more():
    flash, ram = 20_000, 2_000
    inherited, chosen = one_network.everyone()[0], tiny.best(20_000, 2_000)
    assert tiny.footprint(chosen).flash <= flash and tiny.footprint(chosen).ram <= ram
    assert inherited[chosen] == max(inherited[arch] for arch in tiny.fits(flash, ram))
    assert set(tiny.fits(flash, ram / 2)) < set(tiny.fits(flash, ram)) < set(tiny.fits(2 * flash, ram))
    with pytest.raises(ValueError, match="empty"):
        tiny.best(1, 1)


def test_subspaces_divide_what_fits():
    groups = list(tiny.subspaces(20_000, 2_000))
    assert sum(one.children for one in groups) == len(tiny.fits(20_000, 2_000))
    assert max(one.best for one in groups) == one_network.everyone()[0][tiny.best(20_000, 2_000)]
    assert len({(one.side, one.width) for one in groups}) == len(groups) <= 9
