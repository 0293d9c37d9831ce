"""Make data/fashion16.npz from the original files of Fashion-MNIST.

    python data/scripts/make_fashion16.py [FOLDER WITH THE FOUR .gz FILES] [OUTPUT]

The output is the same byte for byte each time: the averages are computed in whole numbers, the draw comes from
a generator whose stream NumPy has frozen, and the archive carries no dates. (Only another zlib may compress
to other bytes; the arrays inside are the same.) The checksum to put into nasviz/datasets.py is printed.
"""

import gzip
import hashlib
import sys
import zipfile
from io import BytesIO
from math import prod
from pathlib import Path

import numpy as np

from nasviz.datasets import averaged

DEBIAN = "/usr/share/datasets/fashion-mnist"  # where Debian's package dataset-fashion-mnist puts them
TRAIN, VALID = 800, 200  # images of each class


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of a gzipped IDX file: two zero bytes, type 8, number of axes, their big-endian sizes, data."""
    raw = gzip.decompress(path.read_bytes())
    axes = raw[3]
    shape = np.frombuffer(raw, ">u4", axes, 4).tolist()
    if raw[:3] != b"\0\0\x08" or len(raw) != 4 + 4 * axes + prod(shape):
        raise SystemExit(f"{path} is no IDX file of bytes, or is cut short")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(shape)


def draw(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the training and of the validation images: disjoint, equally many of each class, in rounds of one
    image of each class in random order, so that the first 2,000 are as balanced as all 8,000."""
    rng = np.random.RandomState(0)  # the legacy generator, because its stream is frozen (NumPy enhancement 19)
    classes = labels.max() + 1
    places = np.stack([rng.permutation(np.flatnonzero(labels == c))[: TRAIN + VALID] for c in range(classes)])
    rounds = np.stack([column[rng.permutation(classes)] for column in places.T])
    return rounds[:TRAIN].ravel(), rounds[TRAIN:].ravel()


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """A compressed .npz without dates or systems in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            content = BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(entry, content.getvalue(), compresslevel=9)


def main(folder: str = DEBIAN, output: str = str(Path(__file__).parents[1] / "fashion16.npz")) -> None:
    names = "train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"
    images, labels, test, test_labels = (read_idx(Path(folder) / f"{name}-ubyte.gz") for name in names)
    train, valid = draw(labels)
    arrays = {
        "train_images": averaged(images[train, None], 16),
        "train_labels": labels[train],
        "valid_images": averaged(images[valid, None], 16),
        "valid_labels": labels[valid],
        "test_images": averaged(test[:, None], 16),
        "test_labels": test_labels,
    }
    write_npz(Path(output), arrays)
    content = Path(output).read_bytes()
    print(f"{output}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
