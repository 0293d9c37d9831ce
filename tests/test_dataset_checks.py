"""A data set is what it promises, or says at once what is wrong and which line mends it; what was given stays."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from nasviz import datasets
from nasviz.datasets import Dataset
from nasviz.estimators import FAST, Training
from nasviz.identity import identity
from nasviz.spaces import NasBench201

RNG = np.random.default_rng(0)
NAMES = ("cat", "dog", "eel")


def given(count=6, colors=3, size=8, **other):
    """What a small data set is made of."""
    parts = {}
    for part in datasets.PARTS:
        parts[f"{part}_images"] = RNG.integers(0, 256, (count, colors, size, size), dtype=np.uint8)
        parts[f"{part}_labels"] = np.arange(count) % 3
    return {"name": "pets", "classes": NAMES} | parts | other


IMAGES = given()["train_images"]
LABELS = np.arange(6) % 3


def test_what_is_right_is_taken_as_it_is():
    parts = given()
    data = Dataset(**parts)
    assert (data.colors, data.size, data.classes) == (3, 8, NAMES)
    for name in parts:
        assert np.array_equal(getattr(data, name), parts[name])
    for labels in ([0, 1, 2, 0, 1, 2], LABELS.astype(np.uint8), LABELS.astype(float), LABELS.astype(">i2")):
        taken = Dataset(**given(train_labels=labels)).train_labels
        assert taken.dtype == np.int64 and taken.tolist() == LABELS.tolist()
    assert Dataset(**given(classes=list(NAMES))).classes == NAMES
    assert Dataset(**given(train_images=IMAGES[:, :, ::-1])).train_images.flags.c_contiguous


@pytest.mark.parametrize("part", datasets.PARTS)
@pytest.mark.parametrize(
    ("images", "words"),
    [
        (IMAGES.transpose(0, 2, 3, 1), r"not square. Move the channels: images.transpose\(0, 3, 1, 2\)"),
        (IMAGES[:, :1].transpose(0, 2, 3, 1), r"images.transpose\(0, 3, 1, 2\)"),
        (np.zeros((6, 12, 9, 3), np.uint8), r"images.transpose\(0, 3, 1, 2\)"),
        (np.zeros((6, 3, 12, 9), np.uint8), r"not square. datasets.averaged\(images, 9\)"),
        (IMAGES[:, 0], r"got \(6, 8, 8\). If they are grey: images\[:, None\]"),
        (IMAGES[0, 0], "shape"),
        (IMAGES[:0], r"one image or more, got uint8 of shape \(0, 3, 8, 8\)"),
        (np.zeros((6, 3, 0, 0), np.uint8), "one image or more"),
        (None, "one image or more"),
        (IMAGES / 255, r"got float64. np.round\(255 \* images\).astype\(np.uint8\)"),
        ((IMAGES / 255).astype(np.float32), r"got float32. np.round\(255 \* images\)"),
        (IMAGES.astype(float), r"got float64. np.round\(images\).astype\(np.uint8\)"),
        (IMAGES / 127 - 1, "They go from -1 to .*: scale them to 0 to 255"),
        (np.where(IMAGES > 200, np.nan, IMAGES), "Some pixels are nan or infinite"),
        (np.where(IMAGES > 200, np.inf, IMAGES), "Some pixels are nan or infinite"),
        (IMAGES.astype(int), r"got int64. images.astype\(np.uint8\)"),
        (IMAGES.astype(np.uint16) * 257, r"got uint16. \(images // 257\).astype"),
        (IMAGES.astype(np.int16) - 128, "They go from -1.. to"),
        (IMAGES > 99, r"got bool. 255 \* images.astype\(np.uint8\)"),
        (np.array([["x"]])[None, None].repeat(6, 0), "got <U1. Images are arrays of numbers"),
    ],
)
def test_images_of_another_form_are_refused_with_what_helps(part, images, words):
    with pytest.raises(ValueError, match=f"pets: {part} images must be uint8.*{words}"):
        Dataset(**given(**{f"{part}_images": images}))


@pytest.mark.parametrize("part", datasets.PARTS)
@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS + 1, "got 1 to 3. If they count from 1: labels - 1"),
        (LABELS * 2, "got 0 to 4. classes has 3 names"),
        (LABELS - 1, "got -1 to 1"),
        (np.full(6, 2**63, np.uint64), "got 9223372036854775808 to"),
        (LABELS[:5], r"one for each of 6 images, got the shape \(5,\)$"),
        (np.eye(3)[LABELS], r"got the shape \(6, 3\). If they are one-hot: labels.argmax\(1\)"),
        (LABELS[:, None], r"Take labels\[:, 0\]"),
        (LABELS + 0.5, "got 0.5 among them"),
        (np.where(LABELS == 1, np.nan, LABELS), "got nan among them"),
        (np.where(LABELS == 1, np.inf, LABELS), "got inf among them"),
        (np.array(NAMES)[LABELS], r"got <U3. np.unique\(labels, return_inverse=True\) numbers names"),
        (None, r"got the shape \(\)"),
    ],
)
def test_labels_of_another_form_are_refused_with_what_helps(part, labels, words):
    with pytest.raises(ValueError, match=f"pets: {part} labels must be whole numbers from 0 to 2, .*{words}"):
        Dataset(**given(**{f"{part}_labels": labels}))


@pytest.mark.parametrize("classes", ["abc", (), ("cat",), ("cat", "dog", "cat"), (0, 1, 2)])
def test_classes_are_names(classes):
    with pytest.raises(ValueError, match="pets: classes must be 2 names or more"):
        Dataset(**given(classes=classes))


@pytest.mark.parametrize("part", ["valid", "test"])
def test_parts_that_do_not_fit_together(part):
    grey = {f"{part}_images": given(colors=1)["train_images"]}
    with pytest.raises(
        ValueError, match=rf"{part} images are 1×8×8, training images 3×8×8. np.repeat\({part}_images, 3"
    ):
        Dataset(**given(**grey))
    with pytest.raises(ValueError, match=f"{part} images are 3×8×8, training images 1×8×8. Choose one"):
        Dataset(**given(colors=1, **{f"{part}_images": IMAGES}))
    large = {f"{part}_images": given(size=9)["train_images"]}
    with pytest.raises(ValueError, match=rf"are 3×9×9, .* 3×8×8. datasets.averaged\({part}_images, 8\)"):
        Dataset(**given(**large))


# -------------------------------------------------------------------------------------------- whose arrays these are
def test_the_callers_arrays_stay_as_they_are_and_do_not_reach_in():
    parts = given()
    before = {name: np.copy(parts[name]) for name in parts}
    data = Dataset(**parts)
    for part in datasets.PARTS:
        for name in (f"{part}_images", f"{part}_labels"):
            assert parts[name].flags.writeable and not getattr(data, name).flags.writeable
            assert np.array_equal(parts[name], before[name])
            parts[name] += 1
            assert np.array_equal(getattr(data, name), before[name])


def test_a_read_only_view_of_what_others_may_change_is_copied():
    images = IMAGES.copy()
    view = images[:]
    view.flags.writeable = False
    data = Dataset(**given(train_images=view))
    images[:] = 0
    assert np.array_equal(data.train_images, IMAGES)


def test_a_part_that_stays_is_shared():
    data = Dataset(**given())
    assert replace(data, name="other").train_images is data.train_images


# --------------------------------------------------------------------------------------------------------- what it is
@pytest.mark.parametrize("part", datasets.PARTS)
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_data_set_is_known_by_its_content(part, kind):
    data = Dataset(**given())
    same = pickle.loads(pickle.dumps(data))
    assert same == data and hash(same) == hash(data) and same.digest == data.digest
    array = getattr(data, f"{part}_{kind}").copy()
    array[-1] = (array[-1] + 1) % 3
    other = replace(data, **{f"{part}_{kind}": array})
    assert other != data and other.digest != data.digest
    estimates = [Training(NasBench201(), FAST, dataset=one) for one in (data, same, other)]
    assert identity(estimates[0]) == identity(estimates[1]) != identity(estimates[2])
    assert estimates[0] == estimates[1] != estimates[2]
    assert data != "pets" and replace(data, classes=("a", "b", "c")) != data


def test_the_number_of_classes_counts():
    data = Dataset(**given())
    assert replace(data, classes=(*NAMES, "fox")).digest != data.digest


@pytest.mark.parametrize("size", [0, -1, 2.5, "8"])
def test_a_data_set_is_resized_to_whole_pixels_only(size):
    with pytest.raises(ValueError, match="size must be a whole number"):
        datasets.load(Dataset(**given()), size)


def test_what_is_counted_is_what_is_trained():
    data = Dataset(**given(count=12, size=9))
    recipe = replace(FAST, images=12, batch=6, epochs=1, size=9)
    scores = Training(NasBench201(), recipe, dataset=data)((3,) * 6).scores
    assert scores["madds"] == Training(NasBench201(), recipe, dataset=data).size((3,) * 6)["madds"]
    assert scores["madds"] > Training(NasBench201(), replace(recipe, size=8), dataset=data).size((3,) * 6)["madds"]
