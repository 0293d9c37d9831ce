"""Make a release from a tag: wheel, source, editions, slides, site, the page to play with, and checksums of them all.

    python tools/release.py              into dist, which is new or empty
    python tools/release.py --check      only say whether this checkout is one that can be released

It takes what the tag holds, not what lies in the folder. It refuses a checkout with changes, a tag that is not the
version's, and a changelog or a citation that does not name version and day. Times in archives are the commit's, so the
same tag with the same tools gives the same bytes; `docs/releases.md` says how a version is chosen.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SUMS = "SHA256SUMS"
FOLDERS = {  # each becomes an archive: the command that makes it
    "student": ("student",),
    "instructor": ("instructor",),
    "slides": ("slides",),
    "site": ("site",),
}
EARLIEST = 315_532_800  # 1980: the first day that a zip file knows


def git(root: Path, *arguments: str) -> str:
    """What git says; ValueError with its own words if it fails."""
    ran = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    if ran.returncode:
        raise ValueError(f"git {' '.join(arguments)}: {ran.stderr.strip()}")
    return ran.stdout.strip()


def version_of(root: Path) -> str:
    """The version that the package says of itself."""
    found = re.search(r'^__version__ = "([^"]+)"', (root / "nasviz" / "__init__.py").read_text("utf-8"), re.M)
    if found is None:
        raise ValueError("nasviz/__init__.py names no __version__")
    return found[1]


def faults(root: Path) -> Iterator[str]:
    """Why a checkout cannot be released, a sentence each; none if it can."""
    if changed := git(root, "status", "--porcelain"):
        count = len(changed.splitlines())
        yield f"{count} files are changed or not committed ({changed.split()[-1]}): commit them, or put them away"
    version = version_of(root)
    tags = git(root, "tag", "--points-at", "HEAD").split()
    if f"v{version}" not in tags:
        there = f"the tags here are {', '.join(tags)}" if tags else "no tag is here"
        yield f"the version is {version}, and {there}: git tag v{version}, once all else is right"
    entry = re.search(r"^## \[([^\]]+)\] – (.+)$", (root / "CHANGELOG.md").read_text("utf-8"), re.M)
    if entry is None or entry[1] != version:
        yield f"CHANGELOG.md does not begin with an entry for {version}: ## [{version}] – DAY"
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", entry[2]):
        yield f"CHANGELOG.md says that {version} is {entry[2]!r}: write the day, as 2026-11-29"
    cited = dict(re.findall(r"^(version|date-released): (\S+)$", (root / "CITATION.cff").read_text("utf-8"), re.M))
    if cited.get("version") != version:
        yield f"CITATION.cff names version {cited.get('version')}, and the package {version}"
    if entry and cited.get("date-released") != entry[2]:
        yield f"CITATION.cff was released on {cited.get('date-released')}, and CHANGELOG.md says {entry[2]}"


def taken(root: Path, folder: Path) -> int:
    """Unpack what HEAD holds into a folder; the time of its commit, in seconds since 1970."""
    packed = folder.parent / "head.tar"
    git(root, "archive", "--format=tar", f"--output={packed}", "HEAD")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    packed.unlink()
    return int(git(root, "log", "-1", "--format=%ct"))


def zipped(folder: Path, out: Path, when: int) -> Path:
    """Pack a folder into a zip file whose bytes depend on names, contents and the time alone."""
    day = time.gmtime(max(when, EARLIEST))[:6]
    with zipfile.ZipFile(out, "x", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo((Path(out.stem) / path.relative_to(folder)).as_posix(), (*day[:5], day[5] // 2 * 2))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return out


def summed(folder: Path) -> Path:
    """Write the checksums of all files of a folder, as ``sha256sum --check`` reads them, and read them back."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
    for line in (folder / SUMS).read_text("utf-8").splitlines():
        digest, name = line.split("  ", 1)
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ValueError(f"{name} does not read back as it was written: try another disk")
    return folder / SUMS


def run(source: Path, when: int, *arguments: str) -> None:
    """Run Python on the unpacked sources; ValueError if it fails."""
    said = {"PYTHONPATH": str(source), "SOURCE_DATE_EPOCH": str(when), "PYTHONHASHSEED": "0"}
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=source, env=os.environ | said, capture_output=True, text=True
    )
    if ran.returncode:
        raise ValueError(f"python {' '.join(arguments)} failed:\n{(ran.stderr or ran.stdout).strip()[-2000:]}")


def known(source: Path) -> str:
    """What the sources' course commands are, as their help says it."""
    env = os.environ | {"PYTHONPATH": str(source)}
    asked = [sys.executable, "-m", "nasviz", "course", "--help"]
    return subprocess.run(asked, cwd=source, env=env, capture_output=True, text=True).stdout


def release(root: Path, out: Path, without: set[str]) -> Iterator[str]:
    """Make a release; yield the name of each file as it is made.

    Raises
    ------
    ValueError
        Before anything is written: the checkout cannot be released, ``out`` is in use, or a command is missing.
    """
    if wrong := list(faults(root)):
        raise ValueError("This checkout cannot be released.\n" + "\n".join(f"- {fault}" for fault in wrong))
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty: put what is in it away")
    name = f"nasviz-{version_of(root)}"
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, name)
        when = taken(root, source)
        said = known(source)
        missing = [part for part in FOLDERS if part not in without and not re.search(rf"^    {part}\b", said, re.M)]
        if missing:
            raise ValueError(
                f"this version has no course command {', '.join(missing)}. To release it so: "
                + " ".join(f"--without {part}" for part in missing)
            )
        out.mkdir(parents=True, exist_ok=True)
        run(source, when, "-m", "hatchling", "build", "-d", str(out.resolve()))
        yield from sorted(path.name for path in out.iterdir() if path.name.startswith("nasviz"))
        for part, command in FOLDERS.items():
            if part in without:
                continue
            made = Path(scratch, part)
            run(source, when, "-m", "nasviz", "course", *command, str(made))
            yield zipped(made, out / f"{name}-{part}.zip", when).name
        run(source, when, "-m", "nasviz", "course", "play", str(out.resolve() / "play.html"))
        yield "play.html"
    yield summed(out).name


def main(arguments: list[str] | None = None) -> int:
    """Make a release, or say why not, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="a folder that is new or empty (default: dist)")
    parser.add_argument("--check", action="store_true", help="make nothing; say whether this checkout can be released")
    parser.add_argument("--without", action="append", default=[], choices=FOLDERS, help="leave an archive out")
    asked = parser.parse_args(arguments)
    try:
        if asked.check:
            print(*(found := list(faults(ROOT))) or ["This checkout can be released."], sep="\n")
            return int(bool(found))
        for name in release(ROOT, asked.out, set(asked.without)):
            print(name, flush=True)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
