"""Rows of the zoo that are built from cells."""

import pytest
import torch

from nasviz import spaces, zoo
from nasviz.zoo.cells import CELLS


@pytest.fixture(scope="module")
def rows():
    return {row.model.name: row for row in zoo.table(CELLS)}


def test_every_row_agrees_or_says_why_not(rows):
    for name, row in rows.items():
        assert row.agrees or "nexplained" in row.model.reason, name
        if row.model.parameters_exact:
            assert row.parameters == row.model.parameters, name


def test_what_was_famous_is_there(rows):
    wanted = {"NASNet-A (6 @ 4032)", "NASNet-A (4 @ 1056)", "AmoebaNet-A (N=6, F=190)", "ENAS, micro (CIFAR-10)",
              "DARTS V2 (CIFAR-10)", "DARTS V2 (ImageNet)", "PC-DARTS (ImageNet)", "P-DARTS (CIFAR-10)"}  # fmt: skip
    assert wanted <= set(rows) and all(zoo.model(name) is rows[name].model for name in wanted)
    assert all(rows[name].agrees for name in wanted if "NASNet" in name or "CIFAR" in name and "ENAS" not in name)


def test_architectures_are_members_of_their_spaces():
    homes = {"darts": spaces.DartsSpace(), "nasnet": spaces.NasNetSpace()}
    for model in CELLS:
        space = homes[model.space]
        assert space.to_text(space.from_text(model.architecture)) == model.architecture


def test_a_full_size_network_runs_on_real_memory():
    network = zoo.model("DARTS V2 (CIFAR-10)").network().eval()
    with torch.no_grad():
        logits = network(torch.zeros(1, 3, 32, 32))
    assert logits.shape == (1, 10) and logits.isfinite().all()
