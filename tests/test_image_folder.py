"""Images of every kind: they keep what they show, or an error names the file; a changed folder is another data set."""

import os
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest
from drawn import examples
from hypothesis import given
from hypothesis import strategies as st

from nasviz import Run, datasets, image_folder
from nasviz.estimators import FAST, Training
from nasviz.identity import differences, identity
from nasviz.spaces import NasBench201
from nasviz.strategies import Darts, RandomSearch

Image = pytest.importorskip("PIL.Image")
RAMP = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
DEEP = np.linspace(0, 65_535, 64).round().astype(np.uint16).reshape(8, 8)
GREY = Image.fromarray(RAMP)


def read(tmp_path, picture, name, **options):
    picture.save(tmp_path / name, **options)
    return image_folder.pixels(tmp_path / name)


# --------------------------------------------------------------------------------------------------- read faithfully
@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
@pytest.mark.parametrize("kind", ["png", "tif", "bmp", "webp"])
def test_pictures_of_8_bits_show_what_they_showed(tmp_path, mode, kind):
    options = {"lossless": True} if kind == "webp" else {}
    try:
        GREY.convert(mode).save(tmp_path / f"x.{kind}", **options)
    except OSError:
        pytest.skip(f"{kind} holds no {mode}")
    shown = image_folder.pixels(tmp_path / f"x.{kind}")
    assert shown.dtype == np.uint8 and shown.shape == (3, 8, 8)
    assert np.abs(shown.astype(int) - RAMP).max() <= 2


def test_colours_stay_in_their_place(tmp_path):
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    assert (read(tmp_path, Image.fromarray(pixels), "x.png") == pixels.transpose(2, 0, 1)).all()


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.pgm"])
def test_16_bits_become_8_evenly(tmp_path, name):
    shown = read(tmp_path, Image.fromarray(DEEP), name)
    assert (shown == np.round(DEEP / 257).astype(int)).all() and shown.min() == 0 and shown.max() == 255
    half = np.full((4, 4), 32_768, np.uint16)
    assert (read(tmp_path, Image.fromarray(half), name) == 128).all()


def test_16_bits_in_other_orders_of_bytes_and_other_whites(tmp_path):
    from PIL import TiffImagePlugin

    big = Image.frombytes("I;16B", (8, 8), DEEP.astype(">u2").tobytes())
    upright = read(tmp_path, big, "big.tif")
    assert (upright == np.round(DEEP / 257).astype(int)).all()
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0  # 0 is white
    assert (read(tmp_path, Image.fromarray(DEEP), "negative.tif", tiffinfo=tags) == 255 - upright).all()


def test_16_bits_of_colours_keep_the_upper_ones(tmp_path):
    (tmp_path / "x.ppm").write_bytes(b"P6 2 1 65535\n" + np.array([0, 65535, 32768, 257, 0, 65535], ">u2").tobytes())
    assert image_folder.pixels(tmp_path / "x.ppm")[:, 0].T.tolist() == [[0, 255, 128], [1, 0, 255]]


@pytest.mark.parametrize(("text", "shown"), [("P2 2 1 1000 0 1000", [0, 255]), ("P2 2 1 15 0 15", [0, 255])])
def test_the_files_own_white_is_white(tmp_path, text, shown):
    (tmp_path / "x.pgm").write_text(text + "\n")
    assert image_folder.pixels(tmp_path / "x.pgm")[0, 0].tolist() == shown


@pytest.mark.parametrize("kind", ["png", "tif", "gif", "bmp"])
def test_one_bit_is_black_and_white(tmp_path, kind):
    shown = read(tmp_path, Image.fromarray(RAMP > 99), f"x.{kind}")
    assert (shown == 255 * (RAMP > 99)).all()


@pytest.mark.parametrize("kind", ["png", "webp", "tif"])
def test_what_is_transparent_lies_on_white(tmp_path, kind):
    pixels = np.zeros((6, 6, 4), np.uint8)
    pixels[2:4, :, 3], pixels[5, :, 3] = 255, 128
    options = {"lossless": True} if kind == "webp" else {}
    shown = read(tmp_path, Image.fromarray(pixels), f"x.{kind}", **options)
    assert shown[0, :, 0].tolist() == [255, 255, 0, 0, 255, 127]


