"""Data sets of images: our own, which is part of the project, those of torchvision, and folders of images.

This module does not import torch, so that a view can show images at once; only torchvision's data sets import it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np

from . import image_folder
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


PARTS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and their classes, in three parts that have no image in common.

    Two data sets are equal if their names, classes and contents are.

    Parameters
    ----------
    name : str
    classes : tuple of str
        Their names, each once: 2 or more.
    train_images, valid_images, test_images : uint8 arrays of shape (N, colors, size, size), read-only
        N is 1 or more; colors and size are the same in all parts. What is given is copied, and stays as it is.
    train_labels, valid_labels, test_labels : int64 arrays of shape (N,), read-only
        Indices in ``classes``.

    Raises
    ------
    ValueError
        For anything else. It names the part, and the line of code that helps: for channels that come last, images that
        are not square or not uint8, parts that do not fit together, labels in another form or out of range.
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
        classes = () if isinstance(self.classes, str) else tuple(self.classes)
        if len(classes) < 2 or len(set(classes)) < len(classes) or not all(isinstance(one, str) for one in classes):
            raise ValueError(f"{self.name}: classes must be 2 names or more, each once, got {self.classes!r:.200}")
        object.__setattr__(self, "classes", classes)
        for part in PARTS:
            told = f"{self.name}: {part}"
            images = _checked_images(getattr(self, f"{part}_images"), told)
            labels = _checked_labels(getattr(self, f"{part}_labels"), told, len(images), len(classes))
            if images.shape[1:] != (first := self.train_images.shape[1:]):
                got, wanted = ("×".join(map(str, shape)) for shape in (images.shape[1:], first))
                here = f"{part}_images"
                remedy = f"datasets.averaged({here}, {first[1]}) resizes them"
                if images.shape[1] != first[0]:
                    grey = images.shape[1] == 1
                    remedy = (
                        f"np.repeat({here}, {first[0]}, axis=1) gives grey images colours" if grey else "Choose one"
                    )
                raise ValueError(f"{told} images are {got}, training images {wanted}. {remedy}")
            object.__setattr__(self, f"{part}_images", images)
            object.__setattr__(self, f"{part}_labels", labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the images, the labels and the number of classes: what a training learns from."""
        found = hashlib.sha256(str(len(self.classes)).encode())
        for part in PARTS:
            for array in (getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")):
                found.update(repr(array.shape).encode() + np.ascontiguousarray(array).data)
        return found.hexdigest()

    def __eq__(self, other):
        if not isinstance(other, Dataset):
            return NotImplemented
        return (self.name, self.classes, self.digest) == (other.name, other.classes, other.digest)

    def __hash__(self):
        return hash((self.name, self.classes, self.digest))

    @property
    def colors(self) -> int:
        """Channels of an image: 1 for grey, 3 for colour."""
        return self.train_images.shape[1]

    @property
    def size(self) -> int:
        """Height and width of an image, in pixels."""
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

    def _repr_html_(self) -> str:
        """The picture with its text alternative, which notebooks give no bare picture."""
        said = escape(f"Images of {self.name}, a row each: {', '.join(self.classes[:10])}")
        return f'<img alt="{said}" src="data:image/png;base64,{base64.b64encode(self._repr_png_()).decode()}">'

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


def _checked_images(given, told: str) -> np.ndarray:
    """``given`` as a read-only array that nobody else can change. ValueError: see `Dataset`."""
    images = np.asarray(given)
    wanted = f"{told} images must be uint8 of shape (N, colors, size, size)"
    if images.size == 0 or images.ndim not in (3, 4):
        raise ValueError(f"{wanted} with one image or more, got {images.dtype} of shape {images.shape}")
    if images.ndim == 3:
        raise ValueError(f"{wanted}, got {images.shape}. If they are grey: images[:, None]")
    if images.dtype != np.uint8:
        raise ValueError(f"{wanted}, got {images.dtype}. {_in_uint8(images)}")
    _, colors, height, width = images.shape
    if height != width:
        remedy = f"datasets.averaged(images, {min(height, width)}) makes them square, and images.shape[3] may be cut"
        if colors == height or width in (1, 3, 4):
            remedy = "Move the channels: images.transpose(0, 3, 1, 2)"
        raise ValueError(f"{wanted}, got {images.shape}, which are not square. {remedy}")
    return _own(images)


def _in_uint8(images: np.ndarray) -> str:
    """How to bring images of another type to uint8."""
    if images.dtype == bool:
        return "255 * images.astype(np.uint8)"
    if images.dtype.kind not in "iuf":
        return "Images are arrays of numbers, all of one shape"
    if not np.isfinite(images).all():
        return "Some pixels are nan or infinite: look where they come from"
    low, high = images.min(), images.max()
    if low < 0 or high > 65_535 or (images.dtype.kind == "f" and high > 255):
        return f"They go from {low:g} to {high:g}: scale them to 0 to 255, np.round them, and .astype(np.uint8)"
    if images.dtype.kind == "f":
        return f"np.round({'255 * ' if high <= 1 else ''}images).astype(np.uint8)"
    return "(images // 257).astype(np.uint8)" if high > 255 else "images.astype(np.uint8)"


def _checked_labels(given, told: str, images: int, classes: int) -> np.ndarray:
    """``given`` as a read-only int64 array that nobody else can change. ValueError: see `Dataset`."""
    labels = np.asarray(given)
    wanted = f"{told} labels must be whole numbers from 0 to {classes - 1}, one for each of {images} images"
    if labels.ndim != 1 or len(labels) != images:
        remedy = ""
        if labels.ndim == 2 and len(labels) == images:
            remedy = ". Take labels[:, 0]" if labels.shape[1] == 1 else ". If they are one-hot: labels.argmax(1)"
        raise ValueError(f"{wanted}, got the shape {labels.shape}{remedy}")
    if labels.dtype.kind not in "biuf":
        raise ValueError(f"{wanted}, got {labels.dtype}. np.unique(labels, return_inverse=True) numbers names")
    if labels.dtype.kind == "f" and not (np.isfinite(labels) & (labels == np.round(labels))).all():
        odd = labels[~(np.isfinite(labels) & (labels == np.round(labels)))][0]
        raise ValueError(f"{wanted}, got {odd:g} among them")
    if labels.min() < 0 or labels.max() >= classes:
        low, high = int(labels.min()), int(labels.max())
        remedy = "If they count from 1: labels - 1" if (low, high) == (1, classes) else f"classes has {classes} names"
        raise ValueError(f"{wanted}, got {low} to {high}. {remedy}")
    return _own(labels.astype(np.int64))


def _own(array: np.ndarray) -> np.ndarray:
    """A read-only array that shares nothing with one that its owner may change."""
    if array.flags.writeable or not (array.flags.owndata and array.flags.c_contiguous):
        array = np.array(array, order="C")
        array.flags.writeable = False
    return array


def load(name: str | Dataset = "fashion16", size: int | None = None, root: str | os.PathLike | None = None) -> Dataset:
    """Load a data set by name.

    Parameters
    ----------
    name : str
        ``"fashion16"``: Fashion-MNIST at 16×16, with 8,000 training, 2,000 validation and 10,000 test images; it is
        part of the project. ``"fashion-mnist"``, ``"cifar10"``, ``"cifar100"``: the whole data set of torchvision,
        which downloads it once; 10,000 of the training images become the validation images. Any other text is the path
        of a folder with one sub-folder of images for each class, divided 60 : 20 : 20; it is read again after a change.
        `nasviz.image_folder.pixels` says how an image is read, and which are refused. A `Dataset` is only resized.
    size : int, optional
        Height and width in pixels, by area averaging; None keeps the original size (32 for a folder). ``fashion16`` has
        16 and 8.
    root : path, optional
        Folder of torchvision's files; ``~/.cache/nasviz`` if None.

    Raises
    ------
    FileNotFoundError, ValueError
        A file is missing, damaged, no image, or one that cannot be read faithfully; the name or the size does not
        exist. The message names a remedy.
    ConnectionError
        The images must be downloaded and there is no network. It is raised within three seconds.
    """
    if size is not None and (not isinstance(size, int | np.integer) or size < 1):
        raise ValueError(f"size must be a whole number of pixels from 1, got {size!r}")
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
    if folder := as_folder(name):
        return _folder(folder, size or 32)
    raise ValueError(f"no data set {name!r}: known are fashion16, {', '.join(TORCHVISION)}, or the path of a folder")


def shuffled(data: str | Dataset, seed: int, size: int | None = None) -> Dataset:
    """Return a data set whose training images stand in another order, drawn from ``seed``; all else is as it was.

    A search that takes the first images of a data set takes others of it then. So searches from several seeds need not
    share one sample of images: ``Darts(space, data=shuffled("fashion16", seed), seed=seed)``.

    Parameters
    ----------
    data : str or Dataset
        As `load` takes it, with its errors.
    seed : int
        From 0.
    size : int, optional
        As `load` takes it.
    """
    check_number("seed", seed, 0)
    found = load(data, size)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(found.train_labels))
    return replace(found, train_images=found.train_images[order], train_labels=found.train_labels[order])


