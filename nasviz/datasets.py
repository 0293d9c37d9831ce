"""Data sets of images: our own, which is part of the project, those of torchvision, and folders of images.

This module does not import torch, so that a view can show images at once; only torchvision's data sets import it.
"""

from __future__ import annotations

import hashlib
import os
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np

from .paths import data_dir
from .ranges import check_number

FASHION = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
SHA256 = "7e69d3fad0f9fdd68f34b227369c6f7ed2c330aa5207b2ce70a31434f88f0269"
# name: torchvision's class, and the address from which torchvision downloads
TORCHVISION = {
    "fashion-mnist": ("FashionMNIST", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
    "cifar10": ("CIFAR10", "https://www.cs.toronto.edu/~kriz/cifar.html"),
    "cifar100": ("CIFAR100", "https://www.cs.toronto.edu/~kriz/cifar.html"),
}
VALID = 10_000  # validation images taken from a torchvision training set
PATIENCE = 3.0  # seconds to wait for an answer from the network


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and their classes, in three parts that have no image in common.

    Parameters
    ----------
    name : str
    classes : tuple of str
    train_images, valid_images, test_images : uint8 arrays of shape (N, colors, size, size), read-only
    train_labels, valid_labels, test_labels : int64 arrays of shape (N,), read-only
        Indices in ``classes``.
    """

    name: str
    classes: tuple[str, ...]
    train_images: np.ndarray
    train_labels: np.ndarray
    valid_images: np.ndarray
    valid_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    def __post_init__(self):
        for part in ("train", "valid", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.dtype != np.uint8 or images.ndim != 4 or len(images) != len(labels):
                raise ValueError(
                    f"{self.name}: {part} images must be uint8 of shape (N, colors, height, width) with N labels, "
                    f"got {images.dtype} {images.shape} and {len(labels)} labels"
                )
            labels = labels.astype(np.int64)
            object.__setattr__(self, f"{part}_labels", labels)
            images.flags.writeable = labels.flags.writeable = False  # data sets are cached and shared

    @property
    def colors(self) -> int:
        """Channels of an image: 1 for grey, 3 for colour."""
        return self.train_images.shape[1]

    @property
    def size(self) -> int:
        """Height of an image, in pixels."""
        return self.train_images.shape[2]

    @cached_property
    def mean(self) -> np.ndarray:
        """Mean of the training images, one float64 for each colour; white is 1."""
        return self.train_images.mean((0, 2, 3)) / 255

    @cached_property
    def std(self) -> np.ndarray:
        """Standard deviation of the training images, one float64 for each colour; white is 1."""
        return self.train_images.std((0, 2, 3)) / 255

    def normalized(self, part: str) -> np.ndarray:
        """Return the images of ``"train"``, ``"valid"`` or ``"test"`` as float32, scaled alike in all three parts.

        The scale gives the training images mean 0 and standard deviation 1 in each colour.
        """
        scale = 255 * np.maximum(self.std, 1e-3)  # no division by zero for a constant colour
        shift = 255 * self.mean
        images = getattr(self, f"{part}_images").astype(np.float32)
        return (images - shift[:, None, None].astype(np.float32)) / scale[:, None, None].astype(np.float32)

    def __repr__(self):
        counts = ", ".join(f"{len(getattr(self, p + '_labels')):,} {p}" for p in ("train", "valid", "test"))
        return f"<Dataset {self.name}: {counts}; {self.colors}×{self.size}×{self.size}, {len(self.classes)} classes>"

    def _repr_png_(self, rows: int = 10, columns: int = 12) -> bytes:
        """Draw the first training images of the first classes, one row a class, for display in a notebook."""
        from PIL import Image, ImageDraw

        cell, gap, text = max(32, self.size), 4, 90
        rows = min(rows, len(self.classes))
        sheet = Image.new("RGB", (text + columns * (cell + gap), rows * (cell + gap)), "white")
        pen = ImageDraw.Draw(sheet)
        for row, name in enumerate(self.classes[:rows]):
            y = row * (cell + gap)
            pen.text((text - 8, y + cell / 2), name, fill="#16181d", anchor="rm", font_size=12)
            for column, i in enumerate(np.flatnonzero(self.train_labels == row)[:columns]):
                pixels = self.train_images[i].transpose(1, 2, 0)
                picture = Image.fromarray(pixels[..., 0] if self.colors == 1 else pixels)
                picture = picture.resize((cell, cell), Image.Resampling.NEAREST)
                sheet.paste(picture, (text + column * (cell + gap), y))
        file = BytesIO()
        sheet.save(file, "PNG", optimize=True)
        return file.getvalue()


def load(name: str | Dataset = "fashion16", size: int | None = None, root: str | os.PathLike | None = None) -> Dataset:
    """Load a data set by name.

    Parameters
    ----------
    name : str
        ``"fashion16"``: Fashion-MNIST at 16×16, with 8,000 training, 2,000 validation and 10,000 test images; it is
        part of the project. ``"fashion-mnist"``, ``"cifar10"``, ``"cifar100"``: the whole data set of torchvision,
        which downloads it once; 10,000 of the training images become the validation images. Any other text is the path
        of a folder with one sub-folder of images for each class, divided 60 : 20 : 20. A `Dataset` is only resized.
    size : int, optional
        Height and width in pixels, by area averaging; None keeps the original size (32 for a folder). ``fashion16`` has
        16 and 8.
    root : path, optional
        Folder of torchvision's files; ``~/.cache/nasviz`` if None.

    Raises
    ------
    FileNotFoundError, ValueError
        A file is missing, damaged, or no image; the name or the size does not exist. The message names a remedy.
    ConnectionError
        The images must be downloaded and there is no network. It is raised within three seconds.
    """
    if isinstance(name, Dataset):
        return name if size in (None, name.size) else _resized(name, size)
    name = os.fspath(name)
    check_number("size", size, 1, none=True)
    if name == "fashion16":
        if size not in (None, 8, 16):
            raise ValueError(f"fashion16 has images of 16×16 and 8×8, not {size}×{size}; 'fashion-mnist' has any size")
        return _fashion16(size or 16)
    if name in TORCHVISION:
        return _torchvision(name, size, Path(root) if root else Path.home() / ".cache" / "nasviz")
    if Path(name).is_dir():
        return _folder(Path(name), size or 32)
    raise ValueError(f"no data set {name!r}: known are fashion16, {', '.join(TORCHVISION)}, or the path of a folder")


def averaged(images: np.ndarray, size: int) -> np.ndarray:
    """Resize uint8 images (N, C, H, W) to (N, C, size, size) by area averaging; partly covered pixels count in part.

    The average is exact, and rounded only once, half up. Enlarging repeats pixels.
    """
    rows, columns = (_cover(images.shape[axis], size) for axis in (2, 3))
    area = images.shape[2] * images.shape[3]
    out = np.empty((*images.shape[:2], size, size), np.uint8)
    for at in range(0, len(images), 4096):  # in parts: all of CIFAR in float64 needs much memory
        total = (rows @ images[at : at + 4096].astype(np.float64) @ columns.T).astype(np.int64)
        out[at : at + 4096] = (2 * total + area) // (2 * area)
    return out


def _cover(old: int, new: int) -> np.ndarray:
    """Return (new, old): how much of each old pixel each new pixel covers, in units of 1/new of an old pixel.

    These are whole numbers, but float64: matrix products are then fast, and exact below 2^53.
    """
    i, j = np.arange(old), np.arange(new)[:, None]
    cover = np.minimum((i + 1) * new, (j + 1) * old) - np.maximum(i * new, j * old)
    return np.maximum(cover, 0).astype(np.float64)


def _resized(data: Dataset, size: int) -> Dataset:
    train, valid, test = (averaged(part, size) for part in (data.train_images, data.valid_images, data.test_images))
    return replace(data, train_images=train, valid_images=valid, test_images=test)


# ------------------------------------------------------------------------------------------------------------- our own
@lru_cache
def _fashion16(size: int) -> Dataset:
    if size != 16:
        return _resized(_fashion16(16), size)
    path = data_dir() / "fashion16.npz"
    arrays = read_verified(path, SHA256)
    return Dataset("fashion16", FASHION, **arrays)


def read_verified(path: Path, sha256: str) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file after a check of its checksum.

    FileNotFoundError if it is missing, ValueError if the checksum is wrong; both messages name a remedy.
    """
    remedy = (
        "Get it back with `git checkout -- data`, by installing nasviz again, or from the originals with "
        "`python data/scripts/make_fashion16.py` (data/README.md says where they are)."
    )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileNotFoundError(f"the data file {path} is missing or cannot be read ({error}). {remedy}") from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ValueError(
            f"the data file {path} is damaged: {len(content):,} bytes with SHA-256 {found[:12]}…, expected "
            f"{sha256[:12]}… (an interrupted download, a tool that changed line ends, or Git LFS's pointer). {remedy}"
        )
    with np.load(BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


# ----------------------------------------------------------------------------------------------- other people's
@lru_cache
def _torchvision(name: str, size: int | None, root: Path) -> Dataset:
    import torchvision

    kind, address = TORCHVISION[name]
    make = getattr(torchvision.datasets, kind)
    try:
        train, test = (make(root, train=part, download=False) for part in (True, False))
    except RuntimeError:  # torchvision raises this if the files are missing
        _need_network(name, address, root)
        try:
            train, test = (make(root, train=part, download=True) for part in (True, False))
        except (RuntimeError, OSError) as error:
            raise ConnectionError(f"{name} could not be downloaded to {root}: {error}") from error
    images, labels = _arrays(train, size)
    valid, rest = _stratified(labels, VALID / len(labels))
    test_images, test_labels = _arrays(test, size)
    classes = tuple(train.classes)
    return Dataset(name, classes, images[rest], labels[rest], images[valid], labels[valid], test_images, test_labels)


def _arrays(source, size: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, C, size, size) and labels of a torchvision data set that holds its images in ``data``."""
    images = np.asarray(source.data)
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    labels = np.asarray(source.targets, np.int64)
    return np.array(images) if size in (None, images.shape[2]) else averaged(images, size), labels


def _need_network(name: str, address: str, root: Path) -> None:
    """Raise a ConnectionError unless the address answers within `PATIENCE`."""
    answer: list[str] = []

    def ask():
        try:
            urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=PATIENCE).close()
            answer.append("")
        except urllib.error.HTTPError:
            answer.append("")  # the address answers
        except OSError as error:
            answer.append(str(getattr(error, "reason", error)))

    # In a thread, because the look-up of a name has no timeout.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if answer != [""]:
        why = answer[0] if answer else f"no answer in {PATIENCE:g} seconds"
        raise ConnectionError(
            f"{name} is not in {root} and cannot be downloaded: {address} cannot be reached ({why}). "
            "Use 'fashion16', which needs no network, or put torchvision's files there."
        )


def _folder(folder: Path, size: int) -> Dataset:
    from PIL import Image

    kinds = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(kinds) < 2:
        raise ValueError(f"{folder} must hold a sub-folder of images for each of 2 classes or more, found {len(kinds)}")
    pictures, numbers = [], []
    for label, kind in enumerate(kinds):
        files = sorted(path for path in kind.iterdir() if path.is_file() and not path.name.startswith("."))
        if len(files) < 3:
            raise ValueError(f"{kind} holds {len(files)} images: 3 are the least, for training, validation and test")
        for path in files:
            try:
                with Image.open(path) as picture:
                    pixels = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)[None]
            except Exception as error:  # Pillow raises nearly any error for damaged files
                raise ValueError(f"{path} is no image that can be read ({error}): remove or repair it") from error
            pictures.append(averaged(pixels, size)[0])
            numbers.append(label)
    images, labels = np.stack(pictures), np.array(numbers)
    if (images == images[:, :1]).all():  # all images are grey
        images = images[:, :1]
    test, rest = _stratified(labels, 0.2)
    valid, train = _stratified(labels[rest], 0.25)
    valid, train = rest[valid], rest[train]
    parts = (array[part] for part in (train, valid, test) for array in (images, labels))
    return Dataset(folder.name, tuple(kind.name for kind in kinds), *parts)


def _stratified(labels: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw the same share of the places of each class (at least one); return them, and all other places.

    Both are in a random order that is always the same. Every class needs two places or more.
    """
    rng = np.random.default_rng(0)
    some = []
    for label in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == label))
        some.append(places[: max(1, round(share * len(places)))])
    drawn = rng.permutation(np.concatenate(some))
    return drawn, rng.permutation(np.setdiff1d(np.arange(len(labels)), drawn))