@pytest.mark.parametrize("name", ["x.png", "x.gif"])
def test_a_palette_with_a_transparent_colour_lies_on_white(tmp_path, name):
    shown = read(tmp_path, GREY.convert("P"), name, transparency=0)
    assert shown[:, 0, 0].tolist() == [255] * 3 and (shown[:, 1:] == RAMP[1:]).all()


TURNS = {1: (0, False), 3: (2, False), 6: (3, False), 8: (1, False), 2: (0, True), 5: (1, True), 7: (3, True)}


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("colors", [(), (3,)])
def test_the_side_that_the_camera_held_up_is_up(tmp_path, kind, orientation, colors):
    (turns, mirrored), pixels = TURNS[orientation], np.zeros((16, 8, *colors), np.uint8)
    pixels[:4, :4] = 255
    note = Image.Exif()
    note[0x0112] = orientation
    shown = read(tmp_path, Image.fromarray(pixels), f"x.{kind}", exif=note)[0]
    meant = pixels[..., 0] if colors else pixels
    meant = np.rot90(meant[:, ::-1] if mirrored else meant, turns)
    assert shown.shape == meant.shape and np.abs(shown.astype(int) - meant).max() < 60


def test_the_first_picture_of_a_phones_file_is_the_photograph(tmp_path):
    one, preview = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    shown = read(tmp_path, one, "x.mpo", save_all=True, append_images=[preview])
    assert shown[0].min() > 250 and shown[2].max() < 5


# --------------------------------------------------------------------------------------------------------- refused
def white_on_clear():
    pixels = np.full((6, 6, 4), 255, np.uint8)
    pixels[2:, :, 3] = 0
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("picture", "name", "words"),
    [
        (Image.fromarray(DEEP.astype(np.int32)), "x.tif", "numbers of the kind I, and nobody knows which one is white"),
        (Image.fromarray(DEEP.astype(np.float32)), "x.tif", "floating-point numbers, and nobody knows"),
        (Image.fromarray(DEEP.astype(np.float32) / 65_535), "x.tif", "save it with 8 or 16 bits"),
        (Image.fromarray(DEEP // 1024), "x.png", "values from 0 to 63 of 65535: stretch them"),
        (white_on_clear(), "x.png", "shows nothing on white: save it with a background"),
        (Image.new("RGBA", (4, 4)), "x.png", "shows nothing on white"),
        (Image.new("1", (9000, 8000)), "x.png", "over 67,108,864 pixels.*make it smaller"),
        (Image.new("1", (70_000, 1)), "x.png", "a side of over 65,536"),
    ],
)
def test_what_cannot_be_kept_is_named(tmp_path, picture, name, words):
    with pytest.raises(ValueError, match=rf"x\.\w+ .*{words}"):
        read(tmp_path, picture, name)


@pytest.mark.parametrize("size", ["9000 8000", "30000 30000", "2000000000 2000000000", "70000 1"])
def test_a_file_that_claims_to_be_huge_is_not_unpacked(tmp_path, size):
    (tmp_path / "x.pgm").write_text(f"P5 {size} 255\n")
    with pytest.raises(ValueError, match=r"x\.pgm has over 67,108,864 pixels"):
        image_folder.pixels(tmp_path / "x.pgm")


@pytest.mark.parametrize("kind", ["gif", "png", "webp", "tif"])
def test_several_pictures_in_a_file_are_refused(tmp_path, kind):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue", "lime")]
    with pytest.raises(ValueError, match=rf"x\.{kind} holds 3 pictures.*file of its own"):
        read(tmp_path, frames[0], f"x.{kind}", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "gif", "bmp", "webp"])