def as_folder(name) -> Path | None:
    """The folder that `load` would read; None if it would read something else."""
    if not isinstance(name, str | os.PathLike) or name in ("fashion16", *TORCHVISION):
        return None
    folder = Path(name).expanduser()
    return folder if folder.is_dir() else None


def identified(data):
    """What tells a data set apart in a record: a folder by the digest of what it holds, all else as it is.

    The folder's path stands beside the digest for the records of version 0.1, which say nothing else.
    """
    folder = as_folder(data)
    return {"folder": str(data), "sha256": image_folder.digest(folder)} if folder else data


BY_CONTENT = {"identity": identified}  # metadata of a field that `load` takes: see `nasviz.identity.identity`


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


@lru_cache(maxsize=4)
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
    kinds = image_folder.classes(folder)
    return _images_of(folder, size, kinds, image_folder.stamp(kinds))


@lru_cache(maxsize=4)
def _images_of(folder: Path, size: int, kinds: image_folder.Classes, stamp: str) -> Dataset:
    """The images of a folder, read once for each ``stamp``: a changed folder has another."""
    pictures, numbers = [], []
    for label, (_, files) in enumerate(kinds):
        for path in files:
            # Colour by colour: as float64, a large photograph would take three times the memory.
            colors = [averaged(color[None, None], size)[0] for color in image_folder.pixels(path)]
            pictures.append(np.concatenate(colors))
            numbers.append(label)
    images, labels = np.stack(pictures), np.array(numbers)
    if (images == images[:, :1]).all():  # all images are grey
        images = images[:, :1]
    test, rest = _stratified(labels, 0.2)
    valid, train = _stratified(labels[rest], 0.25)
    valid, train = rest[valid], rest[train]
    parts = (array[part] for part in (train, valid, test) for array in (images, labels))
    return Dataset(folder.name, tuple(name for name, _ in kinds), *parts)


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
