"""Releases: what is refused, what is packed, and that the same gives the same bytes."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import release  # noqa: E402


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    """A checkout that can be released as 1.2.3."""
    if not shutil.which("git"):
        pytest.skip("no git here")
    folder = tmp_path / "a checkout"
    (folder / "nasviz").mkdir(parents=True)
    (folder / "nasviz" / "__init__.py").write_text('__version__ = "1.2.3"\n')
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.3] – 2026-11-29\n\n## [1.2.2] – 2026-11-01\n")
    (folder / "CITATION.cff").write_text("cff-version: 1.2.0\nversion: 1.2.3\ndate-released: 2026-11-29\n")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "tag", "v1.2.3")
    return folder


def test_a_clean_checkout_at_its_tag_can_be_released(checkout):
    (checkout / "ignored").write_text("not of the release")
    assert list(release.faults(checkout)) == []


def test_changes_and_other_tags_are_refused(checkout, tmp_path):
    (checkout / "new file").write_text("x")
    (fault,) = release.faults(checkout)
    assert "1 files are changed or not committed" in fault
    with pytest.raises(ValueError, match="cannot be released"):
        next(release.release(checkout, tmp_path / "dist", set()))
    assert not (tmp_path / "dist").exists()
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "two")
    (fault,) = release.faults(checkout)
    assert "the version is 1.2.3, and no tag is here: git tag v1.2.3" in fault
    git(checkout, "tag", "v1.2.4")
    (fault,) = release.faults(checkout)
    assert "the tags here are v1.2.4" in fault


@pytest.mark.parametrize(
    "file, old, new, said",
    [
        ("CHANGELOG.md", "2026-11-29", "unreleased", ["write the day", "CHANGELOG.md says unreleased"]),
        ("CHANGELOG.md", "[1.2.3]", "[1.2.4]", ["does not begin with an entry for 1.2.3"]),
        ("CITATION.cff", "version: 1.2.3", "version: 1.2.2", ["names version 1.2.2, and the package 1.2.3"]),
        ("CITATION.cff", "2026-11-29", "2026-11-28", ["released on 2026-11-28"]),
        (
            "nasviz/__init__.py",
            "1.2.3",
            "1.3.0",
            ["the version is 1.3.0, and the tags here are v1.2.3", "1.3.0", "1.3.0"],
        ),
    ],
)
def test_what_does_not_name_the_version_and_the_day_is_refused(checkout, file, old, new, said):
    text = (checkout / file).read_text("utf-8")
    (checkout / file).write_text(text.replace(old, new), "utf-8")
    git(checkout, "commit", "-q", "-a", "-m", "changed")
    git(checkout, "tag", "-f", "v1.2.3")
    found = list(release.faults(checkout))
    assert len(found) == len(said) and all(part in fault for part, fault in zip(said, found, strict=True))


def test_what_is_packed_is_what_the_tag_holds(checkout, tmp_path):
    (checkout / "ignored").write_text("not of the release")
    (tmp_path / "scratch").mkdir()
    when = release.taken(checkout, tmp_path / "scratch" / "source")
    there = {path.name for path in (tmp_path / "scratch" / "source").iterdir()}
    assert there == {"nasviz", "CHANGELOG.md", "CITATION.cff", ".gitignore"} and when > 1_000_000_000
    assert not (tmp_path / "scratch" / "head.tar").exists()


def test_an_archive_depends_on_names_contents_and_the_time_alone(tmp_path):
    made = []
    for number, names in enumerate((["b/c.txt", "a.txt"], ["a.txt", "b/c.txt"])):
        folder = tmp_path / f"folder{number}"
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        (tmp_path / str(number)).mkdir()
        made.append(release.zipped(folder, tmp_path / str(number) / "x-1.zip", 1_700_000_001))
    first, second = (path.read_bytes() for path in made)
    assert first == second
    with zipfile.ZipFile(made[0]) as archive:
        assert archive.namelist() == ["x-1/a.txt", "x-1/b/c.txt"] and archive.testzip() is None
        assert archive.infolist()[0].date_time == (2023, 11, 14, 22, 13, 20)
    with pytest.raises(FileExistsError):
        release.zipped(tmp_path / "folder0", made[0], 0)


def test_checksums_are_those_that_sha256sum_reads(tmp_path):
    (tmp_path / "b.txt").write_bytes(b"abc")
    (tmp_path / "a file.txt").write_bytes(b"")
    text = release.summed(tmp_path).read_text()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert text == f"{empty}  a file.txt\n{abc}  b.txt\n"
    assert release.summed(tmp_path).read_text() == text  # the sums are not summed


def test_a_command_that_is_missing_or_a_folder_in_use_is_named_before_anything_is_built(checkout, tmp_path):
    with pytest.raises(ValueError, match="no course command .*site.* --without site"):
        next(release.release(checkout, tmp_path / "dist", set()))
    assert not (tmp_path / "dist").exists()
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "mine").touch()
    with pytest.raises(ValueError, match="put what is in it away"):
        next(release.release(checkout, tmp_path / "dist", set()))


def test_a_command_that_fails_is_told_in_its_own_words(tmp_path):
    with pytest.raises(ValueError, match="(?s)python -c .* failed:.*its own words"):
        release.run(tmp_path, 0, "-c", "import sys; sys.exit('its own words')")