def test_truncated_files_are_named(tmp_path, kind):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    noise.save(tmp_path / f"x.{kind}")
    raw = (tmp_path / f"x.{kind}").read_bytes()
    for size in (0, 1, 10, len(raw) // 2):
        (tmp_path / f"x.{kind}").write_bytes(raw[:size])
        words = "it is empty" if size == 0 else ""
        with pytest.raises(ValueError, match=rf"x\.{kind} is no image that can be read \({words}.*remove or repair it"):
            image_folder.pixels(tmp_path / f"x.{kind}")


@pytest.mark.parametrize("raw", [b"a note\n", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\0" * 500, b"PK\x03\x04"])
def test_what_is_no_image_is_named(tmp_path, raw):
    (tmp_path / "x.png").write_bytes(raw)
    with pytest.raises(ValueError, match=r"x\.png is no image that can be read"):
        image_folder.pixels(tmp_path / "x.png")


KINDS = [("png", "L"), ("png", "P"), ("tif", "L"), ("tif", "I;16"), ("gif", "P"), ("bmp", "RGB"), ("pgm", "L")]


@pytest.mark.parametrize(("kind", "mode"), KINDS)
@examples(100)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), length=st.integers(0, 10_000))
def test_a_damaged_file_is_read_or_named(tmp_path_factory, kind, mode, place, byte, length):
    path = tmp_path_factory.getbasetemp() / f"damaged-{mode[0]}.{kind}"
    (Image.fromarray(DEEP) if mode == "I;16" else GREY.convert(mode)).save(path)
    raw = bytearray(path.read_bytes())
    raw[place % len(raw)] = byte
    path.write_bytes(raw[: length % len(raw) + 1])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shown = image_folder.pixels(path)
    except ValueError as error:
        assert path.name in str(error)
    else:
        assert shown.dtype == np.uint8 and shown.ndim == 3 and shown.shape[0] == 3


# ------------------------------------------------------------------------------------------------------- whole folders
def filled(folder, count=5, colors=((200, 0, 0), (0, 0, 200))):
    for kind, color in zip(("cat", "dog"), colors, strict=True):
        (folder / kind).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(np.full((9, 12, 3), color, np.uint8) + np.uint8(i)).save(folder / kind / f"{i}.png")
    return folder


@pytest.fixture
def folder(tmp_path):
    return filled(tmp_path / "pets")


def everything(data):
    return np.concatenate([data.train_images, data.valid_images, data.test_images])


def test_images_of_many_modes_and_sizes_are_one_data_set(folder):
    GREY.convert("P").resize((30, 20)).save(folder / "cat" / "palette.gif")
    Image.fromarray(DEEP).save(folder / "dog" / "deep.tif")
    Image.fromarray(RAMP > 99).save(folder / "dog" / "bit.png")
    data = datasets.load(folder, size=4)
    assert everything(data).shape == (13, 3, 4, 4)
    deep = datasets.averaged(np.round(DEEP / 257).astype(np.uint8)[None, None], 4)[0, 0]
    assert any((image == deep).all() for image in everything(data))


def test_a_folder_of_16_bits_is_grey_and_keeps_its_shades(tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("a", "b"):
        (tmp_path / kind).mkdir()
        for i in range(4):
            Image.fromarray(rng.integers(0, 65_536, (8, 8), dtype=np.uint16)).save(tmp_path / kind / f"{i}.png")
    data = datasets.load(tmp_path, size=8)
    assert data.colors == 1 and 110 < data.train_images.mean() < 145 and (data.train_images == 255).mean() < 0.05


def test_the_file_that_spoils_a_folder_is_named(folder):
    Image.fromarray(DEEP.astype(np.float32)).save(folder / "dog" / "depth.tif")
    with pytest.raises(ValueError, match=r"dog.depth\.tif holds floating-point numbers"):
        datasets.load(folder)


def test_nothing_is_skipped_in_silence(folder):
    (folder / ".cache").mkdir()
    (folder / "cat" / "._0.png").write_bytes(b"hidden")
    (folder / "README.txt").write_text("whose cats")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(everything(datasets.load(folder))) == 10
    GREY.save(folder / "lost.png")
    with pytest.warns(UserWarning, match=r"1 images belong to no class and are left out: lost\.png"):
        datasets.load(folder)
    (folder / "lost.png").unlink()
    (folder / "cat" / "more").mkdir()
    with pytest.raises(ValueError, match="cat holds a folder, more: move its images up"):
        datasets.load(folder)
    (folder / "cat" / "more").rmdir()
    (folder / "cat" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(ValueError, match=r"Thumbs\.db is no image that can be read"):
        datasets.load(folder)


def test_a_link_to_nothing_is_named(folder):
    try:
        os.symlink(folder / "gone.png", folder / "cat" / "link.png")
    except OSError:
        pytest.skip("no links here")
    with pytest.raises(ValueError, match=r"link\.png is no file"):
        datasets.load(folder)


# ------------------------------------------------------------------------------------------------ a folder that changes
def change(folder, how):
    path = folder / "cat" / "2.png"
    if how == "content":
        Image.new("RGB", (12, 9), (7, 90, 7)).save(path)
    elif how == "content at the same time":
        found, picture = path.stat(), np.asarray(Image.open(path)).copy()
        Image.fromarray(picture[..., ::-1]).save(path)
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    elif how == "added":
        Image.new("RGB", (12, 9), (7, 90, 7)).save(folder / "cat" / "new.png")
    elif how == "removed":
        path.unlink()
    elif how == "moved to another class":
        path.rename(folder / "dog" / "moved.png")
    elif how == "a third class":
        shutil.copytree(folder / "cat", folder / "eel")


CHANGES = ["content", "content at the same time", "added", "removed", "moved to another class", "a third class"]


@pytest.mark.parametrize("how", CHANGES)
def test_a_changed_folder_is_read_again_and_is_another_data_set(folder, how):
    estimate = Training(NasBench201(), FAST, dataset=str(folder))
    before, known, first = datasets.load(folder, 6), identity(estimate), estimate.size((3,) * 6)
    assert datasets.load(folder, 6) == before and datasets.load(str(folder), 6) == before
    change(folder, how)
    after = datasets.load(folder, 6)
    assert after != before and after.digest != before.digest and identity(estimate) != known
    assert len(everything(after)) == 10 + {"added": 1, "removed": -1, "a third class": 5}.get(how, 0)
    assert (estimate.size((3,) * 6) == first) == (how != "a third class")


def test_a_folder_whose_times_are_old_is_known_without_a_look_at_its_contents(folder, monkeypatch):
    for path in folder.rglob("*.png"):
        os.utime(path, ns=(1, 1))
    monkeypatch.setattr(image_folder, "RECENT", -1)
    first = datasets.load(folder, 6)
    monkeypatch.setattr(image_folder, "_sha256", None)
    assert datasets.load(folder, 6) is first


def test_a_moved_folder_is_the_same_data_set(folder, tmp_path):
    known = identity(Training(NasBench201(), FAST, dataset=str(folder)))
    folder.rename(tmp_path / "elsewhere")
    for moved in (str(tmp_path / "elsewhere"), tmp_path / "elsewhere"):
        assert differences(known, identity(Training(NasBench201(), FAST, dataset=moved))) == []


def test_a_training_learns_from_the_folder_as_it_is_now(tmp_path):
    folder = filled(tmp_path / "pets", count=20)
    recipe = replace(FAST, images=24, batch=8, epochs=1)
    estimate = Training(NasBench201(), recipe, dataset=str(folder))
    before = estimate((3,) * 6).scores
    assert estimate((3,) * 6).scores == before
    shutil.rmtree(folder)
    filled(folder, count=20, colors=((9, 9, 9), (10, 10, 10)))
    assert estimate((3,) * 6).scores["loss"] != before["loss"]


def test_a_record_knows_the_content_of_its_folder_and_not_its_place(folder, tmp_path):
    def run(where):
        space = NasBench201()
        return Run(
            RandomSearch(space, Measured(space, FAST, dataset=str(where)), evaluations=3), tmp_path / "run.jsonl"
        )

    steps = [step.evaluation.arch for step in run(folder)]
    folder.rename(tmp_path / "elsewhere")
    assert [step.evaluation.arch for step in run(tmp_path / "elsewhere")] == steps
    assert [step.evaluation.arch for step in Run.load(tmp_path / "run.jsonl")] == steps
    change(tmp_path / "elsewhere", "content")
    with pytest.raises(ValueError, match="is the record of another search: estimate.dataset.sha256 is"):
        run(tmp_path / "elsewhere")


class Measured(Training):
    """Answers with the size of a network, which takes no training."""

    def __call__(self, arch, *, epochs=None, seed=0):
        from nasviz import Evaluation

        return Evaluation(arch, {"accuracy": 0.5} | self.size(arch), 0.0, 1, seed)


def test_the_folder_of_a_gradient_search_is_known_by_its_content_too(folder):
    first = identity(Darts(NasBench201(), data=str(folder)))["data"]
    assert first == {"folder": str(folder), "sha256": image_folder.digest(folder)}
    assert identity(Darts(NasBench201()))["data"] == "fashion16"
    change(folder, "content")
    assert identity(Darts(NasBench201(), data=str(folder)))["data"] != first
