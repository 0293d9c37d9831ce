"""Data: the file is what the script makes, damage is named with its remedy, folders and torchvision look the same."""

import base64
import gzip
import re
import runpy
import subprocess
import sys
import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz import datasets

ORIGINALS = Path("/usr/share/datasets/fashion-mnist")
ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "data" / "scripts" / "make_fashion16.py"


def test_our_own_has_the_promised_shape_and_balance():
    data = datasets.load()
    assert (data.name, data.colors, data.size, len(data.classes)) == ("fashion16", 1, 16, 10)
    for part, n in (("train", 8000), ("valid", 2000), ("test", 10000)):
        images, labels = getattr(data, f"{part}_images"), getattr(data, f"{part}_labels")
        assert images.shape == (n, 1, 16, 16) and images.dtype == np.uint8 and labels.dtype == np.int64
        assert (np.bincount(labels) == n // 10).all()
        assert not images.flags.writeable and not labels.flags.writeable  # it is shared
    assert (np.bincount(data.train_labels[:2000]) == 200).all()  # any first so many are as balanced
    train, valid = ({image.tobytes() for image in part} for part in (data.train_images, data.valid_images))
    assert len(train & valid) <= 1  # the original itself holds a few images twice


def test_half_size_is_the_mean_of_four():
    whole, half = datasets.load(size=16).train_images[:50], datasets.load(size=8).train_images[:50]
    mean = whole.astype(float).reshape(50, 1, 8, 2, 8, 2).mean((3, 5))
    assert np.abs(half - mean).max() <= 0.5 and half.shape == (50, 1, 8, 8)


def test_area_average_counts_partly_covered_pixels_in_part():
    image = np.array([[0, 90, 30]], np.uint8).repeat(3, 0)[None, None]
    assert datasets.averaged(image, 2)[0, 0].tolist() == [[30, 50], [30, 50]]  # (0 + 90/2)/1.5, (90/2 + 30)/1.5
    assert datasets.averaged(image, 3).tolist() == image.tolist()
    assert datasets.averaged(image, 1).item() == 40
    assert datasets.averaged(np.full((2, 3, 28, 28), 255, np.uint8), 16).min() == 255


def test_normalised_images_have_mean_zero_and_deviation_one():
    images = datasets.load(size=8).normalized("train")
    assert images.dtype == np.float32 and abs(images.mean()) < 1e-3 and abs(images.std() - 1) < 1e-3


def test_another_order_holds_the_same_images_and_follows_the_seed():
    data = datasets.load("fashion16", size=8)
    one, again, other = (datasets.shuffled(data, seed) for seed in (3, 3, 4))
    assert one == again != other != data
    first, second = ((one.train_images, one.train_labels), (data.train_images, data.train_labels))
    rows = [sorted(zip(map(bytes, images), labels, strict=True)) for images, labels in (first, second)]
    assert rows[0] == rows[1] and not np.array_equal(one.train_labels, data.train_labels)
    assert np.array_equal(one.test_images, data.test_images) and one.mean == data.mean
    assert datasets.shuffled("fashion16", 3, size=8) == one
    with pytest.raises(ValueError, match="seed"):
        datasets.shuffled(data, -1)


def test_loading_needs_no_torch():
    code = "import sys; from nasviz import datasets; datasets.load(size=8); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_readme_has_the_checksum_that_is_checked():
    assert datasets.SHA256 in (ROOT / "data" / "README.md").read_text(encoding="utf-8")


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="the original Fashion-MNIST files are not installed")
def test_the_script_makes_the_committed_file_byte_for_byte(tmp_path):
    runpy.run_path(str(SCRIPT))["main"](str(ORIGINALS), str(tmp_path / "again.npz"))
    assert (tmp_path / "again.npz").read_bytes() == (ROOT / "data" / "fashion16.npz").read_bytes()


def test_the_script_refuses_a_cut_original(tmp_path):
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x09" + b"x" * 5))
    with pytest.raises(SystemExit, match="cut short"):
        runpy.run_path(str(SCRIPT))["read_idx"](tmp_path / "cut.gz")


# --------------------------------------------------------------------------------------------------------------- damage
@pytest.fixture
def data_at(tmp_path, monkeypatch):
    """A folder in place of data/, with fresh caches around it."""
    monkeypatch.setattr(datasets, "data_dir", lambda: tmp_path)
    datasets._fashion16.cache_clear()
    yield tmp_path
    datasets._fashion16.cache_clear()


def spoiled(kind: str) -> bytes | None:
    whole = (ROOT / "data" / "fashion16.npz").read_bytes()
    middle = len(whole) // 2
    return {
        "missing": None,
        "empty": b"",
        "truncated": whole[:middle],
        "one bit flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "a pointer instead": b"version https://git-lfs.github.com/spec/v1\n",
    }[kind]


@pytest.mark.parametrize("kind", ["missing", "empty", "truncated", "one bit flipped", "a pointer instead"])
@pytest.mark.parametrize("size", [8, 16])
def test_damage_is_named_with_its_remedy(data_at, kind, size):
    if (content := spoiled(kind)) is not None:
        (data_at / "fashion16.npz").write_bytes(content)
    with pytest.raises(FileNotFoundError if content is None else ValueError) as caught:
        datasets.load(size=size)
    said = str(caught.value)
    assert str(data_at / "fashion16.npz") in said and "git checkout" in said and "make_fashion16.py" in said
    assert ("missing" if content is None else f"{len(content):,} bytes") in said


