"""How strategies look in a race."""

import numpy as np
import pytest
from test_colors import SIGHTS, lab, linear

from nasviz.views import colors

LOOKS = {**colors.STRATEGIES, "reference": colors.REFERENCE}


@pytest.mark.parametrize("sight", SIGHTS, ids=["normal", "protanopia", "deuteranopia", "tritanopia"])
def test_two_strategies_differ_in_colour_or_in_stroke_pattern(sight):
    looks = list(LOOKS.values())
    for i, a in enumerate(looks):
        for b in looks[:i]:
            far = np.linalg.norm(lab(sight @ linear(a.color)) - lab(sight @ linear(b.color))) > 9
            assert far or a.dash != b.dash, (a, b)


@pytest.mark.parametrize("back", ["#ffffff", "#16181d"])
def test_every_strategy_stands_out_from_both_backgrounds(back):
    weights = np.array([0.2126, 0.7152, 0.0722])
    for look in LOOKS.values():
        low, high = sorted((float(weights @ linear(look.color)), float(weights @ linear(back))))
        assert (high + 0.05) / (low + 0.05) > 2.4, look


def test_a_strategy_of_ones_own_has_a_colour_that_stays():
    assert colors.strategy("Mine") == colors.strategy("Mine") and colors.strategy("Mine").label == "Mine"
    assert colors.strategy("RandomSearch") is colors.STRATEGIES["RandomSearch"]
    assert len({look.label for look in LOOKS.values()}) == len(LOOKS)
