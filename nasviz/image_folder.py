"""A folder of images, one sub-folder for each class: which files it holds, what they hold, and their pixels.

A file is an image that is read faithfully, or an error names it: nothing is skipped in silence but what is hidden.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np

MOST_PIXELS = 2**26  # of an image: in the memory of a small machine there is room for its colours as float64
MOST_SIDE = 2**16
MOST_BYTES = 2**29
RECENT = 2_000_000_000  # nanoseconds: file systems tell times that are this close together not apart
SEVERAL = ("MPO", "PSD")  # formats whose first picture is the photograph, and whose others are previews or layers

Classes = tuple[tuple[str, tuple[Path, ...]], ...]


def classes(folder: Path) -> Classes:
    """Return the name and the files of each class, in the order of names.

    Raises
    ------
    ValueError
        For fewer than 2 classes, fewer than 3 files in one of them, or what is no file beside them. Images that belong
        to no class raise a warning.
    """
    kinds, beside = [], []
    for path in _visible(folder):
        if path.is_dir():
            kinds.append((path.name, tuple(_files(path))))
        elif path.suffix.lower() in _suffixes():
            beside.append(path.name)
    if len(kinds) < 2:
        raise ValueError(f"{folder} must hold a sub-folder of images for each of 2 classes or more, found {len(kinds)}")
    if beside:
        told = f"{folder}: {len(beside)} images belong to no class and are left out: {', '.join(beside):.200}"
        warnings.warn(f"{told}. Move them into a sub-folder", stacklevel=2)
    for name, files in kinds:
        if len(files) < 3:
            least = "3 are the least, for training, validation and test"
            raise ValueError(f"{folder / name} holds {len(files)} images: {least}")
    return tuple(kinds)


def stamp(kinds: Classes) -> str:
    """Return a text that changes when a file does: names, sizes and times; and contents, where times are too recent."""
    now, seen = time.time_ns(), hashlib.sha256()
    for name, files in kinds:
        for path in files:
            found = path.stat()
            latest = max(found.st_mtime_ns, found.st_ctime_ns)
            content = _sha256(path) if now - latest < RECENT else ""
            seen.update(repr((name, path.name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, content)).encode())
    return seen.hexdigest()


def digest(folder: Path) -> str:
    """Return the SHA-256 of what the folder holds: the files' contents in their order, class by class; no names.

    Two folders with one digest hold the same data set, wherever they lie. Errors: `classes`.
    """
    kinds = classes(folder)
    return _digest(kinds, stamp(kinds))


@lru_cache(maxsize=16)
def _digest(kinds: Classes, stamp: str) -> str:
    return hashlib.sha256(repr([[_sha256(path) for path in files] for _, files in kinds]).encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _files(folder: Path) -> list[Path]:
    files = _visible(folder)
    for path in files:
        if path.is_dir():
            raise ValueError(f"{folder} holds a folder, {path.name}: move its images up, or give the folder of classes")
        if not path.is_file():
            raise ValueError(f"{path} is no file (a link to nothing?): remove or repair it")
    return files


def _suffixes() -> set[str]:
    from PIL import Image

    return set(Image.registered_extensions())


# ---------------------------------------------------------------------------------------------------------- one image
def pixels(path: Path) -> np.ndarray:
    """Return an image file as uint8 (3, height, width): red, green, blue, 255 is white; grey as three equal colours.

    The camera's note of which side is up is followed. What is transparent lies on white. Of 16 bits the upper ones are
    kept: 65535 becomes 255.

    Raises
    ------
    ValueError
        It names the file, why it cannot be read faithfully, and a remedy: damaged, no image, several pictures, floating
        point or 32 bits (nobody knows what is white), white on transparent, too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        if path.stat().st_size > MOST_BYTES:
            raise _Refused(TOO_LARGE)
        # From memory: Pillow maps a TIFF file with its sides exchanged, where the camera was held upright.
        with Image.open(BytesIO(path.read_bytes())) as picture:
            bits, dark_is_high = _grey_scale(picture)
            if why := _too_much(picture):
                raise _Refused(why)
            ImageOps.exif_transpose(picture, in_place=True)
            return _in_8_bits(picture, bits, dark_is_high)
    except _Refused as refused:
        raise ValueError(f"{path} {refused}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(f"{path} {TOO_LARGE}") from None
    except Exception as error:  # Pillow raises nearly any error for damaged files
        unknown = "its beginning is of no known kind" if path.stat().st_size else "it is empty"
        why = unknown if isinstance(error, UnidentifiedImageError) else str(error) or type(error).__name__
        raise ValueError(f"{path} is no image that can be read ({why}): remove or repair it") from error


class _Refused(Exception):
    """Why a whole image is not read, and what to do."""


TOO_LARGE = f"has over {MOST_PIXELS:,} pixels, a side of over {MOST_SIDE:,}, or {MOST_BYTES:,} bytes: make it smaller"


def _too_much(picture) -> str:
    if picture.width * picture.height > MOST_PIXELS or max(picture.size) > MOST_SIDE:
        return TOO_LARGE
    if picture.format not in SEVERAL and (frames := getattr(picture, "n_frames", 1)) > 1:
        return f"holds {frames} pictures, one after the other: save the one that is meant as a file of its own"
    return ""


def _grey_scale(picture) -> tuple[int, bool]:
    """How many bits a grey image of more than 8 has, and whether 0 is white. (0, False): nobody knows."""
    if picture.mode.startswith("I;16"):
        tags = getattr(picture, "tag_v2", {})  # TIFF's: bits of a sample, and what they mean
        return tags.get(258, (16,))[0], tags.get(262, 1) == 0
    return (16 if picture.mode == "I" and picture.format in ("PNG", "PPM") else 0), False


def _in_8_bits(picture, bits: int, dark_is_high: bool) -> np.ndarray:
    from PIL import Image

    transparent = "transparency" in picture.info or picture.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    if picture.mode == "F" or picture.mode.startswith("I"):
        if not bits or transparent:
            kind = "floating-point numbers" if picture.mode == "F" else f"numbers of the kind {picture.mode}"
            raise _Refused(f"holds {kind}, and nobody knows which one is white: save it with 8 or 16 bits")
        values, top = np.asarray(picture).astype(np.int64), 2**bits - 1
        grey = ((255 * values + top // 2) // top).clip(0, 255).astype(np.uint8)
        if grey.min() == grey.max() and values.min() < values.max():
            raise _Refused(f"has values from {values.min()} to {values.max()} of {top}: stretch them, to see something")
        return np.repeat(255 - grey[None] if dark_is_high else grey[None], 3, 0)
    if not transparent:
        return np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
    layer = picture.convert("RGBA")
    shown = np.asarray(Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB"))
    if (shown == shown[0, 0]).all() and np.asarray(layer)[..., 3].min() < 255:
        raise _Refused("is transparent, and shows nothing on white: save it with a background")
    return shown.transpose(2, 0, 1)