@examples(500)
@given(content=st.binary(max_size=300), start=st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00"]))
def test_any_other_bytes_are_a_damaged_file(tmp_path_factory, content, start):
    path = tmp_path_factory.getbasetemp() / "any.npz"
    path.write_bytes(start + content)
    with pytest.raises(ValueError, match="is damaged"):
        datasets.read_verified(path, datasets.SHA256)


@pytest.mark.parametrize("size", [0, -1, 8.0, "8", 12])
def test_a_size_that_is_not_there(size):
    with pytest.raises(ValueError, match="size|8×8"):
        datasets.load(size=size)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="fashion17.*fashion16.*cifar10"):
        datasets.load("fashion17")


# ----------------------------------------------------------------------------------------------- other people's
def test_without_a_network_it_fails(tmp_path, monkeypatch):
    monkeypatch.setitem(datasets.TORCHVISION, "cifar10", ("CIFAR10", "http://127.0.0.1:9/"))
    pytest.importorskip("torchvision")
    with pytest.raises(ConnectionError, match="fashion16") as caught:
        datasets.load("cifar10", root=tmp_path)
    assert "127.0.0.1" in str(caught.value) and str(tmp_path) in str(caught.value)


def test_a_name_server_that_never_answers_does_not_block(monkeypatch):
    given_up, waited_for = threading.Event(), []

    def urlopen(*_, **__):
        waited_for.append(not given_up.wait(30))
        return BytesIO()

    monkeypatch.setattr(datasets, "PATIENCE", 0.2)
    monkeypatch.setattr(datasets.urllib.request, "urlopen", urlopen)
    with pytest.raises(ConnectionError, match="0.2 seconds"):
        datasets._need_network("cifar10", "http://example.org/", Path("there"))
    assert waited_for == []
    given_up.set()


def test_torchvision_files_that_are_there_are_read(tmp_path, monkeypatch):
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, n in (("train", 400), ("t10k", 50)):
        images, labels = rng.integers(0, 256, (n, 28, 28)), np.arange(n) % 10
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(int(s).to_bytes(4, "big") for s in array.shape)
            (raw / f"{part}-{name}-ubyte").write_bytes(head + array.astype(np.uint8).tobytes())
    monkeypatch.setattr(datasets, "VALID", 100)
    data = datasets.load("fashion-mnist", size=7, root=tmp_path)
    assert data.train_images.shape == (300, 1, 7, 7) and data.valid_images.shape == (100, 1, 7, 7)
    assert (np.bincount(data.valid_labels) == 10).all() and len(data.test_labels) == 50 and len(data.classes) == 10
    assert datasets.load("fashion-mnist", root=tmp_path).size == 28


@pytest.fixture
def folder(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for label, kind in enumerate(("cat", "dog")):
        (tmp_path / kind).mkdir()
        for i in range(10):
            pixels = np.full((12, 9, 3), (label * 100, i, 0), np.uint8)
            image.fromarray(pixels).save(tmp_path / kind / f"{i}.png")
    return tmp_path


def test_a_folder_of_images(folder):
    data = datasets.load(folder, size=6)
    assert data.classes == ("cat", "dog") and data.train_images.shape == (12, 3, 6, 6)
    assert len(data.valid_labels) == len(data.test_labels) == 4
    everything = np.concatenate([data.train_images, data.valid_images, data.test_images])
    assert {tuple(image[:, 0, 0]) for image in everything} == {(c, i, 0) for c in (0, 100) for i in range(10)}
    for part in ("train", "valid", "test"):  # the label is the folder's
        images, labels = getattr(data, f"{part}_images"), getattr(data, f"{part}_labels")
        assert ((images[:, 0, 0, 0] == 100) == labels).all() and len(set(labels)) == 2


def test_a_folder_with_something_else_in_it(folder):
    (folder / "dog" / "notes.png").write_text("no image")
    with pytest.raises(ValueError, match=r"notes\.png is no image"):
        datasets.load(folder)


@pytest.mark.parametrize("kind", ["png", "gif", "bmp"])
@examples(200)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), length=st.integers(0, 10_000))
def test_a_damaged_image_is_read_or_named(tmp_path_factory, kind, place, byte, length):
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path_factory.getbasetemp() / f"damaged {kind}"
    if not folder.exists():
        for name in ("cat", "dog"):
            (folder / name).mkdir(parents=True)
            for i in range(3):
                image.fromarray(np.full((6, 6, 3), 40 * i, np.uint8)).save(folder / name / f"{i}.{kind}")
    content = bytearray((folder / "cat" / f"1.{kind}").read_bytes())
    content[place % len(content)] = byte
    (folder / "dog" / f"1.{kind}").write_bytes(content[: length % len(content) + 1])
    try:
        assert datasets.load(folder, size=4).train_images.shape[1:] in {(1, 4, 4), (3, 4, 4)}
    except ValueError as error:
        assert f"1.{kind}" in str(error)


def test_a_folder_without_classes(tmp_path):
    with pytest.raises(ValueError, match="2 classes or more, found 0"):
        datasets.load(tmp_path)


def test_a_data_set_shows_its_classes():
    from io import BytesIO

    from PIL import Image

    data = datasets.load("fashion16", size=8)
    sheet = np.asarray(Image.open(BytesIO(data._repr_png_(rows=3, columns=5))).convert("L"))
    assert sheet.shape == (3 * 36, 90 + 5 * 36)
    first = np.flatnonzero(data.train_labels == 1)[0]
    assert (sheet[36 : 36 + 32 : 4, 90 : 90 + 32 : 4] == data.train_images[first, 0]).all()
    said, picture = re.fullmatch(r'<img alt="(.*?)" src="data:image/png;base64,(.*?)">', data._repr_html_()).groups()
    assert all(name in said for name in data.classes) and base64.b64decode(picture) == data._repr_png_()
